// Bulk tensor copies (sm_90): the copy engine brings a box of a tensor of up to 5 dimensions from device memory to
// shared memory. Elements outside the tensor arrive as zeros.
// Source: PTX ISA 9.0, cp.async.bulk.tensor, "Tensors" (tiled mode, swizzling modes); CUDA driver API,
// cuTensorMapEncodeTiled.
#pragma once
#include "common/barrier.cuh"
#include "common/plan.h"
#if !defined(TENON_ON_GPU)
#include <memory>

#include "simt/tensor_map.h"
#endif

namespace tenon::cuda {

// A CUtensorMap within the kernel's parameters; the plan's tensor_maps describe it.
struct alignas(TENON_CUDA_TENSOR_MAP_ALIGNMENT) TensorMap {
    unsigned char bytes[128];
};

// Brings the map close; by one thread, before its first copy.
TENON_DEVICE void prefetch([[maybe_unused]] const TensorMap* map) {
#if defined(TENON_ON_GPU)
    asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
#endif
}

// Copies the box of a 4-dimensional tensor that begins at element (x, y, z, w), innermost first, to `shared` (aligned
// to 128 bytes; to 1024 with a swizzle of 128), rows one after the other. With a swizzle of 128 bytes, bits 4 to 6 of
// the address within shared memory are combined with bits 7 to 9 by exclusive or (64: bits 4, 5 with 7, 8; 32: bit 4
// with 7). The bytes of the whole box count towards the barrier's phase. One thread calls this.
TENON_DEVICE void bulk_load(void* shared, const TensorMap* map, Barrier* barrier, int x, int y, int z, int w) {
#if defined(TENON_ON_GPU)
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
        "[%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(shared_address(shared)),
        "l"(map), "r"(shared_address(barrier)), "r"(x), "r"(y), "r"(z), "r"(w)
        : "memory");
#else
    simt::TensorMap m;
    static_assert(sizeof m <= sizeof(TensorMap));
    std::memcpy(&m, map, sizeof m);
    if (m.rank != 4) simt::fail("bulk_load: a tensor map of rank %d", m.rank);
    if (m.swizzle_bytes != 0 && m.box[0] * 2 != m.swizzle_bytes)
        simt::fail("bulk_load: rows narrower than the swizzle");
    if (shared_address(shared) % (m.swizzle_bytes == 128 ? 1024 : 128) != 0) {
        simt::fail("bulk_load: misaligned shared address");
    }
    auto issued = std::make_shared<char>();
    simt::release(issued.get());
    simt::defer([=] {
        simt::acquire(issued.get());
        unsigned char* base = static_cast<unsigned char*>(shared) - shared_address(shared);
        uint32_t at = shared_address(shared);
        uint32_t swizzle =
            static_cast<uint32_t>(m.swizzle_bytes) / 16 - (m.swizzle_bytes != 0);  // mask of 16-byte units
        for (int d = 0; d < m.box[3]; d++) {
            for (int c = 0; c < m.box[2]; c++) {
                for (int b = 0; b < m.box[1]; b++) {
                    const bool row = y + b >= 0 && y + b < m.dims[1] && z + c >= 0 && z + c < m.dims[2] && w + d >= 0 &&
                                     w + d < m.dims[3];
                    for (int a = 0; a < m.box[0]; a++, at += 2) {
                        uint32_t to = at ^ ((at >> 7 & swizzle) << 4);
                        uint16_t value = 0;
                        if (row && x + a >= 0 && x + a < m.dims[0]) {
                            value = *reinterpret_cast<const uint16_t*>(
                                m.address + (x + a) * m.strides_bytes[0] + (y + b) * m.strides_bytes[1] +
                                (z + c) * m.strides_bytes[2] + (w + d) * m.strides_bytes[3]);
                        }
                        uint16_t* const ordinary = reinterpret_cast<uint16_t*>(base + to);
                        uint16_t* const async = reinterpret_cast<uint16_t*>(simt::async_shared() + to - 1024);
                        if (*ordinary != *async) {
                            simt::fail("bulk_load: overwrites ordinary stores that no async_proxy_fence has published");
                        }
                        *ordinary = *async = value;
                    }
                }
            }
        }
        simt::release(barrier);
        int bytes = 2 * m.box[0] * m.box[1] * m.box[2] * m.box[3];
        host::change_barrier(barrier, "bulk_load", [bytes](host::BarrierState& s) { s.bytes -= bytes; });
    });
#endif
}

}  // namespace tenon::cuda
