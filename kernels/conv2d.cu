// Convolutions of NHWC images as matrix products by tiles (tiles.cuh), without a copy of the patches: the panels of the product are
// gathered from the image as they are needed. Filters are [KH, KW, C / groups, OC]. 2 N OH OW OC KH KW C / groups flops a pass.
// Forward y = f(conv(x, weight) + bias), or f(y + that). Backward data gathers too: pixels of dX that are congruent modulo the stride
// meet the same taps, so each such phase is a product of its own, in which no term is zero by construction, and each dX is written once
// (=|+=), with a bias and f where it is the forward of a transposed convolution.
// Backward filter (=|+=) is a product over pixels, with dBias (=|+=) as one more row, the one that a column of ones gives; where there
// are more pixels than one block should add, blocks leave parts [parts, KH KW C / groups + 1, OC] and conv2d_sum_parts adds them.
// blockIdx: x (phase, tile of rows), y (group, tile of columns), z part.
#include "columns.cuh"
#include "convolution.cuh"
#include "depthwise.cuh"

struct ConvolutionForwardArguments {
    const float* x;
    const float* weight;
    float* y;
    Epilogue epilogue;
    ConvolutionShape shape;
    int tiles;   // of columns, per group
    int vector;  // 1: x, 2: weight and y are read and written in fours
    int accumulate;
    int unused;
};

template <class T>
DEVICE void forward(const ConvolutionForwardArguments& a) {
    __shared__ __attribute__((aligned(16))) float shared[T::Floats];
    __shared__ Place places[T::M];
    const ConvolutionShape& shape = a.shape;
    int group = blockIdx.y / a.tiles, firstColumn = (blockIdx.y - group * a.tiles) * T::N, firstRow = blockIdx.x * T::M;
    for (int r = threadIdx.x; r < T::M; r += T::Threads) {
        Place place = windowOf(shape, firstRow + r, group);
        if (firstRow + r >= shape.pixels) place.y = OUTSIDE;
        places[r] = place;
    }
    __syncthreads();

    Taps taps = tapsOf(shape);
    int firstChannel = group * shape.groupOC;
    WindowRows windows{{a.x, shape.y.input, shape.x.input}, places, taps, (a.vector & 1) != 0};
    MatrixRows weight{{a.weight + firstChannel, 1, 1}, firstColumn, shape.groupOC, 1, taps.count, shape.oc, (a.vector & 2) != 0, -1};
    Sums<T> sums;
    if (!multiplyTile<T, T::TM * T::TN <= 16, ContiguousDepth<T, T::M, T::StrideA, WindowRows>, WindowRows,
            ContiguousRows<T, T::N, T::StrideB, MatrixRows>, MatrixRows>(windows, weight, 0, taps.count, shared, sums)) {
        return;
    }
    int thread = threadIdx.x;
    Epilogue epilogue = a.epilogue;
    if (epilogue.bias) epilogue.bias += firstChannel;
    storeSums(sums, epilogue, firstColumn, shape.groupOC, (a.vector & 2) != 0, a.accumulate, [&](int i) -> float* {
        int row = firstRow + Sums<T>::row(thread, i);
        return row < shape.pixels ? a.y + (int64)row * shape.oc + firstChannel : nullptr;
    });
}

KERNEL void __launch_bounds__(256, 2) conv2d_forward_wide(ConvolutionForwardArguments a) { forward<Wide>(a); }
KERNEL void __launch_bounds__(256, 2) conv2d_forward_narrow(ConvolutionForwardArguments a) { forward<Narrow>(a); }
KERNEL void __launch_bounds__(256, 2) conv2d_forward_small(ConvolutionForwardArguments a) { forward<Small>(a); }

struct ConvolutionBackwardDataArguments {
    const float* dY;
    const float* weight;
    float* dX;
    Epilogue epilogue;
    ConvolutionShape shape;
    int rowTiles;  // of a phase
    int phases;    // along a row
    int tiles;
    int vector;  // 1: dY and weight, 2: dX
    int accumulate;
    int unused;
};

