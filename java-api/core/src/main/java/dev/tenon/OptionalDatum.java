package dev.tenon;

import org.jspecify.annotations.Nullable;

/** A value that may be absent; ONNX {@code optional(...)}. */
public record OptionalDatum(@Nullable Datum value) implements Datum {
    public static final OptionalDatum EMPTY = new OptionalDatum(null);

    public boolean isPresent() {
        return value != null;
    }
}
