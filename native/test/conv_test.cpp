#include "reference.h"

using namespace test;

namespace {

tenon_conv_params params_of(const ConvCase& k) {
    tenon_conv_params p{};
    p.bias = TENON_NO_VALUE;
    p.groups = k.groups;
    std::copy(k.strides.begin(), k.strides.end(), p.strides);
    std::copy(k.dilations.begin(), k.dilations.end(), p.dilations);
    std::copy(k.pads_begin.begin(), k.pads_begin.end(), p.pads_begin);
    std::copy(k.pads_end.begin(), k.pads_end.end(), p.pads_end);
    return p;
}

std::string name_of(const ConvCase& k) {
    std::string s = "conv " + std::to_string(k.n) + "x" + std::to_string(k.c) + "->" + std::to_string(k.o) +
                    " groups " + std::to_string(k.groups) + " in";
    for (int64_t d : k.in) s.append(" ").append(std::to_string(d));
    return s;
}

ConvCase square(int64_t n, int64_t c, int64_t o, int64_t size, int64_t kernel, int64_t stride = 1, int64_t groups = 1) {
    const int64_t pad = kernel / 2;
    return {n, c, o, groups, {size, size}, {kernel, kernel}, {stride, stride}, {1, 1}, {pad, pad}, {pad, pad}};
}

void plain_convolutions() {
    const ConvCase cases[] = {
        square(1, 3, 16, 9, 3),
        square(1, 3, 17, 8, 7, 2),
        square(2, 16, 32, 7, 1),
        square(1, 19, 5, 6, 3),
        square(1, 32, 32, 10, 3, 2, 32),
        square(1, 18, 18, 5, 3, 1, 18),
        square(1, 32, 64, 5, 3, 1, 4),
        square(1, 10, 6, 5, 3, 1, 2),
        {1, 4, 6, 1, {11}, {3}, {2}, {2}, {1}, {2}},
        {1, 3, 5, 1, {5, 6, 7}, {2, 3, 1}, {1, 2, 1}, {1, 1, 1}, {0, 1, 0}, {1, 1, 0}},
        {1, 8, 8, 1, {9, 9}, {3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}},
        {1, 4, 4, 1, {5, 5}, {2, 2}, {1, 1}, {1, 1}, {0, 0}, {1, 1}},
    };
    uint32_t seed = 1;
    for (const ConvCase& k : cases) {
        for (const bool constant : {true, false}) {
            Engine engine;
            Program p(engine);
            const Floats x = random_floats(count(k.src_dims()), ++seed),
                         w = random_floats(count(k.weight_dims()), ++seed), b = random_floats(k.o, ++seed);
            tenon_conv_params a = params_of(k);
            a.src = p.input(k.src_dims(), x);
            a.weights = constant ? p.constant(k.weight_dims(), w) : p.input(k.weight_dims(), w);
            a.bias = constant ? p.constant({k.o}, b) : p.input({k.o}, b);
            a.dst = p.output(k.dst_dims());
            p.add(tenon_program_add_conv, a);
            check(p.run() == TENON_OK, name_of(k));
            check_close(p.result(), conv(k, x, w, b), 1e-5, 1e-5, name_of(k));
        }
    }
}

// conv -> max pool -> conv -> + residual -> relu, channels not a multiple of the block, at thread counts 1 and 2.
void chain_keeps_blocked_layout(int64_t channels) {
    for (int64_t threads : {1, 2}) {
        Engine engine(threads);
        Program p(engine);
        const ConvCase first = square(1, 3, channels, 16, 3), second = square(1, channels, channels, 8, 3);
        const Floats x = random_floats(count(first.src_dims()), 1), w1 = random_floats(count(first.weight_dims()), 2),
                     w2 = random_floats(count(second.weight_dims()), 3), b = random_floats(channels, 4);
        const int64_t t1 = p.temp(first.dst_dims()), t2 = p.temp(second.src_dims());
        tenon_conv_params a = params_of(first);
        a.src = p.input(first.src_dims(), x);
        a.weights = p.constant(first.weight_dims(), w1);
        a.dst = t1;
        p.add(tenon_program_add_conv, a, "first");
        tenon_pool_params pool{};
        pool.src = t1;
        pool.dst = t2;
        pool.kind = TENON_POOL_MAX;
        for (int i = 0; i < 2; ++i) pool.kernel[i] = pool.strides[i] = 2, pool.dilations[i] = 1;
        p.add(tenon_program_add_pool, pool, "pool");
        tenon_conv_params c = params_of(second);
        c.src = t2;
        c.weights = p.constant(second.weight_dims(), w2);
        c.bias = p.constant({channels}, b);
        c.dst = p.output(second.dst_dims());
        c.post_op_count = 2;
        c.post_ops[0] = {TENON_POST_ADD, 0, t2, 0, 0};
        c.post_ops[1] = {TENON_POST_ACTIVATION, TENON_FN_RELU, 0, 0, 0};
        p.add(tenon_program_add_conv, c, "second");
        check(p.run() == TENON_OK, "chain");
        check(p.run() == TENON_OK, "chain again");

        const Floats y1 = conv(first, x, w1, {});
        Floats y2(count(second.src_dims()));
        for (int64_t o = 0; o < channels; ++o)
            for (int64_t i = 0; i < 8; ++i)
                for (int64_t j = 0; j < 8; ++j) {
                    float best = -1e30f;
                    for (int64_t r = 0; r < 2; ++r)
                        for (int64_t s = 0; s < 2; ++s)
                            best = std::max(best, y1[(o * 16 + 2 * i + r) * 16 + 2 * j + s]);
                    y2[(o * 8 + i) * 8 + j] = best;
                }
        const Floats want = zip(conv(second, y2, w2, b), y2, [](double u, double v) { return std::max(u + v, 0.0); });
        check_close(p.result(), want, 1e-4, 1e-4, "chain");
        check(p.count_steps("reorder") <= 2, "reorders only at the edges");
    }
}

// The residual lives on, so it must not be overwritten; then it dies, so it may be.
void residual_that_is_read_later() {
    for (const bool used_later : {true, false}) {
        Engine engine;
        Program p(engine);
        const ConvCase k = square(1, 16, 16, 6, 3);
        const Floats x = random_floats(count(k.src_dims()), 1), w = random_floats(count(k.weight_dims()), 2),
                     w0 = random_floats(count(k.weight_dims()), 3);
        const int64_t t = p.temp(k.dst_dims()), u = p.temp(k.dst_dims());
        tenon_conv_params a = params_of(k);
        a.src = p.input(k.src_dims(), x);
        a.weights = p.constant(k.weight_dims(), w0);
        a.dst = t;
        p.add(tenon_program_add_conv, a);
        a.src = p.input(k.src_dims(), x);
        a.weights = p.constant(k.weight_dims(), w);
        a.dst = used_later ? u : p.output(k.dst_dims());
        a.post_op_count = 1;
        a.post_ops[0] = {TENON_POST_ADD, 0, t, 0, 0};
        p.add(tenon_program_add_conv, a);
        const Floats y0 = conv(k, x, w0, {}), y1 = conv(k, x, w, {});
        Floats want = zip(y0, y1, [](double i, double j) { return i + j; });
        if (used_later) {
            a.src = u;
            a.dst = p.output(k.dst_dims());
            p.add(tenon_program_add_conv, a);
            want = zip(conv(k, want, w, {}), y0, [](double i, double j) { return i + j; });
        }
        check(p.run() == TENON_OK, "residual");
        check_close(p.result(), want, 1e-4, 1e-4, used_later ? "living residual" : "dying residual");
    }
}

void broadcast_post_ops() {
    Engine engine;
    Program p(engine);
    const ConvCase k = square(2, 8, 24, 5, 1);
    const Floats x = random_floats(count(k.src_dims()), 1), w = random_floats(count(k.weight_dims()), 2),
                 s = random_floats(48, 3);
    tenon_conv_params a = params_of(k);
    a.src = p.input(k.src_dims(), x);
    a.weights = p.constant(k.weight_dims(), w);
    a.dst = p.output(k.dst_dims());
    a.post_op_count = 2;
    a.post_ops[0] = {TENON_POST_ACTIVATION, TENON_FN_SIGMOID, 0, 0, 0};
    a.post_ops[1] = {TENON_POST_MUL, 0, p.input({2, 24, 1, 1}, s), 0, 0};
    p.add(tenon_program_add_conv, a);
    check(p.run() == TENON_OK, "post-ops");
    Floats want = conv(k, x, w, {});
    for (size_t i = 0; i < want.size(); ++i) want[i] = static_cast<float>(1 / (1 + std::exp(-want[i])) * s[i / 25]);
    check_close(p.result(), want, 1e-5, 1e-5, "sigmoid, then times a channel vector");
}

// Softsign is none of oneDNN's activations.
void activation_without_fusion() {
    Engine engine;
    Program p(engine);
    const ConvCase k = square(1, 16, 32, 5, 3);
    const Floats x = random_floats(count(k.src_dims()), 1), w = random_floats(count(k.weight_dims()), 2);
    tenon_conv_params a = params_of(k);
    a.src = p.input(k.src_dims(), x);
    a.weights = p.constant(k.weight_dims(), w);
    a.dst = p.output(k.dst_dims());
    a.post_op_count = 2;
    a.post_ops[0] = {TENON_POST_ACTIVATION, TENON_FN_SOFTSIGN, 0, 0, 0};
    a.post_ops[1] = {TENON_POST_ACTIVATION, TENON_FN_RELU, 0, 0, 0};
    p.add(tenon_program_add_conv, a);
    check(p.run() == TENON_OK, "softsign");
    const Floats want = map(conv(k, x, w, {}), [](double v) { return std::max(v / (1 + std::abs(v)), 0.0); });
    check_close(p.result(), want, 1e-5, 1e-5, "softsign and relu");
    check(p.count_steps("elementwise") == 1, "softsign is a step of its own");
}

// Scatters each source element; weights [C, O / groups, kernel].
Floats deconv2d(const ConvCase& k, const Dims& out, const Floats& x, const Floats& w) {
    Floats y(k.n * k.o * count(out));
    const int64_t cg = k.c / k.groups, og = k.o / k.groups;
    for (int64_t n = 0; n < k.n; ++n)
        for (int64_t c = 0; c < k.c; ++c)
            for (int64_t i = 0; i < k.in[0]; ++i)
                for (int64_t j = 0; j < k.in[1]; ++j)
                    for (int64_t o = 0; o < og; ++o)
                        for (int64_t r = 0; r < k.kernel[0]; ++r)
                            for (int64_t s = 0; s < k.kernel[1]; ++s) {
                                const int64_t a = i * k.strides[0] + r * k.dilations[0] - k.pads_begin[0],
                                              b = j * k.strides[1] + s * k.dilations[1] - k.pads_begin[1];
                                if (a < 0 || a >= out[0] || b < 0 || b >= out[1]) continue;
                                y[((n * k.o + c / cg * og + o) * out[0] + a) * out[1] + b] +=
                                    x[((n * k.c + c) * k.in[0] + i) * k.in[1] + j] *
                                    w[((c * og + o) * k.kernel[0] + r) * k.kernel[1] + s];
                            }
    return y;
}

void transposed() {
    const ConvCase cases[] = {square(1, 6, 4, 5, 3, 2), square(1, 16, 32, 4, 2, 2), square(1, 8, 12, 4, 3, 2, 4)};
    for (ConvCase k : cases) {
        for (int64_t output_padding : {0, 1}) {
            Engine engine;
            Program p(engine);
            k.pads_begin = {1, 0};
            Dims out;
            for (int i = 0; i < 2; ++i)
                out.push_back((k.in[i] - 1) * k.strides[i] + k.kernel[i] - k.pads_begin[i] + output_padding);
            const Floats x = random_floats(count(k.src_dims()), 1);
            const Dims wd{k.c, k.o / k.groups, k.kernel[0], k.kernel[1]};
            const Floats w = random_floats(count(wd), 2);
            tenon_conv_params a = params_of(k);
            a.src = p.input(k.src_dims(), x);
            a.weights = p.constant(wd, w);
            a.dst = p.output({k.n, k.o, out[0], out[1]});
            p.add(tenon_program_add_deconv, a);
            check(p.run() == TENON_OK, "deconv");
            check_close(p.result(), deconv2d(k, out, x, w), 1e-4, 1e-4, "deconv groups " + std::to_string(k.groups));
        }
    }
}

// Large 3x3 convolutions go through Winograd's algorithm unless the engine is exact; so does a residual that dies or
// lives.
void winograd() {
    for (const bool exact : {false, true}) {
        for (const bool read_again : {false, true}) {
            Engine engine(2, exact);
            Program p(engine);
            const ConvCase k = square(1, 64, 64, 28, 3);
            const Floats x = random_floats(count(k.src_dims()), 1), w = random_floats(count(k.weight_dims()), 2),
                         w2 = random_floats(count(k.weight_dims()), 3), b = random_floats(64, 4);
            const int64_t t = p.temp(k.dst_dims());
            tenon_conv_params a = params_of(k);
            a.src = p.input(k.src_dims(), x);
            a.weights = p.constant(k.weight_dims(), w);
            a.bias = p.constant({64}, b);
            a.dst = t;
            a.post_op_count = 1;
            a.post_ops[0] = {TENON_POST_ACTIVATION, TENON_FN_CLIP, 0, 0, 6};
            p.add(tenon_program_add_conv, a);
            tenon_conv_params c = params_of(k);
            c.src = a.src;
            c.weights = p.constant(k.weight_dims(), w2);
            c.dst = p.output(k.dst_dims());
            c.post_op_count = 2;
            c.post_ops[0] = {TENON_POST_ADD, 0, t, 0, 0};
            c.post_ops[1] = {TENON_POST_ACTIVATION, TENON_FN_RELU, 0, 0, 0};
            p.add(tenon_program_add_conv, c);
            if (read_again) {
                tenon_unary_params copy{0, t, p.output(k.dst_dims())};
                p.add(tenon_program_add_reshape, copy);
            }
            check(p.run() == TENON_OK, "winograd");
            const Floats first = map(conv(k, x, w, b), [](double v) { return std::min(std::max(v, 0.0), 6.0); });
            const Floats want = zip(conv(k, x, w2, {}), first, [](double u, double v) { return std::max(u + v, 0.0); });
            check_close(p.result(), want, 1e-4, exact ? 1e-4 : 2e-3, "3x3 with residual");
            if (read_again) check_close(p.result(1), first, 1e-4, exact ? 1e-4 : 2e-3, "the residual itself");
            tenon_cpu_info cpu{};
            cpu.struct_size = sizeof cpu;
            tenon_error err{};
            call(tenon_cpu_query(&cpu, &err), err);
            int64_t seen = 0;
            for (int64_t i = 0; i < p.steps(); ++i)
                seen += std::strstr(p.step(i).implementation, "winograd") != nullptr;
            check(seen == (exact || cpu.selected_isa < TENON_ISA_AVX512 ? 0 : 2),
                  "steps by Winograd: " + std::to_string(seen));
        }
    }
}

void wrong_shapes_are_refused() {
    Engine engine;
    Program p(engine);
    const ConvCase k = square(1, 3, 16, 9, 3);
    tenon_conv_params a = params_of(k);
    a.src = p.input(k.src_dims(), 1u);
    a.weights = p.constant({16, 4, 3, 3}, random_floats(16 * 4 * 9, 1));
    a.dst = p.output(k.dst_dims());
    std::string message;
    check(p.try_add(tenon_program_add_conv, a, &message) == TENON_INVALID_ARGUMENT, "weights of other channels");
    check(message.find("[16, 4, 3, 3]") != std::string::npos, "message names the dims: " + message);
    a.groups = 2;
    check(p.try_add(tenon_program_add_conv, a) == TENON_INVALID_ARGUMENT, "groups that do not divide");
}

}  // namespace

int main(int argc, char** argv) {
    return run_all({{"plain convolutions", plain_convolutions},
                    {"chain, full blocks", [] { chain_keeps_blocked_layout(32); }},
                    {"chain, padded blocks", [] { chain_keeps_blocked_layout(19); }},
                    {"residual that is read later", residual_that_is_read_later},
                    {"broadcast post-ops", broadcast_post_ops},
                    {"activation without fusion", activation_without_fusion},
                    {"transposed", transposed},
                    {"winograd", winograd},
                    {"wrong shapes are refused", wrong_shapes_are_refused}},
                   argc, argv);
}
