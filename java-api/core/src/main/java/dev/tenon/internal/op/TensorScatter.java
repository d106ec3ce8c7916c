package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Writes an update into a cache at a position of its own for each batch entry:
 * y = cache; y[b, ..., start[b] + s, ...] = update[b, ..., s, ...] along the axis.
 * Inputs   cache: any type [B, ..., S, ...]; update: that type [B, ..., L, ...]; start (optional): INT64 [B], by default 0.
 * Output   y: the type and shape of cache.
 * Rules    axis is not 0; off the axis the shapes agree; L <= S; 0 <= start and start + L <= S (circular: positions are
 *          taken modulo S).
 * Source   ONNX TensorScatter-24.
 */
public record TensorScatter(long axis, boolean circular) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("TensorScatter", n -> switch (n.text("mode", "linear")) {
        case "linear" -> new TensorScatter(n.integer("axis", -2), false);
        case "circular" -> new TensorScatter(n.integer("axis", -2), true);
        default -> throw n.error("attribute 'mode' is '" + n.text("mode", "") + "'; expected 'linear' or 'circular'");
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0) == in.dtype(1), "element types differ");
        SymbolicShape x = in.shape(0);
        if (x.isRanked()) {
            int at = in.axis(axis, x.rank());
            in.require(at > 0, "the axis must not be the batch axis 0");
            SymbolicShape u = in.shape(1);
            in.require(!u.isRanked() || u.rank() == x.rank(), "ranks differ");
        }
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor u = in.tensor(1);
        Shape xs = x.shape();
        Shape us = u.shape();
        int at = in.axis(axis, xs.rank());
        in.require(at > 0 && us.rank() == xs.rank(), "the axis is 0 or ranks differ");
        for (int d = 0; d < xs.rank(); d++) {
            in.require(d == at ? us.dim(d) <= xs.dim(d) : us.dim(d) == xs.dim(d), "shapes differ at axis " + d);
        }
        Tensor y = in.allocate(x.type(), xs);
        y.copyFrom(x);
        in.require(!in.has(2) || in.tensor(2).size() == xs.dim(0), "one write position is needed for each batch entry");
        long size = xs.dim(at);
        long length = us.dim(at);
        long[] ys = xs.strides();
        long[] from = us.strides();
        long[] dims = us.dims();
        dims[0] = 1;
        dims[at] = 1;
        for (long b = 0; b < xs.dim(0); b++) {
            long start = in.has(2) ? in.tensor(2).getLong(b) : 0;
            in.require(
                    start >= 0 && (circular || start <= size - length), "write position " + start + " is out of range");
            for (long s = 0; s < length; s++) {
                long position = circular ? Math.floorMod(start + s, size) : start + s;
                Strided.copy(dims, u, b * from[0] + s * from[at], from, y, b * ys[0] + position * ys[at], ys);
            }
        }
        return List.of(y);
    }
}
