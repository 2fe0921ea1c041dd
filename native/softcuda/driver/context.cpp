// cuInit, the primary context, contexts of the program's own, and which is current on a thread.
#include "context.hpp"

#include <algorithm>

#include "capture.hpp"
#include "configuration.hpp"
#include "counters.hpp"
#include "entry.hpp"
#include "schedule.hpp"

namespace softcuda::driver {

namespace {

thread_local std::vector<std::uint64_t> currentStack;

void activate(Context& context) {
    context.active = true;
    context.error = CUDA_SUCCESS;
    context.legacy = std::make_shared<Stream>(&context, 0u);
    context.legacy->legacy = true;
    context.streams = {context.legacy};
}

std::shared_ptr<Context> createContext(unsigned flags) {
    auto context = std::make_shared<Context>();
    context->handle = newHandle();
    context->flags = flags;
    driver().contexts.emplace(context->handle, context);
    return context;
}

std::shared_ptr<Context> findContext(const void* handle) {
    auto found = driver().contexts.find(reinterpret_cast<std::uint64_t>(handle));
    return found == driver().contexts.end() ? nullptr : found->second;
}

Context& primaryContext() {
    Driver& all = driver();
    if (!all.primary) {
        all.primary = createContext(0);
        all.primary->primary = true;
    }
    return *all.primary;
}

/// For functions that need the driver but no context.
CUresult checkDevice(CUdevice device) {
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    return device >= 0 && device < configuration().devices ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

bool validFlags(unsigned flags) {
    // A scheduling policy (spin 1, yield 2, blocking 4); above: mapped host memory, kept local memory, core dumps, synchronous copies.
    unsigned schedule = flags & 7;
    return flags < 256 && (schedule == 0 || schedule == 1 || schedule == 2 || schedule == 4);
}

}  // namespace

CUresult currentContext(std::shared_ptr<Context>& context) {
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    if (currentStack.empty() || currentStack.back() == 0) return CUDA_ERROR_INVALID_CONTEXT;
    auto found = driver().contexts.find(currentStack.back());
    if (found == driver().contexts.end() || !found->second->active) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
    context = found->second;
    return context->error != CUDA_SUCCESS ? context->error : driver().lost;
}

void tearDown(Lock& lock, Context& context) {
    Driver& all = driver();
    if (context.error == CUDA_SUCCESS) {
        drainContext(lock, context);
        reportLeaks(&context, "when its context was destroyed");
    }
    dropCaptures(&context);
    for (const auto& stream : context.streams) {
        stream->pending.clear();
        stream->destroyed = true;
    }
    context.pending = 0;
    context.streams.clear();
    context.perThread.clear();
    context.legacy.reset();
    all.streams.removeOf(&context);
    all.events.removeOf(&context);
    all.graphs.removeOf(&context);
    all.graphExecs.removeOf(&context);
    std::erase_if(all.functions, [&](const auto& entry) { return entry.second->module->context == &context; });
    all.modules.removeOf(&context);
    for (auto block = all.blocks.begin(); block != all.blocks.end();) {
        std::uint64_t address = block->first;
        bool mine = block->second.context == &context;
        ++block;
        if (mine) releaseBlock(address);
    }
    for (auto range = all.pinned.begin(); range != all.pinned.end();) {
        std::uint64_t address = range->first;
        bool mine = range->second.context == &context;
        ++range;
        if (mine) releasePinned(address);
    }
    trimPools();
    context.active = false;
    context.error = CUDA_SUCCESS;
    all.changed.notify_all();
}

}  // namespace softcuda::driver

using namespace softcuda::driver;

SOFTCUDA_API CUresult cuInit(unsigned flags) {
    SOFTCUDA_ENTER(cuInit);
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    if (configuration().devices == 0) return CUDA_ERROR_NO_DEVICE;
    Lock lock(driver().mutex);
    if (!driver().initialised) driver().reseed();
    driver().initialised = true;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDriverGetVersion(int* version) {
    SOFTCUDA_ENTER(cuDriverGetVersion);
    if (!version) return CUDA_ERROR_INVALID_VALUE;
    *version = configuration().driverVersion;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
    SOFTCUDA_ENTER(cuDevicePrimaryCtxRetain);
    Lock lock(driver().mutex);
    if (CUresult result = checkDevice(device)) return result;
    if (!context) return CUDA_ERROR_INVALID_VALUE;
    if (driver().lost != CUDA_SUCCESS) return driver().lost;
    Context& primary = primaryContext();
    if (!primary.active) activate(primary);
    ++primary.retained;
    *context = toHandle<CUcontext>(primary.handle);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    SOFTCUDA_ENTER(cuDevicePrimaryCtxRelease_v2);
    Lock lock(driver().mutex);
    if (CUresult result = checkDevice(device)) return result;
    Context& primary = primaryContext();
    if (primary.retained == 0) return CUDA_ERROR_INVALID_CONTEXT;
    if (--primary.retained == 0) tearDown(lock, primary);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
    SOFTCUDA_ENTER(cuDevicePrimaryCtxReset_v2);
    Lock lock(driver().mutex);
    if (CUresult result = checkDevice(device)) return result;
    Context& primary = primaryContext();
    if (primary.active) tearDown(lock, primary);
    // The reset releases nothing: a holder of the context may go on with a new one under the same handle.
    if (primary.retained > 0) activate(primary);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
    SOFTCUDA_ENTER(cuDevicePrimaryCtxSetFlags_v2);
    Lock lock(driver().mutex);
    if (CUresult result = checkDevice(device)) return result;
    if (!validFlags(flags)) return CUDA_ERROR_INVALID_VALUE;
    primaryContext().flags = flags;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
    SOFTCUDA_ENTER(cuDevicePrimaryCtxGetState);
    Lock lock(driver().mutex);
    if (CUresult result = checkDevice(device)) return result;
    if (!flags || !active) return CUDA_ERROR_INVALID_VALUE;
    *flags = primaryContext().flags;
    *active = primaryContext().active;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuCtxCreate_v2(CUcontext* context, unsigned flags, CUdevice device) {
    SOFTCUDA_ENTER(cuCtxCreate_v2);
    Lock lock(driver().mutex);
    if (CUresult result = checkDevice(device)) return result;
    if (!context || !validFlags(flags)) return CUDA_ERROR_INVALID_VALUE;
    if (driver().lost != CUDA_SUCCESS) return driver().lost;
    std::shared_ptr<Context> created = createContext(flags);
    activate(*created);
    currentStack.push_back(created->handle);
    *context = toHandle<CUcontext>(created->handle);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuCtxDestroy_v2(CUcontext handle) {
    SOFTCUDA_ENTER(cuCtxDestroy_v2);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    if (!handle) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Context> context = findContext(handle);
    if (!context || context->primary) return CUDA_ERROR_INVALID_CONTEXT;
    tearDown(lock, *context);
    driver().contexts.erase(context->handle);
    if (!currentStack.empty() && currentStack.back() == context->handle) currentStack.pop_back();
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuCtxPushCurrent_v2(CUcontext handle) {
    SOFTCUDA_ENTER(cuCtxPushCurrent_v2);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    if (!findContext(handle)) return CUDA_ERROR_INVALID_CONTEXT;
    currentStack.push_back(reinterpret_cast<std::uint64_t>(handle));
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuCtxPopCurrent_v2(CUcontext* handle) {
    SOFTCUDA_ENTER(cuCtxPopCurrent_v2);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    if (currentStack.empty()) return CUDA_ERROR_INVALID_CONTEXT;
    if (handle) *handle = toHandle<CUcontext>(currentStack.back());
    currentStack.pop_back();
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuCtxSetCurrent(CUcontext handle) {
    SOFTCUDA_ENTER(cuCtxSetCurrent);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    if (handle && !findContext(handle)) return CUDA_ERROR_INVALID_CONTEXT;
    if (!currentStack.empty()) currentStack.pop_back();
    if (handle) currentStack.push_back(reinterpret_cast<std::uint64_t>(handle));
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuCtxGetCurrent(CUcontext* handle) {
    SOFTCUDA_ENTER(cuCtxGetCurrent);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    if (!handle) return CUDA_ERROR_INVALID_VALUE;
    *handle = toHandle<CUcontext>(currentStack.empty() ? 0 : currentStack.back());
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuCtxGetDevice(CUdevice* device) {
    SOFTCUDA_CALL(cuCtxGetDevice);
    if (!device) return CUDA_ERROR_INVALID_VALUE;
    *device = 0;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuCtxGetFlags(unsigned* flags) {
    SOFTCUDA_CALL(cuCtxGetFlags);
    if (!flags) return CUDA_ERROR_INVALID_VALUE;
    *flags = call.context->flags;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuCtxGetApiVersion(CUcontext handle, unsigned* version) {
    SOFTCUDA_CALL(cuCtxGetApiVersion);
    if (!version) return CUDA_ERROR_INVALID_VALUE;
    if (handle && !findContext(handle)) return CUDA_ERROR_INVALID_CONTEXT;
    *version = 3020;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuCtxSynchronize() {
    SOFTCUDA_CALL(cuCtxSynchronize);
    countSynchronisation();
    for (const auto& stream : call.context->streams)
        if (stream->capture) return checkNotCapturing(*stream);
    if (CUresult result = checkUnsafeCall()) return result;
    return drainContext(call.lock, *call.context);
}

SOFTCUDA_API CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    SOFTCUDA_CALL(cuCtxGetStreamPriorityRange);
    if (least) *least = 0;
    if (greatest) *greatest = -5;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned flags) {
    SOFTCUDA_CALL(cuCtxEnablePeerAccess);
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Context> other = findContext(peer);
    if (!other || other == call.context) return CUDA_ERROR_INVALID_CONTEXT;
    return CUDA_ERROR_INVALID_DEVICE;  // a device is no peer of itself, and there is one only
}

SOFTCUDA_API CUresult cuCtxDisablePeerAccess(CUcontext peer) {
    SOFTCUDA_CALL(cuCtxDisablePeerAccess);
    return findContext(peer) ? static_cast<CUresult>(705) : CUDA_ERROR_INVALID_CONTEXT;  // peer access not enabled
}

SOFTCUDA_API CUresult cuProfilerStart() {
    SOFTCUDA_CALL(cuProfilerStart);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuProfilerStop() {
    SOFTCUDA_CALL(cuProfilerStop);
    return CUDA_SUCCESS;
}
