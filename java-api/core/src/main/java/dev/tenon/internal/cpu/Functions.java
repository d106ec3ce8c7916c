package dev.tenon.internal.cpu;

import dev.tenon.internal.ffi.TenonConstants;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/** Numbers of elementwise functions in the C interface: its constant FN_X is the function that operators call X. */
final class Functions {
    private static final Map<String, Integer> NUMBERS = Arrays.stream(TenonConstants.class.getFields())
            .filter(f -> Modifier.isStatic(f.getModifiers()) && f.getName().startsWith("FN_"))
            .collect(Collectors.toMap(f -> f.getName().substring(3), f -> {
                try {
                    return f.getInt(null);
                } catch (IllegalAccessException e) {
                    throw new ExceptionInInitializerError(e);
                }
            }));

    private Functions() {}

    /** The number of a function by its enum constant; empty if there is no kernel for it. */
    static OptionalInt number(Enum<?> fn) {
        // Java's names for what C calls NOT, AND, OR and XOR begin with LOGICAL_.
        String name = fn.name().startsWith("LOGICAL_") ? fn.name().substring("LOGICAL_".length()) : fn.name();
        Integer n = NUMBERS.get(name);
        return n == null ? OptionalInt.empty() : OptionalInt.of(n);
    }
}
