package dev.tenon.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.Tensor;
import dev.tenon.UnsupportedOperatorException;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.GraphPrinter;
import dev.tenon.internal.ir.Verifier;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.ImportOptions;
import dev.tenon.internal.onnx.OnnxImporter;
import dev.tenon.internal.onnx.OnnxTestCase;
import dev.tenon.internal.onnx.SuiteRunner;
import dev.tenon.internal.pass.PassContext;
import dev.tenon.internal.pass.Pipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Graphs survive being written and read, as imported and as optimised. */
class GraphCodecTest {
    @Test
    void everyModelOfTheSuiteReadsBackAsItWas() throws IOException {
        int seen = 0;
        for (String folder : new String[] {"onnx-suite", "models"}) {
            Path root = SuiteRunner.sharedFolder().resolve(folder);
            Assumptions.assumeTrue(
                    Files.isDirectory(root), root + " is absent; set -Dtenon.shared to the folder with the ONNX suite");
            for (OnnxTestCase c : OnnxTestCase.find(root)) {
                try (MemoryScope memory = MemoryScope.confined("graph")) {
                    Graph g = OnnxImporter.read(c.model(), ImportOptions.DEFAULT, memory)
                            .graph();
                    check(c.name(), g);
                    PassContext context = new PassContext(memory, false);
                    check(c.name(), Pipeline.run(g, Pipeline.standard(context), context, (pass, x) -> {}));
                    seen++;
                } catch (UnsupportedOperatorException e) {
                    // OnnxSuiteTest says which cases may come here.
                    continue;
                }
            }
        }
        assertThat(seen).isGreaterThan(500);
    }

    private static void check(String name, Graph g) {
        List<Tensor> constants = new ArrayList<>();
        String json = Json.write(GraphCodec.write(g, (v, t) -> {
            constants.add(t);
            return constants.size() - 1;
        }));
        Graph back = GraphCodec.read((Map<?, ?>) Json.read(json), constants::get);
        Verifier.verify(back, "reading " + name);
        assertThat(GraphPrinter.print(back)).as(name).isEqualTo(GraphPrinter.print(g));
    }
}
