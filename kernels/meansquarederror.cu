// Squared error of x against targets, any shape. Forward 8 bytes read and 3 flops per element, 12 moved unreduced. Backward
// dX (=|+=) dLoss 2 (x - target): 12 bytes moved, 4 more for each of an unreduced dLoss and a sum.
#include "losses.cuh"

KERNEL void meansquarederror_forward_each(LossArguments a) { lossEach(a, ElementsOf<SquaredError>(a)); }
KERNEL void meansquarederror_forward_sum(LossArguments a) { lossSum(a, ElementsOf<SquaredError>(a)); }
KERNEL void meansquarederror_backward(LossArguments a) { lossBackward(a, ElementsOf<SquaredError>(a)); }
