package dev.tenon.internal.onnx;

import dev.tenon.DataType;
import dev.tenon.ModelFormatException;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.onnx.OnnxModel.NodeDef;
import java.util.List;

/** What the standard says of the formal inputs of bodies, for models that do not declare their types. */
final class BodyInputs {
    private BodyInputs() {}

    /** The inputs that a node with bodies has at least; captured values follow them. */
    static int ownInputs(NodeDef node) {
        return node.opType().equals("Loop") ? 2 : 0;
    }

    /** The type of formal input {@code i}. Shapes may change from one iteration to the next, so only ranks of scalars count. */
    static ValueType type(NodeDef node, int version, int i, List<Value> arguments, String name) {
        int argument = switch (node.opType()) {
            case "Loop", "SequenceMap" -> i;
            case "Scan" -> version < 9 ? i + 1 : i;
            default -> -1;
        };
        if (node.opType().equals("Loop") && i < 2) {
            return new TensorType(i == 0 ? DataType.INT64 : DataType.BOOL, SymbolicShape.SCALAR);
        }
        if (argument < 0
                || argument >= arguments.size()
                || arguments.get(argument).isAbsent()) {
            throw new ModelFormatException("input '" + name + "' of the body of " + node.describe() + " has no type");
        }
        ValueType type = arguments.get(argument).type();
        if (node.opType().equals("SequenceMap") && type instanceof SequenceType(ValueType element)) {
            return element;
        }
        return type instanceof TensorType t ? TensorType.unranked(t.dtype()) : type;
    }
}
