// The parts in the order they need each other.
// clang-format off
#define TENON_ISA avx2
#include "../common/vec_avx2.h"
#include "resize.h"
#include "resize_body.inl"
