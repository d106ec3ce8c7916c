package dev.tenon.cuda.internal.nvrtc;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * NVRTC in a jar of org.bytedeco:cuda-redist on the class path. The compiler and its built-in functions, a file of its own
 * beside it, are copied once to a folder of the user, whose name holds size and checksum of both.
 */
final class RedistJar {
    private static final Pattern FILES = Pattern.compile("libnvrtc(-builtins)?\\.so\\.[0-9.]+");

    private final ClassLoader resources;
    private final Path cache;
    private final String folder;

    RedistJar(ClassLoader resources, Path cache, String platform) {
        this.resources = resources;
        this.cache = cache;
        this.folder = "org/bytedeco/cuda/" + platform + "/";
    }

    static RedistJar ofUser() {
        String property = System.getProperty("tenon.cache");
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path base = property != null
                ? Path.of(property)
                : xdg != null && !xdg.isBlank()
                        ? Path.of(xdg, "tenon")
                        : Path.of(System.getProperty("user.home"), ".cache", "tenon");
        String arch = System.getProperty("os.arch");
        @Nullable ClassLoader own = RedistJar.class.getClassLoader();
        return new RedistJar(
                own == null ? ClassLoader.getSystemClassLoader() : own,
                base.resolve("nvrtc"),
                "linux-" + (arch.equals("amd64") ? "x86_64" : arch.equals("aarch64") ? "arm64" : arch));
    }

    /** The library's file if the class path has it. @param tried gets a line that says why not */
    Optional<Path> library(List<String> tried) {
        String resource = folder + NvrtcLibrary.LIBRARY;
        @Nullable URL url = resources.getResource(resource);
        if (url == null) {
            tried.add("class path: no resource " + resource + " (org.bytedeco:cuda-redist)");
            return Optional.empty();
        }
        try {
            URLConnection connection = url.openConnection();
            return connection instanceof JarURLConnection jar
                    ? Optional.of(extract(jar.getJarFile()))
                    : Optional.of(Path.of(URI.create(url.toString())));
        } catch (IOException e) {
            tried.add(url + ": cannot be copied to " + cache + " (" + e + ")");
            return Optional.empty();
        }
    }

    private Path extract(JarFile jar) throws IOException {
        List<JarEntry> entries;
        try (Stream<JarEntry> all = jar.stream()) {
            entries = all.filter(e -> e.getName().startsWith(folder)
                            && FILES.matcher(file(e)).matches())
                    .toList();
        }
        StringBuilder name = new StringBuilder("redist");
        entries.forEach(e -> name.append("-%08x%08x".formatted(e.getSize(), e.getCrc())));
        Path target = cache.resolve(name.toString());
        if (!isComplete(target, entries)) {
            copy(jar, entries, target);
        }
        return target.resolve(NvrtcLibrary.LIBRARY);
    }

    private String file(JarEntry e) {
        return e.getName().substring(folder.length());
    }

    private boolean isComplete(Path target, List<JarEntry> entries) throws IOException {
        for (JarEntry e : entries) {
            Path copy = target.resolve(file(e));
            if (!Files.isRegularFile(copy, LinkOption.NOFOLLOW_LINKS) || Files.size(copy) != e.getSize()) {
                return false;
            }
        }
        requirePrivate(target);
        return true;
    }

    /** Into a folder that others cannot write to, which then gets its name: one with that name is complete. */
    private void copy(JarFile jar, List<JarEntry> entries, Path target) throws IOException {
        Files.createDirectories(cache);
        requirePrivate(cache);
        Path temporary = Files.createTempDirectory(
                cache, "new-", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        for (JarEntry e : entries) {
            try (InputStream in = jar.getInputStream(e)) {
                Files.copy(in, temporary.resolve(file(e)));
            }
        }
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            if (!Files.isDirectory(target)) {
                throw e;
            }
            // Another process was faster, or a damaged copy lies there: then ours, complete, replaces its files.
            for (JarEntry entry : entries) {
                Files.move(temporary.resolve(file(entry)), target.resolve(file(entry)), StandardCopyOption.ATOMIC_MOVE);
            }
            Files.delete(temporary);
        }
    }

    /** Others must not be able to put code there. */
    private static void requirePrivate(Path folder) throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(folder);
        boolean owned = Files.getOwner(folder).getName().equals(System.getProperty("user.name"));
        if (!owned
                || permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new FileSystemException(
                    folder.toString(), null, "others may write to it; libraries are not loaded from there");
        }
    }
}
