#include "access.hpp"

#include <algorithm>
#include <cstdio>

namespace softcuda {

namespace {

constexpr u8 Written = static_cast<u8>(ByteState::Written);

/// What the states of some bytes have in common. A state is 0, 1 or 2.
struct StateSummary {
    u64 present = ~0ull;   // the lowest bit of every byte: all are allocated
    u64 notWritten = 0;    // any bit: some byte is not written

    void take(u64 states, u64 ones) {
        present &= states | states >> 1 | ~ones;
        notWritten |= states ^ 2 * ones;
    }
    bool allocated() const { return (present & Ones) == Ones; }
    bool written() const { return notWritten == 0; }
    static constexpr u64 Ones = 0x0101010101010101ull;
};

template <class T>
void takeStates(StateSummary& summary, const u8* state) {
    T states;
    std::memcpy(&states, state, sizeof(T));
    summary.take(states, static_cast<T>(StateSummary::Ones));
}

/// Vectors by hand: compilers turn the obvious loop into shuffles.
typedef u64 Vector __attribute__((vector_size(64)));

void summarize(StateSummary& summary, const u8* state, u64 count) {
    if (count >= 64) {
        Vector present = ~Vector{}, notWritten{};
        for (; count >= 64; count -= 64, state += 64) {
            Vector states;
            std::memcpy(&states, state, sizeof states);
            present &= states | states >> 1;
            notWritten |= states ^ 2 * StateSummary::Ones;
        }
        for (int i = 0; i < 8; ++i) {
            summary.present &= present[i];
            summary.notWritten |= notWritten[i];
        }
    }
    for (; count >= 8; count -= 8, state += 8) takeStates<u64>(summary, state);
    for (; count > 0; --count, ++state) takeStates<u8>(summary, state);
}
template <class T>
void summarizeLanes(StateSummary& summary, const Memory& memory, const Request& request) {
    if (request.lanes == AllLanes) {
        for (int lane = 0; lane < Lanes; ++lane) takeStates<T>(summary, memory.state(request.address[lane]));
    } else {
        for (Mask rest = request.lanes; rest; rest &= rest - 1) takeStates<T>(summary, memory.state(request.address[std::countr_zero(rest)]));
    }
}

std::string accessText(Mode mode, u32 size, const char* space) {
    const char* verb = mode == Mode::Read ? "reads " : mode == Mode::Write ? "writes " : "updates ";
    return std::string(verb) + std::to_string(size) + (size == 1 ? " byte of " : " bytes of ") + space + " memory";
}

void describeGlobal(BlockState& block, std::string& text, u64 address) {
    char buffer[200];
    text += ", ";
    text += block.memory->describe(address, buffer, sizeof buffer);
}

/// The first lane that is not aligned to the size of its access, or -1.
int misalignedLane(const Request& request) {
    u64 low = request.size - 1u;
    if (request.shape != Shape::Scattered) return request.address[request.first()] & low ? request.first() : -1;
    u64 any = 0;
    for (int lane = 0; lane < Lanes; ++lane) any |= request.lanes >> lane & 1 ? request.address[lane] & low : 0;
    if (!any) return -1;
    for (int lane = 0; lane < Lanes; ++lane)
        if (request.lanes >> lane & 1 && request.address[lane] & low) return lane;
    return -1;
}

bool reportMisaligned(Warp& warp, const Instr& instr, const Request& request, Mode mode, const char* space, int lane) {
    warp.block->report(FindingKind::Misaligned, warp, instr, lane, request.address[lane],
                       accessText(mode, request.size, space) + " at an address that is not a multiple of " + std::to_string(request.size));
    return false;
}

/// Whether all bytes that the request touches lie in the range of device memory.
bool inReach(const Memory& memory, const Request& request) {
    int first = request.first(), last = request.last();
    if (request.shape == Shape::Contiguous) return memory.contains(request.address[first], static_cast<u64>(last - first + 1) * request.size);
    if (request.shape == Shape::Uniform) return memory.contains(request.address[first], request.size);
    u64 limit = memory.capacity() - request.size, outside = 0;
    for (int lane = 0; lane < Lanes; ++lane) outside |= request.lanes >> lane & 1 ? request.address[lane] - Memory::Base > limit : 0;
    return !outside;
}

StateSummary statesOf(const Memory& memory, const Request& request) {
    StateSummary summary;
    int first = request.first();
    if (request.shape == Shape::Contiguous) {
        summarize(summary, memory.state(request.address[first]), static_cast<u64>(request.last() - first + 1) * request.size);
    } else if (request.shape == Shape::Uniform) {
        summarize(summary, memory.state(request.address[first]), request.size);
    } else if (request.size == 4) {
        summarizeLanes<u32>(summary, memory, request);
    } else if (request.size == 8) {
        summarizeLanes<u64>(summary, memory, request);
    } else if (request.size == 2) {
        summarizeLanes<u16>(summary, memory, request);
    } else if (request.size == 1) {
        summarizeLanes<u8>(summary, memory, request);
    } else {
        for (Mask rest = request.lanes; rest; rest &= rest - 1) summarize(summary, memory.state(request.address[std::countr_zero(rest)]), request.size);
    }
    return summary;
}

void markWritten(Memory& memory, const Request& request) {
    int first = request.first();
    if (request.shape == Shape::Contiguous) {
        std::memset(memory.state(request.address[first]), Written, static_cast<u64>(request.last() - first + 1) * request.size);
    } else {
        for (Mask rest = request.lanes; rest; rest &= rest - 1) std::memset(memory.state(request.address[std::countr_zero(rest)]), Written, request.size);
    }
}

void reportOutOfBounds(Warp& warp, const Instr& instr, const Request& request, Mode mode) {
    Memory& memory = *warp.block->memory;
    for (Mask rest = request.lanes; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        u64 address = request.address[lane];
        if (memory.valid(address, request.size, false)) continue;
        while (memory.contains(address, 1) && *memory.state(address) != 0) ++address;
        std::string text = accessText(mode, request.size, "global");
        describeGlobal(*warp.block, text, address);
        warp.block->report(FindingKind::OutOfBounds, warp, instr, lane, request.address[lane], std::move(text));
        return;
    }
}

void reportUninitialised(Warp& warp, const Instr& instr, const Request& request, Mode mode) {
    Memory& memory = *warp.block->memory;
    if (warp.block->known(FindingKind::UninitialisedRead, instr.line)) return;
    for (Mask rest = request.lanes; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        u64 byte = request.address[lane];
        if (memory.valid(byte, request.size, true)) continue;
        while (*memory.state(byte) == Written) ++byte;
        std::string text = accessText(mode, request.size, "global") + " that nothing wrote";
        describeGlobal(*warp.block, text, byte);
        warp.block->report(FindingKind::UninitialisedRead, warp, instr, lane, request.address[lane], std::move(text));
        return;
    }
}

bool checkDeviceMemory(Warp& warp, const Instr& instr, Request& request, Mode mode) {
    BlockState& block = *warp.block;
    Memory& memory = *block.memory;
    if (int lane = misalignedLane(request); lane >= 0) [[unlikely]] return reportMisaligned(warp, instr, request, mode, "global", lane);
    StateSummary states;
    if (!inReach(memory, request) || !(states = statesOf(memory, request)).allocated()) [[unlikely]] {
        reportOutOfBounds(warp, instr, request, mode);
        return false;
    }
    if (states.written()) [[likely]] return true;
    if (mode != Mode::Write && block.checks) reportUninitialised(warp, instr, request, mode);
    if (mode != Mode::Read) markWritten(memory, request);
    return true;
}

/// Counts distinct sectors, and adds them to the footprint.
u64 countSectors(BlockState& block, const Instr& instr, const Request& request, Footprint* footprint) {
    auto sectorOf = [](u64 address) { return (address - Memory::Base) / 32; };
    u64 begin = sectorOf(request.address[request.first()]);
    if (request.shape == Shape::Scattered) {
        const Pattern& pattern = block.patterns.ofGlobal(instr, request.lanes, request.address);
        if (footprint)
            for (std::size_t i = 0; i < pattern.sectorCount; ++i) footprint->add(begin + static_cast<u64>(pattern.sectors[i]), begin + static_cast<u64>(pattern.sectors[i]));
        return pattern.sectorCount;
    }
    u64 last = request.shape == Shape::Uniform ? request.address[request.first()] : request.address[request.last()];
    u64 end = sectorOf(last + request.size - 1);
    if (footprint) footprint->add(begin, end);
    return end - begin + 1;
}

std::string threadText(const BlockState& block, u32 thread);

std::string blockText(const BlockState& block, u32 index) {
    Dim3 grid = block.launch->grid;
    return "(" + std::to_string(index % grid.x) + "," + std::to_string(index / grid.x % grid.y) + "," + std::to_string(index / grid.x / grid.y) + ")";
}

void reportGlobal(Warp& warp, const Instr& instr, int lane, const Request& request, Mode mode) {
    BlockState& block = *warp.block;
    bool own = request.otherBlock == block.index;
    std::string text = accessText(mode, request.size, "global") + " that thread " + threadText(block, request.other) +
                       (own ? " of the same block" : " of block " + blockText(block, request.otherBlock)) + (request.otherWrote ? " wrote" : " read");
    switch (request.fault) {
        case GlobalShadow::Fault::StaleRead: text += " in this launch: ld.global.nc may see what was there before"; break;
        case GlobalShadow::Fault::Unfenced: text += ", with no fence (__threadfence) between that and the atomic access that tells of it"; break;
        default: text += own ? ", with no barrier in between" : ", and nothing orders the two blocks"; break;
    }
    describeGlobal(block, text, request.address[lane]);
    auto kind = request.fault == GlobalShadow::Fault::StaleRead ? FindingKind::StaleRead : FindingKind::GlobalRace;
    block.report(kind, warp, instr, lane, request.address[lane], std::move(text));
}

void checkRaces(Warp& warp, const Instr& instr, Request& request, Mode mode) {
    using Kind = GlobalShadow::Kind;
    GlobalShadow& shadow = *warp.block->global;
    bool strong = instr.flags & StrongAccess;
    Kind kind = mode == Mode::Atomic ? Kind::Atomic : mode == Mode::Write ? (strong ? Kind::StrongWrite : Kind::Write)
                : strong             ? Kind::StrongRead : instr.flags & ConstantAccess ? Kind::ReadConstant : Kind::Read;
    if (instr.flags & FencingAccess) shadow.fence(warp.index, request.lanes);
    GlobalShadow::Result result = shadow.access(kind, warp.index, request.lanes, request.address, Memory::Base, request.size);
    request.repeats = result.repeats;
    if (result.fault == GlobalShadow::Fault::None) return;
    request.fault = result.fault;
    request.other = result.otherThread;
    request.otherBlock = result.otherBlock;
    request.otherWrote = result.otherWrote;
    if (mode == Mode::Write) request.suspects = result.lanes;
    else reportGlobal(warp, instr, std::countr_zero(result.lanes), request, mode);
}

std::string threadText(const BlockState& block, u32 thread) {
    Dim3 size = block.launch->block;
    return "(" + std::to_string(thread % size.x) + "," + std::to_string(thread / size.x % size.y) + "," + std::to_string(thread / size.x / size.y) + ")";
}

}  // namespace

bool openGlobal(Warp& warp, const Instr& instr, Request& request, Mode mode) {
    if (!checkDeviceMemory(warp, instr, request, mode)) return false;
    BlockState& block = *warp.block;
    if (block.global) [[unlikely]] checkRaces(warp, instr, request, mode);
    if (mode == Mode::Atomic) return true;
    u64 bytes = static_cast<u64>(std::popcount(request.lanes)) * request.size;
    Footprint* footprint = block.launch->options.footprint ? mode == Mode::Read ? &block.loads : &block.stores : nullptr;
    u64 sectors = countSectors(block, instr, request, footprint);
    if (mode == Mode::Read) {
        ++block.counters.globalLoads;
        block.counters.bytesLoaded += bytes;
        block.counters.sectorsLoaded += sectors;
    } else {
        ++block.counters.globalStores;
        block.counters.bytesStored += bytes;
        block.counters.sectorsStored += sectors;
    }
    return true;
}

bool openConst(Warp& warp, const Instr& instr, Request& request) { return checkDeviceMemory(warp, instr, request, Mode::Read); }

void reportRace(Warp& warp, const Instr& instr, int lane, u64 address, Mode mode, u32 other, bool otherWrote) {
    BlockState& block = *warp.block;
    block.report(FindingKind::SharedRace, warp, instr, lane, address,
                 std::string(mode == Mode::Read ? "reads" : mode == Mode::Write ? "writes" : "updates") + " byte " + std::to_string(address) +
                     " of shared memory, which thread " + threadText(block, other) + (otherWrote ? " wrote" : " read") + " with no barrier in between");
}

void reportSuspect(Warp& warp, const Instr& instr, int lane, const Request& request) {
    if (request.fault != GlobalShadow::Fault::None) reportGlobal(warp, instr, lane, request, Mode::Write);
    else reportRace(warp, instr, lane, request.address[lane], Mode::Write, request.other, request.otherWrote);
}

bool openShared(Warp& warp, const Instr& instr, Request& request, Mode mode) {
    BlockState& block = *warp.block;
    if (int lane = misalignedLane(request); lane >= 0) [[unlikely]] return reportMisaligned(warp, instr, request, mode, "shared", lane);
    auto inside = [&](int lane) { return request.address[lane] < block.sharedBytes && request.size <= block.sharedBytes - request.address[lane]; };
    bool fits = inside(request.first()) && inside(request.last());  // enough for consecutive and equal addresses
    if (request.shape == Shape::Scattered) {
        // Aligned, so that the last byte is inside if the first one is, but for an odd end.
        u64 outside = block.sharedBytes < request.size;
        for (int lane = 0; lane < Lanes; ++lane) outside |= request.lanes >> lane & 1 ? request.address[lane] > block.sharedBytes - request.size : 0;
        fits = !outside;
    }
    if (!fits) [[unlikely]] {
        for (Mask rest = request.lanes; rest; rest &= rest - 1) {
            int lane = std::countr_zero(rest);
            if (inside(lane)) continue;
            block.report(FindingKind::OutOfBounds, warp, instr, lane, request.address[lane],
                         accessText(mode, request.size, "shared") + ", of which the block has " + std::to_string(block.sharedBytes) + " bytes");
            return false;
        }
    }
    const Pattern* pattern = request.shape == Shape::Scattered ? &block.patterns.ofShared(instr, request.lanes, request.address, request.size) : nullptr;
    request.repeats = pattern ? pattern->repeated != 0 : request.shape == Shape::Uniform;
    if (mode != Mode::Atomic) {
        ++block.counters.sharedRequests;
        if (pattern) block.counters.bankConflicts += pattern->conflicts;
    }
    if (!block.checks) return true;
    if (block.copies.any()) [[unlikely]] {
        for (Mask rest = request.lanes; rest; rest &= rest - 1) {
            int lane = std::countr_zero(rest);
            if (!block.copies.mayTouch(request.address[lane], request.size)) continue;
            const AsyncCopies::Copy& copy = *block.copies.at(request.address[lane], request.size);
            block.report(FindingKind::AsyncCopy, warp, instr, lane, request.address[lane],
                         accessText(mode, request.size, "shared") + " to which thread " + threadText(block, copy.thread) + " copies by the cp.async of PTX line " +
                             std::to_string(copy.instr->line) + " and has not waited for");
            break;
        }
    }
    auto kind = mode == Mode::Read ? SharedShadow::Kind::Read : mode == Mode::Write ? SharedShadow::Kind::Write : SharedShadow::Kind::Atomic;
    SharedShadow::Result result;
    if (pattern) {
        result = block.shadow.scattered(kind, warp.index, pattern->distinct.data(), pattern->distinctCount, pattern->repeated, request.address, request.size);
    } else if (request.shape == Shape::Uniform) {
        u8 lane = static_cast<u8>(request.first());
        Mask repeated = std::popcount(request.lanes) > 1 ? 1u << lane : 0;
        result = block.shadow.scattered(kind, warp.index, &lane, 1, repeated, request.address, request.size);
    } else {
        result = block.shadow.contiguous(kind, warp.index, static_cast<u32>(request.first()), static_cast<u32>(request.last()), request.address, request.size);
    }
    if (result.unwritten) {
        int lane = std::countr_zero(result.unwritten);
        block.report(FindingKind::UninitialisedShared, warp, instr, lane, request.address[lane],
                     accessText(mode, request.size, "shared") + " that nothing wrote, at byte " + std::to_string(request.address[lane]));
    }
    if (result.races) {
        if (mode == Mode::Write) {
            request.suspects = result.races;
            request.other = result.other;
            request.otherWrote = result.otherWrote;
        } else {
            int lane = std::countr_zero(result.races);
            reportRace(warp, instr, lane, request.address[lane], mode, result.other, result.otherWrote);
        }
    }
    return true;
}

bool openLocal(Warp& warp, const Instr& instr, Request& request, Mode mode, bool counted) {
    BlockState& block = *warp.block;
    if (int lane = misalignedLane(request); lane >= 0) return reportMisaligned(warp, instr, request, mode, "local", lane);
    u64 room = block.kernel->localBytes;
    for (Mask rest = request.lanes; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        if (request.address[lane] < room && request.size <= room - request.address[lane]) continue;
        block.report(FindingKind::OutOfBounds, warp, instr, lane, request.address[lane],
                     accessText(mode, request.size, "local") + ", of which a thread has " + std::to_string(room) + " bytes");
        return false;
    }
    if (counted) block.counters.localBytes += static_cast<u64>(std::popcount(request.lanes)) * request.size;
    if (!block.checks) return true;
    if (request.lanes == AllLanes && request.shape == Shape::Uniform && request.size >= 4) {
        // Whole rows.
        u8* states = localStateAt(warp, request.address[0], 0);
        u64 count = static_cast<u64>(request.size) * Lanes;
        if (mode != Mode::Read) {
            std::memset(states, Written, count);
            return true;
        }
        StateSummary summary;
        summarize(summary, states, count);
        if (summary.written()) return true;
    }
    for (Mask rest = request.lanes; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        for (u32 k = 0; k < request.size; ++k) {
            u8* state = localStateAt(warp, request.address[lane] + k, lane);
            if (mode != Mode::Read) {
                *state = Written;
            } else if (*state != Written) {
                block.report(FindingKind::UninitialisedRead, warp, instr, lane, request.address[lane] + k,
                             accessText(mode, request.size, "local") + " that nothing wrote, at byte " + std::to_string(request.address[lane] + k));
                return true;
            }
        }
    }
    return true;
}

}  // namespace softcuda
