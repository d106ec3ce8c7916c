package dev.tenon.internal.memory;

import dev.tenon.NativeMemoryException;
import dev.tenon.internal.ffi.NativeFailure;
import dev.tenon.internal.ffi.NativeLibrary;
import dev.tenon.internal.ffi.Pointers;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ffi.TenonH;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * All native blocks of this process. Freed blocks are kept for the next request of their size, up to {@link
 * #MAX_RETAINED_BYTES}; sizes are rounded so that requests of nearly the same size meet. Blocks of 2 MiB and more ask for
 * huge pages. Thread-safe.
 */
final class BlockPool {
    static final long MAX_RETAINED_BYTES = 64L << 20;

    private static final long HUGE_PAGE = 2L << 20;
    private static final Map<Long, Deque<Long>> FREE = new HashMap<>();

    private static long live;
    private static long peak;
    private static long retained;
    private static long limit = SystemLimit.bytes();

    private BlockPool() {}

    /** The size that a block for {@code bytes} has: a multiple of 64 up to 1 KiB, then of an eighth of the power of two below. */
    static long roundedSize(long bytes) {
        if (bytes <= 1024) {
            return Math.max(64, (bytes + 63) / 64 * 64);
        }
        long step = Math.max(64, Long.highestOneBit(bytes) / 8);
        // Sizes near 2^63, which nobody has, stay what they are rather than wrap around.
        return bytes > Long.MAX_VALUE - step ? bytes : (bytes + step - 1) / step * step;
    }

    /**
     * The address of a block of {@code size}, which is a rounded one, aligned to 64 bytes.
     *
     * @param zero whether its bytes must be zero
     */
    static long allocate(long size, boolean zero, String owner) {
        long reused = 0;
        synchronized (FREE) {
            if (live > limit - size) {
                throw new NativeMemoryException(owner + " asked for " + size + " bytes of native memory; " + live
                        + " bytes are in use and the limit of this process is " + limit
                        + ". Close engines, sessions or tensors, or raise it with Tenon.setMemoryLimit");
            }
            live += size;
            peak = Math.max(peak, live);
            Deque<Long> blocks = FREE.get(size);
            if (blocks != null && !blocks.isEmpty()) {
                reused = blocks.pop();
                retained -= size;
            }
        }
        if (reused != 0) {
            if (zero) {
                Pointers.sized(MemorySegment.ofAddress(reused), size).fill((byte) 0);
            }
            return reused;
        }
        try {
            return fresh(size, zero);
        } catch (RuntimeException | Error e) {
            synchronized (FREE) {
                live -= size;
            }
            throw e;
        }
    }

    private static long fresh(long size, boolean zero) {
        if (!NativeLibrary.isLoaded()) {
            return SystemMemory.allocate(size);
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            MemorySegment err = TenonH.newError(call);
            int flags = (zero ? TenonConstants.MEMORY_ZERO : 0)
                    | (size >= HUGE_PAGE ? TenonConstants.MEMORY_HUGE_PAGES : 0);
            int status = TenonH.memoryAllocate(size, flags, out, err);
            if (status != TenonConstants.OK) {
                throw new NativeMemoryException("the system gave no native memory: " + NativeFailure.messageOf(err)
                        + "; " + liveBytes() + " bytes are in use");
            }
            return out.get(ValueLayout.ADDRESS, 0).address();
        }
    }

    /** Takes back a block. */
    static void free(long address, long size) {
        synchronized (FREE) {
            live -= size;
            if (size <= MAX_RETAINED_BYTES / 4 && retained + size <= MAX_RETAINED_BYTES) {
                FREE.computeIfAbsent(size, k -> new ArrayDeque<>()).push(address);
                retained += size;
                return;
            }
        }
        release(address, size);
    }

    private static void release(long address, long size) {
        if (NativeLibrary.isLoaded()) {
            TenonH.memoryFree(MemorySegment.ofAddress(address), size);
        } else {
            SystemMemory.free(address);
        }
    }

    /** Gives the blocks that nobody uses back to the system. */
    static void trim() {
        Map<Long, Deque<Long>> free;
        synchronized (FREE) {
            free = new HashMap<>(FREE);
            FREE.clear();
            retained = 0;
        }
        free.forEach((size, blocks) -> blocks.forEach(b -> release(b, size)));
    }

    static long liveBytes() {
        synchronized (FREE) {
            return live;
        }
    }

    static long peakBytes() {
        synchronized (FREE) {
            return peak;
        }
    }

    static long retainedBytes() {
        synchronized (FREE) {
            return retained;
        }
    }

    static long limit() {
        synchronized (FREE) {
            return limit;
        }
    }

    static void setLimit(long bytes) {
        synchronized (FREE) {
            limit = bytes;
        }
    }

    /** The C library's allocator, for hosts without the native library. Blocks are zero. */
    private static final class SystemMemory {
        private static final MethodHandle ALIGNED_ALLOC = handle(
                "aligned_alloc",
                FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        private static final MethodHandle FREE = handle("free", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

        @SuppressWarnings("restricted")
        private static MethodHandle handle(String name, FunctionDescriptor type) {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), type);
        }

        static long allocate(long size) {
            long address;
            try {
                address = (long) ALIGNED_ALLOC.invokeExact(64L, size);
            } catch (Throwable t) {
                throw new IllegalStateException(t);
            }
            if (address == 0) {
                throw new NativeMemoryException("the system gave no " + size + " bytes of native memory");
            }
            Pointers.sized(MemorySegment.ofAddress(address), size).fill((byte) 0);
            return address;
        }

        static void free(long address) {
            try {
                FREE.invokeExact(address);
            } catch (Throwable t) {
                throw new IllegalStateException(t);
            }
        }
    }
}
