// LSTM and GRU, one direction at a time.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "../add_call.h"
#include "../lowering.h"
#include "gemv/gemv.h"
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

// Units of the state that a thread takes at a time, in one step, with all their gates: a panel of each gate's weights.
constexpr int64_t kBlock = cpu::kGemvPanel;

// How far the blocks are. Each block is taken once in each step, first of all by the thread that had it in the step
// before, whose cache has its weights; a thread that others have left behind, or that has no processor at the moment,
// is not waited for unless it has taken a block. A step begins when all blocks of the one before are done.
class Progress {
  public:
    static int64_t bytes(int64_t blocks) { return (1 + blocks) * static_cast<int64_t>(sizeof(Line)); }
    Progress(void* memory, int64_t blocks) : lines_(static_cast<Line*>(memory)), blocks_(blocks) {
        for (int64_t i = 0; i <= blocks; ++i) new (lines_ + i) Line{};
    }
    // True for one thread only.
    bool take(int64_t block, int64_t step) {
        int64_t expected = step;
        return lines_[1 + block].count.compare_exchange_strong(expected, step + 1, std::memory_order_acq_rel);
    }
    void finish() { lines_[0].count.fetch_add(1, std::memory_order_acq_rel); }
    // The step that is under way, once it is another than `step`.
    int64_t wait_after(int64_t step) const {
        for (int spins = 0;; ++spins) {
            const int64_t now = lines_[0].count.load(std::memory_order_acquire) / blocks_;
            if (now > step) return now;
            if (spins < 1000) {
                __builtin_ia32_pause();
            } else {
                sched_yield();
            }
        }
    }

  private:
    // Of its own, so that threads do not take one another's.
    struct alignas(64) Line {
        std::atomic<int64_t> count{0};
    };
    Line* const lines_;
    const int64_t blocks_;
};

// What a run needs to know; positions among the step's operands, -1: none.
struct Steps {
    int64_t steps, batch, hidden, columns;
    bool lstm, reverse;
    int threads;
    int gates, weights, bias, lengths, initial_h, initial_c, peepholes, dst, last_h, c, work, states, progress;
    const cpu::GemvKernels* gemv;
    const cpu::RnnKernels* rnn;

    int64_t blocks() const { return (hidden + kBlock - 1) / kBlock; }
    tenon_status run(void* const* p, tenon_error* err) const;

  private:
    void block(void* const* p, int64_t step, int64_t number) const;
    void multiply(void* const* p, const float* x_gates, const float* h0, int64_t number) const;
    void advance(void* const* p, const float* x_gates, const float* h0, float* h1, const cpu::RnnRange& range) const;
    // to = from in these rows and units; zeros without from.
    void copy(float* to, const float* from, const cpu::RnnRange& range) const;
    // Two by turns: others may still read the old state when a thread writes the new one.
    float* state(void* const* p, int64_t step) const { return at(p, states) + step % 2 * batch * hidden; }

    template <typename T = float>
    T* at(void* const* p, int position) const {
        return position < 0 ? nullptr : static_cast<T*>(p[position]);
    }
};

// work = h0 R^T + bias, for LSTM + gates, in the columns of the block's units.
void Steps::multiply(void* const* p, const float* x_gates, const float* h0, int64_t number) const {
    cpu::GemvParams params{};
    params.k = params.x_stride = hidden;
    params.n = hidden;
    params.residual_stride = params.y_stride = columns;
    params.activation = cpu::Function::identity;
    for (int64_t first = 0; first < columns; first += hidden) {
        params.packed = at(p, weights) + first / hidden * cpu::gemv_packed_bytes(hidden, hidden) / 4;
        params.bias = bias < 0 ? nullptr : at(p, bias) + first;
        for (int64_t row = 0; row < batch; row += cpu::kGemvMaxRows) {
            params.m = std::min(cpu::kGemvMaxRows, batch - row);
            params.x = h0 + row * hidden;
            params.residual = lstm ? x_gates + row * columns + first : nullptr;
            params.y = at(p, work) + row * columns + first;
            gemv->run(params, number, number + 1);
        }
    }
}

// The new states from the gates.
void Steps::advance(void* const* p, const float* x_gates, const float* h0, float* h1,
                    const cpu::RnnRange& range) const {
    if (lstm) {
        cpu::LstmParams params{};
        params.gates = at(p, work);
        params.c0 = params.c1 = at(p, c);
        if (peepholes >= 0) {
            params.p_i = at(p, peepholes);
            params.p_o = params.p_i + hidden;
            params.p_f = params.p_o + hidden;
        }
        params.h1 = h1;
        params.hidden = params.c0_stride = params.c1_stride = params.h1_stride = hidden;
        params.gates_stride = columns;
        rnn->lstm(params, range);
    } else {
        rnn->gru({x_gates, at(p, work), h0, h1, hidden, columns, columns, hidden, hidden}, range);
    }
}

