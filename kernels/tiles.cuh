// Matrix products by tiles, for dense layers and for convolutions alike: what differs is where an element of A or B lies, which a
// source tells. A block computes M x N sums: it copies Depth columns of A and rows of B at a time into shared memory, two buffers of
// it, so that the next are on their way from global memory while it multiplies, and a thread keeps TM x TN sums in registers.
// Blocked sums keep their rounding small: it grows with a block's length and the number of blocks instead of their product. A step of the
// depth goes into one accumulator, the steps into another. (Longer blocks would be alive while the next panels are fetched, for which
// there are not the registers.) The order is that of k, and last that of the slices.
#pragma once
#include "generated/activations.cuh"
#include "divisor.cuh"

// Slices: the threads share the depth among that many copies of the tile, which are added at the end: for products of few tiles.
template <int M_, int N_, int TM_, int TN_, int Slices_>
struct Tile {
    enum {
        M = M_, N = N_, TM = TM_, TN = TN_, Slices = Slices_,
        Depth = 16 * Slices,
        Columns = N / TN,
        SliceThreads = M / TM * Columns,
        Threads = SliceThreads * Slices,
        // Rows of shared memory begin four banks apart, see ContiguousDepth.
        StrideA = M + 4, StrideB = N + 4,
        Buffer = Depth * (StrideA + StrideB),
        Floats = 2 * Buffer,
    };
    static_assert((Slices - 1) * TM * TN * SliceThreads <= Floats, "the slices' sums go through the buffers");
};

// 32 sums a thread: 3 shared loads of 16 bytes for 32 multiplications.
typedef Tile<128, 64, 8, 4, 1> Wide;
// For up to 32 columns.
typedef Tile<128, 32, 4, 4, 1> Narrow;
// For small matrices, whose depth is all there is to share.
typedef Tile<32, 32, 4, 4, 4> Small;

// Where a row (or column) and a step of the depth meet: two coordinates of an image that must both lie inside it, and an offset
// from its start. The terms of rows and of steps are known apart, so an element costs three additions and two comparisons. A matrix
// is an image of one row.
struct __attribute__((aligned(16))) Place {
    int offset;
    int y;
    int x;
    int ones;  // Elements are 1: a row of ones in A makes column sums of B.
};

#define OUTSIDE (-0x40000000)

struct Image {
    const float* data;
    int height;
    int width;

    DEVICE int at(const Place& a, const Place& b, bool& inside) const {
        inside = (uint32)(a.y + b.y) < (uint32)height && (uint32)(a.x + b.x) < (uint32)width;
        // Outside, the load goes to the first element and its result is dropped: no branch.
        return inside ? a.offset + b.offset : 0;
    }

    DEVICE float one(const Place& a, const Place& b) const {
        bool inside;
        float value = data[at(a, b, inside)];
        return inside ? value : 0.0f;
    }

    DEVICE float4 four(const Place& a, const Place& b) const {
        bool inside;
        float4 v = loadFour(data + at(a, b, inside));
        v.x = inside ? v.x : 0.0f;
        v.y = inside ? v.y : 0.0f;
        v.z = inside ? v.z : 0.0f;
        v.w = inside ? v.w : 0.0f;
        return v;
    }
};

// Copies a panel of Rows x T::Depth whose elements are neighbours in memory along the depth. Two lanes read 32 neighbouring bytes
// (eight lanes where elements go one by one) and write them to as many rows of shared memory; with rows four banks apart, all 32
// lanes write to banks of their own.
template <class T, int Rows, int Stride, class Source>
struct ContiguousDepth {
    enum { Count = Rows * T::Depth / T::Threads, AllFours = Rows * T::Depth / 4, Fours = (AllFours + T::Threads - 1) / T::Threads };
    float values[4 * Fours];

    // With fewer fours than threads some threads have none.
    static DEVICE bool has(int four) { return AllFours % T::Threads == 0 || four < AllFours; }

    DEVICE void fetch(const Source& source, int depth) {
        if (source.vector) {
#pragma unroll
            for (int p = 0; p < Fours; p++) {
                int i = threadIdx.x + p * T::Threads;
                if (!has(i)) break;
                float4 v = source.image.four(source.row((i >> 1) % Rows), source.step(depth + 4 * ((i & 1) + 2 * (i / (2 * Rows)))));
                values[4 * p] = v.x;
                values[4 * p + 1] = v.y;
                values[4 * p + 2] = v.z;
                values[4 * p + 3] = v.w;
            }
        } else {
#pragma unroll
            for (int p = 0; p < Count; p++) {
                int i = threadIdx.x + p * T::Threads;
                values[p] = source.image.one(source.row((i >> 3) % Rows), source.step(depth + (i & 7) + 8 * (i / (8 * Rows))));
            }
        }
    }

