// The parts in the order they need each other.
// clang-format off
#define TENON_ISA scalar
#include "../common/vec_scalar.h"
#include "../common/vec_reduce.inl"
#include "../norm/norm_row.inl"
#include "embedding.h"
#include "embedding_body.inl"
