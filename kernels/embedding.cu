// Embedding: y [indices, D] = rows of weight [V, D], 8 bytes moved per element, a thread each; the row of an index out of range is NaN. Backward: the
// block of an index's first occurrence adds all rows of dY with that index, in their order, without atomics; the others leave. Each block reads the
// indices once, N^2 reads of 4 or 8 bytes in all, which the caches serve.
#include "common.cuh"

#define THREADS 256

struct EmbeddingArguments {
    const void* indices;
    const float* from;  // forward weight, backward dY
    float* to;          // forward y, backward dWeight, added to
    int64 count;
    int rows;
    int width;
    int padding;
    int wide;           // indices of 64 bits
};

DEVICE int64 indexAt(const EmbeddingArguments& a, int64 i) { return a.wide ? ((const int64*)a.indices)[i] : ((const int*)a.indices)[i]; }

KERNEL void embedding_forward(EmbeddingArguments a) {
    int64 i = (int64)blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.count * a.width) return;
    int64 place = i / a.width, index = indexAt(a, place);
    bool inside = index >= 0 && index < a.rows;
    a.to[i] = inside ? a.from[index * a.width + (i - place * a.width)] : quietNaN();
}

KERNEL void embedding_backward(EmbeddingArguments a) {
    __shared__ int64 some[THREADS];
    __shared__ int isFirst;
    // Parts of a row count along x as well: y ends at 65,535 blocks.
    int parts = (a.width - 1) / THREADS + 1;
    int64 place = blockIdx.x / parts, mine = indexAt(a, place);
    int64 column = (int64)(blockIdx.x % parts) * THREADS + threadIdx.x;
    if (mine < 0 || mine >= a.rows || mine == a.padding) return;
    if (threadIdx.x == 0) isFirst = 1;
    __syncthreads();
    bool earlier = false;
    for (int64 i = threadIdx.x; i < place; i += THREADS) earlier = earlier || indexAt(a, i) == mine;
    // All that write write the same.
    if (earlier) isFirst = 0;
    __syncthreads();
    if (!isFirst) return;
    float sum = 0;
    for (int64 base = place; base < a.count; base += THREADS) {
        int most = (int)(a.count - base < THREADS ? a.count - base : THREADS);
        __syncthreads();
        if ((int)threadIdx.x < most) some[threadIdx.x] = indexAt(a, base + threadIdx.x);
        __syncthreads();
        for (int i = 0; column < a.width && i < most; i++) {
            if (some[i] == mine) sum += a.from[(base + i) * a.width + column];
        }
    }
    if (column < a.width) a.to[mine * a.width + column] += sum;
}
