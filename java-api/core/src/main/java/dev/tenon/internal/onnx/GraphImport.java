package dev.tenon.internal.onnx;

import dev.tenon.DataType;
import dev.tenon.ModelFormatException;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.TenonException;
import dev.tenon.Tensor;
import dev.tenon.UnsupportedOperatorException;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.onnx.OnnxModel.AttributeDef;
import dev.tenon.internal.onnx.OnnxModel.FunctionDef;
import dev.tenon.internal.onnx.OnnxModel.GraphDef;
import dev.tenon.internal.onnx.OnnxModel.NodeDef;
import dev.tenon.internal.onnx.OnnxModel.SparseDef;
import dev.tenon.internal.onnx.OnnxModel.TensorDef;
import dev.tenon.internal.onnx.OnnxModel.TypeDef;
import dev.tenon.internal.onnx.OnnxModel.ValueDef;
import dev.tenon.internal.op.OnnxNode;
import dev.tenon.internal.op.OpSet;
import dev.tenon.internal.op.OpSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Builds one graph: the main one, or a subgraph. Calls of functions are inlined into it. */
final class GraphImport {
    private final ImportContext context;
    private final List<Value> inputs = new ArrayList<>();
    private final Map<Value, Tensor> constants = new LinkedHashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final Map<Value, List<Dim>> dims = new IdentityHashMap<>();

    private GraphImport(ImportContext context) {
        this.context = context;
    }

    static Graph main(ImportContext context, GraphDef def, Opsets opsets) {
        NameScope scope = new NameScope("the graph", opsets, def.nodes(), "", null, null, null);
        GraphImport g = new GraphImport(context);
        g.declare(def.values(), scope, false);
        g.declare(def.outputs(), scope, true);
        Set<String> initialized = g.initializers(def, scope);
        for (ValueDef v : def.inputs()) {
            if (!initialized.contains(v.name())) {
                if (v.type() == null) {
                    throw new ModelFormatException("graph input '" + v.name() + "' has no type");
                }
                g.input(v.name(), Types.of(v.type(), v.name(), true), scope);
            }
        }
        g.nodes(scope);
        List<Value> outputs = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (ValueDef v : def.outputs()) {
            if (!names.add(v.name())) {
                throw new ModelFormatException("graph output '" + v.name() + "' is listed twice");
            }
            outputs.add(g.named(g.output(v, scope), v.name(), opsets));
        }
        return new Graph(def.name(), g.inputs, outputs, g.constants, g.nodes);
    }

    // ---- parts of a graph ----

    private void declare(List<ValueDef> values, NameScope scope, boolean symbols) {
        for (ValueDef v : values) {
            if (v.type() != null && Types.isDefined(v.type())) {
                scope.declared.put(v.name(), Types.of(v.type(), v.name(), symbols));
            }
        }
    }

    private Set<String> initializers(GraphDef def, NameScope scope) {
        Set<String> names = new HashSet<>();
        for (TensorDef t : def.initializers()) {
            constant(t.name(), context.data.read(t), scope);
            names.add(t.name());
        }
        for (SparseDef t : def.sparseInitializers()) {
            constant(t.values().name(), context.data.dense(t), scope);
            names.add(t.values().name());
        }
        return names;
    }

    private void constant(String name, Tensor tensor, NameScope scope) {
        scope.define(name, constant(scope.fullName(name), tensor));
    }

    private Value constant(String name, Tensor tensor) {
        Value v = new Value(name, TensorType.of(tensor.type(), tensor.shape()));
        constants.put(v, tensor);
        return v;
    }

    private Value input(String name, ValueType type, NameScope scope) {
        Value v = new Value(scope.fullName(name), type);
        scope.define(name, v);
        inputs.add(v);
        return v;
    }

    private void nodes(NameScope scope) {
        for (NodeDef n : scope.nodes) {
            context.countNode();
            try {
                FunctionDef f = context.functions.find(n);
                if (f != null) {
                    call(n, f, scope);
                } else if (Opsets.isConstant(n)) {
                    constantNode(n, scope);
                } else {
                    operator(n, scope);
                }
            } catch (ModelFormatException e) {
                throw isNamedIn(e, n) ? e : new ModelFormatException(n.describe() + ": " + e.getMessage(), e);
            } catch (ShapeException e) {
                throw isNamedIn(e, n) ? e : new ShapeException(n.describe() + ": " + e.getMessage(), e);
            } catch (TenonException e) {
                throw e;
            } catch (RuntimeException e) {
                // Attributes or shapes that a rule did not expect; what the rule tripped over is in the cause.
                throw new ModelFormatException(n.describe() + " has attributes or inputs that make no sense: " + e, e);
            }
        }
    }

