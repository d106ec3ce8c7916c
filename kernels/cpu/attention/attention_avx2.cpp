#define TENON_ISA avx2
#include "attention_body.inl"
