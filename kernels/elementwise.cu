// Sums, differences, products and quotients with NumPy's broadcasting (broadcast.cuh), and the gradient of a repeated operand: the sum of dY, or of
// dY other, over the axes along which it was repeated. Sums read 4 bytes per element once, 8 with another whole operand; their order depends on the
// shapes alone.
#include "broadcast.cuh"
#include "generated/binary.cuh"
#include "rows.cuh"

#define KERNELS(name, F)                                                            \
    KERNEL void elementwise_flat_##name(FlatArguments a) { flat<F>(a); }            \
    KERNEL void elementwise_row_##name(RepeatArguments a) { row<F>(a); }            \
    KERNEL void elementwise_column_##name(RepeatArguments a) { column<F>(a); }      \
    KERNEL void elementwise_axes_##name(AxesArguments a) { anyAxes<F>(a); }

ARITHMETIC_FUNCTIONS(KERNELS)

struct SumArguments {
    const float* dY;
    const float* other;  // or null
    float* dA;
    Scratch scratch;
    int64 count;
    int64 otherRow;  // other's strides
    int otherColumn;
    int rows;
    int inner;
    int columns;     // of a block: all, or some where rows are long
    int rowBlocks;
    int accumulate;
    float sign;  // 1 or -1
    int width;   // sums of rows: columns of a block, where long rows begin within sectors, else 0
};

struct SumAxesArguments {
    const float* dY;
    const float* other;
    float* dA;
    Axes kept;    // a: dY's strides, b: other's
    Axes summed;
    int terms;    // per output
    int accumulate;
    float sign;
    int unused;
};

struct ProductTerms {
    const float* dY;
    const float* other;

    DEVICE float one(int64 i) const { return other ? dY[i] * other[i] : dY[i]; }

    DEVICE float four(int64 i) const {
        float4 v = loadFour(dY + i);
        if (!other) return (v.x + v.y) + (v.z + v.w);
        float4 w = loadFour(other + i);
        return multiplyAdd(v.x, w.x, v.y * w.y) + multiplyAdd(v.z, w.z, v.w * w.w);
    }
};

// Everything into one number; other is whole.
KERNEL void elementwise_sum_all(SumArguments a) {
    bool aligned = aligned16(a.dY) && (!a.other || aligned16(a.other));
    sumElements(a.count, aligned, ProductTerms{a.dY, a.other}, a.scratch, a.sign, a.dA, a.accumulate);
}

DEVICE float term(const SumArguments& a, int64 row, int column) {
    float given = a.dY[row * a.inner + column];
    return a.other ? given * a.other[row * a.otherRow + (int64)column * a.otherColumn] : given;
}

// The end of a sum of rows: this part's sum of a column is the result, or one of several that the last block adds.
DEVICE void finishRows(const SumArguments& a, int column, double total, bool owner, int chunk, int part) {
    if (owner) {
        if (a.rowBlocks == 1) {
            put(a.dA + column, a.sign * (float)total, a.accumulate);
        } else {
            a.scratch.parts[(int64)part * a.inner + column] = total;
        }
    }
    if (a.rowBlocks == 1 || !isLastOf(a.scratch.ticket + chunk, a.rowBlocks)) return;
    if (owner) {
        total = 0;
        for (int i = 0; i < a.rowBlocks; i++) total += *(const volatile double*)(a.scratch.parts + (int64)i * a.inner + column);
        put(a.dA + column, a.sign * (float)total, a.accumulate);
    }
}

// Where rows begin within sectors. Shared: DOWN sums for each of a row's places, of which up to 7 in front are no columns.
DEVICE void sumShifted(const SumArguments& a) {
    ShiftedStrip strip(a.inner, a.width, a.rows, a.rowBlocks);
    const float* dY = a.dY + strip.column0;
    int column = strip.place - shiftOf(dY + (int64)(strip.first + strip.lane) * a.inner), added = 0;
    float sum[SPANS] = {};
    double totals[SPANS] = {};
    for (int row = strip.first + strip.lane; row < strip.end; row += DOWN) {
        bool isFull = (++added & 15) == 0;
#pragma unroll
        for (int k = 0; k < SPANS; k++) {
            int at = column + k * ACROSS;
            if (at >= 0 && at < strip.columns) sum[k] += term(a, row, strip.column0 + at);
            if (isFull) {
                totals[k] += sum[k];
                sum[k] = 0;
            }
        }
    }
#pragma unroll
    for (int k = 0; k < SPANS; k++) tile[(strip.lane * SPANS + k) * ACROSS + strip.place] = (float)(totals[k] + sum[k]);
    __syncthreads();
    // Results begin with a sector, too.
    int owned = (int)threadIdx.x - shiftOf(a.dA + strip.column0);
    bool owner = owned >= 0 && owned < strip.columns;
    double total = 0;
    for (int i = 0; owner && i < DOWN; i++) {
        total += tile[i * SPANS * ACROSS + owned + shiftOf(dY + (int64)(strip.first + i) * a.inner)];
    }
    finishRows(a, strip.column0 + owned, total, owner, strip.chunk, strip.part);
}

