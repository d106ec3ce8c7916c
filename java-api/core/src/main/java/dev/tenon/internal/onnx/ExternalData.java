package dev.tenon.internal.onnx;

import dev.tenon.ModelFormatException;
import dev.tenon.internal.memory.MemoryScope;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Maps the files that hold a model's external data, each once.
 *
 * <p>A model names these files, and models are not trusted: a location is relative, stays in the model's folder, passes no
 * symbolic link, and ends at a regular file with one hard link, so that no model can read what its author could not put
 * beside it. Links are followed only where the file they lead to lies in the trusted root.
 */
final class ExternalData {
    private static final int CHECKSUM_PIECE_BYTES = 1 << 24;

    private final Path folder;
    private final @Nullable Path trustedRoot;
    private final MemoryScope memory;
    private final Map<Path, Mapped> files = new HashMap<>();

    private static final class Mapped {
        private final MemorySegment data;
        private final TreeMap<Long, Long> ranges = new TreeMap<>();
        private @Nullable String checksum;

        Mapped(MemorySegment data) {
            this.data = data;
        }
    }

    /** @param folder the folder of the model file */
    ExternalData(Path folder, @Nullable Path trustedRoot, MemoryScope memory) throws IOException {
        this.folder = folder.toRealPath();
        this.trustedRoot = trustedRoot == null ? null : trustedRoot.toRealPath();
        this.memory = memory;
    }

    /** The bytes that these {@code external_data} entries name, exactly {@code bytes} of them. */
    MemorySegment map(List<Map.Entry<String, String>> entries, long bytes) {
        Map<String, String> keys = new HashMap<>();
        for (Map.Entry<String, String> e : entries) {
            switch (e.getKey()) {
                case "location", "offset", "length", "checksum", "basepath" -> {
                    if (keys.put(e.getKey(), e.getValue()) != null) {
                        throw new ModelFormatException("external data key '" + e.getKey() + "' is given twice");
                    }
                }
                default ->
                    throw new ModelFormatException("external data key '" + e.getKey()
                            + "' is unknown; expected location, offset, length, checksum or basepath");
            }
        }
        String location = keys.getOrDefault("location", "");
        long offset = number("offset", keys.get("offset"), 0);
        long length = number("length", keys.get("length"), bytes);
        if (length != bytes) {
            throw new ModelFormatException(
                    "external data '" + location + "' has length " + length + "; the tensor needs " + bytes);
        }
        Mapped file = open(location);
        if (offset > file.data.byteSize() || length > file.data.byteSize() - offset) {
            throw new ModelFormatException("external data '" + location + "' at " + offset + " with length " + length
                    + " ends past the file's " + file.data.byteSize() + " bytes");
        }
        refuseOverlap(file, location, offset, length);
        if (keys.containsKey("checksum")) {
            check(file, location, keys.get("checksum"));
        }
        return file.data.asSlice(offset, length);
    }

    private static long number(String key, @Nullable String text, long otherwise) {
        if (text == null) {
            return otherwise;
        }
        try {
            long v = Long.parseLong(text);
            if (v >= 0) {
                return v;
            }
        } catch (NumberFormatException e) {
            throw new ModelFormatException("external data " + key + " '" + text + "' is no number", e);
        }
        throw new ModelFormatException("external data " + key + " " + text + " is negative");
    }

    /** Tensors may share all their bytes, as tied weights do, but not some. */
    private static void refuseOverlap(Mapped file, String location, long offset, long length) {
        if (length == 0 || Objects.equals(file.ranges.get(offset), offset + length)) {
            return;
        }
        Map.Entry<Long, Long> before = file.ranges.lowerEntry(offset + length);
        if (before != null && before.getValue() > offset) {
            throw new ModelFormatException("external data '" + location + "' at " + offset + " with length " + length
                    + " overlap those of another tensor at " + before.getKey());
        }
        file.ranges.put(offset, offset + length);
    }

    private Mapped open(String location) {
        try {
            Path path = resolve(location);
            Mapped known = files.get(path);
            if (known != null) {
                return known;
            }
            BasicFileAttributes before = attributes(path);
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
                BasicFileAttributes after = attributes(path);
                if (!Objects.equals(before.fileKey(), after.fileKey()) || channel.size() != after.size()) {
                    throw new ModelFormatException("external data '" + location + "' changed while they were opened");
                }
                Mapped m = new Mapped(memory.map(channel));
                files.put(path, m);
                return m;
            }
        } catch (IOException e) {
            throw new ModelFormatException("external data '" + location + "' cannot be read: " + e, e);
        }
    }

    private static BasicFileAttributes attributes(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    }

    /** The file of a location, with every rule of this class checked. */
    private Path resolve(String location) throws IOException {
        Path relative;
        try {
            relative = Path.of(location);
        } catch (InvalidPathException e) {
            throw new ModelFormatException("external data location is no path: " + e.getMessage(), e);
        }
        if (location.isBlank() || relative.isAbsolute() || location.contains("\\")) {
            throw new ModelFormatException(
                    "external data location '" + location + "' is not a path relative to the model's folder");
        }
        Path path = folder;
        boolean links = false;
        for (Path part : relative) {
            String name = part.toString();
            if (name.equals("..")) {
                throw new ModelFormatException("external data location '" + location + "' leaves the model's folder");
            }
            if (name.isEmpty() || name.equals(".")) {
                continue;
            }
            path = path.resolve(part);
            links |= Files.isSymbolicLink(path);
        }
        Path real = path.toRealPath();
        boolean trusted = trustedRoot != null && real.startsWith(trustedRoot);
        if (!trusted && (links || !real.startsWith(folder))) {
            throw new ModelFormatException("external data location '" + location + "' is or passes a symbolic link; "
                    + "name the folder it leads to as trusted root if you trust it");
        }
        if (!attributes(real).isRegularFile()) {
            throw new ModelFormatException("external data location '" + location + "' is not a regular file");
        }
        if (!trusted && hardLinks(real) > 1) {
            throw new ModelFormatException("external data location '" + location + "' has other hard links; "
                    + "name its folder as trusted root if you trust it");
        }
        return real;
    }

    private static int hardLinks(Path path) throws IOException {
        try {
            return (Integer) Files.getAttribute(path, "unix:nlink", LinkOption.NOFOLLOW_LINKS);
        } catch (UnsupportedOperationException e) {
            // A file system without link counts has no hard links to speak of.
            return 1;
        }
    }

    /** Compares the file's SHA-1, which ONNX names, once for each file. */
    private static void check(Mapped file, String location, String expected) {
        if (file.checksum == null) {
            try {
                MessageDigest sha = MessageDigest.getInstance("SHA-1");
                for (long at = 0; at < file.data.byteSize(); at += CHECKSUM_PIECE_BYTES) {
                    long n = Math.min(CHECKSUM_PIECE_BYTES, file.data.byteSize() - at);
                    sha.update(file.data.asSlice(at, n).asByteBuffer());
                }
                file.checksum = HexFormat.of().formatHex(sha.digest());
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every JDK has SHA-1", e);
            }
        }
        if (!expected.toLowerCase(Locale.ROOT).equals(file.checksum)) {
            throw new ModelFormatException(
                    "external data '" + location + "' have SHA-1 " + file.checksum + "; the model says " + expected);
        }
    }
}
