package dev.tenon.cli;

import dev.tenon.internal.engine.Json;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What all commands share. */
abstract class CliCommand implements Callable<Integer> {
    static final int DONE = 0;
    static final int ANSWER_IS_NO = 1;

    @Spec
    CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            order = 1000,
            description = "Show this help and exit.")
    boolean help;

    @Option(names = "--json", order = 1001, description = "Print the result as one JSON object.")
    boolean json;

    @Option(names = "--stacktrace", order = 1002, description = "Show where in the program a failure comes from.")
    boolean stacktrace;

    PrintWriter out() {
        return spec.commandLine().getOut();
    }

    PrintWriter err() {
        return spec.commandLine().getErr();
    }

    void printJson(Object value) {
        out().println(Json.write(value));
        out().flush();
    }

    /** @throws CliException if the file cannot be read */
    static void requireFile(Path file) {
        if (!Files.exists(file)) {
            throw new CliException(file + ": no such file");
        }
        if (!Files.isRegularFile(file)) {
            throw new CliException(file + ": not a file");
        }
        if (!Files.isReadable(file)) {
            throw new CliException(file + ": permission denied");
        }
    }
}
