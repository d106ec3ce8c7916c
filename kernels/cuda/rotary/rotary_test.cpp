// rotary_plan and its kernels under the SIMT shim against a double reference.
#include "rotary/rotary.h"

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(17);
const tenon_cuda_device device = hopper();

enum Layout { kBshd, kBhsd, kPadded, kOddPadded };
enum Positions { kOffset, kPerBatch, kInt32, kInt64 };

struct Case {
    int64_t batch, sequence, q_heads, k_heads, head_size, rotary;
    bool interleaved = false, in_place = false;
    Layout layout = kBshd;
    Positions positions = kOffset;
    int64_t misalignment = 0;
    bool special = false, bad_positions = false;
};

struct Strides {
    int64_t batch, sequence, head, elements;
};

Strides strides_of(const Case& c, Layout layout, int64_t heads) {
    int64_t d = layout == kPadded ? (c.head_size + 31) / 16 * 16 : c.head_size + (layout == kOddPadded ? 3 : 0);
    Strides s{c.sequence * heads * d, heads * d, d, c.batch * c.sequence * heads * d};
    if (layout == kBhsd) s = {heads * c.sequence * d, d, c.sequence * d, s.elements};
    return s;
}

template <class T, class Table>
void check(const Case& c) {
    where = "rotary type " + std::to_string(type_code<T>()) + " table " + std::to_string(type_code<Table>()) + " " +
            std::to_string(c.batch) + "x" + std::to_string(c.sequence) + "x" + std::to_string(c.q_heads) + "/" +
            std::to_string(c.k_heads) + "x" + std::to_string(c.head_size) + " rotary " + std::to_string(c.rotary) +
            (c.interleaved ? " interleaved" : "") + (c.in_place ? " in place" : "") + " layout " +
            std::to_string(c.layout) + " positions " + std::to_string(c.positions) + " misaligned by " +
            std::to_string(c.misalignment) + (c.special ? " special" : "") + (c.bad_positions ? " bad positions" : "");
    const int64_t half = c.rotary / 2, max_position = std::max<int64_t>(c.batch * c.sequence, 4) + 2;
    Buffer<Table> cos(max_position * half, c.misalignment), sin(max_position * half, c.misalignment);
    fill(cos, rng, 0.7);
    fill(sin, rng, 0.7);
    const int64_t tokens = c.batch * c.sequence;
    Buffer<int32_t> positions32(tokens);
    Buffer<int64_t> positions64(tokens);
    for (int64_t i = 0; i < tokens; i++) {
        positions64[i] = static_cast<int64_t>(rng() % static_cast<uint64_t>(max_position));
        if (c.bad_positions && i % 3 != 0) positions64[i] = i % 3 == 1 ? max_position : -1;
        positions32[i] = static_cast<int32_t>(positions64[i]);
    }

    // The output has another layout, but for the padded ones, which keep the 16-byte path.
    Layout out_layout = c.in_place || c.layout >= kPadded ? c.layout : c.layout == kBshd ? kBhsd : kBshd;
    Strides s[2] = {strides_of(c, c.layout, c.q_heads), strides_of(c, c.layout, c.k_heads)};
    Strides o[2] = {strides_of(c, out_layout, c.q_heads), strides_of(c, out_layout, c.k_heads)};
    Buffer<T> q(s[0].elements, c.misalignment), k(s[1].elements, c.misalignment);
    Buffer<T> q_out(o[0].elements, c.misalignment), k_out(o[1].elements, c.misalignment);
    fill(q, rng, 1.0, c.special);
    fill(k, rng, 1.0, c.special);
    std::vector<T> before[2] = {{q.data(), q.data() + q.size()}, {k.data(), k.data() + k.size()}};
    T* out[2] = {c.in_place ? q.data() : q_out.data(), c.in_place ? k.data() : k_out.data()};
    std::vector<T> out_before[2] = {{out[0], out[0] + q.size()}, {out[1], out[1] + k.size()}};

    tenon_cuda_rotary a{};
    a.q = q.data();
    a.k = c.k_heads ? k.data() : nullptr;
    a.q_out = out[0];
    a.k_out = c.k_heads ? out[1] : nullptr;
    a.cos = cos.data();
    a.sin = sin.data();
    a.positions = c.positions == kInt32   ? static_cast<const void*>(positions32.data())
                  : c.positions == kInt64 ? positions64.data()
                                          : nullptr;
    a.type = type_code<T>();
    a.table_type = type_code<Table>();
    a.positions_type = c.positions == kInt32 ? TENON_CUDA_I32 : TENON_CUDA_I64;
    a.interleaved = c.interleaved;
    a.batch = c.batch;
    a.sequence = c.sequence;
    a.q_heads = c.q_heads;
    a.k_heads = c.k_heads;
    a.head_size = c.head_size;
    a.rotary = c.rotary;
    a.max_position = max_position;
    a.position_offset = c.bad_positions && c.positions == kOffset ? max_position - 1 : 2;
    a.position_batch_step = c.positions == kPerBatch ? c.sequence : 0;
    a.table_stride = half;
    a.q_batch_stride = s[0].batch;
    a.q_out_batch_stride = o[0].batch;
    a.q_sequence_stride = s[0].sequence;
    a.q_out_sequence_stride = o[0].sequence;
    a.q_head_stride = s[0].head;
    a.q_out_head_stride = o[0].head;
    a.k_batch_stride = s[1].batch;
    a.k_out_batch_stride = o[1].batch;
    a.k_sequence_stride = s[1].sequence;
    a.k_out_sequence_stride = o[1].sequence;
    a.k_head_stride = s[1].head;
    a.k_out_head_stride = o[1].head;
    run([&](tenon_cuda_plan* plan) { return tenon_cuda_rotary_plan(&a, &device, plan); }, rng());

    for (int t = 0; t < 2; t++) {
        std::vector<bool> written(out_before[t].size(), false);
        const int64_t heads = t == 0 ? c.q_heads : c.k_heads;
        for (int64_t i = 0; i < tokens * heads; i++) {
            int64_t b = i / heads / c.sequence, p = i / heads % c.sequence, h = i % heads;
            int64_t base = b * s[t].batch + p * s[t].sequence + h * s[t].head;
            int64_t m = c.positions == kOffset     ? a.position_offset + p
                        : c.positions == kPerBatch ? a.position_offset + b * c.sequence + p
                                                   : positions64[b * c.sequence + p];
            int64_t to = b * o[t].batch + p * o[t].sequence + h * o[t].head;
            bool bad = m < 0 || m >= max_position;
            for (int64_t j = 0; j < c.head_size; j++) {
                size_t at = static_cast<size_t>(base + j);
                double want = to_float(before[t][at]), size = std::fabs(want);
                if (j < c.rotary) {
                    int64_t pair = c.interleaved ? j / 2 : j % half;
                    bool upper = c.interleaved ? j % 2 == 1 : j >= half;
                    int64_t other = c.interleaved ? j ^ 1 : upper ? j - half : j + half;
                    double x = want, z = to_float(before[t][static_cast<size_t>(base + other)]);
                    double cosine = bad ? NAN : to_float(cos[m * half + pair]);
                    double sine = bad ? NAN : to_float(sin[m * half + pair]);
                    want = upper ? x * cosine + z * sine : x * cosine - z * sine;
                    size = std::fabs(x * cosine) + std::fabs(z * sine);
                }
                written[static_cast<size_t>(to + j)] = true;
                double got = to_float(out[t][to + j]);
                if (std::is_same_v<T, f16> && std::fabs(want) > 65504) continue;
                double subnormal = std::is_same_v<T, f16> ? 0x1p-25 : 0;
                if (!close(got, want, epsilon<T>(), 0x1p-23 * size + subnormal)) {
                    fail("%s[%lld, %lld, %lld, %lld] is %.9g; expected %.9g", t ? "k" : "q", (long long)b, (long long)p,
                         (long long)h, (long long)j, got, want);
                }
            }
        }
        for (size_t i = 0; i < written.size(); i++) {
            if (!written[i] && std::memcmp(&out[t][i], &out_before[t][i], sizeof(T)) != 0) {
                fail("%s: element %zu between the heads was written", t ? "k" : "q", i);
                break;
            }
        }
    }
}

