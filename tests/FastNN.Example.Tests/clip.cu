// Clipping, element by element. Forward y = min(max(x, low), high), x and y may be one tensor: 8 bytes per element. Backward dX (=|+=) dY where
// x lies in [low, high], else 0; dX and dY may be one tensor: 12 bytes, 16 where it adds. Two comparisons per element.
#include "elements.cuh"

struct ClipForwardArguments {
    const float* x;
    float* y;
    int64 count;
    float low;
    float high;
};

struct ClipBackwardArguments {
    const float* x;
    const float* dY;
    float* dX;
    int64 count;
    float low;
    float high;
    int accumulate;
    int unused;
};

// NaN stays NaN.
KERNEL void clip_forward(ClipForwardArguments a) {
    mapElements(a.x, a.y, a.count, false, [=](float x) { return a.low > x ? a.low : x > a.high ? a.high : x; });
}

KERNEL void clip_backward(ClipBackwardArguments a) {
    mapElements(a.x, a.dY, a.dX, a.count, a.accumulate, [=](float x, float dY) { return x >= a.low && x <= a.high ? dY : 0.0f; });
}