    DEVICE void put(const Source& source, float* panel) const {
        if (source.vector) {
#pragma unroll
            for (int p = 0; p < Fours; p++) {
                int i = threadIdx.x + p * T::Threads;
                if (!has(i)) break;
                float* first = panel + 4 * ((i & 1) + 2 * (i / (2 * Rows))) * Stride + (i >> 1) % Rows;
                first[0] = values[4 * p];
                first[Stride] = values[4 * p + 1];
                first[2 * Stride] = values[4 * p + 2];
                first[3 * Stride] = values[4 * p + 3];
            }
            KEEP_APART();
        } else {
#pragma unroll
            for (int p = 0; p < Count; p++) {
                int i = threadIdx.x + p * T::Threads;
                panel[((i & 7) + 8 * (i / (8 * Rows))) * Stride + (i >> 3) % Rows] = values[p];
            }
        }
    }
};

// The same for elements that are neighbours along the rows, as in shared memory.
template <class T, int Rows, int Stride, class Source>
struct ContiguousRows {
    enum { Count = Rows * T::Depth / T::Threads, AllFours = Rows * T::Depth / 4, Fours = (AllFours + T::Threads - 1) / T::Threads };
    float values[4 * Fours];

    // With fewer fours than threads some threads have none.
    static DEVICE bool has(int four) { return AllFours % T::Threads == 0 || four < AllFours; }

    DEVICE void fetch(const Source& source, int depth) {
        if (source.vector) {
#pragma unroll
            for (int p = 0; p < Fours; p++) {
                int i = threadIdx.x + p * T::Threads;
                if (!has(i)) break;
                Place row = source.row(i % (Rows / 4) * 4);
                float4 v = source.image.four(row, source.step(depth + i / (Rows / 4)));
                values[4 * p] = row.ones ? 1.0f : v.x;
                values[4 * p + 1] = v.y;
                values[4 * p + 2] = v.z;
                values[4 * p + 3] = v.w;
            }
        } else {
#pragma unroll
            for (int p = 0; p < Count; p++) {
                int i = threadIdx.x + p * T::Threads;
                Place row = source.row(i % Rows);
                float v = source.image.one(row, source.step(depth + i / Rows));
                values[p] = row.ones ? 1.0f : v;
            }
        }
    }

    DEVICE void put(const Source& source, float* panel) const {
        if (source.vector) {
#pragma unroll
            for (int p = 0; p < Fours; p++) {
                int i = threadIdx.x + p * T::Threads;
                if (!has(i)) break;
                storeFour(panel + i / (Rows / 4) * Stride + i % (Rows / 4) * 4, values[4 * p], values[4 * p + 1], values[4 * p + 2], values[4 * p + 3]);
            }
            KEEP_APART();
        } else {
#pragma unroll
            for (int p = 0; p < Count; p++) {
                int i = threadIdx.x + p * T::Threads;
                panel[i / Rows * Stride + i % Rows] = values[p];
            }
        }
    }
};

// Rows of a matrix as places: row r begins at first + r * stride, of count rows.
struct MatrixRows {
    Image image;
    int first;
    int count;
    int stride;
    int depth;
    int depthStride;
    bool vector;
    int ones;  // This row is ones; -1: none.

    DEVICE Place row(int r) const {
        r += first;
        return Place{r * stride, r < count ? 0 : OUTSIDE, 0, r == ones};
    }

    DEVICE Place step(int k) const { return Place{k * depthStride, k < depth ? 0 : OUTSIDE, 0, 0}; }
};

// Where a thread's sums stand in the tile: in quads of rows and of columns, the quads of one thread M / (TM / 4) rows apart, so that
// the lanes of a warp read neighbouring quads of shared memory.
template <class T>
struct Sums {
    float values[T::TM][T::TN];

    // Of the thread within its slice.
    static DEVICE int row(int thread, int i) { return thread / T::Columns * 4 + i / 4 * (T::M / (T::TM / 4)) + i % 4; }
    static DEVICE int column(int thread, int quad) { return thread % T::Columns * 4 + quad * (T::N / (T::TN / 4)); }

    DEVICE void clear() {
#pragma unroll
        for (int i = 0; i < T::TM; i++) {
#pragma unroll
            for (int j = 0; j < T::TN; j++) values[i][j] = 0.0f;
        }
    }

    DEVICE void take(const Sums& block) {
#pragma unroll
        for (int i = 0; i < T::TM; i++) {
#pragma unroll
            for (int j = 0; j < T::TN; j++) values[i][j] += block.values[i][j];
        }
    }

