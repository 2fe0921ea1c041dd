// Triangles of matrices: y (=|+=) x on one side of a diagonal, with it, and 0 elsewhere, a thread per element. 8 bytes moved per float that stays, 12
// where it adds, and 4 for the others, none where it adds.
#include "common.cuh"

#define THREADS 256

struct TriluArguments {
    const void* x;
    void* y;
    int64 count;
    int rows;
    int columns;
    int diagonal;
    int upper;
};

template <class T, bool Adds>
DEVICE void trilu(const TriluArguments& a) {
    int64 i = (int64)blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.count) return;
    uint32 row = (uint32)i / (uint32)a.columns;
    int64 column = i - (int64)row * a.columns, edge = (int64)(row % (uint32)a.rows) + a.diagonal;
    bool stays = a.upper ? column >= edge : column <= edge;
    T* y = (T*)a.y + i;
    if (Adds) {
        if (stays) *y += ((const T*)a.x)[i];
    } else {
        *y = stays ? ((const T*)a.x)[i] : (T)0;
    }
}

KERNEL void trilu_1(TriluArguments a) { trilu<uint8, false>(a); }
KERNEL void trilu_2(TriluArguments a) { trilu<uint16, false>(a); }
KERNEL void trilu_4(TriluArguments a) { trilu<uint32, false>(a); }
KERNEL void trilu_8(TriluArguments a) { trilu<uint64, false>(a); }
KERNEL void trilu_add_4(TriluArguments a) { trilu<float, true>(a); }
