// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.
#pragma once
#include "functions.cuh"

// a + b.
struct Add {
    typedef float Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return a + b; }
};

// a - b.
struct Subtract {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    template <class T>
    static DEVICE T value(T a, T b) { return a - b; }
};

// a * b.
struct Multiply {
    typedef float Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return a * b; }
};

// a / b, the quotient rounded once.
struct Divide {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    static DEVICE float value(float a, float b) { return a / b; }
    static DEVICE float firstGradient(float, float b, float, float dY) { return dY / b; }
    static DEVICE float secondGradient(float, float b, float y, float dY) { return -dY * (y / b); }
};

// a to the power of b; a below 0 has powers of integral b.
struct Pow {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    static DEVICE float value(float a, float b) {
        float v0 = absolute(a);
        float v1 = nearestInteger(b);
        float v2 = b * 0.5f;
        float v3 = nearestInteger(v2);
        float v4 = nearestInteger(logarithm(v0) * 1.442695f);
        float v5 = v4 * 0.6933594f;
        float v6 = scaleByPowerOfTwo(v0, -v4);
        float v7 = v6 - 1.0f;
        float v8 = v6 + 1.0f;
        float v9 = v7 / v8;
        float v10 = v9 + v9;
        float v11 = v5 + v10;
        float v12 = v11 - v5;
        float v13 = v9 * v9;
        float v14 = multiplyAdd(multiplyAdd(multiplyAdd(0.18181819f, v13, 0.22222222f), v13, 0.2857143f), v13, 0.4f);
        float v15 = (multiplyAdd(-v9, v8, v7) - v9 * (v6 - (v8 - 1.0f))) / v8;
        float v16 = multiplyAdd(multiplyAdd(v14, v13, 0.6666667f) * v13, v9, multiplyAdd(v4, -0.00021219444f, v15 + v15));
        float v17 = v5 - (v11 - v12) + (v10 - v12) + v16;
        float v18 = v11 + v17;
        float v19 = b * v18;
        float v20 = smaller(89.0f, larger(-104.5f, v19));
        float v21 = nearestInteger(v20 * 1.442695f);
        float v22 = multiplyAdd(v21, 0.00021219444f, multiplyAdd(v21, -0.6933594f, v20));
        float v23 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v22, 0.0013981999f), v22, 0.008333452f), v22, 0.041665796f);
        float v24 = multiplyAdd(multiplyAdd(multiplyAdd(v23, v22, 0.16666666f), v22, 0.5f), v22 * v22, v22) + 1.0f;
        float v25 = scaleByPowerOfTwo(v24, v21) * (1.0f + (multiplyAdd(b, v18, -v19) + b * (v17 - (v18 - v11))));
        float v26 = v19 > 100.0f ? infinity() : -110.0f > v19 ? 0.0f : v25;
        float v27 = v0 >= 1.0f ? (1.0f >= v0 ? 1.0f : v26) : v26;
        float v28 = -v27;
        float v29 = 0.0f > a ? (v1 >= b ? (b >= v1 ? (v3 >= v2 ? (v2 >= v3 ? v27 : v28) : v28) : quietNaN()) : quietNaN()) : v27;
        float v30 = v1 >= b ? (b >= v1 ? (v3 >= v2 ? (v2 >= v3 ? v0 : a) : a) : v0) : v0;
        float v31 = 0.0f > b ? 1.0f / v30 : b > 0.0f ? v30 : b;
        float v32 = v0 > 0.0f ? (3.4028235E+38f >= v0 ? v29 : v31) : v31;
        float v33 = a >= 1.0f ? (1.0f >= a ? 1.0f : v32) : v32;
        return b >= 0.0f ? (0.0f >= b ? 1.0f : v33) : v33;
    }
    static DEVICE float firstGradient(float a, float b, float, float dY) {
        float v0 = b - 1.0f;
        float v1 = absolute(a);
        float v2 = nearestInteger(v0);
        float v3 = v0 * 0.5f;
        float v4 = nearestInteger(v3);
        float v5 = nearestInteger(logarithm(v1) * 1.442695f);
        float v6 = v5 * 0.6933594f;
        float v7 = scaleByPowerOfTwo(v1, -v5);
        float v8 = v7 - 1.0f;
        float v9 = v7 + 1.0f;
        float v10 = v8 / v9;
        float v11 = v10 + v10;
        float v12 = v6 + v11;
        float v13 = v12 - v6;
        float v14 = v10 * v10;
        float v15 = multiplyAdd(multiplyAdd(multiplyAdd(0.18181819f, v14, 0.22222222f), v14, 0.2857143f), v14, 0.4f);
        float v16 = (multiplyAdd(-v10, v9, v8) - v10 * (v7 - (v9 - 1.0f))) / v9;
        float v17 = multiplyAdd(multiplyAdd(v15, v14, 0.6666667f) * v14, v10, multiplyAdd(v5, -0.00021219444f, v16 + v16));
        float v18 = v6 - (v12 - v13) + (v11 - v13) + v17;
        float v19 = v12 + v18;
        float v20 = v0 * v19;
        float v21 = smaller(89.0f, larger(-104.5f, v20));
        float v22 = nearestInteger(v21 * 1.442695f);
        float v23 = multiplyAdd(v22, 0.00021219444f, multiplyAdd(v22, -0.6933594f, v21));
        float v24 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v23, 0.0013981999f), v23, 0.008333452f), v23, 0.041665796f);
        float v25 = multiplyAdd(multiplyAdd(multiplyAdd(v24, v23, 0.16666666f), v23, 0.5f), v23 * v23, v23) + 1.0f;
        float v26 = scaleByPowerOfTwo(v25, v22) * (1.0f + (multiplyAdd(v0, v19, -v20) + v0 * (v18 - (v19 - v12))));
        float v27 = v20 > 100.0f ? infinity() : -110.0f > v20 ? 0.0f : v26;
        float v28 = v1 >= 1.0f ? (1.0f >= v1 ? 1.0f : v27) : v27;
        float v29 = -v28;
        float v30 = v2 >= v0 ? (v0 >= v2 ? (v4 >= v3 ? (v3 >= v4 ? v28 : v29) : v29) : quietNaN()) : quietNaN();
        float v31 = v2 >= v0 ? (v0 >= v2 ? (v4 >= v3 ? (v3 >= v4 ? v1 : a) : a) : v1) : v1;
        float v32 = 0.0f > v0 ? 1.0f / v31 : v0 > 0.0f ? v31 : v0;
        float v33 = v1 > 0.0f ? (3.4028235E+38f >= v1 ? (0.0f > a ? v30 : v28) : v32) : v32;
        float v34 = a >= 1.0f ? (1.0f >= a ? 1.0f : v33) : v33;
        float v35 = dY * (b * (v0 >= 0.0f ? (0.0f >= v0 ? 1.0f : v34) : v34));
        return b >= 0.0f ? (0.0f >= b ? 0.0f : v35) : v35;
    }
    static DEVICE float secondGradient(float a, float b, float y, float dY) {
        float v0 = dY * (y * logarithm(a));
        return a >= 0.0f ? (0.0f >= a ? (b >= 0.0f ? 0.0f : v0) : v0) : v0;
    }
};

