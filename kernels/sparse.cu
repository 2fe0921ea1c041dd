// Sparse times dense (Kernels/Products/Sparse.cs): y [M, N] = S x [K, N], S stored by rows as single elements or blocks of 4 x 1. A thread per column of a
// row of blocks, so that neighbors read neighbors of x; a block's element of x serves four sums. 2 flops and 4 bytes of x per stored element and column
// (1 for blocks), which the caches serve again for other rows. dX (=|+=) S^T dY likewise, by columns of S. dValues (=|+=) dot products of rows of dY
// and x, a warp per block of S. Sums are in the order of what is stored: no atomics.
#include "common.cuh"

#define THREADS 128
#define WARP 32

struct SparseArguments {
    const float* values;
    const float* dense;      // forward: x; backward: dY
    const float* more;       // gradient of the values: x
    float* result;
    const int* starts;       // of the rows of the result
    const int* indices;      // forward: columns; gradient of x: rows of blocks; of the values: columns
    const int* blocks;       // by columns: which block
    const int* blockRows;    // of the values: rows of blocks by columns
    int rows;                // of the result, in blocks; of the values: blocks
    int width;
    int tiles;
    int accumulate;
};

template <int Block>
DEVICE void sparseForward(const SparseArguments& a) {
    int row = blockIdx.x / a.tiles, column = (blockIdx.x - row * a.tiles) * THREADS + threadIdx.x;
    if (column >= a.width) return;
    float sums[Block];
#pragma unroll
    for (int i = 0; i < Block; i++) sums[i] = 0;
    int last = a.starts[row + 1];
    for (int at = a.starts[row]; at < last; at++) {
        float x = a.dense[(int64)a.indices[at] * a.width + column];
        const float* weights = a.values + (int64)at * Block;
#pragma unroll
        for (int i = 0; i < Block; i++) sums[i] = multiplyAdd(weights[i], x, sums[i]);
    }
#pragma unroll
    for (int i = 0; i < Block; i++) a.result[((int64)row * Block + i) * a.width + column] = sums[i];
}

template <int Block>
DEVICE void sparseBackwardData(const SparseArguments& a) {
    int row = blockIdx.x / a.tiles, column = (blockIdx.x - row * a.tiles) * THREADS + threadIdx.x;
    if (column >= a.width) return;
    float sum = 0;
    int last = a.starts[row + 1];
    for (int at = a.starts[row]; at < last; at++) {
        const float* dY = a.dense + (int64)a.indices[at] * Block * a.width + column;
        const float* weights = a.values + (int64)a.blocks[at] * Block;
#pragma unroll
        for (int i = 0; i < Block; i++) sum = multiplyAdd(weights[i], dY[(int64)i * a.width], sum);
    }
    put(a.result + (int64)row * a.width + column, sum, a.accumulate);
}

template <int Block>
DEVICE void sparseBackwardValues(const SparseArguments& a) {
    int place = blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    if (place >= a.rows) return;
    int block = a.blocks[place];
    const float* x = a.more + (int64)a.indices[block] * a.width;
    const float* dY = a.dense + (int64)a.blockRows[place] * Block * a.width;
    float sums[Block];
#pragma unroll
    for (int i = 0; i < Block; i++) sums[i] = 0;
    for (int column = lane; column < a.width; column += WARP) {
        float factor = x[column];
#pragma unroll
        for (int i = 0; i < Block; i++) sums[i] = multiplyAdd(dY[(int64)i * a.width + column], factor, sums[i]);
    }
#pragma unroll
    for (int i = 0; i < Block; i++) {
        for (int lanes = WARP / 2; lanes > 0; lanes /= 2) sums[i] += __shfl_xor_sync(0xffffffffu, sums[i], lanes);
    }
    if (lane == 0) {
#pragma unroll
        for (int i = 0; i < Block; i++) put(a.result + (int64)block * Block + i, sums[i], a.accumulate);
    }
}

KERNEL void __launch_bounds__(128) sparse_forward_1(SparseArguments a) { sparseForward<1>(a); }
KERNEL void __launch_bounds__(128) sparse_forward_4(SparseArguments a) { sparseForward<4>(a); }
KERNEL void __launch_bounds__(128) sparse_data_1(SparseArguments a) { sparseBackwardData<1>(a); }
KERNEL void __launch_bounds__(128) sparse_data_4(SparseArguments a) { sparseBackwardData<4>(a); }
KERNEL void __launch_bounds__(128) sparse_values_1(SparseArguments a) { sparseBackwardValues<1>(a); }
KERNEL void __launch_bounds__(128) sparse_values_4(SparseArguments a) { sparseBackwardValues<4>(a); }
