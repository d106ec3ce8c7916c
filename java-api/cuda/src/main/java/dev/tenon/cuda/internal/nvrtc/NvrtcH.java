package dev.tenon.cuda.internal.nvrtc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** The functions of nvrtc.h that are used, in one loaded library; each returns an nvrtcResult. */
@SuppressWarnings("restricted")
final class NvrtcH {
    static final int SUCCESS = 0;
    static final int ERROR_COMPILATION = 6;

    private final SymbolLookup symbols;
    private final MethodHandle getErrorString;
    private final MethodHandle version;
    private final MethodHandle getNumSupportedArchs;
    private final MethodHandle getSupportedArchs;
    private final MethodHandle createProgram;
    private final MethodHandle destroyProgram;
    private final MethodHandle compileProgram;
    private final MethodHandle getCubinSize;
    private final MethodHandle getCubin;
    private final MethodHandle getPtxSize;
    private final MethodHandle getPtx;
    private final MethodHandle getProgramLogSize;
    private final MethodHandle getProgramLog;

    /** @throws java.util.NoSuchElementException naming a function that the library lacks */
    NvrtcH(SymbolLookup symbols) {
        this.symbols = symbols;
        getErrorString = bind("nvrtcGetErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT));
        version = bind("nvrtcVersion", ADDRESS, ADDRESS);
        getNumSupportedArchs = bind("nvrtcGetNumSupportedArchs", ADDRESS);
        getSupportedArchs = bind("nvrtcGetSupportedArchs", ADDRESS);
        createProgram = bind("nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
        destroyProgram = bind("nvrtcDestroyProgram", ADDRESS);
        compileProgram = bind("nvrtcCompileProgram", ADDRESS, JAVA_INT, ADDRESS);
        getCubinSize = bind("nvrtcGetCUBINSize", ADDRESS, ADDRESS);
        getCubin = bind("nvrtcGetCUBIN", ADDRESS, ADDRESS);
        getPtxSize = bind("nvrtcGetPTXSize", ADDRESS, ADDRESS);
        getPtx = bind("nvrtcGetPTX", ADDRESS, ADDRESS);
        getProgramLogSize = bind("nvrtcGetProgramLogSize", ADDRESS, ADDRESS);
        getProgramLog = bind("nvrtcGetProgramLog", ADDRESS, ADDRESS);
    }

    private MethodHandle bind(String function, MemoryLayout... parameters) {
        return bind(function, FunctionDescriptor.of(JAVA_INT, parameters));
    }

    private MethodHandle bind(String function, FunctionDescriptor type) {
        return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(function), type);
    }

    /** The name of a result, such as {@code NVRTC_ERROR_COMPILATION}. */
    String errorString(int result) {
        try {
            return ((MemorySegment) getErrorString.invokeExact(result))
                    .reinterpret(Long.MAX_VALUE)
                    .getString(0);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    int version(MemorySegment major, MemorySegment minor) {
        try {
            return (int) version.invokeExact(major, minor);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    int getNumSupportedArchs(MemorySegment outCount) {
        return call(getNumSupportedArchs, outCount);
    }

    int getSupportedArchs(MemorySegment outArchs) {
        return call(getSupportedArchs, outArchs);
    }

    /** @param headers texts and includeNames their names: arrays of {@code count} C strings */
    int createProgram(
            MemorySegment outProgram,
            MemorySegment source,
            MemorySegment name,
            int count,
            MemorySegment headers,
            MemorySegment includeNames) {
        try {
            return (int) createProgram.invokeExact(outProgram, source, name, count, headers, includeNames);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** @param program the address of the handle, which becomes null */
    int destroyProgram(MemorySegment program) {
        return call(destroyProgram, program);
    }

    int compileProgram(MemorySegment program, int count, MemorySegment options) {
        try {
            return (int) compileProgram.invokeExact(program, count, options);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    int getCubinSize(MemorySegment program, MemorySegment outSize) {
        return call(getCubinSize, program, outSize);
    }

    int getCubin(MemorySegment program, MemorySegment outCode) {
        return call(getCubin, program, outCode);
    }

    int getPtxSize(MemorySegment program, MemorySegment outSize) {
        return call(getPtxSize, program, outSize);
    }

    int getPtx(MemorySegment program, MemorySegment outCode) {
        return call(getPtx, program, outCode);
    }

    int getProgramLogSize(MemorySegment program, MemorySegment outSize) {
        return call(getProgramLogSize, program, outSize);
    }

    int getProgramLog(MemorySegment program, MemorySegment outLog) {
        return call(getProgramLog, program, outLog);
    }

    private static int call(MethodHandle function, MemorySegment argument) {
        try {
            return (int) function.invokeExact(argument);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static int call(MethodHandle function, MemorySegment program, MemorySegment out) {
        try {
            return (int) function.invokeExact(program, out);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static RuntimeException unexpected(Throwable t) {
        if (t instanceof Error e) {
            throw e;
        }
        return t instanceof RuntimeException e ? e : new IllegalStateException(t);
    }
}
