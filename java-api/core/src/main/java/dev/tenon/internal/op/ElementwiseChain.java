package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A chain of elementwise functions computed in one pass over memory. Made by rewrites.
 * Inputs   {@code inputs} tensors; operand i is input i, operand {@code inputs} + j the result of step j.
 * Output   y: the result of the last step, in the shape to which all inputs broadcast.
 * Rules    a step reads inputs and earlier steps; operands of one step have one type as its function asks.
 * Numerics every step's result is rounded to the step's type, so the chain gives what its steps one by one give.
 */
public record ElementwiseChain(int inputs, List<Step> steps) implements Op {
    /**
     * One function.
     *
     * @param fn a {@link UnaryFn}, {@link BinaryFn}, {@link CompareFn}, {@link LogicalFn}, {@link FloatTestFn} or {@link
     *     ChainFn}
     * @param type the element type of the result
     * @param operands as many as the function takes
     */
    public record Step(Enum<?> fn, DataType type, List<Integer> operands, float alpha, float beta) {
        public Step {
            operands = List.copyOf(operands);
        }
    }

    public ElementwiseChain {
        steps = List.copyOf(steps);
        if (steps.isEmpty()) {
            throw new IllegalArgumentException("a chain needs a step");
        }
        for (int i = 0; i < steps.size(); i++) {
            Step s = steps.get(i);
            for (int o : s.operands()) {
                if (o < 0 || o >= inputs + i) {
                    throw new IllegalArgumentException("step " + i + " reads operand " + o + " before it is there");
                }
            }
            if (s.operands().size() != arity(s.fn())) {
                throw new IllegalArgumentException(
                        "step " + i + " (" + s.fn() + ") has " + s.operands().size() + " operands");
            }
        }
    }

    /** The number of operands that a function takes. @throws IllegalArgumentException if it cannot be in a chain */
    public static int arity(Enum<?> fn) {
        return switch (fn) {
            case UnaryFn _, FloatTestFn _ -> 1;
            case BinaryFn _, CompareFn _, LogicalFn _ -> 2;
            case ChainFn f -> f.arity;
            default -> throw new IllegalArgumentException(fn + " is no elementwise function");
        };
    }

