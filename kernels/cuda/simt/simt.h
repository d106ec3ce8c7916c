// SIMT shim: runs CUDA kernels on the host, to test them. The kernel's own source is compiled by a host compiler with
// this header in place of CUDA's. Every CUDA thread of a block is a fiber; one block runs at a time; the order in which
// threads, blocks and asynchronous operations go on is random, from a seed.
//
// What it finds: wrong results, out-of-bounds and misaligned accesses (with AddressSanitizer and UBSan), divergent
// barriers and collectives, deadlocks, reads of shared memory that nothing wrote (filled with NaN bytes), results read
// before the wait for an asynchronous operation (they run late, at random), and with ThreadSanitizer races: each fiber
// is a thread to it, and only barriers, atomics and fences order memory; ordinary stores to shared memory that the copy
// engine or the tensor cores meet without a proxy fence, and registers that go into wgmma without wgmma_fence.
// What it does not: memory ordering weaker than that of fences, bank conflicts, speed, clusters.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <vector>

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};

namespace simt {

// ---- The thread that runs -------------------------------------------------------------------------------------------

struct ThreadIndex {
    unsigned x = 0, y = 0, z = 0;
};
extern ThreadIndex* current_index;
unsigned char* dynamic_shared();
// Dynamic shared memory as the async proxy (copy engine, tensor cores) sees it: what that wrote itself, and ordinary
// stores once a proxy fence has published them.
unsigned char* async_shared();
void publish_shared();
// Fills static shared memory with NaN bytes when a block touches it first.
void fresh_shared(void* address, size_t bytes);

// ---- Meetings: lanes that exchange values ---------------------------------------------------------------------------

constexpr int kMaxLanes = 128;
constexpr int kMaxMeetingBytes = 512;

// All lanes of `mask` (within the caller's warp) come here with `in`; the last one calls combine(ins, outs, context),
// where lane i's bytes begin at i * kMaxMeetingBytes; each leaves with its `out`. `what` names the operation in
// messages; lanes that meet must agree on it. Orders no memory unless `ordered`.
using Combine = void (*)(const unsigned char* ins, unsigned char* outs, const void* context);
void meet(uint32_t mask, const char* what, const void* in, size_t in_bytes, void* out, size_t out_bytes,
          Combine combine, const void* context, bool ordered);

// out[lane] = combine(all ins, lane). In and Out are trivially copyable.
template <class Out, class In, class Fn>
Out exchange(uint32_t mask, const char* what, const In& in, const Fn& fn) {
    static_assert(sizeof(In) <= kMaxMeetingBytes && sizeof(Out) <= kMaxMeetingBytes);
    struct Context {
        const Fn* fn;
        uint32_t mask;
    } context{&fn, mask};
    Out out;
    meet(
        mask, what, &in, sizeof in, &out, sizeof out,
        [](const unsigned char* ins, unsigned char* outs, const void* c) {
            const Context& context = *static_cast<const Context*>(c);
            In all[32];
            for (int i = 0; i < 32; i++) std::memcpy(&all[i], ins + i * kMaxMeetingBytes, sizeof(In));
            for (int i = 0; i < 32; i++) {
                if (!(context.mask >> i & 1)) continue;
                Out result = (*context.fn)(all, i);
                std::memcpy(outs + i * kMaxMeetingBytes, &result, sizeof(Out));
            }
        },
        &context, false);
    return out;
}

// ---- Barriers -------------------------------------------------------------------------------------------------------

// Hardware barriers 0 to 15 of a block; barrier 0 with all threads is __syncthreads.
void barrier(int id, int threads, bool wait);
int block_threads();

// ---- Waiting and asynchronous operations ----------------------------------------------------------------------------

// The thread goes on once ready(context) holds; it is asked again after notify(key).
void wait_until(const void* key, const char* what, bool (*ready)(const void*), const void* context);
void notify(const void* key);
// Lets other threads go first.
void yield();

// Ordering for ThreadSanitizer: what happened before release(key) is visible after acquire(key). Nothing otherwise.
void release(const void* key);
void acquire(const void* key);

// Operations of the calling thread that complete in groups, as cp.async and wgmma do: run at once or, at random, only
// when a wait asks for their group. Those of kind matrix run in order.
enum class Async { copy, matrix, bulk_store };
void async_push(Async kind, std::function<void()> operation);
void async_commit(Async kind);
void async_wait(Async kind, int groups_left);

// Arrays of registers that the calling thread has handed to the tensor cores with a fence and not got back by a wait.
struct Handed {
    const unsigned char* at;
    std::vector<unsigned char> values;  // at the fence
    bool sums;                          // products change them
};
std::vector<Handed>& handed_registers();

// An operation that the hardware performs at some later time, in no order: bulk copies.
void defer(std::function<void()> operation);

// A random number from the schedule's generator.
uint64_t random();

// Ends the program with the kernel, the block and the thread in the message.
[[noreturn, gnu::format(printf, 1, 2)]] void fail(const char* format, ...);

// ---- Kernels by name ------------------------------------------------------------------------------------------------

struct Kernel {
    const char* name;
    size_t params_bytes;
    int max_threads;
    void (*body)(const void* params);
    const Kernel* next;

    Kernel(const char* name, size_t params_bytes, int max_threads, void (*body)(const void*));
};

// The linked kernel of that name, or null.
const Kernel* find_kernel(const char* name);

}  // namespace simt

