// Maxima of windows over volumes [N, D, H, W, C] with their positions. Forward: y = max x and its flat position (d H + h) W + w in the
// channel's volume; the first of equal ones wins, NaN wins over numbers. Backward: dX (=|+=) the sum of dY over the windows whose
// maximum stands there; the thread of an input gathers from the windows that span it, so each dX is written once. A thread takes one
// channel. Bytes per output 8 written and 4 read per tap forward; per input 4 written, 8 read per window that spans it backward. Windows
// that overlap meet in the cache, as threads find the table.
#include "bands.cuh"

struct WindowMaxForwardArguments {
    const float* x;
    const int* table;
    float* y;
    int* indices;
    BandShape shape;
};

struct WindowMaxBackwardArguments {
    const float* dY;
    const int* table;
    const int* indices;
    float* dX;
    BandShape shape;
};

KERNEL void windowmax_forward(WindowMaxForwardArguments a) {
    const BandShape& shape = a.shape;
    int element = blockIdx.x * BAND_THREADS + threadIdx.x;
    if (element >= shape.count) return;
    BandPlace p(shape, element);
    Band d(a.table, shape.d, p.d), h(a.table, shape.h, p.h), w(a.table, shape.w, p.w);
    const float* volume = a.x + bandVolume(shape, p);
    float best = -infinity();
    int winner = (d.first * shape.h.reads + h.first) * shape.w.reads + w.first;
    for (int kd = 0; kd < d.count; kd++) {
        for (int kh = 0; kh < h.count; kh++) {
            int line = (d.first + kd * shape.d.step) * shape.h.reads + h.first + kh * shape.h.step;
            int position = line * shape.w.reads + w.first;
            for (int kw = 0; kw < w.count; kw++, position += shape.w.step) {
                float value = volume[(int64)position * shape.c];
                bool wins = value > best || value != value;
                best = wins ? value : best;
                winner = wins ? position : winner;
            }
        }
    }
    a.y[element] = best;
    a.indices[element] = winner;
}

KERNEL void windowmax_backward(WindowMaxBackwardArguments a) {
    const BandShape& shape = a.shape;
    int element = blockIdx.x * BAND_THREADS + threadIdx.x;
    if (element >= shape.count) return;
    BandPlace p(shape, element);
    Band d(a.table, shape.d, p.d), h(a.table, shape.h, p.h), w(a.table, shape.w, p.w);
    int64 volume = bandVolume(shape, p);
    int position = (p.d * (int)shape.h.byTaken.divisor + p.h) * (int)shape.w.byTaken.divisor + p.w;
    float sum = 0.0f;
    for (int kd = 0; kd < d.count; kd++) {
        for (int kh = 0; kh < h.count; kh++) {
            int line = (d.first + kd) * shape.h.reads + h.first + kh;
            int64 at = volume + ((int64)line * shape.w.reads + w.first) * shape.c;
            for (int kw = 0; kw < w.count; kw++, at += shape.c) sum += a.indices[at] == position ? a.dY[at] : 0.0f;
        }
    }
    put(a.dX + element, sum, shape.accumulate);
}
