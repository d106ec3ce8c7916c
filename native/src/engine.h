// Constants of one model and their packed forms, shared by all programs of the engine.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include "common/cpu_features.h"
#include "memory.h"
#include "onednn.h"
#include "tenon/tenon.h"

struct tenon_engine {
  public:
    explicit tenon_engine(const tenon_engine_options& options);

    int threads() const { return threads_; }
    bool exact() const { return exact_; }
    int64_t math_mode() const { return math_mode_; }
    int64_t serial_below_ns() const { return serial_below_ns_; }
    tenon::cpu::Isa isa() const { return isa_; }

    void add_constant(int64_t key, const void* data, int64_t bytes, bool mapped);
    int64_t constant_bytes(int64_t key) const;
    // Plain data of a constant, needed from now on; brought back from a packed form if it was released.
    const void* plain(int64_t key);
    // Plain data for a look that does not outlast the call; NULL when it was released.
    const void* peek_plain(int64_t key) const;
    bool release_plain(int64_t key);
    void remove_constant(int64_t key);

    // The constant, whose plain data lie as `from` says, in layout `to`.
    const void* packed(int64_t key, const tenon::MemoryDesc& from, const tenon::MemoryDesc& to);
    // Layouts in which the constant, lying as `from`, is packed already.
    std::vector<tenon::MemoryDesc> packed_layouts(int64_t key, const tenon::MemoryDesc& from) const;
    // A form of Tenon's own: `tag` names it and all that it depends on, `pack(plain, packed)` makes it.
    template <typename Pack>
    const void* packed_own(int64_t key, const std::string& tag, int64_t bytes, const Pack& pack) {
        const std::vector<uint8_t> layout = own_layout(tag);
        const std::lock_guard lock(mutex_);
        if (const void* found = find_own(key, layout)) return found;
        tenon::MemoryBlock block(bytes, TENON_MEMORY_HUGE_PAGES);
        pack(plain_locked(key), block.get());
        drop_pages(constant(key));
        packed_.push_back({key, layout, {}, {}, block.get(), bytes, std::move(block)});
        return packed_.back().data;
    }

    int64_t packed_count() const;
    tenon_packed packed_at(int64_t index) const;
    void import(const tenon_packed& packed);
    int64_t packed_bytes() const;

  private:
    struct Constant {
        const void* data = nullptr;
        int64_t bytes = 0;
        bool mapped = false;  // from a file
        bool plain_used = false;
        tenon::MemoryBlock restored;
    };
    struct Packed {
        int64_t key;
        std::vector<uint8_t> layout;
        tenon::MemoryDesc from, to;  // of reorders; empty for own forms
        const void* data;
        int64_t bytes;
        tenon::MemoryBlock owned;
    };

    static std::vector<uint8_t> reorder_layout(const tenon::MemoryDesc& from, const tenon::MemoryDesc& to);
    static std::vector<uint8_t> own_layout(const std::string& tag);
    const void* find_own(int64_t key, const std::vector<uint8_t>& layout) const;
    const void* find_reordered(int64_t key, const tenon::MemoryDesc& from, const tenon::MemoryDesc& to) const;
    Constant& constant(int64_t key);
    const Constant& constant(int64_t key) const;
    const void* plain_locked(int64_t key);
    void restore(int64_t key, Constant& constant);
    static void drop_pages(const Constant& constant);
    static bool pack_by_parts(const Constant& constant, const tenon::MemoryDesc& from, const tenon::MemoryDesc& to,
                              void* packed);

    const int threads_;
    const bool exact_;
    const int64_t math_mode_;
    const int64_t serial_below_ns_;
    const tenon::cpu::Isa isa_;

    mutable std::mutex mutex_;
    std::map<int64_t, Constant> constants_;
    std::deque<Packed> packed_;
};
