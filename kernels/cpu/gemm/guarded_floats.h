// A float array for tests that ends at an unreadable page and begins behind a checked canary.
#ifndef TENON_KERNELS_CPU_GEMM_GUARDED_FLOATS_H
#define TENON_KERNELS_CPU_GEMM_GUARDED_FLOATS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

namespace tenon::cpu::testing {

class GuardedFloats {
  public:
    explicit GuardedFloats(int64_t count) : count_(count) {
        constexpr int64_t page = 4096;
        const int64_t bytes = count * static_cast<int64_t>(sizeof(float));
        body_ = (bytes + kCanaryBytes + page - 1) / page * page;
        void* base = mmap(nullptr, body_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED || mprotect(static_cast<char*>(base) + body_, page, PROT_NONE) != 0) {
            perror("GuardedFloats");
            abort();
        }
        base_ = static_cast<char*>(base);
        data_ = reinterpret_cast<float*>(base_ + body_ - bytes);
        memset(base_, kCanary, body_ - bytes);
    }
    ~GuardedFloats() { munmap(base_, body_ + 4096); }
    GuardedFloats(const GuardedFloats&) = delete;
    GuardedFloats& operator=(const GuardedFloats&) = delete;

    float* data() { return data_; }
    float& operator[](int64_t i) { return data_[i]; }
    int64_t size() const { return count_; }
    void fill(float value) {
        for (int64_t i = 0; i < count_; ++i) data_[i] = value;
    }
    // Bytes before the array are untouched.
    bool intact() const {
        for (const char* p = base_; p != reinterpret_cast<const char*>(data_); ++p) {
            if (*p != kCanary) return false;
        }
        return true;
    }

  private:
    static constexpr char kCanary = 0x5c;
    static constexpr int64_t kCanaryBytes = 256;
    int64_t count_;
    int64_t body_;
    char* base_;
    float* data_;
};

// Deterministic values in [-1, 1).
class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
    uint64_t bits() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_;
    }
    float value() { return static_cast<float>(static_cast<int64_t>(bits() >> 40) - (1 << 23)) / (1 << 23); }
    int64_t below(int64_t n) { return static_cast<int64_t>(bits() >> 33) % n; }

  private:
    uint64_t state_;
};

}  // namespace tenon::cpu::testing
#endif
