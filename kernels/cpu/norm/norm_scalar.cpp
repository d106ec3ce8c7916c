// The parts in the order they need each other.
// clang-format off
#define TENON_ISA scalar
#include "../common/vec_scalar.h"
#include "../common/vec_reduce.inl"
#include "norm.h"
#include "norm_row.inl"
#include "norm_body.inl"
