// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.
#pragma once
#include "functions.cuh"

// What a reduction makes of its terms: in float from step to step, in double where the folds of many terms are joined.

struct SumFold {
    static constexpr bool HAS_CENTER = false;
    static DEVICE float start() { return 0.0f; }
    static DEVICE float step(float folded, float x, float) { return folded + x; }
    template <class T>
    static DEVICE T join(T a, T b) { return a + b; }
    static DEVICE double finish(double folded, double) { return folded; }
};

struct LargestFold {
    static constexpr bool HAS_CENTER = false;
    static DEVICE float start() { return -infinity(); }
    static DEVICE float step(float folded, float x, float) { return folded >= folded ? (folded >= x ? folded : x) : folded; }
    template <class T>
    static DEVICE T join(T a, T b) { return a >= a ? (a >= b ? a : b) : a; }
    static DEVICE double finish(double folded, double) { return folded; }
};

struct SmallestFold {
    static constexpr bool HAS_CENTER = false;
    static DEVICE float start() { return infinity(); }
    static DEVICE float step(float folded, float x, float) { return folded >= folded ? (x >= folded ? folded : x) : folded; }
    template <class T>
    static DEVICE T join(T a, T b) { return a >= a ? (b >= a ? a : b) : a; }
    static DEVICE double finish(double folded, double) { return folded; }
};

struct AnchorFold {
    static constexpr bool HAS_CENTER = false;
    static DEVICE float start() { return -infinity(); }
    static DEVICE float step(float folded, float x, float) { return folded >= folded ? (folded >= x ? folded : x) : folded; }
    template <class T>
    static DEVICE T join(T a, T b) { return a >= a ? (a >= b ? a : b) : a; }
    static DEVICE double finish(double folded, double) { return absolute(folded) >= infinity() ? 0.0f : folded; }
};

struct EqualFold {
    static constexpr bool HAS_CENTER = true;
    static DEVICE float start() { return 0.0f; }
    static DEVICE float step(float folded, float x, float center) {
        return folded + (x >= center ? (center >= x ? 1.0f : 0.0f) : 0.0f);
    }
    template <class T>
    static DEVICE T join(T a, T b) { return a + b; }
    static DEVICE double finish(double folded, double) { return folded; }
};

struct CenteredSquaresFold {
    static constexpr bool HAS_CENTER = true;
    static DEVICE float start() { return 0.0f; }
    static DEVICE float step(float folded, float x, float center) {
        float v0 = x - center;
        return multiplyAdd(v0, v0, folded);
    }
    template <class T>
    static DEVICE T join(T a, T b) { return a + b; }
    static DEVICE double finish(double folded, double) { return folded; }
};

struct LogOfExponentialsFold {
    static constexpr bool HAS_CENTER = true;
    static DEVICE float start() { return 0.0f; }
    static DEVICE float step(float folded, float x, float center) {
        float v0 = smaller(89.0f, larger(-104.5f, x - center));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return folded + v4;
    }
    template <class T>
    static DEVICE T join(T a, T b) { return a + b; }
    static DEVICE double finish(double folded, double center) { return center + logarithm(folded); }
};

struct MagnitudesFold {
    static constexpr bool HAS_CENTER = false;
    static DEVICE float start() { return 0.0f; }
    static DEVICE float step(float folded, float x, float) { return folded + absolute(x); }
    template <class T>
    static DEVICE T join(T a, T b) { return a + b; }
    static DEVICE double finish(double folded, double) { return folded; }
};

struct SquaresFold {
    static constexpr bool HAS_CENTER = false;
    static DEVICE float start() { return 0.0f; }
    static DEVICE float step(float folded, float x, float) { return multiplyAdd(x, x, folded); }
    template <class T>
    static DEVICE T join(T a, T b) { return a + b; }
    static DEVICE double finish(double folded, double) { return folded; }
};

struct ProductFold {
    static constexpr bool HAS_CENTER = false;
    static DEVICE float start() { return 1.0f; }
    static DEVICE float step(float folded, float x, float) { return folded * x; }
    template <class T>
    static DEVICE T join(T a, T b) { return a * b; }
    static DEVICE double finish(double folded, double) { return folded; }
};

