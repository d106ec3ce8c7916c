/*
 * Tenon's C interface: CPU engines, native programs and the contexts that run them.
 *
 * Life of a run:  tenon_engine_create -> tenon_engine_add_constant* -> tenon_program_create -> tenon_program_add_value*
 *   -> tenon_program_add_<step>* -> tenon_program_finish -> tenon_program_buffers -> tenon_program_place
 *   -> tenon_context_create -> tenon_context_bind* -> tenon_context_run*.
 *
 * Rules that hold for every function
 *   Status     functions that can fail return tenon_status and fill `err` (owned by the caller, may be NULL) on
 * failure. There is no thread-local error. The library never prints, exits or throws. Structs    have 8-byte fields
 * only (int64_t, double, pointers), so a caller writes them as a row of 64-bit words. Structs with `struct_size` need
 * it set to the size the caller was compiled for; see tenon_sizeof. Pointers   are borrowed for the length of the call
 * unless the comment says otherwise. Handles    are owned by the caller. Order of destruction: contexts, then programs,
 * then the engine. Sizes      in bytes where the name says bytes; strides, starts and offsets of tensors in elements.
 *   Names      N batch, C channels, G groups, spatial = the axes after C, M x K times K x N for products.
 */
#ifndef TENON_TENON_H
#define TENON_TENON_H

#include <stdint.h>

#if defined(_WIN32)
#define TENON_API __declspec(dllexport)
#else
#define TENON_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a signature, a struct or an enum value changes its meaning. */
#define TENON_ABI_VERSION 2
#define TENON_MAX_RANK 8
#define TENON_MAX_SPATIAL 3
#define TENON_MAX_POST_OPS 4
/* Value id that stands for an omitted optional value. */
#define TENON_NO_VALUE (-1)

/* ---- Status ------------------------------------------------------------------------------------------------------ */

typedef int32_t tenon_status;
enum {
    TENON_OK = 0,
    /* 1..15: the caller's mistake */
    TENON_INVALID_ARGUMENT = 1,
    TENON_UNSUPPORTED = 2,   /* a legal request for which there is no native step: use another implementation */
    TENON_INVALID_STATE = 3, /* wrong order of calls */
    TENON_NOT_FOUND = 4,
    /* 16..31: the data's mistake, seen while running */
    TENON_INDEX_OUT_OF_RANGE = 16,
    TENON_DIVISION_BY_ZERO = 17, /* integer division */
    /* 32..47: resources */
    TENON_OUT_OF_MEMORY = 32,
    TENON_CANCELLED = 33,
    /* 48..: this library or oneDNN */
    TENON_BACKEND_FAILURE = 48,
    TENON_INTERNAL = 49
};

/* message is zero-terminated UTF-8. */
typedef struct tenon_error {
    int32_t code;
    char message[508];
} tenon_error;

/* ---- Library ----------------------------------------------------------------------------------------------------- */

/* TENON_ABI_VERSION the library was compiled with. Constant time. */
TENON_API int64_t tenon_abi_version(void);
/* One line: library version, oneDNN version and hash, compiler, OpenMP. Static storage, never NULL. */
TENON_API const char* tenon_build_info(void);
/* Size in bytes of the struct named without its tenon_ prefix ("conv_params", "error"), or -1 when there is none. */
TENON_API int64_t tenon_sizeof(const char* struct_name);

enum { TENON_ISA_SCALAR = 0, TENON_ISA_AVX2 = 1, TENON_ISA_AVX512 = 2 };

typedef struct tenon_cpu_info {
    int64_t struct_size;
    int64_t best_isa;     /* best TENON_ISA_* the processor and this library have */
    int64_t selected_isa; /* after tenon_set_max_isa and the environment variable TENON_MAX_ISA (scalar|avx2|avx512) */
    int64_t affinity_threads; /* processors this process may run on (affinity mask; cgroup quotas are not looked at) */
    int64_t l2_bytes;         /* of one core; 0 when unknown */
    int64_t l3_bytes;
    int64_t has_vnni; /* 0 or 1, of the processor */
    int64_t has_bf16;
    int64_t has_amx;
} tenon_cpu_info;

TENON_API tenon_status tenon_cpu_query(tenon_cpu_info* out_info, tenon_error* err);
/* Process-wide upper limit for Tenon's own kernels and oneDNN's. Must come before the first engine is created:
 * TENON_INVALID_STATE afterwards, since oneDNN fixes its choice at the first use. */
TENON_API tenon_status tenon_set_max_isa(int64_t isa, tenon_error* err);

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

