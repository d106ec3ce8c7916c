package dev.tenon.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.tenon.Tenon;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Where figures were measured.
 *
 * @param memory bytes of main memory
 * @param load the load average when measuring began; more than a little makes times doubtful
 * @param commit the commit of the sources, with {@code +} if files were changed; {@code unknown} without a checkout
 */
record Machine(
        String processor, int cores, long memory, String system, double load, String jdk, String tenon, String commit) {

    static Machine here() {
        OperatingSystemMXBean os = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return new Machine(
                processorName(),
                Runtime.getRuntime().availableProcessors(),
                os.getTotalMemorySize(),
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                os.getSystemLoadAverage(),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"),
                Tenon.version(),
                checkedOut());
    }

    private static String processorName() {
        Path info = Path.of("/proc/cpuinfo");
        try {
            if (Files.exists(info)) {
                for (String line : Files.readAllLines(info)) {
                    if (line.startsWith("model name")) {
                        return line.substring(line.indexOf(':') + 1).strip();
                    }
                }
            }
        } catch (IOException e) {
            // The report then names the architecture alone.
        }
        return System.getProperty("os.arch");
    }

    private static String checkedOut() {
        String hash = git("rev-parse", "--short=9", "HEAD");
        if (hash.isEmpty()) {
            return "unknown";
        }
        return git("status", "--porcelain", "--untracked-files=no").isEmpty() ? hash : hash + "+";
    }

    /** What git says, or nothing if there is no git or no checkout. */
    private static String git(String... arguments) {
        String[] command = new String[arguments.length + 1];
        command[0] = "git";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        try {
            Process p = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return p.waitFor(10, TimeUnit.SECONDS) && p.exitValue() == 0 ? out : "";
        } catch (IOException e) {
            return "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        }
    }
}
