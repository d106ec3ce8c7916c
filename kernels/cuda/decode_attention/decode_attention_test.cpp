// decode_attention_plan and its kernels under the SIMT shim against a double reference.
#include "decode_attention/decode_attention.h"

#include <algorithm>

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(11);

struct Case {
    std::vector<int32_t> lengths;
    int64_t rows = 1, heads = 2, kv_heads = 2, head_size = 64;
    int64_t page_size = 0;   // 0: contiguous
    int64_t max_length = 0;  // 0: the longest
    int64_t window = 0, splits = 0;
    double softcap = 0;
    bool scales = false;
    int64_t padding = 0;       // in elements; widens the cache's strides
    int64_t misalignment = 0;  // 1: of v, 2: of k
    bool heads_first = false;  // cache as [page, kv_head, token, element]
    int special = 0;           // 1: NaN and infinities in K, 2: in V, 3: a row of -infinity logits, 4: all of V NaN
    int64_t multiprocessors = 4;
};

// Where key j of sequence b is, as the kernel must find it.
struct Place {
    int64_t page, token;
};

template <class T, class C>
void check(const Case& c) {
    const int64_t batch = static_cast<int64_t>(c.lengths.size()), group = c.heads / c.kv_heads;
    const int64_t longest = batch == 0 ? 0 : *std::max_element(c.lengths.begin(), c.lengths.end());
    const int64_t max_length = c.max_length ? c.max_length : longest;
    where = "decode type " + std::to_string(type_code<T>()) + " cache " + std::to_string(type_code<C>()) + " rows " +
            std::to_string(c.rows) + " heads " + std::to_string(c.heads) + "/" + std::to_string(c.kv_heads) + " size " +
            std::to_string(c.head_size) + " longest " + std::to_string(longest) + " of " + std::to_string(max_length) +
            " page " + std::to_string(c.page_size) + " window " + std::to_string(c.window) + " splits " +
            std::to_string(c.splits) + " misaligned by " + std::to_string(c.misalignment) + " padded by " +
            std::to_string(c.padding) + " special " + std::to_string(c.special);

    // The cache. Pages are given to sequences in random order; table entries and tokens past the length are poison.
    const int64_t tokens = c.page_size ? c.page_size : std::max<int64_t>(max_length, 1);
    const int64_t row = c.head_size + c.padding;
    const int64_t token_stride = c.heads_first ? row : row * c.kv_heads;
    const int64_t head_stride = c.heads_first ? row * tokens : row;
    const int64_t page_stride = row * c.kv_heads * tokens;
    const int64_t table_stride = c.page_size ? (max_length + c.page_size - 1) / c.page_size + 1 : 0;
    std::vector<int32_t> free_pages;
    int64_t page_count = batch;
    if (c.page_size) {
        page_count = 3;
        for (int32_t n : c.lengths) page_count += (std::max(n, 0) + c.page_size - 1) / c.page_size;
        for (int64_t i = 0; i < page_count; i++) free_pages.push_back(static_cast<int32_t>(i));
        std::shuffle(free_pages.begin(), free_pages.end(), rng);
    }
    Buffer<int32_t> table(batch * table_stride), lengths(batch);
    for (int64_t i = 0; i < table.size(); i++) table[i] = 0x7ffffff0;
    for (int64_t b = 0; b < batch; b++) {
        lengths[b] = c.lengths[static_cast<size_t>(b)];
        for (int64_t j = 0; c.page_size && j * c.page_size < lengths[b]; j++) {
            table[b * table_stride + j] = free_pages.back();
            free_pages.pop_back();
        }
    }
    auto place = [&](int64_t b, int64_t key) {
        if (!c.page_size) return Place{b, key};
        return Place{table[b * table_stride + key / c.page_size], key % c.page_size};
    };
    auto at = [&](int64_t b, int64_t key, int64_t head) {
        Place p = place(b, key);
        return p.page * page_stride + p.token * token_stride + head * head_stride;
    };
    int64_t elements = 0;  // the cache ends after its last valid element
    for (int64_t b = 0; b < batch; b++) {
        for (int64_t key = 0; key < lengths[b]; key++) {
            elements = std::max(elements, at(b, key, c.kv_heads - 1) + c.head_size);
        }
    }
    Buffer<C> k(elements, c.misalignment / 2), v(elements, c.misalignment % 2);
    std::memset(k.data(), 0xff, static_cast<size_t>(elements) * sizeof(C));
    std::memset(v.data(), 0xff, static_cast<size_t>(elements) * sizeof(C));
    std::normal_distribution<double> normal;
    const float specials[] = {NAN, INFINITY, -INFINITY, 0.0f};
    for (int64_t b = 0; b < batch; b++) {
        for (int64_t key = 0; key < lengths[b]; key++) {
            for (int64_t h = 0; h < c.kv_heads; h++) {
                for (int64_t d = 0; d < c.head_size; d++) {
                    float x = static_cast<float>(normal(rng)), y = static_cast<float>(normal(rng));
                    if (c.special == 1 && rng() % 4000 == 0) x = specials[rng() % 4];
                    if (c.special == 2 && rng() % 4000 == 0) y = specials[rng() % 4];
                    if (c.special == 3 && d == 0) x = -INFINITY;
                    if (c.special == 4) y = NAN;
                    k[at(b, key, h) + d] = from_float<C>(x);
                    v[at(b, key, h) + d] = from_float<C>(y);
                }
            }
        }
    }

    const int64_t q_head = c.head_size + 3, q_row = q_head * c.heads + 5, q_batch = q_row * c.rows + 7;
    Buffer<T> q(batch * q_batch), o(batch * q_batch);
    Buffer<float> lse(batch * c.rows * c.heads), k_scale(c.kv_heads), v_scale(c.kv_heads);
    fill(q, rng, 3.0);
    for (int64_t i = 0; c.special == 3 && i < q.size(); i++) q[i] = from_float<T>(std::fabs(to_float(q[i])) + 0.1f);
    for (int64_t h = 0; h < c.kv_heads; h++) {
        k_scale[h] = 0.3f + 0.1f * static_cast<float>(h % 5);
        v_scale[h] = 2.0f - 0.3f * static_cast<float>(h % 5);
    }

    tenon_cuda_decode_attention a{};
    a.q = q.data();
    a.k = k.data();
    a.v = v.data();
    a.o = o.data();
    a.lse = lse.data();
    a.lengths = lengths.data();
    a.block_table = c.page_size ? table.data() : nullptr;
    a.k_scale = c.scales ? k_scale.data() : nullptr;
    a.v_scale = c.scales ? v_scale.data() : nullptr;
    a.type = type_code<T>();
    a.cache_type = type_code<C>();
    a.batch = batch;
    a.rows = c.rows;
    a.heads = c.heads;
    a.kv_heads = c.kv_heads;
    a.head_size = c.head_size;
    a.max_length = max_length;
    a.q_batch_stride = a.o_batch_stride = q_batch;
    a.q_row_stride = a.o_row_stride = q_row;
    a.q_head_stride = a.o_head_stride = q_head;
    a.k_page_stride = a.v_page_stride = page_stride;
    a.k_token_stride = a.v_token_stride = token_stride;
    a.k_head_stride = a.v_head_stride = head_stride;
    a.page_size = c.page_size;
    a.table_stride = table_stride;
    a.window = c.window;
    a.splits = c.splits;
    a.scale = 1 / std::sqrt(static_cast<double>(c.head_size));
    a.softcap = c.softcap;
    tenon_cuda_device device = hopper();
    device.multiprocessors = c.multiprocessors;
    static tenon_cuda_plan plan;
    if (tenon_cuda_decode_attention_plan(&a, &device, &plan) != TENON_CUDA_OK) return fail("refused: %s", plan.message);
    Buffer<unsigned char> workspace(plan.workspace_bytes);
    a.workspace = workspace.data();
    run([&](tenon_cuda_plan* p) { return tenon_cuda_decode_attention_plan(&a, &device, p); }, rng());

    // Rounding of probabilities on tensor cores, and of q where the cache is narrower.
    const double rounding = std::is_same_v<T, float> ? 0 : sizeof(C) == 1 ? epsilon<f16>() : epsilon<T>();
    for (int64_t b = 0; b < batch; b++) {
        for (int64_t i = 0; i < c.rows; i++) {
            for (int64_t h = 0; h < c.heads; h++) {
                const int64_t g = h / group;
                const int64_t last = std::clamp<int64_t>(lengths[b], 0, max_length) - c.rows + i;
                const int64_t begin = c.window ? std::max<int64_t>(0, last - c.window + 1) : 0;
                const T* query = q.data() + b * q_batch + i * q_row + h * q_head;
                std::vector<double> s;
                double maximum = -INFINITY, sum = 0;
                for (int64_t j = begin; j <= last; j++) {
                    double x = 0;
                    for (int64_t d = 0; d < c.head_size; d++)
                        x += double{to_float(query[d])} * to_float(k[at(b, j, g) + d]);
                    x *= a.scale * (c.scales ? k_scale[g] : 1.0);
                    if (c.softcap > 0) x = c.softcap * std::tanh(x / c.softcap);
                    s.push_back(x);
                    maximum = std::isnan(x) || x > maximum ? x : maximum;
                }
                for (double x : s) sum += std::exp(x - maximum);
                for (int64_t d = 0; d < c.head_size; d++) {
                    double want = 0, size = 0;
                    for (int64_t j = begin; j <= last; j++) {
                        double x = std::exp(s[static_cast<size_t>(j - begin)] - maximum) / sum *
                                   to_float(v[at(b, j, g) + d]) * (c.scales ? v_scale[g] : 1.0);
                        want += x;
                        size += std::fabs(x);
                    }
                    double got = to_float(o[b * q_batch + i * q_row + h * q_head + d]);
                    bool good = std::isfinite(want)
                                    ? close(got, want, 1.1 * epsilon<T>(), (rounding + 2e-5) * size + 1e-7)
                                    : !std::isfinite(got);
                    if (!good) {
                        fail("o[%lld, %lld, %lld, %lld] is %.9g; expected %.9g", (long long)b, (long long)i,
                             (long long)h, (long long)d, got, want);
                    }
                }
                double want = s.empty() ? -INFINITY : maximum + std::log(sum),
                       got = lse[(b * c.rows + i) * c.heads + h];
                if (c.special == 3 && !s.empty()) want = -INFINITY;
                if (std::isfinite(want) || s.empty() ? !close(got, want, 1e-5, 1e-4) : std::isfinite(got)) {
                    fail("lse[%lld, %lld, %lld] is %.9g; expected %.9g", (long long)b, (long long)i, (long long)h, got,
                         want);
                }
            }
        }
    }
    // Nothing between the rows of o is written.
    for (int64_t i = 0; i < o.size(); i++) {
        int64_t in_row = i % q_batch % q_row;
        bool output = i % q_batch / q_row < c.rows && in_row < q_head * c.heads && in_row % q_head < c.head_size;
        unsigned char poison[sizeof(T)];
        std::memset(poison, 0xA5, sizeof poison);
        if (!output && std::memcmp(&o[i], poison, sizeof poison) != 0)
            fail("o's padding is written at %lld", (long long)i);
    }
}

