// What this library and this processor are.
#include <dnnl.h>
#include <omp.h>
#include <sched.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string_view>

#include "common/cpu_features.h"
#include "isa.h"
#include "status.h"
#include "tenon/tenon.h"
#include "tenon_build.h"

#define TENON_TEXT_OF(x) #x
#define TENON_TEXT(x) TENON_TEXT_OF(x)

namespace tenon {
namespace {

struct IsaChoice {
    std::mutex mutex;
    cpu::Isa selected = initial();
    bool fixed = false;

    static cpu::Isa initial() {
        cpu::Isa limit = cpu::Isa::avx512;
        cpu::parse_isa(std::getenv("TENON_MAX_ISA"), &limit);
        return cpu::best_isa(limit);
    }
};

IsaChoice& choice() {
    static IsaChoice instance;
    return instance;
}

int64_t threads_of_affinity() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : omp_get_num_procs();
}

}  // namespace

cpu::Isa fix_isa() {
    IsaChoice& c = choice();
    const std::lock_guard lock(c.mutex);
    if (!c.fixed) {
        c.fixed = true;
        // Programs keep their primitives alive. The cache only helps a plan find what its probe made, and an entry can
        // take half a megabyte of code, so the default of 1024 would let models with changing shapes grow by 500 MB.
        if (std::getenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY") == nullptr) dnnl_set_primitive_cache_capacity(256);
        if (c.selected < cpu::best_isa()) {
            // Fails when oneDNN was used before in this process; its choice then stays wider than ours.
            dnnl_set_max_cpu_isa(c.selected == cpu::Isa::scalar ? dnnl_cpu_isa_sse41 : dnnl_cpu_isa_avx2);
        }
    }
    return c.selected;
}

}  // namespace tenon

using namespace tenon;

extern "C" {

int64_t tenon_abi_version(void) {
    return TENON_ABI_VERSION;
}

const char* tenon_build_info(void) {
    return "tenon " TENON_BUILD_VERSION " (" TENON_BUILD_COMMIT
           ") oneDNN " TENON_TEXT(DNNL_VERSION_MAJOR) "." TENON_TEXT(DNNL_VERSION_MINOR) "." TENON_TEXT(
               DNNL_VERSION_PATCH) " gcc " __VERSION__ " openmp " TENON_TEXT(_OPENMP);
}

int64_t tenon_sizeof(const char* struct_name) {
    if (struct_name == nullptr) return -1;
    const std::string_view name = struct_name;
#define TENON_SIZE(type) \
    if (name == #type) return sizeof(tenon_##type);
    TENON_SIZE(error)
    TENON_SIZE(cpu_info)
    TENON_SIZE(engine_options)
    TENON_SIZE(packed)
    TENON_SIZE(value_desc)
    TENON_SIZE(post_op)
    TENON_SIZE(conv_params)
    TENON_SIZE(matmul_params)
    TENON_SIZE(pool_params)
    TENON_SIZE(softmax_params)
    TENON_SIZE(layer_norm_params)
    TENON_SIZE(group_norm_params)
    TENON_SIZE(lrn_params)
    TENON_SIZE(elementwise_op)
    TENON_SIZE(elementwise_params)
    TENON_SIZE(reduce_params)
    TENON_SIZE(gather_params)
    TENON_SIZE(transpose_params)
    TENON_SIZE(slice_params)
    TENON_SIZE(pad_params)
    TENON_SIZE(concat_params)
    TENON_SIZE(unary_params)
    TENON_SIZE(resize_params)
    TENON_SIZE(attention_params)
    TENON_SIZE(recurrent_params)
    TENON_SIZE(buffer)
    TENON_SIZE(step_info)
#undef TENON_SIZE
    return -1;
}

tenon_status tenon_cpu_query(tenon_cpu_info* out_info, tenon_error* err) {
    return guard(err, [&] {
        require(out_info != nullptr && out_info->struct_size == sizeof *out_info, "cpu_info: wrong struct_size");
        const cpu::CpuFeatures& features = cpu::cpu_features();
        IsaChoice& c = choice();
        const std::lock_guard lock(c.mutex);
        out_info->best_isa = static_cast<int64_t>(cpu::best_isa());
        out_info->selected_isa = static_cast<int64_t>(c.selected);
        out_info->affinity_threads = threads_of_affinity();
        out_info->l2_bytes = features.l2_bytes;
        out_info->l3_bytes = features.l3_bytes;
        out_info->has_vnni = features.avx512_vnni;
        out_info->has_bf16 = features.avx512_bf16;
        out_info->has_amx = features.amx;
    });
}

tenon_status tenon_set_max_isa(int64_t isa, tenon_error* err) {
    return guard(err, [&] {
        require(isa >= TENON_ISA_SCALAR && isa <= TENON_ISA_AVX512, "unknown instruction set %lld",
                static_cast<long long>(isa));
        IsaChoice& c = choice();
        const std::lock_guard lock(c.mutex);
        if (c.fixed) fail(TENON_INVALID_STATE, "the instruction set is fixed by the first engine; set it before");
        c.selected = cpu::best_isa(static_cast<cpu::Isa>(isa));
    });
}
}
