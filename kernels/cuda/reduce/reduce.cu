#include "reduce/reduce.cuh"

using namespace tenon::cuda;

// rows: inner = 1. columns: inner > 1, one or four columns to a thread; integers of any shape. finish: the second
// launch after splits.
#define TENON_REDUCE_ROWS(name, Fold, T)                                                   \
    TENON_KERNEL(name, ReduceParams, kReduceThreads, sizeof(Fold<T>::State) > 4 ? 2 : 3) { \
        TENON_SHARED(Fold<T>::State, shared, [kReduceThreads / kWarp]);                    \
        reduce_rows<Fold<T>, T>(p, shared);                                                \
    }
#define TENON_REDUCE_COLUMNS(name, Fold, T, N)                                             \
    TENON_KERNEL(name, ReduceParams, kReduceThreads, sizeof(Fold<T>::State) > 4 ? 2 : 4) { \
        TENON_SHARED(Fold<T>::State, shared, [kReduceThreads][N]);                         \
        reduce_columns<Fold<T>, T, N>(p, shared);                                          \
    }
#define TENON_REDUCE_FINISH(name, Fold, T)                \
    TENON_KERNEL(name, ReduceParams, kReduceThreads, 4) { \
        reduce_finish<Fold<T>>(p);                        \
    }
#define TENON_REDUCE_TYPE(fold, Fold, type, T)                             \
    TENON_REDUCE_ROWS(tenon_reduce_rows_##fold##_##type, Fold, T)          \
    TENON_REDUCE_COLUMNS(tenon_reduce_columns_##fold##_##type, Fold, T, 1) \
    TENON_REDUCE_COLUMNS(tenon_reduce_columns4_##fold##_##type, Fold, T, 4)
#define TENON_REDUCE(fold, Fold)              \
    TENON_REDUCE_TYPE(fold, Fold, f32, float) \
    TENON_REDUCE_TYPE(fold, Fold, f16, f16)   \
    TENON_REDUCE_TYPE(fold, Fold, bf16, bf16) \
    TENON_REDUCE_FINISH(tenon_reduce_finish_##fold##_f32, Fold, float)

TENON_REDUCE(sum, FoldSum)
TENON_REDUCE(max, FoldMax)
TENON_REDUCE(product, FoldProduct)
TENON_REDUCE(log_sum_exp, FoldLogSumExp)
TENON_REDUCE(position, FoldPosition)
// 16-bit states are powers of two.
TENON_REDUCE_FINISH(tenon_reduce_finish_log_sum_exp_f16, FoldLogSumExp, f16)

#define TENON_REDUCE_INTEGER(fold, Fold, type, T)                          \
    TENON_REDUCE_COLUMNS(tenon_reduce_columns_##fold##_##type, Fold, T, 1) \
    TENON_REDUCE_FINISH(tenon_reduce_finish_##fold##_##type, Fold, T)
TENON_REDUCE_INTEGER(sum, FoldIntegerSum, i32, int32_t)
TENON_REDUCE_INTEGER(sum, FoldIntegerSum, i64, int64_t)
TENON_REDUCE_INTEGER(max, FoldIntegerMax, i32, int32_t)
TENON_REDUCE_INTEGER(max, FoldIntegerMax, i64, int64_t)
