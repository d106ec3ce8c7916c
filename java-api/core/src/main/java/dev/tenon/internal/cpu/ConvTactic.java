package dev.tenon.internal.cpu;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Conv;
import dev.tenon.internal.op.ConvTranspose;
import dev.tenon.internal.op.FusedConv;
import dev.tenon.internal.op.Geometry;
import dev.tenon.internal.op.Unary;
import java.util.Arrays;
import java.util.Optional;

/** Convolutions. */
final class ConvTactic {
    private ConvTactic() {}

    static boolean plain(Node n, ProgramBuilder b) {
        return conv(n, b, (Conv) n.op(), Value.ABSENT, Optional.empty());
    }

    static boolean fused(Node n, ProgramBuilder b) {
        FusedConv f = (FusedConv) n.op();
        return conv(n, b, f.conv(), f.residual() ? n.input(FusedConv.RESIDUAL) : Value.ABSENT, f.activation());
    }

    private static boolean conv(Node n, ProgramBuilder b, Conv conv, Value residual, Optional<Unary> activation) {
        long[] kernel = spatial(ProgramBuilder.shape(n.input(1)));
        Geometry g = conv.window().at(spatial(ProgramBuilder.shape(n.input(0))), kernel);
        if (!fits(n, g)) {
            return false;
        }
        NativeStruct p = params(n, b, ProgramStep.CONV, g, conv.group());
        if (!PostOps.write(p, residual.isAbsent() ? TenonConstants.NO_VALUE : b.id(residual), activation)) {
            return false;
        }
        b.add(ProgramStep.CONV, n, p);
        return true;
    }

    static boolean transposed(Node n, ProgramBuilder b) {
        ConvTranspose c = (ConvTranspose) n.op();
        Geometry g = c.geometry(spatial(ProgramBuilder.shape(n.input(0))), spatial(ProgramBuilder.shape(n.input(1))));
        if (!fits(n, g)) {
            return false;
        }
        b.add(ProgramStep.DECONV, n, params(n, b, ProgramStep.DECONV, g, c.group()));
        return true;
    }

    private static boolean fits(Node n, Geometry g) {
        return n.output(0).tensorType().dtype() == DataType.FLOAT32
                && g.rank() >= 1
                && g.rank() <= TenonConstants.MAX_SPATIAL;
    }

    private static NativeStruct params(Node n, ProgramBuilder b, ProgramStep step, Geometry g, long groups) {
        return b.params(step)
                .set("src", b.id(n.input(0)))
                .set("weights", b.id(n.input(1)))
                .set("bias", b.id(n.input(2)))
                .set("dst", b.id(n.output(0)))
                .set("groups", groups)
                .set("strides", g.strides())
                .set("dilations", g.dilations())
                .set("pads_begin", g.padBegin())
                .set("pads_end", g.padEnd());
    }

    static long[] spatial(Shape s) {
        return Arrays.copyOfRange(s.dims(), 2, s.rank());
    }
}
