#include "onednn.h"

#include <algorithm>

#include "status.h"

namespace tenon {

int64_t product(const Dims& dims) {
    int64_t result = 1;
    for (int64_t d : dims) result *= d;
    return result;
}

Dims row_major_strides(const Dims& dims) {
    Dims strides(dims.size());
    int64_t stride = 1;
    for (size_t i = dims.size(); i-- > 0;) {
        strides[i] = stride;
        stride *= std::max<int64_t>(dims[i], 1);
    }
    return strides;
}

void check_dnnl(dnnl_status_t status, const char* what) {
    if (status == dnnl_success) return;
    if (status == dnnl_out_of_memory) fail(TENON_OUT_OF_MEMORY, "oneDNN is out of memory in %s", what);
    const char* reason = status == dnnl_invalid_arguments ? "invalid arguments"
                         : status == dnnl_unimplemented   ? "not implemented"
                                                          : "runtime error";
    fail(TENON_BACKEND_FAILURE, "oneDNN %s failed: %s (%d)", what, reason, static_cast<int>(status));
}

dnnl_engine_t dnnl_cpu_engine() {
    static const dnnl_engine_t engine = [] {
        dnnl_engine_t created = nullptr;
        check_dnnl(dnnl_engine_create(&created, dnnl_cpu, 0), "engine_create");
        return created;
    }();
    return engine;
}

MemoryDesc::MemoryDesc(dnnl_memory_desc_t owned)
    : desc_(owned, [](dnnl_memory_desc_t d) { dnnl_memory_desc_destroy(d); }) {}

MemoryDesc MemoryDesc::copy_of(const_dnnl_memory_desc_t borrowed) {
    dnnl_memory_desc_t made = nullptr;
    check_dnnl(dnnl_memory_desc_clone(&made, borrowed), "memory_desc_clone");
    return MemoryDesc(made);
}

MemoryDesc MemoryDesc::plain(const Dims& dims, dnnl_data_type_t type) {
    return strided(dims, row_major_strides(dims), type);
}

MemoryDesc MemoryDesc::strided(const Dims& dims, const Dims& strides, dnnl_data_type_t type) {
    dnnl_memory_desc_t made = nullptr;
    dnnl_dims_t d{}, s{};
    std::copy(dims.begin(), dims.end(), d);
    std::copy(strides.begin(), strides.end(), s);
    check_dnnl(dnnl_memory_desc_create_with_strides(&made, static_cast<int>(dims.size()), d, type, s), "memory_desc");
    return MemoryDesc(made);
}

MemoryDesc MemoryDesc::any(const Dims& dims, dnnl_data_type_t type) {
    return tagged(dims, dnnl_format_tag_any, type);
}

MemoryDesc MemoryDesc::tagged(const Dims& dims, dnnl_format_tag_t tag, dnnl_data_type_t type) {
    dnnl_memory_desc_t made = nullptr;
    dnnl_dims_t d{};
    std::copy(dims.begin(), dims.end(), d);
    check_dnnl(dnnl_memory_desc_create_with_tag(&made, static_cast<int>(dims.size()), d, type, tag), "memory_desc");
    return MemoryDesc(made);
}

MemoryDesc MemoryDesc::from_blob(const std::vector<uint8_t>& blob) {
    dnnl_memory_desc_t made = nullptr;
    check_dnnl(dnnl_memory_desc_create_with_blob(&made, blob.data()), "memory_desc_create_with_blob");
    return MemoryDesc(made);
}

bool MemoryDesc::operator==(const MemoryDesc& other) const {
    return desc_ == other.desc_ || (desc_ && other.desc_ && dnnl_memory_desc_equal(get(), other.get()) != 0);
}

int64_t MemoryDesc::bytes() const {
    return static_cast<int64_t>(dnnl_memory_desc_get_size(get()));
}

namespace {

int query_int(const_dnnl_memory_desc_t desc, dnnl_query_t what) {
    int value = 0;
    check_dnnl(dnnl_memory_desc_query(desc, what, &value), "memory_desc_query");
    return value;
}

Dims query_dims(const_dnnl_memory_desc_t desc, dnnl_query_t what, int count) {
    dnnl_dims_t* values = nullptr;
    check_dnnl(dnnl_memory_desc_query(desc, what, &values), "memory_desc_query");
    return Dims(*values, *values + count);
}

}  // namespace

Dims MemoryDesc::dims() const {
    return query_dims(get(), dnnl_query_dims, query_int(get(), dnnl_query_ndims_s32));
}

std::vector<uint8_t> MemoryDesc::blob() const {
    size_t size = 0;
    check_dnnl(dnnl_memory_desc_get_blob(nullptr, &size, get()), "memory_desc_get_blob");
    std::vector<uint8_t> bytes(size);
    check_dnnl(dnnl_memory_desc_get_blob(bytes.data(), &size, get()), "memory_desc_get_blob");
    return bytes;
}

MemoryDesc MemoryDesc::reshaped(const Dims& dims) const {
    dnnl_memory_desc_t made = nullptr;
    dnnl_dims_t d{};
    std::copy(dims.begin(), dims.end(), d);
    check_dnnl(dnnl_memory_desc_reshape(&made, get(), static_cast<int>(dims.size()), d), "memory_desc_reshape");
    return MemoryDesc(made);
}

MemoryDesc MemoryDesc::part(int axis, int64_t begin, int64_t size) const {
    const Dims whole = dims();
    dnnl_dims_t d{}, offsets{};
    std::copy(whole.begin(), whole.end(), d);
    d[axis] = size;
    offsets[axis] = begin;
    dnnl_memory_desc_t made = nullptr;
    const dnnl_status_t status = dnnl_memory_desc_create_submemory(&made, get(), d, offsets);
    return status == dnnl_success ? MemoryDesc(made) : MemoryDesc();
}

std::optional<std::vector<PhysicalDim>> MemoryDesc::physical() const {
    dnnl_format_kind_t kind = dnnl_format_kind_undef;
    check_dnnl(dnnl_memory_desc_query(get(), dnnl_query_format_kind, &kind), "memory_desc_query");
    if (kind != dnnl_blocked) return std::nullopt;
    const int rank = query_int(get(), dnnl_query_ndims_s32);
    const Dims padded = query_dims(get(), dnnl_query_padded_dims, rank);
    const Dims strides = query_dims(get(), dnnl_query_strides, rank);
    const int inner = query_int(get(), dnnl_query_inner_nblks_s32);
    Dims blocks, axes;
    if (inner > 0) {
        blocks = query_dims(get(), dnnl_query_inner_blks, inner);
        axes = query_dims(get(), dnnl_query_inner_idxs, inner);
    }
    Dims block_of(rank, 1);
    for (int i = 0; i < inner; ++i) block_of[axes[i]] *= blocks[i];

    std::vector<PhysicalDim> result;
    for (int axis = 0; axis < rank; ++axis) {
        result.push_back({axis, padded[axis] / block_of[axis], block_of[axis], strides[axis]});
    }
    std::stable_sort(result.begin(), result.end(),
                     [](const PhysicalDim& a, const PhysicalDim& b) { return a.stride > b.stride; });
    int64_t stride = 1;
    for (int i = 0; i < inner; ++i) stride *= blocks[i];
    Dims remaining = block_of;
    for (int i = 0; i < inner; ++i) {
        stride /= blocks[i];
        remaining[axes[i]] /= blocks[i];
        result.push_back({static_cast<int>(axes[i]), blocks[i], remaining[axes[i]], stride});
    }
    std::erase_if(result, [](const PhysicalDim& d) { return d.size == 1; });
    return result;
}

bool MemoryDesc::padded() const {
    const int rank = query_int(get(), dnnl_query_ndims_s32);
    return query_dims(get(), dnnl_query_padded_dims, rank) != dims();
}

bool MemoryDesc::is_row_major() const {
    const auto lie = physical();
    if (!lie || padded()) return false;
    const Dims sizes = dims();
    const Dims strides = row_major_strides(sizes);
    int64_t expected = product(sizes);
    int axis = -1;
    for (const PhysicalDim& d : *lie) {
        if (d.axis < axis || d.stride * d.size != expected || d.stride != d.logical * strides[d.axis]) return false;
        expected = d.stride;
        axis = d.axis;
    }
    return expected == 1 || lie->empty();
}

std::string MemoryDesc::text() const {
    dnnl_format_kind_t kind = dnnl_format_kind_undef;
    check_dnnl(dnnl_memory_desc_query(get(), dnnl_query_format_kind, &kind), "memory_desc_query");
    if (kind != dnnl_blocked) return "opaque";
    const int rank = query_int(get(), dnnl_query_ndims_s32);
    const Dims strides = query_dims(get(), dnnl_query_strides, rank);
    const int inner = query_int(get(), dnnl_query_inner_nblks_s32);
    Dims blocks, axes;
    if (inner > 0) {
        blocks = query_dims(get(), dnnl_query_inner_blks, inner);
        axes = query_dims(get(), dnnl_query_inner_idxs, inner);
    }
    std::vector<int> order(rank);
    for (int i = 0; i < rank; ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return strides[a] > strides[b]; });
    std::string name;
    for (int axis : order) {
        const bool blocked = std::find(axes.begin(), axes.end(), axis) != axes.end();
        name += static_cast<char>((blocked ? 'A' : 'a') + axis);
    }
    for (int i = 0; i < inner; ++i) {
        name += std::to_string(blocks[i]);
        name += static_cast<char>('a' + axes[i]);
    }
    return name;
}

