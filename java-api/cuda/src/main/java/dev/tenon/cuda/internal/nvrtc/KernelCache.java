package dev.tenon.cuda.internal.nvrtc;

import dev.tenon.cuda.internal.kernel.KernelSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Kernels that were compiled: in memory, and in a folder if one is given. Callers that want the same kernel at one time
 * wait for one compilation.
 *
 * <p>A file's name is the hash of everything its code depends on: source, headers, target, compiler and options. It holds a
 * checksum; one that does not agree is compiled again and replaced. Files come into being by renaming, so several processes
 * may share the folder.
 */
public final class KernelCache {
    private static final byte[] MAGIC = "tenon kernel 1\n".getBytes(StandardCharsets.US_ASCII);

    private final Supplier<? extends KernelCompiler> compilers;
    private final @Nullable Path folder;
    private final ConcurrentMap<String, CompletableFuture<CompiledKernel>> kernels = new ConcurrentHashMap<>();

    /**
     * @param compilers gives the compiler when a kernel is not there: code that an engine brought along needs none
     * @param folder where compiled kernels are kept; null for nowhere
     */
    public KernelCache(Supplier<? extends KernelCompiler> compilers, @Nullable Path folder) {
        this.compilers = compilers;
        this.folder = folder;
    }

    /**
     * The kernel, compiled if need be.
     *
     * @throws dev.tenon.cuda.KernelCompilationException with the compiler's log
     * @throws dev.tenon.DeviceUnavailableException if it must be compiled and there is no compiler for the target
     */
    public CompiledKernel get(KernelSource source, CudaTarget target) {
        SortedMap<String, String> headers = KernelHeaders.of(source.text());
        String id = id(source, headers, target);
        CompletableFuture<CompiledKernel> mine = new CompletableFuture<>();
        CompletableFuture<CompiledKernel> first = kernels.putIfAbsent(id, mine);
        if (first != null) {
            return join(first);
        }
        try {
            mine.complete(make(id, source, headers, target));
        } catch (Throwable t) {
            kernels.remove(id, mine); // the next caller tries again
            mine.completeExceptionally(t);
        }
        return join(mine);
    }

    /** Puts in a kernel that an engine file holds; {@link #get} then gives it whatever the compiler. */
    public void add(CompiledKernel kernel) {
        kernels.putIfAbsent(kernel.id(), CompletableFuture.completedFuture(kernel));
    }

    private static CompiledKernel join(CompletableFuture<CompiledKernel> kernel) {
        try {
            return kernel.join();
        } catch (CompletionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw e;
            }
        }
    }

    private CompiledKernel make(String id, KernelSource source, SortedMap<String, String> headers, CudaTarget target) {
        KernelCompiler compiler = compilers.get();
        String key = hash(id, compiler.version());
        String ending = "." + target.format().name().toLowerCase(Locale.ROOT);
        @Nullable Path file = folder == null ? null : folder.resolve(key + ending);
        Optional<byte[]> kept = file == null ? Optional.empty() : read(file, key);
        byte[] code = kept.orElseGet(() -> {
            byte[] made = compiler.compile(source, headers, target);
            if (file != null) {
                write(file, key, made);
            }
            return made;
        });
        return new CompiledKernel(id, source.name(), target, code);
    }

    private static String id(KernelSource source, SortedMap<String, String> headers, CudaTarget target) {
        StringBuilder all = new StringBuilder();
        headers.forEach((name, text) -> all.append(hash(name, text)));
        return hash(source.name(), source.text(), all.toString(), target.toString());
    }

    private static String hash(String... parts) {
        MessageDigest digest = sha256();
        for (String part : parts) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            digest.update(
                    ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
            digest.update(bytes);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Of the code and of the name it goes by, so that a file under another's name is not taken for it. */
    private static byte[] checksum(String key, byte[] code) {
        MessageDigest digest = sha256();
        digest.update(key.getBytes(StandardCharsets.US_ASCII));
        return digest.digest(code);
    }

    /** The code in a file that is there and whole. */
    private static Optional<byte[]> read(Path file, String key) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            return Optional.empty(); // not there, or not for us: what it would have held is compiled
        }
        int start = MAGIC.length + sha256().getDigestLength();
        if (bytes.length < start || !Arrays.equals(MAGIC, 0, MAGIC.length, bytes, 0, MAGIC.length)) {
            return Optional.empty();
        }
        byte[] code = Arrays.copyOfRange(bytes, start, bytes.length);
        byte[] stated = Arrays.copyOfRange(bytes, MAGIC.length, start);
        return MessageDigest.isEqual(stated, checksum(key, code)) ? Optional.of(code) : Optional.empty();
    }

    /** Keeps the code if it can: a folder that is full or read-only costs time later, and is no reason to fail now. */
    private static void write(Path file, String key, byte[] code) {
        @Nullable Path temporary = null;
        try {
            Path parent = file.toAbsolutePath().getParent();
            Files.createDirectories(parent);
            temporary = Files.createTempFile(parent, "new-", ".tmp");
            byte[] sum = checksum(key, code);
            ByteBuffer all = ByteBuffer.allocate(MAGIC.length + sum.length + code.length);
            Files.write(temporary, all.put(MAGIC).put(sum).put(code).array());
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            System.getLogger("dev.tenon").log(System.Logger.Level.WARNING, "compiled kernel not kept in " + file, e);
            delete(temporary);
        }
    }

    private static void delete(@Nullable Path temporary) {
        try {
            if (temporary != null) {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            System.getLogger("dev.tenon").log(System.Logger.Level.WARNING, temporary + " stays behind", e);
        }
    }
}
