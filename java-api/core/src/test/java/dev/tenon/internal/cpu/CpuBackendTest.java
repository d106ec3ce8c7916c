package dev.tenon.internal.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.engine.CompiledModel;
import dev.tenon.internal.engine.EngineBuild;
import dev.tenon.internal.ffi.TenonH;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.onnx.TestModel;
import dev.tenon.internal.plan.PlanInstance;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the native engine keeps for programs. */
class CpuBackendTest {
    @TempDir
    Path folder;

    /** The weights of a body's layer are packed when a plan is made, and belong to it. */
    @Test
    void packedWeightsOfPlansGoWithThem() throws Exception {
        TestModel body = new TestModel()
                .floats("w", new long[] {1, 64, 4}, values(64 * 4))
                .floats("r", new long[] {1, 64, 16}, values(64 * 16))
                .node("LSTM", "x w r", "y", "hidden_size", 16)
                .unrankedOutput("y", DataType.FLOAT32);
        Path file = new TestModel()
                .input("c", DataType.BOOL)
                .input("x", DataType.FLOAT32, "T", "N", 4)
                .node("If", "c", "z", "then_branch", body, "else_branch", body)
                .unrankedOutput("z", DataType.FLOAT32)
                .save(folder, "body.onnx");
        try (CompiledModel model = EngineBuild.build(file, new EngineBuild.Options());
                Tensor c = Tensor.allocate(DataType.BOOL, Shape.scalar())) {
            CpuBackend backend = (CpuBackend) model.backend();
            long most = 0;
            for (int n = 1; n <= 120; n++) {
                try (Tensor x = Tensor.allocate(DataType.FLOAT32, Shape.of(2, n, 4));
                        PlanInstance p = new PlanInstance(
                                model.plans(),
                                List.of(
                                        TensorType.of(DataType.BOOL, Shape.scalar()),
                                        TensorType.of(x.type(), x.shape())))) {
                    p.bindInput(0, c);
                    p.bindInput(1, x);
                    p.prepare();
                    p.run();
                    assertThat(((Tensor) p.output(0)).shape()).isEqualTo(Shape.of(2, 1, n, 16));
                }
                long bytes = TenonH.enginePackedBytes(backend.engine());
                assertThat(bytes).as("the body runs by a plan").isPositive();
                if (n <= 60) {
                    most = Math.max(most, bytes);
                } else {
                    assertThat(bytes).as("packed bytes after shape " + n).isLessThanOrEqualTo(most);
                }
            }
        }
    }

    private static float[] values(int count) {
        float[] v = new float[count];
        Arrays.fill(v, 0.1f);
        return v;
    }
}
