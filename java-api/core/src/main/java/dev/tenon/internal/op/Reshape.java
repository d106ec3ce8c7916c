package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The same elements under another shape.
 * Inputs   x: any type; shape: INT64 [R], where one entry may be -1 (what is left) and 0 copies x's dimension there, unless
 *          {@code allowZero}, when 0 is an empty dimension.
 * Rules    at most one -1; 0 only at axes that x has; element counts agree.
 * Source   ONNX Reshape-14; version 1 has the shape as an attribute.
 */
public record Reshape(boolean allowZero) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Reshape", n -> {
        if (n.opset() < 5) {
            n.constantInput(1, n.integers("shape"));
        }
        return new Reshape(n.flag("allowzero", false));
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        Optional<List<Dim>> target = in.dims(1);
        if (target.isEmpty()) {
            Dim rank = in.shape(1).isRanked() && in.shape(1).rank() == 1
                    ? in.shape(1).dim(0)
                    : Dim.unknown();
            return List.of(new TensorType(
                    in.dtype(0),
                    rank instanceof Dim.Known(long r) && r <= Shape.MAX_RANK
                            ? SymbolicShape.ofRank((int) r)
                            : SymbolicShape.UNRANKED));
        }
        return List.of(new TensorType(in.dtype(0), resolve(in, in.shape(0), target.get())));
    }

    private SymbolicShape resolve(Inference in, SymbolicShape x, List<Dim> target) {
        List<Dim> out = new ArrayList<>(target);
        int free = -1;
        for (int i = 0; i < out.size(); i++) {
            if (out.get(i).is(-1)) {
                in.require(free < 0, "the target shape " + target + " has more than one -1");
                free = i;
            } else if (out.get(i).is(0) && !allowZero) {
                if (!x.isRanked()) {
                    out.set(i, Dim.unknown());
                } else {
                    in.require(i < x.rank(), "the target shape " + target + " copies axis " + i + ", which x lacks");
                    out.set(i, x.dim(i));
                }
            } else if (out.get(i) instanceof Dim.Known(long size)) {
                in.require(size >= 0, "the target shape " + target + " has a negative dimension");
            }
        }
        if (free >= 0) {
            out.set(free, rest(in, x, out, free));
        } else if (x.isConcrete() && out.stream().allMatch(Dim::isKnown)) {
            long have = x.concrete().elements();
            long want = SymbolicShape.of(out).concrete().elements();
            in.require(have == want, "cannot reshape " + have + " elements to " + SymbolicShape.of(out));
        }
        return SymbolicShape.of(out);
    }

    /** The dimension for -1: the quotient of what both sides know, after equal symbols cancel. */
    private static Dim rest(Inference in, SymbolicShape x, List<Dim> out, int free) {
        if (!x.isRanked()) {
            return Dim.unknown();
        }
        List<Dim> have = new ArrayList<>(x.dims());
        long divisor = 1;
        for (int i = 0; i < out.size(); i++) {
            if (i == free) {
                continue;
            }
            if (out.get(i) instanceof Dim.Known(long size)) {
                divisor = Math.multiplyExact(divisor, size);
            } else if (!have.remove(out.get(i))) {
                return Dim.unknown();
            }
        }
        long product = 1;
        Dim symbol = null;
        for (Dim d : have) {
            if (d instanceof Dim.Known(long size)) {
                product = Math.multiplyExact(product, size);
            } else if (symbol != null) {
                return Dim.unknown();
            } else {
                symbol = d;
            }
        }
        if (symbol != null) {
            return product == divisor && divisor > 0 ? symbol : Dim.unknown();
        }
        in.require(
                divisor > 0 ? product % divisor == 0 : product == 0,
                "cannot reshape " + x + " to " + out + ": the known dimensions do not divide");
        return Dim.of(divisor == 0 ? 0 : product / divisor);
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        return in.dims(0);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        long[] target = in.tensor(1).toLongArray();
        int free = -1;
        long known = 1;
        for (int i = 0; i < target.length; i++) {
            if (target[i] == 0 && !allowZero) {
                in.require(i < x.shape().rank(), "the target shape copies axis " + i + ", which x lacks");
                target[i] = x.shape().dim(i);
            }
            if (target[i] == -1) {
                in.require(free < 0, "the target shape has more than one -1");
                free = i;
            } else {
                known = Math.multiplyExact(known, target[i]);
            }
        }
        if (free >= 0) {
            in.require(known > 0 && x.size() % known == 0, "cannot reshape " + x.size() + " elements by " + known);
            target[free] = x.size() / known;
        }
        return List.of(x.reshaped(Shape.of(target)));
    }
}
