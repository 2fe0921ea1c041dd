// The rows of x [rows, terms] in order: the first kept values and their places, equal elements in the order of their places, NaN above all others. An
// element and its place make one 64-bit key, so that all keys of a row differ and any algorithm is stable. A warp sorts a row of at most 32, a block
// one of at most 2048 by Batcher's bitonic network (1968): element i is in register i / 256 of thread i % 256, so partners are exchanged between
// registers, through shared memory, or by shuffles. Longer rows are sorted in tiles of 2048 first, and then runs are merged in pairs: a block has 2048
// places of the result, finds by binary search which keys of both runs belong there (the merge path of Odeh et al., 2012), and merges them by the last
// stage of the network. 4 bytes read and 8 written per element; long rows move 16 more for each merge. Rows that begin within a sector have as
// many smallest keys in front of theirs as let reads and writes begin with the sector.
// Backward: dX (=|+=) dY at the places, by a thread each; no two are one.
#include "network.cuh"
#include "rows.cuh"

struct SortArguments {
    const float* x;
    float* values;
    int* indices;
    const uint64* from;  // keys [rows, stride] in runs
    uint64* to;          // null: the values and places are the result
    int64 blocks_per_row;
    int rows;
    int terms;
    int kept;
    int descending;
    int run;
    int stride;          // whole sectors of keys, with room for those in front
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
    const float* x = a.x + (int64)row * a.terms;
    int front = a.to || a.terms + shiftOf(x) <= ITEMS * THREADS ? shiftOf(x) : 0;
    uint64 keys[ITEMS];
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        int i = first + k * THREADS + thread - front;
        keys[k] = i < 0 ? 0 : i < a.terms ? keyOf(x[i], i, a.descending) : NO_KEY;
    }
    sortBlock<ITEMS>(keys, shared);
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        int i = first + k * THREADS + thread - front;
        if (a.to) {
            if (i < a.terms) a.to[(int64)row * a.stride + front + i] = keys[k];
        } else if (i >= 0 && i < a.kept) {
            give(a, row, i, keys[k]);
        }
    }
}

KERNEL void __launch_bounds__(256) sort_tiles_1(SortArguments a) { sortTile<1>(a); }
KERNEL void __launch_bounds__(256) sort_tiles_2(SortArguments a) { sortTile<2>(a); }
KERNEL void __launch_bounds__(256) sort_tiles_4(SortArguments a) { sortTile<4>(a); }
KERNEL void __launch_bounds__(256, 2) sort_tiles_8(SortArguments a) { sortTile<8>(a); }

// How many of the first keys in order are from the first of two runs.
DEVICE int64 sharedBy(const uint64* left, int64 lefts, const uint64* right, int64 rights, int64 places) {
    int64 low = places > rights ? places - rights : 0, high = places < lefts ? places : lefts;
    while (low < high) {
        int64 middle = (low + high) >> 1;
        if (left[middle] < right[places - 1 - middle]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// The keys of the first run rise from the place at which they lie within a sector, those of the second fall from the place in front of it, around the end of
// the tile, so that both are read by whole sectors: runs and tiles are of whole ones.
KERNEL void __launch_bounds__(256, 2) sort_merge(SortArguments a) {
    const int ITEMS = 8, TILE = ITEMS * THREADS;
    __shared__ uint64 shared[TILE];
    __shared__ int64 split[2];
    int row = (int)(blockIdx.x / a.blocks_per_row), thread = threadIdx.x;
    int64 first = (blockIdx.x - row * a.blocks_per_row) * TILE;
    int front = shiftOf(a.x + (int64)row * a.terms);
    int64 end = front + (int64)a.terms, pair = first / (2ll * a.run) * (2ll * a.run), middle = pair + a.run;
    if (first >= end || (!a.to && first >= front + (int64)a.kept)) return;
    int64 lefts = middle < end ? a.run : end - pair, rights = middle >= end ? 0 : middle + a.run < end ? a.run : end - middle;
    const uint64 *left = a.from + (int64)row * a.stride + pair, *right = left + a.run;
    int64 from = first - pair, to = from + TILE < lefts + rights ? from + TILE : lefts + rights;
    if ((thread & 31) == 0 && thread < 64) split[thread >> 5] = sharedBy(left, lefts, right, rights, thread ? to : from);
    __syncthreads();
    int64 left0 = split[0], right0 = from - left0;
    int leftCount = (int)(split[1] - left0), rightCount = (int)(to - from) - leftCount, turn = (int)(left0 & 3);
    uint64 keys[ITEMS];
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        int i = (k * THREADS + thread - turn) & (TILE - 1);
        keys[k] = i < leftCount ? left[left0 + i] : i >= TILE - rightCount ? right[right0 + (TILE - 1 - i)] : NO_KEY;
    }
    mergeBlock<ITEMS>(keys, shared, TILE);
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        int64 place = first + k * THREADS + thread;
        if (place >= end) continue;
        if (a.to) {
            a.to[(int64)row * a.stride + place] = keys[k];
        } else if (place >= front && place - front < a.kept) {
            give(a, row, (int)(place - front), keys[k]);
        }
    }
}

KERNEL void __launch_bounds__(256) sort_backward(SortBackwardArguments a) {
    int64 i = (int64)blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.count) return;
    put(a.dX + i / a.kept * a.terms + a.indices[i], a.dY[i], a.accumulate);
}
