// Normalizations along any axes (Kernels/Normalization.cs): forward y = (x - mean) scale weight + bias, 8 bytes moved per element; products for the
// sums of backward, 12 or 16; backward dX (=|+=) scale (dY weight - sum / n - normalized product / n), 12 or 16. Statistics and parameters are found by
// the axes and stay in the caches. A thread per element.
#include "elements.cuh"
#include "strides.cuh"

struct ScaleArguments {
    const float* variance;
    float* scale;
    int64 count;
    float eps;
    int unused;
};

struct RunningArguments {
    const float* running;
    const float* batch;
    float* updated;
    int64 count;
    float momentum;
    float factor;
};

struct NormalizationArguments {
    const float* x;
    const float* mean;
    const float* scale;
    const float* weight;   // or null
    const float* bias;     // or null
    const float* dY;
    const float* sum;      // or null
    const float* product;
    float* y;              // forward y, products, backward dX
    float* weighted;       // or null
    StridedAxes axes;      // x, statistics, parameters
    int count;
    float inverseCount;
    int accumulate;
    int unused;
};

KERNEL void normalization_scale(ScaleArguments a) {
    float eps = a.eps;
    mapElements(a.variance, a.scale, a.count, false, [=](float x) { return 1.0f / squareRoot(x + eps); });
}

KERNEL void normalization_running(RunningArguments a) {
    float momentum = a.momentum, factor = a.factor;
    mapElements(a.running, a.batch, a.updated, a.count, false, [=](float running, float batch) {
        return multiplyAdd(1.0f - momentum, running, momentum * factor * batch);
    });
}

KERNEL void normalization_forward(NormalizationArguments a) {
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    int64 first, s, p;
    locate(a.axes, i, first, s, p);
    float normalized = (a.x[i] - a.mean[s]) * a.scale[s];
    a.y[i] = multiplyAdd(normalized, a.weight ? a.weight[p] : 1.0f, a.bias ? a.bias[p] : 0.0f);
}

KERNEL void normalization_products(NormalizationArguments a) {
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    int64 first, s, p;
    locate(a.axes, i, first, s, p);
    float given = a.dY[i];
    if (a.weighted) {
        given *= a.weight ? a.weight[p] : 1.0f;
        a.weighted[i] = given;
    }
    a.y[i] = given * ((a.x[i] - a.mean[s]) * a.scale[s]);
}

KERNEL void normalization_backward(NormalizationArguments a) {
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    int64 first, s, p;
    locate(a.axes, i, first, s, p);
    float given = a.dY[i] * (a.weight ? a.weight[p] : 1.0f), scale = a.scale[s];
    if (a.sum) given -= a.inverseCount * multiplyAdd((a.x[i] - a.mean[s]) * scale, a.product[s], a.sum[s]);
    put(a.y + i, scale * given, a.accumulate);
}
