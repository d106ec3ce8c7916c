package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class OpSetTest {
    /** An operator file that the list forgets would be dead code. */
    @Test
    void listsTheImportRulesOfEveryOperatorFile() throws Exception {
        List<String> missing = new ArrayList<>();
        for (Class<?> c : operatorClasses()) {
            try {
                var specs = c.getDeclaredField("SPECS");
                assertThat(Modifier.isStatic(specs.getModifiers())).isTrue();
                specs.setAccessible(true);
                if (!OpSet.ALL.containsAll((List<?>) specs.get(null))) {
                    missing.add(c.getSimpleName());
                }
            } catch (NoSuchFieldException e) {
                // Functions, helpers and operators that only rewrites make.
            }
        }
        assertThat(missing).isEmpty();
    }

    private static List<Class<?>> operatorClasses() throws Exception {
        URI root =
                OpSet.class.getProtectionDomain().getCodeSource().getLocation().toURI();
        Path folder = Path.of(root).resolve("dev/tenon/internal/op");
        assumeThat(folder).as("operators are in a folder, not a jar").isDirectory();
        List<Class<?>> classes = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path f : files.sorted(Comparator.naturalOrder()).toList()) {
                String name = f.getFileName().toString();
                if (name.endsWith(".class") && !name.contains("$") && !name.startsWith("package-info")) {
                    classes.add(Class.forName("dev.tenon.internal.op." + name.substring(0, name.length() - 6)));
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        assertThat(classes).hasSizeGreaterThan(50);
        return classes;
    }

    @Test
    void hasOneRuleForEveryNameAndVersion() {
        for (OpSpec a : OpSet.ALL) {
            long same = OpSet.ALL.stream()
                    .filter(b -> b.domain().equals(a.domain())
                            && b.onnxName().equals(a.onnxName())
                            && b.since() <= a.until()
                            && a.since() <= b.until())
                    .count();
            assertThat(same).as(a.domain() + "::" + a.onnxName()).isEqualTo(1);
        }
    }

    @Test
    void findsByNameDomainAndVersion() {
        assertThat(OpSet.find("", "Relu", 13)).isPresent();
        assertThat(OpSet.find("ai.onnx", "Relu", 13)).isPresent();
        assertThat(OpSet.find("", "Relu2", 13)).isEmpty();
        assertThat(OpSet.find("", "Tile", 1)).isEmpty();
    }
}
