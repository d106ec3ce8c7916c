package dev.tenon.internal.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The Java mirror says what the header says. Needs no native library. */
class TenonHeaderTest {
    @Test
    void constantsHaveTheHeadersValues() throws Exception {
        Map<String, Integer> mirrored = new LinkedHashMap<>();
        for (Field field : TenonConstants.class.getFields()) {
            mirrored.put(field.getName(), field.getInt(null));
        }
        assertThat(mirrored)
                .containsExactlyInAnyOrderEntriesOf(HeaderText.read().constants());
    }

    @Test
    void structsHaveTheHeadersFieldsInOrder() throws Exception {
        Map<String, List<HeaderText.Field>> declared = HeaderText.read().structs();
        declared.remove("error"); // not made of 8-byte fields, see errorStructIs512Bytes
        Map<String, List<HeaderText.Field>> mirrored = new LinkedHashMap<>();
        for (StructShape shape : shapes()) {
            mirrored.put(
                    shape.name(),
                    shape.layout().memberLayouts().stream()
                            .map(TenonHeaderTest::describe)
                            .toList());
        }
        assertThat(mirrored.keySet()).containsExactlyInAnyOrderElementsOf(declared.keySet());
        declared.forEach((name, fields) -> assertThat(mirrored.get(name))
                .as(name)
                .isEqualTo(fields.stream().map(TenonHeaderTest::simplify).toList()));
    }

    @Test
    void everyFunctionIsBoundAndNoOther() throws Exception {
        for (ProgramStep step : ProgramStep.values()) {
            assertThat(step.params().byteSize()).isPositive();
        }
        TenonH.class.getMethod("abiVersion"); // initialised by ProgramStep
        assertThat(new TreeSet<>(TenonH.boundSymbols()))
                .containsExactlyElementsOf(HeaderText.read().functions());
    }

    @Test
    void errorStructIs512Bytes() {
        assertThat(TenonH.ERROR.byteSize()).isEqualTo(512);
        assertThat(TenonH.ERROR.byteOffset(MemoryLayout.PathElement.groupElement("message")))
                .isEqualTo(TenonH.ERROR_MESSAGE_OFFSET);
    }

    static List<StructShape> shapes() {
        return Arrays.stream(TenonStructs.class.getFields())
                .filter(f -> Modifier.isStatic(f.getModifiers()) && f.getType() == StructShape.class)
                .map(TenonHeaderTest::read)
                .toList();
    }

    private static StructShape read(Field field) {
        try {
            return (StructShape) field.get(null);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    /** Pointers are all alike to Java. */
    private static HeaderText.Field simplify(HeaderText.Field field) {
        String type = field.type().endsWith("*") ? "pointer" : field.type();
        return new HeaderText.Field(type, field.name(), field.count());
    }

    private static HeaderText.Field describe(MemoryLayout member) {
        String name = member.name().orElseThrow();
        return member instanceof SequenceLayout row
                ? new HeaderText.Field(type(row.elementLayout()), name, (int) row.elementCount())
                : new HeaderText.Field(type(member), name, 0);
    }

    private static String type(MemoryLayout layout) {
        return switch (layout) {
            case AddressLayout _ -> "pointer";
            case ValueLayout.OfLong _ -> "int64_t";
            case ValueLayout.OfDouble _ -> "double";
            case StructLayout nested -> "tenon_" + nested.name().orElseThrow();
            default -> throw new AssertionError("unexpected layout " + layout);
        };
    }
}
