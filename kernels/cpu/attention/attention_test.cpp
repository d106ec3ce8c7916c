// Every instruction set against the formula of attention.h in double: sizes around the tiles, layouts, pieces, masks,
// causal offsets, few and many rows, NaN and infinity, and buffers that end at an unreadable page.
#include "attention.h"

#include <math.h>
#include <stdio.h>

#include <limits>
#include <memory>
#include <vector>

#include "../common/test_support.h"

using namespace tenon::cpu;
using tenon::cpu::test::Random;

namespace {

// Aborts when it was written before its beginning or touched past its end.
class Floats : public tenon::cpu::test::Guarded<float> {
  public:
    using Guarded::Guarded;
    float* data() { return get(); }
    void fill(float value) {
        for (int64_t i = 0; i < size(); ++i) (*this)[i] = value;
    }
};

constexpr float kInfinity = std::numeric_limits<float>::infinity();

int failures = 0, checks = 0;
double worst = 0;  // of the tolerance

enum class Mask { none, added, added_constant, lowest, flags };
enum class Order { head_outside, position_outside };  // [B,H,S,D] or [B,S,H,D]

struct Case {
    int64_t batch, heads, kv_heads, q_length, kv_length, kv_length2, head_size, value_size;
    Order order = Order::head_outside;
    Mask mask = Mask::none;
    AttentionCausal causal = AttentionCausal::none;
    int64_t causal_offset = 0;
    double softcap = 0;
    bool valid = false;
    bool zero = false;
};

struct Array {
    AttentionStrides strides;
    std::unique_ptr<Floats> data;

    Array(int64_t batch, int64_t heads, int64_t length, int64_t size, Order order, Random* random)
        : strides(order == Order::head_outside ? AttentionStrides{heads * length * size, length * size, size}
                                               : AttentionStrides{length * heads * size, size, heads * size}),
          data(std::make_unique<Floats>(batch * heads * length * size)) {
        for (int64_t i = 0; i < data->size(); ++i) (*data)[i] = random == nullptr ? NAN : random->real(-1, 1);
    }
    float* row(int64_t b, int64_t h, int64_t s) const {
        return data->data() + b * strides.batch + h * strides.head + s * strides.position;
    }
};

struct Problem {
    Case c;
    Array q, k, v, k2, v2, o;
    AttentionStrides mask_strides;
    std::unique_ptr<Floats> mask;
    std::unique_ptr<Floats> flags;  // as bytes, aligned to the end
    std::vector<int64_t> valid;

    Problem(const Case& problem, Random& r)
        : c(problem),
          q(c.batch, c.heads, c.q_length, c.head_size, c.order, &r),
          k(c.batch, c.kv_heads, c.kv_length, c.head_size, c.order, &r),
          v(c.batch, c.kv_heads, c.kv_length, c.value_size, c.order, &r),
          k2(c.batch, c.kv_heads, c.kv_length2, c.head_size, c.order, &r),
          v2(c.batch, c.kv_heads, c.kv_length2, c.value_size, c.order, &r),
          o(c.batch, c.heads, c.q_length, c.value_size, c.order, nullptr) {
        const int64_t keys = c.kv_length + c.kv_length2;
        // One mask for all batch entries, heads apart where the batch is even.
        const int64_t mask_heads = c.batch % 2 == 0 ? c.heads : 1;
        mask_strides = {0, mask_heads == 1 ? 0 : c.q_length * keys, keys};
        if (c.mask == Mask::added) {
            mask = std::make_unique<Floats>(mask_heads * c.q_length * keys);
            for (int64_t i = 0; i < mask->size(); ++i) (*mask)[i] = r.below(5) == 0 ? -kInfinity : 2 * r.real(-1, 1);
        } else if (c.mask == Mask::added_constant) {
            mask_strides = {0, 0, 1};
            mask = std::make_unique<Floats>(c.q_length);
            for (int64_t i = 0; i < mask->size(); ++i) (*mask)[i] = i == 1 ? -kInfinity : r.real(-1, 1);
        } else if (c.mask == Mask::lowest) {
            // Finite masks swallow the scores: row 1 weighs all keys alike.
            mask = std::make_unique<Floats>(mask_heads * c.q_length * keys);
            for (int64_t i = 0; i < mask->size(); ++i) {
                const bool off = i / keys % c.q_length == 1 || r.below(4) == 0;
                (*mask)[i] = off ? std::numeric_limits<float>::lowest() : 0.0f;
            }
        } else if (c.mask == Mask::flags) {
            flags = std::make_unique<Floats>((mask_heads * c.q_length * keys + 3) / 4);
            for (int64_t i = 0; i < mask_heads * c.q_length * keys; ++i) flag_bytes()[i] = r.below(3) != 0 ? 1 : 0;
        }
        if (c.valid) {
            for (int64_t b = 0; b < c.batch; ++b) valid.push_back(r.below(keys + 3) - 1);
        }
    }
    unsigned char* flag_bytes() {
        const int64_t keys = c.kv_length + c.kv_length2, heads = c.batch % 2 == 0 ? c.heads : 1;
        return reinterpret_cast<unsigned char*>(flags->data() + flags->size()) - heads * c.q_length * keys;
    }

