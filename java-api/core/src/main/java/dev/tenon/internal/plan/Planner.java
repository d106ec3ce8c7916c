package dev.tenon.internal.plan;

import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.memory.Recording;
import dev.tenon.internal.pass.FoldConstants;
import dev.tenon.internal.pass.PassContext;
import dev.tenon.internal.pass.Pipeline;
import dev.tenon.internal.pass.Retype;
import dev.tenon.spi.Backend;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes plans: fixes a graph's input types, folds what follows from them, and cuts what is left into parts that the device
 * runs and steps for the host. A graph is cut in two where shapes depend on data; the second part is planned when the
 * first has run.
 */
public final class Planner {
    private final Backend backend;
    private final Backend.ConstantKeys constants;
    private final boolean exact;

    public Planner(Backend backend, Backend.ConstantKeys constants, boolean exact) {
        this.backend = backend;
        this.constants = constants;
        this.exact = exact;
    }

    /** Plans of {@code graph}, made as they are asked for. */
    public PlanCache cache(Graph graph) {
        return new PlanCache(types -> plan(graph, types, false));
    }

    /** As {@link #cache}, for a graph that the pipeline has left: where it fixes all types, there is nothing left to rewrite. */
    public PlanCache cacheOfOptimised(Graph graph) {
        List<ValueType> own = graph.inputs().stream().map(Value::type).toList();
        boolean fixed = own.stream().allMatch(t -> t instanceof TensorType tensor && tensor.isConcrete());
        return new PlanCache(types -> plan(graph, types, fixed && types.equals(own)));
    }

