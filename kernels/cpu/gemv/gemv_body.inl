// Panels are read in order, which the hardware's prefetch follows; asking for weights ahead in the code made reading
// them from the last cache level slower. A panel's columns are kept in registers for all rows while its weights stream
// by, one row of 64 after the other. More rows than registers allow take the panel's columns in parts; a part is whole
// cache lines where vectors are.

namespace tenon::cpu::TENON_ISA {
namespace {

F32 activate(Function function, F32 x, float a, float b) {
    switch (function) {
        case Function::relu:
            return relu(x);
        case Function::leaky_relu:
            return select(x < set(0.0f), set(a) * x, x);
        case Function::elu:
            return select(x < set(0.0f), set(a) * expm1_negative(x), x);
        case Function::clip:
            return clamp(x, a, b);
        case Function::sigmoid:
            return sigmoid(x);
        case Function::tanh:
            return tanh(x);
        case Function::silu:
            return silu(x, a);
        case Function::gelu_erf:
            return gelu_erf(x);
        case Function::gelu_tanh:
            return gelu_tanh(x);
        case Function::hard_sigmoid:
            return clamp(fma(set(a), x, set(b)), 0.0f, 1.0f);
        case Function::hard_swish:
            return x * clamp(fma(set(a), x, set(b)), 0.0f, 1.0f);
        default:
            return x;
    }
}

bool supported(Function function) {
    switch (function) {
        case Function::identity:
        case Function::relu:
        case Function::leaky_relu:
        case Function::elu:
        case Function::clip:
        case Function::sigmoid:
        case Function::tanh:
        case Function::silu:
        case Function::gelu_erf:
        case Function::gelu_tanh:
        case Function::hard_sigmoid:
        case Function::hard_swish:
            return true;
        default:
            return false;
    }
}

// y = f(sums + bias + residual) for one vector of `count` columns from column n on, row m.
void finish(const GemvParams& p, F32 total, int64_t m, int64_t n, int64_t count) {
    if (p.bias != nullptr) total = total + load_part(p.bias + n, count);
    if (p.residual != nullptr) total = total + load_part(p.residual + m * p.residual_stride + n, count);
    store_part(p.y + m * p.y_stride + n, activate(p.activation, total, p.alpha, p.beta), count);
}

// All rows, `vectors` vectors of columns. w: the first of these columns in the panel; n: its column in y;
// cols: columns of y there are from n on.
template <int rows, int vectors>
void part(const GemvParams& p, const float* w, int64_t n, int64_t cols) {
    // One row alone has too few sums to hide the latency of fma, so even and odd k are kept apart.
    constexpr int kSplit = rows * vectors < 8 ? 2 : 1;
    F32 sums[kSplit][rows][vectors];
    for (int s = 0; s < kSplit; ++s) {
        for (int m = 0; m < rows; ++m) {
            for (int v = 0; v < vectors; ++v) sums[s][m][v] = set(0.0f);
        }
    }
    auto step = [&](int s, int64_t k) __attribute__((always_inline)) {
        F32 weights[vectors];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) {
            weights[v] = load(w + k * kGemvPanel + v * kLanes);
        }
#pragma GCC unroll 8
        for (int m = 0; m < rows; ++m) {
            const F32 xk = set(p.x[m * p.x_stride + k]);
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v) sums[s][m][v] = fma(xk, weights[v], sums[s][m][v]);
        }
    };
    int64_t k = 0;
    for (; k + kSplit <= p.k; k += kSplit) {
        step(0, k);
        if (kSplit == 2) step(1, k + 1);
    }
    if (k < p.k) step(0, k);
    for (int m = 0; m < rows; ++m) {
        for (int v = 0; v < vectors; ++v) {
            const int64_t left = cols - v * kLanes;
            if (left <= 0) break;
            F32 total = sums[0][m][v];
            if (kSplit == 2) total = total + sums[kSplit - 1][m][v];
            finish(p, total, m, n + v * kLanes, left < kLanes ? left : kLanes);
        }
    }
}

constexpr int kPanelVectors = static_cast<int>(kGemvPanel / kLanes);
constexpr int kRegisters = kLanes >= 16 ? 24 : 12;  // for sums

constexpr int vectors_for(int rows) {
    int vectors = kPanelVectors < 8 ? kPanelVectors : 8;
    while (vectors > 1 && rows * vectors > kRegisters) vectors /= 2;
    return vectors;
}

template <int rows>
void panel_rows(const GemvParams& p, int64_t panel) {
    constexpr int kVectors = vectors_for(rows);
    const int64_t first = panel * kGemvPanel, cols = p.n - first < kGemvPanel ? p.n - first : kGemvPanel;
    const float* w = p.packed + first * p.k;
    int64_t c = 0;
    for (; c + (kVectors - 1) * kLanes < cols; c += kVectors * kLanes) {
        part<rows, kVectors>(p, w + c, first + c, cols - c);
    }
    for (; c < cols; c += kLanes) part<rows, 1>(p, w + c, first + c, cols - c);
}

void run(const GemvParams& p, int64_t panel_begin, int64_t panel_end) {
    for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
        switch (p.m) {
            case 1:
                panel_rows<1>(p, panel);
                break;
            case 2:
                panel_rows<2>(p, panel);
                break;
            case 3:
                panel_rows<3>(p, panel);
                break;
            case 4:
                panel_rows<4>(p, panel);
                break;
            case 5:
                panel_rows<5>(p, panel);
                break;
            case 6:
                panel_rows<6>(p, panel);
                break;
            case 7:
                panel_rows<7>(p, panel);
                break;
            default:
                panel_rows<8>(p, panel);
                break;
        }
    }
}

}  // namespace

const GemvKernels gemv = {Isa::TENON_ISA, supported, run};

}  // namespace tenon::cpu::TENON_ISA
