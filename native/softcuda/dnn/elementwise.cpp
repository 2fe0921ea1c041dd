// Activations, and sums of tensors.
#include <cmath>

#include "cudnn.hpp"

namespace softcuda::dnn {

namespace {

struct Arguments {
    Activation mode;
    double coefficient;
    float alpha, beta;
    Tensor x, y;
    std::uint64_t xAddress, yAddress, dyAddress, dxAddress;
};

double activate(const Arguments& a, double x) {
    switch (a.mode) {
        case Sigmoid: return 1 / (1 + std::exp(-x));
        case Relu: return x > 0 ? x : x != x ? x : 0;
        case Tanh: return std::tanh(x);
        case ClippedRelu: return x < 0 ? 0 : x > a.coefficient ? a.coefficient : x;
        case Elu: return x > 0 ? x : a.coefficient * std::expm1(x);
        default: return x;
    }
}

double slope(const Arguments& a, double x, double y) {
    switch (a.mode) {
        case Sigmoid: return y * (1 - y);
        case Relu: return x > 0;
        case Tanh: return 1 - y * y;
        case ClippedRelu: return x > 0 && x < a.coefficient;
        case Elu: return x > 0 ? 1 : y + a.coefficient;
        default: return 1;
    }
}

/// Calls body(place in the first, place in the second) for every element of the first; extents of 1 in the second repeat.
template <typename Body>
void forElements(const Tensor& all, const Tensor& other, const Body& body) {
    for (int n = 0; n < all.size[0]; ++n) {
        for (int c = 0; c < all.size[1]; ++c) {
            for (int h = 0; h < all.size[2]; ++h) {
                for (int w = 0; w < all.size[3]; ++w) {
                    const int index[4]{n, c, h, w};
                    std::ptrdiff_t first = 0, second = 0;
                    for (std::size_t i = 0; i < 4; ++i) {
                        first += index[i] * all.stride[i];
                        second += other.size[i] == 1 ? 0 : index[i] * other.stride[i];
                    }
                    body(first, second);
                }
            }
        }
    }
}

void runForward(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const float* x = read(a.x, a.xAddress);
    float* y = write(a.y, a.yAddress, a.beta != 0);
    if (!x || !y) return;
    forElements(a.y, a.x, [&](std::ptrdiff_t to, std::ptrdiff_t from) {
        y[to] = a.alpha * static_cast<float>(activate(a, x[from])) + (a.beta == 0 ? 0 : a.beta * y[to]);
    });
}

void runBackward(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const float *x = read(a.x, a.xAddress), *y = read(a.x, a.yAddress), *dY = read(a.x, a.dyAddress);
    float* dX = write(a.x, a.dxAddress, a.beta != 0);
    if (!x || !y || !dY || !dX) return;
    forElements(a.x, a.x, [&](std::ptrdiff_t i, std::ptrdiff_t) {
        dX[i] = a.alpha * dY[i] * static_cast<float>(slope(a, x[i], y[i])) + (a.beta == 0 ? 0 : a.beta * dX[i]);
    });
}

void runAdd(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const float* x = read(a.x, a.xAddress);
    float* y = write(a.y, a.yAddress, a.beta != 0);
    if (!x || !y) return;
    forElements(a.y, a.x, [&](std::ptrdiff_t to, std::ptrdiff_t from) { y[to] = a.alpha * x[from] + (a.beta == 0 ? 0 : a.beta * y[to]); });
}

Status submit(void* handle, const char* name, void (*work)(const void*), const Arguments& a, double operands) {
    double count = static_cast<double>(a.y.count());
    return enqueue(*alive<Handle>(handle), name, work, &a, sizeof a, count, operands * count, count);
}

}  // namespace

SOFTCUDA_EXPORT int cudnnActivationForward(void* handle, void* activation, const void* alpha, void* xDescriptor, std::uint64_t x, const void* beta,
                                           void* yDescriptor, std::uint64_t y) {
    SOFTCUDA_ENTER(cudnnActivationForward);
    if (!alive<Handle>(handle)) return NotInitialized;
    auto* f = ready<ActivationDescriptor>(activation);
    auto *xt = ready<Tensor>(xDescriptor), *yt = ready<Tensor>(yDescriptor);
    if (!f || !xt || !yt || !alpha || !beta) return fail(BadParam, "an argument is null or not set");
    if (!xt->sameShape(*yt)) return fail(ShapeMismatch, "input and output differ in shape");
    Arguments a{f->mode, f->coefficient, *static_cast<const float*>(alpha), *static_cast<const float*>(beta), *xt, *yt, x, y, 0, 0};
    return submit(handle, "cudnnActivationForward", runForward, a, 1);
}

SOFTCUDA_EXPORT int cudnnActivationBackward(void* handle, void* activation, const void* alpha, void* yDescriptor, std::uint64_t y, void* dyDescriptor,
                                            std::uint64_t dy, void* xDescriptor, std::uint64_t x, const void* beta, void* dxDescriptor,
                                            std::uint64_t dx) {
    SOFTCUDA_ENTER(cudnnActivationBackward);
    if (!alive<Handle>(handle)) return NotInitialized;
    auto* f = ready<ActivationDescriptor>(activation);
    auto *xt = ready<Tensor>(xDescriptor), *yt = ready<Tensor>(yDescriptor), *dyt = ready<Tensor>(dyDescriptor), *dxt = ready<Tensor>(dxDescriptor);
    if (!f || !xt || !yt || !dyt || !dxt || !alpha || !beta) return fail(BadParam, "an argument is null or not set");
    for (const Tensor* t : {yt, dyt, dxt}) {
        if (t->size != xt->size || t->stride != xt->stride) return fail(NotSupported, "all tensors must be laid out alike");
    }
    Arguments a{f->mode, f->coefficient, *static_cast<const float*>(alpha), *static_cast<const float*>(beta), *xt, *yt, x, y, dy, dx};
    return submit(handle, "cudnnActivationBackward", runBackward, a, 3);
}

SOFTCUDA_EXPORT int cudnnAddTensor(void* handle, const void* alpha, void* aDescriptor, std::uint64_t x, const void* beta, void* cDescriptor,
                                   std::uint64_t y) {
    SOFTCUDA_ENTER(cudnnAddTensor);
    if (!alive<Handle>(handle)) return NotInitialized;
    auto *xt = ready<Tensor>(aDescriptor), *yt = ready<Tensor>(cDescriptor);
    if (!xt || !yt || !alpha || !beta) return fail(BadParam, "an argument is null or not set");
    for (std::size_t i = 0; i < 4; ++i) {
        if (xt->size[i] != 1 && xt->size[i] != yt->size[i]) return fail(ShapeMismatch, "the summand does not broadcast to the sum");
    }
    Arguments a{Identity, 0, *static_cast<const float*>(alpha), *static_cast<const float*>(beta), *xt, *yt, x, y, 0, 0};
    return submit(handle, "cudnnAddTensor", runAdd, a, 1);
}

}  // namespace softcuda::dnn
