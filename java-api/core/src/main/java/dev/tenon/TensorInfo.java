package dev.tenon;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An input or output of an engine.
 *
 * @param name the model's name of it
 * @param type the element type; null if it is not a tensor (a sequence or an optional)
 * @param dims one entry a dimension: its size in digits, or the name of a size that runs may choose; null if even the rank
 *     is open
 */
public record TensorInfo(
        String name, @Nullable DataType type, @Nullable List<String> dims) {
    public TensorInfo {
        dims = dims == null ? null : List.copyOf(dims);
    }

    /** True if every dimension is a number. */
    public boolean isFixed() {
        return dims != null && dims.stream().allMatch(d -> Character.isDigit(d.charAt(0)));
    }

    /** The shape. @throws ShapeException if a dimension is open */
    public Shape shape() {
        if (!isFixed()) {
            throw new ShapeException("'" + name + "' has the open shape " + dimsText()
                    + "; give one with Session.input(name, shape) or fix it with Engine.Builder.shape");
        }
        return Shape.of(dims.stream().mapToLong(Long::parseLong).toArray());
    }

    /** Whether a tensor of this shape fits. */
    public boolean accepts(Shape shape) {
        if (dims == null) {
            return true;
        }
        if (shape.rank() != dims.size()) {
            return false;
        }
        for (int i = 0; i < dims.size(); i++) {
            String d = dims.get(i);
            if (Character.isDigit(d.charAt(0)) && Long.parseLong(d) != shape.dim(i)) {
                return false;
            }
        }
        return true;
    }

    private String dimsText() {
        return dims == null ? "of unknown rank" : dims.stream().collect(Collectors.joining("x"));
    }

    /** Such as {@code input float32[Nx3x224x224]}. */
    @Override
    public String toString() {
        String t = type == null ? "value" : type.name().toLowerCase(java.util.Locale.ROOT);
        return name + " " + t + "[" + (dims != null && dims.isEmpty() ? "scalar" : dimsText()) + "]";
    }

    static TensorInfo fixed(String name, DataType type, Shape shape) {
        return new TensorInfo(
                name, type, Arrays.stream(shape.dims()).mapToObj(Long::toString).toList());
    }
}
