// Copies and fills.
#include <algorithm>
#include <cstdio>

#include "capture.hpp"
#include "counters.hpp"
#include "entry.hpp"
#include "faults.hpp"
#include "schedule.hpp"

namespace softcuda::driver {

namespace {

std::uint64_t number(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

bool onDevice(std::uint64_t address) { return driver().deviceMemory().contains(address, 1); }

/// Ends of a copy are judged when it is called, as the driver does; what is freed afterwards is found when the copy runs.
CUresult checkRange(const char* who, std::uint64_t address, std::uint64_t bytes) {
    Memory& memory = driver().deviceMemory();
    if (memory.valid(address, bytes, false)) return CUDA_SUCCESS;
    char place[256], message[512];
    memory.describe(address, place, sizeof place);
    std::snprintf(message, sizeof message, "is given %llu bytes at 0x%llx, not all of them allocated; the address is %s",
                  static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(address), place);
    reportHostAccess(who, address, message);
    return CUDA_ERROR_INVALID_VALUE;
}

CUresult checkEnds(const char* who, const CopyWork& copy) {
    if (copy.destination == 0 || copy.source == 0) return CUDA_ERROR_INVALID_VALUE;
    if (copy.kind == CopyKind::HostToDevice || copy.kind == CopyKind::DeviceToDevice)
        if (CUresult result = checkRange(who, copy.destination, copy.bytes)) return result;
    if (copy.kind == CopyKind::DeviceToHost || copy.kind == CopyKind::DeviceToDevice)
        if (CUresult result = checkRange(who, copy.source, copy.bytes)) return result;
    return CUDA_SUCCESS;
}

bool fromHost(CopyKind kind) { return kind == CopyKind::HostToDevice || kind == CopyKind::HostToHost; }
bool toHost(CopyKind kind) { return kind == CopyKind::DeviceToHost || kind == CopyKind::HostToHost; }

CUresult copyAsync(Call& call, const char* who, CopyWork copy, CUstream handle) {
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    if (copy.bytes == 0) return CUDA_SUCCESS;
    if (CUresult result = checkEnds(who, copy)) return result;
    auto* source = reinterpret_cast<const std::uint8_t*>(copy.source);
    // In a capture nothing is staged: each launch of the graph reads the source anew.
    if (!stream->capture && fromHost(copy.kind) && !isPinned(source, copy.bytes))
        copy.staged = std::make_shared<std::vector<std::uint8_t>>(source, source + copy.bytes);
    bool waits = !stream->capture && toHost(copy.kind) && !isPinned(reinterpret_cast<void*>(copy.destination), copy.bytes);
    if (CUresult result = submit(call.lock, *call.context, stream, std::move(copy))) return result;
    if (!waits) return CUDA_SUCCESS;
    countSynchronisation();  // into pageable memory even an asynchronous copy returns when it is done
    return drainStream(call.lock, *call.context, *stream);
}

/// A synchronous copy goes through the legacy default stream, or the thread's own, and waits for it.
CUresult copySync(Call& call, const char* who, CopyWork copy, CUstream handle = nullptr) {
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    if (copy.bytes == 0) return CUDA_SUCCESS;
    if (CUresult result = checkEnds(who, copy)) return result;
    if (CUresult result = checkImplicitCapture(*call.context, *stream)) return result;
    if (CUresult result = checkUnsafeCall()) return result;
    bool host = copy.kind != CopyKind::DeviceToDevice;
    if (CUresult result = submit(call.lock, *call.context, stream, std::move(copy))) return result;
    if (!host) return CUDA_SUCCESS;  // between device ranges the host does not wait
    countSynchronisation();
    return drainStream(call.lock, *call.context, *stream);
}

CopyKind kindOf(std::uint64_t destination, std::uint64_t source) {
    if (onDevice(destination)) return onDevice(source) ? CopyKind::DeviceToDevice : CopyKind::HostToDevice;
    return onDevice(source) ? CopyKind::DeviceToHost : CopyKind::HostToHost;
}

CUresult fill(Call& call, const char* who, FillWork work, CUstream handle, bool async) {
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    if (work.count == 0) return CUDA_SUCCESS;
    auto width = static_cast<std::uint64_t>(work.width);
    if (work.address % width != 0 || work.count > UINT64_MAX / width) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = checkRange(who, work.address, work.count * width)) return result;
    if (!async) {
        if (CUresult result = checkImplicitCapture(*call.context, *stream)) return result;
        if (CUresult result = checkUnsafeCall()) return result;
    }
    return submit(call.lock, *call.context, stream, work);
}

}  // namespace

}  // namespace softcuda::driver

using namespace softcuda::driver;

SOFTCUDA_API CUresult cuMemcpyHtoD_v2(CUdeviceptr destination, const void* source, std::size_t bytes) {
    SOFTCUDA_CALL(cuMemcpyHtoD_v2);
    return copySync(call, "cuMemcpyHtoD", {CopyKind::HostToDevice, destination, number(source), bytes, nullptr});
}

