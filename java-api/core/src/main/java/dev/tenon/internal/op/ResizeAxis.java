package dev.tenon.internal.op;

import dev.tenon.internal.ir.Evaluation;

/** For each output position along one axis of a {@link Resize}: the input positions that make it, with their weights. */
final class ResizeAxis {
    private final int[][] indices;
    private final double[][] weights;
    private final boolean[] outside;
    private final boolean identity;

    private ResizeAxis(int[][] indices, double[][] weights, boolean[] outside, boolean identity) {
        this.indices = indices;
        this.weights = weights;
        this.outside = outside;
        this.identity = identity;
    }

    static ResizeAxis of(Evaluation in, Resize op, long input, long output, double scale, double start, double end) {
        int n = Limits.arrayLength(in, output);
        boolean crop = op.coordinates() == Resize.Coordinates.TF_CROP_AND_RESIZE;
        if (input == output && scale == 1 && !(crop && (start != 0 || end != 1))) {
            return identity(n);
        }
        int[][] indices = new int[n][];
        double[][] weights = new double[n][];
        boolean[] outside = new boolean[n];
        for (int i = 0; i < n; i++) {
            double x = coordinate(op.coordinates(), i, input, output, scale, start, end);
            outside[i] = crop && (x < 0 || x > input - 1);
            if (op.mode() == Resize.Mode.NEAREST) {
                indices[i] = new int[] {clamp(nearest(op.nearest(), x), input)};
                weights[i] = new double[] {1};
            } else {
                taps(in, op, x, input, scale, i, indices, weights);
            }
        }
        return new ResizeAxis(indices, weights, outside, false);
    }

    private static ResizeAxis identity(int n) {
        int[][] indices = new int[n][];
        double[][] weights = new double[n][];
        for (int i = 0; i < n; i++) {
            indices[i] = new int[] {i};
            weights[i] = new double[] {1};
        }
        return new ResizeAxis(indices, weights, new boolean[n], true);
    }

    private static double coordinate(
            Resize.Coordinates how, int i, long input, long output, double scale, double start, double end) {
        // With scales the resized length may have a fraction; the standard's formulas use it as it is.
        double length = scale * input;
        return switch (how) {
            case HALF_PIXEL -> (i + 0.5) / scale - 0.5;
            case HALF_PIXEL_SYMMETRIC -> input / 2.0 * (1 - output / length) + (i + 0.5) / scale - 0.5;
            case PYTORCH_HALF_PIXEL -> output > 1 ? (i + 0.5) / scale - 0.5 : 0;
            case ALIGN_CORNERS -> length == 1 || output == 1 ? 0 : i * (input - 1) / (length - 1);
            case ASYMMETRIC -> i / scale;
            case TF_HALF_PIXEL_FOR_NN -> (i + 0.5) / scale;
            case TF_CROP_AND_RESIZE ->
                output > 1
                        ? start * (input - 1) + i * (end - start) * (input - 1) / (length - 1)
                        : 0.5 * (start + end) * (input - 1);
        };
    }

    private static double nearest(Resize.Nearest how, double x) {
        return switch (how) {
            case ROUND_PREFER_FLOOR -> Math.ceil(x - 0.5);
            case ROUND_PREFER_CEIL -> Math.floor(x + 0.5);
            case FLOOR -> Math.floor(x);
            case CEIL -> Math.ceil(x);
        };
    }

    private static int clamp(double i, long size) {
        return (int) Math.min(Math.max(i, 0), size - 1);
    }

    private static void taps(
            Evaluation in, Resize op, double x, long input, double scale, int i, int[][] indices, double[][] weights) {
        // A minified image is filtered by a kernel stretched to the step, so that every element counts.
        double stretch = op.antialias() ? Math.min(scale, 1) : 1;
        double support = (op.mode() == Resize.Mode.CUBIC ? 2 : 1) / stretch;
        double first = Math.floor(x - support) + 1;
        double last = Math.ceil(x + support) - 1;
        if (last < first) {
            last = first;
        }
        int n = Limits.arrayLength(in, (long) (last - first) + 1);
        in.require(n <= 4 + 8L * Math.max(input, 1), "a scale of " + scale + " makes the filter too wide");
        indices[i] = new int[n];
        weights[i] = new double[n];
        double sum = 0;
        for (int k = 0; k < n; k++) {
            double at = first + k;
            double w = weight(op, (at - x) * stretch);
            if (op.excludeOutside() && (at < 0 || at > input - 1)) {
                w = 0;
            }
            indices[i][k] = clamp(at, input);
            weights[i][k] = w;
            sum += w;
        }
        if (sum != 0 && (op.antialias() || op.excludeOutside())) {
            for (int k = 0; k < n; k++) {
                weights[i][k] /= sum;
            }
        }
    }

    private static double weight(Resize op, double distance) {
        double t = Math.abs(distance);
        if (op.mode() == Resize.Mode.LINEAR) {
            return Math.max(0, 1 - t);
        }
        return cubic(t, op.cubicCoefficient());
    }

    /** Keys' cubic convolution kernel. */
    static double cubic(double t, double a) {
        if (t <= 1) {
            return ((a + 2) * t - (a + 3)) * t * t + 1;
        }
        return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
    }

    boolean isIdentity() {
        return identity;
    }

    int count(int position) {
        return indices[position].length;
    }

    int index(int position, int tap) {
        return indices[position][tap];
    }

    double weight(int position, int tap) {
        return weights[position][tap];
    }

    boolean outside(int position) {
        return outside[position];
    }
}
