// Executes plans on a GPU with the driver API, for check.py. Needs cuda.h and, when it runs, libcuda.so.1.
#include <cuda.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include "common/plan.h"

namespace {

struct Driver {
    void* library = dlopen("libcuda.so.1", RTLD_NOW);
    template <class F>
    F* get(const char* name) {
        return library ? reinterpret_cast<F*>(dlsym(library, name)) : nullptr;
    }
    decltype(cuGetErrorName)* error_name = get<decltype(cuGetErrorName)>("cuGetErrorName");
    decltype(cuModuleLoadData)* module_load = get<decltype(cuModuleLoadData)>("cuModuleLoadData");
    decltype(cuModuleGetFunction)* module_function = get<decltype(cuModuleGetFunction)>("cuModuleGetFunction");
    decltype(cuFuncSetAttribute)* set_attribute = get<decltype(cuFuncSetAttribute)>("cuFuncSetAttribute");
    decltype(cuLaunchKernel)* launch = get<decltype(cuLaunchKernel)>("cuLaunchKernel");
    decltype(cuTensorMapEncodeTiled)* encode = get<decltype(cuTensorMapEncodeTiled)>("cuTensorMapEncodeTiled");
};

Driver& driver() {
    static Driver d;
    return d;
}

std::map<std::string, CUmodule> modules;
std::map<std::string, CUfunction> functions;

int32_t fail(CUresult code, const char* what, const char* name, char* message, int64_t bytes) {
    const char* text = "?";
    if (driver().error_name) driver().error_name(code, &text);
    std::snprintf(message, static_cast<size_t>(bytes), "%s of %s: %s", what, name, text);
    return static_cast<int32_t>(code);
}

static_assert(alignof(CUtensorMap) <= TENON_CUDA_TENSOR_MAP_ALIGNMENT, "this CUDA aligns tensor maps to more");

CUresult encode(const tenon_cuda_tensor_map& map, unsigned char* params) {
    cuuint64_t dims[TENON_CUDA_MAX_TENSOR_MAP_RANK], strides[TENON_CUDA_MAX_TENSOR_MAP_RANK];
    cuuint32_t box[TENON_CUDA_MAX_TENSOR_MAP_RANK], ones[TENON_CUDA_MAX_TENSOR_MAP_RANK];
    for (int64_t i = 0; i < map.rank; i++) {
        dims[i] = static_cast<cuuint64_t>(map.dims[i]);
        if (i > 0) strides[i - 1] = static_cast<cuuint64_t>(map.strides_bytes[i]);
        box[i] = static_cast<cuuint32_t>(map.box[i]);
        ones[i] = 1;
    }
    CUtensorMapSwizzle swizzle = map.swizzle_bytes == 128  ? CU_TENSOR_MAP_SWIZZLE_128B
                                 : map.swizzle_bytes == 64 ? CU_TENSOR_MAP_SWIZZLE_64B
                                 : map.swizzle_bytes == 32 ? CU_TENSOR_MAP_SWIZZLE_32B
                                                           : CU_TENSOR_MAP_SWIZZLE_NONE;
    return driver().encode(
        reinterpret_cast<CUtensorMap*>(params + map.params_offset),
        map.type == TENON_CUDA_F16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16 : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
        static_cast<cuuint32_t>(map.rank), const_cast<void*>(map.address), dims, strides, box, ones,
        CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
}

}  // namespace

extern "C" TENON_CUDA_API int32_t tenon_gpu_plan_bytes() {
    return sizeof(tenon_cuda_plan);
}

// Loads a family's fatbin or cubin into the current context. 0 or a CUresult with a message.
extern "C" TENON_CUDA_API int32_t tenon_gpu_load(const char* family, const void* image, char* message, int64_t bytes) {
    if (!driver().launch || !driver().encode) {
        std::snprintf(message, static_cast<size_t>(bytes), "libcuda.so.1 is missing or older than CUDA 12");
        return CUDA_ERROR_SYSTEM_DRIVER_MISMATCH;
    }
    CUresult code = driver().module_load(&modules[family], image);
    return code == CUDA_SUCCESS ? 0 : fail(code, "cuModuleLoadData", family, message, bytes);
}

// Launches the plan's kernels on the stream. 0 or a CUresult with a message.
extern "C" TENON_CUDA_API int32_t tenon_gpu_execute(const char* family, const tenon_cuda_plan* plan, void* stream,
                                                    char* message, int64_t bytes) {
    for (int64_t i = 0; i < plan->launch_count; i++) {
        const tenon_cuda_launch& launch = plan->launches[i];
        CUfunction& function = functions[launch.kernel];
        CUresult code = CUDA_SUCCESS;
        if (!function) {
            code = driver().module_function(&function, modules[family], launch.kernel);
            if (code != CUDA_SUCCESS) return fail(code, "cuModuleGetFunction", launch.kernel, message, bytes);
        }
        if (launch.shared_bytes > 48 << 10) {
            code = driver().set_attribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                          static_cast<int>(launch.shared_bytes));
            if (code != CUDA_SUCCESS) return fail(code, "cuFuncSetAttribute", launch.kernel, message, bytes);
        }
        alignas(TENON_CUDA_TENSOR_MAP_ALIGNMENT) unsigned char params[TENON_CUDA_MAX_PARAMS_BYTES];
        std::memcpy(params, launch.params, static_cast<size_t>(launch.params_bytes));
        for (int64_t m = 0; m < launch.tensor_map_count; m++) {
            code = encode(launch.tensor_maps[m], params);
            if (code != CUDA_SUCCESS) return fail(code, "cuTensorMapEncodeTiled", launch.kernel, message, bytes);
        }
        void* arguments[] = {params};
        code = driver().launch(function, static_cast<unsigned>(launch.grid[0]), static_cast<unsigned>(launch.grid[1]),
                               static_cast<unsigned>(launch.grid[2]), static_cast<unsigned>(launch.block), 1, 1,
                               static_cast<unsigned>(launch.shared_bytes), static_cast<CUstream>(stream), arguments,
                               nullptr);
        if (code != CUDA_SUCCESS) return fail(code, "cuLaunchKernel", launch.kernel, message, bytes);
    }
    return 0;
}
