// Scheduler of the SIMT shim. Compiled without ThreadSanitizer's instrumentation (the fibers' bookkeeping is shared by
// design); it tells ThreadSanitizer which fiber runs and what orders memory.
#include "simt/simt.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "simt/execute.h"
#include "simt/tensor_map.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(TENON_SIMT_TSAN)
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

dim3 blockIdx, blockDim, gridDim;

namespace simt {

ThreadIndex* current_index;

namespace {

constexpr size_t kStackBytes = 256 << 10;
constexpr int kMaxThreads = 1024;
constexpr int kMaxDynamicShared = 232448;

// Accesses of the shim's own data, memcpy's and containers' included, are nobody's race.
struct Quiet {
#if defined(TENON_SIMT_TSAN)
    Quiet() {
        AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
        AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    }
    ~Quiet() {
        AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
        AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    }
#else
    Quiet() {}
#endif
};

void tsan_release([[maybe_unused]] const void* key) {
#if defined(TENON_SIMT_TSAN)
    __tsan_release(const_cast<void*>(key));
#endif
}
void tsan_acquire([[maybe_unused]] const void* key) {
#if defined(TENON_SIMT_TSAN)
    __tsan_acquire(const_cast<void*>(key));
#endif
}

// ---- Contexts: stacks and the switch between them -------------------------------------------------------------------

#if defined(__x86_64__)
extern "C" void tenon_simt_switch(void** save, void* load);
asm(R"(
.text
.type tenon_simt_switch, @function
tenon_simt_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size tenon_simt_switch, .-tenon_simt_switch
)");
#endif

struct Context {
#if defined(__x86_64__)
    void* stack_pointer = nullptr;
#else
    ucontext_t context;
#endif
    const void* bottom = nullptr;  // of the stack, for AddressSanitizer
    size_t bytes = 0;
    void* fake_stack = nullptr;
    void* tsan = nullptr;
};

Context scheduler;

void switch_context(Context& from, Context& to) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&from.fake_stack, to.bottom, to.bytes);
#endif
#if defined(TENON_SIMT_TSAN)
    __tsan_switch_to_fiber(to.tsan, 1 /* no synchronisation */);
#endif
#if defined(__x86_64__)
    tenon_simt_switch(&from.stack_pointer, to.stack_pointer);
#else
    swapcontext(&from.context, &to.context);
#endif
#if defined(__SANITIZE_ADDRESS__)
    const void* bottom;
    size_t bytes;
    __sanitizer_finish_switch_fiber(from.fake_stack, &bottom, &bytes);
    // Whoever is left for the first time tells where the scheduler's stack is.
    if (&from != &scheduler && scheduler.bottom == nullptr) scheduler.bottom = bottom, scheduler.bytes = bytes;
#endif
}

// ---- State of a block -----------------------------------------------------------------------------------------------

struct Meeting {
    uint32_t mask = 0;
    const char* what = nullptr;
    int arrived = 0, left = 0;
    uint32_t here = 0;
    bool complete = false;
    std::vector<int> waiting;
    alignas(64) unsigned char in[32 * kMaxMeetingBytes], out[32 * kMaxMeetingBytes];
};

struct Barrier {
    int threads = 0, arrived = 0;
    unsigned generation = 0;
    std::vector<int> waiting;
};

struct Groups {  // of one kind of asynchronous operation
    std::vector<std::function<void()>> open;
    std::deque<std::vector<std::function<void()>>> committed;
};

struct Fiber {
    Context context;
    ThreadIndex index;
    int number = 0;
    bool done = false;
    const char* waits_for = nullptr;
    Groups groups[3];
    std::vector<Handed> handed;
};

const Kernel* registry;
const Kernel* kernel;
const void* kernel_params;

