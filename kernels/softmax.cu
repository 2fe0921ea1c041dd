// Softmax, or its logarithm, along the middle axis of [outer, axis, inner]. Forward 8 bytes moved and about 25 flops per element, x and
// y may be one tensor. Backward dX (=|+=) y (dY - sum(dY y)), or dY - exp(y) sum(dY): 12 bytes, 16 where it adds; dX and dY may be one
// tensor. Three ways, chosen by shape, each of which reads an element once:
// - slabs: whole slabs [axis, inner] of several outer indices in shared memory, a thread per column;
// - rows: inner = 1, a block per row, which stays in registers (up to 8 per thread);
// - columns: long slabs, a thread to some rows of a column, which stay in its registers (up to 40): every eighth row or so, such that all of them
//   begin alike within a sector and a warp with one.
// Longer rows and columns are read twice both ways: once for the largest and the sum, or the sum of products, once for the result. Where inner is
// 2 to 31, the columns of several slabs share banks.
#include "math.cuh"
#include "rows.cuh"

struct SoftmaxArguments {
    const float* x;   // forward x, backward y
    const float* dY;  // backward
    float* y;         // forward y, backward dX
    int64 outer;
    int axis;
    int inner;
    int slabs;   // per block
    int logarithm;
    int accumulate;
    int across;  // columns: threads across a block
    int width;   // columns of a block: as many threads, or 7 fewer where lanes are moved to a row's first sector
    int unused;
};

#define ROW_ITEMS 8
#define COLUMN_THREADS 768
#define COLUMN_ITEMS 40
#define KEPT_ITEMS 32

extern __shared__ __align__(16) float tile[];

// One column in place.
template <class Column>
DEVICE void softmaxColumn(const Column& x, int length, bool isLog) {
    float largest = -infinity();
    for (int k = 0; k < length; k++) largest = larger(x[k], largest);
    float sum = 0;
    for (int k = 0; k < length; k++) {
        float e = exponential(x[k] - largest);
        sum += e;
        if (!isLog) x[k] = e;
    }
    // (x - largest) - log sum, one after the other, because their sum would lose the second to a large first.
    float last = isLog ? logarithm(sum) : 1.0f / sum;
    for (int k = 0; k < length; k++) x[k] = isLog ? x[k] - largest - last : x[k] * last;
}

DEVICE float gradientTerm(float y, float dY, bool isLog) { return isLog ? dY : dY * y; }

DEVICE float gradient(float y, float dY, float sum, bool isLog) {
    return isLog ? dY - exponential(y) * sum : y * (dY - sum);
}

// The largest of some elements and the sum of exp(x - largest), with one more element.
struct Largest {
    float largest;
    float sum;

    DEVICE Largest() : largest(-infinity()), sum(0) {}

    DEVICE void add(float x) {
        if (x > largest) {
            // x - x is NaN where x is infinite, as its share of the sum is.
            sum = multiplyAdd(sum, exponential(largest - x), 1.0f + (x - x));
            largest = x;
        } else if (x != -infinity()) {
            sum += exponential(x - largest);
        }
    }
};

KERNEL void softmax_forward_slabs(SoftmaxArguments a) {
    int slab = a.axis * a.inner;
    int64 first = (int64)blockIdx.x * a.slabs;
    int slabs = (int)(a.outer - first < a.slabs ? a.outer - first : a.slabs);
    loadTile(tile, a.x + first * slab, slabs * slab);
    __syncthreads();
    for (int i = threadIdx.x; i < slabs * a.inner; i += blockDim.x) {
        softmaxColumn(TileColumn(tile + i / a.inner * slab + i % a.inner, a.inner, a.axis), a.axis, a.logarithm);
    }
    __syncthreads();
    storeTile(a.y + first * slab, tile, slabs * slab, false);
}

