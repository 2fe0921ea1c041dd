// Device memory by cuMemAlloc, page-locked host memory, and what a pointer is.
#include <cstdlib>

#include "capture.hpp"
#include "configuration.hpp"
#include "context.hpp"
#include "counters.hpp"
#include "entry.hpp"
#include "pools.hpp"
#include "schedule.hpp"

namespace softcuda::driver {

namespace {

constexpr std::size_t HostPage = 4096;
constexpr unsigned HostAllocFlags = 7, HostRegisterFlags = 15;

bool overlapsPinned(std::uint64_t begin, std::uint64_t bytes) {
    const auto& pinned = driver().pinned;
    auto next = pinned.lower_bound(begin);
    if (next != pinned.end() && next->first < begin + bytes) return true;
    if (next == pinned.begin()) return false;
    --next;
    return next->first + next->second.bytes > begin;
}

CUresult allocatePinned(Call& call, void** address, std::size_t bytes, unsigned flags) {
    if (!address || bytes == 0 || (flags & ~HostAllocFlags)) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = checkUnsafeCall()) return result;
    if (bytes > SIZE_MAX - HostPage) return CUDA_ERROR_OUT_OF_MEMORY;
    void* memory = std::aligned_alloc(HostPage, (bytes + HostPage - 1) / HostPage * HostPage);
    if (!memory) return CUDA_ERROR_OUT_OF_MEMORY;
    driver().pinned.emplace(reinterpret_cast<std::uint64_t>(memory), PinnedRange{call.context.get(), bytes, false, flags});
    *address = memory;
    return CUDA_SUCCESS;
}

const std::pair<const std::uint64_t, Block>* blockAt(std::uint64_t address) {
    const auto& blocks = driver().blocks;
    auto block = blocks.upper_bound(address);
    if (block == blocks.begin()) return nullptr;
    --block;
    return address - block->first < block->second.bytes ? &*block : nullptr;
}

}  // namespace

void releasePinned(std::uint64_t address) {
    auto& pinned = driver().pinned;
    auto range = pinned.find(address);
    if (!range->second.registered) std::free(reinterpret_cast<void*>(address));
    pinned.erase(range);
}

}  // namespace softcuda::driver

using namespace softcuda::driver;

SOFTCUDA_API CUresult cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
    SOFTCUDA_CALL(cuMemGetInfo_v2);
    if (!free || !total) return CUDA_ERROR_INVALID_VALUE;
    std::uint64_t used = driver().deviceMemory().used() + reservedUnused(), all = configuration().memory;
    *total = all;
    *free = used < all ? all - used : 0;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuMemAlloc_v2(CUdeviceptr* address, std::size_t bytes) {
    SOFTCUDA_CALL(cuMemAlloc_v2);
    if (!address || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = checkUnsafeCall()) return result;
    return allocateBlock(call.lock, *call.context, bytes, nullptr, *address);
}

