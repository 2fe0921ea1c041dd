// Rules of stream capture.
#pragma once
#include "state.hpp"

namespace softcuda::driver {

/// Adds work to the graph that the stream captures.
CUresult captureWork(Stream& stream, Work work);

/// The legacy default stream would wait for a capturing blocking stream: 906, and the captures are invalidated.
CUresult checkImplicitCapture(Context& context, const Stream& stream);

/// Calls that may synchronise are refused while this thread, or any thread in the global mode, captures: 900, and those captures are
/// invalidated.
CUresult checkUnsafeCall();

/// A wait of a capturing stream, or for a captured event: joins the stream to the capture, and becomes an edge of the graph.
CUresult captureWait(const std::shared_ptr<Stream>& stream, Event& event);

/// For calls on a stream itself that capture does not allow, as synchronising it.
CUresult checkNotCapturing(Stream& stream);

/// An event of a capture that goes on cannot be waited for by the host: 907.
CUresult checkNotCaptured(Event& event);

void dropCapture(Capture& capture);
void dropCaptures(const Context* context);

}  // namespace softcuda::driver
