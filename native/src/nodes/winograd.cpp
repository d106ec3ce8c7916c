#include "winograd.h"

#include <algorithm>
#include <cmath>

#include "winograd/winograd.h"

namespace tenon {
namespace {

using cpu::WinogradShape;

WinogradShape sizes_of(const Lowering& l, const ConvShape& s) {
    const Dims& src = l.value(s.src).dims;
    return {src[0],          src[1],          src[2],        src[3],       l.value(s.dst).dims[1],
            s.pads_begin[0], s.pads_begin[1], s.pads_end[0], s.pads_end[1]};
}

// Post-ops as [add a value of the result's size] [relu or clip]; false for all others.
struct Epilogue {
    int residual = -1;
    float low = -INFINITY;
    float high = INFINITY;
};

bool parse(const Lowering& l, const ConvShape& s, const std::vector<tenon_post_op>& ops, Epilogue* out) {
    size_t i = 0;
    if (i < ops.size() && ops[i].kind == TENON_POST_ADD &&
        l.value(static_cast<int>(ops[i].value)).dims == l.value(s.dst).dims) {
        out->residual = static_cast<int>(ops[i++].value);
    }
    if (i < ops.size() && ops[i].kind == TENON_POST_ACTIVATION) {
        if (ops[i].function == TENON_FN_RELU) {
            out->low = 0;
        } else if (ops[i].function == TENON_FN_CLIP) {
            out->low = static_cast<float>(ops[i].alpha);
            out->high = static_cast<float>(ops[i].beta);
        } else {
            return false;
        }
        ++i;
    }
    return i == ops.size();
}

bool all_are(const Dims& values, int64_t wanted) {
    return std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == wanted; });
}

bool none_negative(const Dims& values) {
    return std::all_of(values.begin(), values.end(), [](int64_t v) { return v >= 0; });
}

}  // namespace

// oneDNN works in blocks of 16 channels, the kernels' layout, from AVX-512 on; with less, reorders would eat the gain.
bool winograd_applies(const Lowering& l, const ConvShape& s, const std::vector<tenon_post_op>& ops) {
    const tenon_engine& engine = l.engine();
    const Value& weights = l.value(s.weights);
    Epilogue epilogue;
    if (engine.exact() || engine.isa() < cpu::Isa::avx512 || s.transposed || s.groups != 1 || weights.rank() != 4 ||
        weights.dims[2] != 3 || weights.dims[3] != 3 || weights.role != TENON_ROLE_CONSTANT || !all_are(s.strides, 1) ||
        !all_are(s.dilations, 1) || !none_negative(s.pads_begin) || !none_negative(s.pads_end) ||
        !parse(l, s, ops, &epilogue)) {
        return false;
    }
    const WinogradShape sizes = sizes_of(l, s);
    return cpu::winograd_unsupported(sizes) == nullptr && cpu::winograd_is_profitable(sizes, engine.threads());
}

int winograd_residual(const Lowering& l, const ConvShape& s, const std::vector<tenon_post_op>& ops) {
    Epilogue epilogue;
    return parse(l, s, ops, &epilogue) ? epilogue.residual : -1;
}

void lower_winograd(Lowering& l, const ConvShape& s, const std::vector<tenon_post_op>& ops, bool overwrite_residual) {
    Epilogue epilogue;
    parse(l, s, ops, &epilogue);
    const WinogradShape sizes = sizes_of(l, s);
    const int threads = l.engine().threads();
    const cpu::WinogradTile tile = cpu::winograd_best_tile(sizes, threads);
    const cpu::WinogradPlan plan = cpu::winograd_plan(sizes, tile, threads, l.engine().isa());
    const Value& dst_value = l.value(s.dst);
    const MemoryDesc src_desc = MemoryDesc::tagged(l.value(s.src).dims, dnnl_nChw16c);
    const MemoryDesc dst_desc = MemoryDesc::tagged(dst_value.dims, dnnl_nChw16c);

    const std::string name = tile == cpu::WinogradTile::f4x4 ? "f4x4" : "f2x2";
    const int64_t packed_bytes = cpu::winograd_packed_bytes(sizes, tile);
    const void* packed = l.engine().packed_own(
        l.value(s.weights).index, "winograd " + name, packed_bytes, [&](const void* plain, void* to) {
            parallel_ranges(threads, cpu::winograd_pack_slices(sizes), 1, [&](int64_t begin, int64_t end) {
                cpu::winograd_pack(sizes, tile, static_cast<const float*>(plain), static_cast<float*>(to), begin, end);
            });
        });
    std::vector<Operand> operands{{l.as(s.src, src_desc), false},
                                  {l.constant_memory(packed, packed_bytes, s.weights), false}};
    const bool has_bias = s.bias >= 0, has_residual = epilogue.residual >= 0;
    if (has_bias) operands.push_back({l.plain(s.bias), false});
    int dst = -1;
    if (has_residual) {
        const int buffer = l.as(epilogue.residual, dst_desc);
        if (overwrite_residual) dst = l.define_over(s.dst, epilogue.residual, buffer, dst_desc);
        operands.push_back({buffer, false});
    }
    if (dst < 0) dst = l.define(s.dst, dst_desc);
    operands.push_back({dst, true});
    operands.push_back({l.scratch(std::max<int64_t>(plan.scratch_bytes, kCacheLine)), true});
    const int64_t flops = 18 * dst_value.elements * sizes.in_channels;
    l.add_kernel(
        std::move(operands), threads, flops, "tenon_winograd_" + name + ":" + cpu::isa_name(plan.isa),
        [plan, threads, has_bias, has_residual, low = epilogue.low, high = epilogue.high](void* const* p,
                                                                                          tenon_error*) {
            cpu::WinogradArgs args{};
            args.src = static_cast<const float*>(*p++);
            args.packed = static_cast<const float*>(*p++);
            args.bias = has_bias ? static_cast<const float*>(*p++) : nullptr;
            args.residual = has_residual ? static_cast<const float*>(*p++) : nullptr;
            args.dst = static_cast<float*>(*p++);
            args.scratch = static_cast<float*>(*p);
            args.low = low;
            args.high = high;
            for (int64_t phase = 0; phase < plan.phases; ++phase) {
                parallel_ranges(threads, threads, 1, [&](int64_t begin, int64_t end) {
                    for (int64_t t = begin; t < end; ++t) cpu::winograd_run(plan, args, phase, t);
                });
            }
            return TENON_OK;
        },
        nullptr, src_desc.text() + "->" + dst_desc.text());
}

}  // namespace tenon
