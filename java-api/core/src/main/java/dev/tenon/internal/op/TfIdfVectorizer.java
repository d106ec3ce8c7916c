package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Counts n-grams of a vocabulary, with up to {@code maxSkip} tokens left out between neighbours, and weighs the counts.
 * Inputs   x [C] or [B, C]: STRING, INT32 or INT64.    Output FLOAT32 [K] or [B, K], K the largest index plus one.
 * Rules    {@code starts} rises within the pool; as many indices (and weights) as n-grams.
 * Source   ONNX TfIdfVectorizer-9.
 *
 * @param starts where the 1-grams, 2-grams... begin in the pool
 * @param pool the n-grams one after another, numbers as text
 */
public record TfIdfVectorizer(
        Mode mode,
        boolean text,
        int minLength,
        int maxLength,
        int maxSkip,
        List<Long> starts,
        List<String> pool,
        List<Long> indices,
        List<Float> weights)
        implements Op {
    /** What an output element is. */
    public enum Mode {
        /** The count. */
        TF,
        /** The weight of what occurs. */
        IDF,
        /** The count times the weight. */
        TFIDF
    }

    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("TfIdfVectorizer", TfIdfVectorizer::read));

    private static TfIdfVectorizer read(OnnxNode n) {
        Mode mode = switch (n.requireText("mode")) {
            case "TF" -> Mode.TF;
            case "IDF" -> Mode.IDF;
            case "TFIDF" -> Mode.TFIDF;
            default -> throw n.error("mode '" + n.requireText("mode") + "' is not known");
        };
        boolean text = n.has("pool_strings");
        List<String> pool = text
                ? n.texts("pool_strings")
                : n.integers("pool_int64s").stream().map(String::valueOf).toList();
        TfIdfVectorizer op = new TfIdfVectorizer(
                mode,
                text,
                n.int32("min_gram_length", 1),
                n.int32("max_gram_length", 1),
                n.int32("max_skip_count", 0),
                n.integers("ngram_counts"),
                pool,
                n.integers("ngram_indexes"),
                n.reals("weights"));
        op.check(n);
        return op;
    }

    private void check(OnnxNode n) {
        if (minLength < 1 || maxLength < minLength || maxLength > starts.size() || maxSkip < 0) {
            throw n.error("n-grams of " + minLength + " to " + maxLength + " with " + maxSkip + " skips and "
                    + starts.size() + " starts do not fit");
        }
        long grams = 0;
        for (int i = 0; i < starts.size(); i++) {
            long end = i + 1 < starts.size() ? starts.get(i + 1) : pool.size();
            if (starts.get(i) < 0 || end > pool.size() || end < starts.get(i) || (end - starts.get(i)) % (i + 1) != 0) {
                throw n.error("ngram_counts " + starts + " do not fit a pool of " + pool.size());
            }
            grams += (end - starts.get(i)) / (i + 1);
        }
        if (indices.size() != grams || !weights.isEmpty() && weights.size() != grams) {
            throw n.error("there are " + grams + " n-grams but " + indices.size() + " indices and " + weights.size()
                    + " weights");
        }
        if (indices.stream().anyMatch(i -> i < 0 || i > Integer.MAX_VALUE - 16)) {
            throw n.error("an index of ngram_indexes is out of range");
        }
    }

    private long width() {
        return indices.stream().mapToLong(Long::longValue).max().orElse(-1) + 1;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(
                text ? in.dtype(0) == DataType.STRING : in.dtype(0).isInteger(),
                "x has element type " + in.dtype(0) + ", which the pool has not");
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(DataType.FLOAT32));
        }
        in.require(x.rank() == 1 || x.rank() == 2, "x has shape " + x + "; expected [C] or [B, C]");
        return List.of(new TensorType(DataType.FLOAT32, x.withDim(-1, Dim.of(width()))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        in.require(rank == 1 || rank == 2, "x has shape " + x.shape() + "; expected [C] or [B, C]");
        int width = (int) width();
        int rows = rank == 1 ? 1 : (int) x.shape().dim(0);
        int columns = (int) x.shape().dim(-1);
        Tensor y = rank == 1
                ? Limits.allocate(in, DataType.FLOAT32, width)
                : Limits.allocate(in, DataType.FLOAT32, rows, width);
        Map<List<String>, Integer> grams = vocabulary();
        for (int r = 0; r < rows; r++) {
            List<String> tokens = new ArrayList<>();
            for (int c = 0; c < columns; c++) {
                long at = (long) r * columns + c;
                tokens.add(text ? x.getString(at) : Long.toString(x.getLong(at)));
            }
            for (int length = minLength; length <= maxLength; length++) {
                // A single token has no neighbour to skip.
                int most = length == 1 ? 0 : maxSkip;
                for (long step = 1; step <= most + 1L && (length - 1) * step < columns; step++) {
                    Evaluation.checkCancelled();
                    count(tokens, length, (int) step, grams, y, (long) r * width);
                }
            }
        }
        return List.of(y);
    }

    private void count(List<String> tokens, int length, int step, Map<List<String>, Integer> grams, Tensor y, long at) {
        for (int i = 0; i + (length - 1) * step < tokens.size(); i++) {
            List<String> gram = new ArrayList<>(length);
            for (int k = 0; k < length; k++) {
                gram.add(tokens.get(i + k * step));
            }
            Integer id = grams.get(gram);
            if (id == null) {
                continue;
            }
            float weight = mode == Mode.TF || weights.isEmpty() ? 1 : weights.get(id);
            long to = at + indices.get(id);
            y.setDouble(to, mode == Mode.IDF ? weight : y.getDouble(to) + weight);
        }
    }

    private Map<List<String>, Integer> vocabulary() {
        Map<List<String>, Integer> grams = new HashMap<>();
        int id = 0;
        for (int i = 0; i < starts.size(); i++) {
            int end = Math.toIntExact(i + 1 < starts.size() ? starts.get(i + 1) : pool.size());
            for (int at = (int) (long) starts.get(i); at < end; at += i + 1) {
                grams.put(pool.subList(at, at + i + 1), id++);
            }
        }
        return grams;
    }
}
