// cuInit, the device, the primary context, contexts of the program's own, errors and injected failures.
#include <thread>

#include "harness.hpp"

namespace {

TEST(nothingWorksBeforeInit) {
    int count = 0;
    CUcontext context;
    RESULT(cuDeviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
    RESULT(cuCtxGetCurrent(&context), CUDA_ERROR_NOT_INITIALIZED);
    RESULT(cuDevicePrimaryCtxRetain(&context, 0), CUDA_ERROR_NOT_INITIALIZED);
    CUdeviceptr address;
    RESULT(cuMemAlloc_v2(&address, 4), CUDA_ERROR_NOT_INITIALIZED);
    CHECK(softcudaSet("SOFTCUDA_DEVICES", "0") == 0);
    RESULT(cuInit(0), CUDA_ERROR_NO_DEVICE);
    CHECK(softcudaSet("SOFTCUDA_DEVICES", "1") == 0);
    RESULT(cuInit(1), CUDA_ERROR_INVALID_VALUE);
    OK(cuInit(0));
    OK(cuInit(0));
}

TEST(aThreadNeedsACurrentContext) {
    CUdeviceptr address;
    RESULT(cuMemAlloc_v2(&address, 4), CUDA_ERROR_INVALID_CONTEXT);
    RESULT(cuCtxSynchronize(), CUDA_ERROR_INVALID_CONTEXT);
    CUcontext context, current;
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
    OK(cuCtxGetCurrent(&current));
    CHECK(current == context);
    OK(cuCtxSynchronize());
    std::thread([&] {
        RESULT(cuCtxSynchronize(), CUDA_ERROR_INVALID_CONTEXT);
        OK(cuCtxSetCurrent(context));
        OK(cuCtxSynchronize());
    }).join();
    OK(cuCtxSetCurrent(nullptr));
    OK(cuDevicePrimaryCtxRelease_v2(0));
    RESULT(cuDevicePrimaryCtxRelease_v2(0), CUDA_ERROR_INVALID_CONTEXT);
}

TEST(thePrimaryContextCountsItsUsers) {
    CUcontext first, second;
    unsigned flags;
    int active;
    OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
    EQUAL(active, 0);
    OK(cuDevicePrimaryCtxSetFlags_v2(0, 4));
    RESULT(cuDevicePrimaryCtxSetFlags_v2(0, 3), CUDA_ERROR_INVALID_VALUE);
    OK(cuDevicePrimaryCtxRetain(&first, 0));
    OK(cuDevicePrimaryCtxRetain(&second, 0));
    CHECK(first == second);
    OK(cuCtxSetCurrent(first));
    OK(cuDevicePrimaryCtxRelease_v2(0));
    OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
    EQUAL(active, 1);
    EQUAL(flags, 4u);
    OK(cuCtxSynchronize());
    OK(cuDevicePrimaryCtxRelease_v2(0));
    RESULT(cuCtxSynchronize(), CUDA_ERROR_CONTEXT_IS_DESTROYED);
    OK(cuDevicePrimaryCtxRetain(&second, 0));
    OK(cuCtxSynchronize());
    OK(cuDevicePrimaryCtxReset_v2(0));
    OK(cuCtxSynchronize());
    OK(cuDevicePrimaryCtxRelease_v2(0));
    OK(cuCtxSetCurrent(nullptr));
    OK(cuDevicePrimaryCtxSetFlags_v2(0, 0));
}

TEST(ownContextsStack) {
    CUcontext a, b, popped;
    OK(cuCtxCreate_v2(&a, 0, 0));
    OK(cuCtxCreate_v2(&b, 0, 0));
    CUstream stream;
    OK(cuStreamCreate(&stream, 0));
    OK(cuCtxPopCurrent_v2(&popped));
    CHECK(popped == b);
    RESULT(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
    OK(cuCtxPushCurrent_v2(b));
    OK(cuStreamDestroy_v2(stream));
    OK(cuCtxDestroy_v2(b));
    RESULT(cuCtxDestroy_v2(b), CUDA_ERROR_INVALID_CONTEXT);
    RESULT(cuCtxSetCurrent(b), CUDA_ERROR_INVALID_CONTEXT);
    RESULT(cuCtxEnablePeerAccess(a, 0), CUDA_ERROR_INVALID_CONTEXT);
    OK(cuCtxDestroy_v2(a));
    RESULT(cuCtxPopCurrent_v2(&popped), CUDA_ERROR_INVALID_CONTEXT);
}

struct Expected {
    const char* sm;
    int multiprocessors, threads, blocks, shared, optin, major, minor;
};

TEST(theDeviceHasPublishedLimits) {
    for (const Expected& e : {Expected{"80", 108, 2048, 32, 167936, 166912, 8, 0}, Expected{"86", 84, 1536, 16, 102400, 101376, 8, 6},
                              Expected{"89", 58, 1536, 24, 102400, 101376, 8, 9}, Expected{"90", 132, 2048, 32, 233472, 232448, 9, 0}}) {
        CHECK(softcudaSet("SOFTCUDA_SM", e.sm) == 0);
        auto attribute = [](int number) {
            int value = -1;
            OK(cuDeviceGetAttribute(&value, number, 0));
            return value;
        };
        EQUAL(attribute(16), e.multiprocessors);
        EQUAL(attribute(39), e.threads);
        EQUAL(attribute(106), e.blocks);
        EQUAL(attribute(81), e.shared);
        EQUAL(attribute(97), e.optin);
        EQUAL(attribute(75), e.major);
        EQUAL(attribute(76), e.minor);
        EQUAL(attribute(10), 32);
        EQUAL(attribute(111), 1024);
        char name[64];
        OK(cuDeviceGetName(name, sizeof name, 0));
        CHECK(std::string(name) == std::string("FastNN software device (sm_") + e.sm + ")");
    }
    CHECK(softcudaSet("SOFTCUDA_SM", "75") == 1);
    CHECK(softcudaSet("SOFTCUDA_SM", "80") == 0);
    CHECK(softcudaSet("SOFTCUDA_SMS", "7") == 0);
    int value;
    OK(cuDeviceGetAttribute(&value, 16, 0));
    EQUAL(value, 7);
    CHECK(softcudaSet("SOFTCUDA_SMS", "0") == 0);
    RESULT(cuDeviceGetAttribute(&value, 100000, 0), CUDA_ERROR_INVALID_VALUE);
    RESULT(cuDeviceGetAttribute(&value, 16, 1), CUDA_ERROR_INVALID_DEVICE);
    CUdevice device;
    RESULT(cuDeviceGet(&device, 1), CUDA_ERROR_INVALID_DEVICE);
    OK(cuDeviceGet(&device, 0));
    std::size_t bytes;
    CHECK(softcudaSet("SOFTCUDA_MEMORY", "512M") == 0);
    OK(cuDeviceTotalMem_v2(&bytes, device));
    EQUAL(bytes, 512u << 20);
    CHECK(softcudaSet("SOFTCUDA_MEMORY", "lots") == 1);
    CHECK(softcudaSet("SOFTCUDA_NOTHING", "1") == 1);
    int version;
    OK(cuDriverGetVersion(&version));
    EQUAL(version, 12040);
}

TEST(codesHaveNames) {
    const char* text;
    OK(cuGetErrorName(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, &text));
    CHECK(std::string(text) == "CUDA_ERROR_UNSUPPORTED_PTX_VERSION");
    OK(cuGetErrorString(CUDA_ERROR_OUT_OF_MEMORY, &text));
    CHECK(std::string(text) == "out of memory");
    RESULT(cuGetErrorName(static_cast<CUresult>(12345), &text), CUDA_ERROR_INVALID_VALUE);
    CHECK(text == nullptr);
}

TEST(failuresAreInjected) {
    CHECK(softcudaSet("SOFTCUDA_FAIL", "cuDeviceGetCount:2:999,cuDeviceTotalMem:1:46") == 0);
    int count;
    std::size_t bytes;
    OK(cuDeviceGetCount(&count));
    RESULT(cuDeviceGetCount(&count), 999);
    OK(cuDeviceGetCount(&count));
    RESULT(cuDeviceTotalMem_v2(&bytes, 0), 46);
    OK(cuDeviceTotalMem_v2(&bytes, 0));
    for (const char* wrong : {"cuInit", "cuInit:1", "cuInit:0:1", ":1:1", "cuInit:1:x"}) CHECK(softcudaSet("SOFTCUDA_FAIL", wrong) == 1);
    CHECK(softcudaSet("SOFTCUDA_FAIL", "cuDeviceGetCount:1:2") == 0);
    CHECK(softcudaSet("SOFTCUDA_FAIL", "") == 0);
    OK(cuDeviceGetCount(&count));
}

TEST(callsAreCounted) {
    softcudaResetCounters();
    int count;
    OK(cuDeviceGetCount(&count));
    OK(cuDeviceGetCount(&count));
    EQUAL(harness::counter("cuDeviceGetCount"), 2);
    EQUAL(harness::counter("cuInit"), -1);
}

TEST(entryPointsAreFoundByName) {
    void* function = nullptr;
    int status = -1;
    OK(cuGetProcAddress_v2("cuMemAlloc", &function, 12000, 0, &status));
    CHECK(function == reinterpret_cast<void*>(&cuMemAlloc_v2));
    OK(cuGetProcAddress_v2("cuLaunchKernel", &function, 12000, 0, &status));
    CHECK(function == reinterpret_cast<void*>(&cuLaunchKernel));
    OK(cuGetProcAddress_v2("cuNoSuchThing", &function, 12000, 0, &status));
    EQUAL(status, 1);
    RESULT(cuGetProcAddress("cuNoSuchThing", &function, 12000, 0), CUDA_ERROR_NOT_FOUND);
}

}  // namespace

int main() { return harness::runAll(); }