// What every variant must get right: head_size decides which one runs, and misalignment.
template <class T, class C>
void check_variant(int64_t head_size, int64_t misalignment) {
    auto one = [&](Case c) {
        c.head_size = head_size;
        c.misalignment = misalignment;
        c.scales = sizeof(C) == 1;
        check<T, C>(c);
    };
    one({.lengths = {37}, .rows = 1, .heads = 1, .kv_heads = 1});
    one({.lengths = {16, 0, 1, 15, 17}, .rows = 2, .heads = 7, .kv_heads = 1, .page_size = 16, .max_length = 40});
    one({.lengths = {150, 3}, .rows = 1, .heads = 8, .kv_heads = 2, .page_size = 8, .splits = 3});
    one({.lengths = {390}, .heads = 2, .kv_heads = 1, .page_size = 16, .splits = 1});
    one({.lengths = {129}, .rows = 5, .heads = 4, .kv_heads = 1, .padding = 8, .heads_first = true});
}

template <class T>
void check_type() {
    using Narrow = std::conditional_t<std::is_same_v<T, float>, float, f8e4m3>;
    for (int64_t head_size : {64, 128, 256}) {
        check_variant<T, T>(head_size, 0);
        if (!std::is_same_v<T, float>) check_variant<T, Narrow>(head_size, 0);
    }
    for (int64_t head_size : {40, 80, 96, 192}) check<T, T>({.lengths = {50}, .heads = 6, .head_size = head_size});
    check_variant<T, T>(64, 1);
    if (!std::is_same_v<T, float>) check_variant<T, Narrow>(64, 2);
    check<T, T>({.lengths = {45, 20}, .heads = 4, .head_size = 33});
    check<T, T>({.lengths = {45}, .heads = 4, .head_size = 255});
    check<T, T>({.lengths = {45}, .heads = 4, .head_size = 64, .padding = 1});
    check<T, T>({.lengths = {7}, .heads = 4, .head_size = 1});

    // Lengths around tiles, steps and pages; empty sequences; fewer keys than rows.
    for (int64_t splits : {0, 1, 2, 9}) {
        check<T, T>({.lengths = {0, 1, 31, 32, 33, 63, 64, 65, 300}, .heads = 1, .kv_heads = 1, .splits = splits});
        check<T, T>({.lengths = {0, 2, 3, 100},
                     .rows = 3,
                     .heads = 2,
                     .kv_heads = 1,
                     .page_size = 32,
                     .max_length = 700,
                     .splits = splits});
    }
    check<T, T>({.lengths = {0}, .max_length = 100});
    check<T, T>({.lengths = {0, 0}});
    check<T, T>({.lengths = {}});
    check<T, T>({.lengths = {70, 5}, .rows = 0});
    check<T, T>({.lengths = {-3, 9}, .max_length = 64});
    check<T, T>({.lengths = {90}, .max_length = 64});  // counts as 64
    // Page sizes.
    for (int32_t page_size : {1, 4, 64, 128}) {
        check<T, T>({.lengths = {page_size, page_size + 1, page_size - 1, 70},
                     .heads = 3,
                     .kv_heads = 1,
                     .page_size = page_size});
    }
    // Windows, softcap.
    for (int64_t window : {1, 16, 50, 500}) {
        check<T, T>({.lengths = {130, 20, 260}, .rows = 3, .heads = 2, .kv_heads = 1, .window = window});
        check<T, T>({.lengths = {130, 2}, .heads = 2, .kv_heads = 1, .page_size = 16, .window = window, .splits = 3});
    }
    check<T, T>({.lengths = {90}, .heads = 4, .softcap = 2.0});
    // Many query rows of a KV head.
    check<T, T>({.lengths = {61}, .rows = 5, .heads = 16, .kv_heads = 1});
    check<T, T>({.lengths = {61}, .rows = 1, .heads = 16, .kv_heads = 1, .splits = 2});
    check<T, T>({.lengths = {40}, .rows = 3, .heads = 12, .kv_heads = 2, .head_size = 256});
    // A combining warp for each row, and a block for each.
    check<T, T>({.lengths = {300, 200}, .rows = 2, .heads = 9, .kv_heads = 1, .splits = 3});
    check<T, T>({.lengths = {700}, .heads = 3, .kv_heads = 1, .splits = 21});
    check<T, T>({.lengths = {260}, .rows = 2, .heads = 20, .kv_heads = 1, .splits = 5, .multiprocessors = 1});
    // The launcher's own choice, on a large chip.
    check<T, T>({.lengths = {1000}, .heads = 2, .kv_heads = 1, .multiprocessors = 132});
    for (int special : {1, 2, 3}) {
        check<T, T>({.lengths = {150, 70}, .heads = 4, .splits = 2, .special = special});
        check<T, T>({.lengths = {90}, .rows = special == 2 ? 1 : 3, .heads = 4, .special = special});
    }
    // Rows that see no key are 0 whatever other rows see.
    for (int64_t splits : {1, 2}) {
        check<T, T>({.lengths = {1, 2}, .rows = 3, .max_length = 100, .splits = splits, .special = 4});
        check<T, T>({.lengths = {1}, .rows = 3, .head_size = 33, .max_length = 100, .splits = splits, .special = 4});
    }
}

