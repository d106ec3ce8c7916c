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
import java.util.List;

/**
 * Matrix product with scaled sum:  y = alpha A B + beta C, where A = a or its transpose, B = b or its transpose.
 * Inputs   a [M, K] (or [K, M] if transA); b [K, N] (or [N, K] if transB); c absent or broadcastable to [M, N]; one type.
 * Output   y [M, N].
 * Rules    ranks are 2; K agrees; c broadcasts one way.
 * Numerics the reference accumulates in double (integers in long).
 * Source   ONNX Gemm-13.
 */
public record Gemm(boolean transA, boolean transB, float alpha, float beta) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "Gemm",
            n -> new Gemm(n.flag("transA", false), n.flag("transB", false), n.real("alpha", 1), n.real("beta", 1))));

    @Override
    public OpTrait trait() {
        return OpTrait.CONTRACTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0) == in.dtype(1), "a and b have different element types");
        in.require(!in.has(2) || in.dtype(2) == in.dtype(0), "c has another element type than a");
        SymbolicShape a = matrix(in, 0);
        SymbolicShape b = matrix(in, 1);
        Dim ka = a.dim(transA ? 0 : 1);
        Dim kb = b.dim(transB ? 1 : 0);
        in.require(!ka.isKnown() || !kb.isKnown() || ka.equals(kb), "inner dimensions differ: " + ka + " and " + kb);
        SymbolicShape y = SymbolicShape.of(a.dim(transA ? 1 : 0), b.dim(transB ? 0 : 1));
        if (in.has(2) && in.shape(2).isRanked()) {
            SymbolicShape c = in.shape(2);
            in.require(c.rank() <= 2, "c has rank " + c.rank() + "; expected at most 2");
            for (int i = 1; i <= c.rank(); i++) {
                in.require(
                        c.size(-i) <= 1 && c.size(-i) != 0 || y.size(-i) < 0 || c.size(-i) == y.size(-i),
                        "c of shape " + c + " does not broadcast to " + y);
            }
        }
        return List.of(new TensorType(in.dtype(0), y));
    }

    private static SymbolicShape matrix(Inference in, int i) {
        SymbolicShape s = in.shape(i).isRanked() ? in.shape(i) : SymbolicShape.ofRank(2);
        in.require(s.rank() == 2, "input " + i + " has rank " + s.rank() + "; expected a matrix");
        return s;
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor a = in.tensor(0);
        Tensor b = in.tensor(1);
        in.require(a.shape().rank() == 2 && b.shape().rank() == 2, "a and b must be matrices");
        int m = (int) a.shape().dim(transA ? 1 : 0);
        int k = (int) a.shape().dim(transA ? 0 : 1);
        int n = (int) b.shape().dim(transB ? 0 : 1);
        in.require(b.shape().dim(transB ? 1 : 0) == k, "inner dimensions differ");
        Tensor y = Limits.allocate(in, a.type(), m, n);
        if (a.type().isInteger()) {
            integers(in, a, b, y, m, k, n);
            return List.of(y);
        }
        double[] out = new double[Math.toIntExact(y.size())];
        Matrices.multiply(a.toDoubleArray(), 0, transA, b.toDoubleArray(), 0, transB, out, 0, m, k, n);
        for (int i = 0; i < out.length; i++) {
            out[i] *= alpha;
        }
        if (in.has(2)) {
            double[] c = in.tensor(2).toDoubleArray();
            checkBroadcast(in, y.shape());
            Broadcast.forEach(
                    y.shape(), new Shape[] {in.tensor(2).shape()}, (o, i) -> out[(int) o] += beta * c[(int) i[0]]);
        }
        y.copyFrom(out);
        return List.of(y);
    }

    private static void checkBroadcast(Evaluation in, Shape y) {
        Shape c = in.tensor(2).shape();
        in.require(Broadcast.shape(c, y).equals(y), "c of shape " + c + " does not broadcast to " + y);
    }

    private void integers(Evaluation in, Tensor a, Tensor b, Tensor y, int m, int k, int n) {
        for (int r = 0; r < m; r++) {
            for (int c = 0; c < n; c++) {
                long sum = 0;
                for (int t = 0; t < k; t++) {
                    sum += a.getLong(transA ? (long) t * m + r : (long) r * k + t)
                            * b.getLong(transB ? (long) c * k + t : (long) t * n + c);
                }
                y.setLong((long) r * n + c, alpha == 1 ? sum : (long) (alpha * sum));
            }
        }
        if (in.has(2)) {
            Tensor c = in.tensor(2);
            checkBroadcast(in, y.shape());
            Broadcast.forEach(y.shape(), new Shape[] {c.shape()}, (o, i) -> {
                long v = c.getLong(i[0]);
                y.setLong(o, y.getLong(o) + (beta == 1 ? v : (long) (beta * v)));
            });
        }
    }
}