enum {
    TENON_MEMORY_ZERO = 1,      /* bytes are zero */
    TENON_MEMORY_HUGE_PAGES = 2 /* ask for 2 MiB pages; only blocks of 2 MiB and more can get them */
};
enum {
    TENON_ADVISE_DONT_NEED = 0,
    TENON_ADVISE_WILL_NEED = 1,
    TENON_ADVISE_HUGE_PAGES = 2,
    TENON_ADVISE_SEQUENTIAL = 3
};

/* bytes >= 0 (0 gives a unique non-NULL pointer). Aligned to 64 bytes; blocks of 2 MiB and more are mapped, aligned to
 * 2 MiB and zero. flags: sum of TENON_MEMORY_*. *out_address is freed with tenon_memory_free and the same bytes. */
TENON_API tenon_status tenon_memory_allocate(int64_t bytes, int64_t flags, void** out_address, tenon_error* err);
/* address may be NULL. */
TENON_API void tenon_memory_free(void* address, int64_t bytes);
/* Advice for the whole pages inside [address, address + bytes). DONT_NEED drops the content of private memory. */
TENON_API tenon_status tenon_memory_advise(void* address, int64_t bytes, int64_t advice, tenon_error* err);

/* ---- Engine: constants and packed weights, shared by its programs -------------------------------------------------
 */

typedef struct tenon_engine tenon_engine;
typedef struct tenon_program tenon_program;
typedef struct tenon_context tenon_context;

enum { TENON_MATH_STRICT = 0, TENON_MATH_BF16 = 1 /* fp32 products may be rounded to bf16 inside */ };

typedef struct tenon_engine_options {
    int64_t struct_size;
    int64_t threads;         /* >= 1: size of the thread team a run uses, the caller included */
    int64_t exact;           /* 1: no algorithm that reorders arithmetic beyond summation order (no Winograd) */
    int64_t math_mode;       /* TENON_MATH_* */
    int64_t serial_below_ns; /* steps estimated to take less run on the caller alone; -1 for the default */
} tenon_engine_options;

TENON_API tenon_status tenon_engine_create(const tenon_engine_options* options, tenon_engine** out_engine,
                                           tenon_error* err);
TENON_API void tenon_engine_destroy(tenon_engine* engine); /* NULL is allowed */

enum {
    TENON_CONSTANT_MAPPED = 1 /* the data lie in a read-only mapping of a file, so that pages may be dropped from
                                 memory: the engine does so with those it has packed */
};
/* Registers constant `key` (chosen by the caller, unique in the engine). data is plain row-major, borrowed until
 * tenon_engine_release_plain reports it dropped or the engine is destroyed; NULL when only packed forms will be used
 * (tenon_engine_packed_import). flags: sum of TENON_CONSTANT_*. Thread-safe, as all functions of the engine. */
TENON_API tenon_status tenon_engine_add_constant(tenon_engine* engine, int64_t key, const void* data, int64_t bytes,
                                                 int64_t flags, tenon_error* err);
/* Drops the engine's pointer to the plain data of `key` if no finished program reads it: *out_released is 1 then, else
 * 0. A program finished later that wants the plain form gets it from a packed one. */
TENON_API tenon_status tenon_engine_release_plain(tenon_engine* engine, int64_t key, int64_t* out_released,
                                                  tenon_error* err);
/* Forgets constant `key` and frees its packed forms. No program that reads it may be left. */
TENON_API tenon_status tenon_engine_remove_constant(tenon_engine* engine, int64_t key, tenon_error* err);

typedef struct tenon_packed {
    int64_t key;        /* the constant's */
    const void* layout; /* opaque, owned by the engine */
    int64_t layout_bytes;
    const void* data; /* 64-byte aligned; owned by the engine, or the imported pointer */
    int64_t data_bytes;
} tenon_packed;

/* Packed forms made or imported so far; indexes are stable until a constant is removed,
 * later ones are appended. */
TENON_API int64_t tenon_engine_packed_count(const tenon_engine* engine);
TENON_API tenon_status tenon_engine_packed_get(const tenon_engine* engine, int64_t index, tenon_packed* out_packed,
                                               tenon_error* err);
/* Makes a packed form known: `packed->layout` is copied, `packed->data` (64-byte aligned, read-only is fine) is
 * borrowed until the engine is destroyed. Rejects a layout of another oneDNN version or of the wrong size. */
TENON_API tenon_status tenon_engine_packed_import(tenon_engine* engine, const tenon_packed* packed, tenon_error* err);
/* Bytes of packed data the engine itself owns (imported ones not counted). */
TENON_API int64_t tenon_engine_packed_bytes(const tenon_engine* engine);

/* ---- Program: values ----------------------------------------------------------------------------------------------
 */