SOFTCUDA_API CUresult cuMemFree_v2(CUdeviceptr address) {
    SOFTCUDA_CALL(cuMemFree_v2);
    if (address == 0) return CUDA_SUCCESS;
    if (CUresult result = checkUnsafeCall()) return result;
    auto block = driver().blocks.find(address);
    if (block == driver().blocks.end() || block->second.freeing) return CUDA_ERROR_INVALID_VALUE;
    // Freeing waits for all work: none can use the memory afterwards by mistake of timing.
    if (CUresult result = drainContext(call.lock, *call.context)) return result;
    if (!driver().blocks.contains(address)) return CUDA_ERROR_INVALID_VALUE;
    releaseBlock(address);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, std::size_t* bytes, CUdeviceptr address) {
    SOFTCUDA_CALL(cuMemGetAddressRange_v2);
    const auto* block = blockAt(address);
    if (!block) return CUDA_ERROR_NOT_FOUND;
    if (base) *base = block->first;
    if (bytes) *bytes = block->second.bytes;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuMemHostAlloc(void** address, std::size_t bytes, unsigned flags) {
    SOFTCUDA_CALL(cuMemHostAlloc);
    return allocatePinned(call, address, bytes, flags);
}

SOFTCUDA_API CUresult cuMemAllocHost_v2(void** address, std::size_t bytes) {
    SOFTCUDA_CALL(cuMemAllocHost_v2);
    return allocatePinned(call, address, bytes, 0);
}

SOFTCUDA_API CUresult cuMemFreeHost(void* address) {
    SOFTCUDA_CALL(cuMemFreeHost);
    auto find = [&] { return driver().pinned.find(reinterpret_cast<std::uint64_t>(address)); };
    if (find() == driver().pinned.end() || find()->second.registered) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = checkUnsafeCall()) return result;
    if (CUresult result = drainContext(call.lock, *call.context)) return result;
    if (find() == driver().pinned.end()) return CUDA_ERROR_INVALID_VALUE;
    releasePinned(reinterpret_cast<std::uint64_t>(address));
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuMemHostRegister_v2(void* address, std::size_t bytes, unsigned flags) {
    SOFTCUDA_CALL(cuMemHostRegister_v2);
    if (!address || bytes == 0 || (flags & ~HostRegisterFlags)) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = checkUnsafeCall()) return result;
    auto begin = reinterpret_cast<std::uint64_t>(address);
    if (overlapsPinned(begin, bytes)) return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
    driver().pinned.emplace(begin, PinnedRange{call.context.get(), bytes, true, flags});
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuMemHostUnregister(void* address) {
    SOFTCUDA_CALL(cuMemHostUnregister);
    if (!address) return CUDA_ERROR_INVALID_VALUE;
    auto find = [&] { return driver().pinned.find(reinterpret_cast<std::uint64_t>(address)); };
    if (find() == driver().pinned.end() || !find()->second.registered) return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
    if (CUresult result = checkUnsafeCall()) return result;
    if (CUresult result = drainContext(call.lock, *call.context)) return result;
    if (find() == driver().pinned.end()) return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
    releasePinned(reinterpret_cast<std::uint64_t>(address));
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuMemHostGetFlags(unsigned* flags, void* address) {
    SOFTCUDA_CALL(cuMemHostGetFlags);
    auto range = driver().pinned.find(reinterpret_cast<std::uint64_t>(address));
    if (!flags || range == driver().pinned.end()) return CUDA_ERROR_INVALID_VALUE;
    *flags = range->second.flags;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* device, void* address, unsigned flags) {
    SOFTCUDA_CALL(cuMemHostGetDevicePointer_v2);
    if (!device || flags != 0 || !isPinned(address, 1)) return CUDA_ERROR_INVALID_VALUE;
    return CUDA_ERROR_NOT_SUPPORTED;  // kernels reach device memory only; the device's attributes say so
}

SOFTCUDA_API CUresult cuPointerGetAttribute(void* data, int attribute, CUdeviceptr address) {
    SOFTCUDA_CALL(cuPointerGetAttribute);
    if (!data) return CUDA_ERROR_INVALID_VALUE;
    enum { ContextOf = 1, MemoryType = 2, DevicePointer = 3, HostPointer = 4, IsManaged = 8, Ordinal = 9, RangeStart = 11, RangeSize = 12 };
    const auto* block = blockAt(address);
    bool host = !block && isPinned(reinterpret_cast<const void*>(address), 1);
    if (!block && !host) return CUDA_ERROR_INVALID_VALUE;
    auto range = driver().pinned.upper_bound(address);
    if (host) --range;
    auto put = [&](auto value) {
        *static_cast<decltype(value)*>(data) = value;
        return CUDA_SUCCESS;
    };
    switch (attribute) {
        case ContextOf: return put(toHandle<CUcontext>((block ? block->second.context : range->second.context)->handle));
        case MemoryType: return put(host ? 1u : 2u);
        case DevicePointer: return block ? put(address) : CUDA_ERROR_INVALID_VALUE;
        case HostPointer: return host ? put(reinterpret_cast<void*>(address)) : CUDA_ERROR_INVALID_VALUE;
        case IsManaged: return put(0u);
        case Ordinal: return put(0);
        case RangeStart: return put(CUdeviceptr{block ? block->first : range->first});
        case RangeSize: return put(std::size_t{block ? block->second.bytes : range->second.bytes});
        default: return CUDA_ERROR_NOT_SUPPORTED;
    }
}
