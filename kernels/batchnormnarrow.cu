// Batch normalization where rows [rows, n] are few enough (up to 2048) for a block to hold all of eight neighboring channels, 32 bytes of each row: one
// launch each way, which reads everything once. Forward makes mean, scale, running statistics and y, 8 bytes per element, 12 with a residual; backward
// masks dY by the sign of y, sums, and makes dWeight, dBias (=|+=) and dX (=|+=), 12 bytes per element, 4 more for each of y, a masked dY that the residual
// takes, and a dX that adds. Definitions are those of batchnorm.cu, which takes two launches each way for any number of rows. Two threads share a row's eight
// channels; sums go pairwise across a warp's rows, then across the warps.
#include "batchnorm.cuh"

#define CHANNELS 8
#define ITEMS 8
#define MOST_THREADS 512

struct NarrowArguments {
    const float* x;
    float* mean;              // [n]; read by backward, as scale
    float* scale;
    const float* weight;      // or null
    const float* bias;        // or null
    const float* residual;    // or null
    float* y;                 // in backward what masks dY, or null
    const float* running[2];  // mean and variance, or null
    float* updated[2];
    float* dY;
    float* dX;                // or null
    float* dWeight;           // or null
    float* dBias;             // or null
    int rows;
    int n;
    float eps;
    float momentum;
    int relu;
    int keepMasked;           // dY is written where it is masked
    int accumulate;
    int accumulateWeight;
    int accumulateBias;
    int unused;
};

// The thread's rows and channels.
struct NarrowStrip {
    int lane, lanes, channel, rows, n;

    DEVICE NarrowStrip(const NarrowArguments& a)
        : lane(threadIdx.x >> 1), lanes(blockDim.x >> 1), channel(blockIdx.x * CHANNELS + (threadIdx.x & 1) * 4), rows(a.rows), n(a.n) {}

    // Where a thread has no row (k = 0), it reads nothing that belongs to channels either: few rows would not outweigh that.
    DEVICE bool holds(int k) const { return lane + k * lanes < rows; }
    DEVICE int64 at(int k) const { return (int64)(lane + k * lanes) * n + channel; }
};

DEVICE void loadValues(float* values, const float* source) {
    float4 v = loadFour(source);
    values[0] = v.x, values[1] = v.y, values[2] = v.z, values[3] = v.w;
}

DEVICE void loadChannel(float* values, const float* source, int channel, float otherwise) {
    if (source) {
        loadValues(values, source + channel);
    } else {
        values[0] = values[1] = values[2] = values[3] = otherwise;
    }
}

// The sums over all rows, in every thread: for its four channels.
DEVICE void sumOverRows(float* values) {
    __shared__ float parts[CHANNELS * 33];
    __shared__ __align__(16) float totals[CHANNELS];
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
#pragma unroll
    for (int j = 0; j < 4; j++) {
#pragma unroll
        for (int lanes = 2; lanes < 32; lanes <<= 1) values[j] += __shfl_xor_sync(0xffffffff, values[j], lanes);
    }
    if (lane < 2) {
#pragma unroll
        for (int j = 0; j < 4; j++) parts[(lane * 4 + j) * 33 + warp] = values[j];
    }
    __syncthreads();
    if (warp < CHANNELS) {
        float total = warpSum(lane < (int)blockDim.x >> 5 ? parts[warp * 33 + lane] : 0.0f);
        if (lane == 0) totals[warp] = total;
    }
    __syncthreads();
    loadValues(values, totals + (lane & 1) * 4);
}

KERNEL void __launch_bounds__(MOST_THREADS) batchnormnarrow_forward(NarrowArguments a) {
    NarrowStrip strip(a);
    float x[ITEMS][4], mean[4] = {0, 0, 0, 0}, scale[4] = {0, 0, 0, 0}, weight[4], bias[4];
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        if (!strip.holds(k)) continue;
        loadValues(x[k], a.x + strip.at(k));
#pragma unroll
        for (int j = 0; j < 4; j++) mean[j] += x[k][j];
    }
    sumOverRows(mean);
