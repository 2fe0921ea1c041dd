#pragma once
#include "state.hpp"

namespace softcuda::driver {

/// The function of a handle, in the given context; null where there is none.
std::shared_ptr<Function> findFunction(const Context& context, CUfunction handle);

/// Blocks of so many threads and so much dynamic shared memory that one multiprocessor runs at once.
int activeBlocks(const Function& function, std::uint64_t threads, std::uint64_t dynamicShared);

}  // namespace softcuda::driver
