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

    // One holder a function: linking one takes milliseconds in a fresh process, and most runs need few.

    private static final class AbiVersionFn {
        static final MethodHandle HANDLE = getter("tenon_abi_version", FunctionDescriptor.of(JAVA_LONG));
    }

    private static final class BuildInfoFn {
        static final MethodHandle HANDLE = getter("tenon_build_info", FunctionDescriptor.of(ADDRESS));
    }

    private static final class SizeofFn {
        static final MethodHandle HANDLE = getter("tenon_sizeof", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
    }

    private static final class CpuQueryFn {
        static final MethodHandle HANDLE = status("tenon_cpu_query", ADDRESS, ADDRESS);
    }

    private static final class SetMaxIsaFn {
        static final MethodHandle HANDLE = status("tenon_set_max_isa", JAVA_LONG, ADDRESS);
    }

    private static final class MemoryAllocateFn {
        static final MethodHandle HANDLE = status("tenon_memory_allocate", JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
    }

    private static final class MemoryFreeFn {
        static final MethodHandle HANDLE = nothing("tenon_memory_free", ADDRESS, JAVA_LONG);
    }

    private static final class MemoryAdviseFn {
        static final MethodHandle HANDLE = status("tenon_memory_advise", ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    }

    private static final class EngineCreateFn {
        static final MethodHandle HANDLE = status("tenon_engine_create", ADDRESS, ADDRESS, ADDRESS);
    }

    private static final class EngineDestroyFn {
        static final MethodHandle HANDLE = nothing("tenon_engine_destroy", ADDRESS);
    }

    private static final class EngineAddConstantFn {
        static final MethodHandle HANDLE =
                status("tenon_engine_add_constant", ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    }

    private static final class EngineReleasePlainFn {
        static final MethodHandle HANDLE = status("tenon_engine_release_plain", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    }

    private static final class EnginePackedCountFn {
        static final MethodHandle HANDLE =
                handle("tenon_engine_packed_count", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
    }

    private static final class EnginePackedGetFn {
        static final MethodHandle HANDLE = status("tenon_engine_packed_get", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    }

    private static final class EnginePackedImportFn {
        static final MethodHandle HANDLE = status("tenon_engine_packed_import", ADDRESS, ADDRESS, ADDRESS);
    }

    private static final class EngineRemoveConstantFn {
        static final MethodHandle HANDLE = status("tenon_engine_remove_constant", ADDRESS, JAVA_LONG, ADDRESS);
    }

    private static final class EnginePackedBytesFn {
        static final MethodHandle HANDLE =
                handle("tenon_engine_packed_bytes", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
    }

    private static final class ProgramCreateFn {
        static final MethodHandle HANDLE = status("tenon_program_create", ADDRESS, ADDRESS, ADDRESS);
    }

    private static final class ProgramDestroyFn {
        static final MethodHandle HANDLE = nothing("tenon_program_destroy", ADDRESS);
    }

    private static final class ProgramAddValueFn {
        static final MethodHandle HANDLE = status("tenon_program_add_value", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    }

    private static final class ProgramFinishFn {
        static final MethodHandle HANDLE = status("tenon_program_finish", ADDRESS, ADDRESS);
    }

    private static final class ProgramBufferCountFn {
        static final MethodHandle HANDLE =
                handle("tenon_program_buffer_count", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
    }

    private static final class ProgramBuffersFn {
        static final MethodHandle HANDLE = status("tenon_program_buffers", ADDRESS, ADDRESS, ADDRESS);
    }

    private static final class ProgramPlaceFn {
        static final MethodHandle HANDLE =
                status("tenon_program_place", ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    }

    private static final class ProgramStepCountFn {
        static final MethodHandle HANDLE =
                handle("tenon_program_step_count", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
    }

    private static final class ProgramStepFn {
        static final MethodHandle HANDLE = status("tenon_program_step", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    }

    private static final class ContextCreateFn {
        static final MethodHandle HANDLE = status("tenon_context_create", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    }

    private static final class ContextDestroyFn {
        static final MethodHandle HANDLE = nothing("tenon_context_destroy", ADDRESS);
    }

    private static final class ContextBindFn {
        static final MethodHandle HANDLE =
                status("tenon_context_bind", ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
    }

    private static final class ContextRunFn {
        static final MethodHandle HANDLE =
                status("tenon_context_run", ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS);
    }

    private TenonH() {}

    public static long abiVersion() {
        try {
            return (long) AbiVersionFn.HANDLE.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static String buildInfo() {
        try {
            return CStrings.text((MemorySegment) BuildInfoFn.HANDLE.invokeExact());
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static long sizeof(MemorySegment structName) {
        try {
            return (long) SizeofFn.HANDLE.invokeExact(structName);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int cpuQuery(MemorySegment outInfo, MemorySegment err) {
        try {
            return (int) CpuQueryFn.HANDLE.invokeExact(outInfo, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int setMaxIsa(long isa, MemorySegment err) {
        try {
            return (int) SetMaxIsaFn.HANDLE.invokeExact(isa, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int memoryAllocate(long bytes, long flags, MemorySegment outAddress, MemorySegment err) {
        try {
            return (int) MemoryAllocateFn.HANDLE.invokeExact(bytes, flags, outAddress, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static void memoryFree(MemorySegment address, long bytes) {
        try {
            MemoryFreeFn.HANDLE.invokeExact(address, bytes);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int memoryAdvise(MemorySegment address, long bytes, long advice, MemorySegment err) {
        try {
            return (int) MemoryAdviseFn.HANDLE.invokeExact(address, bytes, advice, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int engineCreate(MemorySegment options, MemorySegment outEngine, MemorySegment err) {
        try {
            return (int) EngineCreateFn.HANDLE.invokeExact(options, outEngine, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static void engineDestroy(MemorySegment engine) {
        try {
            EngineDestroyFn.HANDLE.invokeExact(engine);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int engineAddConstant(
            MemorySegment engine, long key, MemorySegment data, long bytes, long flags, MemorySegment err) {
        try {
            return (int) EngineAddConstantFn.HANDLE.invokeExact(engine, key, data, bytes, flags, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int engineReleasePlain(MemorySegment engine, long key, MemorySegment outReleased, MemorySegment err) {
        try {
            return (int) EngineReleasePlainFn.HANDLE.invokeExact(engine, key, outReleased, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int engineRemoveConstant(MemorySegment engine, long key, MemorySegment err) {
        try {
            return (int) EngineRemoveConstantFn.HANDLE.invokeExact(engine, key, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static long enginePackedCount(MemorySegment engine) {
        try {
            return (long) EnginePackedCountFn.HANDLE.invokeExact(engine);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int enginePackedGet(MemorySegment engine, long index, MemorySegment outPacked, MemorySegment err) {
        try {
            return (int) EnginePackedGetFn.HANDLE.invokeExact(engine, index, outPacked, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int enginePackedImport(MemorySegment engine, MemorySegment packed, MemorySegment err) {
        try {
            return (int) EnginePackedImportFn.HANDLE.invokeExact(engine, packed, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static long enginePackedBytes(MemorySegment engine) {
        try {
            return (long) EnginePackedBytesFn.HANDLE.invokeExact(engine);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int programCreate(MemorySegment engine, MemorySegment outProgram, MemorySegment err) {
        try {
            return (int) ProgramCreateFn.HANDLE.invokeExact(engine, outProgram, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static void programDestroy(MemorySegment program) {
        try {
            ProgramDestroyFn.HANDLE.invokeExact(program);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int programAddValue(
            MemorySegment program, MemorySegment desc, MemorySegment outValue, MemorySegment err) {
        try {
            return (int) ProgramAddValueFn.HANDLE.invokeExact(program, desc, outValue, err);
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
            return (int) ProgramFinishFn.HANDLE.invokeExact(program, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static long programBufferCount(MemorySegment program) {
        try {
            return (long) ProgramBufferCountFn.HANDLE.invokeExact(program);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int programBuffers(MemorySegment program, MemorySegment outBuffers, MemorySegment err) {
        try {
            return (int) ProgramBuffersFn.HANDLE.invokeExact(program, outBuffers, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int programPlace(
            MemorySegment program, MemorySegment offsets, long count, long arenaBytes, MemorySegment err) {
        try {
            return (int) ProgramPlaceFn.HANDLE.invokeExact(program, offsets, count, arenaBytes, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static long programStepCount(MemorySegment program) {
        try {
            return (long) ProgramStepCountFn.HANDLE.invokeExact(program);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int programStep(MemorySegment program, long step, MemorySegment outInfo, MemorySegment err) {
        try {
            return (int) ProgramStepFn.HANDLE.invokeExact(program, step, outInfo, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int contextCreate(
            MemorySegment program, MemorySegment arena, MemorySegment outContext, MemorySegment err) {
        try {
            return (int) ContextCreateFn.HANDLE.invokeExact(program, arena, outContext, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static void contextDestroy(MemorySegment context) {
        try {
            ContextDestroyFn.HANDLE.invokeExact(context);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public static int contextBind(
            MemorySegment context, long role, long index, MemorySegment address, MemorySegment err) {
        try {
            return (int) ContextBindFn.HANDLE.invokeExact(context, role, index, address, err);
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
            return (int) ContextRunFn.HANDLE.invokeExact(context, fromStep, toStep, cancel, outStepNs, err);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Binds every function and gives their names; for the test that compares them with the header. */
    static Set<String> boundSymbols() {
        try {
            for (Class<?> function : TenonH.class.getDeclaredClasses()) {
                MethodHandles.lookup().ensureInitialized(function);
            }
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
        for (ProgramStep step : ProgramStep.values()) {
            step.handle();
        }
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
