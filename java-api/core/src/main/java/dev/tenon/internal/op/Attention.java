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
import java.util.Arrays;
import java.util.List;

/**
 * Scaled dot-product attention:  Y = softmax(softcap(scale Q K') + bias) V.
 * Inputs   Q, K, V: [B, H, S, D], or [B, S, H D] with head counts in attributes; mask: BOOL (true attends) or additive,
 *          broadcast to [B, H, S, T], its last axis may be short; past key and value [B, H, P, D], put before K and V; INT64
 *          [B]: how many keys of each sample are no padding.
 * Outputs  Y as Q; present key; present value; the scores at stage {@code scoresMode} [B, H, S, T].
 * Rules    the query heads are a multiple of the key heads (each serves a run of them); past key and value come together.
 * Numerics the reference computes in double; a row that sees no key gives zeros.
 * Source   ONNX Attention-23 to 25.
 *
 * @param scale NaN for 1 / sqrt(D)
 * @param scoresMode 0 raw, 1 after the soft cap, 2 with bias, 3 after softmax
 * @param leftWindow keys to the left of a query's own position that it sees; -1 for all
 * @param rightWindow keys to the right; -1 for all
 */
public record Attention(
        boolean causal,
        long queryHeads,
        long keyHeads,
        float scale,
        float softcap,
        long scoresMode,
        long leftWindow,
        long rightWindow)
        implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Attention", Attention::read));

    private static Attention read(OnnxNode n) {
        long mode = n.integer("qk_matmul_output_mode", 0);
        if (mode < 0 || mode > 3) {
            throw n.error("qk_matmul_output_mode is " + mode + "; expected 0 to 3");
        }
        long q = n.integer("q_num_heads", 0);
        long k = n.integer("kv_num_heads", 0);
        if (q < 0 || k < 0) {
            throw n.error("the head counts " + q + " and " + k + " must not be negative");
        }
        return new Attention(
                n.flag("is_causal", false),
                q,
                k,
                n.real("scale", Float.NaN),
                n.real("softcap", 0),
                mode,
                n.integer("left_window_size", -1),
                n.integer("right_window_size", -1));
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType type = in.dtype(0);
        in.require(type.isFloat() && in.dtype(1) == type, "Q and K must be floats of one type");
        in.require(in.has(4) == in.has(5), "past key and past value come together or not at all");
        in.require(!in.has(6) || !in.has(4), "a count of valid keys cannot be combined with past keys");
        SymbolicShape q = in.shape(0);
        SymbolicShape k = in.shape(1);
        SymbolicShape v = in.shape(2);
        if (!q.isRanked() || !k.isRanked() || !v.isRanked()) {
            SymbolicShape four = SymbolicShape.ofRank(4);
            return List.of(
                    TensorType.unranked(type),
                    new TensorType(in.dtype(1), four),
                    new TensorType(in.dtype(2), four),
                    new TensorType(type, four));
        }
        int rank = q.rank();
        in.require(rank == 3 || rank == 4, "Q has rank " + rank + "; expected 3 or 4");
        in.require(k.rank() == rank && v.rank() == rank, "Q, K and V have different ranks");
        in.require(rank == 4 || queryHeads > 0 && keyHeads > 0, "rank 3 needs q_num_heads and kv_num_heads");
        SymbolicShape q4 = split(in, q, queryHeads);
        SymbolicShape k4 = split(in, k, keyHeads);
        SymbolicShape v4 = split(in, v, keyHeads);
        equal(in, "batch sizes", q4.dim(0), k4.dim(0), v4.dim(0));
        equal(in, "head sizes of Q and K", q4.dim(3), k4.dim(3), k4.dim(3));
        equal(in, "lengths of K and V", k4.dim(2), v4.dim(2), v4.dim(2));
        equal(in, "head counts of K and V", k4.dim(1), v4.dim(1), v4.dim(1));
        if (q4.dim(1) instanceof Dim.Known(long hq) && k4.dim(1) instanceof Dim.Known(long hk)) {
            in.require(hk > 0 && hq % hk == 0, hq + " query heads are no multiple of " + hk + " key heads");
        }
        Dim total = k4.dim(2);
        if (in.has(4)) {
            SymbolicShape past = in.shape(4);
            in.require(!past.isRanked() || past.rank() == 4, "the past key has shape " + past + "; expected rank 4");
            total = past.isRanked() && past.size(2) >= 0 && total.isKnown()
                    ? Dim.of(Math.addExact(past.size(2), total.sizeOrMinusOne()))
                    : past.isRanked() && past.dim(2).is(0) ? total : Dim.unknown();
        }
        SymbolicShape y = rank == 4
                ? SymbolicShape.of(q4.dim(0), q4.dim(1), q4.dim(2), v4.dim(3))
                : SymbolicShape.of(
                        q.dim(0),
                        q.dim(1),
                        v4.dim(3) instanceof Dim.Known(long d)
                                ? Dim.of(Math.multiplyExact(d, queryHeads))
                                : Dim.unknown());
        return List.of(
                new TensorType(type, y),
                new TensorType(in.dtype(1), k4.withDim(2, total)),
                new TensorType(in.dtype(2), v4.withDim(2, total)),
                new TensorType(type, SymbolicShape.of(q4.dim(0), q4.dim(1), q4.dim(2), total)));
    }

    private static void equal(Inference in, String what, Dim a, Dim b, Dim c) {
        in.require(!clash(a, b) && !clash(b, c) && !clash(a, c), "the " + what + " differ: " + a + ", " + b + ", " + c);
    }

    private static boolean clash(Dim a, Dim b) {
        return a.isKnown() && b.isKnown() && !a.equals(b);
    }

    /** [B, S, H D] as [B, H, S, D]. */
    private static SymbolicShape split(Inference in, SymbolicShape s, long heads) {
        if (s.rank() == 4) {
            return s;
        }
        Dim d = Dim.unknown();
        if (s.dim(2) instanceof Dim.Known(long hidden)) {
            in.require(hidden % heads == 0, heads + " heads do not divide " + hidden);
            d = Dim.of(hidden / heads);
        }
        return SymbolicShape.of(s.dim(0), Dim.of(heads), s.dim(1), d);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor q = in.tensor(0);
        boolean packed = q.shape().rank() == 3;
        Heads qs = Heads.of(in, q, packed, queryHeads);
        Heads ks = Heads.of(in, in.tensor(1), packed, keyHeads);
        Heads vs = Heads.of(in, in.tensor(2), packed, keyHeads);
        int past = 0;
        if (in.has(4)) {
            past = (int) in.tensor(4).shape().dim(2);
            ks = Heads.of(in, in.tensor(4), false, 0).append(in, ks);
            vs = Heads.of(in, in.tensor(5), false, 0).append(in, vs);
        }
        int b = qs.batch();
        int h = qs.heads();
        int s = qs.length();
        int t = ks.length();
        in.require(
                ks.batch() == b
                        && vs.batch() == b
                        && ks.heads() == vs.heads()
                        && vs.length() == t
                        && ks.size() == qs.size()
                        && ks.heads() > 0
                        && h % ks.heads() == 0,
                "the shapes of Q, K and V do not fit");
        Tensor scores = in.wants(3) ? Limits.allocate(in, q.type(), b, h, s, t) : null;
        double[] bias = bias(in, b, h, s, t, past);
        double factor = Float.isNaN(scale) ? 1 / Math.sqrt(qs.size()) : scale;
        double[] out = run(qs, ks, vs, factor, softcap, bias, (at, stage, value) -> {
            if (scores != null && stage == scoresMode) {
                scores.setDouble(at, value);
            }
        });
        Heads ys = new Heads(out, b, h, s, vs.size());
        List<Datum> results = new ArrayList<>(List.of(
                ys.toTensor(in, q.type(), packed),
                ks.toTensor(in, in.tensor(1).type(), false),
                vs.toTensor(in, in.tensor(2).type(), false)));
        if (scores != null) {
            results.add(scores);
        }
        return results;
    }

    /** Is shown every score at every stage, numbered as {@code scoresMode}. */
    interface Observer {
        void see(long at, int stage, double score);
    }

    /** Attention on plain arrays. @param bias [B, H, S, T] */
    static double[] run(Heads q, Heads k, Heads v, double scale, double softcap, double[] bias, Observer observer) {
        int s = q.length();
        int t = k.length();
        int d = q.size();
        int perKey = q.heads() / k.heads();
        double[] p = new double[t];
        double[] out = new double[Math.toIntExact((long) q.batch() * q.heads() * s * v.size())];
        for (int row = 0; row < q.batch() * q.heads() * s; row++) {
            Evaluation.checkCancelled();
            int head = row / s;
            int kAt = (head / q.heads() * k.heads() + head % q.heads() / perKey) * t;
            int at = row * t;
            for (int j = 0; j < t; j++) {
                double dot = 0;
                for (int e = 0; e < d; e++) {
                    dot += q.data()[row * d + e] * k.data()[(kAt + j) * d + e];
                }
                dot *= scale;
                double capped = softcap > 0 ? softcap * Math.tanh(dot / softcap) : dot;
                p[j] = capped + bias[at + j];
                observer.see(at + j, 0, dot);
                observer.see(at + j, 1, capped);
                observer.see(at + j, 2, p[j]);
            }
            softmax(p, bias, at);
            for (int j = 0; j < t; j++) {
                observer.see(at + j, 3, p[j]);
                if (p[j] != 0) {
                    for (int e = 0; e < v.size(); e++) {
                        out[row * v.size() + e] += p[j] * v.data()[(kAt + j) * v.size() + e];
                    }
                }
            }
        }
        return out;
    }

    /** Softmax in place; zeros where the bias excludes every key. */
    private static void softmax(double[] p, double[] bias, int at) {
        double most = Double.NEGATIVE_INFINITY;
        boolean any = false;
        for (int j = 0; j < p.length; j++) {
            any |= bias[at + j] != Double.NEGATIVE_INFINITY;
            most = Math.max(most, p[j]);
        }
        if (!any || most == Double.NEGATIVE_INFINITY) {
            Arrays.fill(p, 0);
            return;
        }
        double sum = 0;
        for (int j = 0; j < p.length; j++) {
            p[j] = Math.exp(p[j] - most);
            sum += p[j];
        }
        for (int j = 0; j < p.length; j++) {
            p[j] /= sum;
        }
    }

    /** What is added to the scores [B, H, S, T]: the mask, causality, windows and padding; excluded keys get -infinity. */
    private double[] bias(Evaluation in, int b, int h, int s, int t, int past) {
        double[] bias = new double[Limits.arrayLength(in, (long) b * h * s * t)];
        if (in.has(3)) {
            addMask(in, in.tensor(3), bias, b, h, s, t);
        }
        long[] valid = in.has(6) ? in.tensor(6).toLongArray() : null;
        in.require(valid == null || valid.length == b, "the counts of valid keys need one entry a sample");
        for (int n = 0; n < b; n++) {
            long offset = valid != null ? valid[n] - s : past;
            for (int row = n * h * s; row < (n + 1) * h * s; row++) {
                long position = offset + row % s;
                for (int j = 0; j < t; j++) {
                    boolean hidden = causal && j > position
                            || leftWindow >= 0 && j < position - leftWindow
                            || rightWindow >= 0 && j > position + rightWindow
                            || valid != null && j >= valid[n];
                    if (hidden) {
                        bias[row * t + j] = Double.NEGATIVE_INFINITY;
                    }
                }
            }
        }
        return bias;
    }

    /** Adds a mask to a bias of zeros. */
    static void addMask(Evaluation in, Tensor mask, double[] bias, int b, int h, int s, int t) {
        Shape m = mask.shape();
        in.require(m.rank() >= 1 && m.rank() <= 4, "the mask has shape " + m);
        long last = m.dim(-1);
        // A last axis of one broadcasts only when it is not a short mask of one key.
        long width = last == 1 ? t : Math.min(last, t);
        in.require(last <= t, "the mask has shape " + m + " but there are " + t + " keys");
        Shape to = Shape.of(b, h, s, width);
        in.require(Broadcast.shape(m, to).equals(to), "the mask of shape " + m + " does not broadcast to " + to);
        if (width < t) {
            Arrays.fill(bias, Double.NEGATIVE_INFINITY);
        }
        boolean logical = mask.type() == DataType.BOOL;
        double[] v = mask.toDoubleArray();
        Broadcast.forEach(to, new Shape[] {m}, (o, i) -> {
            double x = v[(int) i[0]];
            bias[(int) (o / width * t + o % width)] = logical ? (x != 0 ? 0 : Double.NEGATIVE_INFINITY) : x;
        });
    }
}
