package dev.tenon.internal.cpu;

import dev.tenon.CancelledException;
import dev.tenon.ShapeException;
import dev.tenon.TenonException;
import dev.tenon.internal.ffi.CStrings;
import dev.tenon.internal.ffi.NativeFailure;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.Pointers;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ffi.TenonH;
import dev.tenon.internal.ffi.TenonStructs;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.spi.Executable;
import dev.tenon.spi.StepInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A placed native program. */
final class CpuProgram implements Executable {
    private static final VarHandle CANCEL_FLAG = ValueLayout.JAVA_INT.varHandle();

    private final Arena owner = Arena.ofShared();
    private final MemorySegment program;
    private final long arenaBytes;
    private final String model;
    private final List<StepInfo> steps;
    private final int threads;
    private final CpuBackend backend;
    private final Set<Value> constants;

    /** @param constants released with this program */
    CpuProgram(MemorySegment program, long arenaBytes, Graph graph, CpuBackend backend, Set<Value> constants) {
        this.program = Pointers.owned(program, owner, TenonH::programDestroy);
        this.arenaBytes = arenaBytes;
        this.model = graph.name();
        this.steps = readSteps(program);
        this.threads = steps.stream().mapToInt(StepInfo::threads).max().orElse(1);
        this.backend = backend;
        this.constants = constants;
    }

    private static List<StepInfo> readSteps(MemorySegment program) {
        List<StepInfo> steps = new ArrayList<>();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment err = TenonH.newError(call);
            NativeStruct s = NativeStruct.allocate(call, TenonStructs.STEP_INFO);
            for (long i = 0, n = TenonH.programStepCount(program); i < n; i++) {
                NativeFailure.check(TenonH.programStep(program, i, s.segment(), err), err);
                steps.add(new StepInfo(
                        CStrings.text(s.getAddress("kind")),
                        CStrings.text(s.getAddress("name")),
                        CStrings.text(s.getAddress("implementation")),
                        CStrings.text(s.getAddress("layouts")),
                        s.getLong("flops"),
                        s.getLong("bytes_read"),
                        s.getLong("bytes_written"),
                        (int) s.getLong("threads")));
            }
        }
        return List.copyOf(steps);
    }

    @Override
    public long arenaBytes() {
        return arenaBytes;
    }

    @Override
    public List<StepInfo> steps() {
        return steps;
    }

    @Override
    public int threads() {
        return threads;
    }

    @Override
    public Instance newInstance(MemoryScope memory) {
        return new CpuInstance(memory.allocate(arenaBytes));
    }

    @Override
    public void close() {
        owner.close();
        backend.release(constants);
    }

    private final class CpuInstance implements Instance {
        private final Arena lifetime = Arena.ofShared();
        private final MemorySegment context;
        // Lives as long as this object: cancel() may come from any thread, even after close().
        private final MemorySegment cancel = Arena.ofAuto().allocate(ValueLayout.JAVA_INT);
        private final MemorySegment error = TenonH.newError(lifetime);

        CpuInstance(MemorySegment memory) {
            MemorySegment out = lifetime.allocate(ValueLayout.ADDRESS);
            try {
                check(TenonH.contextCreate(program, memory, out, error));
            } catch (RuntimeException | Error e) {
                lifetime.close();
                throw e;
            }
            context = Pointers.owned(out.get(ValueLayout.ADDRESS, 0), lifetime, TenonH::contextDestroy);
        }

        @Override
        public void bindInput(int index, MemorySegment memory) {
            check(TenonH.contextBind(context, TenonConstants.ROLE_INPUT, index, memory, error));
        }

        @Override
        public void bindOutput(int index, MemorySegment memory) {
            check(TenonH.contextBind(context, TenonConstants.ROLE_OUTPUT, index, memory, error));
        }

        @Override
        public void arm() {
            // Volatile, as is the write in cancel(): a caller that then looks for requests must not do so before this
            // lands.
            CANCEL_FLAG.setVolatile(cancel, 0L, 0);
        }

        @Override
        public void run() {
            check(TenonH.contextRun(context, 0, -1, cancel, MemorySegment.NULL, error));
        }

        @Override
        public void runProfiled(long[] nanos) {
            try (Arena call = Arena.ofConfined()) {
                MemorySegment ns = call.allocate(8L * Math.max(1, nanos.length), 8);
                check(TenonH.contextRun(context, 0, -1, cancel, ns, error));
                MemorySegment.copy(ns, ValueLayout.JAVA_LONG, 0, nanos, 0, nanos.length);
            }
        }

        @Override
        public void cancel() {
            CANCEL_FLAG.setVolatile(cancel, 0L, 1);
        }

        private void check(int status) {
            if (status == TenonConstants.OK) {
                return;
            }
            String message = model + ": " + NativeFailure.messageOf(error);
            throw switch (status) {
                case TenonConstants.CANCELLED -> new CancelledException(message);
                case TenonConstants.INDEX_OUT_OF_RANGE, TenonConstants.DIVISION_BY_ZERO -> new ShapeException(message);
                default -> new TenonException(message);
            };
        }

        @Override
        public void close() {
            lifetime.close();
        }
    }
}