KERNEL void softmax_backward_slabs(SoftmaxArguments a) {
    int slab = a.axis * a.inner;
    int64 first = (int64)blockIdx.x * a.slabs;
    int slabs = (int)(a.outer - first < a.slabs ? a.outer - first : a.slabs);
    float* given = tile + (a.slabs * slab + 3 & ~3);
    loadTile(tile, a.x + first * slab, slabs * slab);
    loadTile(given, a.dY + first * slab, slabs * slab);
    __syncthreads();
    for (int i = threadIdx.x; i < slabs * a.inner; i += blockDim.x) {
        int origin = i / a.inner * slab + i % a.inner;
        TileColumn y(tile + origin, a.inner, a.axis), dY(given + origin, a.inner, a.axis);
        float sum = 0;
        for (int k = 0; k < a.axis; k++) sum += gradientTerm(y[k], dY[k], a.logarithm);
        for (int k = 0; k < a.axis; k++) dY[k] = gradient(y[k], dY[k], sum, a.logarithm);
    }
    __syncthreads();
    storeTile(a.y + first * slab, given, slabs * slab, a.accumulate);
}

KERNEL void __launch_bounds__(1024) softmax_forward_rows(SoftmaxArguments a) {
    const float* x = a.x + (int64)blockIdx.x * a.axis;
    float* y = a.y + (int64)blockIdx.x * a.axis;
    RegisterRow<ROW_ITEMS> row;
    row.load(x, a.axis, -infinity());
    float largest = -infinity();
#pragma unroll
    for (int k = 0; k < ROW_ITEMS; k++) largest = larger(row.values[k], largest);
    largest = blockLargest(largest);
    float sum = 0;
#pragma unroll
    for (int k = 0; k < ROW_ITEMS; k++) {
        if (!row.holds(k)) continue;
        float shifted = row.values[k] - largest, e = exponential(shifted);
        sum += e;
        row.values[k] = a.logarithm ? shifted : e;
    }
    sum = (float)blockSum(sum);
    float last = a.logarithm ? logarithm(sum) : 1.0f / sum;
#pragma unroll
    for (int k = 0; k < ROW_ITEMS; k++) {
        if (row.holds(k)) y[row.column(k)] = a.logarithm ? row.values[k] - last : row.values[k] * last;
    }
}

KERNEL void __launch_bounds__(1024) softmax_backward_rows(SoftmaxArguments a) {
    int64 origin = (int64)blockIdx.x * a.axis;
    RegisterRow<ROW_ITEMS> y, dY;
    y.load(a.x + origin, a.axis, 0);
    // The same lanes for all three tensors: they are aligned alike, or some take a sector more.
    dY.first = y.first;
    dY.length = a.axis;
    float sum = 0;
#pragma unroll
    for (int k = 0; k < ROW_ITEMS; k++) {
        dY.values[k] = dY.holds(k) ? a.dY[origin + dY.column(k)] : 0.0f;
        sum += gradientTerm(y.values[k], dY.values[k], a.logarithm);
    }
    sum = (float)blockSum(sum);
#pragma unroll
    for (int k = 0; k < ROW_ITEMS; k++) {
        if (y.holds(k)) put(a.y + origin + y.column(k), gradient(y.values[k], dY.values[k], sum, a.logarithm), a.accumulate);
    }
}

KERNEL void __launch_bounds__(1024) softmax_forward_long(SoftmaxArguments a) {
    const float* x = a.x + (int64)blockIdx.x * a.axis;
    float* y = a.y + (int64)blockIdx.x * a.axis;
    int first = (int)threadIdx.x - shiftOf(x);
    first += first < 0 ? (int)blockDim.x : 0;
    Largest own;
    for (int i = first; i < a.axis; i += blockDim.x) own.add(x[i]);
    float largest = blockLargest(own.largest);
    float sum = (float)blockSum(own.largest == -infinity() ? own.sum : own.sum * exponential(own.largest - largest));
    float last = a.logarithm ? logarithm(sum) : 1.0f / sum;
    for (int i = first; i < a.axis; i += blockDim.x) {
        float shifted = x[i] - largest;
        y[i] = a.logarithm ? shifted - last : exponential(shifted) * last;
    }
}

