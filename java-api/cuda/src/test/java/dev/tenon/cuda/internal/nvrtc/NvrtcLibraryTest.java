package dev.tenon.cuda.internal.nvrtc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DeviceUnavailableException;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the compiler is looked for. A stand-in that g++ makes has the one function by which a library is known. */
class NvrtcLibraryTest {
    @TempDir
    Path folder;

    private Path library;

    @BeforeEach
    void compileStandIn() throws IOException, InterruptedException {
        Path source = folder.resolve("nvrtc.cpp");
        Files.writeString(source, "extern \"C\" int nvrtcGetSupportedArchs(int*) { return 0; }\n");
        library = folder.resolve("stand-in.so");
        int status = new ProcessBuilder("g++", "-shared", "-fPIC", source.toString(), "-o", library.toString())
                .inheritIO()
                .start()
                .waitFor();
        assertThat(status).isZero();
    }

    private NvrtcLibrary search(@Nullable String configured, Map<String, String> environment) {
        RedistJar none = new RedistJar(new URLClassLoader(new URL[0], null), folder.resolve("cache"), "linux-x86_64");
        return new NvrtcLibrary(configured, environment, folder.resolve("home"), folder.resolve("root"), none, false);
    }

    private Path put(String place) throws IOException {
        Path file = folder.resolve(place).resolve(NvrtcLibrary.LIBRARY);
        Files.createDirectories(file.getParent());
        return Files.copy(library, file);
    }

    private static void assertLoads(NvrtcLibrary search, Path file) {
        assertThat(search.load())
                .isInstanceOfSatisfying(
                        NvrtcLibrary.Loaded.class, l -> assertThat(l.place()).isEqualTo(file.toString()));
    }

    @Test
    void takesTheFileOrTheFolderThatIsNamedAndNothingElse() throws IOException {
        Path file = put("here");
        Map<String, String> elsewhere =
                Map.of("CUDA_HOME", put("toolkit/lib64").getParent().getParent().toString());
        assertLoads(search(file.toString(), elsewhere), file);
        assertLoads(search(file.getParent().toString(), elsewhere), file);
        NvrtcLibrary.Status status =
                search(folder.resolve("nowhere").toString(), elsewhere).load();
        assertThat(status).isInstanceOf(NvrtcLibrary.Missing.class);
        assertThat(status.message()).contains("tenon.nvrtc", "nowhere: not there");
    }

    @Test
    void findsToolkitAndWheel() throws IOException {
        Path toolkit = put("toolkit/lib64");
        assertLoads(search(null, Map.of("CUDA_HOME", folder.resolve("toolkit").toString())), toolkit);
        assertLoads(search("", Map.of("CUDA_PATH", folder.resolve("toolkit").toString())), toolkit);
        Path wheel = put("venv/lib/python3.12/site-packages/nvidia/cu13/lib");
        assertLoads(search(null, Map.of("VIRTUAL_ENV", folder.resolve("venv").toString())), wheel);
        Path own = put("home/.local/lib/python3.11/site-packages/nvidia/cu13/lib");
        assertLoads(search(null, Map.of()), own);
        Path usual = put("root/usr/local/cuda/lib64");
        assertLoads(search(null, Map.of()), usual);
    }

    @Test
    void namesEveryPlace() throws IOException {
        Files.createDirectories(folder.resolve("root/usr/lib/python3/dist-packages"));
        Path broken = folder.resolve("toolkit/lib64").resolve(NvrtcLibrary.LIBRARY);
        Files.createDirectories(broken.getParent());
        Files.writeString(broken, "not a library");
        NvrtcLibrary search =
                search(null, Map.of("CUDA_HOME", folder.resolve("toolkit").toString()));
        NvrtcLibrary.Status status = search.load();
        assertThat(status.message())
                .contains(
                        "libnvrtc.so.13",
                        "class path: no resource org/bytedeco/cuda/linux-x86_64/libnvrtc.so.13",
                        broken + ": does not load",
                        folder.resolve("root/usr/local/cuda/lib64") + "/libnvrtc.so.13: not there",
                        "home/.local/lib/python3*/site-packages",
                        "root/usr/lib/python3/dist-packages/nvidia/cu13/lib/libnvrtc.so.13: not there",
                        "-Dtenon.nvrtc");
        assertThatThrownBy(() -> Nvrtc.of(status))
                .isInstanceOf(DeviceUnavailableException.class)
                .hasMessage(status.message());
    }

    @Test
    void aLibraryWithoutTheFunctionsIsNotTaken() throws IOException, InterruptedException {
        Files.writeString(folder.resolve("nvrtc.cpp"), "extern \"C\" int other() { return 0; }\n");
        new ProcessBuilder(
                        "g++", "-shared", "-fPIC", folder.resolve("nvrtc.cpp").toString(), "-o", library.toString())
                .start()
                .waitFor();
        assertThat(search(library.toString(), Map.of()).load().message()).contains("has no function");
    }

    @Test
    void copiesTheLibrariesOfAJarOnce() throws IOException {
        Path jar = folder.resolve("redist.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            for (String name : List.of("libnvrtc.so.13", "libnvrtc-builtins.so.13.1", "libcudart.so.13")) {
                out.putNextEntry(new JarEntry("org/bytedeco/cuda/linux-x86_64/" + name));
                Files.copy(library, out);
                out.closeEntry();
            }
        }
        Path cache = folder.resolve("cache");
        try (URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
            RedistJar redist = new RedistJar(loader, cache, "linux-x86_64");
            List<String> tried = new ArrayList<>();
            Path file = redist.library(tried).orElseThrow();
            assertThat(tried).isEmpty();
            assertThat(file.getParent()).isDirectoryContaining("glob:**/libnvrtc-builtins.so.13.1");
            assertThat(file.getParent()).isDirectoryNotContaining("glob:**/libcudart*");
            var copied = Files.getLastModifiedTime(file);
            assertThat(redist.library(tried)).contains(file);
            assertThat(Files.getLastModifiedTime(file)).isEqualTo(copied);
            Files.writeString(file, "damaged");
            redist.library(tried);
            assertThat(file).hasSameBinaryContentAs(library);
            Files.setPosixFilePermissions(file.getParent(), PosixFilePermissions.fromString("rwxrwxrwx"));
            assertThat(redist.library(tried)).isEmpty();
            assertThat(tried.toString()).contains("others may write");
            Files.setPosixFilePermissions(file.getParent(), PosixFilePermissions.fromString("rwx------"));
            NvrtcLibrary search =
                    new NvrtcLibrary(null, Map.of(), folder.resolve("home"), folder.resolve("root"), redist, false);
            assertLoads(search, file);
        }
    }
}
