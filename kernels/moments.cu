// Metrics of an epoch: sums [1 + 2 K] in double, += the number of rows of x [R, K], then of each column the sum and the sum of squares. A block takes up
// to 256 columns and a run of rows; where there are fewer columns, its threads take several rows side by side, so that neighbours read neighbours. Blocks
// leave their parts in scratch memory, and the last to finish adds them in their order, which depends on the shape alone. 4 bytes read per element; a
// square of a float is exact in double.
#include "sums.cuh"

struct MomentsArguments {
    const float* x;
    double* sums;
    const float* results;  // the guard is the fourth (guard.cu); null adds unconditionally
    Scratch scratch;       // [rows' blocks, columns] pairs
    int64 rows;
    int64 rows_per_block;
    int columns;
    int width;  // columns per block
};

DEVICE void addTo(double* sums, int column, double sum, double square) {
    sums[1 + 2 * (int64)column] += sum;
    sums[2 + 2 * (int64)column] += square;
}

KERNEL void __launch_bounds__(256) moments_add(MomentsArguments a) {
    __shared__ double sums[THREADS];
    __shared__ double squares[THREADS];
    if (a.results && !isFinite(a.results[3])) return;
    int side = THREADS / a.width, thread = threadIdx.x, within = thread % a.width, row0 = thread / a.width;
    int column = blockIdx.x * a.width + within;
    bool counts = row0 < side && column < a.columns;
    int64 first = blockIdx.y * a.rows_per_block, last = first + a.rows_per_block;
    if (last > a.rows) last = a.rows;
    double sum = 0, square = 0;
    if (counts) {
        for (int64 row = first + row0; row < last; row += side) {
            double x = a.x[row * a.columns + column];
            sum += x;
            square += x * x;
        }
    }
    sums[thread] = sum;
    squares[thread] = square;
    __syncthreads();
    // Rows side by side join pairwise, the upper half into the lower.
    for (int rest = side; rest > 1; rest = (rest + 1) / 2) {
        int half = (rest + 1) / 2;
        if (row0 + half < rest) {
            sums[thread] += sums[thread + half * a.width];
            squares[thread] += squares[thread + half * a.width];
        }
        __syncthreads();
    }
    if (gridDim.y == 1) {
        if (counts && row0 == 0) addTo(a.sums, column, sums[thread], squares[thread]);
        if (blockIdx.x == 0 && thread == 0) a.sums[0] += (double)a.rows;
        return;
    }
    if (counts && row0 == 0) {
        double* part = a.scratch.parts + 2 * ((int64)blockIdx.y * a.columns + column);
        part[0] = sums[thread];
        part[1] = squares[thread];
    }
    if (!isLastOf(a.scratch.ticket, gridDim.x * gridDim.y)) return;
    for (int c = thread; c < a.columns; c += THREADS) {
        sum = 0;
        square = 0;
        for (uint32 block = 0; block < gridDim.y; block++) {
            const volatile double* part = a.scratch.parts + 2 * ((int64)block * a.columns + c);
            sum += part[0];
            square += part[1];
        }
        addTo(a.sums, c, sum, square);
    }
    if (thread == 0) a.sums[0] += (double)a.rows;
}
