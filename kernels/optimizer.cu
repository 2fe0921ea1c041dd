// One update of all parameters of a network, which lie in flat tensors with their gradients and state. Bytes moved per parameter: SGD
// 12, with momentum 20; Adam 28, with AMSGrad 36. The scalars that change from step to step are in device memory, so that a captured
// launch can be repeated; where the last, the loss, is not finite, nothing is updated.
#include "elements.cuh"

struct SgdArguments {
    const float* scalars;  // learning rate, 1 at the first step else 0, unused, the loss
    float* parameters;
    const float* gradients;
    float* velocity;
    int64 count;
    float momentum;
    float dampening;
    float weightDecay;
    int nesterov;
};

struct AdamArguments {
    const float* scalars;  // learning rate, lr / (1 - beta1^t), sqrt(1 - beta2^t), the loss
    float* parameters;
    const float* gradients;
    float* mean;
    float* variance;
    float* maximum;
    int64 count;
    float meanShare;      // 1 - beta1
    float beta2;
    float varianceShare;  // 1 - beta2
    float epsilon;
    float weightDecay;
    int decoupled;
};

// p -= lr (g + weightDecay p).
struct PlainSgd {
    float* p;
    const float* g;
    float rate, weightDecay;

    DEVICE float step(float p, float g) const { return multiplyAdd(multiplyAdd(p, weightDecay, g), -rate, p); }

    DEVICE void one(int64 i) const { p[i] = step(p[i], g[i]); }

    DEVICE void four(int64 i) const {
        float4 q = loadFour(p + i), h = loadFour(g + i);
        storeFour(p + i, step(q.x, h.x), step(q.y, h.y), step(q.z, h.z), step(q.w, h.w));
    }
};

// g += weightDecay p; v = keep v + take g; p -= lr v, or lr (g + momentum v).
struct MomentumSgd {
    float *p, *v;
    const float* g;
    float rate, weightDecay, keep, take, momentum;
    bool nesterov;

    DEVICE float step(float p, float g, float& v) const {
        g = multiplyAdd(p, weightDecay, g);
        v = multiplyAdd(g, take, v * keep);
        return multiplyAdd(nesterov ? multiplyAdd(v, momentum, g) : v, -rate, p);
    }

    DEVICE void one(int64 i) const {
        float velocity = v[i];
        p[i] = step(p[i], g[i], velocity);
        v[i] = velocity;
    }

    DEVICE void four(int64 i) const {
        float4 q = loadFour(p + i), h = loadFour(g + i), w = loadFour(v + i);
        q.x = step(q.x, h.x, w.x);
        q.y = step(q.y, h.y, w.y);
        q.z = step(q.z, h.z, w.z);
        q.w = step(q.w, h.w, w.w);
        storeFour(v + i, w.x, w.y, w.z, w.w);
        storeFour(p + i, q.x, q.y, q.z, q.w);
    }
};

// m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= stepSize m / (sqrt(v) / correction + epsilon), with the decay in the
// gradient (Adam) or a factor on the parameter (AdamW), and with AMSGrad the running maximum in v's place.
template <bool AMS_GRAD>
struct Adam {
    float *p, *m, *v, *largest;
    const float* g;
    float meanShare, beta2, varianceShare, epsilon, coupled, factor, negativeStep, inverseCorrection;

    DEVICE float step(float p, float g, float& m, float& v, float& most) const {
        g = multiplyAdd(p, coupled, g);
        p *= factor;
        m = multiplyAdd(g - m, meanShare, m);

        // As on the CPU: the mean of a dead unit's gradient is 0 below 2^-100, where it moves no weight any more. NaN stays NaN.
        m = absolute(m) < 7.888609052210118e-31f ? 0.0f : m;
        v = multiplyAdd(g * varianceShare, g, v * beta2);
        float spread = v;
        if (AMS_GRAD) most = spread = larger(most, v);
        float scale = multiplyAdd(squareRoot(spread), inverseCorrection, epsilon);
        return multiplyAdd(m / scale, negativeStep, p);
    }

    DEVICE void one(int64 i) const {
        float mean = m[i], variance = v[i], most = AMS_GRAD ? largest[i] : 0.0f;
        p[i] = step(p[i], g[i], mean, variance, most);
        m[i] = mean;
        v[i] = variance;
        if (AMS_GRAD) largest[i] = most;
    }

    DEVICE void four(int64 i) const {
        float4 q = loadFour(p + i), h = loadFour(g + i), n = loadFour(m + i), w = loadFour(v + i), most = {};
        if (AMS_GRAD) most = loadFour(largest + i);
        q.x = step(q.x, h.x, n.x, w.x, most.x);
        q.y = step(q.y, h.y, n.y, w.y, most.y);
        q.z = step(q.z, h.z, n.z, w.z, most.z);
        q.w = step(q.w, h.w, n.w, w.w, most.w);
        storeFour(m + i, n.x, n.y, n.z, n.w);
        storeFour(v + i, w.x, w.y, w.z, w.w);
        if (AMS_GRAD) storeFour(largest + i, most.x, most.y, most.z, most.w);
        storeFour(p + i, q.x, q.y, q.z, q.w);
    }
};

KERNEL void optimizer_sgd(SgdArguments a) {
    if (!hasElements(a.count)) return;
    float4 scalars = loadFour(a.scalars);
    if (!isFinite(scalars.w)) return;
    forElements(a.count, aligned16(a.parameters) && aligned16(a.gradients),
                PlainSgd{a.parameters, a.gradients, scalars.x, a.weightDecay});
}

KERNEL void optimizer_sgd_momentum(SgdArguments a) {
    if (!hasElements(a.count)) return;
    float4 scalars = loadFour(a.scalars);
    if (!isFinite(scalars.w)) return;

    // At the first step the velocity is the gradient itself: nothing of the old one, and no dampening.
    bool first = scalars.y != 0.0f;
    float keep = first ? 0.0f : a.momentum, take = first ? 1.0f : 1.0f - a.dampening;
    forElements(a.count, aligned16(a.parameters) && aligned16(a.gradients) && aligned16(a.velocity),
                MomentumSgd{a.parameters, a.velocity, a.gradients, scalars.x, a.weightDecay, keep, take, a.momentum, a.nesterov != 0});
}

template <bool AMS_GRAD>
DEVICE void adam(const AdamArguments& a) {
    if (!hasElements(a.count)) return;
    float4 scalars = loadFour(a.scalars);
    if (!isFinite(scalars.w)) return;
    bool aligned = aligned16(a.parameters) && aligned16(a.gradients) && aligned16(a.mean) && aligned16(a.variance) &&
                   (!AMS_GRAD || aligned16(a.maximum));
    float coupled = a.decoupled ? 0.0f : a.weightDecay, factor = a.decoupled ? 1.0f - scalars.x * a.weightDecay : 1.0f;
    forElements(a.count, aligned,
                Adam<AMS_GRAD>{a.parameters, a.mean, a.variance, a.maximum, a.gradients, a.meanShare, a.beta2, a.varianceShare,
                               a.epsilon, coupled, factor, -scalars.y, 1.0f / scalars.z});
}

KERNEL void optimizer_adam(AdamArguments a) { adam<false>(a); }
KERNEL void optimizer_adam_amsgrad(AdamArguments a) { adam<true>(a); }
