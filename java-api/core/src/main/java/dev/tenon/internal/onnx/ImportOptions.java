package dev.tenon.internal.onnx;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How a model is imported.
 *
 * @param trustedRoot external data inside this folder may be reached through symbolic and hard links, as download caches lay
 *     them; null to refuse links
 */
public record ImportOptions(@Nullable Path trustedRoot, ImportLimits limits) {
    public static final ImportOptions DEFAULT = new ImportOptions(null, ImportLimits.DEFAULT);

    public ImportOptions withTrustedRoot(Path root) {
        return new ImportOptions(root, limits);
    }

    public ImportOptions withLimits(ImportLimits newLimits) {
        return new ImportOptions(trustedRoot, newLimits);
    }
}
