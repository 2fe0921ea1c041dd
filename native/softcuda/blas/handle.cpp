// Handles, and what is set on them.
#include "cublas.hpp"

namespace softcuda::blas {

namespace {
constexpr int Version = 120400;
}

Handle* toHandle(void* handle) {
    auto* result = static_cast<Handle*>(handle);
    return result && result->mark == Handle::Alive ? result : nullptr;
}

Scalar scalar(const Handle& handle, const void* pointer) {
    Scalar result;
    if (handle.pointerMode == 0) {
        result.value = *static_cast<const float*>(pointer);
    } else {
        result.address = reinterpret_cast<std::uint64_t>(pointer);
    }
    return result;
}

bool Scalar::read(float& result) const {
    if (address == 0) {
        result = value;
        return true;
    }
    const void* host = softcudaRead(address, sizeof(float));
    if (host) result = *static_cast<const float*>(host);
    return host != nullptr;
}

Status enqueue(const Handle& handle, const char* name, void (*work)(const void*), const void* arguments, std::size_t bytes, double flops,
               double bytesRead, double bytesWritten) {
    int result = softcudaEnqueue(handle.stream, name, work, arguments, bytes, flops, bytesRead, bytesWritten);
    return result == 0 ? Success : ExecutionFailed;
}

SOFTCUDA_EXPORT int cublasCreate_v2(void** handle) {
    SOFTCUDA_ENTER(cublasCreate_v2);
    if (!handle) return InvalidValue;
    // NVIDIA's allocates the handle's workspace.
    if (softcudaMayAllocate() != 0) return NotInitialized;
    *handle = new Handle;
    return Success;
}

SOFTCUDA_EXPORT int cublasDestroy_v2(void* handle) {
    SOFTCUDA_ENTER(cublasDestroy_v2);
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    h->mark = 0;
    delete h;
    return Success;
}

SOFTCUDA_EXPORT int cublasGetVersion_v2(void* handle, int* version) {
    SOFTCUDA_ENTER(cublasGetVersion_v2);
    if (!toHandle(handle)) return NotInitialized;
    if (!version) return InvalidValue;
    *version = Version;
    return Success;
}

SOFTCUDA_EXPORT int cublasGetProperty(int type, int* value) {
    SOFTCUDA_ENTER(cublasGetProperty);
    if (!value || type < 0 || type > 2) return InvalidValue;
    *value = type == 0 ? Version / 10000 : type == 1 ? Version / 100 % 100 : Version % 100;
    return Success;
}

SOFTCUDA_EXPORT int cublasSetStream_v2(void* handle, void* stream) {
    SOFTCUDA_ENTER(cublasSetStream_v2);
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    h->stream = stream;
    // As the real one does: the workspace is that of the default pool again.
    h->workspace = 0;
    h->workspaceBytes = 0;
    return Success;
}

SOFTCUDA_EXPORT int cublasGetStream_v2(void* handle, void** stream) {
    SOFTCUDA_ENTER(cublasGetStream_v2);
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    if (!stream) return InvalidValue;
    *stream = h->stream;
    return Success;
}

SOFTCUDA_EXPORT int cublasSetWorkspace_v2(void* handle, std::uint64_t workspace, std::size_t bytes) {
    SOFTCUDA_ENTER(cublasSetWorkspace_v2);
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    if (workspace % 256 != 0) return InvalidValue;
    h->workspace = workspace;
    h->workspaceBytes = bytes;
    return Success;
}

SOFTCUDA_EXPORT int cublasSetMathMode(void* handle, int mode) {
    SOFTCUDA_ENTER(cublasSetMathMode);
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    if ((mode & ~16) < 0 || (mode & ~16) > 3) return InvalidValue;
    h->mathMode = mode;
    return Success;
}

SOFTCUDA_EXPORT int cublasGetMathMode(void* handle, int* mode) {
    SOFTCUDA_ENTER(cublasGetMathMode);
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    if (!mode) return InvalidValue;
    *mode = h->mathMode;
    return Success;
}

SOFTCUDA_EXPORT int cublasSetPointerMode_v2(void* handle, int mode) {
    SOFTCUDA_ENTER(cublasSetPointerMode_v2);
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    if (mode < 0 || mode > 1) return InvalidValue;
    h->pointerMode = mode;
    return Success;
}

SOFTCUDA_EXPORT int cublasGetPointerMode_v2(void* handle, int* mode) {
    SOFTCUDA_ENTER(cublasGetPointerMode_v2);
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    if (!mode) return InvalidValue;
    *mode = h->pointerMode;
    return Success;
}

SOFTCUDA_EXPORT const char* cublasGetStatusName(int status) {
    softcudaCount("cublasGetStatusName");
    switch (status) {
        case Success: return "CUBLAS_STATUS_SUCCESS";
        case NotInitialized: return "CUBLAS_STATUS_NOT_INITIALIZED";
        case AllocFailed: return "CUBLAS_STATUS_ALLOC_FAILED";
        case InvalidValue: return "CUBLAS_STATUS_INVALID_VALUE";
        case 8: return "CUBLAS_STATUS_ARCH_MISMATCH";
        case 11: return "CUBLAS_STATUS_MAPPING_ERROR";
        case ExecutionFailed: return "CUBLAS_STATUS_EXECUTION_FAILED";
        case InternalError: return "CUBLAS_STATUS_INTERNAL_ERROR";
        case NotSupported: return "CUBLAS_STATUS_NOT_SUPPORTED";
        case 16: return "CUBLAS_STATUS_LICENSE_ERROR";
        default: return "CUBLAS_STATUS_UNKNOWN";
    }
}

SOFTCUDA_EXPORT const char* cublasGetStatusString(int status) {
    softcudaCount("cublasGetStatusString");
    switch (status) {
        case Success: return "success";
        case NotInitialized: return "the library was not initialized";
        case AllocFailed: return "the resource allocation failed";
        case InvalidValue: return "an unsupported value or parameter was passed to the function";
        case ExecutionFailed: return "the function failed to launch on the GPU";
        case NotSupported: return "the functionality is not supported";
        default: return "an internal operation failed";
    }
}

}  // namespace softcuda::blas
