// cp.async (sm_80): copies from device memory to shared memory that go past the registers and complete in groups.
#pragma once
#include "common/kernel.cuh"

namespace tenon::cuda {

// 16 bytes; both addresses are multiples of 16. When `valid` is false, the destination receives zeros and the source is
// not read.
TENON_DEVICE void async_copy_16(void* shared, const void* global, bool valid = true) {
#if defined(TENON_ON_GPU)
    uint32_t to = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
    int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global), "r"(bytes) : "memory");
#else
    if (reinterpret_cast<uintptr_t>(shared) % 16 != 0 || (valid && reinterpret_cast<uintptr_t>(global) % 16 != 0)) {
        simt::fail("async_copy_16: misaligned address");
    }
    simt::async_push(simt::Async::copy, [=] {
        struct Bytes {
            uint64_t v[2];
        };
        *static_cast<Bytes*>(shared) = valid ? *static_cast<const Bytes*>(global) : Bytes{};
    });
#endif
}

// Ends a group of this thread's copies.
TENON_DEVICE void async_copy_commit() {
#if defined(TENON_ON_GPU)
    asm volatile("cp.async.commit_group;" ::: "memory");
#else
    simt::async_commit(simt::Async::copy);
#endif
}

// Waits until at most `groups_left` of this thread's groups are under way. Other threads' copies need a barrier too.
template <int groups_left>
TENON_DEVICE void async_copy_wait() {
#if defined(TENON_ON_GPU)
    asm volatile("cp.async.wait_group %0;" ::"n"(groups_left) : "memory");
#else
    simt::async_wait(simt::Async::copy, groups_left);
#endif
}

}  // namespace tenon::cuda
