#define TENON_ISA scalar
#include "winograd_body.inl"
