package dev.tenon.internal.ir;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.DataType;
import dev.tenon.Tensor;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.If;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GraphPrinterTest {
    private static final TensorType ROW =
            new TensorType(DataType.FLOAT32, SymbolicShape.of(Dim.symbol("N"), Dim.unknown()));

    @Test
    void textDependsOnTheGraphAlone() {
        assertThat(GraphPrinter.print(sample())).isEqualTo("""
            graph main
              input    %0 c: bool[scalar]
              input    %1 x: float32[Nx?0]
              constant %2 w: float32[9] = 0.5 0.0 0.0 0.0 0.0 0.0 0.0 0.0 ...
              constant %3 s: string[2] = "a" "b"
              %4 y: float32[Nx?0], - = If(%0, %1, -)  // choose
                thenBranch then
                  input    %5 x: float32[Nx?0]
                  %6 r: float32[Nx?0] = Add(%5, %5) {fn=ADD}
                  output   %6
                elseBranch then
                  input    %7 x: float32[Nx?0]
                  %8 r: float32[Nx?0] = Add(%7, %7) {fn=ADD}
                  output   %8
              output   %4
            """);
        assertThat(GraphPrinter.print(sample())).isEqualTo(GraphPrinter.print(sample()));
    }

    private static Graph sample() {
        Value c = new Value("c", new TensorType(DataType.BOOL, SymbolicShape.SCALAR));
        Value x = new Value("x", ROW);
        Value w = new Value("w", new TensorType(DataType.FLOAT32, SymbolicShape.of(9)));
        Value s = new Value("s", new TensorType(DataType.STRING, SymbolicShape.of(2)));
        Value y = new Value("y", ROW);
        Node choose = new Node(new If(body(), body()), List.of(c, x, Value.ABSENT), List.of(y, Value.ABSENT), "choose");
        Tensor weights = Tensor.of(new float[] {0.5f, 0, 0, 0, 0, 0, 0, 0, 0}, 9);
        Map<Value, Tensor> constants = new java.util.LinkedHashMap<>();
        constants.put(w, weights);
        constants.put(s, Tensor.ofStrings(new String[] {"a", "b"}, 2));
        return new Graph("main", List.of(c, x), List.of(y), constants, List.of(choose));
    }

    private static Graph body() {
        Value x = new Value("x", ROW);
        Value r = new Value("r", ROW);
        Node add = new Node(new dev.tenon.internal.op.Binary(BinaryFn.ADD), List.of(x, x), List.of(r), "");
        return new Graph("then", List.of(x), List.of(r), Map.of(), List.of(add));
    }
}
