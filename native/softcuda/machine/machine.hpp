// PTX in, results, findings and counts out: parses PTX modules and executes kernels, warp by warp, on the CPU.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "memory.hpp"

namespace softcuda {

/// Why a module was refused: the line of the PTX text, that line, and what is wrong with it.
struct LoadError {
    int line = 0;
    std::string text;
    std::string message;
};

struct Parameter {
    std::string name;
    std::uint32_t offset, size, alignment;
};

/// What is known of a kernel without running it.
struct KernelInfo {
    std::string name;
    std::vector<Parameter> parameters;
    std::uint32_t parameterBytes = 0;
    std::uint32_t staticShared = 0;   // bytes
    std::uint32_t local = 0;          // bytes a thread
    std::uint32_t registers = 0;      // an estimate: the most 32-bit registers alive at once, at least 16
    std::uint32_t maxThreads = 1024;  // .maxntid, or the device's limit
    bool isBounded = false;           // whether .maxntid is given
};

class Module;
struct Kernel;  // the machine's own form

/// Parses a module and places its .global and .const variables in memory.
/// Any directive, instruction or modifier that is not fully understood refuses the module.
std::shared_ptr<Module> load(std::string_view ptx, Memory& memory, LoadError& error);
const Kernel* findKernel(const Module& module, std::string_view name);
std::vector<const Kernel*> kernels(const Module& module);
const KernelInfo& info(const Kernel& kernel);
/// Address and bytes of a .global variable; false where there is none.
bool findGlobal(const Module& module, std::string_view name, std::uint64_t& address, std::uint64_t& bytes);
/// ".version" as 70 for 7.0 and ".target" as 80 for sm_80.
int ptxVersion(const Module& module);
int target(const Module& module);

enum class FindingKind {
    OutOfBounds, Misaligned, UninitialisedRead, SharedRace, DivergentBarrier, UninitialisedShared, InvalidInstruction, Trap,
    Leak,        // reported by the driver at exit
    HostAccess,  // a copy, or a cuBLAS or cuDNN call, that reads or writes where it may not
    GlobalRace,  // of two threads of a block or of two blocks, a plain access against an atomic one, a ticket without a fence before it
    StaleRead,   // ld.global.nc of what this launch wrote
    AsyncCopy,   // shared memory touched before the thread whose cp.async fills it has waited, or a source that changes before that
    LaneMask,    // an instruction of several lanes whose mask names others than execute it, or that takes the value of a lane outside
};

/// One thing a kernel did that it may not.
struct Finding {
    FindingKind kind;
    std::string kernel;
    int line = 0;  // of the PTX
    std::string instruction;
    std::array<std::uint32_t, 3> block{}, thread{};
    std::uint64_t address = 0;
    std::string message;
};

/// Exact, repeatable counts of one kernel over all its launches.
struct Counters {
    std::uint64_t launches = 0, blocks = 0, threads = 0;
    std::uint64_t warpInstructions = 0;    // issued, whatever lanes were active
    std::uint64_t threadInstructions = 0;  // active lanes summed up: those on the current path whose guard holds
    std::uint64_t flops = 0;               // f32, f64 and f16 additions and multiplications, an fma counting two, active lanes only
    std::uint64_t branches = 0, divergentBranches = 0;
    std::uint64_t globalLoads = 0, globalStores = 0;  // warp-wide requests
    std::uint64_t bytesLoaded = 0, bytesStored = 0;   // asked for by active lanes
    std::uint64_t sectorsLoaded = 0, sectorsStored = 0;  // 32-byte sectors: distinct ones of each request, summed
    // Distinct sectors over the whole launch: what a kernel that touches every datum once would move.
    std::uint64_t footprintLoaded = 0, footprintStored = 0;
    std::uint64_t sharedRequests = 0, bankConflicts = 0;  // conflicts: extra passes beyond the least that the request's width needs
    std::uint64_t atomics = 0, barriers = 0;  // warp-wide requests; barriers that warps reached (bar.warp.sync is none)
    std::uint64_t localBytes = 0;  // moved to and from local memory: spills show here
};

struct Dim3 {
    std::uint32_t x = 1, y = 1, z = 1;
};

struct LaunchOptions {
    bool checks = true;         // all findings of the list above; bounds and alignment are always checked
    bool races = false;         // in global memory too; runs the blocks on one worker
    bool footprint = true;
    std::uint64_t seed = 0;     // order of blocks, and of warps between barriers
    int workers = 2;
    std::size_t mostFindings = 16;
    int sm = 80;
    std::uint64_t budget = 1ull << 29;  // instructions of one warp; more end in Outcome::Timeout
};

/// What became of a launch; Ok unless a finding ended it.
enum class Outcome { Ok, IllegalAddress, MisalignedAddress, IllegalInstruction, Trap, Timeout };

/// Runs a grid to its end. `parameters` holds info(kernel).parameterBytes bytes, laid out as the PTX says.
/// OutOfBounds, Misaligned, DivergentBarrier and Trap end the launch; other findings are recorded and execution goes on.
/// Adds to `counters`; appends to `findings`.
Outcome run(const Kernel& kernel, Dim3 grid, Dim3 block, std::uint32_t dynamicShared, const void* parameters, Memory& memory,
            const LaunchOptions& options, Counters& counters, std::vector<Finding>& findings);

/// "out of bounds: kernel k, PTX line 12 (ld.global.f32 ...), block (0,0,0), thread (3,0,0), address 0x...: ..."
std::string describe(const Finding& finding);

}  // namespace softcuda
