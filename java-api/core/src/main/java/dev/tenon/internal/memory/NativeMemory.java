package dev.tenon.internal.memory;

import dev.tenon.MemoryReport;

/** The figures and the limit of this process's native memory. */
public final class NativeMemory {
    private NativeMemory() {}

    public static MemoryReport report() {
        return new MemoryReport(
                BlockPool.liveBytes(),
                BlockPool.peakBytes(),
                BlockPool.retainedBytes(),
                BlockPool.limit(),
                MemoryScope.liveBytesByName(),
                LeakGuard.reports());
    }

    public static void setLimit(long bytes) {
        BlockPool.setLimit(bytes);
    }

    public static void trim() {
        BlockPool.trim();
    }
}
