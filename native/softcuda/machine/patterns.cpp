#include "patterns.hpp"

#include <algorithm>
#include <bit>

namespace softcuda {

namespace {

void findDistinct(Pattern& pattern) {
    int count = 0;
    pattern.repeated = 0;
    for (Mask rest = pattern.lanes; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        Mask same = 0;
        for (int other = 0; other < 32; ++other) same |= static_cast<Mask>(pattern.relative[static_cast<std::size_t>(other)] == pattern.relative[static_cast<std::size_t>(lane)]) << other;
        same &= pattern.lanes;
        if (same & (same - 1)) pattern.repeated |= 1u << lane;
        if (std::countr_zero(same) == lane) pattern.distinct[static_cast<std::size_t>(count++)] = static_cast<std::uint8_t>(lane);
    }
    pattern.distinctCount = static_cast<std::uint8_t>(count);
}

/// Accesses are aligned and have at most 16 bytes, so each lies in one sector.
void findSectors(Pattern& pattern) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < pattern.distinctCount; ++i) {
        std::int64_t sector = (pattern.relative[pattern.distinct[i]] + static_cast<std::int64_t>(pattern.phase)) >> 5;
        if (count == 0 || pattern.sectors[count - 1] != sector) pattern.sectors[count++] = sector;
    }
    auto end = pattern.sectors.begin() + static_cast<std::ptrdiff_t>(count);
    std::sort(pattern.sectors.begin(), end);
    pattern.sectorCount = static_cast<std::uint8_t>(std::unique(pattern.sectors.begin(), end) - pattern.sectors.begin());
}

/// Passes beyond the least: 32 banks of 4 bytes; 8-byte accesses go by halves of the warp, 16-byte ones by quarters.
void findConflicts(Pattern& pattern, std::uint32_t size) {
    int group = size <= 4 ? 32 : size == 8 ? 16 : 8;
    int extra = 0;
    for (int begin = 0; begin < 32; begin += group) {
        // Distinct words of the group, then the fullest bank.
        std::array<std::int64_t, 32> words;
        std::size_t count = 0;
        for (int lane = begin; lane < begin + group; ++lane) {
            if (!(pattern.lanes >> lane & 1)) continue;
            std::int64_t start = pattern.relative[static_cast<std::size_t>(lane)] + static_cast<std::int64_t>(pattern.phase);
            for (std::int64_t word = start >> 2; word <= (start + size - 1) >> 2; ++word) words[count++] = word;
        }
        auto end = words.begin() + static_cast<std::ptrdiff_t>(count);
        std::sort(words.begin(), end);
        end = std::unique(words.begin(), end);
        std::array<std::uint8_t, 32> load{};
        std::uint8_t most = 1;
        for (auto word = words.begin(); word != end; ++word) most = std::max(most, ++load[static_cast<std::size_t>(*word & 31)]);
        extra += most - 1;
    }
    pattern.conflicts = static_cast<std::uint8_t>(extra);
}

}  // namespace

const Pattern& Patterns::find(const Instr& instr, Mask lanes, const std::uint64_t* addresses, std::uint32_t phaseMask, std::uint32_t sharedSize) {
    Pattern& entry = entries_[reinterpret_cast<std::uintptr_t>(&instr) / sizeof(Instr) % Entries];
    std::uint64_t base = addresses[std::countr_zero(lanes)];
    auto phase = static_cast<std::uint32_t>(base & phaseMask);
    if (entry.instr == &instr && entry.launch == launch_ && entry.lanes == lanes && entry.phase == phase) {
        std::uint64_t differ = 0;
        if (lanes == ~0u) {
            for (std::size_t lane = 0; lane < 32; ++lane) differ |= (addresses[lane] - base) ^ static_cast<std::uint64_t>(entry.relative[lane]);
        } else {
            for (std::size_t lane = 0; lane < 32; ++lane) differ |= lanes >> lane & 1 ? (addresses[lane] - base) ^ static_cast<std::uint64_t>(entry.relative[lane]) : 0;
        }
        if (differ == 0) return entry;
    }
    entry.instr = &instr;
    entry.launch = launch_;
    entry.lanes = lanes;
    entry.phase = phase;
    for (std::size_t lane = 0; lane < 32; ++lane) entry.relative[lane] = static_cast<std::int64_t>(addresses[lane] - base);
    findDistinct(entry);
    if (sharedSize) findConflicts(entry, sharedSize);
    else findSectors(entry);
    return entry;
}

}  // namespace softcuda
