// How many blocks a multiprocessor holds, and the attributes of functions. The rules are those of NVIDIA's occupancy calculator (CUDA
// Best Practices Guide, "Occupancy"; CUDA C++ Programming Guide, table "Technical Specifications per Compute Capability") for
// compute capabilities 8.0 to 9.0: registers are handed out to warps in units of 256, from four register files of equal size;
// shared memory to blocks in units of 128 bytes, after 1 KiB that the system keeps of each block.
#include "occupancy.hpp"

#include <algorithm>

#include "device.hpp"
#include "entry.hpp"
#include "functions.hpp"

namespace softcuda::driver {

namespace {

constexpr std::uint64_t RegisterUnit = 256, RegisterFiles = 4, SharedUnit = 128, MaxRegistersPerThread = 255;

std::uint64_t ceiling(std::uint64_t value, std::uint64_t unit) { return (value + unit - 1) / unit * unit; }

std::uint64_t registerLimitedWarps(const Function& function) {
    std::uint64_t perWarp = ceiling(registersPerThread(function) * WarpSize, RegisterUnit);
    return Registers / RegisterFiles / perWarp * RegisterFiles;
}

CUresult functionOf(Call& call, CUfunction handle, std::shared_ptr<Function>& function) {
    function = findFunction(*call.context, handle);
    return function ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CUresult potentialBlockSize(Call& call, int* minGrid, int* blockSize, CUfunction handle, CUoccupancyB2DSize sharedOfBlock,
                            std::size_t shared, int limit) {
    std::shared_ptr<Function> function;
    if (!minGrid || !blockSize || limit < 0) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = functionOf(call, handle, function)) return result;
    int most = std::min<int>(MaxThreadsPerBlock, static_cast<int>(info(*function->kernel).maxThreads));
    if (limit > 0) most = std::min(most, limit);
    int bestThreads = 0, bestSize = 0, bestBlocks = 0;
    // From large to small: of sizes that fill a multiprocessor equally, the largest.
    for (int whole = static_cast<int>(ceiling(static_cast<std::uint64_t>(most), WarpSize)); whole > 0; whole -= WarpSize) {
        int size = std::min(whole, most);
        std::size_t bytes = sharedOfBlock ? sharedOfBlock(size) : shared;
        int blocks = activeBlocks(*function, static_cast<std::uint64_t>(size), bytes);
        if (blocks * size > bestThreads) {
            bestThreads = blocks * size;
            bestSize = size;
            bestBlocks = blocks;
        }
    }
    *blockSize = bestSize;
    *minGrid = bestBlocks * multiprocessors();
    return CUDA_SUCCESS;
}

enum FunctionAttribute {
    MaxThreads = 0, SharedSize = 1, ConstSize = 2, LocalSize = 3, NumRegisters = 4, PtxVersion = 5, BinaryVersion = 6, CacheModeCa = 7,
    MaxDynamicShared = 8, SharedCarveout = 9, LastAttribute = 15,
};

}  // namespace

std::uint64_t registersPerThread(const Function& function) {
    const KernelInfo& kernel = info(*function.kernel);
    std::uint64_t registers = std::clamp<std::uint64_t>(kernel.registers, 16, MaxRegistersPerThread);
    // Launch bounds make the compiler spill rather than miss them.
    if (kernel.isBounded) {
        std::uint64_t warps = ceiling((kernel.maxThreads + WarpSize - 1) / WarpSize, RegisterFiles);
        registers = std::min(registers, Registers / (std::max<std::uint64_t>(warps, 1) * WarpSize) / 8 * 8);
    }
    return registers;
}

std::uint64_t registerLimitedThreads(const Function& function) { return registerLimitedWarps(function) * WarpSize; }

int activeBlocks(const Function& function, std::uint64_t threads, std::uint64_t dynamicShared) {
    const DeviceModel& device = deviceModel();
    const KernelInfo& kernel = info(*function.kernel);
    if (threads > MaxThreadsPerBlock || threads > kernel.maxThreads || threads == 0) return 0;
    if (dynamicShared > static_cast<std::uint64_t>(function.dynamicShared)) return 0;
    std::uint64_t warps = (threads + WarpSize - 1) / WarpSize;
    std::uint64_t byThreads = static_cast<std::uint64_t>(device.threads) / WarpSize / warps;
    std::uint64_t blocks = std::min(static_cast<std::uint64_t>(device.blocks), byThreads);
    blocks = std::min(blocks, registerLimitedWarps(function) / warps);
    std::uint64_t shared = ceiling(kernel.staticShared + dynamicShared + ReservedSharedMemory, SharedUnit);
    blocks = std::min(blocks, static_cast<std::uint64_t>(device.sharedMemory) / shared);
    return static_cast<int>(blocks);
}

}  // namespace softcuda::driver

using softcuda::KernelInfo;
using namespace softcuda::driver;