/* ONNX's TensorProto numbers. BOOL is one byte, 0 or 1. */
enum {
    TENON_F32 = 1,
    TENON_U8 = 2,
    TENON_I8 = 3,
    TENON_U16 = 4,
    TENON_I16 = 5,
    TENON_I32 = 6,
    TENON_I64 = 7,
    TENON_BOOL = 9,
    TENON_F16 = 10,
    TENON_F64 = 11,
    TENON_U32 = 12,
    TENON_U64 = 13,
    TENON_BF16 = 16
};
enum { TENON_ROLE_INPUT = 0, TENON_ROLE_OUTPUT = 1, TENON_ROLE_TEMP = 2, TENON_ROLE_CONSTANT = 3 };

typedef struct tenon_value_desc {
    int64_t struct_size;
    int64_t dtype;
    int64_t rank;                 /* 0..TENON_MAX_RANK */
    int64_t dims[TENON_MAX_RANK]; /* >= 0; a value with a zero dimension has no bytes, steps that only write such are
                                     dropped */
    int64_t role;
    int64_t index; /* INPUT, OUTPUT: slot for tenon_context_bind, 0.. without gaps; CONSTANT: key; TEMP: ignored */
} tenon_value_desc;

/* The engine must outlive the program. One thread at a time until tenon_program_place has returned; immutable and
 * thread-safe afterwards. */
TENON_API tenon_status tenon_program_create(tenon_engine* engine, tenon_program** out_program, tenon_error* err);
TENON_API void tenon_program_destroy(tenon_program* program); /* NULL is allowed */

/* *out_value: 0, 1, 2 ... in the order of the calls. INPUT and OUTPUT memory is plain row-major and belongs to the
 * caller; where TEMP values lie, and in which layout, is the program's business. An OUTPUT may also be read by later
 * steps. */
TENON_API tenon_status tenon_program_add_value(tenon_program* program, const tenon_value_desc* desc, int64_t* out_value,
                                               tenon_error* err);

/* ---- Program: steps -------------------------------------------------------------------------------------------------
 * tenon_program_add_<step>(program, name, params, err) checks the parameters and appends a node; lowering happens in
 * tenon_program_finish, where all readers are known. `name` (may be NULL) appears in messages and in tenon_step_info.
 * Each node writes its destination values completely and each value is written by one node at most. A node reads only
 * values written before. TENON_UNSUPPORTED leaves the program as it was, so a caller can probe with a scratch program:
 * adding is cheap. Types are F32 where nothing else is said.
 * -------------------------------------------------------------------------------------------------------------------
 */

