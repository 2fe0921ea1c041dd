// y [outer, inner] = the first place along the middle axis of x [outer, terms, inner] where x equals extreme [outer, inner], or is NaN where that is. Where
// inner is 1, a warp takes an output: its lanes, which begin with a sector, look at every 32nd term and the least of their places wins. Otherwise a block has
// up to 256 neighboring columns, whose terms come to shared memory as whole sectors, 2048 at a time, and its threads look at every so many of a column, until
// all are found. Of fewer terms than that in all columns a block has those of several outer indices as one run. 4 bytes read per term at most, 12 per output.
#include "rows.cuh"

struct FirstEqualArguments {
    const float* x;
    const float* extreme;
    int64* y;
    int64 outputs;
    int terms;
    int unused;
};

DEVICE bool matches(float value, float extreme) { return value == extreme || (value != value && extreme != extreme); }

// The first of the terms that matches, or their number.
DEVICE int firstOf(const float* x, float extreme, int terms, int stride) {
    for (int term = 0; term < terms; term++) {
        if (matches(x[term * stride], extreme)) return term;
    }
    return terms;
}

KERNEL void __launch_bounds__(256) first_equal_rows(FirstEqualArguments a) {
    __shared__ float extremes[8];
    __shared__ int places[8];
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    int64 start = (int64)blockIdx.x * 8;
    bool isOutput = threadIdx.x < 8 && start + threadIdx.x < a.outputs;
    if (isOutput) extremes[threadIdx.x] = a.extreme[start + threadIdx.x];
    __syncthreads();
    const float* row = a.x + (start + warp) * a.terms;
    float extreme = extremes[warp];
    int found = a.terms;
    // All lanes go on as long as one does: those of fewer terms would part from the others, and their accesses with them.
    for (int first = -shiftOf(row); start + warp < a.outputs && first < a.terms; first += 32) {
        int term = first + lane;
        if (found == a.terms && term >= 0 && term < a.terms && matches(row[term], extreme)) found = term;
    }
    for (int lanes = 16; lanes > 0; lanes >>= 1) {
        int other = (int)bitsOf(__shfl_xor_sync(0xffffffffu, floatOf((uint32)found), lanes));
        found = other < found ? other : found;
    }
    if (lane == 0) places[warp] = found;
    __syncthreads();
    if (isOutput) a.y[start + threadIdx.x] = places[threadIdx.x];
}

#define TILE 2048
#define SLABS 4096

struct FirstEqualSlabsArguments {
    const float* x;
    const float* extreme;
    int64* y;
    int64 outer;
    int terms;
    int inner;
    int slabs;  // outer indices of a block
    int pitch;  // from one to the next in shared memory: neighboring outputs in neighboring banks
};

// Columns of few terms: all of some outer indices come to shared memory, then threads take neighboring outputs.
KERNEL void __launch_bounds__(256) first_equal_slabs(FirstEqualSlabsArguments a) {
    __shared__ float tile[SLABS];
    int64 first = (int64)blockIdx.x * a.slabs, origin = first * a.inner;
    int slab = a.terms * a.inner, slabs = a.outer - first < a.slabs ? (int)(a.outer - first) : a.slabs;
    const float* x = a.x + first * slab;
    for (int i = (int)threadIdx.x - shiftOf(x); i < slabs * slab; i += 256) {
        if (i >= 0) tile[i + i / slab * (a.pitch - slab)] = x[i];
    }
    __syncthreads();
    // Lanes begin with a sector of the extremes, and of the places.
    for (int i = (int)threadIdx.x - (int)(origin & 7); i < slabs * a.inner; i += 256) {
        if (i < 0) continue;
        int which = i / a.inner;
        a.y[origin + i] = firstOf(tile + which * a.pitch + (i - which * a.inner), a.extreme[origin + i], a.terms, a.inner);
    }
}

struct FirstEqualColumnsArguments {
    const float* x;
    const float* extreme;
    int64* y;
    int terms;
    int inner;
    int width;   // columns of a block
    int ranges;  // blocks that share the columns of an outer index
};

KERNEL void __launch_bounds__(256, 4) first_equal_columns(FirstEqualColumnsArguments a) {
    __shared__ float tile[TILE], extremes[256];
    __shared__ int places[256], found[256];
    int64 outer = blockIdx.x / a.ranges;
    int thread = threadIdx.x, first = (int)(blockIdx.x - outer * a.ranges) * a.width, width = smaller(a.inner - first, a.width);
    int64 outputs = outer * a.inner + first;
    const float *x = a.x + outer * a.terms * a.inner + first, *extreme = a.extreme + outputs;
    for (int i = thread - shiftOf(extreme); i < width; i += 256) {
        if (i >= 0) extremes[i] = extreme[i];
    }
    places[thread] = a.terms;
    // Threads that share a column, and rows of a tile.
    int sharing = 256 / width, part = thread / width, column = thread - part * width, rows = TILE / width;
    for (int start = 0; start < a.terms; start += rows) {
        int count = smaller(a.terms - start, rows);
        const float* from = x + (int64)start * a.inner;
        __syncthreads();
        if (width == a.inner) {
            for (int i = thread - shiftOf(from); i < count * width; i += 256) {
                if (i >= 0) tile[i] = from[i];
            }
        } else {
#pragma unroll 4
            for (int row = 0; row < count; row++) {
                const float* source = from + (int64)row * a.inner;
                for (int i = thread - shiftOf(source); i < width; i += 256) {
                    // Columns that are found are left.
                    if (i >= 0 && places[i] == a.terms) tile[row * width + i] = source[i];
                }
            }
        }
        __syncthreads();
        found[thread] = a.terms;
        if (part < sharing && places[column] == a.terms) {
            for (int row = part; row < count; row += sharing) {
                if (!matches(tile[row * width + column], extremes[column])) continue;
                found[thread] = start + row;
                break;
            }
        }
        __syncthreads();
        bool isOpen = thread < width && places[thread] == a.terms;
        if (isOpen) {
            int place = a.terms;
            for (int i = 0; i < sharing; i++) place = smaller(place, found[i * width + thread]);
            places[thread] = place;
            isOpen = place == a.terms;
        }
        if (blockSum(isOpen ? 1.0f : 0.0f) == 0) break;
    }
    if (thread < width) a.y[outputs + thread] = places[thread];
}
