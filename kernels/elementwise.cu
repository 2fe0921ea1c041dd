// y (=|+=) a + b or a b with NumPy's broadcasting, and the gradient of a repeated operand: the sum of dY, or of dY other, over the axes
// along which it was repeated. Forward 12 bytes moved per element where both operands are whole, 8 where one is a scalar, a row or a
// column, which a block takes into shared memory once; y may be an operand of its own shape. Sums read 4 bytes per element once, 8 with
// another whole operand; their order depends on the shapes alone. Axes that match none of the simple patterns, and rows above 12 000
// elements, are walked one by one, and what is repeated is read again. Sums of rows of more than 128 elements, not a multiple of 8, move up to
// 1.25 times their bytes, as their accesses begin within sectors.
#include "rows.cuh"

// Kernels/BroadcastAxes.cs: extents and the strides of both operands, 0 where one repeats; outermost first.
struct Axes {
    int extents[8];
    int64 a[8];
    int64 b[8];
    int rank;
};

struct BinaryArguments {
    const float* a;
    const float* b;
    float* y;
    int64 count;
    int inner;
    int perBlock;
    int multiply;
    int accumulate;
};

struct BroadcastArguments {
    const float* a;
    const float* b;
    float* y;
    Axes axes;
    int count;
    int multiply;
    int accumulate;
};

extern __shared__ __align__(16) float tile[];

DEVICE float combine(float a, float b, int multiply) { return multiply ? a * b : a + b; }

KERNEL void elementwise_same(BinaryArguments a) {
    int multiply = a.multiply;
    mapElements(a.a, a.b, a.y, a.count, a.accumulate, [=](float x, float y) { return combine(x, y, multiply); });
}

KERNEL void elementwise_scalar(BinaryArguments a) {
    if (!hasElements(a.count)) return;
    int multiply = a.multiply;
    float b = *a.b;
    mapElements(a.a, a.y, a.count, a.accumulate, [=](float x) { return combine(x, b, multiply); });
}

// b [inner] under a [rows, inner]. Shared: b, and its first 32 again behind it, so that a warp's columns never wrap.
KERNEL void elementwise_row(BinaryArguments a) {
    for (int i = threadIdx.x; i < a.inner + 32; i += THREADS) tile[i] = a.b[i % a.inner];
    __syncthreads();
    int64 first = (int64)blockIdx.x * a.perBlock, end = first + a.perBlock < a.count ? first + a.perBlock : a.count;
    int warp = threadIdx.x & ~31, column = (int)((first + warp) % a.inner), step = THREADS % a.inner;
    for (int64 i = first + threadIdx.x; i < end; i += THREADS) {
        put(a.y + i, combine(a.a[i], tile[column + (threadIdx.x & 31)], a.multiply), a.accumulate);
        column += step;
        column -= column >= a.inner ? a.inner : 0;
    }
}

// b [rows, 1] beside a [rows, inner]. Shared: the rows that this block's elements lie in.
KERNEL void elementwise_column(BinaryArguments a) {
    int64 first = (int64)blockIdx.x * a.perBlock, end = first + a.perBlock < a.count ? first + a.perBlock : a.count;
    int64 row = first / a.inner;
    int rows = (int)((end - 1) / a.inner - row) + 1;
    for (int i = threadIdx.x; i < rows; i += THREADS) tile[i] = a.b[row + i];
    __syncthreads();
    int offset = (int)(first - row * a.inner);
    for (int64 i = first + threadIdx.x; i < end; i += THREADS) {
        put(a.y + i, combine(a.a[i], tile[((int)(i - first) + offset) / a.inner], a.multiply), a.accumulate);
    }
}

// Where element i, counted over all axes, lies in either operand. Unrolled, because parameters indexed at run time would be copied to
// local memory.
DEVICE void locate(const Axes& axes, uint32 i, int64& a, int64& b) {
#pragma unroll
    for (int axis = 7; axis >= 0; axis--) {
        if (axis >= axes.rank) continue;
        uint32 extent = axes.extents[axis], rest = i / extent, place = i - rest * extent;
        a += place * axes.a[axis];
        b += place * axes.b[axis];
        i = rest;
    }
}

KERNEL void elementwise_broadcast(BroadcastArguments a) {
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    int64 left = 0, right = 0;
    locate(a.axes, i, left, right);
    put(a.y + i, combine(a.a[left], a.b[right], a.multiply), a.accumulate);
}

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
};

struct SumAxesArguments {
    const float* dY;
    const float* other;
    float* dA;
    Axes kept;    // a: dY's strides, b: other's
    Axes summed;
    int terms;    // per output
    int accumulate;
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
    sumElements(a.count, aligned, ProductTerms{a.dY, a.other}, a.scratch, 1.0, a.dA, a.accumulate);
}

DEVICE float term(const SumArguments& a, int64 row, int column) {
    float given = a.dY[row * a.inner + column];
    return a.other ? given * a.other[row * a.otherRow + (int64)column * a.otherColumn] : given;
}

// dA [inner] = the sum of rows. A block takes some neighbouring columns of a range of rows, a thread one column of every so many rows;
// with all columns that is one run of memory, of which the number of threads is chosen to take whole sectors. Shared: a sum per thread.
KERNEL void __launch_bounds__(1024) elementwise_sum_rows(SumArguments a) {
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
    if (owner) {
        total = 0;
        for (int i = 0; i < lanes; i++) total += tile[i * a.columns + place];
        if (a.rowBlocks == 1) {
            put(a.dA + column, (float)total, a.accumulate);
        } else {
            a.scratch.parts[(int64)block * a.inner + column] = total;
        }
    }
    if (a.rowBlocks == 1 || !isLastOf(a.scratch.ticket + chunk, a.rowBlocks)) return;
    if (owner) {
        total = 0;
        for (int i = 0; i < a.rowBlocks; i++) total += *(const volatile double*)(a.scratch.parts + (int64)i * a.inner + column);
        put(a.dA + column, (float)total, a.accumulate);
    }
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
    put(a.dA + row, sum, a.accumulate);
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
    if (threadIdx.x == 0) put(a.dA + row, (float)total, a.accumulate);
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
    if (threadIdx.x == 0) put(a.dA + blockIdx.x, (float)total, a.accumulate);
}
