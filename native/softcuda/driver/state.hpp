// Everything that the driver holds: devices' memory, contexts and what lives in them.
#pragma once
#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include "work.hpp"

namespace softcuda::driver {

using Lock = std::unique_lock<std::mutex>;
using Clock = std::chrono::steady_clock;

/// Handles are numbers that are never given twice and are no host addresses: use after destruction is always noticed.
std::uint64_t newHandle();

template <class T>
class Registry {
public:
    void add(std::uint64_t handle, std::shared_ptr<T> object) { live_.emplace(handle, std::move(object)); }
    std::shared_ptr<T> find(const void* handle) const {
        auto found = live_.find(reinterpret_cast<std::uint64_t>(handle));
        return found == live_.end() ? nullptr : found->second;
    }
    bool remove(const void* handle) { return live_.erase(reinterpret_cast<std::uint64_t>(handle)) > 0; }
    std::size_t size() const { return live_.size(); }
    void removeOf(const Context* context) {
        std::erase_if(live_, [&](const auto& entry) { return entry.second->context == context; });
    }
    std::size_t countOf(const Context* context) const {
        std::size_t count = 0;
        for (const auto& entry : live_) count += entry.second->context == context;
        return count;
    }

private:
    std::unordered_map<std::uint64_t, std::shared_ptr<T>> live_;
};

template <class Handle>
Handle toHandle(std::uint64_t handle) {
    return reinterpret_cast<Handle>(handle);
}

struct Capture;

struct Event {
    Context* context;
    unsigned flags;
    // Each record gets the next ticket; a wait names the ticket that it waits for, so that a later record does not move it.
    std::uint64_t recorded = 0, completed = 0;
    Clock::time_point time{};
    std::shared_ptr<Stream> stream;  // of the last record
    // Of a record in a capture: the capture, and the nodes that the event stands for.
    std::shared_ptr<Capture> capture;
    std::vector<std::size_t> nodes;
};

/// One launch of an executable graph: the next launch of the same one waits for it.
struct GraphRun {
    std::shared_ptr<Stream> stream;
    bool done = false;
};

struct RecordEvent {
    std::shared_ptr<Event> event;
    std::uint64_t ticket;
};
struct WaitEvent {
    std::shared_ptr<Event> event;
    std::uint64_t ticket;
    std::shared_ptr<Stream> stream;  // where the record lies
};
struct LaunchGraph {
    std::shared_ptr<const std::vector<Node>> nodes;
    std::shared_ptr<GraphRun> run, previous;
};
struct FreeBlock {
    std::uint64_t address;
};

using Action = std::variant<Work, RecordEvent, WaitEvent, LaunchGraph, FreeBlock>;

struct Item {
    std::uint64_t sequence;
    Action action;
};

struct Stream {
    Stream(Context* owner, unsigned kind, int rank = 0) : context(owner), flags(kind), priority(rank) {}

    Context* context;
    unsigned flags;
    int priority;  // told, and not used: which stream goes first is drawn
    bool legacy = false, destroyed = false;
    bool busy = false;  // its first item runs just now
    std::deque<Item> pending;
    std::shared_ptr<Capture> capture;
    std::vector<std::size_t> dependencies;  // of the next node that it captures

