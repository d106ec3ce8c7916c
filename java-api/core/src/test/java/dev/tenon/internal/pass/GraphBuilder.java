package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** Writes small graphs for tests. Types of results are inferred; random constants come from a fixed seed. */
final class GraphBuilder {
    private final MemoryScope memory;
    private final Random random = new Random(7);
    private final List<Value> inputs = new ArrayList<>();
    private final Map<Value, Tensor> constants = new LinkedHashMap<>();
    private final List<Node> nodes = new ArrayList<>();

    GraphBuilder(MemoryScope memory) {
        this.memory = memory;
    }

    /** @param dims sizes ({@link Integer}) and symbols ({@link String}) */
    Value input(String name, DataType type, Object... dims) {
        List<Dim> shape = Arrays.stream(dims)
                .map(d -> d instanceof Integer i ? Dim.of(i) : Dim.symbol((String) d))
                .toList();
        Value v = new Value(name, new TensorType(type, SymbolicShape.of(shape)));
        inputs.add(v);
        return v;
    }

    Value floats(String name, Object... dims) {
        return input(name, DataType.FLOAT32, dims);
    }

    /** Random numbers in [-1, 1). */
    Value weights(String name, long... dims) {
        Tensor t = Tensor.allocate(memory, DataType.FLOAT32, Shape.of(dims));
        for (long i = 0; i < t.size(); i++) {
            t.setDouble(i, random.nextDouble() * 2 - 1);
        }
        return constant(name, t);
    }

    /** Random numbers in [0.5, 1.5), such as variances and scales are. */
    Value positive(String name, long... dims) {
        Tensor t = Tensor.allocate(memory, DataType.FLOAT32, Shape.of(dims));
        for (long i = 0; i < t.size(); i++) {
            t.setDouble(i, random.nextDouble() + 0.5);
        }
        return constant(name, t);
    }

    Value halves(String name, long... dims) {
        Tensor t = Tensor.allocate(memory, DataType.FLOAT16, Shape.of(dims));
        for (long i = 0; i < t.size(); i++) {
            t.setDouble(i, random.nextDouble() * 2 - 1);
        }
        return constant(name, t);
    }

    Value scalar(double v) {
        Tensor t = Tensor.allocate(memory, DataType.FLOAT32, Shape.scalar());
        t.setDouble(0, v);
        return constant("c" + v, t);
    }

    Value filled(String name, double v, long... dims) {
        Tensor t = Tensor.allocate(memory, DataType.FLOAT32, Shape.of(dims));
        for (long i = 0; i < t.size(); i++) {
            t.setDouble(i, v);
        }
        return constant(name, t);
    }

    Value longs(String name, long... values) {
        Tensor t = Tensor.allocate(memory, DataType.INT64, Shape.of(values.length));
        t.copyFrom(values);
        return constant(name, t);
    }

    Value booleans(String name, boolean[] values, long... dims) {
        Tensor t = Tensor.allocate(memory, DataType.BOOL, Shape.of(dims));
        for (int i = 0; i < values.length; i++) {
            t.setBoolean(i, values[i]);
        }
        return constant(name, t);
    }

    /** The elements of a constant, to change them. */
    Tensor constant(Value v) {
        return constants.get(v);
    }

    Value constant(String name, Tensor t) {
        Value v = new Value(name, TensorType.of(t.type(), t.shape()));
        constants.put(v, t);
        return v;
    }

    /** A node with one output, named as the node. */
    Value node(String name, Op op, Value... in) {
        return nodes(name, op, 1, in).getFirst();
    }

    List<Value> nodes(String name, Op op, int outputs, Value... in) {
        List<Value> placeholders = new ArrayList<>();
        for (int i = 0; i < outputs; i++) {
            placeholders.add(new Value("?", TensorType.unranked(DataType.FLOAT32)));
        }
        Node probe = new Node(op, Arrays.asList(in), placeholders, name);
        List<ValueType> types =
                op.infer(new Inference(probe, v -> Optional.ofNullable(constants.get(v)), v -> Optional.empty()));
        List<Value> out = new ArrayList<>();
        for (int i = 0; i < outputs; i++) {
            out.add(new Value(outputs == 1 ? name : name + "_" + i, types.get(i)));
        }
        nodes.add(new Node(op, Arrays.asList(in), out, name));
        return out;
    }

    Graph graph(Value... outputs) {
        return new Graph("test", inputs, Arrays.asList(outputs), constants, nodes);
    }
}
