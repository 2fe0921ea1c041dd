// Device memory of the software CUDA device: one reserved range of device addresses, with a state for every byte.
#pragma once
#include <cstddef>
#include <cstdint>

namespace softcuda {

/// What one byte of device memory is. Kernels may write bytes that are Unwritten or Written, and read those Written.
enum class ByteState : std::uint8_t { Unallocated = 0, Unwritten = 1, Written = 2 };

/// Global memory. A device address is no host address: the host's copy lies at another place, so that host code that follows
/// a device pointer faults as it would on a GPU. Address, host copy and state differ by constants: no table is walked.
/// Allocations are aligned to 256 bytes and kept apart by at least 256 bytes that stay Unallocated.
class Memory {
public:
    static constexpr std::uint64_t Base = 0x7f0000000000ull;

    explicit Memory(std::uint64_t capacity);
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    /// 0 where the capacity is used up. The bytes are Unwritten and hold 0xCD.
    std::uint64_t allocate(std::uint64_t bytes);
    /// False where no allocation starts at the address.
    bool release(std::uint64_t address);

    std::uint64_t capacity() const { return capacity_; }
    std::uint64_t used() const;
    std::size_t liveBlocks() const;

    bool contains(std::uint64_t address, std::uint64_t bytes) const {
        return address >= Base && bytes <= capacity_ && address - Base <= capacity_ - bytes;
    }
    /// The host's copy of a byte that contains() holds.
    std::uint8_t* host(std::uint64_t address) const { return bytes_ + (address - Base); }
    /// The state of that byte, one byte each.
    std::uint8_t* state(std::uint64_t address) const { return states_ + (address - Base); }

    /// Whether a range is allocated; with written, whether every byte of it was written too.
    bool valid(std::uint64_t address, std::uint64_t bytes, bool written) const;
    void markWritten(std::uint64_t address, std::uint64_t bytes);

    /// For reports: "byte 12 of the block of 4096 bytes at 0x..." or "in no allocation; 4 bytes behind the block ...".
    const char* describe(std::uint64_t address, char* buffer, std::size_t size) const;

private:
    struct Blocks;
    std::uint64_t capacity_;
    std::uint8_t* bytes_;
    std::uint8_t* states_;
    Blocks* blocks_;
};

}  // namespace softcuda
