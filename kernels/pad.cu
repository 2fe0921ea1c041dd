// Padding. Forward y = x, mirrored, repeated or constant outside: twice the element's bytes moved, a thread per element, which is as wide as the
// blocks of elements that stay together allow (channels behind padded rows and columns go as 16 bytes). Backward dX (=|+=) the sum of dY over the
// places that repeat an element, in their order, a thread per element of dX: 8 bytes, 12 where it adds, and 4 for every repetition at the borders.
// Where a padded row does not begin on a 32-byte sector while the row it repeats does, the warps' reads share sectors.
#include "common.cuh"

#define THREADS 256
#define AXES 8

enum PadMode { Constant, Reflect, Replicate, Circular };

// Kernels/Indexing/Pad.cs
struct PadGeometry {
    int inputs[AXES];
    int outputs[AXES];
    int befores[AXES];
    int rank;
    int mode;
    int block;
};

struct PadArguments {
    const void* from;
    void* to;
    uint64 constant;  // the element's bits, repeated to fill these
    PadGeometry geometry;
    int count;        // elements written
    int accumulate;
    int unused;
};

// Axes are named by constants, because parameters indexed at run time would be copied to local memory.
DEVICE int sourceOf(const PadGeometry& g, int axis, int place) {
    int extent = g.inputs[axis], at = place - g.befores[axis];
    if (at >= 0 && at < extent) return at;
    if (g.mode == Reflect) return at < 0 ? -at : 2 * (extent - 1) - at;
    if (g.mode == Replicate) return at < 0 ? 0 : extent - 1;
    if (g.mode == Circular) return at < 0 ? at + extent : at - extent;
    return -1;
}

DEVICE int candidates(const PadGeometry& g, int axis, int place) {
    int extent = g.inputs[axis], before = g.befores[axis], after = g.outputs[axis] - extent - before;
    if (g.mode == Constant || (before <= 0 && after <= 0)) return 1;
    if (g.mode != Replicate) return 3;
    return 1 + (place == 0 ? larger(0, before) : 0) + (place == extent - 1 ? larger(0, after) : 0);
}

DEVICE int candidate(const PadGeometry& g, int axis, int place, int number, int count) {
    int extent = g.inputs[axis], before = g.befores[axis], at = place + before;
    if (count > 1) {
        if (g.mode == Reflect) {
            if (number == 0) at = place > 0 ? before - place : -1;
            if (number == 2) at = place < extent - 1 ? before + 2 * (extent - 1) - place : -1;
        } else if (g.mode == Circular) {
            at += (number - 1) * extent;
        } else {
            at += number - (place == 0 ? larger(0, before) : 0);
        }
    }
    return at >= 0 && at < g.outputs[axis] ? at : -1;
}

DEVICE void fillWith(uint4* to, uint64 bits) {
    uint4 four;
    four.x = four.z = (uint32)bits;
    four.y = four.w = (uint32)(bits >> 32);
    *to = four;
}
template <class T>
DEVICE void fillWith(T* to, uint64 bits) { *to = (T)bits; }

DEVICE void copyElement(const uint4* from, uint4* to) {
    float4 v = loadFour((const float*)from);
    storeFour((float*)to, v.x, v.y, v.z, v.w);
}
template <class T>
DEVICE void copyElement(const T* from, T* to) { *to = *from; }

template <class T>
DEVICE void padForward(const PadArguments& a) {
    const PadGeometry& g = a.geometry;
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    uint32 row = i / (uint32)g.block;
    int64 from = i - row * (uint32)g.block, stride = g.block;
    bool inside = true;
#pragma unroll
    for (int axis = AXES - 1; axis >= 0; axis--) {
        if (axis >= g.rank) continue;
        uint32 extent = g.outputs[axis], rest = axis == 0 ? 0 : row / extent;
        int at = sourceOf(g, axis, (int)(row - rest * extent));
        inside = inside && at >= 0;
        from += at * stride;
        stride *= g.inputs[axis];
        row = rest;
    }
    T* to = (T*)a.to + i;
    if (inside) {
        copyElement((const T*)a.from + from, to);
        KEEP_APART();
    } else {
        fillWith(to, a.constant);
    }
}

struct One {
    float sum;
    DEVICE void add(const float* from, int64 at) { sum += from[at]; }
    DEVICE void store(float* to, bool accumulate) const { put(to, sum, accumulate); }
};

struct Four {
    float4 sum;
    DEVICE void add(const float* from, int64 at) {
        float4 v = loadFour(from + 4 * at);
        sum.x += v.x;
        sum.y += v.y;
        sum.z += v.z;
        sum.w += v.w;
    }
    DEVICE void store(float* to, bool accumulate) const { putFour(to, sum.x, sum.y, sum.z, sum.w, accumulate); }
};

template <class Sum, int Width>
DEVICE void padBackward(const PadArguments& a) {
    const PadGeometry& g = a.geometry;
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    uint32 row = i / (uint32)g.block;
    int places[AXES], counts[AXES];
    uint32 combinations = 1, inBlock = i - row * (uint32)g.block;
#pragma unroll
    for (int axis = AXES - 1; axis >= 0; axis--) {
        places[axis] = 0;
        counts[axis] = 1;
        if (axis >= g.rank) continue;
        uint32 extent = g.inputs[axis], rest = axis == 0 ? 0 : row / extent;
        places[axis] = (int)(row - rest * extent);
        counts[axis] = candidates(g, axis, places[axis]);
        combinations *= (uint32)counts[axis];
        row = rest;
    }
    Sum sum = {};
    for (uint32 number = 0; number < combinations; number++) {
        uint32 left = number;
        int64 from = inBlock, stride = g.block;
        bool inside = true;
#pragma unroll
        for (int axis = AXES - 1; axis >= 0; axis--) {
            if (axis >= g.rank) continue;
            uint32 rest = counts[axis] == 1 ? left : left / (uint32)counts[axis];
            int at = candidate(g, axis, places[axis], (int)(left - rest * (uint32)counts[axis]), counts[axis]);
            inside = inside && at >= 0;
            from += at * stride;
            stride *= g.outputs[axis];
            left = rest;
        }
        if (inside) sum.add((const float*)a.from, from);
    }
    sum.store((float*)a.to + (int64)i * Width, a.accumulate);
}

KERNEL void pad_1(PadArguments a) { padForward<uint8>(a); }
KERNEL void pad_2(PadArguments a) { padForward<uint16>(a); }
KERNEL void pad_4(PadArguments a) { padForward<uint32>(a); }
KERNEL void pad_8(PadArguments a) { padForward<uint64>(a); }
KERNEL void pad_16(PadArguments a) { padForward<uint4>(a); }
KERNEL void pad_backward_4(PadArguments a) { padBackward<One, 1>(a); }
KERNEL void pad_backward_16(PadArguments a) { padBackward<Four, 4>(a); }
