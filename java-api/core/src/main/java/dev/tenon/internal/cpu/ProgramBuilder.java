package dev.tenon.internal.cpu;

import static dev.tenon.internal.ffi.TenonConstants.MAX_RANK;
import static dev.tenon.internal.ffi.TenonConstants.NO_VALUE;
import static dev.tenon.internal.ffi.TenonConstants.ROLE_CONSTANT;
import static dev.tenon.internal.ffi.TenonConstants.ROLE_INPUT;
import static dev.tenon.internal.ffi.TenonConstants.ROLE_OUTPUT;
import static dev.tenon.internal.ffi.TenonConstants.ROLE_TEMP;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ffi.NativeFailure;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ffi.StructShape;
import dev.tenon.internal.ffi.TenonH;
import dev.tenon.internal.ffi.TenonStructs;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.plan.MemoryPlan;
import dev.tenon.spi.Backend;
import dev.tenon.spi.Executable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Builds one native program: values, steps in graph order, memory plan. Tactics use it to add their steps. */
public final class ProgramBuilder implements AutoCloseable {
    private static final Set<DataType> NATIVE_TYPES = Set.of(
            DataType.FLOAT32,
            DataType.UINT8,
            DataType.INT8,
            DataType.UINT16,
            DataType.INT16,
            DataType.INT32,
            DataType.INT64,
            DataType.BOOL,
            DataType.FLOAT16,
            DataType.FLOAT64,
            DataType.UINT32,
            DataType.UINT64,
            DataType.BFLOAT16);

    private final CpuBackend backend;
    private final Graph graph;
    private final Backend.ConstantKeys constants;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment error = TenonH.newError(arena);
    private final Map<Value, Long> ids = new IdentityHashMap<>();
    private final Set<Value> constantsUsed = Collections.newSetFromMap(new IdentityHashMap<>());
    private MemorySegment program;
    private int probeInputs;

    ProgramBuilder(CpuBackend backend, Graph graph, Backend.ConstantKeys constants) {
        this.backend = backend;
        this.graph = graph;
        this.constants = constants;
        MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
        check(TenonH.programCreate(backend.engine(), out, error));
        this.program = out.get(ValueLayout.ADDRESS, 0);
        // Slots are numbered by position, so interface values come first.
        this.probeInputs = 0;
        for (Value v : graph.inputs()) {
            if (isNative(v)) {
                ids.put(v, declare(v.tensorType(), ROLE_INPUT, probeInputs++));
            }
        }
        for (int i = 0; i < graph.outputs().size(); i++) {
            ids.put(graph.outputs().get(i), declare(graph.outputs().get(i).tensorType(), ROLE_OUTPUT, i));
        }
    }