    private static boolean isNamedIn(TenonException e, NodeDef n) {
        return e.getMessage().contains(n.label() + "'");
    }

    private Value output(ValueDef v, NameScope scope) {
        Value value = scope.find(v.name());
        if (value == null) {
            throw new ModelFormatException("output '" + v.name() + "' of " + scope.owner + " is written by no node");
        }
        return value;
    }

    /** {@code v} under the model's name, which differs where a function hands an input or constant through. */
    private Value named(Value v, String name, Opsets opsets) {
        if (v.name().equals(name)) {
            return v;
        }
        NodeDef copy = new NodeDef("", "Identity", "", "", List.of("x"), List.of(name), List.of());
        NameScope scope = new NameScope("the graph", opsets, List.of(copy), "", null, null, null);
        scope.define("x", v);
        operator(copy, scope);
        Value out = scope.find(name);
        return out == null ? v : out;
    }

    // ---- nodes ----

    private void operator(NodeDef def, NameScope scope) {
        int version = scope.opsets.version(def);
        OpSpec spec = OpSet.find(def.domain(), def.opType(), version)
                .orElseThrow(() -> new UnsupportedOperatorException(
                        context.model,
                        List.of(Opsets.displayName(def.domain()) + "." + def.opType() + " (opset " + version
                                + "), first '" + def.label() + "': no rule for this operator")));
        List<Value> arguments = new ArrayList<>();
        for (String name : def.inputs()) {
            arguments.add(scope.read(name, def));
        }
        List<Boolean> given = arguments.stream().map(v -> !v.isAbsent()).toList();
        Bodies bodies = new Bodies(def, scope, List.copyOf(arguments), version);
        OnnxNode node = new OnnxNode(
                def.opType(),
                scope.prefix + def.label(),
                version,
                given,
                def.outputs().size(),
                attributes(def, scope, bodies),
                context.memory);
        Op op = spec.importer().create(node);
        node.constantInputs().forEach((i, tensor) -> {
            while (arguments.size() <= i) {
                arguments.add(Value.ABSENT);
            }
            arguments.set(i, constant(scope.prefix + def.label() + ".input" + i, tensor));
        });
        bodies.appendCaptures(arguments);
        add(op, def, arguments, scope);
    }

    /** Adds a node with inferred outputs. */
    private void add(Op op, NodeDef def, List<Value> arguments, NameScope scope) {
        String origin = scope.prefix + def.label();
        List<Value> drafts = def.outputs().stream()
                .map(o -> o.isEmpty() ? Value.ABSENT : new Value(o, TensorType.unranked(DataType.FLOAT32)))
                .toList();
        Inference in = new Inference(
                new Node(op, arguments, drafts, origin),
                v -> Optional.ofNullable(constants.get(v)),
                v -> Optional.ofNullable(dims.get(v)));
        List<ValueType> types = in.types();
        if (types.size() < def.outputs().size()) {
            throw new ModelFormatException(
                    def.describe() + " names " + def.outputs().size() + " outputs; it has " + types.size());
        }
        List<Value> outputs = new ArrayList<>();
        for (int i = 0; i < def.outputs().size(); i++) {
            String name = def.outputs().get(i);
            if (name.isEmpty()) {
                outputs.add(Value.ABSENT);
                continue;
            }
            ValueType declared = scope.declared.get(name);
            ValueType type = declared == null ? types.get(i) : Types.refine(types.get(i), declared, name);
            Value v = new Value(scope.fullName(name), type);
            scope.define(name, v);
            outputs.add(v);
        }
        if (outputs.size() == 1 && !outputs.getFirst().isAbsent()) {
            op.inferDims(in).ifPresent(d -> dims.put(outputs.getFirst(), d));
        }
        nodes.add(new Node(op, arguments, outputs, origin));
    }

    private Map<String, Object> attributes(NodeDef def, NameScope scope, Bodies bodies) {
        Map<String, Object> out = new HashMap<>();
        for (AttributeDef a : def.attributes()) {
            if (a.name().isEmpty()) {
                throw a.at().errorHere("an attribute of " + def.describe() + " has no name");
            }
            Object value = resolve(a, scope);
            if (value != null && out.put(a.name(), convert(a, value, bodies)) != null) {
                throw a.at().errorHere("attribute '" + a.name() + "' of " + def.describe() + " is given twice");
            }
        }
        return out;
    }

