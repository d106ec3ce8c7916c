package dev.tenon.internal.op;

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
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Sums, averages, or takes the extreme of what the trees of an ensemble say of each row.
 * Inputs   x [N, F]: float.    Output y [N, targets], x's type.
 * Rules    ids point into the node and leaf lists; no tree has a cycle; features lie in [0, F).
 * Source   ONNX ai.onnx.ml TreeEnsemble-5.
 */
public record TreeEnsemble(
        Aggregate aggregate,
        PostTransform post,
        long targets,
        List<Long> roots,
        List<Branch> nodes,
        List<Long> leafTargets,
        List<Double> leafWeights)
        implements Op {
    /** How the leaves of one target become one number. */
    public enum Aggregate {
        AVERAGE,
        SUM,
        MIN,
        MAX
    }

    /** What is done with a row of numbers at the end. */
    public enum PostTransform {
        NONE,
        SOFTMAX,
        LOGISTIC,
        SOFTMAX_ZERO,
        PROBIT
    }

    /** A comparison of a feature. */
    public enum Test {
        LEQ,
        LT,
        GTE,
        GT,
        EQ,
        NEQ,
        MEMBER
    }

    /**
     * An inner node.
     *
     * @param members the set of a MEMBER test
     * @param missingIsTrue where NaN goes
     */
    public record Branch(
            Test test,
            int feature,
            double split,
            List<Double> members,
            boolean missingIsTrue,
            int ifTrue,
            boolean trueIsLeaf,
            int ifFalse,
            boolean falseIsLeaf) {
        boolean passes(double v) {
            if (Double.isNaN(v) && missingIsTrue) {
                return true;
            }
            return switch (test) {
                case LEQ -> v <= split;
                case LT -> v < split;
                case GTE -> v >= split;
                case GT -> v > split;
                case EQ -> v == split;
                case NEQ -> v != split;
                case MEMBER -> members.contains(v);
            };
        }
    }

    static final List<OpSpec> SPECS =
            List.of(new OpSpec("ai.onnx.ml", "TreeEnsemble", 5, Integer.MAX_VALUE, TreeEnsemble::read));

    private static TreeEnsemble read(OnnxNode n) {
        List<Long> features = n.integers("nodes_featureids");
        int count = features.size();
        Tensor modes = n.tensor("nodes_modes").orElseThrow(() -> n.error("attribute 'nodes_modes' is missing"));
        Tensor splits = n.tensor("nodes_splits").orElseThrow(() -> n.error("attribute 'nodes_splits' is missing"));
        Tensor weights = n.tensor("leaf_weights").orElseThrow(() -> n.error("attribute 'leaf_weights' is missing"));
        List<Long> leafTargets = n.integers("leaf_targetids");
        List<Long> ifTrue = sized(n, "nodes_truenodeids", count);
        List<Long> ifFalse = sized(n, "nodes_falsenodeids", count);
        List<Long> trueLeafs = sized(n, "nodes_trueleafs", count);
        List<Long> falseLeafs = sized(n, "nodes_falseleafs", count);
        List<Long> missing = n.has("nodes_missing_value_tracks_true")
                ? sized(n, "nodes_missing_value_tracks_true", count)
                : Collections.nCopies(count, 0L);
        if (modes.size() != count || splits.size() != count || weights.size() != leafTargets.size()) {
            throw n.error("the attributes of nodes or leaves have different lengths");
        }
        Iterator<List<Double>> sets = sets(n.tensor("membership_values")).iterator();
        List<Branch> nodes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long mode = modes.getLong(i);
            if (mode < 0 || mode >= Test.values().length) {
                throw n.error("node mode " + mode + " is not known");
            }
            Test test = Test.values()[(int) mode];
            if (test == Test.MEMBER && !sets.hasNext()) {
                throw n.error("membership_values has too few sets");
            }
            boolean trueIsLeaf = trueLeafs.get(i) != 0;
            boolean falseIsLeaf = falseLeafs.get(i) != 0;
            nodes.add(new Branch(
                    test,
                    id(n, features.get(i), Integer.MAX_VALUE),
                    splits.getDouble(i),
                    test == Test.MEMBER ? sets.next() : List.of(),
                    missing.get(i) != 0,
                    id(n, ifTrue.get(i), trueIsLeaf ? leafTargets.size() : count),
                    trueIsLeaf,
                    id(n, ifFalse.get(i), falseIsLeaf ? leafTargets.size() : count),
                    falseIsLeaf));
        }
        long targets = n.integer("n_targets", 1);
        leafTargets.forEach(t -> id(n, t, targets));
        List<Long> roots = n.integers("tree_roots");
        roots.forEach(r -> id(n, r, count));
        return new TreeEnsemble(
                Aggregate.values()[id(n, n.integer("aggregate_function", 1), Aggregate.values().length)],
                PostTransform.values()[id(n, n.integer("post_transform", 0), PostTransform.values().length)],
                targets,
                roots,
                List.copyOf(nodes),
                leafTargets,
                Arrays.stream(weights.toDoubleArray()).boxed().toList());
    }

    private static List<Long> sized(OnnxNode n, String name, int count) {
        List<Long> v = n.integers(name);
        if (v.size() != count) {
            throw n.error("attribute '" + name + "' has " + v.size() + " values; expected " + count);
        }
        return v;
    }

    private static int id(OnnxNode n, long id, long count) {
        if (id < 0 || id >= count) {
            throw n.error("id " + id + " is outside [0, " + count + ")");
        }
        return (int) id;
    }

    /** Sets one after another, each ended by NaN. */
    private static List<List<Double>> sets(Optional<Tensor> values) {
        List<List<Double>> sets = new ArrayList<>();
        List<Double> open = new ArrayList<>();
        for (double v : values.isPresent() ? values.get().toDoubleArray() : new double[0]) {
            if (Double.isNaN(v)) {
                sets.add(List.copyOf(open));
                open.clear();
            } else {
                open.add(v);
            }
        }
        if (!open.isEmpty()) {
            sets.add(List.copyOf(open));
        }
        return sets;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "x has element type " + in.dtype(0));
        SymbolicShape x = in.shape(0).isRanked() ? in.shape(0) : SymbolicShape.ofRank(2);
        in.require(x.rank() == 2, "x has shape " + x + "; expected [N, F]");
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(x.dim(0), Dim.of(targets))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        in.require(x.shape().rank() == 2, "x has shape " + x.shape() + "; expected [N, F]");
        int features = (int) x.shape().dim(1);
        Tensor y = Limits.allocate(in, x.type(), x.shape().dim(0), targets);
        double[] v = x.toDoubleArray();
        for (int row = 0; row < x.shape().dim(0); row++) {
            double[] out = new double[Limits.arrayLength(in, targets)];
            boolean[] seen = new boolean[out.length];
            for (long root : roots) {
                int leaf = leaf(in, (int) root, v, row * features, features);
                int target = (int) (long) leafTargets.get(leaf);
                double w = leafWeights.get(leaf);
                out[target] = !seen[target]
                        ? w
                        : switch (aggregate) {
                            case SUM, AVERAGE -> out[target] + w;
                            case MIN -> Math.min(out[target], w);
                            case MAX -> Math.max(out[target], w);
                        };
                seen[target] = true;
            }
            finish(out);
            for (int t = 0; t < out.length; t++) {
                y.setDouble((long) row * out.length + t, out[t]);
            }
        }
        return List.of(y);
    }

    private int leaf(Evaluation in, int root, double[] v, int at, int features) {
        int id = root;
        for (int steps = 0; steps <= nodes.size(); steps++) {
            Branch b = nodes.get(id);
            in.require(b.feature < features, "feature " + b.feature + " is beyond the " + features + " of x");
            boolean yes = b.passes(v[at + b.feature]);
            id = yes ? b.ifTrue : b.ifFalse;
            if (yes ? b.trueIsLeaf : b.falseIsLeaf) {
                return id;
            }
        }
        throw in.error("a tree has a cycle");
    }

    private void finish(double[] out) {
        if (aggregate == Aggregate.AVERAGE) {
            for (int i = 0; i < out.length; i++) {
                out[i] /= roots.size();
            }
        }
        switch (post) {
            case NONE -> {}
            case LOGISTIC -> {
                for (int i = 0; i < out.length; i++) {
                    out[i] = 1 / (1 + Math.exp(-out[i]));
                }
            }
            case PROBIT -> {
                for (int i = 0; i < out.length; i++) {
                    out[i] = Probit.inverseNormal(out[i]);
                }
            }
            case SOFTMAX, SOFTMAX_ZERO -> softmax(out, post == PostTransform.SOFTMAX_ZERO);
        }
    }

    /** @param keepZeros scores of exactly zero stay zero and do not take part */
    private static void softmax(double[] v, boolean keepZeros) {
        double most = Arrays.stream(v).max().orElse(0);
        double sum = 0;
        for (int i = 0; i < v.length; i++) {
            v[i] = keepZeros && v[i] == 0 ? 0 : Math.exp(v[i] - most);
            sum += v[i];
        }
        for (int i = 0; i < v.length && sum != 0; i++) {
            v[i] /= sum;
        }
    }
}
