// What the host tests of CUDA kernels share: buffers with guard bytes, random values, comparison, running a plan.
#pragma once
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "common/types.cuh"
#include "simt/execute.h"

namespace simt_test {

using tenon::cuda::bf16;
using tenon::cuda::f16;
using tenon::cuda::f8e4m3;
using tenon::cuda::f8e5m2;
using tenon::cuda::from_float;
using tenon::cuda::to_float;

inline int failures = 0;
inline std::string where;  // the case that runs, for messages

[[gnu::format(printf, 1, 2)]] inline void fail(const char* format, ...) {
    if (++failures > 20) return;
    va_list list;
    va_start(list, format);
    std::fprintf(stderr, "FAILED %s: ", where.c_str());
    std::vfprintf(stderr, format, list);
    std::fprintf(stderr, "\n");
    va_end(list);
}

// main returns this. Every linked kernel whose name begins with `kernels` must have run.
inline int result(const char* kernels = "no kernel") {
    where = "coverage";
    simt::for_each_unused_kernel(kernels, [](const char* name) { fail("no case runs the kernel %s", name); });
    if (failures) std::fprintf(stderr, "%d failures\n", failures);
    return failures != 0;
}

template <class T>
constexpr int64_t type_code() {
    if constexpr (std::is_same_v<T, float>) return TENON_CUDA_F32;
    if constexpr (std::is_same_v<T, f16>) return TENON_CUDA_F16;
    if constexpr (std::is_same_v<T, bf16>) return TENON_CUDA_BF16;
    if constexpr (std::is_same_v<T, f8e4m3>) return TENON_CUDA_F8E4M3;
    if constexpr (std::is_same_v<T, f8e5m2>) return TENON_CUDA_F8E5M2;
    if constexpr (std::is_same_v<T, int8_t>) return TENON_CUDA_I8;
    if constexpr (std::is_same_v<T, uint8_t>) return TENON_CUDA_U8;
    if constexpr (std::is_same_v<T, int32_t>) return TENON_CUDA_I32;
    if constexpr (std::is_same_v<T, int64_t>) return TENON_CUDA_I64;
}

// Half a unit in the last place, relative: the error of one rounding to T.
template <class T>
constexpr double epsilon() {
    if constexpr (std::is_same_v<T, f16>) return 0x1p-11;
    if constexpr (std::is_same_v<T, bf16>) return 0x1p-8;
    if constexpr (std::is_same_v<T, f8e4m3>) return 0x1p-4;
    if constexpr (std::is_same_v<T, f8e5m2>) return 0x1p-3;
    return 0x1p-24;
}

inline tenon_cuda_device hopper() {
    return {90, 132, 232448, 60 << 20};
}
inline tenon_cuda_device ampere() {
    return {80, 108, 166912, 40 << 20};
}

// n elements of "device" memory. Begins `misalignment` elements past a multiple of 256 bytes, ends where the heap block
// ends (AddressSanitizer sees what reads past it) and lies between guard bytes. New memory holds a poison pattern.
template <class T>
class Buffer {
  public:
    explicit Buffer(int64_t n, int64_t misalignment = 0) : n_(n), offset_(kGuard + misalignment * int64_t{sizeof(T)}) {
        bytes_ = offset_ + n * int64_t{sizeof(T)} + (kSanitized ? 0 : kGuard);
        if (posix_memalign(&block_, 256, static_cast<size_t>(bytes_)) != 0) std::abort();
        std::memset(block_, kPoison, static_cast<size_t>(bytes_));
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() {
        check_guards();
        std::free(block_);
    }
    T* data() { return reinterpret_cast<T*>(static_cast<unsigned char*>(block_) + offset_); }
    const T* data() const { return reinterpret_cast<const T*>(static_cast<unsigned char*>(block_) + offset_); }
    T& operator[](int64_t i) { return data()[i]; }
    const T& operator[](int64_t i) const { return data()[i]; }
    int64_t size() const { return n_; }

    void check_guards() const {
        const unsigned char* b = static_cast<const unsigned char*>(block_);
        int64_t end = offset_ + n_ * int64_t{sizeof(T)};
        for (int64_t i = 0; i < bytes_; i++) {
            if ((i < offset_ || i >= end) && b[i] != kPoison) {
                fail("a guard byte was overwritten, %lld bytes from the buffer's start",
                     static_cast<long long>(i - offset_));
                return;
            }
        }
    }

  private:
    static constexpr int64_t kGuard = 256;
    static constexpr unsigned char kPoison = 0xA5;
#if defined(__SANITIZE_ADDRESS__)
    static constexpr bool kSanitized = true;
#else
    static constexpr bool kSanitized = false;
#endif
    int64_t n_, offset_, bytes_;
    void* block_ = nullptr;
};

// Normally distributed values; with `special`, about one in 50 is NaN, an infinity, zero, -0, huge or tiny.
template <class T>
void fill(Buffer<T>& b, std::mt19937& rng, double deviation = 1.0, bool special = false) {
    std::normal_distribution<double> normal(0.0, deviation);
    const float specials[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 6e4f, -6e4f, 1e-7f};
    for (int64_t i = 0; i < b.size(); i++) {
        float v = static_cast<float>(normal(rng));
        if (special && rng() % 50 == 0) v = specials[rng() % 8];
        b[i] = from_float<T>(v);
    }
}

// got and want agree when both are NaN, equal, or |got - want| <= absolute + relative * |want|.
inline bool close(double got, double want, double relative, double absolute) {
    if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got);
    return got == want || std::fabs(got - want) <= absolute + relative * std::fabs(want);
}

template <class T>
void expect_close(const char* name, const Buffer<T>& got, const std::vector<double>& want, double relative,
                  double absolute) {
    if (got.size() != static_cast<int64_t>(want.size())) return fail("%s: sizes differ", name);
    int bad = 0;
    for (int64_t i = 0; i < got.size(); i++) {
        double g = static_cast<double>(to_float(got[i]));
        if (!close(g, want[static_cast<size_t>(i)], relative, absolute) && ++bad <= 3) {
            fail("%s[%lld] is %.9g; expected %.9g", name, static_cast<long long>(i), g, want[static_cast<size_t>(i)]);
        }
    }
}

// Makes a plan with `make(plan)`, which must succeed, and runs it.
template <class Make>
void run(Make make, uint64_t seed) {
    static tenon_cuda_plan plan;
    int32_t status = make(&plan);
    if (status != TENON_CUDA_OK) return fail("the launcher refuses: %s", plan.message);
    simt::execute(plan, seed);
}

// The launcher must refuse with `status` and a message that contains `text`.
template <class Make>
void expect_refused(int32_t status, const char* text, Make make) {
    static tenon_cuda_plan plan;
    int32_t got = make(&plan);
    if (got != status || !std::strstr(plan.message, text)) {
        fail("status %d \"%s\"; expected %d with \"%s\"", got, plan.message, status, text);
    }
    if (plan.launch_count != 0) fail("a refused plan has launches");
}

// Runs fn(seed), which tells whether a result is right, for a few schedules in a child process; true when it ended
// badly (a wrong result, an abort, a sanitizer's report).
template <class Fn>
bool fails_in_child(Fn fn) {
    std::fflush(nullptr);
    pid_t child = fork();
    if (child == 0) {
        if (!std::freopen("/dev/null", "w", stderr)) _exit(3);
        bool right = true;
        for (uint64_t seed = 1; seed <= 3; seed++) right = fn(seed) && right;
        // ThreadSanitizer's reports count when the process exits.
        std::exit(right ? 0 : 3);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace simt_test
