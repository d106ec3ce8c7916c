package dev.tenon.cuda.internal.elementwise;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.cuda.internal.elementwise.IterationSpace.Access;
import dev.tenon.cuda.internal.kernel.KernelLaunch;
import dev.tenon.cuda.internal.kernel.KernelSource;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.ElementwiseChain.Step;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One kernel for an elementwise chain with its inputs broadcast: reads every input once, writes the result once.
 *
 * <p>The source depends on the functions, the types and how the inputs broadcast. Sizes, addresses and the parameters of
 * functions are the kernel's parameters, so that chains of one pattern share the compiled code. What the source is made of,
 * element by element, is in kernels/cuda/elementwise.
 *
 * <p>Elements are read and written in vectors, 16 bytes of the widest type that is not broadcast. Where the innermost
 * dimension is no multiple of the vector, inputs that broadcast are gathered one by one and the others still move as vectors.
 */
public final class ElementwiseKernel {
    private static final int THREADS = 256;

    private static final int VECTOR_BYTES = 16;

    /** What a vector of an input that broadcasts takes at most, where its type is wider than the others. */
    private static final int BROADCAST_VECTOR_BYTES = 64;

    /** A thread that has no more than this to read for a group of elements, and few steps to do, does two groups at once. */
    private static final int LITTLE_BYTES = 64;

    private static final int MANY_STEPS = 16;

    /** Elements that a thread does one by one where addresses are not aligned. */
    private static final int SINGLES = 4;

    /** Below this, indices and their divisions take 32 bits. */
    private static final long NARROW = 1L << 31;

    private static final int NAME_LENGTH = 40;

    private final ElementwiseChain chain;
    private final List<ChainInput> inputs;
    private final Shape shape;
    private final ChainCode code;
    private final IterationSpace space;
    private final int width;
    private final int unroll;
    private final boolean narrow;
    private final boolean whole;
    private final KernelParams params = new KernelParams();
    private final List<PointerField> pointers = new ArrayList<>();
    private final KernelSource source;
    private int vectorsOffset;

    /** @param input the input's number, or that of inputs for the result; {@code alignment} what vectors ask of the address */
    private record PointerField(int input, int offset, int alignment) {}

    private ElementwiseKernel(ElementwiseChain chain, List<ChainInput> inputs, long narrowLimit) {
        this.chain = chain;
        this.inputs = inputs;
        this.code = new ChainCode(chain, inputs);
        this.shape = broadcast(inputs);
        this.space =
                IterationSpace.of(shape, inputs.stream().map(ChainInput::shape).toList());
        this.narrow = space.elements() < narrowLimit;
        this.width = width();
        this.whole = space.rank() == 0 || space.size(space.rank() - 1) % width == 0;
        int groupBytes =
                used().filter(this::isVector).map(i -> width * bytes(i)).sum();
        this.unroll = groupBytes <= LITTLE_BYTES && chain.steps().size() < MANY_STEPS ? 2 : 1;
        declareParams();
        this.source = write();
    }

    /**
     * The kernel for a chain on inputs of these types and shapes.
     *
     * @throws dev.tenon.UnsupportedOperatorException if a step's function or types have no code
     * @throws ShapeException if the inputs do not broadcast, or in more ways than a kernel can be told
     */
    public static ElementwiseKernel of(ElementwiseChain chain, List<ChainInput> inputs) {
        return of(chain, inputs, NARROW);
    }

    /** With 32-bit indices only below {@code narrowLimit} elements. */
    static ElementwiseKernel of(ElementwiseChain chain, List<ChainInput> inputs, long narrowLimit) {
        if (inputs.size() != chain.inputs()) {
            throw new IllegalArgumentException("the chain has " + chain.inputs() + " inputs; given " + inputs.size());
        }
        return new ElementwiseKernel(chain, List.copyOf(inputs), narrowLimit);
    }

    private static Shape broadcast(List<ChainInput> inputs) {
        SymbolicShape s = SymbolicShape.SCALAR;
        for (ChainInput input : inputs) {
            s = SymbolicShape.broadcast(s, SymbolicShape.of(input.shape()));
        }
        return s.concrete();
    }

    public KernelSource source() {
        return source;
    }

    /** The result's shape. */
    public Shape shape() {
        return shape;
    }

    /** The result's element type. */
    public DataType type() {
        return chain.steps().getLast().type();
    }

    /**
     * The launch that computes the result; empty if it has no elements.
     *
     * @param addresses of all inputs, each aligned as its element type asks; those that the result does not depend on are
     *     not looked at
     * @param result where the result goes; it may be one of the addresses if that input has the result's shape and an
     *     element type of the same size
     */
    public Optional<KernelLaunch> launch(long[] addresses, long result) {
        if (space.elements() == 0) {
            return Optional.empty();
        }
        ByteBuffer to = params.bytes();
        boolean aligned = true;
        for (PointerField f : pointers) {
            long address = f.input < inputs.size() ? addresses[f.input] : result;
            to.putLong(f.offset, address);
            aligned &= address % f.alignment == 0;
        }
        long vectors = aligned ? space.elements() / width : 0;
        to.putLong(vectorsOffset, vectors);
        long singles = space.elements() - vectors * width;
        long blocks = Math.max(
                Math.ceilDiv(vectors, (long) THREADS * unroll), Math.ceilDiv(singles, (long) THREADS * SINGLES));
        int grid = (int) Math.min(blocks, Integer.MAX_VALUE); // no memory holds more vectors; single elements loop
        return Optional.of(new KernelLaunch(
                source.name(),
                grid,
                THREADS,
                0,
                MemorySegment.ofArray(to.array()).asReadOnly()));
    }

