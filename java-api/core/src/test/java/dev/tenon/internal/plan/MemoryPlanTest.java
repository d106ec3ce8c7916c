package dev.tenon.internal.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.tenon.internal.plan.MemoryPlan.Buffer;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class MemoryPlanTest {
    @Provide
    Arbitrary<List<Buffer>> buffers() {
        Arbitrary<Buffer> buffer = Combinators.combine(
                        Arbitraries.longs().between(0, 5000),
                        Arbitraries.of(1L, 16L, 64L, 256L),
                        Arbitraries.longs().between(0, 40),
                        Arbitraries.longs().between(0, 10))
                .as((bytes, alignment, first, length) -> new Buffer(bytes, alignment, first, first + length));
        return buffer.list().ofMaxSize(60);
    }

    @Property(tries = 500)
    void livingBuffersNeverOverlap(@ForAll("buffers") List<Buffer> buffers) {
        MemoryPlan plan = MemoryPlan.of(buffers);
        long[] at = plan.offsets();
        for (int i = 0; i < buffers.size(); i++) {
            Buffer a = buffers.get(i);
            assertThat(at[i] % a.alignment()).isZero();
            assertThat(at[i]).isNotNegative();
            assertThat(at[i] + a.bytes()).isLessThanOrEqualTo(plan.arenaBytes());
            for (int j = 0; j < i; j++) {
                Buffer b = buffers.get(j);
                boolean together = a.first() <= b.last() && b.first() <= a.last();
                boolean apart = at[i] + a.bytes() <= at[j] || at[j] + b.bytes() <= at[i];
                assertThat(!together || apart || a.bytes() == 0 || b.bytes() == 0)
                        .as(a + " at " + at[i] + " and " + b + " at " + at[j])
                        .isTrue();
            }
        }
    }

    @Property(tries = 500)
    void theArenaLiesBetweenThePeakAndTheSum(@ForAll("buffers") List<Buffer> buffers) {
        long arena = MemoryPlan.of(buffers).arenaBytes();
        long peak = 0;
        for (long step = 0; step <= 50; step++) {
            long live = 0;
            for (Buffer b : buffers) {
                live += b.first() <= step && step <= b.last() ? b.bytes() : 0;
            }
            peak = Math.max(peak, live);
        }
        long sum = buffers.stream()
                .mapToLong(b -> (b.bytes() + b.alignment() - 1) / b.alignment() * b.alignment() + b.alignment())
                .sum();
        assertThat(arena).isBetween(peak, sum + 64);
    }

    @Property(tries = 200)
    void aChainNeedsNoMoreThanTwoNeighbours(@ForAll("buffers") List<Buffer> sizes) {
        List<Buffer> chain = new java.util.ArrayList<>();
        for (int i = 0; i < sizes.size(); i++) {
            chain.add(new Buffer(64 * sizes.get(i).bytes(), 64, i, i + 1));
        }
        long largest = 0;
        for (int i = 1; i < chain.size(); i++) {
            largest = Math.max(largest, chain.get(i - 1).bytes() + chain.get(i).bytes());
        }
        // Greedy placement by size is not optimal, but stays near it.
        long sum = chain.stream().mapToLong(Buffer::bytes).sum();
        assertThat(MemoryPlan.of(chain).arenaBytes())
                .isLessThanOrEqualTo(Math.min(sum, 2 * largest) + (chain.size() < 2 ? sum : 0));
    }

    @Example
    void buffersThatNeverMeetShareTheirBytes() {
        MemoryPlan plan = MemoryPlan.of(
                List.of(new Buffer(1000, 64, 0, 1), new Buffer(1000, 64, 2, 3), new Buffer(1000, 64, 4, 5)));
        assertThat(plan.arenaBytes()).isEqualTo(1024);
    }

    @Example
    void theCheckFindsAnOverlap() {
        List<Buffer> buffers = List.of(new Buffer(100, 64, 0, 1), new Buffer(100, 64, 1, 2));
        assertThatIllegalStateException()
                .isThrownBy(() -> new MemoryPlan(new long[] {0, 64}, 192).check(buffers))
                .withMessageContaining("share bytes");
        assertThatIllegalStateException()
                .isThrownBy(() -> new MemoryPlan(new long[] {0, 100}, 256).check(buffers))
                .withMessageContaining("misplaced");
        assertThatIllegalStateException()
                .isThrownBy(() -> new MemoryPlan(new long[] {0, 128}, 192).check(buffers))
                .withMessageContaining("misplaced");
    }
}