Attr new_attr(int64_t math_mode) {
    dnnl_primitive_attr_t made = nullptr;
    check_dnnl(dnnl_primitive_attr_create(&made), "primitive_attr_create");
    Attr attr(made);
    check_dnnl(dnnl_primitive_attr_set_scratchpad_mode(made, dnnl_scratchpad_mode_user), "set_scratchpad_mode");
    if (math_mode == TENON_MATH_BF16) {
        check_dnnl(dnnl_primitive_attr_set_fpmath_mode(made, dnnl_fpmath_mode_bf16), "set_fpmath_mode");
    }
    return attr;
}

MemoryDesc query_md(const PrimitiveDesc& pd, dnnl_query_t what, int index) {
    const_dnnl_memory_desc_t found = dnnl_primitive_desc_query_md(pd.get(), what, index);
    if (found == nullptr) fail(TENON_INTERNAL, "oneDNN knows no memory %d of this primitive", static_cast<int>(what));
    return MemoryDesc::copy_of(found);
}

std::string implementation_name(const PrimitiveDesc& pd) {
    const char* name = nullptr;
    check_dnnl(dnnl_primitive_desc_query(pd.get(), dnnl_query_impl_info_str, 0, &name), "query impl_info");
    return name;
}

Primitive new_primitive(const PrimitiveDesc& pd) {
    dnnl_primitive_t made = nullptr;
    check_dnnl(dnnl_primitive_create(&made, pd.get()), "primitive_create");
    return Primitive(made);
}

