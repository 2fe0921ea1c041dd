// Losses of single elements and their gradients, unreduced, summed or averaged; the losses themselves are printed from
// src/FastNN/Functions/Losses. x and targets have any shape. Forward 8 bytes read per element, 4 more for a weight, 12 moved unreduced. Backward
// dX (=|+=) dLoss times the slope: 12 bytes moved, 4 more for each of a weight, an unreduced dLoss and a sum. Weights of positive classes come from
// the cache. Flops per element: 3 for the squared error, about 60 and 30 for cross-entropies.
#include "generated/losses.cuh"
#include "sums.cuh"

struct LossArguments {
    const float* x;
    const float* targets;
    const float* weight;          // of each element, or null
    const float* positiveWeight;  // of each column, where the loss takes it
    float* loss;                  // forward: one number or one per element
    const float* dLoss;           // backward: likewise
    float* dX;
    Scratch scratch;
    int64 count;
    double divisor;  // of the sum
    Scalars scalars;
    int columns;     // that positiveWeight repeats after
    int perElement;  // whether dLoss has one number per element
    int accumulate;
};

// The losses and slopes of elements with their weights.
template <class F>
struct Elements {
    const float* x;
    const float* targets;
    const float* weight;
    const float* positiveWeight;
    Scalars scalars;
    int columns;

    DEVICE explicit Elements(const LossArguments& a)
        : x(a.x), targets(a.targets), weight(a.weight), positiveWeight(a.positiveWeight), scalars(a.scalars), columns(a.columns) {}

    DEVICE float weigh(float value, int64 i) const { return weight ? value * weight[i] : value; }

    DEVICE float positive(int64 i) const { return F::TAKES_POSITIVE_WEIGHT ? positiveWeight[columns == 1 ? 0 : i % columns] : 0.0f; }

    DEVICE float loss(float value, float target, int64 i) const { return weigh(F::value(value, target, positive(i), scalars), i); }

    DEVICE float slope(float value, float target, int64 i) const { return weigh(F::slope(value, target, positive(i), scalars), i); }
};

template <class F>
struct LossMap {
    Elements<F> elements;
    float* loss;

    DEVICE void one(int64 i) const { loss[i] = elements.loss(elements.x[i], elements.targets[i], i); }

    DEVICE void four(int64 i) const {
        float4 x = loadFour(elements.x + i), t = loadFour(elements.targets + i);
        storeFour(loss + i, elements.loss(x.x, t.x, i), elements.loss(x.y, t.y, i + 1), elements.loss(x.z, t.z, i + 2),
                  elements.loss(x.w, t.w, i + 3));
    }
};

template <class F>
struct LossTerms {
    Elements<F> elements;

    DEVICE float one(int64 i) const { return elements.loss(elements.x[i], elements.targets[i], i); }

    DEVICE float four(int64 i) const {
        float4 x = loadFour(elements.x + i), t = loadFour(elements.targets + i);
        return (elements.loss(x.x, t.x, i) + elements.loss(x.y, t.y, i + 1)) +
               (elements.loss(x.z, t.z, i + 2) + elements.loss(x.w, t.w, i + 3));
    }
};

template <class F>
struct LossGradient {
    Elements<F> elements;
    const float* perElement;  // dLoss, or null for one scale
    float scale;
    float* dX;
    bool accumulate;

    DEVICE float at(float x, float t, int64 i, float given) const { return elements.slope(x, t, i) * given; }

    DEVICE void one(int64 i) const {
        float given = perElement ? perElement[i] : scale;
        put(dX + i, at(elements.x[i], elements.targets[i], i, given), accumulate);
    }

    DEVICE void four(int64 i) const {
        float4 x = loadFour(elements.x + i), t = loadFour(elements.targets + i);
        float4 given;
        if (perElement) {
            given = loadFour(perElement + i);
        } else {
            given.x = given.y = given.z = given.w = scale;
        }
        putFour(dX + i, at(x.x, t.x, i, given.x), at(x.y, t.y, i + 1, given.y), at(x.z, t.z, i + 2, given.z),
                at(x.w, t.w, i + 3, given.w), accumulate);
    }
};

template <class F>
DEVICE void lossEach(const LossArguments& a) {
    forElements(a.count, aligned16(a.x) && aligned16(a.targets) && aligned16(a.loss), LossMap<F>{Elements<F>(a), a.loss});
}

template <class F>
DEVICE void lossSum(const LossArguments& a) {
    sumElements(a.count, aligned16(a.x) && aligned16(a.targets), LossTerms<F>{Elements<F>(a)}, a.scratch, a.divisor, a.loss);
}

template <class F>
DEVICE void lossBackward(const LossArguments& a) {
    if (!hasElements(a.count)) return;
    const float* perElement = a.perElement ? a.dLoss : nullptr;
    float scale = perElement ? 0 : *a.dLoss / (float)a.divisor;
    bool aligned = aligned16(a.x) && aligned16(a.targets) && aligned16(a.dX) && (!perElement || aligned16(perElement));
    forElements(a.count, aligned, LossGradient<F>{Elements<F>(a), perElement, scale, a.dX, a.accumulate != 0});
}

#define KERNELS(name, F)                                                        \
    KERNEL void elementloss_each_##name(LossArguments a) { lossEach<F>(a); }    \
    KERNEL void elementloss_sum_##name(LossArguments a) { lossSum<F>(a); }      \
    KERNEL void elementloss_backward_##name(LossArguments a) { lossBackward<F>(a); }

LOSS_FUNCTIONS(KERNELS)
