package dev.tenon.internal.op;

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
import java.util.List;

/**
 * Moves blocks of pixels into channels:  y[n, (i b + j) C + c, h, w] = x[n, c, h b + i, w b + j].
 * Inputs   x: any type [N, C, H, W].    Output y: [N, C b b, H / b, W / b].
 * Rules    rank 4; blocksize b >= 1 divides H and W.
 * Source   ONNX SpaceToDepth-13.
 */
public record SpaceToDepth(long blocksize) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("SpaceToDepth", n -> {
        long b = n.requireInteger("blocksize");
        if (b < 1 || b > Integer.MAX_VALUE) {
            throw n.error("blocksize is " + b + "; expected at least 1");
        }
        if (!n.text("mode", "DCR").equals("DCR")) {
            throw n.error("mode '" + n.text("mode", "") + "' is not supported; expected 'DCR'");
        }
        return new SpaceToDepth(b);
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(new TensorType(in.dtype(0), SymbolicShape.ofRank(4)));
        }
        in.require(x.rank() == 4, "the rank must be 4");
        for (int d = 2; d < 4; d++) {
            in.require(
                    !x.dim(d).isKnown() || x.size(d) % blocksize == 0,
                    "blocksize " + blocksize + " does not divide " + x.dim(d));
        }
        Dim b = Dim.of(blocksize);
        return List.of(new TensorType(
                in.dtype(0),
                SymbolicShape.of(
                        x.dim(0),
                        DimMath.multiply(x.dim(1), Dim.of(blocksize * blocksize)),
                        DimMath.divide(x.dim(2), b),
                        DimMath.divide(x.dim(3), b))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape s = x.shape();
        in.require(
                s.rank() == 4 && s.dim(2) % blocksize == 0 && s.dim(3) % blocksize == 0,
                "blocksize " + blocksize + " does not divide the image");
        long h = s.dim(2) / blocksize;
        long w = s.dim(3) / blocksize;
        Tensor six = x.reshaped(Shape.of(s.dim(0), s.dim(1), h, blocksize, w, blocksize));
        Tensor y = Transpose.permute(in, six, new int[] {0, 3, 5, 1, 2, 4});
        return List.of(y.reshaped(Shape.of(s.dim(0), s.dim(1) * blocksize * blocksize, h, w)));
    }
}
