package dev.tenon.internal.op;

import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;

/** Shape rules that the operators on sequences share. */
final class SequenceTypes {
    private SequenceTypes() {}

    /** What two types have in common: an element of a sequence may be either. */
    static ValueType common(ValueType a, ValueType b) {
        if (a.equals(b) || !(a instanceof TensorType x) || !(b instanceof TensorType y)) {
            return a;
        }
        return new TensorType(x.dtype(), SymbolicShape.common(x.shape(), y.shape()));
    }

    /** The element type of input {@code i}, which must be a sequence. */
    static ValueType element(Inference in, int i) {
        if (in.type(i) instanceof SequenceType(ValueType element)) {
            return element;
        }
        throw in.error("input " + i + " is a " + in.type(i) + "; expected a sequence");
    }

    /** The element type of input {@code i}, which must be a sequence of tensors; symbols may differ between elements. */
    static TensorType tensor(Inference in, int i) {
        if (element(in, i) instanceof TensorType t) {
            if (!t.shape().isRanked()) {
                return t;
            }
            return new TensorType(
                    t.dtype(),
                    SymbolicShape.of(t.shape().dims().stream()
                            .map(d -> d.isKnown() ? d : Dim.unknown())
                            .toList()));
        }
        throw in.error("input " + i + " is a " + in.type(i) + "; expected a sequence of tensors");
    }

    /** A position in a sequence from an integer scalar; negative counts from the end. */
    static int position(Evaluation in, int input, int size, boolean orEnd) {
        in.require(in.tensor(input).size() == 1, "a position must be one number");
        long p = in.tensor(input).getLong(0);
        int most = orEnd ? size : size - 1;
        in.require(p >= -size && p <= most, "position " + p + " is outside a sequence of " + size);
        return (int) (p < 0 ? p + size : p);
    }
}
