#include "program.h"

#include <algorithm>
#include <numeric>

#include "add_call.h"
#include "lowering.h"
#include "status.h"

using namespace tenon;

int tenon_program::add_value(const tenon_value_desc& desc) {
    if (finished) fail(TENON_INVALID_STATE, "the program is finished");
    require(desc.struct_size == sizeof desc, "value_desc: wrong struct_size");
    const int64_t width = dtype_bytes(desc.dtype);
    require_supported(width > 0, "value %zu: element type %lld has no native form", values.size(), ll(desc.dtype));
    require_supported(desc.rank >= 0 && desc.rank <= TENON_MAX_RANK, "value %zu: rank %lld, at most %d is possible",
                      values.size(), ll(desc.rank), TENON_MAX_RANK);
    Value value;
    value.dtype = desc.dtype;
    value.dims.assign(desc.dims, desc.dims + desc.rank);
    value.role = desc.role;
    value.index = desc.index;
    value.elements = 1;
    for (int64_t d : value.dims) {
        require(d >= 0, "value %zu: dims %s", values.size(), dims_text(value.dims).c_str());
        require(!__builtin_mul_overflow(value.elements, d, &value.elements) && value.elements <= INT64_MAX / 16,
                "value %zu: dims %s are too large", values.size(), dims_text(value.dims).c_str());
    }
    value.bytes = value.elements * width;
    const int id = static_cast<int>(values.size());
    switch (desc.role) {
        case TENON_ROLE_INPUT:
        case TENON_ROLE_OUTPUT: {
            std::vector<int>& slots = desc.role == TENON_ROLE_INPUT ? input_values : output_values;
            require(desc.index >= 0 && desc.index < 65536, "value %d: slot %lld", id, ll(desc.index));
            if (slots.size() <= static_cast<size_t>(desc.index)) slots.resize(desc.index + 1, -1);
            require(slots[desc.index] < 0, "value %d: slot %lld is taken by value %d", id, ll(desc.index),
                    slots[desc.index]);
            slots[desc.index] = id;
            break;
        }
        case TENON_ROLE_CONSTANT: {
            const int64_t bytes = engine.constant_bytes(desc.index);
            require(bytes == value.bytes, "value %d: constant %lld has %lld bytes, dims %s of %s need %lld", id,
                    ll(desc.index), ll(bytes), dims_text(value.dims).c_str(), dtype_name(value.dtype), ll(value.bytes));
            break;
        }
        case TENON_ROLE_TEMP:
            break;
        default:
            fail(TENON_INVALID_ARGUMENT, "value %d: unknown role %lld", id, ll(desc.role));
    }
    values.push_back(std::move(value));
    return id;
}

int tenon_program::add_hidden_value(int64_t dtype, const Dims& dims) {
    Value value;
    value.dtype = dtype;
    value.dims = dims;
    value.role = TENON_ROLE_TEMP;
    value.index = 0;
    value.elements = product(dims);
    value.bytes = value.elements * dtype_bytes(dtype);
    values.push_back(std::move(value));
    return static_cast<int>(values.size()) - 1;
}

void tenon_program::begin_call(const char* name) {
    call_name_ = name != nullptr ? name : "";
    values_before_call_ = values.size();
}

void tenon_program::abandon_call() {
    pending_.clear();
    values.resize(values_before_call_);
}

void tenon_program::check_order() const {
    std::vector<int> written;
    for (const auto& node : pending_) {
        for (int v : node->reads) {
            const Value& read = values[v];
            const bool there = read.role == TENON_ROLE_INPUT || read.role == TENON_ROLE_CONSTANT || read.writer >= 0 ||
                               std::find(written.begin(), written.end(), v) != written.end();
            require(there, "value %d is read before a node writes it", v);
        }
        for (int v : node->writes) {
            const Value& value = values[v];
            require(value.role == TENON_ROLE_OUTPUT || value.role == TENON_ROLE_TEMP, "value %d cannot be written", v);
            require(value.writer < 0 && std::find(written.begin(), written.end(), v) == written.end(),
                    "value %d is written twice", v);
            written.push_back(v);
        }
    }
}

void tenon_program::commit_call() {
    check_order();
    for (auto& node : pending_) {
        const int index = static_cast<int>(nodes.size());
        for (int v : node->reads) values[v].last_reader = index;
        for (int v : node->writes) values[v].writer = index;
        node->name = call_name_;
        node->call = calls_;
        nodes.push_back(std::move(node));
    }
    pending_.clear();
    ++calls_;
}

const Value& tenon_program::value(int64_t id, const char* argument) const {
    require(id >= 0 && id < static_cast<int64_t>(values.size()), "%s: there is no value %lld", argument, ll(id));
    return values[id];
}

void tenon_program::check_slots(const std::vector<int>& slots, const char* what) const {
    for (size_t i = 0; i < slots.size(); ++i) {
        require(slots[i] >= 0, "%s slot %zu has no value", what, i);
    }
    for (int v : output_values) require(values[v].writer >= 0, "output value %d is not written by any node", v);
}

void tenon_program::finish() {
    if (finished) fail(TENON_INVALID_STATE, "the program is finished");
    check_slots(input_values, "input");
    check_slots(output_values, "output");
    finished = true;
    Lowering(*this).run();
    compute_lifetimes();
}

int tenon_program::root(int buffer, int64_t* offset) const {
    while (buffers[buffer].parent >= 0) {
        if (offset != nullptr) *offset += buffers[buffer].offset;
        buffer = buffers[buffer].parent;
    }
    return buffer;
}

