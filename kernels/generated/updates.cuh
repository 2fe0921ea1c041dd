// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.
#pragma once
#include "functions.cuh"

// p and g: a parameter and its gradient; first to third: what is remembered of it, and what becomes of that.

// p -= rate (g + decay p).
struct SgdUpdate {
    static constexpr int STATES = 0;
    static DEVICE float step(float p, float g, float, float, float, float&, float&, float&, const UpdateScalars& s) {
        return multiplyAdd(multiplyAdd(p, s.a, g), s.b, p);
    }
};

// g += decay p; v = momentum v + (1 - dampening) g; p -= rate v.
struct SgdMomentumUpdate {
    static constexpr int STATES = 1;
    static DEVICE float step(float p, float g, float first, float, float, float& nextFirst, float&, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(multiplyAdd(p, s.a, g), s.d, first * s.c);
        nextFirst = v0;
        return multiplyAdd(v0, s.b, p);
    }
};

// g += decay p; v = momentum v + g; p -= rate (g + momentum v).
struct SgdNesterovUpdate {
    static constexpr int STATES = 1;
    static DEVICE float step(float p, float g, float first, float, float, float& nextFirst, float&, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0, s.d, first * s.c);
        nextFirst = v1;
        return multiplyAdd(multiplyAdd(v1, s.e, v0), s.b, p);
    }
};

// g += decay p; m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= step m / (sqrt(v) / correction + epsilon).
struct AdamUpdate {
    static constexpr int STATES = 2;
    static DEVICE float step(float p, float g, float first, float second, float, float& nextFirst, float& nextSecond, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0 - first, s.c, first);
        float v2 = 7.888609E-31f > absolute(v1) ? 0.0f : v1;
        nextFirst = v2;
        float v3 = multiplyAdd(v0 * s.e, v0, second * s.d);
        nextSecond = v3;
        return multiplyAdd(v2 / multiplyAdd(squareRoot(v3), s.f, s.g), s.b, p);
    }
};

// g += decay p; m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= step m / (sqrt(the largest v) / correction +
// epsilon).
struct AdamAmsGradUpdate {
    static constexpr int STATES = 3;
    static DEVICE float step(float p, float g, float first, float second, float third, float& nextFirst, float& nextSecond,
        float& nextThird, const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0 - first, s.c, first);
        float v2 = 7.888609E-31f > absolute(v1) ? 0.0f : v1;
        nextFirst = v2;
        float v3 = multiplyAdd(v0 * s.e, v0, second * s.d);
        nextSecond = v3;
        float v4 = larger(third, v3);
        nextThird = v4;
        return multiplyAdd(v2 / multiplyAdd(squareRoot(v4), s.f, s.g), s.b, p);
    }
};

// p *= 1 - rate decay; m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= step m / (sqrt(v) / correction + epsilon).
struct AdamWUpdate {
    static constexpr int STATES = 2;
    static DEVICE float step(float p, float g, float first, float second, float, float& nextFirst, float& nextSecond, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(g - first, s.c, first);
        float v1 = 7.888609E-31f > absolute(v0) ? 0.0f : v0;
        nextFirst = v1;
        float v2 = multiplyAdd(g * s.e, g, second * s.d);
        nextSecond = v2;
        return multiplyAdd(v1 / multiplyAdd(squareRoot(v2), s.f, s.g), s.b, p * s.a);
    }
};

// p *= 1 - rate decay; m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= step m / (sqrt(the largest v) / correction +
// epsilon).
struct AdamWAmsGradUpdate {
    static constexpr int STATES = 3;
    static DEVICE float step(float p, float g, float first, float second, float third, float& nextFirst, float& nextSecond,
        float& nextThird, const UpdateScalars& s) {
        float v0 = multiplyAdd(g - first, s.c, first);
        float v1 = 7.888609E-31f > absolute(v0) ? 0.0f : v0;
        nextFirst = v1;
        float v2 = multiplyAdd(g * s.e, g, second * s.d);
        nextSecond = v2;
        float v3 = larger(third, v2);
        nextThird = v3;
        return multiplyAdd(v1 / multiplyAdd(squareRoot(v3), s.f, s.g), s.b, p * s.a);
    }
};

// g += decay p; m += (1 - beta1) (g - m); v += (1 - beta2) (g^2 - v); p -= (step g + next step m) / (sqrt(v) / correction +
// epsilon).
struct NAdamUpdate {
    static constexpr int STATES = 2;
    static DEVICE float step(float p, float g, float first, float second, float, float& nextFirst, float& nextSecond, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0 - first, s.c, first);
        float v2 = 7.888609E-31f > absolute(v1) ? 0.0f : v1;
        nextFirst = v2;
        float v3 = multiplyAdd(multiplyAdd(v0, v0, -second), s.d, second);
        nextSecond = v3;
        return p + multiplyAdd(v0, s.b, v2 * s.g) / multiplyAdd(squareRoot(v3), s.e, s.f);
    }
};

