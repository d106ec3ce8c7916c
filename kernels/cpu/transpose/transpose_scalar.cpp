// The parts in the order they need each other.
// clang-format off
#define TENON_ISA scalar
#include "../common/vec_scalar.h"
#include "transpose.h"
#include "transpose_body.inl"