// The smaller of a and b, NaN where either is; equal operands share the gradient.
struct Minimum {
    typedef float Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return a >= a ? smaller(a, b) : a; }
    static DEVICE float firstGradient(float a, float b, float, float dY) { return a > b ? 0.0f : a >= b ? 0.5f * dY : dY; }
    static DEVICE float secondGradient(float a, float b, float, float dY) { return b > a ? 0.0f : b >= a ? 0.5f * dY : dY; }
};

// The larger of a and b, NaN where either is; equal operands share the gradient.
struct Maximum {
    typedef float Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return a >= a ? larger(a, b) : a; }
    static DEVICE float firstGradient(float a, float b, float, float dY) { return b > a ? 0.0f : b >= a ? 0.5f * dY : dY; }
    static DEVICE float secondGradient(float a, float b, float, float dY) { return a > b ? 0.0f : a >= b ? 0.5f * dY : dY; }
};

// Whether a equals b; false where either is NaN.
struct Equal {
    typedef uint8 Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return a >= b ? (b >= a ? 1.0f : 0.0f) : 0.0f; }
};

// Whether a differs from b; true where either is NaN.
struct NotEqual {
    typedef uint8 Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return a >= b ? (b >= a ? 0.0f : 1.0f) : 1.0f; }
};

// Whether a is less than b; false where either is NaN.
struct Less {
    typedef uint8 Result;
    static constexpr bool COMMUTATIVE = false;
    template <class T>
    static DEVICE T value(T a, T b) { return b > a ? 1.0f : 0.0f; }
};

