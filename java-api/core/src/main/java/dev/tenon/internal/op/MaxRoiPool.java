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
 * Maximum over the cells of each region of interest.
 * Inputs   x [N, C, H, W]; rois [R, 5] as sample, x1, y1, x2, y2.    Output y [R, C, pooledHeight, pooledWidth].
 * Rules    samples lie in [0, N). Cells outside x give 0.
 * Source   Girshick 2015 (Fast R-CNN); ONNX MaxRoiPool-22.
 */
public record MaxRoiPool(long pooledHeight, long pooledWidth, float spatialScale) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("MaxRoiPool", n -> {
        List<Long> shape = n.integers("pooled_shape");
        if (shape.size() != 2 || shape.get(0) < 1 || shape.get(1) < 1) {
            throw n.error("pooled_shape is " + shape + "; expected two sizes");
        }
        return new MaxRoiPool(shape.get(0), shape.get(1), n.real("spatial_scale", 1));
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0).isRanked() ? in.shape(0) : SymbolicShape.ofRank(4);
        SymbolicShape rois = in.shape(1).isRanked() ? in.shape(1) : SymbolicShape.ofRank(2);
        in.require(x.rank() == 4, "x has rank " + x.rank() + "; expected 4");
        in.require(
                rois.rank() == 2 && (rois.size(1) < 0 || rois.size(1) == 5),
                "rois has shape " + rois + "; expected [R, 5]");
        return List.of(new TensorType(
                in.dtype(0), SymbolicShape.of(rois.dim(0), x.dim(1), Dim.of(pooledHeight), Dim.of(pooledWidth))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape xs = x.shape();
        Shape rs = in.tensor(1).shape();
        in.require(xs.rank() == 4 && rs.rank() == 2 && rs.dim(1) == 5, "x and rois do not fit");
        double[] v = x.toDoubleArray();
        double[] rois = in.tensor(1).toDoubleArray();
        int channels = (int) xs.dim(1);
        int height = (int) xs.dim(2);
        int width = (int) xs.dim(3);
        Tensor y = Limits.allocate(in, x.type(), rs.dim(0), channels, pooledHeight, pooledWidth);
        long to = 0;
        for (int r = 0; r < rs.dim(0); r++) {
            double sample = rois[5 * r];
            in.require(sample >= 0 && sample < xs.dim(0), "sample index " + sample + " does not exist");
            long x1 = Math.round(rois[5 * r + 1] * spatialScale);
            long y1 = Math.round(rois[5 * r + 2] * spatialScale);
            double w = Math.max(1.0, Math.round(rois[5 * r + 3] * spatialScale) - (double) x1 + 1);
            double h = Math.max(1.0, Math.round(rois[5 * r + 4] * spatialScale) - (double) y1 + 1);
            for (int c = 0; c < channels; c++) {
                int plane = ((int) sample * channels + c) * height * width;
                for (int py = 0; py < pooledHeight; py++) {
                    int top = bound(Math.floor(py * h / pooledHeight) + y1, height);
                    int bottom = bound(Math.ceil((py + 1) * h / pooledHeight) + y1, height);
                    for (int px = 0; px < pooledWidth; px++) {
                        int left = bound(Math.floor(px * w / pooledWidth) + x1, width);
                        int right = bound(Math.ceil((px + 1) * w / pooledWidth) + x1, width);
                        double most = bottom > top && right > left ? Double.NEGATIVE_INFINITY : 0;
                        for (int i = top; i < bottom; i++) {
                            for (int j = left; j < right; j++) {
                                most = Math.max(most, v[plane + i * width + j]);
                            }
                        }
                        y.setDouble(to++, most);
                    }
                }
            }
        }
        return List.of(y);
    }

    private static int bound(double i, int size) {
        return (int) Math.min(Math.max(i, 0), size);
    }
}
