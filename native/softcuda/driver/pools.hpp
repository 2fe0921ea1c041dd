#pragma once
#include "state.hpp"

namespace softcuda::driver {

/// Takes device memory, for a pool or (null) for cuMemAlloc. Where there is none left, runs what waits, since that may free some.
CUresult allocateBlock(Lock& lock, Context& context, std::uint64_t bytes, const std::shared_ptr<Pool>& pool, CUdeviceptr& address);

/// Bytes that pools keep from the device and nobody uses.
std::uint64_t reservedUnused();

}  // namespace softcuda::driver
