// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.
#pragma once
#include "functions.cuh"

// (x - target)^2.
struct SquaredError {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars) {
        float v0 = x - t;
        return v0 * v0;
    }
    static DEVICE float slope(float x, float t, float, Scalars) {
        float v0 = x - t;
        return v0 + v0;
    }
};

// -(t log x + (1 - t) log(1 - x)), each logarithm at least -100.
struct ProbabilityLoss {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars) {
        float v0 = 1.0f - x;
        float v1 = 1.0f - v0;
        return (t - 1.0f) * larger(-100.0f, 0.0f >= v1 ? -x : logarithm(v0) * (x / v1)) - t * larger(-100.0f, logarithm(x));
    }
    static DEVICE float slope(float x, float t, float, Scalars) { return (x - t) / larger(1E-12f, x * (1.0f - x)); }
};

// t log(1 + exp(-x)) + (1 - t) log(1 + exp(x)).
struct LogitLoss {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, -absolute(x)));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        float v5 = 1.0f + v4;
        float v6 = v5 - 1.0f;
        float v7 = 0.0f >= v6 ? v4 : logarithm(v5) * (v4 / v6);
        return t * (v7 + larger(0.0f, -x)) + (1.0f - t) * (v7 + larger(0.0f, x));
    }
    static DEVICE float slope(float x, float t, float, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, -x));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return 1.0f / (1.0f + v4) - t;
    }
};

// p t log(1 + exp(-x)) + (1 - t) log(1 + exp(x)), p the weight of the positive class.
struct WeightedLogitLoss {
    static constexpr bool TAKES_POSITIVE_WEIGHT = true;
    static DEVICE float value(float x, float t, float p, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, -absolute(x)));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        float v5 = 1.0f + v4;
        float v6 = v5 - 1.0f;
        float v7 = 0.0f >= v6 ? v4 : logarithm(v5) * (v4 / v6);
        return t * (v7 + larger(0.0f, -x)) * p + (1.0f - t) * (v7 + larger(0.0f, x));
    }
    static DEVICE float slope(float x, float t, float p, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, -(-x)));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return 1.0f - t - multiplyAdd(p - 1.0f, t, 1.0f) * (1.0f / (1.0f + v4));
    }
};

// |x - target|; its slope at 0 is 0.
struct AbsoluteError {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars) { return absolute(x - t); }
    static DEVICE float slope(float x, float t, float, Scalars) {
        float v0 = x - t;
        return v0 > 0.0f ? 1.0f : 0.0f > v0 ? -1.0f : v0;
    }
};

// e^2 / 2 for e = x - target up to delta, then a line of slope delta.
struct HuberError {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars s) {
        float v0 = absolute(x - t);
        float v1 = smaller(s.a, v0);
        return v1 * v1 * 0.5f + s.a * (v0 - v1);
    }
    static DEVICE float slope(float x, float t, float, Scalars s) { return larger(-s.a, smaller(s.a, x - t)); }
};

// e^2 / (2 beta) for e = x - target up to beta, then |e| - beta / 2.
struct SmoothAbsoluteError {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars s) {
        float v0 = absolute(x - t);
        float v1 = smaller(s.a, v0);
        return v1 * v1 * 0.5f / s.a + (v0 - v1);
    }
    static DEVICE float slope(float x, float t, float, Scalars s) { return larger(-1.0f, smaller(1.0f, (x - t) / s.a)); }
};

// x for a target of 1, max(0, margin - x) for -1.
struct HingeError {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars s) { return t > 0.0f ? x : larger(0.0f, s.a - x); }
    static DEVICE float slope(float x, float t, float, Scalars s) { return t > 0.0f ? 1.0f : x >= s.a ? 0.0f : -1.0f; }
};

// t (log t - x), 0 where t is.
struct Divergence {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars) {
        float v0 = t * (logarithm(t) - x);
        return t >= 0.0f ? (0.0f >= t ? -(t * x) : v0) : v0;
    }
    static DEVICE float slope(float, float t, float, Scalars) { return -t; }
};

// exp(t) (t - x).
struct LogDivergence {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, t));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return v4 * (t - x);
    }
    static DEVICE float slope(float, float t, float, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, t));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return -v4;
    }
};

// F(last part of the kernels' names, loss).
#define LOSS_FUNCTIONS(F) \
    F(squarederror, SquaredError) \
    F(probabilityloss, ProbabilityLoss) \
    F(logitloss, LogitLoss) \
    F(weightedlogitloss, WeightedLogitLoss) \
    F(absoluteerror, AbsoluteError) \
    F(hubererror, HuberError) \
    F(smoothabsoluteerror, SmoothAbsoluteError) \
    F(hingeerror, HingeError) \
    F(divergence, Divergence) \
    F(logdivergence, LogDivergence)
