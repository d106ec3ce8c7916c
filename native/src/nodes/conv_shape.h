#pragma once

#include "../onednn.h"

namespace tenon {

// A checked convolution: value ids (bias -1: none) and one entry of each list per spatial axis. Dilation 1 is dense.
struct ConvShape {
    int src, weights, bias, dst;
    bool transposed;
    int64_t groups;
    Dims strides, dilations, pads_begin, pads_end;
};

}  // namespace tenon
