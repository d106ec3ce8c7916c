// The parts in the order they need each other.
// clang-format off
#define TENON_ISA scalar
#include "../common/vec_scalar.h"
#include "../common/vec_math.inl"
#include "rnn.h"
#include "rnn_body.inl"
