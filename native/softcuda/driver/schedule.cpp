#include "schedule.hpp"

#include <algorithm>

#include "capture.hpp"
#include "counters.hpp"

namespace softcuda::driver {

namespace {

bool waits(const Stream& stream) { return !stream.pending.empty(); }

/// Streams whose first item must run before this stream's first item may. Every one of them has an item of a lower sequence number, so
/// that the item with the lowest number of all is never blocked.
void blockers(const Context& context, const Stream& stream, std::vector<Stream*>& out) {
    const Item& item = stream.pending.front();
    // The legacy default stream waits for all work put on blocking streams before, and they wait for its.
    if (stream.legacy) {
        for (const auto& other : context.streams)
            if (!other->legacy && other->blocking() && waits(*other) && other->pending.front().sequence < item.sequence)
                out.push_back(other.get());
    } else if (stream.blocking()) {
        Stream* legacy = context.legacy.get();
        if (waits(*legacy) && legacy->pending.front().sequence < item.sequence) out.push_back(legacy);
    }
    if (const auto* wait = std::get_if<WaitEvent>(&item.action))
        if (wait->event->completed < wait->ticket) out.push_back(wait->stream.get());
    if (const auto* launch = std::get_if<LaunchGraph>(&item.action))
        if (launch->previous && !launch->previous->done && launch->previous->stream.get() != &stream)
            out.push_back(launch->previous->stream.get());
}

void collectReady(const Context& context, Stream& stream, std::vector<Stream*>& visited, std::vector<Stream*>& out) {
    if (std::find(visited.begin(), visited.end(), &stream) != visited.end()) return;
    visited.push_back(&stream);
    if (!waits(stream) || stream.busy) return;
    std::vector<Stream*> before;
    blockers(context, stream, before);
    if (before.empty()) {
        out.push_back(&stream);
        return;
    }
    for (Stream* other : before) collectReady(context, *other, visited, out);
}

std::vector<Stream*> readyFor(const Context& context, Stream& stream) {
    std::vector<Stream*> visited, out;
    collectReady(context, stream, visited, out);
    return out;
}

std::vector<Stream*> readyOfAll(const Context& context) {
    std::vector<Stream*> visited, out;
    for (const auto& stream : context.streams) collectReady(context, *stream, visited, out);
    return out;
}

CUresult runGraph(Lock& lock, Context& context, const LaunchGraph& launch) {
    const std::vector<Node>& nodes = *launch.nodes;
    std::vector<std::size_t> open(nodes.size()), ready;
    std::vector<std::vector<std::size_t>> after(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        open[i] = nodes[i].dependencies.size();
        for (std::size_t before : nodes[i].dependencies) after[before].push_back(i);
        if (open[i] == 0) ready.push_back(i);
    }
    // Any order that the dependencies allow: a missing one shows.
    while (!ready.empty()) {
        std::size_t pick = driver().draw(ready.size()), node = ready[pick];
        ready[pick] = ready.back();
        ready.pop_back();
        if (CUresult result = execute(lock, context, nodes[node].work)) return result;
        for (std::size_t next : after[node])
            if (--open[next] == 0) ready.push_back(next);
    }
    launch.run->done = true;
    return CUDA_SUCCESS;
}

CUresult perform(Lock& lock, Context& context, Action& action) {
    if (auto* work = std::get_if<Work>(&action)) return execute(lock, context, *work);
    if (auto* record = std::get_if<RecordEvent>(&action)) {
        record->event->completed = std::max(record->event->completed, record->ticket);
        record->event->time = Clock::now();
    } else if (auto* launch = std::get_if<LaunchGraph>(&action)) {
        return runGraph(lock, context, *launch);
    } else if (auto* block = std::get_if<FreeBlock>(&action)) {
        releaseBlock(block->address);
    }
    return CUDA_SUCCESS;
}

void discardAll(Context& context) {
    for (const auto& stream : context.streams) stream->pending.clear();
    context.pending = 0;
}

void runFirst(Lock& lock, Context& context, std::shared_ptr<Stream> stream) {
    // The item stays in the queue, empty, while it runs: other streams see that it is not done.
    std::uint64_t sequence = stream->pending.front().sequence;
    Action action = std::move(stream->pending.front().action);
    stream->pending.front().action = Work{EmptyWork{}};
    stream->busy = true;
    CUresult result = perform(lock, context, action);
    stream->busy = false;
    if (waits(*stream) && stream->pending.front().sequence == sequence) {
        stream->pending.pop_front();
        --context.pending;
    }
    if (result != CUDA_SUCCESS && context.error == CUDA_SUCCESS) {
        context.error = driver().lost = result;
        discardAll(context);
    }
    if (stream->destroyed && !waits(*stream)) std::erase(context.streams, stream);
    driver().changed.notify_all();
}

std::shared_ptr<Stream> shared(const Context& context, const Stream* stream) {
    for (const auto& other : context.streams)
        if (other.get() == stream) return other;
    return nullptr;
}

}  // namespace

CUresult runUntil(Lock& lock, Context& context, Stream* stream, const std::function<bool()>& done) {
    while (!done()) {
        if (!context.active) return CUDA_ERROR_CONTEXT_IS_DESTROYED;  // by another thread, while a host function ran
        if (context.error != CUDA_SUCCESS) return context.error;
        std::vector<Stream*> ready = stream ? readyFor(context, *stream) : readyOfAll(context);
        // Mostly only what is needed, so that work nobody waits for stays undone; sometimes other work first, as a GPU may.
        if (stream && driver().draw(4) == 0) ready = readyOfAll(context);
        if (ready.empty()) {
            driver().changed.wait(lock);  // another thread runs a host function
            continue;
        }
        runFirst(lock, context, shared(context, ready[driver().draw(ready.size())]));
    }
    return context.error;
}

CUresult drainStream(Lock& lock, Context& context, Stream& stream) {
    // What is put there meanwhile, by a thread that a host function let in, is not waited for.
    std::uint64_t last = waits(stream) ? stream.pending.back().sequence : 0;
    CUresult result =
        runUntil(lock, context, &stream, [&] { return !waits(stream) || stream.pending.front().sequence > last; });
    trimPools();
    return result;
}

CUresult drainContext(Lock& lock, Context& context) {
    CUresult result = runUntil(lock, context, nullptr, [&] { return context.pending == 0; });
    trimPools();
    return result;
}

CUresult runOne(Lock& lock, Context& context) {
    std::vector<Stream*> ready = readyOfAll(context);
    if (!ready.empty()) runFirst(lock, context, shared(context, ready[driver().draw(ready.size())]));
    return context.error;
}

CUresult enqueue(Lock& lock, Context& context, const std::shared_ptr<Stream>& stream, Action action) {
    stream->pending.push_back({++driver().sequence, std::move(action)});
    ++context.pending;
    if (context.pending <= MostPending) return CUDA_SUCCESS;
    return runUntil(lock, context, nullptr, [&] { return context.pending <= MostPending; });
}

CUresult submit(Lock& lock, Context& context, const std::shared_ptr<Stream>& stream, Work work) {
    if (stream->capture) return captureWork(*stream, std::move(work));
    if (CUresult result = checkImplicitCapture(context, *stream)) return result;
    return enqueue(lock, context, stream, std::move(work));
}

}  // namespace softcuda::driver
