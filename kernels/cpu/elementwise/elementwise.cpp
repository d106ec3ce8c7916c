#include "elementwise.h"

#include <algorithm>

namespace tenon::cpu {
namespace {

using Program = ElementwiseProgram;
using Place = Program::Place;

int32_t arity(Function function) {
    const int32_t number = static_cast<int32_t>(function);
    return number < 64 ? 1 : number < 128 ? 2 : 3;
}

bool known(Function function) {
    const int32_t number = static_cast<int32_t>(function);
    return (number >= 0 && number <= 47) || (number >= 64 && number <= 86) || number == 128;
}

bool is_float(ElementType type) {
    return type == ElementType::f32 || type == ElementType::f64;
}

// Rough nanoseconds for one f32 element on one core, operands in cache.
double cost(Function function, ElementType type) {
    switch (function) {
        case Function::tan:
        case Function::asin:
        case Function::acos:
        case Function::atan:
        case Function::sinh:
        case Function::cosh:
        case Function::asinh:
        case Function::acosh:
        case Function::atanh:
        case Function::pow:
        case Function::mod:
        case Function::fmod:
            return 5.0;
        case Function::exp:
        case Function::log:
        case Function::sin:
        case Function::cos:
        case Function::tanh:
        case Function::erf:
        case Function::elu:
        case Function::selu:
        case Function::celu:
        case Function::sigmoid:
        case Function::silu:
        case Function::softplus:
        case Function::mish:
        case Function::gelu_erf:
        case Function::gelu_tanh:
            return type == ElementType::f32 ? 0.5 : 8.0;
        default:
            return type == ElementType::f32 ? 0.05 : 0.2;
    }
}

struct Failure {
    ElementwiseStatus status;
    const char* why;
    int32_t op;
};

// Builds one program; the steps are in the order of `compile`.
class Compiler {
  public:
    Compiler(const ElementwiseChain& chain, const ElementwiseShape& shape, const ElementwiseKernels& kernels,
             Program* out)
        : chain_(chain), shape_(shape), kernels_(kernels), out_(*out) {}

    Failure compile() {
        out_ = Program{};
        out_.isa = kernels_.isa;
        out_.run = kernels_.run;
        Failure failure = check_limits();
        if (failure.status == ElementwiseStatus::ok) failure = collapse_dims();
        if (failure.status == ElementwiseStatus::ok) failure = check_operands();
        if (failure.status == ElementwiseStatus::ok) failure = classify_inputs();
        if (failure.status == ElementwiseStatus::ok) failure = add_ops();
        if (failure.status == ElementwiseStatus::ok) choose_block();
        return failure;
    }

  private:
    static Failure good() { return {ElementwiseStatus::ok, "", -1}; }
    static Failure bad(const char* why, int32_t op = -1) { return {ElementwiseStatus::bad_chain, why, op}; }

    ElementType type_of(int32_t operand) const {
        return operand < chain_.input_count ? chain_.input_types[operand]
                                            : chain_.ops[operand - chain_.input_count].type;
    }

    Failure check_limits() const {
        if (chain_.input_count < 0 || chain_.input_count > kElementwiseMaxInputs)
            return bad("input count out of range");
        if (chain_.op_count < 0 || chain_.op_count > kElementwiseMaxOps) return bad("operation count out of range");
        if (chain_.output_count < 1 || chain_.output_count > kElementwiseMaxOutputs)
            return bad("output count out of range");
        if (shape_.rank < 0 || shape_.rank > kElementwiseMaxRank) return bad("rank out of range");
        for (int32_t i = 0; i < chain_.input_count; ++i) {
            if (element_bytes(chain_.input_types[i]) == 0) return bad("unknown input type");
        }
        for (int32_t i = 0; i < chain_.output_count; ++i) {
            const int32_t operand = chain_.output_operands[i];
            if (operand < 0 || operand >= chain_.input_count + chain_.op_count)
                return bad("output operand out of range");
        }
        return good();
    }

    // Drops dims of 1 and merges neighbours that every input walks as one.
    Failure collapse_dims() {
        out_.input_count = chain_.input_count;
        out_.elements = 1;
        for (int32_t d = 0; d < shape_.rank; ++d) {
            if (shape_.dims[d] < 0) return bad("negative dim");
            if (__builtin_mul_overflow(out_.elements, shape_.dims[d], &out_.elements)) return bad("too many elements");
        }
        int32_t rank = 0;
        for (int32_t d = 0; d < shape_.rank; ++d) {
            if (shape_.dims[d] == 1) continue;
            bool merges = rank > 0;
            for (int32_t i = 0; i < chain_.input_count && merges; ++i) {
                merges = out_.inputs[i].strides[rank - 1] == shape_.strides[i][d] * shape_.dims[d];
            }
            if (merges) {
                out_.dims[rank - 1] *= shape_.dims[d];
            } else {
                out_.dims[rank++] = shape_.dims[d];
            }
            for (int32_t i = 0; i < chain_.input_count; ++i) out_.inputs[i].strides[rank - 1] = shape_.strides[i][d];
        }
        if (rank == 0) {
            out_.dims[0] = 1;
            for (int32_t i = 0; i < chain_.input_count; ++i) out_.inputs[i].strides[0] = 1;
            rank = 1;
        }
        out_.rank = rank;
        return good();
    }

