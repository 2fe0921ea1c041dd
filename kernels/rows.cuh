// Rows in shared memory and in registers, for what needs a row several times but may move it only once.
#pragma once
#include "sums.cuh"

// A row whose first element does not lie on a 32-byte sector would have every access of a warp touch one sector more. So lanes are
// moved back by this many elements, and those in front of the row do nothing.
DEVICE int shiftOf(const float* row) { return (int)((uint64)row >> 2) & 7; }

// Of sums down rows that begin within sectors: threads across, columns of a thread, threads down. Rows that so many others lie between begin alike.
#define ACROSS 96
#define SPANS 2
#define DOWN 8

// What a block of such a sum takes: a chunk of columns, of width up to SPANS * ACROSS - 7, in one part of the rows; blocks are numbered (chunk, part).
// A thread takes every eighth row of these, and of each the columns that lie at its place and ACROSS further, its warp's first on a sector.
struct ShiftedStrip {
    int chunk, part, column0, columns, first, end, lane, place;

    DEVICE ShiftedStrip(int inner, int width, int rows, int parts) {
        chunk = blockIdx.x / parts, part = blockIdx.x - chunk * parts;
        column0 = chunk * width, columns = smaller(inner - column0, width);
        int passes = (rows + DOWN - 1) / DOWN, perPart = (passes + parts - 1) / parts;
        first = part * perPart * DOWN, end = smaller(first + perPart * DOWN, rows);
        lane = threadIdx.x / ACROSS, place = threadIdx.x % ACROSS;
    }
};

// tile = count neighbouring floats, by all threads of the block.
DEVICE void loadTile(float* tile, const float* source, int count) {
    if (aligned16(source)) {
        for (int i = threadIdx.x * 4; i < count; i += blockDim.x * 4) {
            if (i + 4 <= count) {
                *reinterpret_cast<float4*>(tile + i) = loadFour(source + i);
            } else {
                for (int k = i; k < count; k++) tile[k] = source[k];
            }
        }
        return;
    }
    for (int i = (int)threadIdx.x - shiftOf(source); i < count; i += blockDim.x) {
        if (i >= 0) tile[i] = source[i];
    }
}

// destination (=|+=) tile.
DEVICE void storeTile(float* destination, const float* tile, int count, bool accumulate) {
    if (aligned16(destination)) {
        for (int i = threadIdx.x * 4; i < count; i += blockDim.x * 4) {
            if (i + 4 <= count) {
                float4 v = *reinterpret_cast<const float4*>(tile + i);
                putFour(destination + i, v.x, v.y, v.z, v.w, accumulate);
            } else {
                for (int k = i; k < count; k++) put(destination + k, tile[k], accumulate);
            }
        }
        return;
    }
    for (int i = (int)threadIdx.x - shiftOf(destination); i < count; i += blockDim.x) {
        if (i >= 0) put(destination + i, tile[i], accumulate);
    }
}

// One column of a tile, for one thread: elements of a row (stride 1) or of a column. Neighbouring threads take neighbouring rows, whose
// elements k would lie in a few banks only where the length is even; so each thread begins that far into its row that all 32 lanes
// hit different banks. The order of elements is a function of the shape.
struct TileColumn {
    float* at;
    int stride;
    int length;
    int start;

    DEVICE TileColumn(float* first, int stride, int length) : at(first), stride(stride), length(length) {
        int common = length & -length;
        common = common > 32 ? 32 : common;
        start = stride == 1 ? (int)(threadIdx.x & 31) * common >> 5 : 0;
    }

    DEVICE int index(int k) const { return k + start < length ? k + start : k + start - length; }

    DEVICE float& operator[](int k) const { return at[index(k) * stride]; }
};

// A row in the registers of a block: element first + k blockDim.x in register k.
template <int ITEMS>
struct RegisterRow {
    float values[ITEMS];
    int first;
    int length;

    DEVICE void load(const float* row, int count, float fill) {
        first = (int)threadIdx.x - shiftOf(row);
        length = count;
#pragma unroll
        for (int k = 0; k < ITEMS; k++) values[k] = holds(k) ? row[column(k)] : fill;
    }

    DEVICE int column(int k) const { return first + k * (int)blockDim.x; }

    DEVICE bool holds(int k) const { return column(k) >= 0 && column(k) < length; }
};

// The columns of a row that belong to a thread, the same in all of its rows, so that sums over rows stay in registers: first + 32 k for register k.
// A warp that has rows alone takes every eighth, all of which begin alike within a sector: its lanes are moved back to the sector once.
template <int ITEMS>
struct WholeRow {
    int first, end;

    DEVICE WholeRow(int length, const float* row) : first((int)(threadIdx.x & 31) - shiftOf(row)), end(length) {}

    DEVICE int column(int k) const { return first + 32 * k; }
    DEVICE bool holds(int k) const { return column(k) >= 0 && column(k) < end; }

    DEVICE void load(float* values, const float* row) const {
#pragma unroll
        for (int k = 0; k < ITEMS; k++) values[k] = holds(k) ? (row + first)[32 * k] : 0.0f;
    }

    DEVICE void store(float* row, const float* values, bool accumulate) const {
#pragma unroll
        for (int k = 0; k < ITEMS; k++) {
            if (holds(k)) put(row + first + 32 * k, values[k], accumulate);
        }
    }
};

// The block's warps share a row evenly. Accesses begin with a sector, up to seven columns earlier, and lanes hand on what they read or write.
template <int ITEMS>
struct PartOfRow {
    int lane, first, width;

    DEVICE PartOfRow(int length, const float*) : lane(threadIdx.x & 31) {
        width = (length + (int)blockDim.x - 1) / (int)blockDim.x * 32;
        first = (int)(threadIdx.x >> 5) * width;
        width = smaller(length - first, width);
    }

    DEVICE int column(int k) const { return first + lane + 32 * k; }
    DEVICE bool holds(int k) const { return lane + 32 * k < width; }

    DEVICE void load(float* values, const float* row) const {
        int shift = shiftOf(row), place = lane - shift;
        const float* from = row + first + place;
        float before = place >= 0 && place < width ? from[0] : 0.0f;
#pragma unroll
        for (int k = 0; k < ITEMS; k++) {
            float after = place + 32 * (k + 1) < width ? from[32 * (k + 1)] : 0.0f;
            values[k] = __shfl_sync(0xffffffff, lane < shift ? after : before, (lane + shift) & 31);
            before = after;
        }
    }

    DEVICE void store(float* row, const float* values, bool accumulate) const {
        int shift = shiftOf(row), place = lane - shift;
        float *to = row + first + place, before = 0;
#pragma unroll
        for (int k = 0; k <= ITEMS; k++) {
            float here = k < ITEMS ? values[k < ITEMS ? k : 0] : 0.0f;
            float value = __shfl_sync(0xffffffff, lane + shift < 32 ? here : before, place & 31);
            if (place + 32 * k >= 0 && place + 32 * k < width) put(to + 32 * k, value, accumulate);
            before = here;
        }
    }
};
