package dev.tenon.internal.onnx;

import static dev.tenon.internal.onnx.Protos.INITIALIZER;
import static dev.tenon.internal.onnx.Protos.INPUT;
import static dev.tenon.internal.onnx.Protos.OUTPUT;
import static dev.tenon.internal.onnx.Protos.SPARSE_INITIALIZER;
import static dev.tenon.internal.onnx.Protos.attribute;
import static dev.tenon.internal.onnx.Protos.floatAttribute;
import static dev.tenon.internal.onnx.Protos.floats;
import static dev.tenon.internal.onnx.Protos.graph;
import static dev.tenon.internal.onnx.Protos.graphAttribute;
import static dev.tenon.internal.onnx.Protos.intAttribute;
import static dev.tenon.internal.onnx.Protos.longs;
import static dev.tenon.internal.onnx.Protos.message;
import static dev.tenon.internal.onnx.Protos.model;
import static dev.tenon.internal.onnx.Protos.node;
import static dev.tenon.internal.onnx.Protos.opset;
import static dev.tenon.internal.onnx.Protos.reluGraph;
import static dev.tenon.internal.onnx.Protos.tensor;
import static dev.tenon.internal.onnx.Protos.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.tenon.DataType;
import dev.tenon.ModelFormatException;
import dev.tenon.TenonException;
import dev.tenon.UnsupportedOperatorException;
import dev.tenon.internal.memory.MemoryScope;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged and hostile models end in a typed exception that names the place. */
class BadModelTest {
    private MemoryScope memory;

    @BeforeEach
    void open() {
        memory = MemoryScope.confined("test");
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private void rejects(WireWriter model, String... parts) {
        rejects(model.toByteArray(), parts);
    }

    private void rejects(byte[] model, String... parts) {
        assertThatThrownBy(() -> Protos.read(model, memory))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("test.onnx")
                .hasMessageContainingAll(parts);
    }

    private static WireWriter withInitializer(WireWriter tensor) {
        return model(reluGraph().message(INITIALIZER, tensor));
    }

    /** A model with most kinds of messages. */
    private static byte[] sample() {
        WireWriter function = message(f -> f.text(1, "Twice")
                .text(10, "local")
                .text(4, "a")
                .text(5, "b")
                .message(7, node("Add", "a a", "b"))
                .message(9, opset("", 17)));
        WireWriter branch = graph(node("Mul", "x w", "t")).message(OUTPUT, value("t", DataType.FLOAT32, 2));
        WireWriter g = graph(
                        node(
                                "If",
                                "c",
                                "i",
                                graphAttribute("then_branch", branch),
                                graphAttribute("else_branch", branch)),
                        node("LeakyRelu", "i", "r", floatAttribute("alpha", 0.5f)),
                        node("Twice", "local", "r", "z"),
                        node("Reshape", "z s", "y", intAttribute("allowzero", 0)))
                .message(INITIALIZER, floats("w", new long[] {2}, 1, 2))
                .message(INITIALIZER, longs("s", 1, 2))
                .message(INPUT, value("c", DataType.BOOL))
                .message(INPUT, value("x", DataType.FLOAT32, 2))
                .message(OUTPUT, value("y", DataType.FLOAT32, 1, 2));
        return message(m -> m.int64(1, 8)
                        .text(2, "tests")
                        .message(7, g)
                        .message(8, opset("", 17))
                        .message(8, opset("local", 1))
                        .message(14, message(e -> e.text(1, "k").text(2, "v")))
                        .message(25, function))
                .toByteArray();
    }

    @Test
    void theSampleIsValid() {
        assertThat(Protos.read(sample(), memory).graph().nodes()).hasSize(4);
    }

    // ---- 1: the wire format ----

    @Test
    void truncationAtEveryOffset() {
        byte[] whole = sample();
        for (int n = 0; n < whole.length; n++) {
            byte[] cut = Arrays.copyOf(whole, n);
            Throwable t = catchThrowable(() -> Protos.read(cut, memory));
            // A cut between two fields of the model leaves a valid message that lacks opsets or functions.
            if (t != null) {
                assertThat(t)
                        .as("cut at %s", n)
                        .isInstanceOf(TenonException.class)
                        .hasMessageContaining("test.onnx");
            }
        }
    }

    @Test
    void randomBytesInAValidModel() {
        byte[] whole = sample();
        Random random = new Random(7);
        for (int i = 0; i < 10_000; i++) {
            byte[] broken = whole.clone();
            for (int k = random.nextInt(4); k >= 0; k--) {
                broken[random.nextInt(broken.length)] = (byte) random.nextInt(256);
            }
            try (MemoryScope scope = MemoryScope.confined("flip")) {
                Throwable t = catchThrowable(() -> Protos.read(broken, scope));
                if (t != null) {
                    assertThat(t).as("round %s", i).isInstanceOf(TenonException.class);
                }
            }
        }
    }

    @Test
    void randomBytesAlone() {
        Random random = new Random(8);
        for (int i = 0; i < 2_000; i++) {
            byte[] garbage = new byte[random.nextInt(200)];
            random.nextBytes(garbage);
            assertThat(catchThrowable(() -> Protos.read(garbage, memory))).isInstanceOf(TenonException.class);
        }
    }

    @Test
    void emptyFile() {
        rejects(new byte[0], "no graph");
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE, -1})
    void lengthBeyondTheEnd(long length) {
        rejects(message(m -> m.header(7, length).varint(0)), "graph has length", "byte");
    }