/* Functions of elementwise steps and activations. x, y, z: operands; a, b: alpha, beta. */
enum {
    /* unary, result has the operand's type. All float types; (i): integers too */
    TENON_FN_IDENTITY = 0, /* (i) x */
    TENON_FN_ABS = 1,      /* (i) */
    TENON_FN_NEG = 2,      /* (i) */
    TENON_FN_SIGN = 3,     /* (i) */
    TENON_FN_SQRT = 4,
    TENON_FN_RSQRT = 5,
    TENON_FN_RECIPROCAL = 6,
    TENON_FN_EXP = 7,
    TENON_FN_LOG = 8,
    TENON_FN_SIN = 9,
    TENON_FN_COS = 10,
    TENON_FN_TAN = 11,
    TENON_FN_ASIN = 12,
    TENON_FN_ACOS = 13,
    TENON_FN_ATAN = 14,
    TENON_FN_SINH = 15,
    TENON_FN_COSH = 16,
    TENON_FN_TANH = 17,
    TENON_FN_ASINH = 18,
    TENON_FN_ACOSH = 19,
    TENON_FN_ATANH = 20,
    TENON_FN_ERF = 21,
    TENON_FN_FLOOR = 22,
    TENON_FN_CEIL = 23,
    TENON_FN_ROUND = 24,      /* half to even */
    TENON_FN_RELU = 25,       /* (i) max(x, 0) */
    TENON_FN_LEAKY_RELU = 26, /* x < 0 ? a x : x */
    TENON_FN_ELU = 27,        /* x < 0 ? a (exp(x) - 1) : x */
    TENON_FN_SELU = 28,       /* b (x < 0 ? a (exp(x) - 1) : x) */
    TENON_FN_CELU = 29,       /* max(0, x) + min(0, a (exp(x / a) - 1)) */
    TENON_FN_SIGMOID = 30,
    TENON_FN_HARD_SIGMOID = 31, /* max(0, min(1, a x + b)) */
    TENON_FN_HARD_SWISH = 32,   /* x max(0, min(1, a x + b)) */
    TENON_FN_SILU = 33,         /* x sigmoid(a x) */
    TENON_FN_SOFTPLUS = 34,
    TENON_FN_SOFTSIGN = 35,
    TENON_FN_MISH = 36,
    TENON_FN_GELU_ERF = 37,
    TENON_FN_GELU_TANH = 38,
    TENON_FN_THRESHOLDED_RELU = 39, /* x > a ? x : 0 */
    TENON_FN_SHRINK = 40,           /* b = lambda, a = bias: x < -b ? x + a : x > b ? x - a : 0 */
    TENON_FN_CLIP = 41,             /* (i) min(max(x, a), b) */
    TENON_FN_LINEAR = 42,           /* a x + b */
    TENON_FN_NOT = 43,              /* BOOL */
    TENON_FN_BIT_NOT = 44,          /* integers */
    TENON_FN_IS_NAN = 45,           /* result BOOL */
    TENON_FN_IS_INF = 46,           /* result BOOL; a != 0: +inf counts, b != 0: -inf counts */
    TENON_FN_CAST = 47,             /* any type to any type, as ONNX Cast (non-saturating where ONNX leaves it open) */
    /* binary, both operands of one type, result of that type */
    TENON_FN_ADD = 64, /* (i) as the next ones down to MAX */
    TENON_FN_SUB = 65,
    TENON_FN_MUL = 66,
    TENON_FN_DIV = 67,  /* integers truncate */
    TENON_FN_MOD = 68,  /* sign of the divisor (Python) */
    TENON_FN_FMOD = 69, /* sign of the dividend (C) */
    TENON_FN_MIN = 70,
    TENON_FN_MAX = 71,
    TENON_FN_POW = 72,   /* y may have another type */
    TENON_FN_PRELU = 73, /* x < 0 ? y x : x */
    TENON_FN_BIT_AND = 74,
    TENON_FN_BIT_OR = 75,
    TENON_FN_BIT_XOR = 76,
    TENON_FN_SHIFT_LEFT = 77,
    TENON_FN_SHIFT_RIGHT = 78,
    TENON_FN_AND = 79, /* BOOL */
    TENON_FN_OR = 80,
    TENON_FN_XOR = 81,
    TENON_FN_EQUAL = 82, /* result BOOL, as the next ones */
    TENON_FN_LESS = 83,
    TENON_FN_LESS_EQUAL = 84,
    TENON_FN_GREATER = 85,
    TENON_FN_GREATER_EQUAL = 86,
    /* ternary */
    TENON_FN_WHERE = 128 /* x BOOL ? y : z */
};

/* What happens to a result before it is stored, in order. */
enum {
    TENON_POST_ACTIVATION =
        1, /* function: a unary float TENON_FN_* (RELU .. LINEAR, TANH, ABS, SQRT, EXP ...) with alpha, beta */
    TENON_POST_ADD = 2, /* + value */
    TENON_POST_MUL = 3  /* * value */
};
typedef struct tenon_post_op {
    int64_t kind;
    int64_t function; /* ACTIVATION */
    int64_t value;    /* ADD, MUL: F32, broadcast to the destination as NumPy does */
    double alpha;
    double beta;
} tenon_post_op;

/* Convolution, ONNX Conv: src [N, C, spatial], weights [O, C / groups, kernel], bias [O] or none, dst [N, O, spatial].
 * Unused trailing entries of the spatial arrays are ignored. dilation 1 is dense. dst dims must agree with the formula
 * (src + pads_begin + pads_end - ((kernel - 1) dilation + 1)) / stride + 1, rounded down. weights and bias may be any
 * value; constants are packed once per engine. */
typedef struct tenon_conv_params {
    int64_t struct_size;
    int64_t src;
    int64_t weights;
    int64_t bias; /* or TENON_NO_VALUE */
    int64_t dst;
    int64_t groups;
    int64_t strides[TENON_MAX_SPATIAL];
    int64_t dilations[TENON_MAX_SPATIAL];
    int64_t pads_begin[TENON_MAX_SPATIAL];
    int64_t pads_end[TENON_MAX_SPATIAL]; /* may be negative */
    int64_t post_op_count;
    tenon_post_op post_ops[TENON_MAX_POST_OPS];
} tenon_conv_params;

TENON_API tenon_status tenon_program_add_conv(tenon_program* program, const char* name, const tenon_conv_params* params,
                                              tenon_error* err);
/* Transposed convolution, ONNX ConvTranspose: weights [C, O / groups, kernel]; dst dims are given (output padding is
 * whatever is left over at the end). */
TENON_API tenon_status tenon_program_add_deconv(tenon_program* program, const char* name,
                                                const tenon_conv_params* params, tenon_error* err);

