package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Rotary position embedding: turns pairs of elements of each head by an angle that depends on the position.
 * Inputs   x [B, H, S, D] or [B, S, H D]; cos and sin caches [P, R/2], looked up by position, or [B, S, R/2]; positions INT64
 *          [B, S] or absent.
 * Output   y as x. Only the first R elements of a head turn, all of them if R is 0.
 * Rules    R is even and at most D; positions lie in [0, P).
 * Source   Su et al. 2021 (RoFormer); ONNX RotaryEmbedding-23.
 *
 * @param interleaved pairs are (0, 1), (2, 3)... instead of (0, R/2), (1, R/2 + 1)...
 */
public record RotaryEmbedding(boolean interleaved, long numHeads, long rotaryDim) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "RotaryEmbedding",
            n -> new RotaryEmbedding(
                    n.flag("interleaved", false), n.integer("num_heads", 0), n.integer("rotary_embedding_dim", 0))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        in.require(in.dtype(1) == in.dtype(0) && in.dtype(2) == in.dtype(0), "x and the caches differ in type");
        if (x.isRanked()) {
            in.require(x.rank() == 3 || x.rank() == 4, "x has rank " + x.rank() + "; expected 3 or 4");
            in.require(x.rank() == 4 || numHeads > 0, "rank 3 needs num_heads");
            in.require(
                    x.rank() == 4 || x.size(2) < 0 || x.size(2) % numHeads == 0,
                    numHeads + " heads do not divide " + x.size(2 < x.rank() ? 2 : 0));
        }
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Heads h = Heads.of(in, x, x.shape().rank() == 3, numHeads);
        int rotary = rotaryDim == 0 ? h.size() : (int) rotaryDim;
        in.require(rotary > 0 && rotary % 2 == 0 && rotary <= h.size(), "cannot turn " + rotary + " of " + h.size());
        int half = rotary / 2;
        Tensor cosCache = in.tensor(1);
        in.require(
                cosCache.shape().equals(in.tensor(2).shape())
                        && cosCache.shape().dim(-1) == half
                        && cosCache.shape().rank() == (in.has(3) ? 2 : 3),
                "the caches have shapes " + cosCache.shape() + " and "
                        + in.tensor(2).shape());
        double[] cos = cosCache.toDoubleArray();
        double[] sin = in.tensor(2).toDoubleArray();
        long[] positions = in.has(3) ? in.tensor(3).toLongArray() : null;
        in.require(
                (positions == null ? cosCache.shape().product(0, 2) : positions.length)
                        == (long) h.batch() * h.length(),
                "there is not one position for each token");
        double[] v = h.data();
        double[] y = v.clone();
        for (int n = 0; n < h.batch(); n++) {
            for (int s = 0; s < h.length(); s++) {
                long row = (long) n * h.length() + s;
                if (positions != null) {
                    row = positions[(int) row];
                    in.require(row >= 0 && row < cosCache.shape().dim(0), "position " + row + " is outside the caches");
                }
                int angle = (int) row * half;
                for (int head = 0; head < h.heads(); head++) {
                    int at = ((n * h.heads() + head) * h.length() + s) * h.size();
                    for (int i = 0; i < half; i++) {
                        int a = at + (interleaved ? 2 * i : i);
                        int b = at + (interleaved ? 2 * i + 1 : i + half);
                        y[a] = cos[angle + i] * v[a] - sin[angle + i] * v[b];
                        y[b] = sin[angle + i] * v[a] + cos[angle + i] * v[b];
                    }
                }
            }
        }
        Heads out = new Heads(y, h.batch(), h.heads(), h.length(), h.size());
        return List.of(out.toTensor(in, x.type(), x.shape().rank() == 3));
    }
}
