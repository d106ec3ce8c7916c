package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Permutes axes:  dimension i of y is dimension perm[i] of x.
 * Inputs   x: any type.    Output y: that type.
 * Rules    perm is a permutation of the axes of x; empty reverses them.
 * Source   ONNX Transpose-25.
 */
public record Transpose(List<Long> perm) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Transpose", n -> new Transpose(n.integers("perm"))));

    public Transpose {
        perm = List.copyOf(perm);
    }

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    /** The source axis of each axis of the result; null if {@code perm} is no permutation of so many axes. */
    private int @Nullable [] order(int rank) {
        int[] order = new int[rank];
        if (perm.isEmpty()) {
            for (int i = 0; i < rank; i++) {
                order[i] = rank - 1 - i;
            }
            return order;
        }
        if (perm.size() != rank) {
            return null;
        }
        boolean[] seen = new boolean[rank];
        for (int i = 0; i < rank; i++) {
            long p = perm.get(i) < 0 ? perm.get(i) + rank : perm.get(i);
            if (p < 0 || p >= rank || seen[(int) p]) {
                return null;
            }
            seen[(int) p] = true;
            order[i] = (int) p;
        }
        return order;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(new TensorType(
                    in.dtype(0), perm.isEmpty() ? SymbolicShape.UNRANKED : SymbolicShape.ofRank(perm.size())));
        }
        int[] order = order(x.rank());
        if (order == null) {
            throw in.error("perm " + perm + " is not a permutation of " + x.rank() + " axes");
        }
        return List.of(new TensorType(
                in.dtype(0),
                SymbolicShape.of(Arrays.stream(order).mapToObj(x::dim).toList())));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        return in.shape(0).isRanked() && in.shape(0).rank() <= 1 ? in.dims(0) : Optional.empty();
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int[] order = order(x.shape().rank());
        if (order == null) {
            throw in.error(
                    "perm " + perm + " is not a permutation of " + x.shape().rank() + " axes");
        }
        return List.of(permute(in, x, order));
    }

    /** A tensor whose axis i is axis order[i] of {@code x}. */
    static Tensor permute(Evaluation in, Tensor x, int[] order) {
        long[] own = x.shape().strides();
        long[] dims = new long[order.length];
        long[] strides = new long[order.length];
        for (int i = 0; i < order.length; i++) {
            dims[i] = x.shape().dim(order[i]);
            strides[i] = own[order[i]];
        }
        Tensor y = in.allocate(x.type(), dims);
        Strided.copy(dims, x, 0, strides, y, 0, y.shape().strides());
        return y;
    }
}
