// Weighted windows over volumes [N, D, H, W, C]: y (=|+=) the sum over an output's window of x times the product of three weights, one
// for each axis: interpolation, averages of bins, and their backward passes. A thread takes one channel of an output, or four
// neighboring ones. Bytes per output 4 written (8 moved where it adds), 4 read per tap, which windows that overlap find in the cache, as
// threads find the table; 2 flops per tap.
#include "bands.cuh"

struct WindowSumArguments {
    const float* x;
    const int* table;
    float* y;
    BandShape shape;
};

template <int V>
DEVICE void windowSum(const WindowSumArguments& a) {
    const BandShape& shape = a.shape;
    int element = (blockIdx.x * BAND_THREADS + threadIdx.x) * V;
    if (element >= shape.count) return;
    BandPlace p(shape, element);
    Band d(a.table, shape.d, p.d), h(a.table, shape.h, p.h), w(a.table, shape.w, p.w);
    const float* volume = a.x + bandVolume(shape, p);
    Channels<V> sum;
#pragma unroll
    for (int v = 0; v < V; v++) sum.values[v] = 0.0f;
    for (int kd = 0; kd < d.count; kd++) {
        for (int kh = 0; kh < h.count; kh++) {
            int line = (d.first + kd) * shape.h.reads + h.first + kh;
            const float* at = volume + ((int64)line * shape.w.reads + w.first) * shape.c;
            Channels<V> row;
#pragma unroll
            for (int v = 0; v < V; v++) row.values[v] = 0.0f;
            for (int kw = 0; kw < w.count; kw++, at += shape.c) {
                Channels<V> c = loadChannels<V>(at);
                float weight = w.weight(kw);
#pragma unroll
                for (int v = 0; v < V; v++) row.values[v] = multiplyAdd(c.values[v], weight, row.values[v]);
            }
            // Row by row: the blocked order keeps the rounding of large windows small.
            float weight = d.weight(kd) * h.weight(kh);
#pragma unroll
            for (int v = 0; v < V; v++) sum.values[v] = multiplyAdd(row.values[v], weight, sum.values[v]);
        }
    }
    putChannels<V>(a.y + element, sum, shape.accumulate);
}

KERNEL void windowsum(WindowSumArguments a) { windowSum<1>(a); }
KERNEL void windowsum_fours(WindowSumArguments a) { windowSum<4>(a); }
