// attention_plan and the mma and plain kernels under the SIMT shim against a double reference.
#include "attention/attention.h"

#include <algorithm>

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(11);

enum Layout { kHeadsFirst, kRowsFirst, kPacked, kPadded };
enum Mask { kNoMask, kFloat, kSameType, kBool };

struct Case {
    int64_t queries, keys, head;
    int64_t value = 0;  // 0: as head
    int64_t batch = 1, heads = 1, kv_heads = 1;
    int64_t causal = TENON_CUDA_ATTENTION_CAUSAL_NONE, offset = 0, window = 0;
    std::vector<int32_t> lengths = {};
    Mask mask = kNoMask;
    bool mask_per_batch = true, mask_per_head = true, mask_per_row = true;
    double softcap = 0, scale = 0;  // scale 0: 1 / sqrt(head)
    Layout layout = kHeadsFirst;
    int64_t misalignment = 0;
    bool special = false;  // NaN, infinities and huge values
    double deviation = 1;  // of q
    bool small = false;    // the tile for problems that do not fill the GPU
};

struct Strides {
    int64_t batch, head, row;
};

Strides strides(Layout layout, int64_t heads, int64_t rows, int64_t size, int64_t packed_row) {
    switch (layout) {
        case kHeadsFirst:
            return {heads * rows * size, rows * size, size};
        case kRowsFirst:
            return {rows * heads * size, size, heads * size};
        case kPacked:
            return {rows * packed_row, size, packed_row};
        default:
            return {heads * rows * (size + 8), rows * (size + 8), size + 8};
    }
}

// One row: results and, for tolerances, sum_j weight_j |v_j|; -infinity lse: no visible key.
struct Row {
    std::vector<double> o, mass;
    double lse;
    bool may_be_nan;  // a hidden key's value may spread
};

