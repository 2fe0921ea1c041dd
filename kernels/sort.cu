// The rows of x [rows, terms] in order: the first kept values and their places, equal elements in the order of their places, NaN above all others. An
// element and its place make one 64-bit key, so that all keys of a row differ and any algorithm is stable. A warp sorts a row of at most 32, a block
// one of at most 2048 by Batcher's bitonic network (1968): element i is in register i / 256 of thread i % 256, so partners are exchanged between
// registers, through shared memory, or by shuffles. Longer rows are sorted in tiles of 2048 first, and then runs are merged in pairs, in each of which
// an element finds its place by a binary search in the other run. 4 bytes read and 8 written per element; long rows move 16 more for each merge.
// Backward: dX (=|+=) dY at the places, by a thread each; no two are one.
#include "network.cuh"

#define THREADS NETWORK_THREADS

struct SortArguments {
    const float* x;
    float* values;
    int* indices;
    const uint64* from;  // keys [rows, terms] in runs
    uint64* to;          // null: the values and places are the result
    int64 blocks_per_row;
    int rows;
    int terms;
    int kept;
    int descending;
    int run;
    int unused;
};

struct SortBackwardArguments {
    const int* indices;
    const float* dY;
    float* dX;
    int64 count;
    int terms;
    int kept;
    int accumulate;
    int unused;
};

DEVICE uint64 keyOf(float value, int index, bool descending) {
    uint32 bits = value == 0 ? 0 : value != value ? 0x7fffffffu : bitsOf(value);
    uint32 order = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    return (uint64)(descending ? ~order : order) << 32 | (uint32)index;
}

// x is read again for 0 alone, whose sign the key does not have.
DEVICE void give(const SortArguments& a, int row, int place, uint64 key) {
    int index = (int)(uint32)key;
    uint32 order = (uint32)(key >> 32);
    order = a.descending ? ~order : order;
    float value = floatOf(order & 0x80000000u ? order & 0x7fffffffu : ~order);
    if (value == 0) value = a.x[(int64)row * a.terms + index];
    int64 at = (int64)row * a.kept + place;
    a.values[at] = value;
    a.indices[at] = index;
}

KERNEL void __launch_bounds__(256) sort_warps(SortArguments a) {
    int lane = threadIdx.x & 31, row = blockIdx.x * (THREADS / 32) + (threadIdx.x >> 5);
    if (row >= a.rows) return;
    uint64 key = lane < a.terms ? keyOf(a.x[(int64)row * a.terms + lane], lane, a.descending) : NO_KEY;
#pragma unroll
    for (int size = 2; size <= 32; size <<= 1) {
#pragma unroll
        for (int distance = size / 2; distance > 0; distance >>= 1) {
            key = chosen(key, keyOfLane(key, distance), lane, distance, size);
        }
    }
    if (lane < a.kept) give(a, row, lane, key);
}

template <int ITEMS>
DEVICE void sortTile(const SortArguments& a) {
    __shared__ uint64 shared[ITEMS * THREADS];
    int row = (int)(blockIdx.x / a.blocks_per_row), thread = threadIdx.x;
    int first = (int)(blockIdx.x - row * a.blocks_per_row) * (ITEMS * THREADS);
    uint64 keys[ITEMS];
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        int i = first + k * THREADS + thread;
        keys[k] = i < a.terms ? keyOf(a.x[(int64)row * a.terms + i], i, a.descending) : NO_KEY;
    }
    sortBlock<ITEMS>(keys, shared);
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        int i = first + k * THREADS + thread;
        if (a.to) {
            if (i < a.terms) a.to[(int64)row * a.terms + i] = keys[k];
        } else if (i < a.kept) {
            give(a, row, i, keys[k]);
        }
    }
}

KERNEL void __launch_bounds__(256) sort_tiles_1(SortArguments a) { sortTile<1>(a); }
KERNEL void __launch_bounds__(256) sort_tiles_2(SortArguments a) { sortTile<2>(a); }
KERNEL void __launch_bounds__(256) sort_tiles_4(SortArguments a) { sortTile<4>(a); }
KERNEL void __launch_bounds__(256, 2) sort_tiles_8(SortArguments a) { sortTile<8>(a); }

KERNEL void __launch_bounds__(256) sort_merge(SortArguments a) {
    int row = (int)(blockIdx.x / a.blocks_per_row);
    int64 i = (int64)(blockIdx.x - row * a.blocks_per_row) * THREADS + threadIdx.x;
    if (i >= a.terms) return;
    const uint64* keys = a.from + (int64)row * a.terms;
    uint64 key = keys[i];
    int64 run = i / a.run, pair = (run & ~1ll) * a.run, low = (run ^ 1) * a.run, high = low + a.run;
    if (high > a.terms) high = a.terms;
    int64 place = pair + (i - run * a.run) - low;
    // The number of keys in the other run that are smaller, beyond low.
    while (low < high) {
        int64 middle = (low + high) >> 1;
        if (keys[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    place += low;
    if (a.to) {
        a.to[(int64)row * a.terms + place] = key;
    } else if (place < a.kept) {
        give(a, row, (int)place, key);
    }
}

KERNEL void __launch_bounds__(256) sort_backward(SortBackwardArguments a) {
    int64 i = (int64)blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.count) return;
    put(a.dX + i / a.kept * a.terms + a.indices[i], a.dY[i], a.accumulate);
}
