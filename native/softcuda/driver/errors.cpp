// Names and meanings of result codes.
#include <algorithm>
#include <iterator>

#include "api.hpp"
#include "entry.hpp"

namespace {

struct Text {
    int code;
    const char* name;
    const char* meaning;
};

/// Ordered by code. Every code of cuda.h 12 that a program may meet or inject, not only those that this library returns itself.
constexpr Text Texts[] = {
    {0, "CUDA_SUCCESS", "no error"},
    {1, "CUDA_ERROR_INVALID_VALUE", "an argument is outside its range"},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {3, "CUDA_ERROR_NOT_INITIALIZED", "cuInit was not called, or failed"},
    {4, "CUDA_ERROR_DEINITIALIZED", "the driver is shutting down"},
    {34, "CUDA_ERROR_STUB_LIBRARY", "a stub library stands in for the driver"},
    {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "the device is busy or unavailable"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA device was found"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "no device of that number, or not valid for this"},
    {200, "CUDA_ERROR_INVALID_IMAGE", "the image is no device code"},
    {201, "CUDA_ERROR_INVALID_CONTEXT", "no context is current, or the context is not valid"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "the image holds no code for this device"},
    {217, "CUDA_ERROR_PEER_ACCESS_UNSUPPORTED", "the devices cannot reach each other's memory"},
    {218, "CUDA_ERROR_INVALID_PTX", "the PTX text does not compile"},
    {221, "CUDA_ERROR_JIT_COMPILER_NOT_FOUND", "the PTX compiler was not found"},
    {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the PTX is of a version newer than the driver"},
    {223, "CUDA_ERROR_JIT_COMPILATION_DISABLED", "compilation of PTX is disabled"},
    {300, "CUDA_ERROR_INVALID_SOURCE", "the device code's source is not valid"},
    {301, "CUDA_ERROR_FILE_NOT_FOUND", "file not found"},
    {302, "CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND", "a symbol of a shared object was not found"},
    {303, "CUDA_ERROR_SHARED_OBJECT_INIT_FAILED", "a shared object could not be started"},
    {304, "CUDA_ERROR_OPERATING_SYSTEM", "an operating system call failed"},
    {400, "CUDA_ERROR_INVALID_HANDLE", "the handle is not valid"},
    {401, "CUDA_ERROR_ILLEGAL_STATE", "the object is not in the state that this needs"},
    {500, "CUDA_ERROR_NOT_FOUND", "no symbol of that name"},
    {600, "CUDA_ERROR_NOT_READY", "the work has not finished yet"},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS", "a kernel touched memory that it may not"},
    {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "the launch needs more registers or shared memory than there are"},
    {702, "CUDA_ERROR_LAUNCH_TIMEOUT", "the kernel ran for too long"},
    {704, "CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED", "peer access is enabled already"},
    {705, "CUDA_ERROR_PEER_ACCESS_NOT_ENABLED", "peer access is not enabled"},
    {708, "CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE", "the primary context is active already"},
    {709, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "the current context was destroyed"},
    {710, "CUDA_ERROR_ASSERT", "an assertion in a kernel failed"},
    {712, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED", "the host memory is registered already"},
    {713, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED", "the host memory is not registered"},
    {715, "CUDA_ERROR_ILLEGAL_INSTRUCTION", "a kernel met an instruction that is not valid"},
    {716, "CUDA_ERROR_MISALIGNED_ADDRESS", "a kernel used an address that is not a multiple of the access's size"},
    {719, "CUDA_ERROR_LAUNCH_FAILED", "a kernel failed"},
    {720, "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE", "a cooperative launch has more blocks than fit the device at once"},
    {800, "CUDA_ERROR_NOT_PERMITTED", "not permitted"},
    {801, "CUDA_ERROR_NOT_SUPPORTED", "not supported"},
    {802, "CUDA_ERROR_SYSTEM_NOT_READY", "the system is not ready"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "the kernel's driver and this library differ in version"},
    {804, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE", "forward compatibility is not supported on this device"},
    {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "not permitted while a stream captures"},
    {901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "the capture was invalidated by an earlier error"},
    {902, "CUDA_ERROR_STREAM_CAPTURE_MERGE", "two captures would have been merged"},
    {903, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "the capture began on another stream"},
    {904, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "the capture has work that was not joined to its first stream"},
    {905, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION", "captured work would depend on work outside the capture"},
    {906, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT", "the legacy default stream would depend on a capture"},
    {907, "CUDA_ERROR_CAPTURED_EVENT", "the event was last recorded in a capture"},
    {908, "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD", "the capture was begun by another thread"},
    {909, "CUDA_ERROR_TIMEOUT", "the wait timed out"},
    {910, "CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE", "the graph differs too much to update the executable one"},
    {911, "CUDA_ERROR_EXTERNAL_DEVICE", "an external device failed"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

const Text* find(int code) {
    auto text = std::lower_bound(std::begin(Texts), std::end(Texts), code, [](const Text& t, int c) { return t.code < c; });
    return text != std::end(Texts) && text->code == code ? text : nullptr;
}

}  // namespace

SOFTCUDA_API CUresult cuGetErrorName(CUresult error, const char** name) {
    SOFTCUDA_COUNT(cuGetErrorName);
    if (!name) return CUDA_ERROR_INVALID_VALUE;
    const Text* text = find(error);
    *name = text ? text->name : nullptr;
    return text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

SOFTCUDA_API CUresult cuGetErrorString(CUresult error, const char** meaning) {
    SOFTCUDA_COUNT(cuGetErrorString);
    if (!meaning) return CUDA_ERROR_INVALID_VALUE;
    const Text* text = find(error);
    *meaning = text ? text->meaning : nullptr;
    return text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