    @Override
    public OpTrait trait() {
        return OpTrait.ELEMENTWISE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.inputCount() == inputs, "the chain has " + inputs + " inputs, the node " + in.inputCount());
        SymbolicShape shape = SymbolicShape.SCALAR;
        for (int i = 0; i < inputs; i++) {
            shape = SymbolicShape.broadcast(shape, in.shape(i));
        }
        return List.of(new TensorType(steps.getLast().type(), shape));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        List<Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < inputs; i++) {
            tensors.add(in.tensor(i));
        }
        Tensor y = Limits.allocate(
                in,
                steps.getLast().type(),
                Broadcast.shape(
                        inputs == 0
                                ? new Shape[] {Shape.scalar()}
                                : tensors.stream().map(Tensor::shape).toArray(Shape[]::new)));
        List<Operand> operands =
                tensors.stream().map(t -> new Operand(t, y.shape())).toList();
        List<Lane> lanes = new ArrayList<>();
        tensors.forEach(t -> lanes.add(new Lane(t.type(), null)));
        // Rounding to 8 and 16 bits goes by way of a tensor of that type.
        steps.forEach(s -> lanes.add(new Lane(
                s.type(),
                s.type() == DataType.FLOAT64 || Blocks.asLongs(s.type()) ? null : in.allocate(s.type(), Blocks.SIZE))));
        for (long i = 0; i < y.size(); i += Blocks.SIZE) {
            int n = (int) Math.min(Blocks.SIZE, y.size() - i);
            for (int k = 0; k < inputs; k++) {
                Lane lane = lanes.get(k);
                if (lane.onLongs()) {
                    operands.get(k).load(i, n, lane.longs);
                } else {
                    operands.get(k).load(i, n, lane.doubles);
                }
            }
            for (int k = 0; k < steps.size(); k++) {
                step(steps.get(k), lanes, lanes.get(inputs + k), n);
            }
            Lane last = lanes.getLast();
            if (last.onLongs()) {
                Blocks.store(y, i, last.longs, 0, n);
            } else {
                Blocks.store(y, i, last.doubles, 0, n);
            }
        }
        return List.of(y);
    }

    /** A block of one operand's elements: longs for integers and booleans, doubles for floats. */
    private static final class Lane {
        final DataType type;
        final @Nullable Tensor rounding;
        final double[] doubles;
        final long[] longs;

        Lane(DataType type, @Nullable Tensor rounding) {
            this.type = type;
            this.rounding = rounding;
            this.doubles = new double[Blocks.SIZE];
            this.longs = new long[Blocks.asLongs(type) ? Blocks.SIZE : 0];
        }

        boolean onLongs() {
            return longs.length > 0;
        }

        /** The elements as doubles whatever the type. */
        double[] asDoubles(int n) {
            if (onLongs()) {
                for (int i = 0; i < n; i++) {
                    long v = longs[i];
                    doubles[i] = v < 0 && type == DataType.UINT64 ? ((v >>> 1) | (v & 1)) * 2.0 : v;
                }
            }
            return doubles;
        }

        void round(int n) {
            if (onLongs()) {
                for (int i = 0; i < n; i++) {
                    longs[i] = Blocks.wrap(type, longs[i]);
                }
            } else if (rounding != null) {
                Blocks.store(rounding, 0, doubles, 0, n);
                Blocks.load(rounding, 0, doubles, 0, n);
            }
        }
    }

    private static void step(Step s, List<Lane> lanes, Lane out, int n) {
        Lane a = lanes.get(s.operands().getFirst());
        Lane b = s.operands().size() > 1 ? lanes.get(s.operands().get(1)) : a;
        switch (s.fn()) {
            case UnaryFn f -> unary(f, s, a, out, n);
            case BinaryFn f -> binary(f, a, b, out, n);
            case CompareFn f -> compare(f, a, b, out, n);
            case LogicalFn f -> {
                for (int i = 0; i < n; i++) {
                    out.longs[i] = f.body.applyAsLong(a.longs[i], b.longs[i]);
                }
            }
            case FloatTestFn f -> {
                for (int i = 0; i < n; i++) {
                    out.longs[i] = f.test(a.doubles[i], s.alpha(), s.beta()) ? 1 : 0;
                }
            }
            case ChainFn f -> {
                if (f == ChainFn.WHERE) {
                    where(a, b, lanes.get(s.operands().get(2)), out, n);
                } else {
                    convert(a, out, n);
                }
            }
            default -> throw new IllegalArgumentException(s.fn() + " is no elementwise function");
        }
        out.round(n);
    }

    private static void unary(UnaryFn f, Step s, Lane a, Lane out, int n) {
        UnaryFn.LongBody onLongs = f.onLongs;
        if (a.onLongs() && onLongs != null) {
            boolean unsigned = a.type.isUnsigned();
            for (int i = 0; i < n; i++) {
                out.longs[i] = onLongs.apply(a.longs[i], unsigned, s.alpha(), s.beta());
            }
            return;
        }
        UnaryFn.Body body = Objects.requireNonNull(f.body);
        double[] x = a.asDoubles(n);
        for (int i = 0; i < n; i++) {
            out.doubles[i] = body.apply(x[i], s.alpha(), s.beta());
        }
        toLongs(out, n);
    }

    private static void binary(BinaryFn f, Lane a, Lane b, Lane out, int n) {
        if (a.onLongs() && b.onLongs()) {
            var onLongs = f.onIntegers(a.type);
            for (int i = 0; i < n; i++) {
                out.longs[i] = onLongs.applyAsLong(a.longs[i], b.longs[i]);
            }
            return;
        }
        var body = Objects.requireNonNull(f.onDoubles);
        double[] x = a.asDoubles(n);
        double[] y = b.asDoubles(n);
        for (int i = 0; i < n; i++) {
            out.doubles[i] = body.applyAsDouble(x[i], y[i]);
        }
        toLongs(out, n);
    }

    private static void compare(CompareFn f, Lane a, Lane b, Lane out, int n) {
        boolean unsigned = a.type.isUnsigned();
        for (int i = 0; i < n; i++) {
            boolean yes = !a.onLongs()
                    ? f.test(a.doubles[i], b.doubles[i])
                    : unsigned ? f.testUnsigned(a.longs[i], b.longs[i]) : f.test(a.longs[i], b.longs[i]);
            out.longs[i] = yes ? 1 : 0;
        }
    }

    private static void where(Lane condition, Lane x, Lane z, Lane out, int n) {
        for (int i = 0; i < n; i++) {
            Lane from = condition.longs[i] != 0 ? x : z;
            if (out.onLongs()) {
                out.longs[i] = from.longs[i];
            } else {
                out.doubles[i] = from.doubles[i];
            }
        }
    }

    private static void convert(Lane a, Lane out, int n) {
        if (a.onLongs() && out.onLongs()) {
            System.arraycopy(a.longs, 0, out.longs, 0, n);
            return;
        }
        System.arraycopy(a.asDoubles(n), 0, out.doubles, 0, n);
        toLongs(out, n);
    }

    /** Doubles that were computed for an integer or boolean result, cut as a cast cuts them. */
    private static void toLongs(Lane out, int n) {
        if (!out.onLongs()) {
            return;
        }
        for (int i = 0; i < n; i++) {
            double v = out.doubles[i];
            out.longs[i] = switch (out.type) {
                case BOOL -> v != 0 ? 1 : 0;
                case INT64, UINT32 -> (long) v;
                case UINT64 -> Conversion.toUnsigned(v);
                default -> (int) v;
            };
        }
    }
}
