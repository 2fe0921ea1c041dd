// Rotary positions: y (=|+=) each pair (a, b) of a row of x [outer, time, inner, width] turned by the angle of its position: (a cos - b sin,
// b cos + a sin). A thread per pair and position, which turns it in every row of the position: 8 bytes moved per element (12 where it adds), 4 flops, and
// the position's angles once. y may be x. A position out of range gives NaN.
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
