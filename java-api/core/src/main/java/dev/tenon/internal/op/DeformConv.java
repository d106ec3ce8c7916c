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

/**
 * Convolution whose taps are moved by offsets and weighted by a mask; values between elements are bilinear, zero outside.
 * Inputs   x [N, C, H, W]; w [M, C/G, kH, kW]; offset [N, 2 P kH kW, oH, oW] with y before x for each of P offset groups; b [M]
 *          or absent; mask [N, P kH kW, oH, oW] or absent.
 * Output   y [N, M, oH, oW].
 * Rules    those of {@link Conv}; P divides C; offset and mask fit the output. Other ranks than 4 are not supported.
 * Source   Dai et al. 2017; Zhu et al. 2019; ONNX DeformConv-22.
 */
public record DeformConv(Conv conv, long offsetGroup) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("DeformConv", n -> {
        long groups = n.integer("offset_group", 1);
        if (groups < 1 || groups > Integer.MAX_VALUE) {
            throw n.error("offset_group is " + groups + "; expected at least 1");
        }
        return new DeformConv(new Conv(Window.read(n), Conv.group(n)), groups);
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.CONTRACTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat() && in.dtype(0) == in.dtype(1), "x and w must be floats of one type");
        in.require(!in.shape(0).isRanked() || in.shape(0).rank() == 4, "only rank 4 is supported, not " + in.shape(0));
        SymbolicShape y = conv.shape(in, in.shape(0), in.shape(1), in.has(3) ? 3 : -1);
        if (in.shape(0).isRanked() && in.shape(0).size(1) >= 0) {
            in.require(
                    in.shape(0).size(1) % offsetGroup == 0, offsetGroup + " offset groups do not divide the channels");
        }
        return List.of(new TensorType(in.dtype(0), y));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape xs = x.shape();
        Shape ws = in.tensor(1).shape();
        Geometry g = conv.geometry(in, xs, ws);
        in.require(xs.rank() == 4 && xs.dim(1) % offsetGroup == 0, "x of shape " + xs + " does not fit");
        int taps = (int) ws.product(2, 4);
        int oh = Math.toIntExact(g.out()[0]);
        int ow = Math.toIntExact(g.out()[1]);
        Shape offsets = Shape.of(xs.dim(0), 2 * offsetGroup * taps, oh, ow);
        Shape masks = Shape.of(xs.dim(0), offsetGroup * taps, oh, ow);
        in.require(in.tensor(2).shape().equals(offsets), "the offset must have shape " + offsets);
        in.require(!in.has(4) || in.tensor(4).shape().equals(masks), "the mask must have shape " + masks);
        Tensor y = Limits.allocate(in, x.type(), Conv.outputDims(xs, ws, g));
        double[] v = x.toDoubleArray();
        double[] w = in.tensor(1).toDoubleArray();
        double[] move = in.tensor(2).toDoubleArray();
        double[] b = in.has(3) ? in.tensor(3).toDoubleArray() : null;
        double[] mask = in.has(4) ? in.tensor(4).toDoubleArray() : null;
        int filters = (int) ws.dim(0);
        int channels = (int) ws.dim(1);
        int height = (int) xs.dim(2);
        int width = (int) xs.dim(3);
        int kw = (int) ws.dim(3);
        in.require(b == null || b.length == filters, "the bias does not fit");
        int plane = oh * ow;
        int perOffset = (int) (xs.dim(1) / offsetGroup);
        for (int n = 0; n < xs.dim(0); n++) {
            for (int m = 0; m < filters; m++) {
                Evaluation.checkCancelled();
                int first = (int) (m / (filters / conv.group()) * channels);
                for (int o = 0; o < plane; o++) {
                    double sum = b == null ? 0 : b[m];
                    for (int c = 0; c < channels; c++) {
                        int og = (first + c) / perOffset;
                        int base = (int) (n * xs.dim(1) + first + c) * height * width;
                        for (int k = 0; k < taps; k++) {
                            long tap = n * offsetGroup * taps + (long) og * taps + k;
                            double py = o / ow * g.strides()[0]
                                    - g.padBegin()[0]
                                    + k / kw * g.dilations()[0]
                                    + move[(int) (2 * tap * plane) + o];
                            double px = o % ow * g.strides()[1]
                                    - g.padBegin()[1]
                                    + k % kw * g.dilations()[1]
                                    + move[(int) ((2 * tap + 1) * plane) + o];
                            double s = bilinear(v, base, height, width, py, px);
                            sum += w[(m * channels + c) * taps + k]
                                    * s
                                    * (mask == null ? 1 : mask[(int) (tap * plane) + o]);
                        }
                    }
                    y.setDouble((long) (n * filters + m) * plane + o, sum);
                }
            }
        }
        return List.of(y);
    }

    private static double bilinear(double[] v, int base, int height, int width, double y, double x) {
        if (!(y > -1 && y < height && x > -1 && x < width)) {
            return 0;
        }
        int y0 = (int) Math.floor(y);
        int x0 = (int) Math.floor(x);
        double sum = 0;
        for (int i = 0; i < 2; i++) {
            for (int j = 0; j < 2; j++) {
                int yy = y0 + i;
                int xx = x0 + j;
                if (yy >= 0 && yy < height && xx >= 0 && xx < width) {
                    sum += (1 - Math.abs(y - yy)) * (1 - Math.abs(x - xx)) * v[base + yy * width + xx];
                }
            }
        }
        return sum;
    }
}
