#include "cpu_features.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace tenon::cpu {
namespace {

#if defined(__x86_64__)

struct Registers {
    uint32_t eax, ebx, ecx, edx;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
    Registers r{};
    __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
    return r;
}

bool bit(uint32_t value, int index) {
    return (value >> index & 1) != 0;
}

// XCR0: which register files the operating system saves on a context switch.
uint64_t saved_state() {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return static_cast<uint64_t>(high) << 32 | low;
}

void read_caches(uint32_t leaf, CpuFeatures* features) {
    for (uint32_t index = 0; index < 16; ++index) {
        Registers r = cpuid(leaf, index);
        const uint32_t type = r.eax & 31;  // 0 ends the list, 2 is an instruction cache
        if (type == 0) return;
        if (type == 2) continue;
        const int64_t ways = (r.ebx >> 22) + 1, partitions = (r.ebx >> 12 & 1023) + 1, line = (r.ebx & 4095) + 1;
        const int64_t bytes = ways * partitions * line * (static_cast<int64_t>(r.ecx) + 1);
        switch (r.eax >> 5 & 7) {
            case 1:
                features->l1_data_bytes = bytes;
                break;
            case 2:
                features->l2_bytes = bytes;
                break;
            case 3:
                features->l3_bytes = bytes;
                break;
            default:
                break;
        }
    }
}

CpuFeatures detect() {
    CpuFeatures features{};
    const Registers base = cpuid(0, 0);
    if (base.eax < 7) return features;
    const Registers one = cpuid(1, 0);
    const Registers seven = cpuid(7, 0);
    const bool os_saves = bit(one.ecx, 27);
    const uint64_t state = os_saves ? saved_state() : 0;
    const bool ymm = (state & 0x6) == 0x6;
    const bool zmm = (state & 0xe6) == 0xe6;
    features.avx2 = ymm && bit(one.ecx, 28) && bit(seven.ebx, 5) && bit(one.ecx, 12) && bit(one.ecx, 29);
    features.avx512 =
        features.avx2 && zmm && bit(seven.ebx, 16) && bit(seven.ebx, 17) && bit(seven.ebx, 30) && bit(seven.ebx, 31);
    features.avx512_vnni = features.avx512 && bit(seven.ecx, 11);
    if (seven.eax >= 1) features.avx512_bf16 = features.avx512 && bit(cpuid(7, 1).eax, 5);
    features.amx = bit(seven.edx, 22) && bit(seven.edx, 24) && bit(seven.edx, 25);

    char vendor[13] = {};
    memcpy(vendor, &base.ebx, 4);
    memcpy(vendor + 4, &base.edx, 4);
    memcpy(vendor + 8, &base.ecx, 4);
    if (strcmp(vendor, "AuthenticAMD") == 0) {
        const bool has_topology = cpuid(0x80000000u, 0).eax >= 0x8000001du && bit(cpuid(0x80000001u, 0).ecx, 22);
        if (has_topology) read_caches(0x8000001du, &features);
    } else {
        read_caches(4, &features);
    }
    return features;
}

#else

CpuFeatures detect() {
    return CpuFeatures{};
}

#endif

}  // namespace

const CpuFeatures& cpu_features() {
    static const CpuFeatures features = detect();
    return features;
}

Isa best_isa() {
    const CpuFeatures& have = cpu_features();
    return have.avx512 ? Isa::avx512 : have.avx2 ? Isa::avx2 : Isa::scalar;
}

Isa best_isa(Isa max) {
    const Isa best = best_isa();
    return best < max ? best : max;
}

bool parse_isa(const char* name, Isa* out) {
    constexpr Isa all[] = {Isa::scalar, Isa::avx2, Isa::avx512};
    for (Isa isa : all) {
        if (name != nullptr && strcmp(name, isa_name(isa)) == 0) {
            *out = isa;
            return true;
        }
    }
    return false;
}

const char* isa_name(Isa isa) {
    switch (isa) {
        case Isa::scalar:
            return "scalar";
        case Isa::avx2:
            return "avx2";
        case Isa::avx512:
            return "avx512";
    }
    return "unknown";
}

}  // namespace tenon::cpu
