package dev.tenon.internal.op;

import dev.tenon.Tensor;
import java.util.List;

/** Loops of elementwise reference implementations: reads broadcast inputs in blocks, computes on arrays, stores a block. */
final class Elementwise {
    private Elementwise() {}

    interface OnDoubles {
        void apply(double[][] in, double[] out, int n);
    }

    interface OnLongs {
        void apply(long[][] in, long[] out, int n);
    }

    interface Test {
        void apply(double[][] in, long[] out, int n);
    }

    /** Every element of {@code y} from the elements of {@code inputs}, as doubles. */
    static void doubles(Tensor y, List<Tensor> inputs, OnDoubles fn) {
        List<Operand> operands = operands(y, inputs);
        double[][] in = new double[operands.size()][Blocks.SIZE];
        double[] out = new double[Blocks.SIZE];
        for (long i = 0; i < y.size(); i += Blocks.SIZE) {
            int n = load(y, operands, in, i);
            fn.apply(in, out, n);
            Blocks.store(y, i, out, 0, n);
        }
    }

    /** Every element of {@code y} from the elements of {@code inputs}, as longs. */
    static void longs(Tensor y, List<Tensor> inputs, OnLongs fn) {
        List<Operand> operands = operands(y, inputs);
        long[][] in = new long[operands.size()][Blocks.SIZE];
        long[] out = new long[Blocks.SIZE];
        for (long i = 0; i < y.size(); i += Blocks.SIZE) {
            int n = (int) Math.min(Blocks.SIZE, y.size() - i);
            for (int k = 0; k < in.length; k++) {
                operands.get(k).load(i, n, in[k]);
            }
            fn.apply(in, out, n);
            Blocks.store(y, i, out, 0, n);
        }
    }

    /** Every element of the boolean {@code y} from the elements of {@code inputs}, as doubles. */
    static void test(Tensor y, List<Tensor> inputs, Test fn) {
        List<Operand> operands = operands(y, inputs);
        double[][] in = new double[operands.size()][Blocks.SIZE];
        long[] out = new long[Blocks.SIZE];
        for (long i = 0; i < y.size(); i += Blocks.SIZE) {
            int n = load(y, operands, in, i);
            fn.apply(in, out, n);
            Blocks.store(y, i, out, 0, n);
        }
    }

    private static List<Operand> operands(Tensor y, List<Tensor> inputs) {
        return inputs.stream().map(t -> new Operand(t, y.shape())).toList();
    }

    private static int load(Tensor y, List<Operand> operands, double[][] in, long from) {
        int n = (int) Math.min(Blocks.SIZE, y.size() - from);
        for (int k = 0; k < in.length; k++) {
            operands.get(k).load(from, n, in[k]);
        }
        return n;
    }
}
