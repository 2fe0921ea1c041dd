#include "global_checks.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>

namespace softcuda {

namespace {

constexpr std::uint8_t Present = 1, Strong = 2, Several = 4;
/// Releases and places seen that are remembered in a launch; a histogram by atomics would fill the host's memory.
constexpr std::size_t MostReleases = 1 << 16, MostSeen = 64;

bool isStrong(GlobalShadow::Kind kind) { return kind >= GlobalShadow::Kind::Atomic; }
bool writes(GlobalShadow::Kind kind) {
    return kind == GlobalShadow::Kind::Write || kind == GlobalShadow::Kind::Atomic || kind == GlobalShadow::Kind::StrongWrite;
}

}  // namespace

/// The last write of a unit, and of its reads since then the first that later ones may not be ordered after. Older launches' count for nothing.
struct GlobalShadow::Entry {
    std::uint32_t launch;
    std::uint32_t writeBlock, writeTime;
    std::uint16_t writeThread;
    std::uint8_t writeFlags, readFlags;
    std::uint32_t readBlock, readTime, readWarps;
    std::uint16_t readThread;
};

/// What a strong access publishes: of each warp of its block, what is fenced before it.
struct GlobalShadow::Release {
    std::size_t number;  // at its place
    std::array<std::uint32_t, 32> released, order;
    std::vector<std::uint32_t> fenced;
    SeenList seen;