template <class T>
void check_type() {
    constexpr int64_t v = 16 / sizeof(T);
    for (bool interleaved : {false, true}) {
        for (Layout layout : {kBshd, kBhsd, kPadded, kOddPadded}) {
            check<T, float>({2, 3, 4, 2, 4 * v, 4 * v, interleaved, false, layout});
            check<T, T>({2, 2, 5, 1, 6 * v, 2 * v, interleaved, false, layout});
            check<T, T>({1, 3, 6, 0, 6 * v, 2 * v, interleaved, true, layout});
        }
        for (Positions positions : {kOffset, kPerBatch, kInt32, kInt64}) {
            check<T, T>({3, 2, 3, 3, 2 * v, 2 * v, interleaved, true, kBshd, positions});
            check<T, float>({2, 3, 3, 1, 3 * v, 2 * v, interleaved, false, kBhsd, positions, 0, false, true});
        }
        for (int64_t rotary : {int64_t{0}, int64_t{2}, v, 2 * v - 2, 2 * v + 2, 3 * v}) {
            check<T, T>({1, 2, 3, 1, 3 * v, rotary, interleaved});
            check<T, float>({1, 2, 3, 1, 3 * v, rotary, interleaved});
            check<T, float>({1, 2, 3, 1, 3 * v + 1, rotary, interleaved, false, kPadded});
        }
        check<T, float>({1, 2, 4, 2, 4 * v, 4 * v, interleaved, false, kBshd, kInt64, 1});
        check<T, T>({1, 2, 4, 2, 4 * v, 4 * v, interleaved, true, kBshd, kInt64, 1});
        check<T, float>({2, 4, 4, 2, 4 * v, 4 * v, interleaved, false, kBshd, kInt64, 0, true});
        check<T, T>({1, 1, 33, 9, 8 * v, 8 * v, interleaved});
        check<T, T>({1, 0, 4, 2, 2 * v, 2 * v, interleaved});
        check<T, T>({0, 2, 4, 2, 2 * v, 2 * v, interleaved});
        check<T, T>({1, 1, 1, 1, 2 * v, 2 * v, interleaved});
    }
}

