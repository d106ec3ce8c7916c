package dev.tenon.internal.op;

import dev.tenon.internal.ir.Op;

/**
 * How one ONNX operator is imported.
 *
 * @param domain the operator's domain; empty for the standard one
 * @param onnxName the operator's name in models
 * @param since the first opset version that this rule reads
 * @param until the last opset version that this rule reads
 */
public record OpSpec(String domain, String onnxName, int since, int until, Importer importer) {
    /** Makes the operator from a node's attributes. */
    @FunctionalInterface
    public interface Importer {
        Op create(OnnxNode node);
    }

    /** A rule of the standard domain for every version. */
    public static OpSpec onnx(String name, Importer importer) {
        return new OpSpec("", name, 1, Integer.MAX_VALUE, importer);
    }

    /** A rule of the standard domain for version {@code since} and later. */
    public static OpSpec onnx(String name, int since, Importer importer) {
        return new OpSpec("", name, since, Integer.MAX_VALUE, importer);
    }

    /** A rule of another domain for every version. */
    public static OpSpec of(String domain, String name, Importer importer) {
        return new OpSpec(domain, name, 1, Integer.MAX_VALUE, importer);
    }
}
