package dev.tenon.internal.onnx;

import dev.tenon.DataType;
import dev.tenon.ModelFormatException;
import dev.tenon.Shape;
import dev.tenon.UnsupportedOperatorException;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.onnx.OnnxModel.DimDef;
import dev.tenon.internal.onnx.OnnxModel.TypeDef;
import java.util.ArrayList;
import java.util.List;

/** Declared types, and what they add to inferred ones. */
final class Types {
    private Types() {}

    /**
     * The type of a declaration.
     *
     * @param symbols whether dimension names count: they hold in the main graph, while in a body one name may stand for another
     *     size in each iteration
     */
    static ValueType of(TypeDef def, String valueName, boolean symbols) {
        return switch (def) {
            case TypeDef.SequenceDef(TypeDef element) -> new SequenceType(of(element, valueName, symbols));
            case TypeDef.OptionalDef(TypeDef element) -> new OptionalType(of(element, valueName, symbols));
            case TypeDef.OtherDef(String kind) ->
                throw new UnsupportedOperatorException(
                        "value '" + valueName + "'", List.of("values of type " + kind + " are not supported"));
            case TypeDef.TensorDef(long elementType, List<DimDef> dims, boolean sparse) -> {
                if (sparse) {
                    throw new UnsupportedOperatorException(
                            "value '" + valueName + "'", List.of("sparse tensors as graph values are not supported"));
                }
                DataType type = dtype(elementType, valueName);
                yield dims == null ? TensorType.unranked(type) : new TensorType(type, shape(dims, valueName, symbols));
            }
        };
    }

    /** False for a declaration that leaves the element type open, as shape inference writes what it does not know. */
    static boolean isDefined(TypeDef def) {
        return switch (def) {
            case TypeDef.TensorDef t -> t.elementType() != 0;
            case TypeDef.SequenceDef(TypeDef element) -> isDefined(element);
            case TypeDef.OptionalDef(TypeDef element) -> isDefined(element);
            case TypeDef.OtherDef _ -> true;
        };
    }

    private static DataType dtype(long code, String valueName) {
        try {
            return DataType.ofCode(code);
        } catch (ModelFormatException e) {
            throw new ModelFormatException("value '" + valueName + "': " + e.getMessage(), e);
        }
    }

    private static SymbolicShape shape(List<DimDef> dims, String valueName, boolean symbols) {
        if (dims.size() > Shape.MAX_RANK) {
            throw new ModelFormatException(
                    "value '" + valueName + "' has rank " + dims.size() + "; the limit is " + Shape.MAX_RANK);
        }
        List<Dim> out = new ArrayList<>(dims.size());
        for (DimDef d : dims) {
            if (!d.name().isEmpty()) {
                // A question mark begins the names of dimensions that nothing is known of, a digit those that are
                // known.
                out.add(symbols ? Dim.symbol(d.name().replaceFirst("^(?=[?\\p{Nd}])", "dim")) : Dim.unknown());
            } else {
                out.add(d.size() >= 0 ? Dim.of(d.size()) : Dim.unknown());
            }
        }
        return SymbolicShape.of(out);
    }

    /**
     * The inferred type with what the declaration knows more. Where both know a dimension, inference is right: files with
     * stale declarations are common.
     *
     * @throws ModelFormatException if element types clash
     */
    static ValueType refine(ValueType inferred, ValueType declared, String valueName) {
        if (inferred instanceof TensorType i && declared instanceof TensorType d) {
            if (i.dtype() != d.dtype()) {
                throw new ModelFormatException(
                        "value '" + valueName + "' is declared " + d + ", but its node gives " + i);
            }
            return new TensorType(i.dtype(), refine(i.shape(), d.shape()));
        }
        if (inferred instanceof SequenceType(ValueType i) && declared instanceof SequenceType(ValueType d)) {
            return new SequenceType(refine(i, d, valueName));
        }
        if (inferred instanceof OptionalType(ValueType i) && declared instanceof OptionalType(ValueType d)) {
            return new OptionalType(refine(i, d, valueName));
        }
        return inferred;
    }

    private static SymbolicShape refine(SymbolicShape inferred, SymbolicShape declared) {
        if (!inferred.isRanked() || !declared.isRanked()) {
            return inferred.isRanked() ? inferred : declared;
        }
        if (inferred.rank() != declared.rank()) {
            return inferred;
        }
        List<Dim> dims = new ArrayList<>(inferred.rank());
        for (int i = 0; i < inferred.rank(); i++) {
            dims.add(isUnknown(inferred.dim(i)) ? declared.dim(i) : inferred.dim(i));
        }
        return SymbolicShape.of(dims);
    }

    private static boolean isUnknown(Dim d) {
        return d instanceof Dim.Symbol(String name) && name.startsWith("?");
    }
}
