package dev.tenon.internal.ir;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.Tensor;
import dev.tenon.internal.op.If;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Each rule of the verifier, broken once. */
class VerifierTest {
    private static final TensorType TWO = new TensorType(DataType.FLOAT32, SymbolicShape.of(2));

    private final Value x = new Value("x", TWO);
    private final Value t = new Value("t", TWO);
    private final Value y = new Value("y", TWO);

    private static Node relu(Value in, Value... out) {
        return new Node(Unary.of(UnaryFn.RELU), List.of(in), List.of(out), "relu_" + in.name());
    }

    private static Graph graph(List<Value> inputs, List<Value> outputs, Node... nodes) {
        return new Graph("g", inputs, outputs, Map.of(), List.of(nodes));
    }

    private static void rejects(String rule, Graph g) {
        assertThatThrownBy(() -> Verifier.verify(g, "pass p"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("pass p")
                .hasMessageContaining("(" + rule + ")");
    }

    @Test
    void acceptsAProperGraph() {
        assertThatCode(() -> Verifier.verify(graph(List.of(x), List.of(y), relu(x, t), relu(t, y)), "pass p"))
                .doesNotThrowAnyException();
    }

    @Test
    void acceptsTypesThatKnowMoreOrLess() {
        Value any = new Value("any", TensorType.unranked(DataType.FLOAT32));
        Value symbol = new Value("s", new TensorType(DataType.FLOAT32, SymbolicShape.of(Dim.symbol("N"))));
        assertThatCode(() ->
                        Verifier.verify(graph(List.of(any), List.of(y), relu(any, symbol), relu(symbol, y)), "pass p"))
                .doesNotThrowAnyException();
    }

    @Test
    void writtenTwice_V1() {
        rejects("V1", graph(List.of(x), List.of(y), relu(x, y), relu(x, y)));
        rejects("V1", graph(List.of(x), List.of(x), relu(x, x)));
        Map<Value, Tensor> constants = Map.of(x, Tensor.of(new float[] {1, 2}, 2));
        rejects("V1", new Graph("g", List.of(x), List.of(x), constants, List.of()));
    }

    @Test
    void readBeforeWritten_V2() {
        rejects("V2", graph(List.of(x), List.of(y), relu(t, y), relu(x, t)));
        rejects("V2", graph(List.of(x), List.of(y), relu(x, t)));
    }

    @Test
    void constantOfAnotherType_V3() {
        Map<Value, Tensor> constants = Map.of(t, Tensor.of(new float[] {1, 2, 3}, 3));
        rejects("V3", new Graph("g", List.of(x), List.of(x), constants, List.of()));
    }

    @Test
    void typesThatContradictInference_V4() {
        for (TensorType wrong : List.of(
                new TensorType(DataType.INT64, SymbolicShape.of(2)),
                new TensorType(DataType.FLOAT32, SymbolicShape.of(3)),
                new TensorType(DataType.FLOAT32, SymbolicShape.of(2, 1)))) {
            Value w = new Value("w", wrong);
            rejects("V4", graph(List.of(x), List.of(w), relu(x, w)));
        }
        Value list = new Value("w", new SequenceType(TWO));
        rejects("V4", graph(List.of(x), List.of(list), relu(x, list)));
        rejects("V4", graph(List.of(x), List.of(y), relu(x, y, t)));
    }

    @Test
    void namesAreMissingOrShared_V5() {
        Value nameless = new Value("", TWO);
        rejects("V5", graph(List.of(nameless), List.of(y), relu(nameless, y)));
        rejects("V5", graph(List.of(x, new Value("x", TWO)), List.of(y), relu(x, y)));
    }

    @Test
    void bodiesAreCheckedToo_V6() {
        Value c = new Value("c", new TensorType(DataType.BOOL, SymbolicShape.SCALAR));
        Value in = new Value("in", TWO);
        Value out = new Value("out", TWO);
        Graph broken = graph(List.of(in), List.of(out), relu(t, out));
        Node n = new Node(new If(broken, broken), List.of(c, x), List.of(y), "choose");
        assertThatThrownBy(() -> Verifier.verify(graph(List.of(c, x), List.of(y), n), "pass p"))
                .hasMessageContaining("body of If 'choose'")
                .hasMessageContaining("(V2)");
    }
}
