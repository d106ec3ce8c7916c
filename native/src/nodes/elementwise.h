#pragma once

#include <memory>
#include <vector>

#include "../program.h"

namespace tenon {

// Checks the chain (see tenon_elementwise_params) and makes its node.
std::unique_ptr<Node> make_elementwise_node(const tenon_program& program, const std::vector<int>& inputs,
                                            const std::vector<tenon_elementwise_op>& ops,
                                            const std::vector<int>& outputs,
                                            const std::vector<int64_t>& output_operands);

}  // namespace tenon
