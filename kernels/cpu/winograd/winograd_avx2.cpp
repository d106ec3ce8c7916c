#include "winograd_body.inl"
