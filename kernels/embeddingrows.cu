// The gradient of a small table of an embedding (no more rows than columns), dWeight [V, D] (=|+=) the rows of dY [N, D] by their indices, in their order and
// without atomics, in one launch: a block has a row of the table and 256 columns, reads all indices, and writes its row whether an index names it or not, so
// nothing is cleared before. 4 bytes per element of dY, and the indices once for each row of the table, which are fewer bytes than that. Beside them blocks
// may sum dY over its repetitions, for the gradient of positions that were added to all examples: they read it once more, as a launch of their own would.
#include "common.cuh"

#define THREADS 256

struct EmbeddingRowsArguments {
    const void* indices;
    const float* dY;
    float* dWeight;    // (=|+=)
    float* dRepeated;  // (=|+=), or null
    int64 count;
    int64 repeated;    // elements of dRepeated
    int width;
    int padding;
    int rowBlocks;     // in front of those of dRepeated
    int wide;
    int accumulate;
    int accumulateRepeated;
};

// -1: no row of the table.
DEVICE int indexAt(const EmbeddingRowsArguments& a, int64 i) {
    if (!a.wide) return ((const int*)a.indices)[i];
    int64 index = ((const int64*)a.indices)[i];
    return index >= 0 && index <= 0x7fffffff ? (int)index : -1;
}

KERNEL void embeddingrows_backward(EmbeddingRowsArguments a) {
    if ((int)blockIdx.x >= a.rowBlocks) {
        int64 i = (int64)(blockIdx.x - a.rowBlocks) * THREADS + threadIdx.x;
        if (i >= a.repeated) return;
        float sum = 0;
        for (int64 j = i; j < a.count * a.width; j += a.repeated) sum += a.dY[j];
        put(a.dRepeated + i, sum, a.accumulateRepeated);
        return;
    }
    int parts = (a.width - 1) / THREADS + 1, row = blockIdx.x / parts;
    int64 column = (int64)(blockIdx.x % parts) * THREADS + threadIdx.x;
    __shared__ int some[THREADS];
    float sum = 0;
    // The padding's row takes the sum of nothing.
    for (int64 base = row == a.padding ? a.count : 0; base < a.count; base += THREADS) {
        int most = (int)(a.count - base < THREADS ? a.count - base : THREADS);
        __syncthreads();
        if ((int)threadIdx.x < most) some[threadIdx.x] = indexAt(a, base + threadIdx.x);
        __syncthreads();
        for (int i = 0; column < a.width && i < most; i++) {
            if (some[i] == row) sum += a.dY[(base + i) * a.width + column];
        }
    }
    if (column < a.width) put(a.dWeight + (int64)row * a.width + column, sum, a.accumulate);
}
