#include "engine.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "isa.h"
#include "status.h"
#include "threads.h"

// Layout bytes: 8 bytes hash of the versions, 1 byte kind, then for reorders the size of the source descriptor (4
// bytes), it and the destination descriptor; for own forms the tag.

using namespace tenon;

namespace {

enum LayoutKind : uint8_t { kReorder = 0, kOwn = 1 };
constexpr size_t kHeader = 9;
constexpr int64_t kSerialBelowNs = 12000;
constexpr int64_t kPartBytes = 16 << 20;
constexpr int64_t kLargestBlock = 64;  // in any of oneDNN's layouts of weights

// oneDNN's descriptors and Tenon's own forms keep their meaning within a version only; the number is raised when one of
// our own changes.
uint64_t build_hash() {
    const std::string version = "forms 1 oneDNN " + std::to_string(DNNL_VERSION_MAJOR) + "." +
                                std::to_string(DNNL_VERSION_MINOR) + "." + std::to_string(DNNL_VERSION_PATCH);
    uint64_t hash = 1469598103934665603u;  // FNV-1a
    for (char c : version) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
    return hash;
}

std::vector<uint8_t> layout_header(LayoutKind kind) {
    const uint64_t hash = build_hash();
    std::vector<uint8_t> bytes(kHeader);
    std::memcpy(bytes.data(), &hash, sizeof hash);
    bytes[8] = kind;
    return bytes;
}

struct ReorderLayout {
    MemoryDesc from, to;
};

ReorderLayout parse_reorder(const std::vector<uint8_t>& layout) {
    // oneDNN copies a descriptor of fixed size out of a blob without knowing how many bytes there are.
    static const size_t blob_bytes = MemoryDesc::plain({1}).blob().size();
    uint32_t from_bytes = 0;
    const size_t begin = kHeader + sizeof from_bytes;
    require(layout.size() == begin + 2 * blob_bytes, "damaged layout of a packed constant");
    std::memcpy(&from_bytes, layout.data() + kHeader, sizeof from_bytes);
    require(from_bytes == blob_bytes, "damaged layout of a packed constant");
    const std::vector<uint8_t> from(layout.begin() + begin, layout.begin() + begin + from_bytes);
    const std::vector<uint8_t> to(layout.begin() + begin + from_bytes, layout.end());
    return {MemoryDesc::from_blob(from), MemoryDesc::from_blob(to)};
}

}  // namespace

tenon_engine::tenon_engine(const tenon_engine_options& options)
    : threads_(static_cast<int>(options.threads)),
      exact_(options.exact != 0),
      math_mode_(options.math_mode),
      serial_below_ns_(options.serial_below_ns < 0 ? kSerialBelowNs : options.serial_below_ns),
      isa_(fix_isa()) {}

void tenon_engine::add_constant(int64_t key, const void* data, int64_t bytes, bool mapped) {
    const std::lock_guard lock(mutex_);
    require(!constants_.contains(key), "constant %lld is registered already", static_cast<long long>(key));
    Constant& added = constants_[key];
    added.data = data;
    added.bytes = bytes;
    added.mapped = mapped && data != nullptr;
}

tenon_engine::Constant& tenon_engine::constant(int64_t key) {
    return const_cast<Constant&>(std::as_const(*this).constant(key));
}

const tenon_engine::Constant& tenon_engine::constant(int64_t key) const {
    const auto found = constants_.find(key);
    if (found == constants_.end())
        fail(TENON_NOT_FOUND, "the engine has no constant %lld", static_cast<long long>(key));
    return found->second;
}

int64_t tenon_engine::constant_bytes(int64_t key) const {
    const std::lock_guard lock(mutex_);
    return constant(key).bytes;
}

const void* tenon_engine::plain(int64_t key) {
    const std::lock_guard lock(mutex_);
    const void* data = plain_locked(key);
    constant(key).plain_used = true;
    return data;
}

const void* tenon_engine::peek_plain(int64_t key) const {
    const std::lock_guard lock(mutex_);
    const Constant& c = constant(key);
    return c.restored.get() != nullptr ? c.restored.get() : c.data;
}

const void* tenon_engine::plain_locked(int64_t key) {
    Constant& c = constant(key);
    if (c.restored.get() == nullptr && c.data == nullptr && c.bytes > 0) restore(key, c);
    return c.restored.get() != nullptr ? c.restored.get() : c.data;
}

void tenon_engine::restore(int64_t key, Constant& c) {
    for (const Packed& p : packed_) {
        if (p.key != key || !p.to) continue;
        MemoryBlock block(c.bytes, 0);
        const TeamSize team(threads_);
        reorder_now(p.to, p.data, p.from, block.get());
        c.restored = std::move(block);
        return;
    }
    fail(TENON_INVALID_STATE, "the plain data of constant %lld were released and no packed form can be unpacked",
         static_cast<long long>(key));
}

// Once packed, the plain form is seldom read again: it need not take memory beside the packed one.
void tenon_engine::drop_pages(const Constant& c) {
    if (c.mapped && !c.plain_used) drop_mapped_pages(c.data, c.bytes);
}

