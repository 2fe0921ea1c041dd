// Binary cross-entropy from probabilities or logits, any shape, as PyTorch's BCELoss and BCEWithLogitsLoss compute it. Forward 8 bytes
// read and about 60 flops per element, 4 more for a weight per element. Backward dX (=|+=): 12 bytes moved and about 30 flops, 4 more
// for each of a weight, an unreduced dLoss and a sum. Weights of positive classes come from the cache.
#include "losses.cuh"

#define PROBABILITIES(pass) \
    pass(a, ElementsOf<ProbabilityLoss>(a))

// The same for all threads of a launch.
#define LOGITS(pass)                                \
    if (a.positiveWeight) {                         \
        pass(a, ElementsOf<WeightedLogitLoss>(a));  \
    } else {                                        \
        pass(a, ElementsOf<LogitLoss>(a));          \
    }

KERNEL void binarycrossentropy_forward_each_probabilities(LossArguments a) { PROBABILITIES(lossEach); }
KERNEL void binarycrossentropy_forward_each_logits(LossArguments a) { LOGITS(lossEach) }
KERNEL void binarycrossentropy_forward_sum_probabilities(LossArguments a) { PROBABILITIES(lossSum); }
KERNEL void binarycrossentropy_forward_sum_logits(LossArguments a) { LOGITS(lossSum) }
KERNEL void binarycrossentropy_backward_probabilities(LossArguments a) { PROBABILITIES(lossBackward); }
KERNEL void binarycrossentropy_backward_logits(LossArguments a) { LOGITS(lossBackward) }
