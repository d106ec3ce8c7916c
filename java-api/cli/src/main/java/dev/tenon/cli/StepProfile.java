package dev.tenon.cli;

import dev.tenon.Session;
import dev.tenon.spi.StepInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What each step of a run takes: the median over several timed runs.
 *
 * @param last the times of the last run
 * @param runs how many runs were timed
 */
record StepProfile(List<Step> steps, List<Long> last, int runs) {
    record Step(StepInfo info, double nanos) {}

    /** Times at least three runs, and more until {@code budgetNanos} have passed. */
    static StepProfile measure(Session session, long budgetNanos, int maxRuns) {
        List<StepInfo> infos = new ArrayList<>();
        List<long[]> samples = new ArrayList<>();
        long start = System.nanoTime();
        while (samples.size() < 3 || samples.size() < maxRuns && System.nanoTime() - start < budgetNanos) {
            List<StepInfo> seen = new ArrayList<>();
            List<Long> nanos = new ArrayList<>();
            session.runProfiled((step, n) -> {
                seen.add(step);
                nanos.add(n);
            });
            // Where shapes depend on data, a later run may take other steps: only runs alike are compared.
            if (seen.size() != infos.size()) {
                samples.clear();
            }
            infos = seen;
            samples.add(nanos.stream().mapToLong(Long::longValue).toArray());
        }
        List<Step> steps = new ArrayList<>();
        for (int s = 0; s < infos.size(); s++) {
            int step = s;
            long[] times = samples.stream().mapToLong(run -> run[step]).sorted().toArray();
            steps.add(new Step(infos.get(s), times[times.length / 2]));
        }
        return new StepProfile(
                List.copyOf(steps), Arrays.stream(samples.getLast()).boxed().toList(), samples.size());
    }

    double totalNanos() {
        return steps.stream().mapToDouble(Step::nanos).sum();
    }

    /** The positions of the steps that take most time, longest first. */
    List<Step> slowest(int n) {
        return steps.stream()
                .sorted((a, b) -> Double.compare(b.nanos, a.nanos))
                .limit(n)
                .toList();
    }
}
