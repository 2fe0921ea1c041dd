// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.
#pragma once
#include "functions.cuh"

// max(0, x); its derivative at 0 is 0, as in PyTorch.
struct Relu {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) { return 0.0f > x ? 0.0f : x; }
    static DEVICE float gradient(float y, float dY, Scalars) { return 0.0f >= y ? 0.0f : dY; }
};

// x for x > 0, else slope * x.
struct LeakyRelu {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars s) { return x > 0.0f ? x : x * s.a; }
    static DEVICE float gradient(float y, float dY, Scalars s) { return y > 0.0f ? dY : dY * s.a; }
};

// 1 / (1 + exp(-x)).
struct Sigmoid {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, -x));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return 1.0f / (1.0f + v4);
    }
    static DEVICE float gradient(float y, float dY, Scalars) { return dY * (y * (1.0f - y)); }
};

// The hyperbolic tangent.
struct Tanh {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = absolute(x);
        float v1 = smaller(89.0f, larger(-104.5f, v0 + v0));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        float v6 = 1.0f - 2.0f / (v5 + 1.0f);
        float v7 = x * x;
        float v8 = multiplyAdd(multiplyAdd(multiplyAdd(-0.0057049887f, v7, 0.020639088f), v7, -0.053739715f), v7, 0.13331442f);
        return v0 >= 0.625f ? (0.0f > x ? -v6 : v6) : multiplyAdd(multiplyAdd(v8, v7, -0.3333328f) * v7, x, x);
    }
    static DEVICE float gradient(float y, float dY, Scalars) { return dY * ((1.0f - y) * (1.0f + y)); }
};

// x * Phi(x) with the exact Gaussian distribution function (Hendrycks and Gimpel, 2016).
struct Gelu {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = smaller(15.0f, absolute(x));
        float v1 = v0 * v0;
        float v2 = smaller(89.0f, larger(-104.5f, -0.5f * v1));
        float v3 = nearestInteger(v2 * 1.442695f);
        float v4 = multiplyAdd(v3, 0.00021219444f, multiplyAdd(v3, -0.6933594f, v2));
        float v5 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v4, 0.0013981999f), v4, 0.008333452f), v4, 0.041665796f);
        float v6 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v5, v4, 0.16666666f), v4, 0.5f), v4 * v4, v4) + 1.0f, v3);
        float v7 = 1.0f / multiplyAdd(0.3f, v0, 1.0f);
        float v8 = multiplyAdd(multiplyAdd(multiplyAdd(-0.02098467f, v7, 0.114402115f), v7, -0.23283549f), v7, 0.19792165f);
        float v9 = multiplyAdd(multiplyAdd(multiplyAdd(v8, v7, -0.084481284f), v7, 0.09883084f), v7, 0.07748577f);
        float v10 = multiplyAdd(multiplyAdd(multiplyAdd(v9, v7, 0.1104232f), v7, 0.11955012f), v7, 0.11968775f);
        float v11 = multiplyAdd(v6, -0.5f * multiplyAdd(v0, v0, -v1), v6) * (v10 * v7);
        return larger(-15.0f, x) * (x > 0.0f ? 1.0f - v11 : v11);
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = smaller(15.0f, absolute(x));
        float v1 = v0 * v0;
        float v2 = smaller(89.0f, larger(-104.5f, -0.5f * v1));
        float v3 = nearestInteger(v2 * 1.442695f);
        float v4 = multiplyAdd(v3, 0.00021219444f, multiplyAdd(v3, -0.6933594f, v2));
        float v5 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v4, 0.0013981999f), v4, 0.008333452f), v4, 0.041665796f);
        float v6 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v5, v4, 0.16666666f), v4, 0.5f), v4 * v4, v4) + 1.0f, v3);
        float v7 = multiplyAdd(v6, -0.5f * multiplyAdd(v0, v0, -v1), v6);
        float v8 = 1.0f / multiplyAdd(0.3f, v0, 1.0f);
        float v9 = multiplyAdd(multiplyAdd(multiplyAdd(-0.02098467f, v8, 0.114402115f), v8, -0.23283549f), v8, 0.19792165f);
        float v10 = multiplyAdd(multiplyAdd(multiplyAdd(v9, v8, -0.084481284f), v8, 0.09883084f), v8, 0.07748577f);
        float v11 = multiplyAdd(multiplyAdd(multiplyAdd(v10, v8, 0.1104232f), v8, 0.11955012f), v8, 0.11968775f);
        float v12 = v7 * (v11 * v8);
        float v13 = multiplyAdd(smaller(15.0f, larger(-15.0f, x)) * 0.3989423f, v7, x > 0.0f ? 1.0f - v12 : v12);
        return dY * v13;
    }
};

// GELU by its tanh approximation (Hendrycks and Gimpel, 2016).
struct GeluTanh {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = larger(-15.0f, x);
        float v1 = smaller(89.0f, larger(-104.5f, -(v0 * multiplyAdd(v0 * v0, 0.071354814f, 1.5957692f))));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        return v0 * (1.0f / (1.0f + v5));
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = smaller(15.0f, larger(-15.0f, x));
        float v1 = v0 * v0;
        float v2 = v0 * multiplyAdd(v1, 0.071354814f, 1.5957692f);
        float v3 = smaller(89.0f, larger(-104.5f, -absolute(v2)));
        float v4 = nearestInteger(v3 * 1.442695f);
        float v5 = multiplyAdd(v4, 0.00021219444f, multiplyAdd(v4, -0.6933594f, v3));
        float v6 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v5, 0.0013981999f), v5, 0.008333452f), v5, 0.041665796f);
        float v7 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v6, v5, 0.16666666f), v5, 0.5f), v5 * v5, v5) + 1.0f, v4);
        float v8 = 1.0f / (1.0f + v7);
        float v9 = v7 * v8;
        return dY * multiplyAdd(v8 * v9, v0 * multiplyAdd(v1, 0.21406445f, 1.5957692f), v2 > 0.0f ? v8 : v9);
    }
};

// F(last part of the kernels' names, function).
#define UNARY_FUNCTIONS(F) \
    F(relu, Relu) \
    F(leakyrelu, LeakyRelu) \
    F(sigmoid, Sigmoid) \
    F(tanh, Tanh) \
    F(gelu, Gelu) \
    F(gelutanh, GeluTanh)

// F(place in the table, function): those that products and convolutions may apply to their sums.
#define EPILOGUE_FUNCTIONS(F) \
    F(1, Relu) \
    F(2, LeakyRelu) \
    F(3, Sigmoid) \
    F(4, Tanh) \
    F(5, Gelu) \
    F(6, GeluTanh)