// g += decay p; m += (1 - beta1) (g - m); u = max(beta2 u, |g| + epsilon); p -= step m / u.
struct AdamaxUpdate {
    static constexpr int STATES = 2;
    static DEVICE float step(float p, float g, float first, float second, float, float& nextFirst, float& nextSecond, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0 - first, s.c, first);
        float v2 = 7.888609E-31f > absolute(v1) ? 0.0f : v1;
        nextFirst = v2;
        float v3 = larger(second * s.d, absolute(v0) + s.e);
        nextSecond = v3;
        return multiplyAdd(v2 / v3, s.b, p);
    }
};

// g += decay p; v = alpha v + (1 - alpha) g^2; d = g / (sqrt(v) + epsilon); p -= rate d.
struct RmsPropUpdate {
    static constexpr int STATES = 1;
    static DEVICE float step(float p, float g, float first, float, float, float& nextFirst, float&, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0 * s.d, v0, first * s.c);
        nextFirst = v1;
        return multiplyAdd(v0 / (squareRoot(v1) + s.e), s.b, p);
    }
};

// g += decay p; v = alpha v + (1 - alpha) g^2; d = g / (sqrt(v) + epsilon); b = momentum b + d; p -= rate b.
struct RmsPropMomentumUpdate {
    static constexpr int STATES = 2;
    static DEVICE float step(float p, float g, float first, float second, float, float& nextFirst, float& nextSecond, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0 * s.d, v0, first * s.c);
        nextFirst = v1;
        float v2 = multiplyAdd(second, s.f, v0 / (squareRoot(v1) + s.e));
        nextSecond = v2;
        return multiplyAdd(v2, s.b, p);
    }
};

// g += decay p; v = alpha v + (1 - alpha) g^2; m += (1 - alpha) (g - m); d = g / (sqrt(v - m^2) + epsilon); p -= rate d.
struct RmsPropCenteredUpdate {
    static constexpr int STATES = 2;
    static DEVICE float step(float p, float g, float first, float second, float, float& nextFirst, float& nextSecond, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0 * s.d, v0, first * s.c);
        nextFirst = v1;
        float v2 = multiplyAdd(v0 - second, s.d, second);
        float v3 = 7.888609E-31f > absolute(v2) ? 0.0f : v2;
        nextSecond = v3;
        return multiplyAdd(v0 / (squareRoot(larger(0.0f, multiplyAdd(-v3, v3, v1))) + s.e), s.b, p);
    }
};

// g += decay p; v = alpha v + (1 - alpha) g^2; m += (1 - alpha) (g - m); d = g / (sqrt(v - m^2) + epsilon); b = momentum b + d; p
// -= rate b.
struct RmsPropCenteredMomentumUpdate {
    static constexpr int STATES = 3;
    static DEVICE float step(float p, float g, float first, float second, float third, float& nextFirst, float& nextSecond,
        float& nextThird, const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0 * s.d, v0, first * s.c);
        nextFirst = v1;
        float v2 = multiplyAdd(v0 - second, s.d, second);
        float v3 = 7.888609E-31f > absolute(v2) ? 0.0f : v2;
        nextSecond = v3;
        float v4 = multiplyAdd(third, s.f, v0 / (squareRoot(larger(0.0f, multiplyAdd(-v3, v3, v1))) + s.e));
        nextThird = v4;
        return multiplyAdd(v4, s.b, p);
    }
};

// g += decay p; v += g^2; p -= rate g / (sqrt(v) + epsilon).
struct AdagradUpdate {
    static constexpr int STATES = 1;
    static DEVICE float step(float p, float g, float first, float, float, float& nextFirst, float&, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0, v0, first);
        nextFirst = v1;
        return multiplyAdd(v0 / (squareRoot(v1) + s.c), s.b, p);
    }
};

// g += decay p; v = rho v + (1 - rho) g^2; d = g sqrt(u + epsilon) / sqrt(v + epsilon); u = rho u + (1 - rho) d^2; p -= rate d.
struct AdadeltaUpdate {
    static constexpr int STATES = 2;
    static DEVICE float step(float p, float g, float first, float second, float, float& nextFirst, float& nextSecond, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0 * s.d, v0, first * s.c);
        nextFirst = v1;
        float v2 = squareRoot(second + s.e) / squareRoot(v1 + s.e) * v0;
        nextSecond = multiplyAdd(v2 * s.d, v2, second * s.c);
        return multiplyAdd(v2, s.b, p);
    }
};

