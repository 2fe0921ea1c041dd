// What is known of global memory within one launch: who wrote and read each unit of it, and what is ordered before what; enough to tell
// races within and between blocks from ordered accesses. Switched on by LaunchOptions::races, on one worker: blocks then run one after another.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace softcuda {

/// Time in a block is a count of what orders: barriers, bar.warp.sync, fences. As in SharedShadow, order(w, u) is the time before which
/// accesses of warp u come before what warp w does now.
///
/// Blocks are ordered by what CUDA calls a release and an acquire: a thread writes, fences for the whole GPU (or learns by a barrier that the
/// writer has), and then accesses a place strongly (atomically, volatile, relaxed); another block accesses that place strongly later, and so
/// does everyone who meets that thread at a barrier. A ticket is taken so. Without the fence before it nothing is ordered.
class GlobalShadow {
public:
    enum class Kind : std::uint8_t {
        Read, ReadConstant,  // by ld.global.nc, which may see what memory held before the launch
        Write, Atomic, StrongRead, StrongWrite,
    };
    enum class Fault : std::uint8_t { None, Race, Unfenced, StaleRead };

    struct Result {
        Fault fault = Fault::None;
        std::uint32_t lanes = 0;                         // those with a fault
        std::uint32_t otherBlock = 0, otherThread = 0;   // of the earlier access of the first
        bool otherWrote = false;
        bool repeats = false;                            // several lanes write one place: whether they write the same is not known here
    };

    GlobalShadow();
    ~GlobalShadow();
    GlobalShadow(const GlobalShadow&) = delete;
    GlobalShadow& operator=(const GlobalShadow&) = delete;

    /// For a new launch on a memory of so many bytes; units of 1, 2 or 4 bytes, the narrowest access of the kernel. False where the host
    /// cannot hold what must be known.
    bool begin(std::uint64_t capacity, std::uint32_t unit, std::uint32_t warps);
    void startBlock(std::uint32_t block);

    /// Checks and records one request; addresses count from the beginning of the memory.
    Result access(Kind kind, std::uint32_t warp, std::uint32_t lanes, const std::uint64_t* addresses, std::uint64_t base, std::uint32_t size);
    void fence(std::uint32_t warp, std::uint32_t lanes);
    void barrier(std::uint32_t arrived, std::uint32_t waiting);
    void arrive() { ++time_; }
    void syncWarp(std::uint32_t warp);

private:
    struct Entry;
    struct Release;
    struct Place;
    /// That a warp has seen the first so many releases at a place.
    struct Seen {
        std::uint64_t place;
        std::size_t count;
    };
    using SeenList = std::vector<Seen>;

    struct Access {
        Kind kind;
        std::uint32_t warp, lanes;
        const std::uint64_t* addresses;
    };
    void one(const Access& access, std::uint32_t lane, std::uint64_t unit, Result& result);
    bool isRepeat(const Access& access, std::uint32_t lane, const Entry& entry) const;
    bool ordered(std::uint32_t block, std::uint32_t thread, std::uint32_t time, std::uint32_t warp, std::uint32_t lane) const;
    bool seen(const SeenList& list, std::uint32_t block, std::uint32_t thread, std::uint32_t time, int depth) const;
    bool hasReleased(std::uint32_t block, std::uint32_t warp) const;
    void release(std::uint32_t warp, std::uint32_t lane, std::uint64_t unit);
    void acquire(std::uint32_t warp, std::uint64_t unit);
    static void join(SeenList& into, const SeenList& from);
    std::uint32_t& order(std::uint32_t warp, std::uint32_t other) { return order_[warp * 32 + other]; }
    std::uint32_t order(std::uint32_t warp, std::uint32_t other) const { return order_[warp * 32 + other]; }

    Entry* entries_ = nullptr;
    std::uint64_t bytes_ = 0;
    std::uint32_t shift_ = 2, warps_ = 1, launch_ = 0, block_ = 0, time_ = 1;
    std::array<std::uint32_t, 32 * 32> order_{};
    std::array<std::uint32_t, 32> own_{};  // among the lanes of a warp
    // Of warps u, what was before a fence that warp w did or knows of.
    std::array<std::uint32_t, 32 * 32> released_{};
    std::vector<std::uint32_t> fenced_;  // by thread: what it did before that time is fenced by itself
    std::array<SeenList, 32> seen_;
    std::unordered_map<std::uint64_t, Place> places_;
    std::size_t releases_ = 0;
    bool lenient_ = false;  // too much to remember: blocks count as ordered
};

}  // namespace softcuda
