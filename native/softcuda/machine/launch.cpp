// Launches: blocks in a random but repeatable order, spread over workers.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "block.hpp"

namespace softcuda {

namespace {

/// A permutation of [0, count) that needs no table: a Feistel network over the next power of four, walked until it lands inside.
class BlockOrder {
public:
    BlockOrder(std::uint64_t count, std::uint64_t seed) : count_(count) {
        while ((1ull << 2 * half_) < count) ++half_;
        std::uint64_t state = seed;
        for (std::uint64_t& key : keys_) key = nextRandom(state);
    }
    std::uint64_t operator[](std::uint64_t position) const {
        if (count_ <= 2 && half_ <= 1) return count_ == 2 ? position ^ (keys_[0] & 1) : position;
        do position = permute(position); while (position >= count_);
        return position;
    }

private:
    std::uint64_t permute(std::uint64_t value) const {
        std::uint64_t low = (1ull << half_) - 1, left = value >> half_, right = value & low;
        for (std::uint64_t key : keys_) {
            std::uint64_t state = right ^ key, mixed = nextRandom(state) & low;
            std::uint64_t next = left ^ mixed;
            left = right;
            right = next;
        }
        return left << half_ | right;
    }
    std::uint64_t count_;
    unsigned half_ = 1;
    std::uint64_t keys_[4];
};

struct Task {
    const BlockOrder& order;
    std::uint64_t blocks;
    std::atomic<std::uint64_t> next{0};
    std::atomic<bool> stop{false};

    void work(BlockRunner& runner) {
        while (!stop.load(std::memory_order_relaxed)) {
            std::uint64_t position = next.fetch_add(1, std::memory_order_relaxed);
            if (position >= blocks) break;
            runner.run(order[position], position);
            if (runner.state.stop) stop = true;
        }
    }
};

/// The threads that help the launching one. One launch runs at a time.
class Workers {
public:
    ~Workers() {
        {
            std::lock_guard lock(mutex_);
            ending_ = true;
        }
        wake_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    /// Runs the task on the caller and on up to count - 1 helpers; helpers that do not wake in time are not waited for.
    std::size_t run(Task& task, const Launch& launch, std::size_t count) {
        while (runners_.size() < count) runners_.push_back(std::make_unique<BlockRunner>());
        used_.assign(runners_.size(), false);
        if (count > 1) {
            std::lock_guard lock(mutex_);
            while (threads_.size() < count - 1) threads_.emplace_back([this, index = threads_.size() + 1] { help(index); });
            task_ = &task;
            launch_ = &launch;
            wanted_ = count;
            ++generation_;
            wake_.notify_all();
        }
        used_[0] = true;
        runners_[0]->begin(launch);
        task.work(*runners_[0]);
        if (count > 1) {
            std::unique_lock lock(mutex_);
            task_ = nullptr;
            done_.wait(lock, [this] { return busy_ == 0; });
        }
        return count;
    }

    bool used(std::size_t index) const { return used_[index]; }
    BlockState& state(std::size_t index) { return runners_[index]->state; }
    std::mutex launching;
    std::uint64_t launches = 0;
    GlobalShadow global;

private:
    void help(std::size_t index) {
        std::uint64_t seen = 0;
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [&] { return ending_ || (task_ && generation_ != seen && index < wanted_); });
            if (ending_) return;
            seen = generation_;
            Task& task = *task_;
            const Launch& launch = *launch_;
            used_[index] = true;
            ++busy_;
            lock.unlock();
            runners_[index]->begin(launch);
            task.work(*runners_[index]);
            lock.lock();
            if (--busy_ == 0) done_.notify_all();
        }
    }

