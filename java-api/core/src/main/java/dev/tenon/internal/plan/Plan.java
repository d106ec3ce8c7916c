package dev.tenon.internal.plan;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Subgraphs;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.spi.Executable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What to run for one set of concrete input shapes. Immutable; sessions run it through {@link PlanInstance}.
 *
 * @param graph the part of the model with known shapes, then (in graph order) what the host evaluates after it
 * @param segments how to run it
 * @param stored tensors that pass between segments, each with a place of its own in the instance
 * @param rest what follows once the shapes that depend on data are known; null if nothing does
 * @param bodies plans of the bodies of control flow
 * @param memory what the plan's own constants live in
 */
public record Plan(
        Graph graph,
        List<Segment> segments,
        List<Value> stored,
        @Nullable Continuation rest,
        BodyPlans bodies,
        MemoryScope memory)
        implements AutoCloseable {

    /** A part of a plan. */
    public sealed interface Segment {}

    /**
     * A compiled part.
     *
     * @param inputs the values of its inputs, in order
     * @param outputs the values of its outputs, in order
     */
    public record DeviceSegment(Executable program, List<Value> inputs, List<Value> outputs) implements Segment {}

    /** A node that the host evaluates with the operator's reference implementation. */
    public record HostStep(Node node) implements Segment {}

    /**
     * The rest of the model, planned when its inputs are there.
     *
     * @param graph its inputs are values of this plan
     * @param cache plans by the types of these inputs
     */
    public record Continuation(Graph graph, PlanCache cache) {}

    /** Threads of the widest segment; all cores where a body of control flow may have segments of its own. */
    public int threads() {
        int threads = 1;
        for (Segment s : segments) {
            if (s instanceof DeviceSegment d) {
                threads = Math.max(threads, d.program().threads());
            } else if (s instanceof HostStep h
                    && Subgraphs.of(h.node().op()).stream().anyMatch(BodyPlans::isHeavy)) {
                threads = Runtime.getRuntime().availableProcessors();
            }
        }
        return threads;
    }

    /** Bytes of working memory that an instance takes for its device segments. */
    public long arenaBytes() {
        long bytes = 0;
        for (Segment s : segments) {
            if (s instanceof DeviceSegment d) {
                bytes += d.program().arenaBytes();
            }
        }
        return bytes;
    }

    @Override
    public void close() {
        for (Segment s : segments) {
            if (s instanceof DeviceSegment d) {
                d.program().close();
            }
        }
        if (rest != null) {
            rest.cache().close();
        }
        bodies.close();
        memory.close();
    }
}
