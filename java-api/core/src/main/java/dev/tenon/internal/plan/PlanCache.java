package dev.tenon.internal.plan;

import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * Plans by input types. The plans used last are kept; older ones go once no session holds them, so that memory stays flat
 * whatever shapes come. Thread-safe; two threads never make one plan twice.
 */
public final class PlanCache implements AutoCloseable {
    private static final int MAX_IDLE = 32;

    private final Function<List<ValueType>, Plan> planner;
    private final LinkedHashMap<List<ValueType>, Plan> plans = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<Plan, Integer> users = new IdentityHashMap<>();
    private final ReentrantLock lock = new ReentrantLock();

    PlanCache(Function<List<ValueType>, Plan> planner) {
        this.planner = planner;
    }

    /** The plan for these types, made if it is not there. It stays at least until {@link #release}. */
    public Plan acquire(List<ValueType> types) {
        lock.lock();
        try {
            Plan p = plans.get(types);
            if (p == null) {
                p = planner.apply(types);
                plans.put(List.copyOf(types), p);
            }
            users.merge(p, 1, Integer::sum);
            evict();
            return p;
        } finally {
            lock.unlock();
        }
    }

    /** Ends one use of a plan. */
    public void release(Plan p) {
        lock.lock();
        try {
            users.computeIfPresent(p, (k, n) -> n == 1 ? null : n - 1);
            evict();
        } finally {
            lock.unlock();
        }
    }

    private void evict() {
        int idle = plans.size() - users.size();
        for (Iterator<Plan> it = plans.values().iterator(); idle > MAX_IDLE && it.hasNext(); ) {
            Plan p = it.next();
            if (!users.containsKey(p)) {
                it.remove();
                p.close();
                idle--;
            }
        }
    }

    /** The plans there are. */
    public List<Plan> plans() {
        lock.lock();
        try {
            return new ArrayList<>(plans.values());
        } finally {
            lock.unlock();
        }
    }

    /** Frees all plans. No session may hold one. */
    @Override
    public void close() {
        plans().forEach(Plan::close);
        plans.clear();
    }
}
