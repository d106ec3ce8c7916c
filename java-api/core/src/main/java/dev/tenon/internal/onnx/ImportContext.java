package dev.tenon.internal.onnx;

import dev.tenon.ModelFormatException;
import dev.tenon.internal.memory.MemoryScope;

/** What all graphs of one import share. */
final class ImportContext {
    final String model;
    final Functions functions;
    final ImportLimits limits;
    final TensorData data;
    final MemoryScope memory;
    final Captures captures = new Captures();
    private int nodes;

    ImportContext(String model, Functions functions, ImportLimits limits, TensorData data, MemoryScope memory) {
        this.model = model;
        this.functions = functions;
        this.limits = limits;
        this.data = data;
        this.memory = memory;
    }

    /** Functions that call functions can make a tiny file stand for any number of nodes. */
    void countNode() {
        if (++nodes > limits.nodes()) {
            throw new ModelFormatException(
                    "the graph has more than " + limits.nodes() + " nodes once functions are inlined");
        }
    }
}
