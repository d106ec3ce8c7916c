#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "status.h"
#include "tenon/tenon.h"

namespace tenon {
namespace {

// Blocks from this size on are mapped. The choice depends on the size alone, so that freeing needs no book-keeping.
constexpr int64_t kMapFrom = kHugePage;

int64_t page_bytes() {
    static const int64_t bytes = sysconf(_SC_PAGESIZE);
    return bytes;
}

int64_t round_up(int64_t bytes, int64_t to) {
    return (bytes + to - 1) / to * to;
}

// Maps more than needed and gives back what lies before and behind the aligned part.
void* map_aligned(int64_t bytes) {
    const int64_t wanted = round_up(bytes, page_bytes());
    const int64_t mapped = wanted + kHugePage;
    void* base = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        fail(TENON_OUT_OF_MEMORY, "cannot map %lld bytes: %s", static_cast<long long>(bytes), std::strerror(errno));
    }
    char* begin = static_cast<char*>(base);
    char* aligned = reinterpret_cast<char*>(round_up(reinterpret_cast<int64_t>(begin), kHugePage));
    const int64_t before = aligned - begin;
    const int64_t behind = mapped - before - wanted;
    if (before > 0) munmap(begin, before);
    if (behind > 0) munmap(aligned + wanted, behind);
    return aligned;
}

}  // namespace

void* allocate_memory(int64_t bytes, int64_t flags) {
    require(bytes >= 0 && bytes <= INT64_MAX - 2 * kHugePage, "cannot allocate %lld bytes",
            static_cast<long long>(bytes));
    if (bytes >= kMapFrom) {
        void* address = map_aligned(bytes);
        if (flags & TENON_MEMORY_HUGE_PAGES) {
            madvise(address, bytes, MADV_HUGEPAGE);  // a wish: kernels without huge pages refuse it
        }
        return address;
    }
    void* address = nullptr;
    const int64_t size = round_up(bytes > 0 ? bytes : 1, kCacheLine);
    if (posix_memalign(&address, kCacheLine, size) != 0) {
        fail(TENON_OUT_OF_MEMORY, "cannot allocate %lld bytes", static_cast<long long>(bytes));
    }
    if (flags & TENON_MEMORY_ZERO) std::memset(address, 0, size);
    return address;
}

void free_memory(void* address, int64_t bytes) noexcept {
    if (address == nullptr) return;
    if (bytes >= kMapFrom) {
        munmap(address, round_up(bytes, page_bytes()));
    } else {
        std::free(address);
    }
}

void drop_mapped_pages(const void* address, int64_t bytes) noexcept {
    const int64_t begin = round_up(reinterpret_cast<int64_t>(address), page_bytes());
    const int64_t end = (reinterpret_cast<int64_t>(address) + bytes) / page_bytes() * page_bytes();
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace tenon

using namespace tenon;

extern "C" {

tenon_status tenon_memory_allocate(int64_t bytes, int64_t flags, void** out_address, tenon_error* err) {
    return guard(err, [&] {
        require(out_address != nullptr, "out_address is NULL");
        require((flags & ~int64_t{TENON_MEMORY_ZERO | TENON_MEMORY_HUGE_PAGES}) == 0, "unknown memory flags %lld",
                static_cast<long long>(flags));
        *out_address = allocate_memory(bytes, flags);
    });
}

void tenon_memory_free(void* address, int64_t bytes) {
    free_memory(address, bytes);
}

tenon_status tenon_memory_advise(void* address, int64_t bytes, int64_t advice, tenon_error* err) {
    return guard(err, [&] {
        require(address != nullptr && bytes >= 0, "no memory to advise on");
        static constexpr int kAdvice[] = {MADV_DONTNEED, MADV_WILLNEED, MADV_HUGEPAGE, MADV_SEQUENTIAL};
        require(advice >= 0 && advice <= TENON_ADVISE_SEQUENTIAL, "unknown advice %lld",
                static_cast<long long>(advice));
        const int64_t begin = round_up(reinterpret_cast<int64_t>(address), page_bytes());
        const int64_t end = (reinterpret_cast<int64_t>(address) + bytes) / page_bytes() * page_bytes();
        if (end <= begin) return;
        if (madvise(reinterpret_cast<void*>(begin), end - begin, kAdvice[advice]) != 0 &&
            advice == TENON_ADVISE_DONT_NEED) {
            fail(TENON_INVALID_ARGUMENT, "madvise failed: %s", std::strerror(errno));
        }
    });
}
}
