// The interpreter: per block, makes the operands' blocks and calls the operations.

namespace tenon::cpu::TENON_ISA {
namespace {

using Program = ElementwiseProgram;

template <class T>
void fill(char* out, const char* value, int64_t n) {
    const T v = *reinterpret_cast<const T*>(value);
    T* y = reinterpret_cast<T*>(out);
    for (int64_t i = 0; i < n; ++i) y[i] = v;
}
template <class T>
void pick(char* out, const char* first_element, int64_t stride, int64_t n) {
    const T* x = reinterpret_cast<const T*>(first_element);
    T* y = reinterpret_cast<T*>(out);
    for (int64_t i = 0; i < n; ++i) y[i] = x[i * stride];
}

// n elements from `from` on, `stride` elements apart, to consecutive ones.
void spread(char* out, const char* from, int64_t stride, int64_t bytes, int64_t n) {
    if (stride == 1) {
        __builtin_memcpy(out, from, static_cast<uint64_t>(n * bytes));
        return;
    }
    switch (bytes) {
        case 1:
            return stride == 0 ? fill<uint8_t>(out, from, n) : pick<uint8_t>(out, from, stride, n);
        case 2:
            return stride == 0 ? fill<uint16_t>(out, from, n) : pick<uint16_t>(out, from, stride, n);
        case 4:
            return stride == 0 ? fill<uint32_t>(out, from, n) : pick<uint32_t>(out, from, stride, n);
        default:
            return stride == 0 ? fill<uint64_t>(out, from, n) : pick<uint64_t>(out, from, stride, n);
    }
}

// What a broadcast input's slot holds: elements of the row at `from`, starting at `column`; as many as `count` can
// serve another block.
struct Filled {
    const char* from;
    int64_t column;
    int64_t count;
};

// Elements begin .. begin + n - 1 of an input that is neither dense nor scalar.
const char* fetch(const Program& program, const Program::Input& input, const char* base, char* slot, Filled* filled,
                  int64_t begin, int64_t n) {
    const int32_t last = program.rank - 1;
    const int64_t inner = program.dims[last], stride = input.strides[last], bytes = input.bytes;
    int64_t index[kElementwiseMaxRank];
    int64_t rest = begin / inner;
    int64_t column = begin - rest * inner;
    int64_t offset = 0;
    for (int32_t d = last - 1; d >= 0; --d) {
        const int64_t quotient = rest / program.dims[d];
        index[d] = rest - quotient * program.dims[d];
        rest = quotient;
        offset += index[d] * input.strides[d];
    }
    const char* row = base + offset * bytes;
    const bool within = column + n <= inner;
    if (within && stride == 1) return row + column * bytes;
    // A constant row, or whole rows of an input that repeats them, need no second copy.
    if ((input.periodic || (within && stride == 0)) && filled->from == row && filled->count >= n &&
        (filled->column == column || (within && stride == 0))) {
        return slot;
    }
    *filled = {row, column, input.periodic || within ? n : inner - column};
    char* out = slot;
    while (true) {
        const int64_t count = inner - column < n ? inner - column : n;
        spread(out, base + (offset + column * stride) * bytes, stride, bytes, count);
        n -= count;
        if (n == 0) return slot;
        out += count * bytes;
        column = 0;
        for (int32_t d = last - 1; d >= 0; --d) {
            offset += input.strides[d];
            if (++index[d] < program.dims[d]) break;
            offset -= index[d] * input.strides[d];
            index[d] = 0;
        }
    }
}

uint32_t run(const Program& program, const void* const* inputs, void* const* outputs, int64_t begin, int64_t end) {
    alignas(64) char slots[kElementwiseMaxSlots][kElementwiseSlotBytes];
    Filled filled[kElementwiseMaxInputs] = {};
    const char* blocks[kElementwiseMaxInputs];
    for (int32_t k = 0; k < program.input_count && begin < end; ++k) {
        const Program::Input& input = program.inputs[k];
        if (!input.scalar) continue;
        const int64_t most = end - begin < program.block ? end - begin : program.block;
        spread(slots[input.slot], static_cast<const char*>(inputs[k]), 0, input.bytes, most);
        blocks[k] = slots[input.slot];
    }
    const int64_t inner = program.dims[program.rank - 1];
    uint32_t flags = 0;
    for (int64_t i = begin; i < end;) {
        int64_t n = end - i < program.block ? end - i : program.block;
        if (program.rows_whole && inner - i % inner < n) n = inner - i % inner;
        for (int32_t k = 0; k < program.input_count; ++k) {
            const Program::Input& input = program.inputs[k];
            const char* base = static_cast<const char*>(inputs[k]);
            if (input.dense) {
                blocks[k] = base + i * input.bytes;
            } else if (!input.scalar) {
                blocks[k] = fetch(program, input, base, slots[input.slot], &filled[k], i, n);
            }
        }
        for (int32_t k = 0; k < program.op_count; ++k) {
            const Program::Op& op = program.ops[k];
            const void* operands[3] = {};
            for (int32_t a = 0; a < 3; ++a) {
                const Program::Operand operand = op.operands[a];
                switch (operand.place) {
                    case Program::Place::none:
                        break;
                    case Program::Place::input:
                        operands[a] = blocks[operand.index];
                        break;
                    case Program::Place::slot:
                        operands[a] = slots[operand.index];
                        break;
                    case Program::Place::output:
                        operands[a] =
                            static_cast<char*>(outputs[operand.index]) + i * program.output_bytes[operand.index];
                        break;
                }
            }
            void* result = op.result.place == Program::Place::slot ? static_cast<void*>(slots[op.result.index])
                                                                   : static_cast<char*>(outputs[op.result.index]) +
                                                                         i * program.output_bytes[op.result.index];
            flags |= op.fn(operands[0], operands[1], operands[2], result, n, op.params);
        }
        i += n;
    }
    return flags;
}

BlockFn block_function(Function function, ElementType source, ElementType result) {
    switch (function) {
        case Function::identity:
            return copy_function(element_bytes(result));
        case Function::cast:
            return cast_function(source, result);
        case Function::where:
            return where_function(element_bytes(result));
        case Function::pow:
            return typed_function(function, result, source);
        case Function::is_nan:
        case Function::is_inf:
        case Function::equal:
        case Function::less:
        case Function::less_equal:
        case Function::greater:
        case Function::greater_equal:
            return typed_function(function, source, source);
        default:
            return typed_function(function, result, source);
    }
}

}  // namespace

const ElementwiseKernels elementwise = {Isa::TENON_ISA, block_function, run};

}  // namespace tenon::cpu::TENON_ISA
