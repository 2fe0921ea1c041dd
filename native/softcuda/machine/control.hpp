// What the flags of a barrier instruction mean. Its operands: result, barrier, number of threads, predicate.
#pragma once
#include <cstdint>

namespace softcuda {

enum class BarrierKind : std::uint16_t { Sync, Arrive, Count, All, Any };
constexpr std::uint16_t BarrierKindMask = 7, NegatedInput = 8, HasCount = 16;
constexpr std::uint32_t MostBarriers = 16;

}  // namespace softcuda