/* dst = post_ops(alpha op(a) op(b) + beta bias). a [..., M, K] (or K x M when transposed), b [..., K, N] (N x K);
 * leading dims broadcast as NumPy does, rank >= 2. dst [..., M, N]. bias: broadcast to dst, or none. */
typedef struct tenon_matmul_params {
    int64_t struct_size;
    int64_t a;
    int64_t b;
    int64_t bias; /* or TENON_NO_VALUE */
    int64_t dst;
    int64_t transpose_a; /* 0 or 1: swaps the last two axes */
    int64_t transpose_b;
    double alpha;
    double beta;
    int64_t post_op_count;
    tenon_post_op post_ops[TENON_MAX_POST_OPS];
} tenon_matmul_params;

TENON_API tenon_status tenon_program_add_matmul(tenon_program* program, const char* name,
                                                const tenon_matmul_params* params, tenon_error* err);

enum { TENON_POOL_MAX = 0, TENON_POOL_AVERAGE_INCLUDE_PAD = 1, TENON_POOL_AVERAGE_EXCLUDE_PAD = 2 };
/* src [N, C, spatial], dst [N, C, spatial]. Global pooling: kernel = spatial dims. Rounding up (ceil mode) is expressed
 * by dst dims and pads_end; every window must touch at least one real element. INCLUDE_PAD divides by the kernel's
 * size. */
typedef struct tenon_pool_params {
    int64_t struct_size;
    int64_t src;
    int64_t dst;
    int64_t kind;
    int64_t kernel[TENON_MAX_SPATIAL];
    int64_t strides[TENON_MAX_SPATIAL];
    int64_t dilations[TENON_MAX_SPATIAL];
    int64_t pads_begin[TENON_MAX_SPATIAL];
    int64_t pads_end[TENON_MAX_SPATIAL];
} tenon_pool_params;

TENON_API tenon_status tenon_program_add_pool(tenon_program* program, const char* name, const tenon_pool_params* params,
                                              tenon_error* err);

/* Softmax over one axis; log = 1: log-softmax. */
typedef struct tenon_softmax_params {
    int64_t struct_size;
    int64_t src;
    int64_t dst;
    int64_t axis; /* 0 <= axis < rank */
    int64_t log;
} tenon_softmax_params;

TENON_API tenon_status tenon_program_add_softmax(tenon_program* program, const char* name,
                                                 const tenon_softmax_params* params, tenon_error* err);

/* s = src + residual; dst = (s - mean) / sqrt(variance + epsilon) * scale + bias over the axes axis..rank-1.
 * RMS: dst = s / sqrt(mean(s^2) + epsilon) * scale + bias. residual has src's dims. scale, bias: as many elements as
 * the normalised axes, or none. sum_out receives s. mean_out, inv_std_out: one element per row, layer_norm only. */
typedef struct tenon_layer_norm_params {
    int64_t struct_size;
    int64_t src;
    int64_t residual; /* or TENON_NO_VALUE, as all below down to inv_std_out except dst */
    int64_t scale;
    int64_t bias;
    int64_t dst;
    int64_t sum_out;
    int64_t mean_out;
    int64_t inv_std_out;
    int64_t axis;
    double epsilon;
} tenon_layer_norm_params;

TENON_API tenon_status tenon_program_add_layer_norm(tenon_program* program, const char* name,
                                                    const tenon_layer_norm_params* params, tenon_error* err);
TENON_API tenon_status tenon_program_add_rms_norm(tenon_program* program, const char* name,
                                                  const tenon_layer_norm_params* params, tenon_error* err);

/* src [N, C, ...]; statistics over the channels of a group and all trailing axes. groups = C: instance norm.
 * scale, bias: [C], or none. post_ops: ACTIVATION only. */
typedef struct tenon_group_norm_params {
    int64_t struct_size;
    int64_t src;
    int64_t scale;
    int64_t bias;
    int64_t dst;
    int64_t groups;
    double epsilon;
    int64_t post_op_count;
    tenon_post_op post_ops[TENON_MAX_POST_OPS];
} tenon_group_norm_params;

TENON_API tenon_status tenon_program_add_group_norm(tenon_program* program, const char* name,
                                                    const tenon_group_norm_params* params, tenon_error* err);

/* Local response normalisation over channels, ONNX LRN: x / (bias + alpha / size * sum of squares)^beta. */
typedef struct tenon_lrn_params {
    int64_t struct_size;
    int64_t src;
    int64_t dst;
    int64_t size;
    double alpha;
    double beta;
    double bias;
} tenon_lrn_params;

