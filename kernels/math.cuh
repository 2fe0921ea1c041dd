// Elementary functions in float, the same as the CPU's (src/FastNN/Cpu/Functions.cs), so that both devices give the same numbers;
// clang alone has no library of them. Bounds are against the exact value, measured over all exponents on the host, with the same code;
// infinities, NaN and denormal results are right.
#pragma once
#include "common.cuh"

// x 2^n for n in [-252, 254], in two factors, because 2^n alone leaves the range of a float for denormal results.
DEVICE float scaleByPowerOfTwo(float x, int n) {
    int half = n >> 1;
    return x * floatOf((uint32)(half + 127) << 23) * floatOf((uint32)(n - half + 127) << 23);
}

// exp(x), at most 1.1 ulp: x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts (Cody and Waite), then the polynomial of Cephes'
// expf (Moshier) for (exp(r) - 1 - r) / r^2.
DEVICE float exponential(float x) {
    // Beyond these the result is infinite or zero all the same. NaN passes, being the second operand.
    x = smaller(89.0f, larger(-104.5f, x));

    // n by the addition of 1.5 2^23, which leaves it in the last bits: whatever NaN leaves there, p is NaN as well then.
    float shifted = multiplyAdd(x, 1.44269504f, 12582912.0f);
    float n = shifted - 12582912.0f;
    float r = multiplyAdd(n, -0.693359375f, x);
    r = multiplyAdd(n, 2.12194440e-4f, r);
    float p = multiplyAdd(1.9875691500e-4f, r, 1.3981999507e-3f);
    p = multiplyAdd(p, r, 8.3334519073e-3f);
    p = multiplyAdd(p, r, 4.1665795894e-2f);
    p = multiplyAdd(p, r, 1.6666665459e-1f);
    p = multiplyAdd(p, r, 5.0000001201e-1f);
    p = multiplyAdd(p, r * r, r) + 1.0f;
    return scaleByPowerOfTwo(p, (int)(bitsOf(shifted) - 0x4b400000u));
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

// 1 / (1 + exp(-x)), at most 3 ulp.
DEVICE float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

// tanh(x), at most 2 ulp: Cephes' odd polynomial (Moshier, tanhf) up to 0.625, 1 - 2 / (exp(2 |x|) + 1) with x's sign beyond.
DEVICE float hyperbolicTangent(float x) {
    float size = absolute(x);
    float large = 1.0f - 2.0f / (exponential(size + size) + 1.0f);
    large = x < 0.0f ? -large : large;
    float z = x * x;
    float p = multiplyAdd(-5.70498872745e-3f, z, 2.06390887954e-2f);
    p = multiplyAdd(p, z, -5.37397155531e-2f);
    p = multiplyAdd(p, z, 1.33314422036e-1f);
    p = multiplyAdd(p, z, -3.33332819422e-1f);
    float small = multiplyAdd(p * z, x, x);
    return size >= 0.625f ? large : small;
}

// The normal distribution function Phi(x), at most 7 ulp, zero below -14.5, and exp(-x^2 / 2) on the way to it. Phi(-z) for z >= 0 is
// exp(-z^2 / 2) t P(t) with t = 1 / (1 + 0.3 z), the form of Hastings (Abramowitz and Stegun 26.2.17) with a minimax polynomial of
// degree 9, so that the lower tail does not cancel.
DEVICE float normalDistribution(float x, float& density) {
    float z = smaller(15.0f, absolute(x));

    // The square's rounding error would be multiplied by the exponential's argument, so it is put back to first order.
    float square = z * z;
    float rest = multiplyAdd(z, z, -square);
    density = exponential(-0.5f * square);
    density = multiplyAdd(density, -0.5f * rest, density);

    float t = 1.0f / multiplyAdd(0.3f, z, 1.0f);
    float p = multiplyAdd(-0.0209846693611f, t, 0.114402111863f);
    p = multiplyAdd(p, t, -0.232835483053f);
    p = multiplyAdd(p, t, 0.197921644074f);
    p = multiplyAdd(p, t, -0.0844812825249f);
    p = multiplyAdd(p, t, 0.0988308413108f);
    p = multiplyAdd(p, t, 0.077485770647f);
    p = multiplyAdd(p, t, 0.110423196615f);
    p = multiplyAdd(p, t, 0.119550118278f);
    p = multiplyAdd(p, t, 0.119687750228f);
    float tail = density * (p * t);
    return x > 0.0f ? 1.0f - tail : tail;
}

// log(1 + x) for x in [0, 1], at most 3 ulp: log(w) x / (w - 1) with w = 1 + x rounded makes up for that rounding (Goldberg 1991,
// theorem 4).
DEVICE float logOnePlus(float x) {
    float w = 1.0f + x;
    float exact = w - 1.0f;
    return exact <= 0.0f ? x : logarithm(w) * (x / exact);
}

// log(1 - x), alike.
DEVICE float logOneMinus(float x) {
    float w = 1.0f - x;
    float exact = 1.0f - w;
    return exact <= 0.0f ? -x : logarithm(w) * (x / exact);
}
