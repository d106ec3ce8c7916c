// Barriers of sm_90 in shared memory (mbarrier), which also count the bytes of bulk copies; the block's 16 named
// barriers; and the fences and register budgets that go with warp specialisation.
// Source: PTX ISA 9.0, mbarrier, barrier, fence, fence.proxy.async and setmaxnreg.
#pragma once
#include "common/types.cuh"

namespace tenon::cuda {

// The address within shared memory, as copies, barriers and matrix descriptors want it. On the host the first KiB is
// left out, as the driver keeps it on the GPU.
TENON_DEVICE uint32_t shared_address(const void* shared) {
#if defined(TENON_ON_GPU)
    return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
#else
    return static_cast<uint32_t>(static_cast<const unsigned char*>(shared) - simt::dynamic_shared()) + 1024;
#endif
}

// A phase of the barrier completes when `arrivals` threads have arrived and all bytes that were announced have come.
// Phases have parity 0, 1, 0, 1 ...
struct Barrier {
    uint64_t state;
};

#if !defined(TENON_ON_GPU)
namespace host {
struct BarrierState {
    uint64_t arrivals : 20, pending : 20, parity : 1;
    int64_t bytes : 21;
    uint64_t valid : 2;  // 1; memory that nothing wrote has 3
};

// Changes the state, ends the phase where nothing is missing.
template <class Fn>
void change_barrier(Barrier* b, const char* what, Fn change) {
    BarrierState s = __builtin_bit_cast(BarrierState, __atomic_load_n(&b->state, __ATOMIC_RELAXED));
    if (s.valid != 1) simt::fail("%s: the barrier is not initialised", what);
    change(s);
    bool complete = s.pending == 0 && s.bytes == 0;
    if (complete) s.pending = s.arrivals, s.parity ^= 1;
    __atomic_store_n(&b->state, __builtin_bit_cast(uint64_t, s), __ATOMIC_RELAXED);
    if (complete) simt::notify(b);
}

inline void arrive(Barrier* b, int64_t bytes) {
    simt::release(b);
    change_barrier(b, "barrier_arrive", [bytes](BarrierState& s) {
        if (s.pending == 0)
            simt::fail("barrier_arrive: more than %d arrivals in a phase", static_cast<int>(s.arrivals));
        s.pending--;
        s.bytes += bytes;
    });
}
}  // namespace host
#endif

// By one thread; barrier_init_fence and __syncthreads follow before anybody uses the barrier.
TENON_DEVICE void barrier_init(Barrier* b, int arrivals) {
#if defined(TENON_ON_GPU)
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(b)), "r"(arrivals) : "memory");
#else
    if (reinterpret_cast<uintptr_t>(b) % 8 != 0) simt::fail("barrier_init: misaligned barrier");
    uint64_t count = static_cast<uint64_t>(arrivals);
    // Not atomic: an access that __syncthreads does not order after it is a race.
    b->state = __builtin_bit_cast(uint64_t, host::BarrierState{count, count, 0, 0, 1});
#endif
}

// Makes the barriers that this thread initialised known to the copy engine.
TENON_DEVICE void barrier_init_fence() {
#if defined(TENON_ON_GPU)
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// This thread's earlier accesses happen before what follows the wait for this phase.
TENON_DEVICE void barrier_arrive(Barrier* b) {
#if defined(TENON_ON_GPU)
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(b)) : "memory");
#else
    host::arrive(b, 0);
#endif
}

// Also announces `bytes` (below 2^20) of bulk copies that count towards this phase.
TENON_DEVICE void barrier_arrive_expect(Barrier* b, int bytes) {
#if defined(TENON_ON_GPU)
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(b)), "r"(bytes)
                 : "memory");
#else
    host::arrive(b, bytes);
#endif
}

// Waits until the phase of that parity is over: returns at once when the barrier is in a phase of the other parity, as
// a new one is for parity 1.
TENON_DEVICE void barrier_wait(Barrier* b, int parity) {
#if defined(TENON_ON_GPU)
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "wait:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra wait;\n"
        "}" ::"r"(shared_address(b)),
        "r"(parity)
        : "memory");
#else
    struct Context {
        Barrier* barrier;
        int parity;
    } context{b, parity};
    simt::wait_until(
        b, "barrier_wait",
        [](const void* c) {
            const Context& context = *static_cast<const Context*>(c);
            bool over = false;
            host::change_barrier(context.barrier, "barrier_wait",
                                 [&](host::BarrierState& s) { over = static_cast<int>(s.parity) != context.parity; });
            return over;
        },
        &context);
    simt::acquire(b);
#endif
}

// Barrier `id` (1 to 15; 0 is __syncthreads) of `threads` threads, a multiple of 32: all arrive, some of them wait.
TENON_DEVICE void named_barrier_wait(int id, int threads) {
#if defined(TENON_ON_GPU)
    asm volatile("barrier.cta.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
#else
    simt::barrier(id, threads, true);
#endif
}
TENON_DEVICE void named_barrier_arrive(int id, int threads) {
#if defined(TENON_ON_GPU)
    asm volatile("barrier.cta.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
#else
    simt::barrier(id, threads, false);
#endif
}

// This thread's stores to shared memory are visible to tensor cores and copy engine once a barrier has told them. Only
// ordinary stores need it: what the copy engine wrote is visible to whoever waited for its barrier, and what tensor
// cores have read may be overwritten by the copy engine once wgmma_wait and a barrier say so.
TENON_DEVICE void async_proxy_fence() {
#if defined(TENON_ON_GPU)
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#else
    simt::publish_shared();
#endif
}

// Changes the registers of each thread of this warpgroup. The kernel has a register cap. Those of
// more_registers come from a pool of what the block was launched with and other warpgroups gave up: it waits for them,
// for ever when they never come. A block of `threads` threads that is alone on its multiprocessor is launched with
// launch_registers(threads) each.
constexpr int launch_registers(int threads) {
    return 65536 / threads / 8 * 8;
}
template <int registers>
TENON_DEVICE void more_registers() {
    static_assert(registers % 8 == 0 && registers >= 24 && registers <= 256);
#if defined(TENON_ON_GPU)
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
#endif
}
template <int registers>
TENON_DEVICE void fewer_registers() {
    static_assert(registers % 8 == 0 && registers >= 24 && registers <= 256);
#if defined(TENON_ON_GPU)
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
#endif
}

}  // namespace tenon::cuda
