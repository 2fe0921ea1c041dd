// Elements put where indices say (Kernels/Indexing/Scatter.cs). A thread takes a line along the indexed axis, or the part of it whose places in the
// table lie in a range, and follows all indices of the line in their order: no atomics, and the same bits whatever the ranges are. Each index is read
// once per range, each picked element once; the table's elements are read and written where they are added to, 12 bytes per float, else written.
// Neighboring threads take neighboring lines, whose elements are neighbors unless the indexed axis is the last.
#include "indexed.cuh"

#define STAGED 1024

struct ScatterArguments {
    void* table;
    void* picked;       // null: the constant
    const void* indices;
    uint64 constant;
    StridedAxes lines;  // first: indices, second: table, third: picked
    int64 indexStep;
    int64 tableStep;
    int64 pickedStep;
    int count;          // lines
    int parts;          // ranges of the table's axis, a multiple of the grid's layers
    int terms;
    int extent;
    int wide;
    int accumulate;
};

// move(table element, picked element) for each index of this thread's line and range.
template <bool FromTheEnd, class T, class Move>
DEVICE void followLine(const ScatterArguments& a, Move move) {
    uint32 line = blockIdx.x * THREADS + threadIdx.x;
    if (line >= (uint32)a.count) return;
    int64 index, to, from;
    locate(a.lines, line, index, to, from);
    int64 low = (int64)a.extent * blockIdx.y / a.parts, high = (int64)a.extent * (blockIdx.y + 1) / a.parts;
    T* table = (T*)a.table + to;
    T* picked = (T*)a.picked + from;
    for (int i = 0; i < a.terms; i++) {
        int term = FromTheEnd ? a.terms - 1 - i : i;
        int64 place = indexAt(a.indices, index + term * a.indexStep, a.wide);
        if (place >= low && place < high) move(table + place * a.tableStep, picked + term * a.pickedStep);
    }
}

template <class T>
DEVICE void scatterElements(const ScatterArguments& a) {
    bool isConstant = a.picked == 0;
    T constant = (T)a.constant;
    followLine<false, T>(a, [=](T* table, const T* picked) { *table = isConstant ? constant : *picked; });
}

KERNEL void scatter_1(ScatterArguments a) { scatterElements<uint8>(a); }
KERNEL void scatter_2(ScatterArguments a) { scatterElements<uint16>(a); }
KERNEL void scatter_4(ScatterArguments a) { scatterElements<uint32>(a); }
KERNEL void scatter_8(ScatterArguments a) { scatterElements<uint64>(a); }

KERNEL void scatter_add_4(ScatterArguments a) {
    followLine<false, float>(a, [](float* table, const float* picked) { *table += *picked; });
}

// Rows: one index is all lines', so that a block reads the indices once, 1024 at a time, into shared memory.
KERNEL void scatter_rows_add_4(ScatterArguments a) {
    __shared__ int places[STAGED];
    uint32 line = blockIdx.x * THREADS + threadIdx.x;
    bool has = line < (uint32)a.count;
    int64 unused, to, from;
    locate(a.lines, has ? line : 0, unused, to, from);
    int low = (int)((int64)a.extent * blockIdx.y / a.parts), high = (int)((int64)a.extent * (blockIdx.y + 1) / a.parts);
    float* table = (float*)a.table + to;
    const float* picked = (const float*)a.picked + from;
    for (int first = 0; first < a.terms; first += STAGED) {
        int count = smaller(a.terms - first, STAGED);
        __syncthreads();
        for (int i = threadIdx.x; i < count; i += THREADS) {
            int64 place = indexAt(a.indices, (first + i) * a.indexStep, a.wide);
            places[i] = place >= low && place < high ? (int)place : -1;
        }
        __syncthreads();
        for (int i = 0; has && i < count; i++) {
            int place = places[i];
            if (place >= 0) table[place * a.tableStep] += picked[(first + i) * a.pickedStep];
        }
    }
}

// Backward of putting: the picked gradient is the table's, which is then 0.
KERNEL void scatter_take_4(ScatterArguments a) {
    bool isWanted = a.picked != 0, accumulate = a.accumulate != 0;
    followLine<true, float>(a, [=](float* table, float* picked) {
        if (isWanted) put(picked, *table, accumulate);
        *table = 0.0f;
    });
}
