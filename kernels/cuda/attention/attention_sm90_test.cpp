// The Hopper kernels of attention under the SIMT shim against a double reference.
#include "attention/attention_test_support.h"

using namespace attention_test;

namespace {

// Cases with small = false run on a GPU of one multiprocessor: one block does all work that is not causal.
template <class T>
void check_type() {
    constexpr int64_t at = TENON_CUDA_ATTENTION_CAUSAL_OFFSET, end = TENON_CUDA_ATTENTION_CAUSAL_END;
    const tenon_cuda_device d = hopper();
    // Tiles of keys (128, 80): fewer and more than stages, full and not.
    for (int64_t keys : {1, 129, 700}) check<T>({.queries = 64, .keys = keys, .head = 64}, d);
    for (int64_t keys : {127, 600}) check<T>({.queries = 66, .keys = keys, .head = 128}, d);
    for (int64_t keys : {80, 250}) check<T>({.queries = 65, .keys = keys, .head = 256}, d);
    // Several pieces of work for a block.
    check<T>({.queries = 193, .keys = 140, .head = 64, .heads = 2}, d);
    check<T>({.queries = 130, .keys = 150, .head = 128, .batch = 2, .layout = kRowsFirst}, d);
    check<T>({.queries = 129, .keys = 30, .head = 256, .layout = kPadded}, d);
    // Sizes in between are filled up with zeros.
    check<T>({.queries = 64, .keys = 40, .head = 8, .value = 48, .layout = kPadded}, d);
    check<T>({.queries = 70, .keys = 40, .head = 96, .small = true}, d);
    check<T>({.queries = 70, .keys = 90, .head = 192, .value = 128, .small = true}, d);
    // Causal; rows without a key, tiles that some warpgroups do not see, windows.
    check<T>({.queries = 200, .keys = 200, .head = 64, .heads = 4, .kv_heads = 2, .causal = at, .layout = kPacked}, d);
    check<T>({.queries = 140, .keys = 300, .head = 128, .causal = end}, d);
    check<T>({.queries = 130, .keys = 60, .head = 128, .causal = end}, d);
    check<T>({.queries = 70, .keys = 70, .head = 256, .causal = at, .offset = -3}, d);
    check<T>({.queries = 64, .keys = 70, .head = 64, .causal = at, .offset = -64}, d);
    check<T>({.queries = 64, .keys = 600, .head = 64, .causal = end, .window = 130}, d);
    check<T>({.queries = 140, .keys = 300, .head = 128, .causal = at, .offset = 150, .window = 20}, d);
    // Lengths: 0, 1, whole tiles, limited to the keys; what lies behind them is NaN.
    check<T>({.queries = 70, .keys = 260, .head = 64, .batch = 5, .lengths = {0, 1, 128, 259, 500}}, d);
    check<T>({.queries = 70, .keys = 260, .head = 128, .batch = 3, .causal = end, .lengths = {129, 256, 65}}, d);
    check<T>({.queries = 70, .keys = 170, .head = 256, .batch = 2, .lengths = {170, 83}}, d);
    // NaN and infinities; maxima that move from tile to tile; huge scores.
    check<T>({.queries = 66, .keys = 140, .head = 16, .causal = at, .offset = 80, .special = true}, d);
    check<T>({.queries = 64, .keys = 400, .head = 64, .deviation = 30}, d);
    check<T>({.queries = 64, .keys = 300, .head = 128, .causal = end, .scale = 1e9}, d);
}

// Random sizes, each with another schedule.
void check_random(int cases) {
    for (int i = 0; i < cases; i++) {
        auto below = [](int64_t n) { return static_cast<int64_t>(rng() % static_cast<uint64_t>(n)); };
        Case c = {.queries = 64 + below(100), .keys = 1 + below(500), .head = 64 << below(3)};
        c.heads = 1 + below(2);
        c.causal = below(3);
        if (c.head == 256) c.keys = 1 + c.keys / 2;
        if (c.causal && below(3) == 0) c.window = 1 + below(200);
        if (below(2)) c.lengths = {static_cast<int32_t>(below(c.keys + 1))};
        c.small = below(2);
        check<f16>(c, hopper());
    }
}

// What the Hopper kernels take, and on which grid.
void check_choice() {
    where = "attention choice";
    Buffer<f16> x(64);
    Buffer<int32_t> lengths(2);
    auto planned = [&](const char* kernel, int64_t grid, auto change) {
        tenon_cuda_attention a{};
        tenon_cuda_device device = hopper();
        a.q = a.k = a.v = a.o = x.data();
        a.type = TENON_CUDA_F16;
        a.batch = 2, a.heads = a.kv_heads = 40, a.queries = a.keys = 1000;
        a.head_size = a.value_size = 128, a.scale = 1;
        a.q_row_stride = a.k_row_stride = a.v_row_stride = a.o_row_stride = 128;
        a.q_head_stride = a.k_head_stride = a.v_head_stride = a.o_head_stride = 128000;
        a.q_batch_stride = a.k_batch_stride = a.v_batch_stride = a.o_batch_stride = 128000 * 40;
        change(a, device);
        static tenon_cuda_plan plan;
        if (tenon_cuda_attention_plan(&a, &device, &plan) != TENON_CUDA_OK) return fail("refused: %s", plan.message);
        const tenon_cuda_launch& launch = plan.launches[0];
        if (!std::strstr(launch.kernel, kernel)) fail("%s; expected %s", launch.kernel, kernel);
        if (grid && launch.grid[0] != grid)
            fail("a grid of %lld; expected %lld", (long long)launch.grid[0], (long long)grid);
        for (int64_t m = 0; m < launch.tensor_map_count; m++) {
            const tenon_cuda_tensor_map& map = launch.tensor_maps[m];
            for (int i = 1; i < 4; i++) {
                if (map.dims[i] == 1 && map.strides_bytes[i] < map.strides_bytes[i - 1])
                    fail("tensor map %lld: dimension %d of one element has a smaller stride than the one before",
                         (long long)m, i);
            }
        }
    };
    planned("sm90_128_f16", 132, [](auto&, auto&) {});
    planned("sm90_128_f16", 640, [](auto& a, auto&) { a.causal = TENON_CUDA_ATTENTION_CAUSAL_END; });
    planned("sm90_128_f16", 640, [&](auto& a, auto&) { a.kv_lengths = lengths.data(); });
    planned("sm90_128_f16", 80, [](auto& a, auto&) { a.queries = 64; });
    planned("sm90_256_f16", 132, [](auto& a, auto&) { a.q_row_stride = a.k_row_stride = a.head_size = 136; });
    planned("sm90_64_f16", 132, [](auto& a, auto&) { a.head_size = a.value_size = 8; });
    planned("sm90_128_f16", 132, [](auto& a, auto&) { a.batch = 1, a.q_batch_stride = a.k_batch_stride = 0; });
    planned("mma", 0, [](auto&, auto& device) { device.compute_capability = 100; });
    planned("mma", 0, [](auto&, auto& device) { device.shared_bytes_per_block = 101376; });
    planned("mma", 0, [](auto& a, auto&) { a.queries = 63; });
    planned("mma", 0, [](auto& a, auto&) { a.keys = 0; });
    planned("mma", 0, [](auto& a, auto&) { a.mask = a.q, a.mask_type = TENON_CUDA_F16; });
    planned("mma", 0, [](auto& a, auto&) { a.softcap = 1; });
    planned("mma", 0, [](auto& a, auto&) { a.scale = -1; });
    planned("mma", 0, [](auto& a, auto&) { a.scale = 1e-50; });
    planned("mma", 0, [&](auto& a, auto&) { a.k = x.data() + 1; });
    // What the copy engine cannot address: steps of 0 and backwards.
    planned("mma", 0, [](auto& a, auto&) { a.k_batch_stride = 0; });
    planned("mma", 0, [](auto& a, auto&) { a.v_row_stride = -128; });
}

}  // namespace

int main() {
    check_choice();
    check_type<f16>();
    // The same code but for conversions and the products' type.
    for (int64_t head : {64, 128, 256}) {
        check<bf16>({.queries = 130, .keys = 300, .head = head, .batch = 2, .lengths = {300, 111}}, hopper());
    }
    check_random(12);
    return result("tenon_attention_sm90");
}