    DEVICE void add(const float* a, const float* b, int thread) {
#pragma unroll 4
        for (int k = 0; k < 16; k++) {
            float left[T::TM], right[T::TN];
#pragma unroll
            for (int quad = 0; quad < T::TM / 4; quad++) read(left + 4 * quad, a + k * T::StrideA + row(thread, 4 * quad));
#pragma unroll
            for (int quad = 0; quad < T::TN / 4; quad++) read(right + 4 * quad, b + k * T::StrideB + column(thread, quad));
#pragma unroll
            for (int i = 0; i < T::TM; i++) {
#pragma unroll
                for (int j = 0; j < T::TN; j++) values[i][j] = multiplyAdd(left[i], right[j], values[i][j]);
            }
        }
    }

    static DEVICE void read(float* to, const float* from) {
        float4 v = loadFour(from);
        to[0] = v.x;
        to[1] = v.y;
        to[2] = v.z;
        to[3] = v.w;
    }
};

// The sums of the tile over the depths [first, end) from the panels of A and B. True for the threads that hold them afterwards: those
// of the first slice. Not blocked are sums where the second accumulators would spill.
template <class T, bool Blocked, class PanelA, class SourceA, class PanelB, class SourceB>
DEVICE bool multiplyTile(const SourceA& sourceA, const SourceB& sourceB, int first, int end, float* shared, Sums<T>& sums) {
    sums.clear();
    int thread = threadIdx.x % T::SliceThreads, slice = threadIdx.x / T::SliceThreads;
    if (first < end) {
        PanelA a;
        PanelB b;
        a.fetch(sourceA, first);
        b.fetch(sourceB, first);
        float* buffer = shared;
        for (int k = first;;) {
            a.put(sourceA, buffer);
            b.put(sourceB, buffer + T::Depth * T::StrideA);
            // One barrier is enough: what is overwritten next was read before it.
            __syncthreads();
            k += T::Depth;
            if (k < end) {
                a.fetch(sourceA, k);
                b.fetch(sourceB, k);
            }
            const float *left = buffer + slice * 16 * T::StrideA, *right = buffer + T::Depth * T::StrideA + slice * 16 * T::StrideB;
            if (Blocked) {
                Sums<T> block;
                block.clear();
                block.add(left, right, thread);
                sums.take(block);
            } else {
                sums.add(left, right, thread);
            }
            if (k >= end) break;
            buffer = buffer == shared ? shared + T::Buffer : shared;
        }
    }
    if (T::Slices == 1) return true;

    __syncthreads();
    if (slice > 0) {
#pragma unroll
        for (int i = 0; i < T::TM * T::TN; i++) {
            shared[((slice - 1) * T::TM * T::TN + i) * T::SliceThreads + thread] = sums.values[i / T::TN][i % T::TN];
        }
    }
    __syncthreads();
    if (slice > 0) return false;
#pragma unroll
    for (int i = 0; i < T::TM * T::TN; i++) {
        for (int other = 0; other < T::Slices - 1; other++) {
            sums.values[i / T::TN][i % T::TN] += shared[(other * T::TM * T::TN + i) * T::SliceThreads + thread];
        }
    }
    return true;
}

// Four sums of a row to y (=|+=), as far as the columns go.
DEVICE void putSums(float* y, const float* sums, int column, int columns, bool vector, bool accumulate) {
    if (vector) {
        if (column < columns) putFour(y + column, sums[0], sums[1], sums[2], sums[3], accumulate);
        KEEP_APART();
        return;
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
        if (column + j < columns) put(y + column + j, sums[j], accumulate);
    }
}

// value = f(value + bias).
struct Epilogue {
    const float* bias;  // null: none
    int function;       // its place in the table (generated/activations.cuh); 0: none
    float scalar;       // its parameter
};

template <class F, int Count>
DEVICE void activateEach(float (&values)[Count], float scalar) {
#pragma unroll
    for (int i = 0; i < Count; i++) values[i] = F::value(values[i], Scalars{scalar, 0, 0, 0});
}

#define EPILOGUE_CASE(place, F) \
    case place:                 \
        return activateEach<F>(values, scalar);

// f of all values, with one test of which f it is.
template <int Count>
DEVICE void activateAll(float (&values)[Count], int function, float scalar) {
    switch (function) { EPILOGUE_FUNCTIONS(EPILOGUE_CASE) }
}

template <class T>
DEVICE void finishSums(Sums<T>& sums, const Epilogue& epilogue, int thread, int firstColumn, int columns) {
    if (epilogue.bias) {
#pragma unroll
        for (int j = 0; j < T::TN; j++) {
            int column = firstColumn + Sums<T>::column(thread, j / 4) + j % 4;
            float bias = column < columns ? epilogue.bias[column] : 0.0f;
#pragma unroll
            for (int i = 0; i < T::TM; i++) sums.values[i][j] += bias;
        }
    }
#pragma unroll
    for (int i = 0; i < T::TM; i++) activateAll(sums.values[i], epilogue.function, epilogue.scalar);
}
