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
 * Pools each region of interest to a fixed size from bilinear samples.
 * Inputs   x [N, C, H, W]; rois [R, 4] as x1, y1, x2, y2; INT64 [R]: the sample each region lies in.
 * Output   y [R, C, outputHeight, outputWidth].
 * Rules    sample indices lie in [0, N).
 * Source   He et al. 2017 (Mask R-CNN); ONNX RoiAlign-22.
 *
 * @param max the maximum of the weighted corners of all samples, as the standard has it, instead of the mean
 * @param halfPixel regions are shifted by half an element
 * @param samples samples an output element along each axis; 0 for as many as elements
 */
public record RoiAlign(
        boolean max, long outputHeight, long outputWidth, long samples, float spatialScale, boolean halfPixel)
        implements Op {
    private static final int MAX_SAMPLES = 1 << 16;

    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("RoiAlign", RoiAlign::read));

    private static RoiAlign read(OnnxNode n) {
        String mode = n.text("mode", "avg");
        if (!mode.equals("avg") && !mode.equals("max")) {
            throw n.error("mode '" + mode + "' is not known");
        }
        String shift = n.text("coordinate_transformation_mode", n.opset() < 16 ? "output_half_pixel" : "half_pixel");
        if (!shift.equals("half_pixel") && !shift.equals("output_half_pixel")) {
            throw n.error("coordinate_transformation_mode '" + shift + "' is not known");
        }
        long h = n.integer("output_height", 1);
        long w = n.integer("output_width", 1);
        long samples = n.integer("sampling_ratio", 0);
        if (h < 1 || w < 1 || samples < 0 || samples > MAX_SAMPLES) {
            throw n.error("output size " + h + "x" + w + " or sampling_ratio " + samples + " is out of range");
        }
        return new RoiAlign(mode.equals("max"), h, w, samples, n.real("spatial_scale", 1), shift.equals("half_pixel"));
    }

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
                rois.rank() == 2 && (rois.size(1) < 0 || rois.size(1) == 4),
                "rois has shape " + rois + "; expected [R, 4]");
        return List.of(new TensorType(
                in.dtype(0), SymbolicShape.of(rois.dim(0), x.dim(1), Dim.of(outputHeight), Dim.of(outputWidth))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape xs = x.shape();
        Shape rs = in.tensor(1).shape();
        in.require(xs.rank() == 4 && rs.rank() == 2 && rs.dim(1) == 4, "x and rois do not fit");
        int regions = (int) rs.dim(0);
        double[] rois = in.tensor(1).toDoubleArray();
        long[] batch = in.tensor(2).toLongArray();
        in.require(
                batch.length == regions, "there are " + batch.length + " sample indices for " + regions + " regions");
        int channels = (int) xs.dim(1);
        int height = (int) xs.dim(2);
        int width = (int) xs.dim(3);
        Tensor y = Limits.allocate(in, x.type(), regions, channels, outputHeight, outputWidth);
        double[] v = x.toDoubleArray();
        double shift = halfPixel ? 0.5 : 0;
        long to = 0;
        for (int r = 0; r < regions; r++) {
            in.require(batch[r] >= 0 && batch[r] < xs.dim(0), "sample index " + batch[r] + " does not exist");
            double x1 = rois[4 * r] * spatialScale - shift;
            double y1 = rois[4 * r + 1] * spatialScale - shift;
            double w = rois[4 * r + 2] * spatialScale - shift - x1;
            double h = rois[4 * r + 3] * spatialScale - shift - y1;
            if (!halfPixel) {
                w = Math.max(w, 1);
                h = Math.max(h, 1);
            }
            double binH = h / outputHeight;
            double binW = w / outputWidth;
            int gridH = grid(in, binH);
            int gridW = grid(in, binW);
            for (int c = 0; c < channels; c++) {
                int plane = (int) (batch[r] * channels + c) * height * width;
                for (int oy = 0; oy < outputHeight; oy++) {
                    Evaluation.checkCancelled();
                    for (int ox = 0; ox < outputWidth; ox++) {
                        double all = max && gridH * gridW > 0 ? Double.NEGATIVE_INFINITY : 0;
                        for (int sy = 0; sy < gridH; sy++) {
                            double py = y1 + oy * binH + (sy + 0.5) * binH / gridH;
                            for (int sx = 0; sx < gridW; sx++) {
                                double px = x1 + ox * binW + (sx + 0.5) * binW / gridW;
                                double s = sample(v, plane, height, width, py, px);
                                all = max ? Math.max(all, s) : all + s;
                            }
                        }
                        y.setDouble(to++, max ? all : all / Math.max(1, gridH * gridW));
                    }
                }
            }
        }
        return List.of(y);
    }

    private int grid(Evaluation in, double bin) {
        if (samples > 0) {
            return (int) samples;
        }
        in.require(bin <= MAX_SAMPLES, "a region needs " + bin + " samples an output element");
        return (int) Math.max(0, Math.ceil(bin));
    }

    private double sample(double[] v, int plane, int height, int width, double py, double px) {
        if (!(py >= -1 && py <= height && px >= -1 && px <= width)) {
            return 0;
        }
        double y = Math.min(Math.max(py, 0), height - 1);
        double x = Math.min(Math.max(px, 0), width - 1);
        int y0 = (int) y;
        int x0 = (int) x;
        int y1 = Math.min(y0 + 1, height - 1);
        int x1 = Math.min(x0 + 1, width - 1);
        double fy = y - y0;
        double fx = x - x0;
        double a = (1 - fy) * (1 - fx) * v[plane + y0 * width + x0];
        double b = (1 - fy) * fx * v[plane + y0 * width + x1];
        double c = fy * (1 - fx) * v[plane + y1 * width + x0];
        double d = fy * fx * v[plane + y1 * width + x1];
        return max ? Math.max(Math.max(a, b), Math.max(c, d)) : a + b + c + d;
    }
}