    /** The nodes that have a native step. Others count as inputs of those that read them. */
    Set<Node> lowerWherePossible() {
        Set<Node> lowered = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Node n : graph.nodes()) {
            boolean types = n.inputs().stream().allMatch(v -> v.isAbsent() || isNative(v))
                    && n.outputs().stream().allMatch(v -> v.isAbsent() || isNative(v));
            if (types && lower(n)) {
                lowered.add(n);
            } else {
                for (Value v : n.outputs()) {
                    if (!v.isAbsent() && isNative(v)) {
                        ids.put(v, declare(v.tensorType(), ROLE_INPUT, probeInputs++));
                    }
                }
            }
        }
        return lowered;
    }

    private boolean lower(Node n) {
        Tactic tactic = Tactics.of(n.op());
        if (tactic == null) {
            return false;
        }
        try {
            return tactic.lower(n, this);
        } catch (NativeFailure e) {
            if (e.isUnsupported()) {
                return false;
            }
            throw new IllegalStateException(n.describe() + ": " + e.getMessage() + "; inputs are " + n.inputs(), e);
        }
    }

    Executable build() {
        for (Node n : graph.nodes()) {
            if (!lower(n)) {
                throw new IllegalStateException(n.describe() + " has no native step");
            }
        }
        check(TenonH.programFinish(program, error));
        long arenaBytes = place();
        Set<Value> used = Collections.newSetFromMap(new IdentityHashMap<>());
        used.addAll(constantsUsed);
        CpuProgram p = new CpuProgram(program, arenaBytes, graph, backend, used);
        program = MemorySegment.NULL;
        constantsUsed.clear();
        return p;
    }

    private long place() {
        int count = Math.toIntExact(TenonH.programBufferCount(program));
        MemorySegment row = arena.allocate(TenonStructs.BUFFER.byteSize() * Math.max(1, count), 8);
        check(TenonH.programBuffers(program, row, error));
        List<MemoryPlan.Buffer> buffers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            NativeStruct b = NativeStruct.at(TenonStructs.BUFFER, row, i);
            buffers.add(new MemoryPlan.Buffer(
                    b.getLong("bytes"), b.getLong("alignment"), b.getLong("first_step"), b.getLong("last_step")));
        }
        MemoryPlan plan = MemoryPlan.of(buffers);
        MemorySegment offsets = arena.allocate(8L * Math.max(1, count), 8);
        for (int i = 0; i < count; i++) {
            offsets.setAtIndex(ValueLayout.JAVA_LONG, i, plan.offsets()[i]);
        }
        check(TenonH.programPlace(program, offsets, count, plan.arenaBytes(), error));
        return plan.arenaBytes();
    }

    // ---- for tactics ----

    /** The native number of a value; {@link dev.tenon.internal.ffi.TenonConstants#NO_VALUE} if it is absent. */
    long id(Value v) {
        if (v.isAbsent()) {
            return NO_VALUE;
        }
        Long id = ids.get(v);
        if (id == null) {
            Tensor t = graph.constants().get(v);
            id = t == null
                    ? declare(v.tensorType(), ROLE_TEMP, 0)
                    : declare(v.tensorType(), ROLE_CONSTANT, backend.constantKey(v, t, constants, constantsUsed));
            ids.put(v, id);
        }
        return id;
    }

    /** A fresh intermediate value. */
    long temp(DataType type, Shape shape) {
        return declare(TensorType.of(type, shape), ROLE_TEMP, 0);
    }

    /** The value of a constant. */
    Optional<Tensor> constant(Value v) {
        return graph.constant(v);
    }

    /** Zeroed parameters of a step. */
    NativeStruct params(ProgramStep step) {
        return NativeStruct.allocate(arena, step.params());
    }

    /** Memory for arrays that parameters point to. */
    Arena arena() {
        return arena;
    }

    /** An array of 64-bit integers for a parameter. */
    MemorySegment longs(long... values) {
        return arena.allocateFrom(ValueLayout.JAVA_LONG, values.length == 0 ? new long[1] : values);
    }

    /** A row of structs for a parameter. */
    MemorySegment row(StructShape shape, int count) {
        return arena.allocate(shape.byteSize() * Math.max(1, count), 8);
    }

    /** Adds a step. @throws NativeFailure also where the library has no such step for these types and shapes */
    void add(ProgramStep step, Node node, NativeStruct params) {
        String name = node.origin().isEmpty() ? node.output(0).name() : node.origin();
        check(TenonH.programAdd(step, program, arena.allocateFrom(name), params.segment(), error));
    }

    static Shape shape(Value v) {
        return v.tensorType().shape().concrete();
    }

    private static boolean isNative(Value v) {
        return v.type() instanceof TensorType t
                && t.isConcrete()
                && t.shape().rank() <= MAX_RANK
                && NATIVE_TYPES.contains(t.dtype());
    }

    private long declare(TensorType type, int role, long index) {
        NativeStruct d = NativeStruct.allocate(arena, TenonStructs.VALUE_DESC)
                .set("dtype", type.dtype().code())
                .set("rank", type.shape().rank())
                .set("dims", type.shape().concrete().dims())
                .set("role", role)
                .set("index", index);
        MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
        check(TenonH.programAddValue(program, d.segment(), out, error));
        return out.get(ValueLayout.JAVA_LONG, 0);
    }

    private void check(int status) {
        NativeFailure.check(status, error);
    }

    @Override
    public void close() {
        TenonH.programDestroy(program);
        backend.release(constantsUsed);
        arena.close();
    }
}
