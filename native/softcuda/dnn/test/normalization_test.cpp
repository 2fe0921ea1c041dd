// Batch normalisation and softmax of libcudnn.so.9 on numbers worked out by hand, or by loops in double.
#include <cmath>

#include "device_floats.hpp"

using namespace harness;

extern "C" {
int cudnnCreate(void** handle);
int cudnnDestroy(void* handle);
int cudnnCreateTensorDescriptor(void** descriptor);
int cudnnSetTensor4dDescriptor(void* descriptor, int format, int type, int n, int c, int h, int w);
int cudnnSoftmaxForward(void* handle, int algorithm, int mode, const void* alpha, void* xd, std::uint64_t x, const void* beta, void* yd,
                        std::uint64_t y);
int cudnnBatchNormalizationForwardTraining(void* handle, int mode, const void* alpha, const void* beta, void* xd, std::uint64_t x, void* yd,
                                           std::uint64_t y, void* parameters, std::uint64_t scale, std::uint64_t bias, double factor,
                                           std::uint64_t runningMean, std::uint64_t runningVariance, double epsilon, std::uint64_t savedMean,
                                           std::uint64_t savedInverse);
int cudnnBatchNormalizationBackward(void* handle, int mode, const void* alphaData, const void* betaData, const void* alphaParameters,
                                    const void* betaParameters, void* xd, std::uint64_t x, void* dyd, std::uint64_t dy, void* dxd,
                                    std::uint64_t dx, void* parameters, std::uint64_t scale, std::uint64_t dScale, std::uint64_t dBias,
                                    double epsilon, std::uint64_t savedMean, std::uint64_t savedInverse);
}

static void* handle = nullptr;
static const float one = 1, zero = 0;

TEST(softmax) {
    void* t;
    cudnnCreateTensorDescriptor(&t), cudnnSetTensor4dDescriptor(t, 0, 0, 2, 2, 1, 1);
    Floats x(std::vector<float>{0, std::log(3.f), 5, 5}), y(4);
    RESULT(cudnnSoftmaxForward(handle, 1, 0, &one, t, x.at(), &zero, t, y.at()), 0);
    auto result = y.values();
    CHECK(isClose(result[0], 0.25) && isClose(result[1], 0.75) && isClose(result[2], 0.5) && isClose(result[3], 0.5));
}

TEST(batchNormalization) {
    void *t, *p;
    cudnnCreateTensorDescriptor(&t), cudnnCreateTensorDescriptor(&p);
    cudnnSetTensor4dDescriptor(t, 0, 0, 2, 1, 1, 2), cudnnSetTensor4dDescriptor(p, 0, 0, 1, 1, 1, 1);
    Floats x(std::vector<float>{1, 3, 1, 3}), y(4), scale(std::vector<float>{2}), bias(std::vector<float>{1}), mean(1), variance(1), saved(1), inverse(1);
    RESULT(cudnnBatchNormalizationForwardTraining(handle, 1, &one, &zero, t, x.at(), t, y.at(), p, scale.at(), bias.at(), 1, mean.at(), variance.at(),
                                                  0, saved.at(), inverse.at()), 0);
    CHECK((y.values() == std::vector<float>{-1, 3, -1, 3}));
    CHECK(isClose(mean.values()[0], 2) && isClose(variance.values()[0], 4.0 / 3) && isClose(inverse.values()[0], 1));
    Floats dy(std::vector<float>{1, 0, 0, 0}), dx(4), dScale(1), dBias(1);
    RESULT(cudnnBatchNormalizationBackward(handle, 1, &one, &zero, &one, &zero, t, x.at(), t, dy.at(), t, dx.at(), p, scale.at(), dScale.at(), dBias.at(),
                                           0, saved.at(), inverse.at()), 0);
    // 2 (dY - 1/4 + normal / 4), where normal is -1, 1, -1, 1.
    CHECK((dx.values() == std::vector<float>{1, 0, -1, 0}));
    CHECK(dScale.values()[0] == -1 && dBias.values()[0] == 1);
}

int main() {
    start();
    RESULT(cudnnCreate(&handle), 0);
    runAll();
    RESULT(cudnnDestroy(handle), 0);
    return failures == 0 ? 0 : 1;
}