template <class T>
void check(const Case& c) {
    const int64_t value = c.value ? c.value : c.head;
    where = "attention type " + std::to_string(type_code<T>()) + " " + std::to_string(c.batch) + "x" +
            std::to_string(c.heads) + "/" + std::to_string(c.kv_heads) + " " + std::to_string(c.queries) + "x" +
            std::to_string(c.keys) + " head " + std::to_string(c.head) + "," + std::to_string(value) + " causal " +
            std::to_string(c.causal) + "," + std::to_string(c.offset) + " window " + std::to_string(c.window) +
            " mask " + std::to_string(c.mask) + " layout " + std::to_string(c.layout) + " misaligned by " +
            std::to_string(c.misalignment) + (c.special ? " special" : "") + (c.small ? " small" : "");
    const int64_t packed_row = (c.heads + 2 * c.kv_heads) * c.head;
    const Strides qs = strides(c.layout, c.heads, c.queries, c.head, packed_row);
    const Strides ks = strides(c.layout, c.kv_heads, c.keys, c.head, packed_row);
    const Strides vs = strides(c.layout, c.kv_heads, c.keys, value, packed_row);
    const Layout o_layout = c.layout == kPacked ? kRowsFirst : c.layout;
    const Strides os = strides(o_layout, c.heads, c.queries, value, 0);
    const bool packed = c.layout == kPacked;
    Buffer<T> qb(packed ? c.batch * c.queries * packed_row : c.batch * qs.batch, c.misalignment),
        kb(packed ? 0 : c.batch * ks.batch, c.misalignment), vb(packed ? 0 : c.batch * vs.batch, c.misalignment),
        o(c.batch * os.batch, c.misalignment);
    fill(qb, rng, c.deviation, c.special);
    fill(kb, rng, 1.0, c.special);
    fill(vb, rng, 1.0, c.special);
    T* const q = qb.data();
    T* const k = packed ? q + c.heads * c.head : kb.data();
    T* const v = packed ? k + c.kv_heads * c.head : vb.data();
    Buffer<float> lse(c.batch * c.heads * c.queries);
    Buffer<int32_t> lengths(static_cast<int64_t>(c.lengths.size()));
    std::copy(c.lengths.begin(), c.lengths.end(), lengths.data());

    const int64_t mask_row = c.mask_per_row ? c.keys : 0;
    const int64_t mask_head = c.mask_per_head ? (c.mask_per_row ? c.queries : 1) * c.keys : 0;
    const int64_t mask_batch =
        c.mask_per_batch ? (c.mask_per_head ? c.heads : 1) * (c.mask_per_row ? c.queries : 1) * c.keys : 0;
    const int64_t mask_size = std::max({c.keys, mask_row * c.queries, mask_head * c.heads, mask_batch * c.batch});
    Buffer<float> mask_float(mask_size);
    Buffer<T> mask_same(mask_size, c.misalignment);
    Buffer<uint8_t> mask_bool(mask_size);
    std::vector<float> mask(static_cast<size_t>(mask_size));
    fill(mask_float, rng, 2.0);
    for (int64_t i = 0; i < mask_size; i++) {
        // A fifth is hidden; so is the first row.
        bool hidden = rng() % 5 == 0 || (c.mask_per_row && i < c.keys);
        if (hidden) mask_float[i] = -INFINITY;
        mask_same[i] = from_float<T>(mask_float[i]);
        mask_bool[i] = hidden ? 0 : static_cast<uint8_t>(rng() % 255 + 1);
        mask[static_cast<size_t>(i)] = c.mask == kNoMask     ? 0.0f
                                       : c.mask == kFloat    ? mask_float[i]
                                       : c.mask == kSameType ? to_float(mask_same[i])
                                       : mask_bool[i]        ? 0.0f
                                                             : -INFINITY;
    }
    // What lies past a length must not matter.
    auto length = [&](int64_t b) {
        return c.lengths.empty() ? c.keys : std::clamp<int64_t>(c.lengths[static_cast<size_t>(b)], 0, c.keys);
    };
    for (int64_t b = 0; b < c.batch && !packed; b++) {
        for (int64_t h = 0; h < c.kv_heads; h++) {
            for (int64_t j = length(b); j < c.keys; j++) {
                for (int64_t d = 0; d < c.head; d++)
                    k[b * ks.batch + h * ks.head + j * ks.row + d] = from_float<T>(NAN);
                for (int64_t d = 0; d < value; d++) v[b * vs.batch + h * vs.head + j * vs.row + d] = from_float<T>(NAN);
            }
        }
    }

    tenon_cuda_attention a{};
    a.q = q;
    a.k = k;
    a.v = v;
    a.mask = c.mask == kNoMask     ? nullptr
             : c.mask == kFloat    ? static_cast<const void*>(mask_float.data())
             : c.mask == kSameType ? static_cast<const void*>(mask_same.data())
                                   : static_cast<const void*>(mask_bool.data());
    a.mask_type = c.mask == kFloat ? type_code<float>() : c.mask == kBool ? int64_t{TENON_CUDA_BOOL} : type_code<T>();
    a.kv_lengths = c.lengths.empty() ? nullptr : lengths.data();
    a.o = o.data();
    a.lse = lse.data();
    a.type = type_code<T>();
    a.batch = c.batch;
    a.heads = c.heads;
    a.kv_heads = c.kv_heads;
    a.queries = c.queries;
    a.keys = c.keys;
    a.head_size = c.head;
    a.value_size = value;
    a.q_batch_stride = qs.batch;
    a.q_head_stride = qs.head;
    a.q_row_stride = qs.row;
    a.k_batch_stride = ks.batch;
    a.k_head_stride = ks.head;
    a.k_row_stride = ks.row;
    a.v_batch_stride = vs.batch;
    a.v_head_stride = vs.head;
    a.v_row_stride = vs.row;
    a.o_batch_stride = os.batch;
    a.o_head_stride = os.head;
    a.o_row_stride = os.row;
    a.mask_batch_stride = mask_batch;
    a.mask_head_stride = mask_head;
    a.mask_row_stride = mask_row;
    a.causal = c.causal;
    a.causal_offset = c.offset;
    a.window = c.window;
    a.scale = c.scale != 0 ? c.scale : 1 / std::sqrt(static_cast<double>(c.head));
    a.softcap = c.softcap;
    tenon_cuda_device device = ampere();
    if (!c.small) device.multiprocessors = 1;
    if (rng() % 2) device.l2_bytes = 0;  // sections of few heads
    run([&](tenon_cuda_plan* plan) { return tenon_cuda_attention_plan(&a, &device, plan); }, rng());

    const int64_t group = c.heads / c.kv_heads;
    std::vector<double> weight(static_cast<size_t>(c.keys));
    for (int64_t b = 0; b < c.batch; b++) {
        for (int64_t h = 0; h < c.heads; h++) {
            for (int64_t i = 0; i < c.queries; i++) {
                const T* qi = q + b * qs.batch + h * qs.head + i * qs.row;
                const int64_t offset = c.causal == TENON_CUDA_ATTENTION_CAUSAL_END ? length(b) - c.queries : c.offset;
                double top = -INFINITY, largest = 0;
                bool nan = false;
                for (int64_t j = 0; j < c.keys; j++) {
                    double& s = weight[static_cast<size_t>(j)];
                    s = -INFINITY;
                    if (j >= length(b) || (c.causal && j > i + offset) || (c.window && j <= i + offset - c.window)) {
                        continue;
                    }
                    const T* kj = k + b * ks.batch + h / group * ks.head + j * ks.row;
                    s = 0;
                    for (int64_t d = 0; d < c.head; d++) s += double{to_float(qi[d])} * to_float(kj[d]);
                    s *= a.scale;
                    if (std::isfinite(s)) largest = std::fmax(largest, std::fabs(s));
                    if (c.softcap != 0) s = c.softcap * std::tanh(s / c.softcap);
                    float m = mask[static_cast<size_t>(b * mask_batch + h * mask_head + i * mask_row + j)];
                    s = c.mask == kBool && m != 0 ? -INFINITY : s + m;
                    nan = nan || std::isnan(s);
                    top = std::fmax(top, s);
                }
                double sum = 0;
                const bool empty = top == -INFINITY && !nan;
                for (double& s : weight) {
                    s = empty ? 0 : nan ? NAN : std::exp(s - top);
                    sum += s;
                }
                const double got_lse = lse[(b * c.heads + h) * c.queries + i];
                const double want_lse = empty ? -INFINITY : top + std::log(sum);
                if (!close(got_lse, want_lse, 1e-5, c.special ? 1e-2 : 1e-5)) {
                    fail("lse[%lld, %lld, %lld] is %.9g; expected %.9g", (long long)b, (long long)h, (long long)i,
                         got_lse, want_lse);
                }
                for (int64_t e = 0; e < value; e++) {
                    double want = 0, mass = 0;
                    bool spread = false;
                    for (int64_t j = 0; j < length(b); j++) {
                        double x = to_float(v[b * vs.batch + h / group * vs.head + j * vs.row + e]);
                        double w = empty ? 0 : weight[static_cast<size_t>(j)] / sum;
                        if (!std::isfinite(x))
                            spread = spread || w < 1e-3;  // 0 * infinity, or a weight that rounds to 0
                        if (w == 0) continue;
                        want += w * x;
                        mass += w * std::fabs(x);
                    }
                    double got = to_float(o[b * os.batch + h * os.head + i * os.row + e]);
                    if (spread && !empty && (std::isnan(got) || std::isinf(got))) continue;
                    // Weights and result are rounded to T; a score's error of some ulp is a relative one of its weight.
                    double rounding = 1.5 * epsilon<T>() + (8 + 4 * largest) * epsilon<float>();
                    if (!close(got, want, rounding, rounding * mass + 1e-30)) {
                        fail("o[%lld, %lld, %lld, %lld] is %.9g; expected %.9g", (long long)b, (long long)h,
                             (long long)i, (long long)e, got, want);
                    }
                }
                if (o_layout == kPadded) {
                    for (int64_t e = value; e < value + 8; e++) {
                        unsigned char byte;
                        std::memcpy(&byte, &o[b * os.batch + h * os.head + i * os.row + e], 1);
                        if (byte != 0xA5) fail("the padding of row %lld was overwritten", (long long)i);
                    }
                }
            }
        }
    }
}

