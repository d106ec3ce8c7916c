// Executes plans on the SIMT shim, for check.py --host: the same entry points as driver.cpp's.
#include "simt/execute.h"

extern "C" TENON_CUDA_API int32_t tenon_gpu_execute(const char*, const tenon_cuda_plan* plan, void*, char*, int64_t) {
    simt::execute(*plan, 1);
    return 0;
}

extern "C" TENON_CUDA_API int32_t tenon_gpu_plan_bytes() {
    return sizeof(tenon_cuda_plan);
}
