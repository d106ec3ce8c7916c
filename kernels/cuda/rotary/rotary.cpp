#include "rotary/rotary.h"

#include "common/planner.h"
#include "rotary/rotary_params.h"

using namespace tenon::cuda;

int32_t tenon_cuda_rotary_plan(const tenon_cuda_rotary* args, const tenon_cuda_device*, tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_rotary& a = *args;
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    if (a.table_type != a.type && a.table_type != TENON_CUDA_F32) {
        return planner.unsupported("table_type %lld; expected the type of q or F32", (long long)a.table_type);
    }
    if (a.positions && a.positions_type != TENON_CUDA_I32 && a.positions_type != TENON_CUDA_I64) {
        return planner.unsupported("positions_type %lld; expected I32 or I64", (long long)a.positions_type);
    }
    if (a.interleaved != 0 && a.interleaved != 1) {
        return planner.invalid("interleaved is %lld; expected 0 or 1", (long long)a.interleaved);
    }
    const struct {
        const char* name;
        int64_t value;
    } sizes[] = {{"batch", a.batch},
                 {"sequence", a.sequence},
                 {"q_heads", a.q_heads},
                 {"k_heads", a.k_heads},
                 {"head_size", a.head_size},
                 {"rotary", a.rotary},
                 {"max_position", a.max_position},
                 {"position_offset", a.position_offset},
                 {"position_batch_step", a.position_batch_step}};
    for (auto& s : sizes) {
        if (s.value < 0 || s.value > INT32_MAX) {
            return planner.invalid("%s is %lld; expected 0 to 2^31 - 1", s.name, (long long)s.value);
        }
    }
    if (a.rotary % 2 != 0 || a.rotary > a.head_size) {
        return planner.invalid("rotary is %lld; expected an even number up to head_size, %lld", (long long)a.rotary,
                               (long long)a.head_size);
    }
    if (a.table_stride < a.rotary / 2) {
        return planner.invalid("table_stride is %lld; expected at least rotary / 2, %lld", (long long)a.table_stride,
                               (long long)a.rotary / 2);
    }
    if (a.batch == 0 || a.sequence == 0 || a.head_size == 0 || a.q_heads + a.k_heads == 0) return planner.done();
    if (a.q_heads > 0 && (!a.q || !a.q_out)) return planner.invalid("%s is null", a.q ? "q_out" : "q");
    if (a.k_heads > 0 && (!a.k || !a.k_out)) return planner.invalid("%s is null", a.k ? "k_out" : "k");
    if (a.rotary > 0 && a.max_position > 0 && (!a.cos || !a.sin)) {
        return planner.invalid("%s is null", a.cos ? "sin" : "cos");
    }

    RotaryParams p{};
    p.tensors[0] = {a.q,
                    a.q_out,
                    a.q_batch_stride,
                    a.q_sequence_stride,
                    a.q_head_stride,
                    a.q_out_batch_stride,
                    a.q_out_sequence_stride,
                    a.q_out_head_stride,
                    a.q_heads};
    p.tensors[1] = {a.k,
                    a.k_out,
                    a.k_batch_stride,
                    a.k_sequence_stride,
                    a.k_head_stride,
                    a.k_out_batch_stride,
                    a.k_out_sequence_stride,
                    a.k_out_head_stride,
                    a.k_heads};
    if (!fits(size_of_type(a.table_type), {{a.max_position, a.table_stride}, {a.rotary / 2, 1}})) {
        return planner.unsupported("cos and sin span more than 2^40 bytes");
    }
    for (const RotaryTensor& t : p.tensors) {
        const int64_t size = size_of_type(a.type);
        if (!fits(size, {{a.batch, t.batch_stride}, {a.sequence, t.sequence_stride}, {t.heads, t.head_stride}}) ||
            !fits(size, {{a.batch, t.y_batch_stride}, {a.sequence, t.y_sequence_stride}, {t.heads, t.y_head_stride}})) {
            return planner.unsupported("%s spans more than 2^40 bytes", &t == p.tensors ? "q or q_out" : "k or k_out");
        }
    }
    const int64_t vector = 16 / size_of_type(a.type);
    bool vectors = a.rotary % (2 * vector) == 0 && aligned(a.cos, 16) && aligned(a.sin, 16) &&
                   a.table_stride % (16 / size_of_type(a.table_type)) == 0;
    bool copies = false;
    for (const RotaryTensor& t : p.tensors) {
        if (t.heads == 0) continue;
        copies = copies || t.x != t.y;
        vectors = vectors && aligned(t.x, 16) && aligned(t.y, 16);
        // The stride of a dimension of one counts for nothing.
        const int64_t counts[] = {a.batch, a.sequence, t.heads, a.batch, a.sequence, t.heads};
        const int64_t strides[] = {t.batch_stride,   t.sequence_stride,   t.head_stride,
                                   t.y_batch_stride, t.y_sequence_stride, t.y_head_stride};
        for (int i = 0; i < 6; i++) vectors = vectors && (counts[i] == 1 || strides[i] % vector == 0);
    }
    copies = copies && a.rotary < a.head_size;
    vectors = vectors && (!copies || a.head_size % vector == 0);

    const int64_t n = vectors ? vector : 1;
    const int64_t rotary_units = a.rotary / 2 / n, units = rotary_units + (copies ? (a.head_size - a.rotary) / n : 0);
    const int64_t q_groups = divide_up(a.q_heads, kRotaryHeads), k_groups = divide_up(a.k_heads, kRotaryHeads);
    if (units == 0) return planner.done();
    const double work = static_cast<double>(a.batch) * static_cast<double>(a.sequence) *
                        static_cast<double>(q_groups + k_groups) * static_cast<double>(units);
    if (work > INT32_MAX) return planner.unsupported("work for %.0f threads; at most 2^31 - 1 fit a launch", work);
    p.cos = a.cos;
    p.sin = a.sin;
    p.positions = a.positions;
    p.table_stride = a.table_stride;
    p.max_position = a.max_position;
    p.position_offset = a.position_offset;
    p.position_batch_step = a.position_batch_step;
    p.token_work = static_cast<uint32_t>((q_groups + k_groups) * units);
    p.work = static_cast<uint32_t>(a.batch * a.sequence) * p.token_work;
    p.units = static_cast<uint32_t>(units);
    p.rotary_units = static_cast<uint32_t>(rotary_units);
    p.q_groups = static_cast<uint32_t>(q_groups);
    p.sequence = static_cast<uint32_t>(a.sequence);
    p.rotary = static_cast<int32_t>(a.rotary);
    p.interleaved = static_cast<int32_t>(a.interleaved);
    p.table_f32 = a.table_type == TENON_CUDA_F32;
    p.wide_positions = a.positions_type == TENON_CUDA_I64;

    static const char* const names[3][2] = {{"tenon_rotary_vector_f32", "tenon_rotary_any_f32"},
                                            {"tenon_rotary_vector_f16", "tenon_rotary_any_f16"},
                                            {"tenon_rotary_vector_bf16", "tenon_rotary_any_bf16"}};
    int type = a.type == TENON_CUDA_F32 ? 0 : a.type == TENON_CUDA_F16 ? 1 : 2;
    planner.launch(names[type][vectors ? 0 : 1], {divide_up(p.work, kRotaryThreads)}, kRotaryThreads, 0, p);
    return planner.done();
}