constexpr int64_t at = TENON_CUDA_ATTENTION_CAUSAL_OFFSET, end = TENON_CUDA_ATTENTION_CAUSAL_END;

// What depends on the type.
template <class T>
void check_instances() {
    // Every instance, and the head sizes next to it.
    for (int64_t head : {64, 96, 128, 256}) check<T>({.queries = 70, .keys = 70, .head = head, .heads = 2});
    for (int64_t head : {64, 128}) check<T>({.queries = 70, .keys = 70, .head = head, .small = true});
    for (int64_t head : {1, 8, 63, 72, 80, 104, 129, 192, 255}) check<T>({.queries = 5, .keys = 37, .head = head});
    check<T>({.queries = 3, .keys = 20, .head = 192, .value = 128});
    check<T>({.queries = 3, .keys = 20, .head = 40, .value = 120});
    // NaN and infinities; scores far apart, whose maximum moves from tile to tile; huge scores.
    check<T>({.queries = 40, .keys = 40, .head = 8, .heads = 4, .special = true});
    check<T>({.queries = 140, .keys = 140, .head = 16, .heads = 2, .causal = at, .special = true});
    check<T>({.queries = 20, .keys = 200, .head = 64, .mask = kFloat, .special = true});
    check<T>({.queries = 20, .keys = 300, .head = 64, .deviation = 30});
    check<T>({.queries = 20, .keys = 200, .head = 64, .causal = end, .scale = 1e9});
    check<T>({.queries = 20, .keys = 200, .head = 64, .scale = 1e9, .deviation = 1e-6});
}

