package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A convolution with what follows it:  y = activation(conv(x, w) + bias + residual).
 * Inputs   x, w, bias (or absent) as {@link Conv}; residual of y's shape if {@code residual}.    Output y as Conv.
 * Rules    those of Conv; the residual has exactly y's shape.
 * Source   made by rewrites only.
 */
public record FusedConv(Conv conv, boolean residual, Optional<Unary> activation) implements Op {
    /** The input index of the residual. */
    public static final int RESIDUAL = 3;

    @Override
    public OpTrait trait() {
        return OpTrait.CONTRACTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        TensorType y = (TensorType) conv.infer(in).getFirst();
        if (residual) {
            SymbolicShape r = in.shape(RESIDUAL);
            in.require(in.dtype(RESIDUAL) == y.dtype(), "the residual has element type " + in.dtype(RESIDUAL));
            in.require(
                    !r.isConcrete() || !y.isConcrete() || r.equals(y.shape()),
                    "the residual has shape " + r + "; expected " + y.shape());
        }
        return List.of(y);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor y = (Tensor) conv.evaluate(in).getFirst();
        return List.of(epilogue(in, y, residual ? in.tensor(RESIDUAL) : null, activation));
    }

    /** Adds the residual and applies the activation in place. */
    static Tensor epilogue(Evaluation in, Tensor y, @Nullable Tensor residual, Optional<Unary> activation) {
        if (residual != null) {
            Shape s = residual.shape();
            in.require(s.equals(y.shape()), "the residual has shape " + s + "; expected " + y.shape());
        }
        for (long i = 0, n = y.size(); i < n; i++) {
            double v = y.getDouble(i) + (residual == null ? 0 : residual.getDouble(i));
            y.setDouble(i, activation.isPresent() ? activation.get().apply(v) : v);
        }
        return y;
    }
}
