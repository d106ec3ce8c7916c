package dev.tenon.cuda;

import dev.tenon.TenonException;

/** A generated kernel did not compile: a mistake of Tenon's. The message holds the compiler's log and the source. */
public class KernelCompilationException extends TenonException {
    private static final long serialVersionUID = 1L;

    private final String log;
    private final String source;

    public KernelCompilationException(String message, String log, String source) {
        super(message + "\n" + log.strip() + "\n" + numbered(source));
        this.log = log;
        this.source = source;
    }

    /** What the compiler said. */
    public String log() {
        return log;
    }

    /** The source that was compiled. */
    public String source() {
        return source;
    }

    private static String numbered(String source) {
        StringBuilder text = new StringBuilder();
        int number = 0;
        for (String line : source.lines().toList()) {
            text.append("%4d  %s%n".formatted(++number, line));
        }
        return text.toString();
    }
}
