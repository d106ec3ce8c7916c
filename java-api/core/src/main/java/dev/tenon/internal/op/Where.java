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
import java.util.Optional;

/**
 * Chooses elements:  y = condition ? x : z, with broadcasting.
 * Inputs   condition: BOOL; x, z: any type, the same for both.    Output y: that type, the broadcast shape.
 * Rules    x and z have one element type; all three broadcast.
 * Source   ONNX Where-16.
 */
public record Where() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Where", n -> new Where()));

    @Override
    public OpTrait trait() {
        return OpTrait.ELEMENTWISE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(0, DataType.BOOL);
        in.require(in.dtype(1) == in.dtype(2), "element types differ");
        SymbolicShape shape = SymbolicShape.broadcast(in.shape(0), SymbolicShape.broadcast(in.shape(1), in.shape(2)));
        return List.of(new TensorType(in.dtype(1), shape));
    }

    /** Exporters choose between -1 and sizes in shape computations. */
    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        Optional<Tensor> condition = in.constant(0);
        Optional<List<Dim>> x = in.dims(1);
        Optional<List<Dim>> z = in.dims(2);
        if (condition.isEmpty() || x.isEmpty() || z.isEmpty()) {
            return Optional.empty();
        }
        int c = (int) condition.get().size();
        int n = Math.max(c, Math.max(x.get().size(), z.get().size()));
        if ((c != n && c != 1)
                || (x.get().size() != n && x.get().size() != 1)
                || (z.get().size() != n && z.get().size() != 1)) {
            return Optional.empty();
        }
        List<Dim> out = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            List<Dim> from = condition.get().getBoolean(c == 1 ? 0 : i) ? x.get() : z.get();
            out.add(from.get(from.size() == 1 ? 0 : i));
        }
        return Optional.of(out);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor c = in.tensor(0);
        Tensor a = in.tensor(1);
        Tensor b = in.tensor(2);
        DataType type = a.type();
        Tensor y = Limits.allocate(in, type, Broadcast.shape(c.shape(), a.shape(), b.shape()));
        if (type == DataType.FLOAT32 || type == DataType.FLOAT64) {
            Elementwise.doubles(y, List.of(c, a, b), (v, out, n) -> {
                for (int i = 0; i < n; i++) {
                    out[i] = v[0][i] != 0 ? v[1][i] : v[2][i];
                }
            });
        } else if (Blocks.asLongs(type)) {
            Elementwise.longs(y, List.of(c, a, b), (v, out, n) -> {
                for (int i = 0; i < n; i++) {
                    out[i] = v[0][i] != 0 ? v[1][i] : v[2][i];
                }
            });
        } else {
            Broadcast.forEach(y.shape(), new Shape[] {c.shape(), a.shape(), b.shape()}, (o, i) -> {
                if (c.getBoolean(i[0])) {
                    y.setFrom(o, a, i[1]);
                } else {
                    y.setFrom(o, b, i[2]);
                }
            });
        }
        return List.of(y);
    }
}
