package dev.tenon.benchmarks;

import dev.tenon.benchmarks.models.Zoo;
import dev.tenon.benchmarks.startup.Startup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.openjdk.jmh.runner.RunnerException;

/**
 * Runs the benchmarks and writes what they gave as JSON and as a Markdown page, both named after the day and the commit.
 * Arguments: {@code [--quick] [--results FOLDER] [PATTERN]}; the pattern is looked for in names such as
 * {@code ModelBenchmark.tenon {model=bert, threads=2}} and {@code Startup {model=bert}}.
 */
public final class Report {
    private Report() {}

    public static void main(String[] args) throws IOException, RunnerException, InterruptedException {
        boolean quick = false;
        Path results = Path.of("benchmarks", "results");
        String pattern = "";
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--quick" -> quick = true;
                case "--results" -> results = Path.of(args[++i]);
                default -> pattern = args[i];
            }
        }
        Machine machine = Machine.here();
        List<Comparison> comparisons = Comparison.of(new Rounds(quick, System.out).run(pattern));
        List<Startup.Pair> startups = startups(quick, Pattern.compile(pattern));
        if (comparisons.isEmpty() && startups.isEmpty()) {
            throw new IllegalArgumentException("no benchmark matches " + pattern);
        }
        Files.createDirectories(results);
        String name = LocalDate.now() + "-" + machine.commit().replace("+", "-changed");
        Files.writeString(results.resolve(name + ".json"), JsonPage.write(machine, quick, comparisons, startups));
        String page = MarkdownPage.write(machine, quick, comparisons, startups);
        Files.writeString(results.resolve(name + ".md"), page);
        System.out.println();
        System.out.println(page);
        System.out.println("written to " + results.resolve(name) + ".json and .md");
    }

    private static List<Startup.Pair> startups(boolean quick, Pattern wanted) throws IOException, InterruptedException {
        List<Startup.Pair> pairs = new ArrayList<>();
        for (String model : Zoo.ALL) {
            if (wanted.matcher("Startup {model=" + model + "}").find()) {
                pairs.add(Startup.measure(model, quick ? 1 : 5));
            }
        }
        return pairs;
    }
}
