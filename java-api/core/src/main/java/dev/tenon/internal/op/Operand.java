package dev.tenon.internal.op;

import dev.tenon.Shape;
import dev.tenon.Tensor;
import java.util.Arrays;

/** Reads a tensor as if it were broadcast to a larger shape, block by block in row-major order. */
final class Operand {
    private final Tensor tensor;
    private final long[] dims;
    private final long[] strides;
    private final double[] one = new double[1];
    private final long[] oneLong = new long[1];

    Operand(Tensor tensor, Shape out) {
        this.tensor = tensor;
        long[] d = out.dims();
        long[] s = Broadcast.strides(tensor.shape(), out);
        int top = 0;
        for (int i = 0; i < d.length; i++) {
            if (d[i] == 1) {
                continue;
            }
            if (top > 0 && s[top - 1] == s[i] * d[i]) {
                d[top - 1] *= d[i];
                s[top - 1] = s[i];
            } else {
                d[top] = d[i];
                s[top++] = s[i];
            }
        }
        this.dims = top == 0 ? new long[] {1} : Arrays.copyOf(d, top);
        this.strides = top == 0 ? new long[] {0} : Arrays.copyOf(s, top);
    }

    Tensor tensor() {
        return tensor;
    }

    /** Elements {@code from} to {@code from + n - 1} of the broadcast tensor. */
    void load(long from, int n, double[] to) {
        walk(from, n, (at, offset, run, fill) -> {
            if (fill) {
                Blocks.load(tensor, offset, one, 0, 1);
                Arrays.fill(to, at, at + run, one[0]);
            } else {
                Blocks.load(tensor, offset, to, at, run);
            }
        });
    }

    /** Elements {@code from} to {@code from + n - 1} of the broadcast tensor. */
    void load(long from, int n, long[] to) {
        walk(from, n, (at, offset, run, fill) -> {
            if (fill) {
                Blocks.load(tensor, offset, oneLong, 0, 1);
                Arrays.fill(to, at, at + run, oneLong[0]);
            } else {
                Blocks.load(tensor, offset, to, at, run);
            }
        });
    }

    private interface Run {
        void copy(int at, long offset, int run, boolean fill);
    }

    private void walk(long from, int n, Run copy) {
        int last = dims.length - 1;
        long[] index = new long[dims.length];
        long offset = 0;
        long rest = from;
        for (int d = last; d >= 0; d--) {
            index[d] = rest % dims[d];
            rest /= dims[d];
            offset += index[d] * strides[d];
        }
        boolean fill = strides[last] == 0;
        for (int at = 0; at < n; ) {
            int run = (int) Math.min(n - at, dims[last] - index[last]);
            copy.copy(at, offset, run, fill);
            at += run;
            index[last] += run;
            offset += run * strides[last];
            for (int d = last; d > 0 && index[d] == dims[d]; d--) {
                offset += strides[d - 1] - strides[d] * dims[d];
                index[d] = 0;
                index[d - 1]++;
            }
        }
    }
}
