/**
 * Tenon's public API: compile an ONNX model into an {@link dev.tenon.Engine}, open a {@link dev.tenon.Session}, bind
 * {@link dev.tenon.Tensor}s, run. Entry class: {@link dev.tenon.Engine}.
 *
 * <p>All failures of models, files, shapes and devices are {@link dev.tenon.TenonException}s. Engine and Session alone know
 * the inside; the other types are values at the bottom of all packages and depend on nothing but memory.
 */
@NullMarked
package dev.tenon;

import org.jspecify.annotations.NullMarked;
