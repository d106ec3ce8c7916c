// The parts in the order they need each other.
// clang-format off
#define TENON_ISA scalar
#include "../common/vec_scalar.h"
#include "../common/vec_math.inl"
#include "elementwise.h"
#include "elementwise_f32.inl"
#include "elementwise_types.inl"
#include "elementwise_cast.inl"
#include "elementwise_body.inl"
