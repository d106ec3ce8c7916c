// LSTM and GRU, one direction at a time.
#include <algorithm>
#include <cstring>

#include "../add_call.h"
#include "../lowering.h"
#include "gemv/gemv.h"
#include "gemv_weights.h"
#include "rnn/rnn.h"

namespace tenon {
namespace {

std::vector<int> present(std::initializer_list<int64_t> ids) {
    std::vector<int> result;
    for (int64_t id : ids) {
        if (id >= 0) result.push_back(static_cast<int>(id));
    }
    return result;
}

// What a run needs to know; positions among the step's operands, -1: none.
struct Steps {
    int64_t steps, batch, hidden, columns;
    bool lstm, reverse;
    int threads;
    int gates, weights, bias, lengths, initial_h, initial_c, peepholes, dst, h, c, work;
    const cpu::GemvKernels* gemv;
    const cpu::RnnKernels* rnn;

    tenon_status run(void* const* p, tenon_error* err) const;
    void multiply(void* const* p, const float* gates) const;
    void advance(void* const* p, const float* gates, int64_t row_begin, int64_t row_end) const;

    template <typename T = float>
    T* at(void* const* p, int position) const {
        return position < 0 ? nullptr : static_cast<T*>(p[position]);
    }
};

// work = h R^T + bias; for LSTM, + gates.
void Steps::multiply(void* const* p, const float* x_gates) const {
    const int64_t panels = (columns + cpu::kGemvPanel - 1) / cpu::kGemvPanel;
    cpu::GemvParams params{};
    params.packed = at(p, weights);
    params.bias = at(p, bias);
    params.k = params.x_stride = hidden;
    params.n = params.residual_stride = params.y_stride = columns;
    params.activation = cpu::Function::identity;
    parallel_ranges(threads, panels, 1, [&](int64_t begin, int64_t end) {
        cpu::GemvParams some = params;
        for (int64_t row = 0; row < batch; row += cpu::kGemvMaxRows) {
            some.m = std::min(cpu::kGemvMaxRows, batch - row);
            some.x = at(p, h) + row * hidden;
            some.residual = lstm ? x_gates + row * columns : nullptr;
            some.y = at(p, work) + row * columns;
            gemv->run(some, begin, end);
        }
    });
}

// The states of these rows from the gates.
void Steps::advance(void* const* p, const float* x_gates, int64_t row_begin, int64_t row_end) const {
    float* state = at(p, h);
    if (lstm) {
        const float* peep = at(p, peepholes);
        const cpu::LstmParams params{at(p, work),
                                     at(p, c),
                                     peep,
                                     peep == nullptr ? nullptr : peep + hidden,
                                     peep == nullptr ? nullptr : peep + 2 * hidden,
                                     at(p, c),
                                     state,
                                     hidden,
                                     columns,
                                     hidden,
                                     hidden,
                                     hidden};
        rnn->lstm(params, row_begin, row_end);
    } else {
        const cpu::GruParams params{x_gates, at(p, work), state, state, hidden, columns, columns, hidden, hidden};
        rnn->gru(params, row_begin, row_end);
    }
}

tenon_status Steps::run(void* const* p, tenon_error* err) const {
    const int32_t* length = at<int32_t>(p, lengths);
    for (int64_t row = 0; length != nullptr && row < batch; ++row) {
        if (length[row] >= 0 && length[row] <= steps) continue;
        char text[128];
        std::snprintf(text, sizeof text, "recurrent: length %d of row %lld is outside 0..%lld", length[row], ll(row),
                      ll(steps));
        return report(err, TENON_INDEX_OUT_OF_RANGE, text);
    }
    const size_t state_bytes = static_cast<size_t>(batch * hidden) * sizeof(float);
    const auto begin_state = [&](float* state, const float* initial) {
        if (state == nullptr || state == initial) return;
        if (initial != nullptr) {
            std::memcpy(state, initial, state_bytes);
        } else {
            std::memset(state, 0, state_bytes);
        }
    };
    begin_state(at(p, h), at(p, initial_h));
    begin_state(at(p, c), at(p, initial_c));
    for (int64_t s = 0; s < steps; ++s) {
        const int64_t step = reverse ? steps - 1 - s : s;
        const float* x_gates = at(p, gates) + step * batch * columns;
        multiply(p, x_gates);
        float* y = dst < 0 ? nullptr : at(p, dst) + step * batch * hidden;
        if (length == nullptr) {
            advance(p, x_gates, 0, batch);
            if (y != nullptr) std::memcpy(y, at(p, h), state_bytes);
            continue;
        }
        for (int64_t row = 0; row < batch; ++row) {
            const size_t bytes = static_cast<size_t>(hidden) * sizeof(float);
            const bool goes_on = step < length[row];
            if (goes_on) advance(p, x_gates, row, row + 1);
            if (y == nullptr) continue;
            if (goes_on) {
                std::memcpy(y + row * hidden, at(p, h) + row * hidden, bytes);
            } else {
                std::memset(y + row * hidden, 0, bytes);
            }
        }
    }
    return TENON_OK;
}

class RecurrentNode final : public Node {
  public:
    explicit RecurrentNode(const tenon_recurrent_params& a)
        : Node(a.cell == TENON_CELL_LSTM ? "lstm" : "gru",
               present({a.gates, a.weights, a.bias, a.lengths, a.initial_h, a.initial_c, a.peepholes}),
               present({a.dst, a.last_h, a.last_c})),
          params_(a) {}

