// Softmax and the normalisations.
#include "norm/norm.h"

#include "../add_call.h"
#include "../lowering.h"
#include "epilogue.h"
#include "softmax/softmax.h"

namespace tenon {
namespace {

class SoftmaxNode final : public Node {
  public:
    SoftmaxNode(const tenon_softmax_params& a, int64_t size, int64_t inner)
        : Node("softmax", {static_cast<int>(a.src)}, {static_cast<int>(a.dst)}),
          log_(a.log != 0),
          size_(size),
          inner_(inner) {}

    void lower(Lowering& l) const override {
        const cpu::SoftmaxKernels& kernels = cpu::select_softmax(l.engine().isa());
        const Value& dst = l.value(writes[0]);
        const int64_t lanes = dst.elements / size_;
        const int threads = l.threads_for(static_cast<double>(dst.elements) * 40, static_cast<double>(dst.bytes) * 2);
        const int from = l.plain(reads[0]);
        int to = l.define_over(writes[0], reads[0], from);
        if (to < 0) to = l.define(writes[0]);
        l.add_kernel(
            {{from, false}, {to, true}}, threads, dst.elements * 5,
            std::string("tenon_softmax:") + cpu::isa_name(kernels.isa),
            [size = size_, inner = inner_, log = log_, lanes, threads, &kernels](void* const* p, tenon_error*) {
                const float* x = static_cast<const float*>(p[0]);
                float* y = static_cast<float*>(p[1]);
                if (inner == 1) {
                    const cpu::SoftmaxParams params{x, y, size, 1.0f, log, nullptr, 1, 1, 0, 0};
                    parallel_ranges(threads, lanes, 1, [&](int64_t b, int64_t e) { kernels.rows(params, b, e); });
                } else {
                    const cpu::SoftmaxAxisParams params{x, y, size, inner, log};
                    parallel_ranges(threads, lanes, 16, [&](int64_t b, int64_t e) { kernels.axis(params, b, e); });
                }
                return TENON_OK;
            });
    }

  private:
    const bool log_;
    const int64_t size_, inner_;
};

std::vector<int> present(std::initializer_list<int64_t> ids) {
    std::vector<int> result;
    for (int64_t id : ids) {
        if (id >= 0) result.push_back(static_cast<int>(id));
    }
    return result;
}

class RowNormNode final : public Node {
  public:
    RowNormNode(const tenon_layer_norm_params& a, int64_t cols, bool rms)
        : Node(rms ? "rms_norm" : "layer_norm", present({a.src, a.residual, a.scale, a.bias}),
               present({a.dst, a.sum_out, a.mean_out, a.inv_std_out})),
          params_(a),
          cols_(cols),
          rms_(rms) {}

    void lower(Lowering& l) const override {
        const cpu::NormKernels& kernels = cpu::select_norm(l.engine().isa());
        const Value& src = l.value(reads[0]);
        const int64_t rows = src.elements / cols_;
        std::vector<Operand> operands;
        // Position of each pointer among the operands; -1: NULL.
        Positions at{};
        const auto read = [&](int64_t id) {
            if (id < 0) return -1;
            operands.push_back({l.plain(static_cast<int>(id)), false});
            return static_cast<int>(operands.size()) - 1;
        };
        const auto write = [&](int64_t id) {
            if (id < 0) return -1;
            operands.push_back({l.define(static_cast<int>(id)), true});
            return static_cast<int>(operands.size()) - 1;
        };
        at.x = read(params_.src);
        at.residual = read(params_.residual);
        at.scale = read(params_.scale);
        at.bias = read(params_.bias);
        int over = -1;
        if (params_.sum_out < 0) over = l.define_over(writes[0], reads[0], operands[at.x].buffer);
        if (over >= 0) operands.push_back({over, true});
        at.y = over >= 0 ? static_cast<int>(operands.size()) - 1 : write(params_.dst);
        at.sum = write(params_.sum_out);
        at.mean = write(params_.mean_out);
        at.inv_std = write(params_.inv_std_out);
        const int threads = l.threads_for(static_cast<double>(src.elements) * 20, static_cast<double>(src.bytes) * 2);
        const auto run = rms_ ? kernels.rms_norm : kernels.layer_norm;
        const float epsilon = static_cast<float>(params_.epsilon);
        l.add_kernel(operands, threads, src.elements * 8, std::string("tenon_norm:") + cpu::isa_name(kernels.isa),
                     [at, rows, cols = cols_, epsilon, threads, run](void* const* p, tenon_error*) {
                         const auto f = [&](int i) { return i < 0 ? nullptr : static_cast<float*>(p[i]); };
                         const cpu::RowNormParams params{f(at.x),   f(at.residual), f(at.scale),   f(at.bias), f(at.y),
                                                         f(at.sum), f(at.mean),     f(at.inv_std), cols,       epsilon};
                         parallel_ranges(threads, rows, 1, [&](int64_t b, int64_t e) { run(params, b, e); });
                         return TENON_OK;
                     });
    }

