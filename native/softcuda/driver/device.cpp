// The device as programs see it. Limits: CUDA C++ Programming Guide, "Compute Capabilities"; clocks, buses and caches: NVIDIA's data
// sheets and architecture papers of the GPU that each architecture is modelled on.
#include "device.hpp"

#include <cstdio>
#include <cstring>

#include "configuration.hpp"
#include "entry.hpp"
#include "state.hpp"

namespace softcuda::driver {

namespace {

constexpr DeviceModel Models[] = {
    // A100 SXM4 40 GB: 1555 GB/s
    {80, "A100", 108, 1410000, 1215000, 5120, 40 << 20, 2048, 32, 164 << 10, 163 << 10},
    // RTX A6000: 768 GB/s
    {86, "RTX A6000", 84, 1800000, 8001000, 384, 6 << 20, 1536, 16, 100 << 10, 99 << 10},
    // L4: 300 GB/s
    {89, "L4", 58, 2040000, 6251000, 192, 48 << 20, 1536, 24, 100 << 10, 99 << 10},
    // H100 SXM5 80 GB: 3352 GB/s
    {90, "H100", 132, 1980000, 2619000, 5120, 50 << 20, 2048, 32, 228 << 10, 227 << 10},
};

CUresult checkDevice(CUdevice device) {
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    return device >= 0 && device < configuration().devices ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

/// CUdevice_attribute, by cuda.h's numbers; -1 for those that this device does not know.
int attribute(int number) {
    const DeviceModel& m = deviceModel();
    switch (number) {
        case 1: return MaxThreadsPerBlock;
        case 2: case 3: return 1024;          // largest block, x and y
        case 4: return 64;                    // and z
        case 5: return 0x7fffffff;            // largest grid, x
        case 6: case 7: return 65535;         // y and z
        case 8: return SharedMemoryPerBlock;
        case 9: return 65536;                 // constant memory
        case 10: return WarpSize;
        case 11: return 0x7fffffff;           // pitch
        case 12: return Registers;            // of a block
        case 13: return m.clock;
        case 14: return 512;                  // texture alignment
        case 15: return 1;                    // copies overlap kernels
        case 16: return multiprocessors();
        case 17: return 0;                    // no run time limit for kernels
        case 18: return 0;                    // not integrated
        case 19: return 0;                    // host memory cannot be mapped: kernels reach device memory only
        case 20: return 0;                    // default compute mode
        case 30: return 512;                  // surface alignment
        case 31: return 1;                    // concurrent kernels
        case 32: return 0;                    // ECC
        case 33: return 1;                    // PCI bus
        case 34: return 0;                    // PCI device
        case 35: return 0;                    // TCC
        case 36: return m.memoryClock;
        case 37: return m.busWidth;
        case 38: return m.l2;
        case 39: return m.threads;            // of a multiprocessor
        case 40: return 3;                    // copy engines
        case 41: return 1;                    // unified addressing
        case 50: return 0;                    // PCI domain
        case 75: return m.sm / 10;
        case 76: return m.sm % 10;
        case 78: return 1;                    // stream priorities
        case 79: case 80: return 1;           // global and local memory in the first-level cache
        case 81: return m.sharedMemory;       // of a multiprocessor
        case 82: return Registers;            // of a multiprocessor
        case 83: return 0;                    // managed memory
        case 84: return 0;                    // several GPUs on a board
        case 86: return 0;                    // native atomics on host memory
        case 87: return m.sm == 80 ? 2 : m.sm == 90 ? 2 : 64;  // single to double throughput
        case 88: case 89: return 0;           // pageable memory access, concurrent managed access
        case 90: return 1;                    // compute preemption
        case 91: return 0;                    // registered host memory at its own address
        case 95: return 1;                    // cooperative launch
        case 97: return m.sharedMemoryOptin;
        case 99: return 1;                    // cuMemHostRegister
        case 106: return m.blocks;            // of a multiprocessor
        case 108: return 0;                   // persisting L2
        case 111: return ReservedSharedMemory;
        case 114: return 0;                   // timeline semaphores
        case 115: return 1;                   // memory pools
        case 119: return 0;                   // handles of pools
        case 120: return 0;                   // clusters are not simulated
        default: return number >= 1 && number <= 140 ? 0 : -1;
    }
}

}  // namespace

const DeviceModel& deviceModel() {
    for (const DeviceModel& model : Models)
        if (model.sm == configuration().sm) return model;
    return Models[0];
}

int multiprocessors() {
    int configured = configuration().multiprocessors;
    return configured > 0 ? configured : deviceModel().multiprocessors;
}

}  // namespace softcuda::driver

using namespace softcuda::driver;

SOFTCUDA_API CUresult cuDeviceGetCount(int* count) {
    SOFTCUDA_ENTER(cuDeviceGetCount);
    Lock lock(driver().mutex);
    if (!driver().initialised) return CUDA_ERROR_NOT_INITIALIZED;
    if (!count) return CUDA_ERROR_INVALID_VALUE;
    *count = configuration().devices;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    SOFTCUDA_ENTER(cuDeviceGet);
    if (CUresult result = checkDevice(ordinal)) return result;
    if (!device) return CUDA_ERROR_INVALID_VALUE;
    *device = ordinal;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
    SOFTCUDA_ENTER(cuDeviceGetName);
    if (CUresult result = checkDevice(device)) return result;
    if (!name || length <= 0) return CUDA_ERROR_INVALID_VALUE;
    if (configuration().disguise)
        std::snprintf(name, static_cast<std::size_t>(length), "NVIDIA %s (a software device in disguise)", deviceModel().like);
    else
        std::snprintf(name, static_cast<std::size_t>(length), "FastNN software device (sm_%d)", deviceModel().sm);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice device) {
    SOFTCUDA_ENTER(cuDeviceTotalMem_v2);
    if (CUresult result = checkDevice(device)) return result;
    if (!bytes) return CUDA_ERROR_INVALID_VALUE;
    *bytes = configuration().memory;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDeviceGetAttribute(int* value, int number, CUdevice device) {
    SOFTCUDA_ENTER(cuDeviceGetAttribute);
    if (CUresult result = checkDevice(device)) return result;
    if (!value || attribute(number) < 0) return CUDA_ERROR_INVALID_VALUE;
    *value = attribute(number);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
    SOFTCUDA_ENTER(cuDeviceComputeCapability);
    if (CUresult result = checkDevice(device)) return result;
    if (!major || !minor) return CUDA_ERROR_INVALID_VALUE;
    *major = deviceModel().sm / 10;
    *minor = deviceModel().sm % 10;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) {
    SOFTCUDA_ENTER(cuDeviceGetUuid);
    if (CUresult result = checkDevice(device)) return result;
    if (!uuid) return CUDA_ERROR_INVALID_VALUE;
    std::memset(uuid->bytes, 0, sizeof uuid->bytes);
    std::snprintf(uuid->bytes, sizeof uuid->bytes, "softcuda-sm_%d", deviceModel().sm);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
    SOFTCUDA_ENTER(cuDeviceGetUuid_v2);
    return cuDeviceGetUuid(uuid, device);
}

SOFTCUDA_API CUresult cuDeviceGetPCIBusId(char* text, int length, CUdevice device) {
    SOFTCUDA_ENTER(cuDeviceGetPCIBusId);
    if (CUresult result = checkDevice(device)) return result;
    if (!text || length < 13) return CUDA_ERROR_INVALID_VALUE;
    std::snprintf(text, static_cast<std::size_t>(length), "0000:01:00.0");
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDeviceCanAccessPeer(int* can, CUdevice device, CUdevice peer) {
    SOFTCUDA_ENTER(cuDeviceCanAccessPeer);
    if (CUresult result = checkDevice(device)) return result;
    if (CUresult result = checkDevice(peer)) return result;
    if (!can) return CUDA_ERROR_INVALID_VALUE;
    *can = 0;  // a device is not its own peer
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuDeviceGetP2PAttribute(int* value, int number, CUdevice source, CUdevice destination) {
    SOFTCUDA_ENTER(cuDeviceGetP2PAttribute);
    if (CUresult result = checkDevice(source)) return result;
    if (CUresult result = checkDevice(destination)) return result;
    if (!value || number < 1 || number > 4) return CUDA_ERROR_INVALID_VALUE;
    return CUDA_ERROR_INVALID_DEVICE;  // asked of two different devices, and there is one
}
