// Engines, memory, placement, contexts and runs.
#include <atomic>
#include <thread>

#include "reference.h"

using namespace test;

namespace {

tenon_conv_params same_size(int64_t src, int64_t weights, int64_t dst) {
    tenon_conv_params p{};
    p.src = src;
    p.weights = weights;
    p.bias = TENON_NO_VALUE;
    p.dst = dst;
    p.groups = 1;
    for (int i = 0; i < 3; ++i) p.strides[i] = p.dilations[i] = p.pads_begin[i] = p.pads_end[i] = 1;
    return p;
}

// Three convolutions in a row.
void build_chain(Program& p, const Floats& x, const Floats& w) {
    const Dims d{1, 16, 12, 12};
    const int64_t weights = p.constant({16, 16, 3, 3}, w);
    const int64_t a = p.temp(d), b = p.temp(d);
    p.add(tenon_program_add_conv, same_size(p.input(d, x), weights, a));
    p.add(tenon_program_add_conv, same_size(a, weights, b));
    p.add(tenon_program_add_conv, same_size(b, weights, p.output(d)));
}

Floats chain_result(const Floats& x, const Floats& w) {
    const ConvCase k{1, 16, 16, 1, {12, 12}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
    return conv(k, conv(k, conv(k, x, w, {}), w, {}), w, {});
}

void memory_blocks() {
    tenon_error err{};
    for (const int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{4096}, int64_t{2} << 20, (int64_t{5} << 20) + 3}) {
        void* block = nullptr;
        call(tenon_memory_allocate(bytes, TENON_MEMORY_ZERO | TENON_MEMORY_HUGE_PAGES, &block, &err), err);
        check(reinterpret_cast<uintptr_t>(block) % 64 == 0, "alignment");
        char* chars = static_cast<char*>(block);
        check(bytes == 0 || (chars[0] == 0 && chars[bytes - 1] == 0), "zeroed");
        if (bytes > 0) std::memset(block, 1, bytes);
        if (bytes >= int64_t{2} << 20) {
            check(reinterpret_cast<uintptr_t>(block) % (2 << 20) == 0, "large blocks lie on 2 MiB");
            call(tenon_memory_advise(block, bytes, TENON_ADVISE_DONT_NEED, &err), err);
            check(chars[0] == 0, "dropped pages are zero");
        }
        tenon_memory_free(block, bytes);
    }
    void* block = nullptr;
    check(tenon_memory_allocate(int64_t{1} << 60, 0, &block, &err) == TENON_OUT_OF_MEMORY,
          "an absurd size is a status");
    check(tenon_memory_allocate(-1, 0, &block, &err) == TENON_INVALID_ARGUMENT, "a negative size");
    tenon_memory_free(nullptr, 10);
}

void concurrent_contexts() {
    Engine engine(2);
    Program p(engine);
    const Floats w = random_floats(16 * 16 * 9, 1);
    build_chain(p, random_floats(16 * 144, 2), w);
    p.finish();
    constexpr int kThreads = 4;
    std::vector<tenon_context*> contexts;
    std::vector<Floats> inputs, outputs(kThreads, Floats(16 * 144));
    tenon_error err{};
    for (int t = 0; t < kThreads; ++t) {
        contexts.push_back(p.context());
        inputs.push_back(random_floats(16 * 144, 100 + t));
    }
    for (int t = 0; t < kThreads; ++t) {
        call(tenon_context_bind(contexts[t], TENON_ROLE_INPUT, 0, inputs[t].data(), &err), err);
        call(tenon_context_bind(contexts[t], TENON_ROLE_OUTPUT, 0, outputs[t].data(), &err), err);
    }
    std::atomic<int> failed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            tenon_error mine{};
            for (int i = 0; i < 20; ++i)
                failed += tenon_context_run(contexts[t], 0, -1, nullptr, nullptr, &mine) != TENON_OK;
        });
    }
    for (std::thread& t : threads) t.join();
    check(failed == 0, "concurrent runs");
    for (int t = 0; t < kThreads; ++t) {
        check_close(outputs[t].data(), chain_result(inputs[t], w), 1e-4, 1e-3, "context " + std::to_string(t));
    }
    p.check_guards();
}

