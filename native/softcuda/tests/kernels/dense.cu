// Sums, products and reductions over dense arrays.
#include "device.cuh"

struct AddArgs {
    const float *a, *b;
    float* c;
    int n;
};
extern "C" __global__ void vector_add(const AddArgs args) {
    for (int i = globalThread(); i < args.n; i += static_cast<int>(gridDim.x * blockDim.x)) args.c[i] = args.a[i] + args.b[i];
}

/// Four elements at a time where the arrays allow it, one at a time at the end.
extern "C" __global__ void vector_add4(const AddArgs args) {
    typedef float Float4 __attribute__((ext_vector_type(4)));
    int i = globalThread() * 4;
    if (i + 4 <= args.n) {
        *reinterpret_cast<Float4*>(args.c + i) = *reinterpret_cast<const Float4*>(args.a + i) + *reinterpret_cast<const Float4*>(args.b + i);
    } else {
        for (; i < args.n; ++i) args.c[i] = args.a[i] + args.b[i];
    }
}

struct GemmArgs {
    const float *a, *b;
    float* c;
    int m, n, k;
    float alpha;
};
/// C = alpha * A B, each block one 16 x 16 tile of C through two tiles in shared memory.
extern "C" __global__ void gemm(const GemmArgs args) {
    constexpr int Tile = 16;
    __shared__ float a[Tile][Tile], b[Tile][Tile];
    int column = static_cast<int>(blockIdx.x) * Tile + static_cast<int>(threadIdx.x), row = static_cast<int>(blockIdx.y) * Tile + static_cast<int>(threadIdx.y);
    float sum = 0;
    for (int k0 = 0; k0 < args.k; k0 += Tile) {
        int ka = k0 + static_cast<int>(threadIdx.x), kb = k0 + static_cast<int>(threadIdx.y);
        a[threadIdx.y][threadIdx.x] = row < args.m && ka < args.k ? args.a[row * args.k + ka] : 0.0f;
        b[threadIdx.y][threadIdx.x] = kb < args.k && column < args.n ? args.b[kb * args.n + column] : 0.0f;
        __syncthreads();
        for (int k = 0; k < Tile; ++k) sum += a[threadIdx.y][k] * b[k][threadIdx.x];
        __syncthreads();
    }
    if (row < args.m && column < args.n) args.c[row * args.n + column] = args.alpha * sum;
}

struct SumArgs {
    const float* x;
    float* sums;
    int n;
};
/// One sum for each block: within warps by shuffles, among them through shared memory.
extern "C" __global__ void __launch_bounds__(256) block_sum(const SumArgs args) {
    __shared__ float partial[32];
    float sum = 0;
    for (int i = globalThread(); i < args.n; i += static_cast<int>(gridDim.x * blockDim.x)) sum += args.x[i];
    for (int distance = 16; distance > 0; distance /= 2) sum += shuffleDown(sum, distance);
    u32 lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    if (lane == 0) partial[warp] = sum;
    __syncthreads();
    if (warp == 0) {
        sum = lane < blockDim.x / 32 ? partial[lane] : 0.0f;
        for (int distance = 16; distance > 0; distance /= 2) sum += shuffleDown(sum, distance);
        if (lane == 0) args.sums[blockIdx.x] = sum;
    }
}

struct SoftmaxArgs {
    const float* x;
    float* y;
    int rows, columns;
};
/// One warp for each row.
extern "C" __global__ void softmax(const SoftmaxArgs args) {
    int row = globalThread() / 32, lane = static_cast<int>(threadIdx.x % 32);
    if (row >= args.rows) return;
    const float* x = args.x + row * args.columns;
    float* y = args.y + row * args.columns;
    float most = -__builtin_inff();
    for (int i = lane; i < args.columns; i += 32) most = x[i] > most ? x[i] : most;
    for (int distance = 16; distance > 0; distance /= 2) {
        float other = shuffleXor(most, distance);
        most = other > most ? other : most;
    }
    float sum = 0;
    for (int i = lane; i < args.columns; i += 32) sum += __nvvm_ex2_approx_f((x[i] - most) * 1.44269504f);
    for (int distance = 16; distance > 0; distance /= 2) sum += shuffleXor(sum, distance);
    for (int i = lane; i < args.columns; i += 32) y[i] = __nvvm_ex2_approx_f((x[i] - most) * 1.44269504f) / sum;
}

struct TransposeArgs {
    const float* x;
    float* y;
    int rows, columns;
};
extern "C" __global__ void transpose(const TransposeArgs args) {
    __shared__ float tile[32][33];
    int column = static_cast<int>(blockIdx.x * 32 + threadIdx.x), row = static_cast<int>(blockIdx.y * 32 + threadIdx.y);
    for (int i = 0; i < 32; i += 8)
        if (row + i < args.rows && column < args.columns) tile[threadIdx.y + i][threadIdx.x] = args.x[(row + i) * args.columns + column];
    __syncthreads();
    column = static_cast<int>(blockIdx.y * 32 + threadIdx.x);
    row = static_cast<int>(blockIdx.x * 32 + threadIdx.y);
    for (int i = 0; i < 32; i += 8)
        if (row + i < args.columns && column < args.rows) args.y[(row + i) * args.rows + column] = tile[threadIdx.x][threadIdx.y + i];
}
