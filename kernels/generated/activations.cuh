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

// e to the power of x.
struct Exp {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, x));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        return scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
    }
    static DEVICE float gradient(float y, float dY, Scalars) { return dY * y; }
};

// The natural logarithm of x.
struct Log {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) { return logarithm(x); }
    static DEVICE float gradient(float x, float dY, Scalars) { return dY / x; }
};

// exp(x) - 1, exact near 0.
struct Expm1 {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, x));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        float v5 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, x, 0.0013981999f), x, 0.008333452f), x, 0.041665796f);
        return absolute(x) > 0.34f ? v4 - 1.0f : multiplyAdd(multiplyAdd(multiplyAdd(v5, x, 0.16666666f), x, 0.5f), x * x, x);
    }
    static DEVICE float gradient(float y, float dY, Scalars) { return dY * (y + 1.0f); }
};

// log(1 + x), exact near 0.
struct Log1p {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = 1.0f + x;
        float v1 = v0 - 1.0f;
        return 0.0f >= absolute(v1) ? x : logarithm(v0) * (x > 1E+09f ? 1.0f : x / v1);
    }
    static DEVICE float gradient(float x, float dY, Scalars) { return dY / (1.0f + x); }
};

// The square root of x.
struct Sqrt {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) { return squareRoot(x); }
    static DEVICE float gradient(float y, float dY, Scalars) { return 0.5f * dY / y; }
};

// 1 / sqrt(x).
struct Rsqrt {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) { return 1.0f / squareRoot(x); }
    static DEVICE float gradient(float y, float dY, Scalars) { return -0.5f * dY * (y * y * y); }
};

// x * x.
struct Square {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) { return x * x; }
    static DEVICE float gradient(float x, float dY, Scalars) { return dY * (x + x); }
};

// 1 / x.
struct Reciprocal {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) { return 1.0f / x; }
    static DEVICE float gradient(float y, float dY, Scalars) { return -dY * (y * y); }
};

// The absolute value of x; its derivative at 0 is 0, as in PyTorch.
struct Abs {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) { return absolute(x); }
    static DEVICE float gradient(float x, float dY, Scalars) { return x > 0.0f ? dY : 0.0f > x ? -dY : 0.0f; }
};

// -x.
struct Negate {
    static constexpr bool READS_NOTHING = true;
    static DEVICE float value(float x, Scalars) { return -x; }
    static DEVICE float gradient(float, float dY, Scalars) { return -dY; }
};

// 1 for x > 0, -1 for x < 0, else x; its derivative is 0 everywhere.
struct Sign {
    static constexpr bool READS_NOTHING = true;
    static DEVICE float value(float x, Scalars) { return x > 0.0f ? 1.0f : 0.0f > x ? -1.0f : x; }
    static DEVICE float gradient(float, float, Scalars) { return 0.0f; }
};

// The sine of x, for |x| up to 8192.
struct Sin {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = nearestInteger(x * 0.63661975f);
        float v1 = v0 + 0.0f;
        float v2 = multiplyAdd(-4.0f, nearestInteger(v1 * 0.25f), v1);
        float v3 = absolute(v2);
        float v4 = multiplyAdd(v0, -7.54979E-08f, multiplyAdd(v0, -0.0004837513f, multiplyAdd(v0, -1.5703125f, x)));
        float v5 = v4 * v4;
        float v6 = multiplyAdd(multiplyAdd(multiplyAdd(-0.00019515296f, v5, 0.008332161f), v5, -0.16666655f) * v5, v4, v4);
        float v7 = multiplyAdd(multiplyAdd(multiplyAdd(2.4433157E-05f, v5, -0.0013887316f), v5, 0.041666646f) * v5, v5, multiplyAdd(-0.5f, v5, 1.0f));
        return 0.5f > v3 ? v6 : v3 > 1.5f ? -v6 : v2 > 0.0f ? v7 : -v7;
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = nearestInteger(x * 0.63661975f);
        float v1 = v0 + 1.0f;
        float v2 = multiplyAdd(-4.0f, nearestInteger(v1 * 0.25f), v1);
        float v3 = absolute(v2);
        float v4 = multiplyAdd(v0, -7.54979E-08f, multiplyAdd(v0, -0.0004837513f, multiplyAdd(v0, -1.5703125f, x)));
        float v5 = v4 * v4;
        float v6 = multiplyAdd(multiplyAdd(multiplyAdd(-0.00019515296f, v5, 0.008332161f), v5, -0.16666655f) * v5, v4, v4);
        float v7 = multiplyAdd(multiplyAdd(multiplyAdd(2.4433157E-05f, v5, -0.0013887316f), v5, 0.041666646f) * v5, v5, multiplyAdd(-0.5f, v5, 1.0f));
        return dY * (0.5f > v3 ? v6 : v3 > 1.5f ? -v6 : v2 > 0.0f ? v7 : -v7);
    }
};

