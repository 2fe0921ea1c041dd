// Squared error of x against targets, any shape. Forward 8 bytes read and 3 flops per element, 12 moved unreduced. Backward
// dX (=|+=) dLoss 2 (x - target): 12 bytes moved, 4 more for each of an unreduced dLoss and a sum.
#include "losses.cuh"

struct SquaredErrors {
    const float* x;
    const float* targets;

    DEVICE float loss(float value, float target, int64) const {
        float error = value - target;
        return error * error;
    }

    DEVICE float slope(float value, float target, int64) const {
        float error = value - target;
        return error + error;
    }
};

KERNEL void meansquarederror_forward_each(LossArguments a) { lossEach(a, SquaredErrors{a.x, a.targets}); }
KERNEL void meansquarederror_forward_sum(LossArguments a) { lossSum(a, SquaredErrors{a.x, a.targets}); }
KERNEL void meansquarederror_backward(LossArguments a) { lossBackward(a, SquaredErrors{a.x, a.targets}); }
