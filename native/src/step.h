// Steps: what a run executes, one after the other.
#pragma once

#include <dnnl.h>

#include <functional>
#include <string>
#include <vector>

#include "onednn.h"
#include "tenon/tenon.h"

namespace tenon {

struct Operand {
    int buffer;
    bool write;
    int64_t bytes = -1;  // that the step touches, where that is not all of the buffer; for people
};

// Resolved addresses of one step in one context, and what the step keeps there.
struct StepState {
    void** addresses = nullptr;  // one per operand
    dnnl_stream_t stream = nullptr;
    std::vector<dnnl_exec_arg_t> args;
    StepState() = default;
    StepState(StepState&& other) noexcept
        : addresses(other.addresses), stream(other.stream), args(std::move(other.args)) {
        other.args.clear();
    }
    StepState(const StepState&) = delete;
    StepState& operator=(const StepState&) = delete;
    StepState& operator=(StepState&&) = delete;
    ~StepState();
};

class Step {
  public:
    virtual ~Step() = default;
    // Makes what a context needs; addresses are not known yet.
    virtual void prepare(StepState&) const {}
    // Addresses have changed.
    virtual void rebind(StepState&) const {}
    virtual tenon_status run(StepState& state, tenon_error* err) const = 0;

    std::vector<Operand> operands;
    int threads = 1;
    int call = -1;
    int64_t flops = 0;
    int64_t bytes_read = 0;
    int64_t bytes_written = 0;
    std::string kind, name, implementation, layouts;
};

// One oneDNN primitive.
class PrimitiveStep final : public Step {
  public:
    struct Argument {
        int arg;      // DNNL_ARG_*
        int operand;  // position in operands
        MemoryDesc desc;
    };
    PrimitiveStep(Primitive primitive, std::vector<Argument> arguments)
        : primitive_(std::move(primitive)), arguments_(std::move(arguments)) {}
    void prepare(StepState& state) const override;
    void rebind(StepState& state) const override;
    tenon_status run(StepState& state, tenon_error* err) const override;

  private:
    Primitive primitive_;
    std::vector<Argument> arguments_;
};

// A function of the operands' addresses. It must not throw, allocate or lock.
class KernelStep final : public Step {
  public:
    using Function = std::function<tenon_status(void* const* addresses, tenon_error* err)>;
    explicit KernelStep(Function function) : function_(std::move(function)) {}
    tenon_status run(StepState& state, tenon_error* err) const override { return function_(state.addresses, err); }

  private:
    Function function_;
};

}  // namespace tenon