    std::vector<std::unique_ptr<BlockRunner>> runners_;
    std::vector<char> used_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable wake_, done_;
    Task* task_ = nullptr;
    const Launch* launch_ = nullptr;
    std::uint64_t generation_ = 0;
    std::size_t wanted_ = 0, busy_ = 0;
    bool ending_ = false;
};

Workers& workers() {
    static Workers instance;
    return instance;
}

void add(Counters& to, const Counters& from) {
    to.blocks += from.blocks;
    to.threads += from.threads;
    to.warpInstructions += from.warpInstructions;
    to.threadInstructions += from.threadInstructions;
    to.flops += from.flops;
    to.branches += from.branches;
    to.divergentBranches += from.divergentBranches;
    to.globalLoads += from.globalLoads;
    to.globalStores += from.globalStores;
    to.bytesLoaded += from.bytesLoaded;
    to.bytesStored += from.bytesStored;
    to.sectorsLoaded += from.sectorsLoaded;
    to.sectorsStored += from.sectorsStored;
    to.sharedRequests += from.sharedRequests;
    to.bankConflicts += from.bankConflicts;
    to.atomics += from.atomics;
    to.barriers += from.barriers;
    to.localBytes += from.localBytes;
}

bool endsLaunch(FindingKind kind) {
    return kind == FindingKind::OutOfBounds || kind == FindingKind::Misaligned || kind == FindingKind::DivergentBarrier || kind == FindingKind::Trap;
}

/// One for each kind and line, in the order of the launch; the one that ended it is always among them.
void keepFirst(std::vector<RankedFinding>& found, std::size_t most, std::vector<Finding>& findings) {
    std::stable_sort(found.begin(), found.end(), [](const RankedFinding& a, const RankedFinding& b) { return a.rank < b.rank; });
    std::size_t kept = 0;
    for (const RankedFinding& candidate : found) {
        const Finding& finding = candidate.finding;
        bool known = std::any_of(findings.end() - static_cast<std::ptrdiff_t>(kept), findings.end(),
                                 [&](const Finding& other) { return other.kind == finding.kind && other.line == finding.line; });
        if (known) continue;
        if (kept < most) {
            findings.push_back(finding);
            ++kept;
        } else if (kept > 0 && endsLaunch(finding.kind) && !endsLaunch(findings.back().kind)) {
            findings.back() = finding;
        }
    }
}

}  // namespace

Outcome run(const Kernel& kernel, Dim3 grid, Dim3 block, std::uint32_t dynamicShared, const void* parameters, Memory& memory, const LaunchOptions& options,
            Counters& counters, std::vector<Finding>& findings) {
    Workers& pool = workers();
    std::lock_guard launching(pool.launching);
    ++counters.launches;
    std::uint64_t blocks = static_cast<std::uint64_t>(grid.x) * grid.y * grid.z;
    if (blocks == 0 || block.x == 0 || block.y == 0 || block.z == 0) return Outcome::Ok;
    std::uint32_t sharedBytes = dynamicShared ? kernel.dynamicSharedAt + dynamicShared : kernel.info.staticShared;
    Launch launch{kernel, grid, block, dynamicShared, sharedBytes, static_cast<const std::uint8_t*>(parameters), memory, options, ++pool.launches};
    bool races = options.checks && options.races && pool.global.begin(memory.capacity(), kernel.globalUnit, (block.x * block.y * block.z + Lanes - 1) / Lanes);
    if (races) launch.global = &pool.global;
    BlockOrder order(blocks, options.seed);
    Task task{order, blocks};
    // A helper is not worth waking for a few microseconds of work; the last launch tells how much there is.
    bool small = kernel.blockInstructions ? blocks * kernel.blockInstructions < 4000 : blocks < 3;
    std::size_t count = races || small || blocks == 1 ? 1 : static_cast<std::size_t>(std::max(1, options.workers));
    count = pool.run(task, launch, count);

    const std::uint64_t before = counters.warpInstructions;
    Outcome outcome = Outcome::Ok;
    std::uint64_t firstStop = ~0ull;
    std::vector<RankedFinding> found;
    Footprint* loads = nullptr;
    Footprint* stores = nullptr;
    for (std::size_t i = 0; i < count; ++i) {
        if (!pool.used(i)) continue;
        BlockState& state = pool.state(i);
        add(counters, state.counters);
        if (state.stop && state.rank < firstStop) {
            firstStop = state.rank;
            outcome = state.outcome;
        }
        std::move(state.findings.begin(), state.findings.end(), std::back_inserter(found));
        state.findings.clear();
        if (!options.footprint) continue;
        if (loads) {
            loads->merge(state.loads);
            stores->merge(state.stores);
        } else {
            loads = &state.loads;
            stores = &state.stores;
        }
    }
    if (loads) {
        counters.footprintLoaded += loads->takeCount();
        counters.footprintStored += stores->takeCount();
    }
    kernel.blockInstructions = (counters.warpInstructions - before) / blocks + 1;
    keepFirst(found, options.mostFindings, findings);
    return outcome;
}

}  // namespace softcuda
