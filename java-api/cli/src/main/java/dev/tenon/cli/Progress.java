package dev.tenon.cli;

import dev.tenon.BuildListener;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows on standard error how far a job has come: a bar on a terminal, else plain lines or nothing. */
final class Progress implements BuildListener, AutoCloseable {
    private final String task;
    private final @Nullable PrintWriter lines;
    private final boolean terminal;
    private @Nullable ProgressBar bar;

    private Progress(String task, @Nullable PrintWriter lines, boolean terminal) {
        this.task = task;
        this.lines = lines;
        this.terminal = terminal;
    }

    /** A bar on a terminal, nothing elsewhere. */
    static Progress quiet(String task) {
        return new Progress(task, null, isTerminal());
    }

    /** A bar on a terminal, a line for each phase elsewhere. */
    static Progress lines(String task, PrintWriter err) {
        return new Progress(task, err, isTerminal());
    }

    private static boolean isTerminal() {
        if (System.console() == null && "dumb".equals(System.getenv("TERM"))) {
            return false;
        }
        try {
            String file = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return file.startsWith("/dev/pts/") || file.startsWith("/dev/tty");
        } catch (IOException | UnsupportedOperationException e) {
            return System.console() != null && System.console().isTerminal();
        }
    }

    @Override
    public void progress(String phase, int done, int total) {
        if (terminal) {
            ProgressBar b = bar;
            if (b == null) {
                b = makeBar(total);
                bar = b;
            }
            b.maxHint(total);
            b.stepTo(done);
            b.setExtraMessage(" " + phase);
        } else if (lines != null) {
            lines.println("[" + done + "/" + total + "] " + phase);
            lines.flush();
        }
    }

    private ProgressBar makeBar(int total) {
        // The width is given, since asking the terminal for it would load another library.
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(100)
                .hideEta()
                .setConsumer(new ConsoleProgressBarConsumer(System.err, columns()))
                .clearDisplayOnFinish()
                .build();
    }

    private static int columns() {
        try {
            return Math.clamp(Integer.parseInt(String.valueOf(System.getenv("COLUMNS"))), 40, 160);
        } catch (NumberFormatException e) {
            return 79;
        }
    }

    /** Makes room for a line of output on the same terminal; the bar draws itself again below it. */
    void clearLine() {
        if (terminal && bar != null) {
            System.err.print("\r\033[K");
            System.err.flush();
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            // Closing ends the line; the next output belongs where the bar was.
            System.err.print("\033[A\r\033[K");
            System.err.flush();
            bar = null;
        }
    }
}
