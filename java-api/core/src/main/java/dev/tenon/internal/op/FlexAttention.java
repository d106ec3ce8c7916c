package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Graph;
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
 * Attention with bodies that change the scores and the probabilities:  Y = prob(softmax(score(scale Q K'))) V.
 * Inputs   Q, K, V [B, H, S, D], floats of one type; then every value that the bodies capture.    Output Y as Q.
 * Rules    the query heads are a multiple of the key heads; a body keeps shape and type.
 * Source   ONNX ai.onnx.preview FlexAttention-1.
 *
 * @param scale NaN for 1 / sqrt(D)
 * @param precision the type of scores and probabilities; absent for FLOAT32, or FLOAT64 with such inputs
 */
public record FlexAttention(float scale, Optional<DataType> precision, Optional<Graph> score, Optional<Graph> prob)
        implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.of(
            "ai.onnx.preview",
            "FlexAttention",
            n -> new FlexAttention(
                    n.real("scale", Float.NaN),
                    n.has("softmax_precision")
                            ? Optional.of(n.dtype("softmax_precision", DataType.FLOAT32))
                            : Optional.empty(),
                    n.has("score_mod") ? Optional.of(n.graph("score_mod")) : Optional.empty(),
                    n.has("prob_mod") ? Optional.of(n.graph("prob_mod")) : Optional.empty())));

    @Override
    public OpTrait trait() {
        return OpTrait.CONTROL_FLOW;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType type = in.dtype(0);
        in.require(
                type.isFloat() && in.dtype(1) == type && in.dtype(2) == type, "Q, K and V must be floats of one type");
        SymbolicShape[] s = new SymbolicShape[3];
        for (int i = 0; i < 3; i++) {
            s[i] = in.shape(i).isRanked() ? in.shape(i) : SymbolicShape.ofRank(4);
            in.require(s[i].rank() == 4, "input " + i + " has rank " + s[i].rank() + "; expected 4");
        }
        long hq = s[0].size(1);
        long hk = s[1].size(1);
        in.require(hq < 0 || hk < 0 || hk > 0 && hq % hk == 0, hq + " query heads are no multiple of " + hk);
        return List.of(new TensorType(type, SymbolicShape.of(s[0].dim(0), s[0].dim(1), s[0].dim(2), s[2].dim(3))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Heads q = Heads.of(in, in.tensor(0), false, 0);
        Heads k = Heads.of(in, in.tensor(1), false, 0);
        Heads v = Heads.of(in, in.tensor(2), false, 0);
        int s = q.length();
        int t = k.length();
        in.require(
                k.batch() == q.batch()
                        && v.batch() == q.batch()
                        && k.heads() == v.heads()
                        && v.length() == t
                        && k.size() == q.size()
                        && k.heads() > 0
                        && q.heads() % k.heads() == 0,
                "the shapes of Q, K and V do not fit");
        DataType own = in.tensor(0).type();
        DataType inner = precision.orElse(own == DataType.FLOAT64 ? own : DataType.FLOAT32);
        Tensor scores = Limits.allocate(in, inner, q.batch(), q.heads(), s, t);
        double factor = Float.isNaN(scale) ? 1 / Math.sqrt(q.size()) : scale;
        double[] bias = new double[Limits.arrayLength(in, scores.size())];
        Attention.run(q, k, v, factor, 0, bias, (at, stage, value) -> {
            if (stage == 0) {
                scores.setDouble(at, value);
            }
        });
        double[] p = modified(in, score, scores).toDoubleArray();
        for (int row = 0; row < p.length; row += Math.max(1, t)) {
            softmax(p, row, t);
        }
        Tensor probabilities = in.allocate(inner, scores.shape());
        probabilities.copyFrom(p);
        p = modified(in, prob, probabilities).toDoubleArray();
        double[] out = new double[Math.toIntExact((long) q.batch() * q.heads() * s * v.size())];
        int group = q.heads() / k.heads();
        for (int n = 0; n < q.batch() * q.heads(); n++) {
            int head = n / q.heads() * k.heads() + n % q.heads() / group;
            Matrices.multiply(
                    p, n * s * t, false, v.data(), head * t * v.size(), false, out, n * s * v.size(), s, t, v.size());
        }
        return List.of(new Heads(out, q.batch(), q.heads(), s, v.size()).toTensor(in, own, false));
    }

    private Tensor modified(Evaluation in, Optional<Graph> body, Tensor t) {
        if (body.isEmpty()) {
            return t;
        }
        List<Datum> arguments = new ArrayList<>(List.of(t));
        for (int i = 3; i < in.inputCount(); i++) {
            arguments.add(in.datum(i));
        }
        Datum result = in.run(body.get(), arguments).getFirst();
        in.require(
                result instanceof Tensor r && r.shape().equals(t.shape()),
                "a body gives " + result + "; expected " + t);
        return (Tensor) result;
    }

    private static void softmax(double[] p, int at, int n) {
        double most = Double.NEGATIVE_INFINITY;
        for (int i = at; i < at + n; i++) {
            most = Math.max(most, p[i]);
        }
        double sum = 0;
        for (int i = at; i < at + n; i++) {
            p[i] = most == Double.NEGATIVE_INFINITY ? 0 : Math.exp(p[i] - most);
            sum += p[i];
        }
        for (int i = at; i < at + n && sum != 0; i++) {
            p[i] /= sum;
        }
    }
}
