// Cuts a range of lanes into the parts that belong to one outer index.

namespace tenon::cpu::TENON_ISA {
namespace {

bool supported(Reduction reduction, ElementType type) {
    const bool position = reduction == Reduction::arg_max || reduction == Reduction::arg_min;
    const bool extreme = reduction == Reduction::max || reduction == Reduction::min;
    const bool logs =
        reduction == Reduction::log_sum || reduction == Reduction::log_sum_exp || reduction == Reduction::l2;
    switch (type) {
        case ElementType::f32:
        case ElementType::f64:
            return true;
        case ElementType::i32:
        case ElementType::i64:
            return !logs;
        case ElementType::u8:
        case ElementType::i8:
            return position || extreme;
        default:
            return false;
    }
}

// part(x, count, y, lane) for the lanes of each outer index, at most `most` together.
template <class T, class Part>
void cut(const ReduceParams& p, int64_t lane_begin, int64_t lane_end, int64_t most, Part part) {
    for (int64_t lane = lane_begin; lane < lane_end;) {
        const int64_t outer = lane / p.inner, i = lane - outer * p.inner;
        int64_t count = p.inner - i < lane_end - lane ? p.inner - i : lane_end - lane;
        count = count < most ? count : most;
        part(static_cast<const T*>(p.x) + outer * p.axis * p.inner + i, count, lane);
        lane += count;
    }
}

template <class T>
void typed(const ReduceParams& p, int64_t lane_begin, int64_t lane_end) {
    const bool position = p.reduction == Reduction::arg_max || p.reduction == Reduction::arg_min;
    cut<T>(p, lane_begin, lane_end, kGroup, [&](const T* x, int64_t count, int64_t lane) {
        if (position) {
            positions<T>(p, x, count, static_cast<int64_t*>(p.y) + lane);
        } else {
            group<T>(p, x, count, static_cast<T*>(p.y) + lane);
        }
    });
}

void f32_run(const ReduceParams& p, int64_t lane_begin, int64_t lane_end) {
    const bool position = p.reduction == Reduction::arg_max || p.reduction == Reduction::arg_min;
    cut<float>(p, lane_begin, lane_end, lane_end - lane_begin, [&](const float* x, int64_t count, int64_t lane) {
        if (position) {
            f32_positions(p, x, count, static_cast<int64_t*>(p.y) + lane);
        } else if (p.inner == 1) {
            static_cast<float*>(p.y)[lane] = row_of(p.reduction, x, p.axis);
        } else {
            f32_values(p, x, count, static_cast<float*>(p.y) + lane);
        }
    });
}

void run(const ReduceParams& p, int64_t lane_begin, int64_t lane_end) {
    switch (p.type) {
        case ElementType::f32:
            return f32_run(p, lane_begin, lane_end);
        case ElementType::f64:
            return typed<double>(p, lane_begin, lane_end);
        case ElementType::i32:
            return typed<int32_t>(p, lane_begin, lane_end);
        case ElementType::i64:
            return typed<int64_t>(p, lane_begin, lane_end);
        case ElementType::u8:
            return typed<uint8_t>(p, lane_begin, lane_end);
        case ElementType::i8:
            return typed<int8_t>(p, lane_begin, lane_end);
        default:
            return;
    }
}

}  // namespace

const ReduceKernels reduce = {Isa::TENON_ISA, supported, run};

}  // namespace tenon::cpu::TENON_ISA
