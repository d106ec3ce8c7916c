package dev.tenon.internal.memory;

import java.lang.ref.Cleaner;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Watches objects that must be closed. One that the garbage collector takes unclosed is closed then, late but safely, and
 * reported with the place where it was made. Places of tensors are recorded only with {@code -Dtenon.leaks=detailed}, since
 * walking the stack costs more than the tensor; without it only the first lost tensor is logged, all are in the report.
 */
public final class LeakGuard implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();
    private static final boolean DETAILED = "detailed".equals(System.getProperty("tenon.leaks"));
    private static final int MAX_REPORTS = 100;
    private static final ConcurrentLinkedQueue<String> REPORTS = new ConcurrentLinkedQueue<>();

    private static final AtomicBoolean UNPLACED_LOGGED = new AtomicBoolean();

    private final Cleaner.Cleanable cleanable;
    private final Watch watch;

    private LeakGuard(Cleaner.Cleanable cleanable, Watch watch) {
        this.cleanable = cleanable;
        this.watch = watch;
    }

    /**
     * Watches {@code handle}.
     *
     * @param what names the object in reports
     * @param release frees what the handle held, and tells whether there was anything left; must not refer to the handle
     * @param rare whether there are few such objects, so that the place is always worth recording
     */
    public static LeakGuard watch(Object handle, String what, BooleanSupplier release, boolean rare) {
        Watch w = new Watch(what, release, rare || DETAILED ? place() : "");
        return new LeakGuard(CLEANER.register(handle, w), w);
    }

    /** The object was closed as it should be. */
    @Override
    public void close() {
        watch.closed.set(true);
        cleanable.clean();
    }

    /** The leaks seen so far, oldest first; at most the last hundred. */
    public static List<String> reports() {
        return List.copyOf(REPORTS);
    }

    private static String place() {
        return StackWalker.getInstance()
                .walk(frames -> frames.filter(f -> !f.getClassName().startsWith("dev.tenon.internal.")
                                && !f.getClassName().matches("dev\\.tenon\\.(Tensor|Engine|Session)(\\$.*)?"))
                        .limit(8)
                        .map(f -> "\n    at " + f)
                        .collect(Collectors.joining()));
    }

    private static final class Watch implements Runnable {
        private final String what;
        private final BooleanSupplier release;
        private final String place;
        private final AtomicBoolean closed = new AtomicBoolean();

        Watch(String what, BooleanSupplier release, String place) {
            this.what = what;
            this.release = release;
            this.place = place;
        }

        @Override
        public void run() {
            if (closed.getAndSet(true) || !release.getAsBoolean()) {
                return;
            }
            String report = what + " was never closed; it was made"
                    + (place.isEmpty() ? " at an unrecorded place (run with -Dtenon.leaks=detailed)" : place);
            REPORTS.add(report);
            while (REPORTS.size() > MAX_REPORTS) {
                REPORTS.poll();
            }
            // Without the place there is little to say, and a program that leaves tensors to the collector leaves many.
            if (!place.isEmpty() || UNPLACED_LOGGED.compareAndSet(false, true)) {
                System.getLogger("dev.tenon").log(System.Logger.Level.WARNING, report);
            }
        }
    }
}
