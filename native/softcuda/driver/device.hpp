#pragma once
#include <cstdint>

namespace softcuda::driver {

/// A GPU's published properties, in CUDA's units.
struct DeviceModel {
    int sm;
    const char* like;
    int multiprocessors;
    int clock, memoryClock;  // kHz
    int busWidth;            // bits
    int l2;                  // bytes
    // Limits of a multiprocessor, and of a block where cuFuncSetAttribute asks for it.
    int threads, blocks;
    int sharedMemory, sharedMemoryOptin;  // bytes
};

/// The configured device's.
const DeviceModel& deviceModel();
int multiprocessors();

constexpr int MaxThreadsPerBlock = 1024;
constexpr int WarpSize = 32;
constexpr int Registers = 65536;             // of a multiprocessor, and the most of a block
constexpr int SharedMemoryPerBlock = 48 << 10;  // without opting in
constexpr int ReservedSharedMemory = 1 << 10;   // taken by the system from every block, compute capability 8.0 and up

}  // namespace softcuda::driver
