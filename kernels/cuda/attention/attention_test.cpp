// attention_plan and the mma and plain kernels under the SIMT shim against a double reference.
#include "attention/attention_test_support.h"

using namespace attention_test;

namespace {

constexpr int64_t at = TENON_CUDA_ATTENTION_CAUSAL_OFFSET, end = TENON_CUDA_ATTENTION_CAUSAL_END;

// What depends on the type.
template <class T>
void check_instances() {
    // Every instance, and the head sizes next to it.
    for (int64_t head : {64, 96, 128, 192, 256}) check<T>({.queries = 70, .keys = 70, .head = head});
    for (int64_t head : {64, 128}) check<T>({.queries = 70, .keys = 70, .head = head, .small = true});
    for (int64_t head : {1, 8, 63, 72, 80, 104, 129, 191, 193, 255}) check<T>({.queries = 5, .keys = 37, .head = head});
    check<T>({.queries = 3, .keys = 20, .head = 192, .value = 128});
    check<T>({.queries = 3, .keys = 20, .head = 40, .value = 120});
    // NaN and infinities; scores far apart, whose maximum moves from tile to tile; huge scores.
    check<T>({.queries = 40, .keys = 40, .head = 8, .heads = 2, .special = true});
    check<T>({.queries = 140, .keys = 140, .head = 16, .causal = at, .special = true});
    check<T>({.queries = 20, .keys = 200, .head = 64, .mask = kFloat, .special = true});
    check<T>({.queries = 20, .keys = 300, .head = 64, .deviation = 30});
    check<T>({.queries = 20, .keys = 200, .head = 64, .causal = end, .scale = 1e9});
    check<T>({.queries = 20, .keys = 200, .head = 64, .scale = 1e9, .same_keys = true});
    check<T>({.queries = 20, .keys = 200, .head = 64, .scale = 1e9, .deviation = 1e-6});
}

// What does not: for one type of each kernel.
template <class T>
void check_features() {
    // Tiles and one more or less.
    for (int64_t keys : {0, 1, 63, 64, 65, 130}) check<T>({.queries = 3, .keys = keys, .head = 64});
    for (int64_t queries : {0, 1, 127, 128, 129}) check<T>({.queries = queries, .keys = 9, .head = 64});
    check<T>({.queries = 3, .keys = 9, .head = 64, .batch = 0});
    check<T>({.queries = 130, .keys = 9, .head = 64, .heads = 5, .kv_heads = 5, .causal = end});
    // Causal, with and without offset; the last three leave rows without any key.
    check<T>({.queries = 150, .keys = 150, .head = 64, .causal = at});
    check<T>({.queries = 40, .keys = 150, .head = 64, .causal = end});
    check<T>({.queries = 40, .keys = 150, .head = 128, .causal = at, .offset = 30});
    check<T>({.queries = 150, .keys = 40, .head = 64, .causal = end});
    check<T>({.queries = 40, .keys = 30, .head = 64, .causal = at, .offset = -20});
    check<T>({.queries = 4, .keys = 4, .head = 256, .causal = at, .offset = -4});
    check<T>({.queries = 150, .keys = 150, .head = 64, .causal = at, .window = 1});
    check<T>({.queries = 100, .keys = 200, .head = 64, .causal = end, .window = 50});
    check<T>({.queries = 20, .keys = 200, .head = 128, .causal = at, .offset = 300, .window = 150});
    // All keys are far before every window.
    check<T>({.queries = 3, .keys = 9, .head = 64, .causal = at, .offset = 1 << 29, .window = 1, .mask = kFloat});
    // A warp's last row sees one key of a tile; its first row sees all of a tile that the window takes from its last.
    check<T>({.queries = 70, .keys = 70, .head = 64, .causal = at, .offset = 1});
    check<T>({.queries = 32, .keys = 200, .head = 64, .causal = at, .offset = 191, .window = 128});
    // Padding; lengths are limited to 0 .. keys.
    check<T>({.queries = 10, .keys = 140, .head = 64, .batch = 5, .lengths = {0, 1, 64, 139, 500}});
    check<T>({.queries = 40, .keys = 140, .head = 64, .batch = 3, .causal = end, .lengths = {-3, 65, 100}});
    check<T>({.queries = 40, .keys = 90, .head = 128, .batch = 2, .causal = at, .offset = 5, .lengths = {20, 90}});
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
    check<T>({.queries = 5, .keys = 70, .head = 64, .mask = kFloat, .hidden = std::numeric_limits<float>::lowest()});
    check<T>({.queries = 70, .keys = 70, .head = 256, .causal = at, .softcap = 50, .deviation = 100});
    check<T>({.queries = 5, .keys = 70, .head = 64, .scale = -0.2});
    // 0 in fp32: all keys that are seen weigh the same.
    check<T>({.queries = 5, .keys = 70, .head = 64, .causal = end, .scale = 1e-50});
    // Grouped heads, layouts, alignment.
    for (Layout layout : {kHeadsFirst, kRowsFirst, kPacked, kPadded}) {
        check<T>({.queries = 33,
                  .keys = 33,
                  .head = 32,
                  .batch = 2,
                  .heads = 4,
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
    refused(invalid, "scale is -1e+39", [](auto& a) { a.scale = -1e39; });
    refused(invalid, "softcap is -1", [](auto& a) { a.softcap = -1; });
    refused(invalid, "softcap is nan", [](auto& a) { a.softcap = NAN; });
    refused(invalid, "softcap is 1e+39", [](auto& a) { a.softcap = 1e39; });
    refused(invalid, "softcap is 1e-50", [](auto& a) { a.softcap = 1e-50; });
    refused(unsupported, "mask_type 10", [](auto& a) { a.mask = a.q, a.mask_type = TENON_CUDA_F16; });
    refused(invalid, "q is null", [](auto& a) { a.q = nullptr; });
    refused(invalid, "k is null", [](auto& a) { a.k = nullptr; });
    refused(invalid, "v is null", [](auto& a) { a.v = nullptr; });
    refused(invalid, "o is null", [](auto& a) { a.o = nullptr; });
    refused(unsupported, "q spans more than 2^40 bytes", [](auto& a) { a.heads = 2, a.q_head_stride = INT64_MAX; });
    refused(unsupported, "k spans more than 2^40 bytes", [](auto& a) { a.keys = 3, a.k_row_stride = INT64_MIN; });
    refused(unsupported, "v spans more than 2^40 bytes",
            [](auto& a) { a.batch = 2, a.v_batch_stride = int64_t{1} << 38; });
    refused(unsupported, "o spans more than 2^40 bytes", [](auto& a) { a.queries = 2, a.o_row_stride = INT64_MAX; });
    auto masked = [](auto& a) {
        a.mask = a.q, a.mask_type = TENON_CUDA_F32;
        a.mask_batch_stride = a.mask_head_stride = a.mask_row_stride = INT64_MAX;
    };
    refused(unsupported, "mask spans more than 2^40 bytes", [&](auto& a) { masked(a), a.queries = 2; });
    refused(unsupported, "more than 2^31 - 1 blocks", [](auto& a) { a.batch = 1 << 20, a.heads = 1 << 11; });
    refused(unsupported, "more than 2^31 - 1 blocks",
            [](auto& a) { a.type = TENON_CUDA_F16, a.batch = a.heads = a.queries = 1 << 29; });
}

// Strides along axes of one element do not matter.
void check_single_query() {
    where = "attention single query";
    Buffer<float> x(64), o(64), mask(1);
    for (int64_t i = 0; i < 64; i++) x[i] = static_cast<float>(i);
    mask[0] = 1;
    tenon_cuda_device device = ampere();
    tenon_cuda_attention a{};
    a.q = a.k = a.v = x.data();
    a.o = o.data();
    a.mask = mask.data();
    a.type = a.mask_type = TENON_CUDA_F32;
    a.batch = a.heads = a.kv_heads = a.queries = a.keys = 1;
    a.head_size = a.value_size = 64;
    a.scale = 1;
    a.mask_batch_stride = a.mask_head_stride = a.mask_row_stride = INT64_MAX;
    run([&](tenon_cuda_plan* plan) { return tenon_cuda_attention_plan(&a, &device, plan); }, 1);
    for (int64_t i = 0; i < 64; i++) {
        if (o[i] != x[i]) fail("o[%lld] is %g; expected %g", (long long)i, o[i], x[i]);
    }
}

}  // namespace

int main() {
    check_instances<float>();
    check_instances<f16>();
    check_instances<bf16>();
    check_features<float>();
    check_features<bf16>();
    check_refusals();
    check_single_query();
    return result("tenon_attention_mma");
}
