/**
 * Rewrites of graphs. {@link dev.tenon.internal.pass.Pipeline} lists them in their order; each is one file. Passes know
 * operators and the reference interpreter, nothing of devices.
 */
@NullMarked
package dev.tenon.internal.pass;

import org.jspecify.annotations.NullMarked;