    AttentionParams params() {
        AttentionParams p{};
        p.batch = c.batch, p.heads = c.heads, p.kv_heads = c.kv_heads;
        p.q_length = c.q_length, p.kv_length = c.kv_length, p.kv_length2 = c.kv_length2;
        p.head_size = c.head_size, p.value_size = c.value_size;
        p.q = q.data->data(), p.k = k.data->data(), p.v = v.data->data(), p.o = o.data->data();
        p.q_strides = q.strides, p.k_strides = k.strides, p.v_strides = v.strides, p.o_strides = o.strides;
        if (c.kv_length2 > 0) {
            p.k2 = k2.data->data(), p.v2 = v2.data->data();
            p.k2_strides = k2.strides, p.v2_strides = v2.strides;
        }
        p.mask = mask ? mask->data() : nullptr;
        p.bool_mask = flags ? flag_bytes() : nullptr;
        p.mask_strides = mask_strides;
        p.mask_key_stride = c.mask == Mask::added_constant ? 0 : 1;
        p.kv_valid = c.valid ? valid.data() : nullptr;
        p.causal = c.causal, p.causal_offset = c.causal_offset;
        p.scale = 1 / sqrt(static_cast<double>(c.head_size)) * 3;
        p.softcap = c.softcap;
        p.zero_masked_rows = c.zero ? 1 : 0;
        return p;
    }

    const float* key(int64_t b, int64_t h, int64_t j) const {
        return j < c.kv_length ? k.row(b, h, j) : k2.row(b, h, j - c.kv_length);
    }
    const float* value(int64_t b, int64_t h, int64_t j) const {
        return j < c.kv_length ? v.row(b, h, j) : v2.row(b, h, j - c.kv_length);
    }