    /** The value of an attribute, or of the calling node's attribute that it refers to; null if that is not given. */
    private static @Nullable Object resolve(AttributeDef a, NameScope scope) {
        if (a.reference().isEmpty()) {
            return a.value();
        }
        if (scope.attributes == null) {
            throw a.at().errorHere("attribute '" + a.name() + "' refers to attribute '" + a.reference()
                    + "' of a function, but is in none");
        }
        return scope.attributes.get(a.reference());
    }

    private Object convert(AttributeDef a, Object value, Bodies bodies) {
        return switch (value) {
            case TensorDef t -> context.data.read(t);
            case SparseDef t -> context.data.dense(t);
            case TypeDef t -> Types.of(t, a.name(), false);
            case GraphDef g -> bodies.build(g);
            case List<?> l
            when !l.isEmpty() && !(l.getFirst() instanceof Number || l.getFirst() instanceof String) ->
                l.stream().map(e -> convert(a, e, bodies)).toList();
            default -> value;
        };
    }

    // ---- constants ----

    private void constantNode(NodeDef def, NameScope scope) {
        if (def.outputs().size() != 1 || def.attributes().size() != 1) {
            throw new ModelFormatException(def.describe() + " needs one output and one attribute; it has "
                    + def.outputs().size() + " and " + def.attributes().size());
        }
        AttributeDef a = def.attributes().getFirst();
        Object value = resolve(a, scope);
        Tensor tensor = value == null ? null : constantValue(a.name(), value);
        if (tensor == null) {
            throw a.at().errorHere(def.describe() + " has attribute '" + a.name()
                    + "', which gives no constant or has the wrong type");
        }
        constant(def.outputs().getFirst(), tensor, scope);
    }

    /** The tensor of an attribute of {@code Constant}; null if it gives none. */
    private @Nullable Tensor constantValue(String attribute, Object value) {
        return switch (value) {
            case TensorDef t when attribute.equals("value") -> context.data.read(t);
            case SparseDef t when attribute.equals("sparse_value") -> context.data.dense(t);
            case Long v when attribute.equals("value_int") -> numbers(DataType.INT64, List.of(v), Shape.scalar());
            case Float v when attribute.equals("value_float") -> numbers(DataType.FLOAT32, List.of(v), Shape.scalar());
            case String v when attribute.equals("value_string") -> Tensor.ofStrings(new String[] {v});
            case List<?> l when attribute.equals("value_ints") -> numbers(DataType.INT64, l, Shape.of(l.size()));
            case List<?> l when attribute.equals("value_floats") -> numbers(DataType.FLOAT32, l, Shape.of(l.size()));
            case List<?> l
            when attribute.equals("value_strings") -> Tensor.ofStrings(l.toArray(String[]::new), l.size());
            default -> null;
        };
    }

    private Tensor numbers(DataType type, List<?> values, Shape shape) {
        Tensor t = Tensor.allocate(context.memory, type, shape);
        for (int i = 0; i < values.size(); i++) {
            if (values.get(i) instanceof Float f) {
                t.setDouble(i, f);
            } else {
                t.setLong(i, (Long) values.get(i));
            }
        }
        return t;
    }

    // ---- functions ----

    private void call(NodeDef def, FunctionDef f, NameScope caller) {
        for (NameScope s = caller; s != null; s = s.caller) {
            if (s.function == f) {
                throw new ModelFormatException("function " + f.id() + " calls itself, through " + def.describe());
            }
        }
        checkDepth(caller, def);
        if (def.inputs().size() > f.inputs().size()
                || def.outputs().size() > f.outputs().size()) {
            throw new ModelFormatException(
                    def.describe() + " has " + def.inputs().size() + " inputs and "
                            + def.outputs().size() + " outputs; function " + f.id() + " has "
                            + f.inputs().size() + " and "
                            + f.outputs().size());
        }
        NameScope callee = new NameScope(
                "function " + f.id(),
                context.functions.opsets(f),
                f.nodes(),
                caller.prefix + def.label() + "/",
                arguments(def, f, caller),
                f,
                caller);
        declare(f.values(), callee, false);
        for (int i = 0; i < f.inputs().size(); i++) {
            callee.define(
                    f.inputs().get(i),
                    i < def.inputs().size() ? caller.read(def.inputs().get(i), def) : Value.ABSENT);
        }
        for (int i = 0; i < def.outputs().size(); i++) {
            if (!def.outputs().get(i).isEmpty()) {
                callee.renamed.put(
                        f.outputs().get(i), caller.fullName(def.outputs().get(i)));
            }
        }
        nodes(callee);
        for (int i = 0; i < def.outputs().size(); i++) {
            String name = f.outputs().get(i);
            Value v = callee.find(name);
            if (v == null) {
                throw new ModelFormatException(
                        "output '" + name + "' of function " + f.id() + " is written by no node");
            }
            if (!def.outputs().get(i).isEmpty()) {
                caller.define(def.outputs().get(i), v);
            }
        }
    }

