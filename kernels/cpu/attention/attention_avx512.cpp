#define TENON_ISA avx512
#include "attention_body.inl"
