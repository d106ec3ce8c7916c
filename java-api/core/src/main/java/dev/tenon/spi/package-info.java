/**
 * What a device must give: a {@link dev.tenon.spi.Backend} compiles parts of graphs into {@link
 * dev.tenon.spi.Executable}s. For Tenon's own device modules. Entry class: {@link dev.tenon.spi.Backend}.
 *
 * <p>Must not depend on a device, on passes or on plans.
 */
@NullMarked
package dev.tenon.spi;

import org.jspecify.annotations.NullMarked;
