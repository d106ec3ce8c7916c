package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Concat;
import dev.tenon.internal.op.FusedMatMul;
import dev.tenon.internal.op.Recurrent;
import dev.tenon.internal.op.RecurrentSteps;
import dev.tenon.internal.op.Split;
import dev.tenon.internal.op.Squeeze;
import dev.tenon.internal.op.Transpose;
import dev.tenon.internal.op.Unsqueeze;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites  LSTM(x, w, r, b, ...) and GRU likewise  ->  RecurrentSteps(FusedMatMul(x, w^T, b), r, ...)  for each direction: the
 * products of the input do not wait for one another, so they become one for all steps. Needs default activations and constant
 * weights.
 */
final class LowerRecurrent implements Rule {
    @Override
    public String name() {
        return "lower-recurrent";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        if (!(n.op() instanceof Recurrent layer)
                || layer.cell() == Recurrent.Cell.RNN
                || !layer.isStandard()
                || !Patterns.isFloat32(n.input(0))) {
            return Optional.empty();
        }
        Tensor w = matrix(g, n.input(1));
        Tensor r = matrix(g, n.input(2));
        Tensor b = matrix(g, n.input(3));
        Tensor p = matrix(g, n.input(7));
        boolean constant = w != null && r != null && (!n.hasInput(3) || b != null) && (!n.hasInput(7) || p != null);
        if (!constant || w.shape().rank() != 3 || r.shape().rank() != 3) {
            return Optional.empty();
        }
        return Optional.of(new Lowering(n, layer, context, w, r, b, p).patch());
    }

    private static @Nullable Tensor matrix(Graph g, Value v) {
        Tensor t = g.constant(v).orElse(null);
        return t == null || t.isPacked() ? null : t;
    }

    /** The rewrite of one layer. */
    private static final class Lowering {
        private final Node n;
        private final Recurrent layer;
        private final PassContext context;
        private final Tensor w;
        private final Tensor r;
        private final @Nullable Tensor b;
        private final @Nullable Tensor p;
        private final Patch patch;
        private final int directions;
        private final String name;

        Lowering(
                Node n,
                Recurrent layer,
                PassContext context,
                Tensor w,
                Tensor r,
                @Nullable Tensor b,
                @Nullable Tensor p) {
            this.n = n;
            this.layer = layer;
            this.context = context;
            this.w = w;
            this.r = r;
            this.b = b;
            this.p = p;
            this.patch = Patch.of(n);
            this.directions = layer.direction().count();
            this.name = n.outputs().stream()
                    .filter(v -> !v.isAbsent())
                    .findFirst()
                    .map(Value::name)
                    .orElse("recurrent");
        }

        Patch patch() {
            Value x = n.input(0);
            SymbolicShape shape = Patterns.shape(x).isRanked() ? Patterns.shape(x) : SymbolicShape.ofRank(3);
            if (layer.batchFirst()) {
                shape = SymbolicShape.of(shape.dim(1), shape.dim(0), shape.dim(2));
                x = patch.node(name + "_x", type(shape), new Transpose(List.of(1L, 0L, 2L)), x);
            }
            Dim batch = shape.dim(1);
            Dim hidden = Dim.of(r.shape().dim(2));
            List<Value> h0 = states("_h0", n.input(5), batch, hidden);
            List<Value> c0 = states("_c0", n.input(6), batch, hidden);
            List<List<Value>> results = new ArrayList<>();
            for (int d = 0; d < directions; d++) {
                results.add(direction(d, x, shape.dim(0), batch, hidden, h0, c0));
            }
            for (int i = 0; i < n.outputs().size(); i++) {
                if (!n.output(i).isAbsent()) {
                    int output = i;
                    join(n.output(i), results.stream().map(v -> v.get(output)).toList());
                }
            }
            return patch;
        }

        /** The outputs of one direction, without its axis. */
        private List<Value> direction(
                int d, Value x, Dim steps, Dim batch, Dim hidden, List<Value> h0, List<Value> c0) {
            boolean lstm = layer.cell() == Recurrent.Cell.LSTM;
            String at = at(d);
            Dim rows = Dim.of(w.shape().dim(1));
            Tensor bias = b == null ? null : part(b, d);
            Tensor first = bias == null ? null : lstm ? sumOfHalves(bias) : half(bias, 0);
            Value gates = patch.node(
                    at + "_gates",
                    type(SymbolicShape.of(steps, batch, rows)),
                    new FusedMatMul(false, true, 1, false, Optional.empty()),
                    x,
                    patch.constant(at + "_w", part(w, d)),
                    constant(at + "_b", first));
            List<Value> out = new ArrayList<>();
            for (int i = 0; i < (lstm ? 3 : 2); i++) {
                SymbolicShape s = i == 0 ? SymbolicShape.of(steps, batch, hidden) : SymbolicShape.of(batch, hidden);
                out.add(n.output(i).isAbsent() ? Value.ABSENT : new Value(at + "_" + i, type(s)));
            }
            boolean reverse = d == 1 || layer.direction() == Recurrent.Direction.REVERSE;
            patch.add(new Node(
                    new RecurrentSteps(layer.cell(), reverse),
                    List.of(
                            gates,
                            patch.constant(at + "_r", part(r, d)),
                            constant(at + "_rb", bias == null || lstm ? null : half(bias, 1)),
                            n.input(4),
                            h0.get(d),
                            c0.get(d),
                            constant(at + "_p", p == null ? null : part(p, d))),
                    out,
                    patch.origin()));
            return out;
        }

