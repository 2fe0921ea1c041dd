// Elementary functions in float: what functions printed from src/FastNN/Functions stand on, and those printed ones that other kernels
// call. clang alone has no library of them. Bounds are against the exact value, measured over all exponents on the host, with the same
// code; infinities, NaN and denormal results are right.
#pragma once
#include "common.cuh"

// x 2^n for integral n in [-252, 254], in two factors, because 2^n alone leaves the range of a float for denormal results. A NaN
// converts to some integer; x is NaN as well then, and stays so.
DEVICE float scaleByPowerOfTwo(float x, float n) {
    int power = (int)n, half = power >> 1;
    return x * floatOf((uint32)(half + 127) << 23) * floatOf((uint32)(power - half + 127) << 23);
}

// log(x), at most 0.9 ulp: x = 2^e m with m in [sqrt(1/2), sqrt(2)), then the polynomial of Cephes' logf (Moshier).
DEVICE float logarithm(float x) {
    bool denormal = x < 1.17549435e-38f;
    uint32 bits = bitsOf(denormal ? x * 8388608.0f : x) - 0x3f3504f3u;
    float e = (float)(((int)bits >> 23) - (denormal ? 23 : 0));
    float f = floatOf((bits & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    float p = multiplyAdd(7.0376836292e-2f, f, -1.1514610310e-1f);
    p = multiplyAdd(p, f, 1.1676998740e-1f);
    p = multiplyAdd(p, f, -1.2420140846e-1f);
    p = multiplyAdd(p, f, 1.4249322787e-1f);
    p = multiplyAdd(p, f, -1.6668057665e-1f);
    p = multiplyAdd(p, f, 2.0000714765e-1f);
    p = multiplyAdd(p, f, -2.4999993993e-1f);
    p = multiplyAdd(p, f, 3.3333331174e-1f);
    float square = f * f;
    float y = multiplyAdd(p * f, square, e * -2.12194440e-4f);
    y = multiplyAdd(-0.5f, square, y);
    float result = multiplyAdd(e, 0.693359375f, f + y);
    // Of 0, of numbers below it, and of infinity and NaN, whose exponent is no exponent.
    result = isFinite(x) ? result : x;
    return x > 0.0f ? result : x == 0.0f ? -infinity() : quietNaN();
}

// As good as that of a float: reductions end in one.
DEVICE double logarithm(double x) { return logarithm((float)x); }

#include "generated/elementary.cuh"