// Whether a is at most b; false where either is NaN.
struct LessOrEqual {
    typedef uint8 Result;
    static constexpr bool COMMUTATIVE = false;
    template <class T>
    static DEVICE T value(T a, T b) { return b >= a ? 1.0f : 0.0f; }
};

// Whether a is greater than b; false where either is NaN.
struct Greater {
    typedef uint8 Result;
    static constexpr bool COMMUTATIVE = false;
    template <class T>
    static DEVICE T value(T a, T b) { return a > b ? 1.0f : 0.0f; }
};

// Whether a is at least b; false where either is NaN.
struct GreaterOrEqual {
    typedef uint8 Result;
    static constexpr bool COMMUTATIVE = false;
    template <class T>
    static DEVICE T value(T a, T b) { return a >= b ? 1.0f : 0.0f; }
};

// Whether both a and b hold.
struct And {
    typedef uint8 Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return smaller(a, b); }
};

// Whether a or b or both hold.
struct Or {
    typedef uint8 Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return larger(a, b); }
};

// Whether one of a and b holds and the other does not.
struct Xor {
    typedef uint8 Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return a >= b ? (b >= a ? 0.0f : 1.0f) : 1.0f; }
};

// The remainder of a / b with a's sign, exact for quotients up to 2^24; NaN where b is 0.
struct Fmod {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    static DEVICE float value(float a, float b) {
        float v0 = absolute(b);
        float v1 = absolute(a);
        float v2 = multiplyAdd(-nearestInteger(v1 / v0), v0, v1);
        float v3 = 0.0f > v2 ? v2 + v0 : v2;
        float v4 = v0 > 3.4028235E+38f ? (v1 > 3.4028235E+38f ? quietNaN() : v1) : v3 >= v0 ? v3 - v0 : v3;
        float v5 = -v4;
        return 0.0f > a ? v5 : a >= 0.0f ? (0.0f >= a ? (0.0f > 1.0f / a ? v5 : v4) : v4) : v4;
    }
    static DEVICE float secondGradient(float a, float b, float y, float dY) { return -dY * nearestInteger((a - y) / b); }
};

// a % b as in Python, with b's sign, exact for quotients up to 2^24; NaN where b is 0.
struct Remainder {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    static DEVICE float value(float a, float b) {
        float v0 = absolute(b);
        float v1 = absolute(a);
        float v2 = multiplyAdd(-nearestInteger(v1 / v0), v0, v1);
        float v3 = 0.0f > v2 ? v2 + v0 : v2;
        float v4 = v0 > 3.4028235E+38f ? (v1 > 3.4028235E+38f ? quietNaN() : v1) : v3 >= v0 ? v3 - v0 : v3;
        float v5 = -v4;
        float v6 = 0.0f > a ? v5 : a >= 0.0f ? (0.0f >= a ? (0.0f > 1.0f / a ? v5 : v4) : v4) : v4;
        float v7 = v6 + b;
        return b > 0.0f ? (0.0f > v6 ? v7 : v6) : v6 > 0.0f ? v7 : v6;
    }
    static DEVICE float secondGradient(float a, float b, float y, float dY) { return -dY * nearestInteger((a - y) / b); }
};