#pragma unroll
    for (int j = 0; j < 4; j++) mean[j] /= strip.rows;
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        if (!strip.holds(k)) continue;
#pragma unroll
        for (int j = 0; j < 4; j++) scale[j] = multiplyAdd(x[k][j] - mean[j], x[k][j] - mean[j], scale[j]);
    }
    sumOverRows(scale);
    loadChannel(weight, strip.holds(0) ? a.weight : nullptr, strip.channel, 1);
    loadChannel(bias, strip.holds(0) ? a.bias : nullptr, strip.channel, 0);
#pragma unroll
    for (int j = 0; j < 4; j++) {
        float squares = scale[j];
        scale[j] = 1.0f / squareRoot(squares / strip.rows + a.eps);
        if (strip.lane == 0 && a.running[0]) {
            updateRunning(a.running, a.updated, strip.channel + j, a.momentum, strip.rows, mean[j], squares);
        }
    }
    if (strip.lane == 0) {
        storeFour(a.mean + strip.channel, mean[0], mean[1], mean[2], mean[3]);
        storeFour(a.scale + strip.channel, scale[0], scale[1], scale[2], scale[3]);
    }
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        if (!strip.holds(k)) continue;
        float residual[4], y[4];
        if (a.residual) loadValues(residual, a.residual + strip.at(k));
#pragma unroll
        for (int j = 0; j < 4; j++) {
            y[j] = finished(x[k][j], mean[j], scale[j], weight[j], bias[j], a.residual ? residual : nullptr, j, a.relu);
        }
        storeFour(a.y + strip.at(k), y[0], y[1], y[2], y[3]);
    }
}

KERNEL void __launch_bounds__(MOST_THREADS) batchnormnarrow_backward(NarrowArguments a) {
    NarrowStrip strip(a);
    float x[ITEMS][4], dY[ITEMS][4], mean[4], scale[4], weight[4], sum[4] = {0, 0, 0, 0}, product[4] = {0, 0, 0, 0};
    loadChannel(mean, strip.holds(0) ? a.mean : nullptr, strip.channel, 0);
    loadChannel(scale, strip.holds(0) ? a.scale : nullptr, strip.channel, 1);
    loadChannel(weight, strip.holds(0) ? a.weight : nullptr, strip.channel, 1);
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        if (!strip.holds(k)) continue;
        loadValues(x[k], a.x + strip.at(k));
        loadValues(dY[k], a.dY + strip.at(k));
        if (a.y) {
            float y[4];
            loadValues(y, a.y + strip.at(k));
#pragma unroll
            for (int j = 0; j < 4; j++) dY[k][j] = 0.0f >= y[j] ? 0.0f : dY[k][j];
            if (a.keepMasked) storeFour(a.dY + strip.at(k), dY[k][0], dY[k][1], dY[k][2], dY[k][3]);
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
            x[k][j] = (x[k][j] - mean[j]) * scale[j];
            sum[j] += dY[k][j];
            product[j] = multiplyAdd(dY[k][j], x[k][j], product[j]);
        }
    }
    sumOverRows(sum);
    sumOverRows(product);
    if (strip.lane == 0) {
        if (a.dBias) putFour(a.dBias + strip.channel, sum[0], sum[1], sum[2], sum[3], a.accumulateBias);
        if (a.dWeight) putFour(a.dWeight + strip.channel, product[0], product[1], product[2], product[3], a.accumulateWeight);
    }
    if (!a.dX) return;
#pragma unroll
    for (int j = 0; j < 4; j++) {
        float factor = weight[j] / strip.rows;
        sum[j] *= factor;
        product[j] *= factor;
    }
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        if (!strip.holds(k)) continue;
        float dX[4];
#pragma unroll
        for (int j = 0; j < 4; j++) dX[j] = scale[j] * (dY[k][j] * weight[j] - multiplyAdd(x[k][j], product[j], sum[j]));
        putFour(a.dX + strip.at(k), dX[0], dX[1], dX[2], dX[3], a.accumulate);
    }
}
