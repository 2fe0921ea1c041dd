// Softmax over the channels of a pixel, or over a whole image.
#include <cmath>
#include <limits>

#include "cudnn.hpp"

namespace softcuda::dnn {

namespace {

struct Arguments {
    bool logarithm, perPixel;
    float alpha, beta;
    Tensor tensor;
    std::uint64_t y, dy, out;
};

/// Calls body(visit) per distribution; visit(each) calls each(place) for its elements.
template <typename Body>
void forDistributions(const Arguments& a, const Body& body) {
    const Tensor& t = a.tensor;
    int rows = a.perPixel ? t.size[2] : 1, columns = a.perPixel ? t.size[3] : 1;
    for (int n = 0; n < t.size[0]; ++n) {
        for (int row = 0; row < rows; ++row) {
            for (int column = 0; column < columns; ++column) {
                body([&](const auto& each) {
                    for (int c = 0; c < t.size[1]; ++c) {
                        for (int h = row; h < (a.perPixel ? row + 1 : t.size[2]); ++h) {
                            for (int w = column; w < (a.perPixel ? column + 1 : t.size[3]); ++w) {
                                each(n * t.stride[0] + c * t.stride[1] + h * t.stride[2] + w * t.stride[3]);
                            }
                        }
                    }
                });
            }
        }
    }
}

void store(const Arguments& a, float& out, double value) { out = static_cast<float>(a.alpha * value) + (a.beta == 0 ? 0 : a.beta * out); }

void runForward(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const float* x = read(a.tensor, a.y);
    float* y = write(a.tensor, a.out, a.beta != 0);
    if (!x || !y) return;
    forDistributions(a, [&](const auto& visit) {
        double most = -std::numeric_limits<double>::infinity(), sum = 0;
        visit([&](std::ptrdiff_t i) { most = x[i] > most ? x[i] : most; });
        visit([&](std::ptrdiff_t i) { sum += std::exp(x[i] - most); });
        visit([&](std::ptrdiff_t i) { store(a, y[i], a.logarithm ? x[i] - most - std::log(sum) : std::exp(x[i] - most) / sum); });
    });
}

void runBackward(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const float *y = read(a.tensor, a.y), *dY = read(a.tensor, a.dy);
    float* dX = write(a.tensor, a.out, a.beta != 0);
    if (!y || !dY || !dX) return;
    forDistributions(a, [&](const auto& visit) {
        double sum = 0;
        visit([&](std::ptrdiff_t i) { sum += a.logarithm ? dY[i] : static_cast<double>(dY[i]) * y[i]; });
        visit([&](std::ptrdiff_t i) { store(a, dX[i], a.logarithm ? dY[i] - std::exp(y[i]) * sum : y[i] * (dY[i] - sum)); });
    });
}

Status prepare(Arguments& a, void* handle, int algorithm, int mode, const void* alpha, const void* beta, void* first, void* second) {
    if (!alive<Handle>(handle)) return NotInitialized;
    auto *t = ready<Tensor>(first), *other = ready<Tensor>(second);
    if (!t || !other || !alpha || !beta || algorithm < 0 || algorithm > 2 || mode < 0 || mode > 1) return fail(BadParam, "an argument is null or out of range");
    if (!t->sameShape(*other)) return fail(ShapeMismatch, "the tensors differ in shape");
    if (t->stride != other->stride) return fail(NotSupported, "all tensors must be laid out alike");
    a = {algorithm == 2, mode == 1, *static_cast<const float*>(alpha), *static_cast<const float*>(beta), *t, 0, 0, 0};
    return Success;
}

}  // namespace

SOFTCUDA_EXPORT int cudnnSoftmaxForward(void* handle, int algorithm, int mode, const void* alpha, void* xDescriptor, std::uint64_t x, const void* beta,
                                        void* yDescriptor, std::uint64_t y) {
    SOFTCUDA_ENTER(cudnnSoftmaxForward);
    Arguments a;
    if (Status status = prepare(a, handle, algorithm, mode, alpha, beta, xDescriptor, yDescriptor)) return status;
    a.y = x;
    a.out = y;
    double count = static_cast<double>(a.tensor.count());
    return enqueue(*alive<Handle>(handle), "cudnnSoftmaxForward", runForward, &a, sizeof a, 4 * count, count, count);
}

SOFTCUDA_EXPORT int cudnnSoftmaxBackward(void* handle, int algorithm, int mode, const void* alpha, void* yDescriptor, std::uint64_t y,
                                         void* dyDescriptor, std::uint64_t dy, const void* beta, void* dxDescriptor, std::uint64_t dx) {
    SOFTCUDA_ENTER(cudnnSoftmaxBackward);
    Arguments a;
    if (Status status = prepare(a, handle, algorithm, mode, alpha, beta, yDescriptor, dyDescriptor)) return status;
    if (Status status = prepare(a, handle, algorithm, mode, alpha, beta, yDescriptor, dxDescriptor)) return status;
    a.y = y;
    a.dy = dy;
    a.out = dx;
    double count = static_cast<double>(a.tensor.count());
    return enqueue(*alive<Handle>(handle), "cudnnSoftmaxBackward", runBackward, &a, sizeof a, 4 * count, 2 * count, count);
}

}  // namespace softcuda::dnn
