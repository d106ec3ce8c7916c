// How fast is fused attention beside separate matrix products and softmax (oneDNN), and how far from the machine's
// limits: multiply-adds for many rows, memory for few?
//
//   attention_bench [threads] [substring of a case name]
//
// GFLOP/s count 2 (D + Dv) for each visible pair of query and key; GB/s count keys and values once.
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "../gemm/fma_peak.h"
#include "attention.h"

using namespace tenon::cpu;
using tenon::cpu::test::best_seconds;

namespace {

struct Case {
    const char* name;
    int64_t batch, heads, kv_heads, q_length, kv_length, head_size;
    bool causal, mask;
};

struct Data {
    std::vector<float> q, k, v, o, mask;
    explicit Data(const Case& c)
        : q(c.batch * c.heads * c.q_length * c.head_size),
          k(c.batch * c.kv_heads * c.kv_length * c.head_size),
          v(k.size()),
          o(q.size()),
          mask(c.kv_length) {
        tenon::cpu::test::Random random(1);
        for (std::vector<float>* x : {&q, &k, &v, &mask}) random.fill(x->data(), static_cast<int64_t>(x->size()));
    }
};

double fused(const Case& c, Data& data, int threads) {
    AttentionParams p{};
    p.batch = c.batch, p.heads = c.heads, p.kv_heads = c.kv_heads;
    p.q_length = c.q_length, p.kv_length = c.kv_length, p.head_size = p.value_size = c.head_size;
    p.q = data.q.data(), p.k = data.k.data(), p.v = data.v.data(), p.o = data.o.data();
    // [B, S, H, D], as projections leave it.
    p.q_strides = {c.q_length * c.heads * c.head_size, c.head_size, c.heads * c.head_size};
    p.o_strides = p.q_strides;
    p.k_strides = {c.kv_length * c.kv_heads * c.head_size, c.head_size, c.kv_heads * c.head_size};
    // [B, H, S, D], as caches of keys and values are.
    if (c.q_length <= 8) p.k_strides = {c.kv_heads * c.kv_length * c.head_size, c.kv_length * c.head_size, c.head_size};
    p.v_strides = p.k_strides;
    p.mask = c.mask ? data.mask.data() : nullptr;
    p.mask_key_stride = 1;
    p.causal = c.causal ? AttentionCausal::fixed_offset : AttentionCausal::none;
    p.causal_offset = c.kv_length - c.q_length;
    p.scale = 1 / sqrt(static_cast<double>(c.head_size));
    const AttentionPlan plan = attention_plan(p, threads, Isa::avx512);
    const int64_t stride = (plan.scratch_bytes + 63) / 64 * 64;
    float* scratch = static_cast<float*>(aligned_alloc(64, stride * threads));
    const double best = best_seconds([&] {
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (int64_t item = 0; item < plan.items; ++item) {
            attention_run(plan, p, scratch + omp_get_thread_num() * stride / 4, item, item + 1);
        }
    });
    free(scratch);
    return best;
}

// [B, H, S, D] operands; no causal mask, so it computes all pairs.
double separate(const Case& c, Data& data) {
    using namespace dnnl;
    engine cpu(engine::kind::cpu, 0);
    stream queue(cpu);
    const auto f32 = memory::data_type::f32;
    const auto plain = memory::format_tag::abc;
    const int64_t n = c.batch * c.kv_heads, rows = c.heads / c.kv_heads * c.q_length;
    const memory::desc q({n, rows, c.head_size}, f32, plain),
        o = q, s({n, rows, c.kv_length}, f32, plain), k({n, c.head_size, c.kv_length}, f32, memory::format_tag::acb),
        v({n, c.kv_length, c.head_size}, f32, plain);
    primitive_attr attributes;
    post_ops ops;
    ops.append_eltwise(algorithm::eltwise_linear, 1 / sqrtf(static_cast<float>(c.head_size)), 0);
    if (c.mask) ops.append_binary(algorithm::binary_add, {{1, 1, c.kv_length}, f32, plain});
    attributes.set_post_ops(ops);
    const matmul scores({cpu, q, k, s, attributes}), product({cpu, s, v, o});
    const softmax_forward softmax({cpu, prop_kind::forward_inference, algorithm::softmax_accurate, s, s, 2});
    memory mq(q, cpu, data.q.data()), mk(k, cpu, data.k.data()), mv(v, cpu, data.v.data()), mo(o, cpu, data.o.data()),
        ms(s, cpu), mm({{1, 1, c.kv_length}, f32, plain}, cpu, data.mask.data());
    std::unordered_map<int, memory> first{{DNNL_ARG_SRC, mq}, {DNNL_ARG_WEIGHTS, mk}, {DNNL_ARG_DST, ms}};
    if (c.mask) first[DNNL_ARG_ATTR_MULTIPLE_POST_OP(1) | DNNL_ARG_SRC_1] = mm;
    return best_seconds([&] {
        scores.execute(queue, first);
        softmax.execute(queue, {{DNNL_ARG_SRC, ms}, {DNNL_ARG_DST, ms}});
        product.execute(queue, {{DNNL_ARG_SRC, ms}, {DNNL_ARG_WEIGHTS, mv}, {DNNL_ARG_DST, mo}});
        queue.wait();
    });
}

// Bytes per second of reading memory, all threads together.
double read_rate(int threads) {
    std::vector<float> from(int64_t{64} << 20, 1.0f);
    const int64_t part = static_cast<int64_t>(from.size()) / threads;
    const double best = best_seconds(
        [&] {
#pragma omp parallel num_threads(threads)
            {
                const float* p = from.data() + omp_get_thread_num() * part;
                float sums[64] = {};
                for (int64_t i = 0; i < part; i += 64) {
#pragma GCC unroll 64
                    for (int64_t j = 0; j < 64; ++j) sums[j] += p[i + j];
                }
                __asm__ volatile("" : : "r"(sums) : "memory");
            }
        },
        2);
    return static_cast<double>(from.size()) * 4 / best;
}

}  // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? atoi(argv[1]) : 1;
    const char* wanted = argc > 2 ? argv[2] : "";
    const double peak = tenon::cpu::test::fma_peak();
    omp_set_num_threads(threads);
    const double memory = read_rate(threads);
    const Case cases[] = {
        {"bert-base 128", 1, 12, 12, 128, 128, 64, false, true},
        {"bert-base 512", 1, 12, 12, 512, 512, 64, false, true},
        {"vit 197", 1, 12, 12, 197, 197, 64, false, false},
        {"gpt2 1024", 1, 12, 12, 1024, 1024, 64, true, false},
        {"llama 512 (32/8)", 1, 32, 8, 512, 512, 128, true, false},
        {"whisper 1500", 1, 6, 6, 1500, 1500, 64, false, false},
        {"minilm 32", 1, 12, 12, 32, 32, 32, false, true},
        {"sd 4096 d40", 1, 8, 8, 1024, 4096, 40, false, false},
        {"decode gpt2 1024", 1, 12, 12, 1, 1024, 64, true, false},
        {"decode llama 4096", 1, 32, 8, 1, 4096, 128, true, false},
        {"decode mha 4096", 1, 32, 32, 1, 4096, 128, true, false},
        {"decode 4 rows 4096", 1, 16, 16, 4, 4096, 64, true, false},
    };
    printf("fma peak %.1f GFLOP/s a core, %d threads, reading memory %.1f GB/s\n", peak, threads, memory * 1e-9);
    printf("%-20s %9s %9s %7s %7s %9s\n", "case", "oneDNN ms", "fused ms", "GFLOP/s", "of peak", "GB/s");
    for (const Case& c : cases) {
        if (strstr(c.name, wanted) == nullptr) continue;
        Data data(c);
        const double slow = separate(c, data), fast = fused(c, data, threads);
        double pairs = 0;
        for (int64_t i = 0; i < c.q_length; ++i) {
            pairs += static_cast<double>(c.causal ? c.kv_length - c.q_length + i + 1 : c.kv_length);
        }
        const double flops = 4.0 * static_cast<double>(c.head_size * c.batch * c.heads) * pairs / fast;
        printf("%-20s %9.3f %9.3f %7.1f %7.2f %9.1f\n", c.name, slow * 1e3, fast * 1e3, flops * 1e-9,
               peak == 0 ? 0 : flops * 1e-9 / (peak * threads),
               static_cast<double>(data.k.size() + data.v.size()) * 4e-9 / fast);
        fflush(stdout);
    }
    return 0;
}
