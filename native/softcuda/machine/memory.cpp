#include "memory.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <new>

namespace softcuda {

namespace {

constexpr std::uint64_t Alignment = 256;
constexpr std::uint64_t Page = 4096;

std::uint8_t* reserve(std::uint64_t bytes) {
    void* range = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    madvise(range, bytes, MADV_HUGEPAGE);  // warps stride through memory: small pages would miss the TLB at every access
#endif
    return static_cast<std::uint8_t*>(range);
}

/// Zeroes a range; whole pages go back to the host.
void discard(std::uint8_t* bytes, std::uint64_t count) {
    auto begin = reinterpret_cast<std::uintptr_t>(bytes);
    std::uintptr_t first = (begin + Page - 1) / Page * Page, last = (begin + count) / Page * Page;
    if (first >= last) {
        std::memset(bytes, 0, count);
        return;
    }
    std::memset(bytes, 0, first - begin);
    madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
    std::memset(reinterpret_cast<void*>(last), 0, begin + count - last);
}

}  // namespace

/// Both maps go from an offset to a size. A hole keeps the unallocated gap behind a block: sizes here include it.
struct Memory::Blocks {
    struct Block {
        std::uint64_t bytes, room;
    };
    mutable std::mutex mutex;
    std::map<std::uint64_t, Block> live;
    std::map<std::uint64_t, std::uint64_t> holes;
    std::uint64_t used = 0;
};

Memory::Memory(std::uint64_t capacity)
    : capacity_((capacity + Page - 1) / Page * Page), bytes_(reserve(capacity_)), states_(reserve(capacity_)), blocks_(new Blocks) {
    if (capacity_ > Alignment) blocks_->holes.emplace(Alignment, capacity_ - Alignment);
}

Memory::~Memory() {
    munmap(bytes_, capacity_);
    munmap(states_, capacity_);
    delete blocks_;
}

std::uint64_t Memory::allocate(std::uint64_t bytes) {
    if (bytes == 0 || bytes > capacity_) return 0;
    std::uint64_t room = (bytes + Alignment - 1) / Alignment * Alignment + Alignment;
    std::uint64_t offset;
    {
        std::lock_guard lock(blocks_->mutex);
        // Best fit: the smallest hole that is large enough, the lowest address among equals.
        auto best = blocks_->holes.end();
        for (auto hole = blocks_->holes.begin(); hole != blocks_->holes.end(); ++hole)
            if (hole->second >= room && (best == blocks_->holes.end() || hole->second < best->second)) best = hole;
        if (best == blocks_->holes.end()) return 0;
        offset = best->first;
        std::uint64_t rest = best->second - room;
        blocks_->holes.erase(best);
        if (rest > 0) blocks_->holes.emplace(offset + room, rest);
        blocks_->live.emplace(offset, Blocks::Block{bytes, room});
        blocks_->used += bytes;
    }
    std::memset(bytes_ + offset, 0xCD, bytes);
    std::memset(states_ + offset, static_cast<int>(ByteState::Unwritten), bytes);
    return Base + offset;
}

bool Memory::release(std::uint64_t address) {
    std::lock_guard lock(blocks_->mutex);
    auto block = address >= Base ? blocks_->live.find(address - Base) : blocks_->live.end();
    if (block == blocks_->live.end()) return false;
    auto [offset, size] = *block;
    discard(states_ + offset, size.bytes);
    discard(bytes_ + offset, size.bytes);
    blocks_->used -= size.bytes;
    blocks_->live.erase(block);

    auto hole = blocks_->holes.emplace(offset, size.room).first;
    auto next = std::next(hole);
    if (next != blocks_->holes.end() && hole->first + hole->second == next->first) {
        hole->second += next->second;
        blocks_->holes.erase(next);
    }
    if (hole != blocks_->holes.begin()) {
        auto before = std::prev(hole);
        if (before->first + before->second == hole->first) {
            before->second += hole->second;
            blocks_->holes.erase(hole);
        }
    }
    return true;
}

std::uint64_t Memory::used() const {
    std::lock_guard lock(blocks_->mutex);
    return blocks_->used;
}

std::size_t Memory::liveBlocks() const {
    std::lock_guard lock(blocks_->mutex);
    return blocks_->live.size();
}

bool Memory::valid(std::uint64_t address, std::uint64_t bytes, bool written) const {
    if (!contains(address, bytes)) return false;
    const std::uint8_t* state = states_ + (address - Base);
    const auto least = static_cast<std::uint8_t>(written ? ByteState::Written : ByteState::Unwritten);
    while (bytes > 0) {
        std::uint64_t step = bytes < Page ? bytes : Page;
        unsigned low = 0;
        for (std::uint64_t i = 0; i < step; ++i) low |= state[i] < least;
        if (low) return false;
        state += step;
        bytes -= step;
    }
    return true;
}

void Memory::markWritten(std::uint64_t address, std::uint64_t bytes) {
    if (contains(address, bytes)) std::memset(states_ + (address - Base), static_cast<int>(ByteState::Written), bytes);
}

const char* Memory::describe(std::uint64_t address, char* buffer, std::size_t size) const {
    std::lock_guard lock(blocks_->mutex);
    using Number = unsigned long long;
    std::uint64_t offset = address - Base;
    if (address < Base || offset >= capacity_) {
        std::snprintf(buffer, size, "in no allocation: not an address of device memory");
        return buffer;
    }
    auto after = blocks_->live.upper_bound(offset);
    if (after != blocks_->live.begin()) {
        auto before = std::prev(after);
        std::uint64_t distance = offset - before->first;
        if (distance < before->second.bytes) {
            std::snprintf(buffer, size, "byte %llu of the block of %llu bytes at 0x%llx", Number(distance), Number(before->second.bytes),
                          Number(Base + before->first));
            return buffer;
        }
        std::uint64_t behind = distance - before->second.bytes;
        if (after == blocks_->live.end() || behind < after->first - offset) {
            std::snprintf(buffer, size, "in no allocation; %llu bytes behind the block of %llu bytes at 0x%llx", Number(behind),
                          Number(before->second.bytes), Number(Base + before->first));
            return buffer;
        }
    }
    if (after != blocks_->live.end()) {
        std::snprintf(buffer, size, "in no allocation; %llu bytes before the block of %llu bytes at 0x%llx", Number(after->first - offset),
                      Number(after->second.bytes), Number(Base + after->first));
        return buffer;
    }
    std::snprintf(buffer, size, "in no allocation: there is none");
    return buffer;
}

}  // namespace softcuda
