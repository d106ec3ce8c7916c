#include "embedding/embedding.h"

#include "common/planner.h"
#include "embedding/embedding_params.h"

using namespace tenon::cuda;

static_assert(int{TENON_CUDA_EMBEDDING_LAYER} == TENON_CUDA_NORM_LAYER &&
              int{TENON_CUDA_EMBEDDING_RMS} == TENON_CUDA_NORM_RMS && TENON_CUDA_EMBEDDING_PLAIN == kNormNone);

int32_t tenon_cuda_embedding_plan(const tenon_cuda_embedding* args, const tenon_cuda_device*, tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_embedding& a = *args;
    if (a.kind < TENON_CUDA_EMBEDDING_LAYER || a.kind > TENON_CUDA_EMBEDDING_PLAIN) {
        return planner.invalid("kind is %lld; expected 0 (layer), 1 (rms) or 2 (plain)", (long long)a.kind);
    }
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    if (a.ids_type != TENON_CUDA_I32 && a.ids_type != TENON_CUDA_I64) {
        return planner.unsupported("ids_type %lld; expected I32 or I64", (long long)a.ids_type);
    }
    if (a.kind == TENON_CUDA_EMBEDDING_PLAIN && (a.scale || a.bias)) {
        return planner.invalid("%s is given for a plain embedding", a.scale ? "scale" : "bias");
    }
    if (!(a.epsilon >= 0)) return planner.invalid("epsilon is %g; expected 0 or more", a.epsilon);
    if (a.rows < 0 || a.rows > INT32_MAX)
        return planner.invalid("rows is %lld; expected 0 to 2^31 - 1", (long long)a.rows);
    if (a.rows == 0) return planner.done();
    if (a.columns < 1 || a.columns > 1 << 30) {
        return planner.invalid("columns is %lld; expected 1 to 2^30", (long long)a.columns);
    }
    if (!a.ids || !a.y) return planner.invalid("%s is null", a.ids ? "y" : "ids");
    if (!a.words && a.word_rows > 0) return planner.invalid("words is null");
    if (a.types && !a.type_ids) return planner.invalid("types is given without type_ids");
    if (a.positions && !a.position_ids &&
        (a.sequence < 1 || a.sequence > INT32_MAX || a.position_offset < 0 || a.position_offset > INT32_MAX)) {
        return planner.invalid("sequence is %lld and position_offset %lld; expected 1 and 0 to 2^31 - 1",
                               (long long)a.sequence, (long long)a.position_offset);
    }
    const struct {
        const char* name;
        const void* pointer;
        int64_t stride, rows;
    } tensors[] = {{"words", a.words, a.words_stride, a.word_rows},
                   {"positions", a.positions, a.positions_stride, a.position_rows},
                   {"types", a.types, a.types_stride, a.type_rows},
                   {"y", a.y, a.y_stride, a.rows},
                   {"sum", a.sum, a.sum_stride, a.rows}};
    int64_t vector = 16 / size_of_type(a.type);
    bool vectors = a.columns % vector == 0 && aligned(a.scale, 16) && aligned(a.bias, 16);
    for (auto& t : tensors) {
        if (!t.pointer) continue;
        if (t.rows < 0) return planner.invalid("%s has %lld rows", t.name, (long long)t.rows);
        if (t.stride < a.columns) {
            return planner.invalid("%s_stride is %lld; expected at least the %lld columns", t.name, (long long)t.stride,
                                   (long long)a.columns);
        }
        if (!fits(size_of_type(a.type), {{t.rows, t.stride}, {a.columns, 1}})) {
            return planner.unsupported("%s spans more than 2^40 bytes", t.name);
        }
        vectors = vectors && t.stride % vector == 0 && aligned(t.pointer, 16);
    }

    EmbeddingParams p{};
    p.norm.scale = a.scale;
    p.norm.bias = a.bias;
    p.norm.y = a.y;
    p.norm.sum = a.sum;
    p.norm.rows = a.rows;
    p.norm.columns = a.columns;
    p.norm.y_stride = a.y_stride;
    p.norm.sum_stride = a.sum_stride;
    p.norm.epsilon = static_cast<float>(a.epsilon);
    p.norm.kind = static_cast<int32_t>(a.kind);
    // A table without rows may be null; any other address stands for it, since no id is good.
    p.terms[0] = {a.words ? a.words : a.ids, a.ids, a.words ? a.word_rows : 0, a.words_stride};
    p.terms[1] = {a.positions, a.position_ids, a.position_rows, a.positions_stride};
    p.terms[2] = {a.types, a.type_ids, a.type_rows, a.types_stride};
    p.error = static_cast<int32_t*>(a.error);
    p.sequence = static_cast<uint32_t>(a.sequence);
    p.position_offset = a.position_offset;
    p.wide_ids = a.ids_type == TENON_CUDA_I64;

    static const char* const names[3][3] = {
        {"tenon_embedding_warp_f32", "tenon_embedding_block_f32", "tenon_embedding_any_f32"},
        {"tenon_embedding_warp_f16", "tenon_embedding_block_f16", "tenon_embedding_any_f16"},
        {"tenon_embedding_warp_bf16", "tenon_embedding_block_bf16", "tenon_embedding_any_bf16"}};
    int type = a.type == TENON_CUDA_F32 ? 0 : a.type == TENON_CUDA_F16 ? 1 : 2;
    NormGeometry g = norm_geometry(a.rows, a.columns, vector, vectors, false);
    planner.launch(names[type][g.kernel - 1], {g.blocks}, g.threads, 0, p);
    return planner.done();
}
