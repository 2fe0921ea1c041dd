// What every exported function does first: count the call, take an injected failure, refuse calls from inside callbacks.
#pragma once
#include "api.hpp"
#include "host_work.hpp"

namespace softcuda::driver {

/// 0, or the result that the function must return at once.
CUresult enter(const char* function);

/// Set while a host function or library work runs on this thread: CUDA forbids calls from there.
extern thread_local int callbackDepth;

struct CallbackScope {
    CallbackScope() { ++callbackDepth; }
    ~CallbackScope() { --callbackDepth; }
    CallbackScope(const CallbackScope&) = delete;
    CallbackScope& operator=(const CallbackScope&) = delete;
};

}  // namespace softcuda::driver

#define SOFTCUDA_ENTER(name) \
    if (CUresult early = ::softcuda::driver::enter(#name)) return early

/// For functions that may be called from anywhere.
#define SOFTCUDA_COUNT(name)                                                                  \
    softcudaCount(#name);                                                                     \
    if (int early = softcudaFailure(#name)) return static_cast<CUresult>(early)
