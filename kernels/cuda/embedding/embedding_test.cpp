// embedding_plan and its kernels under the SIMT shim against a double reference.
#include "embedding/embedding.h"

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(13);
const tenon_cuda_device device = hopper();

struct Case {
    int64_t rows, columns;
    int64_t kind = TENON_CUDA_EMBEDDING_LAYER;
    bool positions = false, position_ids = false, types = false, scale = true, sum = false;
    int64_t sequence = 3, position_offset = 0, word_rows = 11;
    int64_t misalignment = 0, padding = 0;  // in elements; padding widens the strides
    bool special = false, bad_ids = false;
};

template <class T, class Id>
void check(const Case& c) {
    where = "embedding type " + std::to_string(type_code<T>()) + " ids " + std::to_string(type_code<Id>()) + " kind " +
            std::to_string(c.kind) + " " + std::to_string(c.rows) + "x" + std::to_string(c.columns) +
            (c.positions ? " positions" : "") + (c.types ? " types" : "") + (c.special ? " special" : "") +
            (c.bad_ids ? " bad ids" : "") + " misaligned by " + std::to_string(c.misalignment);
    const int64_t position_rows = 9, type_rows = 2, stride = c.columns + c.padding;
    auto elements = [&](int64_t rows) { return rows == 0 ? 0 : (rows - 1) * stride + c.columns; };
    Buffer<T> words(elements(c.word_rows), c.misalignment), positions(elements(position_rows), c.misalignment),
        types(elements(type_rows), c.misalignment), scale(c.columns, c.misalignment), bias(c.columns, c.misalignment),
        y(elements(c.rows), c.misalignment), sum(elements(c.rows), c.misalignment);
    Buffer<Id> ids(c.rows), position_ids(c.rows), type_ids(c.rows);
    Buffer<int32_t> error(1);
    error[0] = 0;
    fill(words, rng, 1.0, c.special);
    fill(positions, rng, 0.5);
    fill(types, rng, 0.5);
    fill(scale, rng);
    fill(bias, rng);
    auto draw = [&](int64_t n) { return static_cast<Id>(static_cast<int64_t>(rng() % (2 * n)) - n); };
    for (int64_t r = 0; r < c.rows; r++) {
        ids[r] = c.word_rows == 0 ? 0 : draw(c.word_rows);
        position_ids[r] = draw(position_rows);
        type_ids[r] = draw(type_rows);
        if (!c.bad_ids) continue;
        const Id bad[] = {static_cast<Id>(c.word_rows), static_cast<Id>(-c.word_rows - 1),
                          std::numeric_limits<Id>::min(), std::numeric_limits<Id>::max()};
        if (r % 4 == 1) ids[r] = bad[rng() % 4];
        if (r % 4 == 2) position_ids[r] = static_cast<Id>(position_rows);
        if (r % 4 == 3) type_ids[r] = static_cast<Id>(-3);
    }

    bool plain = c.kind == TENON_CUDA_EMBEDDING_PLAIN, scaled = c.scale && !plain;
    tenon_cuda_embedding a{};
    a.words = c.word_rows ? words.data() : nullptr;
    a.positions = c.positions ? positions.data() : nullptr;
    a.types = c.types ? types.data() : nullptr;
    a.ids = ids.data();
    a.position_ids = c.position_ids ? position_ids.data() : nullptr;
    a.type_ids = c.types ? type_ids.data() : nullptr;
    a.scale = scaled ? scale.data() : nullptr;
    a.bias = scaled ? bias.data() : nullptr;
    a.y = y.data();
    a.sum = c.sum ? sum.data() : nullptr;
    a.error = error.data();
    a.kind = c.kind;
    a.type = type_code<T>();
    a.ids_type = type_code<Id>();
    a.rows = c.rows;
    a.columns = c.columns;
    a.word_rows = c.word_rows;
    a.position_rows = position_rows;
    a.type_rows = type_rows;
    a.words_stride = a.positions_stride = a.types_stride = a.y_stride = a.sum_stride = stride;
    a.sequence = c.sequence;
    a.position_offset = c.position_offset;
    a.epsilon = 1e-5;
    run([&](tenon_cuda_plan* plan) { return tenon_cuda_embedding_plan(&a, &device, plan); }, rng());

    size_t columns = static_cast<size_t>(c.columns);
    bool any_bad = false;
    for (int64_t r = 0; r < c.rows; r++) {
        bool bad = false;
        auto row = [&](Buffer<T>& table, int64_t id, int64_t rows) {
            if (id < 0) id += rows;
            bad = bad || id < 0 || id >= rows;
            return bad ? nullptr : &table[id * stride];
        };
        const T* w = row(words, ids[r], c.word_rows);
        const T* q =
            !c.positions
                ? nullptr
                : row(positions, c.position_ids ? position_ids[r] : c.position_offset + r % c.sequence, position_rows);
        const T* t = c.types ? row(types, type_ids[r], type_rows) : nullptr;
        any_bad = any_bad || bad;
        std::vector<double> s(columns), n(columns);
        double mean = 0, squares = 0;
        for (size_t i = 0; i < columns; i++) {
            float v = bad ? NAN : to_float(w[i]);
            if (q && !bad) v += to_float(q[i]);
            if (t && !bad) v += to_float(t[i]);
            s[i] = to_float(from_float<T>(v));
            mean += s[i];
        }
        mean = c.kind == TENON_CUDA_EMBEDDING_LAYER ? mean / static_cast<double>(c.columns) : 0;
        for (double v : s) squares += (v - mean) * (v - mean);
        double inverse = plain ? 1 : 1 / std::sqrt(squares / static_cast<double>(c.columns) + 1e-5);
        for (int64_t i = 0; i < c.columns; i++) {
            size_t k = static_cast<size_t>(i);
            double want =
                (s[k] - mean) * inverse * (scaled ? to_float(scale[i]) : 1) + (scaled ? to_float(bias[i]) : 0);
            double got = to_float(y[r * stride + i]);
            if (!close(got, want, plain ? 0 : 2 * epsilon<T>(), plain ? 0 : 4e-6)) {
                fail("y[%lld, %lld] is %.9g; expected %.9g", (long long)r, (long long)i, got, want);
            }
            if (c.sum && !close(to_float(sum[r * stride + i]), s[k], 0, 0)) {
                fail("sum[%lld, %lld] is %.9g; expected %.9g", (long long)r, (long long)i,
                     to_float(sum[r * stride + i]), s[k]);
            }
        }
    }
    if (error[0] != any_bad) fail("error is %d; expected %d", error[0], any_bad);
}