    @Test
    void lengthBeyondTheEnclosingMessage() {
        rejects(
                message(m ->
                        m.message(7, message(g -> g.header(1, 100).varint(0))).text(6, "x".repeat(200))),
                "graph",
                "node[0] has length 100");
    }

    @Test
    void varintOfElevenBytes() {
        byte[] bytes = new byte[12];
        Arrays.fill(bytes, (byte) 0xFF);
        bytes[0] = 8;
        rejects(bytes, "ir_version", "64 bits", "byte 1");
    }

    @Test
    void wrongWireType() {
        rejects(message(m -> m.int64(7, 1)), "graph has wire type 0");
        rejects(message(m -> m.text(1, "x")), "ir_version has wire type 2");
        rejects(new byte[] {(byte) 0x0B}, "wire type 3");
        rejects(new byte[] {0}, "field number 0");
    }

    @Test
    void namesMustBeUtf8() {
        rejects(
                model(message(g -> g.message(1, message(n -> n.bytes(4, new byte[] {(byte) 0xC3, 0x28}))))),
                "graph.node[0]",
                "op_type is not valid UTF-8");
    }

    // ---- 2: nesting ----

    @Test
    void subgraphsNestedTooDeep() {
        WireWriter g = graph(node("Relu", "x", "y"));
        for (int i = 0; i < 500; i++) {
            g = graph(node("If", "c", "y", graphAttribute("then_branch", g)));
        }
        rejects(model(g), "messages deep");
    }

    @Test
    void typesNestedTooDeep() {
        WireWriter type = message(t -> t.message(1, message(x -> x.int64(1, 1))));
        for (int i = 0; i < 500; i++) {
            WireWriter inner = type;
            type = message(t -> t.message(4, message(s -> s.message(1, inner))));
        }
        WireWriter sequence = type;
        rejects(model(reluGraph().message(INPUT, message(v -> v.text(1, "s").message(2, sequence)))), "messages deep");
    }

    private static WireWriter functionModel(WireWriter graph, WireWriter... functions) {
        return message(m -> {
            m.int64(1, 8).message(7, graph).message(8, opset("", 17)).message(8, opset("f", 1));
            for (WireWriter f : functions) {
                m.message(25, f);
            }
        });
    }

    private static WireWriter function(String name, WireWriter... nodes) {
        return message(f -> {
            f.text(1, name).text(10, "f").text(4, "a").text(5, "b");
            for (WireWriter n : nodes) {
                f.message(7, n);
            }
            f.message(9, opset("", 17)).message(9, opset("f", 1));
        });
    }

