// y = the sum, product, smallest, largest, any or all of the terms of each output, of Int32 or Bool, in 64 bits; exact, so that the order of terms does
// not matter. Where outputs lie side by side in x a thread takes one, else a warp; all of a tensor is folded by many blocks, of which the last joins
// what the others left. 4 bytes (or 1) read per term.
#include "strides.cuh"

#define THREADS 256

struct IntegersArguments {
    const void* x;
    void* y;
    uint32* ticket;
    int64* parts;
    StridedAxes kept;     // first: x
    StridedAxes reduced;  // first: x
    int outputs;
    int terms;
    int bytes_x;  // 4: Int32, 1: Bool
    int bytes_y;  // 8: Int64, 4: Int32, 1: Bool
};

struct Sum {
    static DEVICE int64 start() { return 0; }
    static DEVICE int64 join(int64 a, int64 b) { return a + b; }
    static DEVICE int64 term(int64 x) { return x; }
};
struct Product {
    static DEVICE int64 start() { return 1; }
    static DEVICE int64 join(int64 a, int64 b) { return (int64)((uint64)a * (uint64)b); }
    static DEVICE int64 term(int64 x) { return x; }
};
struct Smallest {
    static DEVICE int64 start() { return 0x7fffffffll; }
    static DEVICE int64 join(int64 a, int64 b) { return a < b ? a : b; }
    static DEVICE int64 term(int64 x) { return x; }
};
struct Largest {
    static DEVICE int64 start() { return -0x80000000ll; }
    static DEVICE int64 join(int64 a, int64 b) { return a > b ? a : b; }
    static DEVICE int64 term(int64 x) { return x; }
};
struct Any {
    static DEVICE int64 start() { return 0; }
    static DEVICE int64 join(int64 a, int64 b) { return a | b; }
    static DEVICE int64 term(int64 x) { return x != 0; }
};
struct All {
    static DEVICE int64 start() { return 1; }
    static DEVICE int64 join(int64 a, int64 b) { return a & b; }
    static DEVICE int64 term(int64 x) { return x != 0; }
};

DEVICE int64 load(const IntegersArguments& a, int64 at) {
    return a.bytes_x == 4 ? (int64)((const int*)a.x)[at] : (int64)(((const uint8*)a.x)[at] != 0);
}

DEVICE void store(const IntegersArguments& a, int64 at, int64 value) {
    if (a.bytes_y == 8) {
        ((int64*)a.y)[at] = value;
    } else if (a.bytes_y == 4) {
        ((int*)a.y)[at] = (int)value;
    } else {
        ((uint8*)a.y)[at] = (uint8)value;
    }
}

DEVICE int64 firstOf(const StridedAxes& axes, uint32 i) {
    int64 first, second, third;
    locate(axes, i, first, second, third);
    return first;
}

// Every so many terms of an output from a first one on.
template <class F>
DEVICE int64 foldTerms(const IntegersArguments& a, int64 from, int64 first, int step) {
    int64 fold = F::start();
    for (int64 term = first; term < a.terms; term += step) {
        fold = F::join(fold, F::term(load(a, from + firstOf(a.reduced, (uint32)term))));
    }
    return fold;
}

template <class F>
DEVICE int64 joinWarp(int64 fold) {
#pragma unroll
    for (int lanes = 16; lanes > 0; lanes >>= 1) {
        uint32 low = bitsOf(__shfl_xor_sync(0xffffffffu, floatOf((uint32)fold), lanes));
        uint32 high = bitsOf(__shfl_xor_sync(0xffffffffu, floatOf((uint32)((uint64)fold >> 32)), lanes));
        fold = F::join(fold, (int64)((uint64)high << 32 | low));
    }
    return fold;
}

template <class F>
DEVICE void columns(const IntegersArguments& a) {
    int64 output = (int64)blockIdx.x * THREADS + threadIdx.x;
    if (output >= a.outputs) return;
    store(a, output, foldTerms<F>(a, firstOf(a.kept, (uint32)output), 0, 1));
}

template <class F>
DEVICE void rows(const IntegersArguments& a) {
    int64 output = (int64)blockIdx.x * (THREADS / 32) + (threadIdx.x >> 5);
    if (output >= a.outputs) return;
    int lane = threadIdx.x & 31;
    int64 fold = joinWarp<F>(foldTerms<F>(a, firstOf(a.kept, (uint32)output), lane, 32));
    if (lane == 0) store(a, output, fold);
}

// The fold of all threads of the block, in its first thread.
template <class F>
DEVICE int64 joinBlock(int64 fold) {
    __shared__ int64 warps[THREADS / 32];
    fold = joinWarp<F>(fold);
    __syncthreads();
    if ((threadIdx.x & 31) == 0) warps[threadIdx.x >> 5] = fold;
    __syncthreads();
    fold = F::start();
    for (int i = 0; i < THREADS / 32; i++) fold = F::join(fold, warps[i]);
    return fold;
}

template <class F>
DEVICE void whole(const IntegersArguments& a) {
    __shared__ uint32 before;
    int64 fold = joinBlock<F>(foldTerms<F>(a, 0, (int64)blockIdx.x * THREADS + threadIdx.x, (int)gridDim.x * THREADS));
    if (threadIdx.x == 0) a.parts[blockIdx.x] = fold;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        before = atomicAdd(a.ticket, 1);
        if (before == gridDim.x - 1) *a.ticket = 0;
        __threadfence();
    }
    __syncthreads();
    if (before != gridDim.x - 1) return;
    fold = F::start();
    for (uint32 i = threadIdx.x; i < gridDim.x; i += THREADS) fold = F::join(fold, *(const volatile int64*)(a.parts + i));
    fold = joinBlock<F>(fold);
    if (threadIdx.x == 0) store(a, 0, fold);
}

#define FOLDS(name, F)                                                                                           \
    KERNEL void __launch_bounds__(256) integers_columns_##name(IntegersArguments a) { columns<F>(a); }           \
    KERNEL void __launch_bounds__(256) integers_rows_##name(IntegersArguments a) { rows<F>(a); }                 \
    KERNEL void __launch_bounds__(256) integers_whole_##name(IntegersArguments a) { whole<F>(a); }

FOLDS(sum, Sum)
FOLDS(prod, Product)
FOLDS(min, Smallest)
FOLDS(max, Largest)
FOLDS(any, Any)
FOLDS(all, All)
