package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DoctorCommandTest {
    @Test
    void provesThatTheEngineWorks() {
        Cli.needsNativeLibrary();
        Cli r = Cli.run("doctor");
        assertThat(r.code()).isZero();
        assertThat(r.out())
                .contains("features", "threads", "memory", "huge pages", "native library", "cache", "CUDA runtime")
                .contains("runs a built-in model correctly")
                .endsWith("The CPU engine works." + System.lineSeparator());
    }

    @Test
    @SuppressWarnings("unchecked")
    void jsonHoldsEveryFinding() {
        Cli r = Cli.run("doctor", "--json");
        Map<String, Object> m = r.json();
        assertThat(m.get("works")).isEqualTo(r.code() == 0);
        List<Map<String, Object>> findings = (List<Map<String, Object>>) m.get("findings");
        assertThat(findings)
                .extracting(f -> f.get("topic"))
                .contains("tenon", "java", "cpu", "threads", "memory", "native library", "cache", "gpu", "cuDNN");
        assertThat(findings).allSatisfy(f -> assertThat(f.get("state")).isIn("ok", "missing", "wrong"));
    }
}
