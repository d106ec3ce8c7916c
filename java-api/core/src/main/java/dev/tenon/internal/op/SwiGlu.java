package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * A gated linear unit:  y = swish(gate; alpha) x, where swish(g) = g sigmoid(alpha g).
 * Inputs   gate, x: floats, one type and shape (broadcasting allowed).    Output y: that type and shape.
 * Source   Shazeer 2020 (GLU variants improve Transformer), equation 5; ONNX SwiGLU.
 */
public record SwiGlu(float alpha) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("SwiGLU", n -> new SwiGlu(n.real("alpha", 1))));

    @Override
    public OpTrait trait() {
        return OpTrait.ELEMENTWISE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        in.require(in.dtype(0) == in.dtype(1), "element types differ");
        return List.of(new TensorType(in.dtype(0), SymbolicShape.broadcast(in.shape(0), in.shape(1))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor gate = in.tensor(0);
        Tensor x = in.tensor(1);
        Unary swish = new Unary(UnaryFn.SILU, alpha, 0);
        Tensor y = Limits.allocate(in, x.type(), Broadcast.shape(gate.shape(), x.shape()));
        Elementwise.doubles(y, List.of(gate, x), (v, out, n) -> {
            for (int i = 0; i < n; i++) {
                out[i] = swish.apply(v[0][i]) * v[1][i];
            }
        });
        return List.of(y);
    }
}
