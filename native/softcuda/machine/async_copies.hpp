// Copies by cp.async that a block has under way: the bytes arrive when their own thread waits for them, and nobody may touch their place before.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

namespace softcuda {

struct Instr;

class AsyncCopies {
public:
    static constexpr std::uint32_t MostBytes = 16;
    struct Copy {
        const Instr* instr;
        std::uint32_t thread, offset, bytes, group;
        std::uint64_t source;
        std::uint32_t count;  // of the bytes, those that are read; the rest becomes zeros
        std::array<std::uint8_t, MostBytes> seen;  // what the source held when the copy began: it must not change before the wait
        bool overlaps(std::uint64_t at, std::uint32_t size) const { return at < offset + bytes && offset < at + size; }
    };

    /// For a new block.
    void start(std::uint32_t sharedBytes, std::uint32_t threads);
    bool any() const { return !copies_.empty(); }
    /// The copy belongs to the group that its thread commits next.
    void add(Copy copy);
    /// Closes the group of what the thread has copied since the last.
    void commit(std::uint32_t thread) {
        if (groups_.empty()) groups_.assign(threads_, 0);
        ++groups_[thread];
    }
    /// Lanes of a warp wait until at most so many of each one's latest groups are under way; a negative number is for all they copied,
    /// committed or not. Calls done(copy) for each that arrives, in the order in which they began.
    template <class Done>
    void wait(std::uint32_t warp, std::uint32_t lanes, std::int64_t open, Done done) {
        std::erase_if(copies_, [&](const Copy& copy) {
            if (copy.thread / 32 != warp || !(lanes >> copy.thread % 32 & 1)) return false;
            if (open >= 0 && static_cast<std::int64_t>(copy.group) >= static_cast<std::int64_t>(groups_[copy.thread]) - open) return false;
            mark(copy, -1);
            done(copy);
            return true;
        });
    }
    /// A copy to one of these bytes that is under way, or null.
    const Copy* at(std::uint64_t offset, std::uint32_t bytes) const {
        for (const Copy& copy : copies_)
            if (copy.overlaps(offset, bytes)) return &copy;
        return nullptr;
    }
    /// Whether there may be one: false for nearly all accesses, and told without a search.
    bool mayTouch(std::uint64_t offset, std::uint32_t bytes) const {
        for (std::uint64_t unit = offset / 4; unit <= (offset + bytes - 1) / 4; ++unit)
            if (begun_[unit]) return true;
        return false;
    }

private:
    void mark(const Copy& copy, int by) {
        for (std::uint32_t unit = copy.offset / 4; unit < (copy.offset + copy.bytes) / 4; ++unit) begun_[unit] = static_cast<std::uint16_t>(begun_[unit] + by);
    }

    std::uint32_t sharedBytes_ = 0, threads_ = 0;
    std::vector<Copy> copies_;
    std::vector<std::uint32_t> groups_;  // committed, by thread; empty until the first
    std::vector<std::uint16_t> begun_;   // copies under way, by 4 bytes of shared memory: copies are multiples of that
};

inline void AsyncCopies::start(std::uint32_t sharedBytes, std::uint32_t threads) {
    sharedBytes_ = sharedBytes;
    threads_ = threads;
    copies_.clear();
    groups_.clear();
    begun_.clear();
}

inline void AsyncCopies::add(Copy copy) {
    if (groups_.empty()) groups_.assign(threads_, 0);
    if (begun_.empty()) begun_.assign((sharedBytes_ + 3) / 4, 0);
    copy.group = groups_[copy.thread];
    mark(copy, 1);
    copies_.push_back(copy);
}

}  // namespace softcuda
