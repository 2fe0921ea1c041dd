#include "access.hpp"

#include <algorithm>
#include <cstdio>

namespace softcuda {

namespace {

constexpr u8 Unwritten = static_cast<u8>(ByteState::Unwritten), Written = static_cast<u8>(ByteState::Written);

bool allocated(const u8* state, u64 count) {
    u32 missing = 0;
    u64 i = 0;
    for (; i + 32 <= count; i += 32)
        for (u64 k = 0; k < 32; ++k) missing |= state[i + k] < Unwritten;
    for (; i < count; ++i) missing |= state[i] < Unwritten;
    return !missing;
}
bool written(const u8* state, u64 count) {
    u32 other = 0;
    u64 i = 0;
    for (; i + 32 <= count; i += 32)
        for (u64 k = 0; k < 32; ++k) other |= state[i + k] ^ Written;
    for (; i < count; ++i) other |= state[i] ^ Written;
    return !other;
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
                       accessText(mode, request.size, space) + " at an address that is no multiple of " + std::to_string(request.size));
    return false;
}

/// Ranges of bytes that the request touches: one for shapes that are one range.
template <class F>
bool everyRange(const Request& request, F check) {
    int first = request.first();
    if (request.shape == Shape::Contiguous) return check(first, request.address[first], static_cast<u64>(request.last() - first + 1) * request.size);
    if (request.shape == Shape::Uniform) return check(first, request.address[first], static_cast<u64>(request.size));
    for (Mask rest = request.lanes; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        if (!check(lane, request.address[lane], static_cast<u64>(request.size))) return false;
    }
    return true;
}

bool checkDeviceMemory(Warp& warp, const Instr& instr, Request& request, Mode mode) {
    BlockState& block = *warp.block;
    Memory& memory = *block.memory;
    if (int lane = misalignedLane(request); lane >= 0) return reportMisaligned(warp, instr, request, mode, "global", lane);
    auto inBounds = [&](int, u64 address, u64 bytes) { return memory.contains(address, bytes) && allocated(memory.state(address), bytes); };
    if (!everyRange(request, inBounds)) {
        for (Mask rest = request.lanes; rest; rest &= rest - 1) {
            int lane = std::countr_zero(rest);
            u64 address = request.address[lane];
            if (inBounds(lane, address, request.size)) continue;
            // The first byte that is outside.
            while (memory.contains(address, 1) && *memory.state(address) != 0) ++address;
            std::string text = accessText(mode, request.size, "global");
            describeGlobal(block, text, address);
            block.report(FindingKind::OutOfBounds, warp, instr, lane, request.address[lane], std::move(text));
            return false;
        }
    }
    if (mode != Mode::Write && block.checks && !block.known(FindingKind::UninitialisedRead, instr.line)) {
        everyRange(request, [&](int lane, u64 address, u64 bytes) {
            if (written(memory.state(address), bytes)) return true;
            u64 byte = address;
            while (*memory.state(byte) == Written) ++byte;
            if (request.shape == Shape::Contiguous) lane += static_cast<int>((byte - address) / request.size);
            std::string text = accessText(mode, request.size, "global") + " that nothing wrote";
            describeGlobal(block, text, byte);
            block.report(FindingKind::UninitialisedRead, warp, instr, lane, request.address[lane], std::move(text));
            return false;
        });
    }
    if (mode != Mode::Read) {
        everyRange(request, [&](int, u64 address, u64 bytes) {
            std::memset(memory.state(address), Written, bytes);
            return true;
        });
    }
    return true;
}

/// Counts distinct sectors, and adds them to the footprint.
u64 countSectors(const Request& request, Footprint* footprint) {
    auto sectorOf = [](u64 address) { return (address - Memory::Base) / 32; };
    if (request.shape != Shape::Scattered) {
        u64 last = request.shape == Shape::Uniform ? request.address[request.first()] : request.address[request.last()];
        u64 begin = sectorOf(request.address[request.first()]), end = sectorOf(last + request.size - 1);
        if (footprint) footprint->add(begin, end);
        return end - begin + 1;
    }
    // Accesses are aligned and have at most 16 bytes, so each lies in one sector.
    u64 seen[Lanes];
    int count = 0;
    bool ascending = true;
    for (Mask rest = request.lanes; rest; rest &= rest - 1) {
        u64 sector = sectorOf(request.address[std::countr_zero(rest)]);
        if (count > 0 && sector == seen[count - 1]) continue;
        if (count > 0 && sector < seen[count - 1]) ascending = false;
        seen[count++] = sector;
    }
    if (!ascending) {
        std::sort(seen, seen + count);
        count = static_cast<int>(std::unique(seen, seen + count) - seen);
    }
    if (footprint)
        for (int i = 0; i < count; ++i) footprint->add(seen[i], seen[i]);
    return static_cast<u64>(count);
}

/// Passes beyond the least: 32 banks of 4 bytes; 8-byte accesses go by halves of the warp, 16-byte ones by quarters.
u64 bankConflicts(const Request& request) {
    if (request.shape != Shape::Scattered) return 0;
    int group = request.size <= 4 ? 32 : request.size == 8 ? 16 : 8;
    u64 extra = 0;
    for (int begin = 0; begin < Lanes; begin += group) {
        u64 words[Lanes][4];
        u8 used[Lanes] = {};
        int most = 1;
        for (int lane = begin; lane < begin + group; ++lane) {
            if (!(request.lanes >> lane & 1)) continue;
            for (u64 word = request.address[lane] / 4; word <= (request.address[lane] + request.size - 1) / 4; ++word) {
                u64 bank = word % 32;
                int known = 0;
                while (known < used[bank] && words[bank][known & 3] != word) ++known;
                if (known < used[bank]) continue;
                if (used[bank] < 4) {
                    words[bank][used[bank]++] = word;
                } else {
                    // Many words of one bank: count them the slow way.
                    bool before = false;
                    for (int other = begin; other < lane && !before; ++other)
                        before = (request.lanes >> other & 1) && request.address[other] / 4 <= word && word <= (request.address[other] + request.size - 1) / 4;
                    if (before) continue;
                    ++used[bank];
                }
                most = std::max<int>(most, used[bank]);
            }
        }
        extra += static_cast<u64>(most - 1);
    }
    return extra;
}

std::string threadText(const BlockState& block, u32 thread) {
    Dim3 size = block.launch->block;
    return "(" + std::to_string(thread % size.x) + "," + std::to_string(thread / size.x % size.y) + "," + std::to_string(thread / size.x / size.y) + ")";
}

}  // namespace

