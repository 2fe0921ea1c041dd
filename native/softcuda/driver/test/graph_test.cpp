// Stream capture with its rules, and graphs.
#include <thread>

#include "harness.hpp"
#include "host_work.hpp"

namespace {

CUcontext context;
CUdeviceptr memory;
int* host;
CUstream stream, side;

constexpr int Global = 0, ThreadLocal = 1, Relaxed = 2;

void begin() {
    CHECK(cuInit(0) == CUDA_SUCCESS);
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
    OK(cuMemAlloc_v2(&memory, 4096));
    void* pinned;
    OK(cuMemHostAlloc(&pinned, 4096, 0));
    host = static_cast<int*>(pinned);
    std::memset(host, 0, 4096);
    OK(cuStreamCreate(&stream, 1));
    OK(cuStreamCreate(&side, 1));
    softcudaResetCounters();
    softcudaClearFindings();
}

void end() {
    OK(cuStreamDestroy_v2(stream));
    OK(cuStreamDestroy_v2(side));
    OK(cuMemFree_v2(memory));
    OK(cuMemFreeHost(host));
    OK(cuDevicePrimaryCtxRelease_v2(0));
    EQUAL(softcudaFindings(), 0u);
    EQUAL(harness::counter("liveGraphs"), 0);
    EQUAL(harness::counter("liveStreams"), 0);
    EQUAL(harness::counter("liveEvents"), 0);
}

void add(const void* arguments) {
    CUdeviceptr address;
    std::memcpy(&address, arguments, sizeof address);
    if (auto* value = static_cast<int*>(softcudaWrite(address, 4, 1))) *value += 10;
}

int captureStatus(CUstream of) {
    int status = -1;
    OK(cuStreamIsCapturing(of, &status));
    return status;
}

/// input -> +10 -> output, with a host function behind.
CUgraph captureStep(int* calls, CUdeviceptr at, int mode = ThreadLocal) {
    OK(cuStreamBeginCapture_v2(stream, mode));
    OK(cuMemcpyHtoDAsync_v2(at, host, 4, stream));
    EQUAL(softcudaEnqueue(stream, "add", add, &at, sizeof at, 1, 4, 4), 0);
    OK(cuMemcpyDtoHAsync_v2(host + 1, at, 4, stream));
    OK(cuLaunchHostFunc(stream, [](void* count) { ++*static_cast<int*>(count); }, calls));
    EQUAL(captureStatus(stream), 1);
    EQUAL(captureStatus(side), 0);
    CUgraph graph;
    OK(cuStreamEndCapture(stream, &graph));
    EQUAL(captureStatus(stream), 0);
    return graph;
}

TEST(aGraphReplays) {
    begin();
    int calls = 0;
    CUgraph graph = captureStep(&calls, memory);
    EQUAL(harness::transfers("hostToDevice", "count"), 0);
    std::size_t count = 0;
    OK(cuGraphGetNodes(graph, nullptr, &count));
    EQUAL(count, 4u);
    CUgraphNode nodes[6];
    count = 6;
    OK(cuGraphGetNodes(graph, nodes, &count));
    EQUAL(count, 4u);
    CHECK(nodes[3] != nullptr && nodes[4] == nullptr);
    CUgraphExec exec;
    RESULT(cuGraphInstantiateWithFlags(&exec, graph, 64), CUDA_ERROR_INVALID_VALUE);
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    EQUAL(harness::counter("liveGraphs"), 2);
    OK(cuGraphDestroy(graph));
    RESULT(cuGraphDestroy(graph), CUDA_ERROR_INVALID_VALUE);
    OK(cuGraphUpload(exec, stream));
    for (int i = 0; i < 3; ++i) {
        host[0] = 0;
        OK(cuGraphLaunch(exec, stream));
        host[0] = i;  // page-locked memory is read when the graph runs
        OK(cuStreamSynchronize(stream));
        EQUAL(host[1], i + 10);
    }
    EQUAL(calls, 3);
    EQUAL(harness::counter("graphLaunches"), 3);
    EQUAL(harness::counter("launches"), 3);
    EQUAL(harness::transfers("hostToDevice", "count"), 3);
    OK(cuGraphLaunch(exec, stream));
    OK(cuGraphExecDestroy(exec));  // the launch that waits keeps what it needs
    OK(cuStreamSynchronize(stream));
    EQUAL(calls, 4);
    RESULT(cuGraphLaunch(exec, stream), CUDA_ERROR_INVALID_VALUE);
    end();
}

TEST(launchesOfOneGraphAreOrdered) {
    for (const char* seed : {"1", "2", "3", "4", "5"}) {
        CHECK(softcudaSet("SOFTCUDA_SEED", seed) == 0);
        begin();
        OK(cuMemsetD32_v2(memory, 0, 1));
        OK(cuCtxSynchronize());
        OK(cuStreamBeginCapture_v2(stream, Relaxed));
        EQUAL(softcudaEnqueue(stream, "add", add, &memory, sizeof memory, 1, 4, 4), 0);
        CUgraph graph;
        OK(cuStreamEndCapture(stream, &graph));
        CUgraphExec exec;
        OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
        OK(cuMemsetD32Async(memory, 100, 1, stream));
        OK(cuGraphLaunch(exec, stream));
        OK(cuGraphLaunch(exec, side));  // waits for the launch before, in the other stream
        OK(cuMemcpyDtoHAsync_v2(host, memory, 4, side));
        OK(cuStreamSynchronize(side));
        EQUAL(host[0], 120);
        OK(cuGraphExecDestroy(exec));
        OK(cuGraphDestroy(graph));
        end();
    }
    CHECK(softcudaSet("SOFTCUDA_SEED", "0") == 0);
}

TEST(otherStreamsJoinByEvents) {
    begin();
    CUevent fork, join;
    OK(cuEventCreate(&fork, 2));
    OK(cuEventCreate(&join, 2));
    OK(cuStreamBeginCapture_v2(stream, ThreadLocal));
    OK(cuMemsetD32Async(memory, 5, 1, stream));
    OK(cuEventRecord(fork, stream));
    OK(cuStreamWaitEvent(side, fork, 0));
    EQUAL(captureStatus(side), 1);
    EQUAL(softcudaEnqueue(side, "add", add, &memory, sizeof memory, 1, 4, 4), 0);
    OK(cuEventRecord(join, side));
    OK(cuMemsetD32Async(memory + 4, 6, 1, stream));
    OK(cuStreamWaitEvent(stream, join, 0));
    OK(cuMemcpyDtoHAsync_v2(host, memory, 8, stream));
    CUgraph graph;
    OK(cuStreamEndCapture(stream, &graph));
    EQUAL(captureStatus(side), 0);
    CUgraphExec exec;
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    OK(cuGraphLaunch(exec, stream));
    OK(cuStreamSynchronize(stream));
    EQUAL(host[0], 15);
    EQUAL(host[1], 6);
    RESULT(cuEventSynchronize(fork), CUDA_ERROR_CAPTURED_EVENT);
    OK(cuEventRecord(fork, stream));
    OK(cuEventSynchronize(fork));
    OK(cuGraphExecDestroy(exec));
    OK(cuGraphDestroy(graph));
    OK(cuEventDestroy_v2(fork));
    OK(cuEventDestroy_v2(join));
    end();
}

TEST(aStreamThatIsNotJoinedBreaksTheCapture) {
    begin();
    CUevent fork;
    OK(cuEventCreate(&fork, 2));
    OK(cuStreamBeginCapture_v2(stream, ThreadLocal));
    OK(cuMemsetD32Async(memory, 5, 1, stream));
    OK(cuEventRecord(fork, stream));
    OK(cuStreamWaitEvent(side, fork, 0));
    OK(cuMemsetD32Async(memory, 6, 1, side));
    CUgraph graph = reinterpret_cast<CUgraph>(1);
    RESULT(cuStreamEndCapture(side, &graph), CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
    OK(cuEventDestroy_v2(fork));
    RESULT(cuStreamEndCapture(stream, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    CHECK(graph == nullptr);
    OK(cuEventCreate(&fork, 2));
    OK(cuStreamBeginCapture_v2(stream, ThreadLocal));
    OK(cuEventRecord(fork, stream));
    OK(cuStreamWaitEvent(side, fork, 0));
    OK(cuMemsetD32Async(memory, 6, 1, side));
    RESULT(cuStreamEndCapture(stream, &graph), CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
    OK(cuMemsetD32Async(memory, 6, 1, side));
    OK(cuStreamSynchronize(side));
    OK(cuEventDestroy_v2(fork));
    RESULT(cuStreamEndCapture(stream, &graph), CUDA_ERROR_ILLEGAL_STATE);
    end();
}

/// Begins a capture, makes a call that must not be made, and ends it broken.
template <class Call>
void forbidden(int mode, Call call, CUresult expected, const char* what) {
    OK(cuStreamBeginCapture_v2(stream, mode));
    OK(cuMemsetD32Async(memory, 5, 1, stream));
    CUresult result = call();
    CHECK(result == expected || (std::printf("%s gave %d\n", what, result), false));
    EQUAL(captureStatus(stream), 2);
    RESULT(cuMemsetD32Async(memory, 5, 1, stream), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    CUgraph graph;
    RESULT(cuStreamEndCapture(stream, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    OK(cuStreamSynchronize(stream));
}

TEST(captureForbidsWhatSynchronises) {
    begin();
    CUdeviceptr address;
    void* pinned;
    CUevent event;
    int value = 0;
    OK(cuEventCreate(&event, 0));
    OK(cuEventRecord(event, side));
#define FORBIDDEN(mode, call, expected) forbidden(mode, [&] { return call; }, expected, #call)
    FORBIDDEN(ThreadLocal, cuStreamSynchronize(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    FORBIDDEN(Relaxed, cuStreamQuery(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    FORBIDDEN(ThreadLocal, cuStreamSynchronize(side), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    FORBIDDEN(Relaxed, cuCtxSynchronize(), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    FORBIDDEN(ThreadLocal, cuMemAlloc_v2(&address, 4), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    FORBIDDEN(ThreadLocal, static_cast<CUresult>(softcudaMayAllocate()), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    FORBIDDEN(Global, cuMemFree_v2(memory), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    FORBIDDEN(ThreadLocal, cuMemHostAlloc(&pinned, 4, 0), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    FORBIDDEN(ThreadLocal, cuMemcpyHtoD_v2(memory, &value, 4), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    FORBIDDEN(ThreadLocal, cuEventQuery(event), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    FORBIDDEN(ThreadLocal, cuEventSynchronize(event), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    FORBIDDEN(ThreadLocal, cuStreamWaitEvent(stream, event, 0), CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
    FORBIDDEN(Relaxed, (cuEventRecord(event, stream), cuEventQuery(event)), CUDA_ERROR_CAPTURED_EVENT);
    OK(cuStreamBeginCapture_v2(stream, Relaxed));
    OK(cuMemAlloc_v2(&address, 4));
    RESULT(cuStreamBeginCapture_v2(stream, Relaxed), CUDA_ERROR_ILLEGAL_STATE);
    CUgraph graph;
    OK(cuStreamEndCapture(stream, &graph));
    OK(cuGraphDestroy(graph));
    OK(cuMemFree_v2(address));
    OK(cuEventDestroy_v2(event));
    RESULT(cuStreamBeginCapture_v2(nullptr, Relaxed), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    RESULT(cuStreamBeginCapture_v2(stream, 3), CUDA_ERROR_INVALID_VALUE);
    end();
}

TEST(theLegacyStreamMayNotWaitForACapture) {
    begin();
    CUstream blocking;
    int value;
    CUgraph graph;
    OK(cuStreamCreate(&blocking, 0));
    OK(cuStreamBeginCapture_v2(blocking, Relaxed));
    RESULT(cuMemsetD32Async(memory, 1, 1, nullptr), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    RESULT(cuStreamEndCapture(blocking, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    OK(cuMemsetD32Async(memory, 1, 1, nullptr));
    OK(cuStreamBeginCapture_v2(blocking, ThreadLocal));
    RESULT(cuMemcpyDtoH_v2(&value, memory, 4), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    RESULT(cuStreamEndCapture(blocking, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    OK(cuStreamDestroy_v2(blocking));
    end();
}

TEST(modesSayWhichThreadsAreBound) {
    begin();
    CUgraph graph;
    CUdeviceptr address;
    auto elsewhere = [](auto body) {
        std::thread([&] {
            OK(cuCtxSetCurrent(context));
            body();
        }).join();
    };
    OK(cuStreamBeginCapture_v2(stream, ThreadLocal));
    elsewhere([&] { OK(cuMemAlloc_v2(&address, 4)); });
    elsewhere([&] { RESULT(cuStreamEndCapture(stream, &graph), CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD); });
    OK(cuStreamEndCapture(stream, &graph));
    OK(cuGraphDestroy(graph));
    OK(cuStreamBeginCapture_v2(stream, Global));
    elsewhere([&] {
        int mode = Relaxed;
        OK(cuThreadExchangeStreamCaptureMode(&mode));
        EQUAL(mode, Global);
        OK(cuMemFree_v2(address));
        OK(cuThreadExchangeStreamCaptureMode(&mode));
        EQUAL(mode, Relaxed);
        RESULT(cuMemAlloc_v2(&address, 4), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    });
    RESULT(cuStreamEndCapture(stream, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    OK(cuStreamBeginCapture_v2(stream, Relaxed));
    elsewhere([&] { OK(cuStreamEndCapture(stream, &graph)); });
    OK(cuGraphDestroy(graph));
    end();
}

TEST(capturesDoNotMerge) {
    begin();
    CUevent event;
    CUgraph graph;
    OK(cuEventCreate(&event, 2));
    OK(cuStreamBeginCapture_v2(stream, ThreadLocal));
    OK(cuStreamBeginCapture_v2(side, ThreadLocal));
    OK(cuEventRecord(event, side));
    RESULT(cuStreamWaitEvent(stream, event, 0), CUDA_ERROR_STREAM_CAPTURE_MERGE);
    RESULT(cuStreamEndCapture(stream, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    RESULT(cuStreamEndCapture(side, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    OK(cuEventDestroy_v2(event));
    end();
}

TEST(anExecutableGraphIsUpdated) {
    begin();
    int calls = 0;
    CUgraph first = captureStep(&calls, memory), second = captureStep(&calls, memory + 256);
    CUgraphExec exec;
    OK(cuGraphInstantiateWithFlags(&exec, first, 0));
    CUgraphExecUpdateResultInfo info;
    OK(cuGraphExecUpdate_v2(exec, second, &info));
    EQUAL(info.result, 0);
    OK(cuMemsetD32_v2(memory, 1, 1));
    host[0] = 1;
    OK(cuGraphLaunch(exec, stream));
    OK(cuCtxSynchronize());
    int result = 0;
    OK(cuMemcpyDtoH_v2(&result, memory + 256, 4));
    EQUAL(result, 11);
    OK(cuStreamBeginCapture_v2(stream, ThreadLocal));
    for (int i = 0; i < 4; ++i) OK(cuMemsetD32Async(memory, 1, 1, stream));
    CUgraph third;
    OK(cuStreamEndCapture(stream, &third));
    RESULT(cuGraphExecUpdate_v2(exec, third, &info), CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
    EQUAL(info.result, 3);
    OK(cuStreamBeginCapture_v2(stream, ThreadLocal));
    CUgraph empty;
    OK(cuStreamEndCapture(stream, &empty));
    RESULT(cuGraphExecUpdate_v2(exec, empty, &info), CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
    EQUAL(info.result, 2);
    for (CUgraph graph : {first, second, third, empty}) OK(cuGraphDestroy(graph));
    OK(cuGraphExecDestroy(exec));
    end();
}

TEST(graphsNest) {
    begin();
    int calls = 0;
    CUgraph inner = captureStep(&calls, memory), outer;
    CUgraphExec innerExec, outerExec;
    OK(cuGraphInstantiateWithFlags(&innerExec, inner, 0));
    OK(cuStreamBeginCapture_v2(stream, ThreadLocal));
    OK(cuGraphLaunch(innerExec, stream));
    EQUAL(softcudaEnqueue(stream, "add", add, &memory, sizeof memory, 1, 4, 4), 0);
    OK(cuStreamEndCapture(stream, &outer));
    std::size_t count = 0;
    OK(cuGraphGetNodes(outer, nullptr, &count));
    EQUAL(count, 5u);
    OK(cuGraphInstantiateWithFlags(&outerExec, outer, 0));
    OK(cuGraphLaunch(outerExec, stream));
    OK(cuStreamSynchronize(stream));
    int result = 0;
    OK(cuMemcpyDtoH_v2(&result, memory, 4));
    EQUAL(result, 20);
    EQUAL(calls, 1);
    for (CUgraph graph : {inner, outer}) OK(cuGraphDestroy(graph));
    for (CUgraphExec exec : {innerExec, outerExec}) OK(cuGraphExecDestroy(exec));
    end();
}

}  // namespace

int main() { return harness::runAll(); }
