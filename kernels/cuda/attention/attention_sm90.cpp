#include <algorithm>
#include <cstddef>

#include "attention/attention_sm90_params.h"

namespace tenon::cuda {

namespace {

// Describes x [batch, heads, rows, columns] to the copy engine, in boxes of one panel of `box_rows` rows. False when
// the copy engine cannot address it.
bool describe(tenon_cuda_tensor_map& map, size_t params_offset, int64_t type, const void* x, const int64_t (&dims)[4],
              const int64_t (&strides)[4], int64_t box_rows) {
    map = {};
    map.params_offset = static_cast<int64_t>(params_offset);
    map.type = type;
    map.rank = 4;
    map.swizzle_bytes = 128;
    map.address = x;
    map.strides_bytes[0] = 2;
    for (int i = 0; i < 4; i++) {
        map.dims[i] = dims[i];
        map.box[i] = i == 0 ? 64 : i == 1 ? box_rows : 1;
        if (i == 0) continue;
        // Nothing steps along a dimension of one element, but its stride has to be a legal one: as if the dimension
        // before had one element, too. (That strides grow from dimension to dimension, as cuTensorMapEncodeTiled's text
        // has it, the driver does not ask for: those of FlashAttention-3's maps of [B, S, H, D] tensors do not either.)
        const int64_t stride = dims[i] > 1 ? strides[i] : i == 1 ? dims[0] : map.strides_bytes[i - 1] / 2;
        if (stride <= 0) return false;  // from 2^39 on the launcher has refused it
        map.strides_bytes[i] = stride * 2;
    }
    return dims[1] == 1 || strides[1] >= dims[0];
}

}  // namespace

bool plan_attention_sm90(const tenon_cuda_attention& a, const tenon_cuda_device& device, AttentionParams p,
                         Planner& planner) {
    // Below 64 queries one of the warpgroups would idle; the mma kernels have smaller tiles.
    if (a.type == TENON_CUDA_F32 || !p.vectors || p.adjust || a.queries < 64) return false;
    int64_t size = std::max(a.head_size, a.value_size);
    AttentionSm90Tile tile = attention_sm90_tile(size <= 64 ? 64 : size <= 128 ? 128 : 256);
    if (tile.shared_bytes > device.shared_bytes_per_block || !divide_attention(p, a, device, tile.rows)) return false;

    tenon_cuda_tensor_map maps[3];
    if (!describe(maps[0], offsetof(AttentionSm90Params, q), a.type, a.q, {a.head_size, a.queries, a.heads, a.batch},
                  {1, a.q_row_stride, a.q_head_stride, a.q_batch_stride}, tile.rows) ||
        !describe(maps[1], offsetof(AttentionSm90Params, k), a.type, a.k, {a.head_size, a.keys, a.kv_heads, a.batch},
                  {1, a.k_row_stride, a.k_head_stride, a.k_batch_stride}, tile.keys) ||
        !describe(maps[2], offsetof(AttentionSm90Params, v), a.type, a.v, {a.value_size, a.keys, a.kv_heads, a.batch},
                  {1, a.v_row_stride, a.v_head_stride, a.v_batch_stride}, tile.keys)) {
        return false;
    }

    AttentionSm90Params params{};
    params.p = p;
    int64_t blocks = int64_t{p.all_heads} * p.query_tiles;
    params.blocks = static_cast<uint32_t>(blocks);
    static const char* const names[3][2] = {{"tenon_attention_sm90_64_bf16", "tenon_attention_sm90_64_f16"},
                                            {"tenon_attention_sm90_128_bf16", "tenon_attention_sm90_128_f16"},
                                            {"tenon_attention_sm90_256_bf16", "tenon_attention_sm90_256_f16"}};
    const char* name = names[tile.head / 128][a.type == TENON_CUDA_F16];
    // Equal pieces of work: as many blocks as run at once, so that the next piece's first copies overlap with the end
    // of the last one. Unequal ones: the GPU gives the next piece, the longest left, to whichever block slot is free.
    int64_t grid = a.causal || a.kv_lengths ? blocks : std::min(blocks, device.multiprocessors);
    tenon_cuda_launch& launch = planner.launch(name, {grid}, tile.threads, tile.shared_bytes, params);
    launch.tensor_map_count = 3;
    std::copy(maps, maps + 3, launch.tensor_maps);
    return true;
}

}  // namespace tenon::cuda
