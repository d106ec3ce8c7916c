package dev.tenon.cuda.internal.elementwise;

import static dev.tenon.cuda.internal.elementwise.ChainCase.input;
import static dev.tenon.cuda.internal.elementwise.ChainCase.step;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.ShapeException;
import dev.tenon.UnsupportedOperatorException;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.ChainFn;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.ElementwiseChain.Step;
import dev.tenon.internal.op.LogicalFn;
import dev.tenon.internal.op.UnaryFn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class ElementwiseKernelTest {
    private static final DataType F32 = DataType.FLOAT32;

    private static ElementwiseKernel kernel(Step step, ChainInput... inputs) {
        return ElementwiseKernel.of(new ElementwiseChain(inputs.length, List.of(step)), List.of(inputs));
    }

    private static String text(Step step, ChainInput... inputs) {
        return kernel(step, inputs).source().text();
    }

    @Test
    void sizesAndParametersOfFunctionsAreNotInTheSource() {
        Step low = new Step(UnaryFn.CLIP, F32, List.of(0), 0, 6);
        Step high = new Step(UnaryFn.CLIP, F32, List.of(0), -1, 1);
        assertThat(text(low, input(F32, 7, 9))).isEqualTo(text(high, input(F32, 1000)));
    }

    @Test
    void theUsersLanguageIsNotInTheSource() {
        Step add = step(BinaryFn.ADD, F32, 0, 1);
        String text = text(add, input(F32, 8, 8, 8), input(F32, 8, 1));
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            assertThat(text(add, input(F32, 8, 8, 8), input(F32, 8, 1))).isEqualTo(text);
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void theSourceDependsOnWhatTheCodeDependsOn() {
        Step add = step(BinaryFn.ADD, F32, 0, 1);
        List<String> texts = List.of(
                text(add, input(F32, 8, 8), input(F32, 8, 8)),
                text(add, input(F32, 8, 8), input(F32)),
                text(add, input(F32, 8, 8), input(F32, 8)),
                text(add, input(F32, 8, 8), input(F32, 8, 1)),
                text(add, input(F32, 8, 9), input(F32, 9)),
                text(add, input(F32, 8), input(F32, 8, 8)),
                text(step(BinaryFn.SUB, F32, 0, 1), input(F32, 8, 8), input(F32, 8)),
                text(add, input(F32, 1 << 20, 1 << 12), input(F32, 1 << 12)));
        assertThat(texts).doesNotHaveDuplicates();
    }

    @Test
    void dimensionsThatBroadcastAlikeAreOne() {
        Step add = step(BinaryFn.ADD, F32, 0, 1);
        assertThat(text(add, input(F32, 2, 3, 4, 8), input(F32, 4, 8)))
                .isEqualTo(text(add, input(F32, 6, 32), input(F32, 32)));
        assertThat(text(add, input(F32, 2, 1, 3, 1, 8), input(F32, 2, 1, 3, 1, 8)))
                .isEqualTo(text(add, input(F32, 48), input(F32, 48)))
                .doesNotContain("Divisor");
    }

    @Test
    void largeResultsHaveWideIndices() {
        Step add = step(BinaryFn.ADD, DataType.INT8, 0, 1);
        assertThat(text(add, input(DataType.INT8, 1 << 16, 1 << 15), input(DataType.INT8, 1 << 15)))
                .contains("Divisor<uint64_t>");
        assertThat(text(add, input(DataType.INT8, (1 << 16) - 1, 1 << 15), input(DataType.INT8, 1 << 15)))
                .contains("Divisor<uint32_t>");
    }

    @Test
    void everyStepThatHasNoCodeIsNamed() {
        ElementwiseChain chain = new ElementwiseChain(
                2,
                List.of(
                        step(BinaryFn.ADD, F32, 0, 0),
                        step(ChainFn.CAST, DataType.INT4, 2),
                        step(BinaryFn.MUL, DataType.FLOAT16, 1, 2),
                        step(LogicalFn.LOGICAL_AND, F32, 0, 2),
                        step(UnaryFn.BIT_NOT, F32, 2)));
        assertThatThrownBy(() -> ElementwiseKernel.of(chain, List.of(input(F32, 4), input(DataType.COMPLEX64, 4))))
                .isInstanceOfSatisfying(
                        UnsupportedOperatorException.class,
                        e -> assertThat(e.operators())
                                .containsExactly(
                                        "step 1: CAST of [FLOAT32] giving INT4",
                                        "step 2: MUL of [COMPLEX64, FLOAT32] giving FLOAT16",
                                        "step 3: LOGICAL_AND of [FLOAT32, FLOAT32] giving FLOAT32",
                                        "step 4: BIT_NOT of [FLOAT32] giving FLOAT32"));
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        Step add = step(BinaryFn.ADD, F32, 0, 1);
        assertThatThrownBy(() -> kernel(add, input(F32, 3), input(F32, 4))).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> ElementwiseKernel.of(new ElementwiseChain(2, List.of(add)), List.of(input(F32))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 inputs; given 1");
    }

    @Test
    void aKernelHasNoMoreParametersThanALaunchCanCarry() {
        int inputs = 600;
        List<Step> steps = new ArrayList<>(List.of(step(BinaryFn.ADD, F32, 0, 1)));
        for (int i = 2; i < inputs; i++) {
            steps.add(step(BinaryFn.ADD, F32, inputs + i - 2, i));
        }
        ChainInput[] all = new ChainInput[inputs];
        Arrays.fill(all, input(F32, 8));
        assertThatThrownBy(() -> ElementwiseKernel.of(new ElementwiseChain(inputs, steps), List.of(all)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("4096");
    }

    @Test
    void nothingToComputeIsNoLaunch() {
        assertThat(kernel(step(BinaryFn.ADD, F32, 0, 1), input(F32, 0, 4), input(F32, 4))
                        .launch(new long[] {0, 0}, 0))
                .isEmpty();
    }
}
