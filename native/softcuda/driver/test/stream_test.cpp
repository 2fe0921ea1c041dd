// Order within and across streams, events, host functions, library work.
#include <atomic>
#include <thread>

#include "harness.hpp"
#include "host_work.hpp"

namespace {

CUcontext context;
CUdeviceptr memory;
int* host;

void begin() {
    CHECK(cuInit(0) == CUDA_SUCCESS);
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
    OK(cuMemAlloc_v2(&memory, 4096));
    void* pinned;
    OK(cuMemHostAlloc(&pinned, 4096, 0));
    host = static_cast<int*>(pinned);
    std::memset(host, 0, 4096);
    softcudaResetCounters();
    softcudaClearFindings();
}

void end() {
    OK(cuMemFree_v2(memory));
    OK(cuMemFreeHost(host));
    OK(cuDevicePrimaryCtxRelease_v2(0));
    EQUAL(softcudaFindings(), 0u);
    EQUAL(harness::counter("liveStreams"), 0);
    EQUAL(harness::counter("liveEvents"), 0);
}

TEST(eventsOrderStreams) {
    for (const char* seed : {"0", "1", "2", "3", "4", "5", "6", "7"}) {
        CHECK(softcudaSet("SOFTCUDA_SEED", seed) == 0);
        begin();
        CUstream a, b;
        CUevent event;
        OK(cuStreamCreate(&a, 1));
        OK(cuStreamCreate(&b, 1));
        OK(cuEventCreate(&event, 2));
        OK(cuStreamWaitEvent(b, event, 0));  // never recorded: nothing to wait for
        for (int i = 0; i < 10; ++i) OK(cuMemsetD32Async(memory, static_cast<unsigned>(i), 1, a));
        OK(cuEventRecord(event, a));
        OK(cuMemsetD32Async(memory + 4, 1, 1, a));
        OK(cuStreamWaitEvent(b, event, 0));
        OK(cuEventRecord(event, a));  // the wait is for the record before
        OK(cuMemcpyDtoHAsync_v2(host, memory, 4, b));
        OK(cuStreamSynchronize(b));
        EQUAL(host[0], 9);
        OK(cuEventSynchronize(event));
        OK(cuEventQuery(event));
        OK(cuStreamDestroy_v2(a));
        OK(cuStreamDestroy_v2(b));
        OK(cuEventDestroy_v2(event));
        RESULT(cuEventDestroy_v2(event), CUDA_ERROR_INVALID_HANDLE);
        end();
    }
}

TEST(withoutAnEventSomeSeedShowsTheRace) {
    int stale = 0, fresh = 0;
    for (int seed = 0; seed < 40; ++seed) {
        CHECK(softcudaSet("SOFTCUDA_SEED", std::to_string(seed).c_str()) == 0);
        begin();
        CUstream a, b;
        OK(cuStreamCreate(&a, 1));
        OK(cuStreamCreate(&b, 1));
        OK(cuMemsetD32Async(memory, 1, 1, a));
        OK(cuStreamSynchronize(a));
        OK(cuMemsetD32Async(memory, 2, 1, a));
        OK(cuMemcpyDtoHAsync_v2(host, memory, 4, b));
        OK(cuStreamSynchronize(b));
        ++(host[0] == 1 ? stale : fresh);
        OK(cuCtxSynchronize());
        OK(cuStreamDestroy_v2(a));
        OK(cuStreamDestroy_v2(b));
        end();
    }
    CHECK(stale > 0);
    CHECK(fresh > 0);
    CHECK(softcudaSet("SOFTCUDA_SEED", "0") == 0);
}

TEST(theLegacyStreamOrdersBlockingStreams) {
    begin();
    CUstream blocking, free;
    OK(cuStreamCreate(&blocking, 0));
    OK(cuStreamCreate(&free, 1));
    OK(cuMemsetD32Async(memory, 1, 1, blocking));
    OK(cuMemsetD32Async(memory + 4, 1, 1, free));
    OK(cuMemcpyDtoHAsync_v2(host, memory, 4, nullptr));
    OK(cuMemsetD32Async(memory, 2, 1, blocking));
    OK(cuStreamSynchronize(blocking));  // forces the copy in the legacy stream, and what that one waits for
    EQUAL(host[0], 1);
    int result = 0;
    OK(cuMemcpyDtoH_v2(&result, memory, 4));
    EQUAL(result, 2);
    OK(cuStreamSynchronize(free));
    OK(cuStreamDestroy_v2(blocking));
    OK(cuStreamDestroy_v2(free));
    end();
}

TEST(perThreadStreamsDiffer) {
    begin();
    OK(cuMemsetD32Async_ptsz(memory, 3, 1, nullptr));
    std::thread([] {
        OK(cuCtxSetCurrent(context));
        OK(cuStreamQuery_ptsz(nullptr));
    }).join();
    RESULT(cuStreamQuery_ptsz(nullptr), CUDA_ERROR_NOT_READY);
    int result = 0;
    OK(cuMemcpyDtoH_v2_ptds(&result, memory, 4));
    EQUAL(result, 3);
    end();
}

TEST(eventsMeasureTime) {
    begin();
    CUevent start, stop, untimed;
    OK(cuEventCreate(&start, 0));
    OK(cuEventCreate(&stop, 1));
    OK(cuEventCreate(&untimed, 2));
    RESULT(cuEventCreate(&start, 4), CUDA_ERROR_INVALID_VALUE);
    float time = -1;
    RESULT(cuEventElapsedTime(&time, start, stop), CUDA_ERROR_INVALID_HANDLE);
    OK(cuEventQuery(start));
    OK(cuEventRecord(start, nullptr));
    OK(cuLaunchHostFunc(nullptr, [](void*) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }, nullptr));
    OK(cuEventRecord(stop, nullptr));
    OK(cuEventRecord(untimed, nullptr));
    RESULT(cuEventElapsedTime(&time, start, stop), CUDA_ERROR_NOT_READY);
    RESULT(cuEventQuery(stop), CUDA_ERROR_NOT_READY);
    OK(cuEventSynchronize(stop));
    OK(cuEventElapsedTime(&time, start, stop));
    CHECK(time >= 5 && time < 5000);
    OK(cuStreamSynchronize(nullptr));
    RESULT(cuEventElapsedTime(&time, start, untimed), CUDA_ERROR_INVALID_HANDLE);
    for (CUevent event : {start, stop, untimed}) OK(cuEventDestroy_v2(event));
    end();
}

