#include "state.hpp"

#include "configuration.hpp"

namespace softcuda::driver {

std::uint64_t newHandle() {
    // Below the range of device addresses, and above what a program maps: following a handle faults.
    static std::uint64_t next = 0x0f0000000000ull;
    static std::mutex mutex;
    std::lock_guard lock(mutex);
    return next += 0x40;
}

Driver& driver() {
    static auto* all = new Driver;  // never destroyed: threads and exit handlers of the program may still call
    return *all;
}

Memory& Driver::deviceMemory() {
    if (!memory) memory = std::make_unique<Memory>(configuration().memory);
    return *memory;
}

LiveObjects Driver::live() {
    Lock lock(mutex);
    std::uint64_t own = 0;  // the default streams are no objects of the program's
    for (const auto& entry : pinned) own += !entry.second.registered;
    return {streams.size(), events.size(), graphs.size() + graphExecs.size(), modules.size(), own};
}

void Driver::reseed() {
    random.seed(configuration().seed + std::mt19937_64::default_seed);
    launches = 0;
}

std::size_t Driver::draw(std::size_t below) {
    return below < 2 ? 0 : static_cast<std::size_t>(random() % below);
}

CUresult findStream(Context& context, CUstream handle, std::shared_ptr<Stream>& stream) {
    if (handle == nullptr || handle == LegacyStream) {
        stream = context.legacy;
        return CUDA_SUCCESS;
    }
    if (handle == PerThreadStream) {
        std::shared_ptr<Stream>& own = context.perThread[std::this_thread::get_id()];
        if (!own) {
            own = std::make_shared<Stream>(&context, 0u);
            context.streams.push_back(own);
        }
        stream = own;
        return CUDA_SUCCESS;
    }
    stream = driver().streams.find(handle);
    return stream && stream->context == &context ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

bool isPinned(const void* address, std::uint64_t bytes) {
    const auto& pinned = driver().pinned;
    auto begin = reinterpret_cast<std::uint64_t>(address);
    auto range = pinned.upper_bound(begin);
    if (range == pinned.begin()) return false;
    --range;
    return begin - range->first < range->second.bytes && bytes <= range->second.bytes - (begin - range->first);
}

}  // namespace softcuda::driver