template <class T>
void check_type() {
    constexpr int64_t v = 16 / sizeof(T);
    using I32 = int32_t;
    using I64 = int64_t;
    for (int64_t kind : {TENON_CUDA_EMBEDDING_LAYER, TENON_CUDA_EMBEDDING_RMS, TENON_CUDA_EMBEDDING_PLAIN}) {
        for (int64_t columns : {int64_t{1}, v - 1, v, v + 1, 2 * v + 3, 128 * v, 129 * v}) {
            check<T, I64>({.rows = 5, .columns = columns, .kind = kind});
            check<T, I32>({.rows = 4, .columns = columns, .kind = kind, .positions = true, .types = true, .sum = true});
        }
        check<T, I32>({.rows = 0, .columns = v, .kind = kind});
        check<T, I64>(
            {.rows = 9, .columns = 6 * v, .kind = kind, .positions = true, .position_ids = true, .types = true});
        check<T, I32>({.rows = 6, .columns = 6 * v, .kind = kind, .positions = true, .position_offset = 6});
        check<T, I64>({.rows = 6, .columns = 6 * v, .kind = kind, .types = true, .scale = false, .special = true});
        check<T, I32>({.rows = 3, .columns = 6 * v, .kind = kind, .positions = true, .misalignment = 1});
        check<T, I64>({.rows = 3, .columns = 6 * v, .kind = kind, .types = true, .padding = v});
        check<T, I64>({.rows = 3, .columns = 6 * v, .kind = kind, .types = true, .padding = 1});
        for (int64_t columns : {int64_t{5}, 3 * v, 130 * v}) {
            check<T, I32>({.rows = 12,
                           .columns = columns,
                           .kind = kind,
                           .positions = true,
                           .position_ids = true,
                           .types = true,
                           .sum = true,
                           .bad_ids = true});
            check<T, I64>({.rows = 8,
                           .columns = columns,
                           .kind = kind,
                           .positions = true,
                           .position_ids = true,
                           .types = true,
                           .bad_ids = true});
        }
        // Positions that run out.
        check<T, I64>(
            {.rows = 7, .columns = 2 * v, .kind = kind, .positions = true, .sequence = 7, .position_offset = 4});
        check<T, I64>({.rows = 3, .columns = 2 * v, .kind = kind, .word_rows = 0});
    }
    // Longer than what a block keeps in registers.
    check<T, I32>({.rows = 2, .columns = 3075 * v, .positions = true, .types = true, .sum = true, .bad_ids = true});
    check<T, I64>({.rows = 1, .columns = 6301, .positions = true, .types = true, .scale = false});
}

