// y (=|+=) f(a, b) with NumPy's broadcasting, as templates over the function (generated/binary.cuh) and over how the operands lie along the joined
// axes. 12 bytes moved per element where both are whole, 8 where one is a number, a row or a column, which a block takes into shared memory once;
// y may be an operand of its own shape. Of truths one byte is written. Axes that match none of the simple patterns, and rows above 12 000 elements,
// are walked one by one, and what is repeated is read again.
#pragma once
#include "elements.cuh"

// Kernels/BroadcastAxes.cs: extents and the strides of both operands, 0 where one repeats; outermost first.
struct Axes {
    int extents[8];
    int64 a[8];
    int64 b[8];
    int rank;
};

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

// An operand that lies as the result does, or one number: of a tensor that repeats along all axes, or of none (operand null).
struct FlatOperand {
    const float* operand;
    float number;
    int runs;
};

struct FlatArguments {
    FlatOperand a;
    FlatOperand b;
    void* y;
    int64 count;
    int accumulate;
    int unused;
};

// One operand whole, the other a row or a column beside it.
struct RepeatArguments {
    const float* whole;
    const float* repeated;
    void* y;
    int64 count;
    int inner;
    int perBlock;
    int repeatedFirst;
    int accumulate;
};

struct AxesArguments {
    const float* a;
    const float* b;
    void* y;
    Axes axes;
    int count;
    int accumulate;
};

extern __shared__ __align__(16) float tile[];

// Truths are bytes, and never added.
DEVICE void put(uint8* destination, float value, bool) { *destination = value != 0.0f; }

DEVICE void putFour(uint8* destination, float x, float y, float z, float w, bool) {
    *reinterpret_cast<uint32*>(destination) = (x != 0.0f) | (y != 0.0f) << 8 | (z != 0.0f) << 16 | (w != 0.0f) << 24;
}

// A number of the kernel's argument, in a register: otherwise the compiler chooses between the addresses of this and another in place of their values,
// for which it would copy the argument to local memory.
DEVICE float kept(float x) {
    asm volatile("" : "+f"(x));
    return x;
}

DEVICE int kept(int x) {
    asm volatile("" : "+r"(x));
    return x;
}

// The operand as this thread needs it: a number is loaded once.
DEVICE FlatOperand ready(const FlatOperand& x) {
    FlatOperand result = x;
    float number = kept(x.number);
    if (x.operand && !x.runs) {
        number = *x.operand;
        result.operand = nullptr;
    }
    result.number = number;
    return result;
}

DEVICE float at(const float* operand, float number, int64 i) { return operand ? operand[i] : +number; }

DEVICE float4 fourAt(const float* operand, float number, int64 i) {
    return operand ? loadFour(operand + i) : float4{number, number, number, number};
}

template <class F>
struct FlatMap {
    FlatOperand a;
    FlatOperand b;
    typename F::Result* y;
    bool accumulate;

    DEVICE void one(int64 i) const { put(y + i, F::value(at(a.operand, a.number, i), at(b.operand, b.number, i)), accumulate); }

    DEVICE void four(int64 i) const {
        float4 v = fourAt(a.operand, a.number, i), w = fourAt(b.operand, b.number, i);
        putFour(y + i, F::value(v.x, w.x), F::value(v.y, w.y), F::value(v.z, w.z), F::value(v.w, w.w), accumulate);
    }
};

template <class F>
DEVICE void flat(const FlatArguments& a) {
    if (!hasElements(a.count)) return;
    FlatMap<F> map{ready(a.a), ready(a.b), (typename F::Result*)a.y, a.accumulate != 0};
    forElements(a.count, aligned16(map.a.operand) && aligned16(map.b.operand) && aligned16(a.y), map);
}

template <class F>
struct Swapped {
    typedef typename F::Result Result;
    static constexpr bool COMMUTATIVE = F::COMMUTATIVE;
    static DEVICE float value(float a, float b) { return F::value(b, a); }
};

// Repeated: [inner] under [rows, inner]. Shared: it, and its first 32 again behind it, so that a warp's columns never wrap.
template <class F>
DEVICE void overRows(const RepeatArguments& a) {
    typename F::Result* y = (typename F::Result*)a.y;
    for (int i = threadIdx.x; i < a.inner + 32; i += THREADS) tile[i] = a.repeated[i % a.inner];
    __syncthreads();
    int64 first = (int64)blockIdx.x * a.perBlock, end = first + a.perBlock < a.count ? first + a.perBlock : a.count;
    int warp = threadIdx.x & ~31, column = (int)((first + warp) % a.inner), step = THREADS % a.inner;
    for (int64 i = first + threadIdx.x; i < end; i += THREADS) {
        put(y + i, F::value(a.whole[i], tile[column + (threadIdx.x & 31)]), a.accumulate);
        column += step;
        column -= column >= a.inner ? a.inner : 0;
    }
}

// Repeated: [rows, 1] beside [rows, inner]. Shared: the rows that this block's elements lie in.
template <class F>
DEVICE void besideColumns(const RepeatArguments& a) {
    typename F::Result* y = (typename F::Result*)a.y;
    int64 first = (int64)blockIdx.x * a.perBlock, end = first + a.perBlock < a.count ? first + a.perBlock : a.count;
    int64 row = first / a.inner;
    int rows = (int)((end - 1) / a.inner - row) + 1;
    for (int i = threadIdx.x; i < rows; i += THREADS) tile[i] = a.repeated[row + i];
    __syncthreads();
    int offset = (int)(first - row * a.inner);
    for (int64 i = first + threadIdx.x; i < end; i += THREADS) {
        put(y + i, F::value(a.whole[i], tile[((int)(i - first) + offset) / a.inner]), a.accumulate);
    }
}

template <class F>
DEVICE void row(const RepeatArguments& a) {
    if (!F::COMMUTATIVE && a.repeatedFirst) {
        overRows<Swapped<F>>(a);
    } else {
        overRows<F>(a);
    }
}

template <class F>
DEVICE void column(const RepeatArguments& a) {
    if (!F::COMMUTATIVE && a.repeatedFirst) {
        besideColumns<Swapped<F>>(a);
    } else {
        besideColumns<F>(a);
    }
}

template <class F>
DEVICE void anyAxes(const AxesArguments& a) {
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    int64 left = 0, right = 0;
    locate(a.axes, i, left, right);
    put((typename F::Result*)a.y + i, F::value(a.a[left], a.b[right]), a.accumulate);
}
