package dev.tenon.internal.onnx;

import static dev.tenon.internal.onnx.Protos.INITIALIZER;
import static dev.tenon.internal.onnx.Protos.INPUT;
import static dev.tenon.internal.onnx.Protos.OUTPUT;
import static dev.tenon.internal.onnx.Protos.SPARSE_INITIALIZER;
import static dev.tenon.internal.onnx.Protos.VALUE_INFO;
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
import static dev.tenon.internal.onnx.Protos.tensor;
import static dev.tenon.internal.onnx.Protos.value;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.Verifier;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.op.If;
import dev.tenon.internal.reference.Interpreter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What models mean: constants, functions, subgraphs, declared types. */
class OnnxImporterTest {
    private MemoryScope memory;

    @BeforeEach
    void open() {
        memory = MemoryScope.confined("test");
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private Graph read(WireWriter model) {
        Graph g = Protos.read(model, memory).graph();
        Verifier.verify(g, "test");
        return g;
    }

    private float[] run(Graph g, Datum... inputs) {
        return ((Tensor) Interpreter.run(g, List.of(inputs), memory).getFirst()).toFloatArray();
    }

    private static WireWriter x(WireWriter graph) {
        return graph.message(INPUT, value("x", DataType.FLOAT32, 2)).message(OUTPUT, value("y", DataType.FLOAT32, 2));
    }

    private static List<String> names(List<Value> values) {
        return values.stream().map(Value::name).toList();
    }

    private static Tensor two(float a, float b) {
        return Tensor.of(new float[] {a, b}, 2);
    }

    @Test
    void metadata() {
        WireWriter input = value("x", DataType.FLOAT32, 2).text(3, "pixels");
        WireWriter g =
                graph(node("Relu", "x", "y")).message(INPUT, input).message(OUTPUT, value("y", DataType.FLOAT32, 2));
        ImportedModel m = Protos.read(
                model(g).text(3, "1.2")
                        .text(4, "org.example")
                        .int64(5, 7)
                        .text(6, "doc")
                        .message(14, message(e -> e.text(1, "author").text(2, "nobody"))),
                memory);
        assertThat(m.producer()).isEqualTo("tests");
        assertThat(m.producerVersion()).isEqualTo("1.2");
        assertThat(m.domain()).isEqualTo("org.example");
        assertThat(m.modelVersion()).isEqualTo(7);
        assertThat(m.irVersion()).isEqualTo(8);
        assertThat(m.doc()).isEqualTo("doc");
        assertThat(m.metadata()).containsEntry("author", "nobody");
        assertThat(m.opsets()).containsEntry("ai.onnx", 17);
        assertThat(m.docs()).containsEntry("x", "pixels");
    }

    @Test
    void initializersAmongTheInputsAreConstants() {
        Graph g = read(model(x(graph(node("Add", "x w", "y"))
                .message(INPUT, value("w", DataType.FLOAT32, 2))
                .message(INITIALIZER, floats("w", new long[] {2}, 1, 2)))));
        assertThat(names(g.inputs())).containsExactly("x");
        assertThat(run(g, two(10, 20))).containsExactly(11, 22);
    }

    @Test
    void weightsAreViewsOfTheFile(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("m.onnx");
        Files.write(
                file,
                model(x(graph(node("Add", "x w", "y")).message(INITIALIZER, floats("w", new long[] {2}, 1, 2))))
                        .toByteArray());
        ImportedModel m = OnnxImporter.read(file, ImportOptions.DEFAULT, memory);
        Tensor w = m.graph().constants().values().iterator().next();
        assertThat(w.segment().isMapped()).isTrue();
        assertThat(w.segment().isReadOnly()).isTrue();
        assertThat(w.toFloatArray()).containsExactly(1, 2);
    }

    @Test
    void sparseInitializersBecomeDense() {
        WireWriter w = message(s -> s.message(1, floats("w", new long[] {2}, 5, 6))
                .message(2, longs("i", 1, 3))
                .packed(3, 2, 2));
        WireWriter byAxis = message(s -> s.message(1, floats("v", new long[] {2}, 7, 8))
                .message(2, tensor("j", 7, new long[] {2, 2}, t -> t.packed(7, 0, 1, 1, 0)))
                .packed(3, 2, 2));
        Graph g = read(model(graph(node("Add", "w v", "y"))
                .message(SPARSE_INITIALIZER, w)
                .message(SPARSE_INITIALIZER, byAxis)
                .message(OUTPUT, value("y", DataType.FLOAT32, 2, 2))));
        assertThat(run(g)).containsExactly(0, 5 + 7, 8, 6);
    }

    @Test
    void constantNodesInAllForms() {
        WireWriter g = graph(
                node("Constant", "", "a", attribute("value", 4, a -> a.message(5, floats("", new long[] {2}, 1, 2)))),
                node("Constant", "", "b", floatAttribute("value_float", 3)),
                node(
                        "Constant",
                        "",
                        "c",
                        attribute("value_floats", 6, a -> a.float32(7, 4).float32(7, 5))),
                node("Constant", "", "d", intAttribute("value_int", 6)),
                node("Constant", "", "e", attribute("value_ints", 7, a -> a.packed(8, 7))),
                node("Constant", "", "f", attribute("value_string", 3, a -> a.text(4, "s"))),
                node(
                        "Constant",
                        "",
                        "g",
                        attribute("value_strings", 8, a -> a.text(9, "t").text(9, "u"))),
                node(
                        "Constant",
                        "",
                        "h",
                        attribute(
                                "sparse_value",
                                11,
                                a -> a.message(
                                        22,
                                        message(s -> s.message(1, floats("", new long[] {1}, 9))
                                                .message(2, longs("", 1))
                                                .packed(3, 3))))));
        for (String name : List.of("a", "b", "c", "d", "e", "f", "g", "h")) {
            g.message(OUTPUT, Protos.untyped(name));
        }
        Graph graph = read(model(g));
        assertThat(graph.nodes()).isEmpty();
        List<Tensor> t = graph.outputs().stream()
                .map(v -> graph.constant(v).orElseThrow())
                .toList();
        assertThat(t.get(0).toFloatArray()).containsExactly(1, 2);
        assertThat(t.get(1).shape().rank()).isZero();
        assertThat(t.get(1).getFloat(0)).isEqualTo(3);
        assertThat(t.get(2).toFloatArray()).containsExactly(4, 5);
        assertThat(t.get(3).shape().rank()).isZero();
        assertThat(t.get(3).getLong(0)).isEqualTo(6);
        assertThat(t.get(4).shape().rank()).isEqualTo(1);
        assertThat(t.get(4).toLongArray()).containsExactly(7);
        assertThat(t.get(5).getString(0)).isEqualTo("s");
        assertThat(t.get(6).toStringArray()).containsExactly("t", "u");
        assertThat(t.get(7).toFloatArray()).containsExactly(0, 9, 0);
    }

    @Test
    void oldAttributesBecomeConstantInputs() {
        WireWriter g = graph(node("Reshape", "x", "y", attribute("shape", 7, a -> a.packed(8, 1, 2))))
                .message(INPUT, value("x", DataType.FLOAT32, 2))
                .message(OUTPUT, value("y", DataType.FLOAT32, 1, 2));
        Graph read = read(message(m -> m.int64(1, 3).message(7, g).message(8, opset("", 1))));
        Node n = read.nodes().getFirst();
        assertThat(n.inputs()).hasSize(2);
        assertThat(read.constant(n.input(1)).orElseThrow().toLongArray()).containsExactly(1, 2);
    }

    // ---- types ----

    @Test
    void inferenceGivesTypesAndDeclarationsFillTheGaps() {
        WireWriter g = graph(node("Reshape", "x s", "t"), node("Relu", "t", "y"))
                .message(INPUT, value("x", DataType.FLOAT32, -1, 4))
                .message(INPUT, value("s", DataType.INT64, 2))
                .message(VALUE_INFO, value("t", DataType.FLOAT32, 4, -1))
                .message(OUTPUT, value("y", DataType.FLOAT32, 4, -1));
        Graph read = read(model(g));
        assertThat(read.inputs().getFirst().type().toString()).isEqualTo("float32[Nx4]");
        Value t = read.nodes().getFirst().output(0);
        assertThat(t.tensorType().shape().size(0)).isEqualTo(4);
        // In the middle of the graph a name may be stale; at its end it is for the user.
        assertThat(t.tensorType().shape().dim(1).toString()).startsWith("?");
    }

    @Test
    void shapesAreKnownThroughShapeConstants() {
        WireWriter g = graph(node("Reshape", "x s", "y"))
                .message(INPUT, value("x", DataType.FLOAT32, -1, 4))
                .message(INITIALIZER, longs("s", 0, 2, 2))
                .message(OUTPUT, Protos.untyped("y"));
        assertThat(read(model(g)).outputs().getFirst().type().toString()).isEqualTo("float32[Nx2x2]");
    }

    @Test
    void declarationsWithoutElementTypeDoNotCount() {
        WireWriter open = message(v -> v.text(1, "t").message(2, message(t -> t.message(1, message(x -> {})))));
        Graph g = read(
                model(x(graph(node("Relu", "x", "t"), node("Relu", "t", "y")).message(VALUE_INFO, open))));
        assertThat(g.nodes().getFirst().output(0).type().toString()).isEqualTo("float32[2]");
    }

    @Test
    void wrongDeclaredSizesDoNotCount() {
        Graph g = read(model(graph(node("Relu", "x", "y"))
                .message(INPUT, value("x", DataType.FLOAT32, 2))
                .message(OUTPUT, value("y", DataType.FLOAT32, 3))));
        assertThat(g.outputs().getFirst().type().toString()).isEqualTo("float32[2]");
    }

    // ---- functions ----

    private static WireWriter function(String name, WireWriter... nodes) {
        return message(f -> {
            f.text(1, name).text(10, "f").text(4, "a").text(4, "k").text(5, "b").text(6, "slope");
            for (WireWriter n : nodes) {
                f.message(7, n);
            }
            f.message(9, opset("", 17)).message(9, opset("f", 1));
        });
    }

    private Graph readWithFunctions(WireWriter graph, WireWriter... functions) {
        return read(message(m -> {
            m.int64(1, 8).message(7, graph).message(8, opset("", 17)).message(8, opset("f", 1));
            for (WireWriter f : functions) {
                m.message(25, f);
            }
        }));
    }

    private static WireWriter reference(String name, String to) {
        return attribute(name, 1, a -> a.text(21, to));
    }

    @Test
    void functionsAreInlined() {
        WireWriter leaky = function("Leaky", node("LeakyRelu", "a", "b", reference("alpha", "slope")));
        WireWriter outer =
                function("Outer", node("Leaky", "f", "a", "t", reference("slope", "slope")), node("Neg", "t", "b"));
        Graph g = readWithFunctions(
                x(graph(
                        node("Outer", "f", "x", "u", floatAttribute("slope", 0.5f)),
                        node("Outer", "f", "u", "y", floatAttribute("slope", 0.25f)))),
                leaky,
                outer);
        assertThat(g.nodes()).hasSize(4);
        assertThat(names(g.outputs())).containsExactly("y");
        assertThat(g.nodes().getFirst().origin()).isEqualTo("Outer_u/Leaky_t/LeakyRelu_b");
        assertThat(run(g, two(4, -4))).containsExactly(1, -2);
    }

    @Test
    void attributesOfFunctionsHaveDefaults() {
        WireWriter leaky = function("Leaky", node("LeakyRelu", "a", "b", reference("alpha", "slope")));
        Graph without = readWithFunctions(x(graph(node("Leaky", "f", "x", "y"))), leaky);
        assertThat(run(without, two(1, -100))).containsExactly(1, -1);
        Graph with = readWithFunctions(
                x(graph(node("Leaky", "f", "x", "y"))),
                function("Leaky", node("LeakyRelu", "a", "b", reference("alpha", "slope")))
                        .message(11, floatAttribute("slope", 0.5f)));
        assertThat(run(with, two(1, -100))).containsExactly(1, -50);
    }

    @Test
    void overloadsAreFunctionsOfTheirOwn() {
        WireWriter call = node("F", "f", "x", "y").text(8, "second");
        Graph g = readWithFunctions(
                x(graph(call)),
                function("F", node("Relu", "a", "b")).text(13, "first"),
                function("F", node("Neg", "a", "b")).text(13, "second"));
        assertThat(g.nodes().getFirst().op().name()).isEqualTo("Neg");
    }

    @Test
    void omittedInputsOfFunctionsAreAbsent() {
        WireWriter clip = function("C", node("Clip", "a k", "b"));
        Graph g = readWithFunctions(x(graph(node("C", "f", "x", "y"))), clip);
        assertThat(g.nodes().getFirst().input(1)).isSameAs(Value.ABSENT);
        assertThat(run(g, two(1, -1))).containsExactly(1, -1);
    }

    @Test
    void outputsThatAreOnlyHandedThroughKeepTheirName() {
        WireWriter pass = message(
                f -> f.text(1, "Pass").text(10, "f").text(4, "a").text(5, "a").message(9, opset("", 17)));
        Graph g = readWithFunctions(x(graph(node("Pass", "f", "x", "y"))), pass);
        assertThat(names(g.outputs())).containsExactly("y");
        assertThat(run(g, two(1, 2))).containsExactly(1, 2);
    }

    // ---- subgraphs ----

    private static WireWriter branch(WireWriter... nodes) {
        return graph(nodes).message(OUTPUT, Protos.untyped("r"));
    }

    @Test
    void bodiesAreClosedOverWhatTheyCapture() {
        WireWriter then = branch(node("Mul", "x w", "r"));
        WireWriter otherwise = branch(node("Add", "x u", "r"));
        Graph g = read(model(x(graph(
                        node("Relu", "x", "u"),
                        node(
                                "If",
                                "c",
                                "y",
                                graphAttribute("then_branch", then),
                                graphAttribute("else_branch", otherwise)))
                .message(INITIALIZER, floats("w", new long[] {2}, 3, 4))
                .message(INPUT, value("c", DataType.BOOL)))));
        Node n = g.nodes().getLast();
        assertThat(names(n.inputs())).containsExactly("c", "x", "u");
        If op = (If) n.op();
        assertThat(names(op.thenBranch().inputs())).containsExactly("x", "u");
        assertThat(names(op.elseBranch().inputs())).containsExactly("x", "u");
        assertThat(op.thenBranch().constants()).hasSize(1);
        List<Datum> inputs =
                new ArrayList<>(List.of(Tensor.allocate(DataType.BOOL, dev.tenon.Shape.scalar()), two(-1, 2)));
        assertThat(names(g.inputs())).containsExactly("c", "x");
        assertThat(run(g, inputs.toArray(Datum[]::new))).containsExactly(-1, 4);
        ((Tensor) inputs.getFirst()).setBoolean(0, true);
        assertThat(run(g, inputs.toArray(Datum[]::new))).containsExactly(-3, 8);
    }

    @Test
    void bodiesInBodiesCaptureThroughBoth() {
        WireWriter inner = branch(node("Mul", "x t", "r"));
        WireWriter outer = branch(
                node("Neg", "x", "t"),
                node("If", "c", "r", graphAttribute("then_branch", inner), graphAttribute("else_branch", inner)));
        Graph g = read(model(x(
                graph(node("If", "c", "y", graphAttribute("then_branch", outer), graphAttribute("else_branch", outer)))
                        .message(INPUT, value("c", DataType.BOOL)))));
        Tensor c = Tensor.allocate(DataType.BOOL, dev.tenon.Shape.scalar());
        assertThat(run(g, c, two(2, 3))).containsExactly(-4, -9);
    }

    @Test
    void bodiesInFunctionsSeeTheCallsValues() {
        WireWriter then = branch(node("LeakyRelu", "a", "r", reference("alpha", "slope")));
        WireWriter f = function(
                "F", node("If", "k", "b", graphAttribute("then_branch", then), graphAttribute("else_branch", then)));
        Graph g = readWithFunctions(
                x(graph(node("F", "f", "x c", "y", floatAttribute("slope", 0.5f)))
                        .message(INPUT, value("c", DataType.BOOL))),
                f);
        Tensor c = Tensor.allocate(DataType.BOOL, dev.tenon.Shape.scalar());
        assertThat(names(g.inputs())).containsExactly("c", "x");
        assertThat(run(g, c, two(2, -4))).containsExactly(2, -2);
    }

    @Test
    void dimensionNamesAreNeverTakenForSizes(@TempDir Path folder) throws IOException {
        Path file = new TestModel()
                .input("x", DataType.FLOAT32, "2*N", "16", "?", "N")
                .output("y", DataType.FLOAT32, "2*N", "16", "?", "N")
                .node("Relu", "x", "y")
                .save(folder, "names.onnx");
        Graph read = OnnxImporter.read(file, ImportOptions.DEFAULT, memory).graph();
        assertThat(read.inputs().getFirst().tensorType().shape().dims())
                .extracting(Object::toString)
                .containsExactly("dim2*N", "dim16", "dim?", "N");
    }
}
