// Tensor maps of the SIMT shim.
#pragma once
#include <cstdint>

#include "common/plan.h"

namespace simt {

// What the shim has in the 128 bytes of a CUtensorMap: the description itself.
struct TensorMap {
    unsigned char* address;
    int64_t dims[TENON_CUDA_MAX_TENSOR_MAP_RANK];
    int64_t strides_bytes[TENON_CUDA_MAX_TENSOR_MAP_RANK];
    int32_t box[TENON_CUDA_MAX_TENSOR_MAP_RANK];
    int16_t rank;
    int16_t swizzle_bytes;
};
static_assert(sizeof(TensorMap) <= 128);

// Fills a tensor map; returns what cuTensorMapEncodeTiled would refuse, or null.
inline const char* encode(const tenon_cuda_tensor_map& map, TensorMap* encoded) {
    if (!map.address || reinterpret_cast<uintptr_t>(map.address) % 16 != 0) return "a null or misaligned address";
    if (map.rank < 1 || map.rank > TENON_CUDA_MAX_TENSOR_MAP_RANK) return "a rank out of range";
    *encoded = {};
    encoded->address = static_cast<unsigned char*>(const_cast<void*>(map.address));
    encoded->rank = static_cast<int16_t>(map.rank);
    encoded->swizzle_bytes = static_cast<int16_t>(map.swizzle_bytes);
    for (int64_t d = 0; d < map.rank; d++) {
        if (map.dims[d] < 1 || map.dims[d] > (int64_t{1} << 32)) return "a dimension out of range";
        if (map.box[d] < 1 || map.box[d] > 256) return "a box out of range";
        const int64_t stride = d > 0 ? map.strides_bytes[d] : 16;  // that of elements is not asked for
        if (stride <= 0 || stride % 16 != 0 || stride >= int64_t{1} << 40) return "a stride out of range";
        encoded->dims[d] = map.dims[d];
        encoded->strides_bytes[d] = map.strides_bytes[d];
        encoded->box[d] = static_cast<int32_t>(map.box[d]);
    }
    const int64_t row = map.box[0] * 2;
    if (row % 16 != 0) return "a box whose row is no multiple of 16 bytes";
    if (map.swizzle_bytes != 0 && row > map.swizzle_bytes) return "a box whose row is wider than its swizzle";
    return nullptr;
}

}  // namespace simt
