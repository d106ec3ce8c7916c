package dev.tenon.internal.op;

import dev.tenon.ShapeException;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Inference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * How a window slides over the spatial axes of a convolution or pool, as a model writes it: lists are empty where the model
 * leaves them out. {@link #at} resolves it against concrete sizes.
 *
 * @param pads all begins, then all ends
 * @param ceil round output sizes up, so that the last window may hang over the end
 */
public record Window(
        AutoPad autoPad, List<Long> kernel, List<Long> strides, List<Long> pads, List<Long> dilations, boolean ceil) {
    /** Where padding comes from. */
    public enum AutoPad {
        /** From the list of pads. */
        NOTSET,
        /** As much as makes the output ceil(input / stride); an odd one goes to the end. */
        SAME_UPPER,
        /** As much as makes the output ceil(input / stride); an odd one goes to the begin. */
        SAME_LOWER,
        /** None. */
        VALID
    }

    /** A window with these sizes and nothing else: stride 1, no padding. */
    public static Window of(List<Long> kernel) {
        return new Window(AutoPad.NOTSET, kernel, List.of(), List.of(), List.of(), false);
    }

    static Window read(OnnxNode n) {
        String auto = n.text("auto_pad", "NOTSET");
        AutoPad autoPad;
        try {
            autoPad = AutoPad.valueOf(auto.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw n.error("auto_pad is '" + auto + "'; expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
        }
        List<Long> kernel = bounded(n, "kernel_shape", 1);
        List<Long> strides = bounded(n, "strides", 1);
        List<Long> dilations = bounded(n, "dilations", 1);
        List<Long> pads = bounded(n, "pads", 0);
        return new Window(autoPad, kernel, strides, pads, dilations, n.flag("ceil_mode", false));
    }

    private static List<Long> bounded(OnnxNode n, String name, long least) {
        List<Long> values = n.integers(name);
        for (long v : values) {
            if (v < least || v > Integer.MAX_VALUE) {
                throw n.error("attribute '" + name + "' is " + values + "; expected values from " + least + " to "
                        + Integer.MAX_VALUE);
            }
        }
        return values;
    }

    /** The stride along a spatial axis. */
    public long stride(int axis) {
        return strides.isEmpty() ? 1 : strides.get(axis);
    }

    public long dilation(int axis) {
        return dilations.isEmpty() ? 1 : dilations.get(axis);
    }

    long padBegin(int axis) {
        return autoPad != AutoPad.NOTSET || pads.isEmpty() ? 0 : pads.get(axis);
    }

    long padEnd(int axis) {
        return autoPad != AutoPad.NOTSET || pads.isEmpty() ? 0 : pads.get(axis + pads.size() / 2);
    }

    /** @throws ShapeException unless every list is empty or fits this many spatial axes */
    void checkRank(int spatial) {
        check("kernel_shape", kernel, spatial);
        check("strides", strides, spatial);
        check("dilations", dilations, spatial);
        check("pads", pads, 2 * spatial);
    }

    private static void check(String name, List<Long> values, int expected) {
        if (!values.isEmpty() && values.size() != expected) {
            throw new ShapeException("attribute '" + name + "' is " + values + "; expected " + expected + " values");
        }
    }

    /** The window over concrete sizes. @param kernelSizes the kernel's sizes, one for each spatial axis */
    public Geometry at(long[] input, long[] kernelSizes) {
        int rank = input.length;
        checkRank(rank);
        long[] s = new long[rank];
        long[] d = new long[rank];
        long[] begin = new long[rank];
        long[] end = new long[rank];
        long[] out = new long[rank];
        for (int i = 0; i < rank; i++) {
            s[i] = stride(i);
            d[i] = dilation(i);
            long span = span(kernelSizes[i], i);
            if (isSame()) {
                out[i] = ceilDiv(input[i], s[i]);
                long total = Math.max(0, (out[i] - 1) * s[i] + span - input[i]);
                begin[i] = autoPad == AutoPad.SAME_UPPER ? total / 2 : total - total / 2;
                end[i] = total - begin[i];
            } else {
                begin[i] = padBegin(i);
                end[i] = padEnd(i);
                out[i] = outputSize(input[i], span, i);
            }
        }
        return new Geometry(kernelSizes.clone(), s, begin, end, d, out);
    }

    private boolean isSame() {
        return autoPad == AutoPad.SAME_UPPER || autoPad == AutoPad.SAME_LOWER;
    }

    /** Input elements from the first to the last tap. */
    private long span(long kernelSize, int axis) {
        if (kernelSize < 1 || kernelSize > Integer.MAX_VALUE) {
            throw new ShapeException("kernel size " + kernelSize + " on spatial axis " + axis + " is not positive");
        }
        return (kernelSize - 1) * dilation(axis) + 1;
    }

    private long outputSize(long input, long span, int axis) {
        long padded = input + padBegin(axis) + padEnd(axis);
        if (padded < span) {
            throw new ShapeException("on spatial axis " + axis + " the kernel spans " + span
                    + " elements but the padded input has only " + padded);
        }
        long s = stride(axis);
        long out = (ceil ? ceilDiv(padded - span, s) : (padded - span) / s) + 1;
        // A window that would begin in the end padding sees no input and does not count.
        return ceil && (out - 1) * s >= input + padBegin(axis) ? out - 1 : out;
    }

    private static long ceilDiv(long a, long b) {
        return (a + b - 1) / b;
    }

    /** The output's dimension along a spatial axis. */
    Dim outputDim(Dim input, Dim kernelSize, int axis) {
        long s = stride(axis);
        if (isSame()) {
            return input instanceof Dim.Known(long n) ? Dim.of(ceilDiv(n, s)) : s == 1 ? input : Dim.unknown();
        }
        if (!(kernelSize instanceof Dim.Known(long k))) {
            return Dim.unknown();
        }
        long span = span(k, axis);
        if (input instanceof Dim.Known(long n)) {
            return Dim.of(outputSize(n, span, axis));
        }
        return s == 1 && padBegin(axis) + padEnd(axis) == span - 1 ? input : Dim.unknown();
    }

    /** Output dimensions of a pool: batch and channels stay. */
    List<Dim> poolDims(Inference in, List<Dim> x) {
        int spatial = x.size() - 2;
        in.require(
                spatial >= 1, "the input has rank " + x.size() + "; a pool needs batch, channels and a spatial axis");
        in.require(kernel.size() == spatial, "kernel_shape is " + kernel + "; expected " + spatial + " values");
        List<Dim> out = new ArrayList<>(x.subList(0, 2));
        guard(in, () -> {
            checkRank(spatial);
            for (int i = 0; i < spatial; i++) {
                out.add(outputDim(x.get(i + 2), Dim.of(kernel.get(i)), i));
            }
        });
        return Collections.unmodifiableList(out);
    }

    /** Runs a check and names the node if it fails. */
    static void guard(Inference in, Runnable check) {
        try {
            check.run();
        } catch (ShapeException e) {
            throw in.error(String.valueOf(e.getMessage()));
        }
    }

    long[] kernelSizes() {
        return kernel.stream().mapToLong(Long::longValue).toArray();
    }
}
