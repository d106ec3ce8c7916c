// The parts in the order they need each other.
// clang-format off
#define TENON_ISA scalar
#include "../common/vec_scalar.h"
#include "resize.h"
#include "resize_body.inl"
