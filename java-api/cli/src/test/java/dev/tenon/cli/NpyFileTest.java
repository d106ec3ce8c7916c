package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.memory.MemoryScope;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NpyFileTest {
    private final MemoryScope scope = MemoryScope.shared("test");

    @TempDir
    Path folder;

    @AfterEach
    void free() {
        scope.close();
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {
                "FLOAT32", "FLOAT64", "FLOAT16", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32",
                "UINT64", "BOOL"
            })
    void roundTripKeepsTypeShapeAndElements(DataType type) throws Exception {
        Tensor t = Tensor.allocate(scope, type, Shape.of(2, 3, 5));
        for (int i = 0; i < t.size(); i++) {
            t.setLong(i, type.isUnsigned() || type == DataType.BOOL ? i * 7 : i - 11);
        }
        Path file = folder.resolve("a.npy");
        NpyFile.write(file, t);
        Tensor back = NpyFile.read(file, scope);
        assertThat(back.type()).isEqualTo(type);
        assertThat(back.shape()).isEqualTo(t.shape());
        assertThat(back.segment().mismatch(t.segment())).isEqualTo(-1);
        // The data begin at a multiple of 64, as NumPy lays them.
        assertThat((Files.size(file) - t.byteSize()) % 64).isZero();
    }

    @Test
    void typesThatNumPyLacksAreWidened() throws Exception {
        Tensor t = Tensor.allocate(scope, DataType.BFLOAT16, Shape.of(2));
        t.setDouble(0, 1.5);
        t.setDouble(1, -0.15625);
        NpyFile.write(folder.resolve("b.npy"), t);
        Tensor back = NpyFile.read(folder.resolve("b.npy"), scope);
        assertThat(back.type()).isEqualTo(DataType.FLOAT32);
        assertThat(back.toFloatArray()).containsExactly(1.5f, -0.15625f);

        Tensor small = Tensor.allocate(scope, DataType.INT4, Shape.of(3));
        small.setLong(1, -8);
        NpyFile.write(folder.resolve("c.npy"), small);
        assertThat(NpyFile.read(folder.resolve("c.npy"), scope).toLongArray()).containsExactly(0, -8, 0);
    }

    @Test
    void scalarsEmptyArraysAndTextRoundTrip() throws Exception {
        Path file = folder.resolve("s.npy");
        NpyFile.write(file, Cli.floats(scope, new float[] {4}));
        assertThat(NpyFile.read(file, scope).shape()).isEqualTo(Shape.scalar());
        NpyFile.write(file, Tensor.allocate(scope, DataType.INT64, Shape.of(0, 3)));
        assertThat(NpyFile.read(file, scope).shape()).isEqualTo(Shape.of(0, 3));
        NpyFile.write(file, Tensor.ofStrings(new String[] {"", "Zürich", "木"}, 3, 1));
        Tensor text = NpyFile.read(file, scope);
        assertThat(text.toStringArray()).containsExactly("", "Zürich", "木");
        assertThat(text.shape()).isEqualTo(Shape.of(3, 1));
    }

    @Test
    void columnMajorAndBigEndianArraysAreTurned() throws Exception {
        ByteBuffer data = ByteBuffer.allocate(6 * 4).order(ByteOrder.BIG_ENDIAN);
        // The matrix 0 1 2 / 3 4 5, column by column.
        for (int v : new int[] {0, 3, 1, 4, 2, 5}) {
            data.putInt(v);
        }
        Path file = write("{'descr': '>i4', 'fortran_order': True, 'shape': (2, 3), }", data.array());
        assertThat(NpyFile.read(file, scope).toIntArray()).containsExactly(0, 1, 2, 3, 4, 5);
    }

    @Test
    void damagedFilesAreRefusedByName() throws Exception {
        Path noMagic = Files.writeString(folder.resolve("x.npy"), "not an array at all");
        assertThatThrownBy(() -> NpyFile.read(noMagic, scope))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("x.npy")
                .hasMessageContaining("not a .npy file");
        Path empty = Files.write(folder.resolve("empty.npy"), new byte[0]);
        assertThatThrownBy(() -> NpyFile.read(empty, scope)).isInstanceOf(CliException.class);
        Path cut = write("{'descr': '<f4', 'fortran_order': False, 'shape': (1000, 1000), }", new byte[40]);
        assertThatThrownBy(() -> NpyFile.read(cut, scope)).hasMessageContaining("needs 4000000 bytes");
        Path huge = write("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 8), }", new byte[4]);
        assertThatThrownBy(() -> NpyFile.read(huge, scope)).isInstanceOf(CliException.class);
        Path object = write("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", new byte[8]);
        assertThatThrownBy(() -> NpyFile.read(object, scope)).hasMessageContaining("'|O' has no tensor type");
        Path noShape = write("{'descr': '<f4', 'fortran_order': False}", new byte[8]);
        assertThatThrownBy(() -> NpyFile.read(noShape, scope)).isInstanceOf(CliException.class);
    }

    private Path write(String header, byte[] data) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(0x93);
        out.writeBytes("NUMPY".getBytes(StandardCharsets.US_ASCII));
        out.write(1);
        out.write(0);
        out.write(header.length());
        out.write(header.length() >> 8);
        out.writeBytes(header.getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(data);
        return Files.write(folder.resolve("array" + header.hashCode() + ".npy"), out.toByteArray());
    }
}
