package dev.tenon.internal.onnx;

import dev.tenon.Datum;
import dev.tenon.ModelFormatException;
import dev.tenon.OptionalDatum;
import dev.tenon.Tensor;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** Files that hold one value: a serialised {@code TensorProto}, {@code SequenceProto} or {@code OptionalProto}. */
public final class OnnxTensorFile {
    private static final long PIECE_BYTES = 1L << 28;

    private OnnxTensorFile() {}

    /**
     * The value in a file. Tensors are views of the mapped file and live as long as {@code memory}.
     *
     * @param type what the file holds; only the kind of value counts, as the file itself does not say it
     */
    public static Datum read(Path file, ValueType type, MemoryScope memory) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ImportLimits limits = ImportLimits.DEFAULT;
            WireReader r = WireReader.of(memory.map(channel), file.getFileName().toString(), limits);
            TensorData data = new TensorData(memory, null, limits);
            return switch (type) {
                case TensorType _ -> data.read(OnnxReader.tensor(r));
                case SequenceType _ -> sequence(r, data);
                case OptionalType _ -> optional(r, data);
            };
        } catch (IOException e) {
            throw new ModelFormatException("cannot read tensor file " + file + ": " + e, e);
        }
    }

    /** A tensor, whatever its type. */
    public static Tensor readTensor(Path file, MemoryScope memory) {
        return (Tensor) read(file, TensorType.unranked(dev.tenon.DataType.FLOAT32), memory);
    }

    private static TensorSequence sequence(WireReader r, TensorData data) {
        List<Datum> items = new ArrayList<>();
        while (r.next()) {
            switch (r.field()) {
                case 3 -> items.add(data.read(OnnxReader.tensor(r.message("tensor_values", items.size()))));
                case 4 -> items.add(data.dense(OnnxReader.sparse(r.message("sparse_tensor_values", items.size()))));
                case 5 -> items.add(sequence(r.message("sequence_values", items.size()), data));
                case 6 -> throw r.errorHere("maps are not supported");
                case 7 -> items.add(optional(r.message("optional_values", items.size()), data));
                default -> r.skip();
            }
        }
        return new TensorSequence(items);
    }

    private static OptionalDatum optional(WireReader r, TensorData data) {
        OptionalDatum value = OptionalDatum.EMPTY;
        while (r.next()) {
            switch (r.field()) {
                case 3 -> value = new OptionalDatum(data.read(OnnxReader.tensor(r.message("tensor_value"))));
                case 4 -> value = new OptionalDatum(data.dense(OnnxReader.sparse(r.message("sparse_tensor_value"))));
                case 5 -> value = new OptionalDatum(sequence(r.message("sequence_value"), data));
                case 6 -> throw r.errorHere("maps are not supported");
                case 7 -> value = optional(r.message("optional_value"), data);
                default -> r.skip();
            }
        }
        return value;
    }

    /** Writes a tensor as a {@code TensorProto}, replacing the file. @param name the tensor's name in the file; may be empty */
    public static void write(Path file, String name, Tensor tensor) throws IOException {
        WireWriter w = new WireWriter();
        w.packed(1, tensor.shape().dims());
        w.int64(2, tensor.type().code());
        w.text(8, name);
        boolean text = tensor.type() == dev.tenon.DataType.STRING;
        if (text) {
            for (String s : tensor.toStringArray()) {
                w.textEvenIfEmpty(6, s);
            }
        } else {
            w.header(9, tensor.byteSize());
        }
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING)) {
            writeFully(channel, ByteBuffer.wrap(w.toByteArray()));
            if (!text) {
                MemorySegment s = tensor.segment();
                for (long at = 0; at < s.byteSize(); at += PIECE_BYTES) {
                    writeFully(
                            channel,
                            s.asSlice(at, Math.min(PIECE_BYTES, s.byteSize() - at))
                                    .asByteBuffer());
                }
            }
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