SOFTCUDA_API CUresult cuFuncGetAttribute(int* value, int attribute, CUfunction handle) {
    SOFTCUDA_CALL(cuFuncGetAttribute);
    std::shared_ptr<Function> function;
    if (!value || attribute < 0 || attribute > LastAttribute) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = functionOf(call, handle, function)) return result;
    const KernelInfo& kernel = info(*function->kernel);
    switch (attribute) {
        case MaxThreads: *value = static_cast<int>(std::min<std::uint64_t>(kernel.maxThreads, registerLimitedThreads(*function))); break;
        case SharedSize: *value = static_cast<int>(kernel.staticShared); break;
        case LocalSize: *value = static_cast<int>(kernel.local); break;
        case NumRegisters: *value = static_cast<int>(registersPerThread(*function)); break;
        case PtxVersion: *value = target(*function->module->code); break;
        case BinaryVersion: *value = deviceModel().sm; break;
        case MaxDynamicShared: *value = function->dynamicShared; break;
        case SharedCarveout: *value = function->carveout; break;
        default: *value = 0; break;  // constants, caching, and clusters: none
    }
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuFuncSetAttribute(CUfunction handle, int attribute, int value) {
    SOFTCUDA_CALL(cuFuncSetAttribute);
    std::shared_ptr<Function> function;
    if (CUresult result = functionOf(call, handle, function)) return result;
    if (attribute == MaxDynamicShared) {
        int room = deviceModel().sharedMemoryOptin - static_cast<int>(info(*function->kernel).staticShared);
        if (value < 0 || value > room) return CUDA_ERROR_INVALID_VALUE;
        function->dynamicShared = value;
        return CUDA_SUCCESS;
    }
    if (attribute == SharedCarveout && value >= -1 && value <= 100) {
        function->carveout = value;
        return CUDA_SUCCESS;
    }
    return CUDA_ERROR_INVALID_VALUE;
}

SOFTCUDA_API CUresult cuFuncSetCacheConfig(CUfunction handle, int config) {
    SOFTCUDA_CALL(cuFuncSetCacheConfig);
    std::shared_ptr<Function> function;
    if (CUresult result = functionOf(call, handle, function)) return result;
    return config >= 0 && config <= 3 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

SOFTCUDA_API CUresult cuFuncLoad(CUfunction handle) {
    SOFTCUDA_CALL(cuFuncLoad);
    std::shared_ptr<Function> function;
    return functionOf(call, handle, function);
}

SOFTCUDA_API CUresult cuFuncGetModule(CUmodule* module, CUfunction handle) {
    SOFTCUDA_CALL(cuFuncGetModule);
    std::shared_ptr<Function> function;
    if (!module) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = functionOf(call, handle, function)) return result;
    *module = toHandle<CUmodule>(function->module->handle);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction handle, int threads, std::size_t shared) {
    SOFTCUDA_CALL(cuOccupancyMaxActiveBlocksPerMultiprocessor);
    std::shared_ptr<Function> function;
    if (!blocks || threads <= 0) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = functionOf(call, handle, function)) return result;
    *blocks = activeBlocks(*function, static_cast<std::uint64_t>(threads), shared);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, CUfunction handle, int threads, std::size_t shared,
                                                                           unsigned flags) {
    SOFTCUDA_CALL(cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags);
    std::shared_ptr<Function> function;
    if (!blocks || threads <= 0 || flags > 1) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = functionOf(call, handle, function)) return result;
    *blocks = activeBlocks(*function, static_cast<std::uint64_t>(threads), shared);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuOccupancyMaxPotentialBlockSize(int* minGrid, int* blockSize, CUfunction function, CUoccupancyB2DSize sharedOfBlock,
                                                       std::size_t shared, int limit) {
    SOFTCUDA_CALL(cuOccupancyMaxPotentialBlockSize);
    return potentialBlockSize(call, minGrid, blockSize, function, sharedOfBlock, shared, limit);
}

SOFTCUDA_API CUresult cuOccupancyMaxPotentialBlockSizeWithFlags(int* minGrid, int* blockSize, CUfunction function,
                                                                CUoccupancyB2DSize sharedOfBlock, std::size_t shared, int limit,
                                                                unsigned flags) {
    SOFTCUDA_CALL(cuOccupancyMaxPotentialBlockSizeWithFlags);
    if (flags > 1) return CUDA_ERROR_INVALID_VALUE;
    return potentialBlockSize(call, minGrid, blockSize, function, sharedOfBlock, shared, limit);
}

SOFTCUDA_API CUresult cuOccupancyAvailableDynamicSMemPerBlock(std::size_t* bytes, CUfunction handle, int blocks, int threads) {
    SOFTCUDA_CALL(cuOccupancyAvailableDynamicSMemPerBlock);
    std::shared_ptr<Function> function;
    if (!bytes || blocks <= 0 || threads <= 0 || threads > MaxThreadsPerBlock) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = functionOf(call, handle, function)) return result;
    const DeviceModel& device = deviceModel();
    int fixed = static_cast<int>(info(*function->kernel).staticShared);
    int share = device.sharedMemory / blocks / static_cast<int>(SharedUnit) * static_cast<int>(SharedUnit) - ReservedSharedMemory - fixed;
    *bytes = static_cast<std::size_t>(std::clamp(share, 0, device.sharedMemoryOptin - fixed));
    return CUDA_SUCCESS;
}
