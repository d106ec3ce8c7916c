package dev.tenon.internal.onnx;

import dev.tenon.DataType;
import dev.tenon.ModelFormatException;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.TenonException;
import dev.tenon.Tensor;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.OnnxModel.SparseDef;
import dev.tenon.internal.onnx.OnnxModel.TensorDef;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Turns tensor messages into tensors. Raw and external data become views of the mapped files; numbers in typed fields are
 * decoded into memory of the scope. The counts are checked before memory is taken, so a tensor never costs more than a small
 * multiple of its bytes in the file.
 */
final class TensorData {
    private static final int FLOAT_DATA = 4;
    private static final int INT32_DATA = 5;
    private static final int STRING_DATA = 6;
    private static final int INT64_DATA = 7;
    private static final int DOUBLE_DATA = 10;
    private static final int UINT64_DATA = 11;

    private final MemoryScope memory;
    private final @Nullable ExternalData external;
    private long denseBytesLeft;

    /** @param external where external data come from; null if there may be none */
    TensorData(MemoryScope memory, @Nullable ExternalData external, ImportLimits limits) {
        this.memory = memory;
        this.external = external;
        this.denseBytesLeft = limits.denseBytes();
    }

    /** The tensor of a message. @throws ModelFormatException naming it, if the data do not fit its type and shape */
    Tensor read(TensorDef t) {
        try {
            if (t.segmented()) {
                throw new ModelFormatException("data in segments are not supported");
            }
            DataType type = DataType.ofCode(t.elementType());
            Shape shape = Shape.of(t.dims());
            if (t.external() != null) {
                return external(t, type, shape);
            }
            return t.raw() != null ? raw(t, type, shape, t.raw()) : typed(t, type, shape);
        } catch (TenonException | ArithmeticException e) {
            throw named(t.at(), t.name(), e);
        }
    }

    private static ModelFormatException named(WireReader at, String name, RuntimeException e) {
        return new ModelFormatException(
                at.errorHere("tensor '" + name + "': " + e.getMessage()).getMessage(), e);
    }

    private Tensor external(TensorDef t, DataType type, Shape shape) {
        if (t.raw() != null || !t.typed().isEmpty()) {
            throw new ModelFormatException("has external data and data in the model file");
        }
        if (type == DataType.STRING) {
            throw new ModelFormatException("text cannot be external data");
        }
        if (external == null || t.external() == null) {
            throw new ModelFormatException("external data need a model that is read from a file");
        }
        return Tensor.of(external.map(t.external(), type.byteSize(shape.elements())), type, shape);
    }

    private static Tensor raw(TensorDef t, DataType type, Shape shape, MemorySegment raw) {
        if (!t.typed().isEmpty() && raw.byteSize() > 0) {
            throw new ModelFormatException("has raw_data and typed data; only one may be given");
        }
        if (type == DataType.STRING) {
            throw new ModelFormatException("text cannot be raw_data");
        }
        long bytes = type.byteSize(shape.elements());
        if (raw.byteSize() != bytes) {
            throw new ModelFormatException(
                    "raw_data has " + raw.byteSize() + " bytes; " + type + " of shape " + shape + " needs " + bytes);
        }
        return Tensor.of(raw, type, shape);
    }

    private Tensor typed(TensorDef t, DataType type, Shape shape) {
        int field = switch (type) {
            case FLOAT32, COMPLEX64 -> FLOAT_DATA;
            case FLOAT64, COMPLEX128 -> DOUBLE_DATA;
            case INT64 -> INT64_DATA;
            case UINT32, UINT64 -> UINT64_DATA;
            case STRING -> STRING_DATA;
            default -> INT32_DATA;
        };
        // Two numbers make a complex one; packed types have one byte of elements a number.
        long numbers = type.isComplex()
                ? Math.multiplyExact(shape.elements(), 2L)
                : type.isPacked() ? type.byteSize(shape.elements()) : shape.elements();
        long have = t.typed().getOrDefault(field, 0L);
        if (t.typed().size() > (have > 0 ? 1 : 0)) {
            throw new ModelFormatException(type + " data are in the wrong field; they belong in field " + field
                    + ", but there are fields " + t.typed().keySet());
        }
        if (have != numbers) {
            throw new ModelFormatException(
                    "has " + have + " numbers; " + type + " of shape " + shape + " needs " + numbers);
        }
        if (type == DataType.STRING) {
            return text(t, shape);
        }
        if (field == FLOAT_DATA || field == DOUBLE_DATA) {
            return fixed(t, type, shape, field);
        }
        Tensor out = Tensor.allocate(memory, type, shape);
        MemorySegment s = out.segment();
        long[] at = {0};
        WireReader r = t.at().rewound();
        while (r.next()) {
            if (r.field() == field) {
                r.forEachVarint("data", v -> store(type, s, at[0]++, v));
            } else {
                r.skip();
            }
        }
        return out;
    }