void rebinding_and_ranges() {
    Engine engine(1);
    Program p(engine);
    const Floats w = random_floats(16 * 16 * 9, 1), x = random_floats(16 * 144, 2), y = random_floats(16 * 144, 3);
    build_chain(p, x, w);
    p.finish();
    tenon_context* c = p.context();
    tenon_error err{};
    check(tenon_context_run(c, 0, -1, nullptr, nullptr, &err) == TENON_INVALID_STATE, "a run without bound memory");
    p.bind(c);
    Floats other = y, result(16 * 144);
    call(tenon_context_run(c, 0, -1, nullptr, nullptr, &err), err);
    check_close(p.result(), chain_result(x, w), 1e-4, 1e-3, "first binding");
    call(tenon_context_bind(c, TENON_ROLE_INPUT, 0, other.data(), &err), err);
    call(tenon_context_bind(c, TENON_ROLE_OUTPUT, 0, result.data(), &err), err);
    std::vector<uint64_t> ns(p.steps(), 0);
    for (int64_t s = 0; s < p.steps(); ++s) call(tenon_context_run(c, s, s + 1, nullptr, ns.data(), &err), err);
    check_close(result.data(), chain_result(y, w), 1e-4, 1e-3, "second binding, step by step");
    check(std::all_of(ns.begin(), ns.end(), [](uint64_t t) { return t > 0; }), "every step was timed");
    volatile int32_t cancel = 1;
    check(tenon_context_run(c, 0, -1, &cancel, nullptr, &err) == TENON_CANCELLED, "cancelled");
    check(tenon_context_run(c, 1, 99, nullptr, nullptr, &err) == TENON_INVALID_ARGUMENT, "range beyond the program");
    check(tenon_context_bind(c, TENON_ROLE_INPUT, 1, other.data(), &err) == TENON_INVALID_ARGUMENT, "unknown slot");
    check(tenon_context_bind(c, TENON_ROLE_INPUT, 0, nullptr, &err) == TENON_INVALID_ARGUMENT, "no memory");
}

void bad_placements_are_refused() {
    Engine engine(1);
    Program p(engine);
    build_chain(p, random_floats(16 * 144, 2), random_floats(16 * 16 * 9, 1));
    tenon_error err{};
    call(tenon_program_finish(p.handle, &err), err);
    const int64_t n = tenon_program_buffer_count(p.handle);
    std::vector<tenon_buffer> buffers(n);
    call(tenon_program_buffers(p.handle, buffers.data(), &err), err);
    std::vector<int64_t> zero(n, 0);
    check(tenon_program_place(p.handle, zero.data(), n, 1 << 20, &err) == TENON_INVALID_ARGUMENT,
          "living buffers overlap");
    std::vector<int64_t> apart(n);
    int64_t end = 0;
    for (int64_t i = 0; i < n; ++i) {
        apart[i] = end;
        end += buffers[i].bytes;
    }
    check(tenon_program_place(p.handle, apart.data(), n, end - 1, &err) == TENON_INVALID_ARGUMENT, "arena too small");
    check(tenon_program_place(p.handle, apart.data(), n - 1, end, &err) == TENON_INVALID_ARGUMENT, "an offset missing");
    apart[0] = 32;
    check(tenon_program_place(p.handle, apart.data(), n, end + 64, &err) == TENON_INVALID_ARGUMENT, "misaligned");
    apart[0] = 0;
    call(tenon_program_place(p.handle, apart.data(), n, end, &err), err);
    tenon_context* c = nullptr;
    check(tenon_context_create(p.handle, nullptr, &c, &err) == TENON_INVALID_ARGUMENT, "no arena");
}

void order_rules() {
    Engine engine(1);
    Program p(engine);
    const int64_t in = p.input({4}, 1u), t = p.temp({4}), out = p.output({4});
    std::string message;
    check(p.try_add(tenon_program_add_reshape, tenon_unary_params{0, t, out}, &message) == TENON_INVALID_ARGUMENT &&
              message.find("before a node writes it") != std::string::npos,
          "read before write: " + message);
    check(p.try_add(tenon_program_add_reshape, tenon_unary_params{0, in, 77}) == TENON_INVALID_ARGUMENT,
          "unknown value");
    p.add(tenon_program_add_reshape, tenon_unary_params{0, in, out});
    check(p.try_add(tenon_program_add_reshape, tenon_unary_params{0, in, out}) == TENON_INVALID_ARGUMENT,
          "written twice");
    check(p.try_add(tenon_program_add_reshape, tenon_unary_params{0, out, in}) == TENON_INVALID_ARGUMENT,
          "an input is written");
    tenon_unary_params wrong{8, in, t};
    tenon_error err{};
    check(tenon_program_add_reshape(p.handle, "x", &wrong, &err) == TENON_INVALID_ARGUMENT, "struct of another size");
    check(p.run() == TENON_OK, "after refused calls");
    check(p.try_add(tenon_program_add_reshape, tenon_unary_params{0, in, t}) == TENON_INVALID_STATE,
          "added after finish");
}

