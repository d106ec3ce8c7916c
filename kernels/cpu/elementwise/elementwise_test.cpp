#include "elementwise.h"

#include <functional>
#include <string>

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("elementwise");

const std::vector<const ElementwiseKernels*>& variants() {
    static std::vector<const ElementwiseKernels*> list;
    if (!list.empty()) return list;
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) list.push_back(&isa::name);
#include "elementwise.inc"
#undef TENON_KERNEL
    return list;
}

const float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::numeric_limits<float>::quiet_NaN();

// Values where functions change branch, and the special ones.
std::vector<float> specials() {
    std::vector<float> v = {
        0.0f,        -0.0f,       1.0f,        -1.0f,      0.5f,     -0.5f,          1.5f,          2.5f,
        -2.5f,       1e-45f,      -1e-45f,     1e-40f,     -1e-40f,  1.1754944e-38f, 3.4028235e38f, -3.4028235e38f,
        kInf,        -kInf,       kNan,        88.72f,     88.73f,   -87.3f,         -87.4f,        -103.9f,
        -104.1f,     -150.0f,     0.625f,      0.624999f,  0.927f,   0.928f,         1e-5f,         1e-8f,
        -1e-8f,      20.0f,       -20.0f,      71475.0f,   71477.0f, 1e10f,          8388607.5f,    -8388608.0f,
        1.41421354f, 1.41421366f, 0.70710677f, 0.7071069f, 3.9999f,  4.0f,           9.01f,         -9.01f,
        3.14159274f, 1.57079637f};
    return v;
}

struct UnaryCase {
    Function function;
    const char* name;
    std::function<double(double, double, double)> reference;
    Tolerance tolerance;
    double alpha, beta;
};

double clamp(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}
double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

