// Chains of elementwise operations, computed in one pass over memory.
//
// A chain is a small program: inputs, operations on inputs and earlier results, outputs. It is compiled once for given
// types, dims and strides (elementwise_compile) and then run on any range of elements (elementwise_run), block by
// block: intermediate values live in blocks of a few KB on the stack, so each input is read and each output written
// once.
//
//   Operands   0 .. input_count-1 are the inputs, input_count + i is the result of operation i (i smaller than the
//              position of the operation that reads it).
//   Types      operations without a type note below work on f32 and f64; "(i)" adds all integers (u8 i8 u16 i16 i32 i64
//              u32 u64), "(b)" adds boolean. Operands and result have one type, except: cast; comparisons, is_nan and
//              is_inf (result boolean); where (operand 0 is boolean, and boolean values are allowed); pow (y may have
//              any numeric type). f16 and bf16 can be cast, selected and copied.
//   Integers   wrap. Division and modulo by zero give 0 and set kElementwiseDivisionByZero; MIN / -1 wraps.
//   Floats     min, max, clip and relu give NaN when an operand is NaN; max(-0, 0) is 0 or -0. Transcendental f32
//              functions are within 4 units in the last place of the exact value (gelu, mish, tan, and powers: see
//              tolerance.h) for all inputs, subnormal numbers included.
//   cast       int to int keeps the low bits. Float to i32, i64, u64 saturates and NaN gives 0; to others it goes
//              through i32 (u32: i64) and keeps the low bits. To boolean: x != 0, so NaN gives 1. To f16 and bf16: to
//              nearest even, overflow gives infinity.
//   Memory     outputs are dense row-major arrays of the chain's dims. Inputs have one stride per dim, in elements, 0
//              for a broadcast dim, negative allowed; input pointers are the address of element (0, ..., 0). No
//              alignment is needed beyond that of the element type, none of that either for speed.
//   Aliasing   an output may be the same memory as a dense input of the same element size, provided no operation after
//              the one that makes that output reads the input (elementwise_may_alias tells). Otherwise they must not
//              overlap.
//   Threads    runs on disjoint ranges of one program may go on at the same time.
#ifndef TENON_KERNELS_CPU_ELEMENTWISE_ELEMENTWISE_H
#define TENON_KERNELS_CPU_ELEMENTWISE_ELEMENTWISE_H

#include <stdint.h>

#include "../common/cpu_features.h"
#include "../common/element_type.h"

namespace tenon::cpu {

// The numbers are those of TENON_FN_* in tenon.h and never change. x, y, z: operands; a, b: alpha, beta.
enum class Function : int32_t {
    identity = 0,  // (i)(b) and f16, bf16
    abs = 1,       // (i)
    neg = 2,       // (i)
    sign = 3,      // (i) NaN gives NaN
    sqrt = 4,
    rsqrt = 5,
    reciprocal = 6,
    exp = 7,
    log = 8,
    sin = 9,
    cos = 10,
    tan = 11,
    asin = 12,
    acos = 13,
    atan = 14,
    sinh = 15,
    cosh = 16,
    tanh = 17,
    asinh = 18,
    acosh = 19,
    atanh = 20,
    erf = 21,
    floor = 22,
    ceil = 23,
    round = 24,             // half to even
    relu = 25,              // (i) max(x, 0)
    leaky_relu = 26,        // x < 0 ? a x : x
    elu = 27,               // x < 0 ? a (exp(x) - 1) : x
    selu = 28,              // b (x < 0 ? a (exp(x) - 1) : x)
    celu = 29,              // max(0, x) + min(0, a (exp(x / a) - 1))
    sigmoid = 30,           // 1 / (1 + exp(-x))
    hard_sigmoid = 31,      // max(0, min(1, a x + b))
    hard_swish = 32,        // x max(0, min(1, a x + b))
    silu = 33,              // x sigmoid(a x)
    softplus = 34,          // log(1 + exp(x))
    softsign = 35,          // x / (1 + |x|)
    mish = 36,              // x tanh(softplus(x))
    gelu_erf = 37,          // x / 2 (1 + erf(x / sqrt(2)))
    gelu_tanh = 38,         // x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
    thresholded_relu = 39,  // x > a ? x : 0
    shrink = 40,            // b = lambda, a = bias: x < -b ? x + a : x > b ? x - a : 0
    clip = 41,              // (i) min(max(x, a), b); integers: a and b are truncated and saturated
    linear = 42,            // a x + b
    logical_not = 43,       // boolean only
    bit_not = 44,           // integers only
    is_nan = 45,            // result boolean
    is_inf = 46,            // result boolean; a != 0: +inf counts, b != 0: -inf counts
    cast = 47,              // any type to any type

    add = 64,      // (i)
    sub = 65,      // (i)
    mul = 66,      // (i)
    div = 67,      // (i) integers truncate
    mod = 68,      // (i) sign of the divisor
    fmod = 69,     // (i) sign of the dividend
    min = 70,      // (i)
    max = 71,      // (i)
    pow = 72,      // (i) y may have another type; negative integer powers of integers truncate
    prelu = 73,    // (i) x < 0 ? y x : x
    bit_and = 74,  // integers only, as the next ones
    bit_or = 75,
    bit_xor = 76,
    shift_left = 77,   // a shift by the width or more gives 0
    shift_right = 78,  // fills with zeros (unsigned) or the sign
    logical_and = 79,  // boolean only, as the next ones
    logical_or = 80,
    logical_xor = 81,
    equal = 82,  // (i)(b), result boolean, as the next ones
    less = 83,
    less_equal = 84,
    greater = 85,
    greater_equal = 86,