// Outputs that are views of inputs, of each other, or read again.
void outputs_of_all_kinds() {
    Engine engine(1);
    Program p(engine);
    const Floats x = random_floats(12, 1);
    const int64_t in = p.input({3, 4}, x), t = p.temp({12});
    p.add(tenon_program_add_reshape, tenon_unary_params{0, in, p.output({4, 3})});
    const int64_t out = p.output({3, 4});
    const tenon_elementwise_op neg{TENON_FN_NEG, TENON_F32, {0, 0, 0}, 0, 0};
    const int64_t operand = 1;
    p.add(tenon_program_add_elementwise, tenon_elementwise_params{0, 1, &in, 1, &neg, 1, &out, &operand});
    p.add(tenon_program_add_reshape, tenon_unary_params{0, out, t});
    p.add(tenon_program_add_reshape, tenon_unary_params{0, t, p.output({2, 6})});
    const int64_t u = p.temp({12});
    p.add(tenon_program_add_elementwise, tenon_elementwise_params{0, 1, &t, 1, &neg, 1, &u, &operand});
    p.add(tenon_program_add_reshape, tenon_unary_params{0, u, p.output({6, 2})});
    check(p.run() == TENON_OK, "outputs");
    const Floats minus = map(x, [](double v) { return -v; });
    check_close(p.result(0), x, 0, 0, "reshaped input");
    check_close(p.result(1), minus, 0, 0, "output that is read");
    check_close(p.result(2), minus, 0, 0, "view of an output");
    check_close(p.result(3), x, 0, 0, "view written in place");
}

void empty_values() {
    Engine engine(1);
    Program p(engine);
    const int64_t in = p.input({0, 4}, Floats{}), out = p.output({4, 0}), t = p.temp({0, 4});
    const tenon_elementwise_op neg{TENON_FN_NEG, TENON_F32, {0, 0, 0}, 0, 0};
    const int64_t operand = 1;
    p.add(tenon_program_add_elementwise, tenon_elementwise_params{0, 1, &in, 1, &neg, 1, &t, &operand});
    p.add(tenon_program_add_reshape, tenon_unary_params{0, t, out});
    check(p.run() == TENON_OK && p.steps() == 0, "nothing to do");
}

void bad_engines_and_constants() {
    tenon_error err{};
    tenon_engine* e = nullptr;
    const tenon_engine_options none{sizeof none, 0, 0, 0, -1};
    check(tenon_engine_create(&none, &e, &err) == TENON_INVALID_ARGUMENT, "no threads");
    Engine engine(1);
    const float data[4] = {};
    check(tenon_engine_add_constant(engine.handle, 5, data, 16, 0, &err) == TENON_OK, "constant");
    check(tenon_engine_add_constant(engine.handle, 5, data, 16, 0, &err) == TENON_INVALID_ARGUMENT, "key taken");
    int64_t released = -1;
    check(tenon_engine_release_plain(engine.handle, 6, &released, &err) == TENON_NOT_FOUND, "unknown constant");
    call(tenon_engine_release_plain(engine.handle, 5, &released, &err), err);
    check(released == 0, "kept: there is no packed form");
    check(tenon_engine_remove_constant(engine.handle, 6, &err) == TENON_NOT_FOUND, "unknown constant");
    call(tenon_engine_remove_constant(engine.handle, 5, &err), err);
    check(tenon_engine_add_constant(engine.handle, 5, data, 16, 0, &err) == TENON_OK, "key free again");
    Program p(engine);
    bool refused = false;
    try {
        p.value(TENON_ROLE_CONSTANT, TENON_F32, {5}, 5);
    } catch (const std::exception&) {
        refused = true;
    }
    check(refused, "constant of another size");
}

}  // namespace

int main(int argc, char** argv) {
    return run_all({{"memory blocks", memory_blocks},
                    {"concurrent contexts", concurrent_contexts},
                    {"rebinding and ranges", rebinding_and_ranges},
                    {"bad placements are refused", bad_placements_are_refused},
                    {"order rules", order_rules},
                    {"outputs of all kinds", outputs_of_all_kinds},
                    {"empty values", empty_values},
                    {"bad engines and constants", bad_engines_and_constants}},
                   argc, argv);
}