// p *= 1 - rate decay; m += (1 - beta1) (g - m); v += (1 - beta2) (g^2 - v); p -= (step g + next step m) / (sqrt(v) / correction
// + epsilon).
struct NAdamDecoupledUpdate {
    static constexpr int STATES = 2;
    static DEVICE float step(float p, float g, float first, float second, float, float& nextFirst, float& nextSecond, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(g - first, s.c, first);
        float v1 = 7.888609E-31f > absolute(v0) ? 0.0f : v0;
        nextFirst = v1;
        float v2 = multiplyAdd(multiplyAdd(g, g, -second), s.d, second);
        nextSecond = v2;
        return p * s.a + multiplyAdd(g, s.b, v1 * s.g) / multiplyAdd(squareRoot(v2), s.e, s.f);
    }
};

// g += decay p; m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= step m / (sqrt(v) + epsilon), or step m in the
// first steps.
struct RAdamUpdate {
    static constexpr int STATES = 2;
    static DEVICE float step(float p, float g, float first, float second, float, float& nextFirst, float& nextSecond, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(p, s.a, g);
        float v1 = multiplyAdd(v0 - first, s.c, first);
        float v2 = 7.888609E-31f > absolute(v1) ? 0.0f : v1;
        nextFirst = v2;
        float v3 = multiplyAdd(v0 * s.e, v0, second * s.d);
        nextSecond = v3;
        return multiplyAdd(v2 / (s.g > 0.5f ? squareRoot(v3) + s.f : 1.0f), s.b, p);
    }
};

// p *= 1 - rate decay; m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= step m / (sqrt(v) + epsilon), or step m in
// the first steps.
struct RAdamDecoupledUpdate {
    static constexpr int STATES = 2;
    static DEVICE float step(float p, float g, float first, float second, float, float& nextFirst, float& nextSecond, float&,
        const UpdateScalars& s) {
        float v0 = multiplyAdd(g - first, s.c, first);
        float v1 = 7.888609E-31f > absolute(v0) ? 0.0f : v0;
        nextFirst = v1;
        float v2 = multiplyAdd(g * s.e, g, second * s.d);
        nextSecond = v2;
        return multiplyAdd(v1 / (s.g > 0.5f ? squareRoot(v2) + s.f : 1.0f), s.b, p * s.a);
    }
};

// c = m + (1 - beta1) (g - m); p = (1 - rate decay) p - rate sign(c); m += (1 - beta2) (g - m).
struct LionUpdate {
    static constexpr int STATES = 1;
    static DEVICE float step(float p, float g, float first, float, float, float& nextFirst, float&, float&,
        const UpdateScalars& s) {
        float v0 = g - first;
        float v1 = multiplyAdd(v0, s.d, first);
        nextFirst = 7.888609E-31f > absolute(v1) ? 0.0f : v1;
        float v2 = multiplyAdd(v0, s.c, first);
        return multiplyAdd(v2 > 0.0f ? 1.0f : 0.0f > v2 ? -1.0f : v2, s.b, p * s.a);
    }
};

// p += share (g - p), or g where the share is 1.
struct AverageUpdate {
    static constexpr int STATES = 0;
    static DEVICE float step(float p, float g, float, float, float, float&, float&, float&, const UpdateScalars& s) {
        return s.a >= 1.0f ? g : multiplyAdd(g - p, s.a, p);
    }
};

// F(last part of the kernel's name, update).
#define UPDATE_FUNCTIONS(F) \
    F(sgd, SgdUpdate) \
    F(sgdmomentum, SgdMomentumUpdate) \
    F(sgdnesterov, SgdNesterovUpdate) \
    F(adam, AdamUpdate) \
    F(adamamsgrad, AdamAmsGradUpdate) \
    F(adamw, AdamWUpdate) \
    F(adamwamsgrad, AdamWAmsGradUpdate) \
    F(nadam, NAdamUpdate) \
    F(adamax, AdamaxUpdate) \
    F(rmsprop, RmsPropUpdate) \
    F(rmspropmomentum, RmsPropMomentumUpdate) \
    F(rmspropcentered, RmsPropCenteredUpdate) \
    F(rmspropcenteredmomentum, RmsPropCenteredMomentumUpdate) \
    F(adagrad, AdagradUpdate) \
    F(adadelta, AdadeltaUpdate) \
    F(nadamdecoupled, NAdamDecoupledUpdate) \
    F(radam, RAdamUpdate) \
    F(radamdecoupled, RAdamDecoupledUpdate) \
    F(lion, LionUpdate) \
    F(average, AverageUpdate)
