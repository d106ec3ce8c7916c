package dev.tenon.internal.engine;

import dev.tenon.DataType;
import dev.tenon.EngineFormatException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Graphs as JSON. Operators are records, so their components are their encoding; a new operator needs nothing here. Constants
 * are numbers into a table that the caller keeps.
 */
final class GraphCodec {
    private static final String OPERATORS = "dev.tenon.internal.op.";

    /** Keeps constants while a graph is written. */
    interface ConstantWriter {
        /** The number of this constant. */
        int put(Value value, Tensor tensor);
    }

    /** Gives constants while a graph is read. */
    interface ConstantReader {
        Tensor get(int number);
    }

    private GraphCodec() {}

    // ---- writing ----

    static Map<String, Object> write(Graph g, ConstantWriter constants) {
        Map<Value, Integer> ids = new IdentityHashMap<>();
        List<Object> values = new ArrayList<>();
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("name", g.name());
        out.put("inputs", ids(g.inputs(), ids, values));
        List<Object> consts = new ArrayList<>();
        g.constants().forEach((v, t) -> consts.add(List.of(id(v, ids, values), constants.put(v, t))));
        out.put("constants", consts);
        List<Object> nodes = new ArrayList<>();
        for (Node n : g.nodes()) {
            Map<String, Object> node = new LinkedHashMap<>();
            node.put("op", n.op().getClass().getSimpleName());
            node.put("name", n.origin());
            node.put("in", ids(n.inputs(), ids, values));
            node.put("out", ids(n.outputs(), ids, values));
            node.put("attributes", fields((Record) n.op(), constants));
            nodes.add(node);
        }
        out.put("nodes", nodes);
        out.put("outputs", ids(g.outputs(), ids, values));
        out.put("values", values);
        return out;
    }

    private static List<Integer> ids(List<Value> vs, Map<Value, Integer> ids, List<Object> values) {
        return vs.stream().map(v -> id(v, ids, values)).toList();
    }

    private static int id(Value v, Map<Value, Integer> ids, List<Object> values) {
        if (v.isAbsent()) {
            return -1;
        }
        return ids.computeIfAbsent(v, k -> {
            values.add(List.of(v.name(), type(v.type())));
            return values.size() - 1;
        });
    }

    private static Object type(ValueType t) {
        return switch (t) {
            case TensorType(DataType d, SymbolicShape s) ->
                s.isRanked()
                        ? List.of(
                                d.name(),
                                s.dims().stream().map(Object::toString).toList())
                        : List.of(d.name());
            case SequenceType(ValueType e) -> Map.of("sequence", type(e));
            case OptionalType(ValueType e) -> Map.of("optional", type(e));
        };
    }

    private static Map<String, Object> fields(Record r, ConstantWriter constants) {
        Map<String, Object> m = new LinkedHashMap<>();
        for (RecordComponent c : r.getClass().getRecordComponents()) {
            try {
                c.getAccessor().setAccessible(true);
                m.put(c.getName(), encode(c.getAccessor().invoke(r), constants));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("cannot read " + c + " of " + r, e);
            }
        }
        return m;
    }

    private static @Nullable Object encode(Object o, ConstantWriter constants) {
        return switch (o) {
            case Graph g -> write(g, constants);
            case Optional<?> x -> x.isPresent() ? List.of(encode(x.get(), constants)) : List.of();
            case List<?> l -> l.stream().map(x -> encode(x, constants)).toList();
            case Enum<?> e -> e.getDeclaringClass().getSimpleName() + "." + e.name();
            case Record r -> fields(r, constants);
            case String s -> s;
            case Boolean b -> b;
            case Number n -> n;
            default -> throw new IllegalStateException("an operator has a component of " + o.getClass());
        };
    }

    // ---- reading ----

    static Graph read(Map<?, ?> json, ConstantReader constants) {
        try {
            return readGraph(json, constants);
        } catch (ClassCastException | NullPointerException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new EngineFormatException("the engine's graph is damaged: " + e.getMessage(), e);
        }
    }

    private static Graph readGraph(Map<?, ?> json, ConstantReader constants) {
        List<Value> values = new ArrayList<>();
        for (Object v : list(json.get("values"))) {
            values.add(new Value((String) list(v).get(0), type(list(v).get(1))));
        }
        Map<Value, Tensor> consts = new LinkedHashMap<>();
        for (Object pair : list(json.get("constants"))) {
            consts.put(
                    values.get(integer(list(pair).get(0))),
                    constants.get(integer(list(pair).get(1))));
        }
        List<Node> nodes = new ArrayList<>();
        for (Object o : list(json.get("nodes"))) {
            Map<?, ?> n = (Map<?, ?>) o;
            Op op = (Op) record(operator((String) n.get("op")), (Map<?, ?>) n.get("attributes"), constants);
            nodes.add(new Node(op, values(n.get("in"), values), values(n.get("out"), values), (String) n.get("name")));
        }
        return new Graph(
                (String) json.get("name"),
                values(json.get("inputs"), values),
                values(json.get("outputs"), values),
                consts,
                nodes);
    }

