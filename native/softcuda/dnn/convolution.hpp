// The three passes of a convolution, on the host's copies of its tensors.
#pragma once
#include "cudnn.hpp"

namespace softcuda::dnn {

/// A convolution with all that its passes need; plain data, so that it can be put on a stream.
struct Shapes {
    Convolution convolution;
    Tensor x, filter, y;

    std::size_t taps() const { return static_cast<std::size_t>(filter.size[2]) * static_cast<std::size_t>(filter.size[3]); }
    double flops() const { return 2.0 * static_cast<double>(y.count()) * static_cast<double>(taps()) * filter.size[1]; }
};

/// y = alpha (x * filter) + beta y.
void forward(const Shapes& shapes, float alpha, const float* x, const float* filter, float beta, float* y);
/// dX = alpha (gradient of x) + beta dX.
void backwardData(const Shapes& shapes, float alpha, const float* filter, const float* dY, float beta, float* dX);
/// dFilter = alpha (gradient of the filter) + beta dFilter.
void backwardFilter(const Shapes& shapes, float alpha, const float* x, const float* dY, float beta, float* dFilter);

}  // namespace softcuda::dnn