    // One row of the formula. scores_size: largest |scale q k| for the tolerance.
    void expected(const AttentionParams& p, int64_t b, int64_t h, int64_t i, std::vector<double>* out,
                  double* scores_size) {
        const int64_t total = c.kv_length + c.kv_length2, kv_head = h / (c.heads / c.kv_heads);
        const int64_t keys = c.valid ? std::max<int64_t>(0, std::min(total, valid[b])) : total;
        const int64_t offset = c.causal == AttentionCausal::valid_offset ? keys - c.q_length : c.causal_offset;
        std::vector<double> s(total, -kInfinity);
        double most = -kInfinity;
        for (int64_t j = 0; j < keys; ++j) {
            const int64_t at = b * mask_strides.batch + h * mask_strides.head + i * mask_strides.position;
            if (c.causal != AttentionCausal::none && j > i + offset) continue;
            if (flags && flag_bytes()[at + j] == 0) continue;
            double x = 0;
            for (int64_t d = 0; d < c.head_size; ++d)
                x += static_cast<double>(q.row(b, h, i)[d]) * key(b, kv_head, j)[d];
            x *= p.scale;
            *scores_size = fmax(*scores_size, fabs(x));
            if (c.softcap > 0) x = c.softcap * tanh(x / c.softcap);
            if (mask) x = static_cast<float>(x) + (*mask)[at + j * p.mask_key_stride];  // in f32, as models expect
            s[j] = x;
            most = x > most ? x : most;
        }
        double sum = 0;
        out->assign(c.value_size, 0.0);
        for (int64_t j = 0; j < keys && most != -kInfinity; ++j) {
            const double e = exp(s[j] - most);
            sum += e;
            if (e == 0) continue;
            for (int64_t d = 0; d < c.value_size; ++d) (*out)[d] += e * value(b, kv_head, j)[d];
        }
        for (double& x : *out) x = sum == 0 ? (c.zero ? 0.0 : static_cast<double>(NAN)) : x / sum;
    }
};

void fail(const Case& c, const AttentionPlan& plan, const char* what) {
    ++failures;
    printf(
        "FAIL %s: batch %ld, heads %ld/%ld, q %ld, kv %ld+%ld, sizes %ld/%ld, order %d, mask %d, causal %ld %ld, "
        "softcap %g, valid %d, %s\n",
        what, c.batch, c.heads, c.kv_heads, c.q_length, c.kv_length, c.kv_length2, c.head_size, c.value_size,
        static_cast<int>(c.order), static_cast<int>(c.mask), static_cast<int64_t>(c.causal), c.causal_offset, c.softcap,
        c.valid, isa_name(plan.isa));
}

void check(Problem& problem, Isa isa, int64_t threads) {
    const Case& c = problem.c;
    const AttentionParams p = problem.params();
    problem.o.data->fill(12345.0f);
    const AttentionPlan plan = attention_plan(p, threads, isa);
    if (attention_unsupported(p) != nullptr) return fail(c, plan, attention_unsupported(p));
    Floats scratch(plan.scratch_bytes / 4);
    scratch.fill(NAN);
    for (int64_t item = plan.items; item-- > 0;) attention_run(plan, p, scratch.data(), item, item + 1);
    ++checks;

    std::vector<double> expected;
    for (int64_t b = 0; b < c.batch; ++b) {
        for (int64_t h = 0; h < c.heads; ++h) {
            for (int64_t i = 0; i < c.q_length; ++i) {
                double size = 1;
                problem.expected(p, b, h, i, &expected, &size);
                // An error of a score is a relative error of its weight.
                const double allowed = 1.1920929e-7 * 2 * (4 + size);
                for (int64_t d = 0; d < c.value_size; ++d) {
                    const float got = problem.o.row(b, h, i)[d];
                    if (isnan(expected[d])) {
                        if (!isnan(got)) return fail(c, plan, "NaN expected");
                        continue;
                    }
                    const double error = fabs(got - expected[d]);
                    if (!(error <= allowed)) {
                        printf("b %ld h %ld i %ld d %ld: %.9g, expected %.9g, allowed %g\n", b, h, i, d, got,
                               expected[d], allowed);
                        return fail(c, plan, "result");
                    }
                    worst = fmax(worst, error / allowed);
                }
            }
        }
    }
}

// One bad element; the rows that must be NaN are those whose visible scores or values use it.
void check_not_finite(Isa isa) {
    for (int64_t q_length : {1, 2, 40}) {
        for (float bad : {NAN, kInfinity, -kInfinity}) {
            Random random(7);
            Case c{1, 2, 2, q_length, 50, 0, 32, 32};
            c.valid = true;
            Problem problem(c, random);
            problem.valid = {45};
            problem.k.row(0, 0, 47)[3] = bad;  // not visible
            problem.v.row(0, 1, 46)[5] = bad;
            check(problem, isa, 1);

            problem.q.row(0, 0, q_length - 1)[0] = bad;
            problem.v.row(0, 1, 44)[5] = bad;
            const AttentionParams p = problem.params();
            const AttentionPlan plan = attention_plan(p, 1, isa);
            Floats scratch(plan.scratch_bytes / 4);
            attention_run(plan, p, scratch.data(), 0, plan.items);
            for (int64_t i = 0; i < q_length; ++i) {
                const bool row_bad = i == q_length - 1;
                // One score is +infinity, or NaN: its weight is infinity / infinity.
                if (isnan(problem.o.row(0, 0, i)[0]) != row_bad) return fail(c, plan, "spread of a bad query");
                for (int64_t d = 0; d < 32; ++d) {
                    if (isfinite(problem.o.row(0, 1, i)[d]) == (d == 5)) return fail(c, plan, "spread of a bad value");
                }
            }
        }
    }
}

void check_large_scores(Isa isa) {
    for (int64_t q_length : {1, 20}) {
        Random random(8);
        Case c{1, 1, 1, q_length, 600, 0, 16, 16};
        Problem problem(c, random);
        for (int64_t i = 0; i < q_length; ++i) {
            for (int64_t d = 0; d < 16; ++d) problem.q.row(0, 0, i)[d] *= 200;
        }
        check(problem, isa, 1);
    }
}

void check_unsupported() {
    Random random(9);
    Problem problem({1, 4, 2, 3, 5, 0, 8, 8}, random);
    const AttentionParams good = problem.params();
    AttentionParams bad[8] = {good, good, good, good, good, good, good, good};
    bad[0].heads = 3;
    bad[1].kv_heads = 0;
    bad[2].q_length = -1;
    bad[3].head_size = 0;
    bad[4].mask = good.q, bad[4].bool_mask = reinterpret_cast<const unsigned char*>(good.q);
    bad[5].causal = AttentionCausal::valid_offset;
    bad[6].scale = NAN;
    bad[7].batch = int64_t{1} << 40, bad[7].q_length = int64_t{1} << 40;
    for (const AttentionParams& p : bad) {
        if (attention_unsupported(p) == nullptr) {
            ++failures;
            printf("FAIL bad parameters %ld are accepted\n", static_cast<long>(&p - bad));
        }
    }
    AttentionParams none = good;
    none.q_length = 0;
    if (attention_plan(none, 2, Isa::avx512).items != 0) {
        ++failures;
        printf("FAIL no rows, but items\n");
    }
}

}  // namespace