void tenon_program::compute_lifetimes() {
    for (size_t s = 0; s < steps.size(); ++s) {
        for (const Operand& o : steps[s]->operands) {
            Buffer& b = buffers[root(o.buffer)];
            b.first_step = std::min(b.first_step, static_cast<int>(s));
            b.last_step = std::max(b.last_step, static_cast<int>(s));
        }
    }
}

std::vector<int> tenon_program::arena_buffers() const {
    std::vector<int> result;
    for (size_t i = 0; i < buffers.size(); ++i) {
        const Buffer& b = buffers[i];
        if (b.place == Buffer::Place::arena && b.parent < 0 && b.last_step >= 0 && b.bytes > 0) {
            result.push_back(static_cast<int>(i));
        }
    }
    return result;
}

void tenon_program::place(const int64_t* offsets, int64_t count, int64_t bytes) {
    if (!finished) fail(TENON_INVALID_STATE, "the program is not finished");
    if (placed) fail(TENON_INVALID_STATE, "the program is placed already");
    const std::vector<int> ids = arena_buffers();
    require(count == static_cast<int64_t>(ids.size()) && (offsets != nullptr || count == 0),
            "%lld offsets for %zu buffers", ll(count), ids.size());
    for (size_t i = 0; i < ids.size(); ++i) {
        Buffer& b = buffers[ids[i]];
        require(offsets[i] >= 0 && offsets[i] % kCacheLine == 0 && b.bytes <= bytes && offsets[i] <= bytes - b.bytes,
                "buffer %zu of %lld bytes at offset %lld does not fit an arena of %lld bytes, or is not aligned", i,
                ll(b.bytes), ll(offsets[i]), ll(bytes));
        b.placed = offsets[i];
    }
    check_placement();
    arena_bytes = bytes;
    placed = true;
}

// Sweeps over the steps: those alive together, sorted by offset, must not overlap.
void tenon_program::check_placement() const {
    std::vector<int> ids = arena_buffers();
    std::sort(ids.begin(), ids.end(), [&](int a, int b) { return buffers[a].placed < buffers[b].placed; });
    for (size_t i = 0; i < ids.size(); ++i) {
        const Buffer& a = buffers[ids[i]];
        for (size_t j = i + 1; j < ids.size() && buffers[ids[j]].placed < a.placed + a.bytes; ++j) {
            const Buffer& b = buffers[ids[j]];
            const bool together = a.first_step <= b.last_step && b.first_step <= a.last_step;
            require(!together, "buffers at offsets %lld and %lld overlap and are both alive in step %d", ll(a.placed),
                    ll(b.placed), std::max(a.first_step, b.first_step));
        }
    }
}

extern "C" {

tenon_status tenon_program_create(tenon_engine* engine, tenon_program** out_program, tenon_error* err) {
    return guard(err, [&] {
        require(engine != nullptr && out_program != nullptr, "engine or out_program is NULL");
        *out_program = new tenon_program(*engine);
    });
}

void tenon_program_destroy(tenon_program* program) {
    delete program;
}

tenon_status tenon_program_add_value(tenon_program* program, const tenon_value_desc* desc, int64_t* out_value,
                                     tenon_error* err) {
    return guard(err, [&] {
        require(program != nullptr && desc != nullptr && out_value != nullptr, "program, desc or out_value is NULL");
        *out_value = program->add_value(*desc);
    });
}

tenon_status tenon_program_finish(tenon_program* program, tenon_error* err) {
    return guard(err, [&] {
        require(program != nullptr, "program is NULL");
        program->finish();
    });
}

int64_t tenon_program_buffer_count(const tenon_program* program) {
    return program == nullptr ? 0 : static_cast<int64_t>(program->arena_buffers().size());
}

tenon_status tenon_program_buffers(const tenon_program* program, tenon_buffer* out_buffers, tenon_error* err) {
    return guard(err, [&] {
        require(program != nullptr, "program is NULL");
        if (!program->finished) fail(TENON_INVALID_STATE, "the program is not finished");
        for (int id : program->arena_buffers()) {
            require(out_buffers != nullptr, "out_buffers is NULL");
            const Buffer& b = program->buffers[id];
            *out_buffers++ = {b.bytes, kCacheLine, b.first_step, b.last_step, b.value};
        }
    });
}

tenon_status tenon_program_place(tenon_program* program, const int64_t* offsets, int64_t count, int64_t arena_bytes,
                                 tenon_error* err) {
    return guard(err, [&] {
        require(program != nullptr, "program is NULL");
        program->place(offsets, count, arena_bytes);
    });
}

int64_t tenon_program_step_count(const tenon_program* program) {
    return program == nullptr ? 0 : static_cast<int64_t>(program->steps.size());
}

tenon_status tenon_program_step(const tenon_program* program, int64_t step, tenon_step_info* out_info,
                                tenon_error* err) {
    return guard(err, [&] {
        require(program != nullptr && out_info != nullptr, "program or out_info is NULL");
        require(step >= 0 && step < static_cast<int64_t>(program->steps.size()), "step %lld of %zu", ll(step),
                program->steps.size());
        const Step& s = *program->steps[step];
        *out_info = {s.call,           s.flops,        s.bytes_read,   s.bytes_written,
                     s.threads,        s.kind.c_str(), s.name.c_str(), s.implementation.c_str(),
                     s.layouts.c_str()};
    });
}
}
