package dev.tenon.internal.cpu;

import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Concat;
import dev.tenon.internal.op.DepthToSpace;
import dev.tenon.internal.op.Pad;
import dev.tenon.internal.op.Slice;
import dev.tenon.internal.op.SpaceToDepth;
import dev.tenon.internal.op.Split;
import dev.tenon.internal.op.Transpose;
import java.util.Arrays;
import java.util.List;

/** Operators that move elements, by known positions. */
final class MovementTactic {
    private MovementTactic() {}

    /** Reshape, Squeeze, Unsqueeze, Flatten, Identity: the same elements under another shape. */
    static boolean reshape(Node n, ProgramBuilder b) {
        return unary(n, b, ProgramStep.RESHAPE);
    }

    static boolean expand(Node n, ProgramBuilder b) {
        return unary(n, b, ProgramStep.EXPAND);
    }

    private static boolean unary(Node n, ProgramBuilder b, ProgramStep step) {
        b.add(step, n, b.params(step).set("src", b.id(n.input(0))).set("dst", b.id(n.output(0))));
        return true;
    }

    static boolean transpose(Node n, ProgramBuilder b) {
        int rank = ProgramBuilder.shape(n.input(0)).rank();
        List<Long> perm = ((Transpose) n.op()).perm();
        long[] p = new long[rank];
        for (int i = 0; i < rank; i++) {
            p[i] = perm.isEmpty() ? rank - 1 - i : perm.get(i);
        }
        transpose(n, b, b.id(n.input(0)), b.id(n.output(0)), p);
        return true;
    }

    private static void transpose(Node n, ProgramBuilder b, long src, long dst, long... perm) {
        b.add(
                ProgramStep.TRANSPOSE,
                n,
                b.params(ProgramStep.TRANSPOSE).set("src", src).set("dst", dst).set("perm", perm));
    }

    private static void reshape(Node n, ProgramBuilder b, long src, long dst) {
        b.add(
                ProgramStep.RESHAPE,
                n,
                b.params(ProgramStep.RESHAPE).set("src", src).set("dst", dst));
    }

    /** [N, C, H, W] to [N, C s s, H / s, W / s]. */
    static boolean spaceToDepth(Node n, ProgramBuilder b) {
        Shape x = ProgramBuilder.shape(n.input(0));
        long s = ((SpaceToDepth) n.op()).blocksize();
        long[] split = {x.dim(0), x.dim(1), x.dim(2) / s, s, x.dim(3) / s, s};
        return throughSix(n, b, split, 0, 3, 5, 1, 2, 4);
    }

    /** [N, C s s, H, W] to [N, C, H s, W s]. */
    static boolean depthToSpace(Node n, ProgramBuilder b) {
        DepthToSpace d = (DepthToSpace) n.op();
        Shape x = ProgramBuilder.shape(n.input(0));
        long s = d.blocksize();
        if (d.columnFirst()) {
            long[] split = {x.dim(0), x.dim(1) / (s * s), s, s, x.dim(2), x.dim(3)};
            return throughSix(n, b, split, 0, 1, 4, 2, 5, 3);
        }
        long[] split = {x.dim(0), s, s, x.dim(1) / (s * s), x.dim(2), x.dim(3)};
        return throughSix(n, b, split, 0, 3, 4, 1, 5, 2);
    }

    private static boolean throughSix(Node n, ProgramBuilder b, long[] split, long... perm) {
        var type = n.output(0).tensorType().dtype();
        long parted = b.temp(type, Shape.of(split));
        long turned = b.temp(
                type, Shape.of(Arrays.stream(perm).map(i -> split[(int) i]).toArray()));
        reshape(n, b, b.id(n.input(0)), parted);
        transpose(n, b, parted, turned, perm);
        reshape(n, b, turned, b.id(n.output(0)));
        return true;
    }

    static boolean concat(Node n, ProgramBuilder b) {
        int rank = ProgramBuilder.shape(n.output(0)).rank();
        NativeStruct p = b.params(ProgramStep.CONCAT)
                .set("input_count", (long) n.inputs().size())
                .set("inputs", b.longs(n.inputs().stream().mapToLong(b::id).toArray()))
                .set("dst", b.id(n.output(0)))
                .set("axis", axis(((Concat) n.op()).axis(), rank));
        b.add(ProgramStep.CONCAT, n, p);
        return true;
    }

    static boolean split(Node n, ProgramBuilder b) {
        Shape x = ProgramBuilder.shape(n.input(0));
        int axis = (int) axis(((Split) n.op()).axis(), x.rank());
        long[] starts = new long[x.rank()];
        long[] steps = new long[x.rank()];
        Arrays.fill(steps, 1);
        long at = 0;
        for (Value part : n.outputs()) {
            if (part.isAbsent()) {
                return false;
            }
            starts[axis] = at;
            at += ProgramBuilder.shape(part).dim(axis);
            slice(n, b, part, starts, steps);
        }
        return true;
    }

    static boolean slice(Node n, ProgramBuilder b) {
        Tensor[] arguments = new Tensor[5];
        for (int i = 1; i < 5; i++) {
            if (n.hasInput(i)) {
                arguments[i] = b.constant(n.input(i)).orElse(null);
                if (arguments[i] == null) {
                    return false;
                }
            }
        }
        Slice.Positions p = Slice.Positions.of(
                ProgramBuilder.shape(n.input(0)),
                arguments[1].toLongArray(),
                arguments[2].toLongArray(),
                arguments[3] == null ? null : arguments[3].toLongArray(),
                arguments[4] == null ? null : arguments[4].toLongArray());
        slice(n, b, n.output(0), p.starts(), p.steps());
        return true;
    }

    private static void slice(Node n, ProgramBuilder b, Value dst, long[] starts, long[] steps) {
        NativeStruct p = b.params(ProgramStep.SLICE)
                .set("src", b.id(n.input(0)))
                .set("dst", b.id(dst))
                .set("starts", starts)
                .set("steps", steps);
        b.add(ProgramStep.SLICE, n, p);
    }

    static boolean pad(Node n, ProgramBuilder b) {
        Tensor pads = b.constant(n.input(1)).orElse(null);
        Tensor value = b.constant(n.input(2)).orElse(null);
        Tensor axes = b.constant(n.input(3)).orElse(null);
        if (pads == null || (n.hasInput(2) && value == null) || (n.hasInput(3) && axes == null)) {
            return false;
        }
        int rank = ProgramBuilder.shape(n.input(0)).rank();
        long[] begin = new long[rank];
        long[] end = new long[rank];
        int count = (int) pads.size() / 2;
        for (int i = 0; i < count; i++) {
            int at = (int) axis(axes == null ? i : axes.getLong(i), rank);
            begin[at] = pads.getLong(i);
            end[at] = pads.getLong(i + count);
        }
        int mode = switch (((Pad) n.op()).mode()) {
            case CONSTANT -> TenonConstants.PAD_CONSTANT;
            case REFLECT -> TenonConstants.PAD_REFLECT;
            case EDGE -> TenonConstants.PAD_EDGE;
            case WRAP -> TenonConstants.PAD_WRAP;
        };
        NativeStruct p = b.params(ProgramStep.PAD)
                .set("src", b.id(n.input(0)))
                .set("dst", b.id(n.output(0)))
                .set("pads_begin", begin)
                .set("pads_end", end)
                .set("mode", (long) mode)
                .set("value", value == null ? 0.0 : value.getDouble(0));
        b.add(ProgramStep.PAD, n, p);
        return true;
    }

    static long axis(long axis, int rank) {
        return axis < 0 ? axis + rank : axis;
    }
}
