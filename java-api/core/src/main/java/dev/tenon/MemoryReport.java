package dev.tenon;

import java.util.List;
import java.util.Map;

/**
 * Native memory of this process, as Tenon's allocator sees it; packed weights that the native library holds, mapped files
 * and the system's own overhead come on top.
 *
 * @param liveBytes bytes in use
 * @param peakBytes the most that were ever in use
 * @param retainedBytes freed bytes kept for the next request
 * @param limitBytes requests beyond this fail; see {@link Tenon#setMemoryLimit}
 * @param liveBytesByOwner bytes in use by engine, session and so on
 * @param leaks objects that were never closed, with the place where each was made
 */
public record MemoryReport(
        long liveBytes,
        long peakBytes,
        long retainedBytes,
        long limitBytes,
        Map<String, Long> liveBytesByOwner,
        List<String> leaks) {
    public MemoryReport {
        liveBytesByOwner = Map.copyOf(liveBytesByOwner);
        leaks = List.copyOf(leaks);
    }
}
