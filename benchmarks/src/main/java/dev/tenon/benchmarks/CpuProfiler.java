package dev.tenon.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/** How many cores the process keeps busy: its processor time in relation to the clock. Threads that spin count too. */
public final class CpuProfiler implements InternalProfiler {
    /** The name of its result. */
    public static final String LABEL = "cores";

    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private long clock;
    private long processor;

    @Override
    public String getDescription() {
        return "processor time of the process in relation to the clock";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        clock = System.nanoTime();
        processor = system.getProcessCpuTime();
    }

    @Override
    public Collection<? extends Result<?>> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        double cores = (system.getProcessCpuTime() - processor) / (double) (System.nanoTime() - clock);
        return List.of(new ScalarResult(LABEL, cores, "cores", AggregationPolicy.AVG));
    }
}
