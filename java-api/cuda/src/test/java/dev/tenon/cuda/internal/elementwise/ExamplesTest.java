package dev.tenon.cuda.internal.elementwise;

import static dev.tenon.cuda.internal.elementwise.ChainCase.input;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.DataType;
import dev.tenon.DeviceUnavailableException;
import dev.tenon.cuda.internal.kernel.KernelLaunch;
import dev.tenon.cuda.internal.nvrtc.CompiledKernel;
import dev.tenon.cuda.internal.nvrtc.CudaTarget;
import dev.tenon.cuda.internal.nvrtc.KernelCache;
import dev.tenon.cuda.internal.nvrtc.Nvrtc;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.ChainFn;
import dev.tenon.internal.op.CompareFn;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.ElementwiseChain.Step;
import dev.tenon.internal.op.FloatTestFn;
import dev.tenon.internal.op.LogicalFn;
import dev.tenon.internal.op.UnaryFn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The files of kernels/cuda/elementwise that are generated are what the generator writes. -Dgolden.update writes them. */
class ExamplesTest {
    private static final Path FOLDER = Path.of(System.getProperty("tenon.root"), "kernels/cuda/elementwise");
    private static final boolean UPDATE = System.getProperty("golden.update") != null;

    @Test
    void sourcesAreWhatTheGeneratorWrites() throws IOException {
        Map<String, String> expected = new LinkedHashMap<>();
        Example.all()
                .forEach((name, e) ->
                        expected.put(name + ".cu", e.kernel(e.small()).source().text()));
        if (UPDATE) {
            for (var file : expected.entrySet()) {
                Files.writeString(FOLDER.resolve(file.getKey()), file.getValue());
            }
        }
        for (var file : expected.entrySet()) {
            assertThat(FOLDER.resolve(file.getKey())).hasContent(file.getValue());
        }
        try (Stream<Path> files = Files.list(FOLDER)) {
            Set<String> found = files.map(f -> f.getFileName().toString())
                    .filter(f -> f.endsWith(".cu"))
                    .collect(Collectors.toSet());
            assertThat(found).isEqualTo(expected.keySet());
        }
    }

    @Test
    void otherSizesOfOnePatternHaveTheSameSource() {
        Example.all()
                .values()
                .forEach(e -> assertThat(e.kernel(e.large()).source())
                        .isEqualTo(e.kernel(e.small()).source()));
    }

    private static KernelCache cacheOrSkip() {
        try {
            Nvrtc.load();
        } catch (DeviceUnavailableException e) {
            Assumptions.abort(e.getMessage());
        }
        return new KernelCache(Nvrtc::load, null);
    }

    @Test
    void compileForEveryArchitecture() {
        KernelCache cache = cacheOrSkip();
        for (Example e : Example.all().values()) {
            for (String architecture : new String[] {"80", "90", "100", "120"}) {
                CompiledKernel kernel = cache.get(e.kernel(e.small()).source(), CudaTarget.cubin(architecture));
                assertThat(kernel.code()).hasSizeGreaterThan(1000);
            }
        }
    }

    /** The GPU's side of functions.cuh: one chain of all functions on each type. */
    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64", "FLOAT16", "BFLOAT16", "INT8", "INT64", "UINT32", "UINT64"})
    void everyFunctionCompiles(DataType type) {
        KernelCache cache = cacheOrSkip();
        List<Step> steps = new ArrayList<>();
        int inputs = 3;
        int sum = 0;
        List<Enum<?>> functions = new ArrayList<>();
        Stream.of(UnaryFn.values()).filter(f -> f.accepts(type)).forEach(functions::add);
        Stream.of(BinaryFn.values()).filter(f -> f.accepts(type)).forEach(functions::add);
        functions.addAll(List.of(CompareFn.values()));
        if (type.isFloat()) {
            functions.addAll(List.of(FloatTestFn.values()));
        }
        for (Enum<?> fn : functions) {
            boolean test = fn instanceof CompareFn || fn instanceof FloatTestFn;
            List<Integer> operands = ElementwiseChain.arity(fn) == 1 ? List.of(0) : List.of(0, 1);
            steps.add(new Step(fn, test ? DataType.BOOL : type, operands, 0.5f, 1));
            if (test) {
                steps.add(new Step(LogicalFn.LOGICAL_XOR, DataType.BOOL, List.of(last(inputs, steps), 2), 0, 0));
                steps.add(new Step(ChainFn.CAST, type, List.of(last(inputs, steps)), 0, 0));
            }
            steps.add(new Step(BinaryFn.ADD, type, List.of(sum, last(inputs, steps)), 0, 0));
            sum = last(inputs, steps);
        }
        for (DataType other : DataType.values()) {
            if (ElementTypes.has(other)) {
                steps.add(new Step(ChainFn.CAST, other, List.of(sum), 0, 0));
                steps.add(new Step(ChainFn.CAST, type, List.of(last(inputs, steps)), 0, 0));
                sum = last(inputs, steps);
            }
        }
        ElementwiseChain chain = new ElementwiseChain(inputs, steps);
        ElementwiseKernel kernel = ElementwiseKernel.of(
                chain, List.of(input(type, 4, 1024), input(type, 1024), input(DataType.BOOL, 1024)));
        assertThat(cache.get(kernel.source(), CudaTarget.cubin("90")).code()).hasSizeGreaterThan(1000);
    }

    private static int last(int inputs, List<Step> steps) {
        return inputs + steps.size() - 1;
    }

    @Test
    void launchesCoverTheElements() {
        Example e = Example.all().get("add_relu_f32");
        ElementwiseKernel kernel = e.kernel(e.large());
        KernelLaunch aligned =
                kernel.launch(new long[] {0x1000, 0x2000}, 0x3000).orElseThrow();
        assertThat(aligned.kernel()).isEqualTo(kernel.source().name());
        assertThat(aligned.gridX()).isEqualTo((1 << 26) / (4 * 2 * 256));
        assertThat(aligned.block()).isEqualTo(256);
        KernelLaunch misaligned =
                kernel.launch(new long[] {0x1000, 0x2004}, 0x3000).orElseThrow();
        assertThat(misaligned.gridX()).isEqualTo((1 << 26) / (4 * 256));
        assertThat(misaligned.params().isReadOnly()).isTrue();
    }
}