    private IntStream used() {
        return IntStream.range(0, inputs.size()).filter(code::isNeeded);
    }

    private int bytes(int input) {
        return ElementTypes.bytes(inputs.get(input).type());
    }

    /** The elements of a group: full vectors of what comes from or goes to memory once. Others come from the caches. */
    private int width() {
        int once = used().filter(i -> space.access(i) == Access.DENSE)
                .map(this::bytes)
                .reduce(ElementTypes.bytes(type()), Math::max);
        int again = used().filter(i -> space.access(i) == Access.BROADCAST)
                .map(this::bytes)
                .reduce(1, Math::max);
        return Math.min(VECTOR_BYTES / once, BROADCAST_VECTOR_BYTES / again);
    }

    /** True if {@code input} is read in vectors. */
    private boolean isVector(int input) {
        return switch (space.access(input)) {
            case ONE -> false;
            case DENSE -> true;
            case BROADCAST -> whole && space.has(input, space.rank() - 1);
        };
    }

    /** True if {@code input} has one element for a whole group. */
    private boolean isSplat(int input) {
        return space.access(input) == Access.ONE
                || (space.access(input) == Access.BROADCAST && whole && !space.has(input, space.rank() - 1));
    }

    private String index() {
        return narrow ? "uint32_t" : "uint64_t";
    }

    /** The dimensions whose coordinates some input needs. */
    private TreeSet<Integer> coordinates() {
        TreeSet<Integer> dims = new TreeSet<>();
        used().filter(i -> space.access(i) == Access.BROADCAST)
                .forEach(i -> IntStream.range(0, space.rank())
                        .filter(d -> space.has(i, d))
                        .forEach(dims::add));
        return dims;
    }

    /** The outermost dimension that indices are divided by. */
    private int firstDivided() {
        TreeSet<Integer> dims = coordinates();
        return dims.isEmpty() ? space.rank() : Math.max(1, dims.first());
    }

    private void declareParams() {
        params.int64("elements", space.elements(), "of y");
        vectorsOffset = params.int64("vectors", 0, "groups of Chain::width elements");
        used().forEach(i -> addPointer(i, "const ", inputs.get(i).type(), "x" + i, isVector(i)));
        addPointer(inputs.size(), "", type(), "y", true);
        int indexBytes = narrow ? Integer.BYTES : Long.BYTES;
        for (int d = firstDivided(); d < space.rank(); d++) {
            params.numbers("Divisor<" + index() + ">", "d" + d, indexBytes, divisor(space.size(d), 8 * indexBytes));
        }
        for (int i = 0; i < chain.steps().size(); i++) {
            Step s = chain.steps().get(i);
            int count = code.isNeeded(inputs.size() + i) ? ChainCode.parameters(s.fn()) : 0;
            if (count > 0) {
                params.float32(ChainCode.alpha(i), s.alpha());
            }
            if (count > 1) {
                params.float32(ChainCode.beta(i), s.beta());
            }
        }
    }

    private void addPointer(int input, String qualifier, DataType type, String name, boolean vector) {
        String shapeText = input == inputs.size() ? dimensions(d -> true) : dimensions(d -> space.has(input, d));
        int at = params.pointer(qualifier + ElementTypes.storage(type) + "*", name, shapeText);
        int bytes = ElementTypes.bytes(type);
        pointers.add(new PointerField(input, at, vector ? Math.min(bytes * width, VECTOR_BYTES) : bytes));
    }

    private String dimensions(IntPredicate present) {
        return IntStream.range(0, space.rank())
                .mapToObj(d -> present.test(d) ? "d" + d : "1")
                .collect(Collectors.joining(", ", "[", "]"));
    }

    /** Divisor, multiplier and shift of elementwise.cuh's Divisor for indices of {@code bits} bits. */
    static long[] divisor(long divisor, int bits) {
        if (divisor == 0) {
            return new long[3]; // nothing to compute: never launched
        }
        int shift = Long.SIZE - Long.numberOfLeadingZeros(divisor - 1);
        BigInteger d = BigInteger.valueOf(divisor);
        BigInteger multiplier = BigInteger.ONE
                .shiftLeft(shift)
                .subtract(d)
                .shiftLeft(bits)
                .divide(d)
                .add(BigInteger.ONE);
        return new long[] {divisor, multiplier.longValue(), shift};
    }

    // ---- source (formats take %s only: %d would write the digits of the user's language)

