// Turns nodes into steps: keeps track of the forms a value has and inserts reorders where another one is needed.
#pragma once

#include <memory>
#include <vector>

#include "program.h"
#include "threads.h"

namespace tenon {

class Lowering {
  public:
    explicit Lowering(tenon_program& program) : program_(program) {}
    void run();

    tenon_engine& engine() const { return program_.engine; }
    // Convolutions choose nChw16c and the like, since some node needs it and the others lose nothing.
    bool channel_blocks() const { return channel_blocks_; }
    const Value& value(int id) const { return program_.values[id]; }

    // Buffer in which value `id` lies row-major, after a reorder if need be.
    int plain(int id);
    // Buffer in which it lies as `desc` (dims and type of the value).
    int as(int id, const MemoryDesc& desc);
    // Buffer with the plain elements, seen as `from`, in layout `to`. Constants are packed once per engine.
    int repacked(int id, const MemoryDesc& from, const MemoryDesc& to);
    // The form a step that takes any layout should read: a form of oneDNN's own if there is one, else the plain one.
    Form preferred(int id);
    // The layout of that form as an F32 descriptor.
    MemoryDesc preferred_desc(int id);
    bool has_plain(int id) const;

    // Where the current node writes its result `id`: row-major, or as `desc`.
    int define(int id);
    int define(int id, const MemoryDesc& desc);
    // The result is memory that exists already: `offset` bytes into `buffer`. False if the value must have memory of
    // its own (an output); nothing has happened then.
    bool define_view(int id, int buffer, int64_t offset, const MemoryDesc& desc = {});
    // The result overwrites `buffer`, which holds value `victim`, if nobody needs that any more. -1 otherwise.
    int define_over(int id, int victim, int buffer, const MemoryDesc& desc = {});
    // Makes the memory of value `id` a part of `whole`, so that its writer writes there. False if it cannot be.
    bool absorb(int id, const MemoryDesc& desc, int whole, int64_t offset);

    int scratch(int64_t bytes);
    // A stretch of a buffer that holds value `id`.
    int part_of(int buffer, int64_t offset, int64_t bytes, int id) { return view_of(buffer, offset, bytes, id); }
    // Memory of the engine that holds a form of constant value `id`.
    int constant_memory(const void* data, int64_t bytes, int id);
    // Threads for a step of so much work.
    int threads_for(double flops, double bytes) const;
    int threads_for_ns(double ns) const;

    void add(std::unique_ptr<Step> step, std::string kind, std::string implementation, std::string layouts);
    // operand order as given to the function
    void add_kernel(std::vector<Operand> operands, int threads, int64_t flops, std::string implementation,
                    KernelStep::Function function, const char* kind = nullptr, std::string layouts = "plain");
    struct PrimitiveOperand {
        int arg;
        int buffer;
        bool write;
        MemoryDesc desc;
    };
    void add_primitive(const PrimitiveDesc& pd, std::vector<PrimitiveOperand> operands, int threads, int64_t flops,
                       const char* kind = nullptr);

    int64_t bytes_of(int buffer) const { return program_.buffers[buffer].bytes; }
    std::string layout_text(const MemoryDesc& desc) const { return desc ? desc.text() : "plain"; }

  private:
    int new_buffer(int64_t bytes, int value);
    int view_of(int buffer, int64_t offset, int64_t bytes, int value);
    int output_memory(int id);
    void emit_reorder(int from_buffer, const MemoryDesc& from, int to_buffer, const MemoryDesc& to);
    void store_outputs(const Node& node);

    tenon_program& program_;
    const Node* node_ = nullptr;
    int node_index_ = -1;
    bool channel_blocks_ = false;
};

dnnl_data_type_t dnnl_type(int64_t dtype);  // dnnl_data_type_undef where oneDNN has none
int64_t dtype_bytes(int64_t dtype);
const char* dtype_name(int64_t dtype);
std::string dims_text(const Dims& dims);

}  // namespace tenon
