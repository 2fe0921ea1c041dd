// Sums whose order depends on the shape alone: a few terms per thread in float, pairwise across a warp, and in double from there on.
// Blocks leave their parts in scratch memory, and the last one to finish adds them in their order.
#pragma once
#include "elements.cuh"

// The device's scratch memory (CudaCore.Scratch).
struct Scratch {
    uint32* ticket;
    double* parts;
};

DEVICE float warpSum(float value) {
#pragma unroll
    for (int lanes = 16; lanes > 0; lanes >>= 1) value += __shfl_xor_sync(0xffffffff, value, lanes);
    return value;
}

// The larger of all lanes; a NaN may be passed over.
DEVICE float warpLargest(float value) {
#pragma unroll
    for (int lanes = 16; lanes > 0; lanes >>= 1) value = larger(value, __shfl_xor_sync(0xffffffff, value, lanes));
    return value;
}

// The sum over all threads, in every thread. Whole warps only.
DEVICE double blockSum(float value) {
    __shared__ float warps[32];
    value = warpSum(value);
    __syncthreads();
    if ((threadIdx.x & 31) == 0) warps[threadIdx.x >> 5] = value;
    __syncthreads();
    double sum = 0;
    for (int i = 0; i < (int)blockDim.x >> 5; i++) sum += warps[i];
    return sum;
}

// The same of doubles. The number of threads is a power of two, THREADS at most.
DEVICE double blockSumOfDoubles(double value) {
    __shared__ double threads[THREADS];
    __syncthreads();
    threads[threadIdx.x] = value;
    __syncthreads();
    for (uint32 half = blockDim.x >> 1; half > 0; half >>= 1) {
        if (threadIdx.x < half) threads[threadIdx.x] += threads[threadIdx.x + half];
        __syncthreads();
    }
    return threads[0];
}

DEVICE float blockLargest(float value) {
    __shared__ float warps[32];
    value = warpLargest(value);
    __syncthreads();
    if ((threadIdx.x & 31) == 0) warps[threadIdx.x >> 5] = value;
    __syncthreads();
    for (int i = 0; i < (int)blockDim.x >> 5; i++) value = larger(value, warps[i]);
    return value;
}

// Whether this is the last of so many blocks to come here; then what their threads wrote before can be read. The ticket is 0 again
// afterwards.
DEVICE bool isLastOf(uint32* ticket, uint32 blocks) {
    __shared__ uint32 before;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        before = atomicAdd(ticket, 1);
        if (before == blocks - 1) *ticket = 0;
        __threadfence();
    }
    __syncthreads();
    return before == blocks - 1;
}

DEVICE bool isLastBlock(uint32* ticket) { return isLastOf(ticket, gridDim.x); }

// The sum of parts[0], parts[stride] ... of all blocks, in every thread.
DEVICE double sumOfParts(const double* parts, int stride) {
    double sum = 0;
    for (uint32 block = threadIdx.x; block < gridDim.x; block += blockDim.x) {
        sum += *(const volatile double*)(parts + (int64)block * stride);
    }
    return blockSumOfDoubles(sum);
}

// The sum over all blocks, in one thread of the grid, which alone gets true. The number of threads is a power of two.
DEVICE bool totalOf(double sum, Scratch scratch, double& total) {
    if (gridDim.x == 1) {
        total = sum;
        return threadIdx.x == 0;
    }
    if (threadIdx.x == 0) scratch.parts[blockIdx.x] = sum;
    if (!isLastBlock(scratch.ticket)) return false;
    total = sumOfParts(scratch.parts, 1);
    return threadIdx.x == 0;
}

// result (=|+=) the sum over all blocks / divisor.
DEVICE void finishSum(double sum, Scratch scratch, double divisor, float* result, bool accumulate) {
    double total;
    if (totalOf(sum, scratch, total)) put(result, (float)(total / divisor), accumulate);
}

// This block's part of the sum of the terms of elements 0 to count - 1, in every thread. Terms: float one(i), float four(i) for the sum of
// four. Blocks take chunks of 1024 elements in turn; a thread adds eight chunks in float.
template <class Terms>
DEVICE double blockTotal(int64 count, bool aligned, const Terms& terms) {
    float sum = 0;
    double total = 0;
    int added = 0;
    for (int64 first = (int64)blockIdx.x * PER_BLOCK; first < count; first += (int64)gridDim.x * PER_BLOCK) {
        if (aligned && first + PER_BLOCK <= count) {
            sum += terms.four(first + threadIdx.x * 4);
        } else {
            for (int64 i = first + threadIdx.x; i < count && i < first + PER_BLOCK; i += THREADS) sum += terms.one(i);
        }
        if (++added == 8) {
            total += sum;
            sum = 0;
            added = 0;
        }
    }
    return blockSum((float)(total + sum));
}

// result (=|+=) the sum of the terms of elements 0 to count - 1, / divisor.
template <class Terms>
DEVICE void sumElements(int64 count, bool aligned, const Terms& terms, Scratch scratch, double divisor, float* result,
                        bool accumulate = false) {
    finishSum(blockTotal(count, aligned, terms), scratch, divisor, result, accumulate);
}
