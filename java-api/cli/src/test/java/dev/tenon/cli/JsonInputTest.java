package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.TensorInfo;
import dev.tenon.internal.memory.MemoryScope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonInputTest {
    private final MemoryScope scope = MemoryScope.shared("test");

    @TempDir
    Path folder;

    @AfterEach
    void free() {
        scope.close();
    }

    private Tensor read(String json, DataType type, String... dims) throws Exception {
        Path file = Files.writeString(folder.resolve("v.json"), json);
        return JsonInput.read(file, new TensorInfo("x", type, List.of(dims)), type, scope);
    }

    @Test
    void nestedArraysBecomeTensorsOfTheInputsType() throws Exception {
        Tensor t = read("[[1, 2.5, \"NaN\"], [-4, 5e3, 6]]", DataType.FLOAT32, "N", "3");
        assertThat(t.shape()).isEqualTo(Shape.of(2, 3));
        assertThat(t.toFloatArray()).containsExactly(1, 2.5f, Float.NaN, -4, 5000, 6);
        assertThat(read("[9007199254740993]", DataType.INT64, "1").toLongArray())
                .containsExactly(9007199254740993L);
        assertThat(read("[true, false]", DataType.BOOL, "2").toLongArray()).containsExactly(1, 0);
        assertThat(read("[\"a\", \"b\"]", DataType.STRING, "2").toStringArray()).containsExactly("a", "b");
        assertThat(read("7", DataType.INT32).shape()).isEqualTo(Shape.scalar());
    }

    @Test
    void oneExampleMayLeaveOutTheBatch() throws Exception {
        assertThat(read("[1, 2, 3]", DataType.FLOAT32, "N", "3").shape()).isEqualTo(Shape.of(1, 3));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        assertThatThrownBy(() -> read("[[1, 2], [3]]", DataType.FLOAT32, "N", "2"))
                .hasMessageContaining("differ in length");
        assertThatThrownBy(() -> read("[1, [2]]", DataType.FLOAT32, "2")).hasMessageContaining("different depths");
        assertThatThrownBy(() -> read("[1.5]", DataType.INT64, "1")).hasMessageContaining("element 0 is 1.5");
        assertThatThrownBy(() -> read("[null]", DataType.FLOAT32, "1")).hasMessageContaining("null");
        assertThatThrownBy(() -> read("[1, ", DataType.FLOAT32, "1"))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("v.json");
    }
}
