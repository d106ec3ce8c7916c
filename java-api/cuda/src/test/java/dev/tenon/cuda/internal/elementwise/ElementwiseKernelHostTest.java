package dev.tenon.cuda.internal.elementwise;

import static dev.tenon.cuda.internal.elementwise.ChainCase.input;
import static dev.tenon.cuda.internal.elementwise.ChainCase.step;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.DataType;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.ChainFn;
import dev.tenon.internal.op.CompareFn;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.ElementwiseChain.Step;
import dev.tenon.internal.op.FloatTestFn;
import dev.tenon.internal.op.LogicalFn;
import dev.tenon.internal.op.UnaryFn;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every function on every type and every way to broadcast: generated kernels on the host against the reference. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ElementwiseKernelHostTest {
    private static final List<DataType> TYPES =
            Arrays.stream(DataType.values()).filter(ElementTypes::has).toList();

    /** Computed in another order than in the reference: some units in the last place. */
    private static final Set<UnaryFn> FUNCTIONS = EnumSet.range(UnaryFn.RSQRT, UnaryFn.ERF);

    /** Products of x with a function that goes to 0: the error is one of x. */
    private static final Set<UnaryFn> GATED = EnumSet.of(
            UnaryFn.SILU, UnaryFn.GELU_ERF, UnaryFn.GELU_TANH, UnaryFn.MISH, UnaryFn.HARD_SWISH, UnaryFn.HARD_SIGMOID);

    private static final Set<UnaryFn> ROUNDED = EnumSet.of(
            UnaryFn.ELU,
            UnaryFn.SELU,
            UnaryFn.CELU,
            UnaryFn.SIGMOID,
            UnaryFn.SOFTPLUS,
            UnaryFn.SOFTSIGN,
            UnaryFn.LINEAR);

    /** Shapes of two inputs. */
    private static final List<long[][]> PAIRS = List.of(
            new long[][] {{3, 37}, {3, 37}},
            new long[][] {{4, 6, 16}, {16}},
            new long[][] {{4, 6, 16}, {6, 1}},
            new long[][] {{3, 5, 7}, {5, 1}},
            new long[][] {{2, 3, 9}, {1}},
            new long[][] {{5, 1, 9}, {1, 4, 9}},
            new long[][] {{1, 16}, {7, 1}},
            new long[][] {{}, {2, 3, 5}},
            new long[][] {{2, 3, 4, 16}, {2, 1, 4, 1}},
            new long[][] {{3, 11, 13}, {3, 1, 13}},
            new long[][] {{2, 1, 3, 1, 5, 1}, {1, 2, 1, 2, 1, 2}});

    private final List<ChainCase> cases = new ArrayList<>();
    private HostKernels kernels;

    @BeforeAll
    void compile(@TempDir Path folder) throws IOException {
        unaries();
        binaries();
        comparisons();
        conversions();
        broadcasts();
        chains();
        kernels =
                HostKernels.compile(cases.stream().map(c -> c.kernel().source()).toList(), folder);
    }

    Stream<ChainCase> cases() {
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void givesWhatTheReferenceGives(ChainCase c) {
        c.check(kernels);
    }

    private static ChainCase single(Step step, ChainInput... inputs) {
        String name = step.fn() + " " + Arrays.toString(inputs) + " to " + step.type();
        return ChainCase.of(name, new ElementwiseChain(inputs.length, List.of(step)), List.of(inputs));
    }

    private static double epsilon(DataType type) {
        return switch (type) {
            case FLOAT64 -> 0x1p-52;
            case FLOAT32 -> 0x1p-23;
            case FLOAT16 -> 0x1p-10;
            case BFLOAT16 -> 0x1p-7;
            case FLOAT8E4M3FN -> 0x1p-3;
            default -> 0x1p-2;
        };
    }

    private void unaries() {
        for (UnaryFn fn : UnaryFn.values()) {
            for (DataType type : TYPES) {
                if (!fn.accepts(type)) {
                    continue;
                }
                float alpha = fn == UnaryFn.CLIP ? -3.5f : fn == UnaryFn.SILU ? 1.25f : 0.75f;
                float beta = fn == UnaryFn.CLIP ? 40 : 0.3f;
                ChainCase c = single(new Step(fn, type, List.of(0), alpha, beta), input(type, 3, 37));
                // In double the reference's own error function is off by more.
                double small = type.isFloat() ? (type == DataType.FLOAT64 ? 32 : 4) * epsilon(type) : 0;
                if (FUNCTIONS.contains(fn) || ROUNDED.contains(fn)) {
                    c = c.within(4, 0);
                } else if (GATED.contains(fn)) {
                    c = c.within(4, small);
                }
                cases.add(c);
                if (type.isFloat() && type.bits() > 8) {
                    boolean unit = fn == UnaryFn.ASIN || fn == UnaryFn.ACOS || fn == UnaryFn.ATANH;
                    ChainCase ordinary = new ChainCase(
                            c.name() + " ordinary",
                            c.chain(),
                            c.inputs(),
                            unit ? TestValues.between(-1, 1) : TestValues.between(-12, 12),
                            c.ulps(),
                            c.absolute(),
                            c.narrowLimit());
                    cases.add(ordinary);
                }
            }
        }
    }

    private void binaries() {
        int pair = 0;
        for (BinaryFn fn : BinaryFn.values()) {
            for (DataType type : TYPES) {
                if (!fn.accepts(type)) {
                    continue;
                }
                long[][] shapes = PAIRS.get(pair++ % PAIRS.size());
                ChainCase c = single(step(fn, type, 0, 1), input(type, shapes[0]), input(type, shapes[1]));
                c = fn == BinaryFn.POW ? c.with(TestValues.powers(type)).within(2, 0) : c;
                cases.add(fn == BinaryFn.MOD ? c.within(1, 0) : c);
                if (fn == BinaryFn.POW) {
                    for (DataType exponent : TYPES) {
                        if (exponent != type && exponent != DataType.BOOL && exponent.bits() > 8) {
                            cases.add(single(step(fn, type, 0, 1), input(type, shapes[0]), input(exponent, shapes[1]))
                                    .with(TestValues.powers(type))
                                    .within(2, 0));
                        }
                    }
                }
            }
        }
    }

    private void comparisons() {
        int pair = 0;
        for (DataType type : TYPES) {
            for (CompareFn fn : CompareFn.values()) {
                long[][] shapes = PAIRS.get(pair++ % PAIRS.size());
                cases.add(single(step(fn, DataType.BOOL, 0, 1), input(type, shapes[0]), input(type, shapes[1])));
            }
            cases.add(single(
                    step(ChainFn.WHERE, type, 0, 1, 2),
                    input(DataType.BOOL, 5, 1, 17),
                    input(type, 5, 3, 17),
                    input(type, 3, 1)));
            if (type.isFloat()) {
                cases.add(single(step(FloatTestFn.IS_NAN, DataType.BOOL, 0), input(type, 41)));
                for (int signs = 0; signs < 4; signs++) {
                    cases.add(single(
                            new Step(FloatTestFn.IS_INF, DataType.BOOL, List.of(0), signs & 1, signs >> 1),
                            input(type, 41)));
                }
            }
        }
        for (LogicalFn fn : LogicalFn.values()) {
            cases.add(single(step(fn, DataType.BOOL, 0, 1), input(DataType.BOOL, 3, 40), input(DataType.BOOL, 40)));
        }
    }

    private void conversions() {
        for (DataType from : TYPES) {
            for (DataType to : TYPES) {
                // Long integers become fp32 in one rounding, in the reference in two.
                boolean twice = from.isInteger() && from.bits() == 64 && to == DataType.FLOAT32;
                ChainCase c =
                        single(step(ChainFn.CAST, to, 0), input(from, 7, 29)).within(twice ? 1 : 0, 0);
                cases.add(c);
                boolean narrow = to == DataType.FLOAT16 || to == DataType.BFLOAT16;
                if (narrow && (from == DataType.FLOAT64 || (from == DataType.INT64 && to == DataType.BFLOAT16))) {
                    cases.add(c.with(TestValues.midpoints(to)));
                }
            }
        }
    }

    private void broadcasts() {
        for (DataType type : List.of(DataType.FLOAT32, DataType.BFLOAT16, DataType.INT8)) {
            for (long[][] shapes : PAIRS) {
                for (boolean swap : new boolean[] {false, true}) {
                    ChainCase c = single(
                            step(BinaryFn.SUB, type, 0, 1),
                            input(type, shapes[swap ? 1 : 0]),
                            input(type, shapes[swap ? 0 : 1]));
                    cases.add(c);
                    cases.add(c.wide());
                }
            }
        }
        for (long[][] shapes : List.of(
                new long[][] {{0, 4}, {4}}, new long[][] {{3, 0}, {3, 1}}, new long[][] {{}, {}}, new long[][] {{0}, {}
                })) {
            cases.add(single(
                    step(BinaryFn.ADD, DataType.FLOAT32, 0, 1),
                    input(DataType.FLOAT32, shapes[0]),
                    input(DataType.FLOAT32, shapes[1])));
        }
        cases.add(single(
                step(BinaryFn.ADD, DataType.FLOAT32, 0, 1),
                input(DataType.FLOAT32, 9, 35),
                input(DataType.FLOAT32, 35)));
        // Several blocks, groups in flight and a tail.
        for (long n : new long[] {1, 3, 4, 5, 1023, 2048, 4097, 10_001}) {
            cases.add(single(
                    step(BinaryFn.MUL, DataType.FLOAT32, 0, 1), input(DataType.FLOAT32, n), input(DataType.FLOAT32)));
        }
        cases.add(single(
                step(BinaryFn.ADD, DataType.FLOAT16, 0, 1),
                input(DataType.FLOAT16, 9, 32, 64),
                input(DataType.FLOAT16, 32, 1)));
        cases.add(single(
                step(BinaryFn.ADD, DataType.FLOAT16, 0, 1),
                input(DataType.FLOAT16, 9, 31, 67),
                input(DataType.FLOAT16, 31, 1)));
    }

    private void chains() {
        DataType half = DataType.FLOAT16;
        cases.add(ChainCase.of(
                        "bias, gelu, residual in fp16",
                        new ElementwiseChain(
                                3,
                                List.of(
                                        step(BinaryFn.ADD, half, 0, 1),
                                        step(UnaryFn.GELU_ERF, half, 3),
                                        step(BinaryFn.ADD, half, 4, 2))),
                        List.of(input(half, 6, 64), input(half, 64), input(half, 6, 64)))
                .with(TestValues.between(-3, 3))
                .within(2, 0x1p-8));
        cases.add(ChainCase.of(
                "rounding of every step",
                new ElementwiseChain(
                        2,
                        List.of(
                                step(BinaryFn.MUL, half, 0, 1),
                                step(BinaryFn.ADD, half, 2, 0),
                                step(BinaryFn.SUB, half, 3, 1),
                                step(ChainFn.CAST, DataType.FLOAT32, 4),
                                step(BinaryFn.MUL, DataType.FLOAT32, 5, 5))),
                List.of(input(half, 5, 40), input(half, 5, 40))));
        cases.add(ChainCase.of(
                "fp32 products are rounded before they are added",
                new ElementwiseChain(
                        3,
                        List.of(
                                step(BinaryFn.MUL, DataType.FLOAT32, 0, 1),
                                step(BinaryFn.ADD, DataType.FLOAT32, 3, 2))),
                List.of(
                        input(DataType.FLOAT32, 5, 40),
                        input(DataType.FLOAT32, 5, 40),
                        input(DataType.FLOAT32, 5, 40))));
        cases.add(ChainCase.of(
                "integers, booleans and floats; an input and a step that nobody needs",
                new ElementwiseChain(
                        3,
                        List.of(
                                step(ChainFn.CAST, DataType.INT32, 0),
                                step(UnaryFn.BIT_NOT, DataType.INT32, 3),
                                step(FloatTestFn.IS_NAN, DataType.BOOL, 0),
                                step(UnaryFn.NEG, DataType.FLOAT32, 1),
                                step(LogicalFn.LOGICAL_OR, DataType.BOOL, 5, 2),
                                step(ChainFn.CAST, DataType.INT32, 7),
                                step(BinaryFn.MUL, DataType.INT32, 4, 8))),
                List.of(input(DataType.FLOAT32, 3, 5, 7), input(DataType.FLOAT32, 1), input(DataType.BOOL, 5, 1))));
        cases.add(ChainCase.of(
                "seven inputs, each broadcast its own way",
                new ElementwiseChain(
                        7,
                        List.of(
                                step(BinaryFn.ADD, DataType.FLOAT32, 0, 1),
                                step(BinaryFn.MUL, DataType.FLOAT32, 7, 2),
                                step(BinaryFn.SUB, DataType.FLOAT32, 8, 3),
                                step(BinaryFn.MAX, DataType.FLOAT32, 9, 4),
                                step(BinaryFn.MIN, DataType.FLOAT32, 10, 5),
                                step(BinaryFn.ADD, DataType.FLOAT32, 11, 6))),
                List.of(
                        input(DataType.FLOAT32, 3, 4, 5, 6),
                        input(DataType.FLOAT32, 3, 1, 1, 6),
                        input(DataType.FLOAT32, 4, 1, 6),
                        input(DataType.FLOAT32, 5, 1),
                        input(DataType.FLOAT32, 1),
                        input(DataType.FLOAT32, 3, 4, 1, 1),
                        input(DataType.FLOAT32, 3, 1, 5, 1))));
    }

    @Test
    void theResultMayTakeAnInputsPlace() {
        ElementwiseChain chain = new ElementwiseChain(2, List.of(step(BinaryFn.ADD, DataType.FLOAT32, 0, 1)));
        ChainInput dense = input(DataType.FLOAT32, 9, 35);
        ChainCase c = ChainCase.of("in place", chain, List.of(dense, input(DataType.FLOAT32, 35)));
        ElementwiseKernel kernel = c.kernel();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocate(ValueLayout.JAVA_FLOAT, 9 * 35);
            MemorySegment bias = arena.allocate(ValueLayout.JAVA_FLOAT, 35);
            for (int i = 0; i < 9 * 35; i++) {
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
            }
            for (int i = 0; i < 35; i++) {
                bias.setAtIndex(ValueLayout.JAVA_FLOAT, i, -i);
            }
            kernels.run(kernel.launch(new long[] {x.address(), bias.address()}, x.address())
                    .orElseThrow());
            for (int i = 0; i < 9 * 35; i++) {
                assertThat(x.getAtIndex(ValueLayout.JAVA_FLOAT, i)).isEqualTo(i / 35 * 35);
            }
        }
    }
}
