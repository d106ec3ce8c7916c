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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Adds columns of blocks back to the images that they were taken from.
 * Inputs   x [N, C blocks, L]; image shape: INT64 [R]; block shape: INT64 [R].
 * Output   y [N, C, image...].
 * Rules    L is the number of block positions in the padded image; the block's elements divide x's second axis.
 * Source   ONNX Col2Im-18.
 */
public record Col2Im(Window window) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Col2Im", n -> new Col2Im(Window.read(n))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0).isRanked() ? in.shape(0) : SymbolicShape.ofRank(3);
        in.require(x.rank() == 3, "x has rank " + x.rank() + "; expected 3");
        Optional<List<Dim>> image = in.dims(1);
        if (image.isEmpty()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        List<Dim> out = new ArrayList<>(List.of(x.dim(0)));
        Optional<long[]> block = in.longs(2);
        long elements = 1;
        if (block.isPresent()) {
            for (long b : block.get()) {
                in.require(b >= 1 && b <= Integer.MAX_VALUE && elements <= Integer.MAX_VALUE, "a block size is " + b);
                elements *= b;
            }
        }
        in.require(block.isEmpty() || x.size(1) < 0 || x.size(1) % elements == 0, "the block does not divide " + x);
        out.add(block.isPresent() && x.size(1) >= 0 ? Dim.of(x.size(1) / elements) : Dim.unknown());
        out.addAll(image.get());
        Window.guard(in, () -> window.checkRank(image.get().size()));
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        in.require(x.shape().rank() == 3, "x has shape " + x.shape() + "; expected rank 3");
        long[] image = in.tensor(1).toLongArray();
        long[] block = in.tensor(2).toLongArray();
        in.require(image.length >= 1 && image.length == block.length, "image and block have different ranks");
        in.require(
                Arrays.stream(image).allMatch(d -> d >= 1 && d <= Integer.MAX_VALUE), "an image size is not positive");
        Geometry g = window.at(image, block);
        long taps = Limits.shape(in, block).elements();
        long positions = Limits.shape(in, g.out()).elements();
        in.require(
                x.shape().dim(1) % taps == 0 && x.shape().dim(2) == positions,
                "x of shape " + x.shape() + " does not fit " + taps + " block elements and " + positions
                        + " positions");
        long channels = x.shape().dim(1) / taps;
        long[] dims = new long[image.length + 2];
        dims[0] = x.shape().dim(0);
        dims[1] = channels;
        System.arraycopy(image, 0, dims, 2, image.length);
        Tensor y = Limits.allocate(in, x.type(), dims);
        double[] v = x.toDoubleArray();
        double[] out = new double[Limits.arrayLength(in, y.size())];
        int plane = (int) Shape.of(image).elements();
        for (int c = 0; c < dims[0] * channels; c++) {
            Evaluation.checkCancelled();
            long[] index = new long[block.length];
            for (int k = 0; k < taps; k++) {
                int column = (int) ((c * taps + k) * positions);
                int base = c * plane;
                g.forEachRow(image, index, (at, step, from, count) -> {
                    for (int i = 0; i < count; i++) {
                        out[base + at + i * step] += v[column + from + i];
                    }
                });
                Geometry.advance(index, block);
            }
        }
        y.copyFrom(out);
        return List.of(y);
    }
}
