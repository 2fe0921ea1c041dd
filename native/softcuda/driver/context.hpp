#pragma once
#include "state.hpp"

namespace softcuda::driver {

/// Gives back everything that lives in a context.
void tearDown(Lock& lock, Context& context);

/// Page-locked memory of cuMemHostAlloc, given back to the host.
void releasePinned(std::uint64_t address);

/// A finding for what is still alive: in one context, or anywhere (null).
void reportLeaks(const Context* context, const char* when);

}  // namespace softcuda::driver
