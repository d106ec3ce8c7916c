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
 * The grid that {@link GridSample} takes for an affine map:  grid[n, p] = theta[n] (p, 1).
 * Inputs   theta [N, R, R+1]; size: INT64 [R + 2], the sampled tensor's shape N, C, out... for R = 2 or 3.
 * Output   grid [N, out..., R], theta's type.
 * Rules    theta fits size.
 * Source   ONNX AffineGrid-20.
 */
public record AffineGrid(boolean alignCorners) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("AffineGrid", n -> new AffineGrid(n.flag("align_corners", false))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        Optional<List<Dim>> size = in.dims(1);
        SymbolicShape theta = in.shape(0);
        in.require(!theta.isRanked() || theta.rank() == 3, "theta has shape " + theta + "; expected rank 3");
        if (size.isEmpty()) {
            boolean known = theta.isRanked() && theta.size(1) > 0 && theta.size(1) <= 3;
            return List.of(new TensorType(
                    in.dtype(0), known ? SymbolicShape.ofRank((int) theta.size(1) + 2) : SymbolicShape.UNRANKED));
        }
        int rank = size.get().size() - 2;
        in.require(rank == 2 || rank == 3, "size has " + (rank + 2) + " values; expected 4 or 5");
        in.require(
                !theta.isRanked()
                        || (theta.size(1) < 0 || theta.size(1) == rank)
                                && (theta.size(2) < 0 || theta.size(2) == rank + 1),
                "theta has shape " + theta + "; expected [N, " + rank + ", " + (rank + 1) + "]");
        List<Dim> out = new ArrayList<>(size.get());
        out.remove(1);
        out.add(Dim.of(rank));
        in.require(out.stream().noneMatch(d -> d.isKnown() && d.sizeOrMinusOne() < 0), "a size is negative");
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor theta = in.tensor(0);
        long[] size = in.tensor(1).toLongArray();
        int rank = size.length - 2;
        in.require(
                (rank == 2 || rank == 3) && theta.shape().equals(Shape.of(size[0], rank, rank + 1)),
                "theta of shape " + theta.shape() + " does not fit size " + Arrays.toString(size));
        long[] dims = new long[rank + 2];
        dims[0] = size[0];
        System.arraycopy(size, 2, dims, 1, rank);
        dims[rank + 1] = rank;
        Tensor y = Limits.allocate(in, theta.type(), dims);
        long[] out = Arrays.copyOfRange(dims, 1, rank + 1);
        long points = Shape.of(out).elements();
        double[] t = theta.toDoubleArray();
        long[] index = new long[rank];
        for (int n = 0; n < size[0]; n++) {
            for (long p = 0; p < points; p++) {
                for (int r = 0; r < rank; r++) {
                    int row = (n * rank + r) * (rank + 1);
                    double sum = t[row + rank];
                    for (int c = 0; c < rank; c++) {
                        int axis = rank - 1 - c;
                        sum += t[row + c] * base(index[axis], out[axis]);
                    }
                    y.setDouble((n * points + p) * rank + r, sum);
                }
                Geometry.advance(index, out);
            }
        }
        return List.of(y);
    }

    private double base(long i, long n) {
        if (alignCorners) {
            return n == 1 ? 0 : -1 + 2.0 * i / (n - 1);
        }
        return (2.0 * i + 1) / n - 1;
    }
}
