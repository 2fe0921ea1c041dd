#include "block.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "control.hpp"
#include "lanes.hpp"

namespace softcuda {

namespace {

constexpr std::uint64_t Slice = 50000;  // instructions before another warp has its turn, for kernels that wait for each other
constexpr std::size_t Line = 64;

std::size_t roundUp(std::size_t bytes) { return (bytes + Line - 1) / Line * Line; }

}  // namespace

void BlockRunner::begin(const Launch& launch) {
    const Kernel& kernel = launch.kernel;
    state.launch = &launch;
    state.kernel = &kernel;
    state.memory = &launch.memory;
    state.checks = launch.options.checks;
    state.global = launch.global;
    state.stop = false;
    state.outcome = Outcome::Ok;
    state.counters = {};
    state.findings.clear();
    state.patterns.clear();
    state.threads = launch.block.x * launch.block.y * launch.block.z;
    state.sharedBytes = launch.sharedBytes;
    if (launch.options.footprint) {
        state.loads.reserve(launch.memory.capacity());
        state.stores.reserve(launch.memory.capacity());
    }
    std::size_t warps = (state.threads + Lanes - 1) / Lanes;
    std::size_t registers = roundUp(kernel.registerBytes) * warps;
    std::size_t local = roundUp(static_cast<std::size_t>(kernel.localBytes) * Lanes) * warps;
    std::size_t shared = roundUp(launch.sharedBytes);
    std::size_t needed = registers + 2 * local + shared + Line;
    if (needed > storageBytes_) {
        storageBytes_ = needed + needed / 4;
        storage_ = std::make_unique_for_overwrite<std::byte[]>(storageBytes_);
    }
    std::byte* next = reinterpret_cast<std::byte*>(roundUp(reinterpret_cast<std::size_t>(storage_.get())));
    state.warps.resize(warps);
    for (std::size_t i = 0; i < warps; ++i) {
        Warp& warp = state.warps[i];
        warp.block = &state;
        warp.index = static_cast<std::uint32_t>(i);
        warp.bases[0] = next + i * roundUp(kernel.registerBytes);
        warp.bases[1] = reinterpret_cast<std::byte*>(const_cast<std::uint64_t*>(kernel.constants.data()));
        warp.local = reinterpret_cast<std::uint8_t*>(next + registers + i * (local / warps));
        warp.localState = warp.local + local;
    }
    state.shared = reinterpret_cast<std::uint8_t*>(next + registers + 2 * local);
    order_.resize(warps);
    for (std::size_t i = 0; i < warps; ++i) order_[i] = static_cast<std::uint32_t>(i);
    fillSpecials();
}

/// What does not change from block to block.
void BlockRunner::fillSpecials() {
    const Launch& launch = *state.launch;
    Dim3 block = launch.block, grid = launch.grid;
    for (Warp& warp : state.warps) {
        for (auto [special, offset, wide] : state.kernel->specials) {
            auto each = [&](auto value) {
                if (wide) {
                    for (u32 lane = 0; lane < Lanes; ++lane) row<u64>(warp, offset)[lane] = value(lane);
                } else {
                    for (u32 lane = 0; lane < Lanes; ++lane) row<u32>(warp, offset)[lane] = static_cast<u32>(value(lane));
                }
            };
            auto all = [&](u64 value) { each([value](u32) { return value; }); };
            u32 first = warp.index * Lanes;
            switch (special) {
                case Special::TidX: each([&](u32 lane) { return (first + lane) % block.x; }); break;
                case Special::TidY: each([&](u32 lane) { return (first + lane) / block.x % block.y; }); break;
                case Special::TidZ: each([&](u32 lane) { return (first + lane) / block.x / block.y; }); break;
                case Special::NtidX: all(block.x); break;
                case Special::NtidY: all(block.y); break;
                case Special::NtidZ: all(block.z); break;
                case Special::NctaidX: all(grid.x); break;
                case Special::NctaidY: all(grid.y); break;
                case Special::NctaidZ: all(grid.z); break;
                case Special::LaneId: each([](u32 lane) { return lane; }); break;
                case Special::WarpId: all(warp.index); break;
                case Special::NwarpId: all(64); break;
                case Special::NsmId: all(1); break;
                case Special::GridId: all(launch.number); break;
                case Special::LanemaskEq: each([](u32 lane) { return 1u << lane; }); break;
                case Special::LanemaskLt: each([](u32 lane) { return (1u << lane) - 1; }); break;
                case Special::LanemaskLe: each([](u32 lane) { return (2ull << lane) - 1; }); break;
                case Special::LanemaskGe: each([](u32 lane) { return ~((1u << lane) - 1); }); break;
                case Special::LanemaskGt: each([](u32 lane) { return ~static_cast<u32>((2ull << lane) - 1); }); break;
                case Special::DynamicSmemSize: all(launch.dynamicShared); break;
                case Special::TotalSmemSize: all(launch.sharedBytes); break;
                default: all(0); break;
            }
        }
    }
}

void BlockRunner::setUp(std::uint64_t index) {
    const Launch& launch = *state.launch;
    state.index = static_cast<u32>(index);
    state.ctaid = {static_cast<u32>(index % launch.grid.x), static_cast<u32>(index / launch.grid.x % launch.grid.y),
                   static_cast<u32>(index / launch.grid.x / launch.grid.y)};
    for (Warp& warp : state.warps) {
        u32 rest = state.threads - warp.index * Lanes;
        warp.live = rest >= Lanes ? AllLanes : (1u << rest) - 1;
        warp.active = warp.live;
        warp.pc = 0;
        warp.reconverge = NoPc;
        warp.depth = 0;
        warp.paths.clear();
        warp.carry = 0;
        warp.state = WarpState::Ready;
        warp.budget = launch.options.budget;
        for (auto [offset, bytes] : state.kernel->zeroed) std::memset(warp.bases[0] + offset, 0, bytes);
        if (state.kernel->localBytes) {
            std::size_t bytes = static_cast<std::size_t>(state.kernel->localBytes) * Lanes;
            std::memset(warp.local, 0xCD, bytes);
            if (state.checks) std::memset(warp.localState, static_cast<int>(ByteState::Unwritten), bytes);
        }
        for (auto [special, offset, wide] : state.kernel->specials) {
            if (special < Special::CtaidX || special > Special::CtaidZ) continue;
            u32 value = state.ctaid[static_cast<std::size_t>(special) - static_cast<std::size_t>(Special::CtaidX)];
            std::fill_n(row<u32>(warp, offset), Lanes, value);
        }
    }
    if (state.sharedBytes) {
        std::memset(state.shared, 0xCD, state.sharedBytes);
        if (state.checks) state.shadow.start(state.sharedBytes, state.kernel->sharedUnit, static_cast<u32>(state.warps.size()));
    }
    state.copies.start(state.sharedBytes, static_cast<u32>(state.warps.size()) * Lanes);
    if (state.global) state.global->startBlock(static_cast<u32>(index));
    barriers_.assign(MostBarriers, {});
}

void BlockRunner::run(std::uint64_t index, std::uint64_t rank) {
    state.rank = rank;
    setUp(index);
    ++state.counters.blocks;
    state.counters.threads += state.threads;
    random_ = state.launch->options.seed ^ (index * 0xd1342543de82ef95ull + 1);
    for (;;) {
        if (order_.size() > 1)
            for (std::size_t i = order_.size() - 1; i > 0; --i) std::swap(order_[i], order_[nextRandom(random_) % (i + 1)]);
        bool ran = false;
        for (u32 which : order_) {
            Warp& warp = state.warps[which];
            if (warp.state != WarpState::Ready) continue;
            ran = true;
            runWarp(warp, Slice);
            if (state.stop) return;
            if (warp.budget == 0 || timedOut()) {
                state.stop = true;
                state.outcome = Outcome::Timeout;
                return;
            }
            if (warp.state == WarpState::Waiting && !tell(warp)) return;
        }
        if (!resolveBarriers() && !ran) {
            if (std::any_of(state.warps.begin(), state.warps.end(), [](const Warp& warp) { return warp.state == WarpState::Waiting; })) deadlock();
            return;
        }
    }
}

/// Warps that wait for what never comes take turns: together they may use four times what one may.
bool BlockRunner::timedOut() const {
    std::uint64_t budget = state.launch->options.budget, used = 0;
    for (const Warp& warp : state.warps) used += budget - warp.budget;
    return used / 4 >= budget;
}

/// Tells a barrier of a warp that has reached it. False where that ends the launch.
bool BlockRunner::tell(Warp& warp) {
    const Instr& instr = *warp.barrierInstr;
    int lane = std::countr_zero(warp.arriving);
    if (warp.arriving != warp.live) {
        Mask missing = warp.live & ~warp.arriving;
        state.report(FindingKind::DivergentBarrier, warp, instr, std::countr_zero(missing), 0,
                     "this thread does not take part in a barrier that others of its warp execute");
        return false;
    }
    ++state.counters.barriers;
    auto invalid = [&](const std::string& message) {
        state.report(FindingKind::InvalidInstruction, warp, instr, lane, 0, message);
        state.stop = true;
        state.outcome = Outcome::IllegalInstruction;
        return false;
    };
    u32 number = row<u32>(warp, instr.o[1])[lane];
    if (number >= MostBarriers) return invalid("there is no barrier " + std::to_string(number));
    u32 expected = 0;
    if (instr.flags & HasCount) {
        u32 threads = row<u32>(warp, instr.o[2])[lane];
        if (threads % Lanes != 0 || threads == 0) return invalid("a barrier of " + std::to_string(threads) + " threads, which is not a multiple of 32");
        expected = threads / Lanes;
    }
    warp.barrier = number;
    Barrier& barrier = barriers_[number];
    if (barrier.arrived == 0) {
        barrier.expected = expected;
        barrier.first = &instr;
    } else if (barrier.expected != expected) {
        return invalid("warps give different numbers of threads for barrier " + std::to_string(number));
    }
    u32 bit = 1u << warp.index;
    if (barrier.arrived & bit) return invalid("a warp arrives twice at barrier " + std::to_string(number) + " before it opens");
    barrier.arrived |= bit;
    if (static_cast<BarrierKind>(instr.flags & BarrierKindMask) == BarrierKind::Arrive) {
        state.shadow.arrive(warp.index);
        if (state.global) state.global->arrive();
        warp.state = WarpState::Ready;
        ++warp.pc;
    } else {
        barrier.waiting |= bit;
    }
    return true;
}

/// Opens the barriers that are complete. Warps that have ended count as arrived where a barrier waits for all.
bool BlockRunner::resolveBarriers() {
    u32 alive = 0;
    for (const Warp& warp : state.warps)
        if (warp.state != WarpState::Done) alive |= 1u << warp.index;
    bool opened = false;
    for (u32 number = 0; number < MostBarriers; ++number) {
        Barrier& barrier = barriers_[number];
        if (!barrier.arrived) continue;
        bool complete = barrier.expected ? static_cast<u32>(std::popcount(barrier.arrived)) >= barrier.expected : (barrier.arrived & alive) == alive;
        if (!complete) continue;
        release(number);
        opened = true;
    }
    return opened;
}

void BlockRunner::release(u32 number) {
    finishReduction(number);
    Barrier& barrier = barriers_[number];
    if (state.checks && state.sharedBytes) state.shadow.barrier(barrier.arrived, barrier.waiting);
    if (state.global) state.global->barrier(barrier.arrived, barrier.waiting);
    for (Warp& warp : state.warps) {
        if (!(barrier.waiting >> warp.index & 1)) continue;
        warp.state = WarpState::Ready;
        ++warp.pc;
    }
    barrier = {};
}

void BlockRunner::finishReduction(u32 number) {
    const Barrier& barrier = barriers_[number];
    auto kindOf = [](const Warp& warp) { return static_cast<BarrierKind>(warp.barrierInstr->flags & BarrierKindMask); };
    u32 count = 0;
    bool all = true, any = false;
    auto reduces = [&](const Warp& warp) { return (barrier.waiting >> warp.index & 1) && kindOf(warp) >= BarrierKind::Count; };
    for (Warp& warp : state.warps) {
        if (!reduces(warp)) continue;
        Mask values = *row<Mask>(warp, warp.barrierInstr->o[3]);
        if (warp.barrierInstr->flags & NegatedInput) values = ~values;
        values &= warp.arriving;
        count += static_cast<u32>(std::popcount(values));
        all = all && values == warp.arriving;
        any = any || values;
    }
    for (Warp& warp : state.warps) {
        if (!reduces(warp)) continue;
        u32 to = warp.barrierInstr->o[0];
        if (kindOf(warp) == BarrierKind::Count) writeLanes<u32>(warp, to, warp.arriving, [&](int) { return count; });
        else setPredicate(warp, to, (kindOf(warp) == BarrierKind::All ? all : any) ? AllLanes : 0, warp.arriving);
    }
}

void BlockRunner::deadlock() {
    for (Warp& warp : state.warps) {
        if (warp.state != WarpState::Waiting) continue;
        state.report(FindingKind::DivergentBarrier, warp, *warp.barrierInstr, std::countr_zero(warp.arriving), 0,
                     "waits at barrier " + std::to_string(warp.barrier) + ", where the other threads of the block never arrive");
        return;
    }
}

}  // namespace softcuda
