package dev.tenon.internal.op;

import dev.tenon.DataType;
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
import java.util.Objects;
import java.util.Optional;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/**
 * Arithmetic on two tensors with broadcasting:  y = fn(a, b).
 * Inputs   a, b: any numeric type, the same for both (Pow: the exponent b may have another).
 * Output   y: the type of a, the broadcast shape (PRelu: the shape of a).
 * Rules    a and b have one element type and broadcast.
 * Numerics integers wrap; division by zero gives 0 for them.
 * Source   ONNX Add-14, Sub-14, Mul-14, Div-14, Mod-13, Pow-15, PRelu-16, BitShift-11, BitwiseAnd-18 ...
 */
public record Binary(BinaryFn fn) implements Op {
    static final List<OpSpec> SPECS = specs();

    private static List<OpSpec> specs() {
        List<OpSpec> specs = new ArrayList<>();
        for (BinaryFn f : BinaryFn.values()) {
            if (f.onnxName != null) {
                specs.add(OpSpec.onnx(
                        f.onnxName, n -> AlignedBinary.isOldForm(n, f) ? AlignedBinary.of(n, f) : new Binary(f)));
            }
        }
        specs.add(OpSpec.onnx("Mod", n -> new Binary(n.flag("fmod", false) ? BinaryFn.FMOD : BinaryFn.MOD)));
        specs.add(OpSpec.onnx("BitShift", n -> switch (n.requireText("direction")) {
            case "LEFT" -> new Binary(BinaryFn.SHIFT_LEFT);
            case "RIGHT" -> new Binary(BinaryFn.SHIFT_RIGHT);
            default ->
                throw n.error(
                        "attribute 'direction' is '" + n.requireText("direction") + "'; expected 'LEFT' or 'RIGHT'");
        }));
        return List.copyOf(specs);
    }

    @Override
    public String name() {
        return fn.onnxName == null ? fn.name() : fn.onnxName;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.ELEMENTWISE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType type = in.dtype(0);
        in.require(fn.accepts(type), "not defined for element type " + type);
        if (fn == BinaryFn.POW) {
            in.require(fn.accepts(in.dtype(1)), "not defined for an exponent of element type " + in.dtype(1));
        } else {
            in.require(type == in.dtype(1), "element types differ");
        }
        SymbolicShape out = SymbolicShape.broadcast(in.shape(0), in.shape(1));
        if (fn == BinaryFn.PRELU) {
            SymbolicShape x = in.shape(0);
            in.require(
                    !x.isConcrete() || !out.isConcrete() || out.equals(x),
                    "the slope " + in.shape(1) + " does not broadcast to " + x);
            out = x;
        }
        return List.of(new TensorType(type, out));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        if (in.dtype(0) != DataType.INT64 && in.dtype(0) != DataType.INT32) {
            return Optional.empty();
        }
        Optional<List<Dim>> a = in.dims(0);
        Optional<List<Dim>> b = in.dims(1);
        if (a.isEmpty() || b.isEmpty()) {
            return Optional.empty();
        }
        int n = a.get().size();
        int m = b.get().size();
        if (n != m && n != 1 && m != 1) {
            return Optional.empty();
        }
        List<Dim> out = new ArrayList<>();
        for (int i = 0; i < (n == 1 ? m : n); i++) {
            Dim x = a.get().get(n == 1 ? 0 : i);
            Dim y = b.get().get(m == 1 ? 0 : i);
            out.add(
                    switch (fn) {
                        case ADD -> DimMath.add(x, y);
                        case SUB -> DimMath.subtract(x, y);
                        case MUL -> DimMath.multiply(x, y);
                        case DIV -> DimMath.divide(x, y);
                        case MIN, MAX, MOD, FMOD -> known(x, y);
                        default -> Dim.unknown();
                    });
        }
        return Optional.of(out);
    }

    private Dim known(Dim x, Dim y) {
        if (x instanceof Dim.Known(long p) && y instanceof Dim.Known(long q)) {
            return Dim.of(fn.onLongs.applyAsLong(p, q));
        }
        return x.equals(y) && (fn == BinaryFn.MIN || fn == BinaryFn.MAX) ? x : Dim.unknown();
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        return List.of(evaluate(in, fn, in.tensor(0), in.tensor(1)));
    }

    /** The function of two tensors. */
    static Tensor evaluate(Evaluation in, BinaryFn fn, Tensor a, Tensor b) {
        Shape shape = Broadcast.shape(a.shape(), b.shape());
        in.require(fn != BinaryFn.PRELU || shape.equals(a.shape()), "the slope does not broadcast to x");
        Tensor y = Limits.allocate(in, a.type(), shape);
        if (a.type().isInteger() && b.type().isInteger()) {
            LongBinaryOperator f = fn.onIntegers(a.type());
            Elementwise.longs(y, List.of(a, b), (v, out, n) -> {
                for (int i = 0; i < n; i++) {
                    out[i] = f.applyAsLong(v[0][i], v[1][i]);
                }
            });
        } else {
            DoubleBinaryOperator f = Objects.requireNonNull(fn.onDoubles);
            Elementwise.doubles(y, List.of(a, b), (v, out, n) -> {
                for (int i = 0; i < n; i++) {
                    out[i] = f.applyAsDouble(v[0][i], v[1][i]);
                }
            });
        }
        return y;
    }
}
