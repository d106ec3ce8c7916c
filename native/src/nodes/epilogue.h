// Post-ops: what happens to a result before it is stored.
#pragma once

#include <vector>

#include "../lowering.h"
#include "../program.h"

namespace tenon {

// Checks post-ops against the program and dims of the result.
std::vector<tenon_post_op> parse_post_ops(const tenon_program& program, const tenon_post_op* ops, int64_t count,
                                          const Value& dst);

// How many leading post-ops oneDNN can fuse.
size_t fusable_prefix(const std::vector<tenon_post_op>& ops);

// Where the step whose post-ops are fused up to `fused` writes: dst itself, or a hidden value that an elementwise node,
// added by finish_epilogue, turns into dst.
int epilogue_target(tenon_program& program, const std::vector<tenon_post_op>& ops, size_t fused, int dst);
void finish_epilogue(tenon_program& program, const std::vector<tenon_post_op>& ops, size_t fused, int target, int dst);

// Value ids that post-ops read.
void append_reads(const std::vector<tenon_post_op>& ops, std::vector<int>& reads);

// oneDNN's algorithm for an activation; dnnl_alg_kind_undef when it has none with the same meaning.
struct EltwiseAlg {
    dnnl_alg_kind_t kind;
    float alpha;
    float beta;
};
EltwiseAlg eltwise_alg(int64_t function, double alpha, double beta);

// Collects oneDNN post-ops together with the operands they read at run time.
class FusedPostOps {
  public:
    FusedPostOps();
    void sum();
    void eltwise(const EltwiseAlg& alg);
    void binary(dnnl_alg_kind_t kind, int buffer, const MemoryDesc& desc);
    void set(const Attr& attr) const;
    const std::vector<Lowering::PrimitiveOperand>& operands() const { return operands_; }

  private:
    PostOps ops_;
    std::vector<Lowering::PrimitiveOperand> operands_;
};

}  // namespace tenon
