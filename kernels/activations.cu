// Functions of one number, element by element over any shape; the functions themselves are printed from src/FastNN/Functions. Forward
// y = f(x), x and y may be one tensor: 8 bytes per element. Backward dX (=|+=) dY f'(x or y), dX and dY may be one tensor: 12 bytes, 16
// where it adds, 4 less where f' needs neither x nor y. Flops per element: 1 for ReLU, about 20 with an exponential, about 45 with the
// normal distribution.
#include "elements.cuh"
#include "generated/activations.cuh"

struct ActivationForwardArguments {
    const float* x;
    float* y;
    int64 count;
    Scalars scalars;
};

struct ActivationBackwardArguments {
    const float* xOrY;
    const float* dY;
    float* dX;
    int64 count;
    Scalars scalars;
    int accumulate;
    int unused;
};

template <class F>
DEVICE void forward(const ActivationForwardArguments& a) {
    Scalars s = a.scalars;
    mapElements(a.x, a.y, a.count, false, [=](float x) { return F::value(x, s); });
}

template <class F>
DEVICE void backward(const ActivationBackwardArguments& a) {
    Scalars s = a.scalars;
    if (F::READS_NOTHING) {
        mapElements(a.dY, a.dX, a.count, a.accumulate, [=](float dY) { return F::gradient(dY, dY, s); });
    } else {
        mapElements(a.xOrY, a.dY, a.dX, a.count, a.accumulate, [=](float x, float dY) { return F::gradient(x, dY, s); });
    }
}

#define KERNELS(name, F)                                                                        \
    KERNEL void activation_forward_##name(ActivationForwardArguments a) { forward<F>(a); }      \
    KERNEL void activation_backward_##name(ActivationBackwardArguments a) { backward<F>(a); }

UNARY_FUNCTIONS(KERNELS)
