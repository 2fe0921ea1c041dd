// What each kind of work does when its turn comes.
#include <cstdio>
#include <cstring>

#include "configuration.hpp"
#include "counters.hpp"
#include "entry.hpp"
#include "faults.hpp"
#include "host_access.hpp"
#include "schedule.hpp"

namespace softcuda::driver {

namespace {

/// A range that was valid when the work was put on the stream may have been freed since: then the work faults, as on a GPU.
bool reachable(const Memory& memory, const char* who, std::uint64_t address, std::uint64_t bytes) {
    if (memory.valid(address, bytes, false)) return true;
    char place[256], message[512];
    memory.describe(address, place, sizeof place);
    std::snprintf(message, sizeof message, "touches %llu bytes at 0x%llx that are not allocated when it runs: %s",
                  static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(address), place);
    reportHostAccess(who, address, message);
    return false;
}

void checkWritten(const Memory& memory, const char* who, std::uint64_t address, std::uint64_t bytes) {
    if (!configuration().checks || memory.valid(address, bytes, true)) return;
    std::uint64_t first = address;
    while (*memory.state(first) == static_cast<std::uint8_t>(ByteState::Written)) ++first;
    char place[256], message[512];
    memory.describe(first, place, sizeof place);
    std::snprintf(message, sizeof message, "copies %llu bytes at 0x%llx to the host of which some were never written, the first is %s",
                  static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(address), place);
    reportHostAccess(who, first, message);
}

CUresult result(Outcome outcome) {
    switch (outcome) {
        case Outcome::Ok: return CUDA_SUCCESS;
        case Outcome::IllegalAddress: return CUDA_ERROR_ILLEGAL_ADDRESS;
        case Outcome::MisalignedAddress: return CUDA_ERROR_MISALIGNED_ADDRESS;
        case Outcome::IllegalInstruction: return CUDA_ERROR_ILLEGAL_INSTRUCTION;
        case Outcome::Trap:
        case Outcome::Timeout: break;
    }
    return CUDA_ERROR_LAUNCH_FAILED;
}

CUresult runKernel(const KernelWork& work) {
    Driver& all = driver();
    const Configuration& config = configuration();
    LaunchOptions options;
    options.checks = config.checks;
    options.races = config.races;
    options.footprint = config.footprint;
    // Every launch its own order, and yet the same in every run.
    options.seed = config.seed + 0x9e3779b97f4a7c15ull * ++all.launches;
    options.workers = config.workers;
    options.sm = config.sm;
    Counters counters;
    std::vector<Finding> findings;
    Outcome outcome = run(*work.function->kernel, work.grid, work.block, work.dynamicShared, work.parameters.data(), all.deviceMemory(),
                          options, counters, findings);
    countKernel(info(*work.function->kernel).name, false, counters);
    if (outcome != Outcome::Ok && findings.empty()) {
        Finding finding;
        finding.kind = FindingKind::Trap;
        finding.kernel = info(*work.function->kernel).name;
        finding.message = outcome == Outcome::Timeout ? "ran for longer than the device allows" : "failed";
        findings.push_back(std::move(finding));
    }
    report(findings);
    return result(outcome);
}

CUresult runCopy(const CopyWork& work) {
    Memory& memory = driver().deviceMemory();
    const auto* source = reinterpret_cast<const void*>(work.source);
    auto* destination = reinterpret_cast<void*>(work.destination);
    switch (work.kind) {
        case CopyKind::HostToDevice:
            if (!reachable(memory, "cuMemcpyHtoD", work.destination, work.bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
            std::memcpy(memory.host(work.destination), work.staged ? work.staged->data() : source, work.bytes);
            memory.markWritten(work.destination, work.bytes);
            countTransfer(Transfer::HostToDevice, work.bytes);
            break;
        case CopyKind::DeviceToHost:
            if (!reachable(memory, "cuMemcpyDtoH", work.source, work.bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
            checkWritten(memory, "cuMemcpyDtoH", work.source, work.bytes);
            std::memcpy(destination, memory.host(work.source), work.bytes);
            countTransfer(Transfer::DeviceToHost, work.bytes);
            break;
        case CopyKind::DeviceToDevice:
            if (!reachable(memory, "cuMemcpyDtoD", work.source, work.bytes) ||
                !reachable(memory, "cuMemcpyDtoD", work.destination, work.bytes))
                return CUDA_ERROR_ILLEGAL_ADDRESS;
            // What was never written stays so in the copy: a buffer with gaps may be copied as a whole.
            std::memmove(memory.host(work.destination), memory.host(work.source), work.bytes);
            std::memmove(memory.state(work.destination), memory.state(work.source), work.bytes);
            countTransfer(Transfer::DeviceToDevice, work.bytes);
            break;
        case CopyKind::HostToHost:
            std::memmove(destination, work.staged ? work.staged->data() : source, work.bytes);
            break;
    }
    return CUDA_SUCCESS;
}

CUresult runFill(const FillWork& work) {
    Memory& memory = driver().deviceMemory();
    std::uint64_t bytes = work.count * static_cast<std::uint64_t>(work.width);
    if (!reachable(memory, "cuMemset", work.address, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
    std::uint8_t* target = memory.host(work.address);
    if (work.width == 1) {
        std::memset(target, static_cast<int>(work.value), bytes);
    } else {
        for (std::uint64_t i = 0; i < work.count; ++i)
            std::memcpy(target + i * static_cast<std::uint64_t>(work.width), &work.value, static_cast<std::size_t>(work.width));
    }
    memory.markWritten(work.address, bytes);
    countTransfer(Transfer::Memset, bytes);
    return CUDA_SUCCESS;
}

CUresult runLibrary(const LibraryWork& work) {
    LibraryScope access(work.name.c_str());
    {
        CallbackScope scope;
        work.function(work.arguments.data());
    }
    auto whole = [](double value) { return static_cast<std::uint64_t>(value < 0 ? 0 : value); };
    Counters counters;
    counters.launches = 1;
    counters.flops = whole(work.flops);
    counters.bytesLoaded = whole(work.bytesRead);
    counters.bytesStored = whole(work.bytesWritten);
    counters.sectorsLoaded = counters.footprintLoaded = (counters.bytesLoaded + 31) / 32;
    counters.sectorsStored = counters.footprintStored = (counters.bytesStored + 31) / 32;
    countKernel(work.name, true, counters);
    return access.faulted() ? CUDA_ERROR_ILLEGAL_ADDRESS : CUDA_SUCCESS;
}

CUresult runHost(Lock& lock, const HostWork& work) {
    lock.unlock();
    {
        CallbackScope scope;
        work.function(work.data);
    }
    lock.lock();
    return CUDA_SUCCESS;
}

}  // namespace

CUresult execute(Lock& lock, Context& context, const Work& work) {
    if (context.error != CUDA_SUCCESS) return context.error;
    if (const auto* kernel = std::get_if<KernelWork>(&work)) return runKernel(*kernel);
    if (const auto* copy = std::get_if<CopyWork>(&work)) return runCopy(*copy);
    if (const auto* fill = std::get_if<FillWork>(&work)) return runFill(*fill);
    if (const auto* host = std::get_if<HostWork>(&work)) return runHost(lock, *host);
    if (const auto* library = std::get_if<LibraryWork>(&work)) return runLibrary(*library);
    return CUDA_SUCCESS;
}

}  // namespace softcuda::driver
