// Element types of tensors, with the numbers of ONNX's TensorProto (and of tenon.h).
#ifndef TENON_KERNELS_CPU_COMMON_ELEMENT_TYPE_H
#define TENON_KERNELS_CPU_COMMON_ELEMENT_TYPE_H

#include <stdint.h>

namespace tenon::cpu {

enum class ElementType : int32_t {
    f32 = 1,
    u8 = 2,
    i8 = 3,
    u16 = 4,
    i16 = 5,
    i32 = 6,
    i64 = 7,
    boolean = 9,  // one byte, 0 or 1
    f16 = 10,
    f64 = 11,
    u32 = 12,
    u64 = 13,
    bf16 = 16,
};

// Bytes of one element; 0 for a number that is not an ElementType. static: kernels compiled for different processors
// must not share its code.
static constexpr int64_t element_bytes(ElementType type) {
    switch (type) {
        case ElementType::u8:
        case ElementType::i8:
        case ElementType::boolean:
            return 1;
        case ElementType::u16:
        case ElementType::i16:
        case ElementType::f16:
        case ElementType::bf16:
            return 2;
        case ElementType::f32:
        case ElementType::i32:
        case ElementType::u32:
            return 4;
        case ElementType::i64:
        case ElementType::u64:
        case ElementType::f64:
            return 8;
    }
    return 0;
}

}  // namespace tenon::cpu
#endif
