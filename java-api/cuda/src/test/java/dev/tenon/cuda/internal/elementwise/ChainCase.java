package dev.tenon.cuda.internal.elementwise;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.cuda.internal.kernel.KernelLaunch;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.ElementwiseChain.Step;
import dev.tenon.internal.reference.Interpreter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A chain on tensors, whose kernel must give what the reference gives.
 *
 * @param ulps how far a result may be off in units of its last place
 * @param absolute how far besides, in values
 */
record ChainCase(
        String name,
        ElementwiseChain chain,
        List<ChainInput> inputs,
        Values values,
        double ulps,
        double absolute,
        long narrowLimit) {
    private static final int GUARD = 256;
    private static final byte POISON = (byte) 0xA5;
    private static final long MEMORY = 1L << 31;

    /** What an input holds. */
    @FunctionalInterface
    interface Values {
        /** Fills input {@code i}. */
        void fill(int i, Tensor t, Random random);
    }

    static ChainCase of(String name, ElementwiseChain chain, List<ChainInput> inputs) {
        return new ChainCase(name, chain, inputs, TestValues::any, 0, 0, MEMORY);
    }

    static Step step(Enum<?> fn, DataType type, Integer... operands) {
        return new Step(fn, type, List.of(operands), 0, 0);
    }

    static ChainInput input(DataType type, long... dims) {
        return new ChainInput(type, Shape.of(dims));
    }

    ChainCase with(Values newValues) {
        return new ChainCase(name, chain, inputs, newValues, ulps, absolute, narrowLimit);
    }

    ChainCase within(double newUlps, double newAbsolute) {
        return new ChainCase(name, chain, inputs, values, newUlps, newAbsolute, narrowLimit);
    }

    ChainCase wide() {
        return new ChainCase(name + " wide", chain, inputs, values, ulps, absolute, 0);
    }

    ElementwiseKernel kernel() {
        return ElementwiseKernel.of(chain, inputs, narrowLimit);
    }

    @Override
    public String toString() {
        return name;
    }

    /** Runs the kernel with addresses that are and are not aligned. */
    void check(HostKernels kernels) {
        try (MemoryScope scope = MemoryScope.shared("chain case");
                Arena arena = Arena.ofConfined()) {
            Random random = new Random(name.hashCode());
            List<Tensor> tensors = new ArrayList<>();
            for (int i = 0; i < inputs.size(); i++) {
                Tensor t = Tensor.allocate(
                        scope, inputs.get(i).type(), inputs.get(i).shape());
                values.fill(i, t, random);
                tensors.add(t);
            }
            Tensor expected = reference(tensors, scope);
            ElementwiseKernel kernel = kernel();
            assertThat(kernel.shape()).isEqualTo(expected.shape());
            assertThat(kernel.type()).isEqualTo(expected.type());
            for (int misalignment = 0; misalignment < 2; misalignment++) {
                List<Buffer> from = new ArrayList<>();
                for (Tensor t : tensors) {
                    Buffer b = new Buffer(arena, t.type(), t.shape(), misalignment);
                    b.elements().copyFrom(t.segment());
                    from.add(b);
                }
                Buffer to = new Buffer(arena, expected.type(), expected.shape(), misalignment);
                long[] addresses =
                        from.stream().mapToLong(b -> b.elements().address()).toArray();
                Optional<KernelLaunch> launch =
                        kernel.launch(addresses, to.elements().address());
                assertThat(launch.isEmpty()).isEqualTo(expected.size() == 0);
                launch.ifPresent(kernels::run);
                to.checkGuards();
                Tensor actual = Tensor.of(to.elements(), expected.type(), expected.shape());
                compare(actual, expected, tensors);
            }
        }
    }

    private Tensor reference(List<Tensor> tensors, MemoryScope scope) {
        List<Value> in = IntStream.range(0, tensors.size())
                .mapToObj(i -> new Value(
                        "x" + i,
                        TensorType.of(tensors.get(i).type(), tensors.get(i).shape())))
                .toList();
        Value out = new Value("y", TensorType.unranked(DataType.FLOAT32));
        Node node = new Node(chain, in, List.of(out), "test");
        return (Tensor)
                Interpreter.evaluate(node, new ArrayList<>(tensors), scope).getFirst();
    }

    private void compare(Tensor actual, Tensor expected, List<Tensor> tensors) {
        for (long i = 0; i < expected.size(); i++) {
            boolean same = expected.type().isFloat()
                    ? close(actual.getDouble(i), expected.getDouble(i), expected.type())
                    : actual.getLong(i) == expected.getLong(i);
            if (!same) {
                String got = expected.type().isFloat() ? "" + actual.getDouble(i) : "" + actual.getLong(i);
                String want = expected.type().isFloat() ? "" + expected.getDouble(i) : "" + expected.getLong(i);
                throw new AssertionError(name + ": y[" + i + "] is " + got + "; expected " + want + "\ninputs "
                        + tensors.stream().map(ChainCase::head).toList() + "\n"
                        + kernel().source().text());
            }
        }
    }

    private static String head(Tensor t) {
        StringBuilder text = new StringBuilder(t.toString());
        for (long i = 0; i < Math.min(t.size(), 120); i++) {
            text.append(" ").append(i).append(":").append(t.type().isFloat() ? "" + t.getDouble(i) : "" + t.getLong(i));
        }
        return text.toString();
    }

    private boolean close(double actual, double expected, DataType type) {
        if (Double.isNaN(expected) || Double.isNaN(actual)) {
            return Double.isNaN(expected) && Double.isNaN(actual);
        }
        if (actual == expected) {
            return true;
        }
        double ulp = switch (type) {
            case FLOAT64 -> Math.ulp(expected);
            case FLOAT32 -> Math.ulp((float) expected);
            case FLOAT16 -> Math.max(0x1p-24, Math.ulp(expected) * 0x1p42);
            case BFLOAT16 -> Math.max(0x1p-133, Math.ulp(expected) * 0x1p45);
            case FLOAT8E4M3FN -> Math.max(0x1p-9, Math.ulp(expected) * 0x1p49);
            default -> Math.max(0x1p-16, Math.ulp(expected) * 0x1p50);
        };
        return Math.abs(actual - expected) <= ulps * ulp + absolute;
    }

    /** Elements between guard bytes, at an address that is no multiple of a vector if {@code misalignment} is not 0. */
    private static final class Buffer {
        private final MemorySegment all;
        private final MemorySegment elements;

        Buffer(Arena arena, DataType type, Shape shape, int misalignment) {
            long bytes = type.byteSize(shape.elements());
            long at = GUARD + (long) misalignment * type.byteSize(1);
            all = arena.allocate(at + bytes + GUARD, GUARD);
            all.fill(POISON);
            elements = all.asSlice(at, bytes);
        }

        MemorySegment elements() {
            return elements;
        }

        void checkGuards() {
            long begin = elements.address() - all.address();
            long end = begin + elements.byteSize();
            for (long i = 0; i < all.byteSize(); i++) {
                if ((i < begin || i >= end) && all.get(java.lang.foreign.ValueLayout.JAVA_BYTE, i) != POISON) {
                    throw new AssertionError("byte " + (i - begin) + " of " + elements.byteSize() + " was written");
                }
            }
        }
    }
}
