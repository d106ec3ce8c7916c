// Aligned memory for arenas and packed weights.
#pragma once

#include <cstdint>

namespace tenon {

constexpr int64_t kCacheLine = 64;
constexpr int64_t kHugePage = int64_t{2} << 20;

// As tenon_memory_allocate; throws Failure.
void* allocate_memory(int64_t bytes, int64_t flags);
// As tenon_memory_free.
void free_memory(void* address, int64_t bytes) noexcept;

// Takes the whole pages inside this part of a file mapping out of memory; the next access reads the file again.
void drop_mapped_pages(const void* address, int64_t bytes) noexcept;

// Owns one block.
class MemoryBlock {
  public:
    MemoryBlock() = default;
    MemoryBlock(int64_t bytes, int64_t flags) : address_(allocate_memory(bytes, flags)), bytes_(bytes) {}
    MemoryBlock(MemoryBlock&& other) noexcept : address_(other.address_), bytes_(other.bytes_) {
        other.address_ = nullptr;
    }
    MemoryBlock& operator=(MemoryBlock&& other) noexcept {
        free_memory(address_, bytes_);
        address_ = other.address_;
        bytes_ = other.bytes_;
        other.address_ = nullptr;
        return *this;
    }
    ~MemoryBlock() { free_memory(address_, bytes_); }
    void* get() const { return address_; }
    int64_t bytes() const { return address_ == nullptr ? 0 : bytes_; }

  private:
    void* address_ = nullptr;
    int64_t bytes_ = 0;
};

}  // namespace tenon
