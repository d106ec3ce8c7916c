package dev.tenon.internal.cpu;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.FusedAttention;
import dev.tenon.internal.op.HeadLayout;

/** Fused attention: heads are read and written through strides, wherever their axis is. */
final class AttentionTactic {
    private AttentionTactic() {}

    /** An operand as the native step wants it. */
    private record Operand(long id, Shape shape, HeadLayout layout) {
        long size(int axis) {
            return shape.dim(axis);
        }

        /** Steps in elements along batch, heads and sequence; the elements of a head are dense. */
        long[] strides() {
            long[] s = shape.strides();
            return new long[] {s[0], s[layout.heads], s[layout.length]};
        }
    }

    static boolean fused(Node n, ProgramBuilder b) {
        FusedAttention a = (FusedAttention) n.op();
        if (n.output(0).tensorType().dtype() != DataType.FLOAT32 || a.y() == HeadLayout.TRANSPOSED) {
            return false;
        }
        Operand q = operand(n, b, n.input(0), a.q());
        Operand k = operand(n, b, n.input(1), a.k());
        Operand v = operand(n, b, n.input(2), a.v());
        Operand y = new Operand(b.id(n.output(0)), ProgramBuilder.shape(n.output(0)), a.y());
        long queries = q.size(q.layout.length);
        long keys = k.size(k.layout.length);
        NativeStruct p = b.params(ProgramStep.ATTENTION)
                .set("q", q.id)
                .set("k", k.id)
                .set("v", v.id)
                .set("mask", b.id(n.input(FusedAttention.MASK)))
                .set("dst", y.id)
                .set("batch", q.size(0))
                .set("heads", q.size(q.layout.heads))
                .set("kv_heads", k.size(k.layout.heads))
                .set("q_length", queries)
                .set("kv_length", keys)
                .set("head_size", q.size(q.layout.size))
                .set("value_head_size", v.size(v.layout.size))
                .set("q_strides", q.strides())
                .set("k_strides", k.strides())
                .set("v_strides", v.strides())
                .set("dst_strides", y.strides())
                .set("scale", (double) a.scale())
                .set("causal", a.causal() ? 1L : 0L)
                .set("causal_offset", keys - queries);
        if (n.hasInput(FusedAttention.MASK)) {
            p.set("mask_strides", maskStrides(ProgramBuilder.shape(n.input(FusedAttention.MASK))));
        }
        b.add(ProgramStep.ATTENTION, n, p);
        return true;
    }

    /** Elements of a head must be neighbours: a transposed operand is turned first. */
    private static Operand operand(Node n, ProgramBuilder b, Value v, HeadLayout layout) {
        Shape s = ProgramBuilder.shape(v);
        if (layout != HeadLayout.TRANSPOSED) {
            return new Operand(b.id(v), s, layout);
        }
        Shape turned = Shape.of(s.dim(0), s.dim(1), s.dim(3), s.dim(2));
        long id = b.temp(DataType.FLOAT32, turned);
        b.add(
                ProgramStep.TRANSPOSE,
                n,
                b.params(ProgramStep.TRANSPOSE)
                        .set("src", b.id(v))
                        .set("dst", id)
                        .set("perm", 0, 1, 3, 2));
        return new Operand(id, turned, HeadLayout.HEADS_FIRST);
    }

    /** Strides along batch, head, query and key; 0 where the mask broadcasts. */
    private static long[] maskStrides(Shape mask) {
        long[] own = mask.strides();
        long[] s = new long[4];
        for (int i = 1; i <= mask.rank(); i++) {
            s[4 - i] = mask.dim(-i) == 1 ? 0 : own[mask.rank() - i];
        }
        return s;
    }
}
