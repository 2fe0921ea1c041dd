// Activations as functions of one element, for kernels of their own and behind products: y = f(x), and dX = dY f' from x or y as
// ActivationTraits.DerivativeFromOutput says. NaN stays NaN.
#pragma once
#include "math.cuh"

// Kernels/Activation.cs
enum Activation { None, ReLU, LeakyReLU, Sigmoid, Tanh, Gelu, GeluTanh };

// max(0, x).
DEVICE float relu(float x) { return x < 0.0f ? 0.0f : x; }

// From x or y; dY passes where y is NaN, as in PyTorch.
DEVICE float reluGradient(float y, float dY) { return y <= 0.0f ? 0.0f : dY; }

DEVICE float leakyRelu(float slope, float x) { return x > 0.0f ? x : x * slope; }

// From x, or from y where the slope is positive, as both have the same sign then.
DEVICE float leakyReluGradient(float slope, float y, float dY) { return y > 0.0f ? dY : dY * slope; }

DEVICE float sigmoidGradient(float y, float dY) { return dY * (y * (1.0f - y)); }

// dY (1 - y^2), written so that nothing cancels near |y| = 1.
DEVICE float tanhGradient(float y, float dY) { return dY * ((1.0f - y) * (1.0f + y)); }

// x Phi(x); 0 for large negative x, also for -infinity, where the product would be NaN.
DEVICE float gelu(float x) {
    float density;
    return larger(-15.0f, x) * normalDistribution(x, density);
}

// dY (Phi(x) + x phi(x)), phi the normal density.
DEVICE float geluGradient(float x, float dY) {
    float density;
    float distribution = normalDistribution(x, density);
    float near = smaller(15.0f, larger(-15.0f, x));
    return dY * multiplyAdd(near * 0.398942280401f, density, distribution);
}

// x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3), computed as x sigmoid(2u): the same, with one exponential and without
// cancellation for negative x. 2u and its derivative by x:
DEVICE float geluGate(float x) { return x * multiplyAdd(x * x, 0.0713548162726f, 1.59576912161f); }
DEVICE float geluGateSlope(float x) { return multiplyAdd(x * x, 3 * 0.0713548162726f, 1.59576912161f); }

DEVICE float geluTanh(float x) {
    float near = larger(-15.0f, x);
    return near * sigmoid(geluGate(near));
}

// dY (s + x s (1 - s) d(2u)/dx) with s = sigmoid(2u).
DEVICE float geluTanhGradient(float x, float dY) {
    // At 15 the gate is 0 or 1 to the last bit, so the limit changes nothing but infinities.
    float near = smaller(15.0f, larger(-15.0f, x));
    float argument = geluGate(near);

    // s and 1 - s each from the exponential that does not overflow, so that their product does not cancel.
    float e = exponential(-absolute(argument));
    float most = 1.0f / (1.0f + e), least = e * most;
    float gate = argument > 0.0f ? most : least;
    return dY * multiplyAdd(most * least, near * geluGateSlope(near), gate);
}

// f chosen at run time: the same for all threads of a launch.
DEVICE float activate(int activation, float slope, float x) {
    switch (activation) {
        case ReLU:
            return relu(x);
        case LeakyReLU:
            return leakyRelu(slope, x);
        case Sigmoid:
            return sigmoid(x);
        case Tanh:
            return hyperbolicTangent(x);
        case Gelu:
            return gelu(x);
        case GeluTanh:
            return geluTanh(x);
        default:
            return x;
    }
}
