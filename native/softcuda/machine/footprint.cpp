#include "footprint.hpp"

#include <sys/mman.h>

#include <bit>
#include <cstring>
#include <new>

namespace softcuda {

namespace {

void* reserveZeros(std::uint64_t bytes) {
    void* range = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) throw std::bad_alloc();
    return range;
}

}  // namespace

Footprint::~Footprint() { release(); }

void Footprint::release() {
    if (words_) munmap(words_, wordBytes_);
    if (touched_) munmap(touched_, touchedBytes_);
    words_ = nullptr;
    touched_ = nullptr;
    chunks_.clear();
}

void Footprint::reserve(std::uint64_t capacity) {
    std::uint64_t chunks = capacity / (32 * 64 * WordsPerChunk) + 1;
    if (touchedBytes_ == chunks && words_) return;
    release();
    touchedBytes_ = chunks;
    wordBytes_ = chunks * WordsPerChunk * 8;
    words_ = static_cast<std::uint64_t*>(reserveZeros(wordBytes_));
    touched_ = static_cast<std::uint8_t*>(reserveZeros(touchedBytes_));
}

void Footprint::merge(Footprint& other) {
    for (std::uint64_t chunk : other.chunks_) {
        std::uint64_t* from = other.words_ + chunk * WordsPerChunk;
        std::uint64_t* to = words_ + chunk * WordsPerChunk;
        for (std::uint64_t i = 0; i < WordsPerChunk; ++i) to[i] |= from[i];
        std::memset(from, 0, WordsPerChunk * 8);
        other.touched_[chunk] = 0;
        if (!touched_[chunk]) {
            touched_[chunk] = 1;
            chunks_.push_back(chunk);
        }
    }
    other.chunks_.clear();
}

std::uint64_t Footprint::takeCount() {
    std::uint64_t count = 0;
    for (std::uint64_t chunk : chunks_) {
        std::uint64_t* words = words_ + chunk * WordsPerChunk;
        for (std::uint64_t i = 0; i < WordsPerChunk; ++i) count += static_cast<std::uint64_t>(std::popcount(words[i]));
        std::memset(words, 0, WordsPerChunk * 8);
        touched_[chunk] = 0;
    }
    chunks_.clear();
    return count;
}

}  // namespace softcuda