// The cosine of x, for |x| up to 8192.
struct Cos {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = nearestInteger(x * 0.63661975f);
        float v1 = v0 + 1.0f;
        float v2 = multiplyAdd(-4.0f, nearestInteger(v1 * 0.25f), v1);
        float v3 = absolute(v2);
        float v4 = multiplyAdd(v0, -7.54979E-08f, multiplyAdd(v0, -0.0004837513f, multiplyAdd(v0, -1.5703125f, x)));
        float v5 = v4 * v4;
        float v6 = multiplyAdd(multiplyAdd(multiplyAdd(-0.00019515296f, v5, 0.008332161f), v5, -0.16666655f) * v5, v4, v4);
        float v7 = multiplyAdd(multiplyAdd(multiplyAdd(2.4433157E-05f, v5, -0.0013887316f), v5, 0.041666646f) * v5, v5, multiplyAdd(-0.5f, v5, 1.0f));
        return 0.5f > v3 ? v6 : v3 > 1.5f ? -v6 : v2 > 0.0f ? v7 : -v7;
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = nearestInteger(x * 0.63661975f);
        float v1 = v0 + 2.0f;
        float v2 = multiplyAdd(-4.0f, nearestInteger(v1 * 0.25f), v1);
        float v3 = absolute(v2);
        float v4 = multiplyAdd(v0, -7.54979E-08f, multiplyAdd(v0, -0.0004837513f, multiplyAdd(v0, -1.5703125f, x)));
        float v5 = v4 * v4;
        float v6 = multiplyAdd(multiplyAdd(multiplyAdd(-0.00019515296f, v5, 0.008332161f), v5, -0.16666655f) * v5, v4, v4);
        float v7 = multiplyAdd(multiplyAdd(multiplyAdd(2.4433157E-05f, v5, -0.0013887316f), v5, 0.041666646f) * v5, v5, multiplyAdd(-0.5f, v5, 1.0f));
        return dY * (0.5f > v3 ? v6 : v3 > 1.5f ? -v6 : v2 > 0.0f ? v7 : -v7);
    }
};

// x for x > 0, else alpha (exp(x) - 1) (Clevert et al., 2015).
struct Elu {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars s) {
        float v0 = smaller(89.0f, larger(-104.5f, x));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        float v5 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, x, 0.0013981999f), x, 0.008333452f), x, 0.041665796f);
        float v6 = absolute(x) > 0.34f ? v4 - 1.0f : multiplyAdd(multiplyAdd(multiplyAdd(v5, x, 0.16666666f), x, 0.5f), x * x, x);
        return x > 0.0f ? x : s.a * v6;
    }
    static DEVICE float gradient(float y, float dY, Scalars s) { return y > 0.0f ? dY : dY * (y + s.a); }
};

// x for x > 0, else alpha (exp(x / alpha) - 1) (Barron, 2017).
struct Celu {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars s) {
        float v0 = x / s.a;
        float v1 = smaller(89.0f, larger(-104.5f, v0));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        float v6 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v0, 0.0013981999f), v0, 0.008333452f), v0, 0.041665796f);
        float v7 = absolute(v0) > 0.34f ? v5 - 1.0f : multiplyAdd(multiplyAdd(multiplyAdd(v6, v0, 0.16666666f), v0, 0.5f), v0 * v0, v0);
        return x > 0.0f ? x : s.a * v7;
    }
    static DEVICE float gradient(float y, float dY, Scalars s) { return y > 0.0f ? dY : dY * (y / s.a + 1.0f); }
};

