package dev.tenon.internal.op;

/** Functions of one number, with up to two parameters; the result has the operand's type. */
public enum UnaryFn {
    NEG("Neg", (x, a, b) -> -x),
    RELU("Relu", (x, a, b) -> x > 0 || Double.isNaN(x) ? x : 0),
    /** x for x >= 0, alpha x below. */
    LEAKY_RELU("LeakyRelu", 0.01f, 0, (x, a, b) -> x < 0 ? a * x : x),
    /** min(max(x, alpha), beta). Made by rewrites from Clip with constant bounds. */
    CLIP(null, (x, a, b) -> Double.isNaN(x) ? x : Math.min(Math.max(x, a), b)),
    SIGMOID("Sigmoid", (x, a, b) -> 1 / (1 + Math.exp(-x))),
    TANH("Tanh", (x, a, b) -> Math.tanh(x)),
    EXP("Exp", (x, a, b) -> Math.exp(x)),
    SQRT("Sqrt", (x, a, b) -> Math.sqrt(x));

    /** A function of a number and two parameters. */
    @FunctionalInterface
    public interface Body {
        double apply(double x, double alpha, double beta);
    }

    final String onnxName;
    final float alpha;
    final float beta;
    final Body body;

    UnaryFn(String onnxName, Body body) {
        this(onnxName, 0, 0, body);
    }

    /** @param onnxName null for a function that only rewrites make; alpha and beta are ONNX's defaults */
    UnaryFn(String onnxName, float alpha, float beta, Body body) {
        this.onnxName = onnxName;
        this.alpha = alpha;
        this.beta = beta;
        this.body = body;
    }
}
