package dev.tenon.tools;

import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.JavaFormatterOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * Checks or applies the source format (palantir-java-format, unused imports removed) for every Java file under the
 * working directory.
 *
 * <p>Usage: {@code FormatJava check|apply KNOWN}. KNOWN remembers what was found formatted, so that a second check reads
 * the files but formats only those that changed.
 */
public final class FormatJava {

    private static final Set<String> IGNORED_FOLDERS = Set.of("target", ".git", "build");

    private final Formatter formatter = Formatter.createFormatter(JavaFormatterOptions.builder()
            .style(JavaFormatterOptions.Style.PALANTIR)
            .build());
    private final boolean apply;
    private final Set<String> known;
    private final ConcurrentLinkedQueue<String> formatted = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<String> changed = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<String> errors = new ConcurrentLinkedQueue<>();

    private FormatJava(boolean apply, Set<String> known) {
        this.apply = apply;
        this.known = known;
    }

    public static void main(String[] args) throws IOException {
        if (args.length != 2 || !(args[0].equals("check") || args[0].equals("apply"))) {
            System.err.println("usage: FormatJava check|apply KNOWN");
            System.exit(2);
        }
        Path knownFile = Path.of(args[1]);
        Set<String> known = Files.exists(knownFile) ? new HashSet<>(Files.readAllLines(knownFile)) : Set.of();
        FormatJava run = new FormatJava(args[0].equals("apply"), known);
        run.visitAll(Path.of(""));
        Files.createDirectories(knownFile.toAbsolutePath().getParent());
        Files.write(knownFile, run.formatted.stream().sorted().toList());
        System.exit(run.report() ? 0 : 1);
    }

    private void visitAll(Path root) throws IOException {
        List<Path> files;
        try (Stream<Path> tree = Files.find(
                root,
                Integer.MAX_VALUE,
                (path, attributes) ->
                        attributes.isRegularFile() && path.toString().endsWith(".java") && !ignored(path))) {
            files = tree.toList();
        }
        files.parallelStream().forEach(this::visit);
    }

    private static boolean ignored(Path path) {
        for (Path part : path) {
            if (IGNORED_FOLDERS.contains(part.toString())) {
                return true;
            }
        }
        return false;
    }

    private void visit(Path file) {
        try {
            String source = Files.readString(file);
            if (known.contains(fingerprint(source))) {
                formatted.add(fingerprint(source));
                return;
            }
            String result = formatter.formatSourceAndFixImports(source);
            if (!result.equals(source)) {
                changed.add(file.toString());
                if (!apply) {
                    return;
                }
                Files.writeString(file, result);
            }
            formatted.add(fingerprint(result));
        } catch (FormatterException | IOException e) {
            errors.add(file + ": " + e.getMessage());
        }
    }

    private static String fingerprint(String source) {
        byte[] bytes = source.getBytes(StandardCharsets.UTF_8);
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return Long.toHexString(crc.getValue()) + "-" + bytes.length;
    }

    private boolean report() {
        errors.stream().sorted().forEach(System.err::println);
        changed.stream()
                .sorted()
                .forEach(file -> System.err.println((apply ? "formatted " : "not formatted: ") + file));
        if (!apply && !changed.isEmpty()) {
            System.err.println("To format them: ./mvnw -q -pl tools/format compile exec:exec@apply");
        }
        return errors.isEmpty() && (apply || changed.isEmpty());
    }
}
