// The state of warps and blocks while they run.
#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include "async_copies.hpp"
#include "footprint.hpp"
#include "global_checks.hpp"
#include "patterns.hpp"
#include "program.hpp"
#include "shared_checks.hpp"

namespace softcuda {

constexpr int Lanes = 32;
constexpr Mask AllLanes = 0xffffffffu;

/// What all blocks of a launch share.
struct Launch {
    const Kernel& kernel;
    Dim3 grid, block;
    std::uint32_t dynamicShared, sharedBytes;
    const std::uint8_t* parameters;
    Memory& memory;
    const LaunchOptions& options;
    std::uint64_t number;
    GlobalShadow* global = nullptr;
};

/// A path of a divergent warp that waits for its turn. Lanes leave it at `reconverge`, where a lower entry awaits them.
struct Path {
    std::uint32_t pc, reconverge;
    Mask lanes;
    std::uint32_t depth;  // of calls
};

enum class WarpState : std::uint8_t { Ready, Waiting, Done };

struct BlockState;

struct Warp {
    std::byte* bases[2];  // registers, constants
    BlockState* block;
    std::uint32_t index;
    // The path that runs, and those that wait.
    std::uint32_t pc, reconverge;
    Mask active;
    std::uint32_t depth;
    std::vector<Path> paths;
    Mask live;   // lanes that have not exited
    Mask carry;  // the condition code of add.cc and its kin
    WarpState state;
    // At a barrier: the instruction, the lanes that execute it, and, once told, the barrier's number.
    const Instr* barrierInstr;
    Mask arriving;
    std::uint32_t barrier;
    bool counted;  // the barrier knows of the arrival
    // Local memory: word w of lane l lies at (w * 32 + l) * 4; its state has one byte for each.
    std::uint8_t* local;
    std::uint8_t* localState;
    std::uint64_t budget;
};

/// A finding with the position in the launch's order that decides which of several is kept.
struct RankedFinding {
    std::uint64_t rank;
    Finding finding;
};

struct BlockState {
    const Launch* launch = nullptr;
    const Kernel* kernel = nullptr;
    Memory* memory = nullptr;
    bool checks = true;
    bool stop = false;  // a finding ended the launch
    Outcome outcome = Outcome::Ok;
    std::uint64_t rank = 0;
    std::uint32_t index = 0;  // in the grid
    std::array<std::uint32_t, 3> ctaid{};
    std::uint32_t threads = 0;
    std::uint8_t* shared = nullptr;
    std::uint32_t sharedBytes = 0;
    SharedShadow shadow;
    GlobalShadow* global = nullptr;  // null where races in global memory are not looked for
    AsyncCopies copies;
    Counters counters;
    std::uint64_t clockReads = 0;
    Footprint loads, stores;
    Patterns patterns;
    std::vector<Warp> warps;
    std::vector<RankedFinding> findings;

    void report(FindingKind kind, const Warp& warp, const Instr& instr, int lane, std::uint64_t address, std::string message);
    bool known(FindingKind kind, int line) const;
};

/// Runs a warp until it ends, waits at a barrier or has used up its slice.
void runWarp(Warp& warp, std::uint64_t slice);

template <class T>
inline T* row(Warp& warp, std::uint32_t operand) {
    return reinterpret_cast<T*>(warp.bases[operand >> 31] + (operand & ~ConstantFlag));
}

}  // namespace softcuda
