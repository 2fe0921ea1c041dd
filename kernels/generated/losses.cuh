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

// max(0, margin - t x) for a target t of 1 or -1.
struct MarginError {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars s) { return larger(0.0f, s.a - t * x); }
    static DEVICE float slope(float x, float t, float, Scalars s) { return t * x > s.a ? 0.0f : -t; }
};

// 1 - x for a target of 1, max(0, x - margin) for -1.
struct CosineError {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars s) { return t > 0.0f ? 1.0f - x : larger(0.0f, x - s.a); }
    static DEVICE float slope(float x, float t, float, Scalars s) { return t > 0.0f ? -1.0f : s.a > x ? 0.0f : 1.0f; }
};

// w q^gamma times the binary cross-entropy, q the probability of what the target is not.
struct FocalError {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars s) {
        float v0 = 1.0f - t;
        float v1 = -x;
        float v2 = smaller(89.0f, larger(-104.5f, v1));
        float v3 = nearestInteger(v2 * 1.442695f);
        float v4 = multiplyAdd(v3, 0.00021219444f, multiplyAdd(v3, -0.6933594f, v2));
        float v5 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v4, 0.0013981999f), v4, 0.008333452f), v4, 0.041665796f);
        float v6 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v5, v4, 0.16666666f), v4, 0.5f), v4 * v4, v4) + 1.0f, v3);
        float v7 = smaller(89.0f, larger(-104.5f, -v1));
        float v8 = nearestInteger(v7 * 1.442695f);
        float v9 = multiplyAdd(v8, 0.00021219444f, multiplyAdd(v8, -0.6933594f, v7));
        float v10 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v9, 0.0013981999f), v9, 0.008333452f), v9, 0.041665796f);
        float v11 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v10, v9, 0.16666666f), v9, 0.5f), v9 * v9, v9) + 1.0f, v8);
        float v12 = larger(-104.5f, s.a * logarithm(larger(1.1754944E-38f, 1.0f / (1.0f + v6) * v0 + 1.0f / (1.0f + v11) * t)));
        float v13 = smaller(89.0f, v12);
        float v14 = nearestInteger(v13 * 1.442695f);
        float v15 = multiplyAdd(v14, 0.00021219444f, multiplyAdd(v14, -0.6933594f, v13));
        float v16 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v15, 0.0013981999f), v15, 0.008333452f), v15, 0.041665796f);
        float v17 = multiplyAdd(multiplyAdd(multiplyAdd(v16, v15, 0.16666666f), v15, 0.5f), v15 * v15, v15) + 1.0f;
        float v18 = smaller(89.0f, larger(-104.5f, -absolute(x)));
        float v19 = nearestInteger(v18 * 1.442695f);
        float v20 = multiplyAdd(v19, 0.00021219444f, multiplyAdd(v19, -0.6933594f, v18));
        float v21 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v20, 0.0013981999f), v20, 0.008333452f), v20, 0.041665796f);
        float v22 = multiplyAdd(multiplyAdd(multiplyAdd(v21, v20, 0.16666666f), v20, 0.5f), v20 * v20, v20) + 1.0f;
        float v23 = scaleByPowerOfTwo(v22, v19);
        float v24 = 1.0f + v23;
        float v25 = v24 - 1.0f;
        float v26 = 0.0f >= v25 ? v23 : logarithm(v24) * (v23 / v25);
        return (t * s.b + v0 * s.c) * scaleByPowerOfTwo(v17, v14) * (t * (v26 + larger(0.0f, v1)) + v0 * (v26 + larger(0.0f, x)));
    }
    static DEVICE float slope(float x, float t, float, Scalars s) {
        float v0 = 1.0f - t;
        float v1 = -x;
        float v2 = smaller(89.0f, larger(-104.5f, v1));
        float v3 = nearestInteger(v2 * 1.442695f);
        float v4 = multiplyAdd(v3, 0.00021219444f, multiplyAdd(v3, -0.6933594f, v2));
        float v5 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v4, 0.0013981999f), v4, 0.008333452f), v4, 0.041665796f);
        float v6 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v5, v4, 0.16666666f), v4, 0.5f), v4 * v4, v4) + 1.0f, v3);
        float v7 = 1.0f / (1.0f + v6);
        float v8 = smaller(89.0f, larger(-104.5f, -v1));
        float v9 = nearestInteger(v8 * 1.442695f);
        float v10 = multiplyAdd(v9, 0.00021219444f, multiplyAdd(v9, -0.6933594f, v8));
        float v11 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v10, 0.0013981999f), v10, 0.008333452f), v10, 0.041665796f);
        float v12 = multiplyAdd(multiplyAdd(multiplyAdd(v11, v10, 0.16666666f), v10, 0.5f), v10 * v10, v10) + 1.0f;
        float v13 = 1.0f / (1.0f + scaleByPowerOfTwo(v12, v9));
        float v14 = larger(1.1754944E-38f, v7 * v0 + v13 * t);
        float v15 = smaller(89.0f, larger(-104.5f, s.a * logarithm(v14)));
        float v16 = nearestInteger(v15 * 1.442695f);
        float v17 = multiplyAdd(v16, 0.00021219444f, multiplyAdd(v16, -0.6933594f, v15));
        float v18 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v17, 0.0013981999f), v17, 0.008333452f), v17, 0.041665796f);
        float v19 = multiplyAdd(multiplyAdd(multiplyAdd(v18, v17, 0.16666666f), v17, 0.5f), v17 * v17, v17) + 1.0f;
        float v20 = smaller(89.0f, larger(-104.5f, -absolute(x)));
        float v21 = nearestInteger(v20 * 1.442695f);
        float v22 = multiplyAdd(v21, 0.00021219444f, multiplyAdd(v21, -0.6933594f, v20));
        float v23 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v22, 0.0013981999f), v22, 0.008333452f), v22, 0.041665796f);
        float v24 = multiplyAdd(multiplyAdd(multiplyAdd(v23, v22, 0.16666666f), v22, 0.5f), v22 * v22, v22) + 1.0f;
        float v25 = scaleByPowerOfTwo(v24, v21);
        float v26 = 1.0f + v25;
        float v27 = v26 - 1.0f;
        float v28 = 0.0f >= v27 ? v25 : logarithm(v26) * (v25 / v27);
        float v29 = s.a * (v7 * v13 / v14) * (1.0f - (t + t)) * (t * (v28 + larger(0.0f, v1)) + v0 * (v28 + larger(0.0f, x)));
        return (t * s.b + v0 * s.c) * scaleByPowerOfTwo(v19, v16) * (v7 - t + v29);
    }
};