    private static WireWriter calling(String function) {
        return graph(node(function, "f", "x", "y"))
                .message(INPUT, value("x", DataType.FLOAT32, 2))
                .message(OUTPUT, value("y", DataType.FLOAT32, 2));
    }

    @Test
    void functionThatCallsItself() {
        rejects(
                functionModel(
                        calling("A"), function("A", node("B", "f", "a", "b")), function("B", node("A", "f", "a", "b"))),
                "function f::A calls itself");
    }

    @Test
    void chainOfAHundredThousandFunctions() {
        WireWriter[] functions = new WireWriter[100_000];
        for (int i = 0; i < functions.length; i++) {
            functions[i] = function("F" + i, node("F" + (i + 1), "f", "a", "b"));
        }
        rejects(functionModel(calling("F0"), functions), "deep");
    }

    @Test
    void functionsThatDoubleThirtyTimes() {
        WireWriter[] functions = new WireWriter[31];
        for (int i = 0; i < 30; i++) {
            functions[i] = function("F" + i, node("F" + (i + 1), "f", "a", "t"), node("F" + (i + 1), "f", "t", "b"));
        }
        functions[30] = function("F30", node("Relu", "a", "b"));
        ImportOptions options = ImportOptions.DEFAULT.withLimits(new ImportLimits(100, 10_000, 10_000, 1000, 5000, 0));
        assertThatThrownBy(() -> OnnxImporter.read(
                        Protos.segment(
                                memory, functionModel(calling("F0"), functions).toByteArray()),
                        "bomb",
                        options,
                        memory))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("more than 5000 nodes");
    }

    @Test
    void countsAreLimited() {
        ImportOptions options = ImportOptions.DEFAULT.withLimits(new ImportLimits(100, 50, 1000, 10, 100, 0));
        Consumer<WireWriter> read =
                m -> OnnxImporter.read(Protos.segment(memory, m.toByteArray()), "big", options, memory);
        WireWriter many = reluGraph();
        for (int i = 0; i < 60; i++) {
            many.message(1, message(n -> {}));
        }
        assertThatThrownBy(() -> read.accept(model(many))).hasMessageContaining("50 messages");
        assertThatThrownBy(() -> read.accept(model(reluGraph().text(10, "d".repeat(2000)))))
                .hasMessageContaining("1000 bytes of text");
        WireWriter ints = attribute("perm", 7, a -> a.packed(8, new long[20]));
        assertThatThrownBy(() -> read.accept(model(graph(node("Transpose", "x", "y", ints)))))
                .hasMessageContaining("10 numbers");
    }

    // ---- 3 to 5: tensors ----