std::unordered_set<const Kernel*> kernels_run;
std::vector<std::unique_ptr<Fiber>> fibers;
Fiber* current;
int threads, done;
std::vector<int> ready;
std::vector<std::vector<std::unique_ptr<Meeting>>> meetings;  // open ones of each warp
std::vector<std::unique_ptr<Meeting>> free_meetings;
Barrier barriers[16];
std::unordered_map<const void*, std::vector<int>> waiters;
std::vector<std::function<void()>> deferred;
uint64_t block_number;
std::unordered_map<void*, uint64_t> fresh;
unsigned char *dynamic, *dynamic_async;
size_t dynamic_bytes;
uint64_t random_state = 1;
char block_key;  // what orders one block after the other

void wake(std::vector<int>& sleeping) {
    for (int f : sleeping) ready.push_back(f);
    sleeping.clear();
}

// The calling thread stops until somebody puts it into ready.
void sleep(const char* why) {
    Fiber* self = current;
    self->waits_for = why;
    switch_context(self->context, scheduler);
    self->waits_for = nullptr;
}

void run_body() {
    Fiber* self = current;
    tsan_acquire(&block_key);
    kernel->body(kernel_params);
    for (Groups& g : self->groups) {
        if (!g.open.empty() || !g.committed.empty())
            fail("the thread returned before its asynchronous operations ended");
    }
    self->handed.clear();
    tsan_release(&block_key);
    self->done = true;
    done++;
}

[[noreturn]] void fiber_main() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &scheduler.bottom, &scheduler.bytes);
#endif
    for (;;) {  // once for each block
        run_body();
        switch_context(current->context, scheduler);
    }
}

