package dev.tenon.internal.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
    @TempDir
    Path folder;

    @Test
    void missingFileIsAStatusThatNamesFileAndProperty() {
        NativeLibrary.Status status = NativeLibrary.open(folder.resolve("libtenon.so"));
        assertThat(status).isInstanceOf(NativeLibrary.Missing.class);
        assertThat(status.message()).contains(folder.toString(), "tenon.native.path", System.getProperty("os.arch"));
    }

    @Test
    void damagedFileIsAStatusWithTheLoadersReason() throws IOException {
        Path file = Files.writeString(folder.resolve("libtenon.so"), "this is not a library");
        NativeLibrary.Status status = NativeLibrary.open(file);
        assertThat(status).isInstanceOf(NativeLibrary.Missing.class);
        assertThat(status.message()).contains(file.toString()).doesNotContain("no reason given");
    }

    @Test
    void platformNamesAreThoseOfTheJars() {
        assertThat(NativeLibrary.platform("Linux", "amd64")).isEqualTo("linux-x86_64");
        assertThat(NativeLibrary.platform("Linux", "aarch64")).isEqualTo("linux-aarch64");
        assertThat(NativeLibrary.platform("Windows 11", "amd64")).isEqualTo("windows-x86_64");
        assertThat(NativeLibrary.platform("Mac OS X", "aarch64")).isEqualTo("macosx-aarch64");
    }

    /** With the library. */
    @Nested
    class Loaded {
        @BeforeEach
        void needsLibrary() {
            assumeTrue(NativeLibrary.isLoaded(), NativeLibrary.status().message());
        }

        @Test
        void everySymbolOfTheHeaderResolves() throws IOException {
            NativeLibrary.Loaded loaded = (NativeLibrary.Loaded) NativeLibrary.status();
            assertThat(HeaderText.read().functions())
                    .allSatisfy(name ->
                            assertThat(loaded.symbols().find(name)).as(name).isPresent());
        }

        @Test
        void structsHaveTheSizesTheLibraryWasCompiledWith() {
            try (Arena arena = Arena.ofConfined()) {
                for (StructShape shape : TenonHeaderTest.shapes()) {
                    assertThat(TenonH.sizeof(arena.allocateFrom(shape.name())))
                            .as(shape.name())
                            .isEqualTo(shape.byteSize());
                }
                assertThat(TenonH.sizeof(arena.allocateFrom("error"))).isEqualTo(TenonH.ERROR.byteSize());
                assertThat(TenonH.sizeof(arena.allocateFrom("no_such_struct"))).isEqualTo(-1);
            }
        }

        @Test
        void versionAndBuildAreKnown() {
            assertThat(TenonH.abiVersion()).isEqualTo(TenonConstants.ABI_VERSION);
            assertThat(TenonH.buildInfo()).contains("oneDNN");
        }

        @Test
        void failuresCarryStatusAndMessage() {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment error = TenonH.newError(arena);
                NativeStruct options = NativeStruct.allocate(arena, TenonStructs.ENGINE_OPTIONS)
                        .set("threads", 0);
                MemorySegment out = arena.allocate(8);
                int status = TenonH.engineCreate(options.segment(), out, error);
                assertThat(status).isEqualTo(TenonConstants.INVALID_ARGUMENT);
                assertThat(NativeFailure.codeOf(error)).isEqualTo(status);
                assertThatThrownBy(() -> NativeFailure.check(status, error))
                        .isInstanceOf(NativeFailure.class)
                        .hasMessageContaining("threads");
            }
        }
    }
}
