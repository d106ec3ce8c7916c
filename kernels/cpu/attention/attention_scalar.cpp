#define TENON_ISA scalar
#include "attention_body.inl"