    Failure check_operands() const {
        for (int32_t k = 0; k < chain_.op_count; ++k) {
            const ElementwiseOp& op = chain_.ops[k];
            if (!known(op.function)) return bad("unknown function", k);
            if (element_bytes(op.type) == 0) return bad("unknown result type", k);
            for (int32_t a = 0; a < arity(op.function); ++a) {
                if (op.operands[a] < 0 || op.operands[a] >= chain_.input_count + k)
                    return bad("operand out of range", k);
            }
            const ElementType first = type_of(op.operands[0]);
            bool types_agree = true;
            switch (op.function) {
                case Function::cast:
                    break;
                case Function::is_nan:
                case Function::is_inf:
                    types_agree = op.type == ElementType::boolean;
                    break;
                case Function::equal:
                case Function::less:
                case Function::less_equal:
                case Function::greater:
                case Function::greater_equal:
                    types_agree = op.type == ElementType::boolean && type_of(op.operands[1]) == first;
                    break;
                case Function::where:
                    types_agree = first == ElementType::boolean && type_of(op.operands[1]) == op.type &&
                                  type_of(op.operands[2]) == op.type;
                    break;
                case Function::pow:
                    types_agree = first == op.type;
                    break;
                default:
                    types_agree = first == op.type && (arity(op.function) == 1 || type_of(op.operands[1]) == op.type);
            }
            if (!types_agree) return bad("operand and result types do not fit the function", k);
        }
        return good();
    }

    Failure classify_inputs() {
        for (int32_t i = 0; i < out_.input_count; ++i) {
            Program::Input& input = out_.inputs[i];
            input.bytes = static_cast<int32_t>(element_bytes(chain_.input_types[i]));
            input.dense = input.scalar = input.periodic = true;
            int64_t dense_stride = 1;
            for (int32_t d = out_.rank - 1; d >= 0; --d) {
                input.dense = input.dense && input.strides[d] == dense_stride;
                input.scalar = input.scalar && input.strides[d] == 0;
                if (d < out_.rank - 1) input.periodic = input.periodic && input.strides[d] == 0;
                dense_stride *= out_.dims[d];
            }
            input.slot = -1;
            if (!input.dense && !take_slot(input.bytes, &input.slot))
                return {ElementwiseStatus::too_large, kTooMany, -1};
        }
        return good();
    }

    bool take_slot(int32_t bytes, int32_t* slot) {
        for (int32_t s = 0; s < kElementwiseMaxSlots; ++s) {
            if (slot_busy_[s]) continue;
            slot_busy_[s] = true;
            widest_ = std::max<int64_t>(widest_, bytes);
            *slot = s;
            return true;
        }
        return false;
    }

    // The output an operand is stored to first, or -1.
    int32_t output_of(int32_t operand) const {
        for (int32_t o = 0; o < chain_.output_count; ++o) {
            if (chain_.output_operands[o] == operand) return o;
        }
        return -1;
    }

    Program::Operand place_of(int32_t operand) const {
        if (operand < chain_.input_count) return {Place::input, operand};
        return results_[operand - chain_.input_count];
    }

    bool read_after(int32_t operand, int32_t op) const {
        for (int32_t k = op + 1; k < chain_.op_count; ++k) {
            for (int32_t a = 0; a < arity(chain_.ops[k].function); ++a) {
                if (chain_.ops[k].operands[a] == operand) return true;
            }
        }
        return false;
    }

    Failure append(Function function, ElementType source, ElementType result, const Program::Operand* operands,
                   Program::Operand to, double alpha, double beta, int32_t position) {
        if (out_.op_count == kElementwiseMaxOps + kElementwiseMaxExtraOps) {
            return {ElementwiseStatus::too_large, "too many operations after adding conversions and copies", position};
        }
        Program::Op& op = out_.ops[out_.op_count++];
        op.fn = kernels_.block_function(function, source, result);
        if (op.fn == nullptr) return {ElementwiseStatus::unsupported, "no kernel for this function and type", position};
        std::copy(operands, operands + 3, op.operands);
        op.result = to;
        op.result_bytes = static_cast<int32_t>(element_bytes(result));
        op.params[0] = alpha;
        op.params[1] = beta;
        out_.ns_per_element += cost(function, result);
        return good();
    }

    Failure add_ops() {
        out_.output_count = chain_.output_count;
        for (int32_t o = 0; o < chain_.output_count; ++o) {
            out_.output_bytes[o] = static_cast<int32_t>(element_bytes(type_of(chain_.output_operands[o])));
        }
        for (int32_t k = 0; k < chain_.op_count; ++k) {
            const Failure failure = add_op(k);
            if (failure.status != ElementwiseStatus::ok) return failure;
        }
        for (int32_t o = 0; o < chain_.output_count; ++o) {
            const int32_t operand = chain_.output_operands[o];
            if (operand >= chain_.input_count && output_of(operand) == o) continue;
            const Program::Operand operands[3] = {place_of(operand), {Place::none, 0}, {Place::none, 0}};
            const ElementType type = type_of(operand);
            const Failure failure = append(Function::identity, type, type, operands, {Place::output, o}, 0, 0, -1);
            if (failure.status != ElementwiseStatus::ok) return failure;
        }
        return good();
    }

