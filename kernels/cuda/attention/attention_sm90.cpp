#include "attention/attention_params.h"

namespace tenon::cuda {

bool plan_attention_sm90(const tenon_cuda_attention&, const tenon_cuda_device&, Planner&) {
    return false;
}

}  // namespace tenon::cuda
