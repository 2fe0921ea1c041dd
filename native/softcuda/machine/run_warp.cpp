// The interpreter's loop: fetch, mask, execute; divergence by a stack of paths.
#include <bit>
#include <span>

#include "control.hpp"
#include "lanes.hpp"

namespace softcuda {

namespace {

void pushPath(Warp& warp) { warp.paths.push_back({warp.pc, warp.reconverge, warp.active, warp.depth}); }

void popPath(Warp& warp) {
    const Path& top = warp.paths.back();
    warp.pc = top.pc;
    warp.reconverge = top.reconverge;
    warp.active = top.lanes;
    warp.depth = top.depth;
    warp.paths.pop_back();
}

/// Goes on with the path below while the current one has no lanes. False where none is left.
bool dropEmpty(Warp& warp) {
    while (warp.active == 0) {
        if (warp.paths.empty()) return false;
        popPath(warp);
    }
    return true;
}

void enter(Warp& warp, std::uint32_t pc, std::uint32_t reconverge, Mask lanes) {
    warp.pc = pc;
    warp.reconverge = reconverge;
    warp.active = lanes;
}

/// Splits the current path. Lanes whose target is the meeting point wait there, in the entry below.
void diverge(Warp& warp, std::uint32_t meet, std::span<const std::pair<std::uint32_t, Mask>> sides) {
    if (meet == NoPc) {
        meet = warp.reconverge;
    } else if (meet != warp.reconverge) {
        std::uint32_t outer = warp.reconverge;
        warp.paths.push_back({meet, outer, warp.active, warp.depth});
    }
    bool entered = false;
    for (auto [pc, lanes] : sides) {
        if (lanes == 0 || pc == meet) continue;
        if (entered) pushPath(warp);
        enter(warp, pc, meet, lanes);
        entered = true;
    }
    if (!entered) popPath(warp);
}

void branch(Warp& warp, const Instr& instr, Mask taken) {
    Counters& counters = warp.block->counters;
    ++counters.branches;
    if (taken == warp.active) {
        warp.pc = instr.target;
    } else if (taken == 0) {
        ++warp.pc;
    } else {
        ++counters.divergentBranches;
        const std::pair<std::uint32_t, Mask> sides[] = {{warp.pc + 1, warp.active & ~taken}, {instr.target, taken}};
        diverge(warp, instr.reconverge, sides);
    }
}

void branchIndexed(Warp& warp, const Instr& instr, Mask taken) {
    Counters& counters = warp.block->counters;
    ++counters.branches;
    const auto& table = warp.block->kernel->branchTables[instr.target];
    const u32* index = row<const u32>(warp, instr.o[1]);
    std::pair<std::uint32_t, Mask> sides[Lanes + 1];
    std::size_t count = 0;
    if (Mask stay = warp.active & ~taken) sides[count++] = {warp.pc + 1, stay};
    for (Mask rest = taken; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        if (index[lane] >= table.size()) {
            warp.block->report(FindingKind::InvalidInstruction, warp, instr, lane, 0, "the index " + std::to_string(index[lane]) + " is beyond the list of targets");
            warp.block->stop = true;
            warp.block->outcome = Outcome::IllegalInstruction;
            return;
        }
        std::uint32_t target = table[index[lane]];
        std::size_t known = 0;
        while (known < count && sides[known].first != target) ++known;
        if (known == count) sides[count++] = {target, 0};
        sides[known].second |= 1u << lane;
    }
    if (count == 1) {
        warp.pc = sides[0].first;
        return;
    }
    ++counters.divergentBranches;
    diverge(warp, instr.reconverge, {sides, count});
}

/// Copies parameters within the local memory of the lanes. Word by word: variables are aligned to 4 bytes.
void copyParameters(Warp& warp, const std::vector<ParameterCopy>& copies, Mask mask) {
    for (const ParameterCopy& copy : copies) {
        for (std::uint32_t word = 0; word < (copy.bytes + 3) / 4; ++word) {
            u32* values = reinterpret_cast<u32*>(warp.local);
            blend(values + (copy.to / 4 + word) * Lanes, values + (copy.from / 4 + word) * Lanes, mask);
            u32* states = reinterpret_cast<u32*>(warp.localState);
            blend(states + (copy.to / 4 + word) * Lanes, states + (copy.from / 4 + word) * Lanes, mask);
        }
    }
}

void call(Warp& warp, const Instr& instr, Mask mask) {
    copyParameters(warp, warp.block->kernel->copies[instr.flags], mask);
    ++warp.pc;
    pushPath(warp);
    enter(warp, instr.target, NoPc, mask);
    ++warp.depth;
}

void exitLanes(Warp& warp, Mask mask) {
    warp.live &= ~mask;
    warp.active &= ~mask;
    for (Path& path : warp.paths) path.lanes &= ~mask;
}

void returnLanes(Warp& warp, Mask mask) {
    if (warp.depth == 0) return exitLanes(warp, mask);
    // The caller's path waits behind its call: what was computed goes into the caller's variables.
    for (std::size_t i = warp.paths.size(); i-- > 0;) {
        if (warp.paths[i].depth == warp.depth) continue;
        const Kernel& kernel = *warp.block->kernel;
        copyParameters(warp, kernel.copies[kernel.code[warp.paths[i].pc - 1].flags + 1u], mask);
        break;
    }
    warp.active &= ~mask;
    for (std::size_t i = warp.paths.size(); i-- > 0 && warp.paths[i].depth == warp.depth;) warp.paths[i].lanes &= ~mask;
}

}  // namespace

void runWarp(Warp& warp, std::uint64_t slice) {
    BlockState& block = *warp.block;
    const Kernel& kernel = *block.kernel;
    const Instr* code = kernel.code.data();
    Counters& counters = block.counters;
    std::uint64_t issued = 0, threads = 0, flops = 0;
    while (issued < slice) {
        while (warp.pc == warp.reconverge) popPath(warp);
        const Instr& instr = code[warp.pc];
        Mask mask = warp.active & (*row<const Mask>(warp, instr.guard) ^ instr.guardInversion);
        auto lanes = static_cast<std::uint64_t>(std::popcount(mask));
        ++issued;
        threads += lanes;
        flops += lanes * instr.flops;
        if (instr.control == Control::None) [[likely]] {
            if (mask) {
                instr.run(warp, instr, mask);
                if (block.stop) [[unlikely]] break;
            }
            ++warp.pc;
            continue;
        }
        switch (instr.control) {
            case Control::Branch: branch(warp, instr, mask); break;
            case Control::BranchIndexed: branchIndexed(warp, instr, mask); break;
            case Control::Call:
                if (mask) call(warp, instr, mask);
                else ++warp.pc;
                break;
            case Control::Return:
            case Control::Exit: {
                std::uint32_t next = warp.pc + 1;
                if (instr.control == Control::Return) returnLanes(warp, mask);
                else exitLanes(warp, mask);
                if (warp.active) warp.pc = next;
                else if (!dropEmpty(warp)) warp.state = WarpState::Done;
                break;
            }
            case Control::Barrier:
                if (mask == 0) {
                    ++warp.pc;
                    break;
                }
                warp.state = WarpState::Waiting;
                warp.barrierInstr = &instr;
                warp.arriving = mask;
                break;
            case Control::Trap:
                if (mask == 0) {
                    ++warp.pc;
                    break;
                }
                block.report(FindingKind::Trap, warp, instr, std::countr_zero(mask), 0, "the kernel stopped itself");
                break;
            case Control::None: break;
        }
        if (warp.state != WarpState::Ready || block.stop) break;
    }
    counters.warpInstructions += issued;
    counters.threadInstructions += threads;
    counters.flops += flops;
    warp.budget = warp.budget > issued ? warp.budget - issued : 0;
}

}  // namespace softcuda
