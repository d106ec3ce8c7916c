package dev.tenon.internal.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;

/**
 * tenon.h, function by function: same names in camelCase, same parameters, status codes returned as they are. The header
 * is the documentation. Where the library could not be loaded every function throws {@link UnsatisfiedLinkError} with
 * the text of {@link NativeLibrary#status()}.
 *
 * <p>Long because the header is: one method handle and one short method for each of its functions, except the steps of a
 * program, which share {@link #programAdd}.
 */
public final class TenonH {
    static final long ERROR_MESSAGE_OFFSET = 4;

    /** {@code tenon_error}. */
    public static final StructLayout ERROR = MemoryLayout.structLayout(
                    JAVA_INT.withName("code"), MemoryLayout.paddingLayout(508).withName("message"))
            .withName("error");

    private static final Set<String> BOUND = Collections.synchronizedSet(new TreeSet<>());

    private static final MethodHandle ABI_VERSION = getter("tenon_abi_version", FunctionDescriptor.of(JAVA_LONG));
    private static final MethodHandle BUILD_INFO = getter("tenon_build_info", FunctionDescriptor.of(ADDRESS));
    private static final MethodHandle SIZEOF = getter("tenon_sizeof", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
    private static final MethodHandle CPU_QUERY = status("tenon_cpu_query", ADDRESS, ADDRESS);
    private static final MethodHandle SET_MAX_ISA = status("tenon_set_max_isa", JAVA_LONG, ADDRESS);
    private static final MethodHandle MEMORY_ALLOCATE =
            status("tenon_memory_allocate", JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MethodHandle MEMORY_FREE = nothing("tenon_memory_free", ADDRESS, JAVA_LONG);
    private static final MethodHandle MEMORY_ADVISE =
            status("tenon_memory_advise", ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    private static final MethodHandle ENGINE_CREATE = status("tenon_engine_create", ADDRESS, ADDRESS, ADDRESS);
    private static final MethodHandle ENGINE_DESTROY = nothing("tenon_engine_destroy", ADDRESS);
    private static final MethodHandle ENGINE_ADD_CONSTANT =
            status("tenon_engine_add_constant", ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    private static final MethodHandle ENGINE_RELEASE_PLAIN =
            status("tenon_engine_release_plain", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MethodHandle ENGINE_PACKED_COUNT =
            handle("tenon_engine_packed_count", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
    private static final MethodHandle ENGINE_PACKED_GET =
            status("tenon_engine_packed_get", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MethodHandle ENGINE_PACKED_IMPORT =
            status("tenon_engine_packed_import", ADDRESS, ADDRESS, ADDRESS);
    private static final MethodHandle ENGINE_PACKED_BYTES =
            handle("tenon_engine_packed_bytes", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
    private static final MethodHandle PROGRAM_CREATE = status("tenon_program_create", ADDRESS, ADDRESS, ADDRESS);
    private static final MethodHandle PROGRAM_DESTROY = nothing("tenon_program_destroy", ADDRESS);
    private static final MethodHandle PROGRAM_ADD_VALUE =
            status("tenon_program_add_value", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    private static final MethodHandle PROGRAM_FINISH = status("tenon_program_finish", ADDRESS, ADDRESS);
    private static final MethodHandle PROGRAM_BUFFER_COUNT =
            handle("tenon_program_buffer_count", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
    private static final MethodHandle PROGRAM_BUFFERS = status("tenon_program_buffers", ADDRESS, ADDRESS, ADDRESS);
    private static final MethodHandle PROGRAM_PLACE =
            status("tenon_program_place", ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    private static final MethodHandle PROGRAM_STEP_COUNT =
            handle("tenon_program_step_count", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
    private static final MethodHandle PROGRAM_STEP = status("tenon_program_step", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MethodHandle CONTEXT_CREATE =
            status("tenon_context_create", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    private static final MethodHandle CONTEXT_DESTROY = nothing("tenon_context_destroy", ADDRESS);
    private static final MethodHandle CONTEXT_BIND =
            status("tenon_context_bind", ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MethodHandle CONTEXT_RUN =
            status("tenon_context_run", ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS);

    private TenonH() {}

    public static long abiVersion() {
        try {
            return (long) ABI_VERSION.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static String buildInfo() {
        try {
            return CStrings.text((MemorySegment) BUILD_INFO.invokeExact());
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static long sizeof(MemorySegment structName) {
        try {
            return (long) SIZEOF.invokeExact(structName);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int cpuQuery(MemorySegment outInfo, MemorySegment err) {
        try {
            return (int) CPU_QUERY.invokeExact(outInfo, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int setMaxIsa(long isa, MemorySegment err) {
        try {
            return (int) SET_MAX_ISA.invokeExact(isa, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int memoryAllocate(long bytes, long flags, MemorySegment outAddress, MemorySegment err) {
        try {
            return (int) MEMORY_ALLOCATE.invokeExact(bytes, flags, outAddress, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static void memoryFree(MemorySegment address, long bytes) {
        try {
            MEMORY_FREE.invokeExact(address, bytes);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int memoryAdvise(MemorySegment address, long bytes, long advice, MemorySegment err) {
        try {
            return (int) MEMORY_ADVISE.invokeExact(address, bytes, advice, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int engineCreate(MemorySegment options, MemorySegment outEngine, MemorySegment err) {
        try {
            return (int) ENGINE_CREATE.invokeExact(options, outEngine, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static void engineDestroy(MemorySegment engine) {
        try {
            ENGINE_DESTROY.invokeExact(engine);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int engineAddConstant(
            MemorySegment engine, long key, MemorySegment data, long bytes, long flags, MemorySegment err) {
        try {
            return (int) ENGINE_ADD_CONSTANT.invokeExact(engine, key, data, bytes, flags, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int engineReleasePlain(MemorySegment engine, long key, MemorySegment outReleased, MemorySegment err) {
        try {
            return (int) ENGINE_RELEASE_PLAIN.invokeExact(engine, key, outReleased, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static long enginePackedCount(MemorySegment engine) {
        try {
            return (long) ENGINE_PACKED_COUNT.invokeExact(engine);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int enginePackedGet(MemorySegment engine, long index, MemorySegment outPacked, MemorySegment err) {
        try {
            return (int) ENGINE_PACKED_GET.invokeExact(engine, index, outPacked, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int enginePackedImport(MemorySegment engine, MemorySegment packed, MemorySegment err) {
        try {
            return (int) ENGINE_PACKED_IMPORT.invokeExact(engine, packed, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static long enginePackedBytes(MemorySegment engine) {
        try {
            return (long) ENGINE_PACKED_BYTES.invokeExact(engine);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int programCreate(MemorySegment engine, MemorySegment outProgram, MemorySegment err) {
        try {
            return (int) PROGRAM_CREATE.invokeExact(engine, outProgram, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static void programDestroy(MemorySegment program) {
        try {
            PROGRAM_DESTROY.invokeExact(program);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int programAddValue(
            MemorySegment program, MemorySegment desc, MemorySegment outValue, MemorySegment err) {
        try {
            return (int) PROGRAM_ADD_VALUE.invokeExact(program, desc, outValue, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** {@code tenon_program_add_<step>}. */
    public static int programAdd(
            ProgramStep step, MemorySegment program, MemorySegment name, MemorySegment params, MemorySegment err) {
        try {
            return (int) step.handle().invokeExact(program, name, params, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int programFinish(MemorySegment program, MemorySegment err) {
        try {
            return (int) PROGRAM_FINISH.invokeExact(program, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static long programBufferCount(MemorySegment program) {
        try {
            return (long) PROGRAM_BUFFER_COUNT.invokeExact(program);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int programBuffers(MemorySegment program, MemorySegment outBuffers, MemorySegment err) {
        try {
            return (int) PROGRAM_BUFFERS.invokeExact(program, outBuffers, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int programPlace(
            MemorySegment program, MemorySegment offsets, long count, long arenaBytes, MemorySegment err) {
        try {
            return (int) PROGRAM_PLACE.invokeExact(program, offsets, count, arenaBytes, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static long programStepCount(MemorySegment program) {
        try {
            return (long) PROGRAM_STEP_COUNT.invokeExact(program);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int programStep(MemorySegment program, long step, MemorySegment outInfo, MemorySegment err) {
        try {
            return (int) PROGRAM_STEP.invokeExact(program, step, outInfo, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int contextCreate(
            MemorySegment program, MemorySegment arena, MemorySegment outContext, MemorySegment err) {
        try {
            return (int) CONTEXT_CREATE.invokeExact(program, arena, outContext, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static void contextDestroy(MemorySegment context) {
        try {
            CONTEXT_DESTROY.invokeExact(context);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int contextBind(
            MemorySegment context, long role, long index, MemorySegment address, MemorySegment err) {
        try {
            return (int) CONTEXT_BIND.invokeExact(context, role, index, address, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int contextRun(
            MemorySegment context,
            long fromStep,
            long toStep,
            MemorySegment cancel,
            MemorySegment outStepNs,
            MemorySegment err) {
        try {
            return (int) CONTEXT_RUN.invokeExact(context, fromStep, toStep, cancel, outStepNs, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Names of the C functions bound so far; all of them once this class and {@link ProgramStep} are initialised. */
    static Set<String> boundSymbols() {
        return Set.copyOf(BOUND);
    }

    static MethodHandle addStepHandle(String symbol) {
        return status(symbol, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    }

    private static MethodHandle status(String symbol, MemoryLayout... parameters) {
        return handle(symbol, FunctionDescriptor.of(JAVA_INT, parameters));
    }

    private static MethodHandle nothing(String symbol, MemoryLayout... parameters) {
        return handle(symbol, FunctionDescriptor.ofVoid(parameters));
    }

    /** For functions that return at once: the call skips the thread state change. */
    private static MethodHandle getter(String symbol, FunctionDescriptor descriptor) {
        return handle(symbol, descriptor, Linker.Option.critical(false));
    }

    @SuppressWarnings("restricted")
    private static MethodHandle handle(String symbol, FunctionDescriptor descriptor, Linker.Option... options) {
        BOUND.add(symbol);
        NativeLibrary.Status status = NativeLibrary.status();
        if (!(status instanceof NativeLibrary.Loaded loaded)) {
            return throwing(descriptor.toMethodType(), status.message());
        }
        return loaded.symbols()
                .find(symbol)
                .map(address -> Linker.nativeLinker().downcallHandle(address, descriptor, options))
                .orElseGet(() -> throwing(
                        descriptor.toMethodType(),
                        loaded.file() + " has no function " + symbol + "; " + loaded.message()));
    }

    private static MethodHandle throwing(MethodType type, String message) {
        try {
            MethodHandle create = MethodHandles.lookup()
                    .findConstructor(UnsatisfiedLinkError.class, MethodType.methodType(void.class, String.class));
            MethodHandle thrower = MethodHandles.collectArguments(
                    MethodHandles.throwException(type.returnType(), UnsatisfiedLinkError.class),
                    0,
                    MethodHandles.insertArguments(create, 0, message));
            return MethodHandles.dropArguments(thrower, 0, type.parameterList());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("UnsatisfiedLinkError(String) is part of the JDK", e);
        }
    }

    private static RuntimeException unexpected(Throwable t) {
        if (t instanceof RuntimeException e) {
            throw e;
        }
        if (t instanceof Error e) {
            throw e;
        }
        throw new IllegalStateException("a native call cannot throw checked exceptions", t);
    }

    /** A zeroed {@code tenon_error}. */
    public static MemorySegment newError(Arena arena) {
        return arena.allocate(ERROR);
    }
}
