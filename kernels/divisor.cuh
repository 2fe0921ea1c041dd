// Division by a number that the host knows: a multiplication and a shift (Granlund and Montgomery 1994), made by Divisor.cs.
#pragma once
#include "common.cuh"

struct Divisor {
    uint32 divisor;
    uint32 multiplier;
    uint32 shift;
    uint32 unused;
};

// x / d for 0 <= x < 2^31, for which the sum below does not overflow.
DEVICE int divide(int x, const Divisor& d) {
    uint32 high = (uint32)(((uint64)(uint32)x * d.multiplier) >> 32);
    return (int)((high + (uint32)x) >> d.shift);
}

// The quotient; x becomes the remainder.
DEVICE int split(int& x, const Divisor& d) {
    int quotient = divide(x, d);
    x -= quotient * (int)d.divisor;
    return quotient;
}
