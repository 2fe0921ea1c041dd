// Modules, launches, faults, attributes and occupancy.
#include "harness.hpp"
#include "ptx.hpp"

namespace {

CUcontext context;
CUmodule module;

void begin() {
    CHECK(cuInit(0) == CUDA_SUCCESS);
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
    OK(cuModuleLoadData(&module, Ptx));
    softcudaResetCounters();
    softcudaClearFindings();
}

void end() {
    OK(cuModuleUnload(module));
    RESULT(cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
    OK(cuDevicePrimaryCtxRelease_v2(0));
    EQUAL(softcudaFindings(), 0u);
    EQUAL(harness::counter("liveModules"), 0);
    EQUAL(harness::counter("liveAllocations"), 0);
}

CUfunction function(const char* name) {
    CUfunction found = nullptr;
    OK(cuModuleGetFunction(&found, module, name));
    return found;
}

struct Axpy {
    CUdeviceptr y, x;
    float a;
    int n;
};

TEST(modulesAreRefusedWithReasons) {
    begin();
    CUmodule other;
    RESULT(cuModuleLoadData(&other, nullptr), CUDA_ERROR_INVALID_VALUE);
    RESULT(cuModuleLoadData(&other, ""), CUDA_ERROR_INVALID_IMAGE);
    RESULT(cuModuleLoadData(&other, "hello"), CUDA_ERROR_INVALID_IMAGE);
    RESULT(cuModuleLoadData(&other, "\x7f" "ELF\x02\x01"), CUDA_ERROR_NO_BINARY_FOR_GPU);
    RESULT(cuModuleLoadFatBinary(&other, "\x50\xed\x55\xba"), CUDA_ERROR_NO_BINARY_FOR_GPU);
    RESULT(cuModuleLoadData(&other, ".version 8.5\n.target sm_80\n.address_size 64\n"), CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
    RESULT(cuModuleLoadData(&other, ".version 7.8\n.target sm_90\n.address_size 64\n"), CUDA_ERROR_INVALID_PTX);
    RESULT(cuModuleLoadData(&other, ".version 8.0\n.target sm_80a\n.address_size 64\n.bogus\n"), CUDA_ERROR_INVALID_PTX);
    RESULT(cuModuleLoadData(&other, (std::string("\xef\xbb\xbf") + Ptx).c_str()), CUDA_ERROR_INVALID_PTX);
    CHECK(softcudaSet("SOFTCUDA_DRIVER", "11040") == 0);
    RESULT(cuModuleLoadData(&other, ".version 7.5\n.target sm_80\n.address_size 64\n"), CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
    OK(cuModuleLoadData(&other, Ptx));
    OK(cuModuleUnload(other));
    CHECK(softcudaSet("SOFTCUDA_DRIVER", "12040") == 0);
    // The log: its buffer, and its size written back.
    char log[1024] = "", small[8] = "";
    int options[] = {5, 6, 3, 4};
    void* values[] = {log, reinterpret_cast<void*>(sizeof log), small, reinterpret_cast<void*>(sizeof small)};
    std::string wrong = ".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry k()\n{\n    frobnicate.u32 %r1;\n    ret;\n}\n";
    RESULT(cuModuleLoadDataEx(&other, wrong.c_str(), 4, options, values), CUDA_ERROR_INVALID_PTX);
    CHECK(std::string(log).find("line 6") != std::string::npos);
    CHECK(std::string(log).find("frobnicate") != std::string::npos);
    EQUAL(reinterpret_cast<std::size_t>(values[1]), std::strlen(log));
    EQUAL(reinterpret_cast<std::size_t>(values[3]), 0u);
    void* cut[] = {small, reinterpret_cast<void*>(sizeof small)};
    RESULT(cuModuleLoadDataEx(&other, wrong.c_str(), 2, options, cut), CUDA_ERROR_INVALID_PTX);
    EQUAL(std::strlen(small), 7u);
    int unknown[] = {1000};
    RESULT(cuModuleLoadDataEx(&other, Ptx, 1, unknown, values), CUDA_ERROR_INVALID_VALUE);
    end();
}

TEST(functionsAndVariablesAreFound) {
    begin();
    CUfunction f;
    RESULT(cuModuleGetFunction(&f, module, "nothing"), CUDA_ERROR_NOT_FOUND);
    RESULT(cuModuleGetFunction(&f, reinterpret_cast<CUmodule>(64), "axpy"), CUDA_ERROR_INVALID_HANDLE);
    CHECK(function("axpy") == function("axpy"));
    CUdeviceptr address;
    std::size_t bytes;
    OK(cuModuleGetGlobal_v2(&address, &bytes, module, "counter"));
    EQUAL(bytes, 4u);
    RESULT(cuModuleGetGlobal_v2(&address, &bytes, module, "axpy"), CUDA_ERROR_NOT_FOUND);
    OK(cuMemsetD32_v2(address, 77, 1));
    int value = 0;
    OK(cuMemcpyDtoH_v2(&value, address, 4));
    EQUAL(value, 77);
    EQUAL(harness::counter("liveAllocations"), 0);
    end();
}

TEST(kernelsRunAndAreCounted) {
    begin();
    constexpr int N = 1000;
    std::vector<float> x(N), y(N);
    for (int i = 0; i < N; ++i) x[i] = static_cast<float>(i), y[i] = 1;
    CUdeviceptr dx, dy;
    CUstream stream;
    OK(cuMemAlloc_v2(&dx, N * 4));
    OK(cuMemAlloc_v2(&dy, N * 4));
    OK(cuStreamCreate(&stream, 1));
    OK(cuMemcpyHtoDAsync_v2(dx, x.data(), N * 4, stream));
    OK(cuMemcpyHtoDAsync_v2(dy, y.data(), N * 4, stream));
    Axpy arguments{dy, dx, 2.0f, N};
    void* parameters[] = {&arguments};
    OK(cuLaunchKernel(function("axpy"), 4, 1, 1, 256, 1, 1, 0, stream, parameters, nullptr));
    arguments = {};  // copied when the launch was called
    EQUAL(harness::counter("launches"), -1);
    // The other way to pass them.
    Axpy second{dy, dx, 3.0f, N};
    std::size_t size = sizeof second;
    void* extra[] = {reinterpret_cast<void*>(1), &second, reinterpret_cast<void*>(2), &size, nullptr};
    OK(cuLaunchKernel(function("axpy"), 4, 1, 1, 256, 1, 1, 0, stream, nullptr, extra));
    OK(cuMemcpyDtoHAsync_v2(y.data(), dy, N * 4, stream));
    bool right = true;
    for (int i = 0; i < N; ++i) right = right && y[i] == 1 + 5 * x[i];
    CHECK(right);
    EQUAL(harness::counter("launches"), 2);
    EQUAL(harness::counter("blocks"), 8);
    EQUAL(harness::counter("flops"), 4 * N);
    EQUAL(harness::counter("bytesLoaded"), 2 * 2 * 4 * N);
    EQUAL(harness::counter("footprintStored"), 2 * N / 8);
    CHECK(harness::counters().find("\"library\": false") != std::string::npos);
    EQUAL(softcudaFindings(), 0u);
    OK(cuMemFree_v2(dx));
    OK(cuMemFree_v2(dy));
    OK(cuStreamDestroy_v2(stream));
    end();
}

TEST(launchesAreChecked) {
    begin();
    CUfunction axpy = function("axpy"), bounded = function("bounded"), sharing = function("sharing");
    Axpy arguments{};
    void* parameters[] = {&arguments};
    void* none[] = {nullptr};
    auto launch = [&](CUfunction f, unsigned gx, unsigned gy, unsigned bx, unsigned bz, unsigned shared, void** p) {
        return cuLaunchKernel(f, gx, gy, 1, bx, 1, bz, shared, nullptr, p, nullptr);
    };
    RESULT(launch(reinterpret_cast<CUfunction>(64), 1, 1, 32, 1, 0, parameters), CUDA_ERROR_INVALID_HANDLE);
    RESULT(launch(axpy, 0, 1, 32, 1, 0, parameters), CUDA_ERROR_INVALID_VALUE);
    RESULT(launch(axpy, 1, 65536, 32, 1, 0, parameters), CUDA_ERROR_INVALID_VALUE);
    RESULT(launch(axpy, 0x80000000u, 1, 32, 1, 0, parameters), CUDA_ERROR_INVALID_VALUE);
    RESULT(launch(axpy, 1, 1, 1025, 1, 0, parameters), CUDA_ERROR_INVALID_VALUE);
    RESULT(launch(axpy, 1, 1, 1, 65, 0, parameters), CUDA_ERROR_INVALID_VALUE);
    RESULT(launch(axpy, 1, 1, 64, 32, 0, parameters), CUDA_ERROR_INVALID_VALUE);
    RESULT(launch(axpy, 1, 1, 32, 1, 0, nullptr), CUDA_ERROR_INVALID_VALUE);
    RESULT(launch(axpy, 1, 1, 32, 1, 0, none), CUDA_ERROR_INVALID_VALUE);
    RESULT(launch(bounded, 1, 1, 129, 1, 0, nullptr), CUDA_ERROR_INVALID_VALUE);
    OK(launch(bounded, 1, 1, 128, 1, 0, nullptr));
    RESULT(launch(bounded, 1, 1, 128, 1, 49153, nullptr), CUDA_ERROR_INVALID_VALUE);
    OK(launch(sharing, 1, 1, 1, 1, 32768, nullptr));
    RESULT(launch(sharing, 1, 1, 1, 1, 32769, nullptr), CUDA_ERROR_INVALID_VALUE);
    RESULT(cuFuncSetAttribute(sharing, 8, 166912 - 16384 + 1), CUDA_ERROR_INVALID_VALUE);
    OK(cuFuncSetAttribute(sharing, 8, 166912 - 16384));
    OK(launch(sharing, 1, 1, 1, 1, 166912 - 16384, nullptr));
    RESULT(cuFuncSetAttribute(sharing, 1, 5), CUDA_ERROR_INVALID_VALUE);
    RESULT(cuLaunchKernel(axpy, 1, 1, 1, 1, 1, 1, 0, reinterpret_cast<CUstream>(64), parameters, nullptr), CUDA_ERROR_INVALID_HANDLE);
    OK(cuLaunchCooperativeKernel(bounded, 108 * 16, 1, 1, 128, 1, 1, 0, nullptr, nullptr));
    RESULT(cuLaunchCooperativeKernel(bounded, 108 * 16 + 1, 1, 1, 128, 1, 1, 0, nullptr, nullptr), CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
    OK(cuCtxSynchronize());
    CUmodule big;
    CUfunction hungry;
    OK(cuModuleLoadData(&big, hungryKernel(100).c_str()));
    OK(cuModuleGetFunction(&hungry, big, "hungry"));
    void* address[] = {&arguments};
    RESULT(launch(hungry, 1, 1, 1024, 1, 0, address), CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
    OK(cuModuleUnload(big));
    // Told of so many threads, a compiler leaves each as many registers as there are.
    OK(cuModuleLoadData(&big, hungryKernel(100, ".maxntid 1024, 1, 1\n").c_str()));
    OK(cuModuleGetFunction(&hungry, big, "hungry"));
    int registers = 0;
    OK(cuFuncGetAttribute(&registers, 4, hungry));
    EQUAL(registers, 64);
    OK(cuModuleUnload(big));
    end();
}

TEST(functionsHaveAttributes) {
    begin();
    auto attribute = [](CUfunction f, int number) {
        int value = -1;
        OK(cuFuncGetAttribute(&value, number, f));
        return value;
    };
    EQUAL(attribute(function("bounded"), 0), 128);
    EQUAL(attribute(function("axpy"), 0), 1024);
    EQUAL(attribute(function("sharing"), 1), 16384);
    EQUAL(attribute(function("sharing"), 8), 32768);
    EQUAL(attribute(function("axpy"), 3), 0);
    CHECK(attribute(function("axpy"), 4) >= 16);
    EQUAL(attribute(function("axpy"), 5), 80);
    EQUAL(attribute(function("axpy"), 6), 80);
    int value;
    RESULT(cuFuncGetAttribute(&value, 99, function("axpy")), CUDA_ERROR_INVALID_VALUE);
    OK(cuFuncSetCacheConfig(function("axpy"), 1));
    OK(cuFuncLoad(function("axpy")));
    end();
}

// Limits from the table of compute capabilities: threads and blocks of a multiprocessor, and its shared memory less 1 KiB a block.
struct Occupied {
    const char* sm;
    int threads;
    std::size_t shared;
    int blocks;
};

TEST(occupancyIsThePublishedOne) {
    for (const Occupied& e :
         {Occupied{"80", 32, 0, 32}, Occupied{"80", 128, 0, 16}, Occupied{"80", 256, 0, 8}, Occupied{"80", 1024, 0, 2},
          Occupied{"80", 33, 0, 32}, Occupied{"80", 96, 0, 21}, Occupied{"80", 128, 48 << 10, 3}, Occupied{"80", 128, 163 << 10, 1},
          Occupied{"80", 128, 16 << 10, 9}, Occupied{"86", 32, 0, 16}, Occupied{"86", 256, 0, 6}, Occupied{"86", 1024, 0, 1},
          Occupied{"86", 768, 0, 2}, Occupied{"86", 128, 48 << 10, 2}, Occupied{"86", 128, 99 << 10, 1}, Occupied{"89", 32, 0, 24},
          Occupied{"89", 64, 0, 24}, Occupied{"89", 512, 0, 3}, Occupied{"90", 32, 0, 32}, Occupied{"90", 1024, 0, 2},
          Occupied{"90", 128, 48 << 10, 4}, Occupied{"90", 128, 227 << 10, 1}}) {
        CHECK(softcudaSet("SOFTCUDA_SM", e.sm) == 0);
        begin();
        CUfunction f = function("axpy");
        if (e.shared > 48 << 10) {
            int blocks = -1;
            OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, f, e.threads, e.shared));
            EQUAL(blocks, 0);  // not without opting in
            OK(cuFuncSetAttribute(f, 8, static_cast<int>(e.shared)));
        }
        int blocks = -1;
        OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, f, e.threads, e.shared));
        if (!EQUAL(blocks, e.blocks)) std::printf("  sm_%s, %d threads, %zu bytes\n", e.sm, e.threads, e.shared);
        end();
    }
    CHECK(softcudaSet("SOFTCUDA_SM", "80") == 0);
    begin();
    int grid, block;
    OK(cuOccupancyMaxPotentialBlockSize(&grid, &block, function("axpy"), nullptr, 0, 0));
    EQUAL(block, 1024);
    EQUAL(grid, 216);
    OK(cuOccupancyMaxPotentialBlockSize(&grid, &block, function("axpy"), nullptr, 0, 200));
    EQUAL(block, 128);  // 192 and 200 threads leave warps of a multiprocessor idle
    OK(cuOccupancyMaxPotentialBlockSize(&grid, &block, function("bounded"), nullptr, 0, 0));
    EQUAL(block, 128);
    auto sharedOf = [](int threads) { return static_cast<std::size_t>(threads) * 64; };
    OK(cuOccupancyMaxPotentialBlockSize(&grid, &block, function("axpy"), sharedOf, 0, 0));
    EQUAL(block, 512);  // 768 threads would have 48 KiB, but only two such blocks have room for their threads
    std::size_t bytes;
    OK(cuOccupancyAvailableDynamicSMemPerBlock(&bytes, function("axpy"), 2, 128));
    EQUAL(bytes, 81u << 10);
    RESULT(cuOccupancyMaxActiveBlocksPerMultiprocessor(&grid, function("axpy"), 0, 0), CUDA_ERROR_INVALID_VALUE);
    end();
}

/// Runs a kernel that faults; the driver then refuses all work, in a new context too, until the process starts anew.
void faults(const char* name, CUdeviceptr offset, CUresult expected) {
    begin();
    CUdeviceptr address;
    OK(cuMemAlloc_v2(&address, 64));
    CUdeviceptr target = address + offset;
    unsigned value = 1;
    void* parameters[] = {&target, &value};
    bool stores = std::strcmp(name, "store") == 0;
    OK(cuLaunchKernel(function(name), 1, 1, 1, 1, 1, 1, 0, nullptr, stores ? parameters : nullptr, nullptr));
    RESULT(cuCtxSynchronize(), expected);
    RESULT(cuCtxSynchronize(), expected);
    RESULT(cuMemFree_v2(address), expected);
    CUfunction f;
    RESULT(cuModuleGetFunction(&f, module, "axpy"), expected);
    CUdevice device;
    OK(cuDeviceGet(&device, 0));
    EQUAL(softcudaFindings(), 1u);
    CHECK(harness::findings().find(name) != std::string::npos);
    softcudaClearFindings();
    OK(cuDevicePrimaryCtxRelease_v2(0));
    EQUAL(harness::counter("liveAllocations"), 0);
    EQUAL(harness::counter("liveModules"), 0);
    CUcontext another;
    RESULT(cuDevicePrimaryCtxRetain(&another, device), expected);
    RESULT(cuCtxCreate_v2(&another, 0, device), expected);
    CHECK(softcudaSet("SOFTCUDA_RESTART", "1") == 0);
    begin();
    OK(cuCtxSynchronize());
    end();
}

TEST(faultsStick) {
    faults("store", 64, CUDA_ERROR_ILLEGAL_ADDRESS);
    faults("store", 2, CUDA_ERROR_MISALIGNED_ADDRESS);
    faults("stop", 0, CUDA_ERROR_LAUNCH_FAILED);
}

TEST(uninitialisedReadsDoNotFail) {
    begin();
    CUdeviceptr x, y;
    OK(cuMemAlloc_v2(&x, 64));
    OK(cuMemAlloc_v2(&y, 64));
    OK(cuMemsetD8_v2(y, 0, 64));
    Axpy arguments{y, x, 1.0f, 16};
    void* parameters[] = {&arguments};
    OK(cuLaunchKernel(function("axpy"), 1, 1, 1, 32, 1, 1, 0, nullptr, parameters, nullptr));
    OK(cuCtxSynchronize());
    EQUAL(softcudaFindings(), 1u);
    CHECK(harness::findings().find("uninitialised") != std::string::npos);
    softcudaClearFindings();
    OK(cuMemFree_v2(x));
    OK(cuMemFree_v2(y));
    end();
}

TEST(kernelsAreCaptured) {
    begin();
    CUdeviceptr address;
    CUstream stream;
    OK(cuMemAlloc_v2(&address, 4));
    OK(cuStreamCreate(&stream, 1));
    unsigned value = 42;
    void* parameters[] = {&address, &value};
    CUfunction store = function("store");
    CUmodule other;
    OK(cuStreamBeginCapture_v2(stream, 1));
    RESULT(cuModuleLoadData(&other, Ptx), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    CUgraph graph;
    RESULT(cuStreamEndCapture(stream, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    OK(cuStreamBeginCapture_v2(stream, 1));
    OK(cuLaunchKernel(store, 1, 1, 1, 1, 1, 1, 0, stream, parameters, nullptr));
    OK(cuStreamEndCapture(stream, &graph));
    CUgraphExec exec;
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    value = 43;
    OK(cuGraphLaunch(exec, stream));
    int result = 0;
    OK(cuMemcpyDtoHAsync_v2(&result, address, 4, stream));
    EQUAL(result, 42);
    CUgraph changed;
    OK(cuStreamBeginCapture_v2(stream, 1));
    OK(cuLaunchKernel(store, 1, 1, 1, 1, 1, 1, 0, stream, parameters, nullptr));
    OK(cuStreamEndCapture(stream, &changed));
    CUgraphExecUpdateResultInfo info;
    OK(cuGraphExecUpdate_v2(exec, changed, &info));
    OK(cuGraphLaunch(exec, stream));
    OK(cuMemcpyDtoHAsync_v2(&result, address, 4, stream));
    EQUAL(result, 43);
    OK(cuGraphExecDestroy(exec));
    OK(cuGraphDestroy(graph));
    OK(cuGraphDestroy(changed));
    OK(cuMemFree_v2(address));
    OK(cuStreamDestroy_v2(stream));
    end();
}

}  // namespace

int main() { return harness::runAll(); }
