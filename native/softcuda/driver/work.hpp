// Work that a stream runs, or that a node of a graph holds.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "api.hpp"
#include "machine.hpp"

namespace softcuda::driver {

struct LoadedModule;
struct Context;
struct Stream;

struct Function {
    LoadedModule* module = nullptr;
    const Kernel* kernel = nullptr;
    std::uint64_t handle = 0;
    int dynamicShared = 0;  // the most that a launch may ask for; cuFuncSetAttribute raises it
    int carveout = -1;
};

struct KernelWork {
    std::shared_ptr<LoadedModule> module;  // keeps the code alive: a module may be unloaded while launches wait
    std::shared_ptr<Function> function;
    Dim3 grid, block;
    std::uint32_t dynamicShared = 0;
    std::vector<std::uint8_t> parameters;
};

/// Which ends are device memory is settled when the copy is made, as CUDA does by unified addressing.
enum class CopyKind { HostToDevice, DeviceToHost, DeviceToDevice, HostToHost };

struct CopyWork {
    CopyKind kind;
    std::uint64_t destination, source, bytes;
    // The source of a copy from pageable memory, taken when the copy was put on the stream.
    std::shared_ptr<std::vector<std::uint8_t>> staged;
};

struct FillWork {
    std::uint64_t address;
    int width;  // bytes of the value: 1, 2 or 4
    std::uint32_t value;
    std::uint64_t count;
};

struct HostWork {
    CUhostFn function;
    void* data;
};

struct LibraryWork {
    std::string name;
    void (*function)(const void*);
    std::vector<std::max_align_t> arguments;
    double flops, bytesRead, bytesWritten;
};

struct EmptyWork {};

using Work = std::variant<KernelWork, CopyWork, FillWork, HostWork, LibraryWork, EmptyWork>;

/// A node depends on nodes before it: captured graphs are in topological order by construction.
struct Node {
    Work work;
    std::vector<std::size_t> dependencies;
};

}  // namespace softcuda::driver
