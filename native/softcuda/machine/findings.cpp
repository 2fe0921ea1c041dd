#include <algorithm>
#include <cstdio>

#include "warp.hpp"

namespace softcuda {

bool BlockState::known(FindingKind kind, int line) const {
    return std::any_of(findings.begin(), findings.end(), [&](const RankedFinding& other) { return other.finding.kind == kind && other.finding.line == line; });
}

void BlockState::report(FindingKind kind, const Warp& warp, const Instr& instr, int lane, std::uint64_t address, std::string message) {
    switch (kind) {
        case FindingKind::OutOfBounds: outcome = Outcome::IllegalAddress; stop = true; break;
        case FindingKind::Misaligned: outcome = Outcome::MisalignedAddress; stop = true; break;
        case FindingKind::DivergentBarrier: outcome = Outcome::IllegalInstruction; stop = true; break;
        case FindingKind::Trap: outcome = Outcome::Trap; stop = true; break;
        default: break;
    }
    if (known(kind, instr.line)) return;
    std::uint32_t thread = warp.index * Lanes + static_cast<std::uint32_t>(lane);
    Dim3 size = launch->block;
    Finding finding{kind, kernel->info.name, instr.line, kernel->module->line(instr.line), ctaid,
                    {thread % size.x, thread / size.x % size.y, thread / size.x / size.y}, address, std::move(message)};
    findings.push_back({rank, std::move(finding)});
}

std::string describe(const Finding& finding) {
    constexpr const char* Names[] = {"out of bounds", "misaligned", "uninitialised read", "shared-memory race", "divergent barrier", "uninitialised shared memory",
                                     "invalid instruction", "trap", "leak", "host access", "global-memory race", "stale read", "asynchronous copy", "lane mask"};
    std::string text = Names[static_cast<std::size_t>(finding.kind)];
    if (finding.line > 0) {
        char place[200];
        std::snprintf(place, sizeof place, "), block (%u,%u,%u), thread (%u,%u,%u), address 0x%llx", finding.block[0], finding.block[1], finding.block[2],
                      finding.thread[0], finding.thread[1], finding.thread[2], static_cast<unsigned long long>(finding.address));
        text += ": kernel " + finding.kernel + ", PTX line " + std::to_string(finding.line) + " (" + finding.instruction + place;
    } else if (!finding.kernel.empty()) {
        text += ": " + finding.kernel;
        if (finding.address) {
            char place[40];
            std::snprintf(place, sizeof place, ", address 0x%llx", static_cast<unsigned long long>(finding.address));
            text += place;
        }
    }
    return text + ": " + finding.message;
}

}  // namespace softcuda
