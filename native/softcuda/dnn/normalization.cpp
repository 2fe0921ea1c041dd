// Batch normalisation per channel (the spatial modes).
#include <cmath>

#include "cudnn.hpp"

namespace softcuda::dnn {

namespace {

struct Arguments {
    float alpha, beta, alphaParameters, betaParameters;
    double epsilon, factor;
    Tensor tensor;
    std::uint64_t x, y, dx, scale, bias, runningMean, runningVariance, mean, variance;
};

template <typename Each>
void visit(const Tensor& t, int c, const Each& each) {
    for (int n = 0; n < t.size[0]; ++n) {
        for (int h = 0; h < t.size[2]; ++h) {
            for (int w = 0; w < t.size[3]; ++w) each(n * t.stride[0] + c * t.stride[1] + h * t.stride[2] + w * t.stride[3]);
        }
    }
}

std::size_t channelBytes(const Arguments& a) { return static_cast<std::size_t>(a.tensor.size[1]) * sizeof(float); }
const float* readChannels(const Arguments& a, std::uint64_t at) { return static_cast<const float*>(softcudaRead(at, channelBytes(a))); }
float* writeChannels(const Arguments& a, std::uint64_t at, bool reads) { return static_cast<float*>(softcudaWrite(at, channelBytes(a), reads)); }
double pixels(const Tensor& t) { return static_cast<double>(t.count()) / t.size[1]; }

void blend(float& out, float alpha, float beta, double value) { out = static_cast<float>(alpha * value) + (beta == 0 ? 0 : beta * out); }

struct Moments {
    double mean = 0, variance = 0;
};

Moments moments(const Tensor& t, int c, const float* x) {
    Moments m;
    visit(t, c, [&](std::ptrdiff_t i) { m.mean += x[i]; });
    m.mean /= pixels(t);
    visit(t, c, [&](std::ptrdiff_t i) { m.variance += (x[i] - m.mean) * (x[i] - m.mean); });
    m.variance /= pixels(t);
    return m;
}

void runTraining(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const Tensor& t = a.tensor;
    const float *x = read(t, a.x), *scale = readChannels(a, a.scale), *bias = readChannels(a, a.bias);
    float* y = write(t, a.y, a.beta != 0);
    // With a factor of 1 the running values are replaced, never read.
    float *runningMean = a.runningMean ? writeChannels(a, a.runningMean, a.factor != 1) : nullptr;
    float *runningVariance = a.runningVariance ? writeChannels(a, a.runningVariance, a.factor != 1) : nullptr;
    float *savedMean = a.mean ? writeChannels(a, a.mean, false) : nullptr, *savedInverse = a.variance ? writeChannels(a, a.variance, false) : nullptr;
    if (!x || !scale || !bias || !y) return;
    double count = pixels(t);
    for (int c = 0; c < t.size[1]; ++c) {
        Moments m = moments(t, c, x);
        double inverse = 1 / std::sqrt(m.variance + a.epsilon);
        visit(t, c, [&](std::ptrdiff_t i) { blend(y[i], a.alpha, a.beta, scale[c] * ((x[i] - m.mean) * inverse) + bias[c]); });
        auto factor = static_cast<float>(a.factor), rest = static_cast<float>(1 - a.factor);
        if (runningMean) blend(runningMean[c], factor, rest, m.mean);
        if (runningVariance) blend(runningVariance[c], factor, rest, count > 1 ? m.variance * count / (count - 1) : m.variance);
        if (savedMean) savedMean[c] = static_cast<float>(m.mean);
        if (savedInverse) savedInverse[c] = static_cast<float>(inverse);
    }
}

void runInference(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const Tensor& t = a.tensor;
    const float *x = read(t, a.x), *scale = readChannels(a, a.scale), *bias = readChannels(a, a.bias);
    const float *mean = readChannels(a, a.mean), *variance = readChannels(a, a.variance);
    float* y = write(t, a.y, a.beta != 0);
    if (!x || !scale || !bias || !mean || !variance || !y) return;
    for (int c = 0; c < t.size[1]; ++c) {
        double inverse = 1 / std::sqrt(variance[c] + a.epsilon);
        visit(t, c, [&](std::ptrdiff_t i) { blend(y[i], a.alpha, a.beta, scale[c] * ((x[i] - static_cast<double>(mean[c])) * inverse) + bias[c]); });
    }
}

/// Here `bias` and `runningMean` are where the gradients of the bias and of the scale go, and y is dY.
void runBackward(const void* arguments) {
    const auto& a = *static_cast<const Arguments*>(arguments);
    const Tensor& t = a.tensor;
    const float *x = read(t, a.x), *dY = read(t, a.y), *scale = readChannels(a, a.scale);
    const float *mean = a.mean ? readChannels(a, a.mean) : nullptr, *inverses = a.mean ? readChannels(a, a.variance) : nullptr;
    float *dX = write(t, a.dx, a.beta != 0), *dScale = writeChannels(a, a.runningMean, a.betaParameters != 0);
    float* dBias = writeChannels(a, a.bias, a.betaParameters != 0);
    if (!x || !dY || !scale || !dX || !dScale || !dBias || (a.mean && (!mean || !inverses))) return;
    for (int c = 0; c < t.size[1]; ++c) {
        Moments m = mean ? Moments{mean[c], 0} : moments(t, c, x);
        double inverse = mean ? inverses[c] : 1 / std::sqrt(m.variance + a.epsilon), sum = 0, product = 0;
        visit(t, c, [&](std::ptrdiff_t i) {
            sum += dY[i];
            product += dY[i] * (x[i] - m.mean) * inverse;
        });
        double count = pixels(t);
        visit(t, c, [&](std::ptrdiff_t i) {
            double normal = (x[i] - m.mean) * inverse;
            blend(dX[i], a.alpha, a.beta, scale[c] * inverse * (dY[i] - sum / count - normal * product / count));
        });
        blend(dScale[c], a.alphaParameters, a.betaParameters, product);
        blend(dBias[c], a.alphaParameters, a.betaParameters, sum);
    }
}

Status prepare(Arguments& a, void* handle, int mode, const void* alpha, const void* beta, void* first, void* second, void* parameters, double epsilon) {
    if (!alive<Handle>(handle)) return NotInitialized;
    auto *t = ready<Tensor>(first), *other = ready<Tensor>(second), *p = ready<Tensor>(parameters);
    if (!t || !other || !p || !alpha || !beta || epsilon < 0 || mode < 0 || mode > 2) return fail(BadParam, "an argument is null or out of range");
    if (mode == 0) return fail(NotSupported, "the spatial modes only");
    if (!t->sameShape(*other) || p->size != std::array{1, t->size[1], 1, 1}) return fail(ShapeMismatch, "the tensors do not fit each other");
    if (t->stride != other->stride) return fail(NotSupported, "all tensors must be laid out alike");
    a = {};
    a.tensor = *t;
    a.alpha = *static_cast<const float*>(alpha);
    a.beta = *static_cast<const float*>(beta);
    a.epsilon = epsilon;
    return Success;
}

Status submit(void* handle, const char* name, void (*work)(const void*), const Arguments& a, double reads) {
    double count = static_cast<double>(a.tensor.count());
    return enqueue(*alive<Handle>(handle), name, work, &a, sizeof a, 8 * count, reads * count, count);
}

}  // namespace

SOFTCUDA_EXPORT int cudnnBatchNormalizationForwardTraining(void* handle, int mode, const void* alpha, const void* beta, void* xDescriptor,
                                                           std::uint64_t x, void* yDescriptor, std::uint64_t y, void* parameters,
                                                           std::uint64_t scale, std::uint64_t bias, double factor, std::uint64_t runningMean,
                                                           std::uint64_t runningVariance, double epsilon, std::uint64_t savedMean,
                                                           std::uint64_t savedInverse) {
    SOFTCUDA_ENTER(cudnnBatchNormalizationForwardTraining);
    Arguments a;
    if (Status status = prepare(a, handle, mode, alpha, beta, xDescriptor, yDescriptor, parameters, epsilon)) return status;
    if ((runningMean == 0) != (runningVariance == 0) || (savedMean == 0) != (savedInverse == 0)) return fail(BadParam, "one of a pair is null");
    a.x = x, a.y = y, a.scale = scale, a.bias = bias, a.factor = factor;
    a.runningMean = runningMean, a.runningVariance = runningVariance, a.mean = savedMean, a.variance = savedInverse;
    return submit(handle, "cudnnBatchNormalizationForwardTraining", runTraining, a, 1);
}

SOFTCUDA_EXPORT int cudnnBatchNormalizationForwardInference(void* handle, int mode, const void* alpha, const void* beta, void* xDescriptor,
                                                            std::uint64_t x, void* yDescriptor, std::uint64_t y, void* parameters,
                                                            std::uint64_t scale, std::uint64_t bias, std::uint64_t mean, std::uint64_t variance,
                                                            double epsilon) {
    SOFTCUDA_ENTER(cudnnBatchNormalizationForwardInference);
    Arguments a;
    if (Status status = prepare(a, handle, mode, alpha, beta, xDescriptor, yDescriptor, parameters, epsilon)) return status;
    a.x = x, a.y = y, a.scale = scale, a.bias = bias, a.mean = mean, a.variance = variance;
    return submit(handle, "cudnnBatchNormalizationForwardInference", runInference, a, 1);
}

SOFTCUDA_EXPORT int cudnnBatchNormalizationBackward(void* handle, int mode, const void* alphaData, const void* betaData, const void* alphaParameters,
                                                    const void* betaParameters, void* xDescriptor, std::uint64_t x, void* dyDescriptor,
                                                    std::uint64_t dy, void* dxDescriptor, std::uint64_t dx, void* parameters, std::uint64_t scale,
                                                    std::uint64_t dScale, std::uint64_t dBias, double epsilon, std::uint64_t savedMean,
                                                    std::uint64_t savedInverse) {
    SOFTCUDA_ENTER(cudnnBatchNormalizationBackward);
    Arguments a;
    if (Status status = prepare(a, handle, mode, alphaData, betaData, xDescriptor, dyDescriptor, parameters, epsilon)) return status;
    if (Status status = prepare(a, handle, mode, alphaData, betaData, xDescriptor, dxDescriptor, parameters, epsilon)) return status;
    if (!alphaParameters || !betaParameters || (savedMean == 0) != (savedInverse == 0)) return fail(BadParam, "a scalar, or one of a pair, is null");
    a.alphaParameters = *static_cast<const float*>(alphaParameters);
    a.betaParameters = *static_cast<const float*>(betaParameters);
    a.x = x, a.y = dy, a.dx = dx, a.scale = scale, a.runningMean = dScale, a.bias = dBias, a.mean = savedMean, a.variance = savedInverse;
    return submit(handle, "cudnnBatchNormalizationBackward", runBackward, a, 2);
}

}  // namespace softcuda::dnn
