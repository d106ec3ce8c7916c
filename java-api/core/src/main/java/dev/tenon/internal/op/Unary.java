package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * A function of each element:  y = fn(x; alpha, beta).
 * Inputs   x: floats; for Abs, Neg, Sign and Relu integers too, for Not booleans, for BitwiseNot integers.
 * Output   y: the type and shape of x.    Aliasing: y may be x.
 * Numerics the reference computes in double (integers in long) and rounds once.
 * Source   ONNX Relu-14, Sigmoid-13, LeakyRelu-16, Gelu-20, Shrink-9 ...
 */
public record Unary(UnaryFn fn, float alpha, float beta) implements Op {
    static final List<OpSpec> SPECS = specs();

    private static List<OpSpec> specs() {
        List<OpSpec> specs = new ArrayList<>();
        for (UnaryFn f : UnaryFn.values()) {
            if (f.onnxName != null && f != UnaryFn.SELU && f != UnaryFn.HARD_SWISH) {
                specs.add(OpSpec.onnx(f.onnxName, n -> new Unary(f, n.real("alpha", f.alpha), n.real("beta", f.beta))));
            }
        }
        specs.add(OpSpec.onnx("HardSwish", n -> of(UnaryFn.HARD_SWISH)));
        specs.add(OpSpec.onnx(
                "Selu",
                // Version 1 had shorter constants as defaults.
                n -> new Unary(
                        UnaryFn.SELU,
                        n.real("alpha", n.opset() < 6 ? 1.6732f : UnaryFn.SELU.alpha),
                        n.real("gamma", n.opset() < 6 ? 1.0507f : UnaryFn.SELU.beta))));
        specs.add(OpSpec.onnx("Gelu", n -> switch (n.text("approximate", "none")) {
            case "none" -> of(UnaryFn.GELU_ERF);
            case "tanh" -> of(UnaryFn.GELU_TANH);
            default ->
                throw n.error(
                        "attribute 'approximate' is '" + n.text("approximate", "") + "'; expected 'none' or 'tanh'");
        }));
        specs.add(OpSpec.onnx(
                "Shrink", n -> new Unary(UnaryFn.SHRINK, n.real("bias", 0), n.real("lambd", UnaryFn.SHRINK.beta))));
        return List.copyOf(specs);
    }

    public static Unary of(UnaryFn fn) {
        return new Unary(fn, fn.alpha, fn.beta);
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
        in.require(fn.accepts(in.dtype(0)), "not defined for element type " + in.dtype(0));
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor y = in.allocate(x.type(), x.shape());
        if (Blocks.asLongs(x.type()) && fn.onLongs != null) {
            UnaryFn.LongBody f = fn.onLongs;
            boolean unsigned = x.type().isUnsigned();
            Elementwise.longs(y, List.of(x), (a, out, n) -> {
                for (int i = 0; i < n; i++) {
                    out[i] = f.apply(a[0][i], unsigned, alpha, beta);
                }
            });
        } else {
            Elementwise.doubles(y, List.of(x), (a, out, n) -> {
                for (int i = 0; i < n; i++) {
                    out[i] = apply(a[0][i]);
                }
            });
        }
        return List.of(y);
    }

    /** The function of one number. @throws IllegalStateException for a function of integers or booleans alone */
    public double apply(double x) {
        if (fn.body == null) {
            throw new IllegalStateException(fn + " is not a function of floats");
        }
        return fn.body.apply(x, alpha, beta);
    }
}