template <class T>
DEVICE void backwardData(const ConvolutionBackwardDataArguments& a) {
    __shared__ __attribute__((aligned(16))) float shared[T::Floats];
    __shared__ Place places[T::M];
    __shared__ int targets[T::M];
    const ConvolutionShape& shape = a.shape;
    int phase = blockIdx.x / a.rowTiles, phaseY = phase / a.phases, phaseX = phase - phaseY * a.phases;
    Phase y(shape.y, phaseY), x(shape.x, phaseX);
    int firstRow = (blockIdx.x - phase * a.rowTiles) * T::M;
    int group = blockIdx.y / a.tiles, firstColumn = (blockIdx.y - group * a.tiles) * T::N;
    int rows = shape.n * y.inputs * x.inputs;
    if (firstRow >= rows) return;
    for (int r = threadIdx.x; r < T::M; r += T::Threads) {
        int line = (firstRow + r) / x.inputs, j = firstRow + r - line * x.inputs, n = line / y.inputs, i = line - n * y.inputs;
        int oh = y.output + i, ow = x.output + j;
        int image = imageOf(shape, n);
        bool there = firstRow + r < rows && image >= 0;
        places[r] = Place{((n * shape.y.output + oh) * shape.x.output + ow) * shape.oc + group * shape.groupOC, there ? oh : OUTSIDE, ow, 0};
        targets[r] = there ? ((image * shape.y.input + phaseY + i * shape.y.stride) * shape.x.input + phaseX + j * shape.x.stride) * shape.c : -1;
    }
    __syncthreads();

    int count = y.taps * x.taps * shape.groupOC;
    Taps taps{shape.byGroupOC, count, x.taps, 1.0f / (float)x.taps, -shape.y.outputStep, -shape.x.outputStep, shape.x.output, shape.oc};
    WindowRows windows{{a.dY, shape.y.output, shape.x.output}, places, taps, (a.vector & 1) != 0};
    FilterRows filter{{a.weight + group * shape.groupOC, 1, 1}, taps, firstColumn, shape.groupC, shape.oc, y.firstTap, x.firstTap,
        shape.y.tapStep, shape.x.tapStep, shape.x.taps, (a.vector & 1) != 0};
    Sums<T> sums;
    if (!multiplyTile<T, T::TM * T::TN <= 16, ContiguousDepth<T, T::M, T::StrideA, WindowRows>, WindowRows,
            ContiguousDepth<T, T::N, T::StrideB, FilterRows>, FilterRows>(windows, filter, 0, count, shared, sums)) {
        return;
    }
    int thread = threadIdx.x;
    int firstChannel = group * shape.groupC;
    Epilogue epilogue = a.epilogue;
    if (epilogue.bias) epilogue.bias += firstChannel;
    storeSums(sums, epilogue, firstColumn, shape.groupC, (a.vector & 2) != 0, a.accumulate, [&](int i) -> float* {
        int target = targets[Sums<T>::row(thread, i)];
        return target >= 0 ? a.dX + (int64)target + firstChannel : nullptr;
    });
}

KERNEL void __launch_bounds__(256, 2) conv2d_backward_data_wide(ConvolutionBackwardDataArguments a) { backwardData<Wide>(a); }
KERNEL void __launch_bounds__(256, 2) conv2d_backward_data_narrow(ConvolutionBackwardDataArguments a) { backwardData<Narrow>(a); }
KERNEL void __launch_bounds__(256, 2) conv2d_backward_data_small(ConvolutionBackwardDataArguments a) { backwardData<Small>(a); }

struct ConvolutionBackwardFilterArguments {
    const float* x;
    const float* dY;
    float* dWeight;  // or the parts
    float* dBias;    // or the last row of the first part; null: none
    int64 partStride;
    ConvolutionShape shape;
    int tiles;
    int vector;  // 1: x, 2: dY and dWeight
    int pixelsPerPart;
    int accumulateWeight;
    int accumulateBias;
    int unused;
};

template <class T>
DEVICE void backwardFilter(const ConvolutionBackwardFilterArguments& a) {
    __shared__ __attribute__((aligned(16))) float shared[T::Floats];
    __shared__ Place places[T::M];
    const ConvolutionShape& shape = a.shape;
    int group = blockIdx.y / a.tiles, firstColumn = (blockIdx.y - group * a.tiles) * T::N, firstRow = blockIdx.x * T::M;
    Taps taps = tapsOf(shape);
    int step = a.vector & 1 ? 4 : 1;
    for (int i = threadIdx.x; i < T::M / step; i += T::Threads) {
        int row = firstRow + i * step;
        Place place = taps.at(row);
        place.ones = a.dBias && row == taps.count;
        places[i] = place;
    }
    __syncthreads();

    int first = blockIdx.z * a.pixelsPerPart, end = first + a.pixelsPerPart < shape.pixels ? first + a.pixelsPerPart : shape.pixels;
    int firstChannel = group * shape.groupOC;
    WindowColumns windows{{a.x, shape.y.input, shape.x.input}, places, shape, group, end, (a.vector & 1) != 0};
    MatrixRows dY{{a.dY + firstChannel, 1, 1}, firstColumn, shape.groupOC, 1, end, shape.oc, (a.vector & 2) != 0, -1};
    Sums<T> sums;
    if (!multiplyTile<T, true, ContiguousRows<T, T::M, T::StrideA, WindowColumns>, WindowColumns,
            ContiguousRows<T, T::N, T::StrideB, MatrixRows>, MatrixRows>(windows, dY, first, end, shared, sums)) {
        return;
    }
    int thread = threadIdx.x;
    int64 part = blockIdx.z * a.partStride + firstChannel;
#pragma unroll
    for (int i = 0; i < T::TM; i++) {
        int row = firstRow + Sums<T>::row(thread, i);
        bool isBias = row == taps.count;
        if (row > taps.count || (isBias && !a.dBias)) continue;
        float* out = (isBias ? a.dBias : a.dWeight + (int64)row * shape.oc) + part;
#pragma unroll
        for (int quad = 0; quad < T::TN / 4; quad++) {
            putSums(out, sums.values[i] + 4 * quad, firstColumn + Sums<T>::column(thread, quad), shape.groupOC, (a.vector & 2) != 0,
                isBias ? a.accumulateBias : a.accumulateWeight);
        }
    }
}

