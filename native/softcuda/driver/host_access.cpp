#include "host_access.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

#include "configuration.hpp"
#include "entry.hpp"
#include "faults.hpp"
#include "state.hpp"

namespace softcuda::driver {

namespace {

// The device's memory is reached without the driver's lock: the thread that runs library work holds it, its workers cannot.
std::atomic<const char*> libraryName{"library work"};
std::atomic<bool> libraryFault{false};

void finding(std::uint64_t address, std::size_t bytes, const char* what) {
    char place[256], message[512];
    driver().memory->describe(address, place, sizeof place);
    std::snprintf(message, sizeof message, "%s %zu bytes at 0x%llx: %s", what, bytes, static_cast<unsigned long long>(address), place);
    reportHostAccess(libraryName.load(), address, message);
}

bool reachable(std::uint64_t address, std::size_t bytes, bool reads, const char* what) {
    const Memory* memory = driver().memory.get();
    if (!memory || !memory->valid(address, bytes, false)) {
        if (memory) finding(address, bytes, what);
        libraryFault = true;
        return false;
    }
    if (reads && configuration().checks && !memory->valid(address, bytes, true)) {
        std::uint64_t first = address;
        while (*memory->state(first) == static_cast<std::uint8_t>(ByteState::Written)) ++first;
        finding(first, address + bytes - first, "reads bytes never written: the first of the last");
    }
    return true;
}

/// Blocks of indices are drawn by the workers and by the caller.
class Workers {
public:
    void run(void (*body)(void*, std::size_t), void* context, std::size_t count, int workers) {
        if (count == 0) return;
        std::lock_guard oneAtATime(caller_);
        Job job{body, context, count};
        std::size_t helpers = std::min<std::size_t>(count - 1, static_cast<std::size_t>(workers) - 1);
        {
            std::lock_guard lock(mutex_);
            while (threads_.size() < helpers) {
                threads_.emplace_back([this] { serve(); });
                threads_.back().detach();  // they sleep between jobs, and end with the process
            }
            job_ = &job;
            wanted_ = helpers;
        }
        wake_.notify_all();
        job.work();
        std::unique_lock lock(mutex_);
        wanted_ = 0;
        job_ = nullptr;
        idle_.wait(lock, [&] { return active_ == 0; });
    }

private:
    struct Job {
        void (*body)(void*, std::size_t);
        void* context;
        std::size_t count;
        std::atomic<std::size_t> next{0};
        void work() {
            for (std::size_t i = next++; i < count; i = next++) body(context, i);
        }
    };

    void serve() {
        CallbackScope scope;
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [&] { return wanted_ > 0; });
            --wanted_;
            ++active_;
            Job* job = job_;
            lock.unlock();
            job->work();
            lock.lock();
            if (--active_ == 0) idle_.notify_all();
        }
    }

    std::mutex caller_, mutex_;
    std::condition_variable wake_, idle_;
    std::vector<std::thread> threads_;
    Job* job_ = nullptr;
    std::size_t wanted_ = 0, active_ = 0;
};

Workers& workers() {
    static auto* all = new Workers;
    return *all;
}

}  // namespace

LibraryScope::LibraryScope(const char* name) {
    libraryName = name;
    libraryFault = false;
}

LibraryScope::~LibraryScope() { libraryName = "library work"; }

bool LibraryScope::faulted() const { return libraryFault; }

}  // namespace softcuda::driver

using namespace softcuda::driver;

SOFTCUDA_API const void* softcudaRead(std::uint64_t address, std::size_t bytes) { return softcudaReadRows(address, 1, bytes, bytes); }

SOFTCUDA_API void* softcudaWrite(std::uint64_t address, std::size_t bytes, int alsoRead) {
    return softcudaWriteRows(address, 1, bytes, bytes, alsoRead);
}

SOFTCUDA_API const void* softcudaReadRows(std::uint64_t address, std::size_t rows, std::size_t rowBytes, std::size_t strideBytes) {
    for (std::size_t row = 0; row < rows; ++row)
        if (!reachable(address + row * strideBytes, rowBytes, true, "reads")) return nullptr;
    return driver().memory ? driver().memory->host(address) : nullptr;
}

SOFTCUDA_API void* softcudaWriteRows(std::uint64_t address, std::size_t rows, std::size_t rowBytes, std::size_t strideBytes, int alsoRead) {
    for (std::size_t row = 0; row < rows; ++row)
        if (!reachable(address + row * strideBytes, rowBytes, alsoRead != 0, alsoRead ? "reads and writes" : "writes")) return nullptr;
    for (std::size_t row = 0; row < rows; ++row) driver().memory->markWritten(address + row * strideBytes, rowBytes);
    return driver().memory ? driver().memory->host(address) : nullptr;
}

SOFTCUDA_API void softcudaParallel(void (*body)(void*, std::size_t), void* context, std::size_t count) {
    workers().run(body, context, count, configuration().workers);
}

SOFTCUDA_API int softcudaSm() { return configuration().sm; }
