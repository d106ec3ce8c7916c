package dev.tenon.internal.plan;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Places buffers with known lifetimes in one arena: largest first, each at the lowest offset where it overlaps no buffer
 * that is alive at the same time (greedy by size; Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net
 * Inference", section 4).
 *
 * @param offsets byte offset of each buffer
 * @param arenaBytes bytes of the arena
 */
public record MemoryPlan(long[] offsets, long arenaBytes) {
    /** @param first the first step during which the buffer is needed @param last the last such step, included */
    public record Buffer(long bytes, long alignment, long first, long last) {
        boolean meets(Buffer o) {
            return first <= o.last && o.first <= last;
        }
    }

    public static MemoryPlan of(List<Buffer> buffers) {
        int n = buffers.size();
        long[] offsets = new long[n];
        int[] order = IntStream.range(0, n)
                .boxed()
                .sorted(Comparator.<Integer>comparingLong(i -> -buffers.get(i).bytes)
                        .thenComparingLong(i -> buffers.get(i).first))
                .mapToInt(Integer::intValue)
                .toArray();
        int[] placed = new int[n];
        int count = 0;
        long arena = 0;
        for (int i : order) {
            Buffer b = buffers.get(i);
            long offset = 0;
            // `placed` is sorted by offset, so the first gap found is the lowest one.
            for (int k = 0; k < count; k++) {
                int j = placed[k];
                if (b.meets(buffers.get(j))
                        && offset < offsets[j] + buffers.get(j).bytes
                        && offsets[j] < offset + b.bytes) {
                    offset = align(offsets[j] + buffers.get(j).bytes, b.alignment);
                }
            }
            offsets[i] = offset;
            arena = Math.max(arena, offset + b.bytes);
            int at = count++;
            while (at > 0 && offsets[placed[at - 1]] > offset) {
                placed[at] = placed[at - 1];
                at--;
            }
            placed[at] = i;
        }
        MemoryPlan plan = new MemoryPlan(offsets, align(arena, 64));
        plan.check(buffers);
        return plan;
    }

    /** @throws IllegalStateException if two buffers that are alive together share a byte, or one lies outside the arena */
    public void check(List<Buffer> buffers) {
        for (int i = 0; i < buffers.size(); i++) {
            Buffer a = buffers.get(i);
            if (offsets[i] < 0 || offsets[i] % a.alignment != 0 || offsets[i] + a.bytes > arenaBytes) {
                throw new IllegalStateException("buffer " + i + " at " + offsets[i] + " is misplaced");
            }
            for (int j = 0; j < i; j++) {
                Buffer b = buffers.get(j);
                if (a.meets(b) && offsets[i] < offsets[j] + b.bytes && offsets[j] < offsets[i] + a.bytes) {
                    throw new IllegalStateException("buffers " + i + " and " + j + " share bytes while both are alive");
                }
            }
        }
    }

    private static long align(long n, long alignment) {
        return (n + alignment - 1) / alignment * alignment;
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof MemoryPlan p && arenaBytes == p.arenaBytes && Arrays.equals(offsets, p.offsets);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(offsets);
    }
}
