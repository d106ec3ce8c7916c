package dev.tenon.internal.memory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;

/**
 * A group of native allocations that end together: those of one engine, one session, one evaluation or one tensor.
 * Segments check that their scope is open, so use after close throws and never reads freed memory.
 */
public final class MemoryScope implements AutoCloseable {
    /** Alignment of every allocation: one cache line, one AVX-512 vector. */
    public static final long ALIGNMENT = 64;

    private final String name;
    private final Arena arena;

    private MemoryScope(String name, Arena arena) {
        this.name = name;
        this.arena = arena;
    }

    /** A scope that any thread may use. Closing it waits for a handshake with all threads, so it suits long-lived owners. */
    public static MemoryScope shared(String name) {
        return new MemoryScope(name, Arena.ofShared());
    }

    /** A scope for the current thread alone; cheap to open and close. */
    public static MemoryScope confined(String name) {
        return new MemoryScope(name, Arena.ofConfined());
    }

    /** Zeroed memory, aligned to {@link #ALIGNMENT}. */
    public MemorySegment allocate(long bytes) {
        return arena.allocate(Math.max(1, bytes), ALIGNMENT).asSlice(0, bytes);
    }

    /** A whole file, read-only and in place. The file must not shrink while the scope is open. */
    public MemorySegment map(FileChannel file) throws IOException {
        return file.map(FileChannel.MapMode.READ_ONLY, 0, file.size(), arena);
    }

    public boolean isOpen() {
        return arena.scope().isAlive();
    }

    public String name() {
        return name;
    }

    @Override
    public void close() {
        arena.close();
    }
}