void make_fiber() {
    auto f = std::make_unique<Fiber>();
    f->number = static_cast<int>(fibers.size());
    size_t guard = 4096;
    char* stack = static_cast<char*>(
        mmap(nullptr, kStackBytes + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (stack == MAP_FAILED) fail("no memory for a stack");
    mprotect(stack, guard, PROT_NONE);
    f->context.bottom = stack + guard;
    f->context.bytes = kStackBytes;
#if defined(__x86_64__)
    void** top = reinterpret_cast<void**>(stack + guard + kStackBytes);
    *--top = nullptr;  // keeps the stack aligned as after a call
    *--top = reinterpret_cast<void*>(&fiber_main);
    for (int i = 0; i < 6; i++) *--top = nullptr;
    f->context.stack_pointer = top;
#else
    getcontext(&f->context.context);
    f->context.context.uc_stack.ss_sp = stack + guard;
    f->context.context.uc_stack.ss_size = kStackBytes;
    makecontext(&f->context.context, reinterpret_cast<void (*)()>(&fiber_main), 0);
#endif
#if defined(TENON_SIMT_TSAN)
    f->context.tsan = __tsan_create_fiber(0);
#endif
    fibers.push_back(std::move(f));
}

void run_deferred() {
    size_t i = random() % deferred.size();
    std::function<void()> operation = std::move(deferred[i]);
    deferred[i] = std::move(deferred.back());
    deferred.pop_back();
    operation();
}

[[noreturn]] void report_deadlock() {
    std::unordered_map<std::string, int> reasons;
    for (int i = 0; i < threads; i++) {
        if (!fibers[i]->done) reasons[fibers[i]->waits_for ? fibers[i]->waits_for : "?"]++;
    }
    std::string text;
    for (auto& [why, count] : reasons) {
        text.append(" ").append(std::to_string(count)).append(" wait at ").append(why).append(";");
    }
    current = nullptr;
    fail("deadlock:%s %d have returned", text.c_str(), done);
}

void run_block() {
    block_number++;
    done = 0;
    ready.clear();
    for (int i = 0; i < threads; i++) {
        fibers[i]->done = false;
        fibers[i]->index = {static_cast<unsigned>(i), 0, 0};
        ready.push_back(i);
    }
    tsan_release(&block_key);
    while (done < threads) {
        if (!deferred.empty() && (ready.empty() || random() % 64 == 0)) {
            run_deferred();
            continue;
        }
        if (ready.empty()) report_deadlock();
        size_t i = random() % ready.size();
        int next = ready[i];
        ready[i] = ready.back();
        ready.pop_back();
        current = fibers[next].get();
        current_index = &current->index;
        switch_context(scheduler, current->context);
    }
    current = nullptr;
    tsan_acquire(&block_key);
    if (!deferred.empty()) fail("the block ended before its bulk copies");
    for (Barrier& b : barriers) {
        if (b.arrived != 0) fail("the block ended with %d threads arrived at a barrier for %d", b.arrived, b.threads);
        b = Barrier();
    }
    for (auto& open : meetings) {
        if (!open.empty()) fail("the block ended while lanes meet at %s", open[0]->what);
    }
}

// What the driver refuses.
void check_geometry(const tenon_cuda_launch& launch) {
    if (launch.block < 1 || launch.block > kernel->max_threads) {
        fail("a block of %lld threads; the kernel is for 1 to %d", static_cast<long long>(launch.block),
             kernel->max_threads);
    }
    if (launch.shared_bytes < 0 || launch.shared_bytes > kMaxDynamicShared) fail("shared_bytes is out of range");
    const int64_t limits[3] = {INT32_MAX, 65535, 65535};
    for (int i = 0; i < 3; i++) {
        if (launch.grid[i] < 1 || launch.grid[i] > limits[i]) {
            fail("grid[%d] is %lld; expected 1 to %lld", i, static_cast<long long>(launch.grid[i]),
                 static_cast<long long>(limits[i]));
        }
    }
}

void run_launch(const tenon_cuda_launch& launch) {
    kernel = find_kernel(launch.kernel);
    if (!kernel) fail("no kernel %s is linked", launch.kernel);
    kernels_run.insert(kernel);
    if (kernel->params_bytes != static_cast<size_t>(launch.params_bytes)) {
        fail("the plan has %lld bytes of parameters, the kernel %zu", static_cast<long long>(launch.params_bytes),
             kernel->params_bytes);
    }
    check_geometry(launch);
    alignas(TENON_CUDA_TENSOR_MAP_ALIGNMENT) static unsigned char params[TENON_CUDA_MAX_PARAMS_BYTES];
    std::memcpy(params, launch.params, static_cast<size_t>(launch.params_bytes));
    for (int64_t i = 0; i < launch.tensor_map_count; i++) {
        const tenon_cuda_tensor_map& map = launch.tensor_maps[i];
        if (map.params_offset % TENON_CUDA_TENSOR_MAP_ALIGNMENT != 0) {
            fail("a tensor map at offset %lld", static_cast<long long>(map.params_offset));
        }
        TensorMap encoded;
        if (const char* refused = encode(map, &encoded))
            fail("tensor map %lld has %s", static_cast<long long>(i), refused);
        std::memcpy(params + map.params_offset, &encoded, sizeof encoded);
    }
    kernel_params = params;
    threads = static_cast<int>(launch.block);
    blockDim = {static_cast<unsigned>(threads), 1, 1};
    gridDim = {static_cast<unsigned>(launch.grid[0]), static_cast<unsigned>(launch.grid[1]),
               static_cast<unsigned>(launch.grid[2])};
    while (static_cast<int>(fibers.size()) < threads) make_fiber();
    meetings.resize(kMaxThreads / 32);
    size_t shared_bytes = static_cast<size_t>(launch.shared_bytes);
    for (unsigned char** view : {&dynamic, &dynamic_async}) {
        if (posix_memalign(reinterpret_cast<void**>(view), 1024, std::max<size_t>(shared_bytes, 1)) != 0) std::abort();
    }
    dynamic_bytes = shared_bytes;

    // Blocks in an order that is no order: a step coprime to their number walks through all.
    uint64_t blocks = static_cast<uint64_t>(launch.grid[0] * launch.grid[1] * launch.grid[2]);
    uint64_t at = random() % blocks, step = blocks == 1 ? 1 : random() % (blocks - 1) + 1;
    while (std::__gcd(step, blocks) != 1) step++;
    for (uint64_t i = 0; i < blocks; i++, at = (at + step) % blocks) {
        blockIdx = {static_cast<unsigned>(at % gridDim.x), static_cast<unsigned>(at / gridDim.x % gridDim.y),
                    static_cast<unsigned>(at / gridDim.x / gridDim.y)};
        std::memset(dynamic, 0xff, shared_bytes);
        std::memset(dynamic_async, 0xff, shared_bytes);
        run_block();
    }
    std::free(dynamic);
    std::free(dynamic_async);
    dynamic = dynamic_async = nullptr;
    kernel = nullptr;
}

}  // namespace

void execute(const tenon_cuda_plan& plan, uint64_t seed) {
    Quiet quiet;
    random_state = seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
#if defined(TENON_SIMT_TSAN)
    scheduler.tsan = __tsan_get_current_fiber();
#endif
    for (int64_t i = 0; i < plan.launch_count; i++) run_launch(plan.launches[i]);
}

void for_each_unused_kernel(const char* prefix, void (*visit)(const char* name)) {
    for (const Kernel* k = registry; k; k = k->next) {
        if (std::strncmp(k->name, prefix, std::strlen(prefix)) == 0 && !kernels_run.count(k)) visit(k->name);
    }
}

Kernel::Kernel(const char* name, size_t params_bytes, int max_threads, void (*body)(const void*))
    : name(name), params_bytes(params_bytes), max_threads(max_threads), body(body), next(registry) {
    registry = this;
}

const Kernel* find_kernel(const char* name) {
    const Kernel* k = registry;
    while (k && std::strcmp(k->name, name) != 0) k = k->next;
    return k;
}

uint64_t random() {  // xorshift64*
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1du >> 11;
}

void fail(const char* format, ...) {
    std::fprintf(stderr, "SIMT: kernel %s", kernel ? kernel->name : "?");
    if (current) {
        std::fprintf(stderr, ", block (%u, %u, %u), thread %d", blockIdx.x, blockIdx.y, blockIdx.z, current->number);
    }
    std::fprintf(stderr, ": ");
    va_list list;
    va_start(list, format);
    std::vfprintf(stderr, format, list);
    va_end(list);
    std::fprintf(stderr, "\n");
    std::abort();
}

unsigned char* dynamic_shared() {
    return dynamic;
}

unsigned char* async_shared() {
    return dynamic_async;
}

// Other threads' stores, too: which are whose is not known. In a random order of threads it is noticed all the same
// when a thread leaves the fence out.
void publish_shared() {
    Quiet quiet;
    std::memcpy(dynamic_async, dynamic, dynamic_bytes);
}

void fresh_shared(void* address, size_t bytes) {
    Quiet quiet;
    uint64_t& seen = fresh[address];
    if (seen == block_number) return;
    seen = block_number;
    std::memset(address, 0xff, bytes);
}

int block_threads() {
    return threads;
}

void meet(uint32_t mask, const char* what, const void* in, size_t in_bytes, void* out, size_t out_bytes,
          Combine combine, const void* context, bool ordered) {
    Quiet quiet;
    Fiber* self = current;
    int warp = self->number / 32, lane = self->number % 32;
    if (!(mask >> lane & 1)) fail("%s: the mask %08x does not name the calling lane", what, mask);
    auto& open = meetings[warp];
    Meeting* m = nullptr;
    for (auto& candidate : open) {
        if (candidate->complete || !(candidate->mask & mask)) continue;
        if (candidate->mask != mask || std::strcmp(candidate->what, what) != 0) {
            fail("lanes diverge: some are at %s with mask %08x, this one at %s with mask %08x", candidate->what,
                 candidate->mask, what, mask);
        }
        m = candidate.get();
    }
    if (!m) {
        if (free_meetings.empty()) free_meetings.push_back(std::make_unique<Meeting>());
        open.push_back(std::move(free_meetings.back()));
        free_meetings.pop_back();
        m = open.back().get();
        m->mask = mask;
        m->what = what;
        m->arrived = m->left = 0;
        m->here = 0;
        m->complete = false;
    }
    for (uint32_t rest = mask; rest; rest &= rest - 1) {
        int other = warp * 32 + __builtin_ctz(rest);
        if (other >= threads) fail("%s: the mask %08x names lanes beyond the block", what, mask);
        if (fibers[other]->done) fail("%s: the mask %08x names a lane that has returned", what, mask);
    }
    if (in_bytes) std::memcpy(m->in + lane * kMaxMeetingBytes, in, in_bytes);
    m->here |= 1u << lane;
    m->arrived++;
    if (ordered) tsan_release(m);
    if (m->here == mask) {
        if (combine) combine(m->in, m->out, context);
        m->complete = true;
        wake(m->waiting);
    } else {
        m->waiting.push_back(self->number);
        sleep(what);
    }
    if (ordered) tsan_acquire(m);
    if (out_bytes) std::memcpy(out, m->out + lane * kMaxMeetingBytes, out_bytes);
    if (++m->left == __builtin_popcount(mask)) {
        auto at = std::find_if(open.begin(), open.end(), [m](auto& o) { return o.get() == m; });
        free_meetings.push_back(std::move(*at));
        open.erase(at);
    }
}

void barrier(int id, int count, bool wait) {
    Quiet quiet;
    Fiber* self = current;
    Barrier& b = barriers[id];
    if (count < 1 || count > threads || count % 32 != 0) {
        if (count != threads) fail("barrier %d for %d threads; expected a multiple of 32 up to %d", id, count, threads);
    }
    if (b.arrived == 0) b.threads = count;
    if (b.threads != count) fail("barrier %d: some threads expect %d, this one %d", id, b.threads, count);
    // Two keys in turn: a thread that arrives for the next round must not order itself before a late waiter of this
    // one.
    const char* key = reinterpret_cast<const char*>(&b) + (b.generation & 1);
    tsan_release(key);
    if (++b.arrived == count) {
        b.arrived = 0;
        b.generation++;
        wake(b.waiting);
    } else if (wait) {
        b.waiting.push_back(self->number);
        sleep(id == 0 ? "__syncthreads" : "a named barrier");
    }
    if (wait) tsan_acquire(key);
}

void wait_until(const void* key, const char* what, bool (*is_ready)(const void*), const void* context) {
    Quiet quiet;
    if (random() % 4 == 0) {
        ready.push_back(current->number);
        sleep(what);
    }
    while (!is_ready(context)) {
        waiters[key].push_back(current->number);
        sleep(what);
    }
}

void notify(const void* key) {
    Quiet quiet;
    auto at = waiters.find(key);
    if (at != waiters.end()) wake(at->second);
}

void yield() {
    Quiet quiet;
    ready.push_back(current->number);
    sleep("its turn");
}

void release(const void* key) {
    tsan_release(key);
}
void acquire(const void* key) {
    tsan_acquire(key);
}

void async_push(Async kind, std::function<void()> operation) {
    bool now;
    {
        Quiet quiet;
        Groups& g = current->groups[static_cast<int>(kind)];
        now = random() % 2 == 0;
        if (kind == Async::matrix) {
            now = now && g.open.empty();
            for (auto& group : g.committed) now = now && group.empty();
        }
        if (!now) g.open.push_back(std::move(operation));
    }
    if (now) operation();
}

void async_commit(Async kind) {
    Quiet quiet;
    Groups& g = current->groups[static_cast<int>(kind)];
    g.committed.push_back(std::move(g.open));
    g.open.clear();
}

void async_wait(Async kind, int groups_left) {
    Groups& g = current->groups[static_cast<int>(kind)];
    for (;;) {
        std::vector<std::function<void()>> operations;
        {
            Quiet quiet;
            if (static_cast<int>(g.committed.size()) <= groups_left) break;
            operations = std::move(g.committed.front());
            g.committed.pop_front();
        }
        for (auto& operation : operations) operation();
    }
}

std::vector<Handed>& handed_registers() {
    return current->handed;
}

void defer(std::function<void()> operation) {
    Quiet quiet;
    deferred.push_back(std::move(operation));
}

}  // namespace simt
