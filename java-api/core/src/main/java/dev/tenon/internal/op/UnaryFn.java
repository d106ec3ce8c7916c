package dev.tenon.internal.op;

import dev.tenon.DataType;
import org.jspecify.annotations.Nullable;

/**
 * Functions of one number, with up to two parameters; the result has the operand's type. Names are those of the C
 * interface's elementwise functions.
 */
public enum UnaryFn {
    ABS("Abs", (x, a, b) -> Math.abs(x), (x, u, a, b) -> u ? x : Math.abs(x)),
    NEG("Neg", (x, a, b) -> -x, (x, u, a, b) -> -x),
    /** -1, 0 or 1; NaN for NaN. */
    SIGN("Sign", (x, a, b) -> Math.signum(x), (x, u, a, b) -> u ? (x == 0 ? 0 : 1) : Long.signum(x)),
    SQRT("Sqrt", (x, a, b) -> Math.sqrt(x)),
    /** 1 / sqrt(x). Made by rewrites. */
    RSQRT(null, (x, a, b) -> 1 / Math.sqrt(x)),
    RECIPROCAL("Reciprocal", (x, a, b) -> 1 / x),
    EXP("Exp", (x, a, b) -> Math.exp(x)),
    LOG("Log", (x, a, b) -> Math.log(x)),
    SIN("Sin", (x, a, b) -> Math.sin(x)),
    COS("Cos", (x, a, b) -> Math.cos(x)),
    TAN("Tan", (x, a, b) -> Math.tan(x)),
    ASIN("Asin", (x, a, b) -> Math.asin(x)),
    ACOS("Acos", (x, a, b) -> Math.acos(x)),
    ATAN("Atan", (x, a, b) -> Math.atan(x)),
    SINH("Sinh", (x, a, b) -> Math.sinh(x)),
    COSH("Cosh", (x, a, b) -> Math.cosh(x)),
    TANH("Tanh", (x, a, b) -> Math.tanh(x)),
    ASINH("Asinh", (x, a, b) -> asinh(x)),
    ACOSH("Acosh", (x, a, b) -> acosh(x)),
    ATANH("Atanh", (x, a, b) -> (Math.log1p(x) - Math.log1p(-x)) / 2),
    ERF("Erf", (x, a, b) -> Erf.of(x)),
    FLOOR("Floor", (x, a, b) -> Math.floor(x)),
    CEIL("Ceil", (x, a, b) -> Math.ceil(x)),
    /** To the nearest integer, halves to the even one. */
    ROUND("Round", (x, a, b) -> Math.rint(x)),
    RELU("Relu", (x, a, b) -> x > 0 || Double.isNaN(x) ? x : 0, (x, u, a, b) -> u ? x : Math.max(x, 0)),
    /** x for x >= 0, alpha x below. */
    LEAKY_RELU("LeakyRelu", 0.01f, 0, (x, a, b) -> x < 0 ? a * x : x),
    /** x for x >= 0, alpha (exp(x) - 1) below. */
    ELU("Elu", 1, 0, (x, a, b) -> x < 0 ? a * Math.expm1(x) : x),
    /** beta times Elu with alpha. */
    SELU(
            "Selu",
            1.67326319217681884765625f,
            1.05070102214813232421875f,
            (x, a, b) -> b * (x < 0 ? a * Math.expm1(x) : x)),
    /** max(0, x) + min(0, alpha (exp(x / alpha) - 1)). */
    CELU("Celu", 1, 0, (x, a, b) -> Math.max(0, x) + Math.min(0, a * Math.expm1(x / a))),
    SIGMOID("Sigmoid", (x, a, b) -> sigmoid(x)),
    /** max(0, min(1, alpha x + beta)). */
    HARD_SIGMOID("HardSigmoid", 0.2f, 0.5f, (x, a, b) -> Math.clamp(a * x + b, 0.0, 1.0)),
    /** x max(0, min(1, alpha x + beta)). */
    HARD_SWISH("HardSwish", 1 / 6f, 0.5f, (x, a, b) -> x * Math.clamp(a * x + b, 0.0, 1.0)),
    /** x sigmoid(alpha x). */
    SILU("Swish", 1, 0, (x, a, b) -> x * sigmoid(a * x)),
    SOFTPLUS("Softplus", (x, a, b) -> softplus(x)),
    SOFTSIGN("Softsign", (x, a, b) -> x / (1 + Math.abs(x))),
    MISH("Mish", (x, a, b) -> x * Math.tanh(softplus(x))),
    /** x / 2 (1 + erf(x / sqrt(2))). */
    GELU_ERF(null, (x, a, b) -> x / 2 * (1 + Erf.of(x / Math.sqrt(2)))),
    /** x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
    GELU_TANH(null, (x, a, b) -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))),
    /** x above alpha, else 0; NaN stays. */
    THRESHOLDED_RELU("ThresholdedRelu", 1, 0, (x, a, b) -> x > a || Double.isNaN(x) ? x : 0),
    /** With bias alpha and limit beta: x + bias below -limit, x - bias above limit, else 0. */
    SHRINK(null, 0, 0.5f, (x, a, b) -> x < -b ? x + a : x > b ? x - a : Double.isNaN(x) ? x : 0),
    /** min(max(x, alpha), beta). Made by rewrites from Clip with constant bounds. */
    CLIP(
            null,
            (x, a, b) -> Double.isNaN(x) ? x : Math.min(Math.max(x, a), b),
            (x, u, a, b) -> u ? clipUnsigned(x, a, b) : Math.min(Math.max(x, (long) a), (long) b)),
    /** alpha x + beta. Made by rewrites. */
    LINEAR(null, 1, 0, (x, a, b) -> a * x + b),
    LOGICAL_NOT("Not", null, (x, u, a, b) -> 1 - x),
    BIT_NOT("BitwiseNot", null, (x, u, a, b) -> ~x);