    void lower(Lowering& l) const override {
        const Dims& dims = l.value(static_cast<int>(params_.gates)).dims;
        Steps s{};
        s.steps = dims[0];
        s.batch = dims[1];
        s.columns = dims[2];
        s.hidden = l.value(static_cast<int>(params_.weights)).dims[1];
        s.lstm = params_.cell == TENON_CELL_LSTM;
        s.reverse = params_.reverse != 0;
        s.gemv = &cpu::select_gemv(l.engine().isa());
        s.rnn = &cpu::select_rnn(l.engine().isa());
        // Threads meet once a step, so one step has to be worth it.
        const int64_t flops = 2 * s.batch * s.columns * s.hidden;
        s.threads =
            l.threads_for(static_cast<double>(flops), static_cast<double>(cpu::gemv_packed_bytes(s.hidden, s.columns)));

        std::vector<Operand> operands;
        const auto add = [&](int buffer, bool write) {
            operands.push_back({buffer, write});
            return static_cast<int>(operands.size()) - 1;
        };
        const auto read = [&](int64_t id) { return id < 0 ? -1 : add(l.plain(static_cast<int>(id)), false); };
        s.gates = read(params_.gates);
        s.weights = add(gemv_weights(l, static_cast<int>(params_.weights), s.hidden, s.columns, {1, s.hidden}), false);
        s.bias = read(params_.bias);
        s.lengths = read(params_.lengths);
        s.initial_h = read(params_.initial_h);
        s.initial_c = read(params_.initial_c);
        s.peepholes = read(params_.peepholes);
        s.dst = params_.dst < 0 ? -1 : add(l.define(static_cast<int>(params_.dst)), true);
        const int64_t state_bytes = s.batch * s.hidden * 4;
        const auto state = [&](int64_t id) {
            return add(id < 0 ? l.scratch(state_bytes) : l.define(static_cast<int>(id)), true);
        };
        s.h = state(params_.last_h);
        s.c = s.lstm ? state(params_.last_c) : -1;
        s.work = add(l.scratch(s.batch * s.columns * 4), true);
        l.add_kernel(operands, s.threads, s.steps * flops, std::string("tenon_gemv:") + cpu::isa_name(s.gemv->isa),
                     [s](void* const* p, tenon_error* err) { return s.run(p, err); });
    }

  private:
    const tenon_recurrent_params params_;
};

void check(const tenon_program& p, int64_t id, const Dims& dims, int64_t dtype, const char* what) {
    if (id < 0) return;
    const Value& v = p.value(id, what);
    require_dtype(v, dtype, what);
    require(v.dims == dims, "%s is %s, expected %s", what, dims_text(v.dims).c_str(), dims_text(dims).c_str());
}

}  // namespace
}  // namespace tenon

using namespace tenon;

extern "C" tenon_status tenon_program_add_recurrent(tenon_program* program, const char* name,
                                                    const tenon_recurrent_params* params, tenon_error* err) {
    return add_call(program, name, params, "recurrent", err, [](tenon_program& p, const tenon_recurrent_params& a) {
        require(a.cell == TENON_CELL_LSTM || a.cell == TENON_CELL_GRU, "unknown cell %lld", ll(a.cell));
        const bool lstm = a.cell == TENON_CELL_LSTM;
        const Value& gates = p.value(a.gates, "gates");
        const Value& weights = p.value(a.weights, "weights");
        require(gates.rank() == 3 && weights.rank() == 2, "gates %s and weights %s need ranks 3 and 2",
                dims_text(gates.dims).c_str(), dims_text(weights.dims).c_str());
        const int64_t hidden = weights.dims[1], columns = (lstm ? 4 : 3) * hidden;
        const int64_t steps = gates.dims[0], batch = gates.dims[1];
        check(p, a.gates, {steps, batch, columns}, TENON_F32, "gates");
        check(p, a.weights, {columns, hidden}, TENON_F32, "weights");
        check(p, a.bias, {columns}, TENON_F32, "bias");
        check(p, a.lengths, {batch}, TENON_I32, "lengths");
        check(p, a.initial_h, {batch, hidden}, TENON_F32, "initial_h");
        check(p, a.initial_c, {batch, hidden}, TENON_F32, "initial_c");
        check(p, a.peepholes, {3 * hidden}, TENON_F32, "peepholes");
        check(p, a.dst, {steps, batch, hidden}, TENON_F32, "dst");
        check(p, a.last_h, {batch, hidden}, TENON_F32, "last_h");
        check(p, a.last_c, {batch, hidden}, TENON_F32, "last_c");
        require(lstm || (a.initial_c < 0 && a.peepholes < 0 && a.last_c < 0),
                "GRU has no initial_c, peepholes and last_c");
        require(a.dst >= 0 || a.last_h >= 0 || a.last_c >= 0, "no result is wanted");
        require_supported(gates.elements > 0, "gates are empty");
        require_supported(weights.role == TENON_ROLE_CONSTANT, "weights are not constant");
        p.add_node(std::make_unique<RecurrentNode>(a));
    });
}