TENON_API tenon_status tenon_program_add_lrn(tenon_program* program, const char* name, const tenon_lrn_params* params,
                                             tenon_error* err);

/* One operation of an elementwise chain. Operand numbers: 0..input_count-1 are the step's inputs, input_count + i is
 * the result of operation i (i smaller than this operation's position). */
typedef struct tenon_elementwise_op {
    int64_t function; /* TENON_FN_* */
    int64_t dtype;    /* of the result */
    int64_t operands[3];
    double alpha;
    double beta;
} tenon_elementwise_op;

/* A chain evaluated in one pass. Inputs broadcast (NumPy) to the dims of the outputs, which all have the same dims. */
typedef struct tenon_elementwise_params {
    int64_t struct_size;
    int64_t input_count;
    const int64_t* inputs; /* value ids */
    int64_t op_count;
    const tenon_elementwise_op* ops;
    int64_t output_count;
    const int64_t* outputs;         /* value ids */
    const int64_t* output_operands; /* operand number stored to each output */
} tenon_elementwise_params;

TENON_API tenon_status tenon_program_add_elementwise(tenon_program* program, const char* name,
                                                     const tenon_elementwise_params* params, tenon_error* err);

enum {
    TENON_REDUCE_SUM = 0,
    TENON_REDUCE_MEAN = 1,
    TENON_REDUCE_MAX = 2,
    TENON_REDUCE_MIN = 3,
    TENON_REDUCE_PROD = 4,
    TENON_REDUCE_L1 = 5,
    TENON_REDUCE_L2 = 6,
    TENON_REDUCE_SUM_SQUARE = 7,
    TENON_REDUCE_LOG_SUM = 8,
    TENON_REDUCE_LOG_SUM_EXP = 9,
    TENON_REDUCE_ARG_MAX = 16,
    TENON_REDUCE_ARG_MIN = 17 /* one axis, dst I64 */
};
/* dst has src's dims with the reduced axes 1 or left out. */
typedef struct tenon_reduce_params {
    int64_t struct_size;
    int64_t src;
    int64_t dst;
    int64_t kind;
    int64_t axes;        /* bit i set: axis i is reduced */
    int64_t select_last; /* ARG_*: 1 takes the last of equal elements */
} tenon_reduce_params;

TENON_API tenon_status tenon_program_add_reduce(tenon_program* program, const char* name,
                                                const tenon_reduce_params* params, tenon_error* err);

enum { TENON_GATHER = 0, TENON_GATHER_ELEMENTS = 1, TENON_GATHER_ND = 2 };
/* ONNX Gather, GatherElements, GatherND. data of any type; indices I32 or I64, negative ones count from the end; one
 * out of range makes the run fail with TENON_INDEX_OUT_OF_RANGE. */
typedef struct tenon_gather_params {
    int64_t struct_size;
    int64_t data;
    int64_t indices;
    int64_t dst;
    int64_t kind;
    int64_t axis;       /* GATHER, GATHER_ELEMENTS */
    int64_t batch_dims; /* GATHER_ND */
} tenon_gather_params;

TENON_API tenon_status tenon_program_add_gather(tenon_program* program, const char* name,
                                                const tenon_gather_params* params, tenon_error* err);

/* dst axis i is src axis perm[i]. Any type. */
typedef struct tenon_transpose_params {
    int64_t struct_size;
    int64_t src;
    int64_t dst;
    int64_t perm[TENON_MAX_RANK];
} tenon_transpose_params;

TENON_API tenon_status tenon_program_add_transpose(tenon_program* program, const char* name,
                                                   const tenon_transpose_params* params, tenon_error* err);

/* dst[i...] = src[starts + i * steps ...]; sizes are dst's dims. steps may be negative, not zero. Any type.
 * Split is one slice per part. */
typedef struct tenon_slice_params {
    int64_t struct_size;
    int64_t src;
    int64_t dst;
    int64_t starts[TENON_MAX_RANK];
    int64_t steps[TENON_MAX_RANK];
} tenon_slice_params;

TENON_API tenon_status tenon_program_add_slice(tenon_program* program, const char* name,
                                               const tenon_slice_params* params, tenon_error* err);

enum { TENON_PAD_CONSTANT = 0, TENON_PAD_REFLECT = 1, TENON_PAD_EDGE = 2, TENON_PAD_WRAP = 3 };
/* ONNX Pad; pads may be negative (crop). Any type; value is converted to it. */
typedef struct tenon_pad_params {
    int64_t struct_size;
    int64_t src;
    int64_t dst;
    int64_t pads_begin[TENON_MAX_RANK];
    int64_t pads_end[TENON_MAX_RANK];
    int64_t mode;
    double value;
} tenon_pad_params;

