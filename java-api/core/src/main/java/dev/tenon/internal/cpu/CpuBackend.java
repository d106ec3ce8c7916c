package dev.tenon.internal.cpu;

import static dev.tenon.internal.ffi.TenonConstants.CONSTANT_MAPPED;
import static dev.tenon.internal.ffi.TenonConstants.MATH_BF16;
import static dev.tenon.internal.ffi.TenonConstants.MATH_STRICT;

import dev.tenon.DeviceUnavailableException;
import dev.tenon.Tensor;
import dev.tenon.internal.ffi.NativeFailure;
import dev.tenon.internal.ffi.NativeLibrary;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.Pointers;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ffi.TenonH;
import dev.tenon.internal.ffi.TenonStructs;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.spi.Backend;
import dev.tenon.spi.Executable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The processor as a device: oneDNN and Tenon's own kernels behind one native engine, which holds the packed weights. */
public final class CpuBackend implements Backend {
    /** Numbers of constants that belong to one program start here, above all of the engine's. */
    private static final long PROGRAM_KEYS = 1L << 40;

    private final int threads;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment engine;
    private final Map<Value, Shared> ofPrograms = new IdentityHashMap<>();
    private final Set<Long> registered = Collections.synchronizedSet(new HashSet<>());
    private long nextKey = PROGRAM_KEYS;

    /** A constant that is not the engine's: programs made of one body share it, and it goes with the last of them. */
    private static final class Shared {
        final long key;
        int users;

        Shared(long key) {
            this.key = key;
        }
    }

    /**
     * @param threads threads of a run, the caller included
     * @param bf16 products may round their operands to bfloat16
     * @param exact no algorithm that changes results beyond the order of sums
     * @throws DeviceUnavailableException if the native library cannot be loaded
     */
    public CpuBackend(int threads, boolean exact, boolean bf16) {
        if (!NativeLibrary.isLoaded()) {
            throw new DeviceUnavailableException(NativeLibrary.status().message());
        }
        this.threads = threads;
        try (Arena call = Arena.ofConfined()) {
            NativeStruct options = NativeStruct.allocate(call, TenonStructs.ENGINE_OPTIONS)
                    .set("threads", threads)
                    .set("exact", exact ? 1 : 0)
                    .set("math_mode", bf16 ? MATH_BF16 : MATH_STRICT)
                    .set("serial_below_ns", -1);
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            MemorySegment err = TenonH.newError(call);
            NativeFailure.check(TenonH.engineCreate(options.segment(), out, err), err);
            engine = Pointers.owned(out.get(ValueLayout.ADDRESS, 0), arena, TenonH::engineDestroy);
        }
    }

    @Override
    public String name() {
        return "cpu";
    }

    public int threads() {
        return threads;
    }

    MemorySegment engine() {
        return engine;
    }

    /**
     * The native number of a constant; registers it at its first use.
     *
     * @param used what one program uses of constants that are not the engine's, for {@link #release}
     */
    synchronized long constantKey(Value v, Tensor t, ConstantKeys constants, Set<Value> used) {
        long key = constants.key(v);
        if (key < 0) {
            Shared s = ofPrograms.computeIfAbsent(v, k -> new Shared(nextKey++));
            if (used.add(v)) {
                s.users++;
            }
            key = s.key;
        }
        register(key, t.segment(), t.byteSize());
        return key;
    }

