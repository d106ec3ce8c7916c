package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
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
 * Attention in one step:  y = softmax(scale Q K' + mask) V.
 * Inputs   q, k, v: rank 4 in the given layouts, floats of one type; mask: that type, additive, broadcast to [B, H, S, T], or
 *          absent.
 * Output   y of rank 4 in its layout.
 * Rules    batch and head sizes agree; the query heads are a multiple of the key heads.
 * Numerics the reference computes in double; a row that sees no key gives zeros.
 * Source   made by rewrites only.
 *
 * @param causal query i sees keys up to i + T - S
 */
public record FusedAttention(float scale, boolean causal, HeadLayout q, HeadLayout k, HeadLayout v, HeadLayout y)
        implements Op {
    /** The input index of the mask. */
    public static final int MASK = 3;

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType type = in.dtype(0);
        in.require(
                type.isFloat() && in.dtype(1) == type && in.dtype(2) == type, "q, k and v must be floats of one type");
        SymbolicShape qs = ranked(in, 0);
        SymbolicShape ks = ranked(in, 1);
        SymbolicShape vs = ranked(in, 2);
        agree(in, "batch sizes", qs.dim(0), ks.dim(0));
        agree(in, "batch sizes", qs.dim(0), vs.dim(0));
        agree(in, "head sizes", qs.dim(q.size), ks.dim(k.size));
        agree(in, "lengths of k and v", ks.dim(k.length), vs.dim(v.length));
        agree(in, "head counts of k and v", ks.dim(k.heads), vs.dim(v.heads));
        long hq = qs.size(q.heads);
        long hk = ks.size(k.heads);
        in.require(hq < 0 || hk < 0 || hk > 0 && hq % hk == 0, hq + " query heads are no multiple of " + hk);
        return List.of(new TensorType(type, y.shape(qs.dim(0), qs.dim(q.heads), qs.dim(q.length), vs.dim(v.size))));
    }

    private static SymbolicShape ranked(Inference in, int i) {
        SymbolicShape s = in.shape(i).isRanked() ? in.shape(i) : SymbolicShape.ofRank(4);
        in.require(s.rank() == 4, "input " + i + " has rank " + s.rank() + "; expected 4");
        return s;
    }

    private static void agree(Inference in, String what, Dim a, Dim b) {
        in.require(!a.isKnown() || !b.isKnown() || a.equals(b), "the " + what + " differ: " + a + " and " + b);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        for (int i = 0; i < 3; i++) {
            in.require(
                    in.tensor(i).shape().rank() == 4,
                    "input " + i + " has shape " + in.tensor(i).shape());
        }
        Heads qs = Heads.of(in.tensor(0), q);
        Heads ks = Heads.of(in.tensor(1), k);
        Heads vs = Heads.of(in.tensor(2), v);
        in.require(
                ks.batch() == qs.batch()
                        && vs.batch() == qs.batch()
                        && ks.heads() == vs.heads()
                        && ks.length() == vs.length()
                        && ks.size() == qs.size()
                        && ks.heads() > 0
                        && qs.heads() % ks.heads() == 0,
                "the shapes of q, k and v do not fit");
        int s = qs.length();
        int t = ks.length();
        double[] bias = new double[Limits.arrayLength(in, (long) qs.batch() * qs.heads() * s * t)];
        if (in.has(MASK)) {
            Attention.addMask(in, in.tensor(MASK), bias, qs.batch(), qs.heads(), s, t);
        }
        if (causal) {
            for (int i = 0; i < bias.length; i++) {
                if (i % t > i / t % s + t - s) {
                    bias[i] = Double.NEGATIVE_INFINITY;
                }
            }
        }
        double[] out = Attention.run(qs, ks, vs, scale, 0, bias, (at, stage, value) -> {});
        return List.of(new Heads(out, qs.batch(), qs.heads(), s, vs.size())
                .toTensor(in, in.tensor(0).type(), y));
    }
}