TENON_API tenon_status tenon_program_add_pad(tenon_program* program, const char* name, const tenon_pad_params* params,
                                             tenon_error* err);

typedef struct tenon_concat_params {
    int64_t struct_size;
    int64_t input_count; /* >= 1 */
    const int64_t* inputs;
    int64_t dst;
    int64_t axis;
} tenon_concat_params;

TENON_API tenon_status tenon_program_add_concat(tenon_program* program, const char* name,
                                                const tenon_concat_params* params, tenon_error* err);

/* Steps with one source and one destination, without further parameters. */
typedef struct tenon_unary_params {
    int64_t struct_size;
    int64_t src;
    int64_t dst;
} tenon_unary_params;

/* Same elements, other dims; costs nothing where the layout allows it. Any type. */
TENON_API tenon_status tenon_program_add_reshape(tenon_program* program, const char* name,
                                                 const tenon_unary_params* params, tenon_error* err);
/* Broadcasts src to dst's dims (NumPy). Any type. */
TENON_API tenon_status tenon_program_add_expand(tenon_program* program, const char* name,
                                                const tenon_unary_params* params, tenon_error* err);
/* Converts src to dst's type (same dims), any of the types above. */
TENON_API tenon_status tenon_program_add_cast(tenon_program* program, const char* name,
                                              const tenon_unary_params* params, tenon_error* err);

/* Interpolation by tables: dst[i, j, ...] = sum over the axes' taps t, u, ... of
 * weights_0[i taps_0 + t] weights_1[j taps_1 + u] ... src[indices_0[i taps_0 + t], indices_1[j taps_1 + u], ...].
 * An axis with taps 0 is copied (dims equal). Tables have dst_dim * taps entries, are copied by the call, and cover
 * nearest, linear, cubic and anti-aliased resizing in every coordinate convention. indices must be in range. */
typedef struct tenon_resize_params {
    int64_t struct_size;
    int64_t src;
    int64_t dst;
    int64_t taps[TENON_MAX_RANK];
    const int64_t* indices[TENON_MAX_RANK];
    const double* weights[TENON_MAX_RANK];
} tenon_resize_params;

TENON_API tenon_status tenon_program_add_resize(tenon_program* program, const char* name,
                                                const tenon_resize_params* params, tenon_error* err);

/* dst = softmax(softcap(scale q k^T) + mask) v without the q_length x kv_length matrix in memory.
 * q, k, v and dst are read and written through strides, so transposed views and slices of one fused q/k/v value need no
 * copies: element (b, h, s, d) of q lies at q_offset + b * q_strides[0] + h * q_strides[1] + s * q_strides[2] + d.
 * kv_heads divides heads: query head h reads key/value head h * kv_heads / heads. A row without any visible key is
 * zero. */
typedef struct tenon_attention_params {
    int64_t struct_size;
    int64_t q;
    int64_t k;
    int64_t v;
    int64_t mask; /* F32 (added) or BOOL (1: visible), or TENON_NO_VALUE */
    int64_t dst;
    int64_t batch;
    int64_t heads;
    int64_t kv_heads;
    int64_t q_length;
    int64_t kv_length;
    int64_t head_size;       /* of q and k */
    int64_t value_head_size; /* of v and dst */
    int64_t q_offset;
    int64_t q_strides[3]; /* batch, head, position; the last axis is dense */
    int64_t k_offset;
    int64_t k_strides[3];
    int64_t v_offset;
    int64_t v_strides[3];
    int64_t dst_strides[3];
    int64_t mask_strides[4]; /* batch, head, query, key; 0 broadcasts; the last is 0 or 1 */
    double scale;
    double softcap; /* s -> softcap tanh(s / softcap); 0: none */
    int64_t causal; /* 1: query i sees keys j <= i + causal_offset */
    int64_t causal_offset;
} tenon_attention_params;

TENON_API tenon_status tenon_program_add_attention(tenon_program* program, const char* name,
                                                   const tenon_attention_params* params, tenon_error* err);

enum { TENON_CELL_LSTM = 0, TENON_CELL_GRU = 1 };
/* The steps of one direction of an LSTM or GRU, as ONNX defines them with the default activations. What the input adds
 * to the gates is computed before, for all steps at once (a matmul): gates [steps, batch, G hidden] = x W^T + biases. G
 * is 4 for LSTM, in the order i, o, f, c, and 3 for GRU: z, r, h. weights [G hidden, hidden] = R, a constant; bias [G
 * hidden] is added to h R^T. GRU's reset gate is applied to the sum (linear_before_reset = 1). lengths: I32 [batch] in
 * 0..steps, else the run fails with TENON_INDEX_OUT_OF_RANGE; steps beyond a row's length give zeros and leave its
 * state as it is. A reversed row begins at its last step. At least one of dst, last_h and last_c. */
