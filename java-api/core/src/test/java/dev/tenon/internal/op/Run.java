package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.reference.Interpreter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Runs single operators and checks on the way that what was inferred is what came out. */
final class Run {
    private static final MemoryScope SCOPE = MemoryScope.shared("operator tests");
    private static final int MANY_OUTPUTS = 4;

    private Run() {}

    /** The first output. */
    static Tensor one(Op op, @Nullable Tensor... inputs) {
        return all(op, inputs).getFirst();
    }

    /** All outputs, inferred once with the inputs' values and once without. */
    static List<Tensor> all(Op op, @Nullable Tensor... inputs) {
        return all(op, MANY_OUTPUTS, inputs);
    }

    /** All outputs of a node with so many. */
    static List<Tensor> all(Op op, int outputCount, @Nullable Tensor... inputs) {
        List<Value> values = new ArrayList<>();
        Map<Value, Tensor> constants = new IdentityHashMap<>();
        for (int i = 0; i < inputs.length; i++) {
            Tensor t = inputs[i];
            if (t == null) {
                values.add(Value.ABSENT);
            } else {
                Value v = new Value("i" + i, TensorType.of(t.type(), t.shape()));
                values.add(v);
                constants.put(v, t);
            }
        }
        List<Value> outputs = new ArrayList<>();
        for (int i = 0; i < outputCount; i++) {
            outputs.add(new Value("o" + i, TensorType.unranked(DataType.FLOAT32)));
        }
        Node node = new Node(op, values, outputs, "test");
        List<ValueType> known =
                op.infer(new Inference(node, v -> Optional.ofNullable(constants.get(v)), v -> Optional.empty()));
        List<ValueType> unknown = op.infer(new Inference(node, v -> Optional.empty(), v -> Optional.empty()));
        List<Tensor> results = new ArrayList<>();
        for (Datum d : Interpreter.evaluate(node, Arrays.asList((Datum[]) inputs), SCOPE)) {
            results.add((Tensor) d);
        }
        for (int i = 0; i < results.size(); i++) {
            checkType((TensorType) known.get(i), results.get(i));
            checkType((TensorType) unknown.get(i), results.get(i));
        }
        return results;
    }

    private static void checkType(TensorType inferred, Tensor t) {
        assertThat(inferred.dtype()).isEqualTo(t.type());
        if (!inferred.shape().isRanked()) {
            return;
        }
        assertThat(inferred.shape().rank()).isEqualTo(t.shape().rank());
        for (int d = 0; d < t.shape().rank(); d++) {
            Dim dim = inferred.shape().dim(d);
            assertThat(!dim.isKnown() || dim.is(t.shape().dim(d)))
                    .as("inferred %s for %s", inferred, t)
                    .isTrue();
        }
    }

    /** The type inferred for the first output. @param dims what is known of inputs' elements, by input index */
    static TensorType infer(Op op, Map<Integer, List<Dim>> dims, @Nullable TensorType... inputs) {
        return (TensorType) op.infer(inference(op, dims, inputs)).getFirst();
    }

    /** The elements inferred for the first output. */
    static Optional<List<Dim>> inferDims(Op op, Map<Integer, List<Dim>> dims, TensorType... inputs) {
        return op.inferDims(inference(op, dims, inputs));
    }

    private static Inference inference(Op op, Map<Integer, List<Dim>> dims, @Nullable TensorType... inputs) {
        List<Value> values = new ArrayList<>();
        Map<Value, List<Dim>> known = new IdentityHashMap<>();
        Map<Value, Tensor> constants = new IdentityHashMap<>();
        for (int i = 0; i < inputs.length; i++) {
            if (inputs[i] == null) {
                values.add(Value.ABSENT);
                continue;
            }
            Value v = new Value("i" + i, inputs[i]);
            values.add(v);
            List<Dim> d = dims.get(i);
            if (d != null && d.stream().allMatch(Dim::isKnown) && inputs[i].isConcrete()) {
                Tensor t = Tensor.allocate(
                        SCOPE, inputs[i].dtype(), inputs[i].shape().concrete());
                for (int k = 0; k < d.size(); k++) {
                    t.setLong(k, d.get(k).sizeOrMinusOne());
                }
                constants.put(v, t);
            } else if (d != null) {
                known.put(v, d);
            }
        }
        Node node = new Node(op, values, List.of(new Value("o", TensorType.unranked(DataType.FLOAT32))), "test");
        return new Inference(node, v -> Optional.ofNullable(constants.get(v)), v -> Optional.ofNullable(known.get(v)));
    }

    static TensorType type(DataType dtype, Dim... dims) {
        return new TensorType(dtype, SymbolicShape.of(dims));
    }

    static TensorType vector(long n) {
        return new TensorType(DataType.INT64, SymbolicShape.of(n));
    }

    static List<Dim> dims(long... sizes) {
        return Arrays.stream(sizes).mapToObj(Dim::of).toList();
    }

    static Tensor floats(double... values) {
        Tensor t = Tensor.allocate(SCOPE, DataType.FLOAT32, Shape.of(values.length));
        t.copyFrom(values);
        return t;
    }

    /** A tensor of any numeric type. */
    static Tensor of(DataType type, Shape shape, double... values) {
        Tensor t = Tensor.allocate(SCOPE, type, shape);
        for (int i = 0; i < values.length; i++) {
            t.setDouble(i, values[i]);
        }
        return t;
    }

    static Tensor floats(Shape shape, double... values) {
        return of(DataType.FLOAT32, shape, values);
    }

    static Tensor longs(long... values) {
        Tensor t = Tensor.allocate(SCOPE, DataType.INT64, Shape.of(values.length));
        t.copyFrom(values);
        return t;
    }

    static Tensor longs(Shape shape, long... values) {
        return longs(values).reshaped(shape);
    }

    static Tensor scalar(long value) {
        return longs(value).reshaped(Shape.scalar());
    }

    static Tensor ints(DataType type, long... values) {
        Tensor t = Tensor.allocate(SCOPE, type, Shape.of(values.length));
        for (int i = 0; i < values.length; i++) {
            t.setLong(i, values[i]);
        }
        return t;
    }

    static Tensor booleans(boolean... values) {
        Tensor t = Tensor.allocate(SCOPE, DataType.BOOL, Shape.of(values.length));
        for (int i = 0; i < values.length; i++) {
            t.setBoolean(i, values[i]);
        }
        return t;
    }

    /** 0, 1, 2, ... as FLOAT32. */
    static Tensor counting(long... dims) {
        Tensor t = Tensor.allocate(SCOPE, DataType.FLOAT32, Shape.of(dims));
        for (long i = 0; i < t.size(); i++) {
            t.setDouble(i, i);
        }
        return t;
    }
}
