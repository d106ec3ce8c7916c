// For kernel tests and benchmarks: buffers between guard pages, checks that count, a fixed random sequence, timing.
#ifndef TENON_KERNELS_CPU_COMMON_TEST_SUPPORT_H
#define TENON_KERNELS_CPU_COMMON_TEST_SUPPORT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <chrono>
#include <limits>
#include <vector>

#include "cpu_features.h"
#include "tolerance.h"

namespace tenon::cpu::test {

// count elements that end where a page without access begins; the bytes before them are canaries, checked at the end.
template <class T>
class Guarded {
  public:
    explicit Guarded(int64_t count) : count_(count) {
        const int64_t page = 4096, bytes = count * static_cast<int64_t>(sizeof(T));
        data_bytes_ = (bytes + kCanaries + page - 1) / page * page;
        base_ = static_cast<char*>(
            mmap(nullptr, data_bytes_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (base_ == MAP_FAILED || mprotect(base_ + data_bytes_, page, PROT_NONE) != 0) abort();
        data_ = reinterpret_cast<T*>(base_ + data_bytes_ - bytes);
        memset(base_, 0x5a, data_bytes_);
    }
    explicit Guarded(const std::vector<T>& values) : Guarded(static_cast<int64_t>(values.size())) {
        for (int64_t i = 0; i < count_; ++i) data_[i] = values[i];
    }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;
    ~Guarded() {
        for (const char* p = base_; p < reinterpret_cast<char*>(data_); ++p) {
            if (*p != 0x5a) {
                printf("a kernel wrote %td bytes before its buffer\n", reinterpret_cast<char*>(data_) - p);
                abort();
            }
        }
        munmap(base_, data_bytes_ + 4096);
    }
    T* get() { return data_; }
    const T* get() const { return data_; }
    T& operator[](int64_t i) { return data_[i]; }
    const T& operator[](int64_t i) const { return data_[i]; }
    int64_t size() const { return count_; }

  private:
    static constexpr int64_t kCanaries = 64;
    int64_t count_;
    int64_t data_bytes_;
    char* base_;
    T* data_;
};

// xorshift; the same numbers on every run.
class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
    uint64_t next() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_;
    }
    int64_t below(int64_t limit) { return static_cast<int64_t>(next() % static_cast<uint64_t>(limit)); }
    float real(float low, float high) {
        return low + (high - low) * static_cast<float>(static_cast<double>(next() >> 11) * 0x1p-53);
    }
    void fill(float* out, int64_t n, float low = -1, float high = 1) {
        for (int64_t i = 0; i < n; ++i) out[i] = real(low, high);
    }

  private:
    uint64_t state_;
};

// Lengths around every vector width, and some long odd ones.
inline const std::vector<int64_t>& lengths() {
    static const std::vector<int64_t> values = {0,  1,  2,  3,  7,  8,  9,  15,  16,   17,  19,
                                                31, 32, 33, 35, 63, 64, 65, 127, 1023, 2111};
    return values;
}

class Checker {
  public:
    explicit Checker(const char* family) : family_(family) {}
    // Prints the first failures with the message.
    template <class... Args>
    bool expect(bool good, const char* format, Args... args) {
        ++checks_;
        if (!good && ++failures_ <= 20) {
            printf("FAIL ");
            printf(format, args...);
            printf("\n");
        }
        return good;
    }
    bool expect(bool good, const char* text) { return expect(good, "%s", text); }
    int finish() const {
        printf("%s: %lld checks, %lld failures\n", family_, static_cast<long long>(checks_),
               static_cast<long long>(failures_));
        return failures_ == 0 && checks_ > 0 ? 0 : 1;
    }

  private:
    const char* family_;
    int64_t checks_ = 0;
    int64_t failures_ = 0;
};

// Best seconds of one call over rounds of at least some milliseconds.
template <class Call>
double best_seconds(Call call, int rounds = 5) {
    using Clock = std::chrono::steady_clock;
    double best = 1e30;
    int64_t repeats = 1;
    for (int round = 0; round < rounds;) {
        const auto start = Clock::now();
        for (int64_t i = 0; i < repeats; ++i) call();
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        if (seconds < 0.004) {
            repeats *= 2;
            continue;
        }
        const double one = seconds / static_cast<double>(repeats);
        best = one < best ? one : best;
        ++round;
    }
    return best;
}

// Bytes per second of memcpy (read + write) over buffers of this many bytes.
inline double memcpy_rate(int64_t bytes) {
    std::vector<char> from(bytes, 1), to(bytes, 2);
    const double seconds = best_seconds([&] {
        memcpy(to.data(), from.data(), bytes);
        __asm__ volatile("" : : "r"(to.data()) : "memory");
    });
    return 2.0 * static_cast<double>(bytes) / seconds;
}

}  // namespace tenon::cpu::test
#endif
