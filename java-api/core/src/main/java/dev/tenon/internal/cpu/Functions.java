package dev.tenon.internal.cpu;

import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.op.UnaryFn;
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
        Integer n = NUMBERS.get(fn.name());
        return n == null ? OptionalInt.empty() : OptionalInt.of(n);
    }

    /** True if a product or convolution can apply the function to its result before storing it. */
    static boolean isActivation(UnaryFn fn) {
        return number(fn).isPresent();
    }
}