KERNEL void __launch_bounds__(1024) softmax_backward_long(SoftmaxArguments a) {
    int64 origin = (int64)blockIdx.x * a.axis;
    const float *y = a.x + origin, *dY = a.dY + origin;
    int first = (int)threadIdx.x - shiftOf(y);
    first += first < 0 ? (int)blockDim.x : 0;
    float sum = 0;
    for (int i = first; i < a.axis; i += blockDim.x) sum += gradientTerm(y[i], dY[i], a.logarithm);
    sum = (float)blockSum(sum);
    for (int i = first; i < a.axis; i += blockDim.x) put(a.y + origin + i, gradient(y[i], dY[i], sum, a.logarithm), a.accumulate);
}

// A block's columns: rows[] of a thread are so many apart that all begin alike within a sector, so that its column is the same in each.
struct ColumnBlock {
    int64 first;   // element of the first row and column
    int lane;      // the thread's first row
    int lanes;     // threads down
    int place;     // across, column and what lanes are moved by
    int column;    // of the block
    int columns;
    bool inside;
    int rows;      // of the thread
    int step;      // elements from one of them to the next

    DEVICE ColumnBlock(const SoftmaxArguments& a, const float* x) {
        int chunks = (a.inner - 1) / a.width + 1, column0 = blockIdx.x % chunks * a.width;
        first = (int64)(blockIdx.x / chunks) * a.axis * a.inner + column0;
        columns = smaller(a.inner - column0, a.width);
        lanes = COLUMN_THREADS / a.across;
        lane = threadIdx.x / a.across;
        place = threadIdx.x - lane * a.across;
        column = place - shift(a, x, lane);
        inside = column >= 0 && column < columns;
        rows = inside && lane < a.axis ? (a.axis - lane - 1) / lanes + 1 : 0;
        step = lanes * a.inner;
    }

    DEVICE int shift(const SoftmaxArguments& a, const float* x, int row) const {
        return a.width < a.across ? shiftOf(x + first + (int64)row * a.inner) : 0;
    }

    // The thread's first element, behind the block's. The compiler must not know that a later walk has the same addresses and conditions: it would
    // keep all of them in registers.
    DEVICE int begin(const SoftmaxArguments& a) {
        asm volatile("" : "+r"(step), "+r"(rows));
        return lane * a.inner + column;
    }
};

KERNEL void __launch_bounds__(COLUMN_THREADS, 1) softmax_forward_columns(SoftmaxArguments a) {
    __shared__ float parts[COLUMN_THREADS], result[COLUMN_THREADS];
    ColumnBlock block(a, a.x);
    const float* from = a.x + block.first;
    float *to = a.y + block.first, x[COLUMN_ITEMS], largest = -infinity(), sum = 0;
    int at = block.begin(a);
#pragma unroll
    for (int k = 0; k < COLUMN_ITEMS; k++, at += block.step) {
        x[k] = k < block.rows ? from[at] : -infinity();
        largest = larger(x[k], largest);
    }
    parts[threadIdx.x] = largest;
    __syncthreads();
    if ((int)threadIdx.x < block.columns) {
        float all = -infinity();
        for (int lane = 0; lane < block.lanes; lane++) {
            all = larger(parts[lane * a.across + threadIdx.x + block.shift(a, a.x, lane)], all);
        }
        result[threadIdx.x] = all;
    }
    __syncthreads();
    largest = block.inside ? result[block.column] : 0.0f;
    block.begin(a);
#pragma unroll
    for (int k = 0; k < COLUMN_ITEMS; k++) {
        if (k >= block.rows) continue;
        float shifted = x[k] - largest, e = exponential(shifted);
        sum += e;
        x[k] = a.logarithm ? shifted : e;
    }
    parts[threadIdx.x] = sum;
    __syncthreads();
    if ((int)threadIdx.x < block.columns) {
        float all = 0;
        for (int lane = 0; lane < block.lanes; lane++) all += parts[lane * a.across + threadIdx.x + block.shift(a, a.x, lane)];
        result[threadIdx.x] = a.logarithm ? logarithm(all) : 1.0f / all;
    }
    __syncthreads();
    if (!block.inside) return;
    float last = result[block.column];
    at = block.begin(a);
#pragma unroll
    for (int k = 0; k < COLUMN_ITEMS; k++, at += block.step) {
        if (k < block.rows) to[at] = a.logarithm ? x[k] - last : x[k] * last;
    }
}

