#define TENON_ISA avx2
#include "winograd_body.inl"
