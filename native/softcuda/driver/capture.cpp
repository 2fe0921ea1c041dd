#include "capture.hpp"

#include <algorithm>
#include <set>

#include "entry.hpp"
#include "schedule.hpp"

namespace softcuda::driver {

namespace {

thread_local CaptureMode threadMode = CaptureGlobal;

void leave(Capture& capture) {
    capture.ended = true;
    for (const auto& stream : capture.streams) {
        stream->capture.reset();
        stream->dependencies.clear();
    }
    capture.streams.clear();
    std::erase_if(driver().captures, [&](const auto& other) { return other.get() == &capture; });
}

/// Whether everything captured is an ancestor of, or is, the origin's last nodes.
bool joined(const Capture& capture) {
    const auto& nodes = capture.graph->nodes;
    std::vector<char> reached(nodes.size(), 0);
    for (std::size_t node : capture.origin->dependencies) reached[node] = 1;
    for (std::size_t node = nodes.size(); node-- > 0;)
        if (reached[node])
            for (std::size_t before : nodes[node].dependencies) reached[before] = 1;
    for (const auto& stream : capture.streams)
        for (std::size_t node : stream->dependencies)
            if (!reached[node]) return false;
    return true;
}

void unite(std::vector<std::size_t>& into, const std::vector<std::size_t>& more) {
    std::set<std::size_t> all(into.begin(), into.end());
    all.insert(more.begin(), more.end());
    into.assign(all.begin(), all.end());
}

}  // namespace

CUresult captureWork(Stream& stream, Work work) {
    Capture& capture = *stream.capture;
    if (capture.invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    capture.graph->nodes.push_back({std::move(work), stream.dependencies});
    capture.graph->handles.push_back(newHandle());
    stream.dependencies = {capture.graph->nodes.size() - 1};
    return CUDA_SUCCESS;
}

CUresult checkImplicitCapture(Context& context, const Stream& stream) {
    if (!stream.legacy) return CUDA_SUCCESS;
    CUresult result = CUDA_SUCCESS;
    for (const auto& other : context.streams) {
        if (!other->capture || !other->blocking()) continue;
        other->capture->invalidated = true;
        result = CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
    }
    return result;
}

CUresult checkUnsafeCall() {
    if (threadMode == CaptureRelaxed) return CUDA_SUCCESS;
    CUresult result = CUDA_SUCCESS;
    for (const auto& capture : driver().captures) {
        bool own = capture->thread == std::this_thread::get_id() && capture->mode != CaptureRelaxed;
        bool others = threadMode == CaptureGlobal && capture->mode == CaptureGlobal;
        if (!own && !others) continue;
        capture->invalidated = true;
        result = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    return result;
}

CUresult checkNotCapturing(Stream& stream) {
    if (!stream.capture) return CUDA_SUCCESS;
    if (stream.capture->invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    stream.capture->invalidated = true;
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

CUresult checkNotCaptured(Event& event) {
    if (!event.capture) return CUDA_SUCCESS;
    if (!event.capture->ended) event.capture->invalidated = true;
    return CUDA_ERROR_CAPTURED_EVENT;
}

CUresult captureWait(const std::shared_ptr<Stream>& stream, Event& event) {
    std::shared_ptr<Capture> capture = stream->capture;
    if (!event.capture) {
        if (event.recorded == 0) return CUDA_SUCCESS;
        capture->invalidated = true;
        return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
    }
    if (event.capture->ended) return CUDA_ERROR_CAPTURED_EVENT;
    if (event.capture->invalidated || (capture && capture->invalidated)) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    if (capture && capture != event.capture) {
        capture->invalidated = event.capture->invalidated = true;
        return CUDA_ERROR_STREAM_CAPTURE_MERGE;
    }
    if (!capture) {
        if (stream->legacy) {
            event.capture->invalidated = true;
            return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
        }
        stream->capture = event.capture;
        event.capture->streams.push_back(stream);
        stream->dependencies.clear();
    }
    unite(stream->dependencies, event.nodes);
    return CUDA_SUCCESS;
}

void dropCapture(Capture& capture) { leave(capture); }

void dropCaptures(const Context* context) {
    auto captures = driver().captures;
    for (const auto& capture : captures)
        if (capture->graph->context == context) leave(*capture);
}

}  // namespace softcuda::driver

using namespace softcuda::driver;

SOFTCUDA_API CUresult cuStreamBeginCapture_v2(CUstream handle, int mode) {
    SOFTCUDA_CALL(cuStreamBeginCapture_v2);
    if (mode < CaptureGlobal || mode > CaptureRelaxed) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    if (stream->legacy) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    if (stream->capture) return CUDA_ERROR_ILLEGAL_STATE;
    auto capture = std::make_shared<Capture>();
    capture->mode = static_cast<CaptureMode>(mode);
    capture->id = newHandle();
    capture->thread = std::this_thread::get_id();
    capture->origin = stream.get();
    capture->graph = std::make_shared<Graph>();
    capture->graph->context = call.context.get();
    capture->streams = {stream};
    stream->capture = capture;
    stream->dependencies.clear();
    driver().captures.push_back(std::move(capture));
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
    SOFTCUDA_CALL(cuStreamEndCapture);
    if (!graph) return CUDA_ERROR_INVALID_VALUE;
    *graph = nullptr;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    std::shared_ptr<Capture> capture = stream->capture;
    if (!capture) return CUDA_ERROR_ILLEGAL_STATE;
    if (capture->origin != stream.get()) {
        capture->invalidated = true;
        return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
    }
    if (capture->mode != CaptureRelaxed && capture->thread != std::this_thread::get_id()) return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
    CUresult result = CUDA_SUCCESS;
    if (capture->invalidated)
        result = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    else if (!joined(*capture))
        result = CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
    leave(*capture);
    if (result != CUDA_SUCCESS) {
        capture->invalidated = true;
        return result;
    }
    std::uint64_t created = newHandle();
    driver().graphs.add(created, capture->graph);
    *graph = toHandle<CUgraph>(created);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuStreamIsCapturing(CUstream handle, int* status) {
    SOFTCUDA_CALL(cuStreamIsCapturing);
    if (!status) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    if (CUresult result = checkImplicitCapture(*call.context, *stream)) return result;
    *status = !stream->capture ? CaptureNone : stream->capture->invalidated ? CaptureInvalidated : CaptureActive;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuStreamGetCaptureInfo_v2(CUstream handle, int* status, std::uint64_t* id, CUgraph* graph, const CUgraphNode** nodes,
                                                std::size_t* count) {
    SOFTCUDA_CALL(cuStreamGetCaptureInfo_v2);
    if (!status) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    if (graph || nodes || count) return CUDA_ERROR_NOT_SUPPORTED;  // a graph is not handed out while it is captured
    *status = !stream->capture ? CaptureNone : stream->capture->invalidated ? CaptureInvalidated : CaptureActive;
    if (id && stream->capture) *id = stream->capture->id;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuThreadExchangeStreamCaptureMode(int* mode) {
    SOFTCUDA_CALL(cuThreadExchangeStreamCaptureMode);
    if (!mode || *mode < CaptureGlobal || *mode > CaptureRelaxed) return CUDA_ERROR_INVALID_VALUE;
    CaptureMode before = threadMode;
    threadMode = static_cast<CaptureMode>(*mode);
    *mode = before;
    return CUDA_SUCCESS;
}

SOFTCUDA_API int softcudaMayAllocate(void) {
    if (callbackDepth > 0) return CUDA_ERROR_NOT_PERMITTED;
    Call call;
    if (call.result != CUDA_SUCCESS) return call.result;
    return checkUnsafeCall();
}