#define REF [](double x, [[maybe_unused]] double a, [[maybe_unused]] double b) -> double
std::vector<UnaryCase> unary_cases() {
    constexpr double kLambda = 1.0507009873554805, kSelu = 1.6732632423543772;
    // The parameters are rounded to f32 by the kernels.
    const double f_selu = static_cast<float>(kSelu), f_lambda = static_cast<float>(kLambda);
    return {{Function::abs, "abs", REF{return fabs(x);
}
, kExact, 0, 0
}  // namespace
, {Function::neg, "neg", REF{return -x;
}  // namespace tenon::cpu
, kExact, 0, 0
}
, {Function::sign, "sign", REF{return x < 0 ? -1 : x > 0 ? 1 : x;
}
, kExact, 0, 0
}
, {Function::sqrt, "sqrt", REF{return sqrt(x);
}
, kRounded, 0, 0
}
, {Function::rsqrt, "rsqrt", REF{return 1 / sqrt(x);
}
, kFunction, 0, 0
}
, {Function::reciprocal, "reciprocal", REF{return 1 / x;
}
, kRounded, 0, 0
}
, {Function::exp, "exp", REF{return exp(x);
}
, kFunction, 0, 0
}
, {Function::log, "log", REF{return log(x);
}
, kFunction, 0, 0
}
, {Function::sin, "sin", REF{return sin(x);
}
, kFunction, 0, 0
}
, {Function::cos, "cos", REF{return cos(x);
}
, kFunction, 0, 0
}
, {Function::tan, "tan", REF{return tan(x);
}
, kFunction, 0, 0
}
, {Function::asin, "asin", REF{return asin(x);
}
, kFunction, 0, 0
}
, {Function::acos, "acos", REF{return acos(x);
}
, kFunction, 0, 0
}
, {Function::atan, "atan", REF{return atan(x);
}
, kFunction, 0, 0
}
, {Function::sinh, "sinh", REF{return sinh(x);
}
, kFunction, 0, 0
}
, {Function::cosh, "cosh", REF{return cosh(x);
}
, kFunction, 0, 0
}
, {Function::tanh, "tanh", REF{return tanh(x);
}
, kFunction, 0, 0
}
, {Function::asinh, "asinh", REF{return asinh(x);
}
, kFunction, 0, 0
}
, {Function::acosh, "acosh", REF{return acosh(x);
}
, kFunction, 0, 0
}
, {Function::atanh, "atanh", REF{return atanh(x);
}
, kFunction, 0, 0
}
, {Function::erf, "erf", REF{return erf(x);
}
, kFunction, 0, 0
}
, {Function::floor, "floor", REF{return floor(x);
}
, kExact, 0, 0
}
, {Function::ceil, "ceil", REF{return ceil(x);
}
, kExact, 0, 0
}
, {Function::round, "round", REF{return nearbyint(x);
}
, kExact, 0, 0
}
, {Function::relu, "relu", REF{return x < 0 ? 0 : x;
}
, kExact, 0, 0
}
, {Function::leaky_relu, "leaky_relu", REF{return x < 0 ? a * x : x;
}
, kRounded, 0.25, 0
}
, {Function::elu, "elu", REF{return x < 0 ? a * expm1(x) : x;
}
, kFunction, 1.5, 0
}
, {Function::selu, "selu", REF{return b * (x < 0 ? a * expm1(x) : x);
}
, kFunction, f_selu, f_lambda
}
, {Function::celu, "celu", REF{return x < 0 ? a * expm1(x / a) : x;
}
, kFunction, 2, 0
}
, {Function::sigmoid, "sigmoid", REF{return sigmoid(x);
}
, kFunction, 0, 0
}
, {Function::hard_sigmoid, "hard_sigmoid", REF{return clamp(a * x + b, 0, 1);
}
, kGated, 0.25, 0.5
}
, {Function::hard_swish, "hard_swish", REF{return x * clamp(a * x + b, 0, 1);
}
, kGated, 0.25, 0.5
}
, {Function::silu, "silu", REF{return x * sigmoid(a * x);
}
, kGated, 1, 0
}
, {Function::softplus, "softplus", REF{return (x > 0 ? x : x != x ? x : 0) + log1p(exp(-fabs(x)));
}
, kFunction, 0, 0
}
, {Function::softsign, "softsign", REF{return x / (1 + fabs(x));
}
, kFunction, 0, 0
}
, {Function::mish, "mish", REF{return x * tanh(log1p(exp(x)));
}
, kGated, 0, 0
}
, {Function::gelu_erf, "gelu_erf", REF{return 0.5 * x * (1 + erf(x * 0.70710678118654752));
}
, kGated, 0, 0
}
, {Function::gelu_tanh, "gelu_tanh", REF{return 0.5 * x * (1 + tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
}
, kGated, 0, 0
}
, {Function::thresholded_relu, "thresholded_relu", REF{return x <= a ? 0 : x;
}
, kExact, 0.75, 0
}
, {Function::shrink, "shrink", REF{return x < -b ? x + a : x > b ? x - a : 0;
}
, kRounded, 0.25, 0.5
}
, {Function::clip, "clip", REF{return clamp(x, a, b);
}
, kExact, -0.75, 1.25
}
, {Function::linear, "linear", REF{return a * x + b;
}
, {1.1 * kEpsilonF32, kSmallestF32}, 2, 0
}
,
}
;
}
#undef REF

// The one-operation chain on dense f32 operands.
ElementwiseChain chain_of(Function function, ElementType in, ElementType result, int arity, double alpha, double beta) {
    ElementwiseChain chain{};
    chain.input_count = arity;
    for (int i = 0; i < arity; ++i) chain.input_types[i] = in;
    chain.op_count = 1;
    chain.ops[0] = {function, result, {0, 1, 2}, alpha, beta};
    chain.output_count = 1;
    chain.output_operands[0] = arity;
    return chain;
}

ElementwiseShape dense(int64_t n, int inputs) {
    ElementwiseShape shape{};
    shape.rank = 1;
    shape.dims[0] = n;
    for (int i = 0; i < inputs; ++i) shape.strides[i][0] = 1;
    return shape;
}

ElementwiseProgram compiled(const ElementwiseChain& chain, const ElementwiseShape& shape, Isa isa) {
    ElementwiseProgram program;
    const char* why = "";
    int32_t op = -1;
    const ElementwiseStatus status = elementwise_compile(chain, shape, isa, &program, &why, &op);
    if (!checker.expect(status == ElementwiseStatus::ok, "compile: %s (operation %d)", why, op)) exit(1);
    return program;
}

void test_unary_f32() {
    for (const UnaryCase& c : unary_cases()) {
        std::vector<float> values = specials();
        Random random(7);
        for (int i = 0; i < 3000; ++i) values.push_back(random.real(-12, 12));
        for (int i = 0; i < 1000; ++i) values.push_back(random.real(-120, 120));
        for (int i = 0; i < 500; ++i) values.push_back(random.real(-1e-3f, 1e-3f));
        for (int i = 0; i < 500; ++i) values.push_back(__builtin_bit_cast(float, static_cast<uint32_t>(random.next())));
        for (const ElementwiseKernels* kernels : variants()) {
            for (int64_t n : test::lengths()) {
                const int64_t count = n == test::lengths().back() ? static_cast<int64_t>(values.size()) : n;
                Guarded<float> x(count), y(count);
                for (int64_t i = 0; i < count; ++i) x[i] = values[i % values.size()];
                const ElementwiseProgram program =
                    compiled(chain_of(c.function, ElementType::f32, ElementType::f32, 1, c.alpha, c.beta),
                             dense(count, 1), kernels->isa);
                const void* inputs[] = {x.get()};
                void* outputs[] = {y.get()};
                elementwise_run(program, inputs, outputs, 0, count);
                for (int64_t i = 0; i < count; ++i) {
                    const double expected = c.reference(x[i], c.alpha, c.beta);
                    checker.expect(close(y[i], expected, c.tolerance),
                                   "%s(%a) = %.9g, expected %.9g (%s, %lld of %lld)", c.name, x[i], y[i], expected,
                                   isa_name(kernels->isa), (long long)i, (long long)count);
                }
            }
        }
    }
}

struct BinaryCase {
    Function function;
    const char* name;
    std::function<double(double, double)> reference;
    bool boolean;
    Tolerance tolerance;
};

double python_mod(double x, double y) {
    const double r = fmod(x, y);
    if (r == 0) return copysign(0, y);
    return (r < 0) != (y < 0) ? r + y : r;
}

void test_binary_f32() {
    const std::vector<BinaryCase> cases = {
        {Function::add, "add", [](double x, double y) { return x + y; }, false, kRounded},
        {Function::sub, "sub", [](double x, double y) { return x - y; }, false, kRounded},
        {Function::mul, "mul", [](double x, double y) { return x * y; }, false, kRounded},
        {Function::div, "div", [](double x, double y) { return x / y; }, false, kRounded},
        {Function::mod, "mod", python_mod, false, kRounded},
        {Function::fmod, "fmod", [](double x, double y) { return fmod(x, y); }, false, kRounded},
        {Function::min, "min", [](double x, double y) { return x != x || x < y ? x : y; }, false, kExact},
        {Function::max, "max", [](double x, double y) { return x != x || x > y ? x : y; }, false, kExact},
        {Function::pow, "pow", [](double x, double y) { return pow(x, y); }, false, kFunction},
        {Function::prelu, "prelu", [](double x, double y) { return x < 0 ? y * x : x; }, false, kRounded},
        {Function::equal, "equal", [](double x, double y) { return x == y; }, true, kExact},
        {Function::less, "less", [](double x, double y) { return x < y; }, true, kExact},
        {Function::less_equal, "less_equal", [](double x, double y) { return x <= y; }, true, kExact},
        {Function::greater, "greater", [](double x, double y) { return x > y; }, true, kExact},
        {Function::greater_equal, "greater_equal", [](double x, double y) { return x >= y; }, true, kExact},
    };
    const std::vector<float> values = specials();
    const int64_t side = static_cast<int64_t>(values.size()), all = side * side;
    for (const BinaryCase& c : cases) {
        for (const ElementwiseKernels* kernels : variants()) {
            for (int64_t n : {int64_t{1}, int64_t{17}, int64_t{33}, all}) {
                Guarded<float> x(n), z(n), y(n);
                Guarded<uint8_t> b(n);
                for (int64_t i = 0; i < n; ++i) {
                    x[i] = values[i / side % side];
                    z[i] = values[i % side];
                }
                const ElementType result = c.boolean ? ElementType::boolean : ElementType::f32;
                const ElementwiseProgram program =
                    compiled(chain_of(c.function, ElementType::f32, result, 2, 0, 0), dense(n, 2), kernels->isa);
                const void* inputs[] = {x.get(), z.get()};
                void* outputs[] = {c.boolean ? static_cast<void*>(b.get()) : y.get()};
                elementwise_run(program, inputs, outputs, 0, n);
                for (int64_t i = 0; i < n; ++i) {
                    const double expected = c.reference(x[i], z[i]), actual = c.boolean ? b[i] : y[i];
                    checker.expect(close(actual, expected, c.tolerance), "%s(%a, %a) = %.9g, expected %.9g (%s)",
                                   c.name, x[i], z[i], actual, expected, isa_name(kernels->isa));
                }
            }
        }
    }
}

// One exponent for a whole block takes other code.
void test_constant_powers() {
    for (float exponent : {1.0f, 2.0f, 3.0f, 0.5f, -1.0f, 0.0f}) {
        for (const ElementwiseKernels* kernels : variants()) {
            const std::vector<float> values = specials();
            const int64_t n = static_cast<int64_t>(values.size());
            Guarded<float> x(values), z(1), y(n);
            z[0] = exponent;
            ElementwiseShape shape = dense(n, 2);
            shape.strides[1][0] = 0;
            const ElementwiseProgram program =
                compiled(chain_of(Function::pow, ElementType::f32, ElementType::f32, 2, 0, 0), shape, kernels->isa);
            const void* inputs[] = {x.get(), z.get()};
            void* outputs[] = {y.get()};
            elementwise_run(program, inputs, outputs, 0, n);
            for (int64_t i = 0; i < n; ++i) {
                checker.expect(close(y[i], pow(x[i], exponent), {4 * kEpsilonF32, 4 * kSmallestF32}),
                               "pow(%a, %g) = %.9g (%s)", x[i], exponent, y[i], isa_name(kernels->isa));
            }
        }
    }
}

template <class T>
void check_int(ElementType type, Function function, const std::function<bool(__int128, __int128, __int128*)>& reference,
               int arity) {
    const T lowest = std::numeric_limits<T>::min(), highest = std::numeric_limits<T>::max();
    const std::vector<T> values = {0,
                                   1,
                                   2,
                                   3,
                                   7,
                                   100,
                                   static_cast<T>(-1),
                                   static_cast<T>(-2),
                                   static_cast<T>(-7),
                                   lowest,
                                   static_cast<T>(lowest + 1),
                                   highest,
                                   static_cast<T>(highest - 1)};
    const int64_t side = static_cast<int64_t>(values.size()), n = side * side;
    for (const ElementwiseKernels* kernels : variants()) {
        Guarded<T> x(n), z(n), y(n);
        for (int64_t i = 0; i < n; ++i) {
            x[i] = values[i / side];
            z[i] = values[i % side];
        }
        const ElementwiseProgram program =
            compiled(chain_of(function, type, type, arity, -3, 5), dense(n, arity), kernels->isa);
        const void* inputs[] = {x.get(), z.get()};
        void* outputs[] = {y.get()};
        const uint32_t flags = elementwise_run(program, inputs, outputs, 0, n);
        bool divided_by_zero = false;
        for (int64_t i = 0; i < n; ++i) {
            __int128 expected = 0;
            if (!reference(x[i], z[i], &expected)) divided_by_zero = true;
            checker.expect(y[i] == static_cast<T>(expected), "function %d type %d: (%lld, %lld) = %lld (%s)",
                           static_cast<int>(function), static_cast<int>(type), (long long)x[i], (long long)z[i],
                           (long long)y[i], isa_name(kernels->isa));
        }
        checker.expect((flags == kElementwiseDivisionByZero) == divided_by_zero, "division flag of function %d",
                       static_cast<int>(function));
    }
}

template <class T>
void test_ints(ElementType type) {
    using Value = __int128;
    const int width = sizeof(T) * 8;
    auto plain = [](auto fn) { return [fn](Value x, Value y, Value* out) { return *out = fn(x, y), true; }; };
    check_int<T>(type, Function::add, plain([](Value x, Value y) { return x + y; }), 2);
    check_int<T>(type, Function::sub, plain([](Value x, Value y) { return x - y; }), 2);
    check_int<T>(type, Function::mul, plain([](Value x, Value y) {
                     return static_cast<Value>(static_cast<unsigned __int128>(x) * static_cast<unsigned __int128>(y));
                 }),
                 2);
    check_int<T>(type, Function::min, plain([](Value x, Value y) { return x < y ? x : y; }), 2);
    check_int<T>(type, Function::max, plain([](Value x, Value y) { return x < y ? y : x; }), 2);
    check_int<T>(type, Function::bit_and, plain([](Value x, Value y) { return x & y; }), 2);
    check_int<T>(type, Function::bit_or, plain([](Value x, Value y) { return x | y; }), 2);
    check_int<T>(type, Function::bit_xor, plain([](Value x, Value y) { return x ^ y; }), 2);
    check_int<T>(type, Function::bit_not, plain([](Value x, Value) { return ~x; }), 1);
    check_int<T>(type, Function::neg, plain([](Value x, Value) { return -x; }), 1);
    check_int<T>(type, Function::abs, plain([](Value x, Value) { return x < 0 ? -x : x; }), 1);
    check_int<T>(type, Function::sign, plain([](Value x, Value) { return (x > 0) - (x < 0); }), 1);
    check_int<T>(type, Function::relu, plain([](Value x, Value) { return x < 0 ? 0 : x; }), 1);
    const Value low = std::numeric_limits<T>::min() < 0 ? -3 : 0;
    check_int<T>(type, Function::clip, plain([low](Value x, Value) { return x < low ? low : x > 5 ? 5 : x; }), 1);
    check_int<T>(type, Function::shift_left, plain([=](Value x, Value y) {
                     return y < 0 || y >= width
                                ? 0
                                : static_cast<Value>(static_cast<unsigned __int128>(x) << static_cast<int>(y));
                 }),
                 2);
    check_int<T>(
        type, Function::shift_right,
        plain([=](Value x, Value y) { return y < 0 || y >= width ? (x < 0 ? -1 : 0) : x >> static_cast<int>(y); }), 2);
    auto divide = [](auto fn) {
        return [fn](Value x, Value y, Value* out) { return y == 0 ? false : (*out = fn(x, y), true); };
    };
    check_int<T>(type, Function::div, divide([](Value x, Value y) { return x / y; }), 2);
    check_int<T>(type, Function::fmod, divide([](Value x, Value y) { return x % y; }), 2);
    check_int<T>(type, Function::mod,
                 divide([](Value x, Value y) { return x % y != 0 && (x % y < 0) != (y < 0) ? x % y + y : x % y; }), 2);
}

// The cast rule of elementwise.h, written independently: a value is a double or a 64-bit pattern.
void test_casts() {
    const std::vector<ElementType> types = {ElementType::f32, ElementType::u8,  ElementType::i8,     ElementType::u16,
                                            ElementType::i16, ElementType::i32, ElementType::i64,    ElementType::u32,
                                            ElementType::u64, ElementType::f64, ElementType::boolean};
    const std::vector<double> values = {
        0,     1,     -1,    2.5,  -2.5,  127,          128,          255,           256,          300,
        -129,  65535, 65536, 1e9,  -1e9,  2147483647.0, 2147483648.0, -2147483648.0, 4294967295.0, 1e18,
        -1e18, 1e30,  -1e30, kInf, -kInf, kNan,         0.5,          -0.5,          100};
    auto write = [](ElementType type, double v, void* out) -> bool {  // false: v has no exact form in that type
        auto integer = [&](auto zero, double low, double high) {
            using T = decltype(zero);
            if (!(v >= low && v <= high) || v != trunc(v)) return false;
            *static_cast<T*>(out) = static_cast<T>(v);
            return true;
        };
        switch (type) {
            case ElementType::f32:
                *static_cast<float*>(out) = static_cast<float>(v);
                return v != v || static_cast<float>(v) == v;
            case ElementType::f64:
                *static_cast<double*>(out) = v;
                return true;
            case ElementType::u8:
                return integer(uint8_t{}, 0, 255);
            case ElementType::i8:
                return integer(int8_t{}, -128, 127);
            case ElementType::u16:
                return integer(uint16_t{}, 0, 65535);
            case ElementType::i16:
                return integer(int16_t{}, -32768, 32767);
            case ElementType::i32:
                return integer(int32_t{}, -2147483648.0, 2147483647.0);
            case ElementType::u32:
                return integer(uint32_t{}, 0, 4294967295.0);
            case ElementType::i64:
                return integer(int64_t{}, -9e18, 9e18);
            case ElementType::u64:
                return integer(uint64_t{}, 0, 1.8e19);
            default:
                return integer(uint8_t{}, 0, 1);
        }
    };
    auto saturate64 = [](double v) -> int64_t {
        return v != v ? 0 : v >= 0x1p63 ? INT64_MAX : v <= -0x1p63 ? INT64_MIN : static_cast<int64_t>(v);
    };
    auto saturate32 = [](double v) -> int32_t {
        return v != v ? 0 : v >= 0x1p31 ? INT32_MAX : v <= -0x1p31 ? INT32_MIN : static_cast<int32_t>(v);
    };
    for (ElementType from : types) {
        const bool from_float = from == ElementType::f32 || from == ElementType::f64;
        for (ElementType to : types) {
            for (const ElementwiseKernels* kernels : variants()) {
                for (double v : values) {
                    char source[8] = {}, result[8] = {}, expected[8] = {};
                    if (!write(from, v, source)) continue;
                    if (from == ElementType::boolean) v = v != 0;
                    const auto fn = kernels->block_function(Function::cast, from, to);
                    if (!checker.expect(fn != nullptr, "no cast %d to %d", static_cast<int>(from),
                                        static_cast<int>(to)))
                        return;
                    alignas(8) char in[8], out[8] = {};
                    memcpy(in, source, 8);
                    const double none[2] = {0, 0};
                    fn(in, nullptr, nullptr, out, 1, none);
                    memcpy(result, out, 8);
                    const int64_t bits =
                        from_float ? (to == ElementType::u32 || to == ElementType::i64 ? saturate64(v) : saturate32(v))
                        : v >= 9.2e18 ? INT64_MAX
                                      : static_cast<int64_t>(v);
                    switch (to) {
                        case ElementType::f32:
                            *reinterpret_cast<float*>(out) = static_cast<float>(v);
                            break;
                        case ElementType::f64:
                            *reinterpret_cast<double*>(out) = v;
                            break;
                        case ElementType::boolean:
                            *out = v != 0;
                            break;
                        case ElementType::u64: {
                            const uint64_t u = !from_float        ? static_cast<uint64_t>(bits)
                                               : v != v || v <= 0 ? 0
                                               : v >= 0x1p64      ? UINT64_MAX
                                                                  : static_cast<uint64_t>(v);
                            memcpy(out, &u, 8);
                            break;
                        }
                        default:
                            memcpy(out, &bits, element_bytes(to));
                    }
                    memcpy(expected, out, 8);
                    if (v != v && (to == ElementType::f32 || to == ElementType::f64)) continue;
                    checker.expect(memcmp(result, expected, element_bytes(to)) == 0,
                                   "cast of %g from %d to %d gives %02x%02x (%s)", v, static_cast<int>(from),
                                   static_cast<int>(to), result[0] & 255, result[1] & 255, isa_name(kernels->isa));
                }
            }
        }
    }
}

// All 2^16 patterns survive the way through f32; rounding of ties is checked on a few.
void test_half_types() {
    for (const ElementwiseKernels* kernels : variants()) {
        for (ElementType type : {ElementType::f16, ElementType::bf16}) {
            Guarded<uint16_t> x(65536), back(65536);
            Guarded<float> f(65536);
            for (int64_t i = 0; i < 65536; ++i) x[i] = static_cast<uint16_t>(i);
            const double none[2] = {0, 0};
            kernels->block_function(Function::cast, type, ElementType::f32)(x.get(), nullptr, nullptr, f.get(), 65536,
                                                                            none);
            kernels->block_function(Function::cast, ElementType::f32, type)(f.get(), nullptr, nullptr, back.get(),
                                                                            65536, none);
            for (int64_t i = 0; i < 65536; ++i) {
                const bool is_nan = f[i] != f[i];
                const int exponent_bits = type == ElementType::f16 ? 0x7c00 : 0x7f80;
                const int fraction_bits = type == ElementType::f16 ? 0x03ff : 0x007f;
                checker.expect(is_nan == ((i & exponent_bits) == exponent_bits && (i & fraction_bits) != 0), "NaN %llx",
                               (long long)i);
                if (!is_nan) checker.expect(back[i] == i, "16-bit float %llx came back as %x", (long long)i, back[i]);
            }
        }
        const float ties[] = {1.00048828125f, 1.00146484375f, 65519.0f,     65520.0f,
                              5.9604645e-8f,  2.98023224e-8f, 8.9406967e-8f};
        const uint16_t expected[] = {0x3c00, 0x3c02, 0x7bff, 0x7c00, 0x0001, 0x0000, 0x0002};
        for (int n : {7}) {
            Guarded<float> in(32);
            Guarded<uint16_t> out(32);
            for (int i = 0; i < 32; ++i) in[i] = ties[i % n];
            const double none[2] = {0, 0};
            kernels->block_function(Function::cast, ElementType::f32, ElementType::f16)(in.get(), nullptr, nullptr,
                                                                                        out.get(), 32, none);
            for (int i = 0; i < 32; ++i) {
                checker.expect(out[i] == expected[i % n], "f16 of %a is %x (%s)", in[i], out[i],
                               isa_name(kernels->isa));
            }
        }
    }
}

// Broadcasting, ranges and dense shapes: (x + y) * z, relu, compared with an index walk.
void test_broadcast() {
    Random random(11);
    const int64_t dim_choices[] = {1, 2, 3, 5, 17, 64, 65, 700, 1500};
    for (int round = 0; round < 400; ++round) {
        ElementwiseChain chain{};
        chain.input_count = 3;
        for (int i = 0; i < 3; ++i) chain.input_types[i] = ElementType::f32;
        chain.op_count = 3;
        chain.ops[0] = {Function::add, ElementType::f32, {0, 1, 0}, 0, 0};
        chain.ops[1] = {Function::mul, ElementType::f32, {3, 2, 0}, 0, 0};
        chain.ops[2] = {Function::relu, ElementType::f32, {4, 0, 0}, 0, 0};
        chain.output_count = 3;
        chain.output_operands[0] = 5;
        chain.output_operands[1] = 3;
        chain.output_operands[2] = 0;
        ElementwiseShape shape{};
        shape.rank = static_cast<int32_t>(random.below(5));
        int64_t elements = 1;
        for (int d = 0; d < shape.rank; ++d) {
            shape.dims[d] = dim_choices[random.below(elements > 2000 ? 4 : 9)];
            elements *= shape.dims[d];
        }
        if (elements > 40000) continue;
        std::vector<std::vector<float>> data(3);
        int64_t origin[3];
        for (int i = 0; i < 3; ++i) {
            int64_t stride = 1, low = 0, high = 0;
            for (int d = shape.rank - 1; d >= 0; --d) {
                const int64_t kind = random.below(8);
                shape.strides[i][d] = kind < 3 ? 0 : kind == 3 ? -stride : kind == 4 ? 2 * stride : stride;
                const int64_t reach = shape.strides[i][d] * (shape.dims[d] - 1);
                (reach < 0 ? low : high) += reach;
                if (shape.strides[i][d] != 0) stride *= shape.dims[d] * (kind == 4 ? 2 : 1);
            }
            data[i].resize(high - low + 1);
            random.fill(data[i].data(), high - low + 1);
            origin[i] = -low;
        }
        for (const ElementwiseKernels* kernels : variants()) {
            const Guarded<float> a(data[0]), b(data[1]), c(data[2]);
            Guarded<float> y0(elements), y1(elements), y2(elements);
            const ElementwiseProgram program = compiled(chain, shape, kernels->isa);
            const void* inputs[] = {a.get() + origin[0], b.get() + origin[1], c.get() + origin[2]};
            void* outputs[] = {y0.get(), y1.get(), y2.get()};
            const int64_t cut = elements == 0 ? 0 : random.below(elements + 1);
            elementwise_run(program, inputs, outputs, 0, cut);
            elementwise_run(program, inputs, outputs, cut, elements);
            for (int64_t e = 0; e < elements; ++e) {
                int64_t rest = e, at[3] = {origin[0], origin[1], origin[2]};
                for (int d = shape.rank - 1; d >= 0; --d) {
                    for (int i = 0; i < 3; ++i) at[i] += rest % shape.dims[d] * shape.strides[i][d];
                    rest /= shape.dims[d];
                }
                const float sum = a[at[0]] + b[at[1]], product = sum * c[at[2]];
                const bool good = y1[e] == sum && y2[e] == a[at[0]] && y0[e] == (product > 0 ? product : 0);
                if (!checker.expect(good, "broadcast round %d element %lld (%s)", round, (long long)e,
                                    isa_name(kernels->isa)))
                    break;
            }
        }
    }
}

void test_where_and_booleans() {
    for (const ElementwiseKernels* kernels : variants()) {
        for (int64_t n : test::lengths()) {
            Guarded<uint8_t> m(n), k(n), both(n);
            Guarded<int64_t> x(n), z(n), y(n);
            Guarded<float> fx(n), fz(n), fy(n);
            Random random(n);
            for (int64_t i = 0; i < n; ++i) {
                m[i] = static_cast<uint8_t>(random.below(2));
                k[i] = static_cast<uint8_t>(random.below(2));
                x[i] = static_cast<int64_t>(random.next());
                z[i] = static_cast<int64_t>(random.next());
                fx[i] = random.real(-1, 1);
                fz[i] = kNan;
            }
            ElementwiseChain chain{};
            chain.input_count = 6;
            const ElementType types[] = {ElementType::boolean, ElementType::boolean, ElementType::i64,
                                         ElementType::i64,     ElementType::f32,     ElementType::f32};
            for (int i = 0; i < 6; ++i) chain.input_types[i] = types[i];
            chain.op_count = 5;
            chain.ops[0] = {Function::logical_not, ElementType::boolean, {1, 0, 0}, 0, 0};
            chain.ops[1] = {Function::logical_and, ElementType::boolean, {0, 6, 0}, 0, 0};
            chain.ops[2] = {Function::where, ElementType::i64, {7, 2, 3}, 0, 0};
            chain.ops[3] = {Function::where, ElementType::f32, {7, 4, 5}, 0, 0};
            chain.ops[4] = {Function::is_nan, ElementType::boolean, {9, 0, 0}, 0, 0};
            chain.output_count = 3;
            chain.output_operands[0] = 8;
            chain.output_operands[1] = 9;
            chain.output_operands[2] = 10;
            const ElementwiseProgram program = compiled(chain, dense(n, 6), kernels->isa);
            const void* inputs[] = {m.get(), k.get(), x.get(), z.get(), fx.get(), fz.get()};
            void* outputs[] = {y.get(), fy.get(), both.get()};
            elementwise_run(program, inputs, outputs, 0, n);
            for (int64_t i = 0; i < n; ++i) {
                const bool taken = m[i] && !k[i];
                checker.expect(
                    y[i] == (taken ? x[i] : z[i]) && (taken ? fy[i] == fx[i] : fy[i] != fy[i]) && both[i] == !taken,
                    "where at %lld of %lld (%s)", (long long)i, (long long)n, isa_name(kernels->isa));
            }
        }
    }
}

void test_aliasing() {
    for (const ElementwiseKernels* kernels : variants()) {
        const int64_t n = 5000;
        const ElementwiseChain chain = chain_of(Function::add, ElementType::f32, ElementType::f32, 2, 0, 0);
        const ElementwiseProgram program = compiled(chain, dense(n, 2), kernels->isa);
        checker.expect(elementwise_may_alias(program, 0, 0) && elementwise_may_alias(program, 0, 1),
                       "a sum may be in place");
        Guarded<float> x(n), z(n);
        for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(i), z[i] = 1;
        const void* inputs[] = {x.get(), z.get()};
        void* outputs[] = {x.get()};
        elementwise_run(program, inputs, outputs, 0, n);
        for (int64_t i = 0; i < n; ++i)
            checker.expect(x[i] == static_cast<float>(i + 1), "in place %lld", (long long)i);
        ElementwiseShape broadcast = dense(n, 2);
        broadcast.strides[1][0] = 0;
        checker.expect(!elementwise_may_alias(compiled(chain, broadcast, kernels->isa), 0, 1),
                       "a broadcast input is not reusable");
    }
}

void test_rejections() {
    ElementwiseProgram program;
    const ElementwiseShape shape = dense(4, 2);
    auto status = [&](const ElementwiseChain& chain) {
        return elementwise_compile(chain, shape, Isa::scalar, &program, nullptr, nullptr);
    };
    ElementwiseChain chain = chain_of(Function::add, ElementType::f32, ElementType::f32, 2, 0, 0);
    chain.ops[0].operands[1] = 2;
    checker.expect(status(chain) == ElementwiseStatus::bad_chain, "an operation may not read itself");
    chain = chain_of(Function::add, ElementType::f32, ElementType::i32, 2, 0, 0);
    checker.expect(status(chain) == ElementwiseStatus::bad_chain, "types must agree");
    chain = chain_of(static_cast<Function>(63), ElementType::f32, ElementType::f32, 2, 0, 0);
    checker.expect(status(chain) == ElementwiseStatus::bad_chain, "unknown function");
    chain = chain_of(Function::exp, ElementType::i32, ElementType::i32, 1, 0, 0);
    checker.expect(status(chain) == ElementwiseStatus::unsupported, "exp of integers has no kernel");
    chain = chain_of(Function::add, ElementType::f32, ElementType::f32, 2, 0, 0);
    chain.output_count = 0;
    checker.expect(status(chain) == ElementwiseStatus::bad_chain, "no output");
}

}  // namespace

int run_all() {
    test_unary_f32();
    test_binary_f32();
    test_constant_powers();
    test_ints<uint8_t>(ElementType::u8);
    test_ints<int8_t>(ElementType::i8);
    test_ints<uint16_t>(ElementType::u16);
    test_ints<int16_t>(ElementType::i16);
    test_ints<int32_t>(ElementType::i32);
    test_ints<uint32_t>(ElementType::u32);
    test_ints<int64_t>(ElementType::i64);
    test_ints<uint64_t>(ElementType::u64);
    test_casts();
    test_half_types();
    test_broadcast();
    test_where_and_booleans();
    test_aliasing();
    test_rejections();
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