    @Test
    void shapesThatWrapOrAreNegative() {
        rejects(
                withInitializer(tensor("w", 1, new long[] {(1L << 42) + 1, 1L << 22}, t -> {})),
                "tensor 'w'",
                "exceeds 2^63");
        rejects(withInitializer(tensor("w", 1, new long[] {1L << 62}, t -> {})), "tensor 'w'");
        rejects(withInitializer(tensor("w", 1, new long[] {-1, 2}, t -> {})), "tensor 'w'", "-1");
        rejects(withInitializer(tensor("w", 1, new long[1_000_000], t -> {})), "more than 64 dimensions");
        rejects(
                withInitializer(tensor("w", 1, new long[] {0, 3}, t -> t.bytes(9, new byte[4]))),
                "raw_data has 4 bytes");
        rejects(withInitializer(tensor("w", 1, new long[] {1L << 40}, t -> {})), "has 0 numbers");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 7, 9, 16})
    void rawDataOfTheWrongSize(int bytes) {
        rejects(
                withInitializer(tensor("w", 1, new long[] {2}, t -> t.bytes(9, new byte[bytes]))),
                "tensor 'w'",
                "needs 8",
                "graph.initializer[0]");
    }

    @Test
    void dataInTheWrongPlace() {
        rejects(
                withInitializer(tensor(
                        "w", 1, new long[] {1}, t -> t.bytes(9, new byte[4]).float32(4, 1))),
                "raw_data and typed data");
        rejects(
                withInitializer(tensor("w", 8, new long[] {1}, t -> t.bytes(9, new byte[4]))),
                "text cannot be raw_data");
        rejects(withInitializer(tensor("w", 7, new long[] {1}, t -> t.float32(4, 1))), "wrong field");
        rejects(withInitializer(tensor("w", 1, new long[] {3}, t -> t.float32(4, 1))), "has 1 numbers", "needs 3");
        rejects(withInitializer(tensor("w", 1, new long[] {1}, t -> t.bytes(4, new byte[6]))), "no multiple of 4");
        rejects(
                withInitializer(tensor("w", 1, new long[] {1}, t -> t.message(3, message(s -> s.int64(1, 0))))),
                "segments");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 27, 9999, -1, Long.MAX_VALUE})
    void unknownElementTypes(long type) {
        rejects(
                withInitializer(tensor("w", type, new long[] {1}, t -> t.bytes(9, new byte[4]))),
                "tensor 'w'",
                "element type");
        WireWriter bad =
                message(v -> v.text(1, "x").message(2, message(t -> t.message(1, message(x -> x.int64(1, type))))));
        rejects(model(graph(node("Relu", "x", "y")).message(INPUT, bad)), "value 'x'", "element type");
    }

    @ParameterizedTest
    @CsvSource({"21,3,1", "22,5,2", "25,5,1", "26,3,2"})
    void packedTypesWithTheWrongSize(int type, int elements, int bytes) {
        rejects(
                withInitializer(tensor("w", type, new long[] {elements}, t -> t.bytes(9, new byte[bytes]))),
                "raw_data has " + bytes);
    }

    @Test
    void sparseTensors() {
        Consumer<WireWriter> reject = s -> rejects(model(reluGraph().message(SPARSE_INITIALIZER, s)), "sparse");
        WireWriter two = floats("w", new long[] {2}, 1, 2);
        reject.accept(
                message(s -> s.message(1, two).message(2, longs("i", 0, 4)).packed(3, 4)));
        reject.accept(
                message(s -> s.message(1, two).message(2, longs("i", 0, -1)).packed(3, 4)));
        reject.accept(message(s -> s.message(1, two).message(2, longs("i", 0)).packed(3, 4)));
        reject.accept(message(s -> s.message(1, two).packed(3, 4)));
        reject.accept(
                message(s -> s.message(1, two).message(2, longs("i", 0, 1)).packed(3, 1L << 40)));
        reject.accept(
                message(s -> s.message(1, two).message(2, longs("i", 0, 1)).packed(3, 1L << 40, 1L << 40)));
    }

    // ---- 8: graphs ----

    private static WireWriter wired(WireWriter... nodes) {
        return model(graph(nodes)
                .message(INPUT, value("x", DataType.FLOAT32, 2))
                .message(OUTPUT, value("y", DataType.FLOAT32, 2)));
    }

    @Test
    void valuesThatAreNotThere() {
        rejects(wired(node("Relu", "nothing", "y")), "Relu_y", "'nothing'", "nothing in the graph writes");
        rejects(wired(node("Relu", "x", "z")), "output 'y'", "written by no node");
        rejects(wired(node("Relu", "x", "t"), node("Relu", "x", "t"), node("Relu", "t", "y")), "'t'", "more than once");
        rejects(wired(node("Relu", "x", "x"), node("Relu", "x", "y")), "'x'", "more than once");
        rejects(wired(node("Relu", "x", "y y2")), "names 2 outputs");
    }

    @Test
    void cyclesAndWrongOrder() {
        rejects(
                wired(node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")),
                "Add_a",
                "'b'",
                "cycle");
        rejects(wired(node("Add", "x y", "y")), "Add_y", "cycle");
        rejects(wired(node("Relu", "t", "y"), node("Relu", "x", "t")), "Relu_y", "Relu_t", "not in topological order");
    }

    @Test
    void namesThatAreTaken() {
        rejects(model(reluGraph().message(INPUT, value("x", DataType.FLOAT32, 2))), "'x'", "more than once");
        rejects(model(reluGraph().message(OUTPUT, value("y", DataType.FLOAT32, 2))), "'y' is listed twice");
        WireWriter w = floats("w", new long[] {1}, 1);
        rejects(model(reluGraph().message(INITIALIZER, w).message(INITIALIZER, w)), "'w'", "more than once");
        rejects(withInitializer(floats("y", new long[] {1}, 1)), "'y'", "more than once");
        rejects(withInitializer(floats("", new long[] {1}, 1)), "empty name");
        rejects(
                functionModel(
                        calling("A"), function("A", node("Relu", "a", "b")), function("A", node("Relu", "a", "b"))),
                "defined twice");
    }

    @Test
    void bodiesThatReadWhatIsNotThere() {
        WireWriter branch = graph(node("Relu", "nothing", "t")).message(OUTPUT, value("t", DataType.FLOAT32, 2));
        rejects(
                wired(node(
                        "If", "x", "y", graphAttribute("then_branch", branch), graphAttribute("else_branch", branch))),
                "Relu_t",
                "'nothing'",
                "body of node If");
        rejects(wired(node("If", "x", "y", graphAttribute("then_branch", graph()))), "else_branch", "If");
    }

    @Test
    void inputsWithoutType() {
        rejects(model(graph(node("Relu", "x", "y")).message(INPUT, Protos.untyped("x"))), "'x' has no type");
    }

    @Test
    void elementTypesThatClash() {
        rejects(
                model(graph(node("Relu", "x", "y"))
                        .message(INPUT, value("x", DataType.FLOAT32, 2))
                        .message(OUTPUT, value("y", DataType.INT64, 2))),
                "'y' is declared int64");
    }

    @Test
    void shapesThatClashNameTheNode() {
        assertThatThrownBy(() -> Protos.read(wired(node("Add", "x w", "y")).toByteArray(), memory))
                .isInstanceOf(TenonException.class);
        WireWriter g = graph(node("Add", "x w", "y"))
                .message(INITIALIZER, floats("w", new long[] {3}, 1, 2, 3))
                .message(INPUT, value("x", DataType.FLOAT32, 2))
                .message(OUTPUT, value("y", DataType.FLOAT32, 2));
        assertThatThrownBy(() -> Protos.read(model(g), memory))
                .isInstanceOf(TenonException.class)
                .hasMessageContaining("do not broadcast")
                .hasMessageContaining("Add");
    }

    // ---- 9: versions ----

    private static WireWriter versioned(long ir, WireWriter... opsets) {
        return message(m -> {
            m.int64(1, ir).message(7, reluGraph());
            for (WireWriter o : opsets) {
                m.message(8, o);
            }
        });
    }

    @Test
    void versionsThatAreNotKnown() {
        rejects(versioned(0, opset("", 17)), "IR version 0");
        rejects(versioned(1L << 31, opset("", 17)), "IR version 2147483648");
        rejects(versioned(-1, opset("", 17)), "IR version -1");
        rejects(versioned(8), "opset_import is missing");
        rejects(versioned(8, opset("", 99)), "opset 99 of domain ai.onnx");
        rejects(versioned(8, opset("", 0)), "opset 0");
        rejects(versioned(8, opset("", -5)), "opset -5");
        rejects(versioned(8, opset("other", 1L << 40)), "opset 1099511627776");
        rejects(versioned(8, opset("", 17), opset("ai.onnx", 13)), "opsets 17 and 13");
        rejects(versioned(8, opset("other", 1)), "Relu", "imports no opset");
    }

    @Test
    void theStandardDomainMayBeImportedTwiceAlike() {
        assertThat(Protos.read(versioned(8, opset("", 17), opset("ai.onnx", 17)), memory)
                        .opsets())
                .containsEntry("ai.onnx", 17);
    }

    @Test
    void theFirstFormatHasTheFirstOpset() {
        assertThat(Protos.read(versioned(1), memory).opsets()).containsEntry("ai.onnx", 1);
    }

    @Test
    void allUnknownOperatorsAreNamedAtOnce() {
        WireWriter g = graph(
                        node("Nonsense", "x", "a"), node("Nonsense", "x", "b"), node("Other", "odd.domain", "x", "y"))
                .message(INPUT, value("x", DataType.FLOAT32, 2));
        WireWriter m = message(
                w -> w.int64(1, 8).message(7, g).message(8, opset("", 17)).message(8, opset("odd.domain", 3)));
        assertThatThrownBy(() -> Protos.read(m, memory))
                .isInstanceOfSatisfying(
                        UnsupportedOperatorException.class,
                        e -> assertThat(e.operators())
                                .hasSize(2)
                                .anySatisfy(o -> assertThat(o)
                                        .contains("ai.onnx.Nonsense (opset 17)", "2 node(s)", "Nonsense_a"))
                                .anySatisfy(o -> assertThat(o).contains("odd.domain.Other (opset 3)")));
    }

    @Test
    void mapsAreNotSupported() {
        WireWriter map =
                message(v -> v.text(1, "x").message(2, message(t -> t.message(5, message(x -> x.int64(1, 7))))));
        assertThatThrownBy(() -> Protos.read(model(graph(node("Relu", "x", "y")).message(INPUT, map)), memory))
                .isInstanceOf(UnsupportedOperatorException.class)
                .hasMessageContaining("'x'")
                .hasMessageContaining("map");
    }

    // ---- 10: attributes ----

    @Test
    void attributesThatMakeNoSense() {
        rejects(
                wired(node("LeakyRelu", "x", "y", intAttribute("alpha", 1))),
                "LeakyRelu_y",
                "'alpha' is a Long; expected a Float");
        rejects(
                wired(node("LeakyRelu", "x", "y", floatAttribute("alpha", 1), floatAttribute("alpha", 2))),
                "'alpha'",
                "given twice");
        rejects(
                wired(node("LeakyRelu", "x", "y", attribute("alpha", 1, a -> a.int64(3, 5)))),
                "graph.node[0].attribute[0]",
                "declared FLOAT but holds INT");
        rejects(wired(node("LeakyRelu", "x", "y", attribute("alpha", 77, a -> a.int64(3, 5)))), "type code 77");
        rejects(wired(node("LeakyRelu", "x", "y", message(a -> a.text(1, "alpha")))), "no type and 0 values");
        rejects(wired(node("LeakyRelu", "x", "y", floatAttribute("", 1))), "has no name");
        rejects(
                wired(node("LeakyRelu", "x", "y", attribute("alpha", 1, a -> a.text(21, "outer")))),
                "refers to attribute 'outer'",
                "in none");
        rejects(wired(node("Cast", "x", "y")), "Cast", "'to'");
        rejects(wired(node("Constant", "", "y")), "Constant", "one attribute");
        rejects(wired(node("Constant", "", "y", floatAttribute("value", 1))), "Constant", "wrong type");
        rejects(wired(node("Constant", "", "y", attribute("value", 4, a -> {}))), "declared TENSOR but holds no value");
    }

    @Test
    void callsThatDoNotFitTheirFunction() {
        WireWriter f = function("A", node("Relu", "a", "b"));
        rejects(
                functionModel(graph(node("A", "f", "x x", "y")).message(INPUT, value("x", DataType.FLOAT32, 2)), f),
                "has 2 inputs");
        rejects(
                functionModel(
                        graph(node("A", "f", "x", "y", floatAttribute("k", 1)))
                                .message(INPUT, value("x", DataType.FLOAT32, 2)),
                        f),
                "attribute 'k'",
                "function f::A");
        rejects(functionModel(calling("A"), function("A", node("Relu", "a", "c"))), "output 'b' of function f::A");
    }
}
