package dev.tenon.internal.pass;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tenon.Datum;
import dev.tenon.TenonException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.ir.Verifier;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.ImportOptions;
import dev.tenon.internal.onnx.OnnxImporter;
import dev.tenon.internal.onnx.OnnxTestCase;
import dev.tenon.internal.onnx.SuiteRunner;
import dev.tenon.internal.reference.Agreement;
import dev.tenon.internal.reference.Interpreter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The whole pipeline on the models and operator cases of the ONNX suite, checked after every pass. */
class PipelineTest {
    private static final Agreement AGREEMENT = new Agreement(2e-3, 1e-5);

    /** The reference interpreter takes long for the large ones. */
    private static final long MAX_MODEL_BYTES = 2 << 20;

    @Test
    void keepsWhatModelsCompute() throws IOException {
        Path suite = SuiteRunner.sharedFolder().resolve("onnx-suite");
        assumeTrue(Files.isDirectory(suite), "there is no ONNX suite at " + suite);
        List<OnnxTestCase> cases = new ArrayList<>(OnnxTestCase.find(suite));
        cases.addAll(OnnxTestCase.find(SuiteRunner.sharedFolder().resolve("models")));
        List<String> failures = new ArrayList<>();
        int run = 0;
        for (OnnxTestCase c : cases) {
            if (Files.size(c.model()) > MAX_MODEL_BYTES) {
                continue;
            }
            try (MemoryScope memory = MemoryScope.confined(c.name())) {
                Optional<Graph> model = read(c, memory);
                if (model.isPresent()) {
                    check(c, model.get(), memory).ifPresent(d -> failures.add(c.name() + ": " + d));
                    run++;
                }
            } catch (RuntimeException e) {
                failures.add(c.name() + ": " + e);
            }
        }
        assertThat(failures).isEmpty();
        assertThat(run).isPositive();
    }

    /** The model; empty if it cannot be imported, which is not the business of passes. */
    private static Optional<Graph> read(OnnxTestCase c, MemoryScope memory) {
        try {
            return Optional.of(
                    OnnxImporter.read(c.model(), ImportOptions.DEFAULT, memory).graph());
        } catch (TenonException e) {
            return Optional.empty();
        }
    }

    /** Optimises with symbols and again with the shapes of each data set; what differs from the expected outputs. */
    private static Optional<String> check(OnnxTestCase c, Graph model, MemoryScope memory) throws IOException {
        Graph built = optimized(model, memory);
        for (Path dataSet : c.dataSets()) {
            List<Datum> inputs = OnnxTestCase.inputs(dataSet, model.inputs(), memory);
            List<Datum> expected = Interpreter.run(model, inputs, memory);
            List<ValueType> types = new ArrayList<>();
            for (int i = 0; i < inputs.size(); i++) {
                types.add(
                        inputs.get(i) instanceof Tensor t
                                ? TensorType.of(t.type(), t.shape())
                                : built.inputs().get(i).type());
            }
            Graph planned = optimized(Retype.run(built, types, new FoldConstants(memory)), memory);
            for (Graph g : List.of(built, planned)) {
                List<Datum> actual = Interpreter.run(g, inputs, memory);
                for (int i = 0; i < expected.size(); i++) {
                    Optional<String> d = AGREEMENT.difference(expected.get(i), actual.get(i));
                    if (d.isPresent() && isDeterministic(model)) {
                        return d;
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static boolean isDeterministic(Graph g) {
        return g.nodes().stream().allMatch(n -> n.op().isDeterministic());
    }

    private static Graph optimized(Graph g, MemoryScope memory) {
        PassContext context = new PassContext(memory, false);
        Graph after = Pipeline.run(
                g, Pipeline.standard(context), context, (pass, result) -> Verifier.verify(result, pass.name()));
        assertThat(after.outputs()).hasSameSizeAs(g.outputs());
        return after;
    }
}
