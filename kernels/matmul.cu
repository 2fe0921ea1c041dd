// Matrix products in batches by tiles of 32 x 32, row-major: C [M, N] (=|+=) the sum over reduced batches of op(A) [M, K] op(B) [K, N], a layer of the
// grid for each kept batch. The loop over reduced batches, where there are any, takes more registers: a block per multiprocessor instead of two. 2 M N K flops each; the operands are
// read once per tile. Large products are cuBLAS's.
#include "strides.cuh"
#include "tiles.cuh"

struct MatMulArguments {
    const float* a;
    const float* b;
    float* c;
    StridedAxes kept;     // first: A, second: B, third: C
    StridedAxes reduced;
    int firstBatch;
    int terms;            // reduced batches
    int m;
    int n;
    int k;
    int vector;           // 1: rows of A, 2: of B, 4: of C lie on 16 bytes in every batch
    int accumulate;
    int unused;
};

// A panel's source: rows of a matrix, which are neighbors along the depth or along the rows.
template <bool TransposeA, bool TransposeB>
DEVICE void multiplyBatch(const MatMulArguments& a, int term) {
    __shared__ __attribute__((aligned(16))) float shared[Small::Floats];
    // Found by one thread and kept here: the tile leaves no registers for where a batch lies.
    __shared__ int64 places[3];
    int firstRow = blockIdx.x * Small::M, firstColumn = blockIdx.y * Small::N;
    if (threadIdx.x == 0) {
        int64 moreA, moreB, unused;
        locate(a.kept, a.firstBatch + blockIdx.z, places[0], places[1], places[2]);
        locate(a.reduced, term, moreA, moreB, unused);
        places[0] += moreA;
        places[1] += moreB;
    }
    __syncthreads();
    MatrixRows left{{a.a + places[0], 1, 1}, firstRow, a.m, TransposeA ? 1 : a.k, a.k, TransposeA ? a.m : 1, (a.vector & 1) != 0, -1};
    MatrixRows right{{a.b + places[1], 1, 1}, firstColumn, a.n, TransposeB ? a.k : 1, a.k, TransposeB ? 1 : a.n, (a.vector & 2) != 0, -1};
    Sums<Small> sums;
    bool owner;
    if constexpr (TransposeA && TransposeB) {
        owner = multiplyTile<Small, true, ContiguousRows<Small, Small::M, Small::StrideA, MatrixRows>, MatrixRows,
            ContiguousDepth<Small, Small::N, Small::StrideB, MatrixRows>, MatrixRows>(left, right, 0, a.k, shared, sums);
    } else if constexpr (TransposeA) {
        owner = multiplyTile<Small, true, ContiguousRows<Small, Small::M, Small::StrideA, MatrixRows>, MatrixRows,
            ContiguousRows<Small, Small::N, Small::StrideB, MatrixRows>, MatrixRows>(left, right, 0, a.k, shared, sums);
    } else if constexpr (TransposeB) {
        owner = multiplyTile<Small, true, ContiguousDepth<Small, Small::M, Small::StrideA, MatrixRows>, MatrixRows,
            ContiguousDepth<Small, Small::N, Small::StrideB, MatrixRows>, MatrixRows>(left, right, 0, a.k, shared, sums);
    } else {
        owner = multiplyTile<Small, true, ContiguousDepth<Small, Small::M, Small::StrideA, MatrixRows>, MatrixRows,
            ContiguousRows<Small, Small::N, Small::StrideB, MatrixRows>, MatrixRows>(left, right, 0, a.k, shared, sums);
    }
    if (!owner) return;
    int thread = threadIdx.x;
#pragma unroll
    for (int i = 0; i < Small::TM; i++) {
        int row = firstRow + Sums<Small>::row(thread, i), column = firstColumn + Sums<Small>::column(thread, 0);
        if (row < a.m) putSums(a.c + places[2] + (int64)row * a.n, sums.values[i], column, a.n, (a.vector & 4) != 0, a.accumulate || term > 0);
    }
}

// The sum over reduced batches, each added to what those before it left in C by the same thread.
template <bool TransposeA, bool TransposeB>
DEVICE void multiplyBatches(const MatMulArguments& a) {
    for (int term = 0; term < a.terms; term++) {
        // What the term before left in shared memory has been read.
        __syncthreads();
        multiplyBatch<TransposeA, TransposeB>(a, term);
    }
}

KERNEL void __launch_bounds__(256, 2) matmul_nn(MatMulArguments a) { multiplyBatch<false, false>(a, 0); }
KERNEL void __launch_bounds__(256, 2) matmul_nt(MatMulArguments a) { multiplyBatch<false, true>(a, 0); }
KERNEL void __launch_bounds__(256, 2) matmul_tn(MatMulArguments a) { multiplyBatch<true, false>(a, 0); }
KERNEL void __launch_bounds__(256, 2) matmul_tt(MatMulArguments a) { multiplyBatch<true, true>(a, 0); }
KERNEL void __launch_bounds__(256, 1) matmul_sum_nn(MatMulArguments a) { multiplyBatches<false, false>(a); }
KERNEL void __launch_bounds__(256, 1) matmul_sum_nt(MatMulArguments a) { multiplyBatches<false, true>(a); }
KERNEL void __launch_bounds__(256, 1) matmul_sum_tn(MatMulArguments a) { multiplyBatches<true, false>(a); }
KERNEL void __launch_bounds__(256, 1) matmul_sum_tt(MatMulArguments a) { multiplyBatches<true, true>(a); }
