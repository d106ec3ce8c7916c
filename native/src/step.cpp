#include "step.h"

#include "status.h"

namespace tenon {

StepState::~StepState() {
    for (const dnnl_exec_arg_t& arg : args) dnnl_memory_destroy(arg.memory);
}

void PrimitiveStep::prepare(StepState& state) const {
    for (const Argument& a : arguments_) {
        dnnl_memory_t memory = nullptr;
        check_dnnl(dnnl_memory_create(&memory, a.desc.get(), dnnl_cpu_engine(), DNNL_MEMORY_NONE), "memory_create");
        state.args.push_back({a.arg, memory});
    }
}

void PrimitiveStep::rebind(StepState& state) const {
    for (size_t i = 0; i < arguments_.size(); ++i) {
        dnnl_memory_set_data_handle(state.args[i].memory, state.addresses[arguments_[i].operand]);
    }
}

tenon_status PrimitiveStep::run(StepState& state, tenon_error* err) const {
    const dnnl_status_t status =
        dnnl_primitive_execute(primitive_.get(), state.stream, static_cast<int>(state.args.size()), state.args.data());
    if (status == dnnl_success) return TENON_OK;
    return report(err, status == dnnl_out_of_memory ? TENON_OUT_OF_MEMORY : TENON_BACKEND_FAILURE,
                  ("oneDNN failed in step " + name).c_str());
}

}  // namespace tenon