// The ELU whose constants keep mean 0 and variance 1 (Klambauer et al., 2017).
struct Selu {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, x));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        float v5 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, x, 0.0013981999f), x, 0.008333452f), x, 0.041665796f);
        float v6 = absolute(x) > 0.34f ? v4 - 1.0f : multiplyAdd(multiplyAdd(multiplyAdd(v5, x, 0.16666666f), x, 0.5f), x * x, x);
        return x > 0.0f ? 1.050701f * x : 1.7580993f * v6;
    }
    static DEVICE float gradient(float y, float dY, Scalars) { return dY * (y > 0.0f ? 1.050701f : y + 1.7580993f); }
};

// log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold.
struct Softplus {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars s) {
        float v0 = x * s.a;
        float v1 = smaller(89.0f, larger(-104.5f, -absolute(v0)));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        float v6 = 1.0f + v5;
        float v7 = v6 - 1.0f;
        return v0 > s.b ? x : (larger(0.0f, v0) + (0.0f >= v7 ? v5 : logarithm(v6) * (v5 / v7))) / s.a;
    }
    static DEVICE float gradient(float x, float dY, Scalars s) {
        float v0 = x * s.a;
        float v1 = smaller(89.0f, larger(-104.5f, -v0));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        return v0 > s.b ? dY : dY * (1.0f / (1.0f + v5));
    }
};

// x / (1 + |x|).
struct Softsign {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) { return x / (1.0f + absolute(x)); }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = 1.0f + absolute(x);
        return dY / (v0 * v0);
    }
};

// log(1 / (1 + exp(-x))), computed without overflow.
struct LogSigmoid {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, -absolute(x)));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        float v5 = 1.0f + v4;
        float v6 = v5 - 1.0f;
        return smaller(x, 0.0f) - (0.0f >= v6 ? v4 : logarithm(v5) * (v4 / v6));
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, -(-x)));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return dY * (1.0f / (1.0f + v4));
    }
};

// x / (1 + exp(-x)) (Elfwing et al., 2017), also known as swish.
struct SiLU {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, -x));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return larger(-105.0f, x) * (1.0f / (1.0f + v4));
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = smaller(105.0f, larger(-105.0f, x));
        float v1 = smaller(89.0f, larger(-104.5f, -v0));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        float v6 = 1.0f / (1.0f + v5);
        return dY * (v6 * multiplyAdd(v0, 1.0f - v6, 1.0f));
    }
};

// x tanh(log(1 + exp(x))) (Misra, 2019).
struct Mish {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, smaller(20.0f, x)));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        float v5 = v4 * (v4 + 2.0f);
        return larger(-105.0f, x) * (v5 / (v5 + 2.0f));
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = smaller(20.0f, larger(-105.0f, x));
        float v1 = smaller(89.0f, larger(-104.5f, v0));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        float v6 = v5 * (v5 + 2.0f);
        float v7 = v6 + 2.0f;
        return dY * multiplyAdd(4.0f * v0, v5 * (1.0f + v5) / (v7 * v7), v6 / v7);
    }
};

// x between 0 and 6; its derivative at both ends is 0, as in PyTorch.
struct ReLU6 {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) { return smaller(6.0f, larger(0.0f, x)); }
    static DEVICE float gradient(float y, float dY, Scalars) { return y > 0.0f ? (6.0f > y ? dY : 0.0f) : 0.0f; }
};

// x between two bounds; its derivative at both is 0, as in PyTorch.
struct HardTanh {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars s) { return smaller(s.b, larger(s.a, x)); }
    static DEVICE float gradient(float y, float dY, Scalars s) { return y > s.a ? (s.b > y ? dY : 0.0f) : 0.0f; }
};

// alpha x + beta between 0 and 1.
struct HardSigmoid {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars s) { return smaller(1.0f, larger(0.0f, multiplyAdd(x, s.a, s.b))); }
    static DEVICE float gradient(float y, float dY, Scalars s) { return y > 0.0f ? (1.0f > y ? dY * s.a : 0.0f) : 0.0f; }
};