bool openGlobal(Warp& warp, const Instr& instr, Request& request, Mode mode) {
    if (!checkDeviceMemory(warp, instr, request, mode)) return false;
    BlockState& block = *warp.block;
    if (mode == Mode::Atomic) return true;
    u64 bytes = static_cast<u64>(std::popcount(request.lanes)) * request.size;
    Footprint* footprint = block.launch->options.footprint ? mode == Mode::Read ? &block.loads : &block.stores : nullptr;
    u64 sectors = countSectors(request, footprint);
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

bool openShared(Warp& warp, const Instr& instr, Request& request, Mode mode) {
    BlockState& block = *warp.block;
    if (int lane = misalignedLane(request); lane >= 0) return reportMisaligned(warp, instr, request, mode, "shared", lane);
    auto inBounds = [&](int, u64 address, u64 bytes) { return address < block.sharedBytes && bytes <= block.sharedBytes - address; };
    if (!everyRange(request, inBounds)) {
        for (Mask rest = request.lanes; rest; rest &= rest - 1) {
            int lane = std::countr_zero(rest);
            if (inBounds(lane, request.address[lane], request.size)) continue;
            block.report(FindingKind::OutOfBounds, warp, instr, lane, request.address[lane],
                         accessText(mode, request.size, "shared") + ", of which the block has " + std::to_string(block.sharedBytes) + " bytes");
            return false;
        }
    }
    if (mode != Mode::Atomic) ++block.counters.sharedRequests;
    if (mode != Mode::Atomic) block.counters.bankConflicts += bankConflicts(request);
    if (!block.checks) return true;
    auto kind = mode == Mode::Read ? SharedShadow::Kind::Read : mode == Mode::Write ? SharedShadow::Kind::Write : SharedShadow::Kind::Atomic;
    SharedShadow::Result result = block.shadow.access(kind, warp.index, request.lanes, request.address, request.size, request.shape == Shape::Contiguous);
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
        if (written(states, count)) return true;
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
