#include "decode_attention/decode_attention.h"

#include <cmath>
#include <initializer_list>

#include "common/planner.h"
#include "decode_attention/decode_attention_params.h"

using namespace tenon::cuda;

namespace {

// How many parts each sequence should have for the least time, all being of max_length keys: the numbers that come
// closest to 1 ... 16 blocks for each multiprocessor, which runs `resident` of them at a time, are tried. The unit of
// time is what a multiprocessor at its share of the memory's bandwidth takes for a key. The constants are rough: the
// bytes that this share brings while a block starts and ends, and while the combining kernel is launched and runs; and
// how much of the share one block can use.
int64_t choose_splits(int64_t blocks_per_split, int64_t max_length, int64_t key_bytes, int64_t multiprocessors,
                      int64_t resident) {
    const double block_start = 16384.0 / static_cast<double>(key_bytes);
    const double combining = 98304.0 / static_cast<double>(key_bytes);
    const double block_share = 0.4;
    auto time_of = [&](int64_t blocks) {  // that run at the same time, for each key of a block
        double together = static_cast<double>(blocks), slowest = 1 / block_share;
        return blocks == 0 ? 0 : together > slowest ? together : slowest;
    };
    // One long sequence among short ones must not be left to few blocks.
    const int64_t least = divide_up(max_length, 4096), most = divide_up(max_length, 2 * kSplitKeys);
    if (blocks_per_split >= 16 * multiprocessors) return least;
    int64_t best = least;
    double best_time = INFINITY;
    for (int64_t wanted = 1; wanted <= 16; wanted++) {
        int64_t splits = wanted * multiprocessors / blocks_per_split;
        splits = splits < least ? least : splits > most ? most : splits;
        int64_t keys = divide_up(divide_up(max_length, splits), kSplitKeys) * kSplitKeys;
        int64_t blocks = divide_up(blocks_per_split * divide_up(max_length, keys), multiprocessors);
        double waves = static_cast<double>(blocks / resident) * time_of(resident) + time_of(blocks % resident);
        double time = waves * (static_cast<double>(keys) + block_start) + (splits > 1 ? combining : 0);
        if (time < best_time) best = splits, best_time = time;
    }
    return best;
}

// The name of a tensor that spans more than plan.h allows, or null. How many pages there are is not known: a block
// table's pages may lie anywhere.
const char* too_wide(const tenon_cuda_decode_attention& a) {
    const int64_t pages = a.block_table ? 2 : a.batch, tokens = a.block_table ? a.page_size : a.max_length;
    const struct {
        const char* name;
        int64_t type;
        Stride outer, rows, heads;
    } tensors[] = {
        {"q", a.type, {a.batch, a.q_batch_stride}, {a.rows, a.q_row_stride}, {a.heads, a.q_head_stride}},
        {"o", a.type, {a.batch, a.o_batch_stride}, {a.rows, a.o_row_stride}, {a.heads, a.o_head_stride}},
        {"k", a.cache_type, {pages, a.k_page_stride}, {tokens, a.k_token_stride}, {a.kv_heads, a.k_head_stride}},
        {"v", a.cache_type, {pages, a.v_page_stride}, {tokens, a.v_token_stride}, {a.kv_heads, a.v_head_stride}}};
    for (auto& t : tensors) {
        if (!fits(size_of_type(t.type), {t.outer, t.rows, t.heads, {a.head_size, 1}})) return t.name;
    }
    return a.block_table && !fits(4, {Stride{a.batch, a.table_stride}}) ? "block_table" : nullptr;
}

}  // namespace

