// Dense layers by tiles of 32 x 32, for products too small for cuBLAS to be worth its launch and another for the bias; row-major.
// Forward y [M, N] = f(x [M, K] weight [K, N] + bias [N]); backward dX [M, K] (=|+=) dY [M, N] weight^T, and in one launch
// dWeight [K, N] (=|+=) x^T dY and dBias [N] (=|+=) the column sums of dY; or all three in one launch, blocks for dX first. 2 M N K flops each; the operands are read once per tile.
// Behind cuBLAS, for large ones: y = f(y + bias) in place, 8 bytes an element, and dBias alone, 4 bytes an element.
#include "columns.cuh"
#include "tiles.cuh"

struct DenseForwardArguments {
    const float* x;
    const float* weight;
    float* y;
    Epilogue epilogue;
    int m;
    int k;
    int n;
    int vector;  // 1: rows of x, 2: rows of weight and y lie on 16 bytes
};

KERNEL void __launch_bounds__(256, 2) dense_forward(DenseForwardArguments a) {
    __shared__ __attribute__((aligned(16))) float shared[Small::Floats];
    int firstRow = blockIdx.x * Small::M, firstColumn = blockIdx.y * Small::N;
    MatrixRows x{{a.x, 1, 1}, firstRow, a.m, a.k, a.k, 1, (a.vector & 1) != 0, -1};
    MatrixRows weight{{a.weight, 1, 1}, firstColumn, a.n, 1, a.k, a.n, (a.vector & 2) != 0, -1};
    Sums<Small> sums;
    if (!multiplyTile<Small, true, ContiguousDepth<Small, Small::M, Small::StrideA, MatrixRows>, MatrixRows,
            ContiguousRows<Small, Small::N, Small::StrideB, MatrixRows>, MatrixRows>(x, weight, 0, a.k, shared, sums)) {
        return;
    }
    int thread = threadIdx.x;
    finishSums(sums, a.epilogue, thread, firstColumn, a.n);
#pragma unroll
    for (int i = 0; i < Small::TM; i++) {
        int row = firstRow + Sums<Small>::row(thread, i), column = firstColumn + Sums<Small>::column(thread, 0);
        if (row < a.m) putSums(a.y + (int64)row * a.n, sums.values[i], column, a.n, (a.vector & 2) != 0, false);
    }
}

struct DenseBackwardDataArguments {
    const float* dY;
    const float* weight;
    float* dX;
    int m;
    int k;
    int n;
    int vector;  // 1: rows of dY and weight, 2: rows of dX lie on 16 bytes
    int accumulate;
    int unused;
};

DEVICE void backwardData(const DenseBackwardDataArguments& a, int tileRow, int tileColumn, float* shared) {
    int firstRow = tileRow * Small::M, firstColumn = tileColumn * Small::N;
    MatrixRows dY{{a.dY, 1, 1}, firstRow, a.m, a.n, a.n, 1, (a.vector & 1) != 0, -1};
    MatrixRows weight{{a.weight, 1, 1}, firstColumn, a.k, a.n, a.n, 1, (a.vector & 1) != 0, -1};
    Sums<Small> sums;
    if (!multiplyTile<Small, true, ContiguousDepth<Small, Small::M, Small::StrideA, MatrixRows>, MatrixRows,
            ContiguousDepth<Small, Small::N, Small::StrideB, MatrixRows>, MatrixRows>(dY, weight, 0, a.n, shared, sums)) {
        return;
    }
    int thread = threadIdx.x;
#pragma unroll
    for (int i = 0; i < Small::TM; i++) {
        int row = firstRow + Sums<Small>::row(thread, i), column = firstColumn + Sums<Small>::column(thread, 0);
        if (row < a.m) putSums(a.dX + (int64)row * a.k, sums.values[i], column, a.k, (a.vector & 2) != 0, a.accumulate);
    }
}

KERNEL void __launch_bounds__(256, 2) dense_backward_data(DenseBackwardDataArguments a) {
    __shared__ __attribute__((aligned(16))) float shared[Small::Floats];
    backwardData(a, blockIdx.x, blockIdx.y, shared);
}