namespace {

struct Memory {
    dnnl_memory_t handle = nullptr;
    Memory(const MemoryDesc& desc, void* data) {
        check_dnnl(dnnl_memory_create(&handle, desc.get(), dnnl_cpu_engine(), data), "memory_create");
    }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory() { dnnl_memory_destroy(handle); }
};

struct Stream {
    dnnl_stream_t handle = nullptr;
    Stream() { check_dnnl(dnnl_stream_create(&handle, dnnl_cpu_engine(), dnnl_stream_default_flags), "stream_create"); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { dnnl_stream_destroy(handle); }
};

}  // namespace

void reorder_now(const MemoryDesc& from, const void* src, const MemoryDesc& to, void* dst) {
    dnnl_primitive_desc_t made = nullptr;
    check_dnnl(
        dnnl_reorder_primitive_desc_create(&made, from.get(), dnnl_cpu_engine(), to.get(), dnnl_cpu_engine(), nullptr),
        "reorder");
    const PrimitiveDesc pd(made);
    const Primitive primitive = new_primitive(pd);
    const Memory in(from, const_cast<void*>(src)), out(to, dst);
    const Stream stream;
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, in.handle}, {DNNL_ARG_TO, out.handle}};
    check_dnnl(dnnl_primitive_execute(primitive.get(), stream.handle, 2, args), "reorder");
    check_dnnl(dnnl_stream_wait(stream.handle), "stream_wait");
}

}  // namespace tenon
