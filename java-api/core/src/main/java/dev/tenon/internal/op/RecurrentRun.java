package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One evaluation of a {@link Recurrent} layer, or of its {@link RecurrentSteps}: operands as arrays, and the state of the
 * direction at hand.
 */
final class RecurrentRun {
    private final Recurrent op;
    private final Evaluation in;
    private final int steps;
    private final int batch;
    private final int inputs;
    private final int hidden;
    private final int gates;
    private final int directions;
    private final double[] x;
    private final double @Nullable [] w;
    private final double[] r;
    private final double @Nullable [] b;
    private final double @Nullable [] p;
    private final long @Nullable [] lengths;
    private final double[] h;
    private final double[] c;

    RecurrentRun(Recurrent op, Evaluation in) {
        this.op = op;
        this.in = in;
        Shape xs = in.tensor(0).shape();
        Shape ws = in.tensor(1).shape();
        Shape rs = in.tensor(2).shape();
        in.require(xs.rank() == 3 && ws.rank() == 3 && rs.rank() == 3, "x, w and r must have rank 3");
        steps = (int) xs.dim(op.batchFirst() ? 1 : 0);
        batch = (int) xs.dim(op.batchFirst() ? 0 : 1);
        inputs = (int) xs.dim(2);
        hidden = (int) rs.dim(2);
        gates = op.cell().gates();
        directions = op.direction().count();
        in.require(
                ws.equals(Shape.of(directions, (long) gates * hidden, inputs))
                        && rs.equals(Shape.of(directions, (long) gates * hidden, hidden)),
                "w and r have shapes " + ws + " and " + rs + ", which do not fit");
        x = in.tensor(0).toDoubleArray();
        w = in.tensor(1).toDoubleArray();
        r = in.tensor(2).toDoubleArray();
        b = operand(3, 2L * gates * hidden);
        h = initial(5);
        c = initial(6);
        p = op.cell() == Recurrent.Cell.LSTM ? operand(7, 3L * hidden) : null;
        lengths = lengths(4);
    }

    RecurrentRun(RecurrentSteps part, Evaluation in) {
        this.op = part.layer();
        this.in = in;
        Shape xs = in.tensor(0).shape();
        Shape rs = in.tensor(RecurrentSteps.WEIGHTS).shape();
        in.require(xs.rank() == 3 && rs.rank() == 2, "gates and r must have ranks 3 and 2");
        steps = (int) xs.dim(0);
        batch = (int) xs.dim(1);
        inputs = (int) xs.dim(2);
        hidden = (int) rs.dim(1);
        gates = op.cell().gates();
        directions = 1;
        in.require(inputs == gates * hidden && rs.dim(0) == inputs, "gates and r have shapes " + xs + " and " + rs);
        x = in.tensor(0).toDoubleArray();
        w = null;
        r = in.tensor(RecurrentSteps.WEIGHTS).toDoubleArray();
        double[] recurrent = operand(RecurrentSteps.BIAS, inputs);
        b = new double[2 * inputs];
        if (recurrent != null) {
            System.arraycopy(recurrent, 0, b, inputs, inputs);
        }
        h = initial(RecurrentSteps.INITIAL_H);
        c = initial(RecurrentSteps.INITIAL_C);
        p = operand(RecurrentSteps.PEEPHOLES, 3L * hidden);
        lengths = lengths(RecurrentSteps.LENGTHS);
    }

    private long @Nullable [] lengths(int i) {
        if (!in.has(i)) {
            return null;
        }
        long[] v = in.tensor(i).toLongArray();
        in.require(v.length == batch, "there are " + v.length + " sequence lengths for " + batch);
        for (long n : v) {
            in.require(n >= 0 && n <= steps, "sequence length " + n + " is outside [0, " + steps + "]");
        }
        return v;
    }

    private double @Nullable [] operand(int i, long perDirection) {
        if (!in.has(i)) {
            return null;
        }
        double[] v = in.tensor(i).toDoubleArray();
        in.require(v.length == directions * perDirection, "input " + i + " has " + v.length + " elements");
        return v;
    }

    /** An initial state as [D, B, H]. */
    private double[] initial(int i) {
        double[] v = operand(i, (long) batch * hidden);
        return v == null
                ? new double[directions * batch * hidden]
                : op.batchFirst() ? swap(v, batch, directions, hidden) : v;
    }

    private static double[] swap(double[] v, int a, int b, int n) {
        double[] out = new double[v.length];
        for (int i = 0; i < a; i++) {
            for (int j = 0; j < b; j++) {
                System.arraycopy(v, (i * b + j) * n, out, (j * a + i) * n, n);
            }
        }
        return out;
    }

