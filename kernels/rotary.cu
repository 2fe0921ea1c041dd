// Rotary positions: y (=|+=) each pair (a, b) of a row of x [outer, time, inner, width] turned by the angle of its position: (a cos - b sin,
// b cos + a sin). A thread per pair, 8 bytes moved per element (12 where it adds) and 4 flops; the table's rows come from the cache. y
// may be x. A position out of range gives NaN.
#include "common.cuh"

#define THREADS 256

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

KERNEL void rotary_rotate(RotaryArguments a) {
    int64 i = (int64)blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.pairs) return;
    uint32 rest = (uint32)i / a.half, pair = (uint32)i - rest * a.half, row = rest / a.inner, inner = rest - row * a.inner;
    uint32 outer = row / a.time, time = row - outer * a.time;
    int64 base = (int64)rest * 2 * a.half, first = a.interleaved ? base + 2 * pair : base + pair, second = first + (a.interleaved ? 1 : a.half);
    float cosine = 1, sine = 0;
    if ((int)inner < a.rotated) {
        int64 example = a.perExample ? outer / a.perExample : 0;
        int position = a.positions ? a.positions[example * a.time + time] : (int)time + a.offset;
        bool inside = position >= 0 && position < a.count;
        const float* angles = a.table + (int64)(inside ? position : 0) * 2 * a.half + pair;
        cosine = inside ? angles[0] : quietNaN();
        sine = angles[a.half] * a.sign;
    }
    float left = a.x[first], right = a.x[second];
    put(a.y + first, left * cosine - right * sine, a.accumulate);
    put(a.y + second, right * cosine + left * sine, a.accumulate);
}
