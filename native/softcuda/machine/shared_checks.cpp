#include "shared_checks.hpp"

#include <algorithm>
#include <bit>

namespace softcuda {

void SharedShadow::start(std::uint32_t bytes, std::uint32_t unit, std::uint32_t warps) {
    shift_ = static_cast<std::uint32_t>(std::countr_zero(unit));
    warps_ = warps;
    time_ = 1;
    std::size_t units = (bytes + unit - 1) >> shift_;
    writers_.assign(units, 0);
    readers_.assign(units, 0);
    readerWarps_.assign(units, 0);
    order_.fill(1);
    least_.fill(warps > 1 ? 1 : MostTime + 1);
    own_.fill(1);
}

void SharedShadow::updateLeast(std::uint32_t warp) {
    std::uint32_t least = MostTime + 1;
    for (std::uint32_t other = 0; other < warps_; ++other)
        if (other != warp) least = std::min(least, order(warp, other));
    least_[warp] = least;
}

void SharedShadow::advance() {
    if (time_ < MostTime) {
        ++time_;
        return;
    }
    // Time has run out: everything so far is taken as ordered.
    for (auto* entries : {&writers_, &readers_})
        for (std::uint32_t& entry : *entries) entry &= 0x1fff;
    time_ = 1;
    order_.fill(1);
    own_.fill(1);
    for (std::uint32_t warp = 0; warp < warps_; ++warp) updateLeast(warp);
}

void SharedShadow::arrive(std::uint32_t) { advance(); }

void SharedShadow::syncWarp(std::uint32_t warp) {
    if (writers_.empty()) return;
    advance();
    own_[warp] = time_;
}

void SharedShadow::barrier(std::uint32_t arrived, std::uint32_t waiting) {
    advance();
    std::array<std::uint32_t, 32> joined;
    joined.fill(1);
    for (std::uint32_t warp = 0; warp < warps_; ++warp) {
        if (!(arrived >> warp & 1)) continue;
        for (std::uint32_t other = 0; other < warps_; ++other) joined[other] = std::max(joined[other], order(warp, other));
        joined[warp] = time_;
    }
    for (std::uint32_t warp = 0; warp < warps_; ++warp) {
        if (!(waiting >> warp & 1)) continue;
        for (std::uint32_t other = 0; other < warps_; ++other) order(warp, other) = std::max(order(warp, other), joined[other]);
        own_[warp] = time_;
        updateLeast(warp);
    }
}

/// Of the readers of a unit the first one is kept that others may not be ordered after; of readers within one warp the last one.
inline void SharedShadow::recordRead(const View& view, std::uint32_t& reader, std::uint32_t& readerWarps, std::uint32_t entry, bool othersOrdered) {
    std::uint32_t bit = 1u << view.warp;
    bool onlyMine = readerWarps == bit;
    bool again = onlyMine & (timeOf(reader) >= view.own) & ((laneOf(reader) != laneOf(entry)) | ((reader & SeveralFlag) != 0));
    bool replaces = othersOrdered | onlyMine;
    reader = replaces ? entry | (again ? SeveralFlag : 0) : reader;
    readerWarps = (replaces ? 0 : readerWarps) | bit;
}

/// A contiguous access that meets nothing of interest, which is what nearly all do. Records nothing where it answers false.
bool SharedShadow::quick(Kind kind, std::uint32_t warp, std::uint32_t first, std::uint32_t last, const std::uint64_t* addresses, std::uint32_t size) {
    const auto perLaneShift = static_cast<std::uint32_t>(std::countr_zero(size >> shift_));
    auto begin = static_cast<std::uint32_t>(addresses[first] >> shift_);
    const std::uint32_t count = (last - first + 1) << perLaneShift;
    const View mine = view(warp);
    std::uint32_t* writers = writers_.data() + begin;
    std::uint32_t* readers = readers_.data() + begin;
    std::uint32_t* readerWarps = readerWarps_.data() + begin;
    std::uint32_t suspicious = 0;
    if (kind == Kind::Read) {
        for (std::uint32_t i = 0; i < count; ++i) suspicious |= (writers[i] == 0) | mine.meetsWriter(writers[i], first + (i >> perLaneShift));
        if (suspicious) return false;
        const std::uint32_t entry = entryOf(warp, first);
#pragma GCC ivdep
        for (std::uint32_t i = 0; i < count; ++i) recordRead(mine, readers[i], readerWarps[i], entry + ((i >> perLaneShift) << 3), timeOf(readers[i]) < mine.least);
        return true;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        std::uint32_t lane = first + (i >> perLaneShift);
        suspicious |= mine.meetsWriter(writers[i], lane) | mine.meetsReader(readers[i], readerWarps[i], lane);
    }
    if (suspicious) return false;
    const std::uint32_t entry = entryOf(warp, first);
    for (std::uint32_t i = 0; i < count; ++i) writers[i] = entry + ((i >> perLaneShift) << 3);
    return true;
}

/// Exactly, warp by warp.
void SharedShadow::one(Kind kind, std::uint32_t warp, std::uint32_t lane, std::uint32_t flags, std::uint32_t unit, Result& result) {
    const View mine = view(warp);
    std::uint32_t writer = writers_[unit], reader = readers_[unit], warps = readerWarps_[unit] & ~(1u << warp);
    bool atomic = kind == Kind::Atomic;
    auto race = [&](std::uint32_t entry, bool wrote) {
        if (!result.races) {
            result.other = warpOf(entry) * 32 + laneOf(entry);
            result.otherWrote = wrote;
        }
        result.races |= 1u << lane;
    };
    if (writer == 0) {
        if (kind != Kind::Write) result.unwritten |= 1u << lane;
    } else if (!(atomic && (writer & AtomicFlag))) {
        bool unordered = warpOf(writer) == warp ? mine.meetsWriter(writer, lane) : timeOf(writer) >= order(warp, warpOf(writer));
        if (unordered) race(writer, true);
    }
    std::uint32_t unorderedReaders = 0;
    if (timeOf(reader) >= mine.least)
        for (std::uint32_t other = 0; other < warps_; ++other)
            if ((warps >> other & 1) && timeOf(reader) >= order(warp, other)) unorderedReaders |= 1u << other;
    if (kind == Kind::Read) return recordRead(mine, readers_[unit], readerWarps_[unit], entryOf(warp, lane) | flags, unorderedReaders == 0);
    if (unorderedReaders) {
        auto other = static_cast<std::uint32_t>(std::countr_zero(unorderedReaders));
        race(unorderedReaders >> warpOf(reader) & 1 ? reader : other << 8, false);
    } else if (reader && mine.meetsReader(reader, 0, lane)) {
        race(reader, false);
    }
    writers_[unit] = entryOf(warp, lane) | flags | (atomic ? AtomicFlag : 0);
}

SharedShadow::Result SharedShadow::contiguous(Kind kind, std::uint32_t warp, std::uint32_t first, std::uint32_t last, const std::uint64_t* addresses,
                                              std::uint32_t size) {
    if (kind != Kind::Atomic && quick(kind, warp, first, last, addresses, size)) return {};
    std::array<std::uint8_t, 32> lanes;
    for (std::uint32_t lane = first; lane <= last; ++lane) lanes[lane - first] = static_cast<std::uint8_t>(lane);
    return scattered(kind, warp, lanes.data(), last - first + 1, 0, addresses, size);
}

/// The same for a list of lanes. PerLane 0: told at run time.
template <SharedShadow::Kind K, std::uint32_t PerLane>
bool SharedShadow::quickScattered(std::uint32_t warp, const std::uint8_t* lanes, std::uint32_t count, std::uint32_t repeated, const std::uint64_t* addresses,
                                  std::uint32_t perLane) {
    const View mine = view(warp);
    const std::uint32_t units = PerLane ? PerLane : perLane, shift = shift_, base = entryOf(warp, 0);
    std::uint32_t* writers = writers_.data();
    std::uint32_t* readers = readers_.data();
    std::uint32_t* readerWarps = readerWarps_.data();
    std::uint32_t suspicious = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        std::uint32_t lane = lanes[i];
        std::uint64_t unit = addresses[lane] >> shift;
        for (std::uint32_t k = 0; k < units; ++k) {
            if constexpr (K == Kind::Read) suspicious |= (writers[unit + k] == 0) | mine.meetsWriter(writers[unit + k], lane);
            else suspicious |= mine.meetsWriter(writers[unit + k], lane) | mine.meetsReader(readers[unit + k], readerWarps[unit + k], lane);
        }
    }
    if (suspicious) return false;
    for (std::uint32_t i = 0; i < count; ++i) {
        std::uint32_t lane = lanes[i], entry = base | lane << 3 | (repeated >> lane & 1) * SeveralFlag;
        std::uint64_t unit = addresses[lane] >> shift;
        for (std::uint32_t k = 0; k < units; ++k) {
            if constexpr (K == Kind::Read) recordRead(mine, readers[unit + k], readerWarps[unit + k], entry, timeOf(readers[unit + k]) < mine.least);
            else writers[unit + k] = entry;
        }
    }
    return true;
}

