
namespace tenon::cpu::TENON_ISA {
namespace {

int64_t index_at(const void* indices, int32_t index_bytes, int64_t position) {
    return index_bytes == 4 ? static_cast<const int32_t*>(indices)[position]
                            : static_cast<const int64_t*>(indices)[position];
}

// Wraps a negative index; false when it is out of range.
bool wrap(int64_t* index, int64_t axis) {
    if (*index < 0) *index += axis;
    return *index >= 0 && *index < axis;
}

void copy_slice(char* to, const char* from, int64_t bytes) {
    switch (bytes) {  // constants make these single moves
        case 1:
            __builtin_memcpy(to, from, 1);
            return;
        case 2:
            __builtin_memcpy(to, from, 2);
            return;
        case 4:
            __builtin_memcpy(to, from, 4);
            return;
        case 8:
            __builtin_memcpy(to, from, 8);
            return;
        default:
            __builtin_memcpy(to, from, static_cast<uint64_t>(bytes));
    }
}

int64_t gather_slices(const GatherParams& p, int64_t unit_begin, int64_t unit_end) {
    if (unit_begin >= unit_end) return -1;
    int64_t outer = unit_begin / p.index_count, k = unit_begin - outer * p.index_count;
    const char* data = static_cast<const char*>(p.data) + outer * p.axis * p.slice_bytes;
    char* to = static_cast<char*>(p.dst) + unit_begin * p.slice_bytes;
    for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
        int64_t index = index_at(p.indices, p.index_bytes, k);
        if (!wrap(&index, p.axis)) return k;
        copy_slice(to, data + index * p.slice_bytes, p.slice_bytes);
        to += p.slice_bytes;
        if (++k == p.index_count) {
            k = 0;
            data += p.axis * p.slice_bytes;
        }
    }
    return -1;
}

template <class T>
int64_t gather_single(const GatherElementsParams& p, int64_t unit_begin, int64_t unit_end) {
    const T* data = static_cast<const T*>(p.data);
    T* dst = static_cast<T*>(p.dst);
    const int64_t plane = p.index_count * p.inner;
    for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
        int64_t index = index_at(p.indices, p.index_bytes, unit);
        if (!wrap(&index, p.axis)) return unit;
        dst[unit] = data[(unit / plane * p.axis + index) * p.data_inner + unit % p.inner];
    }
    return -1;
}

int64_t gather_elements(const GatherElementsParams& p, int64_t unit_begin, int64_t unit_end) {
    switch (p.element_bytes) {
        case 1:
            return gather_single<uint8_t>(p, unit_begin, unit_end);
        case 2:
            return gather_single<uint16_t>(p, unit_begin, unit_end);
        case 4:
            return gather_single<uint32_t>(p, unit_begin, unit_end);
        default:
            return gather_single<uint64_t>(p, unit_begin, unit_end);
    }
}

int64_t gather_nd(const GatherNdParams& p, int64_t unit_begin, int64_t unit_end) {
    int64_t slices = 1;
    for (int64_t d = 0; d < p.depth; ++d) slices *= p.dims[d];
    for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
        int64_t slice = 0;
        for (int64_t d = 0; d < p.depth; ++d) {
            int64_t index = index_at(p.indices, p.index_bytes, unit * p.depth + d);
            if (!wrap(&index, p.dims[d])) return unit * p.depth + d;
            slice = slice * p.dims[d] + index;
        }
        const int64_t from = (unit / p.tuples * slices + slice) * p.slice_bytes;
        copy_slice(static_cast<char*>(p.dst) + unit * p.slice_bytes, static_cast<const char*>(p.data) + from,
                   p.slice_bytes);
    }
    return -1;
}

}  // namespace

const GatherKernels gather = {Isa::TENON_ISA, gather_slices, gather_elements, gather_nd};

}  // namespace tenon::cpu::TENON_ISA