TEST(prioritiesAreClamped) {
    begin();
    int least, greatest, priority;
    OK(cuCtxGetStreamPriorityRange(&least, &greatest));
    EQUAL(least, 0);
    EQUAL(greatest, -5);
    CUstream stream;
    OK(cuStreamCreateWithPriority(&stream, 1, -100));
    OK(cuStreamGetPriority(stream, &priority));
    EQUAL(priority, -5);
    RESULT(cuStreamCreate(&stream, 2), CUDA_ERROR_INVALID_VALUE);
    OK(cuStreamDestroy_v2(stream));
    RESULT(cuStreamDestroy_v2(stream), CUDA_ERROR_INVALID_HANDLE);
    end();
}

TEST(hostFunctionsRunInOrderAndMayNotCall) {
    begin();
    static int calls, refused;
    calls = refused = 0;
    OK(cuMemsetD32Async(memory, 1, 1, nullptr));
    OK(cuLaunchHostFunc(
        nullptr,
        [](void* data) {
            calls += *static_cast<int*>(data);
            refused = cuCtxSynchronize();
        },
        host));
    host[0] = 7;
    EQUAL(calls, 0);
    OK(cuCtxSynchronize());
    EQUAL(calls, 7);
    EQUAL(refused, static_cast<int>(CUDA_ERROR_NOT_PERMITTED));
    RESULT(cuLaunchHostFunc(nullptr, nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
    end();
}

TEST(otherThreadsCallWhileAHostFunctionRuns) {
    begin();
    static std::atomic<int> state;
    state = 0;
    CUstream slow, quick;
    OK(cuStreamCreate(&slow, 1));
    OK(cuStreamCreate(&quick, 1));
    OK(cuLaunchHostFunc(
        slow,
        [](void*) {
            state = 1;
            while (state == 1) std::this_thread::yield();
        },
        nullptr));
    OK(cuMemsetD32Async(memory, 5, 1, slow));
    std::thread waiter([&] {
        OK(cuCtxSetCurrent(context));
        OK(cuStreamSynchronize(slow));
    });
    while (state == 0) std::this_thread::yield();
    OK(cuMemsetD32Async(memory + 4, 6, 1, quick));
    OK(cuStreamSynchronize(quick));
    EQUAL(harness::transfers("memset", "count"), 1);
    state = 2;
    waiter.join();
    EQUAL(harness::transfers("memset", "count"), 2);
    OK(cuStreamDestroy_v2(slow));
    OK(cuStreamDestroy_v2(quick));
    end();
}

struct Scale {
    CUdeviceptr from, to;
    int count, factor;
};

void scale(const void* arguments) {
    Scale s;
    std::memcpy(&s, arguments, sizeof s);
    auto bytes = static_cast<std::size_t>(s.count) * sizeof(int);
    const auto* from = static_cast<const int*>(softcudaRead(s.from, bytes));
    auto* to = static_cast<int*>(softcudaWrite(s.to, bytes, 0));
    if (!from || !to) return;
    struct Body {
        const int* from;
        int *to, factor;
    } body{from, to, s.factor};
    softcudaParallel(
        [](void* data, std::size_t i) {
            const Body& b = *static_cast<Body*>(data);
            b.to[i] = static_cast<int>(static_cast<unsigned>(b.from[i]) * static_cast<unsigned>(b.factor));
        },
        &body, static_cast<std::size_t>(s.count));
}

TEST(libraryWorkIsOrderedCheckedAndCounted) {
    begin();
    for (int i = 0; i < 100; ++i) host[i] = i;
    CUstream stream;
    OK(cuStreamCreate(&stream, 0));
    OK(cuMemcpyHtoDAsync_v2(memory, host, 400, stream));
    Scale arguments{memory, memory + 1024, 100, 3};
    EQUAL(softcudaEnqueue(stream, "scale", scale, &arguments, sizeof arguments, 100, 400, 400), 0);
    arguments = {};
    OK(cuMemcpyDtoHAsync_v2(host + 100, memory + 1024, 400, stream));
    EQUAL(harness::counter("launches"), -1);
    OK(cuStreamSynchronize(stream));
    EQUAL(host[199], 297);
    EQUAL(harness::counter("launches"), 1);
    EQUAL(harness::counter("flops"), 100);
    EQUAL(harness::counter("bytesLoaded"), 400);
    EQUAL(harness::counter("footprintStored"), 13);
    CHECK(harness::counters().find("\"name\": \"scale\"") != std::string::npos);
    CHECK(harness::counters().find("\"library\": true") != std::string::npos);
    EQUAL(softcudaFindings(), 0u);
    EQUAL(softcudaSm(), 80);
    // Reads what was never written: a finding, and no fault.
    arguments = {memory + 2048, memory + 1024, 10, 3};
    EQUAL(softcudaEnqueue(stream, "scale", scale, &arguments, sizeof arguments, 10, 40, 40), 0);
    OK(cuStreamSynchronize(stream));
    EQUAL(softcudaFindings(), 1u);
    softcudaClearFindings();
    // Writes behind the block: the context is lost, as after a kernel's fault.
    arguments = {memory, memory + 4096, 10, 3};
    EQUAL(softcudaEnqueue(stream, "scale", scale, &arguments, sizeof arguments, 10, 40, 40), 0);
    RESULT(cuStreamSynchronize(stream), CUDA_ERROR_ILLEGAL_ADDRESS);
    EQUAL(softcudaFindings(), 1u);
    softcudaClearFindings();
    RESULT(cuMemFree_v2(memory), CUDA_ERROR_ILLEGAL_ADDRESS);
    CUdeviceptr more;
    RESULT(cuMemAlloc_v2(&more, 4), CUDA_ERROR_ILLEGAL_ADDRESS);
    RESULT(cuStreamDestroy_v2(stream), CUDA_ERROR_ILLEGAL_ADDRESS);
    OK(cuDevicePrimaryCtxReset_v2(0));
    RESULT(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);  // a reset brings nothing back
    CHECK(softcudaSet("SOFTCUDA_RESTART", "1") == 0);
    OK(cuCtxSynchronize());
    RESULT(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
    EQUAL(harness::counter("liveAllocations"), 0);
    EQUAL(harness::counter("liveStreams"), 0);
    EQUAL(harness::counter("pinnedBlocks"), 0);
    EQUAL(softcudaFindings(), 0u);
    OK(cuDevicePrimaryCtxRelease_v2(0));
}

TEST(rowsAreChecked) {
    begin();
    OK(cuMemsetD8_v2(memory, 1, 4));
    OK(cuMemsetD8_v2(memory + 16, 1, 4));
    OK(cuCtxSynchronize());
    CHECK(softcudaReadRows(memory, 2, 4, 16) != nullptr);
    EQUAL(softcudaFindings(), 0u);
    CHECK(softcudaReadRows(memory, 2, 5, 16) != nullptr);
    CHECK(softcudaFindings() > 0);
    CHECK(softcudaWriteRows(memory, 256, 16, 16, 0) != nullptr);
    CHECK(softcudaWriteRows(memory, 257, 16, 16, 0) == nullptr);
    softcudaClearFindings();
    end();
}

}  // namespace

int main() { return harness::runAll(); }
