// What follows from how the addresses of a request lie to each other: remembered for each instruction, since loops repeat it.
#pragma once
#include <array>

#include "program.hpp"

namespace softcuda {

/// Of a request whose addresses are neither consecutive nor all the same.
struct Pattern {
    const Instr* instr = nullptr;
    std::uint64_t launch = 0;
    Mask lanes = 0;
    std::uint32_t phase = 0;  // the first address within a sector, or a bank's word
    alignas(64) std::array<std::int64_t, 32> relative{};  // to the first lane's address
    std::array<std::uint8_t, 32> distinct{};              // lanes with an address that no lane before them has
    Mask repeated = 0;  // of the distinct lanes: those whose address others have too
    std::uint8_t distinctCount = 0;
    std::uint8_t sectorCount = 0;
    std::uint8_t conflicts = 0;
    std::array<std::int64_t, 32> sectors{};  // distinct 32-byte sectors, relative to that of the first lane
};

class Patterns {
public:
    Patterns() : entries_(Entries) {}
    /// Forgets everything: instructions of another launch may lie at the same place.
    void clear() { ++launch_; }
    const Pattern& ofGlobal(const Instr& instr, Mask lanes, const std::uint64_t* addresses) { return find(instr, lanes, addresses, 31, 0); }
    const Pattern& ofShared(const Instr& instr, Mask lanes, const std::uint64_t* addresses, std::uint32_t size) { return find(instr, lanes, addresses, 3, size); }

private:
    static constexpr std::size_t Entries = 256;
    const Pattern& find(const Instr& instr, Mask lanes, const std::uint64_t* addresses, std::uint32_t phaseMask, std::uint32_t sharedSize);
    std::vector<Pattern> entries_;
    std::uint64_t launch_ = 1;
};

}  // namespace softcuda
