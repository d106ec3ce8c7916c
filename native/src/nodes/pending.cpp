// Steps of the interface that have no kernel yet.
#include "../add_call.h"

using namespace tenon;

extern "C" {

tenon_status tenon_program_add_reduce(tenon_program* program, const char* name, const tenon_reduce_params* params,
                                      tenon_error* err) {
    return add_call(program, name, params, "reduce", err, [](tenon_program&, const tenon_reduce_params&) {
        fail(TENON_UNSUPPORTED, "no kernel for reductions");
    });
}

tenon_status tenon_program_add_resize(tenon_program* program, const char* name, const tenon_resize_params* params,
                                      tenon_error* err) {
    return add_call(program, name, params, "resize", err, [](tenon_program&, const tenon_resize_params&) {
        fail(TENON_UNSUPPORTED, "no kernel for resizing");
    });
}
}
