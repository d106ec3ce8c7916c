// Builds, places and runs one program in a test. Failing calls throw; checks count failures and print them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tenon/tenon.h"

namespace test {

using Dims = std::vector<int64_t>;
using Floats = std::vector<float>;

inline int failures = 0;

inline void check(bool ok, const std::string& what) {
    if (ok) return;
    ++failures;
    std::printf("FAIL %s\n", what.c_str());
}

inline int64_t count(const Dims& dims) {
    int64_t n = 1;
    for (int64_t d : dims) n *= d;
    return n;
}

inline Floats random_floats(int64_t n, uint32_t seed) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    Floats values(n);
    for (float& v : values) v = uniform(engine);
    return values;
}

// |got - want| <= absolute + relative |want|; NaN equals NaN.
inline void check_close(const float* got, const Floats& want, double relative, double absolute,
                        const std::string& what) {
    for (size_t i = 0; i < want.size(); ++i) {
        if (std::isnan(got[i]) && std::isnan(want[i])) continue;
        if (!(std::abs(got[i] - want[i]) <= absolute + relative * std::abs(want[i]))) {
            check(false, what + ": element " + std::to_string(i) + " is " + std::to_string(got[i]) + ", expected " +
                             std::to_string(want[i]));
            return;
        }
    }
}

inline void call(tenon_status status, const tenon_error& err) {
    if (status != TENON_OK) throw std::runtime_error(std::to_string(status) + ": " + err.message);
}

class Engine {
  public:
    explicit Engine(int64_t threads = 2, bool exact = false) {
        tenon_error err{};
        const tenon_engine_options options{sizeof options, threads, exact, TENON_MATH_STRICT, -1};
        call(tenon_engine_create(&options, &handle, &err), err);
    }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine() { tenon_engine_destroy(handle); }

    int64_t constant(const void* data, int64_t bytes, int64_t flags = 0) {
        tenon_error err{};
        call(tenon_engine_add_constant(handle, ++last_key_, data, bytes, flags, &err), err);
        return last_key_;
    }

    tenon_engine* handle = nullptr;

  private:
    int64_t last_key_ = 100;
};