  private:
    struct Positions {
        int x, residual, scale, bias, y, sum, mean, inv_std;
    };
    const tenon_layer_norm_params params_;
    const int64_t cols_;
    const bool rms_;
};

class GroupNormNode final : public Node {
  public:
    GroupNormNode(const tenon_group_norm_params& a, int dst)
        : Node("group_norm", present({a.src, a.scale, a.bias}), {dst}), params_(a) {}

    void lower(Lowering& l) const override {
        const cpu::NormKernels& kernels = cpu::select_norm(l.engine().isa());
        const Value& src = l.value(reads[0]);
        const int64_t channels = src.dims[1], groups = params_.groups;
        const int64_t inner = src.elements / (src.dims[0] * channels);
        const int64_t rows = src.dims[0] * groups;
        std::vector<Operand> operands{{l.plain(reads[0]), false}};
        const bool has_scale = params_.scale >= 0, has_bias = params_.bias >= 0;
        if (has_scale) operands.push_back({l.plain(static_cast<int>(params_.scale)), false});
        if (has_bias) operands.push_back({l.plain(static_cast<int>(params_.bias)), false});
        int to = l.define_over(writes[0], reads[0], operands[0].buffer);
        if (to < 0) to = l.define(writes[0]);
        operands.push_back({to, true});
        const int threads = l.threads_for(static_cast<double>(src.elements) * 20, static_cast<double>(src.bytes) * 2);
        const float epsilon = static_cast<float>(params_.epsilon);
        l.add_kernel(operands, threads, src.elements * 8, std::string("tenon_norm:") + cpu::isa_name(kernels.isa),
                     [=, run = kernels.group_norm](void* const* p, tenon_error*) {
                         cpu::GroupNormParams params{};
                         params.x = static_cast<const float*>(*p++);
                         params.scale = has_scale ? static_cast<const float*>(*p++) : nullptr;
                         params.bias = has_bias ? static_cast<const float*>(*p++) : nullptr;
                         params.y = static_cast<float*>(*p);
                         params.channels = channels;
                         params.groups = groups;
                         params.inner = inner;
                         params.epsilon = epsilon;
                         parallel_ranges(threads, rows, 1, [&](int64_t b, int64_t e) { run(params, b, e); });
                         return TENON_OK;
                     });
    }

