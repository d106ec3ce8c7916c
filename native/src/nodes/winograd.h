// 3x3 convolutions by Winograd's algorithm, where that is worth it.
#pragma once

#include <vector>

#include "../lowering.h"
#include "conv_shape.h"

namespace tenon {

// Whether the convolution with these post-ops can be computed so, may be (exact engines do not), and gains from it.
bool winograd_applies(const Lowering& l, const ConvShape& shape, const std::vector<tenon_post_op>& ops);
// Value the post-ops add to the result, or -1.
int winograd_residual(const Lowering& l, const ConvShape& shape, const std::vector<tenon_post_op>& ops);
// overwrite_residual: the node reads the residual for nothing else.
void lower_winograd(Lowering& l, const ConvShape& shape, const std::vector<tenon_post_op>& ops,
                    bool overwrite_residual);

}  // namespace tenon
