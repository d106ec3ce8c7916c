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
import java.util.Arrays;
import java.util.List;

/**
 * The determinant of square matrices.
 * Inputs   x: floats [..., M, M].    Output y: the type of x, the leading axes.
 * Rules    rank >= 2; the last two dimensions are equal.
 * Numerics elimination with the largest pivot of each column, in double.
 * Source   ONNX Det-22.
 */
public record Det() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Det", n -> new Det()));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        in.require(x.rank() >= 2 && !DimMath.clash(x.dim(-1), x.dim(-2)), "matrices of shape " + x + " are not square");
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(x.dims().subList(0, x.rank() - 2))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape s = x.shape();
        in.require(s.rank() >= 2 && s.dim(-1) == s.dim(-2), "matrices are not square");
        int m = Limits.arrayLength(in, s.dim(-1));
        int size = Limits.arrayLength(in, s.product(s.rank() - 2, s.rank()));
        Tensor y = in.allocate(x.type(), Arrays.copyOf(s.dims(), s.rank() - 2));
        double[] a = new double[size];
        for (long k = 0; k < y.size(); k++) {
            Blocks.load(x, k * size, a, 0, size);
            y.setDouble(k, determinant(a, m));
        }
        return List.of(y);
    }

    private static double determinant(double[] a, int m) {
        double det = 1;
        for (int c = 0; c < m; c++) {
            int pivot = c;
            for (int r = c + 1; r < m; r++) {
                if (Math.abs(a[r * m + c]) > Math.abs(a[pivot * m + c])) {
                    pivot = r;
                }
            }
            double p = a[pivot * m + c];
            if (p == 0) {
                return 0;
            }
            if (pivot != c) {
                for (int i = 0; i < m; i++) {
                    double t = a[c * m + i];
                    a[c * m + i] = a[pivot * m + i];
                    a[pivot * m + i] = t;
                }
                det = -det;
            }
            det *= p;
            for (int r = c + 1; r < m; r++) {
                double f = a[r * m + c] / p;
                for (int i = c; i < m; i++) {
                    a[r * m + i] -= f * a[c * m + i];
                }
            }
        }
        return det;
    }
}
