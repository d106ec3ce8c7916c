// Contexts: a program at one place in memory, and the loop that runs it.
#include <time.h>

#include <vector>

#include "program.h"
#include "status.h"
#include "threads.h"

using namespace tenon;

namespace {

// An operand that lies in memory bound by the caller.
struct ExternalUse {
    int step;
    int operand;  // position in the context's address table
    int64_t offset;
};

struct Slot {
    void* address = nullptr;
    bool bound = false;
    std::vector<ExternalUse> uses;
};

uint64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<uint64_t>(t.tv_sec) * 1000000000u + static_cast<uint64_t>(t.tv_nsec);
}

struct StreamDeleter {
    void operator()(dnnl_stream_t s) const { dnnl_stream_destroy(s); }
};

}  // namespace

struct tenon_context {
  public:
    tenon_context(const tenon_program& program, char* arena);
    void bind(int64_t role, int64_t index, void* address);
    tenon_status run(int64_t from, int64_t to, const volatile int32_t* cancel, uint64_t* step_ns, tenon_error* err);

  private:
    void resolve(int step, int position, const Operand& operand, char* arena);
    Slot& slot(const Buffer& root) {
        return root.place == Buffer::Place::input ? inputs_[root.slot] : outputs_[root.slot];
    }
    bool all_bound() const;

    const tenon_program& program_;
    std::unique_ptr<dnnl_stream, StreamDeleter> stream_;
    std::vector<void*> addresses_;
    std::vector<StepState> states_;
    std::vector<Slot> inputs_, outputs_;
    bool ready_ = false;
};

tenon_context::tenon_context(const tenon_program& program, char* arena) : program_(program) {
    dnnl_stream_t stream = nullptr;
    check_dnnl(dnnl_stream_create(&stream, dnnl_cpu_engine(), dnnl_stream_default_flags), "stream_create");
    stream_.reset(stream);
    inputs_.resize(program.input_values.size());
    outputs_.resize(program.output_values.size());
    size_t count = 0;
    for (const auto& step : program.steps) count += step->operands.size();
    addresses_.resize(count);
    states_.resize(program.steps.size());
    int position = 0;
    for (size_t s = 0; s < program.steps.size(); ++s) {
        const Step& step = *program.steps[s];
        states_[s].addresses = addresses_.data() + position;
        states_[s].stream = stream;
        for (const Operand& o : step.operands) resolve(static_cast<int>(s), position++, o, arena);
        step.prepare(states_[s]);
        step.rebind(states_[s]);
    }
    ready_ = all_bound();
}

void tenon_context::resolve(int step, int position, const Operand& operand, char* arena) {
    int64_t offset = 0;
    const Buffer& root = program_.buffers[program_.root(operand.buffer, &offset)];
    switch (root.place) {
        case Buffer::Place::arena:
            addresses_[position] = arena + root.placed + offset;
            break;
        case Buffer::Place::constant:
            addresses_[position] = const_cast<char*>(static_cast<const char*>(root.data)) + offset;
            break;
        case Buffer::Place::input:
        case Buffer::Place::output:
            slot(root).uses.push_back({step, position, offset});
            break;
    }
}

void tenon_context::bind(int64_t role, int64_t index, void* address) {
    require(role == TENON_ROLE_INPUT || role == TENON_ROLE_OUTPUT, "only inputs and outputs are bound, not role %lld",
            static_cast<long long>(role));
    const bool input = role == TENON_ROLE_INPUT;
    std::vector<Slot>& slots = input ? inputs_ : outputs_;
    require(index >= 0 && index < static_cast<int64_t>(slots.size()), "%s slot %lld of %zu", input ? "input" : "output",
            static_cast<long long>(index), slots.size());
    const Value& value = program_.values[input ? program_.input_values[index] : program_.output_values[index]];
    require(address != nullptr || value.bytes == 0, "%s slot %lld: NULL for a value of %lld bytes",
            input ? "input" : "output", static_cast<long long>(index), static_cast<long long>(value.bytes));
    Slot& target = slots[index];
    if (target.bound && target.address == address) return;
    target.address = address;
    target.bound = true;
    for (const ExternalUse& use : target.uses) {
        addresses_[use.operand] = static_cast<char*>(address) + use.offset;
        program_.steps[use.step]->rebind(states_[use.step]);
    }
    ready_ = all_bound();
}

bool tenon_context::all_bound() const {
    for (const std::vector<Slot>* slots : {&inputs_, &outputs_}) {
        for (const Slot& s : *slots) {
            if (!s.bound && !s.uses.empty()) return false;
        }
    }
    return true;
}

// Puts the model's name of the step before its message: people know their nodes, not our kernels.
static tenon_status name_step(const Step& step, tenon_status status, tenon_error* err) {
    if (err == nullptr || step.name.empty()) return status;
    const std::string text = step.name + ": " + err->message;
    return report(err, status, text.c_str());
}

tenon_status tenon_context::run(int64_t from, int64_t to, const volatile int32_t* cancel, uint64_t* step_ns,
                                tenon_error* err) {
    if (!ready_) return report(err, TENON_INVALID_STATE, "an input or output has no memory: call tenon_context_bind");
    const int64_t count = static_cast<int64_t>(program_.steps.size());
    if (to < 0) to = count;
    if (from < 0 || from > to || to > count)
        return report(err, TENON_INVALID_ARGUMENT, "step range out of the program");
    TeamSize team(program_.engine.threads());
    for (int64_t s = from; s < to; ++s) {
        if (cancel != nullptr && *cancel != 0) return report(err, TENON_CANCELLED, "the run was cancelled");
        const Step& step = *program_.steps[s];
        team.set(step.threads);
        const uint64_t begin = step_ns != nullptr ? now_ns() : 0;
        const tenon_status status = step.run(states_[s], err);
        if (step_ns != nullptr) step_ns[s] = now_ns() - begin;
        if (status != TENON_OK) return name_step(step, status, err);
    }
    return TENON_OK;
}

extern "C" {

tenon_status tenon_context_create(const tenon_program* program, void* arena, tenon_context** out_context,
                                  tenon_error* err) {
    return guard(err, [&] {
        require(program != nullptr && out_context != nullptr, "program or out_context is NULL");
        if (!program->placed) fail(TENON_INVALID_STATE, "the program is not placed");
        require(reinterpret_cast<uintptr_t>(arena) % kCacheLine == 0, "the arena is not aligned to 64 bytes");
        require(arena != nullptr || program->arena_buffers().empty(), "the program needs an arena of %lld bytes",
                static_cast<long long>(program->arena_bytes));
        *out_context = new tenon_context(*program, static_cast<char*>(arena));
    });
}

void tenon_context_destroy(tenon_context* context) {
    delete context;
}

tenon_status tenon_context_bind(tenon_context* context, int64_t role, int64_t index, void* address, tenon_error* err) {
    return guard(err, [&] {
        require(context != nullptr, "context is NULL");
        context->bind(role, index, address);
    });
}

tenon_status tenon_context_run(tenon_context* context, int64_t from_step, int64_t to_step,
                               const volatile int32_t* cancel, uint64_t* out_step_ns, tenon_error* err) {
    if (context == nullptr) return report(err, TENON_INVALID_ARGUMENT, "context is NULL");
    return context->run(from_step, to_step, cancel, out_step_ns, err);
}
}
