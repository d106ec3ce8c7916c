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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Recurrent layers over a sequence, in one direction or both.
 * Inputs   x [S, B, I]; w [D, G H, I]; r [D, G H, H]; b [D, 2 G H] or absent; INT32 [B] sequence lengths or absent; initial h
 *          [D, B, H] or absent; for LSTM initial c likewise and peepholes p [D, 3 H]. D is 1 or 2, G the cell's gates.
 * Outputs  y [S, D, B, H]; last h [D, B, H]; for LSTM last c. If {@code batchFirst}: x [B, S, I], y [B, S, D, H], states
 *          [B, D, H].
 * Rules    shapes fit; lengths lie in [0, S]; steps beyond a sample's length give zeros and keep its state.
 * Numerics the reference computes in double.
 * Source   ONNX RNN-22, GRU-22, LSTM-22.
 *
 * @param activations one list a direction
 * @param clip bound for what goes into activations; 0 for none
 * @param linearBeforeReset GRU: apply the reset gate after the recurrent product
 * @param coupled LSTM: the forget gate is one minus the input gate
 */
public record Recurrent(
        Cell cell,
        Direction direction,
        long hiddenSize,
        List<Activation> activations,
        float clip,
        boolean linearBeforeReset,
        boolean coupled,
        boolean batchFirst)
        implements Op {
    /** The kind of layer. */
    public enum Cell {
        RNN(1, "Tanh"),
        GRU(3, "Sigmoid", "Tanh"),
        LSTM(4, "Sigmoid", "Tanh", "Tanh");

        private final int gates;
        final List<String> activations;

        Cell(int gates, String... activations) {
            this.gates = gates;
            this.activations = List.of(activations);
        }

        /** Gates, of which each has rows in w and r. */
        public int gates() {
            return gates;
        }
    }

    /** The layer as most models have it: default activations, no clipping, resets after the product. */
    public static Recurrent standard(Cell cell, Direction direction, long hiddenSize) {
        List<Activation> activations = new ArrayList<>();
        for (int d = 0; d < direction.count(); d++) {
            cell.activations.forEach(a -> activations.add(new Activation(a.toLowerCase(Locale.ROOT), 0, 0)));
        }
        return new Recurrent(cell, direction, hiddenSize, List.copyOf(activations), 0, true, false, false);
    }

    /** True if this is {@link #standard}, whatever the order of its axes. */
    public boolean isStandard() {
        return clip == 0
                && !coupled
                && (linearBeforeReset || cell != Cell.GRU)
                && activations.equals(standard(cell, direction, hiddenSize).activations);
    }

    /** The order of the steps. */
    public enum Direction {
        FORWARD,
        REVERSE,
        BIDIRECTIONAL;

        public int count() {
            return this == BIDIRECTIONAL ? 2 : 1;
        }
    }

    /** A gate's activation with its parameters. */
    public record Activation(String name, float alpha, float beta) {
        double apply(double x) {
            return switch (name) {
                case "relu" -> Math.max(0, x);
                case "tanh" -> Math.tanh(x);
                case "sigmoid" -> 1 / (1 + Math.exp(-x));
                case "affine" -> alpha * x + beta;
                case "leakyrelu" -> x < 0 ? alpha * x : x;
                case "thresholdedrelu" -> x >= alpha ? x : 0;
                case "scaledtanh" -> alpha * Math.tanh(beta * x);
                case "hardsigmoid" -> Math.min(Math.max(alpha * x + beta, 0), 1);
                case "elu" -> x >= 0 ? x : alpha * Math.expm1(x);
                case "softsign" -> x / (1 + Math.abs(x));
                case "softplus" -> x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
                default -> throw new IllegalStateException(name);
            };
        }
    }

    private record Defaults(boolean alpha, float alphaValue, boolean beta, float betaValue) {}

    private static final Map<String, Defaults> KNOWN = Map.ofEntries(
            Map.entry("relu", new Defaults(false, 0, false, 0)),
            Map.entry("tanh", new Defaults(false, 0, false, 0)),
            Map.entry("sigmoid", new Defaults(false, 0, false, 0)),
            Map.entry("softsign", new Defaults(false, 0, false, 0)),
            Map.entry("softplus", new Defaults(false, 0, false, 0)),
            Map.entry("affine", new Defaults(true, 1, true, 0)),
            Map.entry("leakyrelu", new Defaults(true, 0.01f, false, 0)),
            Map.entry("thresholdedrelu", new Defaults(true, 1, false, 0)),
            Map.entry("scaledtanh", new Defaults(true, 1, true, 1)),
            Map.entry("hardsigmoid", new Defaults(true, 0.2f, true, 0.5f)),
            Map.entry("elu", new Defaults(true, 1, false, 0)));

    static final List<OpSpec> SPECS = Arrays.stream(Cell.values())
            .map(c -> OpSpec.onnx(c.name(), n -> read(n, c)))
            .toList();

    private static Recurrent read(OnnxNode n, Cell cell) {
        Direction direction = switch (n.text("direction", "forward").toLowerCase(Locale.ROOT)) {
            case "forward" -> Direction.FORWARD;
            case "reverse" -> Direction.REVERSE;
            case "bidirectional" -> Direction.BIDIRECTIONAL;
            default -> throw n.error("direction '" + n.text("direction", "") + "' is not known");
        };
        long hidden = n.integer("hidden_size", 0);
        if (hidden < 0) {
            throw n.error("hidden_size is " + hidden);
        }
        return new Recurrent(
                cell,
                direction,
                hidden,
                activations(n, cell, direction),
                n.real("clip", 0),
                n.flag("linear_before_reset", false),
                n.flag("input_forget", false),
                n.flag("layout", false));
    }

    private static List<Activation> activations(OnnxNode n, Cell cell, Direction direction) {
        List<String> names = new ArrayList<>(n.texts("activations"));
        int expected = cell.activations.size() * direction.count();
        while (names.size() < expected && !n.has("activations")) {
            names.addAll(cell.activations);
        }
        if (names.size() != expected) {
            throw n.error("there are " + names.size() + " activations; expected " + expected);
        }
        Iterator<Float> alphas = n.reals("activation_alpha").iterator();
        Iterator<Float> betas = n.reals("activation_beta").iterator();
        List<Activation> out = new ArrayList<>();
        for (String name : names) {
            String key = name.toLowerCase(Locale.ROOT);
            Defaults d = KNOWN.get(key);
            if (d == null) {
                throw n.error("activation '" + name + "' is not known");
            }
            out.add(new Activation(
                    key,
                    d.alpha && alphas.hasNext() ? alphas.next() : d.alphaValue,
                    d.beta && betas.hasNext() ? betas.next() : d.betaValue));
        }
        return List.copyOf(out);
    }

    @Override
    public String name() {
        return cell.name();
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType type = in.dtype(0);
        in.require(
                type.isFloat() && in.dtype(1) == type && in.dtype(2) == type, "x, w and r must be floats of one type");
        SymbolicShape x = ranked(in, 0);
        SymbolicShape w = ranked(in, 1);
        SymbolicShape r = ranked(in, 2);
        Dim hidden = hiddenSize > 0 ? Dim.of(hiddenSize) : r.dim(2);
        if (hidden instanceof Dim.Known(long h)) {
            in.require(r.size(2) < 0 || r.size(2) == h, "r has shape " + r + " but the hidden size is " + h);
            for (SymbolicShape s : List.of(w, r)) {
                in.require(
                        s.size(1) < 0 || s.size(1) == Math.multiplyExact((long) cell.gates, h),
                        "w and r have shapes " + w + " and " + r + "; expected " + cell.gates * h + " rows");
            }
        }
        int d = direction.count();
        in.require((w.size(0) < 0 || w.size(0) == d) && (r.size(0) < 0 || r.size(0) == d), "w or r lacks a direction");
        in.require(x.size(2) < 0 || w.size(2) < 0 || x.size(2) == w.size(2), "x of shape " + x + " does not fit w");
        Dim steps = x.dim(batchFirst ? 1 : 0);
        Dim batch = x.dim(batchFirst ? 0 : 1);
        SymbolicShape y = batchFirst
                ? SymbolicShape.of(batch, steps, Dim.of(d), hidden)
                : SymbolicShape.of(steps, Dim.of(d), batch, hidden);
        Dim[] state = batchFirst ? new Dim[] {batch, Dim.of(d), hidden} : new Dim[] {Dim.of(d), batch, hidden};
        SymbolicShape last = SymbolicShape.of(state);
        in.requireShape(3, type, Dim.of(d), times(2L * cell.gates, hidden));
        in.requireShape(4, DataType.INT32, batch);
        in.requireShape(5, type, state);
        if (cell == Cell.LSTM) {
            in.requireShape(6, type, state);
            in.requireShape(7, type, Dim.of(d), times(3, hidden));
        } else {
            in.require(!in.has(6) && !in.has(7), "only an LSTM has an initial c and peepholes");
        }
        List<ValueType> out = new ArrayList<>(List.of(new TensorType(type, y), new TensorType(type, last)));
        if (cell == Cell.LSTM) {
            out.add(new TensorType(type, last));
        }
        return out;
    }

    static Dim times(long factor, Dim d) {
        return d instanceof Dim.Known(long size) ? Dim.of(Math.multiplyExact(factor, size)) : Dim.unknown();
    }

    private static SymbolicShape ranked(Inference in, int i) {
        SymbolicShape s = in.shape(i).isRanked() ? in.shape(i) : SymbolicShape.ofRank(3);
        in.require(s.rank() == 3, "input " + i + " has rank " + s.rank() + "; expected 3");
        return s;
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        return new RecurrentRun(this, in).run();
    }
}
