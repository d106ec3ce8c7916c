package dev.tenon.internal.engine;

import dev.tenon.DataType;
import dev.tenon.EngineFormatException;
import dev.tenon.Precision;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tenon;
import dev.tenon.Tensor;
import dev.tenon.internal.cpu.CpuBackend;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.Verifier;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.memory.Recording;
import dev.tenon.internal.plan.Plan;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.zip.CRC32C;

/**
 * The engine file: a fixed prefix, a JSON header, then page-aligned sections with weights as the kernels read them.
 * docs/engine-format.md describes every field. Numbers are little-endian.
 */
public final class EngineFile {
    static final byte[] MAGIC = "TENONENG".getBytes(StandardCharsets.US_ASCII);
    static final int FORMAT = 1;
    static final int PREFIX_BYTES = 64;
    static final long PAGE = 4096;

    /** Sections from this size on are checked while the first plan is made; smaller ones, such as layouts, before they are used. */
    private static final long LARGE_SECTION = 64 << 10;

    private static final long MAX_HEADER_BYTES = 256L << 20;

    private EngineFile() {}

    /** True if the file begins as an engine file does. */
    public static boolean isEngine(Path file) {
        try (var in = Files.newInputStream(file)) {
            return java.util.Arrays.equals(in.readNBytes(MAGIC.length), MAGIC);
        } catch (IOException e) {
            return false;
        }
    }

    // ---- writing ----

