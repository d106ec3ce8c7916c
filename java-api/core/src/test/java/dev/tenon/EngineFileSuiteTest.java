package dev.tenon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.OnnxTestCase;
import dev.tenon.internal.onnx.SuiteExpectations;
import dev.tenon.internal.onnx.SuiteRunner;
import dev.tenon.internal.reference.Agreement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Saved engines of the suite's models give what the engines gave that were built in memory. */
class EngineFileSuiteTest {
    /** One case in this many; the choice is the same each time. */
    private static final int EVERY = 4;

    @TempDir
    static Path folder;

    @TestFactory
    List<DynamicTest> suite() throws IOException {
        return tests("onnx-suite", EVERY);
    }

    @TestFactory
    List<DynamicTest> models() throws IOException {
        return tests("models", 1);
    }

    @Test
    void digits() throws IOException {
        Path model = Path.of(System.getProperty("tenon.root", "../..")).resolve("examples/digits/digits.onnx");
        Path file = folder.resolve("digits.tenon");
        try (Engine engine = Engine.load(model)) {
            engine.save(file);
            try (Engine loaded = Engine.load(file);
                    Session a = engine.newSession();
                    Session b = loaded.newSession()) {
                TensorInfo in = engine.inputs().getFirst();
                long[] dims = in.dims().stream()
                        .mapToLong(d -> Character.isDigit(d.charAt(0)) ? Long.parseLong(d) : 1)
                        .toArray();
                for (Session s : new Session[] {a, b}) {
                    Tensor x = s.input(in.name(), dims);
                    for (long i = 0; i < x.size(); i++) {
                        x.setDouble(i, i % 7 / 7.0);
                    }
                    s.run();
                }
                String out = engine.outputs().getFirst().name();
                assertThat(b.output(out).toFloatArray())
                        .containsExactly(a.output(out).toFloatArray(), within(1e-5f))
                        .doesNotContain(Float.NaN);
            }
        }
    }

    private static List<DynamicTest> tests(String name, int every) throws IOException {
        Path root = SuiteRunner.sharedFolder().resolve(name);
        Assumptions.assumeTrue(
                Files.isDirectory(root), root + " is absent; set -Dtenon.shared to the folder with the ONNX suite");
        Set<String> unsupported = SuiteExpectations.read();
        List<DynamicTest> tests = new ArrayList<>();
        int i = 0;
        for (OnnxTestCase c : OnnxTestCase.find(root)) {
            // 240 MB of weights take longer to write than they are worth.
            boolean huge = c.name().contains("alexnet");
            if (i++ % every == 0 && !huge && !unsupported.contains(c.name())) {
                tests.add(DynamicTest.dynamicTest(c.name(), () -> check(c)));
            }
        }
        return tests;
    }

    private static void check(OnnxTestCase c) throws IOException {
        Path file = Files.createTempFile(folder, "case", ".tenon");
        try (MemoryScope memory = MemoryScope.shared("case");
                Engine engine = Engine.load(c.model())) {
            Path dataSet = c.dataSets().getFirst();
            List<Datum> inputs =
                    OnnxTestCase.inputs(dataSet, engine.model().graph().inputs(), memory);
            try (Session session = engine.newSession()) {
                run(engine, session, inputs);
                engine.save(file);
                try (Engine loaded = Engine.load(file);
                        Session other = loaded.newSession()) {
                    run(loaded, other, inputs);
                    assertThat(loaded.inputs()).isEqualTo(engine.inputs());
                    assertThat(loaded.outputs()).isEqualTo(engine.outputs());
                    assertThat(loaded.metadata()).isEqualTo(engine.metadata());
                    for (TensorInfo o : engine.outputs()) {
                        Optional<String> difference = new Agreement(1e-5, 1e-6)
                                .difference(session.outputDatum(o.name()), other.outputDatum(o.name()));
                        boolean random = difference.isPresent() && isRandom(engine);
                        assertThat(random ? Optional.empty() : difference).isEqualTo(Optional.empty());
                    }
                }
            }
        } finally {
            Files.delete(file);
        }
    }

    private static boolean isRandom(Engine engine) {
        return engine.model().graph().nodes().stream()
                .anyMatch(n -> n.op().name().matches("Random.*|Bernoulli|Multinomial|Dropout"));
    }

    private static void run(Engine engine, Session session, List<Datum> inputs) {
        for (int i = 0; i < inputs.size(); i++) {
            session.bind(engine.inputs().get(i).name(), inputs.get(i));
        }
        session.run();
    }
}
