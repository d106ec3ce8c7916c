
namespace tenon::cpu::TENON_ISA {
namespace {

void lstm(const LstmParams& p, const RnnRange& range) {
    const int64_t n = p.hidden;
    for (int64_t row = range.row_begin; row < range.row_end; ++row) {
        const float* gates = p.gates + row * p.gates_stride;
        for (int64_t j = range.unit_begin; j < range.unit_end; j += kLanes) {
            const int64_t count = range.unit_end - j < kLanes ? range.unit_end - j : kLanes;
            const F32 c0 = load_part(p.c0 + row * p.c0_stride + j, count);
            F32 i = load_part(gates + j, count), o = load_part(gates + n + j, count);
            F32 f = load_part(gates + 2 * n + j, count);
            const F32 g = tanh(load_part(gates + 3 * n + j, count));
            if (p.p_i != nullptr) i = fma(load_part(p.p_i + j, count), c0, i);
            if (p.p_f != nullptr) f = fma(load_part(p.p_f + j, count), c0, f);
            const F32 c1 = fma(sigmoid(f), c0, sigmoid(i) * g);
            if (p.p_o != nullptr) o = fma(load_part(p.p_o + j, count), c1, o);
            store_part(p.c1 + row * p.c1_stride + j, c1, count);
            store_part(p.h1 + row * p.h1_stride + j, sigmoid(o) * tanh(c1), count);
        }
    }
}

void gru(const GruParams& p, const RnnRange& range) {
    const int64_t n = p.hidden;
    for (int64_t row = range.row_begin; row < range.row_end; ++row) {
        const float *x = p.x_gates + row * p.x_gates_stride, *h = p.h_gates + row * p.h_gates_stride;
        for (int64_t j = range.unit_begin; j < range.unit_end; j += kLanes) {
            const int64_t count = range.unit_end - j < kLanes ? range.unit_end - j : kLanes;
            const F32 z = sigmoid(load_part(x + j, count) + load_part(h + j, count));
            const F32 r = sigmoid(load_part(x + n + j, count) + load_part(h + n + j, count));
            const F32 t = tanh(fma(r, load_part(h + 2 * n + j, count), load_part(x + 2 * n + j, count)));
            const F32 h0 = load_part(p.h0 + row * p.h0_stride + j, count);
            store_part(p.h1 + row * p.h1_stride + j, fma(z, h0, (set(1.0f) - z) * t), count);
        }
    }
}

}  // namespace

const RnnKernels rnn = {Isa::TENON_ISA, lstm, gru};

}  // namespace tenon::cpu::TENON_ISA
