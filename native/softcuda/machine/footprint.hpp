// The set of 32-byte sectors of device memory that a launch touches.
#pragma once
#include <cstdint>
#include <vector>

namespace softcuda {

/// A bitmap over the whole memory, reserved but not backed until it is touched; what was touched is remembered by chunks, so that
/// counting and clearing cost no more than the launch's own footprint.
class Footprint {
public:
    Footprint() = default;
    ~Footprint();
    Footprint(const Footprint&) = delete;
    Footprint& operator=(const Footprint&) = delete;

    /// For a memory of that many bytes.
    void reserve(std::uint64_t capacity);

    /// Sectors first to last, by their number from the start of memory.
    void add(std::uint64_t first, std::uint64_t last) {
        for (std::uint64_t word = first / 64; word <= last / 64; ++word) {
            std::uint64_t bits = ~0ull;
            if (word == first / 64) bits &= ~0ull << first % 64;
            if (word == last / 64) bits &= ~0ull >> (63 - last % 64);
            if ((words_[word] & bits) == bits) continue;
            words_[word] |= bits;
            std::uint64_t chunk = word / WordsPerChunk;
            if (!touched_[chunk]) {
                touched_[chunk] = 1;
                chunks_.push_back(chunk);
            }
        }
    }

    /// Takes over what the other one holds.
    void merge(Footprint& other);
    /// The number of sectors; empties the set.
    std::uint64_t takeCount();

private:
    static constexpr std::uint64_t WordsPerChunk = 64;  // 128 KiB of memory
    std::uint64_t* words_ = nullptr;
    std::uint8_t* touched_ = nullptr;
    std::uint64_t wordBytes_ = 0, touchedBytes_ = 0;
    std::vector<std::uint64_t> chunks_;
    void release();
};

}  // namespace softcuda
