// Elements by their indices (Kernels/Indexing/Gather.cs): picked (=|+=) table at places that indices of 32 or 64 bits name, a thread per element,
// which is as wide as whole rows of one index allow. Twice the element's bytes moved, three times where it adds, and each index once for every row
// or element that it stands for. An index out of range gives all bits set, which is NaN for floats and -1 for integers, or 0 for bytes.
#include "indexed.cuh"

struct GatherArguments {
    const void* table;
    void* picked;
    const void* indices;
    int64 tableStep;
    StridedAxes axes;  // first: indices, second: table, third: picked
    int count;
    int extent;
    int wide;
    int unused;
};

template <class T>
DEVICE T outside() { return (T)~(T)0; }
template <>
DEVICE uint8 outside<uint8>() { return 0; }
template <>
DEVICE float outside<float>() { return quietNaN(); }

template <class T>
struct Assign {
    static DEVICE void move(const T* from, T* to) { *to = *from; }
    static DEVICE void fail(T* to) { *to = outside<T>(); }
};

template <>
struct Assign<float4> {
    static DEVICE void move(const float4* from, float4* to) {
        float4 v = loadFour(&from->x);
        storeFour(&to->x, v.x, v.y, v.z, v.w);
    }
    static DEVICE void fail(float4* to) { storeFour(&to->x, floatOf(~0u), floatOf(~0u), floatOf(~0u), floatOf(~0u)); }
};

struct Add {
    static DEVICE void move(const float* from, float* to) { *to += *from; }
    static DEVICE void fail(float* to) { *to = quietNaN(); }
    static DEVICE void move(const float4* from, float4* to) {
        float4 v = loadFour(&from->x);
        putFour(&to->x, v.x, v.y, v.z, v.w, true);
    }
    static DEVICE void fail(float4* to) { storeFour(&to->x, quietNaN(), quietNaN(), quietNaN(), quietNaN()); }
};

template <class T, class Store>
DEVICE void gatherElements(const GatherArguments& a) {
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    int64 index, from, to;
    locate(a.axes, i, index, from, to);
    int64 place = indexAt(a.indices, index, a.wide);
    if (place >= 0 && place < a.extent) {
        Store::move((const T*)a.table + from + place * a.tableStep, (T*)a.picked + to);
    } else {
        Store::fail((T*)a.picked + to);
    }
}

KERNEL void gather_1(GatherArguments a) { gatherElements<uint8, Assign<uint8>>(a); }
KERNEL void gather_2(GatherArguments a) { gatherElements<uint16, Assign<uint16>>(a); }
KERNEL void gather_4(GatherArguments a) { gatherElements<uint32, Assign<uint32>>(a); }
KERNEL void gather_8(GatherArguments a) { gatherElements<uint64, Assign<uint64>>(a); }
KERNEL void gather_16(GatherArguments a) { gatherElements<float4, Assign<float4>>(a); }
KERNEL void gather_add_4(GatherArguments a) { gatherElements<float, Add>(a); }
KERNEL void gather_add_16(GatherArguments a) { gatherElements<float4, Add>(a); }
