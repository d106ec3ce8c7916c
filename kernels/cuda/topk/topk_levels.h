// The launches of a selection: parts of rows, then candidates, until one block holds all candidates of a row.
#pragma once
#include "common/planner.h"
#include "topk/topk_params.h"

namespace tenon::cuda {

class TopkLevels {
  public:
    // type: 0 f32, 1 f16, 2 bf16.
    TopkLevels(int64_t k, int64_t n, int64_t rows, int type, unsigned char* workspace)
        : rows_(rows), type_(type), workspace_(workspace) {
        slots_ = k <= 32 ? 64 : 2 * k;
        if (slots_ > kTopkSort) slots_ = kTopkSort;
        // Large k: the exact cut costs less than candidates.
        between_ = k > kTopkThreads ? k : slots_;
        // A row that begins between multiples of 16 bytes may need one access more.
        int64_t vector = type == 0 ? 4 : 8;
        chunks_[0] = divide_up((divide_up(n, vector) + 1) * vector, kTopkChunk);
        count_ = 1;
        while (chunks_[count_ - 1] > 1 && count_ < kMost) {
            chunks_[count_] = divide_up(chunks_[count_ - 1] * between_, kTopkChunk);
            count_++;
        }
    }

    // The levels that leave candidates, and the bytes they need: all when the last writes no results of top-k.
    int64_t level_count(bool last) const { return last ? count_ : count_ == 1 ? 1 : count_ - 1; }
    // Whether the launches of a plan suffice, with one more by the caller when the last level does not write results.
    bool fits(bool last) const {
        return count_ <= TENON_CUDA_MAX_LAUNCHES && chunks_[count_ - 1] == 1 && rows_ * chunks_[0] <= INT32_MAX &&
               (last || level_count(false) < TENON_CUDA_MAX_LAUNCHES);
    }
    int64_t chunks() const { return chunks_[0]; }
    int64_t slots() const { return slots_; }
    // Candidates of a row that the last launched level leaves, when it writes no results, and where.
    int64_t candidates() const { return chunks_[level_count(false) - 1] * between_; }
    const uint64_t* candidates_at() const { return buffer(level_count(false) - 1); }

    // Two buffers take turns: the second level is the first to write the smaller one.
    int64_t workspace_bytes(bool last) const {
        return count_ == 1 ? (last ? 0 : first_bytes()) : first_bytes() + second_bytes();
    }

    void launch(Planner& planner, TopkParams p, bool last) const {
        static const char* const part[] = {"tenon_topk_part_f32", "tenon_topk_part_f16", "tenon_topk_part_bf16"};
        static const char* const merge[] = {"tenon_topk_merge_f32", "tenon_topk_merge_f16", "tenon_topk_merge_bf16"};
        for (int64_t level = 0; level < level_count(last); level++) {
            p.chunks = static_cast<int32_t>(chunks_[level]);
            p.last = last && level == count_ - 1;
            p.slots = static_cast<int32_t>(p.last ? slots_ : between_);
            p.to = buffer(level);
            if (level > 0) {
                p.from = buffer(level - 1);
                p.count = static_cast<int32_t>(chunks_[level - 1] * between_);
            }
            planner.launch((level == 0 ? part : merge)[type_], {rows_ * chunks_[level]}, kTopkThreads, 0, p);
        }
    }

  private:
    static constexpr int kMost = TENON_CUDA_MAX_LAUNCHES;
    int64_t first_bytes() const { return divide_up(rows_ * chunks_[0] * between_ * 8, 256) * 256; }
    int64_t second_bytes() const { return divide_up(rows_ * chunks_[1] * between_ * 8, 256) * 256; }
    uint64_t* buffer(int64_t level) const {
        return reinterpret_cast<uint64_t*>(reinterpret_cast<uintptr_t>(workspace_) +
                                           (level % 2 == 0 ? 0 : static_cast<uintptr_t>(first_bytes())));
    }

    int64_t rows_, slots_, between_, count_;
    int type_;
    int64_t chunks_[kMost];
    unsigned char* workspace_;
};

}  // namespace tenon::cuda
