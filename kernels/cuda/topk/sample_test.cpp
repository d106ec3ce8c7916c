// sample_plan and its kernels under the SIMT shim against a double reference with the same random numbers.
#include "topk/sample.h"

#include <algorithm>

#include "common/philox.cuh"
#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(17);

struct Case {
    int64_t rows, n;
    double temperature = 1.0;
    int64_t top_k = 0;
    double top_p = 1.0, min_p = 0.0;
    double deviation = 3.0;
    bool special = false, ties = false;
    int64_t misalignment = 0, padding = 0;
    int64_t token_type = TENON_CUDA_I64;
    bool seeded = true;
    bool edge = false;  // draws that the threshold decides
};

void check_philox() {
    where = "philox";
    // The known answers that the authors' Random123 library is tested with.
    const struct {
        tenon::cuda::Vec<uint32_t, 4> counter;
        uint64_t key;
        uint32_t want[4];
    } cases[] = {{{{0, 0, 0, 0}}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                 {{{~0u, ~0u, ~0u, ~0u}}, ~uint64_t{0}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                 {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
                  0x299f31d0a4093822,
                  {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
    for (auto& c : cases) {
        auto got = tenon::cuda::philox(c.counter, c.key);
        for (int i = 0; i < 4; i++) {
            if (got.v[i] != c.want[i]) fail("word %d is %08x; expected %08x", i, got.v[i], c.want[i]);
        }
    }
}

double exponential(int64_t i, uint64_t seed, uint64_t offset) {
    auto words = tenon::cuda::philox(
        {{static_cast<uint32_t>(i / 4), 0, static_cast<uint32_t>(offset), static_cast<uint32_t>(offset >> 32)}}, seed);
    return -std::log1p(-(words.v[i % 4] + 0.5) * 0x1p-32);
}

// Whether `token` may win the row: it does not for certain leave the race, and none that certainly stays is ahead.
bool plausible(const Case& c, const std::vector<double>& x, uint64_t seed, uint64_t offset, int64_t token,
               std::string& why) {
    const size_t n = x.size();
    auto before = [&](size_t a, size_t b) {  // NaN first, then larger ones, then lower indices
        bool nan_a = std::isnan(x[a]), nan_b = std::isnan(x[b]);
        return nan_a != nan_b ? nan_a : !nan_a && x[a] != x[b] ? x[a] > x[b] : a < b;
    };
    std::vector<size_t> order(n);
    for (size_t i = 0; i < n; i++) order[i] = i;
    std::sort(order.begin(), order.end(), before);
    double top = x[order[0]];
    if (c.temperature == 0 || std::isnan(top) || std::isinf(top)) {
        why = "the first largest is " + std::to_string(order[0]);
        return token == static_cast<int64_t>(order[0]);
    }
    double inverse = static_cast<float>(1 / c.temperature), all = 0, above = 0;
    if (c.top_k > 0 && c.top_k < c.n) order.resize(static_cast<size_t>(c.top_k));
    for (size_t i : order) all += std::exp((x[i] - top) * inverse);
    struct Runner {
        size_t index;
        double score;
        bool certain;
    };
    std::vector<Runner> runners;
    for (size_t j = 0; j < order.size();) {
        size_t end = j;
        double l = x[order[j]] * inverse, p = std::exp(l - top * inverse) / all;
        while (end < order.size() && x[order[end]] == x[order[j]]) end++;
        double over = c.top_p < 1 ? above - c.top_p : -1,
               under = c.min_p > 0 ? std::log(c.min_p) - (l - top * inverse) : -1;
        if (over > 1e-5 || under > 1e-5) break;
        for (; j < end; j++) {
            size_t i = order[j];
            double score = l - std::log(exponential(static_cast<int64_t>(i), seed, offset));
            runners.push_back({i, score, over < -1e-5 && under < -1e-5});
            above += p;
        }
    }
    double mine = NAN;
    for (auto& r : runners) mine = static_cast<int64_t>(r.index) == token ? r.score : mine;
    if (std::isnan(mine)) {
        why = "it was cut off";
        return false;
    }
    for (auto& r : runners) {
        if (r.certain && r.score > mine + 3e-5 + 1e-6 * std::fabs(mine)) {
            why = std::to_string(r.index) + " is ahead";
            return false;
        }
    }
    return true;
}

// Of some offsets the one with which the race over all of a row is won closest to the threshold of top_p or min_p,
// inside or outside.
uint64_t edge_offset(const Case& c, const std::vector<double>& x, uint64_t seed) {
    double top = *std::max_element(x.begin(), x.end()), inverse = static_cast<float>(1 / c.temperature), all = 0;
    for (double v : x) all += std::exp((v - top) * inverse);
    uint64_t closest = 0;
    double distance = INFINITY;
    for (uint64_t offset = 0; offset < 150; offset++) {
        size_t best = 0;
        double score = -INFINITY, above = 0;
        for (size_t i = 0; i < x.size(); i++) {
            double s = x[i] * inverse - std::log(exponential(static_cast<int64_t>(i), seed, offset));
            if (s > score) best = i, score = s;
        }
        for (double v : x) above += v > x[best] ? std::exp((v - top) * inverse) / all : 0;
        double away = c.top_p < 1 ? above - c.top_p : (x[best] - top) * inverse - std::log(c.min_p);
        if (std::fabs(away) < distance) distance = std::fabs(away), closest = offset;
    }
    return closest;
}

template <class T>
std::vector<int64_t> sample(const Case& c, Buffer<T>& x, Buffer<int64_t>& seeds, Buffer<int64_t>& offsets) {
    Buffer<int32_t> tokens32(c.rows);
    Buffer<int64_t> tokens64(c.rows);
    tenon_cuda_sample args{};
    args.x = x.data();
    args.tokens = c.token_type == TENON_CUDA_I64 ? static_cast<void*>(tokens64.data()) : tokens32.data();
    args.seeds = c.seeded ? seeds.data() : nullptr;
    args.offsets = c.seeded ? offsets.data() : nullptr;
    args.type = type_code<T>();
    args.token_type = c.token_type;
    args.rows = c.rows;
    args.n = c.n;
    args.x_stride = c.n + c.padding;
    args.top_k = c.top_k;
    args.temperature = c.temperature;
    args.top_p = c.top_p;
    args.min_p = c.min_p;
    tenon_cuda_device device = hopper();
    static tenon_cuda_plan plan;
    if (tenon_cuda_sample_plan(&args, &device, &plan) != TENON_CUDA_OK) {
        fail("refused: %s", plan.message);
        return {};
    }
    Buffer<unsigned char> workspace(plan.workspace_bytes);
    args.workspace = workspace.data();
    run([&](tenon_cuda_plan* p) { return tenon_cuda_sample_plan(&args, &device, p); }, rng());
    std::vector<int64_t> tokens;
    for (int64_t r = 0; r < c.rows; r++) tokens.push_back(c.token_type == TENON_CUDA_I64 ? tokens64[r] : tokens32[r]);
    return tokens;
}

template <class T>
void check(const Case& c) {
    char text[250];
    std::snprintf(text, sizeof text,
                  "sample type %d rows %d n %d temperature %g top_k %d top_p %g min_p %g deviation %g%s%s",
                  (int)type_code<T>(), (int)c.rows, (int)c.n, c.temperature, (int)c.top_k, c.top_p, c.min_p,
                  c.deviation, c.special ? " special" : "", c.ties ? " ties" : "");
    where = text;
    const int64_t stride = c.n + c.padding;
    Buffer<T> x(c.rows == 0 ? 0 : (c.rows - 1) * stride + c.n, c.misalignment);
    Buffer<int64_t> seeds(c.rows), offsets(c.rows);
    fill(x, rng, c.deviation);
    const float specials[] = {NAN, INFINITY, -INFINITY, -INFINITY};
    for (int64_t i = 0; i < x.size(); i++) {
        if (c.ties) x[i] = from_float<T>(std::rint(to_float(x[i])));
        if (c.special && i / stride % 4 != 0 && rng() % 20 == 0) x[i] = from_float<T>(specials[i / stride % 4]);
        if (c.special && i / stride % 5 == 4) x[i] = from_float<T>(-INFINITY);
    }
    for (int64_t r = 0; r < c.rows; r++) {
        seeds[r] = static_cast<int64_t>(uint64_t{rng()} << 32 | rng());
        offsets[r] = static_cast<int64_t>(uint64_t{rng()} << 32 | rng());
    }
    std::vector<double> row(static_cast<size_t>(c.n));
    for (int64_t r = 0; c.edge && r < c.rows; r++) {
        for (int64_t i = 0; i < c.n; i++) row[static_cast<size_t>(i)] = to_float(x[r * stride + i]);
        offsets[r] = static_cast<int64_t>(edge_offset(c, row, static_cast<uint64_t>(seeds[r])));
    }
    std::vector<int64_t> tokens = sample(c, x, seeds, offsets);
    for (size_t r = 0; r < tokens.size(); r++) {
        int64_t at = static_cast<int64_t>(r);
        for (int64_t i = 0; i < c.n; i++) row[static_cast<size_t>(i)] = to_float(x[at * stride + i]);
        std::string why;
        uint64_t seed = c.seeded ? static_cast<uint64_t>(seeds[at]) : 0,
                 offset = c.seeded ? static_cast<uint64_t>(offsets[at]) : 0;
        if (!plausible(c, row, seed, offset, tokens[r], why)) {
            fail("row %d gives %lld, but %s", (int)r, (long long)tokens[r], why.c_str());
        }
    }
}

template <class T>
void check_type() {
    for (double temperature : {0.0, 0.7, 1.5}) {
        check<T>({9, 1, temperature});
        check<T>({9, 37, temperature});
        check<T>({7, 100, temperature, 0, 1, 0, 3, true, true, 1, 3});
        check<T>({2, 20001, temperature, 0, 1, 0, 2, false, false, 0, 3, TENON_CUDA_I32});
        check<T>({2, 8192, temperature, 0, 1, 0, 2, false, temperature == 0});
        check<T>({9, 50, temperature, 5, 0.9, 0.01});
    }
    check<T>({0, 50});
    check<T>({5, 300, 1, 1});
    check<T>({5, 300, 1, 40, 1, 0, 3, true, true});
    check<T>({5, 300, 0.8, 300, 0.7});
    check<T>({2, 20000, 1, 50, 0.95, 0, 3, false, true, 1, 1});
    check<T>({1, 9000, 1, 1000, 0.9, 0, 0.5});
    check<T>({5, 60, 1, 0, 0.6, 0, 1, true});
    check<T>({3, 128, 1, 0, 0.999, 0, 1});
    check<T>({3, 9000, 1, 0, 0.5, 0, 4});               // the candidates suffice
    check<T>({2, 3000, 1.3, 0, 0.9, 0, 0.5});           // they do not
    check<T>({2, 3000, 1, 0, 0.5, 0, 3, false, true});  // equal to the last one
    check<T>({2, 3000, 1, 0, 1, 0.05, 2});
    check<T>({2, 3000, 1, 0, 1, 0.3, 6, false, false, 0, 0, TENON_CUDA_I32, false});
    check<T>({4, 3000, 1, 0, 0.8, 0.2, 0.5, true});
}

void check_edges() {
    for (double top_p : {0.5, 0.9}) {
        check<float>({6, 300, 1, 0, top_p, 0, 1, false, false, 0, 0, TENON_CUDA_I64, true, true});
        check<float>({6, 300, 1, 0, top_p, 0, 3, false, false, 0, 0, TENON_CUDA_I64, true, true});
    }
    check<float>({6, 300, 1, 0, 1, 0.1, 1, false, false, 0, 0, TENON_CUDA_I64, true, true});
    check<float>({6, 100, 0.9, 0, 1, 0.1, 1, false, false, 0, 0, TENON_CUDA_I64, true, true});
}

// How often each token of a small vocabulary comes, over many offsets, against its probability.
void check_frequencies() {
#if defined(__SANITIZE_THREAD__)
    const int64_t draws = 60;
#elif defined(__SANITIZE_ADDRESS__)
    const int64_t draws = 300;
#else
    const int64_t draws = 1000;
#endif
    const double logits[6] = {1.0, 2.0, 0.5, -1.0, 2.0, 0.0};
    const struct {
        double temperature;
        int64_t top_k;
        double top_p;
    } cases[] = {{1, 0, 1}, {2, 0, 1}, {1, 3, 1}, {1, 0, 0.8}};
    for (auto& c : cases) {
        char text[100];
        std::snprintf(text, sizeof text, "frequencies: temperature %g top_k %d top_p %g", c.temperature, (int)c.top_k,
                      c.top_p);
        where = text;
        Buffer<float> x(draws * 6);
        Buffer<int64_t> seeds(draws), offsets(draws);
        for (int64_t r = 0; r < draws; r++) {
            for (int64_t i = 0; i < 6; i++) x[r * 6 + i] = static_cast<float>(logits[i]);
            seeds[r] = 1234;
            offsets[r] = r;
        }
        std::vector<int64_t> tokens = sample({draws, 6, c.temperature, c.top_k, c.top_p}, x, seeds, offsets);
        double p[6], all = 0, chi = 0;
        int counts[6] = {};
        for (int i = 0; i < 6; i++) {
            // Three stay with top_k 3; with top_p 0.8 tokens 1, 4 and 0 do: 0.36, 0.36 and 0.13.
            bool stays = (c.top_k == 0 && c.top_p == 1) || i == 0 || i == 1 || i == 4;
            all += p[i] = stays ? std::exp(logits[i] / c.temperature) : 0;
        }
        for (int64_t t : tokens) counts[t]++;
        for (int i = 0; i < 6; i++) {
            double want = p[i] / all * static_cast<double>(draws);
            if (want == 0 && counts[i] != 0) fail("token %d was drawn", i);
            if (want > 0) chi += (counts[i] - want) * (counts[i] - want) / want;
        }
        // Five degrees of freedom exceed this once in 3000 tries; the draws are always the same.
        if (chi > 23)
            fail("chi square is %g: %d %d %d %d %d %d", chi, counts[0], counts[1], counts[2], counts[3], counts[4],
                 counts[5]);
    }
}

void check_refusals() {
    where = "sample refusals";
    Buffer<float> x(64);
    Buffer<int64_t> tokens(4);
    tenon_cuda_device device = hopper();
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_sample a{};
        a.x = x.data();
        a.tokens = tokens.data();
        a.type = TENON_CUDA_F32;
        a.token_type = TENON_CUDA_I64;
        a.rows = 2;
        a.n = a.x_stride = 20;
        a.temperature = a.top_p = 1;
        change(a);
        expect_refused(status, text, [&](tenon_cuda_plan* plan) { return tenon_cuda_sample_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(unsupported, "type 7", [](auto& a) { a.type = TENON_CUDA_I64; });
    refused(unsupported, "token_type 1", [](auto& a) { a.token_type = TENON_CUDA_F32; });
    refused(invalid, "rows is -1", [](auto& a) { a.rows = -1; });
    refused(invalid, "n is 0", [](auto& a) { a.n = 0; });
    refused(unsupported, "n is 2147467265", [](auto& a) { a.n = a.x_stride = 2147467265; });
    refused(invalid, "top_k is -1", [](auto& a) { a.top_k = -1; });
    refused(unsupported, "top_k is 1025", [](auto& a) { a.n = a.x_stride = 5000, a.top_k = 1025; });
    refused(invalid, "temperature is -1", [](auto& a) { a.temperature = -1; });
    refused(invalid, "temperature is", [](auto& a) { a.temperature = NAN; });
    refused(invalid, "top_p is 0", [](auto& a) { a.top_p = 0; });
    refused(invalid, "top_p is 1.5", [](auto& a) { a.top_p = 1.5; });
    refused(invalid, "min_p is 2", [](auto& a) { a.min_p = 2; });
    refused(invalid, "x is null", [](auto& a) { a.x = nullptr; });
    refused(invalid, "tokens is null", [](auto& a) { a.tokens = nullptr; });
    refused(invalid, "x_stride is 19", [](auto& a) { a.x_stride = 19; });
    refused(unsupported, "x spans more than 2^40 bytes", [](auto& a) { a.x_stride = INT64_MAX; });
}

}  // namespace

int main() {
    check_philox();
    check_type<float>();
    check_type<f16>();
    check_type<bf16>();
    check_edges();
    check_frequencies();
    check_refusals();
    return result("tenon_sample_");
}