typedef struct tenon_recurrent_params {
    int64_t struct_size;
    int64_t gates;
    int64_t weights;
    int64_t bias; /* or TENON_NO_VALUE, as all below down to last_c */
    int64_t lengths;
    int64_t initial_h; /* [batch, hidden], as the next one; none: zeros */
    int64_t initial_c; /* LSTM */
    int64_t peepholes; /* LSTM: [3 hidden], in the order i, o, f */
    int64_t dst;       /* [steps, batch, hidden] */
    int64_t last_h;    /* [batch, hidden], as the next one */
    int64_t last_c;    /* LSTM */
    int64_t cell;      /* TENON_CELL_* */
    int64_t reverse;   /* 1: from the last step to the first */
} tenon_recurrent_params;

TENON_API tenon_status tenon_program_add_recurrent(tenon_program* program, const char* name,
                                                   const tenon_recurrent_params* params, tenon_error* err);

/* ---- Program: lowering and memory plan -----------------------------------------------------------------------------
 */

/* Lowers all nodes: chooses implementations and layouts, packs constants, inserts reorders. May take long. */
TENON_API tenon_status tenon_program_finish(tenon_program* program, tenon_error* err);

/* A stretch of arena the program needs during steps first_step..last_step (both included). Views, in-place results and
 * concatenated parts are already merged: two buffers whose ranges overlap must not share bytes, others may. */
typedef struct tenon_buffer {
    int64_t bytes;     /* > 0 */
    int64_t alignment; /* power of two; the arena base must have the largest one */
    int64_t first_step;
    int64_t last_step;
    int64_t value; /* first value that lies in it, or TENON_NO_VALUE for scratch */
} tenon_buffer;

TENON_API int64_t tenon_program_buffer_count(const tenon_program* program);
/* out_buffers: room for tenon_program_buffer_count entries. */
TENON_API tenon_status tenon_program_buffers(const tenon_program* program, tenon_buffer* out_buffers, tenon_error* err);
/* offsets[i]: byte offset of buffer i in the arena. Checked: alignment, range, and that no two live buffers overlap. */
TENON_API tenon_status tenon_program_place(tenon_program* program, const int64_t* offsets, int64_t count,
                                           int64_t arena_bytes, tenon_error* err);

typedef struct tenon_step_info {
    int64_t node;  /* position of the add call it comes from, 0.. */
    int64_t flops; /* multiply and add count separately */
    int64_t bytes_read;
    int64_t bytes_written;
    int64_t threads;            /* it runs on */
    const char* kind;           /* "conv", "reorder" ...; strings are owned by the program, never NULL */
    const char* name;           /* given to the add call */
    const char* implementation; /* such as "brgconv:avx512_core" or "tenon:avx512" */
    const char* layouts;        /* of sources and destinations, such as "acdb,BA16a64b->acdb" */
} tenon_step_info;

TENON_API int64_t tenon_program_step_count(const tenon_program* program);
TENON_API tenon_status tenon_program_step(const tenon_program* program, int64_t step, tenon_step_info* out_info,
                                          tenon_error* err);

/* ---- Context: one program at one place in memory --------------------------------------------------------------------
 */

/* arena: arena_bytes bytes aligned to the largest buffer alignment (64 is enough), borrowed until the context is
 * destroyed; may be NULL when the program has no buffers. One thread at a time per context; contexts are independent.
 */
TENON_API tenon_status tenon_context_create(const tenon_program* program, void* arena, tenon_context** out_context,
                                            tenon_error* err);
TENON_API void tenon_context_destroy(tenon_context* context); /* NULL is allowed */
/* Sets the memory of an INPUT or OUTPUT slot; cheap, may be repeated between runs. address: as many bytes as the value
 * has, aligned to its element size, alive during each run; inputs and outputs must not overlap. NULL only for empty
 * values. */
TENON_API tenon_status tenon_context_bind(tenon_context* context, int64_t role, int64_t index, void* address,
                                          tenon_error* err);
/* Runs steps from_step..to_step-1 (0 and -1: all). Allocates nothing. cancel (may be NULL): the run stops with
 * TENON_CANCELLED before the next step once it is not 0. out_step_ns (may be NULL): one entry per step of the program;
 * those run receive their wall time. */
TENON_API tenon_status tenon_context_run(tenon_context* context, int64_t from_step, int64_t to_step,
                                         const volatile int32_t* cancel, uint64_t* out_step_ns, tenon_error* err);

#ifdef __cplusplus
}
#endif
#endif
