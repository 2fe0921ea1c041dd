// The windows of NHWC images beside each other, and back. Unfold: columns [N, OH OW, KH KW C] (=|+=) the images' elements under each
// tap, 0 outside; 4 bytes written per element (8 more where it adds), and as many read from the cache, since windows that overlap read
// an image's element once each. Fold: images (=|+=) the sum of an element's places in the windows, each column read once, each image
// element written once. Neighbouring threads take neighbouring channels, four each where a pixel has fours of them.
#include "convolution.cuh"

struct FoldArguments {
    float* images;
    float* columns;
    ConvolutionShape shape;  // of a convolution with KH KW C filters
    int count;               // of elements of what is written
    int accumulate;
};

template <int V>
DEVICE void unfold(const FoldArguments& a) {
    const ConvolutionShape& shape = a.shape;
    int element = (blockIdx.x * 256 + threadIdx.x) * V;
    if (element >= a.count) return;
    int channel = element;
    int pixel = split(channel, shape.byOC);
    int tap = split(channel, shape.byC);
    int ky = tap / shape.x.taps, kx = tap - ky * shape.x.taps;
    Place place = windowOf(shape, pixel, 0);
    int y = ky * shape.y.dilation, x = kx * shape.x.dilation;
    bool inside = (uint32)(place.y + y) < (uint32)shape.y.input && (uint32)(place.x + x) < (uint32)shape.x.input;
    const float* from = a.images + (inside ? place.offset + (y * shape.x.input + x) * shape.c + channel : 0);
    if (V == 4) {
        float4 v = loadFour(from);
        putFour(a.columns + element, inside ? v.x : 0.0f, inside ? v.y : 0.0f, inside ? v.z : 0.0f, inside ? v.w : 0.0f, a.accumulate);
    } else {
        float v = *from;
        put(a.columns + element, inside ? v : 0.0f, a.accumulate);
    }
}

template <int V>
DEVICE void fold(const FoldArguments& a) {
    const ConvolutionShape& shape = a.shape;
    int element = (blockIdx.x * 256 + threadIdx.x) * V;
    if (element >= a.count) return;
    int channel = element;
    int pixel = split(channel, shape.byC);
    int line = pixel / shape.x.input, x = pixel - line * shape.x.input, n = line / shape.y.input, y = line - n * shape.y.input;
    float sums[V];
#pragma unroll
    for (int v = 0; v < V; v++) sums[v] = 0.0f;
    for (int ky = 0; ky < shape.y.taps; ky++) {
        int restY = y + shape.y.padding - ky * shape.y.dilation;
        if (restY < 0) break;
        int row = split(restY, shape.y.byStride);
        if (restY != 0 || row >= shape.y.output) continue;
        for (int kx = 0; kx < shape.x.taps; kx++) {
            int restX = x + shape.x.padding - kx * shape.x.dilation;
            if (restX < 0) break;
            int column = split(restX, shape.x.byStride);
            if (restX != 0 || column >= shape.x.output) continue;
            const float* from = a.columns + (int64)((n * shape.y.output + row) * shape.x.output + column) * shape.oc
                + (ky * shape.x.taps + kx) * shape.c + channel;
            if (V == 4) {
                float4 v = loadFour(from);
                sums[0] += v.x;
                sums[1 % V] += v.y;
                sums[2 % V] += v.z;
                sums[3 % V] += v.w;
            } else {
                sums[0] += *from;
            }
        }
    }
    if (V == 4) {
        putFour(a.images + element, sums[0], sums[1 % V], sums[2 % V], sums[3 % V], a.accumulate);
    } else {
        put(a.images + element, sums[0], a.accumulate);
    }
}

KERNEL void __launch_bounds__(256) fold_unfold(FoldArguments a) { unfold<1>(a); }
KERNEL void __launch_bounds__(256) fold_unfold_fours(FoldArguments a) { unfold<4>(a); }
KERNEL void __launch_bounds__(256) fold_fold(FoldArguments a) { fold<1>(a); }
KERNEL void __launch_bounds__(256) fold_fold_fours(FoldArguments a) { fold<4>(a); }