// Packs large mapped data piece by piece, so that plain and packed form are never in memory as a whole together.
bool tenon_engine::pack_by_parts(const Constant& c, const MemoryDesc& from, const MemoryDesc& to, void* packed) {
    if (!c.mapped || c.plain_used || c.data == nullptr || c.bytes < 2 * kPartBytes) return false;
    const auto lie = from.physical();
    if (!lie || lie->empty() || from.bytes() != c.bytes) return false;
    const PhysicalDim outer = lie->front();
    if (outer.logical != 1 || outer.size * outer.stride * static_cast<int64_t>(sizeof(float)) != c.bytes) return false;
    const int64_t row_bytes = c.bytes / outer.size;
    const int64_t rows = std::max<int64_t>(kPartBytes / (row_bytes * kLargestBlock), 1) * kLargestBlock;
    struct Part {
        MemoryDesc from, to;
    };
    std::vector<Part> parts;
    for (int64_t row = 0; row < outer.size; row += rows) {
        const int64_t count = std::min(rows, outer.size - row);
        parts.push_back({from.part(outer.axis, row, count), to.part(outer.axis, row, count)});
        if (!parts.back().from || !parts.back().to) return false;
    }
    const char* plain = static_cast<const char*>(c.data);
    for (const Part& part : parts) {
        reorder_now(part.from, c.data, part.to, packed);
        const int64_t bytes = std::min(rows * row_bytes, c.bytes - (plain - static_cast<const char*>(c.data)));
        drop_mapped_pages(plain, bytes);
        plain += bytes;
    }
    drop_pages(c);  // what lies on borders of parts
    return true;
}

bool tenon_engine::release_plain(int64_t key) {
    const std::lock_guard lock(mutex_);
    Constant& c = constant(key);
    const bool packed =
        std::any_of(packed_.begin(), packed_.end(), [&](const Packed& p) { return p.key == key && p.to; });
    if (c.plain_used || !packed) return false;
    c.data = nullptr;
    c.restored = MemoryBlock();
    return true;
}

void tenon_engine::remove_constant(int64_t key) {
    const std::lock_guard lock(mutex_);
    (void)constant(key);
    std::erase_if(packed_, [&](const Packed& p) { return p.key == key; });
    constants_.erase(key);
}

std::vector<uint8_t> tenon_engine::reorder_layout(const MemoryDesc& from, const MemoryDesc& to) {
    std::vector<uint8_t> bytes = layout_header(kReorder);
    const std::vector<uint8_t> source = from.blob(), target = to.blob();
    const uint32_t size = static_cast<uint32_t>(source.size());
    const uint8_t* size_bytes = reinterpret_cast<const uint8_t*>(&size);
    bytes.insert(bytes.end(), size_bytes, size_bytes + sizeof size);
    bytes.insert(bytes.end(), source.begin(), source.end());
    bytes.insert(bytes.end(), target.begin(), target.end());
    return bytes;
}

std::vector<uint8_t> tenon_engine::own_layout(const std::string& tag) {
    std::vector<uint8_t> bytes = layout_header(kOwn);
    for (char c : tag) bytes.push_back(static_cast<uint8_t>(c));
    return bytes;
}

const void* tenon_engine::find_own(int64_t key, const std::vector<uint8_t>& layout) const {
    for (const Packed& p : packed_) {
        if (p.key == key && p.layout == layout) return p.data;
    }
    return nullptr;
}

// By meaning: equal descriptors may differ in bytes that oneDNN does not use.
const void* tenon_engine::find_reordered(int64_t key, const MemoryDesc& from, const MemoryDesc& to) const {
    for (const Packed& p : packed_) {
        if (p.key == key && p.to && p.to == to && p.from == from) return p.data;
    }
    return nullptr;
}

const void* tenon_engine::packed(int64_t key, const MemoryDesc& from, const MemoryDesc& to) {
    const std::lock_guard lock(mutex_);
    if (const void* found = find_reordered(key, from, to)) return found;
    MemoryBlock block(to.bytes(), TENON_MEMORY_HUGE_PAGES);
    const TeamSize team(threads_);
    if (!pack_by_parts(constant(key), from, to, block.get())) {
        reorder_now(from, plain_locked(key), to, block.get());
        drop_pages(constant(key));
    }
    packed_.push_back({key, reorder_layout(from, to), from, to, block.get(), to.bytes(), std::move(block)});
    return packed_.back().data;
}

std::vector<MemoryDesc> tenon_engine::packed_layouts(int64_t key, const MemoryDesc& from) const {
    std::vector<MemoryDesc> result;
    const std::lock_guard lock(mutex_);
    for (const Packed& p : packed_) {
        if (p.key == key && p.to && p.from == from) result.push_back(p.to);
    }
    return result;
}

int64_t tenon_engine::packed_count() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int64_t>(packed_.size());
}

