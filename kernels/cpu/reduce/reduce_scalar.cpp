// The parts in the order they need each other.
// clang-format off
#define TENON_ISA scalar
#include "../common/vec_scalar.h"
#include "../common/vec_math.inl"
#include "../common/vec_reduce.inl"
#include "reduce.h"
#include "reduce_types.inl"
#include "reduce_f32.inl"
#include "reduce_body.inl"
