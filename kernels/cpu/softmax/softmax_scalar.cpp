// The parts in the order they need each other.
// clang-format off
#define TENON_ISA scalar
#include "../common/vec_scalar.h"
#include "../common/vec_math.inl"
#include "../common/vec_reduce.inl"
#include "softmax.h"
#include "softmax_body.inl"
