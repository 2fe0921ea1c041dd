// What the interpreter executes: kernels as dense arrays of decoded instructions, called functions included.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "machine.hpp"
#include "syntax.hpp"

namespace softcuda {

struct Warp;
struct Instr;
using Mask = std::uint32_t;

/// Executes one instruction for the lanes of the mask, which has at least one.
using Handler = void (*)(Warp&, const Instr&, Mask);

/// What the interpreter's loop itself must know of.
enum class Control : std::uint8_t { None, Branch, BranchIndexed, Call, Return, Exit, Barrier, Trap };

constexpr std::uint32_t NoPc = 0xffffffffu;
constexpr std::uint32_t ConstantFlag = 0x80000000u;  // in an operand: an offset into the constants, not the registers
constexpr std::uint32_t AlwaysTrue = ConstantFlag;   // the first constant: a predicate that holds for all lanes
constexpr std::uint32_t AlwaysFalse = ConstantFlag + 4;
// In the flags of accesses to memory: volatile, relaxed, acquire or release; ld.global.nc; a release or acq_rel, which fences first.
constexpr std::uint16_t StrongAccess = 0x100, ConstantAccess = 0x200, FencingAccess = 0x400;
constexpr std::size_t MostOperands = 14;  // mma: four registers of D, four of A, two of B, four of C

/// Operands are byte offsets of rows: 32 lanes of 4 or 8 bytes, or the 4 bytes of a predicate.
struct Instr {
    Handler run = nullptr;
    std::uint32_t guard = AlwaysTrue;
    Mask guardInversion = 0;
    Control control = Control::None;
    std::uint8_t flops = 0;  // of a lane
    std::uint8_t count = 1;  // elements of a vector access; operands of other lists
    std::uint8_t bytes = 0;  // of one element
    Space space = Space::Generic;
    bool wideAddress = true;  // the address register has 64 bits
    std::uint16_t flags = 0;
    std::uint32_t target = 0;        // of a branch or call: an index of the code
    std::uint32_t reconverge = NoPc;  // where the lanes of a divergent branch meet again
    std::int64_t immediate = 0;       // an address offset, or a pointer to what the handler needs
    std::array<std::uint32_t, MostOperands> o{};
    int line = 0;
};

enum class Special : std::uint8_t {
    TidX, TidY, TidZ, NtidX, NtidY, NtidZ, CtaidX, CtaidY, CtaidZ, NctaidX, NctaidY, NctaidZ, LaneId, WarpId, NwarpId, SmId, NsmId, GridId,
    LanemaskEq, LanemaskLe, LanemaskLt, LanemaskGe, LanemaskGt, DynamicSmemSize, TotalSmemSize, Clock, Clock64, GlobalTimer,
};

struct SpecialRow {
    Special special;
    std::uint32_t offset;
    bool wide;
};

/// How a call passes parameters: a copy within the local memory of each thread.
struct ParameterCopy {
    std::uint32_t from, to, bytes;
};

struct Kernel {
    KernelInfo info;
    Module* module = nullptr;
    std::vector<Instr> code;
    std::vector<std::uint64_t> constants;  // 64-bit so that rows can be aligned
    std::uint32_t registerBytes = 0;
    std::vector<SpecialRow> specials;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> zeroed;  // offset and bytes of what may be read before it is written
    std::vector<std::vector<std::uint32_t>> branchTables;
    std::vector<std::vector<ParameterCopy>> copies;
    std::uint32_t localBytes = 0;          // of a thread, parameters of called functions included
    std::uint32_t dynamicSharedAt = 0;
    std::uint32_t sharedUnit = 4, globalUnit = 4;  // bytes of the narrowest access that may go to shared or global memory
    mutable std::uint64_t blockInstructions = 0;  // of a block in the last launch; 0: there was none
};

class Module {
public:
    Module(std::string_view text, Memory& memory);
    ~Module();
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    /// A line of the text without the blanks around it.
    std::string line(int number) const;
    std::string_view text() const { return text_; }

    struct Global {
        std::uint64_t address, bytes;
        bool constant;
    };
    int version = 0, target = 0;
    std::map<std::string, Global, std::less<>> globals;
    std::vector<std::unique_ptr<Kernel>> kernels;

private:
    std::string text_;
    Memory& memory_;
    std::vector<std::size_t> lines_;
};

/// Places the variables of a module; throws SyntaxError.
void placeGlobals(const ModuleSyntax& syntax, Module& module, Memory& memory);
/// Decodes a function and what it calls; throws SyntaxError. Functions that no kernel calls are decoded to be checked.
std::unique_ptr<Kernel> decodeKernel(const ModuleSyntax& syntax, const FunctionSyntax& function, Module& module);

/// The bases of the windows through which generic addresses reach the other spaces.
constexpr std::uint64_t SharedWindow = 0x7e0000000000ull, LocalWindow = 0x7d0000000000ull, ParamWindow = 0x7c0000000000ull;
constexpr std::uint64_t WindowBytes = 1ull << 32;

}  // namespace softcuda