// x times (x + 3) / 6, the factor between 0 and 1 (Howard et al., 2019).
struct HardSwish {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        return larger(-3.0f, x) * smaller(1.0f, larger(0.0f, multiplyAdd(x, 0.16666667f, 0.5f)));
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        return x > 3.0f ? dY : x > -3.0f ? dY * multiplyAdd(x, 0.33333334f, 0.5f) : 0.0f;
    }
};

// x between two bounds, either of which may be infinite; its derivative at both is 1, as in PyTorch.
struct Clamp {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars s) { return smaller(s.b, larger(s.a, x)); }
    static DEVICE float gradient(float x, float dY, Scalars s) { return x >= s.a ? (s.b >= x ? dY : 0.0f) : 0.0f; }
};

// The nearest integer, ties to even; its derivative is 0 everywhere.
struct Round {
    static constexpr bool READS_NOTHING = true;
    static DEVICE float value(float x, Scalars) { return nearestInteger(x); }
    static DEVICE float gradient(float, float, Scalars) { return 0.0f; }
};

// The largest integer that is at most x; its derivative is 0 everywhere.
struct Floor {
    static constexpr bool READS_NOTHING = true;
    static DEVICE float value(float x, Scalars) {
        float v0 = nearestInteger(x);
        return v0 > x ? v0 - 1.0f : v0;
    }
    static DEVICE float gradient(float, float, Scalars) { return 0.0f; }
};

// The least integer that is at least x; its derivative is 0 everywhere.
struct Ceiling {
    static constexpr bool READS_NOTHING = true;
    static DEVICE float value(float x, Scalars) {
        float v0 = nearestInteger(x);
        return x > v0 ? v0 + 1.0f : v0;
    }
    static DEVICE float gradient(float, float, Scalars) { return 0.0f; }
};

// The logarithm of x to the base 2.
struct Log2 {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) { return logarithm(x) * 1.442695f; }
    static DEVICE float gradient(float x, float dY, Scalars) { return dY * 1.442695f / x; }
};

// The logarithm of x to the base 10.
struct Log10 {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) { return logarithm(x) * 0.4342945f; }
    static DEVICE float gradient(float x, float dY, Scalars) { return dY * 0.4342945f / x; }
};

// The hyperbolic sine of x.
struct Sinh {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = absolute(x);
        float v1 = smaller(89.0f, larger(-104.5f, v0));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        float v6 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v0, 0.0013981999f), v0, 0.008333452f), v0, 0.041665796f);
        float v7 = absolute(v0) > 0.34f ? v5 - 1.0f : multiplyAdd(multiplyAdd(multiplyAdd(v6, v0, 0.16666666f), v0, 0.5f), v0 * v0, v0);
        float v8 = 0.5f * (v7 > 1E+09f ? v7 : v7 + v7 / (v7 + 1.0f));
        return 0.0f > x ? -v8 : v8;
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, absolute(x)));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return dY * (0.5f * (v4 + 1.0f / v4));
    }
};

// The hyperbolic cosine of x.
struct Cosh {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, absolute(x)));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return 0.5f * (v4 + 1.0f / v4);
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = absolute(x);
        float v1 = smaller(89.0f, larger(-104.5f, v0));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        float v6 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v0, 0.0013981999f), v0, 0.008333452f), v0, 0.041665796f);
        float v7 = absolute(v0) > 0.34f ? v5 - 1.0f : multiplyAdd(multiplyAdd(multiplyAdd(v6, v0, 0.16666666f), v0, 0.5f), v0 * v0, v0);
        float v8 = 0.5f * (v7 > 1E+09f ? v7 : v7 + v7 / (v7 + 1.0f));
        return dY * (0.0f > x ? -v8 : v8);
    }
};