int32_t tenon_cuda_decode_attention_plan(const tenon_cuda_decode_attention* args, const tenon_cuda_device* device,
                                         tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_decode_attention& a = *args;
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    const bool narrow = a.cache_type == TENON_CUDA_F8E4M3;
    if (a.cache_type != a.type && !(narrow && a.type != TENON_CUDA_F32)) {
        return planner.unsupported("cache_type %lld; expected type, or F8E4M3 with F16 or BF16",
                                   (long long)a.cache_type);
    }
    const struct {
        const char* name;
        int64_t value, low, high;
    } ranges[] = {{"batch", a.batch, 0, 65535},
                  {"rows", a.rows, 0, 65535},
                  {"heads", a.heads, 1, 65535},
                  {"kv_heads", a.kv_heads, 1, 65535},
                  {"head_size", a.head_size, 1, INT32_MAX},
                  {"max_length", a.max_length, 0, INT32_MAX - 65535},
                  {"window", a.window, 0, INT64_MAX},
                  {"splits", a.splits, 0, 65535}};
    for (auto& r : ranges) {
        if (r.value < r.low || r.value > r.high) {
            return planner.invalid("%s is %lld; expected %lld to %lld", r.name, (long long)r.value, (long long)r.low,
                                   (long long)r.high);
        }
    }
    if (a.heads % a.kv_heads != 0) {
        return planner.invalid("heads is %lld; expected a multiple of the %lld kv_heads", (long long)a.heads,
                               (long long)a.kv_heads);
    }
    if (a.head_size > kMaxHeadSize) {
        return planner.unsupported("head_size %lld; expected up to %d", (long long)a.head_size, kMaxHeadSize);
    }
    if (!(std::fabs(a.scale) < 1e38)) return planner.invalid("scale is %g; expected a magnitude below 1e38", a.scale);
    // So that its reciprocal is finite in fp32, too.
    if (a.softcap != 0 && !(a.softcap > 1e-30 && a.softcap < 1e30)) {
        return planner.invalid("softcap is %g; expected 0 or a number between 1e-30 and 1e30", a.softcap);
    }
    if (a.batch == 0 || a.rows == 0) return planner.done();
    const struct {
        const char* name;
        const void* pointer;
    } pointers[] = {{"q", a.q}, {"o", a.o}, {"lengths", a.lengths}, {"k", a.k}, {"v", a.v}};
    for (auto& p : pointers) {
        bool cache = p.pointer == a.k || p.pointer == a.v;
        if (!p.pointer && !(cache && a.max_length == 0)) return planner.invalid("%s is null", p.name);
    }
    int32_t page_shift = 31;
    if (a.block_table) {
        if (a.page_size < 1) return planner.invalid("page_size is %lld; expected 1 or more", (long long)a.page_size);
        if (a.page_size > int64_t{1} << 30 || (a.page_size & (a.page_size - 1)) != 0) {
            return planner.unsupported("page_size %lld; expected a power of two up to 2^30", (long long)a.page_size);
        }
        for (page_shift = 0; int64_t{1} << page_shift < a.page_size;) page_shift++;
        if (a.table_stride < divide_up(a.max_length, a.page_size)) {
            return planner.invalid("table_stride is %lld; max_length needs %lld pages", (long long)a.table_stride,
                                   (long long)divide_up(a.max_length, a.page_size));
        }
    }

    if (const char* name = too_wide(a)) return planner.unsupported("%s spans more than 2^40 bytes", name);

    const int64_t element = size_of_type(a.cache_type);
    // Elements that one access must bring, on tensor cores or in fp32.
    const int64_t vector = a.type == TENON_CUDA_F32 ? 4 : 8;
    bool vectors = a.head_size % vector == 0 && aligned(a.k, vector * element) && aligned(a.v, vector * element);
    for (int64_t stride :
         {a.k_page_stride, a.k_token_stride, a.k_head_stride, a.v_page_stride, a.v_token_stride, a.v_head_stride}) {
        vectors = vectors && stride % vector == 0;
    }

    // 0, 1, 2: head sizes up to 64, 128, 256.
    const int size = a.head_size <= 64 ? 0 : a.head_size <= 128 ? 1 : 2;
    const int64_t group = a.heads / a.kv_heads, rows = a.rows * group;
    static const char* const mma[3][3][2] = {
        {{"tenon_decode_attention_mma_f16_64_8", "tenon_decode_attention_mma_f16_64_16"},
         {"tenon_decode_attention_mma_f16_128_8", "tenon_decode_attention_mma_f16_128_16"},
         {"tenon_decode_attention_mma_f16_256_8"}},
        {{"tenon_decode_attention_mma_bf16_64_8", "tenon_decode_attention_mma_bf16_64_16"},
         {"tenon_decode_attention_mma_bf16_128_8", "tenon_decode_attention_mma_bf16_128_16"},
         {"tenon_decode_attention_mma_bf16_256_8"}},
        {{"tenon_decode_attention_mma_f8e4m3_64_8", "tenon_decode_attention_mma_f8e4m3_64_16"},
         {"tenon_decode_attention_mma_f8e4m3_128_8", "tenon_decode_attention_mma_f8e4m3_128_16"},
         {"tenon_decode_attention_mma_f8e4m3_256_8"}}};
    static const char* const any[4] = {"tenon_decode_attention_any_f16", "tenon_decode_attention_any_bf16",
                                       "tenon_decode_attention_any_f8e4m3", "tenon_decode_attention_any_f32"};
    const int cache = a.type == TENON_CUDA_F32 ? 3 : narrow ? 2 : a.type == TENON_CUDA_BF16;
    const char* kernel = any[cache];
    int64_t block_rows = 4;  // query rows of a KV head that a block takes
    int64_t resident = 2;    // blocks on a multiprocessor, as the kernel's launch bounds say
    if (vectors && cache < 3) {
        bool wide = rows > 8 && size < 2;
        block_rows = wide ? 16 : 8;
        resident = wide || size == 2 ? 2 : 3;
        kernel = mma[cache][size][wide];
    } else if (vectors && size < 2) {
        block_rows = rows == 1 ? 1 : 4;
        resident = rows == 1 ? 3 : 2;
        kernel = rows == 1 ? "tenon_decode_attention_f32_1" : "tenon_decode_attention_f32_4";
    }
    const int64_t chunks = divide_up(rows, block_rows), blocks = chunks * a.kv_heads * a.batch;
    if (chunks * a.kv_heads > INT32_MAX || rows * a.kv_heads > INT32_MAX) {
        return planner.unsupported("%lld rows of %lld heads", (long long)a.rows, (long long)a.heads);
    }

    DecodeAttentionParams p{};
    p.q = a.q;
    p.k = a.k;
    p.v = a.v;
    p.o = a.o;
    p.lse = a.lse;
    p.lengths = a.lengths;
    p.block_table = a.block_table;
    p.k_scale = a.k_scale;
    p.v_scale = a.v_scale;
    p.q_batch_stride = a.q_batch_stride;
    p.q_row_stride = a.q_row_stride;
    p.q_head_stride = a.q_head_stride;
    p.o_batch_stride = a.o_batch_stride;
    p.o_row_stride = a.o_row_stride;
    p.o_head_stride = a.o_head_stride;
    p.k_page_stride = a.k_page_stride;
    p.k_token_stride = a.k_token_stride;
    p.k_head_stride = a.k_head_stride;
    p.v_page_stride = a.v_page_stride;
    p.v_token_stride = a.v_token_stride;
    p.v_head_stride = a.v_head_stride;
    p.table_stride = a.table_stride;
    p.type = static_cast<int32_t>(a.type);
    p.rows = static_cast<int32_t>(a.rows);
    p.group = static_cast<int32_t>(group);
    p.kv_heads = static_cast<int32_t>(a.kv_heads);
    p.head_size = static_cast<int32_t>(a.head_size);
    p.max_length = static_cast<int32_t>(a.max_length);
    p.page_shift = page_shift;
    p.window = a.window == 0 || a.window >= a.max_length ? INT32_MAX : static_cast<int32_t>(a.window);
    p.chunks = static_cast<int32_t>(chunks);
    p.scale = static_cast<float>(a.scale);
    p.softcap = static_cast<float>(a.softcap);

    int64_t keys = a.max_length;  // that the rows of a sequence see
    if (p.window != INT32_MAX && a.window + a.rows - 1 < keys) keys = a.window + a.rows - 1;
    int64_t splits = a.splits;
    if (splits == 0 && keys > 0)
        splits = choose_splits(blocks, keys, 2 * a.head_size * element, device->multiprocessors, resident);
    if (splits > divide_up(keys, kSplitKeys)) splits = divide_up(keys, kSplitKeys);
    if (splits > 65535) splits = 65535;  // the grid's limit
    if (splits < 1) splits = 1;
    p.splits = static_cast<int32_t>(splits);
    // A sequence shorter than max_length has as many parts where blocks are few, and fewer where the chip is full.
    int64_t min_split = divide_up(divide_up(keys, splits), kSplitKeys) * kSplitKeys;
    const int64_t few = blocks < device->multiprocessors ? 2 * kSplitKeys : 512;
    if (min_split > few) min_split = few;
    if (min_split < kSplitKeys || a.splits != 0) min_split = kSplitKeys;
    p.min_split = static_cast<int32_t>(min_split);
    const int64_t items = a.batch * a.rows * a.heads;
    if (splits > 1) {
        int64_t floats;
        if (__builtin_mul_overflow(items, splits * (a.head_size + 2), &floats) || floats > int64_t{1} << 60) {
            return planner.unsupported("%lld splits of %lld rows", (long long)splits, (long long)items);
        }
        // The states come first: they are read 8 bytes at a time.
        p.partial_state = static_cast<float*>(a.workspace);
        p.partial = p.partial_state ? p.partial_state + items * splits * 2 : nullptr;
        planner.workspace(floats * static_cast<int64_t>(sizeof(float)));
    }
    planner.launch(kernel, {chunks * a.kv_heads, splits, a.batch}, kDecodeThreads, 0, p);
    if (splits > 1) {
        // A warp for each row where that fills the chip, else a block.
        p.warps_per_row = items >= 4 * kCombineWarps * device->multiprocessors || splits < 4 ? 1 : kCombineWarps;
        planner.launch("tenon_decode_attention_combine",
                       {divide_up(a.rows * a.heads, kCombineWarps / p.warps_per_row), a.batch}, kCombineWarps * 32, 0,
                       p);
    }
    return planner.done();
}
