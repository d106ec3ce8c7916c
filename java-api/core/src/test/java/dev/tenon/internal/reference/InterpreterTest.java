package dev.tenon.internal.reference;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.NativeMemoryException;
import dev.tenon.ShapeException;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class InterpreterTest {
    /** Asks for more than there can be: too large a number, or an array that the heap has no room for. */
    private record Greedy(boolean array) implements Op {
        @Override
        public OpTrait trait() {
            return OpTrait.OPAQUE;
        }

        @Override
        public List<ValueType> infer(Inference in) {
            Math.multiplyExact(Long.MAX_VALUE, 2);
            return List.of();
        }

        @Override
        public List<Datum> evaluate(Evaluation in) {
            if (array) {
                throw new OutOfMemoryError("no heap left");
            }
            Math.multiplyExact(Long.MAX_VALUE, 2);
            return List.of();
        }
    }

    private static Node node(boolean array) {
        return new Node(
                new Greedy(array), List.of(), List.of(new Value("y", TensorType.unranked(DataType.FLOAT32))), "here");
    }

    @Test
    void namesTheNodeWhoseSizesOverflow() {
        try (MemoryScope scope = MemoryScope.confined("test")) {
            assertThatThrownBy(() -> Interpreter.evaluate(node(false), List.of(), scope))
                    .isInstanceOf(ShapeException.class)
                    .hasMessageContaining("Greedy 'here': a size overflows");
        }
        Inference in = new Inference(node(false), v -> Optional.empty(), v -> Optional.empty());
        assertThatThrownBy(in::types).isInstanceOf(ShapeException.class).hasMessageContaining("'here'");
    }

    @Test
    void namesTheNodeThatTheHeapCannotHold() {
        try (MemoryScope scope = MemoryScope.confined("test")) {
            assertThatThrownBy(() -> Interpreter.evaluate(node(true), List.of(), scope))
                    .isInstanceOf(NativeMemoryException.class)
                    .hasMessageContaining("Greedy 'here'");
        }
    }
}