// The tangent of x in radians.
struct Tan {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = nearestInteger(x * 0.63661975f);
        float v1 = v0 + 0.0f;
        float v2 = multiplyAdd(-4.0f, nearestInteger(v1 * 0.25f), v1);
        float v3 = absolute(v2);
        float v4 = multiplyAdd(v0, -7.54979E-08f, multiplyAdd(v0, -0.0004837513f, multiplyAdd(v0, -1.5703125f, x)));
        float v5 = v4 * v4;
        float v6 = multiplyAdd(multiplyAdd(multiplyAdd(-0.00019515296f, v5, 0.008332161f), v5, -0.16666655f) * v5, v4, v4);
        float v7 = -v6;
        float v8 = multiplyAdd(multiplyAdd(multiplyAdd(2.4433157E-05f, v5, -0.0013887316f), v5, 0.041666646f) * v5, v5, multiplyAdd(-0.5f, v5, 1.0f));
        float v9 = -v8;
        float v10 = v0 + 1.0f;
        float v11 = multiplyAdd(-4.0f, nearestInteger(v10 * 0.25f), v10);
        float v12 = absolute(v11);
        float v13 = (0.5f > v3 ? v6 : v3 > 1.5f ? v7 : v2 > 0.0f ? v8 : v9) / (0.5f > v12 ? v6 : v12 > 1.5f ? v7 : v11 > 0.0f ? v8 : v9);
        return v13;
    }
    static DEVICE float gradient(float y, float dY, Scalars) { return dY * multiplyAdd(y, y, 1.0f); }
};

// The angle in radians, -pi / 2 to pi / 2, whose tangent is x.
struct Atan {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = absolute(x);
        float v1 = v0 > 2.4142137f ? -1.0f / v0 : v0 > 0.41421357f ? (v0 - 1.0f) / (v0 + 1.0f) : v0;
        float v2 = v1 * v1;
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(-0.064517185f, v2, 0.10743669f), v2, -0.1426395f), v2, 0.1999954f);
        float v4 = (v0 > 2.4142137f ? 1.5707964f : v0 > 0.41421357f ? 0.7853982f : 0.0f) + multiplyAdd(multiplyAdd(v3, v2, -0.3333333f) * v2, v1, v1);
        return 0.0f > x ? -v4 : v4;
    }
    static DEVICE float gradient(float x, float dY, Scalars) { return dY / multiplyAdd(x, x, 1.0f); }
};

// The error function of x.
struct Erf {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = absolute(x);
        float v1 = -1.4142135f * v0;
        float v2 = smaller(15.0f, absolute(v1));
        float v3 = v2 * v2;
        float v4 = smaller(89.0f, larger(-104.5f, -0.5f * v3));
        float v5 = nearestInteger(v4 * 1.442695f);
        float v6 = multiplyAdd(v5, 0.00021219444f, multiplyAdd(v5, -0.6933594f, v4));
        float v7 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v6, 0.0013981999f), v6, 0.008333452f), v6, 0.041665796f);
        float v8 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v7, v6, 0.16666666f), v6, 0.5f), v6 * v6, v6) + 1.0f, v5);
        float v9 = 1.0f / multiplyAdd(0.3f, v2, 1.0f);
        float v10 = multiplyAdd(multiplyAdd(multiplyAdd(-0.02098467f, v9, 0.114402115f), v9, -0.23283549f), v9, 0.19792165f);
        float v11 = multiplyAdd(multiplyAdd(multiplyAdd(v10, v9, -0.084481284f), v9, 0.09883084f), v9, 0.07748577f);
        float v12 = multiplyAdd(multiplyAdd(multiplyAdd(v11, v9, 0.1104232f), v9, 0.11955012f), v9, 0.11968775f);
        float v13 = multiplyAdd(v8, -0.5f * multiplyAdd(v2, v2, -v3), v8) * (v12 * v9);
        float v14 = 1.0f - 2.0f * (v1 > 0.0f ? 1.0f - v13 : v13);
        float v15 = x * x;
        float v16 = multiplyAdd(multiplyAdd(multiplyAdd(-0.0008548327f, v15, 0.005223978f), v15, -0.026866172f), v15, 0.11283792f);
        return v0 > 0.5f ? (0.0f > x ? -v14 : v14) : x * multiplyAdd(multiplyAdd(v16, v15, -0.37612638f), v15, 1.1283792f);
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = smaller(89.0f, larger(-104.5f, -(x * x)));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return dY * (1.1283792f * v4);
    }
};

