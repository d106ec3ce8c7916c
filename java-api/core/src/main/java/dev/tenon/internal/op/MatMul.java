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
import java.util.List;

/**
 * Matrix product as numpy.matmul:  y[..., m, n] = sum_k a[..., m, k] b[..., k, n].
 * Inputs   a [..., M, K], b [..., K, N], numeric, one type; leading axes broadcast; a vector counts as one row or column.
 * Rules    ranks are at least 1; K agrees; leading axes broadcast.
 * Numerics the reference accumulates in double (integers in long).
 * Source   ONNX MatMul-13.
 */
public record MatMul() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("MatMul", n -> new MatMul()));

    @Override
    public OpTrait trait() {
        return OpTrait.CONTRACTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0) == in.dtype(1), "element types differ");
        return List.of(new TensorType(in.dtype(0), shape(in, in.shape(0), in.shape(1))));
    }

    private static SymbolicShape shape(Inference in, SymbolicShape a, SymbolicShape b) {
        if (!a.isRanked() || !b.isRanked()) {
            return SymbolicShape.UNRANKED;
        }
        in.require(a.rank() >= 1 && b.rank() >= 1, "a matrix product needs ranks of at least 1");
        List<Dim> x = new ArrayList<>(a.dims());
        List<Dim> y = new ArrayList<>(b.dims());
        if (a.rank() == 1) {
            x.addFirst(Dim.of(1));
        }
        if (b.rank() == 1) {
            y.addLast(Dim.of(1));
        }
        Dim ka = x.getLast();
        Dim kb = y.get(y.size() - 2);
        in.require(!ka.isKnown() || !kb.isKnown() || ka.equals(kb), "inner dimensions differ: " + ka + " and " + kb);
        List<Dim> out = new ArrayList<>(SymbolicShape.broadcast(
                        SymbolicShape.of(x.subList(0, x.size() - 2)), SymbolicShape.of(y.subList(0, y.size() - 2)))
                .dims());
        if (a.rank() > 1) {
            out.add(x.get(x.size() - 2));
        }
        if (b.rank() > 1) {
            out.add(y.getLast());
        }
        return SymbolicShape.of(out);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor a = in.tensor(0);
        Tensor b = in.tensor(1);
        Shape sa = a.shape().rank() == 1 ? Shape.of(1, a.shape().dim(0)) : a.shape();
        Shape sb = b.shape().rank() == 1 ? Shape.of(b.shape().dim(0), 1) : b.shape();
        long m = sa.dim(-2);
        long k = sa.dim(-1);
        long n = sb.dim(-1);
        in.require(sb.dim(-2) == k, "inner dimensions differ: " + k + " and " + sb.dim(-2));
        Shape batchA = Shape.of(java.util.Arrays.copyOf(sa.dims(), sa.rank() - 2));
        Shape batchB = Shape.of(java.util.Arrays.copyOf(sb.dims(), sb.rank() - 2));
        Shape batch = Broadcast.shape(batchA, batchB);
        List<Long> dims = new ArrayList<>();
        for (long d : batch.dims()) {
            dims.add(d);
        }
        if (a.shape().rank() > 1) {
            dims.add(m);
        }
        if (b.shape().rank() > 1) {
            dims.add(n);
        }
        Tensor y =
                in.allocate(a.type(), dims.stream().mapToLong(Long::longValue).toArray());
        if (a.type().isInteger()) {
            Broadcast.forEach(batch, new Shape[] {batchA, batchB}, (o, i) -> longProduct(a, b, y, i, o, m, k, n));
            return List.of(y);
        }
        double[] av = a.toDoubleArray();
        double[] bv = b.toDoubleArray();
        Broadcast.forEach(batch, new Shape[] {batchA, batchB}, (o, i) -> {
            int ab = (int) (i[0] * m * k);
            int bb = (int) (i[1] * k * n);
            double[] row = new double[(int) n];
            for (int r = 0; r < m; r++) {
                java.util.Arrays.fill(row, 0);
                for (int t = 0; t < k; t++) {
                    double f = av[ab + (int) (r * k) + t];
                    int from = bb + (int) (t * n);
                    for (int c = 0; c < n; c++) {
                        row[c] += f * bv[from + c];
                    }
                }
                for (int c = 0; c < n; c++) {
                    y.setDouble((o * m + r) * n + c, row[c]);
                }
            }
        });
        return List.of(y);
    }

    private static void longProduct(Tensor a, Tensor b, Tensor y, long[] batch, long o, long m, long k, long n) {
        for (long r = 0; r < m; r++) {
            for (long c = 0; c < n; c++) {
                long sum = 0;
                for (long t = 0; t < k; t++) {
                    sum += a.getLong((batch[0] * m + r) * k + t) * b.getLong((batch[1] * k + t) * n + c);
                }
                y.setLong((o * m + r) * n + c, sum);
            }
        }
    }
}
