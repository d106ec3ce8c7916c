// A native program: values, the nodes added to it, and after lowering its buffers and steps.
#pragma once

#include <climits>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "onednn.h"
#include "step.h"
#include "tenon/tenon.h"

namespace tenon {

class Lowering;

// Bytes of memory. A buffer with a parent is a part of it; the root says where the bytes come from.
struct Buffer {
    enum class Place { arena, input, output, constant };
    Place place = Place::arena;
    int64_t bytes = 0;
    int parent = -1;
    int64_t offset = 0;          // in the parent
    int64_t slot = 0;            // of inputs and outputs
    const void* data = nullptr;  // of constants
    int value = -1;
    // Roots in the arena only:
    int first_step = INT_MAX;
    int last_step = -1;
    int64_t placed = -1;
};

// One way a value lies in memory. desc is empty for plain row-major memory.
struct Form {
    MemoryDesc desc;
    int buffer;
    bool plain() const { return !desc; }
};

struct Value {
    int64_t dtype;
    Dims dims;
    int64_t role;
    int64_t index;
    int64_t elements;
    int64_t bytes;
    int writer = -1;       // node
    int last_reader = -1;  // node
    std::vector<Form> forms;

    int rank() const { return static_cast<int>(dims.size()); }
};

// What one add call asked for. Nodes are immutable after construction.
class Node {
  public:
    Node(const char* kind, std::vector<int> reads, std::vector<int> writes)
        : kind(kind), reads(std::move(reads)), writes(std::move(writes)) {}
    virtual ~Node() = default;
    virtual void lower(Lowering& lowering) const = 0;
    // Whether the node gains from feature maps in channel blocks of 16 throughout the program.
    virtual bool wants_channel_blocks(const Lowering&) const { return false; }

    const char* const kind;
    const std::vector<int> reads;
    const std::vector<int> writes;
    std::string name;
    int call = -1;
};

}  // namespace tenon

struct tenon_program {
  public:
    explicit tenon_program(tenon_engine& engine) : engine(engine) {}

    int add_value(const tenon_value_desc& desc);
    // A temporary value the lowering of one call needs between two nodes.
    int add_hidden_value(int64_t dtype, const tenon::Dims& dims);
    // Nodes added between begin_call and commit_call take effect together or not at all.
    void begin_call(const char* name);
    void add_node(std::unique_ptr<tenon::Node> node) { pending_.push_back(std::move(node)); }
    void commit_call();
    void abandon_call();

    const tenon::Value& value(int64_t id, const char* argument) const;
    void finish();
    void place(const int64_t* offsets, int64_t count, int64_t arena_bytes);

    // Root of a buffer; adds the offsets on the way to *offset.
    int root(int buffer, int64_t* offset = nullptr) const;
    std::vector<int> arena_buffers() const;

    tenon_engine& engine;
    std::vector<tenon::Value> values;
    std::vector<std::unique_ptr<tenon::Node>> nodes;
    std::vector<tenon::Buffer> buffers;
    std::vector<std::unique_ptr<tenon::Step>> steps;
    std::vector<int> input_values, output_values;  // by slot
    bool finished = false;
    bool placed = false;
    int64_t arena_bytes = 0;

  private:
    void check_slots(const std::vector<int>& slots, const char* what) const;
    void check_order() const;
    void compute_lifetimes();
    void check_placement() const;

    int calls_ = 0;
    std::string call_name_;
    size_t values_before_call_ = 0;
    std::vector<std::unique_ptr<tenon::Node>> pending_;
};