SharedShadow::Result SharedShadow::scattered(Kind kind, std::uint32_t warp, const std::uint8_t* lanes, std::uint32_t count, std::uint32_t repeated,
                                             const std::uint64_t* addresses, std::uint32_t size) {
    std::uint32_t perLane = size >> shift_;
    if (kind == Kind::Read && (perLane == 1 ? quickScattered<Kind::Read, 1>(warp, lanes, count, repeated, addresses, perLane)
                               : perLane == 4 ? quickScattered<Kind::Read, 4>(warp, lanes, count, repeated, addresses, perLane)
                                              : quickScattered<Kind::Read, 0>(warp, lanes, count, repeated, addresses, perLane)))
        return {};
    if (kind == Kind::Write && (perLane == 1 ? quickScattered<Kind::Write, 1>(warp, lanes, count, repeated, addresses, perLane)
                                             : quickScattered<Kind::Write, 0>(warp, lanes, count, repeated, addresses, perLane)))
        return {};
    Result result;
    for (std::uint32_t i = 0; i < count; ++i) {
        auto unit = static_cast<std::uint32_t>(addresses[lanes[i]] >> shift_);
        std::uint32_t several = repeated >> lanes[i] & 1 ? SeveralFlag : 0;
        for (std::uint32_t k = 0; k < perLane; ++k) one(kind, warp, lanes[i], several, unit + k, result);
    }
    return result;
}

}  // namespace softcuda
