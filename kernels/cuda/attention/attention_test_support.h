// What the tests of attention share: a case, run on a device's plan under the SIMT shim against a double reference.
#pragma once
#include <algorithm>

#include "attention/attention.h"
#include "simt/test_support.h"

namespace attention_test {

using namespace simt_test;

inline std::mt19937 rng(11);

enum Layout { kHeadsFirst, kRowsFirst, kPacked, kPadded };
enum Mask { kNoMask, kFloat, kSameType, kBool };

struct Case {
    int64_t queries, keys, head;
    int64_t value = 0;  // 0: as head
    int64_t batch = 1, heads = 1, kv_heads = 1;
    int64_t causal = TENON_CUDA_ATTENTION_CAUSAL_NONE, offset = 0, window = 0;
    std::vector<int32_t> lengths = {};
    Mask mask = kNoMask;
    double hidden = -INFINITY;  // what a float mask has for a hidden key
    bool mask_per_batch = true, mask_per_head = true, mask_per_row = true;
    double softcap = 0, scale = 0;  // scale 0: 1 / sqrt(head)
    Layout layout = kHeadsFirst;
    int64_t misalignment = 0;
    bool same_keys = false;  // a row stride of 0
    bool special = false;    // NaN, infinities and huge values
    double deviation = 1;    // of q
    bool small = false;      // the tile for problems that do not fill the GPU
};

struct Strides {
    int64_t batch, head, row;
};

inline Strides strides(Layout layout, int64_t heads, int64_t rows, int64_t size, int64_t packed_row) {
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
void check(const Case& c, tenon_cuda_device device = ampere()) {
    const int64_t value = c.value ? c.value : c.head;
    where = "attention type " + std::to_string(type_code<T>()) + " " + std::to_string(c.batch) + "x" +
            std::to_string(c.heads) + "/" + std::to_string(c.kv_heads) + " " + std::to_string(c.queries) + "x" +
            std::to_string(c.keys) + " head " + std::to_string(c.head) + "," + std::to_string(value) + " causal " +
            std::to_string(c.causal) + "," + std::to_string(c.offset) + " window " + std::to_string(c.window) +
            " mask " + std::to_string(c.mask) + " layout " + std::to_string(c.layout) + " misaligned by " +
            std::to_string(c.misalignment) + (c.special ? " special" : "") + (c.small ? " small" : "");
    const int64_t packed_row = (c.heads + 2 * c.kv_heads) * c.head;
    const Strides qs = strides(c.layout, c.heads, c.queries, c.head, packed_row);
    Strides ks = strides(c.layout, c.kv_heads, c.keys, c.head, packed_row);
    const Strides vs = strides(c.layout, c.kv_heads, c.keys, value, packed_row);
    const Layout o_layout = c.layout == kPacked ? kRowsFirst : c.layout;
    const Strides os = strides(o_layout, c.heads, c.queries, value, 0);
    const bool packed = c.layout == kPacked;
    Buffer<T> qb(packed ? c.batch * c.queries * packed_row : c.batch * qs.batch, c.misalignment),
        kb(packed ? 0 : c.batch * ks.batch, c.misalignment), vb(packed ? 0 : c.batch * vs.batch, c.misalignment),
        o(c.batch * os.batch, c.misalignment);
    if (c.same_keys) ks.row = 0;
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
        if (hidden) mask_float[i] = static_cast<float>(c.hidden);
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
    if (!c.small) device.multiprocessors = 1;
    device.l2_bytes = 2 * 3 * c.keys * (c.head + value) * int64_t{sizeof(T)};  // sections of three heads
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
                    double terms = 0;
                    for (int64_t d = 0; d < c.head; d++) {
                        double term = a.scale * to_float(qi[d]) * to_float(kj[d]);
                        s += term;
                        terms += std::fabs(term);
                    }
                    if (std::isfinite(terms)) largest = std::fmax(largest, terms);
                    if (c.softcap != 0) s = c.softcap * std::tanh(s / c.softcap);
                    float m = mask[static_cast<size_t>(b * mask_batch + h * mask_head + i * mask_row + j)];
                    s = c.mask == kBool && m != 0 ? -INFINITY : s + m;
                    if (s < -1e30) s = static_cast<float>(s);  // the lowest float swallows the score
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
                const bool lowest = std::isfinite(want_lse) && want_lse < -1e30;
                if (lowest ? got_lse > -1e30 : !close(got_lse, want_lse, 1e-5, 1e-5 + 4 * largest * epsilon<float>())) {
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

}  // namespace attention_test
