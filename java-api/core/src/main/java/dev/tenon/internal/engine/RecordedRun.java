package dev.tenon.internal.engine;

import dev.tenon.internal.plan.PlanInstance;
import jdk.jfr.EventType;

/** A run while a flight recording wants to know about it. */
public final class RecordedRun {
    // Asked once a run: an event made for the question would be garbage of each run from a process's first recording
    // on.
    private static final EventType RUN = EventType.getEventType(RunEvent.class);
    private static final EventType STEP = EventType.getEventType(StepEvent.class);

    private RecordedRun() {}

    /** True if a recording has asked for runs or steps. Allocates nothing. */
    public static boolean isWanted() {
        return RUN.isEnabled() || STEP.isEnabled();
    }

    public static void run(String model, PlanInstance instance) {
        RunEvent event = new RunEvent();
        event.begin();
        long start = System.nanoTime();
        int cores = Lanes.enter(instance.threads());
        try {
            event.waitNanos = System.nanoTime() - start;
            if (STEP.isEnabled()) {
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
