package dev.tenon.cuda.internal.elementwise;

import dev.tenon.DataType;
import java.util.EnumMap;
import java.util.Map;

/** Element types as kernels/cuda names them. */
final class ElementTypes {
    private static final Map<DataType, String> STORAGE = new EnumMap<>(Map.ofEntries(
            Map.entry(DataType.FLOAT32, "float"),
            Map.entry(DataType.FLOAT64, "double"),
            Map.entry(DataType.FLOAT16, "f16"),
            Map.entry(DataType.BFLOAT16, "bf16"),
            Map.entry(DataType.FLOAT8E4M3FN, "f8e4m3"),
            Map.entry(DataType.FLOAT8E5M2, "f8e5m2"),
            Map.entry(DataType.INT8, "int8_t"),
            Map.entry(DataType.INT16, "int16_t"),
            Map.entry(DataType.INT32, "int32_t"),
            Map.entry(DataType.INT64, "int64_t"),
            Map.entry(DataType.UINT8, "uint8_t"),
            Map.entry(DataType.UINT16, "uint16_t"),
            Map.entry(DataType.UINT32, "uint32_t"),
            Map.entry(DataType.UINT64, "uint64_t"),
            Map.entry(DataType.BOOL, "boolean")));

    private ElementTypes() {}

    /** True if chains can read, compute and write elements of {@code type}. */
    static boolean has(DataType type) {
        return STORAGE.containsKey(type);
    }

    /** The type of an element in memory. */
    static String storage(DataType type) {
        String name = STORAGE.get(type);
        if (name == null) {
            throw new IllegalArgumentException(type + " is not a type of chains");
        }
        return name;
    }

    /** The type that elements are computed in. */
    static String value(DataType type) {
        return type == DataType.BOOL ? "bool" : isNarrowFloat(type) ? "float" : storage(type);
    }

    /** True for floats that are computed in fp32 and rounded. */
    static boolean isNarrowFloat(DataType type) {
        return type.isFloat() && type.bits() < 32;
    }

    static int bytes(DataType type) {
        return type.bits() / 8;
    }
}
