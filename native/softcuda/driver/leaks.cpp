// What is still alive when a context is destroyed, or when the process ends.
#include <cstdio>

#include "configuration.hpp"
#include "context.hpp"
#include "faults.hpp"

namespace softcuda::driver {

namespace {

void append(std::string& text, std::size_t count, const char* what) {
    if (count == 0) return;
    if (!text.empty()) text += ", ";
    text += std::to_string(count) + " " + what;
}

}  // namespace

void reportLeaks(const Context* context, const char* when) {
    if (!configuration().checks || !configuration().leaks) return;
    Driver& all = driver();
    auto mine = [&](const Context* owner) { return !context || owner == context; };
    std::size_t blocks = 0, pinned = 0, registered = 0;
    std::uint64_t bytes = 0, first = 0;
    for (const auto& [address, block] : all.blocks) {
        if (!mine(block.context)) continue;
        if (blocks++ == 0) first = address;
        bytes += block.bytes;
    }
    for (const auto& [address, range] : all.pinned)
        if (mine(range.context)) ++(range.registered ? registered : pinned);
    auto count = [&](const auto& registry) { return context ? registry.countOf(context) : registry.size(); };
    std::string text;
    append(text, blocks, "device allocations");
    if (blocks) text += " (" + std::to_string(bytes) + " bytes)";
    append(text, pinned, "page-locked host allocations");
    append(text, registered, "registered host ranges");
    append(text, count(all.streams), "streams");
    append(text, count(all.events), "events");
    append(text, count(all.graphs), "graphs");
    append(text, count(all.graphExecs), "executable graphs");
    append(text, count(all.modules), "modules");
    if (text.empty()) return;
    Finding finding;
    finding.kind = FindingKind::Leak;
    finding.address = first;
    finding.message = "not given back " + std::string(when) + ": " + text;
    report({finding});
}

namespace {

__attribute__((destructor)) void atExit() {
    // Another thread may hold the lock for ever: a process that ends must not wait for it.
    Lock lock(driver().mutex, std::try_to_lock);
    if (lock) reportLeaks(nullptr, "when the process ended");
}

}  // namespace

}  // namespace softcuda::driver
