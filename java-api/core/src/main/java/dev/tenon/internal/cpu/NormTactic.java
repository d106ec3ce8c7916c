package dev.tenon.internal.cpu;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.AddLayerNorm;
import dev.tenon.internal.op.GroupNorm;
import dev.tenon.internal.op.LayerNorm;
import dev.tenon.internal.op.Lrn;
import dev.tenon.internal.op.RmsNorm;

/** Normalisations. */
final class NormTactic {
    private NormTactic() {}

    static boolean layer(Node n, ProgramBuilder b) {
        LayerNorm l = (LayerNorm) n.op();
        return rows(
                n,
                b,
                ProgramStep.LAYER_NORM,
                l.axis(),
                l.epsilon(),
                Value.ABSENT,
                n.input(1),
                n.input(2),
                Value.ABSENT,
                n.output(1),
                n.output(2));
    }

    static boolean addLayer(Node n, ProgramBuilder b) {
        AddLayerNorm l = (AddLayerNorm) n.op();
        if (!ProgramBuilder.shape(n.input(0)).equals(ProgramBuilder.shape(n.input(1)))) {
            return false;
        }
        return rows(
                n,
                b,
                ProgramStep.LAYER_NORM,
                l.axis(),
                l.epsilon(),
                n.input(1),
                n.input(2),
                n.input(3),
                n.output(1),
                Value.ABSENT,
                Value.ABSENT);
    }

    static boolean rms(Node n, ProgramBuilder b) {
        RmsNorm r = (RmsNorm) n.op();
        return rows(
                n,
                b,
                ProgramStep.RMS_NORM,
                r.axis(),
                r.epsilon(),
                Value.ABSENT,
                n.input(1),
                Value.ABSENT,
                Value.ABSENT,
                Value.ABSENT,
                Value.ABSENT);
    }

    private static boolean rows(
            Node n,
            ProgramBuilder b,
            ProgramStep step,
            long axis,
            double epsilon,
            Value residual,
            Value scale,
            Value bias,
            Value sum,
            Value mean,
            Value inverse) {
        Shape x = ProgramBuilder.shape(n.input(0));
        int at = (int) MovementTactic.axis(axis, x.rank());
        long width = x.product(at, x.rank());
        boolean whole = (scale.isAbsent() || ProgramBuilder.shape(scale).elements() == width)
                && (bias.isAbsent() || ProgramBuilder.shape(bias).elements() == width);
        if (n.input(0).tensorType().dtype() != DataType.FLOAT32 || !whole) {
            return false;
        }
        NativeStruct p = b.params(step)
                .set("src", b.id(n.input(0)))
                .set("residual", b.id(residual))
                .set("scale", b.id(scale))
                .set("bias", b.id(bias))
                .set("dst", b.id(n.output(0)))
                .set("sum_out", b.id(sum))
                .set("mean_out", b.id(mean))
                .set("inv_std_out", b.id(inverse))
                .set("axis", (long) at)
                .set("epsilon", epsilon);
        b.add(step, n, p);
        return true;
    }

    static boolean group(Node n, ProgramBuilder b) {
        GroupNorm g = (GroupNorm) n.op();
        if (n.input(0).tensorType().dtype() != DataType.FLOAT32 || g.scalePerGroup()) {
            return false;
        }
        NativeStruct p = b.params(ProgramStep.GROUP_NORM)
                .set("src", b.id(n.input(0)))
                .set("scale", b.id(n.input(1)))
                .set("bias", b.id(n.input(2)))
                .set("dst", b.id(n.output(0)))
                .set(
                        "groups",
                        g.groups() == 0 ? ProgramBuilder.shape(n.input(0)).dim(1) : g.groups())
                .set("epsilon", (double) g.epsilon());
        b.add(ProgramStep.GROUP_NORM, n, p);
        return true;
    }

    static boolean lrn(Node n, ProgramBuilder b) {
        Lrn l = (Lrn) n.op();
        if (n.input(0).tensorType().dtype() != DataType.FLOAT32) {
            return false;
        }
        NativeStruct p = b.params(ProgramStep.LRN)
                .set("src", b.id(n.input(0)))
                .set("dst", b.id(n.output(0)))
                .set("size", l.size())
                .set("alpha", (double) l.alpha())
                .set("beta", (double) l.beta())
                .set("bias", (double) l.bias());
        b.add(ProgramStep.LRN, n, p);
        return true;
    }
}
