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
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Sums of products over named axes:  {@code ij,jk->ik} is the matrix product.
 * Inputs   one or more, numeric, one type.    Output y: that type.
 * Rules    the equation names each axis of each input by a letter; {@code ...} stands for any axes, which broadcast; a letter
 *          has one size (or 1) everywhere.  Without {@code ->} the result has the ellipsis, then letters named once, sorted.
 * Numerics the reference accumulates in double (integers in long).
 * Source   ONNX Einsum-12.
 */
public record Einsum(String equation) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Einsum", n -> {
        Einsum e = new Einsum(n.requireText("equation").replace(" ", ""));
        String wrong = e.problem(n.inputCount());
        if (!wrong.isEmpty()) {
            throw n.error("equation '" + e.equation + "': " + wrong);
        }
        return e;
    }));

    private static final String ELLIPSIS = "...";

    @Override
    public OpTrait trait() {
        return OpTrait.CONTRACTION;
    }

    /** What is wrong with the equation; empty if nothing is. */
    private String problem(int inputs) {
        int arrow = equation.indexOf("->");
        if (arrow >= 0 && equation.indexOf("->", arrow + 2) >= 0) {
            return "more than one '->'";
        }
        if (terms().size() != inputs) {
            return terms().size() + " terms for " + inputs + " inputs";
        }
        List<String> all = new ArrayList<>(terms());
        if (arrow >= 0) {
            all.add(equation.substring(arrow + 2));
        }
        for (String t : all) {
            String letters = t.replaceFirst("\\.\\.\\.", "");
            if (!letters.chars().allMatch(c -> (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
                return "term '" + t + "' has other characters than letters and one '...'";
            }
        }
        if (arrow >= 0) {
            String out = equation.substring(arrow + 2).replace(ELLIPSIS, "");
            if (out.chars().distinct().count() != out.length()) {
                return "the result names an axis twice";
            }
            if (!out.chars().allMatch(c -> terms().stream().anyMatch(t -> t.indexOf(c) >= 0))) {
                return "the result names an axis that no term has";
            }
        }
        return "";
    }

    private List<String> terms() {
        int arrow = equation.indexOf("->");
        return List.of((arrow < 0 ? equation : equation.substring(0, arrow)).split(",", -1));
    }

    private String result() {
        int arrow = equation.indexOf("->");
        if (arrow >= 0) {
            return equation.substring(arrow + 2);
        }
        String all = String.join("", terms()).replace(ELLIPSIS, "");
        String once = all.chars()
                .filter(c -> all.indexOf(c) == all.lastIndexOf(c))
                .sorted()
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        return (terms().stream().anyMatch(t -> t.contains(ELLIPSIS)) ? ELLIPSIS : "") + once;
    }

    /** Axes of the ellipsis are numbered from the right, below all letters. */
    private static int[] labels(String term, int rank) {
        int dots = term.indexOf(ELLIPSIS);
        int named = dots < 0 ? term.length() : term.length() - ELLIPSIS.length();
        int free = dots < 0 ? 0 : rank - named;
        int[] labels = new int[named + Math.max(0, free)];
        int k = 0;
        for (int i = 0; i < term.length(); i++) {
            if (i == dots) {
                for (int e = 0; e < free; e++) {
                    labels[k++] = free - 1 - e;
                }
                i += ELLIPSIS.length() - 1;
            } else {
                labels[k++] = Shape.MAX_RANK + term.charAt(i);
            }
        }
        return labels;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType type = in.dtype(0);
        in.require(type.isFloat() || type.isInteger(), "not defined for element type " + type);
        Map<Integer, Dim> sizes = new TreeMap<>();
        int free = 0;
        for (int i = 0; i < in.inputCount(); i++) {
            in.require(in.dtype(i) == type, "element types differ");
            if (!in.shape(i).isRanked()) {
                return List.of(new TensorType(
                        type,
                        result().contains(ELLIPSIS)
                                ? SymbolicShape.UNRANKED
                                : SymbolicShape.ofRank(result().length())));
            }
            String term = terms().get(i);
            int[] labels = labels(term, in.shape(i).rank());
            in.require(labels.length == in.shape(i).rank(), "term '" + term + "' does not fit input " + i);
            free = Math.max(free, term.contains(ELLIPSIS) ? labels.length - term.length() + ELLIPSIS.length() : 0);
            for (int d = 0; d < labels.length; d++) {
                Dim own = in.shape(i).dim(d);
                Dim known = sizes.get(labels[d]);
                in.require(
                        known == null || own.is(1) || known.is(1) || !DimMath.clash(known, own),
                        "one axis has sizes " + known + " and " + own);
                sizes.put(
                        labels[d], known == null || known.is(1) ? own : own.is(1) ? known : DimMath.merge(known, own));
            }
        }
        String out = result();
        List<Dim> dims = new ArrayList<>();
        for (int l : labels(out, out.replace(ELLIPSIS, "").length() + (out.contains(ELLIPSIS) ? free : 0))) {
            dims.add(Objects.requireNonNull(sizes.get(l)));
        }
        return List.of(new TensorType(type, SymbolicShape.of(dims)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        int inputs = in.inputCount();
        Map<Integer, Long> sizes = new TreeMap<>();
        int[][] labels = new int[inputs][];
        int free = 0;
        for (int i = 0; i < inputs; i++) {
            Shape s = in.tensor(i).shape();
            String term = terms().get(i);
            labels[i] = labels(term, s.rank());
            in.require(labels[i].length == s.rank(), "term '" + term + "' does not fit input " + i);
            free = Math.max(free, term.contains(ELLIPSIS) ? s.rank() - term.length() + ELLIPSIS.length() : 0);
            for (int d = 0; d < s.rank(); d++) {
                long known = sizes.getOrDefault(labels[i][d], 1L);
                in.require(
                        known == s.dim(d) || known == 1 || s.dim(d) == 1,
                        "one axis has sizes " + known + " and " + s.dim(d));
                sizes.put(labels[i][d], known == 1 ? s.dim(d) : known);
            }
        }
        String out = result();
        int[] outLabels = labels(out, out.replace(ELLIPSIS, "").length() + (out.contains(ELLIPSIS) ? free : 0));
        long[] dims = Arrays.stream(outLabels).mapToLong(sizes::get).toArray();
        Tensor y = Limits.allocate(in, in.tensor(0).type(), dims);
        // All labels: those of the result, then those that are summed.
        List<Integer> order = new ArrayList<>(Arrays.stream(outLabels).boxed().toList());
        sizes.keySet().stream().filter(l -> !order.contains(l)).forEach(order::add);
        long[] grid = order.stream().mapToLong(sizes::get).toArray();
        long[][] strides = new long[inputs][grid.length];
        for (int i = 0; i < inputs; i++) {
            long[] own = in.tensor(i).shape().strides();
            for (int d = 0; d < own.length; d++) {
                if (in.tensor(i).shape().dim(d) != 1) {
                    strides[i][order.indexOf(labels[i][d])] += own[d];
                }
            }
        }
        sum(in, y, Arrays.copyOfRange(grid, outLabels.length, grid.length), grid, strides);
        return List.of(y);
    }

    private static void sum(Evaluation in, Tensor y, long[] summed, long[] grid, long[][] strides) {
        int inputs = strides.length;
        boolean integers = y.type().isInteger();
        double[][] values = new double[inputs][];
        long[][] longs = new long[inputs][];
        for (int i = 0; i < inputs; i++) {
            if (integers) {
                longs[i] = Blocks.longs(in, in.tensor(i));
            } else {
                values[i] = Blocks.doubles(in, in.tensor(i));
            }
        }
        long terms = Limits.shape(in, summed).elements();
        long[] index = new long[grid.length];
        int[] at = new int[inputs];
        for (long o = 0; o < y.size(); o++) {
            double total = 0;
            long totalLong = 0;
            for (long t = 0; t < terms; t++) {
                if (integers) {
                    long p = 1;
                    for (int i = 0; i < inputs; i++) {
                        p *= longs[i][at[i]];
                    }
                    totalLong += p;
                } else {
                    double p = 1;
                    for (int i = 0; i < inputs; i++) {
                        p *= values[i][at[i]];
                    }
                    total += p;
                }
                advance(index, grid, strides, at, grid.length - summed.length);
            }
            if (integers) {
                y.setLong(o, totalLong);
            } else {
                y.setDouble(o, total);
            }
            // The summed axes have run round; the result's move on by one.
            advance(index, Arrays.copyOf(grid, grid.length - summed.length), strides, at, 0);
        }
    }

    /** Moves on by one, row-major, over axes {@code first} to the end of {@code grid}. */
    private static void advance(long[] index, long[] grid, long[][] strides, int[] at, int first) {
        for (int d = grid.length - 1; d >= first; d--) {
            boolean more = ++index[d] < grid[d];
            for (int i = 0; i < at.length; i++) {
                at[i] += (int) (more ? strides[i][d] : -strides[i][d] * (grid[d] - 1));
            }
            if (more) {
                return;
            }
            index[d] = 0;
        }
    }
}
