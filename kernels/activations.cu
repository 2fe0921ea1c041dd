// Activations, element by element over any shape. Forward y = f(x), x and y may be one tensor: 8 bytes per element. Backward
// dX (=|+=) dY f'(x or y), dX and dY may be one tensor: 12 bytes, 16 where it adds. Flops per element: 1 for ReLU, about 20 with an
// exponential, about 45 with the normal distribution.
#include "activation.cuh"
#include "elements.cuh"

struct ActivationForwardArguments {
    const float* x;
    float* y;
    int64 count;
    float slope;
};

struct ActivationBackwardArguments {
    const float* xOrY;
    const float* dY;
    float* dX;
    int64 count;
    float slope;
    int accumulate;
};

#define FORWARD(name, value)                                                          \
    KERNEL void activation_forward_##name(ActivationForwardArguments a) {             \
        float slope = a.slope;                                                        \
        (void)slope;                                                                  \
        mapElements(a.x, a.y, a.count, false, [=](float x) { return value; });        \
    }

#define BACKWARD(name, value)                                                                                          \
    KERNEL void activation_backward_##name(ActivationBackwardArguments a) {                                            \
        float slope = a.slope;                                                                                         \
        (void)slope;                                                                                                   \
        mapElements(a.xOrY, a.dY, a.dX, a.count, a.accumulate, [=](float x, float dY) { return value; });              \
    }

FORWARD(relu, relu(x))
FORWARD(leakyrelu, leakyRelu(slope, x))
FORWARD(sigmoid, sigmoid(x))
FORWARD(tanh, hyperbolicTangent(x))
FORWARD(gelu, gelu(x))
FORWARD(gelutanh, geluTanh(x))

BACKWARD(relu, reluGradient(x, dY))
BACKWARD(leakyrelu, leakyReluGradient(slope, x, dY))
BACKWARD(sigmoid, sigmoidGradient(x, dY))
BACKWARD(tanh, tanhGradient(x, dY))
BACKWARD(gelu, geluGradient(x, dY))
BACKWARD(gelutanh, geluTanhGradient(x, dY))
