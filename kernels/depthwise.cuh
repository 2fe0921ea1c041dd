// Depthwise convolutions: an output channel sees one input channel, so there is no product to tile. Neighbouring threads take
// neighbouring channels of one pixel; the filter [KH, KW, 1, OC] and the overlap of windows come from the cache.
#pragma once
#include "convolution.cuh"

struct DepthwiseArguments {
    const float* x;  // or dY
    const float* weight;
    float* y;  // or dX
    Epilogue epilogue;
    ConvolutionShape shape;
    int count;  // of elements of y, or of dX: of the image that each sample may meet
    int accumulate;
};

// y = f(sums + bias), or f(y + that).
template <int V>
DEVICE void depthwiseStore(const DepthwiseArguments& a, float (&sums)[V], float* y, int channel) {
    if (a.accumulate) {
#pragma unroll
        for (int v = 0; v < V; v++) sums[v] += y[v];
    }
#pragma unroll
    for (int v = 0; v < V; v++) sums[v] += a.epilogue.bias ? a.epilogue.bias[channel + v] : 0.0f;
    activateAll(sums, a.epilogue.function, a.epilogue.scalar);
    if (V == 4) {
        storeFour(y, sums[0], sums[1 % V], sums[2 % V], sums[3 % V]);
    } else {
        *y = sums[0];
    }
}

// V: 1 channel to a thread, or 4 where each output channel has an input channel of its own.
template <int V>
DEVICE void depthwiseForward(const DepthwiseArguments& a) {
    const ConvolutionShape& shape = a.shape;
    int element = (blockIdx.x * 256 + threadIdx.x) * V;
    if (element >= a.count) return;
    int channel = element;
    int pixel = split(channel, shape.byOC);
    int input = divide(channel, shape.byGroupOC);
    Place first = windowOf(shape, pixel, 0);
    float sums[V];
#pragma unroll
    for (int v = 0; v < V; v++) sums[v] = 0.0f;
    const float* weight = a.weight + channel;
    for (int ky = 0; ky < shape.y.taps; ky++) {
        int y = first.y + ky * shape.y.dilation;
        if ((uint32)y >= (uint32)shape.y.input) {
            weight += shape.x.taps * shape.oc;
            continue;
        }
        int offset = first.offset + input + ky * shape.y.dilation * shape.x.input * shape.c;
        for (int kx = 0; kx < shape.x.taps; kx++) {
            if ((uint32)(first.x + kx * shape.x.dilation) < (uint32)shape.x.input) {
                const float* x = a.x + offset;
                if (V == 4) {
                    float4 v = loadFour(x), w = loadFour(weight);
                    sums[0] = multiplyAdd(v.x, w.x, sums[0]);
                    sums[1 % V] = multiplyAdd(v.y, w.y, sums[1 % V]);
                    sums[2 % V] = multiplyAdd(v.z, w.z, sums[2 % V]);
                    sums[3 % V] = multiplyAdd(v.w, w.w, sums[3 % V]);
                } else {
                    sums[0] = multiplyAdd(*x, *weight, sums[0]);
                }
            }
            offset += shape.x.dilation * shape.c;
            weight += shape.oc;
        }
    }
    depthwiseStore(a, sums, a.y + element, channel);
}

// The outputs that see the pixel through each tap, for all output channels of the input channel.
template <int V>
DEVICE void depthwiseBackwardData(const DepthwiseArguments& a) {
    const ConvolutionShape& shape = a.shape;
    int element = (blockIdx.x * 256 + threadIdx.x) * V;
    if (element >= a.count) return;
    int channel = element;
    int pixel = split(channel, shape.byC);
    int line = pixel / shape.x.input, x = pixel - line * shape.x.input, n = line / shape.y.input, y = line - n * shape.y.input;
    int image = imageOf(shape, n);
    if (image < 0) return;
    int multiplier = shape.groupOC;
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
            const float* dY = a.x + ((n * shape.y.output + row) * shape.x.output + column) * (int64)shape.oc + channel * multiplier;
            const float* weight = a.weight + (ky * shape.x.taps + kx) * (int64)shape.oc + channel * multiplier;
            if (V == 4) {
                float4 v = loadFour(dY), w = loadFour(weight);
                sums[0] = multiplyAdd(v.x, w.x, sums[0]);
                sums[1 % V] = multiplyAdd(v.y, w.y, sums[1 % V]);
                sums[2 % V] = multiplyAdd(v.z, w.z, sums[2 % V]);
                sums[3 % V] = multiplyAdd(v.w, w.w, sums[3 % V]);
            } else {
                for (int q = 0; q < multiplier; q++) sums[0] = multiplyAdd(dY[q], weight[q], sums[0]);
            }
        }
    }
    depthwiseStore(a, sums, a.y + ((image * shape.y.input + y) * shape.x.input + x) * (int64)shape.c + channel, channel);
}

struct DepthwiseFilterArguments {
    const float* x;
    const float* dY;
    float* parts;  // [parts, KH KW + 1, OC]; without dBias its last row is missing
    int64 partStride;
    ConvolutionShape shape;
    int pixelsPerPart;
    int unused;
};

// A block adds 32 channels of one tap (blockIdx.y; the one behind the last is the bias) over its part of the pixels.
DEVICE void depthwiseBackwardFilter(const DepthwiseFilterArguments& a) {
    __shared__ float sums[8][32];
    const ConvolutionShape& shape = a.shape;
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, channel = blockIdx.x * 32 + lane, tap = blockIdx.y;
    bool isBias = tap == shape.y.taps * shape.x.taps;
    int ky = tap / shape.x.taps, y = ky * shape.y.dilation, x = (tap - ky * shape.x.taps) * shape.x.dilation;
    int first = blockIdx.z * a.pixelsPerPart, end = first + a.pixelsPerPart < shape.pixels ? first + a.pixelsPerPart : shape.pixels;
    int offset = divide(channel, shape.byGroupOC) + (y * shape.x.input + x) * shape.c;
    float sum = 0.0f;
    for (int pixel = first + warp; pixel < end && channel < shape.oc; pixel += 8) {
        Place place = windowOf(shape, pixel, 0);
        bool inside = (uint32)(place.y + y) < (uint32)shape.y.input && (uint32)(place.x + x) < (uint32)shape.x.input;
        if (!inside && !isBias) continue;
        float value = isBias ? 1.0f : a.x[place.offset + offset];
        sum = multiplyAdd(value, a.dY[(int64)pixel * shape.oc + channel], sum);
    }
    sums[warp][lane] = sum;
    __syncthreads();
    if (warp > 0 || channel >= shape.oc) return;
    for (int other = 1; other < 8; other++) sum += sums[other][lane];
    a.parts[blockIdx.z * a.partStride + (int64)tap * shape.oc + channel] = sum;
}
