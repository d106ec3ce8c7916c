// The frame of every tenon_program_add_<step> function.
#pragma once

#include "program.h"
#include "status.h"

namespace tenon {

// Runs body(program, params), which checks and calls program.add_node; nothing stays behind when it throws.
template <typename Params, typename Body>
tenon_status add_call(tenon_program* program, const char* name, const Params* params, const char* kind,
                      tenon_error* err, const Body& body) {
    return guard(err, [&] {
        require(program != nullptr && params != nullptr, "%s: program or params is NULL", kind);
        require(params->struct_size == static_cast<int64_t>(sizeof *params), "%s: struct_size is %lld, expected %zu",
                kind, static_cast<long long>(params->struct_size), sizeof *params);
        if (program->finished) fail(TENON_INVALID_STATE, "%s: the program is finished", kind);
        program->begin_call(name);
        try {
            body(*program, *params);
            program->commit_call();
        } catch (const Failure& e) {
            program->abandon_call();
            throw Failure(e.status(), std::string(kind) + " \"" + (name != nullptr ? name : "") + "\": " + e.what());
        } catch (...) {
            program->abandon_call();
            throw;
        }
    });
}

inline long long ll(int64_t v) {
    return static_cast<long long>(v);
}

// Dims that lead `small` to `big` when broadcast as NumPy does, or empty when they do not.
inline bool broadcasts_to(const Dims& small, const Dims& big) {
    if (small.size() > big.size()) return false;
    const size_t shift = big.size() - small.size();
    for (size_t i = 0; i < small.size(); ++i) {
        if (small[i] != 1 && small[i] != big[shift + i]) return false;
    }
    return true;
}

// `dims` with leading 1s up to `rank`.
inline Dims with_rank(const Dims& dims, size_t rank) {
    Dims result(rank > dims.size() ? rank - dims.size() : 0, 1);
    result.insert(result.end(), dims.begin(), dims.end());
    return result;
}

inline void require_dtype(const Value& v, int64_t dtype, const char* argument) {
    extern const char* dtype_name(int64_t);
    require_supported(v.dtype == dtype, "%s is %s, there is only a step for %s", argument, dtype_name(v.dtype),
                      dtype_name(dtype));
}

}  // namespace tenon
