package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * What is left of one direction of a {@link Recurrent} layer with the default activations once the products of its input are
 * done: in each step the product of the state with r, the gates and the new state. GRU's reset gate comes after the product.
 * Inputs   gates [S, B, G H] = x w^T + bias, for LSTM with both of the layer's biases, for GRU with the first; r [G H, H]; bias of
 *          the recurrent product [G H] or absent; INT32 [B] sequence lengths or absent; initial h [B, H] or absent; for LSTM
 *          initial c likewise and peepholes [3 H]. G is the cell's gates.
 * Outputs  y [S, B, H]; last h [B, H]; for LSTM last c.
 * Rules    those of {@link Recurrent}.
 * Numerics the reference computes in double.
 * Source   made by rewrites only.
 */
public record RecurrentSteps(Recurrent.Cell cell, boolean reverse) implements Op {
    /** The input indexes. */
    public static final int GATES = 0, WEIGHTS = 1, BIAS = 2, LENGTHS = 3, INITIAL_H = 4, INITIAL_C = 5, PEEPHOLES = 6;

    /** The layer with one direction that this is a part of. */
    Recurrent layer() {
        return Recurrent.standard(cell, reverse ? Recurrent.Direction.REVERSE : Recurrent.Direction.FORWARD, 0);
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType type = in.dtype(GATES);
        SymbolicShape gates = in.shape(GATES).isRanked() ? in.shape(GATES) : SymbolicShape.ofRank(3);
        SymbolicShape r = in.shape(WEIGHTS).isRanked() ? in.shape(WEIGHTS) : SymbolicShape.ofRank(2);
        in.require(gates.rank() == 3 && r.rank() == 2, "gates and r must have ranks 3 and 2");
        Dim hidden = r.dim(1);
        Dim batch = gates.dim(1);
        Dim rows = Recurrent.times(cell.gates(), hidden);
        in.requireShape(GATES, type, gates.dim(0), batch, rows);
        in.requireShape(WEIGHTS, type, rows, hidden);
        in.requireShape(BIAS, type, rows);
        in.requireShape(LENGTHS, DataType.INT32, batch);
        in.requireShape(INITIAL_H, type, batch, hidden);
        in.requireShape(INITIAL_C, type, batch, hidden);
        in.requireShape(PEEPHOLES, type, Recurrent.times(3, hidden));
        TensorType state = new TensorType(type, SymbolicShape.of(batch, hidden));
        List<ValueType> out = new ArrayList<>();
        out.add(new TensorType(type, SymbolicShape.of(gates.dim(0), batch, hidden)));
        out.add(state);
        if (cell == Recurrent.Cell.LSTM) {
            out.add(state);
        }
        return out;
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        List<Datum> out = new ArrayList<>();
        for (Datum d : new RecurrentRun(this, in).run()) {
            Tensor t = (Tensor) d;
            Shape s = t.shape();
            boolean sequence = s.rank() == 4;
            // Without the axis of directions.
            out.add(t.reshaped(sequence ? Shape.of(s.dim(0), s.dim(2), s.dim(3)) : Shape.of(s.dim(1), s.dim(2))));
        }
        return out;
    }
}
