// One update of all parameters of a network, which lie in flat tensors with their gradients and up to three states; the updates themselves are
// printed from src/FastNN/Functions/Updates. Bytes moved per parameter: 12, and 8 more for each state, so SGD 12, with momentum 20; Adam 28, with
// AMSGrad 36. The numbers that change from step to step are in device memory, so that a captured launch can be repeated; where the last of them,
// the guard, is not finite, nothing is updated.
#include "elements.cuh"
#include "generated/updates.cuh"

struct UpdateArguments {
    const float* scalars;
    float* parameters;
    const float* gradients;
    float* first;
    float* second;
    float* third;
    int64 count;
};

template <class F>
struct Update {
    float* p;
    const float* g;
    float *first, *second, *third;
    UpdateScalars s;

    DEVICE float step(float p, float g, float& a, float& b, float& c) const { return F::step(p, g, a, b, c, a, b, c, s); }

    DEVICE void one(int64 i) const {
        float a = 0, b = 0, c = 0;
        if (F::STATES > 0) a = first[i];
        if (F::STATES > 1) b = second[i];
        if (F::STATES > 2) c = third[i];
        float after = step(p[i], g[i], a, b, c);
        if (F::STATES > 0) first[i] = a;
        if (F::STATES > 1) second[i] = b;
        if (F::STATES > 2) third[i] = c;
        p[i] = after;
    }

    DEVICE void four(int64 i) const {
        float4 q = loadFour(p + i), h = loadFour(g + i), a = {}, b = {}, c = {};
        if (F::STATES > 0) a = loadFour(first + i);
        if (F::STATES > 1) b = loadFour(second + i);
        if (F::STATES > 2) c = loadFour(third + i);
        q.x = step(q.x, h.x, a.x, b.x, c.x);
        q.y = step(q.y, h.y, a.y, b.y, c.y);
        q.z = step(q.z, h.z, a.z, b.z, c.z);
        q.w = step(q.w, h.w, a.w, b.w, c.w);
        if (F::STATES > 0) storeFour(first + i, a.x, a.y, a.z, a.w);
        if (F::STATES > 1) storeFour(second + i, b.x, b.y, b.z, b.w);
        if (F::STATES > 2) storeFour(third + i, c.x, c.y, c.z, c.w);
        storeFour(p + i, q.x, q.y, q.z, q.w);
    }
};

template <class F>
DEVICE void update(const UpdateArguments& a) {
    if (!hasElements(a.count)) return;
    float4 x = loadFour(a.scalars), y = loadFour(a.scalars + 4);
    UpdateScalars s{x.x, x.y, x.z, x.w, y.x, y.y, y.z, y.w};
    if (!isFinite(s.guard)) return;
    bool aligned = aligned16(a.parameters) && aligned16(a.gradients) && (F::STATES < 1 || aligned16(a.first)) &&
                   (F::STATES < 2 || aligned16(a.second)) && (F::STATES < 3 || aligned16(a.third));
    forElements(a.count, aligned, Update<F>{a.parameters, a.gradients, a.first, a.second, a.third, s});
}

#define KERNELS(name, F) KERNEL void optimizer_##name(UpdateArguments a) { update<F>(a); }

UPDATE_FUNCTIONS(KERNELS)