    where = 128,  // (i)(b) and f16, bf16: x ? y : z
};

constexpr int32_t kElementwiseMaxRank = 8;
constexpr int32_t kElementwiseMaxInputs = 16;
constexpr int32_t kElementwiseMaxOps = 64;
constexpr int32_t kElementwiseMaxOutputs = 8;
constexpr int32_t kElementwiseMaxSlots = 16;  // intermediate values and broadcast inputs alive together

constexpr int32_t kElementwiseMaxExtraOps = 16;  // copies to outputs and conversions of powers added by compiling
constexpr int64_t kElementwiseSlotBytes = 4096;

struct ElementwiseOp {
    Function function;
    ElementType type;     // of the result
    int32_t operands[3];  // those beyond the function's arity are ignored
    double alpha;
    double beta;
};

struct ElementwiseChain {
    int32_t input_count;
    ElementType input_types[kElementwiseMaxInputs];
    int32_t op_count;
    ElementwiseOp ops[kElementwiseMaxOps];
    int32_t output_count;  // >= 1
    int32_t output_operands[kElementwiseMaxOutputs];
};

struct ElementwiseShape {
    int32_t rank;  // 0 is one element
    int64_t dims[kElementwiseMaxRank];
    int64_t strides[kElementwiseMaxInputs][kElementwiseMaxRank];
};

enum class ElementwiseStatus : int32_t {
    ok = 0,
    bad_chain = 1,    // operand numbers, types, counts or dims that break the rules above
    unsupported = 2,  // legal, but there is no kernel for this function and type
    too_large = 3,    // more values alive together than kElementwiseMaxSlots
};

constexpr uint32_t kElementwiseDivisionByZero = 1;

// What elementwise_compile makes; read by elementwise_run. Plain data: may be copied and moved.
struct ElementwiseProgram {
    // out = function of n elements. a, b, c: operands; params: {alpha, beta}. Returns 0 or kElementwise* flags.
    using BlockFn = uint32_t (*)(const void* a, const void* b, const void* c, void* out, int64_t n,
                                 const double* params);
    using RunFn = uint32_t (*)(const ElementwiseProgram& program, const void* const* inputs, void* const* outputs,
                               int64_t begin, int64_t end);
    struct Input {
        int32_t bytes;  // of an element
        int32_t slot;   // block to copy into when the elements of a block are not consecutive; -1: never needed
        bool dense;     // strides are those of a dense array of the dims
        bool scalar;    // all strides are 0
        bool periodic;  // all strides but the innermost are 0
        int64_t strides[kElementwiseMaxRank];
    };
    // Where an operand of an operation is: an input, an output's memory or a block on the stack.
    enum class Place : int8_t { none, input, output, slot };
    struct Operand {
        Place place;
        int32_t index;
    };
    struct Op {
        BlockFn fn;
        Operand operands[3];
        Operand result;  // output or slot
        int32_t result_bytes;
        double params[2];
    };
    Isa isa;
    RunFn run;
    int64_t elements;
    int64_t block;    // elements per block
    bool rows_whole;  // a block does not cross the end of an innermost row
    int32_t rank;     // after collapsing
    int32_t input_count;
    int32_t op_count;
    int32_t output_count;
    int64_t dims[kElementwiseMaxRank];
    Input inputs[kElementwiseMaxInputs];
    int32_t output_bytes[kElementwiseMaxOutputs];
    Op ops[kElementwiseMaxOps + kElementwiseMaxExtraOps];
    double ns_per_element;  // rough cost on one core with operands in cache, to decide on splitting
};

// Checks the chain, collapses dims, assigns blocks and picks kernels of the best instruction set not above max_isa.
// On failure *why (may be null) points to a static sentence and *bad_op (may be null) is the operation, or -1.
ElementwiseStatus elementwise_compile(const ElementwiseChain& chain, const ElementwiseShape& shape, Isa max_isa,
                                      ElementwiseProgram* out, const char** why, int32_t* bad_op);

// Computes elements begin .. end-1 (row-major, 0 <= begin <= end <= program.elements) of every output. Ranges that
// begin at multiples of 64 elements avoid sharing cache lines. Returns flags (kElementwise*) seen in the range.
inline uint32_t elementwise_run(const ElementwiseProgram& program, const void* const* inputs, void* const* outputs,
                                int64_t begin, int64_t end) {
    return program.run(program, inputs, outputs, begin, end);
}

// Whether `output` may be the same memory as `input` (indexes in the chain).
bool elementwise_may_alias(const ElementwiseProgram& program, int32_t output, int32_t input);

// What one instruction set has.
struct ElementwiseKernels {
    Isa isa;
    // The block function of one operation, or null when there is none. source is the type of operand 0, but of operand
    // 1 for pow and where.
    ElementwiseProgram::BlockFn (*block_function)(Function function, ElementType source, ElementType result);
    ElementwiseProgram::RunFn run;
};

#define TENON_KERNEL(isa, name)           \
    namespace isa {                       \
    extern const ElementwiseKernels name; \
    }
#include "elementwise.inc"
#undef TENON_KERNEL

// The best variant this processor runs that is not above max.
const ElementwiseKernels& select_elementwise(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