// x above a threshold, else a value of one's own.
struct Threshold {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars s) { return s.a >= x ? s.b : x; }
    static DEVICE float gradient(float x, float dY, Scalars s) { return s.a >= x ? 0.0f : dY; }
};

// The angle in radians, -pi / 2 to pi / 2, whose sine is x; NaN where |x| is above 1.
struct Asin {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = x / squareRoot((1.0f - x) * (1.0f + x));
        float v1 = absolute(v0);
        float v2 = v1 > 2.4142137f ? -1.0f / v1 : v1 > 0.41421357f ? (v1 - 1.0f) / (v1 + 1.0f) : v1;
        float v3 = v2 * v2;
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(-0.064517185f, v3, 0.10743669f), v3, -0.1426395f), v3, 0.1999954f);
        float v5 = (v1 > 2.4142137f ? 1.5707964f : v1 > 0.41421357f ? 0.7853982f : 0.0f) + multiplyAdd(multiplyAdd(v4, v3, -0.3333333f) * v3, v2, v2);
        return 0.0f > v0 ? -v5 : v5;
    }
    static DEVICE float gradient(float x, float dY, Scalars) { return dY / squareRoot((1.0f - x) * (1.0f + x)); }
};

// The angle in radians, 0 to pi, whose cosine is x; NaN where |x| is above 1.
struct Acos {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = squareRoot((1.0f - x) / (1.0f + x));
        float v1 = absolute(v0);
        float v2 = v1 > 2.4142137f ? -1.0f / v1 : v1 > 0.41421357f ? (v1 - 1.0f) / (v1 + 1.0f) : v1;
        float v3 = v2 * v2;
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(-0.064517185f, v3, 0.10743669f), v3, -0.1426395f), v3, 0.1999954f);
        float v5 = (v1 > 2.4142137f ? 1.5707964f : v1 > 0.41421357f ? 0.7853982f : 0.0f) + multiplyAdd(multiplyAdd(v4, v3, -0.3333333f) * v3, v2, v2);
        return 2.0f * (0.0f > v0 ? -v5 : v5);
    }
    static DEVICE float gradient(float x, float dY, Scalars) { return -dY / squareRoot((1.0f - x) * (1.0f + x)); }
};

// The number whose hyperbolic sine is x.
struct Asinh {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = absolute(x);
        float v1 = x * x;
        float v2 = v0 + v1 / (1.0f + squareRoot(1.0f + v1));
        float v3 = 1.0f + v2;
        float v4 = v3 - 1.0f;
        float v5 = v0 > 1E+09f ? logarithm(v0) + 0.6931472f : 0.0f >= absolute(v4) ? v2 : logarithm(v3) * (v2 > 1E+09f ? 1.0f : v2 / v4);
        return 0.0f > x ? -v5 : v5;
    }
    static DEVICE float gradient(float x, float dY, Scalars) { return dY / squareRoot(multiplyAdd(x, x, 1.0f)); }
};

// The number of at least 0 whose hyperbolic cosine is x; NaN below 1.
struct Acosh {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = x - 1.0f;
        float v1 = v0 + squareRoot(v0 * (v0 + 2.0f));
        float v2 = 1.0f + v1;
        float v3 = v2 - 1.0f;
        return x > 1E+09f ? logarithm(x) + 0.6931472f : 0.0f >= absolute(v3) ? v1 : logarithm(v2) * (v1 > 1E+09f ? 1.0f : v1 / v3);
    }
    static DEVICE float gradient(float x, float dY, Scalars) { return dY / squareRoot((x - 1.0f) * (x + 1.0f)); }
};

// The number whose hyperbolic tangent is x; infinite at -1 and 1, NaN beyond.
struct Atanh {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars) {
        float v0 = absolute(x);
        float v1 = (v0 + v0) / (1.0f - v0);
        float v2 = 1.0f + v1;
        float v3 = v2 - 1.0f;
        float v4 = 0.5f * (0.0f >= absolute(v3) ? v1 : logarithm(v2) * (v1 > 1E+09f ? 1.0f : v1 / v3));
        return 0.0f > x ? -v4 : v4;
    }
    static DEVICE float gradient(float x, float dY, Scalars) { return dY / ((1.0f - x) * (1.0f + x)); }
};

