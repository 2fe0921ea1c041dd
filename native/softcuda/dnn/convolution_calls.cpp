// The entry points of convolutions: arguments are checked when called, memory when the work runs.
#include <algorithm>
#include <cmath>

#include "convolution.hpp"

namespace softcuda::dnn {

namespace {

struct Scratch {
    std::uint64_t address;
    std::size_t bytes;

    /// Algorithms write all of it.
    bool use() const { return bytes == 0 || softcudaWrite(address, bytes, 0) != nullptr; }
};

struct Arguments {
    Shapes shapes;
    float alpha, beta, alpha2;
    std::uint64_t x, filter, y, bias, z;
    Scratch scratch;
    Activation activation;
    double coefficient;
};

bool evenPixels(const Tensor& t) { return t.size[2] == 1 || t.stride[2] == t.stride[3] * t.size[3]; }

/// Everything that the three passes have in common; null with the status set where it does not fit.
Status prepare(Arguments& a, Pass pass, void* handle, const void* alpha, void* xDescriptor, std::uint64_t x, void* filterDescriptor,
               std::uint64_t filter, void* convolutionDescriptor, int algorithm, std::uint64_t workspace, std::size_t workspaceBytesGiven,
               const void* beta, void* yDescriptor, std::uint64_t y) {
    if (!alive<Handle>(handle)) return NotInitialized;
    auto *xt = ready<Tensor>(xDescriptor), *yt = ready<Tensor>(yDescriptor);
    auto* f = ready<Filter>(filterDescriptor);
    auto* c = ready<Convolution>(convolutionDescriptor);
    if (!xt || !yt || !f || !c) return fail(BadParam, "a descriptor is null, destroyed or not set");
    if (!alpha || !beta || x == 0 || filter == 0 || y == 0) return fail(NullPointer, "a scalar or a tensor is null");
    if (Status status = checkConvolution(*c, *xt, f->tensor, *yt)) return status;
    // The products walk over rows of pixels as over one, and gradients fill whole tensors.
    if (xt->extent() != xt->count() || yt->extent() != yt->count() || !evenPixels(*yt)) return fail(NotSupported, "tensors must be packed");
    std::size_t needed;
    if (!workspaceBytes(pass, algorithm, *xt, f->tensor, *yt, needed)) return fail(NotSupported, "there is no such algorithm for this convolution");
    if (needed > 0 && (workspace == 0 || workspaceBytesGiven < needed)) return fail(SizeInsufficient, "the algorithm needs a larger workspace");
    a = {{*c, *xt, f->tensor, *yt}, *static_cast<const float*>(alpha), *static_cast<const float*>(beta), 0, x, filter, y, 0, 0, {workspace, needed}, Identity, 0};
    return Success;
}

Status submit(void* handle, const char* name, void (*work)(const void*), const Arguments& a, double read, double written) {
    double flops = a.shapes.flops();
    return enqueue(*alive<Handle>(handle), name, work, &a, sizeof a, flops, read + (a.beta != 0 ? written : 0), written);
}

double count(const Tensor& tensor) { return static_cast<double>(tensor.count()); }

void runForward(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const float *x = read(a.shapes.x, a.x), *filter = read(a.shapes.filter, a.filter);
    float* y = write(a.shapes.y, a.y, a.beta != 0);
    if (x && filter && y && a.scratch.use()) forward(a.shapes, a.alpha, x, filter, a.beta, y);
}

void runBackwardData(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const float *dY = read(a.shapes.y, a.y), *filter = read(a.shapes.filter, a.filter);
    float* dX = write(a.shapes.x, a.x, a.beta != 0);
    if (dY && filter && dX && a.scratch.use()) backwardData(a.shapes, a.alpha, filter, dY, a.beta, dX);
}

void runBackwardFilter(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const float *x = read(a.shapes.x, a.x), *dY = read(a.shapes.y, a.y);
    float* dFilter = write(a.shapes.filter, a.filter, a.beta != 0);
    if (x && dY && dFilter && a.scratch.use()) backwardFilter(a.shapes, a.alpha, x, dY, a.beta, dFilter);
}

void runBiasActivation(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const float *x = read(a.shapes.x, a.x), *filter = read(a.shapes.filter, a.filter);
    const float* bias = static_cast<const float*>(softcudaRead(a.bias, static_cast<std::size_t>(a.shapes.y.size[1]) * sizeof(float)));
    const float* z = a.alpha2 != 0 ? read(a.shapes.y, a.z) : nullptr;
    float* y = write(a.shapes.y, a.y, false);
    if (!x || !filter || !bias || !y || (a.alpha2 != 0 && !z) || !a.scratch.use()) return;
    std::size_t extent = a.shapes.y.extent();
    if (z && z != y) std::copy(z, z + extent, y);
    forward(a.shapes, a.alpha, x, filter, a.alpha2, y);
    const Tensor& t = a.shapes.y;
    for (int n = 0; n < t.size[0]; ++n) {
        for (int c = 0; c < t.size[1]; ++c) {
            for (int h = 0; h < t.size[2]; ++h) {
                for (int w = 0; w < t.size[3]; ++w) {
                    float& value = y[n * t.stride[0] + c * t.stride[1] + h * t.stride[2] + w * t.stride[3]];
                    value += bias[c];
                    if (a.activation == Relu) value = value > 0 ? value : value != value ? value : 0;
                }
            }
        }
    }
}

void runBackwardBias(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const Tensor& t = a.shapes.y;
    const float* dY = read(t, a.y);
    auto* db = static_cast<float*>(softcudaWrite(a.bias, static_cast<std::size_t>(t.size[1]) * sizeof(float), a.beta != 0));
    if (!dY || !db) return;
    for (int c = 0; c < t.size[1]; ++c) {
        double sum = 0;
        for (int n = 0; n < t.size[0]; ++n) {
            for (int h = 0; h < t.size[2]; ++h) {
                for (int w = 0; w < t.size[3]; ++w) sum += dY[n * t.stride[0] + c * t.stride[1] + h * t.stride[2] + w * t.stride[3]];
            }
        }
        db[c] = static_cast<float>(a.alpha * sum) + (a.beta == 0 ? 0 : a.beta * db[c]);
    }
}

}  // namespace

Status outputSize(const Convolution& c, const Tensor& x, const Tensor& f, std::array<int, 4>& size) {
    if (f.size[1] * c.groups != x.size[1] || f.size[0] % c.groups != 0) return fail(ShapeMismatch, "channels, filters and groups do not fit");
    auto along = [](int input, int taps, int pad, int stride, int dilation) { return (input + 2 * pad - (taps - 1) * dilation - 1) / stride + 1; };
    size = {x.size[0], f.size[0], along(x.size[2], f.size[2], c.padH, c.strideH, c.dilationH), along(x.size[3], f.size[3], c.padW, c.strideW, c.dilationW)};
    return size[2] > 0 && size[3] > 0 ? Success : fail(BadParam, "the filter is larger than the padded input");
}

Status checkConvolution(const Convolution& c, const Tensor& x, const Tensor& f, const Tensor& y) {
    std::array<int, 4> size;
    if (Status status = outputSize(c, x, f, size)) return status;
    return size == y.size ? Success : fail(ShapeMismatch, "the output's sizes are not those of the convolution");
}

SOFTCUDA_EXPORT int cudnnGetConvolution2dForwardOutputDim(void* convolution, void* x, void* filter, int* n, int* c, int* h, int* w) {
    SOFTCUDA_ENTER(cudnnGetConvolution2dForwardOutputDim);
    auto* d = ready<Convolution>(convolution);
    auto* t = ready<Tensor>(x);
    auto* f = ready<Filter>(filter);
    if (!d || !t || !f || !n || !c || !h || !w) return fail(BadParam, "an argument is null or not set");
    std::array<int, 4> size;
    if (Status status = outputSize(*d, *t, f->tensor, size)) return status;
    *n = size[0], *c = size[1], *h = size[2], *w = size[3];
    return Success;
}

SOFTCUDA_EXPORT int cudnnConvolutionForward(void* handle, const void* alpha, void* xDescriptor, std::uint64_t x, void* filterDescriptor,
                                            std::uint64_t filter, void* convolution, int algorithm, std::uint64_t workspace,
                                            std::size_t workspaceBytes, const void* beta, void* yDescriptor, std::uint64_t y) {
    SOFTCUDA_ENTER(cudnnConvolutionForward);
    Arguments a;
    if (Status status = prepare(a, Pass::Forward, handle, alpha, xDescriptor, x, filterDescriptor, filter, convolution, algorithm, workspace,
                                workspaceBytes, beta, yDescriptor, y)) {
        return status;
    }
    return submit(handle, "cudnnConvolutionForward", runForward, a, count(a.shapes.x) + count(a.shapes.filter), count(a.shapes.y));
}

SOFTCUDA_EXPORT int cudnnConvolutionBackwardData(void* handle, const void* alpha, void* filterDescriptor, std::uint64_t filter, void* dyDescriptor,
                                                 std::uint64_t dy, void* convolution, int algorithm, std::uint64_t workspace,
                                                 std::size_t workspaceBytes, const void* beta, void* dxDescriptor, std::uint64_t dx) {
    SOFTCUDA_ENTER(cudnnConvolutionBackwardData);
    Arguments a;
    if (Status status = prepare(a, Pass::BackwardData, handle, alpha, dxDescriptor, dx, filterDescriptor, filter, convolution, algorithm, workspace,
                                workspaceBytes, beta, dyDescriptor, dy)) {
        return status;
    }
    return submit(handle, "cudnnConvolutionBackwardData", runBackwardData, a, count(a.shapes.y) + count(a.shapes.filter), count(a.shapes.x));
}

SOFTCUDA_EXPORT int cudnnConvolutionBackwardFilter(void* handle, const void* alpha, void* xDescriptor, std::uint64_t x, void* dyDescriptor,
                                                   std::uint64_t dy, void* convolution, int algorithm, std::uint64_t workspace,
                                                   std::size_t workspaceBytes, const void* beta, void* dwDescriptor, std::uint64_t dw) {
    SOFTCUDA_ENTER(cudnnConvolutionBackwardFilter);
    Arguments a;
    if (Status status = prepare(a, Pass::BackwardFilter, handle, alpha, xDescriptor, x, dwDescriptor, dw, convolution, algorithm, workspace,
                                workspaceBytes, beta, dyDescriptor, dy)) {
        return status;
    }
    return submit(handle, "cudnnConvolutionBackwardFilter", runBackwardFilter, a, count(a.shapes.x) + count(a.shapes.y), count(a.shapes.filter));
}

SOFTCUDA_EXPORT int cudnnConvolutionBackwardBias(void* handle, const void* alpha, void* dyDescriptor, std::uint64_t dy, const void* beta,
                                                 void* dbDescriptor, std::uint64_t db) {
    SOFTCUDA_ENTER(cudnnConvolutionBackwardBias);
    if (!alive<Handle>(handle)) return NotInitialized;
    auto *y = ready<Tensor>(dyDescriptor), *b = ready<Tensor>(dbDescriptor);
    if (!y || !b || !alpha || !beta || dy == 0 || db == 0) return fail(BadParam, "an argument is null or not set");
    if (b->size != std::array{1, y->size[1], 1, 1}) return fail(ShapeMismatch, "the bias has one number per channel");
    Arguments a{};
    a.shapes.y = *y;
    a.alpha = *static_cast<const float*>(alpha);
    a.beta = *static_cast<const float*>(beta);
    a.y = dy;
    a.bias = db;
    return enqueue(*alive<Handle>(handle), "cudnnConvolutionBackwardBias", runBackwardBias, &a, sizeof a, count(*y), count(*y), y->size[1]);
}

SOFTCUDA_EXPORT int cudnnConvolutionBiasActivationForward(void* handle, const void* alpha, void* xDescriptor, std::uint64_t x, void* filterDescriptor,
                                                          std::uint64_t filter, void* convolution, int algorithm, std::uint64_t workspace,
                                                          std::size_t workspaceBytes, const void* alpha2, void* zDescriptor, std::uint64_t z,
                                                          void* biasDescriptor, std::uint64_t bias, void* activation, void* yDescriptor,
                                                          std::uint64_t y) {
    SOFTCUDA_ENTER(cudnnConvolutionBiasActivationForward);
    float none = 0;
    Arguments a;
    if (Status status = prepare(a, Pass::Forward, handle, alpha, xDescriptor, x, filterDescriptor, filter, convolution, algorithm, workspace,
                                workspaceBytes, &none, yDescriptor, y)) {
        return status;
    }
    auto *zt = ready<Tensor>(zDescriptor), *b = ready<Tensor>(biasDescriptor);
    auto* f = ready<ActivationDescriptor>(activation);
    if (!zt || !b || !f || !alpha2 || bias == 0) return fail(BadParam, "an argument is null or not set");
    if (b->size != std::array{1, a.shapes.y.size[1], 1, 1} || !zt->sameShape(a.shapes.y)) return fail(ShapeMismatch, "bias or z do not fit the output");
    if (f->mode != Relu && f->mode != Identity) return fail(NotSupported, "ReLU and the identity only");
    // The identity goes with one algorithm alone.
    if (f->mode == Identity && algorithm != 1) return fail(NotSupported, "the identity needs IMPLICIT_PRECOMP_GEMM");
    a.alpha2 = *static_cast<const float*>(alpha2);
    a.bias = bias;
    a.z = z;
    a.activation = f->mode;
    return submit(handle, "cudnnConvolutionBiasActivationForward", runBiasActivation, a, count(a.shapes.x) + count(a.shapes.filter), count(a.shapes.y));
}

}  // namespace softcuda::dnn
