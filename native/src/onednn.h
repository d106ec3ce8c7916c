// Owners for oneDNN's C handles, and what Tenon needs to know about its memory layouts.
#pragma once

#include <dnnl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon {

using Dims = std::vector<int64_t>;

int64_t product(const Dims& dims);
Dims row_major_strides(const Dims& dims);

// Throws Failure unless status is success; `what` says which call it was.
void check_dnnl(dnnl_status_t status, const char* what);

// The process's CPU engine.
dnnl_engine_t dnnl_cpu_engine();

// One axis of memory as it lies: `size` steps, each advancing `logical` along `axis` and `stride` elements in memory.
struct PhysicalDim {
    int axis;
    int64_t size;
    int64_t logical;
    int64_t stride;
};

// Immutable layout: dims, type and where elements lie. Copies share.
class MemoryDesc {
  public:
    MemoryDesc() = default;
    explicit MemoryDesc(dnnl_memory_desc_t owned);
    static MemoryDesc copy_of(const_dnnl_memory_desc_t borrowed);
    static MemoryDesc plain(const Dims& dims, dnnl_data_type_t type = dnnl_f32);
    static MemoryDesc strided(const Dims& dims, const Dims& strides, dnnl_data_type_t type = dnnl_f32);
    static MemoryDesc any(const Dims& dims, dnnl_data_type_t type = dnnl_f32);
    static MemoryDesc tagged(const Dims& dims, dnnl_format_tag_t tag, dnnl_data_type_t type = dnnl_f32);
    static MemoryDesc from_blob(const std::vector<uint8_t>& blob);

    explicit operator bool() const { return desc_ != nullptr; }
    const_dnnl_memory_desc_t get() const { return desc_.get(); }
    bool operator==(const MemoryDesc& other) const;
    int64_t bytes() const;
    Dims dims() const;
    std::vector<uint8_t> blob() const;
    MemoryDesc reshaped(const Dims& dims) const;
    // Elements begin .. begin + size - 1 along one axis, in the same memory; empty where oneDNN cannot say that.
    MemoryDesc part(int axis, int64_t begin, int64_t size) const;

    // Outermost first, axes of size 1 left out; sizes include padding. Empty for layouts that are not blocked (opaque).
    std::optional<std::vector<PhysicalDim>> physical() const;
    // Whether memory has padding elements, which oneDNN wants to stay zero.
    bool padded() const;
    // Whether elements lie in row-major order without gaps.
    bool is_row_major() const;
    // Block structure for people, such as "aBcd16b".
    std::string text() const;

  private:
    std::shared_ptr<dnnl_memory_desc> desc_;
};

struct PrimitiveDescDeleter {
    void operator()(dnnl_primitive_desc_t p) const { dnnl_primitive_desc_destroy(p); }
};
using PrimitiveDesc = std::unique_ptr<dnnl_primitive_desc, PrimitiveDescDeleter>;

struct PrimitiveDeleter {
    void operator()(dnnl_primitive_t p) const { dnnl_primitive_destroy(p); }
};
using Primitive = std::unique_ptr<dnnl_primitive, PrimitiveDeleter>;

struct AttrDeleter {
    void operator()(dnnl_primitive_attr_t p) const { dnnl_primitive_attr_destroy(p); }
};
using Attr = std::unique_ptr<dnnl_primitive_attr, AttrDeleter>;

struct PostOpsDeleter {
    void operator()(dnnl_post_ops_t p) const { dnnl_post_ops_destroy(p); }
};
using PostOps = std::unique_ptr<dnnl_post_ops, PostOpsDeleter>;

// Scratch memory comes from the program's arena.
Attr new_attr(int64_t math_mode);

MemoryDesc query_md(const PrimitiveDesc& pd, dnnl_query_t what, int index = 0);
std::string implementation_name(const PrimitiveDesc& pd);
Primitive new_primitive(const PrimitiveDesc& pd);

// Copies between layouts now, on the calling thread's team.
void reorder_now(const MemoryDesc& from, const void* src, const MemoryDesc& to, void* dst);

}  // namespace tenon
