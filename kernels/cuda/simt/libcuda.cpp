// A libcuda.so.1 for tests: the functions of the driver that gpu/driver.cpp calls, on the SIMT shim. It refuses what
// cuda.h says that the driver refuses (and steps within a tensor map, which the shim lacks); "device" addresses are
// host addresses and every launch runs at once.
#include <cuda.h>

#include <cstring>
#include <map>

#include "simt/execute.h"
#include "simt/simt.h"
#include "simt/tensor_map.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace {

struct Function {
    const simt::Kernel* kernel;
    int most_shared = 48 << 10;  // until an attribute raises it
};

constexpr int kMostShared = 227 << 10;  // of sm_90
char module_;

CUmodule the_module() {
    return reinterpret_cast<CUmodule>(&module_);
}

}  // namespace

EXPORTED CUresult cuGetErrorName(CUresult error, const char** text) {
    switch (error) {
        case CUDA_SUCCESS:
            *text = "CUDA_SUCCESS";
            break;
        case CUDA_ERROR_INVALID_VALUE:
            *text = "CUDA_ERROR_INVALID_VALUE";
            break;
        case CUDA_ERROR_INVALID_IMAGE:
            *text = "CUDA_ERROR_INVALID_IMAGE";
            break;
        case CUDA_ERROR_INVALID_HANDLE:
            *text = "CUDA_ERROR_INVALID_HANDLE";
            break;
        case CUDA_ERROR_NOT_FOUND:
            *text = "CUDA_ERROR_NOT_FOUND";
            break;
        case CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES:
            *text = "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES";
            break;
        default:
            *text = nullptr;
            return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
}

// Takes a fatbin or an ELF file by its first bytes; the kernels are the linked ones.
EXPORTED CUresult cuModuleLoadData(CUmodule* module, const void* image) {
    if (!module || !image) return CUDA_ERROR_INVALID_VALUE;
    if (std::memcmp(image, "\x50\xed\x55\xba", 4) != 0 && std::memcmp(image, "\177ELF", 4) != 0) {
        return CUDA_ERROR_INVALID_IMAGE;
    }
    *module = the_module();
    return CUDA_SUCCESS;
}

EXPORTED CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
    static std::map<const simt::Kernel*, Function> functions;
    if (!function || !name) return CUDA_ERROR_INVALID_VALUE;
    if (module != the_module()) return CUDA_ERROR_INVALID_HANDLE;
    const simt::Kernel* kernel = simt::find_kernel(name);
    if (!kernel) return CUDA_ERROR_NOT_FOUND;
    *function = reinterpret_cast<CUfunction>(&functions.try_emplace(kernel, Function{kernel}).first->second);
    return CUDA_SUCCESS;
}

EXPORTED CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
    if (!function) return CUDA_ERROR_INVALID_HANDLE;
    if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES || value < 0 || value > kMostShared) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    reinterpret_cast<Function*>(function)->most_shared = value;
    return CUDA_SUCCESS;
}

EXPORTED CUresult cuLaunchKernel(CUfunction handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                                 unsigned block_y, unsigned block_z, unsigned shared_bytes, CUstream, void** params,
                                 void** extra) {
    if (!handle) return CUDA_ERROR_INVALID_HANDLE;
    const Function& function = *reinterpret_cast<Function*>(handle);
    if (!params || !params[0] || extra) return CUDA_ERROR_INVALID_VALUE;
    if (grid_x < 1 || grid_x > INT32_MAX || grid_y < 1 || grid_y > 65535 || grid_z < 1 || grid_z > 65535) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    if (block_x < 1 || block_x > 1024 || block_y != 1 || block_z != 1) return CUDA_ERROR_INVALID_VALUE;
    if (shared_bytes > static_cast<unsigned>(function.most_shared)) return CUDA_ERROR_INVALID_VALUE;
    if (block_x > static_cast<unsigned>(function.kernel->max_threads)) return CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;
    static tenon_cuda_plan plan;
    static uint64_t seed;
    plan.launch_count = 1;
    tenon_cuda_launch& launch = plan.launches[0];
    launch.kernel = function.kernel->name;
    launch.grid[0] = grid_x;
    launch.grid[1] = grid_y;
    launch.grid[2] = grid_z;
    launch.block = block_x;
    launch.shared_bytes = shared_bytes;
    // As the driver does: as many bytes as the kernel takes. Tensor maps are encoded already.
    launch.params_bytes = static_cast<int64_t>(function.kernel->params_bytes);
    std::memcpy(launch.params, params[0], function.kernel->params_bytes);
    simt::execute(plan, ++seed);
    return CUDA_SUCCESS;
}

// Strides need not grow from one dimension to the next, whatever cuda.h's formula says: [batch, row, head, element]
// tensors are seen in another order everywhere.
EXPORTED CUresult cuTensorMapEncodeTiled(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* address,
                                         const cuuint64_t* dims, const cuuint64_t* strides, const cuuint32_t* box,
                                         const cuuint32_t* steps, CUtensorMapInterleave interleave,
                                         CUtensorMapSwizzle swizzle, CUtensorMapL2promotion promotion,
                                         CUtensorMapFloatOOBfill fill) {
    const bool f16 = type == CU_TENSOR_MAP_DATA_TYPE_FLOAT16 || type == CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
    if (!map || reinterpret_cast<uintptr_t>(map) % alignof(CUtensorMap) != 0 || !f16) return CUDA_ERROR_INVALID_VALUE;
    if (rank < 1 || rank > TENON_CUDA_MAX_TENSOR_MAP_RANK) return CUDA_ERROR_INVALID_VALUE;
    if (interleave != CU_TENSOR_MAP_INTERLEAVE_NONE || swizzle < CU_TENSOR_MAP_SWIZZLE_NONE ||
        swizzle > CU_TENSOR_MAP_SWIZZLE_128B || promotion < CU_TENSOR_MAP_L2_PROMOTION_NONE ||
        promotion > CU_TENSOR_MAP_L2_PROMOTION_L2_256B || fill != CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    tenon_cuda_tensor_map described = {};
    described.address = address;
    described.rank = rank;
    described.swizzle_bytes = swizzle == CU_TENSOR_MAP_SWIZZLE_NONE ? 0 : 16 << swizzle;
    for (cuuint32_t i = 0; i < rank; i++) {
        if (steps[i] != 1) return CUDA_ERROR_INVALID_VALUE;
        described.dims[i] = static_cast<int64_t>(dims[i]);
        described.strides_bytes[i] = i == 0 ? 2 : static_cast<int64_t>(strides[i - 1]);
        described.box[i] = static_cast<int64_t>(box[i]);
    }
    simt::TensorMap m;
    if (simt::encode(described, &m)) return CUDA_ERROR_INVALID_VALUE;
    std::memset(map, 0, sizeof *map);
    std::memcpy(map, &m, sizeof m);
    return CUDA_SUCCESS;
}
