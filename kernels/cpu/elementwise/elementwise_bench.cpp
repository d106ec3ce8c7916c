// How far are chains from the speed of memory (add, bias, residual + relu) and from the core's own limit (gelu)?
#include "../common/test_support.h"
#include "elementwise.h"

namespace tenon::cpu {
namespace {

struct Case {
    const char* name;
    int inputs;
    int64_t rows, inner;  // the second input has one element per row
    bool second_per_row;
    std::vector<ElementwiseOp> ops;
};

void bench(const Case& c, int64_t elements, double memcpy_bytes_per_second) {
    ElementwiseChain chain{};
    ElementwiseShape shape{};
    chain.input_count = c.inputs;
    for (int i = 0; i < c.inputs; ++i) chain.input_types[i] = ElementType::f32;
    for (const ElementwiseOp& op : c.ops) chain.ops[chain.op_count++] = op;
    chain.output_count = 1;
    chain.output_operands[0] = c.inputs + chain.op_count - 1;
    shape.rank = 2;
    shape.dims[0] = elements / c.inner;
    shape.dims[1] = c.inner;
    for (int i = 0; i < c.inputs; ++i) shape.strides[i][0] = c.inner, shape.strides[i][1] = 1;
    if (c.second_per_row) shape.strides[1][0] = 1, shape.strides[1][1] = 0;
    std::vector<float> x(elements, 0.5f), z(elements, 0.25f), y(elements);
    const void* inputs[] = {x.data(), z.data()};
    void* outputs[] = {y.data()};
    const int64_t streams = (c.inputs - c.second_per_row) + 1;
#define TENON_KERNEL(isa_, name_)                                                                                     \
    if (Isa::isa_ <= best_isa()) {                                                                                    \
        ElementwiseProgram program;                                                                                   \
        elementwise_compile(chain, shape, Isa::isa_, &program, nullptr, nullptr);                                     \
        const double s = test::best_seconds([&] { elementwise_run(program, inputs, outputs, 0, program.elements); }); \
        const double rate = static_cast<double>(streams * elements * 4) / s;                                          \
        printf("%-22s %9lld elements %-7s %8.2f GB/s %8.3f ns/element  %5.2f of memcpy\n", c.name,                    \
               (long long)elements, #isa_, rate / 1e9, s / static_cast<double>(elements) * 1e9,                       \
               rate / memcpy_bytes_per_second);                                                                       \
    }
#include "elementwise.inc"
#undef TENON_KERNEL
}

}  // namespace

int run_all() {
    const ElementType f = ElementType::f32;
    const std::vector<Case> cases = {
        {"add", 2, 0, 3136, false, {{Function::add, f, {0, 1, 0}, 0, 0}}},
        {"relu", 1, 0, 3136, false, {{Function::relu, f, {0, 0, 0}, 0, 0}}},
        {"add relu", 2, 0, 3136, false, {{Function::add, f, {0, 1, 0}, 0, 0}, {Function::relu, f, {2, 0, 0}, 0, 0}}},
        {"bias per row of 3136", 2, 0, 3136, true, {{Function::add, f, {0, 1, 0}, 0, 0}}},
        {"bias per row of 49", 2, 0, 49, true, {{Function::add, f, {0, 1, 0}, 0, 0}}},
        {"exp", 1, 0, 3136, false, {{Function::exp, f, {0, 0, 0}, 0, 0}}},
        {"sigmoid", 1, 0, 3136, false, {{Function::sigmoid, f, {0, 0, 0}, 0, 0}}},
        {"tanh", 1, 0, 3136, false, {{Function::tanh, f, {0, 0, 0}, 0, 0}}},
        {"gelu_erf", 1, 0, 3136, false, {{Function::gelu_erf, f, {0, 0, 0}, 0, 0}}},
    };
    for (int64_t elements : {int64_t{3136 * 16}, int64_t{3136 * 4900}}) {
        const double rate = test::memcpy_rate(elements * 4);
        printf("memcpy of %lld bytes: %.2f GB/s\n", (long long)(elements * 4), rate / 1e9);
        for (const Case& c : cases) bench(c, elements, rate);
    }
    return 0;
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