// The angle in radians, -pi to pi, of the point with the ordinate a and the abscissa b.
struct Atan2 {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    static DEVICE float value(float a, float b) {
        float v0 = absolute(a);
        float v1 = absolute(b);
        float v2 = v1 > v0 ? v0 : v1;
        float v3 = v1 > v0 ? v1 : v0;
        float v4 = v2 / v3;
        float v5 = v2 > 3.4028235E+38f ? 1.0f : v3 >= 0.0f ? (0.0f >= v3 ? v2 : v4) : v4;
        float v6 = absolute(v5);
        float v7 = v6 > 2.4142137f ? -1.0f / v6 : v6 > 0.41421357f ? (v6 - 1.0f) / (v6 + 1.0f) : v6;
        float v8 = v7 * v7;
        float v9 = multiplyAdd(multiplyAdd(multiplyAdd(-0.064517185f, v8, 0.10743669f), v8, -0.1426395f), v8, 0.1999954f);
        float v10 = (v6 > 2.4142137f ? 1.5707964f : v6 > 0.41421357f ? 0.7853982f : 0.0f) + multiplyAdd(multiplyAdd(v9, v8, -0.3333333f) * v8, v7, v7);
        float v11 = 0.0f > v5 ? -v10 : v10;
        float v12 = v0 > v1 ? 1.5707964f - (v11 + 4.371139E-08f) : v11;
        float v13 = 3.1415927f - (v12 + 8.742278E-08f);
        float v14 = 0.0f > b ? v13 : b >= 0.0f ? (0.0f >= b ? (0.0f > 1.0f / b ? v13 : v12) : v12) : v12;
        float v15 = -v14;
        return 0.0f > a ? v15 : a >= 0.0f ? (0.0f >= a ? (0.0f > 1.0f / a ? v15 : v14) : v14) : v14;
    }
    static DEVICE float firstGradient(float a, float b, float, float dY) {
        float v0 = multiplyAdd(a, a, b * b);
        float v1 = dY * (b / v0);
        return v0 >= 0.0f ? (0.0f >= v0 ? 0.0f : v1) : v1;
    }
    static DEVICE float secondGradient(float a, float b, float, float dY) {
        float v0 = multiplyAdd(a, a, b * b);
        float v1 = -dY * (a / v0);
        return v0 >= 0.0f ? (0.0f >= v0 ? 0.0f : v1) : v1;
    }
};

// The square root of a^2 + b^2, without overflow; NaN gradients where both are 0, as in PyTorch.
struct Hypot {
    typedef float Result;
    static constexpr bool COMMUTATIVE = true;
    static DEVICE float value(float a, float b) {
        float v0 = absolute(a);
        float v1 = absolute(b);
        float v2 = v0 > v1 ? v0 : v1;
        float v3 = v0 > v1 ? v1 : v0;
        float v4 = v3 / v2;
        float v5 = v2 * squareRoot(multiplyAdd(v4, v4, 1.0f));
        return v0 > 3.4028235E+38f ? v0 : v1 > 3.4028235E+38f ? v1 : v2 >= 0.0f ? (0.0f >= v2 ? v3 : v5) : v5;
    }
    static DEVICE float firstGradient(float a, float, float y, float dY) { return dY * (a / y); }
    static DEVICE float secondGradient(float, float b, float y, float dY) { return dY * (b / y); }
};

// The bits that a and b have both.
struct BitwiseAnd {
    typedef float Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return (a & b); }
};

// The bits that a or b or both have.
struct BitwiseOr {
    typedef float Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return (a | b); }
};

// The bits that one of a and b has and the other has not.
struct BitwiseXor {
    typedef float Result;
    static constexpr bool COMMUTATIVE = true;
    template <class T>
    static DEVICE T value(T a, T b) { return (a ^ b); }
};

