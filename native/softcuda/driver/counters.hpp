// Counts of kernels, calls, copies and live objects, and their JSON.
#pragma once
#include <cstdint>
#include <string>

#include "machine.hpp"

namespace softcuda::driver {

enum class Transfer { HostToDevice, DeviceToHost, DeviceToDevice, Memset };

void countKernel(const std::string& name, bool library, const Counters& launch);
void countTransfer(Transfer kind, std::uint64_t bytes);
void countSynchronisation();
void countGraphLaunch();
void countAllocation(std::uint64_t bytes);
void countFree(std::uint64_t bytes);

}  // namespace softcuda::driver