void check_refusals() {
    where = "decode refusals";
    Buffer<float> x(64);
    Buffer<int32_t> n(4);
    tenon_cuda_device device = hopper();
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_decode_attention a{};
        a.q = a.k = a.v = x.data();
        a.o = x.data();
        a.lengths = n.data();
        a.type = a.cache_type = TENON_CUDA_F16;
        a.batch = a.rows = a.heads = a.kv_heads = 1;
        a.head_size = 64;
        a.max_length = 100;
        a.page_size = 16;
        a.table_stride = 7;
        a.scale = 1;
        change(a);
        expect_refused(status, text,
                       [&](tenon_cuda_plan* p) { return tenon_cuda_decode_attention_plan(&a, &device, p); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(unsupported, "type 2", [](auto& a) { a.type = TENON_CUDA_U8; });
    refused(unsupported, "cache_type 16", [](auto& a) { a.cache_type = TENON_CUDA_BF16; });
    refused(unsupported, "cache_type 17", [](auto& a) { a.type = 1, a.cache_type = TENON_CUDA_F8E4M3; });
    refused(invalid, "batch is 65536", [](auto& a) { a.batch = 65536; });
    refused(invalid, "rows is -1", [](auto& a) { a.rows = -1; });
    refused(invalid, "heads is 0", [](auto& a) { a.heads = 0; });
    refused(invalid, "kv_heads is 0", [](auto& a) { a.kv_heads = 0; });
    refused(invalid, "heads is 3; expected a multiple of the 2", [](auto& a) { a.heads = 3, a.kv_heads = 2; });
    refused(invalid, "head_size is 0", [](auto& a) { a.head_size = 0; });
    refused(unsupported, "head_size 257", [](auto& a) { a.head_size = 257; });
    refused(invalid, "max_length is -1", [](auto& a) { a.max_length = -1; });
    refused(invalid, "max_length is 2147483647", [](auto& a) { a.max_length = INT32_MAX; });
    refused(invalid, "window is -1", [](auto& a) { a.window = -1; });
    refused(invalid, "splits is -1", [](auto& a) { a.splits = -1; });
    refused(invalid, "scale is", [](auto& a) { a.scale = NAN; });
    refused(invalid, "scale is 1e+39", [](auto& a) { a.scale = 1e39; });
    refused(invalid, "softcap is -1", [](auto& a) { a.softcap = -1; });
    refused(invalid, "softcap is 1e+39", [](auto& a) { a.softcap = 1e39; });
    refused(invalid, "softcap is 1e-50", [](auto& a) { a.softcap = 1e-50; });
    refused(unsupported, "q spans more than 2^40 bytes", [](auto& a) { a.rows = 2, a.q_row_stride = INT64_MAX; });
    refused(unsupported, "o spans more than 2^40 bytes", [](auto& a) { a.batch = 2, a.o_batch_stride = INT64_MIN; });
    refused(unsupported, "k spans more than 2^40 bytes", [](auto& a) { a.k_token_stride = int64_t{1} << 33; });
    refused(unsupported, "v spans more than 2^40 bytes", [&](auto& a) {
        a.block_table = n.data();
        a.v_page_stride = int64_t{1} << 40;
    });
    refused(unsupported, "block_table spans more than 2^40 bytes", [&](auto& a) {
        a.block_table = n.data();
        a.batch = 2, a.table_stride = INT64_MAX;
    });
    refused(invalid, "q is null", [](auto& a) { a.q = nullptr; });
    refused(invalid, "o is null", [](auto& a) { a.o = nullptr; });
    refused(invalid, "lengths is null", [](auto& a) { a.lengths = nullptr; });
    refused(invalid, "k is null", [](auto& a) { a.k = nullptr; });
    refused(invalid, "v is null", [](auto& a) { a.v = nullptr; });
    refused(invalid, "page_size is 0", [&](auto& a) { a.block_table = n.data(), a.page_size = 0; });
    refused(unsupported, "page_size 24", [&](auto& a) { a.block_table = n.data(), a.page_size = 24; });
    refused(invalid, "table_stride is 6", [&](auto& a) { a.block_table = n.data(), a.table_stride = 6; });
    refused(unsupported, "rows of 65535 heads", [](auto& a) { a.rows = a.heads = 65535; });
    refused(unsupported, "65535 splits of",
            [](auto& a) { a.batch = a.heads = a.kv_heads = a.splits = 65535, a.rows = 32767, a.max_length = 1 << 30; });
    // The launcher's own choice: more blocks than 64 bits count if every part were one.
    refused(unsupported, "65535 splits of", [](auto& a) {
        a.type = a.cache_type = TENON_CUDA_F32;
        a.batch = a.heads = a.kv_heads = 65535, a.rows = 32767, a.max_length = INT32_MAX - 65535;
    });
}

// The longest sequences take as many parts as a grid may have.
void check_longest() {
    where = "decode, longest sequence";
    Buffer<f16> x(64);
    Buffer<int32_t> n(1);
    tenon_cuda_device device = hopper();
    tenon_cuda_decode_attention a{};
    a.q = a.k = a.v = x.data();
    a.o = x.data();
    a.lengths = n.data();
    a.type = a.cache_type = TENON_CUDA_F16;
    a.batch = a.rows = a.heads = a.kv_heads = 1;
    a.head_size = 64;
    a.max_length = INT32_MAX - 65535;
    a.scale = 1;
    static tenon_cuda_plan plan;
    if (tenon_cuda_decode_attention_plan(&a, &device, &plan) != TENON_CUDA_OK) return fail("refused: %s", plan.message);
    const int64_t splits = plan.launches[0].grid[1];
    if (splits != 65535) fail("%lld splits; expected 65535", (long long)splits);
    if (plan.workspace_bytes != splits * 66 * 4) fail("workspace is %lld bytes", (long long)plan.workspace_bytes);
}

}  // namespace

int main() {
    check_type<float>();
    check_type<f16>();
    check_type<bf16>();
    check_refusals();
    check_longest();
    return result("tenon_decode_attention");
}
