#include "topk/sample.h"

#include <cmath>

#include "common/planner.h"
#include "topk/topk_levels.h"

using namespace tenon::cuda;

int32_t tenon_cuda_sample_plan(const tenon_cuda_sample* args, const tenon_cuda_device*, tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_sample& a = *args;
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    if (a.token_type != TENON_CUDA_I32 && a.token_type != TENON_CUDA_I64) {
        return planner.unsupported("token_type %lld; expected I32 or I64", (long long)a.token_type);
    }
    if (a.rows < 0 || a.rows > INT32_MAX) {
        return planner.invalid("rows is %lld; expected 0 to 2^31 - 1", (long long)a.rows);
    }
    if (a.n < 1) return planner.invalid("n is %lld; expected 1 or more", (long long)a.n);
    if (a.n > kMostAxis) return planner.unsupported("n is %lld; at most 2^31 - 2^14", (long long)a.n);
    if (a.top_k < 0) return planner.invalid("top_k is %lld; expected 0 or more", (long long)a.top_k);
    if (a.temperature != 0 && !(a.temperature >= 1e-6 && a.temperature <= 1e6)) {
        return planner.invalid("temperature is %g; expected 0, or 1e-6 to 1e6", a.temperature);
    }
    if (!(a.top_p > 0 && a.top_p <= 1)) return planner.invalid("top_p is %g; expected above 0, up to 1", a.top_p);
    if (!(a.min_p >= 0 && a.min_p <= 1)) return planner.invalid("min_p is %g; expected 0 to 1", a.min_p);
    const bool greedy = a.temperature == 0, limited = !greedy && a.top_k > 0 && a.top_k < a.n;
    if (limited && a.top_k > kTopkMost) {
        return planner.unsupported("top_k is %lld; at most %d", (long long)a.top_k, kTopkMost);
    }
    if (a.rows == 0) return planner.done();
    if (!a.x || !a.tokens) return planner.invalid("%s is null", a.x ? "tokens" : "x");
    if (a.x_stride < a.n) {
        return planner.invalid("x_stride is %lld; expected at least n, which is %lld", (long long)a.x_stride,
                               (long long)a.n);
    }
    if (!fits(size_of_type(a.type), {{a.rows, a.x_stride}, {a.n, 1}})) {
        return planner.unsupported("x spans more than 2^40 bytes");
    }

    const int type = a.type == TENON_CUDA_F32 ? 0 : a.type == TENON_CUDA_F16 ? 1 : 2;
    SampleParams p{};
    p.x = a.x;
    p.tokens = a.tokens;
    p.seeds = a.seeds;
    p.offsets = a.offsets;
    p.rows = a.rows;
    p.x_stride = a.x_stride;
    p.n = static_cast<int32_t>(a.n);
    p.greedy = greedy;
    p.token_bytes = a.token_type == TENON_CUDA_I64 ? 8 : 4;
    p.vectors = aligned(a.x, 4 * size_of_type(a.type)) && a.x_stride % 4 == 0;
    p.inverse_temperature = greedy ? 1.0f : static_cast<float>(1 / a.temperature);
    // The kernels take exponentials of 16-bit logits as powers of two.
    const double unit = type == 0 ? 1.0 : 1.4426950408889634;
    p.unit = greedy ? 1.0f : static_cast<float>(unit / a.temperature);
    p.top_p = static_cast<float>(a.top_p);
    p.min_log = a.min_p > 0 ? static_cast<float>(std::log(a.min_p) * unit) : -INFINITY;

    if (greedy || (!limited && p.top_p == 1.0f && a.min_p == 0)) {
        static const char* const race[] = {"tenon_sample_race_f32", "tenon_sample_race_f16", "tenon_sample_race_bf16"};
        const int64_t chunks = divide_up(a.n, kTopkChunk);
        if (a.rows * chunks > INT32_MAX) return planner.unsupported("rows * n is too large");
        p.chunks = p.count = static_cast<int32_t>(chunks);
        p.to = static_cast<uint64_t*>(a.workspace);
        p.from = p.to;
        planner.launch(race[type], {a.rows * chunks}, kTopkThreads, 0, p);
        if (chunks > 1) {
            planner.workspace(a.rows * chunks * 8);
            planner.launch("tenon_sample_pick", {divide_up(a.rows, kTopkThreads / 32)}, kTopkThreads, 0, p);
        }
        return planner.done();
    }

    const int64_t k = limited ? a.top_k : a.n < kSampleCandidates ? a.n : kSampleCandidates;
    TopkLevels levels(k, a.n, a.rows, type, static_cast<unsigned char*>(a.workspace));
    if (!levels.fits(false)) return planner.unsupported("n is %lld; too large", (long long)a.n);
    TopkParams t{};
    t.x = a.x;
    t.rows = a.rows;
    t.x_stride = a.x_stride;
    t.n = p.n;
    t.k = static_cast<int32_t>(k);
    t.unit = p.unit;
    int64_t bytes = levels.workspace_bytes(false);
    if (!limited) {
        t.sums = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(a.workspace) + static_cast<uintptr_t>(bytes));
        bytes += a.rows * levels.chunks() * 12;
        // Not null when there is no workspace yet: the plan is the same.
        p.sums = t.sums;
    }
    levels.launch(planner, t, false);
    p.from = levels.candidates_at();
    p.count = static_cast<int32_t>(levels.candidates());
    p.k = t.k;
    p.slots = static_cast<int32_t>(levels.slots());
    p.chunks = static_cast<int32_t>(levels.chunks());
    static const char* const draw[] = {"tenon_sample_draw_f32", "tenon_sample_draw_f16", "tenon_sample_draw_bf16"};
    planner.launch(draw[type], {a.rows}, kTopkThreads, 0, p);
    planner.workspace(bytes);
    return planner.done();
}
