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
 * Moves channels into blocks of pixels; the reverse of SpaceToDepth.  With block b and C' = C / b / b,
 * y[n, c, h b + i, w b + j] = x[n, (i b + j) C' + c, h, w], or x[n, (c b + i) b + j, h, w] with {@code columnFirst} (CRD).
 * Inputs   x: any type [N, C, H, W].    Output y: [N, C / b / b, H b, W b].
 * Rules    rank 4; b >= 1 and b b divides C.
 * Source   ONNX DepthToSpace-13.
 */
public record DepthToSpace(long blocksize, boolean columnFirst) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("DepthToSpace", n -> {
        long b = n.requireInteger("blocksize");
        if (b < 1 || b > Integer.MAX_VALUE) {
            throw n.error("blocksize is " + b + "; expected at least 1");
        }
        return switch (n.text("mode", "DCR")) {
            case "DCR" -> new DepthToSpace(b, false);
            case "CRD" -> new DepthToSpace(b, true);
            default -> throw n.error("attribute 'mode' is '" + n.text("mode", "") + "'; expected 'DCR' or 'CRD'");
        };
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
        long square = blocksize * blocksize;
        in.require(
                !x.dim(1).isKnown() || x.size(1) % square == 0, square + " does not divide " + x.dim(1) + " channels");
        Dim b = Dim.of(blocksize);
        return List.of(new TensorType(
                in.dtype(0),
                SymbolicShape.of(
                        x.dim(0),
                        DimMath.divide(x.dim(1), Dim.of(square)),
                        DimMath.multiply(x.dim(2), b),
                        DimMath.multiply(x.dim(3), b))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape s = x.shape();
        long b = blocksize;
        in.require(s.rank() == 4 && s.dim(1) % (b * b) == 0, b * b + " does not divide the channels");
        long c = s.dim(1) / (b * b);
        Tensor y = columnFirst
                ? Transpose.permute(
                        in, x.reshaped(Shape.of(s.dim(0), c, b, b, s.dim(2), s.dim(3))), new int[] {0, 1, 4, 2, 5, 3})
                : Transpose.permute(
                        in, x.reshaped(Shape.of(s.dim(0), b, b, c, s.dim(2), s.dim(3))), new int[] {0, 3, 4, 1, 5, 2});
        return List.of(y.reshaped(Shape.of(s.dim(0), c, s.dim(2) * b, s.dim(3) * b)));
    }
}
