#define TENON_ISA avx512
#include "winograd_body.inl"
