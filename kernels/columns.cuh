// What goes by the columns of a row-major matrix [rows, n]: a bias added, its gradient summed. The matrix is read as one run of
// elements in steps of a period: the largest multiple of n and of 4 up to 1024, so that a thread meets the same four columns in every
// step, in accesses of 16 bytes whatever n is. Where there is no such multiple the period is a row of several parts, a block each; they count
// along blockIdx.x too, since blockIdx.y ends at 65,535.
#pragma once
#include "common.cuh"

#define COLUMN_THREADS 256

// Columns.cs makes it.
struct ColumnWalk {
    int64 count;  // rows * n
    int n;
    int period;
    int perThread;  // neighbouring elements of a thread: 4, or 1 where rows are not a multiple of 16 bytes
    int stepsPerBlock;
};

DEVICE int partsOf(const ColumnWalk& walk) { return (walk.period - 1) / (COLUMN_THREADS * walk.perThread) + 1; }

// The block's elements of this thread: body(element, how many of the four are there).
template <class Body>
DEVICE void walkColumns(const ColumnWalk& walk, int block, int part, const Body& body) {
    int64 position = (int64)(part * COLUMN_THREADS + threadIdx.x) * walk.perThread;
    if (position >= walk.period) return;
    int64 element = (int64)block * walk.stepsPerBlock * walk.period + position;
    for (int step = 0; step < walk.stepsPerBlock && element < walk.count; step++, element += walk.period) {
        int64 left = walk.count - element;
        body(element, step, left < walk.perThread ? (int)left : walk.perThread);
    }
}

// What belongs to the columns of this thread, of [n].
struct Columns {
    float values[4];

    DEVICE Columns(const ColumnWalk& walk, const float* source, int part) {
        int64 column = (int64)(part * COLUMN_THREADS + threadIdx.x) * walk.perThread;
        values[0] = values[1] = values[2] = values[3] = 0;
        if (!source || column >= walk.period) return;
        if (walk.perThread == 4 && walk.n % 4 == 0 && aligned16(source)) {
            float4 four = loadFour(source + column % walk.n);
            values[0] = four.x, values[1] = four.y, values[2] = four.z, values[3] = four.w;
            return;
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
            bool there = j < walk.perThread && column + j < walk.period;
            values[j] = there ? source[(column + j) % walk.n] : 0.0f;
        }
    }
};

struct ColumnSumArguments {
    const float* x;
    float* sums;  // [n] (=|+=)
    uint32* tickets;
    float* parts;  // [blocks, n]
    ColumnWalk walk;
    int blocks;
    int accumulate;
};

// As many elements from x as there are, else 0.
DEVICE float4 loadSome(const float* x, int count) {
    if (count == 4) return loadFour(x);
    float4 v{x[0], 0, 0, 0};
    if (count > 1) v.y = x[1];
    if (count > 2) v.z = x[2];
    return v;
}

DEVICE void storeSome(float* x, const float4& v, int count) {
    if (count == 4) {
        storeFour(x, v.x, v.y, v.z, v.w);
        KEEP_APART();
        return;
    }
    x[0] = v.x;
    if (count > 1) x[1] = v.y;
    if (count > 2) x[2] = v.z;
}

// Whether this is the last of so many blocks to come here: then what they all wrote before can be read. The ticket is 0 again afterwards.
DEVICE bool isLastOf(uint32* ticket, int blocks) {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        last = atomicAdd(ticket, 1) == (uint32)(blocks - 1);
        if (last) *ticket = 0;
        __threadfence();
    }
    __syncthreads();
    return last;
}

// One of blocks x parts. Terms are added in float over 32 steps, in double from there on. Where there are no sums to write, nothing is summed up.
// values(element, how many of the four are there): the terms.
template <class Values>
DEVICE void sumColumns(const ColumnSumArguments& a, int block, int part, const Values& values) {
    __shared__ __attribute__((aligned(16))) float sums[4 * COLUMN_THREADS];
    const ColumnWalk& walk = a.walk;
    float x0 = 0, x1 = 0, x2 = 0, x3 = 0;
    double t0 = 0, t1 = 0, t2 = 0, t3 = 0;
    walkColumns(walk, block, part, [&](int64 element, int step, int count) {
        float4 v = values(element, count);
        x0 += v.x;
        x1 += v.y;
        x2 += v.z;
        x3 += v.w;
        if ((step & 31) == 31) {
            t0 += x0;
            t1 += x1;
            t2 += x2;
            t3 += x3;
            x0 = x1 = x2 = x3 = 0;
        }
    });
    if (!a.sums) return;
    if (walk.perThread == 4) {
        storeFour(sums + 4 * threadIdx.x, (float)(t0 + x0), (float)(t1 + x1), (float)(t2 + x2), (float)(t3 + x3));
        KEEP_APART();
    } else {
        sums[threadIdx.x] = (float)(t0 + x0);
    }
    __syncthreads();

    // The columns of this part, each with the elements of one period that belong to it.
    int first = part * COLUMN_THREADS * walk.perThread;
    int here = walk.period - first < COLUMN_THREADS * walk.perThread ? walk.period - first : COLUMN_THREADS * walk.perThread;
    int columns = walk.n - first < here ? walk.n - first : here;
    for (int column = threadIdx.x; column < columns; column += COLUMN_THREADS) {
        double sum = 0;
        for (int i = column; i < here; i += walk.n) sum += sums[i];
        if (a.blocks == 1) {
            put(a.sums + first + column, (float)sum, a.accumulate);
        } else {
            a.parts[(int64)block * walk.n + first + column] = (float)sum;
        }
    }
    if (a.blocks == 1 || !isLastOf(a.tickets + part, a.blocks)) return;

    // Few columns share the threads among groups of blocks.
    int groups = columns < COLUMN_THREADS ? COLUMN_THREADS / columns : 1, group = threadIdx.x / columns;
    for (int start = 0; start < columns; start += COLUMN_THREADS) {
        int column = groups > 1 ? threadIdx.x % columns : start + threadIdx.x;
        double sum = 0;
        if (column < columns && group < groups) {
            const volatile float* parts = a.parts + first + column;
            for (int i = group; i < a.blocks; i += groups) sum += parts[(int64)i * walk.n];
        }
        if (groups == 1) {
            if (column < columns) put(a.sums + first + column, (float)sum, a.accumulate);
            continue;
        }
        sums[threadIdx.x] = (float)sum;
        __syncthreads();
        if ((int)threadIdx.x < columns) {
            double total = 0;
            for (int i = 0; i < groups; i++) total += sums[i * columns + threadIdx.x];
            put(a.sums + first + threadIdx.x, (float)total, a.accumulate);
        }
    }
}

DEVICE void sumColumns(const ColumnSumArguments& a, int block, int part) {
    sumColumns(a, block, part, [&](int64 element, int count) { return loadSome(a.x + element, count); });
}