// A program with guarded memory around everything it may write.
class Program {
  public:
    explicit Program(Engine& engine) : engine_(engine) {
        tenon_error err{};
        call(tenon_program_create(engine.handle, &handle, &err), err);
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program() {
        for (tenon_context* c : contexts_) tenon_context_destroy(c);
        tenon_program_destroy(handle);
    }

    int64_t value(int64_t role, int64_t dtype, const Dims& dims, int64_t index) {
        tenon_value_desc desc{};
        desc.struct_size = sizeof desc;
        desc.dtype = dtype;
        desc.rank = static_cast<int64_t>(dims.size());
        std::copy(dims.begin(), dims.end(), desc.dims);
        desc.role = role;
        desc.index = index;
        tenon_error err{};
        int64_t id = -1;
        call(tenon_program_add_value(handle, &desc, &id, &err), err);
        return id;
    }

    // An input of any type with its content.
    template <typename T>
    int64_t input(int64_t dtype, const Dims& dims, const std::vector<T>& data) {
        inputs_.emplace_back(data.size() * sizeof(T));
        if (!data.empty()) std::memcpy(inputs_.back().data(), data.data(), inputs_.back().size());
        return value(TENON_ROLE_INPUT, dtype, dims, static_cast<int64_t>(inputs_.size()) - 1);
    }
    int64_t input(const Dims& dims, const Floats& data) { return input(TENON_F32, dims, data); }
    int64_t input(const Dims& dims, uint32_t seed) { return input(dims, random_floats(count(dims), seed)); }

    template <typename T>
    int64_t constant(int64_t dtype, const Dims& dims, std::vector<T> data) {
        auto kept = std::make_shared<std::vector<T>>(std::move(data));
        keep_.push_back(kept);
        return value(TENON_ROLE_CONSTANT, dtype, dims,
                     engine_.constant(kept->data(), static_cast<int64_t>(kept->size() * sizeof(T))));
    }
    int64_t constant(const Dims& dims, Floats data) { return constant(TENON_F32, dims, std::move(data)); }

    int64_t temp(const Dims& dims, int64_t dtype = TENON_F32) { return value(TENON_ROLE_TEMP, dtype, dims, 0); }

    int64_t output(const Dims& dims, int64_t dtype = TENON_F32, int64_t width = 4) {
        outputs_.emplace_back(count(dims) * width + 2 * kGuard, kPoison);
        return value(TENON_ROLE_OUTPUT, dtype, dims, static_cast<int64_t>(outputs_.size()) - 1);
    }

    template <typename Params>
    void add(tenon_status (*function)(tenon_program*, const char*, const Params*, tenon_error*), Params params,
             const char* name = "node") {
        params.struct_size = sizeof params;
        tenon_error err{};
        call(function(handle, name, &params, &err), err);
    }
    template <typename Params>
    tenon_status try_add(tenon_status (*function)(tenon_program*, const char*, const Params*, tenon_error*),
                         Params params, std::string* message = nullptr) {
        params.struct_size = sizeof params;
        tenon_error err{};
        const tenon_status status = function(handle, "node", &params, &err);
        if (message != nullptr) *message = err.message;
        return status;
    }

    void finish() {
        tenon_error err{};
        call(tenon_program_finish(handle, &err), err);
        place();
    }

    // Offsets by first fit, so that memory is shared as much as lifetimes allow and wrong lifetimes show.
    void place() {
        tenon_error err{};
        std::vector<tenon_buffer> buffers(tenon_program_buffer_count(handle));
        call(tenon_program_buffers(handle, buffers.data(), &err), err);
        std::vector<int64_t> offsets(buffers.size());
        for (size_t i = 0; i < buffers.size(); ++i) {
            int64_t at = 0;
            for (bool moved = true; moved;) {
                moved = false;
                for (size_t j = 0; j < i; ++j) {
                    const bool together =
                        buffers[j].first_step <= buffers[i].last_step && buffers[i].first_step <= buffers[j].last_step;
                    if (together && at < offsets[j] + buffers[j].bytes && offsets[j] < at + buffers[i].bytes) {
                        at = offsets[j] + buffers[j].bytes;
                        moved = true;
                    }
                }
            }
            offsets[i] = at;
            arena_bytes = std::max(arena_bytes, at + buffers[i].bytes);
        }
        call(tenon_program_place(handle, offsets.data(), static_cast<int64_t>(offsets.size()), arena_bytes, &err), err);
    }

    // A context with an arena of NaNs and guards.
    tenon_context* context() {
        arenas_.push_back(Arena(arena_bytes));
        tenon_context* made = nullptr;
        tenon_error err{};
        call(tenon_context_create(handle, arenas_.back().begin, &made, &err), err);
        contexts_.push_back(made);
        return made;
    }

    void bind(tenon_context* c) {
        tenon_error err{};
        for (size_t i = 0; i < inputs_.size(); ++i) {
            call(tenon_context_bind(c, TENON_ROLE_INPUT, static_cast<int64_t>(i), inputs_[i].data(), &err), err);
        }
        for (size_t i = 0; i < outputs_.size(); ++i) {
            call(tenon_context_bind(c, TENON_ROLE_OUTPUT, static_cast<int64_t>(i), outputs_[i].data() + kGuard, &err),
                 err);
        }
    }

    tenon_status run(std::string* message = nullptr) {
        if (contexts_.empty()) {
            finish();
            bind(context());
        }
        tenon_error err{};
        const tenon_status status = tenon_context_run(contexts_.front(), 0, -1, nullptr, nullptr, &err);
        if (message != nullptr) *message = err.message;
        check_guards();
        return status;
    }

    void check_guards() {
        for (auto& o : outputs_) {
            for (int64_t i = 0; i < kGuard; ++i) {
                check(o[i] == kPoison && o[o.size() - 1 - i] == kPoison, "an output's guard bytes were written");
                if (o[i] != kPoison || o[o.size() - 1 - i] != kPoison) break;
            }
        }
        for (const Arena& a : arenas_) check(a.intact(), "the arena's guard bytes were written");
    }

    const float* result(int64_t slot = 0) const {
        return reinterpret_cast<const float*>(outputs_[slot].data() + kGuard);
    }
    template <typename T>
    const T* result_of(int64_t slot = 0) const {
        return reinterpret_cast<const T*>(outputs_[slot].data() + kGuard);
    }

    int64_t steps() const { return tenon_program_step_count(handle); }
    tenon_step_info step(int64_t i) const {
        tenon_step_info info{};
        tenon_error err{};
        call(tenon_program_step(handle, i, &info, &err), err);
        return info;
    }
    int64_t count_steps(const std::string& kind) const {
        int64_t n = 0;
        for (int64_t i = 0; i < steps(); ++i) n += step(i).kind == kind;
        return n;
    }
    void print_steps() const {
        for (int64_t i = 0; i < steps(); ++i) {
            const tenon_step_info s = step(i);
            std::printf("  %lld %s %s %s %s threads %lld\n", static_cast<long long>(i), s.kind, s.name,
                        s.implementation, s.layouts, static_cast<long long>(s.threads));
        }
    }

    tenon_program* handle = nullptr;
    int64_t arena_bytes = 0;

  private:
    static constexpr int64_t kGuard = 256;
    static constexpr char kPoison = 0x7f;

    struct Arena {
        std::vector<char> memory;
        char* begin;
        int64_t bytes;
        explicit Arena(int64_t size) : memory(size + 2 * kGuard + 64, static_cast<char>(0xff)), bytes(size) {
            char* first = memory.data() + kGuard;
            begin = first + (64 - reinterpret_cast<uintptr_t>(first) % 64) % 64;
        }
        Arena(Arena&&) = default;
        bool intact() const {
            const char* end = begin + bytes;
            return std::all_of(memory.data(), static_cast<const char*>(begin),
                               [](char c) { return c == static_cast<char>(0xff); }) &&
                   std::all_of(end, memory.data() + memory.size(), [](char c) { return c == static_cast<char>(0xff); });
        }
    };

    Engine& engine_;
    std::vector<std::vector<char>> inputs_;
    std::vector<std::vector<char>> outputs_;
    std::vector<Arena> arenas_;
    std::vector<tenon_context*> contexts_;
    std::vector<std::shared_ptr<void>> keep_;
};

// Runs named cases; the exit code of main.
inline int run_all(const std::vector<std::pair<const char*, std::function<void()>>>& cases, int argc, char** argv) {
    for (const auto& [name, body] : cases) {
        if (argc > 1 && std::strstr(name, argv[1]) == nullptr) continue;
        const int before = failures;
        try {
            body();
        } catch (const std::exception& e) {
            check(false, e.what());
        }
        std::printf("%s %s\n", failures == before ? "ok  " : "FAIL", name);
    }
    return failures == 0 ? 0 : 1;
}

}  // namespace test