    private static Class<?> operator(String name) {
        Class<?> c = operators(name);
        if (!c.isRecord() || !Op.class.isAssignableFrom(c)) {
            throw new EngineFormatException("'" + name + "' is not an operator");
        }
        return c;
    }

    /** A class of the operators' package. */
    private static Class<?> operators(String name) {
        if (!name.matches("[A-Za-z0-9]+")) {
            throw new EngineFormatException("'" + name + "' is not the name of an operator");
        }
        try {
            return Class.forName(OPERATORS + name);
        } catch (ClassNotFoundException e) {
            throw new EngineFormatException("the engine uses '" + name + "', which this version does not have", e);
        }
    }

    private static List<Value> values(Object ids, List<Value> values) {
        return list(ids).stream()
                .map(i -> integer(i) < 0 ? Value.ABSENT : values.get(integer(i)))
                .toList();
    }

    private static ValueType type(Object o) {
        if (o instanceof Map<?, ?> m) {
            return m.containsKey("sequence")
                    ? new SequenceType(type(m.get("sequence")))
                    : new OptionalType(type(m.get("optional")));
        }
        DataType d = DataType.valueOf((String) list(o).get(0));
        if (list(o).size() == 1) {
            return TensorType.unranked(d);
        }
        List<Dim> dims = new ArrayList<>();
        for (Object x : list(list(o).get(1))) {
            String s = (String) x;
            dims.add(Character.isDigit(s.charAt(0)) ? Dim.of(Long.parseLong(s)) : Dim.symbol(s));
        }
        return new TensorType(d, SymbolicShape.of(dims));
    }

    private static Object record(Class<?> type, Map<?, ?> json, ConstantReader constants) {
        RecordComponent[] components = type.getRecordComponents();
        Class<?>[] types = new Class<?>[components.length];
        Object[] arguments = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            types[i] = components[i].getType();
            arguments[i] = decode(components[i].getGenericType(), json.get(components[i].getName()), constants);
        }
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(arguments);
        } catch (InvocationTargetException e) {
            throw new EngineFormatException(type.getSimpleName() + " " + json + ": " + e.getCause(), e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** An enum constant written as {@code UnaryFn.RELU}. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object constant(Class<?> type, String name) {
        if (!type.isEnum()) {
            throw new EngineFormatException("'" + name + "' is no constant");
        }
        return Enum.valueOf((Class) type, name.substring(name.indexOf('.') + 1));
    }

    private static Object decode(Type type, Object json, ConstantReader constants) {
        if (type instanceof ParameterizedType p && p.getRawType() == Enum.class) {
            return constant(operators(((String) json).split("\\.")[0]), (String) json);
        }
        if (type instanceof ParameterizedType p) {
            Type element = p.getActualTypeArguments()[0];
            List<Object> items =
                    list(json).stream().map(x -> decode(element, x, constants)).toList();
            return p.getRawType() == Optional.class ? items.stream().findFirst() : items;
        }
        Class<?> c = (Class<?>) type;
        if (c == String.class) {
            return (String) json;
        }
        if (c == boolean.class || c == Boolean.class) {
            return (Boolean) json;
        }
        if (c == int.class || c == Integer.class) {
            return Math.toIntExact((Long) json);
        }
        if (c == long.class || c == Long.class) {
            return (Long) json;
        }
        if (c == float.class || c == Float.class) {
            return json instanceof String s ? Float.parseFloat(s) : Float.parseFloat(json.toString());
        }
        if (c == double.class || c == Double.class) {
            return Double.parseDouble(json.toString());
        }
        if (c.isEnum()) {
            return constant(c, (String) json);
        }
        if (c == Graph.class) {
            return readGraph((Map<?, ?>) json, constants);
        }
        if (c.isRecord()) {
            return record(c, (Map<?, ?>) json, constants);
        }
        throw new IllegalStateException("an operator has a component of " + type);
    }

    private static List<?> list(Object o) {
        return (List<?>) o;
    }

    private static int integer(Object o) {
        return Math.toIntExact((Long) o);
    }
}