  private:
    const tenon_group_norm_params params_;
};

void check_optional(const tenon_program& p, int64_t id, int64_t elements, const char* what) {
    if (id < 0) return;
    const Value& v = p.value(id, what);
    require_dtype(v, TENON_F32, what);
    require(v.elements == elements, "%s is %s, expected %lld elements", what, dims_text(v.dims).c_str(), ll(elements));
}

void add_row_norm(tenon_program& p, const tenon_layer_norm_params& a, bool rms) {
    const Value& src = p.value(a.src, "src");
    const Value& dst = p.value(a.dst, "dst");
    require_dtype(src, TENON_F32, "src");
    require(a.axis >= 0 && a.axis < src.rank(), "axis %lld of rank %d", ll(a.axis), src.rank());
    require(dst.dims == src.dims && dst.dtype == src.dtype, "src and dst differ");
    const int64_t cols = product(Dims(src.dims.begin() + a.axis, src.dims.end()));
    require_supported(cols > 0, "nothing to normalise over");
    for (int64_t same : {a.residual, a.sum_out}) {
        if (same < 0) continue;
        require(p.value(same, "residual or sum_out").dims == src.dims && p.values[same].dtype == TENON_F32,
                "residual and sum_out must be like src");
    }
    check_optional(p, a.scale, cols, "scale");
    check_optional(p, a.bias, cols, "bias");
    check_optional(p, a.mean_out, src.elements / cols, "mean_out");
    check_optional(p, a.inv_std_out, src.elements / cols, "inv_std_out");
    require(!rms || a.mean_out < 0, "RMS norm has no mean");
    p.add_node(std::make_unique<RowNormNode>(a, cols, rms));
}

}  // namespace
}  // namespace tenon

using namespace tenon;

extern "C" {

tenon_status tenon_program_add_softmax(tenon_program* program, const char* name, const tenon_softmax_params* params,
                                       tenon_error* err) {
    return add_call(program, name, params, "softmax", err, [](tenon_program& p, const tenon_softmax_params& a) {
        const Value& src = p.value(a.src, "src");
        const Value& dst = p.value(a.dst, "dst");
        require_dtype(src, TENON_F32, "src");
        require(dst.dims == src.dims && dst.dtype == src.dtype, "src and dst differ");
        require(a.axis >= 0 && a.axis < src.rank(), "axis %lld of rank %d", ll(a.axis), src.rank());
        int64_t inner = 1;
        for (int i = static_cast<int>(a.axis) + 1; i < src.rank(); ++i) inner *= src.dims[i];
        p.add_node(std::make_unique<SoftmaxNode>(a, src.dims[a.axis], inner));
    });
}

tenon_status tenon_program_add_layer_norm(tenon_program* program, const char* name,
                                          const tenon_layer_norm_params* params, tenon_error* err) {
    return add_call(program, name, params, "layer_norm", err,
                    [](tenon_program& p, const tenon_layer_norm_params& a) { add_row_norm(p, a, false); });
}

tenon_status tenon_program_add_rms_norm(tenon_program* program, const char* name, const tenon_layer_norm_params* params,
                                        tenon_error* err) {
    return add_call(program, name, params, "rms_norm", err,
                    [](tenon_program& p, const tenon_layer_norm_params& a) { add_row_norm(p, a, true); });
}

tenon_status tenon_program_add_group_norm(tenon_program* program, const char* name,
                                          const tenon_group_norm_params* params, tenon_error* err) {
    return add_call(program, name, params, "group_norm", err, [](tenon_program& p, const tenon_group_norm_params& a) {
        const Value& src = p.value(a.src, "src");
        require_dtype(src, TENON_F32, "src");
        const Value& dst = p.value(a.dst, "dst");
        require(dst.dims == src.dims && dst.dtype == src.dtype, "src and dst differ");
        require(src.rank() >= 2 && a.groups >= 1 && src.dims[1] % a.groups == 0, "%lld groups for src %s", ll(a.groups),
                dims_text(src.dims).c_str());
        check_optional(p, a.scale, src.dims[1], "scale");
        check_optional(p, a.bias, src.dims[1], "bias");
        const int result = static_cast<int>(a.dst);
        const std::vector<tenon_post_op> ops = parse_post_ops(p, a.post_ops, a.post_op_count, p.values[result]);
        for (const tenon_post_op& op : ops) require(op.kind == TENON_POST_ACTIVATION, "only activations as post-ops");
        const int target = epilogue_target(p, ops, 0, result);
        p.add_node(std::make_unique<GroupNormNode>(a, target));
        finish_epilogue(p, ops, 0, target, result);
    });
}
}
