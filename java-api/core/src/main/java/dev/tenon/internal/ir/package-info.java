/**
 * The graph: immutable, in single-assignment form, with operators as records. Entry classes: {@link
 * dev.tenon.internal.ir.Graph} and {@link dev.tenon.internal.ir.Op}; {@link dev.tenon.internal.ir.Verifier} says what every
 * graph must be, {@link dev.tenon.internal.ir.GraphPrinter} shows one.
 *
 * <p>Knows no operator, no file format and no device. Depends on the value types of the API and on memory only.
 */
@NullMarked
package dev.tenon.internal.ir;

import org.jspecify.annotations.NullMarked;
