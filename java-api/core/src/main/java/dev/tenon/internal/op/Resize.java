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
import java.util.Locale;
import java.util.Optional;

/**
 * Resamples a tensor along some axes.
 * Inputs   x; roi: starts, then ends, for each axis, as fractions, read for TF_CROP_AND_RESIZE only; scales or sizes, one for
 *          each axis of {@code axes} (all if empty). {@code form} says where they are.
 * Output   y: x's type; sizes are floor(in scale) or as given.
 * Rules    exactly one of scales and sizes is given; scales are finite and positive; sizes are not negative.
 * Numerics the reference computes in double; integers cut the fraction and saturate.
 * Source   ONNX Resize-19, Upsample-9.
 */
public record Resize(
        Form form,
        Mode mode,
        Coordinates coordinates,
        Nearest nearest,
        Policy policy,
        List<Long> axes,
        List<Float> fixedScales,
        boolean antialias,
        boolean excludeOutside,
        float cubicCoefficient,
        float extrapolation)
        implements Op {
    /** Which inputs there are after x. */
    public enum Form {
        /** roi, scales, sizes. */
        FULL,
        /** scales. */
        SCALES,
        /** none: the scales are fixed. */
        FIXED
    }

    /** How values between elements are made. */
    public enum Mode {
        NEAREST,
        LINEAR,
        CUBIC
    }

    /** Where an output position lies in the input. */
    public enum Coordinates {
        HALF_PIXEL,
        HALF_PIXEL_SYMMETRIC,
        PYTORCH_HALF_PIXEL,
        ALIGN_CORNERS,
        ASYMMETRIC,
        TF_CROP_AND_RESIZE,
        TF_HALF_PIXEL_FOR_NN
    }

    /** Which element is nearest. */
    public enum Nearest {
        ROUND_PREFER_FLOOR,
        ROUND_PREFER_CEIL,
        FLOOR,
        CEIL
    }

    /** What sizes mean for the aspect ratio. */
    public enum Policy {
        STRETCH,
        NOT_LARGER,
        NOT_SMALLER
    }

    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("Resize", Resize::read), OpSpec.onnx("Upsample", Resize::readUpsample));

    private static Resize read(OnnxNode n) {
        if (n.opset() < 11) {
            return old(n, Form.SCALES, List.of());
        }
        return new Resize(
                Form.FULL,
                choice(n, "mode", Mode.class, "nearest"),
                choice(n, "coordinate_transformation_mode", Coordinates.class, "half_pixel"),
                choice(n, "nearest_mode", Nearest.class, "round_prefer_floor"),
                choice(n, "keep_aspect_ratio_policy", Policy.class, "stretch"),
                n.integers("axes"),
                List.of(),
                n.flag("antialias", false),
                n.flag("exclude_outside", false),
                n.real("cubic_coeff_a", -0.75f),
                n.real("extrapolation_value", 0));
    }

    private static Resize readUpsample(OnnxNode n) {
        return n.opset() < 9 ? old(n, Form.FIXED, n.reals("scales")) : old(n, Form.SCALES, List.of());
    }

    private static Resize old(OnnxNode n, Form form, List<Float> scales) {
        String mode = n.text("mode", "nearest").equals("bilinear") ? "linear" : n.text("mode", "nearest");
        return new Resize(
                form,
                parse(n, "mode", Mode.class, mode),
                Coordinates.ASYMMETRIC,
                Nearest.FLOOR,
                Policy.STRETCH,
                List.of(),
                scales,
                false,
                false,
                -0.75f,
                0);
    }

    private static <E extends Enum<E>> E choice(OnnxNode n, String name, Class<E> type, String otherwise) {
        return parse(n, name, type, n.text(name, otherwise));
    }

    private static <E extends Enum<E>> E parse(OnnxNode n, String name, Class<E> type, String text) {
        for (E e : type.getEnumConstants()) {
            if (e.name().equalsIgnoreCase(text)) {
                return e;
            }
        }
        throw n.error("attribute '" + name + "' is '" + text + "'; expected one of "
                + Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT));
    }

    private int scalesInput() {
        return form == Form.FULL ? 2 : 1;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        int[] at = axes(in, x.rank());
        List<Dim> out = new ArrayList<>(x.dims());
        Optional<List<Dim>> sizes = form == Form.FULL ? in.dims(3) : Optional.empty();
        Optional<float[]> scales = form == Form.FIXED
                ? Optional.of(fixed())
                : in.constant(scalesInput()).filter(t -> t.size() > 0).map(Tensor::toFloatArray);
        if (scales.isEmpty() && sizes.isPresent() && !sizes.get().isEmpty()) {
            in.require(
                    sizes.get().size() == at.length, "there are " + sizes.get().size() + " sizes for " + at.length);
            for (int i = 0; i < at.length; i++) {
                in.require(sizes.get().get(i).sizeOrMinusOne() >= -1, "a size is negative");
                out.set(at[i], policy == Policy.STRETCH ? sizes.get().get(i) : Dim.unknown());
            }
            if (policy != Policy.STRETCH
                    && x.isConcrete()
                    && sizes.get().stream().allMatch(Dim::isKnown)) {
                long[] wanted =
                        sizes.get().stream().mapToLong(Dim::sizeOrMinusOne).toArray();
                long[] own = x.concrete().dims();
                double scale = ratio(own, at, wanted);
                for (int a : at) {
                    out.set(a, Dim.of(Math.round(scale * own[a])));
                }
            }
            return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
        }
        for (int i = 0; i < at.length; i++) {
            Dim d = out.get(at[i]);
            if (scales.isEmpty() || coordinates == Coordinates.TF_CROP_AND_RESIZE) {
                out.set(at[i], Dim.unknown());
                continue;
            }
            float s = scales.get()[Math.min(i, scales.get().length - 1)];
            in.require(
                    scales.get().length == at.length, "there are " + scales.get().length + " scales for " + at.length);
            in.require(s > 0 && s < Float.POSITIVE_INFINITY, "a scale is " + s);
            out.set(
                    at[i],
                    s == 1
                            ? d
                            : d.isKnown() ? Dim.of((long) Math.floor(d.sizeOrMinusOne() * (double) s)) : Dim.unknown());
        }
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    private float[] fixed() {
        float[] s = new float[fixedScales.size()];
        for (int i = 0; i < s.length; i++) {
            s[i] = fixedScales.get(i);
        }
        return s;
    }

    private int[] axes(Inference in, int rank) {
        int[] at = new int[axes.isEmpty() ? rank : axes.size()];
        for (int i = 0; i < at.length; i++) {
            at[i] = axes.isEmpty() ? i : in.axis(axes.get(i), rank);
        }
        in.require(Arrays.stream(at).distinct().count() == at.length, "an axis is given twice");
        return at;
    }

    /** The one scale that keeps the aspect ratio. */
    private double ratio(long[] dims, int[] at, long[] sizes) {
        double scale = policy == Policy.NOT_LARGER ? Double.POSITIVE_INFINITY : 0;
        for (int i = 0; i < at.length; i++) {
            double s = (double) sizes[i] / dims[at[i]];
            scale = policy == Policy.NOT_LARGER ? Math.min(scale, s) : Math.max(scale, s);
        }
        return scale;
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        int[] at = new int[axes.isEmpty() ? rank : axes.size()];
        for (int i = 0; i < at.length; i++) {
            at[i] = axes.isEmpty() ? i : in.axis(axes.get(i), rank);
        }
        long[] dims = x.shape().dims();
        double[] scale = new double[rank];
        double[] start = new double[rank];
        double[] end = new double[rank];
        Arrays.fill(scale, 1);
        Arrays.fill(end, 1);
        if (coordinates == Coordinates.TF_CROP_AND_RESIZE) {
            double[] roi = in.tensor(1).toDoubleArray();
            in.require(roi.length == 2 * at.length, "roi has " + roi.length + " values; expected " + 2 * at.length);
            for (int i = 0; i < at.length; i++) {
                start[at[i]] = roi[i];
                end[at[i]] = roi[i + at.length];
            }
        }
        boolean bySizes = form == Form.FULL && in.has(3) && in.tensor(3).size() > 0;
        if (bySizes) {
            long[] sizes = in.tensor(3).toLongArray();
            in.require(sizes.length == at.length, "there are " + sizes.length + " sizes for " + at.length + " axes");
            double common = policy == Policy.STRETCH ? 0 : ratio(dims, at, sizes);
            for (int i = 0; i < at.length; i++) {
                int a = at[i];
                in.require(dims[a] > 0 || sizes[i] == 0, "cannot resize an empty axis to " + sizes[i]);
                long size = policy == Policy.STRETCH ? sizes[i] : Math.round(common * dims[a]);
                in.require(size >= 0, "a size is negative");
                scale[a] = policy == Policy.STRETCH ? (double) size / dims[a] : common;
                dims[a] = size;
            }
        } else {
            float[] s = form == Form.FIXED ? fixed() : in.tensor(scalesInput()).toFloatArray();
            in.require(s.length == at.length, "there are " + s.length + " scales for " + at.length + " axes");
            for (int i = 0; i < at.length; i++) {
                int a = at[i];
                in.require(s[i] > 0 && s[i] < Float.POSITIVE_INFINITY, "a scale is " + s[i]);
                scale[a] = s[i];
                dims[a] = (long) Math.floor(dims[a] * (end[a] - start[a]) * s[i]);
            }
        }
        Tensor y = Limits.allocate(in, x.type(), dims);
        ResizeAxis[] taps = new ResizeAxis[rank];
        for (int a = 0; a < rank; a++) {
            taps[a] = ResizeAxis.of(in, this, x.shape().dim(a), dims[a], scale[a], start[a], end[a]);
        }
        if (mode == Mode.NEAREST) {
            pick(x, y, taps);
        } else {
            interpolate(in, x, y, taps);
        }
        return List.of(y);
    }

    private void pick(Tensor x, Tensor y, ResizeAxis[] taps) {
        long[] strides = x.shape().strides();
        long[] index = new long[taps.length];
        long[] dims = y.shape().dims();
        for (long i = 0, n = y.size(); i < n; i++) {
            long from = 0;
            boolean outside = false;
            for (int a = 0; a < taps.length; a++) {
                from += taps[a].index((int) index[a], 0) * strides[a];
                outside |= taps[a].outside((int) index[a]);
            }
            if (outside) {
                y.setDouble(i, extrapolation);
            } else {
                y.setFrom(i, x, from);
            }
            Geometry.advance(index, dims);
        }
    }

    private void interpolate(Evaluation in, Tensor x, Tensor y, ResizeAxis[] taps) {
        double[] v = x.toDoubleArray();
        long[] dims = x.shape().dims();
        for (int a = 0; a < taps.length; a++) {
            if (taps[a].isIdentity()) {
                continue;
            }
            long before = dims[a];
            dims[a] = y.shape().dim(a);
            Shape s = Limits.shape(in, dims);
            double[] next = new double[Limits.arrayLength(in, s.elements())];
            int inner = (int) s.product(a + 1, dims.length);
            int outer = (int) s.product(0, a);
            for (int o = 0; o < outer; o++) {
                for (int p = 0; p < dims[a]; p++) {
                    int to = (int) ((o * dims[a] + p) * inner);
                    if (taps[a].outside(p)) {
                        Arrays.fill(next, to, to + inner, extrapolation);
                        continue;
                    }
                    for (int k = 0; k < taps[a].count(p); k++) {
                        double w = taps[a].weight(p, k);
                        int from = (int) ((o * before + taps[a].index(p, k)) * inner);
                        for (int i = 0; i < inner; i++) {
                            next[to + i] += w * v[from + i];
                        }
                    }
                }
            }
            v = next;
        }
        if (!y.type().isInteger()) {
            y.copyFrom(v);
            return;
        }
        for (int i = 0; i < v.length; i++) {
            Quantized.store(y, i, v[i] < 0 ? Math.ceil(v[i]) : Math.floor(v[i]));
        }
    }
}
