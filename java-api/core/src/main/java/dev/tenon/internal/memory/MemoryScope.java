package dev.tenon.internal.memory;

import dev.tenon.internal.ffi.Pointers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A group of native allocations that end together: those of one engine, one session, one evaluation or one tensor.
 * Segments check that their scope is open, so use after close throws and never reads freed memory. Small requests share
 * chunks; all memory comes from and goes back to a pool of blocks.
 */
public final class MemoryScope implements AutoCloseable {
    /** Alignment of every allocation: one cache line, one AVX-512 vector. */
    public static final long ALIGNMENT = 64;

    private static final long CHUNK_BYTES = 64 << 10;
    private static final Set<MemoryScope> OPEN =
            Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

    private final String name;
    private final Arena arena;
    private final List<long[]> blocks = new ArrayList<>(2);
    private MemorySegment chunk = MemorySegment.NULL;
    private long chunkUsed;
    private long bytes;
    private boolean closed;
    private int pins;

    private MemoryScope(String name, Arena arena) {
        this.name = name;
        this.arena = arena;
        OPEN.add(this);
    }

    /** A scope that any thread may use. Closing it waits for a handshake with all threads, so it suits long-lived owners. */
    public static MemoryScope shared(String name) {
        return new MemoryScope(name, Arena.ofShared());
    }

    /** A scope for the current thread alone; cheap to open and close. */
    public static MemoryScope confined(String name) {
        return new MemoryScope(name, Arena.ofConfined());
    }

    /** A scope over an arena that other things, such as file mappings, belong to as well; closing it closes the arena. */
    public static MemoryScope owning(String name, Arena arena) {
        return new MemoryScope(name, arena);
    }

    /**
     * Zeroed memory, aligned to {@link #ALIGNMENT}.
     *
     * @throws dev.tenon.NativeMemoryException if the system has none, or the limit of the process is reached
     */
    public synchronized MemorySegment allocate(long size) {
        if (closed) {
            throw new IllegalStateException(name + " is closed");
        }
        if (size > CHUNK_BYTES / 4) {
            return block(size).asSlice(0, size);
        }
        long rounded = Math.max(ALIGNMENT, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        if (chunk.byteSize() - chunkUsed < rounded) {
            // The first chunk is small: most scopes hold one tensor.
            chunk = block(blocks.isEmpty() ? rounded : CHUNK_BYTES);
            chunkUsed = 0;
        }
        MemorySegment s = chunk.asSlice(chunkUsed, size);
        chunkUsed += rounded;
        return s;
    }

    private MemorySegment block(long size) {
        long rounded = BlockPool.roundedSize(size);
        long address = BlockPool.allocate(rounded, true, name);
        if (Recording.isOn()) {
            AllocationEvent event = new AllocationEvent();
            event.owner = name;
            event.bytes = rounded;
            event.commit();
        }
        blocks.add(new long[] {address, rounded});
        bytes += rounded;
        return Pointers.scoped(address, rounded, arena);
    }

    /** A whole file, read-only and in place. The file must not shrink while the scope is open. */
    public MemorySegment map(FileChannel file) throws IOException {
        return file.map(FileChannel.MapMode.READ_ONLY, 0, file.size(), arena);
    }

    /** The arena whose end is this scope's end. */
    public Arena arena() {
        return arena;
    }

    public boolean isOpen() {
        return arena.scope().isAlive();
    }

    public String name() {
        return name;
    }

    /** Bytes of memory that the scope holds. */
    public synchronized long liveBytes() {
        return bytes;
    }

    /** Live bytes of all open scopes, summed by name. */
    static Map<String, Long> liveBytesByName() {
        Map<String, Long> sums = new TreeMap<>();
        synchronized (OPEN) {
            for (MemoryScope s : OPEN) {
                if (s.bytes > 0) {
                    sums.merge(s.name, s.bytes, Long::sum);
                }
            }
        }
        return sums;
    }

    /** As {@link #close}, for owners that may close twice. @return false if the scope was closed already */
    public synchronized boolean closeIfOpen() {
        if (closed) {
            return false;
        }
        close();
        return true;
    }

    /**
     * Keeps the scope open until {@link #unpin}: native code is about to use its memory by address.
     *
     * @return false if it is closed already
     */
    public synchronized boolean pin() {
        if (closed) {
            return false;
        }
        pins++;
        return true;
    }

    /** Ends one {@link #pin}. */
    public synchronized void unpin() {
        pins--;
    }

    /** Frees all memory of the scope. @throws IllegalStateException if a native call is using it, or it is closed already */
    @Override
    public synchronized void close() {
        if (pins > 0) {
            throw new IllegalStateException("the memory of this " + name + " is in use by a run; close it afterwards");
        }
        arena.close();
        closed = true;
        OPEN.remove(this);
        blocks.forEach(b -> BlockPool.free(b[0], b[1]));
        blocks.clear();
    }
}
