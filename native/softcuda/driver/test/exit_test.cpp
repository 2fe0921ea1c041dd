// Ends with everything still alive. CTest sets the environment, and looks for the finding that libcuda.so.1 prints at exit.
#include "harness.hpp"

int main() {
    int count, sm;
    OK(cuInit(0));
    RESULT(cuDeviceGetCount(&count), 46);  // SOFTCUDA_FAIL
    OK(cuDeviceGetCount(&count));
    OK(cuDeviceGetAttribute(&sm, 75, 0));
    EQUAL(sm, 9);  // SOFTCUDA_SM
    CUcontext context;
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
    CUdeviceptr address;
    RESULT(cuMemAlloc_v2(&address, 2 << 20), CUDA_ERROR_OUT_OF_MEMORY);  // SOFTCUDA_MEMORY
    OK(cuMemAlloc_v2(&address, 1000));
    CUevent event;
    OK(cuEventCreate(&event, 0));
    std::printf("%d failures\n", harness::failures);
    return harness::failures == 0 ? 0 : 1;
}