KERNEL void __launch_bounds__(256, 2) conv2d_backward_filter_wide(ConvolutionBackwardFilterArguments a) { backwardFilter<Wide>(a); }
KERNEL void __launch_bounds__(256, 2) conv2d_backward_filter_narrow(ConvolutionBackwardFilterArguments a) { backwardFilter<Narrow>(a); }
KERNEL void __launch_bounds__(256, 2) conv2d_backward_filter_small(ConvolutionBackwardFilterArguments a) { backwardFilter<Small>(a); }

struct ConvolutionSumPartsArguments {
    const float* parts;
    float* dWeight;
    float* dBias;
    int64 partStride;
    int weights;  // elements of dWeight
    int count;    // and of dBias behind them
    int partCount;
    int accumulateWeight;
    int accumulateBias;
    int unused;
};

// A block adds 32 neighbouring elements, eight warps each every eighth part.
KERNEL void __launch_bounds__(256) conv2d_sum_parts(ConvolutionSumPartsArguments a) {
    __shared__ float sums[8][32];
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, element = blockIdx.x * 32 + lane;
    float sum = 0.0f;
    if (element < a.count) {
#pragma unroll 4
        for (int part = warp; part < a.partCount; part += 8) sum += a.parts[part * a.partStride + element];
    }
    sums[warp][lane] = sum;
    __syncthreads();
    if (warp > 0 || element >= a.count) return;
    for (int other = 1; other < 8; other++) sum += sums[other][lane];
    if (element < a.weights) {
        put(a.dWeight + element, sum, a.accumulateWeight);
    } else {
        put(a.dBias + (element - a.weights), sum, a.accumulateBias);
    }
}

KERNEL void __launch_bounds__(256) conv2d_depthwise_forward(DepthwiseArguments a) { depthwiseForward<1>(a); }
KERNEL void __launch_bounds__(256, 4) conv2d_depthwise_forward_fours(DepthwiseArguments a) { depthwiseForward<4>(a); }
KERNEL void __launch_bounds__(256) conv2d_depthwise_backward_data(DepthwiseArguments a) { depthwiseBackwardData<1>(a); }
KERNEL void __launch_bounds__(256) conv2d_depthwise_backward_data_fours(DepthwiseArguments a) { depthwiseBackwardData<4>(a); }
KERNEL void __launch_bounds__(256) conv2d_depthwise_backward_filter(DepthwiseFilterArguments a) { depthwiseBackwardFilter(a); }

// cuDNN's filters are [OC, KH, KW, C / groups]: ours as a matrix, transposed. y [columns, rows] (=|+=) x [rows, columns]^T by tiles of
// 32 x 32, whose rows in shared memory are 33 apart so that columns are free of bank conflicts.
struct TransposeArguments {
    const float* x;
    float* y;
    int rows;
    int columns;
    int tiles;  // along the columns
    int accumulate;
};

DEVICE void transposeTile(const TransposeArguments& a, int block) {
    __shared__ float tile[32][33];
    int down = block / a.tiles * 32, across = (block - block / a.tiles * a.tiles) * 32, lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    for (int i = warp; i < 32; i += 8) {
        if (down + i < a.rows && across + lane < a.columns) tile[i][lane] = a.x[(int64)(down + i) * a.columns + across + lane];
    }
    __syncthreads();
    for (int i = warp; i < 32; i += 8) {
        if (across + i < a.columns && down + lane < a.rows) put(a.y + (int64)(across + i) * a.rows + down + lane, tile[lane][i], a.accumulate);
    }
}

struct FilterPlace {
    TransposeArguments transpose;
    int first;
    int unused;
};

struct TransposeFiltersArguments {
    int count;
    int blocks;
    FilterPlace filters[64];
};

// The tiles of the filters one after the other.
KERNEL void __launch_bounds__(256) conv2d_transpose_filters(TransposeFiltersArguments a) {
    int which = 0;
    while (which + 1 < a.count && (int)blockIdx.x >= a.filters[which + 1].first) which++;
    transposeTile(a.filters[which].transpose, blockIdx.x - a.filters[which].first);
}

// Behind cuDNN's filter gradient, in one launch: dWeight (=|+=) its transpose, and in the blocks after those dBias (=|+=) the column
// sums of dY.
struct FinishFilterArguments {
    TransposeArguments transpose;
    ColumnSumArguments bias;
    int transposeBlocks;
    int unused;
};

KERNEL void __launch_bounds__(256) conv2d_finish_filter(FinishFilterArguments a) {
    int block = blockIdx.x - a.transposeBlocks;
    if (block < 0) {
        transposeTile(a.transpose, blockIdx.x);
        return;
    }
    int part = block / a.bias.blocks;
    sumColumns(a.bias, block - part * a.bias.blocks, part);
}
