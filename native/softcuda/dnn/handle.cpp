// Handles, versions and errors.
#include <cstdio>
#include <cstring>
#include <string>

#include "cudnn.hpp"

namespace softcuda::dnn {

namespace {
thread_local std::string lastError;
}

Status fail(Status status, const char* why) {
    lastError = why;
    return status;
}

Status enqueue(const Handle& handle, const char* name, void (*work)(const void*), const void* arguments, std::size_t bytes, double flops,
               double floatsRead, double floatsWritten) {
    constexpr double FloatBytes = sizeof(float);
    int result = softcudaEnqueue(handle.stream, name, work, arguments, bytes, flops, FloatBytes * floatsRead, FloatBytes * floatsWritten);
    return result == 0 ? Success : fail(ExecutionFailed, "the work cannot be put on the handle's stream");
}

const float* read(const Tensor& tensor, std::uint64_t address) {
    return static_cast<const float*>(softcudaRead(address, tensor.extent() * sizeof(float)));
}

float* write(const Tensor& tensor, std::uint64_t address, bool alsoRead) {
    return static_cast<float*>(softcudaWrite(address, tensor.extent() * sizeof(float), alsoRead));
}

SOFTCUDA_EXPORT int cudnnCreate(void** handle) {
    SOFTCUDA_ENTER(cudnnCreate);
    if (!handle) return fail(NullPointer, "cudnnCreate: the handle is null");
    if (softcudaMayAllocate() != 0) return fail(NotInitialized, "cudnnCreate: a capture is under way, or no context is current");
    *handle = new Handle;
    return Success;
}

SOFTCUDA_EXPORT int cudnnDestroy(void* handle) {
    SOFTCUDA_ENTER(cudnnDestroy);
    Handle* h = alive<Handle>(handle);
    if (!h) return NotInitialized;
    h->mark = 0;
    delete h;
    return Success;
}

SOFTCUDA_EXPORT int cudnnSetStream(void* handle, void* stream) {
    SOFTCUDA_ENTER(cudnnSetStream);
    Handle* h = alive<Handle>(handle);
    if (!h) return NotInitialized;
    h->stream = stream;
    return Success;
}

SOFTCUDA_EXPORT int cudnnGetStream(void* handle, void** stream) {
    SOFTCUDA_ENTER(cudnnGetStream);
    Handle* h = alive<Handle>(handle);
    if (!h) return NotInitialized;
    if (!stream) return fail(NullPointer, "cudnnGetStream: the stream is null");
    *stream = h->stream;
    return Success;
}

SOFTCUDA_EXPORT std::size_t cudnnGetVersion() { return Version; }

SOFTCUDA_EXPORT int cudnnGetProperty(int type, int* value) {
    SOFTCUDA_ENTER(cudnnGetProperty);
    if (!value || type < 0 || type > 2) return fail(BadParam, "cudnnGetProperty: no such property");
    *value = type == 0 ? Version / 10000 : type == 1 ? Version / 100 % 100 : Version % 100;
    return Success;
}

SOFTCUDA_EXPORT const char* cudnnGetErrorString(int status) {
    switch (status) {
        case Success: return "CUDNN_STATUS_SUCCESS";
        case NotInitialized: return "CUDNN_STATUS_NOT_INITIALIZED";
        case BadParam: return "CUDNN_STATUS_BAD_PARAM";
        case NullPointer: return "CUDNN_STATUS_BAD_PARAM_NULL_POINTER";
        case SizeInsufficient: return "CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT";
        case ShapeMismatch: return "CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH";
        case NotSupported: return "CUDNN_STATUS_NOT_SUPPORTED";
        case ExecutionFailed: return "CUDNN_STATUS_EXECUTION_FAILED";
        default: return "CUDNN_UNKNOWN_STATUS";
    }
}

SOFTCUDA_EXPORT void cudnnGetLastErrorString(char* message, std::size_t size) {
    if (message && size > 0) std::snprintf(message, size, "%s", lastError.c_str());
}

}  // namespace softcuda::dnn
