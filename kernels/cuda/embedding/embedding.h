/*
 * Embedding: gathers rows of a table by id, adds rows of a position table and of a token-type table, and normalises.
 *
 *   s[r, i] = words[id(ids[r], word_rows), i] + positions[id(q(r), position_rows), i] + types[id(type_ids[r],
 * type_rows), i] rounded to `type` q(r)    = position_ids[r], or, where it is null, position_offset + r mod sequence
 *   y[r, i] = s[r, i] (plain), or its layer or RMS norm as in norm.h
 *   id(k, n) = k when 0 <= k < n; k + n when -n <= k < 0 (ONNX Gather); anything else is an error: row r of y and of
 * sum is NaN, and *error becomes 1. It stays as it is when all ids are good. A plain gather has neither positions nor
 * types. Its values are unchanged, but for signalling NaN.
 *
 * Traffic per element: y once, words once (a row that comes again may come from L2), positions and types from L2; per
 * row the ids. Source: Devlin et al. 2018 (BERT's embedding); com.microsoft EmbedLayerNormalization-1 without
 * mask_index; ONNX Gather-13 along axis 0.
 */
#ifndef TENON_CUDA_EMBEDDING_H
#define TENON_CUDA_EMBEDDING_H

#include "common/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TENON_CUDA_EMBEDDING_LAYER = 0, TENON_CUDA_EMBEDDING_RMS = 1, TENON_CUDA_EMBEDDING_PLAIN = 2 };

typedef struct tenon_cuda_embedding {
    const void* words;        /* [word_rows, columns] */
    const void* positions;    /* [position_rows, columns]; may be null: 0 */
    const void* types;        /* [type_rows, columns]; may be null: 0 */
    const void* ids;          /* [rows], ids_type */
    const void* position_ids; /* [rows], ids_type; may be null */
    const void* type_ids;     /* [rows], ids_type; may be null when types is null */
    const void* scale;        /* [columns]; may be null: 1; not for plain */
    const void* bias;         /* [columns]; may be null: 0; not for plain */
    void* y;                  /* [rows, columns] */
    void* sum;                /* [rows, columns], receives s; may be null */
    void* error;              /* one int32; may be null */
    int64_t kind;             /* TENON_CUDA_EMBEDDING_* */
    int64_t type;             /* of the tables, scale, bias, y, sum: F32, F16, BF16 */
    int64_t ids_type;         /* I32 or I64 */
    int64_t rows;             /* 0 to 2^31 - 1 */
    int64_t columns;          /* 1 to 2^30 when rows > 0 */
    int64_t word_rows;        /* >= 0, as position_rows and type_rows */
    int64_t position_rows;
    int64_t type_rows;
    int64_t words_stride; /* between rows; >= columns, as all strides */
    int64_t positions_stride;
    int64_t types_stride;
    int64_t y_stride;
    int64_t sum_stride;
    int64_t sequence;        /* 1 to 2^31 - 1 when positions is given and position_ids is not */
    int64_t position_offset; /* 0 to 2^31 - 1 */
    double epsilon;          /* >= 0 */
} tenon_cuda_embedding;

TENON_CUDA_API int32_t tenon_cuda_embedding_plan(const tenon_cuda_embedding* args, const tenon_cuda_device* device,
                                                 tenon_cuda_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