    private Plan plan(Graph model, List<ValueType> inputTypes, boolean asItIs) {
        PlanEvent event = Recording.isOn() ? new PlanEvent() : null;
        if (event != null) {
            event.begin();
        }
        MemoryScope memory = MemoryScope.shared("plan of " + model.name());
        try {
            Plan plan = cut(asItIs ? model : optimised(model, inputTypes, memory), memory);
            if (event != null && event.shouldCommit()) {
                event.model = model.name();
                event.inputs = inputTypes.toString();
                event.segments = plan.segments().size();
                event.arenaBytes = plan.arenaBytes();
                event.commit();
            }
            return plan;
        } catch (RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    private Graph optimised(Graph model, List<ValueType> inputTypes, MemoryScope memory) {
        PassContext context = new PassContext(memory, exact);
        Graph typed = Retype.run(model, inputTypes, new FoldConstants(memory));
        return Pipeline.run(typed, Pipeline.standard(context), context, (pass, g) -> {});
    }

    private Plan cut(Graph graph, MemoryScope memory) {
        Set<Value> known = identitySet();
        known.addAll(graph.inputs());
        known.addAll(graph.constants().keySet());
        known.add(Value.ABSENT);
        List<Node> fixed = new ArrayList<>();
        List<Node> others = new ArrayList<>();
        for (Node n : graph.nodes()) {
            if (known.containsAll(n.inputs()) && n.outputs().stream().allMatch(Planner::isConcrete)) {
                fixed.add(n);
                known.addAll(n.outputs());
            } else {
                others.add(n);
            }
        }
        List<Node> host = new ArrayList<>();
        List<Node> rest = new ArrayList<>();
        boolean heavy = others.stream().anyMatch(n -> n.op().trait() == OpTrait.CONTRACTION);
        Set<Value> available = identitySet();
        available.addAll(known);
        for (Node n : others) {
            Set<Value> reach = heavy ? known : available;
            if (reach.containsAll(n.inputs())) {
                host.add(n);
                available.addAll(n.outputs());
            } else {
                rest.add(n);
            }
        }
        List<Node> now = new ArrayList<>(fixed);
        now.addAll(host);
        Set<Value> wanted = new LinkedHashSet<>(graph.outputs());
        rest.forEach(n -> wanted.addAll(n.inputs()));
        List<Value> outputs = wanted.stream()
                .filter(v -> !v.isAbsent() && (available.contains(v)) && (!graph.isConstant(v) || graph.isOutput(v)))
                .toList();
        Graph first = Graph.pruned(graph.name(), graph.inputs(), outputs, graph.constants(), now);
        Plan.@Nullable Continuation continuation = rest.isEmpty() ? null : continuation(graph, outputs, rest);
        return segment(first, Collections.unmodifiableSet(toSet(fixed)), continuation, memory);
    }

    private Plan.Continuation continuation(Graph graph, List<Value> inputs, List<Node> nodes) {
        // Constants stay constants; an output that is there already passes through as an input.
        Map<Value, Tensor> constants = new LinkedHashMap<>(graph.constants());
        List<Value> passed = inputs.stream().filter(v -> !graph.isConstant(v)).toList();
        Graph rest = Graph.pruned(graph.name(), passed, graph.outputs(), constants, nodes);
        return new Plan.Continuation(rest, cache(rest));
    }

    /** Groups neighbouring device nodes; everything else is a host step. */
    private Plan segment(Graph graph, Set<Node> fixed, Plan.@Nullable Continuation rest, MemoryScope memory) {
        Graph fixedGraph =
                withNodes(graph, graph.nodes().stream().filter(fixed::contains).toList());
        Set<Node> onDevice = backend.supported(fixedGraph, constants);
        List<List<Node>> groups = group(graph, onDevice);
        List<Plan.Segment> segments = new ArrayList<>();
        Set<Value> stored = new LinkedHashSet<>();
        try {
            for (List<Node> nodes : groups) {
                if (!onDevice.contains(nodes.getFirst())) {
                    Node n = nodes.getFirst();
                    segments.add(new Plan.HostStep(n));
                    n.outputs().stream()
                            .filter(v -> !v.isAbsent() && isConcrete(v))
                            .forEach(stored::add);
                    continue;
                }
                Plan.DeviceSegment s = deviceSegment(graph, nodes);
                segments.add(s);
                stored.addAll(s.outputs());
            }
        } catch (RuntimeException | Error e) {
            segments.forEach(s -> {
                if (s instanceof Plan.DeviceSegment d) {
                    d.program().close();
                }
            });
            throw e;
        }
        return new Plan(graph, segments, List.copyOf(stored), rest, new BodyPlans(this), memory);
    }

    private Plan.DeviceSegment deviceSegment(Graph graph, List<Node> nodes) {
        Set<Value> written = identitySet();
        nodes.forEach(n -> written.addAll(n.outputs()));
        Set<Node> inside = toSet(nodes);
        Set<Value> inputs = new LinkedHashSet<>();
        Set<Value> outputs = new LinkedHashSet<>();
        Map<Value, Tensor> used = new LinkedHashMap<>();
        for (Node n : nodes) {
            for (Value v : n.inputs()) {
                if (graph.isConstant(v)) {
                    used.put(v, graph.constants().get(v));
                } else if (!v.isAbsent() && !written.contains(v)) {
                    inputs.add(v);
                }
            }
            for (Value v : n.outputs()) {
                if (!v.isAbsent()
                        && (graph.isOutput(v) || graph.consumers(v).stream().anyMatch(c -> !inside.contains(c)))) {
                    outputs.add(v);
                }
            }
        }
        Graph part = new Graph(graph.name(), List.copyOf(inputs), List.copyOf(outputs), used, nodes);
        return new Plan.DeviceSegment(backend.compile(part, constants), part.inputs(), part.outputs());
    }

    /**
     * Orders nodes so that device nodes come in as few groups as dependencies allow: all device nodes that are ready, then
     * all host nodes that are ready, in turns.
     */
    private static List<List<Node>> group(Graph graph, Set<Node> onDevice) {
        List<List<Node>> groups = new ArrayList<>();
        List<Node> left = new ArrayList<>(graph.nodes());
        Set<Value> done = identitySet();
        done.addAll(graph.inputs());
        done.addAll(graph.constants().keySet());
        done.add(Value.ABSENT);
        boolean device = true;
        while (!left.isEmpty()) {
            List<Node> taken = new ArrayList<>();
            List<Node> waiting = new ArrayList<>();
            for (Node n : left) {
                if (onDevice.contains(n) == device && done.containsAll(n.inputs())) {
                    taken.add(n);
                    done.addAll(n.outputs());
                } else {
                    waiting.add(n);
                }
            }
            if (device && !taken.isEmpty()) {
                groups.add(taken);
            } else {
                taken.forEach(n -> groups.add(List.of(n)));
            }
            left = waiting;
            device = !device;
        }
        return groups;
    }

    private static Graph withNodes(Graph g, List<Node> nodes) {
        return new Graph(g.name(), g.inputs(), List.of(), g.constants(), nodes);
    }

    private static boolean isConcrete(Value v) {
        return v.isAbsent() || (v.type() instanceof TensorType t && t.isConcrete());
    }

    private static <T> Set<T> identitySet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    private static Set<Node> toSet(List<Node> nodes) {
        Set<Node> s = identitySet();
        s.addAll(nodes);
        return s;
    }
}
