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
import java.util.List;

/**
 * Attention as a recurrence over a matrix state S [K, V] of each key head; for each token:
 *   gated:  S *= exp(g);   delta:  v = beta (v - S' k);   S += k v';   o = scale S' q.
 * Inputs   q [B, T, Hq K]; k [B, T, Hk K]; v [B, T, Hk V]; past state [B, Hk, K, V] or absent; decay g [B, T, Hk K] or
 *          [B, T, Hk] if gated; beta [B, T, Hk] or [B, T, 1] if delta.
 * Outputs  o [B, T, Hq V]; the last state.
 * Rules    Hq is a multiple of Hk.
 * Source   Yang et al. 2024 (gated delta networks); ONNX LinearAttention-27.
 *
 * @param scale 0 for 1 / sqrt(K)
 */
public record LinearAttention(int queryHeads, int keyHeads, float scale, boolean gated, boolean delta) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("LinearAttention", LinearAttention::read));

    private static LinearAttention read(OnnxNode n) {
        String rule = n.text("update_rule", "gated_delta");
        if (!List.of("linear", "gated", "delta", "gated_delta").contains(rule)) {
            throw n.error("update_rule '" + rule + "' is not known");
        }
        n.requireInteger("q_num_heads");
        n.requireInteger("kv_num_heads");
        int q = n.int32("q_num_heads", 0);
        int k = n.int32("kv_num_heads", 0);
        if (q < 1 || k < 1 || q % k != 0) {
            throw n.error(q + " query heads are no multiple of " + k + " key heads");
        }
        return new LinearAttention(q, k, n.real("scale", 0), rule.startsWith("gated"), rule.endsWith("delta"));
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.has(4) == gated, "a decay is " + (gated ? "required" : "not taken") + " by this update rule");
        in.require(in.has(5) == delta, "a beta is " + (delta ? "required" : "not taken") + " by this update rule");
        SymbolicShape q = ranked(in, 0);
        SymbolicShape k = ranked(in, 1);
        SymbolicShape v = ranked(in, 2);
        long dk = part(in, q.size(2), queryHeads);
        long dv = part(in, v.size(2), keyHeads);
        long own = part(in, k.size(2), keyHeads);
        in.require(dk < 0 || own < 0 || dk == own, "q and k have head sizes " + dk + " and " + own);
        Dim keySize = dk >= 0 ? Dim.of(dk) : own >= 0 ? Dim.of(own) : Dim.unknown();
        Dim valueSize = dv >= 0 ? Dim.of(dv) : Dim.unknown();
        Dim hidden = dv >= 0 ? Dim.of(Math.multiplyExact(dv, queryHeads)) : Dim.unknown();
        return List.of(
                new TensorType(in.dtype(0), SymbolicShape.of(q.dim(0), q.dim(1), hidden)),
                new TensorType(
                        in.has(3) ? in.dtype(3) : in.dtype(0),
                        SymbolicShape.of(q.dim(0), Dim.of(keyHeads), keySize, valueSize)));
    }

    private static long part(Inference in, long hidden, int heads) {
        in.require(hidden < 0 || hidden % heads == 0, heads + " heads do not divide " + hidden);
        return hidden < 0 ? -1 : hidden / heads;
    }

    private static SymbolicShape ranked(Inference in, int i) {
        SymbolicShape s = in.shape(i).isRanked() ? in.shape(i) : SymbolicShape.ofRank(3);
        in.require(s.rank() == 3, "input " + i + " has rank " + s.rank() + "; expected 3");
        return s;
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Heads q = Heads.of(in, in.tensor(0), true, queryHeads);
        Heads k = Heads.of(in, in.tensor(1), true, keyHeads);
        Heads v = Heads.of(in, in.tensor(2), true, keyHeads);
        int batch = q.batch();
        int steps = q.length();
        int dk = q.size();
        int dv = v.size();
        in.require(
                k.batch() == batch
                        && v.batch() == batch
                        && k.length() == steps
                        && v.length() == steps
                        && k.size() == dk,
                "the shapes of q, k and v do not fit");
        Shape stateShape = Shape.of(batch, keyHeads, dk, dv);
        in.require(!in.has(3) || in.tensor(3).shape().equals(stateShape), "the past state must be " + stateShape);
        Tensor present = Limits.allocate(
                in, in.has(3) ? in.tensor(3).type() : in.tensor(0).type(), stateShape);
        double[] state = in.has(3) ? in.tensor(3).toDoubleArray() : new double[(int) stateShape.elements()];
        double[] decay = gated ? in.tensor(4).toDoubleArray() : null;
        double[] beta = delta ? in.tensor(5).toDoubleArray() : null;
        int decays = decay == null ? 1 : width(in, 4, decay.length, batch * steps);
        int betas = beta == null ? 1 : width(in, 5, beta.length, batch * steps);
        in.require(decay == null || decays == keyHeads || decays == keyHeads * dk, "the decay does not fit");
        in.require(beta == null || betas == keyHeads || betas == 1, "beta does not fit");
        double factor = scale == 0 ? 1 / Math.sqrt(dk) : scale;
        int group = queryHeads / keyHeads;
        double[] out = new double[Math.toIntExact((long) batch * queryHeads * steps * dv)];
        double[] write = new double[dv];
        for (int n = 0; n < batch; n++) {
            for (int h = 0; h < keyHeads; h++) {
                int at = (n * keyHeads + h) * dk * dv;
                for (int t = 0; t < steps; t++) {
                    Evaluation.checkCancelled();
                    int token = n * steps + t;
                    int kAt = ((n * keyHeads + h) * steps + t) * dk;
                    int vAt = ((n * keyHeads + h) * steps + t) * dv;
                    if (decay != null) {
                        for (int i = 0; i < dk; i++) {
                            double g = Math.exp(decay[token * decays + (decays == keyHeads ? h : h * dk + i)]);
                            for (int j = 0; j < dv; j++) {
                                state[at + i * dv + j] *= g;
                            }
                        }
                    }
                    for (int j = 0; j < dv; j++) {
                        write[j] = v.data()[vAt + j];
                        if (beta != null) {
                            double seen = 0;
                            for (int i = 0; i < dk; i++) {
                                seen += state[at + i * dv + j] * k.data()[kAt + i];
                            }
                            write[j] = beta[token * betas + (betas == 1 ? 0 : h)] * (write[j] - seen);
                        }
                    }
                    for (int i = 0; i < dk; i++) {
                        for (int j = 0; j < dv; j++) {
                            state[at + i * dv + j] += k.data()[kAt + i] * write[j];
                        }
                    }
                    for (int g = 0; g < group; g++) {
                        int row = (n * queryHeads + h * group + g) * steps + t;
                        for (int i = 0; i < dk; i++) {
                            double f = factor * q.data()[row * dk + i];
                            for (int j = 0; j < dv; j++) {
                                out[row * dv + j] += f * state[at + i * dv + j];
                            }
                        }
                    }
                }
            }
        }
        present.copyFrom(state);
        Heads y = new Heads(out, batch, queryHeads, steps, dv);
        return List.of(y.toTensor(in, in.tensor(0).type(), true), present);
    }

    private static int width(Evaluation in, int i, int length, int tokens) {
        in.require(
                in.tensor(i).shape().rank() == 3 && tokens > 0 && length % tokens == 0,
                "input " + i + " has shape " + in.tensor(i).shape());
        return length / tokens;
    }
}