void check_refusals() {
    where = "embedding refusals";
    Buffer<float> words(64), y(64);
    Buffer<int32_t> ids(4);
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_embedding a{};
        a.words = words.data();
        a.ids = ids.data();
        a.y = y.data();
        a.type = TENON_CUDA_F32;
        a.ids_type = TENON_CUDA_I32;
        a.rows = a.word_rows = 4;
        a.columns = a.words_stride = a.y_stride = 16;
        change(a);
        expect_refused(status, text,
                       [&](tenon_cuda_plan* plan) { return tenon_cuda_embedding_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(invalid, "kind is 3", [](auto& a) { a.kind = 3; });
    refused(unsupported, "type 3", [](auto& a) { a.type = TENON_CUDA_I8; });
    refused(unsupported, "ids_type 2", [](auto& a) { a.ids_type = TENON_CUDA_U8; });
    refused(invalid, "scale is given", [&](auto& a) { a.kind = TENON_CUDA_EMBEDDING_PLAIN, a.scale = y.data(); });
    refused(invalid, "bias is given", [&](auto& a) { a.kind = TENON_CUDA_EMBEDDING_PLAIN, a.bias = y.data(); });
    refused(invalid, "epsilon is -1", [](auto& a) { a.epsilon = -1; });
    refused(invalid, "rows is -1", [](auto& a) { a.rows = -1; });
    refused(invalid, "columns is 0", [](auto& a) { a.columns = 0; });
    refused(invalid, "ids is null", [](auto& a) { a.ids = nullptr; });
    refused(invalid, "y is null", [](auto& a) { a.y = nullptr; });
    refused(invalid, "words is null", [](auto& a) { a.words = nullptr; });
    refused(invalid, "words has -1 rows", [](auto& a) { a.word_rows = -1; });
    refused(invalid, "types is given", [&](auto& a) { a.types = y.data(); });
    refused(invalid, "sequence is 0", [&](auto& a) { a.positions = y.data(); });
    refused(invalid, "words_stride is 15", [](auto& a) { a.words_stride = 15; });
    refused(invalid, "y_stride is 15", [](auto& a) { a.y_stride = 15; });
    refused(unsupported, "words spans more than 2^40 bytes", [](auto& a) { a.word_rows = int64_t{1} << 60; });
    refused(invalid, "position_offset 9223372036854775807", [&](auto& a) {
        a.positions = y.data();
        a.position_rows = 4;
        a.positions_stride = 16;
        a.sequence = 4;
        a.position_offset = INT64_MAX;
    });
}

}  // namespace

int main() {
    check_type<float>();
    check_type<f16>();
    check_type<bf16>();
    check_refusals();
    return result("tenon_embedding");
}
