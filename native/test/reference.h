// Slow and plain versions of the steps, in double precision.
#pragma once

#include "test_program.h"

namespace test {

// Convolution over 1 to 3 spatial axes written for three; dims are padded with leading 1s.
struct ConvCase {
    int64_t n, c, o, groups;
    Dims in, kernel, strides, dilations, pads_begin, pads_end;
    Dims out() const {
        Dims result;
        for (size_t i = 0; i < in.size(); ++i) {
            result.push_back((in[i] + pads_begin[i] + pads_end[i] - ((kernel[i] - 1) * dilations[i] + 1)) / strides[i] +
                             1);
        }
        return result;
    }
    Dims src_dims() const { return joined({n, c}, in); }
    Dims weight_dims() const { return joined({o, c / groups}, kernel); }
    Dims dst_dims() const { return joined({n, o}, out()); }
    static Dims joined(Dims a, const Dims& b) {
        a.insert(a.end(), b.begin(), b.end());
        return a;
    }
};

inline Dims three(const Dims& d, int64_t fill) {
    Dims r(3 - d.size(), fill);
    r.insert(r.end(), d.begin(), d.end());
    return r;
}

inline Floats conv(const ConvCase& k, const Floats& x, const Floats& w, const Floats& bias) {
    const Dims in = three(k.in, 1), ker = three(k.kernel, 1), out = three(k.out(), 1), st = three(k.strides, 1),
               di = three(k.dilations, 1), pb = three(k.pads_begin, 0);
    const int64_t cg = k.c / k.groups, og = k.o / k.groups;
    Floats y(k.n * k.o * count(out));
    size_t at = 0;
    for (int64_t n = 0; n < k.n; ++n)
        for (int64_t o = 0; o < k.o; ++o)
            for (int64_t a = 0; a < out[0]; ++a)
                for (int64_t b = 0; b < out[1]; ++b)
                    for (int64_t c = 0; c < out[2]; ++c) {
                        double sum = bias.empty() ? 0 : bias[o];
                        for (int64_t i = 0; i < cg; ++i)
                            for (int64_t r = 0; r < ker[0]; ++r)
                                for (int64_t s = 0; s < ker[1]; ++s)
                                    for (int64_t t = 0; t < ker[2]; ++t) {
                                        const int64_t z = a * st[0] + r * di[0] - pb[0],
                                                      yy = b * st[1] + s * di[1] - pb[1],
                                                      xx = c * st[2] + t * di[2] - pb[2];
                                        if (z < 0 || z >= in[0] || yy < 0 || yy >= in[1] || xx < 0 || xx >= in[2])
                                            continue;
                                        const int64_t channel = o / og * cg + i;
                                        sum += static_cast<double>(
                                                   x[(((n * k.c + channel) * in[0] + z) * in[1] + yy) * in[2] + xx]) *
                                               w[(((o * cg + i) * ker[0] + r) * ker[1] + s) * ker[2] + t];
                                    }
                        y[at++] = static_cast<float>(sum);
                    }
    return y;
}

// y[b, m, n] = sum_k a[b, m, k] b[b, k, n] with element functions.
inline Floats matmul(int64_t batch, int64_t m, int64_t n, int64_t k,
                     const std::function<double(int64_t, int64_t, int64_t)>& a,
                     const std::function<double(int64_t, int64_t, int64_t)>& b) {
    Floats y;
    for (int64_t i = 0; i < batch; ++i)
        for (int64_t r = 0; r < m; ++r)
            for (int64_t c = 0; c < n; ++c) {
                double sum = 0;
                for (int64_t j = 0; j < k; ++j) sum += a(i, r, j) * b(i, j, c);
                y.push_back(static_cast<float>(sum));
            }
    return y;
}

inline Floats map(const Floats& x, const std::function<double(double)>& f) {
    Floats y;
    for (float v : x) y.push_back(static_cast<float>(f(v)));
    return y;
}

inline Floats zip(const Floats& x, const Floats& y, const std::function<double(double, double)>& f) {
    Floats z;
    for (size_t i = 0; i < x.size(); ++i) z.push_back(static_cast<float>(f(x[i], y[i])));
    return z;
}

}  // namespace test
