// Binary cross-entropy from probabilities or logits, any shape, as PyTorch's BCELoss and BCEWithLogitsLoss compute it. Forward 8 bytes
// read and about 60 flops per element, 4 more for a weight per element. Backward dX (=|+=): 12 bytes moved and about 30 flops, 4 more
// for each of a weight, an unreduced dLoss and a sum. Weights of positive classes come from the cache.
#include "losses.cuh"
#include "math.cuh"

struct BinaryOperands {
    const float* x;
    const float* targets;
    const float* weight;
    const float* positiveWeight;
    int columns;

    DEVICE float weigh(float value, int64 i) const { return weight ? value * weight[i] : value; }

    DEVICE float positive(int64 i) const { return positiveWeight[columns == 1 ? 0 : i % columns]; }
};

DEVICE BinaryOperands operands(const LossArguments& a) { return {a.x, a.targets, a.weight, a.positiveWeight, a.columns}; }

// -(t log x + (1 - t) log(1 - x)), each logarithm at least -100; its slope (x - t) / max(x (1 - x), 1e-12), PyTorch's guard against a
// division by zero.
struct ProbabilityElements : BinaryOperands {
    DEVICE float loss(float value, float t, int64 i) const {
        float yes = larger(-100.0f, logarithm(value)), no = larger(-100.0f, logOneMinus(value));
        return weigh((t - 1.0f) * no - t * yes, i);
    }

    DEVICE float slope(float value, float t, int64 i) const {
        float spread = larger(1e-12f, value * (1.0f - value));
        return weigh((value - t) / spread, i);
    }
};

// p t log(1 + exp(-x)) + (1 - t) log(1 + exp(x)), p the weight of the positive class, in terms of one sign so that nothing cancels; its
// slope sigmoid(x) - t, or (1 - t) - (1 + (p - 1) t) sigmoid(-x).
struct LogitElements : BinaryOperands {
    DEVICE float loss(float value, float t, int64 i) const {
        float soft = logOnePlus(exponential(-absolute(value)));
        float yes = t * (soft + larger(0.0f, -value)), no = (1.0f - t) * (soft + larger(0.0f, value));
        if (positiveWeight) yes *= positive(i);
        return weigh(yes + no, i);
    }

    DEVICE float slope(float value, float t, int64 i) const {
        if (!positiveWeight) return weigh(sigmoid(value) - t, i);
        float factor = multiplyAdd(positive(i) - 1.0f, t, 1.0f);
        return weigh(1.0f - t - factor * sigmoid(-value), i);
    }
};

KERNEL void binarycrossentropy_forward_each_probabilities(LossArguments a) { lossEach(a, ProbabilityElements{operands(a)}); }
KERNEL void binarycrossentropy_forward_each_logits(LossArguments a) { lossEach(a, LogitElements{operands(a)}); }
KERNEL void binarycrossentropy_forward_sum_probabilities(LossArguments a) { lossSum(a, ProbabilityElements{operands(a)}); }
KERNEL void binarycrossentropy_forward_sum_logits(LossArguments a) { lossSum(a, LogitElements{operands(a)}); }
KERNEL void binarycrossentropy_backward_probabilities(LossArguments a) { lossBackward(a, ProbabilityElements{operands(a)}); }
KERNEL void binarycrossentropy_backward_logits(LossArguments a) { lossBackward(a, LogitElements{operands(a)}); }
