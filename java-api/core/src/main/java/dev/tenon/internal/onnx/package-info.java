/**
 * Reads ONNX files: bytes to records ({@link dev.tenon.internal.onnx.OnnxModel}), records to the graph
 * ({@link dev.tenon.internal.onnx.OnnxImporter}, the entry). Weights stay in the mapped file. Everything in a file is taken
 * for hostile: sizes, counts and nesting are checked before memory is taken. What an operator means is told by
 * {@code op}; nothing here knows one by name except those that the format itself needs.
 */
package dev.tenon.internal.onnx;