// dA [inner] = the sum of rows. A block takes some neighbouring columns of a range of rows, a thread one column of every so many rows;
// with all columns that is one run of memory, of which the number of threads is chosen to take whole sectors. Shared: a sum per thread.
KERNEL void __launch_bounds__(1024) elementwise_sum_rows(SumArguments a) {
    if (a.width) {
        sumShifted(a);
        return;
    }
    int chunk = blockIdx.x / a.rowBlocks, block = blockIdx.x - chunk * a.rowBlocks;
    int lanes = blockDim.x / a.columns, lane = threadIdx.x / a.columns, place = threadIdx.x - lane * a.columns;
    int column = chunk * a.columns + place;
    int passes = (a.rows + lanes - 1) / lanes, perBlock = (passes + a.rowBlocks - 1) / a.rowBlocks;
    int64 first = (int64)block * perBlock * lanes, end = first + (int64)perBlock * lanes;
    end = end < a.rows ? end : a.rows;
    double total = 0;
    if (column < a.inner) {
        float sum = 0;
        int added = 0;
        for (int64 row = first + lane; row < end; row += lanes) {
            sum += term(a, row, column);
            if (++added == 16) {
                total += sum;
                sum = 0;
                added = 0;
            }
        }
        total += sum;
    }
    tile[threadIdx.x] = (float)total;
    __syncthreads();
    bool owner = lane == 0 && column < a.inner;
    total = 0;
    for (int i = 0; owner && i < lanes; i++) total += tile[i * a.columns + place];
    finishRows(a, column, total, owner, chunk, block);
}

// dA [rows] = the sums of short rows: a tile of them in shared memory, other beside it if it is whole, a thread per row.
KERNEL void elementwise_sum_columns_tiles(SumArguments a) {
    int perTile = a.columns;
    int64 first = (int64)blockIdx.x * perTile;
    int rows = (int)(a.rows - first < perTile ? a.rows - first : perTile);
    bool whole = a.other && a.otherRow == a.inner && a.otherColumn == 1;
    float* factors = tile + (perTile * a.inner + 3 & ~3);
    loadTile(tile, a.dY + first * a.inner, rows * a.inner);
    if (whole) loadTile(factors, a.other + first * a.inner, rows * a.inner);
    __syncthreads();
    if ((int)threadIdx.x >= rows) return;
    int64 row = first + threadIdx.x;
    TileColumn given(tile + threadIdx.x * a.inner, 1, a.inner), factor(factors + threadIdx.x * a.inner, 1, a.inner);
    float sum = 0;
    for (int k = 0; k < a.inner; k++) {
        float f = whole ? factor[k] : a.other ? a.other[row * a.otherRow + (int64)given.index(k) * a.otherColumn] : 1.0f;
        sum += given[k] * f;
    }
    put(a.dA + row, a.sign * sum, a.accumulate);
}

// Likewise of long rows, a block each.
KERNEL void elementwise_sum_columns(SumArguments a) {
    int64 row = blockIdx.x;
    double total = 0;
    float sum = 0;
    int added = 0;
    for (int i = (int)threadIdx.x - shiftOf(a.dY + row * a.inner); i < a.inner; i += blockDim.x) {
        if (i < 0) continue;
        sum += term(a, row, i);
        if (++added == 16) {
            total += sum;
            sum = 0;
            added = 0;
        }
    }
    total = blockSum((float)(total + sum));
    if (threadIdx.x == 0) put(a.dA + row, a.sign * (float)total, a.accumulate);
}

// Any axes: a block per output.
KERNEL void elementwise_sum_axes(SumAxesArguments a) {
    int64 given = 0, other = 0;
    locate(a.kept, blockIdx.x, given, other);
    double total = 0;
    float sum = 0;
    int added = 0;
    for (uint32 i = threadIdx.x; i < (uint32)a.terms; i += blockDim.x) {
        int64 left = given, right = other;
        locate(a.summed, i, left, right);
        sum += a.other ? a.dY[left] * a.other[right] : a.dY[left];
        if (++added == 16) {
            total += sum;
            sum = 0;
            added = 0;
        }
    }
    total = blockSum((float)(total + sum));
    if (threadIdx.x == 0) put(a.dA + blockIdx.x, a.sign * (float)total, a.accumulate);
}
