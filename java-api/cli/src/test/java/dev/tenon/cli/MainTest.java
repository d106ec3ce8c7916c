package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for all commands: help, exit codes, messages. */
class MainTest {
    @TempDir
    Path folder;

    @Test
    void helpListsAllCommands() {
        Cli r = Cli.run("--help");
        assertThat(r.code()).isZero();
        assertThat(r.out()).contains("build", "run", "bench", "verify", "inspect", "compare", "doctor", "Exit codes");
        assertThat(Cli.run().out()).isEqualTo(r.out());
    }

    @Test
    void versionIsTold() {
        assertThat(Cli.run("--version").out()).startsWith("tenon 0.");
    }

    @ParameterizedTest
    @ValueSource(strings = {"build", "run", "bench", "verify", "inspect", "compare", "doctor"})
    void everyCommandHasHelpAndJson(String command) {
        Cli r = Cli.run(command, "--help");
        assertThat(r.code()).isZero();
        assertThat(r.out()).startsWith("Usage: tenon " + command).contains("--json", "--stacktrace");
        assertThat(r.err()).isEmpty();
    }

    @Test
    void wrongArgumentsAreOneMessageAndExitCode2() {
        for (Cli r : new Cli[] {
            Cli.run("run"),
            Cli.run("run", "m.onnx", "--colour"),
            Cli.run("run", "m.onnx", "--shape", "1x3"),
            Cli.run("run", "m.onnx", "--shape", "x=1xthree"),
            Cli.run("run", "m.onnx", "--shape", "x=1x-3"),
            Cli.run("run", "m.onnx", "--device", "abacus!"),
            Cli.run("run", "m.onnx", "--precision", "fp99"),
            Cli.run("build", "m.onnx"),
            Cli.run("fly"),
        }) {
            assertThat(r.code()).isEqualTo(2);
            assertThat(r.out()).isEmpty();
            assertThat(r.err()).startsWith("tenon").doesNotContain("\tat ");
            assertThat(r.err().lines().count()).isLessThanOrEqualTo(3);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "bench", "inspect"})
    void unreadableModelsAreOneMessageAndExitCode2(String command) throws Exception {
        Path missing = folder.resolve("missing.onnx");
        Cli r = Cli.run(command, missing);
        assertThat(r.code()).isEqualTo(2);
        assertThat(r.err()).isEqualToNormalizingNewlines("tenon " + command + ": " + missing + ": no such file\n");

        Path garbage = Files.writeString(folder.resolve("garbage.onnx"), "this is not a model, whatever its name says");
        r = Cli.run(command, garbage);
        assertThat(r.code()).isEqualTo(2);
        assertThat(r.out()).isEmpty();
        assertThat(r.err()).contains("garbage.onnx").doesNotContain("\tat ", "internal error");

        assertThat(Cli.run(command, folder).err()).contains("not a file");
    }

    @Test
    void stackTraceIsShownWhenAskedFor() {
        Cli r = Cli.run("run", folder.resolve("missing.onnx"), "--stacktrace");
        assertThat(r.code()).isEqualTo(2);
        assertThat(r.err()).contains("CliException", "\tat dev.tenon.cli");
    }

    @Test
    void devicesThatAreNotThereAreRefused() throws Exception {
        Cli r = Cli.run("run", Cli.layerModel(folder), "--device", "cuda:0", "--zeros");
        assertThat(r.code()).isEqualTo(2);
        assertThat(r.err()).contains("cuda:0", "not available");
    }
}
