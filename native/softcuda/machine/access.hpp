// Checks and counts of memory requests, one warp-wide request at a time.
#pragma once
#include "lanes.hpp"

namespace softcuda {

/// How the addresses of a request lie: lane after lane, all at one place, or anyhow.
enum class Shape : u8 { Contiguous, Uniform, Scattered };
enum class Mode : u8 { Read, Write, Atomic };

struct Request {
    alignas(64) u64 address[Lanes];
    Mask lanes;
    u32 size;  // bytes of a lane
    Shape shape;
    bool repeats = false;  // lanes of a shared access may have equal addresses
    Mask suspects = 0;  // lanes of a write that race unless they write what is there already
    // Who they race with: of a shared write a thread of the same block, of a global one of another block too.
    u32 other = 0, otherBlock = 0;
    bool otherWrote = false;
    GlobalShadow::Fault fault = GlobalShadow::Fault::None;  // of a global access

    // There is at least one lane; the mask tells the compiler that the result is one.
    int first() const { return std::countr_zero(lanes) & 31; }
    int last() const { return (31 - std::countl_zero(lanes)) & 31; }
};

/// Address register plus offset.
inline void gatherAddresses(Warp& warp, u32 operand, const Instr& instr, Request& request) {
    if (instr.wideAddress) {
        const u64* base = row<const u64>(warp, operand);
        for (int lane = 0; lane < Lanes; ++lane) request.address[lane] = base[lane] + static_cast<u64>(instr.immediate);
    } else {
        const u32* base = row<const u32>(warp, operand);
        for (int lane = 0; lane < Lanes; ++lane) request.address[lane] = base[lane] + static_cast<u32>(instr.immediate);
    }
}

inline void classify(Request& request) {
    int first = request.first();
    u64 start = request.address[first], expected = start - static_cast<u64>(first) * request.size, size = request.size;
    u64 apart = 0, differ = 0;
    if (request.lanes == AllLanes) {
        for (int lane = 0; lane < Lanes; ++lane) {
            apart |= request.address[lane] ^ (expected + static_cast<u64>(lane) * size);
            differ |= request.address[lane] ^ start;
        }
    } else {
        for (int lane = 0; lane < Lanes; ++lane) {
            u64 active = 0 - static_cast<u64>(request.lanes >> lane & 1);
            apart |= (request.address[lane] ^ (expected + static_cast<u64>(lane) * size)) & active;
            differ |= (request.address[lane] ^ start) & active;
        }
        Mask run = request.lanes >> first;
        if (run & (run + 1)) apart = 1;  // gaps between the lanes
    }
    request.shape = differ == 0 ? Shape::Uniform : apart == 0 ? Shape::Contiguous : Shape::Scattered;
}

/// False where a finding ended the launch.
bool openGlobal(Warp& warp, const Instr& instr, Request& request, Mode mode);
/// .const variables lie in device memory too, but count for nothing.
bool openConst(Warp& warp, const Instr& instr, Request& request);
/// Addresses are offsets into the block's shared memory.
bool openShared(Warp& warp, const Instr& instr, Request& request, Mode mode);
void reportRace(Warp& warp, const Instr& instr, int lane, u64 address, Mode mode, u32 other, bool otherWrote);
/// Of a write's suspect, once it is known that it changes what is there.
void reportSuspect(Warp& warp, const Instr& instr, int lane, const Request& request);
/// Addresses are offsets into each thread's local memory; marks or checks what is written.
bool openLocal(Warp& warp, const Instr& instr, Request& request, Mode mode, bool counted);

/// Splits a request by the space that each generic address means, and makes the addresses relative to that space.
/// Calls body(space, request) for each part.
template <class F>
void bySpace(Request& request, F body) {
    auto spaceOf = [](u64 address) {
        if (address - SharedWindow < WindowBytes) return Space::Shared;
        if (address - LocalWindow < WindowBytes) return Space::Local;
        if (address - ParamWindow < WindowBytes) return Space::Param;
        return Space::Global;
    };
    auto windowOf = [](Space space) { return space == Space::Shared ? SharedWindow : space == Space::Local ? LocalWindow : space == Space::Param ? ParamWindow : 0; };
    Mask rest = request.lanes;
    while (rest) {
        Space space = spaceOf(request.address[std::countr_zero(rest)]);
        Mask part = 0;
        for (int lane = 0; lane < Lanes; ++lane)
            if (rest >> lane & 1 && spaceOf(request.address[lane]) == space) part |= 1u << lane;
        Request own = request;
        own.lanes = part;
        for (int lane = 0; lane < Lanes; ++lane) own.address[lane] -= windowOf(space);
        classify(own);
        body(space, own);
        rest &= ~part;
    }
}

inline u8* localAt(Warp& warp, u64 offset, int lane) { return warp.local + ((offset >> 2) * Lanes + static_cast<u64>(lane)) * 4 + (offset & 3); }
inline u8* localStateAt(Warp& warp, u64 offset, int lane) { return warp.localState + (localAt(warp, offset, lane) - warp.local); }

}  // namespace softcuda
