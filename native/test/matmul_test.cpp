#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "reference.h"

using namespace test;

namespace {

tenon_matmul_params params() {
    tenon_matmul_params p{};
    p.bias = TENON_NO_VALUE;
    p.alpha = p.beta = 1;
    return p;
}

// One matrix with constant or changing weights, all numbers of rows around the limits of the small kernels.
void one_matrix() {
    uint32_t seed = 1;
    const int64_t shapes[][3] = {{1, 128, 784}, {1, 10, 17}, {2, 65, 33}, {5, 64, 48},
                                 {8, 100, 16},  {9, 33, 64}, {64, 48, 7}, {3, 1, 1}};
    for (const auto& s : shapes) {
        const int64_t m = s[0], n = s[1], k = s[2];
        for (const bool constant : {true, false}) {
            for (const bool transposed : {false, true}) {
                Engine engine;
                Program p(engine);
                const Floats a = random_floats(m * k, ++seed), b = random_floats(k * n, ++seed),
                             bias = random_floats(n, ++seed);
                tenon_matmul_params q = params();
                const Dims bd = transposed ? Dims{n, k} : Dims{k, n};
                q.a = p.input({m, k}, a);
                q.b = constant ? p.constant(bd, b) : p.input(bd, b);
                q.bias = p.constant({n}, bias);
                q.transpose_b = transposed;
                q.dst = p.output({m, n});
                q.post_op_count = 1;
                q.post_ops[0] = {TENON_POST_ACTIVATION, TENON_FN_RELU, 0, 0, 0};
                p.add(tenon_program_add_matmul, q);
                check(p.run() == TENON_OK, "matmul");
                Floats want = matmul(
                    1, m, n, k, [&](int64_t, int64_t r, int64_t c) { return a[r * k + c]; },
                    [&](int64_t, int64_t r, int64_t c) { return transposed ? b[c * k + r] : b[r * n + c]; });
                for (size_t i = 0; i < want.size(); ++i) want[i] = std::max(want[i] + bias[i % n], 0.0f);
                check_close(p.result(), want, 1e-4, 1e-4,
                            "matmul " + std::to_string(m) + " " + std::to_string(n) + " " + std::to_string(k));
            }
        }
    }
}

void batches_broadcast() {
    struct Case {
        Dims a, b, dst;
        bool ta, tb;
    };
    const Case cases[] = {
        {{2, 3, 4, 5}, {2, 3, 5, 6}, {2, 3, 4, 6}, false, false},
        {{2, 3, 4, 5}, {2, 3, 6, 5}, {2, 3, 4, 6}, false, true},
        {{2, 3, 5, 4}, {2, 3, 5, 6}, {2, 3, 4, 6}, true, false},
        {{2, 1, 4, 5}, {1, 3, 5, 6}, {2, 3, 4, 6}, false, false},
        {{4, 5}, {3, 5, 6}, {3, 4, 6}, false, false},
        {{3, 4, 5}, {5, 6}, {3, 4, 6}, false, false},
        {{3, 5, 4}, {6, 5}, {3, 4, 6}, true, true},
    };
    for (const Case& c : cases) {
        for (const bool constant : {true, false}) {
            Engine engine;
            Program p(engine);
            const Floats a = random_floats(count(c.a), 1), b = random_floats(count(c.b), 2);
            tenon_matmul_params q = params();
            q.a = p.input(c.a, a);
            q.b = constant ? p.constant(c.b, b) : p.input(c.b, b);
            q.dst = p.output(c.dst);
            q.transpose_a = c.ta;
            q.transpose_b = c.tb;
            p.add(tenon_program_add_matmul, q);
            check(p.run() == TENON_OK, "batched matmul");
            const int64_t m = c.dst[c.dst.size() - 2], n = c.dst.back(), k = c.ta ? c.a[c.a.size() - 2] : c.a.back();
            const auto batch_of = [&](const Dims& d, int64_t batch) {
                int64_t index = 0, stride = 1;
                for (size_t i = c.dst.size() - 2; i-- > 0;) {
                    const int64_t at = batch % c.dst[i];
                    batch /= c.dst[i];
                    const int64_t axis = static_cast<int64_t>(i) - static_cast<int64_t>(c.dst.size() - d.size());
                    if (axis < 0) continue;
                    index += d[axis] == 1 ? 0 : at * stride;
                    stride *= d[axis];
                }
                return index;
            };
            const Floats want = matmul(
                count(c.dst) / (m * n), m, n, k,
                [&](int64_t i, int64_t r, int64_t j) {
                    return a[batch_of(c.a, i) * m * k + (c.ta ? j * m + r : r * k + j)];
                },
                [&](int64_t i, int64_t j, int64_t s) {
                    return b[batch_of(c.b, i) * n * k + (c.tb ? s * k + j : j * n + s)];
                });
            check_close(p.result(), want, 1e-5, 1e-5, "batched matmul");
        }
    }
}

void scale_bias_residual() {
    for (const int64_t m : {1, 6, 20}) {
        Engine engine;
        Program p(engine);
        const int64_t n = 24, k = 32;
        const Floats a = random_floats(m * k, 1), b = random_floats(k * n, 2), bias = random_floats(n, 3),
                     x = random_floats(m * n, 4);
        const int64_t t = p.temp({m, n});
        tenon_elementwise_op twice{TENON_FN_LINEAR, TENON_F32, {0, 0, 0}, 2, 0};
        const int64_t in = p.input({m, n}, x), first = 1;
        tenon_elementwise_params e{0, 1, &in, 1, &twice, 1, &t, &first};
        p.add(tenon_program_add_elementwise, e);
        tenon_matmul_params q = params();
        q.a = p.input({m, k}, a);
        q.b = p.constant({k, n}, b);
        q.bias = p.constant({1, n}, bias);
        q.alpha = 0.5;
        q.dst = p.output({m, n});
        q.post_op_count = 2;
        q.post_ops[0] = {TENON_POST_ADD, 0, t, 0, 0};
        q.post_ops[1] = {TENON_POST_ACTIVATION, TENON_FN_GELU_ERF, 0, 0, 0};
        p.add(tenon_program_add_matmul, q);
        check(p.run() == TENON_OK, "scaled matmul");
        Floats want = matmul(
            1, m, n, k, [&](int64_t, int64_t r, int64_t c) { return a[r * k + c]; },
            [&](int64_t, int64_t r, int64_t c) { return b[r * n + c]; });
        for (size_t i = 0; i < want.size(); ++i) {
            const double v = 0.5 * want[i] + bias[i % n] + 2 * x[i];
            want[i] = static_cast<float>(v / 2 * (1 + std::erf(v / std::sqrt(2.0))));
        }
        check_close(p.result(), want, 1e-4, 1e-4, "scale, bias, residual, gelu");
    }
}

// Plans for one row and for many share the packed weights, and weights come back from there.
void packed_weights_are_shared_and_imported() {
    const int64_t n = 128, k = 96;
    const Floats w = random_floats(n * k, 1), x = random_floats(32 * k, 2);
    const auto run = [&](Engine& engine, int64_t key, int64_t m) {
        Program p(engine);
        tenon_matmul_params q = params();
        q.a = p.input({m, k}, Floats(x.begin(), x.begin() + m * k));
        q.b = p.value(TENON_ROLE_CONSTANT, TENON_F32, {k, n}, key);
        q.dst = p.output({m, n});
        p.add(tenon_program_add_matmul, q);
        check(p.run() == TENON_OK, "matmul");
        const Floats want = matmul(
            1, m, n, k, [&](int64_t, int64_t r, int64_t c) { return x[r * k + c]; },
            [&](int64_t, int64_t r, int64_t c) { return w[r * n + c]; });
        check_close(p.result(), want, 1e-4, 1e-4, "packed weights, rows " + std::to_string(m));
    };
    Engine first;
    const int64_t key = first.constant(w.data(), n * k * 4);
    run(first, key, 32);
    run(first, key, 1);
    run(first, key, 16);
    tenon_error err{};
    const int64_t forms = tenon_engine_packed_count(first.handle);
    check(forms == 1, "one packed form for all numbers of rows, not " + std::to_string(forms));
    int64_t released = 0;
    call(tenon_engine_release_plain(first.handle, key, &released, &err), err);
    // Without AVX2 oneDNN reads plain weights.
    tenon_cpu_info cpu{};
    cpu.struct_size = sizeof cpu;
    call(tenon_cpu_query(&cpu, &err), err);
    const bool packs = cpu.selected_isa > TENON_ISA_SCALAR;
    check(released == (packs ? 1 : 0), "plain data released");
    run(first, key, 1);

    Engine second;
    const int64_t other = second.constant(nullptr, n * k * 4);
    tenon_packed packed{};
    call(tenon_engine_packed_get(first.handle, 0, &packed, &err), err);
    packed.key = other;
    call(tenon_engine_packed_import(second.handle, &packed, &err), err);
    check(tenon_engine_packed_bytes(second.handle) == 0, "imported data are not owned");
    run(second, other, 32);
    run(second, other, 4);
    check(!packs || tenon_engine_packed_bytes(second.handle) == 0, "nothing packed again");

    std::vector<char> damaged(static_cast<const char*>(packed.layout),
                              static_cast<const char*>(packed.layout) + packed.layout_bytes);
    damaged[0] ^= 1;
    packed.layout = damaged.data();
    check(tenon_engine_packed_import(second.handle, &packed, &err) == TENON_INVALID_ARGUMENT,
          "layout of another version");
    damaged[0] ^= 1;
    packed.layout_bytes -= 8;
    check(tenon_engine_packed_import(second.handle, &packed, &err) == TENON_INVALID_ARGUMENT, "layout cut short");
}

// Bytes of the mapping that begins at `address` that are in memory.
int64_t resident_bytes(const void* address) {
    std::ifstream maps("/proc/self/smaps");
    char begin[32];
    std::snprintf(begin, sizeof begin, "%lx-", reinterpret_cast<unsigned long>(address));
    bool inside = false;
    for (std::string line; std::getline(maps, line);) {
        if (line.find("-") < line.find(" ")) inside = line.starts_with(begin);
        if (inside && line.starts_with("Rss:")) return std::stoll(line.substr(4)) * 1024;
    }
    return -1;
}

void mapped_weights(int64_t n, int64_t k, bool transposed) {
    const int64_t bytes = n * k * 4;
    const Floats x = random_floats(16 * k, 1), w = random_floats(n * k, 2);
    std::FILE* file = std::tmpfile();
    check(file != nullptr && std::fwrite(w.data(), 1, bytes, file) == static_cast<size_t>(bytes) &&
              std::fflush(file) == 0,
          "temporary file");
    void* map = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fileno(file), 0);
    check(map != MAP_FAILED, "mapping");
    Engine engine;
    tenon_error err{};
    tenon_cpu_info cpu{};
    cpu.struct_size = sizeof cpu;
    call(tenon_cpu_query(&cpu, &err), err);
    const bool packs = cpu.selected_isa > TENON_ISA_SCALAR;  // else oneDNN reads plain weights
    const int64_t key = engine.constant(map, bytes, TENON_CONSTANT_MAPPED);
    for (const int64_t m : {16, 1, 16}) {
        Program p(engine);
        tenon_matmul_params q = params();
        q.a = p.input({m, k}, Floats(x.begin(), x.begin() + m * k));
        q.b = p.value(TENON_ROLE_CONSTANT, TENON_F32, transposed ? Dims{n, k} : Dims{k, n}, key);
        q.transpose_b = transposed;
        q.dst = p.output({m, n});
        p.add(tenon_program_add_matmul, q);
        check(p.run() == TENON_OK, "matmul");
        check_close(p.result(),
                    matmul(
                        1, m, n, k, [&](int64_t, int64_t r, int64_t c) { return x[r * k + c]; },
                        [&](int64_t, int64_t r, int64_t c) { return transposed ? w[c * k + r] : w[r * n + c]; }),
                    1e-4, 1e-3, "mapped weights, rows " + std::to_string(m));
        // The last page may be shared with what follows in the file.
        const int64_t left = resident_bytes(map);
        check(!packs || (left >= 0 && left <= sysconf(_SC_PAGESIZE)),
              "plain weights are out of memory, not " + std::to_string(left) + " bytes");
    }
    check(tenon_engine_add_constant(engine.handle, 7, map, bytes, 2, &err) == TENON_INVALID_ARGUMENT, "unknown flag");
    munmap(map, bytes);
    std::fclose(file);
}

void mapped_weights_leave_memory_once_packed() {
    // The large one is packed in parts, along either axis.
    mapped_weights(512, 256, false);
    mapped_weights(2088, 4096, false);
    mapped_weights(2088, 4096, true);
    mapped_weights(2100, 4098, true);
}

void wrong_shapes_are_refused() {
    Engine engine;
    Program p(engine);
    tenon_matmul_params q = params();
    q.a = p.input({2, 3}, 1u);
    q.b = p.input({4, 5}, 1u);
    q.dst = p.output({2, 5});
    std::string message;
    check(p.try_add(tenon_program_add_matmul, q, &message) == TENON_INVALID_ARGUMENT &&
              message.find("K is 3 and 4") != std::string::npos,
          "K differs: " + message);
}

}  // namespace

int main(int argc, char** argv) {
    return run_all({{"one matrix", one_matrix},
                    {"batches broadcast", batches_broadcast},
                    {"scale, bias, residual", scale_bias_residual},
                    {"packed weights are shared and imported", packed_weights_are_shared_and_imported},
                    {"mapped weights leave memory once packed", mapped_weights_leave_memory_once_packed},
                    {"wrong shapes are refused", wrong_shapes_are_refused}},
                   argc, argv);
}
