package dev.tenon.internal.onnx;

import static dev.tenon.internal.onnx.Protos.message;
import static dev.tenon.internal.onnx.Protos.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.ModelFormatException;
import dev.tenon.OptionalDatum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Files of single values: every element type in every form it may be written in. */
class OnnxTensorFileTest {
    private static final TensorType TENSOR = TensorType.unranked(DataType.FLOAT32);

    @TempDir
    private Path temp;

    private MemoryScope memory;

    @BeforeEach
    void open() {
        memory = MemoryScope.confined("test");
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private Datum read(WireWriter w, ValueType type) throws IOException {
        Path file = temp.resolve("value.pb");
        Files.write(file, w.toByteArray());
        return OnnxTensorFile.read(file, type, memory);
    }

    private Tensor typed(DataType type, long[] dims, Consumer<WireWriter> data) throws IOException {
        return (Tensor) read(tensor("t", type.code(), dims, data), TENSOR);
    }

    @ParameterizedTest
    @EnumSource
    void writtenTensorsReadBack(DataType type) throws IOException {
        Path file = temp.resolve("t.pb");
        for (Shape shape : new Shape[] {Shape.of(3, 5), Shape.scalar(), Shape.of(0, 2)}) {
            try (Tensor t = Tensor.allocate(type, shape)) {
                for (int i = 0; i < t.size(); i++) {
                    if (type == DataType.STRING) {
                        t.setString(i, i == 1 ? "" : "text \u00e9 " + i);
                    } else if (!type.isComplex()) {
                        t.setLong(i, i % 3);
                    }
                }
                OnnxTensorFile.write(file, "t", t);
                Tensor back = OnnxTensorFile.readTensor(file, memory);
                assertThat(back.type()).isEqualTo(type);
                assertThat(back.shape()).isEqualTo(shape);
                for (int i = 0; i < t.size(); i++) {
                    if (type == DataType.STRING) {
                        assertThat(back.getString(i)).isEqualTo(t.getString(i));
                    } else if (!type.isComplex()) {
                        assertThat(back.getDouble(i)).isEqualTo(t.getDouble(i));
                    }
                }
            }
        }
    }

    @Test
    void numbersInTypedFields() throws IOException {
        long[] two = {2};
        assertThat(typed(DataType.INT64, two, t -> t.packed(7, -1, Long.MAX_VALUE))
                        .toLongArray())
                .containsExactly(-1, Long.MAX_VALUE);
        assertThat(typed(DataType.INT64, two, t -> t.int64(7, 5).int64(7, -6)).toLongArray())
                .containsExactly(5, -6);
        assertThat(typed(DataType.INT64, two, t -> t.packed(7, 5).int64(7, -6)).toLongArray())
                .containsExactly(5, -6);
        assertThat(typed(DataType.INT32, two, t -> t.packed(5, -1, 7)).toLongArray())
                .containsExactly(-1, 7);
        assertThat(typed(DataType.INT8, two, t -> t.packed(5, -128, 7)).toLongArray())
                .containsExactly(-128, 7);
        assertThat(typed(DataType.UINT8, two, t -> t.packed(5, 255, 7)).toLongArray())
                .containsExactly(255, 7);
        assertThat(typed(DataType.UINT16, two, t -> t.packed(5, 65535, 7)).toLongArray())
                .containsExactly(65535, 7);
        assertThat(typed(DataType.UINT32, two, t -> t.packed(11, 0xFFFF_FFFFL, 7))
                        .toLongArray())
                .containsExactly(0xFFFF_FFFFL, 7);
        assertThat(typed(DataType.UINT64, two, t -> t.packed(11, -1, 7)).toLongArray())
                .containsExactly(-1, 7);
        assertThat(typed(DataType.BOOL, two, t -> t.packed(5, 1, 0)).toLongArray())
                .containsExactly(1, 0);
        assertThat(typed(DataType.FLOAT32, two, t -> t.float32(4, 1.5f).float32(4, -2))
                        .toFloatArray())
                .containsExactly(1.5f, -2);
        assertThat(typed(DataType.FLOAT16, two, t -> t.packed(5, 0x3C00, 0xC000))
                        .toFloatArray())
                .containsExactly(1, -2);
        assertThat(typed(DataType.BFLOAT16, two, t -> t.packed(5, 0x3F80, 0xC000))
                        .toFloatArray())
                .containsExactly(1, -2);
        assertThat(typed(DataType.FLOAT8E5M2, two, t -> t.packed(5, 0x3C, 0xC0)).toFloatArray())
                .containsExactly(1, -2);
    }

    @Test
    void packedElementsShareNumbers() throws IOException {
        assertThat(typed(DataType.INT4, new long[] {3}, t -> t.packed(5, 0xF1, 0x07))
                        .toLongArray())
                .containsExactly(1, -1, 7);
        assertThat(typed(DataType.UINT4, new long[] {3}, t -> t.bytes(9, new byte[] {(byte) 0xF1, 7}))
                        .toLongArray())
                .containsExactly(1, 15, 7);
        assertThat(typed(DataType.INT2, new long[] {5}, t -> t.packed(5, 0b11_10_01_00, 0b01))
                        .toLongArray())
                .containsExactly(0, 1, -2, -1, 1);
    }

    @Test
    void rawDataAreAView() throws IOException {
        Tensor t = typed(DataType.FLOAT32, new long[] {1}, w -> w.bytes(9, new byte[] {0, 0, (byte) 0x80, 0x3F}));
        assertThat(t.toFloatArray()).containsExactly(1);
        assertThat(t.segment().isReadOnly()).isTrue();
        assertThat(t.segment().isMapped()).isTrue();
    }

    @Test
    void sequencesAndOptionals() throws IOException {
        WireWriter a = Protos.longs("", 1, 2);
        WireWriter b = Protos.longs("", 3);
        WireWriter list = message(s -> s.text(1, "s").int64(2, 1).message(3, a).message(3, b));
        Datum sequence = read(list, new SequenceType(TENSOR));
        assertThat(sequence).isInstanceOfSatisfying(TensorSequence.class, s -> {
            assertThat(s.size()).isEqualTo(2);
            assertThat(s.tensor(0).toLongArray()).containsExactly(1, 2);
            assertThat(s.tensor(1).toLongArray()).containsExactly(3);
        });
        assertThat(read(message(o -> o.int64(2, 1).message(3, b)), new OptionalType(TENSOR)))
                .isInstanceOfSatisfying(
                        OptionalDatum.class, o -> assertThat(o.value()).isInstanceOf(Tensor.class));
        assertThat(read(message(o -> o.int64(2, 3).message(5, list)), new OptionalType(new SequenceType(TENSOR))))
                .isInstanceOfSatisfying(
                        OptionalDatum.class, o -> assertThat(o.value()).isInstanceOf(TensorSequence.class));
        assertThat(read(message(o -> o.int64(2, 0)), new OptionalType(TENSOR))).isEqualTo(OptionalDatum.EMPTY);
    }

    @Test
    void damagedFilesNameTheFile() {
        assertThatThrownBy(() -> read(message(w -> w.header(9, 100)), TENSOR))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("value.pb")
                .hasMessageContaining("raw_data");
        assertThatThrownBy(() -> read(message(s -> s.message(6, message(m -> {}))), new SequenceType(TENSOR)))
                .hasMessageContaining("maps");
        assertThatThrownBy(() -> OnnxTensorFile.readTensor(temp.resolve("missing.pb"), memory))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("missing.pb");
    }
}
