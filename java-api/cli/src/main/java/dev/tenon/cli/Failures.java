package dev.tenon.cli;

import dev.tenon.TenonException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Turns what goes wrong into one message and the exit code 2; the stack trace is shown when asked for. */
final class Failures
        implements CommandLine.IParameterExceptionHandler,
                CommandLine.IExecutionExceptionHandler,
                CommandLine.IExecutionStrategy {

    static final int EXIT_CODE = 2;

    @Override
    public int execute(ParseResult parsed) {
        try {
            return new CommandLine.RunLast().execute(parsed);
        } catch (OutOfMemoryError | StackOverflowError | LinkageError e) {
            ParseResult last = parsed;
            while (last.hasSubcommand()) {
                last = last.subcommand();
            }
            return report(e, last.commandSpec().commandLine(), last);
        }
    }

    @Override
    public int handleParseException(ParameterException e, String[] args) {
        CommandLine line = e.getCommandLine();
        PrintWriter err = line.getErr();
        String name = line.getCommandSpec().qualifiedName();
        err.println(name + ": " + e.getMessage());
        CommandLine.UnmatchedArgumentException.printSuggestions(e, err);
        err.println("Try '" + name + " --help'.");
        err.flush();
        return EXIT_CODE;
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine line, ParseResult parsed) {
        return report(e, line, parsed);
    }

    private static int report(Throwable e, CommandLine line, ParseResult parsed) {
        PrintWriter err = line.getErr();
        if (line.getCommand() instanceof CliCommand c && c.stacktrace) {
            e.printStackTrace(err);
        } else {
            err.println(line.getCommandSpec().qualifiedName() + ": " + message(e));
        }
        err.flush();
        return EXIT_CODE;
    }

    /** What to tell the user of a failure. */
    static String message(Throwable e) {
        return switch (e) {
            case TenonException t -> t.getMessage();
            case CliException c -> c.getMessage();
            case UncheckedIOException u -> message(u.getCause());
            case NoSuchFileException f -> f.getFile() + ": no such file";
            case AccessDeniedException f -> f.getFile() + ": permission denied";
            case FileSystemException f ->
                f.getFile() + ": " + (f.getReason() == null ? f.getClass().getSimpleName() : f.getReason());
            case IOException i -> i.getMessage() == null ? i.toString() : i.getMessage();
            case OutOfMemoryError o ->
                "the Java heap is full (" + o.getMessage() + "); give it more with TENON_JAVA_OPTS=-Xmx4g";
            default -> "internal error: " + e + " (--stacktrace shows where)";
        };
    }
}