void check_refusals() {
    where = "rotary refusals";
    Buffer<float> q(64), k(64), table(64);
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_rotary a{};
        a.q = a.q_out = q.data();
        a.k = a.k_out = k.data();
        a.cos = a.sin = table.data();
        a.type = a.table_type = TENON_CUDA_F32;
        a.batch = a.sequence = 2;
        a.q_heads = a.k_heads = 1;
        a.head_size = a.rotary = 16;
        a.max_position = 8;
        a.table_stride = 8;
        change(a);
        expect_refused(status, text, [&](tenon_cuda_plan* plan) { return tenon_cuda_rotary_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(unsupported, "type 3", [](auto& a) { a.type = TENON_CUDA_I8; });
    refused(unsupported, "table_type 10", [](auto& a) { a.table_type = TENON_CUDA_F16; });
    refused(unsupported, "positions_type 0", [&](auto& a) { a.positions = table.data(); });
    refused(invalid, "interleaved is 2", [](auto& a) { a.interleaved = 2; });
    refused(invalid, "batch is -1", [](auto& a) { a.batch = -1; });
    refused(invalid, "max_position is -1", [](auto& a) { a.max_position = -1; });
    refused(invalid, "position_offset is -1", [](auto& a) { a.position_offset = -1; });
    refused(invalid, "rotary is 15", [](auto& a) { a.rotary = 15; });
    refused(invalid, "rotary is 18", [](auto& a) { a.rotary = 18; });
    refused(invalid, "table_stride is 7", [](auto& a) { a.table_stride = 7; });
    refused(invalid, "q is null", [](auto& a) { a.q = nullptr; });
    refused(invalid, "q_out is null", [](auto& a) { a.q_out = nullptr; });
    refused(invalid, "k is null", [](auto& a) { a.k = nullptr; });
    refused(invalid, "k_out is null", [](auto& a) { a.k_out = nullptr; });
    refused(invalid, "cos is null", [](auto& a) { a.cos = nullptr; });
    refused(invalid, "sin is null", [](auto& a) { a.sin = nullptr; });
    refused(unsupported, "q or q_out spans", [](auto& a) { a.q_sequence_stride = INT64_MAX; });
    refused(unsupported, "k or k_out spans", [](auto& a) { a.k_out_batch_stride = INT64_MIN; });
    refused(unsupported, "cos and sin span", [](auto& a) { a.table_stride = int64_t{1} << 62; });
    refused(unsupported, "threads", [](auto& a) { a.batch = a.sequence = 1 << 20; });
}

}  // namespace

int main() {
    check_type<float>();
    check_type<f16>();
    check_type<bf16>();
    check_refusals();
    return result("tenon_rotary");
}
