package dev.tenon.internal.ffi;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Turns the platform's library resources into files that the dynamic loader can open.
 *
 * <p>Resources in jars are copied once to {@code <cache>/tenon/native/<hash>/}, where the hash covers name, size and checksum of
 * every file, so versions never mix. The copy is made in a temporary folder under a lock, checked against the jar's
 * checksums, and renamed into place; a folder with the final name is complete. It must belong to the user alone,
 * since code is loaded from it.
 */
final class NativeCache {
    /** Libraries beside libtenon; the first is required, the others may come from the system. */
    private static final List<String> FILES = List.of(NativeLibrary.LIBRARY, "libdnnl.so.3", "libgomp.so.1");

    private final Path root;
    private final ClassLoader resources;

    NativeCache(Path root, ClassLoader resources) {
        this.root = root;
        this.resources = resources;
    }

    /** Cache of this user: {@code tenon.cache} system property, else XDG_CACHE_HOME, else {@code ~/.cache}. */
    static NativeCache ofUser() {
        String property = System.getProperty("tenon.cache");
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path base = property != null
                ? Path.of(property)
                : xdg != null && !xdg.isBlank()
                        ? Path.of(xdg, "tenon")
                        : Path.of(System.getProperty("user.home"), ".cache", "tenon");
        ClassLoader own = NativeCache.class.getClassLoader();
        return new NativeCache(base.resolve("native"), own == null ? ClassLoader.getSystemClassLoader() : own);
    }

    Path root() {
        return root;
    }

    static String resource(String platform, String file) {
        return "dev/tenon/native/" + platform + "/" + file;
    }

    /** The library's file, or empty when the platform has no resources. */
    Optional<Path> locate(String platform) throws IOException {
        List<Packed> packed = new ArrayList<>();
        for (String file : FILES) {
            @Nullable URL url = resources.getResource(resource(platform, file));
            if (url == null) {
                if (file.equals(NativeLibrary.LIBRARY)) {
                    return Optional.empty();
                }
                continue;
            }
            packed.add(Packed.of(file, url));
        }
        if (packed.stream().allMatch(p -> p.inPlace != null) && inOneFolder(packed)) {
            return Optional.ofNullable(packed.getFirst().inPlace);
        }
        return Optional.of(extracted(platform, packed).resolve(NativeLibrary.LIBRARY));
    }

    private static boolean inOneFolder(List<Packed> packed) {
        return packed.stream()
                        .map(p -> p.inPlace == null ? null : p.inPlace.getParent())
                        .distinct()
                        .count()
                == 1;
    }

    private Path extracted(String platform, List<Packed> packed) throws IOException {
        CRC32 hash = new CRC32();
        long bytes = 0;
        for (Packed p : packed) {
            hash.update((p.name + p.size + ":" + p.crc).getBytes(java.nio.charset.StandardCharsets.UTF_8));
            bytes += p.size;
        }
        Path folder = root.resolve("%s-%08x%08x".formatted(platform, hash.getValue(), bytes));
        if (isComplete(folder, packed)) {
            return folder;
        }
        Files.createDirectories(root);
        requirePrivate(root);
        try (FileChannel lockFile =
                        FileChannel.open(root.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var lock = lockFile.lock()) {
            if (lock.isValid() && !isComplete(folder, packed)) {
                copyAll(packed, folder);
            }
        }
        return folder;
    }

    private static boolean isComplete(Path folder, List<Packed> packed) throws IOException {
        for (Packed p : packed) {
            Path file = folder.resolve(p.name);
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) != p.size) {
                return false;
            }
        }
        requirePrivate(folder);
        return true;
    }

    private void copyAll(List<Packed> packed, Path folder) throws IOException {
        Path temporary = Files.createTempDirectory(
                root, "new-", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try {
            for (Packed p : packed) {
                p.copyTo(temporary.resolve(p.name));
            }
            if (Files.exists(folder)) {
                deleteFolder(folder); // a damaged copy: some file is missing or has another size
            }
            Files.move(temporary, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            deleteFolder(temporary);
            throw e;
        }
    }

    private static void deleteFolder(Path folder) throws IOException {
        try (var files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    /** Others must not be able to put code there. */
    private static void requirePrivate(Path folder) throws IOException {
        var permissions = PosixFilePermissions.toString(Files.getPosixFilePermissions(folder));
        if (permissions.charAt(4) == 'w' || permissions.charAt(7) == 'w') {
            throw new FileSystemException(
                    folder.toString(),
                    null,
                    "others may write to it (" + permissions + "); libraries are not loaded from there");
        }
        String user = System.getProperty("user.name");
        String owner = Files.getOwner(folder).getName();
        if (!owner.equals(user)) {
            throw new FileSystemException(
                    folder.toString(),
                    null,
                    "it belongs to " + owner + ", not to " + user + "; libraries are not loaded from there");
        }
    }

    /** One library resource: where it is, and its size and checksum as the jar states them. */
    private record Packed(
            String name,
            URL url,
            long size,
            long crc,
            @Nullable Path inPlace) {
        static Packed of(String name, URL url) throws IOException {
            if (url.getProtocol().equals("file")) {
                Path file = Path.of(java.net.URI.create(url.toString()));
                long modified = Files.getLastModifiedTime(file).toMillis();
                return new Packed(name, url, Files.size(file), modified, file);
            }
            URLConnection connection = url.openConnection();
            if (connection instanceof JarURLConnection jar) {
                JarEntry entry = jar.getJarEntry();
                return new Packed(name, url, entry.getSize(), entry.getCrc(), null);
            }
            try (CheckedInputStream in = new CheckedInputStream(url.openStream(), new CRC32())) {
                long size = in.skip(Long.MAX_VALUE);
                return new Packed(name, url, size, in.getChecksum().getValue(), null);
            }
        }

        void copyTo(Path file) throws IOException {
            try (InputStream in = url.openStream()) {
                CheckedInputStream checked = new CheckedInputStream(in, new CRC32());
                long copied = Files.copy(checked, file);
                boolean same = copied == size
                        && (inPlace != null || checked.getChecksum().getValue() == crc);
                if (!same) {
                    throw new FileSystemException(
                            file.toString(),
                            url.toString(),
                            "the copy differs from the resource; is the disk full, the jar damaged?");
                }
            }
        }
    }
}