// ---- CUDA's vocabulary ----------------------------------------------------------------------------------------------

#define TENON_KERNEL(name, Params, threads, blocks)                                                                    \
    static void name##_body(const Params& p);                                                                          \
    static const simt::Kernel name##_kernel(                                                                           \
        #name, sizeof(Params), threads, [](const void* params) { name##_body(*static_cast<const Params*>(params)); }); \
    static void name##_body([[maybe_unused]] const Params& p)
#define TENON_SHARED(type, name, dimensions) \
    alignas(16) static type name dimensions; \
    simt::fresh_shared(&name, sizeof name)
#define TENON_DYNAMIC_SHARED(name) unsigned char* const name = simt::dynamic_shared()
#define threadIdx (*simt::current_index)

extern dim3 blockIdx, blockDim, gridDim;

inline void __syncthreads() {
    simt::barrier(0, simt::block_threads(), true);
}
inline void __syncwarp(uint32_t mask = 0xffffffffu) {
    simt::meet(mask, "__syncwarp", nullptr, 0, nullptr, 0, nullptr, nullptr, true);
}
template <class T>
T __shfl_sync(uint32_t mask, T value, int source) {
    struct In {
        T value;
        int source;
    };
    return simt::exchange<T>(mask, "__shfl_sync", In{value, source}, [mask](const In* all, int lane) {
        int from = all[lane].source & 31;
        if (!(mask >> from & 1)) simt::fail("__shfl_sync reads lane %d, which is not in the mask", from);
        return all[from].value;
    });
}
template <class T>
T __shfl_xor_sync(uint32_t mask, T value, int lane_mask) {
    return __shfl_sync(mask, value, static_cast<int>(threadIdx.x % 32) ^ lane_mask);
}
template <class T>
T __shfl_down_sync(uint32_t mask, T value, int offset) {
    int lane = static_cast<int>(threadIdx.x % 32);
    return __shfl_sync(mask, value, lane + offset < 32 ? lane + offset : lane);
}
template <class T>
T __shfl_up_sync(uint32_t mask, T value, int offset) {
    int lane = static_cast<int>(threadIdx.x % 32);
    return __shfl_sync(mask, value, lane >= offset ? lane - offset : lane);
}
inline uint32_t __ballot_sync(uint32_t mask, bool predicate) {
    return simt::exchange<uint32_t>(mask, "__ballot_sync", predicate, [mask](const bool* all, int) {
        uint32_t r = 0;
        for (int i = 0; i < 32; i++) r |= (mask >> i & 1) && all[i] ? 1u << i : 0u;
        return r;
    });
}
inline bool __any_sync(uint32_t mask, bool predicate) {
    return __ballot_sync(mask, predicate) != 0;
}
inline bool __all_sync(uint32_t mask, bool predicate) {
    return __ballot_sync(mask, predicate) == mask;
}

// Atomics are sequentially consistent here; on the GPU they are relaxed.
template <class T, class Fn>
T simt_atomic(T* address, Fn fn) {
    T old, desired;
    __atomic_load(address, &old, __ATOMIC_SEQ_CST);
    do desired = fn(old);
    while (!__atomic_compare_exchange(address, &old, &desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return old;
}
template <class T>
T atomicAdd(T* address, std::type_identity_t<T> x) {
    return simt_atomic(address, [x](T old) { return static_cast<T>(old + x); });
}
template <class T>
T atomicMax(T* address, std::type_identity_t<T> x) {
    return simt_atomic(address, [x](T old) { return old < x ? x : old; });
}
template <class T>
T atomicMin(T* address, std::type_identity_t<T> x) {
    return simt_atomic(address, [x](T old) { return x < old ? x : old; });
}
template <class T>
T atomicExch(T* address, std::type_identity_t<T> x) {
    return simt_atomic(address, [x](T) { return x; });
}
template <class T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> x) {
    return simt_atomic(address, [=](T old) { return old == expected ? x : old; });
}
// One key for all fences: enough to order what one thread writes and another reads after an atomic.
inline void __threadfence() {
    static const char key = 0;
    simt::acquire(&key);
    simt::release(&key);
}
inline void __threadfence_block() {
    __threadfence();
}

inline float rsqrtf(float x) {
    return 1.0f / sqrtf(x);
}
inline float __expf(float x) {
    return expf(x);
}
inline float __logf(float x) {
    return logf(x);
}
inline float __fdividef(float a, float b) {
    return a / b;
}
inline float __frcp_rn(float x) {
    return 1.0f / x;
}
inline float __fmul_rn(float a, float b) {
    return a * b;
}
inline float __fadd_rn(float a, float b) {
    return a + b;
}
inline int __popc(uint32_t x) {
    return __builtin_popcount(x);
}
inline int __ffs(int x) {
    return __builtin_ffs(x);
}
inline int __clz(int x) {
    return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x));
}
inline uint32_t __umulhi(uint32_t a, uint32_t b) {
    return static_cast<uint32_t>(static_cast<uint64_t>(a) * b >> 32);
}
template <class T>
T min(T a, T b) {
    return b < a ? b : a;
}
template <class T>
T max(T a, T b) {
    return a < b ? b : a;
}
template <class T>
T __ldg(const T* address) {
    return *address;
}