SOFTCUDA_API CUresult cuMemcpyDtoH_v2(void* destination, CUdeviceptr source, std::size_t bytes) {
    SOFTCUDA_CALL(cuMemcpyDtoH_v2);
    return copySync(call, "cuMemcpyDtoH", {CopyKind::DeviceToHost, number(destination), source, bytes, nullptr});
}

SOFTCUDA_API CUresult cuMemcpyDtoD_v2(CUdeviceptr destination, CUdeviceptr source, std::size_t bytes) {
    SOFTCUDA_CALL(cuMemcpyDtoD_v2);
    return copySync(call, "cuMemcpyDtoD", {CopyKind::DeviceToDevice, destination, source, bytes, nullptr});
}

SOFTCUDA_API CUresult cuMemcpy(CUdeviceptr destination, CUdeviceptr source, std::size_t bytes) {
    SOFTCUDA_CALL(cuMemcpy);
    return copySync(call, "cuMemcpy", {kindOf(destination, source), destination, source, bytes, nullptr});
}

SOFTCUDA_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr destination, const void* source, std::size_t bytes, CUstream stream) {
    SOFTCUDA_CALL(cuMemcpyHtoDAsync_v2);
    return copyAsync(call, "cuMemcpyHtoDAsync", {CopyKind::HostToDevice, destination, number(source), bytes, nullptr}, stream);
}

SOFTCUDA_API CUresult cuMemcpyDtoHAsync_v2(void* destination, CUdeviceptr source, std::size_t bytes, CUstream stream) {
    SOFTCUDA_CALL(cuMemcpyDtoHAsync_v2);
    return copyAsync(call, "cuMemcpyDtoHAsync", {CopyKind::DeviceToHost, number(destination), source, bytes, nullptr}, stream);
}

SOFTCUDA_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr destination, CUdeviceptr source, std::size_t bytes, CUstream stream) {
    SOFTCUDA_CALL(cuMemcpyDtoDAsync_v2);
    return copyAsync(call, "cuMemcpyDtoDAsync", {CopyKind::DeviceToDevice, destination, source, bytes, nullptr}, stream);
}

SOFTCUDA_API CUresult cuMemcpyAsync(CUdeviceptr destination, CUdeviceptr source, std::size_t bytes, CUstream stream) {
    SOFTCUDA_CALL(cuMemcpyAsync);
    return copyAsync(call, "cuMemcpyAsync", {kindOf(destination, source), destination, source, bytes, nullptr}, stream);
}

SOFTCUDA_API CUresult cuMemcpyPeerAsync(CUdeviceptr destination, CUcontext destinationContext, CUdeviceptr source, CUcontext sourceContext,
                                        std::size_t bytes, CUstream stream) {
    SOFTCUDA_CALL(cuMemcpyPeerAsync);
    auto known = [](CUcontext handle) { return driver().contexts.contains(reinterpret_cast<std::uint64_t>(handle)); };
    if (!known(destinationContext) || !known(sourceContext)) return CUDA_ERROR_INVALID_CONTEXT;
    return copyAsync(call, "cuMemcpyPeerAsync", {CopyKind::DeviceToDevice, destination, source, bytes, nullptr}, stream);
}

SOFTCUDA_API CUresult cuMemsetD8_v2(CUdeviceptr address, unsigned char value, std::size_t count) {
    SOFTCUDA_CALL(cuMemsetD8_v2);
    return fill(call, "cuMemsetD8", {address, 1, value, count}, nullptr, false);
}

SOFTCUDA_API CUresult cuMemsetD16_v2(CUdeviceptr address, unsigned short value, std::size_t count) {
    SOFTCUDA_CALL(cuMemsetD16_v2);
    return fill(call, "cuMemsetD16", {address, 2, value, count}, nullptr, false);
}

SOFTCUDA_API CUresult cuMemsetD32_v2(CUdeviceptr address, unsigned value, std::size_t count) {
    SOFTCUDA_CALL(cuMemsetD32_v2);
    return fill(call, "cuMemsetD32", {address, 4, value, count}, nullptr, false);
}

SOFTCUDA_API CUresult cuMemsetD8Async(CUdeviceptr address, unsigned char value, std::size_t count, CUstream stream) {
    SOFTCUDA_CALL(cuMemsetD8Async);
    return fill(call, "cuMemsetD8Async", {address, 1, value, count}, stream, true);
}

SOFTCUDA_API CUresult cuMemsetD16Async(CUdeviceptr address, unsigned short value, std::size_t count, CUstream stream) {
    SOFTCUDA_CALL(cuMemsetD16Async);
    return fill(call, "cuMemsetD16Async", {address, 2, value, count}, stream, true);
}

SOFTCUDA_API CUresult cuMemsetD32Async(CUdeviceptr address, unsigned value, std::size_t count, CUstream stream) {
    SOFTCUDA_CALL(cuMemsetD32Async);
    return fill(call, "cuMemsetD32Async", {address, 4, value, count}, stream, true);
}