void Steps::copy(float* to, const float* from, const cpu::RnnRange& range) const {
    const size_t bytes = static_cast<size_t>(range.unit_end - range.unit_begin) * sizeof(float);
    for (int64_t row = range.row_begin; row < range.row_end; ++row) {
        const int64_t offset = row * hidden + range.unit_begin;
        if (from != nullptr) {
            std::memcpy(to + offset, from + offset, bytes);
        } else {
            std::memset(to + offset, 0, bytes);
        }
    }
}

void Steps::block(void* const* p, int64_t step, int64_t number) const {
    const int64_t t = reverse ? steps - 1 - step : step;
    const float* x_gates = at(p, gates) + t * batch * columns;
    const float* h0 = state(p, step);
    float* h1 = state(p, step + 1);
    float* y = dst < 0 ? nullptr : at(p, dst) + t * batch * hidden;
    multiply(p, x_gates, h0, number);
    const int32_t* length = at<int32_t>(p, lengths);
    cpu::RnnRange here{0, batch, number * kBlock, std::min(hidden, (number + 1) * kBlock)};
    if (length == nullptr) {
        advance(p, x_gates, h0, h1, here);
        if (y != nullptr) copy(y, h1, here);
        return;
    }
    for (int64_t row = 0; row < batch; ++row) {
        here.row_begin = row;
        here.row_end = row + 1;
        const bool goes_on = t < length[row];
        if (goes_on) {
            advance(p, x_gates, h0, h1, here);
        } else {
            copy(h1, h0, here);
        }
        if (y != nullptr) copy(y, goes_on ? h1 : nullptr, here);
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
    const cpu::RnnRange all{0, batch, 0, hidden};
    copy(state(p, 0), at(p, initial_h), all);
    if (lstm) copy(at(p, c), at(p, initial_c), all);
    const int64_t count = blocks();
    Progress done(p[progress], count);
    parallel_team(threads, [&](int64_t me, int64_t members) {
        const int64_t own = count * me / members;
        for (int64_t step = 0; step < steps; step = done.wait_after(step)) {
            for (int64_t i = 0; i < count; ++i) {
                const int64_t number = (own + i) % count;
                if (!done.take(number, step)) continue;
                block(p, step, number);
                done.finish();
            }
        }
    });
    if (last_h >= 0) copy(at(p, last_h), state(p, steps), all);
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
        // Threads meet in each step, so one step has to be worth it.
        const int64_t flops = 2 * s.batch * s.columns * s.hidden;
        const int wanted =
            l.threads_for(static_cast<double>(flops), static_cast<double>(cpu::gemv_packed_bytes(s.hidden, s.columns)));
        s.threads = static_cast<int>(std::min<int64_t>(wanted, s.blocks()));  // others would only wait

        std::vector<Operand> operands;
        const auto add = [&](int buffer, bool write) {
            operands.push_back({buffer, write});
            return static_cast<int>(operands.size()) - 1;
        };
        const auto read = [&](int64_t id) { return id < 0 ? -1 : add(l.plain(static_cast<int>(id)), false); };
        s.gates = read(params_.gates);
        s.weights = add(packed_weights(l, s.hidden, s.columns), false);
        s.bias = read(params_.bias);
        s.lengths = read(params_.lengths);
        s.initial_h = read(params_.initial_h);
        s.initial_c = read(params_.initial_c);
        s.peepholes = read(params_.peepholes);
        s.dst = params_.dst < 0 ? -1 : add(l.define(static_cast<int>(params_.dst)), true);
        const int64_t state_bytes = s.batch * s.hidden * 4;
        s.last_h = params_.last_h < 0 ? -1 : add(l.define(static_cast<int>(params_.last_h)), true);
        s.c = -1;
        if (s.lstm) {
            s.c = add(params_.last_c < 0 ? l.scratch(state_bytes) : l.define(static_cast<int>(params_.last_c)), true);
        }
        s.states = add(l.scratch(2 * state_bytes), true);
        s.progress = add(l.scratch(Progress::bytes(s.blocks())), true);
        s.work = add(l.scratch(s.batch * s.columns * 4), true);
        l.add_kernel(operands, s.threads, s.steps * flops, std::string("tenon_gemv:") + cpu::isa_name(s.gemv->isa),
                     [s](void* const* p, tenon_error* err) { return s.run(p, err); });
    }

  private:
    // Each gate's weights in panels of their own.
    int packed_weights(Lowering& l, int64_t hidden, int64_t columns) const {
        const int id = static_cast<int>(params_.weights);
        const int64_t each = cpu::gemv_packed_bytes(hidden, hidden), count = columns / hidden;
        const auto pack = [&](const void* plain, void* to) {
            for (int64_t gate = 0; gate < count; ++gate) {
                cpu::gemv_pack(static_cast<const float*>(plain) + gate * hidden * hidden, 1, hidden, hidden, hidden,
                               static_cast<float*>(to) + gate * each / 4, 0, (hidden + kBlock - 1) / kBlock);
            }
        };
        const void* packed =
            l.engine().packed_own(l.value(id).index, "recurrent " + std::to_string(count), count * each, pack);
        return l.constant_memory(packed, count * each, id);
    }

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
