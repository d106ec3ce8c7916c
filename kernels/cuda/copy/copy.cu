#include "copy/copy.cuh"

using namespace tenon::cuda;

// By bytes of a unit.
#define TENON_COPY(bytes)                                                 \
    TENON_KERNEL(tenon_copy_slice_##bytes, CopyParams, kCopyThreads, 4) { \
        copy_units<bytes, false>(p);                                      \
    }                                                                     \
    TENON_KERNEL(tenon_copy_pad_##bytes, CopyParams, kCopyThreads, 4) {   \
        copy_units<bytes, true>(p);                                       \
    }

TENON_COPY(1)
TENON_COPY(2)
TENON_COPY(4)
TENON_COPY(8)
TENON_COPY(16)
TENON_KERNEL(tenon_copy_concat, ConcatParams, kCopyThreads, 3) {
    concat(p);
}
