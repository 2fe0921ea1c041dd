#include "counters.hpp"

#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "entry.hpp"
#include "softcuda.h"
#include "state.hpp"

namespace softcuda::driver {

namespace {

struct Member {
    const char* name;
    std::uint64_t Counters::* value;
};

constexpr Member Members[] = {
    {"launches", &Counters::launches},
    {"blocks", &Counters::blocks},
    {"threads", &Counters::threads},
    {"warpInstructions", &Counters::warpInstructions},
    {"threadInstructions", &Counters::threadInstructions},
    {"flops", &Counters::flops},
    {"branches", &Counters::branches},
    {"divergentBranches", &Counters::divergentBranches},
    {"globalLoads", &Counters::globalLoads},
    {"globalStores", &Counters::globalStores},
    {"bytesLoaded", &Counters::bytesLoaded},
    {"bytesStored", &Counters::bytesStored},
    {"sectorsLoaded", &Counters::sectorsLoaded},
    {"sectorsStored", &Counters::sectorsStored},
    {"footprintLoaded", &Counters::footprintLoaded},
    {"footprintStored", &Counters::footprintStored},
    {"sharedRequests", &Counters::sharedRequests},
    {"bankConflicts", &Counters::bankConflicts},
    {"atomics", &Counters::atomics},
    {"barriers", &Counters::barriers},
    {"localBytes", &Counters::localBytes},
};
static_assert(sizeof(Counters) == std::size(Members) * sizeof(std::uint64_t), "a member of Counters is not listed");

struct TransferCount {
    std::uint64_t count = 0, bytes = 0;
};

/// Apart from the driver's lock, so that library work, which runs under that lock, can count.
struct Tally {
    std::mutex mutex;
    std::map<std::pair<std::string, bool>, Counters> kernels;
    std::map<std::string, std::uint64_t, std::less<>> calls;
    TransferCount transfers[4];
    std::uint64_t graphLaunches = 0, synchronisations = 0, allocations = 0, frees = 0;
    // Not reset: they describe what is alive.
    std::uint64_t liveAllocations = 0, liveBytes = 0, peakBytes = 0;
};

Tally& tally() {
    static auto* counts = new Tally;
    return *counts;
}

class Json {
public:
    void key(std::string_view name) {
        comma();
        string(name);
        text_ += ": ";
        first_ = true;
    }
    void value(std::uint64_t number) {
        comma();
        text_ += std::to_string(number);
    }
    void value(bool truth) {
        comma();
        text_ += truth ? "true" : "false";
    }
    void value(std::string_view text) {
        comma();
        string(text);
    }
    void field(std::string_view name, auto content) {
        key(name);
        value(content);
    }
    void open(char bracket) {
        comma();
        text_ += bracket;
        first_ = true;
    }
    void close(char bracket) {
        text_ += bracket;
        first_ = false;
    }
    const std::string& text() const { return text_; }

private:
    void comma() {
        if (!first_) text_ += ", ";
        first_ = false;
    }
    void string(std::string_view text) {
        text_ += '"';
        for (char c : text) {
            if (c == '"' || c == '\\') text_ += '\\';
            if (static_cast<unsigned char>(c) >= 0x20) text_ += c;
        }
        text_ += '"';
    }
    std::string text_;
    bool first_ = true;
};

std::string json() {
    LiveObjects live = driver().live();
    Tally& counts = tally();
    std::lock_guard lock(counts.mutex);
    Json out;
    out.open('{');
    out.key("kernels");
    out.open('[');
    for (const auto& [key, kernel] : counts.kernels) {
        out.open('{');
        out.field("name", std::string_view(key.first));
        for (const Member& member : Members) out.field(member.name, kernel.*member.value);
        out.field("library", key.second);
        out.close('}');
    }
    out.close(']');
    out.key("calls");
    out.open('{');
    for (const auto& [name, count] : counts.calls) out.field(name, count);
    out.close('}');
    out.key("copies");
    out.open('{');
    constexpr const char* Kinds[] = {"hostToDevice", "deviceToHost", "deviceToDevice", "memset"};
    for (int kind = 0; kind < 4; ++kind) {
        out.key(Kinds[kind]);
        out.open('{');
        out.field("count", counts.transfers[kind].count);
        out.field("bytes", counts.transfers[kind].bytes);
        out.close('}');
    }
    out.close('}');
    out.field("graphLaunches", counts.graphLaunches);
    out.field("synchronisations", counts.synchronisations);
    out.field("allocations", counts.allocations);
    out.field("frees", counts.frees);
    out.field("liveAllocations", counts.liveAllocations);
    out.field("liveBytes", counts.liveBytes);
    out.field("peakBytes", counts.peakBytes);
    out.field("liveStreams", live.streams);
    out.field("liveEvents", live.events);
    out.field("liveGraphs", live.graphs);
    out.field("liveModules", live.modules);
    out.field("pinnedBlocks", live.pinnedBlocks);
    out.close('}');
    return out.text();
}

}  // namespace

void countKernel(const std::string& name, bool library, const Counters& launch) {
    std::lock_guard lock(tally().mutex);
    Counters& total = tally().kernels[{name, library}];
    for (const Member& member : Members) total.*member.value += launch.*member.value;
}

void countTransfer(Transfer kind, std::uint64_t bytes) {
    std::lock_guard lock(tally().mutex);
    TransferCount& count = tally().transfers[static_cast<int>(kind)];
    ++count.count;
    count.bytes += bytes;
}

void countSynchronisation() {
    std::lock_guard lock(tally().mutex);
    ++tally().synchronisations;
}

void countGraphLaunch() {
    std::lock_guard lock(tally().mutex);
    ++tally().graphLaunches;
}

void countAllocation(std::uint64_t bytes) {
    std::lock_guard lock(tally().mutex);
    Tally& t = tally();
    ++t.allocations;
    ++t.liveAllocations;
    t.liveBytes += bytes;
    if (t.liveBytes > t.peakBytes) t.peakBytes = t.liveBytes;
}

void countFree(std::uint64_t bytes) {
    std::lock_guard lock(tally().mutex);
    ++tally().frees;
    --tally().liveAllocations;
    tally().liveBytes -= bytes;
}

}  // namespace softcuda::driver

using softcuda::driver::tally;

SOFTCUDA_API void softcudaCount(const char* function) {
    std::lock_guard lock(tally().mutex);
    auto found = tally().calls.find(std::string_view(function));
    if (found == tally().calls.end()) found = tally().calls.emplace(function, 0).first;
    ++found->second;
}

SOFTCUDA_API std::size_t softcudaCounters(char* buffer, std::size_t bytes) {
    std::string text = softcuda::driver::json();
    if (buffer && bytes > text.size()) std::memcpy(buffer, text.c_str(), text.size() + 1);
    return text.size() + 1;
}

SOFTCUDA_API void softcudaResetCounters() {
    auto& counts = tally();
    std::lock_guard lock(counts.mutex);
    counts.kernels.clear();
    counts.calls.clear();
    for (auto& transfer : counts.transfers) transfer = {};
    counts.graphLaunches = counts.synchronisations = counts.allocations = counts.frees = 0;
    counts.peakBytes = counts.liveBytes;
}