    /** Stores the low bits of {@code v}: floats of 16 and 8 bits, and packed bytes, come as their bits. */
    private static void store(DataType type, MemorySegment s, long i, long v) {
        switch (type.bits()) {
            case 64 -> s.setAtIndex(ValueLayout.JAVA_LONG, i, v);
            case 32 -> s.setAtIndex(ValueLayout.JAVA_INT, i, (int) v);
            case 16 -> s.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) v);
            default -> s.set(ValueLayout.JAVA_BYTE, i, type == DataType.BOOL ? (byte) (v != 0 ? 1 : 0) : (byte) v);
        }
    }

    /** Floats and doubles: a view where they lie in one piece, else a copy of the pieces. */
    private Tensor fixed(TensorDef t, DataType type, Shape shape, int field) {
        long bytes = type.byteSize(shape.elements());
        MemorySegment copy = null;
        long at = 0;
        WireReader r = t.at().rewound();
        while (r.next()) {
            if (r.field() != field) {
                r.skip();
                continue;
            }
            MemorySegment piece = r.fixed("data", field == FLOAT_DATA ? 4 : 8);
            if (piece.byteSize() == bytes) {
                return Tensor.of(piece, type, shape);
            }
            if (copy == null) {
                copy = memory.allocate(bytes);
            }
            MemorySegment.copy(piece, 0, copy, at, piece.byteSize());
            at += piece.byteSize();
        }
        return copy == null ? Tensor.allocate(memory, type, shape) : Tensor.of(copy, type, shape);
    }

    private static Tensor text(TensorDef t, Shape shape) {
        String[] out = new String[Math.toIntExact(shape.elements())];
        int n = 0;
        WireReader r = t.at().rewound();
        while (r.next()) {
            if (r.field() == STRING_DATA) {
                out[n++] = r.text("string_data");
            } else {
                r.skip();
            }
        }
        return Tensor.ofStrings(out, shape.dims());
    }

    /** The dense form of a sparse tensor. */
    Tensor dense(SparseDef def) {
        Tensor values = read(def.values());
        Tensor indices = read(def.indices());
        try {
            return dense(values, indices, Shape.of(def.dims()));
        } catch (TenonException | ArithmeticException e) {
            throw named(def.at(), def.values().name(), e);
        }
    }

    private Tensor dense(Tensor values, Tensor indices, Shape shape) {
        int rank = shape.rank();
        long n = values.size();
        boolean flat = indices.shape().rank() == 1 && indices.size() == n;
        boolean byAxis = indices.shape().equals(Shape.of(n, rank));
        if (values.shape().rank() != 1 || !(flat || byAxis) || indices.type() != DataType.INT64) {
            throw new ShapeException("sparse values " + values + " and indices " + indices + " do not fit; expected ["
                    + n + "] and INT64 [" + n + "] or [" + n + ", " + rank + "]");
        }
        long bytes = values.type() == DataType.STRING
                ? Math.multiplyExact(shape.elements(), 8)
                : values.type().byteSize(shape.elements());
        if (bytes > denseBytesLeft) {
            throw new ShapeException("sparse tensors of the model take over " + bytes + " bytes when dense; "
                    + denseBytesLeft + " are left of the limit");
        }
        denseBytesLeft -= bytes;
        Tensor out = Tensor.allocate(memory, values.type(), shape);
        long[] strides = shape.strides();
        for (long i = 0; i < n; i++) {
            long at = 0;
            for (int d = 0; d < (flat ? 1 : rank); d++) {
                long index = indices.getLong(flat ? i : i * rank + d);
                long size = flat ? shape.elements() : shape.dim(d);
                if (index < 0 || index >= size) {
                    throw new ShapeException("sparse index " + index + " of value " + i + " is outside [0, " + size
                            + ") in shape " + Arrays.toString(shape.dims()));
                }
                at += flat ? index : index * strides[d];
            }
            out.setFrom(at, values, i);
        }
        return out;
    }
}
