package dev.tenon.internal.engine;

import dev.tenon.internal.plan.PlanInstance;

/** A run while a flight recording wants to know about it. */
public final class RecordedRun {
    private RecordedRun() {}

    /** True if a recording has asked for runs or steps. */
    public static boolean isWanted() {
        return new RunEvent().isEnabled() || new StepEvent().isEnabled();
    }

    public static void run(String model, PlanInstance instance) {
        RunEvent event = new RunEvent();
        event.begin();
        long start = System.nanoTime();
        int cores = Lanes.enter(instance.threads());
        try {
            event.waitNanos = System.nanoTime() - start;
            if (new StepEvent().isEnabled()) {
                instance.runProfiled((step, nanos) -> {
                    StepEvent e = new StepEvent();
                    e.model = model;
                    e.kind = step.kind();
                    e.step = step.name();
                    e.implementation = step.implementation();
                    e.nanos = nanos;
                    e.commit();
                });
            } else {
                instance.run();
            }
        } finally {
            Lanes.leave(cores);
            event.end();
            if (event.shouldCommit()) {
                event.model = model;
                event.threads = instance.threads();
                event.commit();
            }
        }
    }
}
