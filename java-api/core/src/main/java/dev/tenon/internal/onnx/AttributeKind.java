package dev.tenon.internal.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The types of {@code AttributeProto.AttributeType}, in the order of their codes. */
enum AttributeKind {
    UNDEFINED,
    FLOAT,
    INT,
    STRING,
    TENSOR,
    GRAPH,
    FLOATS,
    INTS,
    STRINGS,
    TENSORS,
    GRAPHS,
    SPARSE,
    SPARSES,
    TYPE,
    TYPES;

    /** Adds an element to the list of this kind. */
    @SuppressWarnings("unchecked")
    void add(Map<AttributeKind, Object> found, @Nullable Object element) {
        ((List<@Nullable Object>) found.computeIfAbsent(this, k -> new ArrayList<>())).add(element);
    }

    /**
     * The value of an attribute: what was found, which must be of the declared type, or that type's default, which encoders
     * may leave out. Null for a reference.
     */
    static @Nullable Object value(
            WireReader r, String name, int type, String reference, Map<AttributeKind, Object> found) {
        if (type < 0 || type >= values().length) {
            throw r.errorHere("attribute '" + name + "' has type code " + type + "; expected 1 to 14");
        }
        AttributeKind declared = values()[type];
        if (!reference.isEmpty()) {
            if (!found.isEmpty()) {
                throw r.errorHere("attribute '" + name + "' has a value and refers to '" + reference + "'");
            }
            return null;
        }
        if (declared == UNDEFINED) {
            // IR version 1 knows no types, and some exporters still leave them out.
            if (found.size() != 1) {
                throw r.errorHere("attribute '" + name + "' has no type and " + found.size() + " values");
            }
            return found.values().iterator().next();
        }
        for (AttributeKind k : found.keySet()) {
            // Exporters that write every scalar field give zeros beside the value that counts.
            boolean zero = found.get(k) instanceof Number n && n.doubleValue() == 0 || "".equals(found.get(k));
            if (k != declared && !zero) {
                throw r.errorHere("attribute '" + name + "' is declared " + declared + " but holds " + k);
            }
        }
        Object value = found.get(declared);
        return value != null ? value : declared.otherwise(r, name);
    }

    private Object otherwise(WireReader r, String name) {
        return switch (this) {
            case FLOAT -> 0f;
            case INT -> 0L;
            case STRING -> "";
            case FLOATS, INTS, STRINGS, TENSORS, GRAPHS, SPARSES, TYPES -> List.of();
            default -> throw r.errorHere("attribute '" + name + "' is declared " + this + " but holds no value");
        };
    }
}
