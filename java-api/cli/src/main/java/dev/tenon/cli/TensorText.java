package dev.tenon.cli;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.OptionalDatum;
import dev.tenon.Tensor;
import dev.tenon.TensorSequence;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Values as people and programs read them: type, shape, first elements, range. */
final class TensorText {
    private static final int FIRST = 8;

    private TensorText() {}

    /** The range of a numeric tensor's elements; NaN are counted apart. */
    record Range(double min, double max, double mean, long nans) {
        static @Nullable Range of(Tensor t) {
            if (t.type() == DataType.STRING || t.type().isComplex() || t.size() == 0) {
                return null;
            }
            double min = Double.POSITIVE_INFINITY;
            double max = Double.NEGATIVE_INFINITY;
            double sum = 0;
            long nans = 0;
            for (long i = 0, n = t.size(); i < n; i++) {
                double v = t.getDouble(i);
                if (Double.isNaN(v)) {
                    nans++;
                    continue;
                }
                min = Math.min(min, v);
                max = Math.max(max, v);
                sum += v;
            }
            return nans == t.size()
                    ? new Range(Double.NaN, Double.NaN, Double.NaN, nans)
                    : new Range(min, max, sum / (t.size() - nans), nans);
        }
    }

    /** Such as {@code float32[1x10]}. */
    static String type(Datum d) {
        return switch (d) {
            case Tensor t -> t.type().name().toLowerCase(Locale.ROOT) + "[" + t.shape() + "]";
            case TensorSequence s -> "sequence of " + s.size();
            case OptionalDatum o -> o.value() == null ? "nothing" : "optional " + type(o.value());
        };
    }

    /** The first elements of a value and what else its summary says, as lines. */
    static List<String> lines(Datum d) {
        return switch (d) {
            case Tensor t -> {
                List<String> lines = new ArrayList<>();
                Range r = Range.of(t);
                if (r != null) {
                    lines.add("min " + Text.number(r.min) + "  max " + Text.number(r.max) + "  mean "
                            + Text.number(r.mean) + (r.nans == 0 ? "" : "  NaN " + r.nans));
                }
                lines.add(first(t));
                yield lines;
            }
            case TensorSequence s -> {
                List<String> lines = new ArrayList<>();
                for (Datum item : s.items().subList(0, Math.min(FIRST, s.size()))) {
                    lines.add(type(item) + (item instanceof Tensor t ? " " + first(t) : ""));
                }
                yield lines;
            }
            case OptionalDatum o -> o.value() == null ? List.of() : lines(o.value());
        };
    }

    private static String first(Tensor t) {
        List<String> values = new ArrayList<>();
        for (long i = 0; i < Math.min(FIRST, t.size()); i++) {
            values.add(element(t, i));
        }
        return "[" + String.join(", ", values) + (t.size() > FIRST ? ", ...]" : "]");
    }

    static String element(Tensor t, long i) {
        return switch (t.type()) {
            case STRING -> "\"" + t.getString(i) + "\"";
            case BOOL -> Boolean.toString(t.getBoolean(i));
            case UINT64 -> Long.toUnsignedString(t.getLong(i));
            case COMPLEX64, COMPLEX128 -> "(complex)";
            default -> t.type().isFloat() ? Text.number(t.getDouble(i)) : Long.toString(t.getLong(i));
        };
    }

    /** Type, shape, range and first elements for {@code --json}. */
    static Map<String, Object> json(Datum d) {
        Map<String, Object> m = new LinkedHashMap<>();
        switch (d) {
            case Tensor t -> {
                m.put("type", t.type().name().toLowerCase(Locale.ROOT));
                m.put("shape", java.util.Arrays.stream(t.shape().dims()).boxed().toList());
                Range r = Range.of(t);
                if (r != null) {
                    m.put("min", r.min);
                    m.put("max", r.max);
                    m.put("mean", r.mean);
                    m.put("nan", r.nans);
                }
                List<Object> first = new ArrayList<>();
                for (long i = 0; i < Math.min(FIRST, t.size()); i++) {
                    first.add(
                            t.type().isFloat()
                                    ? (Object) t.getDouble(i)
                                    : t.type().isInteger() && t.type() != DataType.UINT64
                                            ? (Object) t.getLong(i)
                                            : element(t, i));
                }
                m.put("first", first);
            }
            case TensorSequence s ->
                m.put("sequence", s.items().stream().map(TensorText::json).toList());
            case OptionalDatum o -> m.put("optional", o.value() == null ? null : json(o.value()));
        }
        return m;
    }
}
