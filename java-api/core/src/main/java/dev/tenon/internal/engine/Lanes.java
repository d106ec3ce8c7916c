package dev.tenon.internal.engine;

import java.util.concurrent.Semaphore;

/**
 * The cores of this process, shared by all engines: a run takes as many as it has threads and waits while too few are
 * free, so that running threads never exceed the cores, however many callers there are. The count obeys the affinity mask
 * and the container's quota.
 */
public final class Lanes {
    private static final int CORES = Runtime.getRuntime().availableProcessors();
    private static final Semaphore FREE = new Semaphore(CORES);

    private Lanes() {}

    /** Cores that this process may use. */
    public static int cores() {
        return CORES;
    }

    /** Takes cores; waits, without regard to interrupts, until they are free. */
    public static int enter(int threads) {
        int n = Math.min(threads, CORES);
        FREE.acquireUninterruptibly(n);
        return n;
    }

    /** Gives back what {@link #enter} returned. */
    public static void leave(int cores) {
        FREE.release(cores);
    }
}
