// The parts in the order they need each other.
// clang-format off
#define TENON_ISA avx512
#include "../common/vec_avx512.h"
#include "resize.h"
#include "resize_body.inl"
