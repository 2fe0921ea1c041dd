// Stream-ordered allocation. A freed block leaves device memory at once, so that its use is noticed; that the pool keeps the bytes is
// accounted only.
#include "pools.hpp"

#include <algorithm>

#include "capture.hpp"
#include "configuration.hpp"
#include "counters.hpp"
#include "entry.hpp"
#include "schedule.hpp"

namespace softcuda::driver {

namespace {

constexpr std::uint64_t Granularity = 2 << 20;  // of what a pool takes from the device

std::uint64_t rounded(std::uint64_t bytes) { return (bytes + Granularity - 1) / Granularity * Granularity; }

void shrink(Pool& pool, std::uint64_t keep) { pool.reserved = std::min(pool.reserved, std::max(rounded(pool.used), rounded(keep))); }

template <class Function>
void eachPool(Function function) {
    function(*driver().defaultPool);
    for (auto& entry : driver().pools) function(*entry.second);
}

std::shared_ptr<Pool> findPool(CUmemoryPool handle) {
    auto number = reinterpret_cast<std::uint64_t>(handle);
    if (number == driver().defaultPoolHandle) return driver().defaultPool;
    auto found = driver().pools.find(number);
    return found == driver().pools.end() ? nullptr : found->second;
}

CUmemoryPool handleOf(const std::shared_ptr<Pool>& pool) {
    for (auto& entry : driver().pools)
        if (entry.second == pool) return toHandle<CUmemoryPool>(entry.first);
    return toHandle<CUmemoryPool>(driver().defaultPoolHandle);
}

CUresult checkDevice(CUdevice device) {
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    return device >= 0 && device < configuration().devices ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult allocateOnStream(Call& call, CUdeviceptr* address, std::size_t bytes, std::shared_ptr<Pool> pool, CUstream handle) {
    if (!address || bytes == 0 || !pool) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    if (stream->capture) {
        stream->capture->invalidated = true;
        return CUDA_ERROR_NOT_SUPPORTED;  // memory nodes of graphs are not simulated
    }
    if (CUresult result = checkImplicitCapture(*call.context, *stream)) return result;
    return allocateBlock(call.lock, *call.context, bytes, pool, *address);
}

}  // namespace

std::uint64_t reservedUnused() {
    std::uint64_t bytes = 0;
    eachPool([&](Pool& pool) { bytes += pool.reserved > pool.used ? pool.reserved - pool.used : 0; });
    return bytes;
}

void trimPools() {
    eachPool([](Pool& pool) { shrink(pool, std::min(pool.threshold, pool.reserved)); });
}

CUresult allocateBlock(Lock& lock, Context& context, std::uint64_t bytes, const std::shared_ptr<Pool>& pool, CUdeviceptr& address) {
    Driver& all = driver();
    if (pool && pool->maximum && pool->used + bytes > pool->maximum) return CUDA_ERROR_OUT_OF_MEMORY;
    std::uint64_t taken = bytes <= configuration().memory ? all.deviceMemory().allocate(bytes) : 0;
    if (taken == 0 && context.pending > 0) {
        if (CUresult result = drainContext(lock, context)) return result;
        taken = all.deviceMemory().allocate(bytes);
    }
    if (taken == 0) return CUDA_ERROR_OUT_OF_MEMORY;
    all.blocks.emplace(taken, Block{&context, bytes, pool, false});
    countAllocation(bytes);
    if (pool) {
        pool->used += bytes;
        pool->usedHigh = std::max(pool->usedHigh, pool->used);
        pool->reserved = std::max(pool->reserved, rounded(pool->used));
        pool->reservedHigh = std::max(pool->reservedHigh, pool->reserved);
    }
    // The device has no room for what pools keep beyond this: they give it back.
    if (all.deviceMemory().used() + reservedUnused() > configuration().memory) eachPool([](Pool& p) { shrink(p, 0); });
    address = taken;
    return CUDA_SUCCESS;
}

void releaseBlock(std::uint64_t address) {
    Driver& all = driver();
    auto block = all.blocks.find(address);
    if (block == all.blocks.end()) return;
    if (Pool* pool = block->second.pool.get()) pool->used -= block->second.bytes;
    countFree(block->second.bytes);
    all.blocks.erase(block);
    all.deviceMemory().release(address);
}

}  // namespace softcuda::driver

using namespace softcuda::driver;

SOFTCUDA_API CUresult cuMemAllocAsync(CUdeviceptr* address, std::size_t bytes, CUstream stream) {
    SOFTCUDA_CALL(cuMemAllocAsync);
    return allocateOnStream(call, address, bytes, driver().currentPool, stream);
}

SOFTCUDA_API CUresult cuMemAllocFromPoolAsync(CUdeviceptr* address, std::size_t bytes, CUmemoryPool pool, CUstream stream) {
    SOFTCUDA_CALL(cuMemAllocFromPoolAsync);
    return allocateOnStream(call, address, bytes, findPool(pool), stream);
}

SOFTCUDA_API CUresult cuMemFreeAsync(CUdeviceptr address, CUstream handle) {
    SOFTCUDA_CALL(cuMemFreeAsync);
    if (address == 0) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    auto block = driver().blocks.find(address);
    if (block == driver().blocks.end() || !block->second.pool || block->second.freeing) return CUDA_ERROR_INVALID_VALUE;
    if (stream->capture) {
        stream->capture->invalidated = true;
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    if (CUresult result = checkImplicitCapture(*call.context, *stream)) return result;
    block->second.freeing = true;
    return enqueue(call.lock, *call.context, stream, FreeBlock{address});
}

SOFTCUDA_API CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice device) {
    SOFTCUDA_ENTER(cuDeviceGetDefaultMemPool);
    Lock lock(driver().mutex);
    if (CUresult result = checkDevice(device)) return result;
    if (!pool) return CUDA_ERROR_INVALID_VALUE;
    *pool = toHandle<CUmemoryPool>(driver().defaultPoolHandle);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice device) {
    SOFTCUDA_ENTER(cuDeviceGetMemPool);
    Lock lock(driver().mutex);
    if (CUresult result = checkDevice(device)) return result;
    if (!pool) return CUDA_ERROR_INVALID_VALUE;
    *pool = handleOf(driver().currentPool);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDeviceSetMemPool(CUdevice device, CUmemoryPool handle) {
    SOFTCUDA_ENTER(cuDeviceSetMemPool);
    Lock lock(driver().mutex);
    if (CUresult result = checkDevice(device)) return result;
    std::shared_ptr<Pool> pool = findPool(handle);
    if (!pool) return CUDA_ERROR_INVALID_VALUE;
    driver().currentPool = pool;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuMemPoolCreate(CUmemoryPool* handle, const CUmemPoolProps* properties) {
    SOFTCUDA_ENTER(cuMemPoolCreate);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    if (!handle || !properties) return CUDA_ERROR_INVALID_VALUE;
    constexpr int Pinned = 1, OnDevice = 1;
    if (properties->allocType != Pinned || properties->location.type != OnDevice) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = checkDevice(properties->location.id)) return result;
    if (properties->handleTypes != 0) return CUDA_ERROR_NOT_SUPPORTED;
    auto pool = std::make_shared<Pool>();
    pool->maximum = properties->maxSize;
    std::uint64_t created = newHandle();
    driver().pools.emplace(created, std::move(pool));
    *handle = toHandle<CUmemoryPool>(created);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuMemPoolDestroy(CUmemoryPool handle) {
    SOFTCUDA_ENTER(cuMemPoolDestroy);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    std::shared_ptr<Pool> pool = findPool(handle);
    if (!pool || pool == driver().defaultPool) return CUDA_ERROR_INVALID_VALUE;
    if (driver().currentPool == pool) driver().currentPool = driver().defaultPool;
    driver().pools.erase(reinterpret_cast<std::uint64_t>(handle));  // blocks that are still used keep it alive
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuMemPoolTrimTo(CUmemoryPool handle, std::size_t keep) {
    SOFTCUDA_ENTER(cuMemPoolTrimTo);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    std::shared_ptr<Pool> pool = findPool(handle);
    if (!pool) return CUDA_ERROR_INVALID_VALUE;
    shrink(*pool, keep);
    return CUDA_SUCCESS;
}

namespace {

enum PoolAttribute { ReuseFirst = 1, ReuseLast = 3, Threshold = 4, ReservedCurrent, ReservedHigh, UsedCurrent, UsedHigh };

}  // namespace

SOFTCUDA_API CUresult cuMemPoolSetAttribute(CUmemoryPool handle, int attribute, void* value) {
    SOFTCUDA_ENTER(cuMemPoolSetAttribute);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    std::shared_ptr<Pool> pool = findPool(handle);
    if (!pool || !value) return CUDA_ERROR_INVALID_VALUE;
    if (attribute >= ReuseFirst && attribute <= ReuseLast) {
        pool->reuse[static_cast<std::size_t>(attribute - ReuseFirst)] = *static_cast<int*>(value);
        return CUDA_SUCCESS;
    }
    std::uint64_t number = *static_cast<std::uint64_t*>(value);
    switch (attribute) {
        case Threshold: pool->threshold = number; return CUDA_SUCCESS;
        case ReservedHigh:
        case UsedHigh:
            if (number != 0) return CUDA_ERROR_INVALID_VALUE;  // the marks can be reset only
            (attribute == ReservedHigh ? pool->reservedHigh : pool->usedHigh) = attribute == ReservedHigh ? pool->reserved : pool->used;
            return CUDA_SUCCESS;
        default: return CUDA_ERROR_INVALID_VALUE;
    }
}

SOFTCUDA_API CUresult cuMemPoolGetAttribute(CUmemoryPool handle, int attribute, void* value) {
    SOFTCUDA_ENTER(cuMemPoolGetAttribute);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    std::shared_ptr<Pool> pool = findPool(handle);
    if (!pool || !value) return CUDA_ERROR_INVALID_VALUE;
    if (attribute >= ReuseFirst && attribute <= ReuseLast) {
        *static_cast<int*>(value) = pool->reuse[static_cast<std::size_t>(attribute - ReuseFirst)];
        return CUDA_SUCCESS;
    }
    auto* number = static_cast<std::uint64_t*>(value);
    switch (attribute) {
        case Threshold: *number = pool->threshold; return CUDA_SUCCESS;
        case ReservedCurrent: *number = pool->reserved; return CUDA_SUCCESS;
        case ReservedHigh: *number = pool->reservedHigh; return CUDA_SUCCESS;
        case UsedCurrent: *number = pool->used; return CUDA_SUCCESS;
        case UsedHigh: *number = pool->usedHigh; return CUDA_SUCCESS;
        default: return CUDA_ERROR_INVALID_VALUE;
    }
}

SOFTCUDA_API CUresult cuMemPoolSetAccess(CUmemoryPool handle, const CUmemAccessDesc* map, std::size_t count) {
    SOFTCUDA_ENTER(cuMemPoolSetAccess);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    if (!findPool(handle) || (!map && count)) return CUDA_ERROR_INVALID_VALUE;
    constexpr int OnDevice = 1, ReadWrite = 3;
    for (std::size_t i = 0; i < count; ++i) {
        if (map[i].location.type != OnDevice) return CUDA_ERROR_INVALID_VALUE;
        if (CUresult result = checkDevice(map[i].location.id)) return result;
        if (map[i].flags != ReadWrite) return CUDA_ERROR_INVALID_VALUE;  // its own device's access cannot be taken away
    }
    return CUDA_SUCCESS;
}
