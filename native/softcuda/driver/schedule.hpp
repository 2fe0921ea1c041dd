// Execution is deferred: what is put on a stream runs only when something forces it, so that a missing synchronisation shows.
#pragma once
#include <functional>

#include "state.hpp"

namespace softcuda::driver {

/// Puts an action behind a stream's others. Runs work while more than MostPending wait.
CUresult enqueue(Lock& lock, Context& context, const std::shared_ptr<Stream>& stream, Action action);

/// Puts work on a stream, or into the graph that the stream captures.
CUresult submit(Lock& lock, Context& context, const std::shared_ptr<Stream>& stream, Work work);

/// Runs what `stream` needs, and now and then more, until done() holds. Null: what any stream needs.
CUresult runUntil(Lock& lock, Context& context, Stream* stream, const std::function<bool()>& done);
CUresult drainStream(Lock& lock, Context& context, Stream& stream);
CUresult drainContext(Lock& lock, Context& context);
/// One item of any stream, for queries.
CUresult runOne(Lock& lock, Context& context);

/// Runs one piece of work; the result becomes the context's sticky error. Releases the lock around host functions.
CUresult execute(Lock& lock, Context& context, const Work& work);

/// What pools do when the host has synchronised: they give back what exceeds their threshold.
void trimPools();
void releaseBlock(std::uint64_t address);

constexpr std::size_t MostPending = 4096;

}  // namespace softcuda::driver
