package dev.tenon.internal.plan;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.Subgraphs;
import dev.tenon.internal.op.Recurrent;
import java.util.IdentityHashMap;
import java.util.Map;

/** Plans for the bodies of a plan's control flow, made when they first run. Thread-safe. */
public final class BodyPlans implements AutoCloseable {
    private final Planner planner;
    private final Map<Graph, PlanCache> caches = new IdentityHashMap<>();

    BodyPlans(Planner planner) {
        this.planner = planner;
    }

    /** The plans of one body. */
    synchronized PlanCache of(Graph body) {
        return caches.computeIfAbsent(body, planner::cache);
    }

    /** True if a body has work that is worth a plan: a product, convolution or layer of them, here or in a body within. */
    static boolean isHeavy(Graph body) {
        for (Node n : body.nodes()) {
            if (n.op().trait() == OpTrait.CONTRACTION
                    || n.op() instanceof Recurrent
                    || Subgraphs.of(n.op()).stream().anyMatch(BodyPlans::isHeavy)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public synchronized void close() {
        caches.values().forEach(PlanCache::close);
        caches.clear();
    }
}