// a's bits moved up by b places, of which the lowest five bits count; zeros move in.
struct ShiftLeft {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    template <class T>
    static DEVICE T value(T a, T b) { return (T)((uint32)a << (b & 31)); }
};

// a's bits moved down by b places, of which the lowest five bits count; its sign moves in.
struct ShiftRight {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    template <class T>
    static DEVICE T value(T a, T b) { return (a >> (b & 31)); }
};

// a where it is above 0, else a times the slope b, which is learned (He et al., 2015).
struct PRelu {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    static DEVICE float value(float a, float b) { return a > 0.0f ? a : a * b; }
    static DEVICE float firstGradient(float a, float b, float, float dY) { return a > 0.0f ? dY : dY * b; }
    static DEVICE float secondGradient(float a, float, float, float dY) { return a > 0.0f ? 0.0f : dY * a; }
};

// a times sigmoid(b).
struct SigmoidGate {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    static DEVICE float value(float a, float b) {
        float v0 = smaller(89.0f, larger(-104.5f, -b));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return a * (1.0f / (1.0f + v4));
    }
    static DEVICE float firstGradient(float, float b, float, float dY) {
        float v0 = smaller(89.0f, larger(-104.5f, -b));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return dY * (1.0f / (1.0f + v4));
    }
    static DEVICE float secondGradient(float a, float b, float, float dY) {
        float v0 = -b;
        float v1 = smaller(89.0f, larger(-104.5f, v0));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        float v6 = smaller(89.0f, larger(-104.5f, -v0));
        float v7 = nearestInteger(v6 * 1.442695f);
        float v8 = multiplyAdd(v7, 0.00021219444f, multiplyAdd(v7, -0.6933594f, v6));
        float v9 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v8, 0.0013981999f), v8, 0.008333452f), v8, 0.041665796f);
        float v10 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v9, v8, 0.16666666f), v8, 0.5f), v8 * v8, v8) + 1.0f, v7);
        return dY * (a * (1.0f / (1.0f + v5) * (1.0f / (1.0f + v10))));
    }
};

// a times SiLU(b).
struct SiLUGate {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    static DEVICE float value(float a, float b) {
        float v0 = smaller(89.0f, larger(-104.5f, -b));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return a * (larger(-105.0f, b) * (1.0f / (1.0f + v4)));
    }
    static DEVICE float firstGradient(float, float b, float, float dY) {
        float v0 = smaller(89.0f, larger(-104.5f, -b));
        float v1 = nearestInteger(v0 * 1.442695f);
        float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
        float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
        float v4 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
        return dY * (larger(-105.0f, b) * (1.0f / (1.0f + v4)));
    }
    static DEVICE float secondGradient(float a, float b, float, float dY) {
        float v0 = smaller(105.0f, larger(-105.0f, b));
        float v1 = smaller(89.0f, larger(-104.5f, -v0));
        float v2 = nearestInteger(v1 * 1.442695f);
        float v3 = multiplyAdd(v2, 0.00021219444f, multiplyAdd(v2, -0.6933594f, v1));
        float v4 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v3, 0.0013981999f), v3, 0.008333452f), v3, 0.041665796f);
        float v5 = scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v4, v3, 0.16666666f), v3, 0.5f), v3 * v3, v3) + 1.0f, v2);
        float v6 = 1.0f / (1.0f + v5);
        return dY * a * (v6 * multiplyAdd(v0, 1.0f - v6, 1.0f));
    }
};

