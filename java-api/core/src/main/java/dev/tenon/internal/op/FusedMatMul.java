package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A matrix product with what follows it:  y = activation(alpha A B + bias + residual), where A = a or a with its last two axes
 * swapped, B likewise.
 * Inputs   a [..., M, K]; b [..., K, N] (swapped: [..., N, K]), leading axes broadcast; bias absent or broadcastable to y;
 *          residual of y's shape if {@code residual}; one type.
 * Output   y [..., M, N].
 * Rules    ranks are at least 2; K agrees.
 * Source   made by rewrites only.
 */
public record FusedMatMul(boolean transA, boolean transB, float alpha, boolean residual, Optional<Unary> activation)
        implements Op {
    /** The input index of the bias. */
    public static final int BIAS = 2;
    /** The input index of the residual. */
    public static final int RESIDUAL = 3;

    @Override
    public OpTrait trait() {
        return OpTrait.CONTRACTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0) == in.dtype(1), "a and b have different element types");
        SymbolicShape a = in.shape(0);
        SymbolicShape b = in.shape(1);
        if (!a.isRanked() || !b.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        in.require(a.rank() >= 2 && b.rank() >= 2, "a fused matrix product needs ranks of at least 2");
        Dim ka = a.dim(transA ? -2 : -1);
        Dim kb = b.dim(transB ? -1 : -2);
        in.require(!ka.isKnown() || !kb.isKnown() || ka.equals(kb), "inner dimensions differ: " + ka + " and " + kb);
        SymbolicShape batch = SymbolicShape.broadcast(head(a), head(b));
        List<Dim> out = new ArrayList<>(batch.dims());
        out.add(a.dim(transA ? -1 : -2));
        out.add(b.dim(transB ? -2 : -1));
        SymbolicShape y = SymbolicShape.of(out);
        if (in.has(BIAS) && in.shape(BIAS).isConcrete() && y.isConcrete()) {
            in.require(
                    SymbolicShape.broadcast(in.shape(BIAS), y).equals(y),
                    "the bias of shape " + in.shape(BIAS) + " does not broadcast to " + y);
        }
        return List.of(new TensorType(in.dtype(0), y));
    }

    private static SymbolicShape head(SymbolicShape s) {
        return SymbolicShape.of(s.dims().subList(0, s.rank() - 2));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor a = in.tensor(0);
        Tensor b = in.tensor(1);
        Shape sa = a.shape();
        Shape sb = b.shape();
        in.require(sa.rank() >= 2 && sb.rank() >= 2, "a fused matrix product needs ranks of at least 2");
        int m = (int) sa.dim(transA ? -1 : -2);
        int k = (int) sa.dim(transA ? -2 : -1);
        int n = (int) sb.dim(transB ? -2 : -1);
        in.require(sb.dim(transB ? -1 : -2) == k, "inner dimensions differ");
        Shape batchA = Shape.of(Arrays.copyOf(sa.dims(), sa.rank() - 2));
        Shape batchB = Shape.of(Arrays.copyOf(sb.dims(), sb.rank() - 2));
        Shape batch = Broadcast.shape(batchA, batchB);
        long[] dims = Arrays.copyOf(batch.dims(), batch.rank() + 2);
        dims[batch.rank()] = m;
        dims[batch.rank() + 1] = n;
        Tensor y = Limits.allocate(in, a.type(), dims);
        double[] av = a.toDoubleArray();
        double[] bv = b.toDoubleArray();
        double[] out = new double[Math.toIntExact(y.size())];
        Broadcast.forEach(
                batch,
                new Shape[] {batchA, batchB},
                (o, i) -> Matrices.multiply(
                        av,
                        (int) (i[0] * m * k),
                        transA,
                        bv,
                        (int) (i[1] * k * n),
                        transB,
                        out,
                        (int) (o * m * n),
                        m,
                        k,
                        n));
        for (int i = 0; i < out.length; i++) {
            out[i] *= alpha;
        }
        if (in.has(BIAS)) {
            Tensor bias = in.tensor(BIAS);
            double[] v = bias.toDoubleArray();
            in.require(
                    Broadcast.shape(bias.shape(), y.shape()).equals(y.shape()),
                    "the bias of shape " + bias.shape() + " does not broadcast to " + y.shape());
            Broadcast.forEach(y.shape(), new Shape[] {bias.shape()}, (o, i) -> out[(int) o] += v[(int) i[0]]);
        }
        y.copyFrom(out);
        return List.of(FusedConv.epilogue(in, y, residual ? in.tensor(RESIDUAL) : null, activation));
    }
}
