/** What users see of the CUDA module beyond the API of {@code dev.tenon}: the errors that only GPUs have. */
@NullMarked
package dev.tenon.cuda;

import org.jspecify.annotations.NullMarked;
