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
import java.util.Objects;
import java.util.Optional;

/**
 * Joins tensors along an axis.
 * Inputs   one or more, any type, the same for all.    Output y: that type.
 * Rules    there is at least one input; ranks agree; dimensions agree but along the axis.
 * Source   ONNX Concat-13; before version 4 the axis is 1 by default.
 */
public record Concat(long axis) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("Concat", n -> new Concat(n.opset() < 4 ? n.integer("axis", 1) : n.requireInteger("axis"))));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.inputCount() > 0, "there is no input");
        DataType type = in.dtype(0);
        int rank = -1;
        boolean all = true;
        for (int i = 0; i < in.inputCount(); i++) {
            in.require(in.dtype(i) == type, "element types differ");
            if (in.shape(i).isRanked()) {
                in.require(rank < 0 || in.shape(i).rank() == rank, "ranks differ");
                rank = in.shape(i).rank();
            } else {
                all = false;
            }
        }
        if (rank < 0) {
            return List.of(TensorType.unranked(type));
        }
        int at = in.axis(axis, rank);
        List<Dim> out = new ArrayList<>();
        for (int d = 0; d < rank; d++) {
            Dim merged = null;
            Dim sum = Dim.of(0);
            for (int i = 0; i < in.inputCount(); i++) {
                if (in.shape(i).isRanked()) {
                    Dim own = in.shape(i).dim(d);
                    sum = DimMath.add(sum, own);
                    in.require(
                            d == at || merged == null || !DimMath.clash(merged, own),
                            "dimensions " + merged + " and " + own + " at axis " + d + " differ");
                    merged = merged == null ? own : DimMath.merge(merged, own);
                }
            }
            out.add(d == at ? (all ? sum : Dim.unknown()) : Objects.requireNonNull(merged));
        }
        return List.of(new TensorType(type, SymbolicShape.of(out)));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        List<Dim> out = new ArrayList<>();
        for (int i = 0; i < in.inputCount(); i++) {
            SymbolicShape s = in.shape(i);
            if (!s.isRanked() || s.rank() != 1) {
                return Optional.empty();
            }
            Optional<List<Dim>> d = in.dims(i);
            if (d.isPresent()) {
                out.addAll(d.get());
            } else if (s.dim(0) instanceof Dim.Known(long n) && n <= Shape.MAX_RANK) {
                for (int k = 0; k < n; k++) {
                    out.add(Dim.unknown());
                }
            } else {
                return Optional.empty();
            }
        }
        return Optional.of(out);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor first = in.tensor(0);
        int rank = first.shape().rank();
        int at = in.axis(axis, rank);
        long[] dims = first.shape().dims();
        dims[at] = 0;
        for (int i = 0; i < in.inputCount(); i++) {
            Shape s = in.tensor(i).shape();
            in.require(s.rank() == rank, "ranks differ");
            for (int d = 0; d < rank; d++) {
                in.require(d == at || s.dim(d) == dims[d], "shapes differ at axis " + d);
            }
            dims[at] += s.dim(at);
        }
        Tensor y = Limits.allocate(in, first.type(), dims);
        long[] strides = y.shape().strides();
        long offset = 0;
        for (int i = 0; i < in.inputCount(); i++) {
            Tensor x = in.tensor(i);
            Strided.copy(x.shape().dims(), x, 0, x.shape().strides(), y, offset, strides);
            offset += x.shape().dim(at) * strides[at];
        }
        return List.of(y);
    }
}