tenon_packed tenon_engine::packed_at(int64_t index) const {
    const std::lock_guard lock(mutex_);
    require(index >= 0 && index < static_cast<int64_t>(packed_.size()), "packed form %lld of %zu",
            static_cast<long long>(index), packed_.size());
    const Packed& p = packed_[index];
    return {p.key, p.layout.data(), static_cast<int64_t>(p.layout.size()), p.data, p.bytes};
}

void tenon_engine::import(const tenon_packed& packed) {
    require(packed.layout != nullptr && packed.layout_bytes > static_cast<int64_t>(kHeader) && packed.data != nullptr,
            "packed form of constant %lld is empty", static_cast<long long>(packed.key));
    const uint8_t* begin = static_cast<const uint8_t*>(packed.layout);
    const std::vector<uint8_t> layout(begin, begin + packed.layout_bytes);
    const uint64_t hash = build_hash();
    require(std::memcmp(layout.data(), &hash, sizeof hash) == 0,
            "packed form of constant %lld was made by another version of oneDNN or Tenon",
            static_cast<long long>(packed.key));
    require(reinterpret_cast<uintptr_t>(packed.data) % kCacheLine == 0, "packed data are not aligned to 64 bytes");
    ReorderLayout descs;
    if (layout[8] == kReorder) {
        descs = parse_reorder(layout);
        const int64_t expected = descs.to.bytes();
        require(packed.data_bytes == expected, "packed form of constant %lld has %lld bytes, its layout needs %lld",
                static_cast<long long>(packed.key), static_cast<long long>(packed.data_bytes),
                static_cast<long long>(expected));
    }
    const std::lock_guard lock(mutex_);
    (void)constant(packed.key);
    if (descs.to ? find_reordered(packed.key, descs.from, descs.to) != nullptr
                 : find_own(packed.key, layout) != nullptr)
        return;
    packed_.push_back({packed.key, layout, descs.from, descs.to, packed.data, packed.data_bytes, MemoryBlock()});
}

int64_t tenon_engine::packed_bytes() const {
    const std::lock_guard lock(mutex_);
    int64_t bytes = 0;
    for (const Packed& p : packed_) bytes += p.owned.bytes();
    for (const auto& [key, c] : constants_) bytes += c.restored.bytes();
    return bytes;
}

extern "C" {

tenon_status tenon_engine_create(const tenon_engine_options* options, tenon_engine** out_engine, tenon_error* err) {
    return guard(err, [&] {
        require(out_engine != nullptr, "out_engine is NULL");
        require(options != nullptr && options->struct_size == sizeof *options, "engine_options: wrong struct_size");
        require(options->threads >= 1 && options->threads <= 1024, "threads is %lld, expected 1..1024",
                static_cast<long long>(options->threads));
        require(options->math_mode == TENON_MATH_STRICT || options->math_mode == TENON_MATH_BF16,
                "unknown math_mode %lld", static_cast<long long>(options->math_mode));
        *out_engine = new tenon_engine(*options);
    });
}

void tenon_engine_destroy(tenon_engine* engine) {
    delete engine;
}

tenon_status tenon_engine_add_constant(tenon_engine* engine, int64_t key, const void* data, int64_t bytes,
                                       int64_t flags, tenon_error* err) {
    return guard(err, [&] {
        require(engine != nullptr && bytes >= 0, "engine is NULL or bytes negative");
        require((flags & ~int64_t{TENON_CONSTANT_MAPPED}) == 0, "unknown constant flags %lld",
                static_cast<long long>(flags));
        engine->add_constant(key, data, bytes, (flags & TENON_CONSTANT_MAPPED) != 0);
    });
}

tenon_status tenon_engine_release_plain(tenon_engine* engine, int64_t key, int64_t* out_released, tenon_error* err) {
    return guard(err, [&] {
        require(engine != nullptr && out_released != nullptr, "engine or out_released is NULL");
        *out_released = engine->release_plain(key) ? 1 : 0;
    });
}

tenon_status tenon_engine_remove_constant(tenon_engine* engine, int64_t key, tenon_error* err) {
    return guard(err, [&] {
        require(engine != nullptr, "engine is NULL");
        engine->remove_constant(key);
    });
}

int64_t tenon_engine_packed_count(const tenon_engine* engine) {
    return engine == nullptr ? 0 : engine->packed_count();
}

tenon_status tenon_engine_packed_get(const tenon_engine* engine, int64_t index, tenon_packed* out_packed,
                                     tenon_error* err) {
    return guard(err, [&] {
        require(engine != nullptr && out_packed != nullptr, "engine or out_packed is NULL");
        *out_packed = engine->packed_at(index);
    });
}

tenon_status tenon_engine_packed_import(tenon_engine* engine, const tenon_packed* packed, tenon_error* err) {
    return guard(err, [&] {
        require(engine != nullptr && packed != nullptr, "engine or packed is NULL");
        engine->import(*packed);
    });
}

int64_t tenon_engine_packed_bytes(const tenon_engine* engine) {
    return engine == nullptr ? 0 : engine->packed_bytes();
}
}
