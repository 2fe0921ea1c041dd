// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.
#pragma once
#include "functions.cuh"

// One term of a penalty on weights, a |x| + b x^2, and its slope.
struct PenaltyTerm {
    static DEVICE float value(float x, Scalars s) { return multiplyAdd(x * s.b, x, absolute(x) * s.a); }
    static DEVICE float slope(float x, Scalars s) { return multiplyAdd(x, s.b + s.b, 0.0f > x ? -s.a : x > 0.0f ? s.a : 0.0f); }
};
