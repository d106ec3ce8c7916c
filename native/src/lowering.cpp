#include "lowering.h"

#include <algorithm>

#include "common/element_type.h"
#include "status.h"

namespace tenon {

int64_t dtype_bytes(int64_t dtype) {
    return cpu::element_bytes(static_cast<cpu::ElementType>(dtype));
}

dnnl_data_type_t dnnl_type(int64_t dtype) {
    switch (dtype) {
        case TENON_F32:
            return dnnl_f32;
        case TENON_I32:
            return dnnl_s32;
        case TENON_I8:
            return dnnl_s8;
        case TENON_U8:
            return dnnl_u8;
        case TENON_F16:
            return dnnl_f16;
        case TENON_BF16:
            return dnnl_bf16;
        default:
            return dnnl_data_type_undef;
    }
}

const char* dtype_name(int64_t dtype) {
    static const char* const kNames[] = {"undefined", "float32", "uint8",   "int8",    "uint16",  "int16",
                                         "int32",     "int64",   "string",  "bool",    "float16", "float64",
                                         "uint32",    "uint64",  "complex", "complex", "bfloat16"};
    return dtype >= 0 && dtype <= TENON_BF16 ? kNames[dtype] : "unknown type";
}

std::string dims_text(const Dims& dims) {
    std::string text = "[";
    for (size_t i = 0; i < dims.size(); ++i) {
        if (i > 0) text += ", ";
        text += std::to_string(dims[i]);
    }
    text += "]";
    return text;
}

namespace {

// oneDNN wants at least one dimension.
Dims at_least_1d(const Dims& dims) {
    return dims.empty() ? Dims{1} : dims;
}

// Rough speed of one core, to decide whether a step is worth sharing.
double flops_per_ns(cpu::Isa isa) {
    return isa == cpu::Isa::avx512 ? 100 : isa == cpu::Isa::avx2 ? 50 : 4;
}
constexpr double kBytesPerNs = 60;  // from the second and third cache level

}  // namespace

void Lowering::run() {
    channel_blocks_ = std::any_of(program_.nodes.begin(), program_.nodes.end(),
                                  [&](const auto& node) { return node->wants_channel_blocks(*this); });
    for (size_t i = 0; i < program_.nodes.size(); ++i) {
        node_ = program_.nodes[i].get();
        node_index_ = static_cast<int>(i);
        const bool empty = !node_->writes.empty() && std::all_of(node_->writes.begin(), node_->writes.end(),
                                                                 [&](int v) { return value(v).elements == 0; });
        if (empty) {
            for (int v : node_->writes) define(v);
            continue;
        }
        try {
            node_->lower(*this);
        } catch (const Failure& e) {
            throw Failure(e.status(), std::string(node_->kind) + " \"" + node_->name + "\": " + e.what());
        }
        store_outputs(*node_);
    }
}

// Outputs must lie row-major in the caller's memory, whatever the step wrote.
void Lowering::store_outputs(const Node& node) {
    for (int v : node.writes) {
        if (value(v).role == TENON_ROLE_OUTPUT) plain(v);
    }
}

int Lowering::new_buffer(int64_t bytes, int value) {
    Buffer buffer;
    buffer.bytes = (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
    buffer.value = value;
    program_.buffers.push_back(buffer);
    return static_cast<int>(program_.buffers.size()) - 1;
}

int Lowering::view_of(int buffer, int64_t offset, int64_t bytes, int value) {
    Buffer view;
    view.bytes = bytes;
    view.parent = buffer;
    view.offset = offset;
    view.value = value;
    program_.buffers.push_back(view);
    return static_cast<int>(program_.buffers.size()) - 1;
}

int Lowering::constant_memory(const void* data, int64_t bytes, int id) {
    Buffer buffer;
    buffer.place = Buffer::Place::constant;
    buffer.bytes = bytes;
    buffer.value = id;
    buffer.data = data;
    program_.buffers.push_back(buffer);
    return static_cast<int>(program_.buffers.size()) - 1;
}

int Lowering::scratch(int64_t bytes) {
    return new_buffer(bytes, -1);
}

int Lowering::output_memory(int id) {
    Buffer buffer;
    buffer.place = Buffer::Place::output;
    buffer.bytes = value(id).bytes;
    buffer.slot = value(id).index;
    buffer.value = id;
    program_.buffers.push_back(buffer);
    return static_cast<int>(program_.buffers.size()) - 1;
}

bool Lowering::has_plain(int id) const {
    const Value& v = value(id);
    if (v.role == TENON_ROLE_INPUT || v.role == TENON_ROLE_CONSTANT) return true;
    return std::any_of(v.forms.begin(), v.forms.end(),
                       [](const Form& f) { return f.plain() || f.desc.is_row_major(); });
}

int Lowering::plain(int id) {
    Value& v = program_.values[id];
    for (const Form& f : v.forms) {
        if (f.plain()) return f.buffer;
    }
    Buffer made;
    made.bytes = v.bytes;
    made.value = id;
    if (v.role == TENON_ROLE_CONSTANT) {
        made.place = Buffer::Place::constant;
        made.data = engine().plain(v.index);
    } else if (v.role == TENON_ROLE_INPUT) {
        made.place = Buffer::Place::input;
        made.slot = v.index;
    } else {
        if (v.forms.empty()) fail(TENON_INTERNAL, "value %d is read before it is written", id);
        const Form from = v.forms.front();
        if (v.role == TENON_ROLE_TEMP && from.desc.is_row_major()) {
            v.forms.push_back({{}, from.buffer});
            return from.buffer;
        }
        const int to = v.role == TENON_ROLE_OUTPUT ? output_memory(id) : new_buffer(v.bytes, id);
        emit_reorder(from.buffer, from.desc, to, MemoryDesc::plain(at_least_1d(v.dims), dnnl_type(v.dtype)));
        v.forms.push_back({{}, to});
        return to;
    }
    program_.buffers.push_back(made);
    const int buffer = static_cast<int>(program_.buffers.size()) - 1;
    v.forms.push_back({{}, buffer});
    return buffer;
}

int Lowering::as(int id, const MemoryDesc& desc) {
    Value& v = program_.values[id];
    if (desc.is_row_major()) return plain(id);
    for (const Form& f : v.forms) {
        if (!f.plain() && f.desc == desc) return f.buffer;
    }
    const MemoryDesc row_major = MemoryDesc::plain(at_least_1d(v.dims), dnnl_type(v.dtype));
    int to;
    if (v.role == TENON_ROLE_CONSTANT) {
        to = repacked(id, row_major, desc);
    } else {
        // Through the plain form only if there is no other: two reorders would cost twice.
        const Form from = v.forms.empty() ? Form{{}, plain(id)} : v.forms.front();
        to = new_buffer(desc.bytes(), id);
        emit_reorder(from.buffer, from.plain() ? row_major : from.desc, to, desc);
    }
    v.forms.push_back({desc, to});
    return to;
}

int Lowering::repacked(int id, const MemoryDesc& from, const MemoryDesc& to) {
    const Value& v = value(id);
    if (from == to) return plain(id);
    if (v.role == TENON_ROLE_CONSTANT) {
        return constant_memory(engine().packed(v.index, from, to), to.bytes(), id);
    }
    const int source = plain(id);
    const int buffer = new_buffer(to.bytes(), id);
    emit_reorder(source, from, buffer, to);
    return buffer;
}

Form Lowering::preferred(int id) {
    Value& v = program_.values[id];
    for (const Form& f : v.forms) {
        if (!f.plain()) return f;
    }
    plain(id);
    return v.forms.back();
}

MemoryDesc Lowering::preferred_desc(int id) {
    const Form f = preferred(id);
    return f.plain() ? MemoryDesc::plain(at_least_1d(value(id).dims), dnnl_type(value(id).dtype)) : f.desc;
}

int Lowering::define(int id) {
    Value& v = program_.values[id];
    const int buffer = v.role == TENON_ROLE_OUTPUT ? output_memory(id) : new_buffer(v.bytes, id);
    v.forms.push_back({{}, buffer});
    return buffer;
}

int Lowering::define(int id, const MemoryDesc& desc) {
    if (desc.is_row_major()) return define(id);
    const int buffer = new_buffer(desc.bytes(), id);
    program_.values[id].forms.push_back({desc, buffer});
    return buffer;
}

bool Lowering::define_view(int id, int buffer, int64_t offset, const MemoryDesc& desc) {
    Value& v = program_.values[id];
    const bool plain_desc = !desc || desc.is_row_major();
    if (v.role == TENON_ROLE_OUTPUT && plain_desc) {
        // The source may as well be written to the caller's memory, if it is all of an arena buffer.
        int64_t at = offset;
        const int base = program_.root(buffer, &at);
        Buffer& root = program_.buffers[base];
        if (root.place != Buffer::Place::arena || at != 0 || bytes_of(buffer) > root.bytes ||
            root.bytes - v.bytes >= kCacheLine) {
            return false;
        }
        // Bytes of rounding must not be written: a step writing padding would run over the caller's memory.
        const bool exact = root.value >= 0 && value(root.value).bytes == v.bytes &&
                           std::all_of(value(root.value).forms.begin(), value(root.value).forms.end(),
                                       [](const Form& f) { return f.plain() || !f.desc.padded(); });
        if (!exact) return false;
        const int out = output_memory(id);
        program_.buffers[base].parent = out;
        program_.buffers[base].offset = 0;
        v.forms.push_back({{}, out});
        return true;
    }
    const int64_t bytes = plain_desc ? v.bytes : desc.bytes();
    v.forms.push_back({plain_desc ? MemoryDesc{} : desc, view_of(buffer, offset, bytes, id)});
    return true;
}

int Lowering::define_over(int id, int victim, int buffer, const MemoryDesc& desc) {
    const Value& v = value(victim);
    const bool plain_desc = !desc || desc.is_row_major();
    if (value(id).role == TENON_ROLE_OUTPUT && plain_desc) return -1;  // written straight to the caller's memory
    if (v.role != TENON_ROLE_TEMP) return -1;
    const int base = program_.root(buffer);
    if (program_.buffers[base].place != Buffer::Place::arena) return -1;
    for (size_t other = 0; other < program_.values.size(); ++other) {
        const Value& o = program_.values[other];
        const bool shares =
            std::any_of(o.forms.begin(), o.forms.end(), [&](const Form& f) { return program_.root(f.buffer) == base; });
        if (shares && o.last_reader > node_index_) return -1;
    }
    const int64_t bytes = plain_desc ? value(id).bytes : desc.bytes();
    if (bytes > bytes_of(buffer)) return -1;
    const int over = view_of(buffer, 0, bytes, id);
    program_.values[id].forms.push_back({plain_desc ? MemoryDesc{} : desc, over});
    return over;
}

bool Lowering::absorb(int id, const MemoryDesc& desc, int whole, int64_t offset) {
    const Value& v = value(id);
    if (v.role != TENON_ROLE_TEMP || offset % kCacheLine != 0) return false;
    for (const Form& f : v.forms) {
        const bool same = desc ? !f.plain() && f.desc == desc : f.plain();
        if (!same) continue;
        int64_t at = 0;
        const int base = program_.root(f.buffer, &at);
        Buffer& root = program_.buffers[base];
        const int64_t bytes = desc ? desc.bytes() : v.bytes;
        // Only a buffer that holds exactly this value; its rounding would overlap the neighbour.
        if (root.place != Buffer::Place::arena || at != 0 || base == program_.root(whole) || bytes % kCacheLine != 0 ||
            root.bytes != bytes) {
            return false;
        }
        root.parent = whole;
        root.offset = offset;
        return true;
    }
    return false;
}

int Lowering::threads_for(double flops, double bytes) const {
    return threads_for_ns(flops / flops_per_ns(program_.engine.isa()) + bytes / kBytesPerNs);
}

int Lowering::threads_for_ns(double ns) const {
    return ns < static_cast<double>(program_.engine.serial_below_ns()) ? 1 : program_.engine.threads();
}

void Lowering::add(std::unique_ptr<Step> step, std::string kind, std::string implementation, std::string layouts) {
    step->call = node_->call;
    step->name = node_->name;
    step->kind = std::move(kind);
    step->implementation = std::move(implementation);
    step->layouts = std::move(layouts);
    for (const Operand& o : step->operands) {
        const Buffer& buffer = program_.buffers[o.buffer];
        if (buffer.value < 0) continue;  // scratch
        (o.write ? step->bytes_written : step->bytes_read) += o.bytes >= 0 ? o.bytes : buffer.bytes;
    }
    program_.steps.push_back(std::move(step));
}

void Lowering::add_kernel(std::vector<Operand> operands, int threads, int64_t flops, std::string implementation,
                          KernelStep::Function function, const char* kind, std::string layouts) {
    auto step = std::make_unique<KernelStep>(std::move(function));
    step->operands = std::move(operands);
    step->threads = threads;
    step->flops = flops;
    add(std::move(step), kind != nullptr ? kind : node_->kind, std::move(implementation), std::move(layouts));
}

void Lowering::add_primitive(const PrimitiveDesc& pd, std::vector<PrimitiveOperand> operands, int threads,
                             int64_t flops, const char* kind) {
    std::vector<PrimitiveStep::Argument> arguments;
    std::vector<Operand> touched;
    std::string from, to;
    for (const PrimitiveOperand& o : operands) {
        arguments.push_back({o.arg, static_cast<int>(touched.size()), o.desc});
        touched.push_back({o.buffer, o.write});
        std::string& side = o.write ? to : from;
        if (!side.empty()) side += ",";
        side += o.desc.text();
    }
    const MemoryDesc scratchpad = query_md(pd, dnnl_query_scratchpad_md);
    if (scratchpad.bytes() > 0) {
        arguments.push_back({DNNL_ARG_SCRATCHPAD, static_cast<int>(touched.size()), scratchpad});
        touched.push_back({scratch(scratchpad.bytes()), true});
    }
    auto step = std::make_unique<PrimitiveStep>(new_primitive(pd), std::move(arguments));
    step->operands = std::move(touched);
    step->threads = threads;
    step->flops = flops;
    add(std::move(step), kind != nullptr ? kind : node_->kind, implementation_name(pd), from + "->" + to);
}

void Lowering::emit_reorder(int from_buffer, const MemoryDesc& from, int to_buffer, const MemoryDesc& to) {
    const int threads = threads_for(0, static_cast<double>(from.bytes() + to.bytes()));
    const TeamSize team(threads);
    const Attr attr = new_attr(TENON_MATH_STRICT);
    dnnl_primitive_desc_t made = nullptr;
    check_dnnl(dnnl_reorder_primitive_desc_create(&made, from.get(), dnnl_cpu_engine(), to.get(), dnnl_cpu_engine(),
                                                  attr.get()),
               "reorder");
    const PrimitiveDesc pd(made);
    add_primitive(pd, {{DNNL_ARG_FROM, from_buffer, false, from}, {DNNL_ARG_TO, to_buffer, true, to}}, threads, 0,
                  "reorder");
}

}  // namespace tenon
