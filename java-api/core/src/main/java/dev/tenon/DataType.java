package dev.tenon;

/**
 * Element types of tensors: every type of the ONNX standard, with the code that {@code TensorProto.DataType} gives it.
 *
 * <p>Types under eight bits are packed: the element with the lower index sits in the lower bits of its byte.
 */
public enum DataType {
    FLOAT32(1, 32, Kind.FLOAT),
    UINT8(2, 8, Kind.UNSIGNED),
    INT8(3, 8, Kind.SIGNED),
    UINT16(4, 16, Kind.UNSIGNED),
    INT16(5, 16, Kind.SIGNED),
    INT32(6, 32, Kind.SIGNED),
    INT64(7, 64, Kind.SIGNED),
    /** Text; elements are Java strings and live on the heap. */
    STRING(8, 0, Kind.TEXT),
    /** One byte an element: 0 or 1. */
    BOOL(9, 8, Kind.BOOLEAN),
    FLOAT16(10, 16, Kind.FLOAT),
    FLOAT64(11, 64, Kind.FLOAT),
    UINT32(12, 32, Kind.UNSIGNED),
    UINT64(13, 64, Kind.UNSIGNED),
    /** Two floats: real, imaginary. */
    COMPLEX64(14, 64, Kind.COMPLEX),
    /** Two doubles: real, imaginary. */
    COMPLEX128(15, 128, Kind.COMPLEX),
    BFLOAT16(16, 16, Kind.FLOAT),
    FLOAT8E4M3FN(17, 8, Kind.FLOAT),
    FLOAT8E4M3FNUZ(18, 8, Kind.FLOAT),
    FLOAT8E5M2(19, 8, Kind.FLOAT),
    FLOAT8E5M2FNUZ(20, 8, Kind.FLOAT),
    UINT4(21, 4, Kind.UNSIGNED),
    INT4(22, 4, Kind.SIGNED),
    FLOAT4E2M1(23, 4, Kind.FLOAT),
    FLOAT8E8M0(24, 8, Kind.FLOAT),
    UINT2(25, 2, Kind.UNSIGNED),
    INT2(26, 2, Kind.SIGNED);

    private enum Kind {
        FLOAT,
        SIGNED,
        UNSIGNED,
        BOOLEAN,
        COMPLEX,
        TEXT
    }

    private static final DataType[] BY_CODE = new DataType[27];

    static {
        for (DataType t : values()) {
            BY_CODE[t.code] = t;
        }
    }

    private final int code;
    private final int bits;
    private final Kind kind;

    DataType(int code, int bits, Kind kind) {
        this.code = code;
        this.bits = bits;
        this.kind = kind;
    }

    /** The type with this {@code TensorProto.DataType} code. @throws ModelFormatException for a code that has no type */
    public static DataType ofCode(long code) {
        if (code < 1 || code >= BY_CODE.length) {
            throw new ModelFormatException("element type " + code + " is not an ONNX tensor type; expected 1 to 26");
        }
        return BY_CODE[(int) code];
    }

    /** The code of {@code TensorProto.DataType}. */
    public int code() {
        return code;
    }

    /** Bits of one element; 0 for {@link #STRING}. */
    public int bits() {
        return bits;
    }

    /** Bytes that {@code elements} take, packed types rounded up to a whole byte. @throws ShapeException on overflow */
    public long byteSize(long elements) {
        if (bits >= 8) {
            long size = bits / 8;
            if (elements > Long.MAX_VALUE / size) {
                throw new ShapeException(elements + " elements of " + this + " exceed the address space");
            }
            return elements * size;
        }
        return elements / 8 * bits + (elements % 8 * bits + 7) / 8;
    }

    /** True for all real floating-point types, from 4 to 64 bits. */
    public boolean isFloat() {
        return kind == Kind.FLOAT;
    }

    /** True for signed and unsigned integers; not for {@link #BOOL}. */
    public boolean isInteger() {
        return kind == Kind.SIGNED || kind == Kind.UNSIGNED;
    }

    public boolean isUnsigned() {
        return kind == Kind.UNSIGNED;
    }

    public boolean isSigned() {
        return kind == Kind.SIGNED;
    }

    public boolean isComplex() {
        return kind == Kind.COMPLEX;
    }

    /** True when elements share bytes: 2-bit and 4-bit types. */
    public boolean isPacked() {
        return bits > 0 && bits < 8;
    }
}
