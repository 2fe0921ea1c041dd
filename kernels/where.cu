// y = condition ? a : b with NumPy's broadcasting of all three, and the gradient of a branch: dX (=|+=) dY where the condition chose it, else 0.
// Forward one byte and three elements moved per element where all are whole; backward 9 bytes, 13 where it adds. A thread per element.
#include "strides.cuh"

#define THREADS 256

struct WhereForwardArguments {
    const uint8* condition;
    const void* a;
    const void* b;
    void* y;
    StridedAxes axes;  // condition, a, b
    int count;
    int unused;
};

struct WhereBackwardArguments {
    const uint8* condition;
    const float* dY;
    float* dX;
    StridedAxes axes;  // condition
    int count;
    int when;
    int accumulate;
    int unused;
};

template <class T>
DEVICE void chooseElements(const WhereForwardArguments& a) {
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    int64 condition, left, right;
    locate(a.axes, i, condition, left, right);
    // Both are read where they are whole, so that what is moved does not depend on the condition.
    T x = ((const T*)a.a)[left], y = ((const T*)a.b)[right];
    ((T*)a.y)[i] = a.condition[condition] ? x : y;
}

KERNEL void where_forward_1(WhereForwardArguments a) { chooseElements<uint8>(a); }
KERNEL void where_forward_2(WhereForwardArguments a) { chooseElements<uint16>(a); }
KERNEL void where_forward_4(WhereForwardArguments a) { chooseElements<uint32>(a); }
KERNEL void where_forward_8(WhereForwardArguments a) { chooseElements<uint64>(a); }

KERNEL void where_backward(WhereBackwardArguments a) {
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    int64 condition, unused, more;
    locate(a.axes, i, condition, unused, more);
    float given = a.dY[i];
    put(a.dX + i, (a.condition[condition] != 0) == (a.when != 0) ? given : 0.0f, a.accumulate);
}