    /** A function of a number and two parameters. */
    @FunctionalInterface
    public interface Body {
        double apply(double x, double alpha, double beta);
    }

    /** A function of an integer (or boolean) and two parameters; {@code unsigned} tells how to read {@code x}. */
    @FunctionalInterface
    public interface LongBody {
        long apply(long x, boolean unsigned, double alpha, double beta);
    }

    final @Nullable String onnxName;
    final float alpha;
    final float beta;
    final @Nullable Body body;
    final @Nullable LongBody onLongs;

    UnaryFn(@Nullable String onnxName, Body body) {
        this(onnxName, 0, 0, body, null);
    }

    UnaryFn(@Nullable String onnxName, @Nullable Body body, LongBody onLongs) {
        this(onnxName, 0, 0, body, onLongs);
    }

    UnaryFn(@Nullable String onnxName, float alpha, float beta, Body body) {
        this(onnxName, alpha, beta, body, null);
    }

    /** @param onnxName null for a function that has its own import rule; alpha and beta are ONNX's defaults */
    UnaryFn(@Nullable String onnxName, float alpha, float beta, @Nullable Body body, @Nullable LongBody onLongs) {
        this.onnxName = onnxName;
        this.alpha = alpha;
        this.beta = beta;
        this.body = body;
        this.onLongs = onLongs;
    }

    /** True if the function is defined on elements of {@code type}. */
    public boolean accepts(DataType type) {
        return switch (this) {
            case LOGICAL_NOT -> type == DataType.BOOL;
            case BIT_NOT -> type.isInteger();
            case ERF -> type.isFloat() || type.isInteger();
            default -> type.isFloat() || (onLongs != null && type.isInteger());
        };
    }

    private static double sigmoid(double x) {
        if (x >= 0) {
            return 1 / (1 + Math.exp(-x));
        }
        double e = Math.exp(x);
        return e / (1 + e);
    }

    /** log(1 + exp(x)) without overflow. */
    private static double softplus(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    private static double asinh(double x) {
        double a = Math.abs(x);
        if (a > 1e150) {
            return Math.copySign(Math.log(a) + Math.log(2), x);
        }
        return Math.copySign(Math.log1p(a + a * a / (1 + Math.sqrt(a * a + 1))), x);
    }

    private static double acosh(double x) {
        return x > 1e150 ? Math.log(x) + Math.log(2) : Math.log(x + Math.sqrt((x - 1) * (x + 1)));
    }

    private static long clipUnsigned(long x, double a, double b) {
        long low = Conversion.toUnsigned(a);
        long high = Conversion.toUnsigned(b);
        long raised = Long.compareUnsigned(x, low) < 0 ? low : x;
        return Long.compareUnsigned(raised, high) > 0 ? high : raised;
    }
}
