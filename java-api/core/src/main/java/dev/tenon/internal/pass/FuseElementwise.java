package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.ElementwiseChain.Step;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Joins elementwise nodes that pass their results only to each other into one chain, which goes over memory once:
 *   Relu(Add(Mul(x, s), t))  ->  ElementwiseChain(x, s, t): Mul, Add, Relu
 * All results in a chain have one shape; its inputs may broadcast. Needs: all other fusions, as none looks into chains, and
 * shapes that are numbers, so that a fusion that has to wait for them is not hidden from it.
 */
final class FuseElementwise implements Pass {
    /** What the kernels take. Values in use at one time are counted as if every broadcast input were one. */
    private static final int MAX_INPUTS = 16;

    private static final int MAX_STEPS = 64;
    private static final int MAX_LIVE = 16;

    @Override
    public String name() {
        return "fuse-elementwise";
    }

    @Override
    public Graph run(Graph g, PassContext context) {
        Map<Node, Group> groups = new IdentityHashMap<>();
        List<Group> all = new ArrayList<>();
        for (int i = g.nodes().size() - 1; i >= 0; i--) {
            Node n = g.nodes().get(i);
            if (!ChainSteps.isCandidate(n)) {
                continue;
            }
            Group group = groupOfReaders(g, n, groups);
            if (group == null || !group.join(n)) {
                group = new Group(n);
                all.add(group);
            }
            groups.put(n, group);
        }
        List<Patch> patches = all.stream()
                .filter(group -> group.nodes.size() > 1)
                .map(Group::patch)
                .toList();
        return patches.isEmpty() ? g : Rewriter.apply(g, patches);
    }

    /** The group that all readers of {@code n} are in, if {@code n} may vanish into it. */
    private static @Nullable Group groupOfReaders(Graph g, Node n, Map<Node, Group> groups) {
        Value v = n.output(0);
        Group group = null;
        for (Node reader : g.consumers(v)) {
            Group other = groups.get(reader);
            if (other == null || (group != null && group != other)) {
                return null;
            }
            group = other;
        }
        boolean fits = group != null
                && !g.isOutput(v)
                && group.shape.isConcrete()
                && Patterns.shape(v).equals(group.shape);
        return fits ? group : null;
    }

    /** Nodes that become one. The first is the one whose result is wanted, each other one comes after its readers. */
    private static final class Group {
        final List<Node> nodes = new ArrayList<>();
        final SymbolicShape shape;

        Group(Node last) {
            shape = Patterns.shape(last.output(0));
            nodes.add(last);
        }

        /** Takes in {@code n} unless the chain would be too large. */
        boolean join(Node n) {
            nodes.add(n);
            if (fits()) {
                return true;
            }
            nodes.removeLast();
            return false;
        }

        private boolean fits() {
            List<Value> inputs = inputs();
            int steps = nodes.stream().mapToInt(ChainSteps::count).sum();
            long broadcast = inputs.stream()
                    .filter(v -> !Patterns.shape(v).equals(shape))
                    .count();
            return inputs.size() <= MAX_INPUTS && steps <= MAX_STEPS && live() + broadcast <= MAX_LIVE;
        }

        private List<Value> inputs() {
            Set<Value> made = Collections.newSetFromMap(new IdentityHashMap<>());
            nodes.forEach(n -> made.add(n.output(0)));
            List<Value> inputs = new ArrayList<>();
            for (Node n : nodes.reversed()) {
                for (Value v : n.inputs()) {
                    if (!made.contains(v) && !inputs.contains(v)) {
                        inputs.add(v);
                    }
                }
            }
            return inputs;
        }

        /** No more results than this are in use at one time. */
        private int live() {
            Map<Value, Integer> readsLeft = new IdentityHashMap<>();
            nodes.forEach(n -> n.inputs().forEach(v -> readsLeft.merge(v, 1, Integer::sum)));
            int live = 0;
            int most = 0;
            Set<Value> made = Collections.newSetFromMap(new IdentityHashMap<>());
            for (Node n : nodes.reversed()) {
                live++;
                made.add(n.output(0));
                most = Math.max(most, live + ChainSteps.count(n) - 1);
                for (Value v : n.inputs()) {
                    if (readsLeft.merge(v, -1, Integer::sum) == 0 && made.contains(v)) {
                        live--;
                    }
                }
            }
            return most;
        }

        Patch patch() {
            List<Value> inputs = inputs();
            Map<Value, Integer> operands = new IdentityHashMap<>();
            inputs.forEach(v -> operands.put(v, operands.size()));
            List<Step> steps = new ArrayList<>();
            for (Node n : nodes.reversed()) {
                ChainSteps.append(n, operands, inputs.size(), steps);
                operands.put(n.output(0), inputs.size() + steps.size() - 1);
            }
            return Patch.of(nodes.reversed())
                    .replace(nodes.getFirst().output(0), new ElementwiseChain(inputs.size(), steps), inputs);
        }
    }
}
