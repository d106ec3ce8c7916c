package dev.tenon.internal.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The memory that this process can have at most, as the kernel tells it: that of the machine, or of the container. */
final class SystemLimit {
    private static final Path MACHINE = Path.of("/proc/meminfo");
    private static final Path CONTAINER = Path.of("/sys/fs/cgroup/memory.max");
    private static final Path OLD_CONTAINER = Path.of("/sys/fs/cgroup/memory/memory.limit_in_bytes");

    private SystemLimit() {}

    /** Bytes; {@link Long#MAX_VALUE} where the system does not tell. */
    static long bytes() {
        return Math.min(machine(), Math.min(container(CONTAINER), container(OLD_CONTAINER)));
    }

    private static long machine() {
        try (var lines = Files.lines(MACHINE)) {
            return lines.filter(l -> l.startsWith("MemTotal:"))
                    .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) << 10)
                    .findFirst()
                    .orElse(Long.MAX_VALUE);
        } catch (IOException | RuntimeException e) {
            return Long.MAX_VALUE;
        }
    }

    private static long container(Path file) {
        try {
            String text = Files.exists(file) ? Files.readString(file).strip() : "max";
            return text.equals("max") ? Long.MAX_VALUE : Long.parseLong(text);
        } catch (IOException | RuntimeException e) {
            return Long.MAX_VALUE;
        }
    }
}
