package dev.tenon.internal.op;

import dev.tenon.DataType;
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

/**
 * Matrix product of quantised tensors:  s = (a - za)(b - zb), exact.
 * MatMulInteger gives s itself. QLinearMatMul gives saturate(round(s sa sb / sy) + zy).
 * Inputs   MatMulInteger: a, b, za, zb (zero points may be absent). QLinearMatMul: a, sa, za, b, sb, zb, sy, zy. Those of a may
 *          be one number a row ([M] or [..., M, 1]), those of b one a column ([N] or [..., 1, N]).
 * Output   y: INT32, or zy's type, shape as {@link MatMul}.
 * Rules    those of MatMul; scales and zero points fit.
 * Source   ONNX MatMulInteger-10, QLinearMatMul-21.
 */
public record IntegerMatMul(boolean requantize) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("MatMulInteger", n -> new IntegerMatMul(false)),
            OpSpec.onnx("QLinearMatMul", n -> new IntegerMatMul(true)));

    @Override
    public String name() {
        return requantize ? "QLinearMatMul" : "MatMulInteger";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.CONTRACTION;
    }

    private int right() {
        return requantize ? 3 : 1;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape a = in.shape(0);
        SymbolicShape b = in.shape(right());
        for (int i : new int[] {0, right()}) {
            in.require(
                    in.dtype(i).bits() == 8, "input " + i + " has element type " + in.dtype(i) + "; expected 8 bits");
        }
        DataType type = requantize ? in.dtype(7) : DataType.INT32;
        if (!a.isRanked() || !b.isRanked()) {
            return List.of(TensorType.unranked(type));
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
        return List.of(new TensorType(type, SymbolicShape.of(out)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor a = in.tensor(0);
        Tensor b = in.tensor(right());
        Shape sa = a.shape().rank() == 1 ? Shape.of(1, a.shape().dim(0)) : a.shape();
        Shape sb = b.shape().rank() == 1 ? Shape.of(b.shape().dim(0), 1) : b.shape();
        in.require(sa.rank() >= 2 && sb.rank() >= 2 && sa.dim(-1) == sb.dim(-2), "inner dimensions differ");
        double[] x = real(in, a, sa, 2, requantize ? 1 : -1, true);
        double[] w = real(in, b, sb, requantize ? 5 : 3, requantize ? 4 : -1, false);
        int m = (int) sa.dim(-2);
        int k = (int) sa.dim(-1);
        int n = (int) sb.dim(-1);
        Shape batchA = Shape.of(Arrays.copyOf(sa.dims(), sa.rank() - 2));
        Shape batchB = Shape.of(Arrays.copyOf(sb.dims(), sb.rank() - 2));
        Shape batch = Broadcast.shape(batchA, batchB);
        List<Long> dims = new ArrayList<>();
        for (long d : batch.dims()) {
            dims.add(d);
        }
        if (a.shape().rank() > 1) {
            dims.add((long) m);
        }
        if (b.shape().rank() > 1) {
            dims.add((long) n);
        }
        Tensor y = Limits.allocate(
                in,
                requantize ? in.tensor(7).type() : DataType.INT32,
                dims.stream().mapToLong(Long::longValue).toArray());
        double[] sums = new double[Math.toIntExact(y.size())];
        Broadcast.forEach(
                batch,
                new Shape[] {batchA, batchB},
                (o, i) -> Matrices.multiply(
                        x,
                        (int) (i[0] * m * k),
                        false,
                        w,
                        (int) (i[1] * k * n),
                        false,
                        sums,
                        (int) (o * m * n),
                        m,
                        k,
                        n));
        double sy = requantize ? in.tensor(6).getDouble(0) : 1;
        double zy = requantize ? in.tensor(7).getDouble(0) : 0;
        for (int i = 0; i < sums.length; i++) {
            if (requantize) {
                Quantized.store(y, i, sums[i] / sy, zy);
            } else {
                y.setLong(i, (long) sums[i]);
            }
        }
        return List.of(y);
    }

    /** (t - zero) scale, each a number, one a row of a left operand, or one a column of a right one. */
    private static double[] real(Evaluation in, Tensor t, Shape s, int zero, int scale, boolean left) {
        double[] v = t.toDoubleArray();
        if (in.has(zero)) {
            each(in, in.tensor(zero), s, left, (i, z) -> v[i] -= z);
        }
        if (scale >= 0) {
            each(in, in.tensor(scale), s, left, (i, f) -> v[i] *= f);
        }
        return v;
    }

    private interface Change {
        void apply(int i, double by);
    }

    private static void each(Evaluation in, Tensor by, Shape s, boolean left, Change change) {
        Shape own = by.shape();
        if (by.size() == 1) {
            own = Shape.scalar();
        } else if (own.rank() == 1 && left) {
            own = Shape.of(own.dim(0), 1);
        }
        in.require(
                own.rank() <= s.rank() && Broadcast.shape(own, s).equals(s),
                "a scale or zero point of shape " + by.shape() + " does not fit an operand of shape " + s);
        double[] v = by.toDoubleArray();
        Broadcast.forEach(s, new Shape[] {own}, (o, i) -> change.apply((int) o, v[(int) i[0]]));
    }
}
