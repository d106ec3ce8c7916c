package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Recurrent;
import dev.tenon.internal.op.Recurrent.Cell;
import dev.tenon.internal.op.Recurrent.Direction;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LowerRecurrentTest {
    private static final Pass PASS = new LowerRecurrent();

    @Test
    void lstm() {
        PassCheck.rewrites(PASS, "lstm", b -> graph(b, layer(Cell.LSTM, Direction.FORWARD, false), "b"));
        PassCheck.rewrites(PASS, "lstm_all", b -> graph(b, layer(Cell.LSTM, Direction.BIDIRECTIONAL, false), "blhcp"));
        PassCheck.rewrites(PASS, "lstm_batch_first", b -> graph(b, layer(Cell.LSTM, Direction.FORWARD, true), "hc"));
        PassCheck.rewrites(PASS, "lstm_reversed", b -> graph(b, layer(Cell.LSTM, Direction.REVERSE, false), "bl"));
    }

    @Test
    void gru() {
        PassCheck.rewrites(PASS, "gru", b -> graph(b, layer(Cell.GRU, Direction.FORWARD, false), "bhl"));
        PassCheck.rewrites(
                PASS, "gru_batch_first", b -> graph(b, layer(Cell.GRU, Direction.BIDIRECTIONAL, true), "bh"));
    }

    /** Inputs left out are no outputs left out: all of them are one value, which no node writes. */
    @Test
    void layersOfWhichSomeOutputsAreUnused() {
        for (String unused : List.of("0", "1", "2", "01", "02", "12")) {
            for (String with : List.of("", "blhcp")) {
                Recurrent lstm = layer(Cell.LSTM, Direction.BIDIRECTIONAL, false);
                PassCheck.rewrites(PASS, null, b -> without(unused, graph(b, lstm, with)));
            }
        }
        for (String unused : List.of("0", "1")) {
            Recurrent gru = layer(Cell.GRU, Direction.FORWARD, true);
            PassCheck.rewrites(PASS, null, b -> without(unused, graph(b, gru, "h")));
        }
    }

    private static Graph without(String unused, Graph g) {
        Node layer = g.nodes().getFirst();
        List<Value> outputs = new ArrayList<>(layer.outputs());
        unused.chars().forEach(i -> outputs.set(i - '0', Value.ABSENT));
        List<Value> left = outputs.stream().filter(v -> !v.isAbsent()).toList();
        Node n = new Node(layer.op(), layer.inputs(), outputs, layer.origin());
        return new Graph(g.name(), g.inputs(), left, g.constants(), List.of(n));
    }

    @Test
    void keepsWhatHasNoSteps() {
        Recurrent lstm = layer(Cell.LSTM, Direction.FORWARD, false);
        Recurrent gru = layer(Cell.GRU, Direction.FORWARD, false);
        PassCheck.keeps(PASS, b -> graph(b, layer(Cell.RNN, Direction.FORWARD, false), "b"));
        PassCheck.keeps(PASS, b -> graph(b, variant(gru, gru.activations(), 0, false, false), "b"));
        PassCheck.keeps(PASS, b -> graph(b, variant(lstm, lstm.activations(), 0.5f, true, false), "b"));
        PassCheck.keeps(PASS, b -> graph(b, variant(lstm, lstm.activations(), 0, true, true), "b"));
        List<Recurrent.Activation> other = new ArrayList<>(lstm.activations());
        other.set(1, new Recurrent.Activation("relu", 0, 0));
        PassCheck.keeps(PASS, b -> graph(b, variant(lstm, other, 0, true, false), "b"));
        PassCheck.keeps(PASS, b -> graph(b, lstm, "open"));
    }

    private static Recurrent layer(Cell cell, Direction direction, boolean batchFirst) {
        Recurrent r = Recurrent.standard(cell, direction, 4);
        return new Recurrent(cell, direction, 4, r.activations(), 0, true, false, batchFirst);
    }

    private static Recurrent variant(
            Recurrent r, List<Recurrent.Activation> activations, float clip, boolean resetLast, boolean coupled) {
        return new Recurrent(r.cell(), r.direction(), 4, activations, clip, resetLast, coupled, false);
    }

    /** A layer of 3 inputs and 4 hidden, with these optional inputs, or "open": with weights that are no constants. */
    private static Graph graph(GraphBuilder b, Recurrent layer, String with) {
        boolean open = with.equals("open");
        int d = layer.direction().count();
        int rows = 4 * layer.cell().gates();
        List<Value> inputs = new ArrayList<>();
        inputs.add(layer.batchFirst() ? b.floats("x", "N", "T", 3) : b.floats("x", "T", "N", 3));
        inputs.add(open ? b.floats("w", d, rows, 3) : b.weights("w", d, rows, 3));
        inputs.add(b.weights("r", d, rows, 4));
        inputs.add(with.contains("b") ? b.weights("b", d, 2L * rows) : Value.ABSENT);
        inputs.add(with.contains("l") ? b.input("l", DataType.INT32, "N") : Value.ABSENT);
        for (String state : List.of("h", "c")) {
            Object[] dims = layer.batchFirst() ? new Object[] {"N", d, 4} : new Object[] {d, "N", 4};
            inputs.add(with.contains(state) ? b.floats(state, dims) : Value.ABSENT);
        }
        inputs.add(!open && with.contains("p") ? b.weights("p", d, 12) : Value.ABSENT);
        int outputs = layer.cell() == Cell.LSTM ? 3 : 2;
        return b.graph(
                b.nodes("y", layer, outputs, inputs.toArray(Value[]::new)).toArray(Value[]::new));
    }
}
