package dev.tenon.cuda.internal.elementwise;

import dev.tenon.cuda.internal.kernel.KernelLaunch;
import dev.tenon.cuda.internal.kernel.KernelSource;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Kernels compiled by g++ with the SIMT shim (kernels/cuda/simt) into one library, and launched on the host. */
final class HostKernels {
    private static final Path ROOT = Path.of(System.getProperty("tenon.root"));
    private static final int COMPILERS = 2;

    private static final String ENTRY = """
        #include <cstring>
        #include "simt/execute.h"

        extern "C" int tenon_test_launch(const char* kernel, int64_t grid, int64_t block, int64_t shared_bytes,
                                         const void* params, int64_t params_bytes, int64_t seed) {
            static tenon_cuda_plan plan;
            if (params_bytes > TENON_CUDA_MAX_PARAMS_BYTES) return 1;
            plan.launch_count = 1;
            tenon_cuda_launch& launch = plan.launches[0];
            launch = {};
            launch.kernel = kernel;
            launch.grid[0] = grid;
            launch.grid[1] = launch.grid[2] = 1;
            launch.block = block;
            launch.shared_bytes = shared_bytes;
            launch.params_bytes = params_bytes;
            std::memcpy(launch.params, params, static_cast<size_t>(params_bytes));
            simt::execute(plan, static_cast<uint64_t>(seed));
            return 0;
        }
        """;

    private final MethodHandle launch;
    private long seed;

    private HostKernels(MethodHandle launch) {
        this.launch = launch;
    }

    /** Compiles {@code sources}, equal ones once, in {@code folder}. */
    @SuppressWarnings("restricted")
    static HostKernels compile(Collection<KernelSource> sources, Path folder) throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        sources.forEach(s -> texts.put(s.name(), s.text()));
        List<StringBuilder> units = new ArrayList<>();
        for (int i = 0; i < COMPILERS; i++) {
            units.add(new StringBuilder());
        }
        int next = 0;
        for (String text : texts.values()) {
            units.get(next++ % COMPILERS).append(text);
        }
        units.getFirst().append(ENTRY);
        List<Process> compilers = new ArrayList<>();
        List<String> objects = new ArrayList<>();
        for (int i = 0; i < COMPILERS; i++) {
            Path file = folder.resolve("kernels" + i + ".cpp");
            Files.writeString(file, units.get(i));
            String object = folder.resolve("kernels" + i + ".o").toString();
            objects.add(object);
            compilers.add(gxx(folder, "-c", "-O0", "-Wall", "-Wextra", "-Werror", file.toString(), "-o", object));
        }
        String shim = folder.resolve("simt.o").toString();
        compilers.add(gxx(
                folder, "-c", "-O1", ROOT.resolve("kernels/cuda/simt/simt.cpp").toString(), "-o", shim));
        for (Process p : compilers) {
            finish(p);
        }
        Path library = folder.resolve("libkernels.so");
        List<String> link = new ArrayList<>(List.of("-shared", "-o", library.toString(), shim));
        link.addAll(objects);
        finish(gxx(folder, link.toArray(String[]::new)));
        MemorySegment symbol = SymbolLookup.libraryLookup(library, Arena.global())
                .find("tenon_test_launch")
                .orElseThrow();
        return new HostKernels(Linker.nativeLinker()
                .downcallHandle(
                        symbol,
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG)));
    }

    private static Process gxx(Path folder, String... arguments) throws IOException {
        List<String> command =
                new ArrayList<>(List.of("g++", "-std=c++20", "-fPIC", "-I" + ROOT.resolve("kernels/cuda")));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
    }

    private static void finish(Process compiler) throws IOException {
        String output = new String(compiler.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        if (compiler.onExit().join().exitValue() != 0) {
            throw new IllegalStateException("g++ fails:\n" + output.substring(0, Math.min(output.length(), 8000)));
        }
    }

    /** Runs a launch whose addresses are host memory. */
    void run(KernelLaunch l) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment params = arena.allocate(l.params().byteSize(), 64).copyFrom(l.params());
            int status = (int) launch.invokeExact(
                    arena.allocateFrom(l.kernel()),
                    (long) l.gridX(),
                    (long) l.block(),
                    (long) l.sharedBytes(),
                    params,
                    params.byteSize(),
                    seed++);
            if (status != 0) {
                throw new IllegalStateException(l.kernel() + " has too many parameters for a plan");
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }
}
