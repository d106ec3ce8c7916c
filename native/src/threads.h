// The one thread runtime: OpenMP, the same library oneDNN uses.
#pragma once

#include <omp.h>

#include <cstdint>

namespace tenon {

// Sets the calling thread's team size, which oneDNN reads, and restores it.
class TeamSize {
  public:
    explicit TeamSize(int threads) : before_(omp_get_max_threads()), now_(before_) { set(threads); }
    TeamSize(const TeamSize&) = delete;
    TeamSize& operator=(const TeamSize&) = delete;
    ~TeamSize() { set(before_); }
    void set(int threads) {
        if (threads != now_) omp_set_num_threads(now_ = threads);
    }

  private:
    int before_;
    int now_;
};

// Calls body(begin, end) for `threads` ranges that cover 0..count-1, each starting at a multiple of `grain`.
template <typename Body>
void parallel_ranges(int threads, int64_t count, int64_t grain, const Body& body) {
    const int64_t grains = (count + grain - 1) / grain;
    if (threads <= 1 || grains <= 1) {
        if (count > 0) body(int64_t{0}, count);
        return;
    }
#pragma omp parallel num_threads(threads)
    {
        const int64_t team = omp_get_num_threads();
        const int64_t me = omp_get_thread_num();
        const int64_t begin = grains * me / team * grain;
        int64_t end = grains * (me + 1) / team * grain;
        if (end > count) end = count;
        if (begin < end) body(begin, end);
    }
}

// Calls body(me, members) on `threads` threads at once.
template <typename Body>
void parallel_team(int threads, const Body& body) {
    if (threads <= 1) {
        body(int64_t{0}, int64_t{1});
        return;
    }
#pragma omp parallel num_threads(threads)
    body(static_cast<int64_t>(omp_get_thread_num()), static_cast<int64_t>(omp_get_num_threads()));
}

}  // namespace tenon