// What does not: for one type of each kernel.
template <class T>
void check_features() {
    // Tiles and one more or less.
    for (int64_t keys : {0, 1, 63, 64, 65, 130}) check<T>({.queries = 3, .keys = keys, .head = 64});
    for (int64_t queries : {0, 1, 127, 128, 129}) check<T>({.queries = queries, .keys = 9, .head = 64});
    check<T>({.queries = 3, .keys = 9, .head = 64, .batch = 0});
    // Causal, with and without offset; the last three leave rows without any key.
    check<T>({.queries = 150, .keys = 150, .head = 64, .heads = 2, .causal = at});
    check<T>({.queries = 40, .keys = 150, .head = 64, .causal = end});
    check<T>({.queries = 40, .keys = 150, .head = 128, .causal = at, .offset = 30});
    check<T>({.queries = 150, .keys = 40, .head = 64, .causal = end});
    check<T>({.queries = 40, .keys = 30, .head = 64, .causal = at, .offset = -20});
    check<T>({.queries = 4, .keys = 4, .head = 256, .causal = at, .offset = -4});
    check<T>({.queries = 150, .keys = 150, .head = 64, .causal = at, .window = 1});
    check<T>({.queries = 100, .keys = 200, .head = 64, .causal = end, .window = 50});
    check<T>({.queries = 20, .keys = 200, .head = 128, .causal = at, .offset = 300, .window = 150});
    // Padding; lengths are limited to 0 .. keys.
    check<T>({.queries = 10, .keys = 140, .head = 64, .batch = 5, .heads = 2, .lengths = {0, 1, 64, 139, 500}});
    check<T>({.queries = 70, .keys = 140, .head = 64, .batch = 3, .causal = end, .lengths = {-3, 65, 100}});
    check<T>({.queries = 70, .keys = 90, .head = 128, .batch = 2, .causal = at, .offset = 5, .lengths = {20, 90}});
    // Masks.
    for (Mask mask : {kFloat, kSameType, kBool}) {
        check<T>({.queries = 20, .keys = 75, .head = 64, .batch = 2, .heads = 2, .mask = mask});
        check<T>({.queries = 20,
                  .keys = 75,
                  .head = 64,
                  .batch = 2,
                  .heads = 2,
                  .mask = mask,
                  .mask_per_head = false,
                  .mask_per_row = false,
                  .misalignment = 1});
        check<T>({.queries = 20,
                  .keys = 30,
                  .head = 128,
                  .batch = 2,
                  .heads = 2,
                  .causal = at,
                  .offset = 10,
                  .lengths = {30, 17},
                  .mask = mask,
                  .mask_per_batch = false});
    }
    check<T>({.queries = 5, .keys = 70, .head = 64, .mask = kFloat, .softcap = 3});
    check<T>({.queries = 70, .keys = 70, .head = 256, .causal = at, .softcap = 50, .deviation = 100});
    check<T>({.queries = 5, .keys = 70, .head = 64, .scale = -0.2});
    // Grouped heads, layouts, alignment.
    for (Layout layout : {kHeadsFirst, kRowsFirst, kPacked, kPadded}) {
        check<T>({.queries = 33,
                  .keys = 33,
                  .head = 32,
                  .batch = 2,
                  .heads = 6,
                  .kv_heads = 2,
                  .causal = at,
                  .layout = layout});
        check<T>({.queries = 19, .keys = 19, .head = 30, .batch = 2, .heads = 2, .layout = layout, .misalignment = 1});
    }
    check<T>({.queries = 70, .keys = 70, .head = 64, .heads = 4, .kv_heads = 1, .misalignment = 3});
    check<T>({.queries = 3, .keys = 70, .head = 128, .misalignment = 1});
    check<T>({.queries = 3, .keys = 40, .head = 256, .misalignment = 1});
}

