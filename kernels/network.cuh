// Batcher's bitonic network (1968) over 64-bit keys, which all differ, so that any algorithm is stable. Key i of a block is in register i / 256
// of thread i % 256, so partners are exchanged between registers, through shared memory, or by shuffles.
#pragma once
#include "common.cuh"

#define NETWORK_THREADS 256
#define NO_KEY 0xffffffffffffffffull

DEVICE uint64 keyOfLane(uint64 key, int distance) {
    uint32 low = bitsOf(__shfl_xor_sync(0xffffffffu, floatOf((uint32)key), distance));
    uint32 high = bitsOf(__shfl_xor_sync(0xffffffffu, floatOf((uint32)(key >> 32)), distance));
    return (uint64)high << 32 | low;
}

// The smaller of two keys where the element comes first in an ascending part or second in a descending one, else the larger.
DEVICE uint64 chosen(uint64 own, uint64 other, int i, int distance, int size) {
    bool smaller = ((i & distance) == 0) == ((i & size) == 0);
    return (own < other) == smaller ? own : other;
}

// Sorts every so many keys of a block, of which the first half rises and the second falls, or which are such a sequence turned around in a circle.
// Shared: ITEMS * NETWORK_THREADS keys.
template <int ITEMS>
DEVICE void mergeBlock(uint64 (&keys)[ITEMS], uint64* shared, int size) {
    int thread = threadIdx.x;
#pragma unroll
    for (int apart = ITEMS / 2; apart > 0; apart >>= 1) {
        if (apart * NETWORK_THREADS >= size) continue;
        uint64 before[ITEMS];
#pragma unroll
        for (int k = 0; k < ITEMS; k++) before[k] = keys[k];
#pragma unroll
        for (int k = 0; k < ITEMS; k++) {
            keys[k] = chosen(before[k], before[k ^ apart], k * NETWORK_THREADS + thread, apart * NETWORK_THREADS, size);
        }
    }
    for (int distance = smaller(size / 2, NETWORK_THREADS / 2); distance >= 32; distance >>= 1) {
        __syncthreads();
#pragma unroll
        for (int k = 0; k < ITEMS; k++) shared[k * NETWORK_THREADS + thread] = keys[k];
        __syncthreads();
#pragma unroll
        for (int k = 0; k < ITEMS; k++) {
            uint64 other = shared[k * NETWORK_THREADS + (thread ^ distance)];
            keys[k] = chosen(keys[k], other, k * NETWORK_THREADS + thread, distance, size);
        }
    }
    for (int distance = smaller(size / 2, 16); distance > 0; distance >>= 1) {
#pragma unroll
        for (int k = 0; k < ITEMS; k++) {
            keys[k] = chosen(keys[k], keyOfLane(keys[k], distance), k * NETWORK_THREADS + thread, distance, size);
        }
    }
}

// Sorts the keys of a block. Shared: ITEMS * NETWORK_THREADS keys.
template <int ITEMS>
DEVICE void sortBlock(uint64 (&keys)[ITEMS], uint64* shared) {
    for (int size = 2; size <= ITEMS * NETWORK_THREADS; size <<= 1) mergeBlock<ITEMS>(keys, shared, size);
}