    List<Datum> run() {
        DataType type = in.tensor(0).type();
        Tensor y = op.batchFirst()
                ? Limits.allocate(in, type, batch, steps, directions, hidden)
                : Limits.allocate(in, type, steps, directions, batch, hidden);
        double[] out = new double[Math.toIntExact(y.size())];
        for (int d = 0; d < directions; d++) {
            boolean reverse = d == 1 || op.direction() == Recurrent.Direction.REVERSE;
            for (int n = 0; n < batch; n++) {
                int length = lengths == null ? steps : (int) lengths[n];
                int state = (d * batch + n) * hidden;
                for (int s = 0; s < length; s++) {
                    Evaluation.checkCancelled();
                    int t = reverse ? length - 1 - s : s;
                    int xAt = (op.batchFirst() ? n * steps + t : t * batch + n) * inputs;
                    switch (op.cell()) {
                        case RNN -> rnn(d, xAt, state);
                        case GRU -> gru(d, xAt, state);
                        case LSTM -> lstm(d, xAt, state);
                    }
                    int row = op.batchFirst() ? (n * steps + t) * directions + d : (t * directions + d) * batch + n;
                    System.arraycopy(h, state, out, row * hidden, hidden);
                }
            }
        }
        y.copyFrom(out);
        List<Datum> results = new ArrayList<>(List.of(y, state(h, type)));
        if (op.cell() == Recurrent.Cell.LSTM) {
            results.add(state(c, type));
        }
        return results;
    }

    private Tensor state(double[] v, DataType type) {
        Tensor t = op.batchFirst()
                ? in.allocate(type, batch, directions, hidden)
                : in.allocate(type, directions, batch, hidden);
        t.copyFrom(op.batchFirst() ? swap(v, directions, batch, hidden) : v);
        return t;
    }

    private double input(int d, int gate, int i, int xAt) {
        if (w == null) {
            return x[xAt + gate * hidden + i];
        }
        int row = d * gates * hidden + gate * hidden + i;
        double sum = b == null ? 0 : b[d * 2 * gates * hidden + gate * hidden + i];
        for (int k = 0; k < inputs; k++) {
            sum += w[row * inputs + k] * x[xAt + k];
        }
        return sum;
    }

    private double recurrent(int d, int gate, int i, double[] from, int at) {
        int row = d * gates * hidden + gate * hidden + i;
        double sum = b == null ? 0 : b[(d * 2 + 1) * gates * hidden + gate * hidden + i];
        for (int k = 0; k < hidden; k++) {
            sum += r[row * hidden + k] * from[at + k];
        }
        return sum;
    }

    private double activate(int d, int which, double v) {
        double bound = op.clip();
        double clipped = bound > 0 ? Math.min(Math.max(v, -bound), bound) : v;
        return op.activations().get(d * op.cell().activations.size() + which).apply(clipped);
    }

    private void rnn(int d, int xAt, int at) {
        double[] next = new double[hidden];
        for (int i = 0; i < hidden; i++) {
            next[i] = activate(d, 0, input(d, 0, i, xAt) + recurrent(d, 0, i, h, at));
        }
        System.arraycopy(next, 0, h, at, hidden);
    }

    /** Gates in the order update z, reset r, hidden h. */
    private void gru(int d, int xAt, int at) {
        double[] z = new double[hidden];
        double[] reset = new double[hidden];
        double[] gated = new double[hidden];
        for (int i = 0; i < hidden; i++) {
            z[i] = activate(d, 0, input(d, 0, i, xAt) + recurrent(d, 0, i, h, at));
            reset[i] = activate(d, 0, input(d, 1, i, xAt) + recurrent(d, 1, i, h, at));
            gated[i] = reset[i] * h[at + i];
        }
        double[] next = new double[hidden];
        for (int i = 0; i < hidden; i++) {
            double part = op.linearBeforeReset() ? reset[i] * recurrent(d, 2, i, h, at) : recurrent(d, 2, i, gated, 0);
            double candidate = activate(d, 1, input(d, 2, i, xAt) + part);
            next[i] = (1 - z[i]) * candidate + z[i] * h[at + i];
        }
        System.arraycopy(next, 0, h, at, hidden);
    }

    /** Gates in the order input i, output o, forget f, cell c; peepholes i, o, f. */
    private void lstm(int d, int xAt, int at) {
        double[] next = new double[hidden];
        for (int i = 0; i < hidden; i++) {
            double old = c[at + i];
            double ig = activate(d, 0, gate(d, 0, i, xAt, at) + peep(d, 0, i) * old);
            double fg = op.coupled() ? 1 - ig : activate(d, 0, gate(d, 2, i, xAt, at) + peep(d, 2, i) * old);
            double cell = fg * old + ig * activate(d, 1, gate(d, 3, i, xAt, at));
            double og = activate(d, 0, gate(d, 1, i, xAt, at) + peep(d, 1, i) * cell);
            c[at + i] = cell;
            // Clipping bounds what goes into the gates; the cell state passes through its activation as it is.
            next[i] = og * op.activations().get(d * 3 + 2).apply(cell);
        }
        System.arraycopy(next, 0, h, at, hidden);
    }

    private double gate(int d, int gate, int i, int xAt, int at) {
        return input(d, gate, i, xAt) + recurrent(d, gate, i, h, at);
    }

    private double peep(int d, int gate, int i) {
        return p == null ? 0 : p[(d * 3 + gate) * hidden + i];
    }
}