int main() {
    using C = AttentionCausal;
    const Order outside = Order::position_outside;
    const Case cases[] = {
        {1, 1, 1, 1, 1, 0, 1, 1},
        {1, 2, 2, 16, 16, 0, 64, 64},
        {2, 3, 3, 33, 31, 0, 17, 15, outside},
        {1, 2, 1, 9, 47, 0, 24, 40, outside, Mask::added},
        {2, 2, 2, 65, 300, 0, 64, 48, Order::head_outside, Mask::added, C::none, 0, 0, false, true},
        {1, 4, 2, 30, 270, 5, 31, 33, Order::head_outside, Mask::flags},
        {1, 2, 2, 30, 300, 0, 16, 16, outside, Mask::lowest},
        {2, 2, 2, 2, 300, 0, 16, 16, outside, Mask::lowest},
        {1, 2, 2, 50, 50, 0, 32, 32, outside, Mask::none, C::fixed_offset, 0},
        {1, 4, 2, 20, 260, 20, 16, 16, outside, Mask::none, C::fixed_offset, 260},
        {1, 1, 1, 40, 30, 0, 16, 16, outside, Mask::none, C::fixed_offset, -10},
        {1, 1, 1, 40, 30, 0, 16, 16, outside, Mask::none, C::fixed_offset, -10, 0, false, true},
        {3, 2, 2, 17, 40, 0, 16, 20, outside, Mask::none, C::valid_offset, 0, 0, true},
        {2, 2, 2, 30, 513, 0, 80, 80, outside, Mask::added_constant, C::none, 0, 2.0, true},
        {1, 2, 1, 100, 90, 10, 8, 130, outside, Mask::added, C::fixed_offset, 0, 5.0},
        // Few rows.
        {1, 3, 3, 1, 700, 0, 64, 64},
        {2, 8, 1, 1, 515, 1, 128, 128, outside},
        {1, 4, 2, 4, 100, 4, 40, 24, outside, Mask::none, C::fixed_offset, 100},
        {2, 2, 2, 3, 33, 0, 65, 63, outside, Mask::added},
        {2, 6, 2, 1, 300, 0, 16, 32, Order::head_outside, Mask::flags, C::none, 0, 0, true},
        {1, 1, 1, 2, 0, 9, 16, 16},
        {1, 2, 2, 2, 0, 0, 16, 16},
        {1, 2, 2, 2, 0, 0, 16, 16, Order::head_outside, Mask::none, C::none, 0, 0, false, true},
        {1, 1, 1, 1, 33000, 3, 64, 64},  // keys and values from memory
        {1, 1, 1, 1, 257, 0, 100, 100, Order::head_outside, Mask::none, C::none, 0, 3.0},
    };
    uint64_t seed = 1;
    for (const Case& c : cases) {
        Random random(seed++);
        Problem problem(c, random);
        for (Isa isa : {Isa::avx512, Isa::avx2, Isa::scalar}) {
            if (best_isa(isa) != isa) continue;
            for (int64_t threads : {1, 3}) check(problem, isa, threads);
        }
    }
    for (Isa isa : {Isa::avx512, Isa::avx2, Isa::scalar}) {
        if (best_isa(isa) != isa) continue;
        check_not_finite(isa);
        check_large_scores(isa);
    }
    check_unsupported();
    printf("attention: %d runs, worst share of the tolerance %.2f, %d failures\n", checks, worst, failures);
    return failures == 0 ? 0 : 1;
}
