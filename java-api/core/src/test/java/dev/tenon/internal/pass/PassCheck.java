package dev.tenon.internal.pass;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.GraphPrinter;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.Verifier;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.reference.Agreement;
import dev.tenon.internal.reference.Interpreter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;

/**
 * Checks a pass on a small graph: the graphs before and after are those of a golden file, both are valid, a second run
 * changes nothing, and both compute the same on random inputs, with shapes as symbols and with shapes as numbers.
 * {@code -Dgolden.update=true} writes the golden files anew.
 */
final class PassCheck {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");
    private static final Map<String, Long> SIZES = Map.of("N", 2L, "T", 5L, "S", 6L);
    private static final Agreement AGREEMENT = new Agreement(1e-4, 1e-5);

    private static final Agreement HALF_AGREEMENT = new Agreement(1e-2, 1e-3);

    private PassCheck() {}

    static void rewrites(Pass pass, String name, Function<GraphBuilder, Graph> graph) {
        run(pass, name, false, true, graph);
    }

    /** The graph must stay as it is. */
    static void keeps(Pass pass, Function<GraphBuilder, Graph> graph) {
        run(pass, null, false, false, graph);
    }

    /** The graph must stay as it is in exact mode. */
    static void keepsIfExact(Pass pass, Function<GraphBuilder, Graph> graph) {
        run(pass, null, true, false, graph);
    }

    private static void run(
            Pass pass, String name, boolean exact, boolean changes, Function<GraphBuilder, Graph> builder) {
        try (MemoryScope memory = MemoryScope.confined("test")) {
            PassContext context = new PassContext(memory, exact);
            Graph before = builder.apply(new GraphBuilder(memory));
            check(pass, name, changes, before, context, memory);
            List<TensorType> concrete = before.inputs().stream()
                    .map(v -> TensorType.of(v.tensorType().dtype(), concrete(v)))
                    .toList();
            check(pass, null, changes, Retype.run(before, concrete, new FoldConstants(memory)), context, memory);
        }
    }

    private static void check(
            Pass pass, String golden, boolean changes, Graph before, PassContext context, MemoryScope memory) {
        Verifier.verify(before, "test graph");
        Graph after = pass.run(before, context);
        Verifier.verify(after, pass.name());
        if (changes) {
            assertThat(GraphPrinter.print(after)).isNotEqualTo(GraphPrinter.print(before));
        } else {
            assertThat(GraphPrinter.print(after)).isEqualTo(GraphPrinter.print(before));
        }
        assertThat(pass.run(after, context)).as("a second run").isSameAs(after);
        if (golden != null) {
            compare(pass.name() + "/" + golden + ".txt", before, after);
        }
        agree(before, after, memory);
    }

    private static void compare(String file, Graph before, Graph after) {
        String text = "before\n" + GraphPrinter.print(before) + "\nafter\n" + GraphPrinter.print(after);
        Path path = GOLDEN.resolve(file);
        try {
            if (Boolean.getBoolean("golden.update")) {
                Files.createDirectories(path.getParent());
                Files.writeString(path, text);
            }
            assertThat(text).isEqualTo(Files.readString(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Both graphs give the same on random inputs. */
    static void agree(Graph before, Graph after, MemoryScope memory) {
        List<Datum> inputs = randomInputs(before, memory);
        List<Datum> expected = Interpreter.run(before, inputs, memory);
        List<Datum> actual = Interpreter.run(after, inputs, memory);
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            Agreement agreement = isHalf(expected.get(i)) ? HALF_AGREEMENT : AGREEMENT;
            assertThat(agreement.difference(expected.get(i), actual.get(i)))
                    .as("output " + i)
                    .isEmpty();
        }
    }

    private static boolean isHalf(Datum d) {
        return d instanceof Tensor t && (t.type() == DataType.FLOAT16 || t.type() == DataType.BFLOAT16);
    }

    static List<Datum> randomInputs(Graph g, MemoryScope memory) {
        Random random = new Random(11);
        List<Datum> inputs = new ArrayList<>();
        for (Value v : g.inputs()) {
            DataType type = v.tensorType().dtype();
            Tensor t = Tensor.allocate(memory, type, concrete(v));
            for (long i = 0; i < t.size(); i++) {
                if (type.isFloat()) {
                    t.setDouble(i, random.nextGaussian());
                } else {
                    t.setLong(i, random.nextInt(2));
                }
            }
            inputs.add(t);
        }
        return inputs;
    }

    private static Shape concrete(Value v) {
        return Shape.of(v.tensorType().shape().dims().stream()
                .mapToLong(d -> d instanceof Dim.Symbol(String n) ? SIZES.getOrDefault(n, 3L) : d.sizeOrMinusOne())
                .toArray());
    }
}
