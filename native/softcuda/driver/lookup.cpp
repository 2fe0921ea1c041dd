// cuGetProcAddress: entry points by the names that programs use in their source.
#include <dlfcn.h>

#include <cstring>
#include <string>

#include "entry.hpp"

namespace {

enum { PerThreadDefaultStream = 2 };
enum QueryResult { Found = 0, NotFound = 1, VersionTooLow = 2 };

void* self() {
    static void* library = [] {
        Dl_info info;
        return dladdr(reinterpret_cast<void*>(&self), &info) ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : nullptr;
    }();
    return library;
}

void* find(const std::string& name, bool perThread) {
    if (!self()) return nullptr;
    // A source name stands for its newest version; these two have versions of another shape below CUDA 12.
    if (name == "cuGraphInstantiate") return dlsym(self(), "cuGraphInstantiateWithFlags");
    for (const char* version : {"_v2", ""}) {
        std::string symbol = name + version;
        if (perThread)
            for (const char* suffix : {"_ptsz", "_ptds"})
                if (void* found = dlsym(self(), (symbol + suffix).c_str())) return found;
        if (void* found = dlsym(self(), symbol.c_str())) return found;
    }
    return nullptr;
}

}  // namespace

SOFTCUDA_API CUresult cuGetProcAddress_v2(const char* name, void** function, int version, std::uint64_t flags, int* found) {
    SOFTCUDA_ENTER(cuGetProcAddress_v2);
    if (!name || !function || version < 3000 || flags > 3) return CUDA_ERROR_INVALID_VALUE;
    *function = find(name, flags == PerThreadDefaultStream);
    if (found) *found = *function ? Found : NotFound;
    if (!*function && !found) return CUDA_ERROR_NOT_FOUND;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuGetProcAddress(const char* name, void** function, int version, std::uint64_t flags) {
    SOFTCUDA_ENTER(cuGetProcAddress);
    if (!name || !function || version < 3000 || flags > 3) return CUDA_ERROR_INVALID_VALUE;
    bool newer = std::strcmp(name, "cuGetProcAddress") == 0 && version < 12000;
    *function = newer ? reinterpret_cast<void*>(&cuGetProcAddress) : find(name, flags == PerThreadDefaultStream);
    return *function ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}
