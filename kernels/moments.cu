// Metrics of an epoch: sums [1 + 2 K] in double, += the number of rows of x [R, K], then of each column the sum and the sum of squares. A block per
// column, whose threads take rows in turn and whose order depends on the shape alone. 4 bytes read per element; a square of a float is exact in double.
#include "common.cuh"

#define THREADS 256

struct MomentsArguments {
    const float* x;
    double* sums;
    const float* results;  // the guard is the fourth (guard.cu); null adds unconditionally
    int64 rows;
    int columns;
    int unused;
};

KERNEL void moments_add(MomentsArguments a) {
    __shared__ double sums[THREADS];
    __shared__ double squares[THREADS];
    if (a.results && !isFinite(a.results[3])) return;
    const float* column = a.x + blockIdx.x;
    double sum = 0, square = 0;
    for (int64 row = threadIdx.x; row < a.rows; row += THREADS) {
        double x = column[row * a.columns];
        sum += x;
        square += x * x;
    }
    sums[threadIdx.x] = sum;
    squares[threadIdx.x] = square;
    __syncthreads();
    for (uint32 half = THREADS / 2; half > 0; half >>= 1) {
        if (threadIdx.x < half) {
            sums[threadIdx.x] += sums[threadIdx.x + half];
            squares[threadIdx.x] += squares[threadIdx.x + half];
        }
        __syncthreads();
    }
    if (threadIdx.x != 0) return;
    if (blockIdx.x == 0) a.sums[0] += (double)a.rows;
    a.sums[1 + 2 * blockIdx.x] += sums[0];
    a.sums[2 + 2 * blockIdx.x] += squares[0];
}