struct DenseBackwardWeightArguments {
    const float* x;
    const float* dY;
    float* dWeight;
    float* dBias;  // null: none
    int m;
    int k;
    int n;
    int vector;  // 1: rows of x, 2: rows of dY and dWeight lie on 16 bytes
    int accumulateWeight;
    int accumulateBias;
};

// The sums of dY are one more row of the product: that of a column of ones behind x.
DEVICE void backwardWeight(const DenseBackwardWeightArguments& a, int tileRow, int tileColumn, float* shared) {
    int firstRow = tileRow * Small::M, firstColumn = tileColumn * Small::N;
    MatrixRows x{{a.x, 1, 1}, firstRow, a.k, 1, a.m, a.k, (a.vector & 1) != 0, a.dBias ? a.k : -1};
    MatrixRows dY{{a.dY, 1, 1}, firstColumn, a.n, 1, a.m, a.n, (a.vector & 2) != 0, -1};
    Sums<Small> sums;
    if (!multiplyTile<Small, true, ContiguousRows<Small, Small::M, Small::StrideA, MatrixRows>, MatrixRows,
            ContiguousRows<Small, Small::N, Small::StrideB, MatrixRows>, MatrixRows>(x, dY, 0, a.m, shared, sums)) {
        return;
    }
    int thread = threadIdx.x;
#pragma unroll
    for (int i = 0; i < Small::TM; i++) {
        int row = firstRow + Sums<Small>::row(thread, i), column = firstColumn + Sums<Small>::column(thread, 0);
        bool isBias = row == a.k;
        float* out = isBias ? a.dBias : a.dWeight + (int64)row * a.n;
        if (row < a.k || (isBias && a.dBias)) {
            putSums(out, sums.values[i], column, a.n, (a.vector & 2) != 0 && aligned16(out), isBias ? a.accumulateBias : a.accumulateWeight);
        }
    }
}

KERNEL void __launch_bounds__(256, 2) dense_backward_weight(DenseBackwardWeightArguments a) {
    __shared__ __attribute__((aligned(16))) float shared[Small::Floats];
    backwardWeight(a, blockIdx.x, blockIdx.y, shared);
}

struct DenseBackwardArguments {
    DenseBackwardDataArguments data;
    DenseBackwardWeightArguments weight;
    int dataRows;    // tiles down dX
    int dataBlocks;
    int weightRows;  // tiles down dWeight and dBias
    int unused;
};

KERNEL void __launch_bounds__(256, 2) dense_backward(DenseBackwardArguments a) {
    __shared__ __attribute__((aligned(16))) float shared[Small::Floats];
    int block = blockIdx.x;
    if (block < a.dataBlocks) {
        backwardData(a.data, block % a.dataRows, block / a.dataRows, shared);
    } else {
        block -= a.dataBlocks;
        backwardWeight(a.weight, block % a.weightRows, block / a.weightRows, shared);
    }
}

struct BiasActivationArguments {
    float* y;
    Epilogue epilogue;
    ColumnWalk walk;
};

KERNEL void __launch_bounds__(256) dense_bias_activation(BiasActivationArguments a) {
    const Epilogue& epilogue = a.epilogue;
    int parts = partsOf(a.walk), block = blockIdx.x / parts, part = blockIdx.x % parts;
    Columns bias(a.walk, epilogue.bias, part);
    walkColumns(a.walk, block, part, [&](int64 element, int, int count) {
        float4 v = loadSome(a.y + element, count);
        float values[4] = {v.x + bias.values[0], v.y + bias.values[1], v.z + bias.values[2], v.w + bias.values[3]};
        activateAll(values, epilogue.function, epilogue.scalar);
        storeSome(a.y + element, float4{values[0], values[1], values[2], values[3]}, count);
    });
}

KERNEL void __launch_bounds__(256) dense_bias_gradient(ColumnSumArguments a) {
    int parts = partsOf(a.walk);
    sumColumns(a, blockIdx.x / parts, blockIdx.x % parts);
}