    /** Ends a program's use of these constants; the native engine forgets those that no other uses. */
    synchronized void release(Set<Value> used) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment err = TenonH.newError(call);
            for (Value v : used) {
                Shared s = ofPrograms.get(v);
                if (--s.users == 0) {
                    ofPrograms.remove(v);
                    if (registered.remove(s.key)) {
                        NativeFailure.check(TenonH.engineRemoveConstant(engine, s.key, err), err);
                    }
                }
            }
        }
    }

    /**
     * A constant in the form that its kernels read.
     *
     * @param key the constant's number
     * @param layout opaque to all but the native library of the same build
     */
    public record Packed(long key, MemorySegment layout, MemorySegment data) {}

    /** The packed forms of the engine's own constants made so far. They live as long as the backend. */
    public synchronized List<Packed> packed() {
        List<Packed> out = new ArrayList<>();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment err = TenonH.newError(call);
            NativeStruct p = NativeStruct.allocate(call, TenonStructs.PACKED);
            for (long i = 0, n = TenonH.enginePackedCount(engine); i < n; i++) {
                NativeFailure.check(TenonH.enginePackedGet(engine, i, p.segment(), err), err);
                if (p.getLong("key") < PROGRAM_KEYS) {
                    out.add(new Packed(
                            p.getLong("key"),
                            Pointers.sized(p.getAddress("layout"), p.getLong("layout_bytes")),
                            Pointers.sized(p.getAddress("data"), p.getLong("data_bytes"))));
                }
            }
        }
        return out;
    }

    /**
     * Makes a packed form known, which stays where it is. Must come before the first program that reads the constant.
     *
     * @param plain the constant; {@link Tensor#isPacked} where only packed forms exist
     */
    public void importPacked(Packed packed, Tensor plain) {
        MemorySegment data = plain.isPacked() ? MemorySegment.NULL : plain.segment();
        register(packed.key(), data, plain.type().byteSize(plain.size()));
        try (Arena call = Arena.ofConfined()) {
            MemorySegment err = TenonH.newError(call);
            NativeStruct p = NativeStruct.allocate(call, TenonStructs.PACKED)
                    .set("key", packed.key())
                    .set("layout", packed.layout())
                    .set("layout_bytes", packed.layout().byteSize())
                    .set("data", packed.data())
                    .set("data_bytes", packed.data().byteSize());
            NativeFailure.check(TenonH.enginePackedImport(engine, p.segment(), err), err);
        }
    }

    /** Lets go of the plain form of a constant. @return false if a program reads it */
    public boolean releasePlain(long key) {
        if (!registered.contains(key)) {
            return false;
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment err = TenonH.newError(call);
            MemorySegment out = call.allocate(ValueLayout.JAVA_LONG);
            NativeFailure.check(TenonH.engineReleasePlain(engine, key, out, err), err);
            return out.get(ValueLayout.JAVA_LONG, 0) != 0;
        }
    }

    /** What the native library is: version, oneDNN, compiler. Packed forms are only good for an equal one. */
    public static String buildInfo() {
        return TenonH.buildInfo();
    }

    /** The instruction set that kernels are chosen for: {@code scalar}, {@code avx2} or {@code avx512}. */
    public static String instructionSet() {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment err = TenonH.newError(call);
            NativeStruct info = NativeStruct.allocate(call, TenonStructs.CPU_INFO);
            NativeFailure.check(TenonH.cpuQuery(info.segment(), err), err);
            return switch ((int) info.getLong("selected_isa")) {
                case TenonConstants.ISA_AVX512 -> "avx512";
                case TenonConstants.ISA_AVX2 -> "avx2";
                default -> "scalar";
            };
        }
    }

    /** Two plans may meet a constant at the same time: neither goes on before the native engine knows it. */
    private synchronized void register(long key, MemorySegment data, long bytes) {
        if (registered.contains(key)) {
            return;
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment err = TenonH.newError(call);
            long flags = data.isMapped() ? CONSTANT_MAPPED : 0;
            NativeFailure.check(TenonH.engineAddConstant(engine, key, data, bytes, flags, err), err);
            registered.add(key);
        }
    }

    @Override
    public Set<Node> supported(Graph graph, ConstantKeys constants) {
        try (ProgramBuilder probe = new ProgramBuilder(this, graph, constants)) {
            return probe.lowerWherePossible();
        }
    }

    @Override
    public Executable compile(Graph graph, ConstantKeys constants) {
        try (ProgramBuilder builder = new ProgramBuilder(this, graph, constants)) {
            return builder.build();
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
