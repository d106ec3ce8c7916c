// The parts in the order they need each other.
// clang-format off
#define TENON_ISA avx2
#include "../common/vec_avx2.h"
#include "../common/vec_reduce.inl"
#include "../norm/norm_row.inl"
#include "embedding.h"
#include "embedding_body.inl"
