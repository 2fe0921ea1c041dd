// Loops over elements and sums over them. A block of 256 threads takes 1024 neighbouring elements, four to a thread: as one 16-byte
// access each where the addresses allow it, else, and in the last block, as four coalesced accesses of 4 bytes.
#pragma once
#include "common.cuh"

#define THREADS 256
#define PER_BLOCK 1024

// y (=|+=) f(x).
template <class F>
struct UnaryMap {
    const float* x;
    float* y;
    bool accumulate;
    F f;

    DEVICE void one(int64 i) const { put(y + i, f(x[i]), accumulate); }

    DEVICE void four(int64 i) const {
        float4 v = loadFour(x + i);
        float4 r{f(v.x), f(v.y), f(v.z), f(v.w)};
        // Otherwise the compiler may store in each branch of a function that has some, in as many accesses.
        asm volatile("" : "+f"(r.x), "+f"(r.y), "+f"(r.z), "+f"(r.w));
        putFour(y + i, r.x, r.y, r.z, r.w, accumulate);
    }
};

// y (=|+=) f(a, b).
template <class F>
struct BinaryMap {
    const float* a;
    const float* b;
    float* y;
    bool accumulate;
    F f;

    DEVICE void one(int64 i) const { put(y + i, f(a[i], b[i]), accumulate); }

    DEVICE void four(int64 i) const {
        float4 v = loadFour(a + i), w = loadFour(b + i);
        putFour(y + i, f(v.x, w.x), f(v.y, w.y), f(v.z, w.z), f(v.w, w.w), accumulate);
    }
};

// Whether this thread has any elements: those without must not load what is the same for all either, or small tensors would move
// more of it than of their own.
DEVICE bool hasElements(int64 count) { return (int64)blockIdx.x * PER_BLOCK + threadIdx.x < count; }

// The body over this block's elements.
template <class Body>
DEVICE void forElements(int64 count, bool aligned, const Body& body) {
    int64 first = (int64)blockIdx.x * PER_BLOCK;
    if (aligned && first + PER_BLOCK <= count) {
        body.four(first + threadIdx.x * 4);
        return;
    }
    for (int64 i = first + threadIdx.x; i < count && i < first + PER_BLOCK; i += THREADS) body.one(i);
}

template <class F>
DEVICE void mapElements(const float* x, float* y, int64 count, bool accumulate, F f) {
    forElements(count, aligned16(x) && aligned16(y), UnaryMap<F>{x, y, accumulate, f});
}

template <class F>
DEVICE void mapElements(const float* a, const float* b, float* y, int64 count, bool accumulate, F f) {
    forElements(count, aligned16(a) && aligned16(b) && aligned16(y), BinaryMap<F>{a, b, y, accumulate, f});
}