// a times GELU(b).
struct GeluGate {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    static DEVICE float value(float a, float b) {
        float v0 = smaller(15.0f, absolute(b));
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
        return a * (larger(-15.0f, b) * (b > 0.0f ? 1.0f - v11 : v11));
    }
    static DEVICE float firstGradient(float, float b, float, float dY) {
        float v0 = smaller(15.0f, absolute(b));
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
        return dY * (larger(-15.0f, b) * (b > 0.0f ? 1.0f - v11 : v11));
    }
    static DEVICE float secondGradient(float a, float b, float, float dY) {
        float v0 = smaller(15.0f, absolute(b));
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
        float v13 = multiplyAdd(smaller(15.0f, larger(-15.0f, b)) * 0.3989423f, v7, b > 0.0f ? 1.0f - v12 : v12);
        return dY * a * v13;
    }
};

// a times ReLU(b); the gradient for b is 0 at 0.
struct ReluGate {
    typedef float Result;
    static constexpr bool COMMUTATIVE = false;
    static DEVICE float value(float a, float b) { return a * (0.0f > b ? 0.0f : b); }
    static DEVICE float firstGradient(float, float b, float, float dY) { return dY * (0.0f > b ? 0.0f : b); }
    static DEVICE float secondGradient(float a, float b, float, float dY) { return b > 0.0f ? dY * a : 0.0f; }
};

// F(last part of the kernels' names, function).
#define ARITHMETIC_FUNCTIONS(F) \
    F(add, Add) \
    F(subtract, Subtract) \
    F(multiply, Multiply) \
    F(divide, Divide)
#define BINARY_FUNCTIONS(F) \
    F(pow, Pow) \
    F(minimum, Minimum) \
    F(maximum, Maximum) \
    F(equal, Equal) \
    F(notequal, NotEqual) \
    F(less, Less) \
    F(lessorequal, LessOrEqual) \
    F(greater, Greater) \
    F(greaterorequal, GreaterOrEqual) \
    F(fmod, Fmod) \
    F(remainder, Remainder) \
    F(atan2, Atan2) \
    F(hypot, Hypot) \
    F(prelu, PRelu) \
    F(sigmoidgate, SigmoidGate) \
    F(silugate, SiLUGate) \
    F(gelugate, GeluGate) \
    F(relugate, ReluGate)
#define FIRST_GRADIENTS(F) \
    F(divide, Divide) \
    F(pow, Pow) \
    F(minimum, Minimum) \
    F(maximum, Maximum) \
    F(atan2, Atan2) \
    F(hypot, Hypot) \
    F(prelu, PRelu) \
    F(sigmoidgate, SigmoidGate) \
    F(silugate, SiLUGate) \
    F(gelugate, GeluGate) \
    F(relugate, ReluGate)
#define SECOND_GRADIENTS(F) \
    F(divide, Divide) \
    F(pow, Pow) \
    F(minimum, Minimum) \
    F(maximum, Maximum) \
    F(fmod, Fmod) \
    F(remainder, Remainder) \
    F(atan2, Atan2) \
    F(hypot, Hypot) \
    F(prelu, PRelu) \
    F(sigmoidgate, SigmoidGate) \
    F(silugate, SiLUGate) \
    F(gelugate, GeluGate) \
    F(relugate, ReluGate)
#define TRUTH_FUNCTIONS(F) \
    F(equal, Equal) \
    F(notequal, NotEqual) \
    F(and, And) \
    F(or, Or) \
    F(xor, Xor)

// F(last part of the kernels' names, function, type of the result).
#define INTEGER_FUNCTIONS(F) \
    F(equal, Equal, uint8) \
    F(notequal, NotEqual, uint8) \
    F(less, Less, uint8) \
    F(lessorequal, LessOrEqual, uint8) \
    F(greater, Greater, uint8) \
    F(greaterorequal, GreaterOrEqual, uint8) \
    F(add, Add, int) \
    F(subtract, Subtract, int) \
    F(multiply, Multiply, int) \
    F(minimum, Minimum, int) \
    F(maximum, Maximum, int) \
    F(bitwiseand, BitwiseAnd, int) \
    F(bitwiseor, BitwiseOr, int) \
    F(bitwisexor, BitwiseXor, int) \
    F(shiftleft, ShiftLeft, int) \
    F(shiftright, ShiftRight, int)