    private void checkDepth(NameScope scope, NodeDef def) {
        if (scope.depth >= context.limits.depth()) {
            throw new ModelFormatException(
                    def.describe() + " is nested more than " + context.limits.depth() + " calls and bodies deep");
        }
    }

    /** The values of a call's attributes: those of the node, then the function's defaults. */
    private static Map<String, Object> arguments(NodeDef def, FunctionDef f, NameScope caller) {
        Map<String, Object> out = new HashMap<>();
        for (AttributeDef a : f.defaults()) {
            if (a.value() != null) {
                out.put(a.name(), a.value());
            }
        }
        Set<String> known = new HashSet<>(f.attributes());
        known.addAll(out.keySet());
        Set<String> seen = new HashSet<>();
        for (AttributeDef a : def.attributes()) {
            if (!known.contains(a.name())) {
                throw a.at().errorHere(def.describe() + " has attribute '" + a.name() + "'; function " + f.id()
                        + " takes " + known);
            }
            if (!seen.add(a.name())) {
                throw a.at().errorHere("attribute '" + a.name() + "' of " + def.describe() + " is given twice");
            }
            Object value = resolve(a, caller);
            if (value instanceof GraphDef) {
                throw new UnsupportedOperatorException(
                        def.describe(), List.of("a graph as the attribute of a function call is not supported"));
            }
            if (value != null) {
                out.put(a.name(), value);
            }
        }
        return out;
    }

    // ---- subgraphs ----

    /** The subgraphs of one node and what they capture. */
    private final class Bodies {
        private final NodeDef def;
        private final NameScope scope;
        private final List<Value> arguments;
        private final int version;
        private final boolean any;

        /** Captured names and their values outside, constants apart. */
        private final Map<String, Value> captured = new LinkedHashMap<>();

        private final Map<String, Value> capturedConstants = new LinkedHashMap<>();

        Bodies(NodeDef def, NameScope scope, List<Value> arguments, int version) {
            this.def = def;
            this.scope = scope;
            this.arguments = arguments;
            this.version = version;
            Set<String> names = new LinkedHashSet<>();
            List<GraphDef> graphs = Captures.bodies(def);
            graphs.forEach(g -> names.addAll(context.captures.of(g)));
            any = !graphs.isEmpty();
            for (String name : names) {
                Value v = scope.find(name);
                if (v == null) {
                    // The node in the body that reads it gives the better message.
                    continue;
                }
                (v.isAbsent() || constants.containsKey(v) ? capturedConstants : captured).put(name, v);
            }
        }

        Graph build(GraphDef g) {
            checkDepth(scope, def);
            String owner = "the body of " + def.describe();
            NameScope inner =
                    new NameScope(owner, scope.opsets, g.nodes(), scope.prefix, scope.attributes, null, scope);
            GraphImport body = new GraphImport(context);
            body.declare(g.values(), inner, false);
            body.declare(g.outputs(), inner, false);
            Set<String> initialized = body.initializers(g, inner);
            for (int i = 0; i < g.inputs().size(); i++) {
                ValueDef v = g.inputs().get(i);
                if (!initialized.contains(v.name())) {
                    ValueType type = v.type() != null && Types.isDefined(v.type())
                            ? Types.of(v.type(), v.name(), false)
                            : BodyInputs.type(def, version, i, arguments, v.name());
                    body.input(v.name(), type, inner);
                }
            }
            captured.forEach((name, outer) -> {
                Value v = new Value(outer.name(), outer.type());
                body.inputs.add(v);
                if (dims.containsKey(outer)) {
                    body.dims.put(v, dims.get(outer));
                }
                if (inner.find(name) == null) {
                    inner.define(name, v);
                }
            });
            capturedConstants.forEach((name, outer) -> {
                if (inner.find(name) == null) {
                    inner.define(name, outer.isAbsent() ? outer : body.constant(outer.name(), constants.get(outer)));
                }
            });
            body.nodes(inner);
            List<Value> outputs =
                    g.outputs().stream().map(v -> body.output(v, inner)).toList();
            return Graph.pruned(g.name(), body.inputs, outputs, body.constants, body.nodes);
        }

        /** Makes what the bodies capture inputs of the node, after those that the operator itself may have. */
        void appendCaptures(List<Value> inputs) {
            if (any) {
                while (inputs.size() < BodyInputs.ownInputs(def)) {
                    inputs.add(Value.ABSENT);
                }
                inputs.addAll(captured.values());
            }
        }
    }
}
