package dev.tenon.internal.cpu;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.op.AveragePool;
import dev.tenon.internal.op.Geometry;
import dev.tenon.internal.op.GlobalPool;
import dev.tenon.internal.op.MaxPool;
import dev.tenon.internal.op.Window;
import java.util.Arrays;

/** Pools over windows and over whole planes. */
final class PoolTactic {
    private PoolTactic() {}

    static boolean max(Node n, ProgramBuilder b) {
        return n.output(1).isAbsent() && window(n, b, ((MaxPool) n.op()).window(), TenonConstants.POOL_MAX);
    }

    static boolean average(Node n, ProgramBuilder b) {
        AveragePool a = (AveragePool) n.op();
        // Rounding up lets windows hang over the padding, which ONNX does not count and the native step would.
        if (a.includePad() && a.window().ceil()) {
            return false;
        }
        int kind = a.includePad() ? TenonConstants.POOL_AVERAGE_INCLUDE_PAD : TenonConstants.POOL_AVERAGE_EXCLUDE_PAD;
        return window(n, b, a.window(), kind);
    }

    static boolean global(Node n, ProgramBuilder b) {
        Shape x = ProgramBuilder.shape(n.input(0));
        GlobalPool.Kind kind = ((GlobalPool) n.op()).kind();
        if (kind == GlobalPool.Kind.LP || x.rank() < 3) {
            return false;
        }
        int rank = x.rank() - 2;
        long[] ones = new long[rank];
        Arrays.fill(ones, 1);
        long[] zeros = new long[rank];
        Geometry g = new Geometry(ConvTactic.spatial(x), ones, zeros, zeros, ones, ones);
        int number = kind == GlobalPool.Kind.MAX ? TenonConstants.POOL_MAX : TenonConstants.POOL_AVERAGE_EXCLUDE_PAD;
        return add(n, b, g, number);
    }

    private static boolean window(Node n, ProgramBuilder b, Window window, int kind) {
        long[] input = ConvTactic.spatial(ProgramBuilder.shape(n.input(0)));
        long[] kernel = window.kernel().stream().mapToLong(Long::longValue).toArray();
        return add(n, b, window.at(input, kernel), kind);
    }

    private static boolean add(Node n, ProgramBuilder b, Geometry g, int kind) {
        if (n.output(0).tensorType().dtype() != DataType.FLOAT32 || g.rank() > TenonConstants.MAX_SPATIAL) {
            return false;
        }
        long[] input = ConvTactic.spatial(ProgramBuilder.shape(n.input(0)));
        long[] padEnd = g.padEnd().clone();
        for (int i = 0; i < g.rank(); i++) {
            long span = (g.kernel()[i] - 1) * g.dilations()[i] + 1;
            long reach = (g.out()[i] - 1) * g.strides()[i] + span - input[i] - g.padBegin()[i];
            padEnd[i] = Math.max(padEnd[i], reach);
        }
        NativeStruct p = b.params(ProgramStep.POOL)
                .set("src", b.id(n.input(0)))
                .set("dst", b.id(n.output(0)))
                .set("kind", (long) kind)
                .set("kernel", g.kernel())
                .set("strides", g.strides())
                .set("dilations", g.dilations())
                .set("pads_begin", g.padBegin())
                .set("pads_end", padEnd);
        b.add(ProgramStep.POOL, n, p);
        return true;
    }
}
