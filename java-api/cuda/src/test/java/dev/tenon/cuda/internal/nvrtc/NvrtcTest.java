package dev.tenon.cuda.internal.nvrtc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DeviceUnavailableException;
import dev.tenon.cuda.KernelCompilationException;
import dev.tenon.cuda.internal.kernel.KernelSource;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real compiler, where there is one: -Dtenon.nvrtc=FOLDER names it. */
class NvrtcTest {
    private static final KernelSource DOUBLE = new KernelSource("twice", """
        #include "common/vector.cuh"
        struct Params { float* x; };
        TENON_KERNEL(twice, Params, 32, 1) { p.x[threadIdx.x] *= 2; }
        """);

    private static Nvrtc nvrtc;

    @BeforeAll
    static void load() {
        try {
            nvrtc = Nvrtc.load();
        } catch (DeviceUnavailableException e) {
            Assumptions.abort(e.getMessage());
        }
    }

    @Test
    void makesMachineCodeAndPtx() {
        for (String architecture : new String[] {"80", "90", "90a", "100", "120"}) {
            byte[] code = nvrtc.compile(DOUBLE, KernelHeaders.of(DOUBLE.text()), CudaTarget.cubin(architecture));
            assertThat(Arrays.copyOf(code, 4)).isEqualTo(new byte[] {0x7f, 'E', 'L', 'F'});
        }
        byte[] ptx = nvrtc.compile(DOUBLE, KernelHeaders.of(DOUBLE.text()), CudaTarget.ptx("80"));
        assertThat(new String(ptx, StandardCharsets.US_ASCII)).contains(".target sm_80", ".entry twice(");
        assertThat(nvrtc.version()).startsWith("NVRTC 13.");
    }

    @Test
    void aMistakeIsReportedWithLogAndNumberedSource() {
        KernelSource wrong = new KernelSource("wrong", DOUBLE.text().replace("*= 2", "*= two"));
        assertThatThrownBy(() -> nvrtc.compile(wrong, KernelHeaders.of(wrong.text()), CudaTarget.cubin("90")))
                .isInstanceOfSatisfying(KernelCompilationException.class, e -> {
                    assertThat(e.log()).contains("wrong.cu(3): error").doesNotContain("\0");
                    assertThat(e.source()).isEqualTo(wrong.text());
                })
                .hasMessageContaining("kernel wrong for sm_90: NVRTC_ERROR_COMPILATION")
                .hasMessageContaining("   3  TENON_KERNEL(twice");
    }

    @Test
    void aMissingHeaderIsAMistakeToo() {
        assertThatThrownBy(() -> nvrtc.compile(DOUBLE, new TreeMap<>(), CudaTarget.cubin("90")))
                .isInstanceOf(KernelCompilationException.class)
                .hasMessageContaining("common/vector.cuh");
    }

    @Test
    void anArchitectureThatItDoesNotKnowIsRefused() {
        assertThatThrownBy(() -> nvrtc.compile(DOUBLE, new TreeMap<>(), CudaTarget.cubin("52")))
                .isInstanceOf(DeviceUnavailableException.class)
                .hasMessageContaining("sm_52")
                .hasMessageContaining("90");
    }

    @Test
    void worksBehindTheCache(@TempDir Path folder) {
        CompiledKernel made = new KernelCache(Nvrtc::load, folder).get(DOUBLE, CudaTarget.cubin("90"));
        assertThat(new KernelCache(Nvrtc::load, folder).get(DOUBLE, CudaTarget.cubin("90")))
                .isEqualTo(made);
        assertThat(Nvrtc.status()).startsWith("loaded ");
    }
}
