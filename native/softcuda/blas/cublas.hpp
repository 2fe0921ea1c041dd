// What the parts of libcublas.so.12 share. Values as in NVIDIA's cublas_api.h.
#pragma once
#include <cstddef>
#include <cstdint>

#include "host_work.hpp"

namespace softcuda::blas {

enum Status : int {
    Success = 0, NotInitialized = 1, AllocFailed = 3, InvalidValue = 7, ExecutionFailed = 13, InternalError = 14, NotSupported = 15,
};

enum DataType : int { R32F = 0, R16F = 2, R16BF = 14 };

struct Handle {
    static constexpr std::uint32_t Alive = 0x43754264;

    std::uint32_t mark = Alive;
    void* stream = nullptr;
    int pointerMode = 0;  // 0: scalars on the host, 1: on the device
    int mathMode = 0;
    std::uint64_t workspace = 0;
    std::size_t workspaceBytes = 0;
};

/// A scalar: a number, or where it lies on the device.
struct Scalar {
    float value = 0;
    std::uint64_t address = 0;

    /// Inside work that runs on a stream; false with a finding where it cannot be read.
    bool read(float& result) const;
};

Handle* toHandle(void* handle);
Scalar scalar(const Handle& handle, const void* pointer);
/// Puts work on the handle's stream and turns a CUresult into a status.
Status enqueue(const Handle& handle, const char* name, void (*work)(const void*), const void* arguments, std::size_t bytes, double flops,
               double bytesRead, double bytesWritten);

/// Counts a call and takes the failure that is scheduled for it.
#define SOFTCUDA_ENTER(function)                                    \
    do {                                                            \
        softcudaCount(#function);                                   \
        if (int code = softcudaFailure(#function)) return code;     \
    } while (false)

#define SOFTCUDA_EXPORT extern "C" __attribute__((visibility("default")))

}  // namespace softcuda::blas
