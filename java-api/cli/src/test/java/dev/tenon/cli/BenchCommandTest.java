package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.internal.engine.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
    @TempDir
    Path folder;

    @BeforeEach
    void needsNativeLibrary() {
        Cli.needsNativeLibrary();
    }

    @Test
    @SuppressWarnings("unchecked")
    void measuresProfilesAndTraces() throws Exception {
        Path trace = folder.resolve("trace.json");
        Cli r = Cli.run(
                "bench",
                Cli.layerModel(folder),
                "--seconds",
                "0.1",
                "--sessions",
                "2",
                "--threads",
                "1",
                "--profile",
                "--trace",
                trace,
                "--json");
        assertThat(r.err()).isEmpty();
        assertThat(r.code()).isZero();
        Map<String, Object> m = r.json();
        Map<String, Object> latency = (Map<String, Object>) m.get("latency");
        assertThat((double) latency.get("min_ms")).isPositive().isLessThanOrEqualTo((double) latency.get("median_ms"));
        assertThat((double) latency.get("median_ms")).isLessThanOrEqualTo((double) latency.get("p99_ms"));
        assertThat((double) m.get("runs_per_second")).isPositive();
        assertThat((long) m.get("process_peak_bytes")).isPositive();
        assertThat((double) ((Map<String, Object>) m.get("limits")).get("gflops"))
                .isPositive();
        List<Map<String, Object>> steps = (List<Map<String, Object>>) m.get("steps");
        assertThat(steps).isNotEmpty().allSatisfy(s -> assertThat(s).containsKeys("ms", "gflops", "share_of_limit"));

        List<Map<String, Object>> events = (List<Map<String, Object>>)
                ((Map<String, Object>) Json.read(Files.readString(trace))).get("traceEvents");
        assertThat(events.stream().filter(e -> e.get("ph").equals("X"))).hasSize(steps.size() + 1);
    }

    @Test
    void textNamesAllFigures() throws Exception {
        Cli r = Cli.run("bench", Cli.layerModel(folder), "--seconds", "0.05", "--profile");
        assertThat(r.code()).isZero();
        assertThat(r.out()).contains("min", "median", "p90", "p99", "runs/s", "peak", "GFLOP/s", "of limit");
    }

    @Test
    void badFiguresAreRefused() throws Exception {
        Path model = Cli.layerModel(folder);
        assertThat(Cli.run("bench", model, "--seconds", "0").code()).isEqualTo(2);
        assertThat(Cli.run("bench", model, "--seconds", "NaN").code()).isEqualTo(2);
        assertThat(Cli.run("bench", model, "--sessions", "0").code()).isEqualTo(2);
        assertThat(Cli.run("bench", model, "--threads", "0").err()).contains("--threads 0");
    }

    @Test
    void quantilesAreNearestRanks() {
        Latency l = Latency.of(new long[] {5, 1, 4, 2, 3, 10, 9, 8, 7, 6});
        assertThat(l.min()).isEqualTo(1);
        assertThat(l.median()).isEqualTo(5);
        assertThat(l.quantile(0.9)).isEqualTo(9);
        assertThat(l.quantile(0.99)).isEqualTo(10);
        assertThat(Latency.of(new long[] {3}).quantile(0.9)).isEqualTo(3);
    }
}
