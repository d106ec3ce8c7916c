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
import java.util.List;
import java.util.stream.IntStream;

/**
 * Picks boxes by falling score, leaving out those that overlap one already picked in their class.
 * Inputs   boxes [B, N, 4]; scores [B, C, N]; INT64: most boxes a class (absent: none); FLOAT32: largest intersection over
 *          union (absent: 0); FLOAT32: score to exceed (absent: any).
 * Output   INT64 [K, 3]: sample, class, box.
 * Rules    boxes and scores agree in B and N.
 * Source   ONNX NonMaxSuppression-11.
 *
 * @param centered boxes are centre x, centre y, width, height; else y1, x1, y2, x2 of two corners
 */
public record NonMaxSuppression(boolean centered) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("NonMaxSuppression", n -> new NonMaxSuppression(n.flag("center_point_box", false))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape b = in.shape(0);
        SymbolicShape s = in.shape(1);
        in.require(
                !b.isRanked() || b.rank() == 3 && (b.size(2) < 0 || b.size(2) == 4),
                "boxes has shape " + b + "; expected [B, N, 4]");
        in.require(!s.isRanked() || s.rank() == 3, "scores has shape " + s + "; expected [B, C, N]");
        return List.of(new TensorType(DataType.INT64, SymbolicShape.of(Dim.unknown(), Dim.of(3))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Shape bs = in.tensor(0).shape();
        Shape ss = in.tensor(1).shape();
        in.require(
                bs.rank() == 3 && ss.rank() == 3 && bs.dim(2) == 4 && bs.dim(0) == ss.dim(0) && bs.dim(1) == ss.dim(2),
                "boxes of shape " + bs + " and scores of shape " + ss + " do not fit");
        double[] boxes = in.tensor(0).toDoubleArray();
        double[] scores = in.tensor(1).toDoubleArray();
        long most = in.has(2) ? in.tensor(2).getLong(0) : 0;
        double overlap = in.has(3) ? in.tensor(3).getDouble(0) : 0;
        double least = in.has(4) ? in.tensor(4).getDouble(0) : Double.NEGATIVE_INFINITY;
        boolean bounded = in.has(4);
        int n = (int) bs.dim(1);
        List<long[]> picked = new ArrayList<>();
        for (int b = 0; b < bs.dim(0); b++) {
            for (int c = 0; c < ss.dim(1); c++) {
                int row = (b * (int) ss.dim(1) + c) * n;
                Integer[] order = IntStream.range(0, n)
                        .filter(i -> bounded ? scores[row + i] > least : !Double.isNaN(scores[row + i]))
                        .boxed()
                        .sorted((i, j) -> Double.compare(scores[row + j], scores[row + i]))
                        .toArray(Integer[]::new);
                List<Integer> kept = new ArrayList<>();
                for (int i : order) {
                    if (kept.size() >= most) {
                        break;
                    }
                    Evaluation.checkCancelled();
                    boolean free = true;
                    for (int k : kept) {
                        free &= intersectionOverUnion(boxes, (b * n + i) * 4, (b * n + k) * 4) <= overlap;
                    }
                    if (free) {
                        kept.add(i);
                        picked.add(new long[] {b, c, i});
                    }
                }
            }
        }
        Tensor y = Limits.allocate(in, DataType.INT64, picked.size(), 3);
        for (int i = 0; i < picked.size(); i++) {
            for (int j = 0; j < 3; j++) {
                y.setLong(3L * i + j, picked.get(i)[j]);
            }
        }
        return List.of(y);
    }

    private double intersectionOverUnion(double[] v, int i, int j) {
        double shared = 1;
        double a = 1;
        double b = 1;
        for (int axis = 0; axis < 2; axis++) {
            double a0 = low(v, i, axis);
            double a1 = high(v, i, axis);
            double b0 = low(v, j, axis);
            double b1 = high(v, j, axis);
            shared *= Math.max(0, Math.min(a1, b1) - Math.max(a0, b0));
            a *= a1 - a0;
            b *= b1 - b0;
        }
        double union = a + b - shared;
        return a <= 0 || b <= 0 || union <= 0 ? 0 : shared / union;
    }

    private double low(double[] v, int i, int axis) {
        return centered ? v[i + axis] - v[i + axis + 2] / 2 : Math.min(v[i + axis], v[i + axis + 2]);
    }

    private double high(double[] v, int i, int axis) {
        return centered ? v[i + axis] + v[i + axis + 2] / 2 : Math.max(v[i + axis], v[i + axis + 2]);
    }
}
