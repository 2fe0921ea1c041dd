// Launches of kernels, host functions and library work.
#include <cstring>

#include "capture.hpp"
#include "device.hpp"
#include "entry.hpp"
#include "functions.hpp"
#include "occupancy.hpp"
#include "schedule.hpp"

namespace softcuda::driver {

namespace {

struct Shape {
    Dim3 grid, block;
    unsigned shared;
};

CUresult checkShape(const Function& function, const Shape& shape) {
    auto [grid, block, shared] = shape;
    if (!grid.x || !grid.y || !grid.z || !block.x || !block.y || !block.z) return CUDA_ERROR_INVALID_VALUE;
    if (grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535) return CUDA_ERROR_INVALID_VALUE;
    if (block.x > 1024 || block.y > 1024 || block.z > 64) return CUDA_ERROR_INVALID_VALUE;
    std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
    if (threads > MaxThreadsPerBlock || threads > info(*function.kernel).maxThreads) return CUDA_ERROR_INVALID_VALUE;
    if (shared > static_cast<unsigned>(function.dynamicShared)) return CUDA_ERROR_INVALID_VALUE;
    return threads > registerLimitedThreads(function) ? CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES : CUDA_SUCCESS;
}

/// Both ways of passing parameters: an address for each, or one buffer laid out as the kernel's.
CUresult copyParameters(const KernelInfo& kernel, void** addresses, void** extra, std::vector<std::uint8_t>& out) {
    out.assign(kernel.parameterBytes, 0);
    if (addresses && extra) return CUDA_ERROR_INVALID_VALUE;
    if (extra) {
        const void* buffer = nullptr;
        const std::size_t* size = nullptr;
        for (; *extra != nullptr; extra += 2) {
            auto key = reinterpret_cast<std::uintptr_t>(*extra);
            if (key == 1) buffer = extra[1];
            else if (key == 2) size = static_cast<const std::size_t*>(extra[1]);
            else return CUDA_ERROR_INVALID_VALUE;
        }
        if (!buffer || !size || *size < kernel.parameterBytes) return CUDA_ERROR_INVALID_VALUE;
        std::memcpy(out.data(), buffer, out.size());
        return CUDA_SUCCESS;
    }
    if (kernel.parameters.empty()) return CUDA_SUCCESS;
    if (!addresses) return CUDA_ERROR_INVALID_VALUE;
    for (std::size_t i = 0; i < kernel.parameters.size(); ++i) {
        const Parameter& parameter = kernel.parameters[i];
        if (!addresses[i]) return CUDA_ERROR_INVALID_VALUE;
        std::memcpy(out.data() + parameter.offset, addresses[i], parameter.size);
    }
    return CUDA_SUCCESS;
}

CUresult launch(Call& call, CUfunction handle, const Shape& shape, CUstream streamHandle, void** parameters, void** extra,
                bool cooperative) {
    std::shared_ptr<Function> function = findFunction(*call.context, handle);
    if (!function) return CUDA_ERROR_INVALID_HANDLE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, streamHandle, stream)) return result;
    if (CUresult result = checkShape(*function, shape)) return result;
    if (cooperative) {
        std::uint64_t blocks = std::uint64_t{shape.grid.x} * shape.grid.y * shape.grid.z;
        std::uint64_t threads = std::uint64_t{shape.block.x} * shape.block.y * shape.block.z;
        auto atOnce = static_cast<std::uint64_t>(activeBlocks(*function, threads, shape.shared)) * static_cast<unsigned>(multiprocessors());
        if (blocks > atOnce) return CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE;
    }
    KernelWork work;
    work.module = function->module->shared_from_this();
    work.function = function;
    work.grid = shape.grid;
    work.block = shape.block;
    work.dynamicShared = shape.shared;
    if (CUresult result = copyParameters(info(*function->kernel), parameters, extra, work.parameters)) return result;
    return submit(call.lock, *call.context, stream, std::move(work));
}

}  // namespace

}  // namespace softcuda::driver

using namespace softcuda::driver;

SOFTCUDA_API CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,
                                     unsigned blockZ, unsigned shared, CUstream stream, void** parameters, void** extra) {
    SOFTCUDA_CALL(cuLaunchKernel);
    return launch(call, function, {{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared}, stream, parameters, extra, false);
}

SOFTCUDA_API CUresult cuLaunchCooperativeKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                                                unsigned blockY, unsigned blockZ, unsigned shared, CUstream stream, void** parameters) {
    SOFTCUDA_CALL(cuLaunchCooperativeKernel);
    return launch(call, function, {{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared}, stream, parameters, nullptr, true);
}

SOFTCUDA_API CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void* data) {
    SOFTCUDA_CALL(cuLaunchHostFunc);
    if (!function) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    return submit(call.lock, *call.context, stream, HostWork{function, data});
}

SOFTCUDA_API int softcudaEnqueue(void* handle, const char* name, void (*work)(const void*), const void* arguments, std::size_t bytes,
                                 double flops, double bytesRead, double bytesWritten) {
    if (callbackDepth > 0) return CUDA_ERROR_NOT_PERMITTED;
    Call call;
    if (call.result != CUDA_SUCCESS) return call.result;
    if (!name || !work || (!arguments && bytes)) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, static_cast<CUstream>(handle), stream)) return result;
    std::vector<std::max_align_t> copied((bytes + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t));
    if (bytes) std::memcpy(copied.data(), arguments, bytes);
    return submit(call.lock, *call.context, stream, LibraryWork{name, work, std::move(copied), flops, bytesRead, bytesWritten});
}