        /** An initial state of each direction. */
        private List<Value> states(String what, Value all, Dim batch, Dim hidden) {
            if (all.isAbsent()) {
                return Collections.nCopies(directions, Value.ABSENT);
            }
            int axis = layer.batchFirst() ? 1 : 0;
            List<Value> parts = List.of(all);
            if (directions > 1) {
                List<Dim> dims = new ArrayList<>(List.of(batch, hidden));
                dims.add(axis, Dim.of(1));
                TensorType wide = type(SymbolicShape.of(dims));
                parts = List.of(
                        new Value(name + "_0" + what + "_wide", wide), new Value(name + "_1" + what + "_wide", wide));
                Value sizes = patch.constant(name + what + "_sizes", longs(Shape.of(2), 1));
                patch.add(new Node(new Split(axis, 2), List.of(all, sizes), parts, patch.origin()));
            }
            Value axes = patch.constant(name + what + "_axes", longs(Shape.of(1), axis));
            List<Value> out = new ArrayList<>();
            for (int d = 0; d < directions; d++) {
                out.add(patch.node(
                        at(d) + what, type(SymbolicShape.of(batch, hidden)), new Squeeze(), parts.get(d), axes));
            }
            return out;
        }

        private String at(int d) {
            return name + (directions == 1 ? "" : "_" + d);
        }

        /** Puts the axis of directions in: {@code old} of the parts. */
        private void join(Value old, List<Value> parts) {
            boolean sequence = Patterns.shape(parts.getFirst()).rank() == 3;
            int axis = sequence ? (layer.batchFirst() ? 2 : 1) : (layer.batchFirst() ? 1 : 0);
            boolean transposed = sequence && layer.batchFirst();
            List<Value> wide = new ArrayList<>();
            for (Value v : parts) {
                List<Dim> dims = new ArrayList<>(Patterns.shape(v).dims());
                dims.add(axis, Dim.of(1));
                Value axes = patch.constant(v.name() + "_axes", longs(Shape.of(1), axis));
                if (directions == 1 && !transposed) {
                    patch.replace(old, new Unsqueeze(), v, axes);
                    return;
                }
                wide.add(patch.node(v.name() + "_wide", type(SymbolicShape.of(dims)), new Unsqueeze(), v, axes));
            }
            if (!transposed) {
                patch.replace(old, new Concat(axis), wide);
                return;
            }
            Value y = wide.getFirst();
            if (directions > 1) {
                SymbolicShape s = Patterns.shape(y).withDim(axis, Dim.of(directions));
                y = patch.node(old.name() + "_steps", type(s), new Concat(axis), wide.toArray(Value[]::new));
            }
            patch.replace(old, new Transpose(List.of(1L, 0L, 2L, 3L)), y);
        }

        private Value constant(String at, @Nullable Tensor t) {
            return t == null ? Value.ABSENT : patch.constant(at, t);
        }

        private Tensor longs(Shape shape, long value) {
            Tensor t = Tensor.allocate(context.constants(), DataType.INT64, shape);
            for (long i = 0; i < t.size(); i++) {
                t.setLong(i, value);
            }
            return t;
        }

        /** What of a weight belongs to direction d, in the same memory. */
        private Tensor part(Tensor all, int d) {
            long[] dims = all.shape().dims();
            long[] rest = java.util.Arrays.copyOfRange(dims, 1, dims.length);
            Shape shape = Shape.of(rest);
            return piece(all, shape.elements() * d, shape);
        }

        private static Tensor half(Tensor bias, int i) {
            long size = bias.size() / 2;
            return piece(bias, size * i, Shape.of(size));
        }

        private static Tensor piece(Tensor t, long from, Shape shape) {
            long bytes = t.type().byteSize(1);
            return Tensor.of(t.segment().asSlice(from * bytes, shape.elements() * bytes), t.type(), shape);
        }

        private Tensor sumOfHalves(Tensor bias) {
            long size = bias.size() / 2;
            Tensor sum = Tensor.allocate(context.constants(), DataType.FLOAT32, Shape.of(size));
            for (long i = 0; i < size; i++) {
                sum.setDouble(i, bias.getDouble(i) + bias.getDouble(size + i));
            }
            return sum;
        }

        private static TensorType type(SymbolicShape shape) {
            return new TensorType(DataType.FLOAT32, shape);
        }
    }
}
