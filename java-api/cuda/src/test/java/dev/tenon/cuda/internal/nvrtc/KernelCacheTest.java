package dev.tenon.cuda.internal.nvrtc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DeviceUnavailableException;
import dev.tenon.cuda.KernelCompilationException;
import dev.tenon.cuda.internal.kernel.KernelSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelCacheTest {
    private static final CudaTarget TARGET = CudaTarget.cubin("90");
    private static final KernelSource SOURCE = new KernelSource("k", "#include \"common/types.cuh\"\nvoid k();\n");

    @TempDir
    Path folder;

    /** Answers with the number of the compilation. */
    private static class Counting implements KernelCompiler {
        final AtomicInteger compilations = new AtomicInteger();
        final String version;

        Counting(String version) {
            this.version = version;
        }

        @Override
        public String version() {
            return version;
        }

        @Override
        public byte[] compile(KernelSource source, SortedMap<String, String> headers, CudaTarget target) {
            return ("code " + compilations.incrementAndGet()).getBytes(StandardCharsets.UTF_8);
        }
    }

    private static String code(CompiledKernel kernel) {
        return new String(kernel.code(), StandardCharsets.UTF_8);
    }

    private Path only() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = files.toList();
            assertThat(all).hasSize(1);
            return all.getFirst();
        }
    }

    @Test
    void compilesOnceInMemory() {
        Counting compiler = new Counting("1");
        KernelCache cache = new KernelCache(() -> compiler, null);
        assertThat(code(cache.get(SOURCE, TARGET))).isEqualTo("code 1");
        assertThat(cache.get(SOURCE, TARGET)).isSameAs(cache.get(SOURCE, TARGET));
        assertThat(cache.get(SOURCE, TARGET).name()).isEqualTo("k");
    }

    @Test
    void codeDependsOnSourceTargetAndFormat() {
        Counting compiler = new Counting("1");
        KernelCache cache = new KernelCache(() -> compiler, folder);
        cache.get(SOURCE, TARGET);
        cache.get(new KernelSource("k", SOURCE.text() + " "), TARGET);
        cache.get(new KernelSource("k2", SOURCE.text()), TARGET);
        cache.get(SOURCE, CudaTarget.cubin("90a"));
        cache.get(SOURCE, CudaTarget.ptx("90"));
        assertThat(compiler.compilations).hasValue(5);
    }

    @Test
    void filesOutliveTheCacheButNotTheCompilersVersion() throws IOException {
        Counting first = new Counting("1");
        new KernelCache(() -> first, folder).get(SOURCE, TARGET);
        assertThat(only().getFileName().toString()).endsWith(".cubin");
        Counting second = new Counting("1");
        assertThat(code(new KernelCache(() -> second, folder).get(SOURCE, TARGET)))
                .isEqualTo("code 1");
        assertThat(second.compilations).hasValue(0);
        Counting newer = new Counting("2");
        new KernelCache(() -> newer, folder).get(SOURCE, TARGET);
        assertThat(newer.compilations).hasValue(1);
    }

    @Test
    void aDamagedFileIsCompiledAgainAndReplaced() throws IOException {
        Counting compiler = new Counting("1");
        new KernelCache(() -> compiler, folder).get(SOURCE, TARGET);
        byte[] whole = Files.readAllBytes(only());
        for (int at = 0; at < whole.length; at++) {
            byte[] flipped = whole.clone();
            flipped[at] ^= 4;
            Files.write(only(), flipped);
            int before = compiler.compilations.get();
            new KernelCache(() -> compiler, folder).get(SOURCE, TARGET);
            assertThat(compiler.compilations).as("byte " + at).hasValue(before + 1);
            new KernelCache(() -> compiler, folder).get(SOURCE, TARGET);
            assertThat(compiler.compilations).as("after byte " + at).hasValue(before + 1);
            Files.write(only(), whole);
        }
        for (int length : new int[] {0, 5, 20, 47, whole.length - 1}) {
            Files.write(only(), java.util.Arrays.copyOf(whole, length));
            int before = compiler.compilations.get();
            new KernelCache(() -> compiler, folder).get(SOURCE, TARGET);
            assertThat(compiler.compilations).as("cut at " + length).hasValue(before + 1);
        }
    }

    @Test
    void aFileUnderAnothersNameIsNotTaken() throws IOException {
        Counting compiler = new Counting("1");
        new KernelCache(() -> compiler, folder).get(SOURCE, TARGET);
        Path file = only();
        byte[] others = Files.readAllBytes(file);
        Files.delete(file);
        new KernelCache(() -> compiler, folder).get(SOURCE, CudaTarget.cubin("100"));
        Files.write(only(), others);
        new KernelCache(() -> compiler, folder).get(SOURCE, CudaTarget.cubin("100"));
        assertThat(compiler.compilations).hasValue(3);
    }

    @Test
    void manyCallersCompileOnce() throws Exception {
        int callers = 32;
        CountDownLatch waiting = new CountDownLatch(callers);
        Counting compiler = new Counting("1") {
            @Override
            public byte[] compile(KernelSource source, SortedMap<String, String> headers, CudaTarget target) {
                try {
                    waiting.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return super.compile(source, headers, target);
            }
        };
        KernelCache cache = new KernelCache(() -> compiler, folder);
        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<CompiledKernel>> results = new ArrayList<>();
            for (int i = 0; i < callers; i++) {
                results.add(pool.submit(() -> {
                    waiting.countDown();
                    return cache.get(SOURCE, TARGET);
                }));
            }
            for (Future<CompiledKernel> result : results) {
                assertThat(code(result.get())).isEqualTo("code 1");
            }
        }
        assertThat(compiler.compilations).hasValue(1);
    }

    @Test
    void aFailureIsThrownToEveryCallerAndTriedAgain() {
        AtomicInteger calls = new AtomicInteger();
        KernelCompiler compiler = new Counting("1") {
            @Override
            public byte[] compile(KernelSource source, SortedMap<String, String> headers, CudaTarget target) {
                if (calls.incrementAndGet() == 1) {
                    throw new KernelCompilationException("no", "line 2: error", source.text());
                }
                return super.compile(source, headers, target);
            }
        };
        KernelCache cache = new KernelCache(() -> compiler, folder);
        assertThatThrownBy(() -> cache.get(SOURCE, TARGET))
                .isInstanceOf(KernelCompilationException.class)
                .hasMessageContaining("line 2: error")
                .hasMessageContaining("   2  void k();");
        assertThat(code(cache.get(SOURCE, TARGET))).isEqualTo("code 1");
    }

    @Test
    void codeThatAnEngineBroughtNeedsNoCompiler() {
        CompiledKernel made = new KernelCache(() -> new Counting("1"), null).get(SOURCE, TARGET);
        KernelCache cache = new KernelCache(
                () -> {
                    throw new DeviceUnavailableException("no compiler");
                },
                folder);
        assertThatThrownBy(() -> cache.get(SOURCE, TARGET)).isInstanceOf(DeviceUnavailableException.class);
        cache.add(made);
        assertThat(cache.get(SOURCE, TARGET)).isEqualTo(made);
    }

    @Test
    void aFolderThatCannotBeWrittenCostsOnlyTime() throws IOException {
        Counting compiler = new Counting("1");
        Path file = Files.createFile(
                folder.resolve("file"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r--------")));
        KernelCache cache = new KernelCache(() -> compiler, file.resolve("below"));
        assertThat(code(cache.get(SOURCE, TARGET))).isEqualTo("code 1");
    }

    @Test
    void targetsAreChecked() {
        assertThatThrownBy(() -> CudaTarget.cubin("sm_90"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("sm_90");
        assertThat(CudaTarget.ptx("90a")).hasToString("compute_90a");
    }
}
