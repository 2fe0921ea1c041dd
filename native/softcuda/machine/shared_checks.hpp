// What is known of every byte of shared memory: who wrote and read it, and when; enough to tell races from ordered accesses.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

namespace softcuda {

struct Warp;

/// Bytes are grouped to units of the narrowest access that the kernel has, so that a unit belongs to one thread at a time.
///
/// Time is a count of barriers. For each pair of warps (w, u), order(w, u) is the time before which accesses of u are ordered before
/// what w does now; barriers raise it. An access that meets an entry of another warp that is not older than that is a race. The same
/// holds for the lanes of one warp, which only barriers and bar.warp.sync put in an order: since Volta they need not run in step.
class SharedShadow {
public:
    enum class Kind : std::uint8_t { Read, Write, Atomic };

    /// For a new block. `unit` is 1, 2 or 4.
    void start(std::uint32_t bytes, std::uint32_t unit, std::uint32_t warps);

    struct Result {
        std::uint32_t races = 0, unwritten = 0;  // lanes
        std::uint32_t other = 0;                 // the thread of the first race's earlier access, warp * 32 + lane
        bool otherWrote = false;
    };
    /// Checks and records one access of a warp whose lanes first to last touch `size` bytes each, one behind the other.
    Result contiguous(Kind kind, std::uint32_t warp, std::uint32_t first, std::uint32_t last, const std::uint64_t* addresses, std::uint32_t size);
    /// The same for a list of lanes with different addresses; `repeated` tells which of them stand for several lanes.
    Result scattered(Kind kind, std::uint32_t warp, const std::uint8_t* lanes, std::uint32_t count, std::uint32_t repeated, const std::uint64_t* addresses,
                     std::uint32_t size);

    /// All that `arrived` (warps, as bits) did so far comes before what `waiting` do from now on.
    void barrier(std::uint32_t arrived, std::uint32_t waiting);
    /// Ends the interval of a warp that arrives without waiting.
    void arrive(std::uint32_t warp);
    /// What the lanes of a warp did so far comes before what they do from now on.
    void syncWarp(std::uint32_t warp);

private:
    // An entry is its time, warp, lane, two flags and a 1; no entry is 0.
    static constexpr std::uint32_t MostTime = (1u << 19) - 2, AtomicFlag = 2, SeveralFlag = 4;
    static std::uint32_t timeOf(std::uint32_t entry) { return entry >> 13; }
    static std::uint32_t warpOf(std::uint32_t entry) { return entry >> 8 & 31; }
    static std::uint32_t laneOf(std::uint32_t entry) { return entry >> 3 & 31; }
    std::uint32_t entryOf(std::uint32_t warp, std::uint32_t lane) const { return time_ << 13 | warp << 8 | lane << 3 | 1; }

    /// What a warp compares entries with.
    struct View {
        std::uint32_t warp, least, own;
        /// Whether a write may be unordered before an access of this lane. Bits instead of branches: loops over units are vectors.
        bool meetsWriter(std::uint32_t writer, std::uint32_t lane) const {
            bool mine = warpOf(writer) == warp;
            return (!mine & (timeOf(writer) >= least)) | (mine & (timeOf(writer) >= own) & (laneOf(writer) != lane) & ((writer & SeveralFlag) == 0));
        }
        bool meetsReader(std::uint32_t reader, std::uint32_t readerWarps, std::uint32_t lane) const {
            bool mine = warpOf(reader) == warp;
            return (((readerWarps & ~(1u << warp)) != 0) & (timeOf(reader) >= least)) |
                   (mine & (timeOf(reader) >= own) & ((laneOf(reader) != lane) | ((reader & SeveralFlag) != 0)));
        }
    };
    View view(std::uint32_t warp) const { return {warp, least_[warp], own_[warp]}; }
    static void recordRead(const View& view, std::uint32_t& reader, std::uint32_t& readerWarps, std::uint32_t entry, bool othersOrdered);
    std::uint32_t& order(std::uint32_t warp, std::uint32_t other) { return order_[warp * 32 + other]; }
    void updateLeast(std::uint32_t warp);
    void advance();
    bool quick(Kind kind, std::uint32_t warp, std::uint32_t first, std::uint32_t last, const std::uint64_t* addresses, std::uint32_t size);
    template <Kind K, std::uint32_t PerLane>
    bool quickScattered(std::uint32_t warp, const std::uint8_t* lanes, std::uint32_t count, std::uint32_t repeated, const std::uint64_t* addresses,
                        std::uint32_t perLane);
    void one(Kind kind, std::uint32_t warp, std::uint32_t lane, std::uint32_t flags, std::uint32_t unit, Result& result);

    std::uint32_t shift_ = 2, warps_ = 1, time_ = 1;
    std::vector<std::uint32_t> writers_, readers_, readerWarps_;
    std::array<std::uint32_t, 32 * 32> order_{};
    std::array<std::uint32_t, 32> least_{};  // of order(w, others)
    std::array<std::uint32_t, 32> own_{};    // order(w, w), among the lanes
};

}  // namespace softcuda
