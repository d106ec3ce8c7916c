package dev.tenon;

import java.util.List;

/** An ordered list of values of one element type; ONNX {@code seq(...)}. Immutable. */
public record TensorSequence(List<Datum> items) implements Datum {
    public TensorSequence {
        items = List.copyOf(items);
    }

    public int size() {
        return items.size();
    }

    /** Element {@code i} as a tensor. @throws ShapeException if it is not one */
    public Tensor tensor(int i) {
        if (items.get(i) instanceof Tensor t) {
            return t;
        }
        throw new ShapeException("element " + i + " of the sequence is not a tensor");
    }
}
