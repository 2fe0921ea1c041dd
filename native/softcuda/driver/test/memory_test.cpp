// Allocation, pools, copies, and that execution is deferred.
#include <thread>

#include "harness.hpp"

namespace {

CUcontext context;

void begin() {
    CHECK(cuInit(0) == CUDA_SUCCESS);
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
    softcudaResetCounters();
    softcudaClearFindings();
}

void end() {
    OK(cuDevicePrimaryCtxRelease_v2(0));
    EQUAL(harness::counter("liveAllocations"), 0);
    EQUAL(harness::counter("liveStreams"), 0);
    EQUAL(harness::counter("pinnedBlocks"), 0);
}

int* pinned(std::size_t count) {
    void* memory = nullptr;
    OK(cuMemHostAlloc(&memory, count * sizeof(int), 0));
    return static_cast<int*>(memory);
}

TEST(allocationsAreCounted) {
    CHECK(softcudaSet("SOFTCUDA_MEMORY", "64M") == 0);
    begin();
    CUdeviceptr a, b;
    RESULT(cuMemAlloc_v2(&a, 0), CUDA_ERROR_INVALID_VALUE);
    OK(cuMemAlloc_v2(&a, 1000));
    CHECK(a % 256 == 0);
    RESULT(cuMemAlloc_v2(&b, 65 << 20), CUDA_ERROR_OUT_OF_MEMORY);
    OK(cuMemAlloc_v2(&b, 32 << 20));
    std::size_t free, total;
    OK(cuMemGetInfo_v2(&free, &total));
    EQUAL(total, 64u << 20);
    EQUAL(free, (32u << 20) - 1000);
    CUdeviceptr c;
    RESULT(cuMemAlloc_v2(&c, 32 << 20), CUDA_ERROR_OUT_OF_MEMORY);
    EQUAL(harness::counter("allocations"), 2);
    EQUAL(harness::counter("liveBytes"), (32 << 20) + 1000);
    CHECK(softcudaSet("SOFTCUDA_MEMORY", "128M") == 1);
    CHECK(softcudaSet("SOFTCUDA_SM", "90") == 1);
    RESULT(cuMemFree_v2(a + 4), CUDA_ERROR_INVALID_VALUE);
    OK(cuMemFree_v2(a));
    RESULT(cuMemFree_v2(a), CUDA_ERROR_INVALID_VALUE);
    OK(cuMemFree_v2(b));
    OK(cuMemFree_v2(0));
    EQUAL(harness::counter("frees"), 2);
    EQUAL(harness::counter("peakBytes"), (32 << 20) + 1000);
    end();
    CHECK(softcudaSet("SOFTCUDA_MEMORY", "256M") == 0);
}

TEST(pointersKnowWhatTheyAre) {
    begin();
    CUdeviceptr a, base;
    std::size_t size;
    OK(cuMemAlloc_v2(&a, 4096));
    unsigned type = 0;
    OK(cuPointerGetAttribute(&type, 2, a + 100));
    EQUAL(type, 2u);
    OK(cuPointerGetAttribute(&base, 11, a + 100));
    EQUAL(base, a);
    OK(cuMemGetAddressRange_v2(&base, &size, a + 4095));
    EQUAL(size, 4096u);
    int* host = pinned(4);
    OK(cuPointerGetAttribute(&type, 2, reinterpret_cast<CUdeviceptr>(host)));
    EQUAL(type, 1u);
    int local;
    RESULT(cuPointerGetAttribute(&type, 2, reinterpret_cast<CUdeviceptr>(&local)), CUDA_ERROR_INVALID_VALUE);
    OK(cuMemFreeHost(host));
    OK(cuMemFree_v2(a));
    end();
}

TEST(hostMemoryRegisters) {
    begin();
    std::vector<int> data(1000);
    OK(cuMemHostRegister_v2(data.data(), 4000, 0));
    RESULT(cuMemHostRegister_v2(data.data() + 10, 40, 0), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
    RESULT(cuMemFreeHost(data.data()), CUDA_ERROR_INVALID_VALUE);
    OK(cuMemHostUnregister(data.data()));
    RESULT(cuMemHostUnregister(data.data()), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
    void* none;
    RESULT(cuMemHostAlloc(&none, 0, 0), CUDA_ERROR_INVALID_VALUE);
    RESULT(cuMemHostAlloc(&none, 4, 8), CUDA_ERROR_INVALID_VALUE);
    end();
}

TEST(poolsAccountForTheirMemory) {
    begin();
    CUmemoryPool pool, current;
    OK(cuDeviceGetDefaultMemPool(&pool, 0));
    OK(cuDeviceGetMemPool(&current, 0));
    CHECK(pool == current);
    auto attribute = [&](int number) {
        std::uint64_t value = ~0ull;
        OK(cuMemPoolGetAttribute(pool, number, &value));
        return value;
    };
    std::uint64_t keep = 1ull << 40, none = 0;
    OK(cuMemPoolSetAttribute(pool, 4, &keep));
    CUstream stream;
    OK(cuStreamCreate(&stream, 0));
    CUdeviceptr a;
    OK(cuMemAllocAsync(&a, 3 << 20, stream));
    EQUAL(attribute(7), 3u << 20);
    EQUAL(attribute(5), 4u << 20);
    RESULT(cuMemFreeAsync(a + 1, stream), CUDA_ERROR_INVALID_VALUE);
    OK(cuMemFreeAsync(a, stream));
    RESULT(cuMemFreeAsync(a, stream), CUDA_ERROR_INVALID_VALUE);
    EQUAL(attribute(7), 3u << 20);  // the stream has not come to it yet
    OK(cuStreamSynchronize(stream));
    EQUAL(attribute(7), 0u);
    EQUAL(attribute(8), 3u << 20);
    EQUAL(attribute(5), 4u << 20);
    std::size_t free, total;
    OK(cuMemGetInfo_v2(&free, &total));
    EQUAL(total - free, 4u << 20);
    OK(cuMemPoolTrimTo(pool, 0));
    EQUAL(attribute(5), 0u);
    OK(cuMemPoolSetAttribute(pool, 4, &none));
    OK(cuMemAllocAsync(&a, 100, stream));
    OK(cuMemFreeAsync(a, stream));
    OK(cuStreamSynchronize(stream));
    EQUAL(attribute(5), 0u);
    OK(cuMemPoolSetAttribute(pool, 8, &none));
    EQUAL(attribute(8), 0u);
    keep = 5;
    RESULT(cuMemPoolSetAttribute(pool, 8, &keep), CUDA_ERROR_INVALID_VALUE);
    int reuse = -1;
    OK(cuMemPoolGetAttribute(pool, 1, &reuse));
    EQUAL(reuse, 1);
    // Memory that waits to be freed is no reason to fail.
    OK(cuMemAllocAsync(&a, 200 << 20, stream));
    OK(cuMemFreeAsync(a, stream));
    OK(cuMemAllocAsync(&a, 200 << 20, stream));
    OK(cuMemFree_v2(a));
    // A pool of the program's own, with a limit.
    CUmemPoolProps properties{};
    properties.allocType = 1;
    properties.location = {1, 0};
    properties.maxSize = 1 << 20;
    OK(cuMemPoolCreate(&current, &properties));
    RESULT(cuMemAllocFromPoolAsync(&a, 2 << 20, current, stream), CUDA_ERROR_OUT_OF_MEMORY);
    OK(cuMemAllocFromPoolAsync(&a, 1 << 20, current, stream));
    OK(cuMemFreeAsync(a, stream));
    OK(cuStreamSynchronize(stream));
    OK(cuMemPoolDestroy(current));
    RESULT(cuMemPoolDestroy(pool), CUDA_ERROR_INVALID_VALUE);
    OK(cuStreamDestroy_v2(stream));
    end();
}

TEST(copiesMoveAndCount) {
    begin();
    CUdeviceptr a, b;
    OK(cuMemAlloc_v2(&a, 400));
    OK(cuMemAlloc_v2(&b, 400));
    std::vector<int> in(100), out(100);
    for (int i = 0; i < 100; ++i) in[i] = i * 3;
    OK(cuMemcpyHtoD_v2(a, in.data(), 400));
    OK(cuMemcpyDtoD_v2(b, a, 400));
    OK(cuMemsetD32_v2(b + 40, 7, 10));
    OK(cuMemsetD16_v2(b, 0x0102, 2));
    OK(cuMemsetD8_v2(b + 4, 9, 4));
    OK(cuMemcpyDtoH_v2(out.data(), b, 400));
    EQUAL(out[0], 0x01020102);
    EQUAL(out[1], 0x09090909);
    EQUAL(out[2], 6);
    EQUAL(out[10], 7);
    EQUAL(out[19], 7);
    EQUAL(out[99], 297);
    EQUAL(harness::transfers("hostToDevice", "bytes"), 400);
    EQUAL(harness::transfers("deviceToHost", "count"), 1);
    EQUAL(harness::transfers("deviceToDevice", "bytes"), 400);
    EQUAL(harness::transfers("memset", "count"), 3);
    EQUAL(harness::transfers("memset", "bytes"), 48);
    EQUAL(harness::counter("synchronisations"), 2);
    EQUAL(softcudaFindings(), 0u);
    RESULT(cuMemsetD32_v2(b + 2, 7, 1), CUDA_ERROR_INVALID_VALUE);
    RESULT(cuMemcpyHtoD_v2(a, nullptr, 4), CUDA_ERROR_INVALID_VALUE);
    OK(cuMemcpyHtoD_v2(a, in.data(), 0));
    EQUAL(softcudaFindings(), 0u);
    OK(cuMemFree_v2(a));
    OK(cuMemFree_v2(b));
    end();
}

TEST(copiesAreChecked) {
    begin();
    CUdeviceptr a;
    OK(cuMemAlloc_v2(&a, 400));
    std::vector<int> host(200);
    RESULT(cuMemcpyHtoD_v2(a, host.data(), 404), CUDA_ERROR_INVALID_VALUE);
    CHECK(harness::findings().find("cuMemcpyHtoD") != std::string::npos);
    RESULT(cuMemcpyDtoH_v2(host.data(), a + 400, 4), CUDA_ERROR_INVALID_VALUE);
    RESULT(cuMemcpyDtoH_v2(host.data(), 0x1234, 4), CUDA_ERROR_INVALID_VALUE);
    EQUAL(softcudaFindings(), 3u);
    softcudaClearFindings();
    // Bytes that nothing wrote: no error to CUDA, and a finding here.
    OK(cuMemsetD8_v2(a, 0, 399));
    OK(cuMemcpyDtoH_v2(host.data(), a, 399));
    EQUAL(softcudaFindings(), 0u);
    OK(cuMemcpyDtoH_v2(host.data(), a, 400));
    EQUAL(softcudaFindings(), 1u);
    CHECK(harness::findings().find("byte 399") != std::string::npos);
    softcudaClearFindings();
    CHECK(softcudaSet("SOFTCUDA_CHECKS", "0") == 0);
    OK(cuMemcpyDtoH_v2(host.data(), a, 400));
    CHECK(softcudaSet("SOFTCUDA_CHECKS", "1") == 0);
    EQUAL(softcudaFindings(), 0u);
    OK(cuMemFree_v2(a));
    end();
}

TEST(executionIsDeferred) {
    begin();
    CUdeviceptr a;
    CUstream stream;
    OK(cuMemAlloc_v2(&a, 400));
    OK(cuStreamCreate(&stream, 0));
    int *in = pinned(100), *out = pinned(100);
    in[0] = 1;
    out[0] = -1;
    int pageable = 5;
    OK(cuMemcpyHtoDAsync_v2(a, in, 4, stream));
    OK(cuMemcpyHtoDAsync_v2(a + 4, &pageable, 4, stream));
    OK(cuMemcpyDtoHAsync_v2(out, a, 8, stream));
    in[0] = 2;     // read when the copy runs: page-locked
    pageable = 6;  // staged when the copy was called
    EQUAL(out[0], -1);
    EQUAL(harness::transfers("hostToDevice", "count"), 0);
    OK(cuStreamSynchronize(stream));
    EQUAL(out[0], 2);
    EQUAL(out[1], 5);
    // A query makes progress, one item at a time.
    OK(cuMemsetD32Async(a, 11, 1, stream));
    OK(cuMemcpyDtoHAsync_v2(out, a, 4, stream));
    RESULT(cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
    RESULT(cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
    OK(cuStreamQuery(stream));
    EQUAL(out[0], 11);
    // Into pageable memory an asynchronous copy waits.
    int result = 0;
    OK(cuMemsetD32Async(a, 12, 1, stream));
    OK(cuMemcpyDtoHAsync_v2(&result, a, 4, stream));
    EQUAL(result, 12);
    // Freeing synchronises.
    OK(cuMemcpyDtoHAsync_v2(out, a, 4, stream));
    OK(cuMemFree_v2(a));
    EQUAL(out[0], 12);
    OK(cuMemFreeHost(in));
    OK(cuMemFreeHost(out));
    OK(cuStreamDestroy_v2(stream));
    end();
}

TEST(manyPendingItemsRun) {
    begin();
    CUdeviceptr a;
    OK(cuMemAlloc_v2(&a, 4));
    CUstream stream;
    OK(cuStreamCreate(&stream, 1));
    for (int i = 0; i < 4096; ++i) OK(cuMemsetD32Async(a, 1, 1, stream));
    EQUAL(harness::transfers("memset", "count"), 0);
    OK(cuMemsetD32Async(a, 1, 1, stream));
    EQUAL(harness::transfers("memset", "count"), 1);
    OK(cuStreamDestroy_v2(stream));
    RESULT(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
    OK(cuCtxSynchronize());
    EQUAL(harness::transfers("memset", "count"), 4097);
    OK(cuMemFree_v2(a));
    end();
}

TEST(whatIsFreedTooEarlyFaults) {
    begin();
    CUdeviceptr a;
    CUstream stream, other;
    OK(cuStreamCreate(&stream, 1));
    OK(cuStreamCreate(&other, 1));
    OK(cuMemAllocAsync(&a, 4, stream));
    OK(cuMemsetD32Async(a, 1, 1, stream));
    OK(cuStreamSynchronize(stream));
    // The free is in another stream than the use, and nothing orders them: here the free comes first.
    OK(cuMemFreeAsync(a, other));
    OK(cuMemsetD32Async(a, 2, 1, stream));
    OK(cuStreamSynchronize(other));
    (void)cuStreamSynchronize(stream);
    if (softcudaFindings()) RESULT(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK(softcudaSet("SOFTCUDA_RESTART", "1") == 0);
    OK(cuDevicePrimaryCtxReset_v2(0));
    OK(cuCtxSynchronize());
    softcudaClearFindings();
    end();
}

TEST(leaksAreFound) {
    begin();
    CUdeviceptr a;
    CUstream stream;
    OK(cuMemAlloc_v2(&a, 123));
    OK(cuStreamCreate(&stream, 0));
    OK(cuDevicePrimaryCtxRelease_v2(0));
    EQUAL(softcudaFindings(), 1u);
    CHECK(harness::findings().find("1 device allocations (123 bytes), 1 streams") != std::string::npos);
    softcudaClearFindings();
    begin();
    end();
    EQUAL(softcudaFindings(), 0u);
}

}  // namespace

int main() { return harness::runAll(); }