    bool covers(std::uint32_t thread, std::uint32_t time) const {
        std::uint32_t warp = thread >> 5;
        return time < released[warp] || (time < fenced[thread] && fenced[thread] <= order[warp]);
    }
};

struct GlobalShadow::Place {
    std::size_t count = 0;
    std::unordered_map<std::uint32_t, Release> byBlock;  // the last of each block
};

GlobalShadow::GlobalShadow() = default;

GlobalShadow::~GlobalShadow() {
    if (entries_) munmap(entries_, bytes_);
}

bool GlobalShadow::begin(std::uint64_t capacity, std::uint32_t unit, std::uint32_t warps) {
    shift_ = static_cast<std::uint32_t>(std::countr_zero(unit));
    std::uint64_t needed = ((capacity >> shift_) + 1) * sizeof(Entry);
    if (needed > bytes_) {
        if (entries_) munmap(entries_, bytes_);
        // Only what is touched takes memory.
        void* range = mmap(nullptr, needed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        entries_ = range == MAP_FAILED ? nullptr : static_cast<Entry*>(range);
        bytes_ = entries_ ? needed : 0;
        launch_ = 0;
        if (!entries_) return false;
    }
    warps_ = warps;
    ++launch_;
    places_.clear();
    releases_ = 0;
    lenient_ = false;
    return true;
}

void GlobalShadow::startBlock(std::uint32_t block) {
    block_ = block;
    time_ = 1;
    order_.fill(1);
    own_.fill(1);
    released_.fill(0);
    fenced_.assign(warps_ * 32, 0);
    for (std::uint32_t warp = 0; warp < warps_; ++warp) seen_[warp].clear();
}

void GlobalShadow::syncWarp(std::uint32_t warp) { own_[warp] = ++time_; }

void GlobalShadow::join(SeenList& into, const SeenList& from) {
    for (const Seen& seen : from) {
        auto known = std::find_if(into.begin(), into.end(), [&](const Seen& other) { return other.place == seen.place; });
        if (known == into.end()) into.push_back(seen);
        else known->count = std::max(known->count, seen.count);
    }
}

void GlobalShadow::barrier(std::uint32_t arrived, std::uint32_t waiting) {
    ++time_;
    std::array<std::uint32_t, 32> order{}, released{};
    SeenList seen;
    for (std::uint32_t warp = 0; warp < warps_; ++warp) {
        if (!(arrived >> warp & 1)) continue;
        for (std::uint32_t other = 0; other < warps_; ++other) {
            order[other] = std::max(order[other], this->order(warp, other));
            released[other] = std::max(released[other], released_[warp * 32 + other]);
        }
        order[warp] = time_;
        join(seen, seen_[warp]);
    }
    for (std::uint32_t warp = 0; warp < warps_; ++warp) {
        if (!(waiting >> warp & 1)) continue;
        for (std::uint32_t other = 0; other < warps_; ++other) {
            this->order(warp, other) = std::max(this->order(warp, other), order[other]);
            released_[warp * 32 + other] = std::max(released_[warp * 32 + other], released[other]);
        }
        own_[warp] = time_;
        join(seen_[warp], seen);
    }
}

void GlobalShadow::fence(std::uint32_t warp, std::uint32_t lanes) {
    ++time_;
    for (std::uint32_t rest = lanes; rest; rest &= rest - 1) fenced_[warp * 32 + static_cast<std::uint32_t>(std::countr_zero(rest))] = time_;
    for (std::uint32_t other = 0; other < warps_; ++other) {
        std::uint32_t& known = released_[warp * 32 + other];
        known = std::max(known, other == warp ? own_[warp] : order(warp, other));
    }
}

void GlobalShadow::release(std::uint32_t warp, std::uint32_t lane, std::uint64_t unit) {
    if (lenient_) return;
    Place& place = places_[unit];
    auto [entry, fresh] = place.byBlock.try_emplace(block_);
    if (fresh && ++releases_ > MostReleases) {
        lenient_ = true;
        places_.clear();
        return;
    }
    Release& release = entry->second;
    release.number = place.count++;
    for (std::uint32_t other = 0; other < 32; ++other) {
        release.released[other] = released_[warp * 32 + other];
        release.order[other] = other == warp ? own_[warp] : order(warp, other);
    }
    release.fenced = fenced_;
    // The thread's own writes need no barrier, nor does their order in its own fence's copy.
    std::uint32_t self = warp * 32 + lane;
    if (release.fenced[self] > release.order[warp]) {
        // Kept as if the whole warp had met: only this lane's count.
        for (std::uint32_t other = warp * 32; other < warp * 32 + 32; ++other)
            if (other != self && release.fenced[other] > release.order[warp]) release.fenced[other] = 0;
        release.order[warp] = release.fenced[self];
    }
    release.seen = seen_[warp];
}

void GlobalShadow::acquire(std::uint32_t warp, std::uint64_t unit) {
    auto place = places_.find(unit);
    if (lenient_ || place == places_.end()) return;
    SeenList& list = seen_[warp];
    auto known = std::find_if(list.begin(), list.end(), [&](const Seen& other) { return other.place == unit; });
    if (known != list.end()) known->count = place->second.count;
    else if (list.size() < MostSeen) list.push_back({unit, place->second.count});
    else lenient_ = true;
}

bool GlobalShadow::seen(const SeenList& list, std::uint32_t block, std::uint32_t thread, std::uint32_t time, int depth) const {
    for (const Seen& at : list) {
        auto place = places_.find(at.place);
        if (place == places_.end()) continue;
        auto own = place->second.byBlock.find(block);
        if (own != place->second.byBlock.end() && own->second.number < at.count && own->second.covers(thread, time)) return true;
        // Through a block in between.
        if (depth == 0) continue;
        for (const auto& [other, release] : place->second.byBlock)
            if (release.number < at.count && !release.seen.empty() && seen(release.seen, block, thread, time, depth - 1)) return true;
    }
    return false;
}

bool GlobalShadow::ordered(std::uint32_t block, std::uint32_t thread, std::uint32_t time, std::uint32_t warp, std::uint32_t lane) const {
    std::uint32_t other = thread >> 5;
    if (block == block_) return other == warp ? (thread & 31) == lane || time < own_[warp] : time < order(warp, other);
    return lenient_ || seen(seen_[warp], block, thread, time, 2);
}

/// Whether the warp has seen a release of that block, which then came without a fence.
bool GlobalShadow::hasReleased(std::uint32_t block, std::uint32_t warp) const {
    return std::any_of(seen_[warp].begin(), seen_[warp].end(), [&](const Seen& at) {
        auto place = places_.find(at.place);
        return place != places_.end() && place->second.byBlock.contains(block);
    });
}

/// Whether a lane of this same request wrote the place just now.
bool GlobalShadow::isRepeat(const Access& access, std::uint32_t lane, const Entry& e) const {
    std::uint32_t other = e.writeThread & 31;
    return access.kind == Kind::Write && e.writeBlock == block_ && e.writeTime == time_ && e.writeThread >> 5 == access.warp && other < lane &&
           (access.lanes >> other & 1) && access.addresses[other] == access.addresses[lane];
}

void GlobalShadow::one(const Access& access, std::uint32_t lane, std::uint64_t unit, Result& result) {
    const Kind kind = access.kind;
    const std::uint32_t warp = access.warp;
    Entry& e = entries_[unit];
    if (e.launch != launch_) {
        e = {};
        e.launch = launch_;
    }
    bool strong = isStrong(kind);
    auto thread = static_cast<std::uint16_t>(warp * 32 + lane);
    auto fail = [&](Fault fault, std::uint32_t block, std::uint32_t other, bool wrote) {
        if (result.fault == Fault::None) {
            bool unfenced = fault == Fault::Race && wrote && block != block_ && hasReleased(block, warp);
            result.fault = unfenced ? Fault::Unfenced : fault;
            result.otherBlock = block;
            result.otherThread = other;
            result.otherWrote = wrote;
        }
        result.lanes |= 1u << lane;
    };
    if (e.writeFlags & Present) {
        if (kind == Kind::ReadConstant) fail(Fault::StaleRead, e.writeBlock, e.writeThread, true);
        else if (isRepeat(access, lane, e)) result.repeats = true;
        else if (!(strong && e.writeFlags & Strong) && !ordered(e.writeBlock, e.writeThread, e.writeTime, warp, lane))
            fail(Fault::Race, e.writeBlock, e.writeThread, true);
    }
    bool meetsReaders = false;
    if (e.readFlags & Present && !(strong && e.readFlags & Strong)) {
        if (e.readBlock != block_) {
            meetsReaders = !ordered(e.readBlock, e.readThread, e.readTime, warp, lane);
        } else {
            for (std::uint32_t rest = e.readWarps & ~(1u << warp); rest; rest &= rest - 1)
                meetsReaders |= e.readTime >= order(warp, static_cast<std::uint32_t>(std::countr_zero(rest)));
            if (e.readWarps >> warp & 1) meetsReaders |= e.readTime >= own_[warp] && ((e.readThread != thread && e.readThread >> 5 == warp) || e.readFlags & Several);
        }
    }
    if (writes(kind)) {
        if (meetsReaders) fail(Fault::Race, e.readBlock, e.readThread, false);
        e.writeBlock = block_;
        e.writeTime = time_;
        e.writeThread = thread;
        e.writeFlags = Present | (strong ? Strong : 0);
        e.readFlags = 0;
        return;
    }
    std::uint8_t flags = Present | (strong ? Strong : 0);
    if (!(e.readFlags & Present) || !meetsReaders) {
        e.readBlock = block_;
        e.readTime = time_;
        e.readThread = thread;
        e.readWarps = 1u << warp;
        e.readFlags = flags;
    } else if (e.readBlock == block_) {
        if (e.readWarps == 1u << warp) e.readFlags |= Several;
        e.readWarps |= 1u << warp;
        e.readFlags &= static_cast<std::uint8_t>(~Strong | flags);
    }
}

GlobalShadow::Result GlobalShadow::access(Kind kind, std::uint32_t warp, std::uint32_t lanes, const std::uint64_t* addresses, std::uint64_t base, std::uint32_t size) {
    Result result;
    const Access request{kind, warp, lanes, addresses};
    std::uint32_t units = std::max(1u, size >> shift_);
    for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
        auto lane = static_cast<std::uint32_t>(std::countr_zero(rest));
        std::uint64_t first = (addresses[lane] - base) >> shift_;
        for (std::uint32_t k = 0; k < units; ++k) one(request, lane, first + k, result);
        if (!isStrong(kind)) continue;
        if (kind != Kind::StrongWrite) acquire(warp, first);
        if (kind != Kind::StrongRead) release(warp, lane, first);
    }
    return result;
}

}  // namespace softcuda
