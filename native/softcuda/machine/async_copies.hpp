// Copies by cp.async that a block has under way: what they bring may be read once their own thread has waited for them.
#pragma once
#include <cstdint>
#include <vector>

namespace softcuda {

class AsyncCopies {
public:
    struct Copy {
        std::uint32_t thread, offset, bytes, group;
    };

    /// For a new block.
    void start(std::uint32_t sharedBytes, std::uint32_t threads);
    bool any() const { return !copies_.empty(); }
    void add(std::uint32_t thread, std::uint32_t offset, std::uint32_t bytes);
    /// Closes the group of what the thread has copied since the last.
    void commit(std::uint32_t thread) {
        if (thread < groups_.size()) ++groups_[thread];
    }
    /// The thread waits until at most so many of its latest groups are under way; a negative number is for all it copied, committed or not.
    /// Calls done(copy) for each that has arrived.
    template <class Done>
    void wait(std::uint32_t thread, std::int64_t open, Done done) {
        std::int64_t arrived = open < 0 ? INT64_MAX : static_cast<std::int64_t>(groups_.empty() ? 0 : groups_[thread]) - open;
        std::erase_if(copies_, [&](const Copy& copy) {
            if (copy.thread != thread || static_cast<std::int64_t>(copy.group) >= arrived) return false;
            mark(copy, 0);
            done(copy);
            return true;
        });
    }
    /// 1 + the thread whose copy to one of these bytes is under way, or 0.
    std::uint32_t pendingAt(std::uint64_t offset, std::uint32_t bytes) const {
        std::uint32_t found = 0;
        for (std::uint64_t unit = offset / 4; unit <= (offset + bytes - 1) / 4; ++unit) found = found ? found : pending_[unit];
        return found;
    }

private:
    void mark(const Copy& copy, std::uint32_t value) {
        for (std::uint32_t unit = copy.offset / 4; unit < (copy.offset + copy.bytes) / 4; ++unit) pending_[unit] = value;
    }

    std::uint32_t sharedBytes_ = 0, threads_ = 0;
    std::vector<Copy> copies_;
    std::vector<std::uint32_t> groups_;   // committed, by thread; empty until the first copy
    std::vector<std::uint32_t> pending_;  // by 4 bytes of shared memory: copies are multiples of that
};

inline void AsyncCopies::start(std::uint32_t sharedBytes, std::uint32_t threads) {
    sharedBytes_ = sharedBytes;
    threads_ = threads;
    copies_.clear();
    groups_.clear();
}

inline void AsyncCopies::add(std::uint32_t thread, std::uint32_t offset, std::uint32_t bytes) {
    if (groups_.empty()) {
        groups_.assign(threads_, 0);
        pending_.assign((sharedBytes_ + 3) / 4, 0);
    }
    copies_.push_back({thread, offset, bytes, groups_[thread]});
    mark(copies_.back(), thread + 1);
}

}  // namespace softcuda
