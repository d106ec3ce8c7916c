package dev.tenon.internal.onnx;

import dev.tenon.internal.ir.Graph;
import java.util.Map;

/**
 * A model as it was read.
 *
 * @param graph inputs and outputs carry the model's names; inputs that have an initializer are constants and not among them
 * @param opsets the version of each operator domain; the standard domain is {@code ai.onnx}
 * @param docs what the model says of its inputs and outputs, by name, where it says anything
 */
public record ImportedModel(
        Graph graph,
        long irVersion,
        String producer,
        String producerVersion,
        String domain,
        long modelVersion,
        String doc,
        Map<String, Integer> opsets,
        Map<String, String> metadata,
        Map<String, String> docs) {}
