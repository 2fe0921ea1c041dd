#include "members.hpp"

#include <cstdio>

namespace softcuda {

namespace {

std::string maskText(Mask mask) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%08x", mask);
    return text;
}

}  // namespace

std::string absence(const Warp& warp, int lane) {
    if (!(warp.live >> lane & 1)) return "which has ended or does not exist";
    return warp.active >> lane & 1 ? "whose guard is false" : "which has branched elsewhere";
}

void checkMembers(Warp& warp, const Instr& instr, Mask mask, const u32* members) {
    if (!warp.block->checks) return;
    auto report = [&](int lane, const std::string& message) { warp.block->report(FindingKind::LaneMask, warp, instr, lane, 0, message); };
    Mask others = mask;
    while (others && members[std::countr_zero(others)] == mask) others &= others - 1;
    if (!others) return;
    for (Mask rest = mask; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        Mask own = members[lane];
        if (!(own >> lane & 1)) return report(lane, "lane " + std::to_string(lane) + " is not in its own member mask " + maskText(own));
        if (Mask missing = own & warp.live & ~mask) {
            int other = std::countr_zero(missing);
            return report(lane, "the member mask " + maskText(own) + " names lane " + std::to_string(other) + ", " + absence(warp, other));
        }
        for (Mask named = own & mask; named; named &= named - 1) {
            int other = std::countr_zero(named);
            if (members[other] != own)
                return report(lane, "the member mask " + maskText(own) + " names lane " + std::to_string(other) + ", whose own is " + maskText(members[other]));
        }
    }
}

}  // namespace softcuda
