// Pooling, forward and backward.
#include <limits>

#include "cudnn.hpp"

namespace softcuda::dnn {

namespace {

struct Arguments {
    Pooling pooling;
    Tensor x, y;
    float alpha, beta;
    std::uint64_t xAddress, yAddress, dyAddress, dxAddress;
};

std::ptrdiff_t at(const Tensor& t, int n, int c, int h, int w) {
    return n * t.stride[0] + c * t.stride[1] + h * t.stride[2] + w * t.stride[3];
}

/// Calls body(output place, n, c, first row, end row, first column, end column, divisor) for every window.
template <typename Body>
void forWindows(const Arguments& a, const Body& body) {
    const Pooling& p = a.pooling;
    for (int n = 0; n < a.y.size[0]; ++n) {
        for (int c = 0; c < a.y.size[1]; ++c) {
            for (int h = 0; h < a.y.size[2]; ++h) {
                for (int w = 0; w < a.y.size[3]; ++w) {
                    int top = h * p.strideH - p.padH, left = w * p.strideW - p.padW;
                    int h0 = top < 0 ? 0 : top, h1 = top + p.windowH < a.x.size[2] ? top + p.windowH : a.x.size[2];
                    int w0 = left < 0 ? 0 : left, w1 = left + p.windowW < a.x.size[3] ? left + p.windowW : a.x.size[3];
                    int divisor = p.mode == 2 ? (h1 - h0) * (w1 - w0) : p.windowH * p.windowW;
                    body(at(a.y, n, c, h, w), n, c, h0, h1, w0, w1, divisor);
                }
            }
        }
    }
}

bool isMax(const Pooling& p) { return p.mode == 0 || p.mode == 3; }

/// The first of equal maxima; NaN wins.
std::ptrdiff_t winner(const Arguments& a, const float* x, int n, int c, int h0, int h1, int w0, int w1) {
    std::ptrdiff_t best = -1;
    float most = -std::numeric_limits<float>::infinity();
    for (int h = h0; h < h1; ++h) {
        for (int w = w0; w < w1; ++w) {
            std::ptrdiff_t place = at(a.x, n, c, h, w);
            if (best < 0 || x[place] > most || (x[place] != x[place] && most == most)) {
                best = place;
                most = x[place];
            }
        }
    }
    return best;
}

void runForward(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const float* x = read(a.x, a.xAddress);
    float* y = write(a.y, a.yAddress, a.beta != 0);
    if (!x || !y) return;
    forWindows(a, [&](std::ptrdiff_t out, int n, int c, int h0, int h1, int w0, int w1, int divisor) {
        float value = 0;
        if (isMax(a.pooling)) {
            value = x[winner(a, x, n, c, h0, h1, w0, w1)];
        } else {
            for (int h = h0; h < h1; ++h) {
                for (int w = w0; w < w1; ++w) value += x[at(a.x, n, c, h, w)];
            }
            value /= static_cast<float>(divisor);
        }
        y[out] = a.alpha * value + (a.beta == 0 ? 0 : a.beta * y[out]);
    });
}

void runBackward(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const float *x = read(a.x, a.xAddress), *dY = read(a.y, a.dyAddress);
    float* dX = write(a.x, a.dxAddress, a.beta != 0);
    if (!x || !dY || !dX || !read(a.y, a.yAddress)) return;
    for (std::size_t i = 0; i < a.x.extent(); ++i) dX[i] = a.beta == 0 ? 0 : a.beta * dX[i];
    forWindows(a, [&](std::ptrdiff_t out, int n, int c, int h0, int h1, int w0, int w1, int divisor) {
        if (isMax(a.pooling)) {
            dX[winner(a, x, n, c, h0, h1, w0, w1)] += a.alpha * dY[out];
            return;
        }
        for (int h = h0; h < h1; ++h) {
            for (int w = w0; w < w1; ++w) dX[at(a.x, n, c, h, w)] += a.alpha * dY[out] / static_cast<float>(divisor);
        }
    });
}

Status prepare(Arguments& a, void* handle, void* pooling, const void* alpha, void* x, void* y, const void* beta) {
    if (!alive<Handle>(handle)) return NotInitialized;
    auto* p = ready<Pooling>(pooling);
    auto *xt = ready<Tensor>(x), *yt = ready<Tensor>(y);
    if (!p || !xt || !yt || !alpha || !beta) return fail(BadParam, "an argument is null or not set");
    auto along = [](int input, int window, int pad, int stride) { return (input + 2 * pad - window) / stride + 1; };
    std::array<int, 4> size{xt->size[0], xt->size[1], along(xt->size[2], p->windowH, p->padH, p->strideH), along(xt->size[3], p->windowW, p->padW, p->strideW)};
    if (size != yt->size) return fail(ShapeMismatch, "the output's sizes are not those of the pooling");
    a = {*p, *xt, *yt, *static_cast<const float*>(alpha), *static_cast<const float*>(beta), 0, 0, 0, 0};
    return Success;
}

}  // namespace

SOFTCUDA_EXPORT int cudnnPoolingForward(void* handle, void* pooling, const void* alpha, void* xDescriptor, std::uint64_t x, const void* beta,
                                        void* yDescriptor, std::uint64_t y) {
    SOFTCUDA_ENTER(cudnnPoolingForward);
    Arguments a;
    if (Status status = prepare(a, handle, pooling, alpha, xDescriptor, yDescriptor, beta)) return status;
    a.xAddress = x;
    a.yAddress = y;
    double in = static_cast<double>(a.x.count()), out = static_cast<double>(a.y.count());
    return enqueue(*alive<Handle>(handle), "cudnnPoolingForward", runForward, &a, sizeof a, in, in, out);
}

SOFTCUDA_EXPORT int cudnnPoolingBackward(void* handle, void* pooling, const void* alpha, void* yDescriptor, std::uint64_t y, void* dyDescriptor,
                                         std::uint64_t dy, void* xDescriptor, std::uint64_t x, const void* beta, void* dxDescriptor,
                                         std::uint64_t dx) {
    SOFTCUDA_ENTER(cudnnPoolingBackward);
    Arguments a;
    if (Status status = prepare(a, handle, pooling, alpha, xDescriptor, yDescriptor, beta)) return status;
    auto *dyt = ready<Tensor>(dyDescriptor), *dxt = ready<Tensor>(dxDescriptor);
    if (!dyt || !dxt || dyt->size != a.y.size || dyt->stride != a.y.stride || dxt->size != a.x.size || dxt->stride != a.x.stride) {
        return fail(NotSupported, "gradients must be laid out as what they belong to");
    }
    a.xAddress = x;
    a.yAddress = y;
    a.dyAddress = dy;
    a.dxAddress = dx;
    double in = static_cast<double>(a.x.count()), out = static_cast<double>(a.y.count());
    return enqueue(*alive<Handle>(handle), "cudnnPoolingBackward", runBackward, &a, sizeof a, in, in + 2 * out, in);
}

}  // namespace softcuda::dnn
