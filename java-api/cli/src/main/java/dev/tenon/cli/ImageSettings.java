package dev.tenon.cli;

import dev.tenon.DataType;
import dev.tenon.EngineFormatException;
import dev.tenon.internal.engine.Json;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How pixels become elements: {@code (level * scale - mean) / std}, with one mean and std a channel or one for all.
 *
 * @param channels planes to make where the input's shape leaves that open
 * @param scale of levels from 0 to 255; null for 1/255 in floating point and 1 in integers
 */
record ImageSettings(
        Resize resize,
        double[] means,
        double[] stds,
        @Nullable Double scale,
        int channels) {
    static final ImageSettings DEFAULT = new ImageSettings(Resize.AREA, new double[] {0}, new double[] {1}, null, 3);

    /** The settings that a model's metadata give under {@code tenon.image}, the default ones if there are none. */
    static ImageSettings of(Map<String, String> metadata) {
        String text = metadata.get("tenon.image");
        if (text == null) {
            return DEFAULT;
        }
        try {
            if (!(Json.read(text) instanceof Map<?, ?> m)) {
                throw new CliException("the model's metadata tenon.image is not a JSON object: " + text);
            }
            Object resize = m.get("resize");
            Object channels = m.get("channels");
            return new ImageSettings(
                    resize == null
                            ? DEFAULT.resize
                            : Resize.valueOf(resize.toString().toUpperCase(Locale.ROOT)),
                    numbers(m.get("mean"), DEFAULT.means),
                    numbers(m.get("std"), DEFAULT.stds),
                    m.get("scale") instanceof Number n ? (Double) n.doubleValue() : null,
                    channels instanceof Number n ? n.intValue() : DEFAULT.channels);
        } catch (EngineFormatException | IllegalArgumentException e) {
            throw new CliException("the model's metadata tenon.image is wrong: " + text + ": " + e.getMessage(), e);
        }
    }

    private static double[] numbers(@Nullable Object value, double[] byDefault) {
        return switch (value) {
            case null -> byDefault;
            case Number n -> new double[] {n.doubleValue()};
            case List<?> l
            when !l.isEmpty() && l.stream().allMatch(Number.class::isInstance) ->
                l.stream().mapToDouble(e -> ((Number) e).doubleValue()).toArray();
            default -> throw new IllegalArgumentException("numbers were expected, not " + Json.write(value));
        };
    }

    ImageSettings with(@Nullable Resize newResize, double[] newMeans, double[] newStds, @Nullable Double newScale) {
        return new ImageSettings(
                newResize == null ? resize : newResize,
                newMeans.length == 0 ? means : newMeans,
                newStds.length == 0 ? stds : newStds,
                newScale == null ? scale : newScale,
                channels);
    }

    double mean(int channel) {
        return pick(means, channel, "mean");
    }

    double std(int channel) {
        return pick(stds, channel, "std");
    }

    private static double pick(double[] values, int channel, String what) {
        if (values.length > 1 && channel >= values.length) {
            throw new CliException(
                    what + " has " + values.length + " values; the input has at least " + (channel + 1) + " channels");
        }
        return values[values.length == 1 ? 0 : channel];
    }

    double scaleFor(DataType type) {
        return scale != null ? scale : type.isFloat() ? 1.0 / 255 : 1;
    }
}