// x moved towards 0 by lambda, and 0 where |x| is at most that.
struct Softshrink {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars s) { return x > s.a ? x - s.a : -s.a > x ? x + s.a : x * 0.0f; }
    static DEVICE float gradient(float y, float dY, Scalars) { return absolute(y) > 0.0f ? dY : 0.0f; }
};

// x, and 0 where |x| is at most lambda.
struct Hardshrink {
    static constexpr bool READS_NOTHING = false;
    static DEVICE float value(float x, Scalars s) { return absolute(x) > s.a ? x : x * 0.0f; }
    static DEVICE float gradient(float y, float dY, Scalars) { return absolute(y) > 0.0f ? dY : 0.0f; }
};

// x - tanh(x).
struct Tanhshrink {
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
        float v9 = v0 >= 0.625f ? (0.0f > x ? -v6 : v6) : multiplyAdd(multiplyAdd(v8, v7, -0.3333328f) * v7, x, x);
        return x - v9;
    }
    static DEVICE float gradient(float x, float dY, Scalars) {
        float v0 = absolute(x);
        float v1 = smaller(89.0f, larger(-104.5f, v0 + v0));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        float v6 = 1.0f - 2.0f / (v5 + 1.0f);
        float v7 = x * x;
        float v8 = multiplyAdd(multiplyAdd(multiplyAdd(-0.0057049887f, v7, 0.020639088f), v7, -0.053739715f), v7, 0.13331442f);
        float v9 = v0 >= 0.625f ? (0.0f > x ? -v6 : v6) : multiplyAdd(multiplyAdd(v8, v7, -0.3333328f) * v7, x, x);
        return dY * (v9 * v9);
    }
};

// F(last part of the kernels' names, function).
#define UNARY_FUNCTIONS(F) \
    F(relu, Relu) \
    F(leakyrelu, LeakyRelu) \
    F(sigmoid, Sigmoid) \
    F(tanh, Tanh) \
    F(gelu, Gelu) \
    F(gelutanh, GeluTanh) \
    F(exp, Exp) \
    F(log, Log) \
    F(expm1, Expm1) \
    F(log1p, Log1p) \
    F(sqrt, Sqrt) \
    F(rsqrt, Rsqrt) \
    F(square, Square) \
    F(reciprocal, Reciprocal) \
    F(abs, Abs) \
    F(negate, Negate) \
    F(sign, Sign) \
    F(sin, Sin) \
    F(cos, Cos) \
    F(elu, Elu) \
    F(celu, Celu) \
    F(selu, Selu) \
    F(softplus, Softplus) \
    F(softsign, Softsign) \
    F(logsigmoid, LogSigmoid) \
    F(silu, SiLU) \
    F(mish, Mish) \
    F(relu6, ReLU6) \
    F(hardtanh, HardTanh) \
    F(hardsigmoid, HardSigmoid) \
    F(hardswish, HardSwish) \
    F(clamp, Clamp) \
    F(round, Round) \
    F(floor, Floor) \
    F(ceiling, Ceiling) \
    F(log2, Log2) \
    F(log10, Log10) \
    F(sinh, Sinh) \
    F(cosh, Cosh) \
    F(tan, Tan) \
    F(atan, Atan) \
    F(erf, Erf) \
    F(threshold, Threshold) \
    F(asin, Asin) \
    F(acos, Acos) \
    F(asinh, Asinh) \
    F(acosh, Acosh) \
    F(atanh, Atanh) \
    F(softshrink, Softshrink) \
    F(hardshrink, Hardshrink) \
    F(tanhshrink, Tanhshrink)

// F(place in the table, function): those that products and convolutions may apply to their sums.
#define EPILOGUE_FUNCTIONS(F) \
    F(1, Relu) \
    F(2, LeakyRelu) \
    F(3, Sigmoid) \
    F(4, Tanh) \
    F(5, Gelu) \
    F(6, GeluTanh)
