// What the kernels of convolutions share: the geometry, and where patches of the image lie, as sources of tiles.cuh.
#pragma once
#include "tiles.cuh"

// Conv2D.cs makes it from Conv2DGeometry.
struct ConvolutionAxis {
    int input;
    int output;
    int taps;
    int stride;
    int dilation;
    int padding;  // before
    // Backward data: inputs of one phase, those congruent modulo the stride, meet every tapStep-th tap, and from one of these taps to
    // the next the output moves by outputStep.
    int tapStep;
    int outputStep;
    Divisor byOutput;
    Divisor byStride;
};

struct ConvolutionShape {
    ConvolutionAxis y;
    ConvolutionAxis x;
    Divisor byGroupC;
    Divisor byGroupOC;
    Divisor byOC;
    Divisor byC;
    int n;
    int c;
    int oc;
    int groupC;
    int groupOC;
    int pixels;  // n * y.output * x.output
    // One tap of the depth of a convolution in three dimensions (DepthTap.cs): of depthSamples samples, 0 for none, sample i meets image
    // depthStart + i * depthStep of depthImages.
    int depthSamples;
    int depthImages;
    int depthStart;
    int depthStep;
    int unused;
    Divisor byDepthSamples;
};

// The image that a sample meets; negative: none.
DEVICE int imageOf(const ConvolutionShape& shape, int sample) {
    if (shape.depthSamples == 0) return sample;
    int n = split(sample, shape.byDepthSamples), image = shape.depthStart + sample * shape.depthStep;
    return (uint32)image < (uint32)shape.depthImages ? n * shape.depthImages + image : OUTSIDE;
}

// The pixels of an output as places in the input: of the window's first tap, for channel 0 of the group.
DEVICE Place windowOf(const ConvolutionShape& shape, int pixel, int group) {
    int column = pixel;
    int row = split(column, shape.x.byOutput);
    int image = imageOf(shape, split(row, shape.y.byOutput));
    int y = row * shape.y.stride - shape.y.padding, x = column * shape.x.stride - shape.x.padding;
    return Place{((image * shape.y.input + y) * shape.x.input + x) * shape.c + group * shape.groupC, image < 0 ? OUTSIDE : y, x, 0};
}

// Rows of sums to y = f(sums + bias), or f(y + sums + bias). rowOf(i) is where row i begins, null for none.
template <class T, class RowOf>
DEVICE void storeSums(Sums<T>& sums, const Epilogue& epilogue, int firstColumn, int columns, bool vector, bool accumulate, RowOf rowOf) {
    int thread = threadIdx.x;
    if (accumulate && (epilogue.bias || epilogue.function)) {
#pragma unroll
        for (int i = 0; i < T::TM; i++) {
            const float* y = rowOf(i);
#pragma unroll
            for (int j = 0; j < T::TN; j++) {
                int column = firstColumn + Sums<T>::column(thread, j / 4) + j % 4;
                if (y && column < columns) sums.values[i][j] += y[column];
            }
        }
        accumulate = false;
    }
    finishSums(sums, epilogue, thread, firstColumn, columns);
#pragma unroll
    for (int i = 0; i < T::TM; i++) {
        float* y = rowOf(i);
        if (!y) continue;
#pragma unroll
        for (int quad = 0; quad < T::TN / 4; quad++) {
            putSums(y, sums.values[i] + 4 * quad, firstColumn + Sums<T>::column(thread, quad), columns, vector, accumulate);
        }
    }
}

// Taps of a window, or of a phase of it, as places relative to the first: tap (i, j) lies i * yStep and j * xStep further, and has
// some channels. The two-dimensional index comes by a reciprocal, exact up to 2^20 taps.
struct Taps {
    Divisor byChannels;
    int count;    // of elements: taps * channels
    int columns;  // of taps
    float perColumn;
    int yStep, xStep;
    int width;        // of the image
    int pixelStride;  // in elements

    DEVICE void find(int element, int& i, int& j, int& channel) const {
        channel = element;
        int tap = split(channel, byChannels);
        i = (int)(((float)tap + 0.5f) * perColumn);
        j = tap - i * columns;
    }

    DEVICE Place at(int element) const {
        int i, j, channel;
        find(element, i, j, channel);
        int y = i * yStep, x = j * xStep;
        return Place{(y * width + x) * pixelStride + channel, element < count ? y : OUTSIDE, x, 0};
    }
};

DEVICE Taps tapsOf(const ConvolutionShape& shape) {
    return Taps{shape.byGroupC, shape.y.taps * shape.x.taps * shape.groupC, shape.x.taps, 1.0f / (float)shape.x.taps, shape.y.dilation,
        shape.x.dilation, shape.x.input, shape.c};
}

// Rows: pixels, from a table in shared memory; steps: the elements of their windows.
struct WindowRows {
    Image image;
    const Place* table;
    Taps taps;
    bool vector;

    DEVICE Place row(int r) const { return table[r]; }

    DEVICE Place step(int k) const { return taps.at(k); }
};

// Rows: elements of the window, from a table, which has only every fourth of them where they go in fours, so that neighbouring lanes
// read neighbouring entries; steps: pixels up to an end.
struct WindowColumns {
    Image image;
    const Place* table;
    const ConvolutionShape& shape;
    int group;
    int end;
    bool vector;

    DEVICE Place row(int r) const { return table[vector ? r >> 2 : r]; }

    DEVICE Place step(int pixel) const {
        Place place = windowOf(shape, pixel, group);
        place.y = pixel < end ? place.y : OUTSIDE;
        return place;
    }
};

// Rows: the input channels of the filter, from the group's first output channel on; steps: (tap of a phase, output channel).
struct FilterRows {
    Image image;
    Taps taps;
    int firstChannel;
    int channels;
    int oc;
    int firstY, firstX;  // the phase's first tap
    int stepY, stepX;    // from one of its taps to the next
    int columns;         // taps of the whole filter's row
    bool vector;

    DEVICE Place row(int r) const {
        r += firstChannel;
        return Place{r * oc, r < channels ? 0 : OUTSIDE, 0, 0};
    }

    DEVICE Place step(int k) const {
        int i, j, channel;
        taps.find(k, i, j, channel);
        int tap = (firstY + i * stepY) * columns + firstX + j * stepX;
        return Place{tap * channels * oc + channel, k < taps.count ? 0 : OUTSIDE, 0, 0};
    }
};

// One axis of a phase of the backward pass: the inputs phase + i * stride, for which some taps lead to outputs.
struct Phase {
    int inputs;
    int firstTap;
    int taps;
    int output;  // of input 0 of the phase by the first tap

    DEVICE Phase(const ConvolutionAxis& axis, int phase) {
        inputs = phase < axis.input ? (axis.input - 1 - phase) / axis.stride + 1 : 0;
        int padded = phase + axis.padding;
        // Taps whose distance is a multiple of the stride recur every tapStep taps, so one of the first tapStep is the first of them.
        for (firstTap = 0; firstTap < axis.tapStep; firstTap++) {
            int distance = padded - firstTap * axis.dilation;
            output = distance / axis.stride;
            if (output * axis.stride == distance) break;
        }
        taps = firstTap < axis.tapStep && firstTap < axis.taps ? (axis.taps - 1 - firstTap) / axis.tapStep + 1 : 0;
    }
};
