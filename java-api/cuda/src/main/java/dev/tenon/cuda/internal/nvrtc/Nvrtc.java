package dev.tenon.cuda.internal.nvrtc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.tenon.DeviceUnavailableException;
import dev.tenon.cuda.KernelCompilationException;
import dev.tenon.cuda.internal.kernel.KernelSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.function.ToIntBiFunction;
import java.util.stream.Collectors;

/** NVIDIA's run-time compiler. It works on machines without a GPU and without a driver. */
public final class Nvrtc implements KernelCompiler {
    private static final List<String> OPTIONS = List.of("--std=c++17");

    private final NvrtcH nvrtc;
    private final String version;
    private final int[] architectures;

    private Nvrtc(NvrtcH nvrtc) {
        this.nvrtc = nvrtc;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment major = arena.allocate(JAVA_INT);
            MemorySegment minor = arena.allocate(JAVA_INT);
            check(nvrtc.version(major, minor), "nvrtcVersion");
            version = "NVRTC " + major.get(JAVA_INT, 0) + "." + minor.get(JAVA_INT, 0);
            MemorySegment count = arena.allocate(JAVA_INT);
            check(nvrtc.getNumSupportedArchs(count), "nvrtcGetNumSupportedArchs");
            MemorySegment list = arena.allocate(JAVA_INT, count.get(JAVA_INT, 0));
            check(nvrtc.getSupportedArchs(list), "nvrtcGetSupportedArchs");
            architectures = list.toArray(JAVA_INT);
        }
    }

    private static final class Holder {
        static final NvrtcLibrary.Status STATUS = NvrtcLibrary.ofProcess().load();
    }

    /** The compiler of this process. @throws DeviceUnavailableException saying where it was looked for */
    public static Nvrtc load() {
        return of(Holder.STATUS);
    }

    static Nvrtc of(NvrtcLibrary.Status status) {
        return switch (status) {
            case NvrtcLibrary.Loaded loaded -> new Nvrtc(new NvrtcH(loaded.symbols()));
            case NvrtcLibrary.Missing missing -> throw new DeviceUnavailableException(missing.message());
        };
    }

    /** What was loaded, or why nothing was and what to do. */
    public static String status() {
        return Holder.STATUS.message();
    }

    @Override
    public String version() {
        return version + " " + OPTIONS;
    }

    @Override
    public byte[] compile(KernelSource source, SortedMap<String, String> headers, CudaTarget target) {
        if (Arrays.stream(architectures).noneMatch(a -> a == target.number())) {
            throw new DeviceUnavailableException(version + " cannot compile for " + target + "; it knows "
                    + Arrays.stream(architectures).mapToObj(Integer::toString).collect(Collectors.joining(", "))
                    + ". A GPU that is newer needs a newer CUDA toolkit; older ones are not supported.");
        }
        List<String> options = new ArrayList<>(OPTIONS);
        options.add("--gpu-architecture=" + target);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(ADDRESS);
            check(
                    nvrtc.createProgram(
                            handle,
                            arena.allocateFrom(source.text()),
                            arena.allocateFrom(source.name() + ".cu"),
                            headers.size(),
                            strings(arena, headers.values()),
                            strings(arena, headers.keySet())),
                    "nvrtcCreateProgram");
            MemorySegment program = handle.get(ADDRESS, 0);
            try {
                int result = nvrtc.compileProgram(program, options.size(), strings(arena, options));
                if (result != NvrtcH.SUCCESS) {
                    String log = new String(
                                    bytes(arena, program, nvrtc::getProgramLogSize, nvrtc::getProgramLog),
                                    StandardCharsets.UTF_8)
                            .replace("\0", "");
                    String message = version + " does not compile kernel " + source.name() + " for " + target + ": "
                            + nvrtc.errorString(result);
                    throw result == NvrtcH.ERROR_COMPILATION
                            ? new KernelCompilationException(message, log, source.text())
                            : new DeviceUnavailableException(message + "\n" + log);
                }
                return target.format() == CudaTarget.Format.CUBIN
                        ? bytes(arena, program, nvrtc::getCubinSize, nvrtc::getCubin)
                        : bytes(arena, program, nvrtc::getPtxSize, nvrtc::getPtx);
            } finally {
                nvrtc.destroyProgram(handle);
            }
        }
    }

    private byte[] bytes(
            Arena arena,
            MemorySegment program,
            ToIntBiFunction<MemorySegment, MemorySegment> size,
            ToIntBiFunction<MemorySegment, MemorySegment> content) {
        MemorySegment count = arena.allocate(JAVA_LONG);
        check(size.applyAsInt(program, count), "NVRTC's size of a result");
        MemorySegment bytes = arena.allocate(JAVA_BYTE, count.get(JAVA_LONG, 0));
        check(content.applyAsInt(program, bytes), "NVRTC's result");
        return bytes.toArray(JAVA_BYTE);
    }

    private static MemorySegment strings(Arena arena, Collection<String> texts) {
        MemorySegment array = arena.allocate(ADDRESS, Math.max(1, texts.size()));
        int i = 0;
        for (String text : texts) {
            array.setAtIndex(ADDRESS, i++, arena.allocateFrom(text));
        }
        return array;
    }

    private void check(int result, String what) {
        if (result != NvrtcH.SUCCESS) {
            throw new DeviceUnavailableException(what + " fails: " + nvrtc.errorString(result));
        }
    }
}
