package dev.tenon.internal.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeCacheTest {
    @TempDir
    Path folder;

    @Test
    void resourcesThatAreFilesAreUsedInPlace() throws IOException {
        Path classes = folder.resolve("classes");
        Path library = classes.resolve("dev/tenon/native/any-arch/libtenon.so");
        Files.createDirectories(library.getParent());
        Files.writeString(library, "library");
        try (URLClassLoader loader = loader(classes)) {
            assertThat(cache(loader).locate("any-arch")).contains(library);
        }
        assertThat(folder.resolve("cache")).doesNotExist();
    }

    @Test
    void resourcesInAJarAreCopiedOnceAndRepairedWhenDamaged() throws IOException {
        try (URLClassLoader loader = loader(jar("library", "companion"))) {
            Path first = cache(loader).locate("any-arch").orElseThrow();
            assertThat(first).hasContent("library");
            assertThat(first.resolveSibling("libdnnl.so.3")).hasContent("companion");
            var written = Files.getLastModifiedTime(first);

            assertThat(cache(loader).locate("any-arch")).contains(first);
            assertThat(Files.getLastModifiedTime(first)).isEqualTo(written);

            Files.writeString(first, "lib");
            assertThat(cache(loader).locate("any-arch").orElseThrow()).hasContent("library");
        }
    }

    @Test
    void otherContentGetsAnotherFolder() throws IOException {
        Path one;
        try (URLClassLoader loader = loader(jar("library", "companion"))) {
            one = cache(loader).locate("any-arch").orElseThrow();
        }
        try (URLClassLoader loader = loader(jar("librarY", "companion"))) {
            Path two = cache(loader).locate("any-arch").orElseThrow();
            assertThat(two).hasContent("librarY");
            assertThat(two).isNotEqualTo(one);
        }
    }

    @Test
    void platformWithoutResourcesIsEmpty() throws IOException {
        try (URLClassLoader loader = loader(jar("library", "companion"))) {
            assertThat(cache(loader).locate("no-such")).isEmpty();
        }
    }

    @Test
    void folderThatOthersMayWriteToIsRefused() throws IOException {
        try (URLClassLoader loader = loader(jar("library", "companion"))) {
            Path copy = cache(loader).locate("any-arch").orElseThrow();
            Files.setPosixFilePermissions(copy.getParent(), PosixFilePermissions.fromString("rwxrwxrwx"));
            assertThatThrownBy(() -> cache(loader).locate("any-arch"))
                    .isInstanceOf(FileSystemException.class)
                    .hasMessageContaining("others may write");
        }
    }

    private NativeCache cache(ClassLoader loader) {
        return new NativeCache(folder.resolve("cache"), loader);
    }

    private static URLClassLoader loader(Path classPath) throws IOException {
        return new URLClassLoader(new URL[] {classPath.toUri().toURL()}, null);
    }

    private Path jar(String library, String companion) throws IOException {
        Path jar = Files.createTempFile(folder, "native", ".jar");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new ZipEntry("dev/tenon/native/any-arch/libtenon.so"));
            out.write(library.getBytes(java.nio.charset.StandardCharsets.UTF_8));
            out.putNextEntry(new ZipEntry("dev/tenon/native/any-arch/libdnnl.so.3"));
            out.write(companion.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        return jar;
    }
}
