// What kernels of batch normalization share: y of an element, and the running statistics of a channel.
#pragma once
#include "sums.cuh"

// y of one element.
DEVICE float finished(float x, float mean, float scale, float weight, float bias, const float* residual, int j, bool relu) {
    float y = multiplyAdd((x - mean) * scale, weight, bias);
    if (residual) y += residual[j];
    return relu && 0.0f > y ? 0.0f : y;
}

// Mean and variance with a batch's in them: updated = (1 - momentum) running + momentum batch, of the variance the unbiased one.
DEVICE void updateRunning(
    const float* const* running, float* const* updated, int channel, float momentum, double terms, double mean, double squares) {
    updated[0][channel] = multiplyAdd(1.0f - momentum, running[0][channel], momentum * (float)mean);
    updated[1][channel] = multiplyAdd(1.0f - momentum, running[1][channel], momentum * (float)(squares / (terms - 1.0)));
}
