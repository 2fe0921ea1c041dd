// Streams and events.
#include <algorithm>

#include "capture.hpp"
#include "counters.hpp"
#include "entry.hpp"
#include "schedule.hpp"

namespace softcuda::driver {

namespace {

constexpr int GreatestPriority = -5;  // and 0 is the least

CUresult createStream(Call& call, CUstream* handle, unsigned flags, int priority) {
    if (!handle || flags > StreamNonBlocking) return CUDA_ERROR_INVALID_VALUE;
    std::uint64_t created = newHandle();
    auto stream = std::make_shared<Stream>(call.context.get(), flags, std::clamp(priority, GreatestPriority, 0));
    driver().streams.add(created, stream);
    call.context->streams.push_back(std::move(stream));
    *handle = toHandle<CUstream>(created);
    return CUDA_SUCCESS;
}

CUresult findEvent(Context& context, CUevent handle, std::shared_ptr<Event>& event) {
    event = driver().events.find(handle);
    return event && event->context == &context ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

bool done(const Event& event) { return event.completed >= event.recorded; }

CUresult record(Call& call, CUevent eventHandle, CUstream streamHandle) {
    std::shared_ptr<Event> event;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findEvent(*call.context, eventHandle, event)) return result;
    if (CUresult result = findStream(*call.context, streamHandle, stream)) return result;
    if (stream->capture) {
        if (stream->capture->invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        event->capture = stream->capture;
        event->nodes = stream->dependencies;
        return CUDA_SUCCESS;
    }
    if (CUresult result = checkImplicitCapture(*call.context, *stream)) return result;
    event->capture.reset();
    event->stream = stream;
    return enqueue(call.lock, *call.context, stream, RecordEvent{event, ++event->recorded});
}

CUresult elapsed(Call& call, float* milliseconds, CUevent startHandle, CUevent endHandle) {
    if (!milliseconds) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Event> start, end;
    if (CUresult result = findEvent(*call.context, startHandle, start)) return result;
    if (CUresult result = findEvent(*call.context, endHandle, end)) return result;
    for (Event* event : {start.get(), end.get()}) {
        if (CUresult result = checkNotCaptured(*event)) return result;
        if (event->recorded == 0 || (event->flags & EventDisableTiming)) return CUDA_ERROR_INVALID_HANDLE;
    }
    if (!done(*start) || !done(*end)) return CUDA_ERROR_NOT_READY;
    *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
    return CUDA_SUCCESS;
}

}  // namespace

}  // namespace softcuda::driver

using namespace softcuda::driver;

SOFTCUDA_API CUresult cuStreamCreate(CUstream* handle, unsigned flags) {
    SOFTCUDA_CALL(cuStreamCreate);
    return createStream(call, handle, flags, 0);
}

SOFTCUDA_API CUresult cuStreamCreateWithPriority(CUstream* handle, unsigned flags, int priority) {
    SOFTCUDA_CALL(cuStreamCreateWithPriority);
    return createStream(call, handle, flags, priority);
}

SOFTCUDA_API CUresult cuStreamDestroy_v2(CUstream handle) {
    SOFTCUDA_CALL(cuStreamDestroy_v2);
    std::shared_ptr<Stream> stream = driver().streams.find(handle);
    if (!stream || stream->context != call.context.get()) return CUDA_ERROR_INVALID_HANDLE;
    if (stream->capture) {
        Capture& capture = *stream->capture;
        capture.invalidated = true;
        if (capture.origin == stream.get()) dropCapture(capture);
        else std::erase(capture.streams, stream);
        stream->capture.reset();
    }
    // Work that waits in it is done all the same.
    stream->destroyed = true;
    driver().streams.remove(handle);
    if (stream->pending.empty()) std::erase(call.context->streams, stream);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuStreamSynchronize(CUstream handle) {
    SOFTCUDA_CALL(cuStreamSynchronize);
    countSynchronisation();
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    if (CUresult result = checkNotCapturing(*stream)) return result;
    if (CUresult result = checkImplicitCapture(*call.context, *stream)) return result;
    if (CUresult result = checkUnsafeCall()) return result;
    return drainStream(call.lock, *call.context, *stream);
}

SOFTCUDA_API CUresult cuStreamQuery(CUstream handle) {
    SOFTCUDA_CALL(cuStreamQuery);
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    if (CUresult result = checkNotCapturing(*stream)) return result;
    if (CUresult result = checkImplicitCapture(*call.context, *stream)) return result;
    if (CUresult result = checkUnsafeCall()) return result;
    if (stream->pending.empty()) return CUDA_SUCCESS;
    if (CUresult result = runOne(call.lock, *call.context)) return result;
    return CUDA_ERROR_NOT_READY;
}

SOFTCUDA_API CUresult cuStreamGetPriority(CUstream handle, int* priority) {
    SOFTCUDA_CALL(cuStreamGetPriority);
    if (!priority) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    *priority = stream->priority;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuStreamGetFlags(CUstream handle, unsigned* flags) {
    SOFTCUDA_CALL(cuStreamGetFlags);
    if (!flags) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    *flags = stream->flags;
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuStreamGetCtx(CUstream handle, CUcontext* context) {
    SOFTCUDA_CALL(cuStreamGetCtx);
    if (!context) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Stream> stream;
    if (CUresult result = findStream(*call.context, handle, stream)) return result;
    *context = toHandle<CUcontext>(stream->context->handle);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuStreamWaitEvent(CUstream streamHandle, CUevent eventHandle, unsigned flags) {
    SOFTCUDA_CALL(cuStreamWaitEvent);
    std::shared_ptr<Stream> stream;
    std::shared_ptr<Event> event;
    if (CUresult result = findStream(*call.context, streamHandle, stream)) return result;
    if (CUresult result = findEvent(*call.context, eventHandle, event)) return result;
    if (flags != 0) return flags == 1 ? CUDA_ERROR_NOT_SUPPORTED : CUDA_ERROR_INVALID_VALUE;  // 1: an external wait node
    if (stream->capture || event->capture) return captureWait(stream, *event);
    if (CUresult result = checkImplicitCapture(*call.context, *stream)) return result;
    if (event->recorded == 0) return CUDA_SUCCESS;
    return enqueue(call.lock, *call.context, stream, WaitEvent{event, event->recorded, event->stream});
}

SOFTCUDA_API CUresult cuEventCreate(CUevent* handle, unsigned flags) {
    SOFTCUDA_CALL(cuEventCreate);
    if (!handle || flags > 7 || ((flags & EventInterprocess) && !(flags & EventDisableTiming))) return CUDA_ERROR_INVALID_VALUE;
    std::uint64_t created = newHandle();
    auto event = std::make_shared<Event>();
    event->context = call.context.get();
    event->flags = flags;
    driver().events.add(created, std::move(event));
    *handle = toHandle<CUevent>(created);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuEventDestroy_v2(CUevent handle) {
    SOFTCUDA_CALL(cuEventDestroy_v2);
    std::shared_ptr<Event> event;
    if (CUresult result = findEvent(*call.context, handle, event)) return result;
    driver().events.remove(handle);
    return CUDA_SUCCESS;
}

SOFTCUDA_API CUresult cuEventRecord(CUevent event, CUstream stream) {
    SOFTCUDA_CALL(cuEventRecord);
    return record(call, event, stream);
}

SOFTCUDA_API CUresult cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned flags) {
    SOFTCUDA_CALL(cuEventRecordWithFlags);
    if (flags != 0) return flags == 1 ? CUDA_ERROR_NOT_SUPPORTED : CUDA_ERROR_INVALID_VALUE;  // 1: an external record node
    return record(call, event, stream);
}

SOFTCUDA_API CUresult cuEventQuery(CUevent handle) {
    SOFTCUDA_CALL(cuEventQuery);
    std::shared_ptr<Event> event;
    if (CUresult result = findEvent(*call.context, handle, event)) return result;
    if (CUresult result = checkNotCaptured(*event)) return result;
    if (CUresult result = checkUnsafeCall()) return result;
    if (done(*event)) return CUDA_SUCCESS;
    if (CUresult result = runOne(call.lock, *call.context)) return result;
    return CUDA_ERROR_NOT_READY;
}

SOFTCUDA_API CUresult cuEventSynchronize(CUevent handle) {
    SOFTCUDA_CALL(cuEventSynchronize);
    countSynchronisation();
    std::shared_ptr<Event> event;
    if (CUresult result = findEvent(*call.context, handle, event)) return result;
    if (CUresult result = checkNotCaptured(*event)) return result;
    if (CUresult result = checkUnsafeCall()) return result;
    if (done(*event)) return CUDA_SUCCESS;
    std::uint64_t ticket = event->recorded;
    std::shared_ptr<Stream> stream = event->stream;
    CUresult result = runUntil(call.lock, *call.context, stream.get(), [&] { return event->completed >= ticket; });
    trimPools();
    return result;
}

SOFTCUDA_API CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
    SOFTCUDA_CALL(cuEventElapsedTime);
    return elapsed(call, milliseconds, start, end);
}

SOFTCUDA_API CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent start, CUevent end) {
    SOFTCUDA_CALL(cuEventElapsedTime_v2);
    return elapsed(call, milliseconds, start, end);
}