struct NonZeroProductFold {
    static constexpr bool HAS_CENTER = false;
    static DEVICE float start() { return 1.0f; }
    static DEVICE float step(float folded, float x, float) { return folded * (x >= 0.0f ? (0.0f >= x ? 1.0f : x) : x); }
    template <class T>
    static DEVICE T join(T a, T b) { return a * b; }
    static DEVICE double finish(double folded, double) { return folded; }
};

struct ZerosFold {
    static constexpr bool HAS_CENTER = false;
    static DEVICE float start() { return 0.0f; }
    static DEVICE float step(float folded, float x, float) { return folded + (x >= 0.0f ? (0.0f >= x ? 1.0f : 0.0f) : 0.0f); }
    template <class T>
    static DEVICE T join(T a, T b) { return a + b; }
    static DEVICE double finish(double folded, double) { return folded; }
};

// The gradients of terms, and which operands of the output each reads.

struct ScaledSlope {
    static constexpr bool X = false, Y = false, SAVED = false, MORE = false;
    static DEVICE float of(float, const OutputOperands& o) { return o.dY * o.scale; }
};

struct ExtremeSlope {
    static constexpr bool X = true, Y = true, SAVED = true, MORE = false;
    static DEVICE float of(float x, const OutputOperands& o) { return x >= o.y ? (o.y >= x ? o.dY / o.saved : 0.0f) : 0.0f; }
};

struct CenteredSlope {
    static constexpr bool X = true, Y = false, SAVED = true, MORE = false;
    static DEVICE float of(float x, const OutputOperands& o) { return (x - o.saved) * (o.dY * o.scale); }
};

struct CenteredOverResultSlope {
    static constexpr bool X = true, Y = true, SAVED = true, MORE = false;
    static DEVICE float of(float x, const OutputOperands& o) {
        float v0 = (x - o.saved) * (o.dY * o.scale / o.y);
        return o.y >= 0.0f ? (0.0f >= o.y ? 0.0f : v0) : v0;
    }
};

struct ExponentialSlope {
    static constexpr bool X = true, Y = true, SAVED = false, MORE = false;
    static DEVICE float of(float x, const OutputOperands& o) {
        float v0 = smaller(89.0f, larger(-104.5f, x - o.y));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return v4 * o.dY;
    }
};

struct SignSlope {
    static constexpr bool X = true, Y = false, SAVED = false, MORE = false;
    static DEVICE float of(float x, const OutputOperands& o) { return x > 0.0f ? o.dY : 0.0f > x ? -o.dY : 0.0f; }
};

struct OverResultSlope {
    static constexpr bool X = true, Y = true, SAVED = false, MORE = false;
    static DEVICE float of(float x, const OutputOperands& o) {
        float v0 = x * (o.dY / o.y);
        return o.y >= 0.0f ? (0.0f >= o.y ? 0.0f : v0) : v0;
    }
};

struct ProductSlope {
    static constexpr bool X = true, Y = true, SAVED = true, MORE = true;
    static DEVICE float of(float x, const OutputOperands& o) {
        float v0 = o.y / x;
        float v1 = x >= 0.0f ? (0.0f >= x ? (o.more >= 1.0f ? (1.0f >= o.more ? o.saved : 0.0f) : 0.0f) : v0) : v0;
        return v1 * o.dY;
    }
};

// F(part of the kernels' names, fold or slope).
#define FOLD_FUNCTIONS(F) \
    F(sum, SumFold) \
    F(largest, LargestFold) \
    F(smallest, SmallestFold) \
    F(anchor, AnchorFold) \
    F(equal, EqualFold) \
    F(centeredsquares, CenteredSquaresFold) \
    F(logofexponentials, LogOfExponentialsFold) \
    F(magnitudes, MagnitudesFold) \
    F(squares, SquaresFold) \
    F(product, ProductFold) \
    F(nonzeroproduct, NonZeroProductFold) \
    F(zeros, ZerosFold)

#define SLOPE_FUNCTIONS(F) \
    F(scaled, ScaledSlope) \
    F(extreme, ExtremeSlope) \
    F(centered, CenteredSlope) \
    F(centeredoverresult, CenteredOverResultSlope) \
    F(exponential, ExponentialSlope) \
    F(sign, SignSlope) \
    F(overresult, OverResultSlope) \
    F(product, ProductSlope)
