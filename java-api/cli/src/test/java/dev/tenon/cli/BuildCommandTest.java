package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BuildCommandTest {
    @TempDir
    Path folder;

    @BeforeEach
    void needsNativeLibrary() {
        Cli.needsNativeLibrary();
    }

    @Test
    void savesAnEngineThatRunsTheSame() throws Exception {
        Path model = Cli.layerModel(folder);
        Path engine = folder.resolve("engine.tenon");
        Cli built = Cli.run("build", model, "-o", engine, "--shape", "x=2x3", "--json");
        assertThat(built.code()).isZero();
        Map<String, Object> report = built.json();
        assertThat(report.get("nodes_before")).isEqualTo(3L);
        assertThat((long) report.get("nodes_after")).isBetween(1L, 3L);
        assertThat((long) report.get("packed_weights")).isPositive();
        assertThat(report.get("bytes")).isEqualTo(Files.size(engine));
        // Not on a terminal: a line for each phase.
        assertThat(built.err()).contains("import");

        Cli run = Cli.run("run", engine, "--random", "--json");
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        assertThat(Cli.run("compare", model, engine, "--shape", "x=2x3", "--random")
                        .code())
                .isZero();
    }

    @Test
    void reportNamesLayersTimeAndSize() throws Exception {
        Cli r = Cli.run("build", Cli.layerModel(folder), "-o", folder.resolve("e.tenon"));
        assertThat(r.code()).isZero();
        assertThat(r.out()).contains("layers", "3 in the model", "time", "e.tenon, ", "KiB", "weights");
    }

    @Test
    void theModelIsNeverOverwritten() throws Exception {
        Path model = Cli.layerModel(folder);
        byte[] before = Files.readAllBytes(model);
        Cli r = Cli.run("build", model, "-o", model);
        assertThat(r.code()).isEqualTo(2);
        assertThat(r.err()).contains("would overwrite the model");
        assertThat(Files.readAllBytes(model)).isEqualTo(before);
        assertThat(Cli.run("build", model, "-o", folder).err()).contains("is a folder");
    }

    @Test
    void shapesThatDoNotFitAreRefused() throws Exception {
        Path model = Cli.layerModel(folder);
        Cli r = Cli.run("build", model, "-o", folder.resolve("e.tenon"), "--shape", "x=2x5");
        assertThat(r.code()).isEqualTo(2);
        assertThat(r.err()).contains("input 'x' cannot take shape 2x5");
        assertThat(Cli.run("build", model, "-o", folder.resolve("e.tenon"), "--shape", "q=1")
                        .err())
                .contains("no input 'q'");
    }

    @Test
    void aDamagedEngineIsRefused() throws Exception {
        Path engine = folder.resolve("e.tenon");
        Cli.run("build", Cli.layerModel(folder), "-o", engine);
        byte[] bytes = Files.readAllBytes(engine);
        bytes[bytes.length / 2] ^= 1;
        Files.write(engine, java.util.Arrays.copyOf(bytes, bytes.length - 7));
        Cli r = Cli.run("run", engine, "--zeros");
        assertThat(r.code()).isEqualTo(2);
        assertThat(r.err()).contains("e.tenon").doesNotContain("internal error");
    }
}
