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
        for (std::uint32_t& entry : *entries) entry &= 0xfff;
    time_ = 1;
    order_.fill(1);
    for (std::uint32_t warp = 0; warp < warps_; ++warp) updateLeast(warp);
}

void SharedShadow::arrive(std::uint32_t) { advance(); }

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
        updateLeast(warp);
    }
}

/// A contiguous access that meets nothing of interest, which is what nearly all do. Records nothing where it answers false.
bool SharedShadow::quick(Kind kind, std::uint32_t warp, std::uint32_t first, std::uint32_t last, const std::uint64_t* addresses, std::uint32_t size) {
    std::uint32_t perLane = size >> shift_;
    auto begin = static_cast<std::uint32_t>(addresses[first] >> shift_);
    std::uint32_t count = (last - first + 1) * perLane, least = least_[warp], mine = time_ << 12 | warp << 7 | 1;
    std::uint32_t* writers = writers_.data() + begin;
    std::uint32_t* readers = readers_.data() + begin;
    std::uint32_t* readerWarps = readerWarps_.data() + begin;
    std::uint32_t suspicious = 0;
    if (kind == Kind::Read) {
        for (std::uint32_t i = 0; i < count; ++i) suspicious |= (writers[i] == 0) | ((timeOf(writers[i]) >= least) & (warpOf(writers[i]) != warp));
        if (suspicious) return false;
        for (std::uint32_t i = 0; i < count; ++i) {
            bool fresh = timeOf(readers[i]) < least;
            readers[i] = fresh ? mine : readers[i];
            readerWarps[i] = (fresh ? 0 : readerWarps[i]) | 1u << warp;
        }
        return true;
    }
    for (std::uint32_t i = 0; i < count; ++i)
        suspicious |= ((timeOf(writers[i]) >= least) & (warpOf(writers[i]) != warp)) | ((timeOf(readers[i]) >= least) & ((readerWarps[i] & ~(1u << warp)) != 0));
    if (suspicious) return false;
    for (std::uint32_t lane = first, i = 0; lane <= last; ++lane)
        for (std::uint32_t k = 0; k < perLane; ++k) writers[i++] = mine | lane << 2;
    return true;
}

void SharedShadow::one(Kind kind, std::uint32_t warp, std::uint32_t lane, std::uint32_t unit, Result& result) {
    std::uint32_t writer = writers_[unit], reader = readers_[unit];
    bool atomic = kind == Kind::Atomic;
    bool readersOrdered = timeOf(reader) < least_[warp];
    auto race = [&](std::uint32_t entry, bool wrote) {
        if (!result.races) {
            result.other = warpOf(entry) * 32 + (entry >> 2 & 31);
            result.otherWrote = wrote;
        }
        result.races |= 1u << lane;
    };
    if (writer == 0) {
        if (kind != Kind::Write) result.unwritten |= 1u << lane;
    } else if (warpOf(writer) != warp && timeOf(writer) >= order(warp, warpOf(writer)) && !(atomic && (writer & 2))) {
        race(writer, true);
    }
    std::uint32_t mine = time_ << 12 | warp << 7 | lane << 2 | 1;
    if (kind == Kind::Read) {
        bool ordered = true;
        for (std::uint32_t other = 0; !readersOrdered && other < warps_ && ordered; ++other)
            if (other != warp && (readerWarps_[unit] >> other & 1) && timeOf(reader) >= order(warp, other)) ordered = false;
        if (reader == 0 || ordered) {
            readers_[unit] = mine;
            readerWarps_[unit] = 0;
        }
        readerWarps_[unit] |= 1u << warp;
        return;
    }
    for (std::uint32_t other = 0; !readersOrdered && other < warps_; ++other) {
        if (other == warp || !(readerWarps_[unit] >> other & 1) || timeOf(reader) < order(warp, other)) continue;
        race(warpOf(reader) == other ? reader : other << 7, false);
        break;
    }
    writers_[unit] = mine | (atomic ? 2 : 0);
}

SharedShadow::Result SharedShadow::contiguous(Kind kind, std::uint32_t warp, std::uint32_t first, std::uint32_t last, const std::uint64_t* addresses,
                                              std::uint32_t size) {
    if (kind != Kind::Atomic && quick(kind, warp, first, last, addresses, size)) return {};
    std::array<std::uint8_t, 32> lanes;
    for (std::uint32_t lane = first; lane <= last; ++lane) lanes[lane - first] = static_cast<std::uint8_t>(lane);
    return scattered(kind, warp, lanes.data(), last - first + 1, addresses, size);
}

SharedShadow::Result SharedShadow::scattered(Kind kind, std::uint32_t warp, const std::uint8_t* lanes, std::uint32_t count, const std::uint64_t* addresses,
                                             std::uint32_t size) {
    std::uint32_t perLane = size >> shift_;
    if (kind == Kind::Read && perLane == 1) {
        // Reads of single units that meet nothing of interest.
        std::uint32_t least = least_[warp], mine = time_ << 12 | warp << 7 | 1, suspicious = 0;
        for (std::uint32_t i = 0; i < count; ++i) {
            std::uint32_t writer = writers_[addresses[lanes[i]] >> shift_];
            suspicious |= (writer == 0) | ((timeOf(writer) >= least) & (warpOf(writer) != warp));
        }
        if (!suspicious) {
            for (std::uint32_t i = 0; i < count; ++i) {
                std::uint64_t unit = addresses[lanes[i]] >> shift_;
                bool fresh = timeOf(readers_[unit]) < least;
                readers_[unit] = fresh ? mine | static_cast<std::uint32_t>(lanes[i]) << 2 : readers_[unit];
                readerWarps_[unit] = (fresh ? 0 : readerWarps_[unit]) | 1u << warp;
            }
            return {};
        }
    }
    Result result;
    for (std::uint32_t i = 0; i < count; ++i) {
        auto unit = static_cast<std::uint32_t>(addresses[lanes[i]] >> shift_);
        for (std::uint32_t k = 0; k < perLane; ++k) one(kind, warp, lanes[i], unit + k, result);
    }
    return result;
}

}  // namespace softcuda
