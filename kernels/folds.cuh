// What a reduction makes of its terms, and their gradients, in the order of Kernels/Reduce.cs: FoldKind and SlopeKind.
#pragma once
#include "math.cuh"

// A sum of terms.
struct SumOf {
    static DEVICE float start() { return 0.0f; }
    static DEVICE float join(float a, float b) { return a + b; }
    static DEVICE double join(double a, double b) { return a + b; }
    static DEVICE double finish(double folded, float) { return folded; }
    enum { HasCenter = false };
};

struct SumFold : SumOf {
    static DEVICE float step(float folded, float x, float) { return folded + x; }
};

struct MagnitudesFold : SumOf {
    static DEVICE float step(float folded, float x, float) { return folded + absolute(x); }
};

struct SquaresFold : SumOf {
    static DEVICE float step(float folded, float x, float) { return multiplyAdd(x, x, folded); }
};

struct ZerosFold : SumOf {
    static DEVICE float step(float folded, float x, float) { return folded + (x == 0.0f ? 1.0f : 0.0f); }
};

struct EqualFold : SumOf {
    enum { HasCenter = true };
    static DEVICE float step(float folded, float x, float center) { return folded + (x == center ? 1.0f : 0.0f); }
};

struct CenteredSquaresFold : SumOf {
    enum { HasCenter = true };
    static DEVICE float step(float folded, float x, float center) {
        float distance = x - center;
        return multiplyAdd(distance, distance, folded);
    }
};

struct LogOfExponentialsFold : SumOf {
    enum { HasCenter = true };
    static DEVICE float step(float folded, float x, float center) { return folded + exponential(x - center); }
    static DEVICE double finish(double folded, float center) { return (double)center + logarithm((float)folded); }
};

// NaN wins, as in PyTorch.
struct LargestFold {
    enum { HasCenter = false };
    static DEVICE float start() { return -infinity(); }
    static DEVICE float join(float a, float b) { return a != a || a >= b ? a : b; }
    static DEVICE double join(double a, double b) { return a != a || a >= b ? a : b; }
    static DEVICE float step(float folded, float x, float) { return join(folded, x); }
    static DEVICE double finish(double folded, float) { return folded; }
};

struct SmallestFold {
    enum { HasCenter = false };
    static DEVICE float start() { return infinity(); }
    static DEVICE float join(float a, float b) { return a != a || a <= b ? a : b; }
    static DEVICE double join(double a, double b) { return a != a || a <= b ? a : b; }
    static DEVICE float step(float folded, float x, float) { return join(folded, x); }
    static DEVICE double finish(double folded, float) { return folded; }
};

struct AnchorFold : LargestFold {
    static DEVICE double finish(double folded, float) { return folded == (double)infinity() || folded == (double)-infinity() ? 0.0 : folded; }
};

struct ProductFold {
    enum { HasCenter = false };
    static DEVICE float start() { return 1.0f; }
    static DEVICE float join(float a, float b) { return a * b; }
    static DEVICE double join(double a, double b) { return a * b; }
    static DEVICE float step(float folded, float x, float) { return folded * x; }
    static DEVICE double finish(double folded, float) { return folded; }
};

struct NonZeroProductFold : ProductFold {
    static DEVICE float step(float folded, float x, float) { return x == 0.0f ? folded : folded * x; }
};

// What a slope reads of its element's output.
struct OutputOperands {
    float y;
    float saved;
    float more;
    float dY;
    float scale;
};

struct ScaledSlope {
    enum { X = false, Y = false, Saved = false, More = false };
    static DEVICE float of(float, const OutputOperands& o) { return o.dY * o.scale; }
};

struct ExtremeSlope {
    enum { X = true, Y = true, Saved = true, More = false };
    static DEVICE float of(float x, const OutputOperands& o) { return x == o.y ? o.dY / o.saved : 0.0f; }
};

struct CenteredSlope {
    enum { X = true, Y = false, Saved = true, More = false };
    static DEVICE float of(float x, const OutputOperands& o) { return (x - o.saved) * (o.dY * o.scale); }
};

struct CenteredOverResultSlope {
    enum { X = true, Y = true, Saved = true, More = false };
    static DEVICE float of(float x, const OutputOperands& o) { return o.y == 0.0f ? 0.0f : (x - o.saved) * (o.dY * o.scale / o.y); }
};

struct ExponentialSlope {
    enum { X = true, Y = true, Saved = false, More = false };
    static DEVICE float of(float x, const OutputOperands& o) { return exponential(x - o.y) * o.dY; }
};

struct SignSlope {
    enum { X = true, Y = false, Saved = false, More = false };
    static DEVICE float of(float x, const OutputOperands& o) { return x > 0.0f ? o.dY : x < 0.0f ? -o.dY : 0.0f; }
};

struct OverResultSlope {
    enum { X = true, Y = true, Saved = false, More = false };
    static DEVICE float of(float x, const OutputOperands& o) { return o.y == 0.0f ? 0.0f : x * (o.dY / o.y); }
};

struct ProductSlope {
    enum { X = true, Y = true, Saved = true, More = true };
    static DEVICE float of(float x, const OutputOperands& o) { return (x == 0.0f ? (o.more == 1.0f ? o.saved : 0.0f) : o.y / x) * o.dY; }
};
