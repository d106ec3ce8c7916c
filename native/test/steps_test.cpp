// Every kind of step beside convolution and products, on small and odd sizes.
#include "reference.h"

using namespace test;

namespace {

tenon_conv_params pointwise(int64_t src, int64_t weights, int64_t dst) {
    tenon_conv_params p{};
    p.src = src;
    p.weights = weights;
    p.bias = TENON_NO_VALUE;
    p.dst = dst;
    p.groups = 1;
    for (int i = 0; i < 3; ++i) p.strides[i] = p.dilations[i] = 1;
    return p;
}

// The result of a 1x1 convolution with these weights: a way to get a value in oneDNN's layout.
Floats mix(const Floats& x, const Floats& w, int64_t n, int64_t c, int64_t o, int64_t area) {
    return conv({n, c, o, 1, {area}, {1}, {1}, {1}, {0}, {0}}, x, w, {});
}

void add_chain(Program& p, const std::vector<int64_t>& inputs, const std::vector<tenon_elementwise_op>& ops,
               int64_t output) {
    const int64_t operand = static_cast<int64_t>(inputs.size() + ops.size()) - 1;
    tenon_elementwise_params e{0,
                               static_cast<int64_t>(inputs.size()),
                               inputs.data(),
                               static_cast<int64_t>(ops.size()),
                               ops.data(),
                               1,
                               &output,
                               &operand};
    p.add(tenon_program_add_elementwise, e);
}

tenon_elementwise_op op(int64_t function, int64_t x, int64_t y = 0, double a = 0, double b = 0,
                        int64_t type = TENON_F32) {
    return {function, type, {x, y, 0}, a, b};
}

// relu(x * scale_c + other) where x and other come out of convolutions; channels that fill blocks and such that do not.
void elementwise_in_blocked_layout() {
    for (const int64_t c : {32, 20}) {
        Engine engine;
        Program p(engine);
        const Dims d{2, c, 5, 5};
        const Floats x = random_floats(2 * 3 * 25, 1), w1 = random_floats(c * 3, 2), w2 = random_floats(c * 3, 3),
                     s = random_floats(c, 4), w3 = random_floats(c * c, 5);
        const int64_t in = p.input({2, 3, 5, 5}, x), a = p.temp(d), b = p.temp(d), e = p.temp(d);
        p.add(tenon_program_add_conv, pointwise(in, p.constant({c, 3, 1, 1}, w1), a));
        p.add(tenon_program_add_conv, pointwise(in, p.constant({c, 3, 1, 1}, w2), b));
        add_chain(p, {a, p.constant({c, 1, 1}, s), b},
                  {op(TENON_FN_MUL, 0, 1), op(TENON_FN_ADD, 3, 2), op(TENON_FN_RELU, 4)}, e);
        p.add(tenon_program_add_conv, pointwise(e, p.constant({c, c, 1, 1}, w3), p.output(d)));
        check(p.run() == TENON_OK, "elementwise");
        Floats want = mix(x, w1, 2, 3, c, 25);
        const Floats other = mix(x, w2, 2, 3, c, 25);
        for (size_t i = 0; i < want.size(); ++i) want[i] = std::max(want[i] * s[i / 25 % c] + other[i], 0.0f);
        check_close(p.result(), mix(want, w3, 2, c, c, 25), 1e-4, 1e-4, "elementwise on channels " + std::to_string(c));
        if (c == 32) check(p.count_steps("reorder") <= 2, "no reorder around the elementwise step");
    }
}

void padding_stays_zero() {
    Engine engine;
    Program p(engine);
    const int64_t c = 20;
    const Dims d{1, c, 4, 4};
    const Floats x = random_floats(3 * 16, 1), w1 = random_floats(c * 3, 2), w2 = random_floats(c * c, 3);
    const int64_t a = p.temp(d), b = p.temp(d), e = p.temp(d);
    p.add(tenon_program_add_conv, pointwise(p.input({1, 3, 4, 4}, x), p.constant({c, 3, 1, 1}, w1), a));
    add_chain(p, {a}, {op(TENON_FN_TANH, 0)}, b);     // keeps zero
    add_chain(p, {b}, {op(TENON_FN_SIGMOID, 0)}, e);  // does not
    p.add(tenon_program_add_conv, pointwise(e, p.constant({c, c, 1, 1}, w2), p.output(d)));
    check(p.run() == TENON_OK, "padding");
    const Floats y = map(mix(x, w1, 1, 3, c, 16), [](double v) { return 1 / (1 + std::exp(-std::tanh(v))); });
    check_close(p.result(), mix(y, w2, 1, c, c, 16), 1e-4, 1e-4, "sigmoid on padded channels");
}

void integer_chains() {
    Engine engine;
    Program p(engine);
    const std::vector<int64_t> x{7, -7, 9, 4}, y{2, 2, 0, 3};
    const int64_t out = p.output({4}, TENON_I64, 8);
    add_chain(p, {p.input(TENON_I64, {4}, x), p.input(TENON_I64, {4}, y)}, {op(TENON_FN_DIV, 0, 1, 0, 0, TENON_I64)},
              out);
    std::string message;
    check(p.run(&message) == TENON_DIVISION_BY_ZERO, "division by zero is a status: " + message);
    check(p.result_of<int64_t>()[0] == 3 && p.result_of<int64_t>()[1] == -3 && p.result_of<int64_t>()[3] == 1,
          "integer division");
}

void casts() {
    Engine engine;
    Program p(engine);
    const int64_t out = p.output({5}, TENON_I32), back = p.output({5}, TENON_BOOL, 1);
    const Floats x{1.5f, -2.5f, 0.0f, 300.0f, -0.25f};
    const int64_t in = p.input({5}, x);
    p.add(tenon_program_add_cast, tenon_unary_params{0, in, out});
    p.add(tenon_program_add_cast, tenon_unary_params{0, in, back});
    check(p.run() == TENON_OK, "cast");
    const int32_t want[] = {1, -2, 0, 300, 0};
    for (int i = 0; i < 5; ++i) {
        check(p.result_of<int32_t>(0)[i] == want[i], "float to int");
        check(p.result_of<uint8_t>(1)[i] == (x[i] != 0), "float to bool");
    }
}

// Parts that fill blocks with batch 1 are written in place; other batches and odd channels are copied.
void concat_of_blocked_values() {
    for (const int64_t n : {1, 2}) {
        for (const int64_t c2 : {16, 10}) {
            Engine engine;
            Program p(engine);
            const int64_t c1 = 32, c = c1 + c2, area = 16;
            const Floats x = random_floats(n * 3 * area, 1), w1 = random_floats(c1 * 3, 2),
                         w2 = random_floats(c2 * 3, 3), w3 = random_floats(c * 8, 4), w4 = random_floats(c1 * 4, 5);
            const int64_t in = p.input({n, 3, 4, 4}, x), a = p.temp({n, c1, 4, 4}), b = p.temp({n, c2, 4, 4}),
                          d = p.temp({n, c, 4, 4});
            p.add(tenon_program_add_conv, pointwise(in, p.constant({c1, 3, 1, 1}, w1), a));
            p.add(tenon_program_add_conv, pointwise(in, p.constant({c2, 3, 1, 1}, w2), b));
            const int64_t parts[] = {a, b};
            p.add(tenon_program_add_concat, tenon_concat_params{0, 2, parts, d, 1});
            p.add(tenon_program_add_conv, pointwise(d, p.constant({8, c, 1, 1}, w3), p.output({n, 8, 4, 4})));
            // A part is read again after the concat.
            p.add(tenon_program_add_conv, pointwise(a, p.constant({4, c1, 1, 1}, w4), p.output({n, 4, 4, 4})));
            check(p.run() == TENON_OK, "concat");
            check(p.run() == TENON_OK, "concat again");
            const Floats y1 = mix(x, w1, n, 3, c1, area), y2 = mix(x, w2, n, 3, c2, area);
            Floats joined;
            for (int64_t i = 0; i < n; ++i) {
                joined.insert(joined.end(), y1.begin() + i * c1 * area, y1.begin() + (i + 1) * c1 * area);
                joined.insert(joined.end(), y2.begin() + i * c2 * area, y2.begin() + (i + 1) * c2 * area);
            }
            check_close(p.result(0), mix(joined, w3, n, c, 8, area), 1e-4, 1e-4, "concat, then convolution");
            check_close(p.result(1), mix(y1, w4, n, c1, 4, area), 1e-4, 1e-4, "part after concat");
        }
    }
}

// In channel blocks with batch 1 parts are written where they belong: no step is left of the concat.
void concat_in_place() {
    Engine engine;
    Program p(engine);
    const Floats x = random_floats(64 * 784, 1), w1 = random_floats(64 * 64 * 9, 2), w2 = random_floats(32 * 64, 3),
                 w3 = random_floats(96 * 16, 4);
    const int64_t in = p.input({1, 64, 28, 28}, x), a = p.temp({1, 64, 28, 28}), b = p.temp({1, 32, 28, 28}),
                  d = p.temp({1, 96, 28, 28});
    tenon_conv_params q = pointwise(in, p.constant({64, 64, 3, 3}, w1), a);
    for (int i = 0; i < 2; ++i) q.pads_begin[i] = q.pads_end[i] = 1;
    p.add(tenon_program_add_conv, q);
    p.add(tenon_program_add_conv, pointwise(in, p.constant({32, 64, 1, 1}, w2), b));
    const int64_t parts[] = {a, b};
    p.add(tenon_program_add_concat, tenon_concat_params{0, 2, parts, d, 1});
    p.add(tenon_program_add_conv, pointwise(d, p.constant({16, 96, 1, 1}, w3), p.output({1, 16, 28, 28})));
    check(p.run() == TENON_OK, "concat");
    check(p.run() == TENON_OK, "concat again");
    Floats joined = conv({1, 64, 64, 1, {28, 28}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, x, w1, {});
    const Floats second = mix(x, w2, 1, 64, 32, 784);
    joined.insert(joined.end(), second.begin(), second.end());
    check_close(p.result(), mix(joined, w3, 1, 96, 16, 784), 1e-3, 2e-2, "concat in place");
    bool blocked = false;
    for (int64_t i = 0; i < p.steps(); ++i) blocked |= std::strstr(p.step(i).implementation, "winograd") != nullptr;
    if (blocked) check(p.count_steps("concat") == 0, "parts are written in place");
}

void concat_of_plain_values() {
    for (const int64_t axis : {0, 1, 2}) {
        Engine engine;
        Program p(engine);
        Dims da{2, 3, 5}, db = da, dc = da;
        db[axis] = 4;
        dc[axis] = 0;
        Dims dd = da;
        dd[axis] += 4;
        const Floats a = random_floats(count(da), 1), b = random_floats(count(db), 2);
        const int64_t ia = p.input(da, a), ib = p.input(db, b), t = p.temp(da), u = p.temp(db);
        add_chain(p, {ia}, {op(TENON_FN_NEG, 0)}, t);
        add_chain(p, {ib}, {op(TENON_FN_NEG, 0)}, u);
        const int64_t parts[] = {t, p.input(dc, Floats{}), u};
        p.add(tenon_program_add_concat, tenon_concat_params{0, 3, parts, p.output(dd), axis});
        check(p.run() == TENON_OK, "concat");
        int64_t outer = 1, inner = 1;
        for (int i = 0; i < 3; ++i) (i < axis ? outer : inner) *= i == axis ? 1 : da[i];
        Floats want;
        for (int64_t o = 0; o < outer; ++o) {
            for (int64_t i = 0; i < da[axis] * inner; ++i) want.push_back(-a[o * da[axis] * inner + i]);
            for (int64_t i = 0; i < 4 * inner; ++i) want.push_back(-b[o * 4 * inner + i]);
        }
        check_close(p.result(), want, 0, 0, "concat axis " + std::to_string(axis));
    }
}

void pools() {
    for (const int64_t kind : {TENON_POOL_MAX, TENON_POOL_AVERAGE_INCLUDE_PAD, TENON_POOL_AVERAGE_EXCLUDE_PAD}) {
        Engine engine;
        Program p(engine);
        const int64_t c = 5, size = 7, out = 4;  // kernel 3, stride 2, pad 1
        const Floats x = random_floats(c * size * size, 1);
        tenon_pool_params q{};
        q.src = p.input({1, c, size, size}, x);
        q.dst = p.output({1, c, out, out});
        q.kind = kind;
        for (int i = 0; i < 2; ++i)
            q.kernel[i] = 3, q.strides[i] = 2, q.dilations[i] = 1, q.pads_begin[i] = q.pads_end[i] = 1;
        p.add(tenon_program_add_pool, q);
        check(p.run() == TENON_OK, "pool");
        Floats want;
        for (int64_t k = 0; k < c; ++k)
            for (int64_t i = 0; i < out; ++i)
                for (int64_t j = 0; j < out; ++j) {
                    double best = -1e30, sum = 0;
                    int seen = 0;
                    for (int64_t r = 2 * i - 1; r < 2 * i + 2; ++r)
                        for (int64_t s = 2 * j - 1; s < 2 * j + 2; ++s) {
                            if (r < 0 || s < 0 || r >= size || s >= size) continue;
                            const double v = x[(k * size + r) * size + s];
                            best = std::max(best, v);
                            sum += v;
                            ++seen;
                        }
                    want.push_back(static_cast<float>(
                        kind == TENON_POOL_MAX ? best : sum / (kind == TENON_POOL_AVERAGE_INCLUDE_PAD ? 9 : seen)));
                }
        check_close(p.result(), want, 1e-5, 1e-6, "pool kind " + std::to_string(kind));
    }
}

// convolution -> global average pool -> flatten -> product: the end of a classifier.
void classifier_head() {
    Engine engine;
    Program p(engine);
    const int64_t c = 32, area = 49;
    const Floats x = random_floats(3 * area, 1), w = random_floats(c * 3, 2), f = random_floats(10 * c, 3);
    const int64_t a = p.temp({1, c, 7, 7}), g = p.temp({1, c, 1, 1}), v = p.temp({1, c});
    p.add(tenon_program_add_conv, pointwise(p.input({1, 3, 7, 7}, x), p.constant({c, 3, 1, 1}, w), a));
    tenon_pool_params q{};
    q.src = a;
    q.dst = g;
    q.kind = TENON_POOL_AVERAGE_INCLUDE_PAD;
    for (int i = 0; i < 2; ++i) q.kernel[i] = 7, q.strides[i] = q.dilations[i] = 1;
    p.add(tenon_program_add_pool, q);
    p.add(tenon_program_add_reshape, tenon_unary_params{0, g, v});
    tenon_matmul_params m{};
    m.a = v;
    m.b = p.constant({10, c}, f);
    m.bias = TENON_NO_VALUE;
    m.dst = p.output({1, 10});
    m.transpose_b = 1;
    m.alpha = m.beta = 1;
    p.add(tenon_program_add_matmul, m);
    check(p.run() == TENON_OK, "head");
    const Floats y = mix(x, w, 1, 3, c, area);
    Floats want(10);
    for (int64_t o = 0; o < 10; ++o) {
        double sum = 0;
        for (size_t i = 0; i < y.size(); ++i) sum += y[i] * f[o * c + i / area];
        want[o] = static_cast<float>(sum / area);
    }
    check_close(p.result(), want, 1e-4, 1e-4, "classifier head");
    check(p.count_steps("reshape") == 0, "flatten costs nothing");
}

void softmax_axes() {
    const Dims d{3, 5, 7};
    const Floats x = random_floats(count(d), 1);
    for (const int64_t axis : {0, 1, 2}) {
        for (const bool log : {false, true}) {
            Engine engine;
            Program p(engine);
            p.add(tenon_program_add_softmax, tenon_softmax_params{0, p.input(d, x), p.output(d), axis, log});
            check(p.run() == TENON_OK, "softmax");
            const int64_t inner = axis == 0 ? 35 : axis == 1 ? 7 : 1, size = d[axis];
            Floats want(x.size());
            for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
                const int64_t start = i / (size * inner) * size * inner + i % inner;
                double sum = 0;
                for (int64_t k = 0; k < size; ++k) sum += std::exp(static_cast<double>(x[start + k * inner]));
                want[i] = static_cast<float>(log ? x[i] - std::log(sum) : std::exp(static_cast<double>(x[i])) / sum);
            }
            check_close(p.result(), want, 1e-5, 1e-6, "softmax axis " + std::to_string(axis));
        }
    }
}

void norms() {
    Engine engine;
    Program p(engine);
    const int64_t rows = 5, cols = 37;
    const Floats x = random_floats(rows * cols, 1), r = random_floats(rows * cols, 2), s = random_floats(cols, 3),
                 b = random_floats(cols, 4);
    tenon_layer_norm_params q{};
    q.src = p.input({rows, cols}, x);
    q.residual = p.input({rows, cols}, r);
    q.scale = p.constant({cols}, s);
    q.bias = p.constant({cols}, b);
    q.dst = p.output({rows, cols});
    q.sum_out = p.output({rows, cols});
    q.mean_out = p.output({rows, 1});
    q.inv_std_out = TENON_NO_VALUE;
    q.axis = 1;
    q.epsilon = 1e-5;
    p.add(tenon_program_add_layer_norm, q);
    tenon_layer_norm_params rms = q;
    rms.residual = rms.sum_out = rms.mean_out = rms.bias = TENON_NO_VALUE;
    rms.dst = p.output({rows, cols});
    p.add(tenon_program_add_rms_norm, rms);
    check(p.run() == TENON_OK, "norms");
    Floats layer, sum, mean, root;
    for (int64_t i = 0; i < rows; ++i) {
        double m = 0, v = 0, square = 0;
        for (int64_t j = 0; j < cols; ++j) {
            m += (x[i * cols + j] + r[i * cols + j]) / cols;
            square += x[i * cols + j] * x[i * cols + j] / cols;
        }
        for (int64_t j = 0; j < cols; ++j) v += std::pow(x[i * cols + j] + r[i * cols + j] - m, 2) / cols;
        mean.push_back(static_cast<float>(m));
        for (int64_t j = 0; j < cols; ++j) {
            sum.push_back(x[i * cols + j] + r[i * cols + j]);
            layer.push_back(static_cast<float>((sum.back() - m) / std::sqrt(v + 1e-5) * s[j] + b[j]));
            root.push_back(static_cast<float>(x[i * cols + j] / std::sqrt(square + 1e-5) * s[j]));
        }
    }
    check_close(p.result(0), layer, 1e-4, 1e-5, "layer norm");
    check_close(p.result(1), sum, 1e-6, 1e-6, "sum");
    check_close(p.result(2), mean, 1e-5, 1e-6, "mean");
    check_close(p.result(3), root, 1e-4, 1e-5, "rms norm");
}

void group_norm_with_activation() {
    Engine engine;
    Program p(engine);
    const int64_t c = 6, groups = 3, area = 11;
    const Floats x = random_floats(2 * c * area, 1), s = random_floats(c, 2), b = random_floats(c, 3);
    tenon_group_norm_params q{};
    q.src = p.input({2, c, area}, x);
    q.scale = p.constant({c}, s);
    q.bias = p.constant({c}, b);
    q.dst = p.output({2, c, area});
    q.groups = groups;
    q.epsilon = 1e-5;
    q.post_op_count = 1;
    q.post_ops[0] = {TENON_POST_ACTIVATION, TENON_FN_SILU, 0, 1, 0};
    p.add(tenon_program_add_group_norm, q);
    check(p.run() == TENON_OK, "group norm");
    Floats want(x.size());
    const int64_t size = c / groups * area;
    for (int64_t g = 0; g < 2 * groups; ++g) {
        double m = 0, v = 0;
        for (int64_t i = 0; i < size; ++i) m += x[g * size + i] / size;
        for (int64_t i = 0; i < size; ++i) v += std::pow(x[g * size + i] - m, 2) / size;
        for (int64_t i = g * size; i < (g + 1) * size; ++i) {
            const int64_t channel = i / area % c;
            const double y = (x[i] - m) / std::sqrt(v + 1e-5) * s[channel] + b[channel];
            want[i] = static_cast<float>(y / (1 + std::exp(-y)));
        }
    }
    check_close(p.result(), want, 1e-4, 1e-5, "group norm and silu");
}

void attention_on_fused_projections() {
    Engine engine;
    Program p(engine);
    const int64_t b = 2, s = 9, h = 3, d = 8, row = 3 * h * d;
    const Floats qkv = random_floats(b * s * row, 1);
    std::vector<uint8_t> visible(b * s, 1);
    visible[s - 1] = visible[s - 2] = 0;
    tenon_attention_params q{};
    q.q = q.k = q.v = p.input({b, s, row}, qkv);
    q.mask = p.input(TENON_BOOL, {b, 1, 1, s}, visible);
    q.dst = p.output({b, s, h * d});
    q.batch = b;
    q.heads = q.kv_heads = h;
    q.q_length = q.kv_length = s;
    q.head_size = q.value_head_size = d;
    q.k_offset = h * d;
    q.v_offset = 2 * h * d;
    for (int64_t* strides : {q.q_strides, q.k_strides, q.v_strides})
        strides[0] = s * row, strides[1] = d, strides[2] = row;
    q.dst_strides[0] = s * h * d;
    q.dst_strides[1] = d;
    q.dst_strides[2] = h * d;
    q.mask_strides[0] = s;
    q.mask_strides[3] = 1;
    q.scale = 0.35;
    tenon_attention_params beyond = q;
    beyond.v_offset = 3 * h * d;
    check(p.try_add(tenon_program_add_attention, beyond) == TENON_INVALID_ARGUMENT, "views that leave the value");
    p.add(tenon_program_add_attention, q);
    check(p.run() == TENON_OK, "attention");
    Floats want(b * s * h * d);
    for (int64_t i = 0; i < b; ++i)
        for (int64_t k = 0; k < h; ++k)
            for (int64_t r = 0; r < s; ++r) {
                std::vector<double> weight(s);
                double sum = 0;
                for (int64_t t = 0; t < s; ++t) {
                    double dot = 0;
                    for (int64_t e = 0; e < d; ++e) {
                        dot += static_cast<double>(qkv[(i * s + r) * row + k * d + e]) *
                               qkv[(i * s + t) * row + h * d + k * d + e];
                    }
                    weight[t] = visible[i * s + t] ? std::exp(0.35 * dot) : 0;
                    sum += weight[t];
                }
                for (int64_t e = 0; e < d; ++e) {
                    double y = 0;
                    for (int64_t t = 0; t < s; ++t)
                        y += weight[t] / sum * qkv[(i * s + t) * row + 2 * h * d + k * d + e];
                    want[(i * s + r) * h * d + k * d + e] = static_cast<float>(y);
                }
            }
    check_close(p.result(), want, 1e-4, 1e-5, "attention");
}

void transposes_and_slices() {
    Engine engine;
    Program p(engine);
    const Floats x = random_floats(2 * 3 * 4 * 5, 1);
    const int64_t in = p.input({2, 3, 4, 5}, x), t = p.temp({2, 4, 3, 5});
    p.add(tenon_program_add_transpose, tenon_transpose_params{0, in, t, {0, 2, 1, 3}});
    // Positions 3, 1 of axis 1 and 1..4 of axis 3.
    const int64_t cut = p.temp({2, 2, 3, 4});
    p.add(tenon_program_add_slice, tenon_slice_params{0, t, cut, {0, 3, 0, 1}, {1, -2, 1, 1}});
    const int64_t row = p.temp({1, 2, 3, 4});  // a view
    p.add(tenon_program_add_slice, tenon_slice_params{0, cut, row, {1, 0, 0, 0}, {1, 1, 1, 1}});
    const int64_t wide = p.temp({1, 2, 3, 7});
    p.add(tenon_program_add_pad, tenon_pad_params{0, row, wide, {0, 0, 0, 1}, {0, 0, 0, 2}, TENON_PAD_CONSTANT, 9});
    p.add(tenon_program_add_expand, tenon_unary_params{0, wide, p.output({3, 2, 3, 7})});
    p.add(tenon_program_add_pad,
          tenon_pad_params{0, row, p.output({1, 2, 3, 7}), {0, 0, 0, 2}, {0, 0, 0, 1}, TENON_PAD_REFLECT, 0});
    check(p.run() == TENON_OK, "movement");
    const auto at = [&](int64_t i, int64_t r, int64_t c) { return x[((1 * 3 + r) * 4 + (3 - 2 * i)) * 5 + c + 1]; };
    Floats constant, reflect;
    for (int64_t i = 0; i < 2; ++i)
        for (int64_t r = 0; r < 3; ++r)
            for (int64_t c = 0; c < 7; ++c) {
                constant.push_back(c < 1 || c > 4 ? 9 : at(i, r, c - 1));
                const int64_t from = c < 2 ? 2 - c : c > 5 ? 2 : c - 2;
                reflect.push_back(at(i, r, from));
            }
    Floats expanded;
    for (int k = 0; k < 3; ++k) expanded.insert(expanded.end(), constant.begin(), constant.end());
    check_close(p.result(0), expanded, 0, 0, "transpose, slice, pad, expand");
    check_close(p.result(1), reflect, 0, 0, "reflected pad");
}

void gathers() {
    Engine engine;
    Program p(engine);
    const Floats x = random_floats(4 * 5 * 3, 1);
    const std::vector<int64_t> rows{2, -1, 0};
    const std::vector<int32_t> tuples{1, 4, 3, 0}, bad{0, 5};
    const int64_t in = p.input({4, 5, 3}, x);
    p.add(tenon_program_add_gather,
          tenon_gather_params{0, in, p.input(TENON_I64, {3}, rows), p.output({4, 3, 3}), TENON_GATHER, 1, 0});
    p.add(tenon_program_add_gather,
          tenon_gather_params{0, in, p.input(TENON_I32, {2, 2}, tuples), p.output({2, 3}), TENON_GATHER_ND, 0, 0});
    check(p.run() == TENON_OK, "gather");
    check(p.step(0).bytes_read == 4 * 3 * 3 * 4 + 3 * 8, "the rows gathered and the indices are read, not the table");
    Floats want;
    for (int64_t i = 0; i < 4; ++i)
        for (int64_t r : {2, 4, 0})
            for (int64_t c = 0; c < 3; ++c) want.push_back(x[(i * 5 + r) * 3 + c]);
    check_close(p.result(0), want, 0, 0, "gather");
    want.clear();
    for (const auto& [i, r] : {std::pair{1, 4}, std::pair{3, 0}})
        for (int64_t c = 0; c < 3; ++c) want.push_back(x[(i * 5 + r) * 3 + c]);
    check_close(p.result(1), want, 0, 0, "gather nd");

    Program q(engine);
    q.add(tenon_program_add_gather, tenon_gather_params{0, q.input({4, 5, 3}, x), q.input(TENON_I32, {2}, bad),
                                                        q.output({4, 2, 3}), TENON_GATHER, 1, 0});
    std::string message;
    check(q.run(&message) == TENON_INDEX_OUT_OF_RANGE && message.find("position 1") != std::string::npos,
          "index out of range: " + message);
}

void reductions() {
    const Dims d{3, 4, 5, 6};
    const Floats x = random_floats(count(d), 1);
    for (const int64_t axes : {1, 2, 8, 12, 9, 5, 15}) {
        for (const int64_t kind :
             {TENON_REDUCE_SUM, TENON_REDUCE_MEAN, TENON_REDUCE_MAX, TENON_REDUCE_L2, TENON_REDUCE_LOG_SUM_EXP}) {
            Engine engine;
            Program p(engine);
            Dims kept;
            for (int i = 0; i < 4; ++i) kept.push_back((axes >> i & 1) != 0 ? 1 : d[i]);
            p.add(tenon_program_add_reduce, tenon_reduce_params{0, p.input(d, x), p.output(kept), kind, axes, 0});
            check(p.run() == TENON_OK, "reduce");
            std::vector<std::vector<double>> groups(count(kept));
            for (int64_t i = 0; i < count(d); ++i) {
                int64_t rest = i, at = 0, stride = 1;
                for (int k = 3; k >= 0; --k) {
                    if (kept[k] != 1) at += rest % d[k] * stride;
                    stride *= kept[k];
                    rest /= d[k];
                }
                groups[at].push_back(x[i]);
            }
            Floats want;
            for (const auto& g : groups) {
                double sum = 0, best = -1e30, square = 0, exponent = 0;
                for (double v : g) sum += v, best = std::max(best, v), square += v * v, exponent += std::exp(v);
                want.push_back(static_cast<float>(kind == TENON_REDUCE_SUM    ? sum
                                                  : kind == TENON_REDUCE_MEAN ? sum / static_cast<double>(g.size())
                                                  : kind == TENON_REDUCE_MAX  ? best
                                                  : kind == TENON_REDUCE_L2   ? std::sqrt(square)
                                                                              : std::log(exponent)));
            }
            check_close(p.result(), want, 1e-4, 1e-5,
                        "reduction " + std::to_string(kind) + " over axes " + std::to_string(axes));
        }
    }
}

// The mean over space of a value in oneDNN's layout, and the position of the largest channel.
void reduction_of_blocked_value() {
    for (const int64_t c : {32, 20}) {
        Engine engine;
        Program p(engine);
        const Floats x = random_floats(2 * 3 * 16, 1), w = random_floats(c * 3, 2);
        const int64_t a = p.temp({2, c, 4, 4}), m = p.temp({2, c});
        p.add(tenon_program_add_conv, pointwise(p.input({2, 3, 4, 4}, x), p.constant({c, 3, 1, 1}, w), a));
        p.add(tenon_program_add_reduce, tenon_reduce_params{0, a, m, TENON_REDUCE_MEAN, 12, 0});
        p.add(tenon_program_add_reduce,
              tenon_reduce_params{0, m, p.output({2}, TENON_I64, 8), TENON_REDUCE_ARG_MAX, 2, 0});
        p.add(tenon_program_add_reshape, tenon_unary_params{0, m, p.output({2 * c})});
        check(p.run() == TENON_OK, "reduce");
        const Floats y = mix(x, w, 2, 3, c, 16);
        Floats mean(2 * c);
        for (size_t i = 0; i < y.size(); ++i) mean[i / 16] += y[i] / 16;
        check_close(p.result(1), mean, 1e-4, 1e-5, "mean over space");
        for (int64_t n = 0; n < 2; ++n) {
            const auto first = mean.begin() + n * c;
            check(p.result_of<int64_t>(0)[n] == std::max_element(first, first + c) - first, "largest channel");
        }
    }
}

void resize_by_tables() {
    Engine engine;
    Program p(engine);
    const Floats x = random_floats(2 * 3 * 4, 1);
    const std::vector<int64_t> rows{0, 0, 1, 2, 2}, cols{0, 1, 1, 2, 3, 3};
    const std::vector<double> ones(5, 1.0), weights{0.25, 0.75, 0.5, 0.5, 1.0, 0.0};
    tenon_resize_params q{};
    q.src = p.input({2, 3, 4}, x);
    q.dst = p.output({2, 5, 3});
    q.taps[1] = 1;
    q.taps[2] = 2;
    q.indices[1] = rows.data();
    q.weights[1] = ones.data();
    q.indices[2] = cols.data();
    q.weights[2] = weights.data();
    p.add(tenon_program_add_resize, q);
    check(p.run() == TENON_OK, "resize");
    Floats want;
    for (int64_t n = 0; n < 2; ++n)
        for (int64_t r : rows)
            for (int64_t j = 0; j < 3; ++j) {
                const float* line = x.data() + (n * 3 + r) * 4;
                want.push_back(static_cast<float>(line[cols[2 * j]] * weights[2 * j] +
                                                  line[cols[2 * j + 1]] * weights[2 * j + 1]));
            }
    check_close(p.result(), want, 1e-6, 1e-6, "resize");
}

void lrn_over_channels() {
    Engine engine;
    Program p(engine);
    const int64_t c = 9, area = 4;
    const Floats x = random_floats(c * area, 1);
    p.add(tenon_program_add_lrn,
          tenon_lrn_params{0, p.input({1, c, 2, 2}, x), p.output({1, c, 2, 2}), 5, 0.1, 0.75, 2});
    check(p.run() == TENON_OK, "lrn");
    Floats want;
    for (int64_t k = 0; k < c; ++k)
        for (int64_t i = 0; i < area; ++i) {
            double sum = 0;
            for (int64_t j = std::max<int64_t>(0, k - 2); j <= std::min(c - 1, k + 2); ++j)
                sum += x[j * area + i] * x[j * area + i];
            want.push_back(static_cast<float>(x[k * area + i] / std::pow(2 + 0.1 / 5 * sum, 0.75)));
        }
    check_close(p.result(), want, 1e-4, 1e-5, "lrn");
}

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

struct RecurrentCase {
    bool lstm, reverse, bias, lengths, initial, peepholes;
    int64_t steps, batch, hidden;
};

void recurrent_case(Engine& engine, const RecurrentCase& a, int64_t threads = 0) {
    Program p(engine);
    const int64_t steps = a.steps, batch = a.batch, n = a.hidden, columns = (a.lstm ? 4 : 3) * n;
    Floats r = random_floats(columns * n, 2);
    // As layers are trained to be: sums near 1, whose rounding errors do not grow from step to step.
    for (float& w : r) w /= std::sqrt(static_cast<float>(n));
    const Floats gates = random_floats(steps * batch * columns, 1), bias = random_floats(columns, 3),
                 h0 = random_floats(batch * n, 4), c0 = random_floats(batch * n, 5), peep = random_floats(3 * n, 6);
    std::vector<int32_t> lengths;
    for (int64_t b = 0; b < batch; ++b) lengths.push_back(static_cast<int32_t>((b * 2 + steps) % (steps + 1)));
    tenon_recurrent_params params{};
    params.gates = p.input({steps, batch, columns}, gates);
    params.weights = p.constant({columns, n}, r);
    params.bias = a.bias ? p.constant({columns}, bias) : TENON_NO_VALUE;
    params.lengths = a.lengths ? p.input(TENON_I32, {batch}, lengths) : TENON_NO_VALUE;
    params.initial_h = a.initial ? p.input({batch, n}, h0) : TENON_NO_VALUE;
    params.initial_c = a.initial && a.lstm ? p.input({batch, n}, c0) : TENON_NO_VALUE;
    params.peepholes = a.peepholes ? p.constant({3 * n}, peep) : TENON_NO_VALUE;
    params.dst = p.output({steps, batch, n});
    params.last_h = p.output({batch, n});
    params.last_c = a.lstm ? p.output({batch, n}) : TENON_NO_VALUE;
    params.cell = a.lstm ? TENON_CELL_LSTM : TENON_CELL_GRU;
    params.reverse = a.reverse;
    p.add(tenon_program_add_recurrent, params);

    Floats y(steps * batch * n, 0.0f), last_h(batch * n), last_c(batch * n);
    for (int64_t b = 0; b < batch; ++b) {
        std::vector<double> h(n), c(n), next(n), pre(columns);
        for (int64_t i = 0; i < n; ++i) {
            h[i] = a.initial ? h0[b * n + i] : 0;
            c[i] = a.initial ? c0[b * n + i] : 0;
        }
        const int64_t length = a.lengths ? lengths[b] : steps;
        for (int64_t s = 0; s < length; ++s) {
            const int64_t t = a.reverse ? length - 1 - s : s;
            const float* x = gates.data() + (t * batch + b) * columns;
            for (int64_t j = 0; j < columns; ++j) {
                pre[j] = a.bias ? bias[j] : 0;
                for (int64_t k = 0; k < n; ++k) pre[j] += r[j * n + k] * h[k];
            }
            for (int64_t i = 0; i < n; ++i) {
                if (a.lstm) {
                    const double old = c[i], w = a.peepholes ? 1 : 0;
                    const double in = sigmoid(x[i] + pre[i] + w * peep[i] * old);
                    const double forget = sigmoid(x[2 * n + i] + pre[2 * n + i] + w * peep[2 * n + i] * old);
                    c[i] = forget * old + in * std::tanh(x[3 * n + i] + pre[3 * n + i]);
                    next[i] = sigmoid(x[n + i] + pre[n + i] + w * peep[n + i] * c[i]) * std::tanh(c[i]);
                } else {
                    const double z = sigmoid(x[i] + pre[i]), reset = sigmoid(x[n + i] + pre[n + i]);
                    next[i] = (1 - z) * std::tanh(x[2 * n + i] + reset * pre[2 * n + i]) + z * h[i];
                }
            }
            h = next;
            for (int64_t i = 0; i < n; ++i) y[(t * batch + b) * n + i] = static_cast<float>(h[i]);
        }
        for (int64_t i = 0; i < n; ++i) {
            last_h[b * n + i] = static_cast<float>(h[i]);
            last_c[b * n + i] = static_cast<float>(c[i]);
        }
    }
    const std::string what = std::string(a.lstm ? "lstm" : "gru") + (a.reverse ? " reversed " : " ") +
                             std::to_string(steps) + "x" + std::to_string(batch) + "x" + std::to_string(n);
    for (int again = 0; again < 2; ++again) {
        check(p.run() == TENON_OK, what);
        check_close(p.result(0), y, 1e-4, 1e-5, what + " y");
        check_close(p.result(1), last_h, 1e-4, 1e-5, what + " h");
        if (a.lstm) check_close(p.result(2), last_c, 1e-4, 1e-5, what + " c");
    }
    tenon_step_info info{};
    tenon_error err{};
    call(tenon_program_step(p.handle, tenon_program_step_count(p.handle) - 1, &info, &err), err);
    check(threads == 0 || info.threads == threads, what + " runs on " + std::to_string(info.threads) + " threads");
}

void recurrent_layers() {
    for (const int64_t threads : {1, 2, 5}) {  // 5: more than there may be processors
        Engine engine(threads);
        for (const bool lstm : {true, false}) {
            for (const bool reverse : {false, true}) {
                recurrent_case(engine, {lstm, reverse, false, false, false, false, 1, 1, 16});
                recurrent_case(engine, {lstm, reverse, true, false, true, lstm, 5, 3, 7});
                recurrent_case(engine, {lstm, reverse, true, true, true, lstm, 4, 11, 33});
                recurrent_case(engine, {lstm, reverse, true, true, false, false, 3, 8, 1});
            }
            // Enough work for two threads, with and without panels that belong to one of them.
            recurrent_case(engine, {lstm, false, true, false, true, lstm, 3, 2, 400}, threads);
            recurrent_case(engine, {lstm, true, true, true, true, false, 4, 9, 384}, threads);
            // Enough work, but one block of it.
            recurrent_case(engine, {lstm, false, false, false, false, false, 2, 700, 64}, 1);
        }
    }
}

// Only the last state is wanted, and it overwrites nothing that others read.
void recurrent_last_state() {
    Engine engine;
    Program p(engine);
    const Floats gates = random_floats(3 * 2 * 32, 1);
    tenon_recurrent_params params{};
    params.gates = p.input({3, 2, 32}, gates);
    params.weights = p.constant({32, 8}, random_floats(32 * 8, 2));
    params.bias = params.lengths = params.peepholes = params.dst = params.last_c = TENON_NO_VALUE;
    params.initial_h = params.initial_c = p.input({2, 8}, 3);
    params.last_h = p.output({2, 8});
    p.add(tenon_program_add_recurrent, params);
    check(p.run() == TENON_OK, "last state");
    const Floats once(p.result(), p.result() + 16);
    check(p.run() == TENON_OK, "last state again");
    check_close(p.result(), once, 0, 0, "last state again");
}

void recurrent_refusals() {
    Engine engine;
    Program p(engine);
    tenon_recurrent_params params{};
    params.gates = p.input({2, 1, 16}, 1);
    params.weights = p.constant({16, 4}, random_floats(64, 2));
    params.bias = params.initial_h = params.initial_c = params.peepholes = TENON_NO_VALUE;
    params.last_h = params.last_c = TENON_NO_VALUE;
    params.lengths = p.input(TENON_I32, {1}, std::vector<int32_t>{3});
    params.dst = p.output({2, 1, 4});
    std::string message;
    const auto refused = [&](tenon_recurrent_params bad, tenon_status status, const char* text) {
        check(p.try_add(tenon_program_add_recurrent, bad, &message) == status, std::string("refuses ") + text);
        check(message.find(text) != std::string::npos, "says \"" + std::string(text) + "\": " + message);
    };
    tenon_recurrent_params bad = params;
    bad.cell = TENON_CELL_GRU;
    refused(bad, TENON_INVALID_ARGUMENT, "expected [2, 1, 12]");
    bad = params;
    bad.dst = TENON_NO_VALUE;
    refused(bad, TENON_INVALID_ARGUMENT, "no result");
    bad = params;
    bad.cell = 7;
    refused(bad, TENON_INVALID_ARGUMENT, "unknown cell");
    bad = params;
    bad.weights = p.input({16, 4}, 5);
    refused(bad, TENON_UNSUPPORTED, "not constant");
    p.add(tenon_program_add_recurrent, params);
    check(p.run(&message) == TENON_INDEX_OUT_OF_RANGE, "a length beyond the steps");
    check(message.find("length 3 of row 0") != std::string::npos, message);
}

}  // namespace

int main(int argc, char** argv) {
    return run_all({{"elementwise in blocked layout", elementwise_in_blocked_layout},
                    {"padding stays zero", padding_stays_zero},
                    {"integer chains", integer_chains},
                    {"casts", casts},
                    {"concat of blocked values", concat_of_blocked_values},
                    {"concat in place", concat_in_place},
                    {"concat of plain values", concat_of_plain_values},
                    {"pools", pools},
                    {"classifier head", classifier_head},
                    {"softmax axes", softmax_axes},
                    {"norms", norms},
                    {"group norm with activation", group_norm_with_activation},
                    {"attention on fused projections", attention_on_fused_projections},
                    {"transposes and slices", transposes_and_slices},
                    {"gathers", gathers},
                    {"reductions", reductions},
                    {"reduction of a blocked value", reduction_of_blocked_value},
                    {"resize by tables", resize_by_tables},
                    {"lrn over channels", lrn_over_channels},
                    {"recurrent layers", recurrent_layers},
                    {"recurrent last state", recurrent_last_state},
                    {"recurrent refusals", recurrent_refusals}},
                   argc, argv);
}
