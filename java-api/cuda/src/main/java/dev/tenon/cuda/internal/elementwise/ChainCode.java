package dev.tenon.cuda.internal.elementwise;

import dev.tenon.DataType;
import dev.tenon.UnsupportedOperatorException;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.ChainFn;
import dev.tenon.internal.op.CompareFn;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.ElementwiseChain.Step;
import dev.tenon.internal.op.FloatTestFn;
import dev.tenon.internal.op.LogicalFn;
import dev.tenon.internal.op.UnaryFn;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The steps of a chain as statements on values: one line a step, one function of functions.cuh each. */
final class ChainCode {
    /** Functions whose results on values of a type are values of that type: nothing is left to round. */
    private static final Set<UnaryFn> EXACT_UNARY = EnumSet.of(
            UnaryFn.ABS,
            UnaryFn.NEG,
            UnaryFn.SIGN,
            UnaryFn.FLOOR,
            UnaryFn.CEIL,
            UnaryFn.ROUND,
            UnaryFn.RELU,
            UnaryFn.THRESHOLDED_RELU);

    private static final Set<BinaryFn> EXACT_BINARY = EnumSet.of(BinaryFn.MIN, BinaryFn.MAX, BinaryFn.FMOD);

    /** Functions that are told the element type, as narrow ones allow cheaper code. */
    private static final Set<UnaryFn> TYPED = EnumSet.of(
            UnaryFn.EXP,
            UnaryFn.ELU,
            UnaryFn.SELU,
            UnaryFn.SIGMOID,
            UnaryFn.SILU,
            UnaryFn.SOFTPLUS,
            UnaryFn.MISH,
            UnaryFn.GELU_ERF,
            UnaryFn.GELU_TANH);

    private final ElementwiseChain chain;
    private final List<DataType> types;
    private final BitSet needed;

    /** @throws UnsupportedOperatorException naming every step that has no code */
    ChainCode(ElementwiseChain chain, List<ChainInput> inputs) {
        this.chain = chain;
        this.types = new ArrayList<>(inputs.stream().map(ChainInput::type).toList());
        chain.steps().forEach(s -> types.add(s.type()));
        this.needed = needed(chain);
        List<String> unsupported = new ArrayList<>();
        for (int i = 0; i < chain.steps().size(); i++) {
            Step s = chain.steps().get(i);
            List<DataType> operands = s.operands().stream().map(types::get).toList();
            boolean allHere = operands.stream().allMatch(ElementTypes::has) && ElementTypes.has(s.type());
            if (!allHere || !fits(s, operands)) {
                unsupported.add("step " + i + ": " + s.fn() + " of " + operands + " giving " + s.type());
            }
        }
        if (!unsupported.isEmpty()) {
            throw new UnsupportedOperatorException("elementwise chain on CUDA", unsupported);
        }
    }

    /** The operands, inputs and steps, that the result depends on. */
    private static BitSet needed(ElementwiseChain chain) {
        BitSet needed = new BitSet();
        needed.set(chain.inputs() + chain.steps().size() - 1);
        for (int i = chain.steps().size() - 1; i >= 0; i--) {
            if (needed.get(chain.inputs() + i)) {
                chain.steps().get(i).operands().forEach(needed::set);
            }
        }
        return needed;
    }

    private static boolean fits(Step s, List<DataType> operands) {
        DataType type = s.type();
        DataType first = operands.getFirst();
        return switch (s.fn()) {
            case UnaryFn f -> f.accepts(type) && first == type;
            case BinaryFn f ->
                f.accepts(type)
                        && first == type
                        && (operands.get(1) == type || (f == BinaryFn.POW && operands.get(1) != DataType.BOOL));
            case CompareFn _ -> type == DataType.BOOL && operands.get(1) == first;
            case LogicalFn _ -> type == DataType.BOOL && first == DataType.BOOL && operands.get(1) == DataType.BOOL;
            case FloatTestFn _ -> type == DataType.BOOL && first.isFloat();
            case ChainFn f ->
                f == ChainFn.CAST || (first == DataType.BOOL && operands.get(1) == type && operands.get(2) == type);
            default -> false;
        };
    }

    boolean isNeeded(int operand) {
        return needed.get(operand);
    }

    DataType type(int operand) {
        return types.get(operand);
    }

    /** The variable that holds an operand. */
    String name(int operand) {
        return operand < chain.inputs() ? "x" + operand : "v" + (operand - chain.inputs());
    }

    /** The parameters that a step's function takes: none, alpha, or alpha and beta. */
    static int parameters(Enum<?> fn) {
        return switch (fn) {
            case UnaryFn f ->
                switch (f) {
                    case LEAKY_RELU, ELU, CELU, SILU, THRESHOLDED_RELU -> 1;
                    case SELU, HARD_SIGMOID, HARD_SWISH, SHRINK, CLIP, LINEAR -> 2;
                    default -> 0;
                };
            case FloatTestFn f -> f == FloatTestFn.IS_INF ? 2 : 0;
            default -> 0;
        };
    }

    static String alpha(int step) {
        return "alpha" + step;
    }

    static String beta(int step) {
        return "beta" + step;
    }

    /** Short text of what is computed, for the kernel's name. */
    String summary() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < chain.steps().size(); i++) {
            if (isNeeded(chain.inputs() + i)) {
                text.append(text.isEmpty() ? "" : "_")
                        .append(function(chain.steps().get(i)));
            }
        }
        return text.toString();
    }

    /** The statements, each with {@code indent}; the last step's value is not rounded, as it is stored. */
    String statements(String indent) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < chain.steps().size(); i++) {
            if (isNeeded(chain.inputs() + i)) {
                boolean last = i == chain.steps().size() - 1;
                Step s = chain.steps().get(i);
                text.append(indent)
                        .append(last ? "return " : "const " + ElementTypes.value(s.type()) + " v" + i + " = ")
                        .append(expression(i, last))
                        .append(";\n");
            }
        }
        return text.toString();
    }

    private String expression(int step, boolean last) {
        Step s = chain.steps().get(step);
        DataType from = types.get(s.operands().getFirst());
        if (s.fn() == ChainFn.CAST && last && isComputedInFloat(from) && isComputedInFloat(s.type())) {
            return name(s.operands().getFirst());
        }
        StringBuilder call = new StringBuilder("fn::").append(function(s));
        if (s.fn() == ChainFn.CAST || (s.fn() instanceof UnaryFn u && TYPED.contains(u))) {
            call.append("<").append(ElementTypes.storage(s.type())).append(">");
        }
        call.append("(");
        for (int i = 0; i < s.operands().size(); i++) {
            call.append(i == 0 ? "" : ", ").append(name(s.operands().get(i)));
        }
        int parameters = parameters(s.fn());
        call.append(parameters > 0 ? ", p." + alpha(step) : "");
        call.append(parameters > 1 ? ", p." + beta(step) : "");
        call.append(")");
        boolean round = !last && ElementTypes.isNarrowFloat(s.type()) && !isExact(s.fn());
        return round ? "fn::rounded<" + ElementTypes.storage(s.type()) + ">(" + call + ")" : call.toString();
    }

    private static boolean isComputedInFloat(DataType type) {
        return ElementTypes.value(type).equals("float");
    }

    private static boolean isExact(Enum<?> fn) {
        return fn instanceof ChainFn
                || (fn instanceof UnaryFn u && EXACT_UNARY.contains(u))
                || (fn instanceof BinaryFn b && EXACT_BINARY.contains(b));
    }

    private static String function(Step s) {
        return s.fn().name().toLowerCase(Locale.ROOT);
    }
}
