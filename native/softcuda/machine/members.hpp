// Member masks: which lanes an instruction of the whole warp says it runs with, held against those it does run with.
#pragma once
#include "lanes.hpp"

namespace softcuda {

/// Each executing lane names itself, and of the others only lanes that execute the instruction with it and give the same mask, or have ended.
/// That is what shfl, vote, match, redux, elect and bar.warp.sync ask for; anything else is undefined, and reported once.
void checkMembers(Warp& warp, const Instr& instr, Mask mask, const u32* members);

/// Why a lane of the warp has no part in what the lanes of the mask execute now.
std::string absence(const Warp& warp, int lane);

}  // namespace softcuda
