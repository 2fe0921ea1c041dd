// Rotary positions: y (=|+=) each pair (a, b) of a row of x [outer, time, inner, width] turned by the angle of its position: (a cos - b sin,
// b cos + a sin). A thread per pair and position, which turns it in every row of the position: 8 bytes moved per element (12 where it adds), 4 flops, and
// the position's angles once. y may be x. A position out of range gives NaN.
// Where pairs begin within sectors, or a position has so few rows that its angles count beside them, a block has a run of neighboring rows
// of up to eight outer indices: their positions' angles and each run are read once, as whole sectors, and the other of a pair comes from shared memory.
#include "divisor.cuh"
#include "rows.cuh"

struct RotaryArguments {
    const float* x;
    const float* table;    // [positions, width]: cosines, then sines
    const int* positions;  // null: the place and the offset
    float* y;
    int64 pairs;
    int time;
    int inner;
    int half;
    int rotated;
    int interleaved;
    int offset;
    int perExample;
    int count;             // rows of the table
    int accumulate;
    float sign;
};

// Threads count pairs of positions; neighboring ones of several positions where a row has few.
KERNEL void rotary_rotate(RotaryArguments a) {
    int64 i = (int64)blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.pairs) return;
    uint32 row = (uint32)i / a.half, pair = (uint32)i - row * a.half, outer = row / a.time, time = row - outer * a.time;
    int64 example = a.perExample ? outer / a.perExample : 0;
    int position = a.positions ? a.positions[example * a.time + time] : (int)time + a.offset;
    bool inside = position >= 0 && position < a.count;
    const float* angles = a.table + (int64)(inside ? position : 0) * 2 * a.half + pair;
    float cosine = inside ? angles[0] : quietNaN(), sine = angles[a.half] * a.sign;
    // Neighbors are one access where they lie on 8 bytes; without KEEP_APART the compiler joins both branches into two accesses.
    bool together = a.interleaved && (((uint64)a.x | (uint64)a.y) & 7) == 0;
    for (int inner = 0; inner < a.inner; inner++) {
        int64 base = ((int64)row * a.inner + inner) * 2 * a.half;
        int64 first = a.interleaved ? base + 2 * pair : base + pair, second = first + (a.interleaved ? 1 : a.half);
        float left, right;
        if (together) {
            float2 both = *reinterpret_cast<const float2*>(a.x + first);
            left = both.x;
            right = both.y;
            KEEP_APART();
        } else {
            left = a.x[first];
            right = a.x[second];
        }
        if (inner < a.rotated) {
            float turned = left * cosine - right * sine;
            right = right * cosine + left * sine;
            left = turned;
        }
        if (together) {
            float2* to = reinterpret_cast<float2*>(a.y + first);
            float2 both{left, right};
            if (a.accumulate) {
                both.x += to->x;
                both.y += to->y;
            }
            *to = both;
            KEEP_APART();
        } else {
            put(a.y + first, left, a.accumulate);
            put(a.y + second, right, a.accumulate);
        }
    }
}

#define ITEMS 16
#define MOST_ANGLES 2048

// See Rotary.cs.
struct RotaryTileArguments {
    const float* x;
    const float* table;
    const int* positions;
    float* y;
    int time;
    int inner;
    int rotated;
    int interleaved;
    int offset;
    int count;       // rows of the table
    int sharing;     // outer indices that share a row of positions
    int together;    // of these, so many a block: 1, 2, 4 or 8
    int runs;        // of an outer index
    int rows;        // of a run: whole positions, or of one
    int perPosition; // runs of a position; 1 where a run has whole ones
    int accumulate;
    float sign;
    int unused;
    Divisor byWidth;
    Divisor byInner;
};

template <int TOGETHER>
DEVICE void rotateTile(const RotaryTileArguments& a, float* values, float* angles) {
    const int PER_RUN = ITEMS / TOGETHER, RUN = PER_RUN * THREADS;
    int slice = blockIdx.x / a.runs, run = blockIdx.x - slice * a.runs, slices = (a.sharing + TOGETHER - 1) / TOGETHER;
    int example = slice / slices, outer = (slice - example * slices) * TOGETHER;
    int some = smaller(a.sharing - outer, TOGETHER), width = (int)a.byWidth.divisor, half = width / 2;
    int time = a.perPosition > 1 ? run / a.perPosition : run * (a.rows / a.inner);
    int first = a.perPosition > 1 ? (run - time * a.perPosition) * a.rows : 0;
    int rows = smaller(a.perPosition > 1 ? a.inner - first : (a.time - time) * a.inner, a.rows), length = rows * width;
    int64 step = (int64)a.time * a.inner * width;
    int64 origin = ((int64)example * a.sharing + outer) * step + ((int64)time * a.inner + first) * width;
    float read[ITEMS];
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        const float* x = a.x + origin + k / PER_RUN * step;
        int i = (int)threadIdx.x - shiftOf(x) + k % PER_RUN * THREADS;
        bool inside = k / PER_RUN < some && i >= 0 && i < length;
        read[k] = inside ? x[i] : 0.0f;
        if (inside) values[k / PER_RUN * RUN + i] = read[k];
    }
    int positions = a.perPosition > 1 ? 1 : rows / a.inner;
    const int* places = a.positions ? a.positions + (int64)example * a.time + time : nullptr;
    for (int i = (int)threadIdx.x - (places ? 0 : shiftOf(a.table + (int64)(time + a.offset) * width)); i < positions * width; i += THREADS) {
        if (i < 0) continue;
        int column = i, place = split(column, a.byWidth), position = places ? places[place] : time + place + a.offset;
        bool isThere = position >= 0 && position < a.count;
        float angle = isThere ? a.table[(int64)position * width + column] : quietNaN();
        angles[i] = column < half ? angle : angle * a.sign;
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        int64 at = origin + k / PER_RUN * step;
        int i = (int)threadIdx.x - shiftOf(a.x + at) + k % PER_RUN * THREADS;
        if (k / PER_RUN >= some || i < 0 || i >= length) continue;
        int column = i, row = first + split(column, a.byWidth), place = split(row, a.byInner);
        if (row < a.rotated) {
            bool isFirst = a.interleaved ? column % 2 == 0 : column < half;
            int pair = a.interleaved ? column / 2 : isFirst ? column : column - half, apart = a.interleaved ? 1 : half;
            float other = values[k / PER_RUN * RUN + (isFirst ? i + apart : i - apart)];
            const float* angle = angles + place * width + pair;
            float cosine = angle[0], sine = angle[half];
            read[k] = isFirst ? read[k] * cosine - other * sine : read[k] * cosine + other * sine;
        }
        put(a.y + at + i, read[k], a.accumulate);
    }
}

KERNEL void __launch_bounds__(THREADS) rotary_rotate_tiles(RotaryTileArguments a) {
    __shared__ float values[ITEMS * THREADS], angles[MOST_ANGLES];
    switch (a.together) {
        case 1: rotateTile<1>(a, values, angles); break;
        case 2: rotateTile<2>(a, values, angles); break;
        case 4: rotateTile<4>(a, values, angles); break;
        default: rotateTile<8>(a, values, angles); break;
    }
}
