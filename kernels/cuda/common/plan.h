/*
 * What a launcher returns. A launcher (tenon_cuda_<family>_plan) does not launch: it checks the arguments, chooses
 * kernels and their geometry and writes both down here. The caller executes the plan: with the driver API
 * (cuLaunchKernelEx) on a GPU, under the SIMT shim (simt/) on the host. Launchers need neither CUDA nor a GPU, never
 * allocate, and may be called from any thread.
 *
 * Rules for every argument struct tenon_cuda_<family>: fields are pointers, int64_t or double, 8 bytes each; sizes and
 * strides count elements unless the name ends in _bytes; pointers are device addresses, borrowed, and may have any
 * alignment that their element type has; a pointer whose comment does not say "may be null" is not null unless the
 * tensor is empty. Kernels accumulate in fp32 and count elements with 64 bits. A tensor may span 2^40 bytes from its
 * first element to its last: launchers refuse more, so that nobody overflows who multiplies sizes and strides.
 */
#ifndef TENON_CUDA_PLAN_H
#define TENON_CUDA_PLAN_H

#include <stdint.h>

#define TENON_CUDA_API __attribute__((visibility("default")))

#ifdef __cplusplus
#define TENON_CUDA_ALIGN128 alignas(128)
extern "C" {
#else
#define TENON_CUDA_ALIGN128 _Alignas(128)
#endif

/* Same values as tenon_status in tenon.h. */
enum {
    TENON_CUDA_OK = 0,
    TENON_CUDA_INVALID_ARGUMENT = 1, /* the arguments contradict the contract */
    TENON_CUDA_UNSUPPORTED = 2       /* a legal request for which there is no kernel */
};

/* Element types, with the codes of ONNX's TensorProto.DataType. int4 and uint4 are packed two to a byte, the first
 * element in the low half. */
enum {
    TENON_CUDA_F32 = 1,
    TENON_CUDA_U8 = 2,
    TENON_CUDA_I8 = 3,
    TENON_CUDA_I32 = 6,
    TENON_CUDA_I64 = 7,
    TENON_CUDA_BOOL = 9,
    TENON_CUDA_F16 = 10,
    TENON_CUDA_BF16 = 16,
    TENON_CUDA_F8E4M3 = 17,
    TENON_CUDA_F8E5M2 = 19,
    TENON_CUDA_U4 = 21,
    TENON_CUDA_I4 = 22
};

/* The GPU a plan is made for. */
typedef struct tenon_cuda_device {
    int64_t compute_capability;     /* 10 * major + minor: 80, 90, 100, 120 */
    int64_t multiprocessors;        /* > 0 */
    int64_t shared_bytes_per_block; /* the opt-in limit: 101376 to 232448 */
    int64_t l2_bytes;
} tenon_cuda_device;

#define TENON_CUDA_MAX_LAUNCHES 4
#define TENON_CUDA_MAX_PARAMS_BYTES 1024
#define TENON_CUDA_MAX_TENSOR_MAPS 4
#define TENON_CUDA_MAX_TENSOR_MAP_RANK 5
/* Of a tensor map, and so of a parameter block with some: 64 bytes by cuTensorMapEncodeTiled's text, but CUDA 13
 * declares CUtensorMap with 128 (12.9: 64). */
#define TENON_CUDA_TENSOR_MAP_ALIGNMENT 128

/* A CUtensorMap that the executor encodes (cuTensorMapEncodeTiled) into the parameter block before the launch:
 * 16-bit elements, no interleave, element strides 1, out-of-range elements read as zero. */
typedef struct tenon_cuda_tensor_map {
    int64_t params_offset;                        /* from the parameter block's start; a multiple of its alignment */
    int64_t type;                                 /* TENON_CUDA_F16 or TENON_CUDA_BF16 */
    int64_t rank;                                 /* 1 to 5 */
    int64_t swizzle_bytes;                        /* 0, 32, 64 or 128 */
    const void* address;                          /* aligned to 16 bytes */
    int64_t dims[TENON_CUDA_MAX_TENSOR_MAP_RANK]; /* innermost first */
    int64_t strides_bytes[TENON_CUDA_MAX_TENSOR_MAP_RANK]; /* of dims[i]; [0] is the element size; multiples of 16 */
    int64_t box[TENON_CUDA_MAX_TENSOR_MAP_RANK];           /* the tile one copy brings, innermost first */
} tenon_cuda_tensor_map;

/* One kernel launch. The kernel takes one parameter: params, by value. */
typedef struct tenon_cuda_launch {
    const char* kernel; /* name in the family's fatbin; static storage */
    int64_t grid[3];
    int64_t block;        /* threads, one-dimensional */
    int64_t shared_bytes; /* dynamic; above 48 KiB the executor raises the kernel's limit first */
    int64_t params_bytes;
    int64_t tensor_map_count;
    tenon_cuda_tensor_map tensor_maps[TENON_CUDA_MAX_TENSOR_MAPS];
    TENON_CUDA_ALIGN128 unsigned char params[TENON_CUDA_MAX_PARAMS_BYTES];
} tenon_cuda_launch;

/* Launches run in order on one stream. launch_count is 0 when there is nothing to compute. When workspace_bytes is
 * greater than 0, the arguments' field `workspace` must point to that many bytes (aligned to 256) on the device when
 * the plan runs: make the plan once with a null workspace to learn the size, then again with the memory. */
typedef struct tenon_cuda_plan {
    int64_t launch_count;
    int64_t workspace_bytes;
    char message[256]; /* zero-terminated; why the launcher refused; empty when it did not */
    tenon_cuda_launch launches[TENON_CUDA_MAX_LAUNCHES];
} tenon_cuda_plan;

#ifdef __cplusplus
}
#endif
#endif