    Failure add_op(int32_t k) {
        const ElementwiseOp& op = chain_.ops[k];
        const int32_t self = chain_.input_count + k;
        Program::Operand operands[3] = {};
        for (int32_t a = 0; a < arity(op.function); ++a) operands[a] = place_of(op.operands[a]);
        const bool second_decides = op.function == Function::pow || op.function == Function::where;
        ElementType source = type_of(op.operands[second_decides ? 1 : 0]);
        int32_t converted = -1;
        if (op.function == Function::pow) {
            const ElementType wanted = is_float(op.type)  ? op.type
                                       : is_float(source) ? ElementType::f64
                                                          : ElementType::i64;
            if (source == ElementType::boolean) return bad("a power's exponent is boolean", k);
            if (source != wanted) {
                if (!take_slot(8, &converted)) return {ElementwiseStatus::too_large, kTooMany, k};
                const Program::Operand exponent[3] = {operands[1], {Place::none, 0}, {Place::none, 0}};
                operands[1] = {Place::slot, converted};
                const Failure failure = append(Function::cast, source, wanted, exponent, operands[1], 0, 0, k);
                if (failure.status != ElementwiseStatus::ok) return failure;
                source = wanted;
            }
        }
        const int32_t output = output_of(self);
        Program::Operand& result = results_[k];
        if (output >= 0) {
            result = {Place::output, output};
        } else {
            result.place = Place::slot;
            if (!take_slot(static_cast<int32_t>(element_bytes(op.type)), &result.index)) {
                return {ElementwiseStatus::too_large, kTooMany, k};
            }
        }
        const Failure failure = append(op.function, source, op.type, operands, result, op.alpha, op.beta, k);
        if (failure.status != ElementwiseStatus::ok) return failure;
        if (converted >= 0) slot_busy_[converted] = false;
        for (int32_t earlier = 0; earlier <= k; ++earlier) {
            const Program::Operand at = results_[earlier];
            if (at.place != Place::slot || released_[earlier] || read_after(chain_.input_count + earlier, k)) continue;
            slot_busy_[at.index] = false;
            released_[earlier] = true;
        }
        return good();
    }

    void choose_block() {
        const int64_t inner = out_.dims[out_.rank - 1];
        bool any_broadcast = false, any_scalar = false;
        for (int32_t i = 0; i < out_.input_count; ++i) {
            any_scalar = any_scalar || out_.inputs[i].scalar;
            any_broadcast = any_broadcast || !(out_.inputs[i].dense || out_.inputs[i].scalar);
        }
        if (out_.op_count == 1 && !any_broadcast && !any_scalar) {
            out_.block = std::max<int64_t>(out_.elements, 1);
            return;
        }
        out_.block = kElementwiseSlotBytes / std::max<int64_t>(widest_, 4);
        if (!any_broadcast || inner == 0) return;
        if (inner <= out_.block) {
            out_.block = out_.block / inner * inner;
        } else {
            out_.rows_whole = true;
        }
    }

    static constexpr const char* kTooMany = "too many values alive together";
    const ElementwiseChain& chain_;
    const ElementwiseShape& shape_;
    const ElementwiseKernels& kernels_;
    Program& out_;
    Program::Operand results_[kElementwiseMaxOps] = {};
    bool released_[kElementwiseMaxOps] = {};
    bool slot_busy_[kElementwiseMaxSlots] = {};
    int64_t widest_ = 1;
};

}  // namespace

const ElementwiseKernels& select_elementwise(Isa max) {
    const Isa best = best_isa(max);
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best) return isa::name;
#include "elementwise.inc"
#undef TENON_KERNEL
    __builtin_unreachable();
}

ElementwiseStatus elementwise_compile(const ElementwiseChain& chain, const ElementwiseShape& shape, Isa max_isa,
                                      ElementwiseProgram* out, const char** why, int32_t* bad_op) {
    const Failure failure = Compiler(chain, shape, select_elementwise(max_isa), out).compile();
    if (why != nullptr) *why = failure.why;
    if (bad_op != nullptr) *bad_op = failure.op;
    return failure.status;
}

bool elementwise_may_alias(const ElementwiseProgram& program, int32_t output, int32_t input) {
    if (!program.inputs[input].dense || program.inputs[input].bytes != program.output_bytes[output]) return false;
    bool written = false;
    for (int32_t k = 0; k < program.op_count; ++k) {
        const Program::Op& op = program.ops[k];
        if (written) {
            for (const Program::Operand& operand : op.operands) {
                if (operand.place == Place::input && operand.index == input) return false;
            }
        }
        written = written || (op.result.place == Place::output && op.result.index == output);
    }
    return true;
}

}  // namespace tenon::cpu