// exp(x) - t x, and Stirling's approximation of log t! for t above 1 where asked for.
struct LogPoissonError {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars s) {
        float v0 = smaller(89.0f, larger(-104.5f, x));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        float v5 = larger(1.0f, t);
        return v4 - t * x + s.a * (t > 1.0f ? (v5 + 0.5f) * logarithm(v5) - v5 + 0.9189385f : 0.0f);
    }
    static DEVICE float slope(float x, float t, float, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, x));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return v4 - t;
    }
};

// x - t log(x + epsilon), and Stirling's approximation of log t! for t above 1 where asked for.
struct PoissonError {
    static constexpr bool TAKES_POSITIVE_WEIGHT = false;
    static DEVICE float value(float x, float t, float, Scalars s) {
        float v0 = larger(1.0f, t);
        return x - t * logarithm(x + s.b) + s.a * (t > 1.0f ? (v0 + 0.5f) * logarithm(v0) - v0 + 0.9189385f : 0.0f);
    }
    static DEVICE float slope(float x, float t, float, Scalars s) { return 1.0f - t / (x + s.b); }
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
    F(logdivergence, LogDivergence) \
    F(marginerror, MarginError) \
    F(cosineerror, CosineError) \
    F(focalerror, FocalError) \
    F(logpoissonerror, LogPoissonError) \
    F(poissonerror, PoissonError)
