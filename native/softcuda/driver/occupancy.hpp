#pragma once
#include "state.hpp"

namespace softcuda::driver {

/// Registers that a thread of the function takes: the estimate, no more than the ISA has or .maxntid leaves.
std::uint64_t registersPerThread(const Function& function);

/// The most threads of a block that registers allow.
std::uint64_t registerLimitedThreads(const Function& function);

}  // namespace softcuda::driver