    private KernelSource write() {
        String body = params.declaration() + "\n" + chainStruct();
        String hash = "%08x".formatted(body.hashCode());
        String summary = code.summary();
        String name = (summary.length() > NAME_LENGTH ? summary.substring(0, NAME_LENGTH) : summary) + "_"
                + ElementTypes.storage(type()) + "_" + hash;
        String kernel = "tenon_elementwise_" + name;
        return new KernelSource(kernel, """
            // Generated by Tenon: an elementwise chain in one pass over memory.
            // clang-format off
            #include "elementwise/elementwise.cuh"

            namespace tenon::cuda::%s {

            %s
            TENON_KERNEL(%s, Params, Chain::threads, 1) { run_chain<Chain>(p); }

            }  // namespace tenon::cuda::%s
            """.formatted(name, body, kernel, name));
    }

    private String chainStruct() {
        String value = ElementTypes.value(type());
        String arguments = used().mapToObj(i -> ElementTypes.value(inputs.get(i).type()) + " x" + i)
                .collect(Collectors.joining(", "));
        String values = used().mapToObj(i -> "at(in.x" + i + ", k)").collect(Collectors.joining(", "));
        return """
            struct Chain {
                static constexpr int threads = %s, width = %s, unroll = %s;

                template <int n>
                struct Inputs {
            %s    };

                // The inputs of elements i to i + n - 1.
                template <int n>
                static TENON_DEVICE Inputs<n> read(const Params& p, [[maybe_unused]] int64_t i) {
                    Inputs<n> in;
            %s        return in;
                }

                static TENON_DEVICE %s compute(%s) {
            %s    }

                template <int n>
                static TENON_DEVICE void write(const Params& p, int64_t i, const Inputs<n>& in) {
                    %s y[n];
                    TENON_UNROLL
                    for (int k = 0; k < n; k++) y[k] = compute(%s);
                    store_values(p.y + i, y);
                }
            };
            """.formatted(
                        THREADS,
                        width,
                        unroll,
                        members(),
                        reads(),
                        value,
                        "[[maybe_unused]] const Params& p, " + arguments,
                        code.statements("        "),
                        value,
                        "p, " + values);
    }

    private String members() {
        return used().mapToObj(i -> "        "
                        + member(i, ElementTypes.storage(inputs.get(i).type())) + " x" + i + ";\n")
                .collect(Collectors.joining());
    }

    private String member(int input, String type) {
        return isSplat(input) ? type : (isVector(input) ? "Packed<" : "Vec<") + type + ", n>";
    }

    private String reads() {
        StringBuilder text = new StringBuilder();
        List<Integer> broadcast = new ArrayList<>();
        used().forEach(i -> {
            switch (space.access(i)) {
                case ONE -> text.append("        in.x%s = *p.x%s;\n".formatted(i, i));
                case DENSE -> text.append("        in.x%s = load_packed<n>(p.x%s + i);\n".formatted(i, i));
                case BROADCAST -> broadcast.add(i);
            }
        });
        if (broadcast.isEmpty()) {
            return text.toString();
        }
        if (whole) {
            text.append(coordinatesOf("i", "        "));
            for (int i : broadcast) {
                text.append(
                        isVector(i)
                                ? "        in.x%s = load_packed<n>(p.x%s + %s);\n".formatted(i, i, offset(i))
                                : "        in.x%s = p.x%s[%s];\n".formatted(i, i, offset(i)));
            }
        } else {
            text.append("        TENON_UNROLL\n        for (int k = 0; k < n; k++) {\n");
            text.append(coordinatesOf("i + k", "            "));
            for (int i : broadcast) {
                text.append("            in.x%s.v[k] = p.x%s[%s];\n".formatted(i, i, offset(i)));
            }
            text.append("        }\n");
        }
        return text.toString();
    }

    /** Statements that find the coordinates c0, c1... of an element. */
    private String coordinatesOf(String element, String indent) {
        TreeSet<Integer> needed = coordinates();
        StringBuilder text = new StringBuilder();
        int outermost = firstDivided();
        String rest = "e";
        text.append(indent).append("const %s e = static_cast<%s>(%s);\n".formatted(index(), index(), element));
        for (int d = space.rank() - 1; d >= outermost; d--) {
            // The innermost of the remaining dimensions; what is outside it counts in q.
            String quotient = d == 1 ? "c0" : "q" + d;
            text.append(indent).append("const %s %s = p.d%s.quotient(%s);\n".formatted(index(), quotient, d, rest));
            if (needed.contains(d)) {
                text.append(indent)
                        .append("const %s c%s = %s - %s * p.d%s.divisor;\n".formatted(index(), d, rest, quotient, d));
            }
            rest = quotient;
        }
        return text.toString();
    }

    /** The offset in {@code input} of the element at the coordinates. */
    private String offset(int input) {
        String text = "";
        for (int d = 0; d < space.rank(); d++) {
            if (space.has(input, d)) {
                String inner = text.contains(" ") ? "(" + text + ")" : text;
                text = text.isEmpty() ? "c" + d : inner + " * p.d" + d + ".divisor + c" + d;
            }
        }
        return text;
    }
}
