// Embedding: y [indices, D] = rows of weight [V, D], 8 bytes moved per element: rows go through shared memory, so that reading begins with a row's
// sector and writing with y's; the row of an index out of range is NaN. Backward sorts the indices with their places, 4096 at a time, and adds the
// rows of dY in the order of their places to the row of dWeight that they share, which is written once: 4 bytes for each element of dY and 4 or 8
// for each of the rows that are met. No atomics. More than 4096 indices take a launch for each 4096, in whose order equal indices are added.
#include "network.cuh"
#include "rows.cuh"

#define WARPS (THREADS / 32)
#define POSITIONS 32
#define SORTED (16 * THREADS)

struct EmbeddingArguments {
    const void* indices;
    const float* from;  // forward weight, backward dY
    float* to;          // forward y, backward dWeight
    uint64* keys;       // backward: index and place of each, sorted by 4096
    int64 count;
    int64 first;        // backward: of these 4096
    int rows;
    int width;
    int padding;
    int wide;           // indices of 64 bits
    int perBlock;       // forward: rows
    int columns;        // of a block
    int accumulate;
    int unused;
};

extern __shared__ __align__(16) float tile[];

DEVICE int64 indexAt(const EmbeddingArguments& a, int64 i) { return a.wide ? ((const int64*)a.indices)[i] : ((const int*)a.indices)[i]; }

// body(column) for so many columns from a row's first, by a warp whose lanes begin with a sector.
template <class Body>
DEVICE void walkRow(const float* row, int count, const Body& body) {
    for (int column = (int)(threadIdx.x & 31) - shiftOf(row); column < count; column += 32) {
        if (column >= 0) body(column);
    }
}

KERNEL void __launch_bounds__(256) embedding_forward(EmbeddingArguments a) {
    __shared__ int64 indices[POSITIONS];
    int parts = (a.width - 1) / a.columns + 1, part = blockIdx.x % parts;
    int64 first = (int64)(blockIdx.x / parts) * a.perBlock;
    int rows = (int)(a.count - first < a.perBlock ? a.count - first : a.perBlock);
    int start = part * a.columns, columns = smaller(a.width - start, a.columns);
    if ((int)threadIdx.x < rows) indices[threadIdx.x] = indexAt(a, first + threadIdx.x);
    __syncthreads();
    for (int row = threadIdx.x >> 5; row < rows; row += WARPS) {
        int64 index = indices[row];
        bool inside = index >= 0 && index < a.rows;
        const float* from = a.from + (inside ? index * a.width + start : 0);
        float* staged = tile + row * columns;
        walkRow(from, columns, [&](int column) { staged[column] = inside ? from[column] : quietNaN(); });
    }
    __syncthreads();
    float* to = a.to + first * a.width + start;
    if (parts == 1) {
        storeTile(to, tile, rows * columns, false);
        return;
    }
    for (int row = threadIdx.x >> 5; row < rows; row += WARPS) {
        float* destination = to + (int64)row * a.width;
        const float* staged = tile + row * columns;
        walkRow(destination, columns, [&](int column) { destination[column] = staged[column]; });
    }
}

// The indices that have a gradient in front of the others, in their order, equal ones in that of their places.
template <int ITEMS>
DEVICE void sortIndices(const EmbeddingArguments& a) {
    __shared__ uint64 shared[ITEMS * THREADS];
    int64 first = (int64)blockIdx.x * ITEMS * THREADS;
    uint64 keys[ITEMS];
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        int64 place = first + k * THREADS + threadIdx.x, index = place < a.count ? indexAt(a, place) : -1;
        keys[k] = index >= 0 && index < a.rows && index != a.padding ? (uint64)index << 32 | (uint32)place : NO_KEY;
    }
    sortBlock<ITEMS>(keys, shared);
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        int64 place = first + k * THREADS + threadIdx.x;
        if (place < a.count) a.keys[place] = keys[k];
    }
}

KERNEL void __launch_bounds__(256) embedding_sort_1(EmbeddingArguments a) { sortIndices<1>(a); }
KERNEL void __launch_bounds__(256) embedding_sort_4(EmbeddingArguments a) { sortIndices<4>(a); }
KERNEL void __launch_bounds__(256) embedding_sort_16(EmbeddingArguments a) { sortIndices<16>(a); }

// A block has 32 of the sorted keys, a warp every eighth of them; where a new index begins it adds all rows of that.
KERNEL void __launch_bounds__(256) embedding_backward(EmbeddingArguments a) {
    __shared__ uint64 keys[2 * POSITIONS];
    __shared__ uint32 before;
    int parts = (a.width - 1) / a.columns + 1, part = blockIdx.x % parts, start = part * a.columns;
    int count = (int)(a.count - a.first < SORTED ? a.count - a.first : SORTED), columns = smaller(a.width - start, a.columns);
    int position = (int)(blockIdx.x / parts) * POSITIONS, warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    const uint64* sorted = a.keys + a.first;
    if ((int)threadIdx.x < 2 * POSITIONS) {
        int i = position + threadIdx.x;
        keys[threadIdx.x] = i < count ? sorted[i] : NO_KEY;
    }
    if (threadIdx.x == 2 * POSITIONS) before = position > 0 ? (uint32)(sorted[position - 1] >> 32) : 0xffffffffu;
    __syncthreads();
    float* sums = tile + warp * a.columns;
    for (int i = warp; i < POSITIONS; i += WARPS) {
        uint32 index = (uint32)(keys[i] >> 32);
        if (keys[i] == NO_KEY || index == (i > 0 ? (uint32)(keys[i - 1] >> 32) : before)) continue;
        uint64 some = NO_KEY;
        for (int k = i;; k++) {
            uint64 key;
            if (k < 2 * POSITIONS) {
                key = keys[k];
            } else {
                // Beyond what the block has read: 32 keys at a time.
                int ahead = (k - 2 * POSITIONS) & 31;
                if (ahead == 0) some = position + k + lane < count ? sorted[position + k + lane] : NO_KEY;
                uint32 low = bitsOf(__shfl_sync(0xffffffffu, floatOf((uint32)some), ahead));
                uint32 high = bitsOf(__shfl_sync(0xffffffffu, floatOf((uint32)(some >> 32)), ahead));
                key = (uint64)high << 32 | low;
            }
            if ((uint32)(key >> 32) != index || key == NO_KEY) break;
            const float* row = a.from + (int64)(uint32)key * a.width + start;
            bool isFirst = k == i;
            walkRow(row, columns, [&](int column) { sums[column] = (isFirst ? 0.0f : sums[column]) + row[column]; });
            // Rows that begin elsewhere within a sector have other lanes at a column.
            __syncwarp();
        }
        float* to = a.to + (int64)index * a.width + start;
        walkRow(to, columns, [&](int column) { put(to + column, sums[column], a.accumulate); });
        __syncwarp();
    }
}