    bool blocking() const { return !(flags & StreamNonBlocking); }
};

struct Graph {
    Context* context;
    std::vector<Node> nodes;
    std::vector<std::uint64_t> handles;  // of the nodes
};

struct GraphExec {
    Context* context;
    std::shared_ptr<const std::vector<Node>> nodes;
    std::shared_ptr<GraphRun> last;
};

struct Capture {
    CaptureMode mode;
    std::uint64_t id;
    std::thread::id thread;
    Stream* origin;
    bool invalidated = false, ended = false;
    std::shared_ptr<Graph> graph;
    std::vector<std::shared_ptr<Stream>> streams;
};

struct LoadedModule : std::enable_shared_from_this<LoadedModule> {
    Context* context = nullptr;
    std::uint64_t handle = 0;
    std::shared_ptr<Module> code;
    std::map<std::string, std::shared_ptr<Function>, std::less<>> functions;
};

struct Pool {
    bool isDefault = false, destroyed = false;
    std::uint64_t maximum = 0;  // 0: no limit
    std::uint64_t threshold = 0, reserved = 0, reservedHigh = 0, used = 0, usedHigh = 0;
    std::array<int, 3> reuse{1, 1, 1};
};

struct Block {
    Context* context;
    std::uint64_t bytes;
    std::shared_ptr<Pool> pool;  // null for cuMemAlloc
    bool freeing = false;        // its cuMemFreeAsync waits in a stream
};

struct PinnedRange {
    Context* context;
    std::uint64_t bytes;
    bool registered;  // cuMemHostRegister's: not ours to free
    unsigned flags;
};

struct Context {
    std::uint64_t handle;
    bool primary = false, active = false;
    int retained = 0;
    unsigned flags = 0;
    CUresult error = CUDA_SUCCESS;  // sticky: set by a fault, given by every later call
    std::shared_ptr<Stream> legacy;
    std::map<std::thread::id, std::shared_ptr<Stream>> perThread;
    std::vector<std::shared_ptr<Stream>> streams;  // all, those destroyed with work waiting too
    std::size_t pending = 0;
};

struct LiveObjects {
    std::uint64_t streams, events, graphs, modules, pinnedBlocks;
};

struct Driver {
    std::mutex mutex;  // guards all below; not held while host functions run
    std::condition_variable changed;
    bool initialised = false;
    /// A fault's code, once there was one: CUDA promises nothing more to the process, so every call with a context gives it from then on.
    CUresult lost = CUDA_SUCCESS;
    std::unique_ptr<Memory> memory;
    std::shared_ptr<Context> primary;
    std::unordered_map<std::uint64_t, std::shared_ptr<Context>> contexts;
    Registry<Stream> streams;
    Registry<Event> events;
    Registry<LoadedModule> modules;
    std::unordered_map<std::uint64_t, std::shared_ptr<Function>> functions;
    Registry<Graph> graphs;
    Registry<GraphExec> graphExecs;
    std::map<std::uint64_t, Block> blocks;        // by device address
    std::map<std::uint64_t, PinnedRange> pinned;  // by host address
    std::shared_ptr<Pool> defaultPool = std::make_shared<Pool>(), currentPool = defaultPool;
    std::uint64_t defaultPoolHandle = newHandle();
    std::unordered_map<std::uint64_t, std::shared_ptr<Pool>> pools;
    std::vector<std::shared_ptr<Capture>> captures;  // those not ended
    std::uint64_t sequence = 0, launches = 0;
    std::mt19937_64 random;

    Memory& deviceMemory();
    bool idle() const { return blocks.empty() && pinned.empty() && modules.size() == 0; }
    LiveObjects live();
    /// Begins the sequence of SOFTCUDA_SEED anew: at cuInit, and whenever the seed is set.
    void reseed();
    /// Uniform in [0, below), from that sequence.
    std::size_t draw(std::size_t below);
};

Driver& driver();

/// The calling thread's context, or the error that a call without a usable one returns. The sticky error is one.
CUresult currentContext(std::shared_ptr<Context>& context);
/// The stream of a handle in a context: 0 and 1 are the legacy default stream, 2 is the thread's own.
CUresult findStream(Context& context, CUstream handle, std::shared_ptr<Stream>& stream);
/// Whether the range lies in page-locked host memory.
bool isPinned(const void* address, std::uint64_t bytes);

/// What most functions begin with: locked, initialised, with a usable context.
struct Call {
    Lock lock{driver().mutex};
    std::shared_ptr<Context> context;
    CUresult result = currentContext(context);
};

}  // namespace softcuda::driver

#define SOFTCUDA_CALL(name)           \
    SOFTCUDA_ENTER(name);             \
    ::softcuda::driver::Call call;    \
    if (call.result != CUDA_SUCCESS) return call.result
