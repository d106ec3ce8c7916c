package dev.tenon.benchmarks.models;

import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.Tensor;
import java.nio.file.Path;
import java.util.Map;

/** Times mean nothing unless both sides compute the same: this is checked before anything is timed. */
public final class Agreement {
    private static final double RELATIVE = 1e-3;
    private static final double ABSOLUTE = 1e-4;

    private Agreement() {}

    /**
     * Runs the session, which has its inputs, and the peer.
     *
     * @throws IllegalStateException if an element of an output is further off than 1e-3 of its value plus 1e-4
     */
    public static void check(Engine engine, Session session, Path file, int threads, Map<String, Tensor> inputs) {
        session.run();
        try (OnnxRuntimePeer peer = new OnnxRuntimePeer(file, threads);
                OnnxRuntimePeer.Call call = peer.call(inputs)) {
            Map<String, float[]> expected = call.outputs();
            for (var output : engine.outputs()) {
                check(output.name(), expected.get(output.name()), session.output(output.name()));
            }
        }
    }

    private static void check(String name, float[] expected, Tensor actual) {
        if (expected.length != actual.size()) {
            throw new IllegalStateException(
                    "output " + name + " has " + actual.size() + " elements, ONNX Runtime's " + expected.length);
        }
        float[] values = actual.toFloatArray();
        for (int i = 0; i < expected.length; i++) {
            // Written so that a NaN on one side fails.
            boolean same = Math.abs(values[i] - expected[i]) <= ABSOLUTE + RELATIVE * Math.abs(expected[i])
                    || Float.isNaN(values[i]) && Float.isNaN(expected[i]);
            if (!same) {
                throw new IllegalStateException(
                        "output " + name + "[" + i + "] is " + values[i] + ", ONNX Runtime's is " + expected[i]);
            }
        }
    }
}