    /** Writes a model; the file appears whole or not at all. */
    public static void write(CompiledModel model, Path file) {
        model.warmAsExpected();
        Path part = file.resolveSibling(
                file.getFileName() + ".part" + ProcessHandle.current().pid());
        try {
            Path folder = file.toAbsolutePath().getParent();
            if (folder != null) {
                Files.createDirectories(folder);
            }
            try (FileChannel out = FileChannel.open(
                    part, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
                new Writer(model, out).write();
                out.force(true);
            }
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new EngineFormatException("cannot write engine file " + file + ": " + e, e);
        } finally {
            try {
                Files.deleteIfExists(part);
            } catch (IOException e) {
                // The failure that matters is on its way already.
            }
        }
    }

    private static final class Writer {
        private final CompiledModel model;
        private final FileChannel out;
        private final List<MemorySegment> sections = new ArrayList<>();

        Writer(CompiledModel model, FileChannel out) {
            this.model = model;
            this.out = out;
        }

        void write() throws IOException {
            List<CpuBackend.Packed> packed =
                    model.backend() instanceof CpuBackend cpu ? cpu.packed() : List.<CpuBackend.Packed>of();
            Set<Long> packedOnly = packedOnly(packed);
            Map<String, Object> header = new LinkedHashMap<>();
            header.put("tenon", Tenon.version());
            header.put("device", model.backend().name());
            header.put("native", CpuBackend.buildInfo());
            header.put("isa", CpuBackend.instructionSet());
            header.put("precision", model.options().precision.name());
            header.put("exact", model.options().exact);
            header.put("threads", model.options().threads);
            header.put("metadata", model.metadata());
            header.put("outputs", model.outputNames());
            List<Object> constants = new ArrayList<>();
            header.put("graph", GraphCodec.write(model.graph(), (v, t) -> {
                int i = constants.size();
                constants.add(constant(v, t, packedOnly.contains((long) i)));
                return i;
            }));
            header.put("constants", constants);
            List<Object> forms = new ArrayList<>();
            for (CpuBackend.Packed p : packed) {
                Map<String, Object> form = new LinkedHashMap<>();
                form.put("constant", p.key());
                form.put("layout", section(p.layout()));
                form.put("data", section(p.data()));
                forms.add(form);
            }
            header.put("packed", forms);
            writeFile(header);
        }

        /** Constants of the top graph that every program made so far reads in packed form only. */
        private Set<Long> packedOnly(List<CpuBackend.Packed> packed) {
            Set<Long> keys = new HashSet<>();
            if (model.backend() instanceof CpuBackend cpu) {
                packed.forEach(p -> keys.add(p.key()));
                Set<Value> onHost = readByHost();
                keys.removeIf(
                        key -> onHost.contains(model.constants().get(Math.toIntExact(key))) || !cpu.releasePlain(key));
            }
            return keys;
        }

        /** Constants that host steps read, or may read once shapes are known: those need their plain form. */
        private Set<Value> readByHost() {
            Set<Value> values = Collections.newSetFromMap(new IdentityHashMap<>());
            for (Plan p : model.plans().plans()) {
                for (Plan.Segment s : p.segments()) {
                    if (s instanceof Plan.HostStep h) {
                        values.addAll(h.node().inputs());
                    }
                }
                if (p.rest() != null) {
                    values.addAll(p.rest().graph().constants().keySet());
                }
            }
            return values;
        }

        private Object constant(Value v, Tensor t, boolean packedOnly) {
            Map<String, Object> c = new LinkedHashMap<>();
            c.put("name", v.name());
            c.put("type", t.type().name());
            List<Long> dims = new ArrayList<>();
            for (long d : t.shape().dims()) {
                dims.add(d);
            }
            c.put("shape", dims);
            if (t.type() == DataType.STRING) {
                c.put("text", List.of(t.toStringArray()));
            } else if (!packedOnly) {
                c.put("data", section(t.segment()));
            }
            return c;
        }

        /** Reserves a section; its place follows from the order. */
        private Object section(MemorySegment data) {
            sections.add(data);
            return List.of(sections.size() - 1, crc(data));
        }

        private void writeFile(Map<String, Object> header) throws IOException {
            // Section offsets count from the end of the header, so the header's length does not depend on itself.
            List<Object> table = new ArrayList<>();
            long offset = 0;
            for (MemorySegment s : sections) {
                table.add(List.of(offset, s.byteSize()));
                offset = align(offset + s.byteSize());
            }
            header.put("sections", table);
            byte[] json = Json.write(header).getBytes(StandardCharsets.UTF_8);
            long start = align(PREFIX_BYTES + json.length);
            ByteBuffer prefix = ByteBuffer.allocate(PREFIX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            prefix.put(MAGIC)
                    .putInt(FORMAT)
                    .putInt(crc32c(json))
                    .putLong(json.length)
                    .putLong(start)
                    .putLong(start + offset);
            writeAll(prefix.rewind(), 0);
            writeAll(ByteBuffer.wrap(json), PREFIX_BYTES);
            long at = start;
            for (MemorySegment s : sections) {
                for (long done = 0; done < s.byteSize(); ) {
                    long n = Math.min(1 << 26, s.byteSize() - done);
                    writeAll(s.asSlice(done, n).asByteBuffer(), at + done);
                    done += n;
                }
                at = align(at + s.byteSize());
            }
            if (out.size() < start + offset) {
                writeAll(ByteBuffer.allocate(1), start + offset - 1);
            }
        }

        private void writeAll(ByteBuffer b, long position) throws IOException {
            long at = position;
            while (b.hasRemaining()) {
                at += out.write(b, at);
            }
        }
    }

    // ---- reading ----

    /** Maps an engine file. */
    static CompiledModel read(Path file, EngineBuild.Options options) {
        LoadEvent event = Recording.isOn() ? new LoadEvent() : null;
        if (event != null) {
            event.begin();
        }
        Arena arena = Arena.ofShared();
        MemoryScope memory = MemoryScope.owning("weights of " + file.getFileName(), arena);
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment map = in.map(FileChannel.MapMode.READ_ONLY, 0, in.size(), arena);
            CompiledModel model = new Reader(file, map, memory, options).read();
            if (event != null && event.shouldCommit()) {
                event.file = file.toString();
                event.bytes = map.byteSize();
                event.commit();
            }
            return model;
        } catch (IOException e) {
            memory.close();
            throw new EngineFormatException("cannot read engine file " + file + ": " + e, e);
        } catch (EngineFormatException e) {
            memory.close();
            throw new EngineFormatException("engine file " + file + ": " + e.getMessage(), e);
        } catch (ClassCastException
                | NullPointerException
                | IndexOutOfBoundsException
                | IllegalArgumentException
                | ArithmeticException e) {
            memory.close();
            throw new EngineFormatException(
                    "engine file " + file + " is damaged: its header does not hold what it should: " + e.getMessage(),
                    e);
        } catch (RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    private static final class Reader {
        private final Path file;
        private final MemorySegment map;
        private final MemoryScope memory;
        private final EngineBuild.Options options;
        private final List<Runnable> checks = new ArrayList<>();
        private long start;
        private List<?> table = List.of();

        Reader(Path file, MemorySegment map, MemoryScope memory, EngineBuild.Options options) {
            this.file = file;
            this.map = map;
            this.memory = memory;
            this.options = options;
        }

        CompiledModel read() {
            Map<?, ?> header = (Map<?, ?>) Json.read(new String(headerBytes(), StandardCharsets.UTF_8));
            String made = (String) header.get("native");
            if (!made.equals(CpuBackend.buildInfo())) {
                throw new EngineFormatException(
                        "it was built by another native library (" + made + ") than the one here ("
                                + CpuBackend.buildInfo() + "); build it again from the model with 'tenon build'");
            }
            if (!CpuBackend.instructionSet().equals(header.get("isa"))) {
                throw new EngineFormatException(
                        "its weights are packed for " + header.get("isa") + "; this processor runs "
                                + CpuBackend.instructionSet() + ". Build it again from the model with 'tenon build'");
            }
            table = (List<?>) header.get("sections");
            List<Tensor> tensors = new ArrayList<>();
            Graph graph = graph(header, tensors);
            options.precision = Precision.valueOf((String) header.get("precision"));
            options.exact = (Boolean) header.get("exact");
            Map<String, String> metadata = new LinkedHashMap<>();
            ((Map<?, ?>) header.get("metadata")).forEach((k, v) -> metadata.put((String) k, (String) v));
            List<String> outputs = ((List<?>) header.get("outputs"))
                    .stream().map(String.class::cast).toList();
            if (outputs.size() != graph.outputs().size()) {
                throw new EngineFormatException("it is damaged: it names " + outputs.size() + " outputs and has "
                        + graph.outputs().size());
            }
            if (!options.shapes.isEmpty()) {
                graph = EngineBuild.withInputTypes(graph, EngineBuild.fixedTypes(graph, options.shapes));
            }
            CpuBackend backend = (CpuBackend) EngineBuild.backend(options);
            try {
                for (Object p : (List<?>) header.get("packed")) {
                    Map<?, ?> form = (Map<?, ?>) p;
                    long key = (Long) form.get("constant");
                    backend.importPacked(
                            new CpuBackend.Packed(key, section(form.get("layout")), section(form.get("data"))),
                            tensors.get(Math.toIntExact(key)));
                }
                return verified(new CompiledModel(graph, outputs, metadata, options, memory, backend));
            } catch (RuntimeException | Error e) {
                backend.close();
                throw e;
            }
        }

        /** The graph; its constants, and those of its subgraphs after them, go to {@code tensors}. */
        private Graph graph(Map<?, ?> header, List<Tensor> tensors) {
            Graph graph;
            try {
                for (Object c : (List<?>) header.get("constants")) {
                    tensors.add(constant((Map<?, ?>) c));
                }
                graph = GraphCodec.read((Map<?, ?>) header.get("graph"), tensors::get);
                Verifier.verifyOptimised(graph, "graph");
            } catch (IllegalStateException | ShapeException e) {
                throw new EngineFormatException("it is damaged: " + e.getMessage(), e);
            }
            // Packed forms know a constant of the graph by its position.
            int i = 0;
            for (Tensor t : graph.constants().values()) {
                if (i >= tensors.size() || t != tensors.get(i++)) {
                    throw new EngineFormatException("it is damaged: the constants of its graph are out of order");
                }
            }
            return graph;
        }

        /** Makes the first plan while other threads compute checksums: both read all weights once. */
        private CompiledModel verified(CompiledModel model) {
            CompletableFuture<Void> sums =
                    CompletableFuture.runAsync(() -> checks.parallelStream().forEach(Runnable::run));
            RuntimeException planFailure = null;
            try {
                model.warm();
            } catch (RuntimeException e) {
                planFailure = e;
            }
            try {
                sums.join();
            } catch (CompletionException e) {
                // What a plan made of damaged weights does not matter.
                model.closePlans();
                throw e.getCause() instanceof EngineFormatException x ? x : e;
            }
            if (planFailure != null) {
                model.closePlans();
                throw planFailure;
            }
            return model;
        }

        private byte[] headerBytes() {
            if (map.byteSize() < PREFIX_BYTES) {
                throw new EngineFormatException("it is cut short: " + map.byteSize() + " bytes");
            }
            ByteBuffer p = map.asSlice(0, PREFIX_BYTES).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            p.position(MAGIC.length);
            int format = p.getInt();
            if (format != FORMAT) {
                throw new EngineFormatException("it has format version " + format + "; this version of Tenon reads "
                        + FORMAT + ". Build it again from the model with 'tenon build'");
            }
            int crc = p.getInt();
            long length = p.getLong();
            start = p.getLong();
            long size = p.getLong();
            if (size != map.byteSize()) {
                throw new EngineFormatException(
                        "it is cut short or has grown: " + map.byteSize() + " bytes, expected " + size);
            }
            if (length < 2
                    || length > MAX_HEADER_BYTES
                    || length > size - PREFIX_BYTES
                    || start != align(PREFIX_BYTES + length)) {
                throw new EngineFormatException("it is damaged: the header cannot have " + length + " bytes");
            }
            while (p.hasRemaining()) {
                if (p.get() != 0) {
                    throw new EngineFormatException("it is damaged: its first " + PREFIX_BYTES + " bytes");
                }
            }
            byte[] json = map.asSlice(PREFIX_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
            if (crc32c(json) != crc) {
                throw new EngineFormatException("it is damaged: the header's checksum does not agree");
            }
            return json;
        }

        private Tensor constant(Map<?, ?> c) {
            DataType type = DataType.valueOf((String) c.get("type"));
            long[] dims =
                    ((List<?>) c.get("shape")).stream().mapToLong(d -> (Long) d).toArray();
            if (c.get("text") instanceof List<?> text) {
                return Tensor.ofStrings(text.toArray(String[]::new), dims);
            }
            if (c.get("data") == null) {
                return Tensor.ofPacked(type, Shape.of(dims));
            }
            return Tensor.of(section(c.get("data")), type, Shape.of(dims));
        }

        private MemorySegment section(Object reference) {
            List<?> r = (List<?>) reference;
            int i = Math.toIntExact((Long) r.get(0));
            List<?> place = (List<?>) table.get(i);
            long offset = start + (Long) place.get(0);
            long bytes = (Long) place.get(1);
            if (offset < start || bytes < 0 || offset > map.byteSize() - bytes) {
                throw new EngineFormatException("it is damaged: section " + i + " lies outside the file");
            }
            MemorySegment s = map.asSlice(offset, bytes);
            long expected = (Long) r.get(1);
            Runnable check = () -> {
                if (crc(s) != expected) {
                    throw new EngineFormatException("it is damaged: the checksum of section " + i + " does not agree");
                }
            };
            if (bytes < LARGE_SECTION) {
                check.run();
            } else {
                checks.add(check);
            }
            return s;
        }
    }

    private static int crc32c(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    private static long crc(MemorySegment s) {
        CRC32C crc = new CRC32C();
        for (long done = 0; done < s.byteSize(); ) {
            long n = Math.min(1 << 30, s.byteSize() - done);
            crc.update(s.asSlice(done, n).asByteBuffer());
            done += n;
        }
        return crc.getValue();
    }

    private static long align(long n) {
        return (n + PAGE - 1) / PAGE * PAGE;
    }
}
