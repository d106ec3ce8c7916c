package dev.tenon.internal.reference;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.OptionalDatum;
import dev.tenon.Tensor;
import dev.tenon.TensorSequence;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whether two results agree, as ONNX's own test runner decides it: same kinds, element types and shapes; numbers within
 * {@code |actual - expected| <= atol + rtol * |expected|}; NaN equals NaN, infinities equal themselves; text is equal.
 */
public record Agreement(double rtol, double atol) {
    public static final Agreement DEFAULT = new Agreement(1e-3, 1e-7);

    /** What differs, empty if nothing does. */
    public Optional<String> difference(Datum expected, @Nullable Datum actual) {
        return Optional.ofNullable(compare(expected, actual, ""));
    }

    private @Nullable String compare(@Nullable Datum expected, @Nullable Datum actual, String where) {
        return switch (expected) {
            case Tensor e when actual instanceof Tensor a -> tensors(e, a, where);
            case TensorSequence e
            when actual instanceof TensorSequence a -> {
                if (e.size() != a.size()) {
                    yield where + "sequence of " + a.size() + " elements, expected " + e.size();
                }
                String difference = null;
                for (int i = 0; i < e.size() && difference == null; i++) {
                    difference = compare(e.items().get(i), a.items().get(i), where + "element " + i + ": ");
                }
                yield difference;
            }
            case OptionalDatum(Datum e) when actual instanceof OptionalDatum(Datum a) -> compare(e, a, where);
            // A present optional and its value are told apart by types, not by results.
            case OptionalDatum(Datum e) when e != null && actual != null -> compare(e, actual, where);
            case null -> actual == null ? null : where + describe(actual) + ", expected nothing";
            default ->
                actual instanceof OptionalDatum(Datum a) && a != null
                        ? compare(expected, a, where)
                        : where + describe(actual) + ", expected " + describe(expected);
        };
    }

    private static String describe(@Nullable Datum d) {
        return switch (d) {
            case null -> "nothing";
            case Tensor t -> t.toString();
            case TensorSequence s -> "sequence of " + s.size();
            case OptionalDatum o -> o.isPresent() ? "optional " + describe(o.value()) : "empty optional";
        };
    }

    private @Nullable String tensors(Tensor e, Tensor a, String where) {
        if (e.type() != a.type() || !e.shape().equals(a.shape())) {
            return where + "got " + a + ", expected " + e;
        }
        long wrong = 0;
        long first = -1;
        double worst = 0;
        for (long i = 0; i < e.size(); i++) {
            if (!equal(e, a, i)) {
                wrong++;
                first = first < 0 ? i : first;
                if (e.type() != DataType.STRING && !e.type().isComplex()) {
                    worst = Math.max(worst, Math.abs(e.getDouble(i) - a.getDouble(i)));
                }
            }
        }
        return wrong == 0
                ? null
                : where + wrong + " of " + e.size() + " elements differ, by at most " + worst + "; at " + first
                        + " got " + element(a, first) + ", expected " + element(e, first);
    }

    private boolean equal(Tensor e, Tensor a, long i) {
        return switch (e.type()) {
            case STRING -> e.getString(i).equals(a.getString(i));
            case COMPLEX64 -> close(part(e, 2 * i), part(a, 2 * i)) && close(part(e, 2 * i + 1), part(a, 2 * i + 1));
            case COMPLEX128 -> close(part(e, 2 * i), part(a, 2 * i)) && close(part(e, 2 * i + 1), part(a, 2 * i + 1));
            case INT64, UINT64 -> e.getLong(i) == a.getLong(i) || close(e.getDouble(i), a.getDouble(i));
            default -> close(e.getDouble(i), a.getDouble(i));
        };
    }

    /** A real or imaginary part. */
    private static double part(Tensor t, long i) {
        return t.type() == DataType.COMPLEX64
                ? t.segment().getAtIndex(java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED, i)
                : t.segment().getAtIndex(java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED, i);
    }

    private boolean close(double e, double a) {
        if (Double.isNaN(e) || Double.isNaN(a)) {
            return Double.isNaN(e) && Double.isNaN(a);
        }
        if (Double.isInfinite(e) || Double.isInfinite(a)) {
            return e == a;
        }
        return Math.abs(e - a) <= atol + rtol * Math.abs(e);
    }

    private static String element(Tensor t, long i) {
        return switch (t.type()) {
            case STRING -> "'" + t.getString(i) + "'";
            case COMPLEX64, COMPLEX128 -> part(t, 2 * i) + " + " + part(t, 2 * i + 1) + "i";
            case INT64 -> Long.toString(t.getLong(i));
            case UINT64 -> Long.toUnsignedString(t.getLong(i));
            default -> Double.toString(t.getDouble(i));
        };
    }
}
