package dev.tenon;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import jdk.jfr.Recording;

/**
 * Does one thing many times and prints how much memory that took: {@code MemoryProbe runs|loops|cycles|shapes|heap FILE}. A program,
 * so that a test can give it a heap of fixed size, all touched; what the process then gains is native.
 */
final class MemoryProbe {
    private MemoryProbe() {}

    public static void main(String[] args) throws IOException {
        Path file = Path.of(args[1]);
        switch (args[0]) {
            case "runs" -> {
                try (Engine engine = Engine.load(file);
                        Session session = engine.newSession()) {
                    measure(20_000, 100_000, i -> session.run());
                }
            }
            case "loops" -> {
                try (Engine engine = Engine.load(file);
                        Session session = engine.newSession()) {
                    session.input("trips").setLong(0, 3);
                    session.input("start");
                    measure(5_000, 20_000, i -> session.run());
                }
            }
            case "cycles" ->
                measure(300, 1_000, i -> {
                    try (Engine engine = Engine.load(file);
                            Session session = engine.newSession()) {
                        session.run();
                    }
                });
            case "shapes" -> {
                try (Engine engine = Engine.load(file);
                        Session session = engine.newSession()) {
                    session.input("x", 3_000, 4);
                    session.run();
                    measure(600, 2_000, i -> {
                        session.input("x", 1 + i, 4);
                        session.run();
                    });
                }
            }
            case "heap" -> heap(file);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void heap(Path file) {
        try (Engine engine = Engine.load(file);
                Session session = engine.newSession();
                Tensor mine = Tensor.of(Models.values(4, 1), 1, 4);
                Tensor other = Tensor.of(Models.values(4, 2), 1, 4)) {
            allocated("at first", session::run);
            session.bind("x", mine);
            allocated("after bind", session::run);
            allocated("with a bind each", () -> {
                session.bind("x", other);
                session.run();
                session.bind("x", mine);
                session.run();
            });
            try (Recording recording = new Recording()) {
                recording.start();
                session.run();
            }
            allocated("after a recording", session::run);
            try (Recording recording = new Recording()) {
                recording.disable("dev.tenon.Run");
                recording.disable("dev.tenon.Step");
                recording.start();
                allocated("in a recording of other things", session::run);
            }
        }
    }

    /** Prints what the runs leave on the heap. The least of three rounds: the first use of a thing loads its classes. */
    private static void allocated(String when, Runnable call) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 3; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 1_000; i++) {
                call.run();
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        System.out.println("heap " + when + " " + least);
    }

    private interface Step {
        void run(int i);
    }

    private static void measure(int warmUp, int times, Step step) throws IOException {
        for (int i = 0; i < warmUp; i++) {
            step.run(i);
        }
        System.gc();
        long live = Tenon.memory().liveBytes();
        long resident = residentBytes();
        for (int i = 0; i < times; i++) {
            step.run(warmUp + i);
            if (Boolean.getBoolean("trace") && i % (times / 10) == 0) {
                System.err.println(i + " " + (residentBytes() - resident >> 10) + " KiB");
            }
        }
        System.gc();
        System.out.println("live " + (Tenon.memory().liveBytes() - live) + " resident " + (residentBytes() - resident));
    }

    /** Memory of this process that is not a file's. */
    private static long residentBytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(l -> l.startsWith("RssAnon:"))
                .mapToLong(l -> Long.parseLong(l.replaceAll("[^0-9]", "")) << 10)
                .findFirst()
                .orElseThrow();
    }
}