// dX = term - y sum of terms, with terms y dY or, of the logarithm, term - exp(y) sum and dY. Shared: the first 32 terms of each thread.
KERNEL void __launch_bounds__(COLUMN_THREADS, 1) softmax_backward_columns(SoftmaxArguments a) {
    __shared__ float parts[COLUMN_THREADS];
    ColumnBlock block(a, a.x);
    const float *from = a.x + block.first, *given = a.dY + block.first;
    float *to = a.y + block.first, y[COLUMN_ITEMS], terms[COLUMN_ITEMS - KEPT_ITEMS], sum = 0;
    int at = block.begin(a);
#pragma unroll
    for (int k = 0; k < COLUMN_ITEMS; k++, at += block.step) {
        bool holds = k < block.rows;
        y[k] = holds ? from[at] : 0.0f;
        float term = holds ? gradientTerm(y[k], given[at], a.logarithm) : 0.0f;
        sum += term;
        if (k >= KEPT_ITEMS) {
            terms[k - KEPT_ITEMS] = term;
        } else if (holds) {
            tile[k * COLUMN_THREADS + threadIdx.x] = term;
        }
        // Not more loads at once than there are registers for.
        if (k % 8 == 7) __syncwarp();
    }
    parts[threadIdx.x] = sum;
    __syncthreads();
    float all = 0;
    if ((int)threadIdx.x < block.columns) {
        for (int lane = 0; lane < block.lanes; lane++) all += parts[lane * a.across + threadIdx.x + block.shift(a, a.x, lane)];
    }
    __syncthreads();
    if ((int)threadIdx.x < block.columns) parts[threadIdx.x] = all;
    __syncthreads();
    sum = block.inside ? parts[block.column] : 0.0f;
    at = block.begin(a);
#pragma unroll
    for (int k = 0; k < COLUMN_ITEMS; k++, at += block.step) {
        if (k < block.rows) {
            float term = k >= KEPT_ITEMS ? terms[k - KEPT_ITEMS] : tile[k * COLUMN_THREADS + threadIdx.x];
            put(to + at, term - (a.logarithm ? exponential(y[k]) : y[k]) * sum, a.accumulate);
        }
        if (k % 4 == 3) __syncwarp();
    }
}

// A thread walks along its column, and again.
KERNEL void softmax_forward_walk(SoftmaxArguments a) {
    int64 i = (int64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= a.outer * a.inner) return;
    int64 outer = i / a.inner, origin = outer * a.axis * a.inner + (i - outer * a.inner);
    Largest all;
    for (int k = 0; k < a.axis; k++) all.add(a.x[origin + (int64)k * a.inner]);
    float last = a.logarithm ? logarithm(all.sum) : 1.0f / all.sum;
    for (int k = 0; k < a.axis; k++) {
        int64 at = origin + (int64)k * a.inner;
        float shifted = a.x[at] - all.largest;
        a.y[at] = a.logarithm ? shifted - last : exponential(shifted) * last;
    }
}

KERNEL void softmax_backward_walk(SoftmaxArguments a) {
    int64 i = (int64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= a.outer * a.inner) return;
    int64 outer = i / a.inner, origin = outer * a.axis * a.inner + (i - outer * a.inner);
    float sum = 0;
    for (int k = 0; k < a.axis; k++) sum += gradientTerm(a.x[origin + (int64)k * a.inner], a.dY[origin + (int64)k * a.inner], a.logarithm);
    for (int k = 0; k < a.axis; k++) {
        int64 at = origin + (int64)k * a.inner;
        put(a.y + at, gradient(a.x[at], a.dY[at], sum, a.logarithm), a.accumulate);
    }
}
