// Injected failures, and the findings of the checks.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "machine.hpp"

namespace softcuda::driver {

/// Replaces the schedule by "function:n:code[,...]"; false, and no change, where that is malformed. Empty clears it.
bool scheduleFailures(std::string_view schedule);

/// Records findings and prints those that are new as one block. Equal ones (kind, kernel, line, text) are kept once.
void report(const std::vector<Finding>& findings);
void reportHostAccess(const std::string& who, std::uint64_t address, const std::string& message);

}  // namespace softcuda::driver