void check_refusals() {
    where = "attention refusals";
    Buffer<float> x(64);
    tenon_cuda_device device = ampere();
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_attention a{};
        a.q = a.k = a.v = x.data();
        a.o = x.data();
        a.type = TENON_CUDA_F32;
        a.batch = a.heads = a.kv_heads = a.queries = a.keys = 1;
        a.head_size = a.value_size = 64;
        a.scale = 1;
        change(a);
        expect_refused(status, text,
                       [&](tenon_cuda_plan* plan) { return tenon_cuda_attention_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(unsupported, "type 11", [](auto& a) { a.type = 11; });
    refused(invalid, "batch is -1", [](auto& a) { a.batch = -1; });
    refused(invalid, "heads is 0", [](auto& a) { a.heads = 0; });
    refused(invalid, "kv_heads is 0", [](auto& a) { a.kv_heads = 0; });
    refused(invalid, "heads is 3; expected a multiple of the 2", [](auto& a) { a.heads = 3, a.kv_heads = 2; });
    refused(invalid, "queries is -1", [](auto& a) { a.queries = -1; });
    refused(invalid, "keys is 536870913", [](auto& a) { a.keys = (int64_t{1} << 29) + 1; });
    refused(invalid, "head_size is 257", [](auto& a) { a.head_size = 257; });
    refused(invalid, "value_size is 0", [](auto& a) { a.value_size = 0; });
    refused(invalid, "causal is 3", [](auto& a) { a.causal = 3; });
    refused(invalid, "causal_offset is given", [](auto& a) { a.causal_offset = 1; });
    refused(invalid, "causal_offset is -536870913", [](auto& a) { a.causal_offset = -(int64_t{1} << 29) - 1; });
    refused(invalid, "window is -1", [](auto& a) { a.window = -1; });
    refused(invalid, "window is given", [](auto& a) { a.window = 1; });
    refused(invalid, "scale is nan", [](auto& a) { a.scale = NAN; });
    refused(invalid, "scale is inf", [](auto& a) { a.scale = INFINITY; });
    refused(invalid, "softcap is -1", [](auto& a) { a.softcap = -1; });
    refused(invalid, "softcap is inf", [](auto& a) { a.softcap = INFINITY; });
    refused(unsupported, "mask_type 10", [](auto& a) { a.mask = a.q, a.mask_type = TENON_CUDA_F16; });
    refused(invalid, "q is null", [](auto& a) { a.q = nullptr; });
    refused(invalid, "k is null", [](auto& a) { a.k = nullptr; });
    refused(invalid, "v is null", [](auto& a) { a.v = nullptr; });
    refused(invalid, "o is null", [](auto& a) { a.o = nullptr; });
    refused(unsupported, "more than 2^31 - 1 blocks", [](auto& a) { a.batch = 1 << 20, a.heads = 1 << 11; });
}

}  // namespace

int main() {
    check_instances<float>();
    check_instances<f16>();
    check_instances<bf16>();
    check_features<float>();
    check_features<bf16>();
    check_refusals();
    return result();
}
