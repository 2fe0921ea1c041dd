// Softmax, or its logarithm, along the middle axis of [outer, axis, inner]. Forward 8 bytes moved and about 25 flops per element, x and
// y may be one tensor. Backward dX (=|+=) y (dY - sum(dY y)), or dY - exp(y) sum(dY): 12 bytes, 16 where it adds; dX and dY may be one
// tensor. Three ways, chosen by shape, each of which reads an element once:
// - slabs: whole slabs [axis, inner] of several outer indices in shared memory, a thread per column;
// - rows: inner = 1, a block per row, which stays in registers (up to 8 per thread);
// - columns: long slabs, a thread per column, which it keeps in shared memory (up to 192 elements).
// Longer rows and columns are read again from global memory: three times forward, twice backward. Where inner is 2 to 31, the columns of
// several slabs share banks.
#include "math.cuh"
#include "rows.cuh"

struct SoftmaxArguments {
    const float* x;   // forward x, backward y
    const float* dY;  // backward
    float* y;         // forward y, backward dX
    int64 outer;
    int axis;
    int inner;
    int slabs;  // per block; columns: whether shared memory holds them
    int logarithm;
    int accumulate;
};

#define ROW_ITEMS 8

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
    float largest = -infinity(), sum = 0;
    for (int i = first; i < a.axis; i += blockDim.x) largest = larger(x[i], largest);
    largest = blockLargest(largest);
    for (int i = first; i < a.axis; i += blockDim.x) sum += exponential(x[i] - largest);
    sum = (float)blockSum(sum);
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

// A thread's column in shared memory, or where that cannot hold it in y itself.
struct StridedColumn {
    float* at;
    int64 stride;

    DEVICE float& operator[](int k) const { return at[k * stride]; }
};

KERNEL void softmax_forward_columns(SoftmaxArguments a) {
    int64 i = (int64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= a.outer * a.inner) return;
    int64 outer = i / a.inner, origin = outer * a.axis * a.inner + (i - outer * a.inner);
    StridedColumn result = {a.y + origin, a.inner};
    StridedColumn column = a.slabs ? StridedColumn{tile + threadIdx.x, blockDim.x} : result;
    for (int k = 0; k < a.axis; k++) column[k] = a.x[origin + (int64)k * a.inner];
    softmaxColumn(column, a.axis, a.logarithm);
    if (a.slabs) {
        for (int k = 0; k < a.axis; k++) result[k] = column[k];
    }
}

KERNEL void softmax_backward_columns(SoftmaxArguments a) {
    int64 i = (int64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= a.outer * a.inner) return;
    int64 outer = i / a.inner, origin = outer * a.axis * a.inner + (i - outer * a.inner);
    float *keptY = tile + threadIdx.x, *keptGiven = keptY + a.axis * blockDim.x;
    float sum = 0;
    for (int k = 0; k < a.axis; k++) {
        float y = a.x[origin + (int64)k * a.inner], dY = a.dY[origin + (int64)k * a.inner];
        sum += gradientTerm(y, dY, a.logarithm);
        if (a.slabs) {
            keptY[k * blockDim.x] = y;
            keptGiven[k * blockDim.x] = dY;
        }
    }
    for (int k = 0; k < a.axis; k++) {
        int64 at = origin + (int64)k * a.inner;
        float y = a.slabs ? keptY[k * blockDim.x] : a.x[at], dY = a.slabs ? keptGiven[k * blockDim.x] : a.dY[at];
        put(a.y + at, gradient(y, dY, sum, a.logarithm), a.accumulate);
    }
}
