// Descriptors: what a tensor, a filter, a convolution, a pooling and an activation are.
#include <algorithm>

#include "cudnn.hpp"

namespace softcuda::dnn {

namespace {

template <typename T>
int create(void** descriptor) {
    if (!descriptor) return fail(NullPointer, "the descriptor is null");
    *descriptor = new T;
    return Success;
}

template <typename T>
int destroy(void* descriptor) {
    if (!descriptor) return Success;
    T* d = alive<T>(descriptor);
    if (!d) return fail(BadParam, "the descriptor is of another kind, or was destroyed");
    d->mark = 0;
    delete d;
    return Success;
}

}  // namespace

std::size_t Tensor::count() const {
    std::size_t result = 1;
    for (int s : size) result *= static_cast<std::size_t>(s);
    return result;
}

std::size_t Tensor::extent() const {
    std::ptrdiff_t last = 0;
    for (std::size_t i = 0; i < size.size(); ++i) last += (size[i] - 1) * stride[i];
    return static_cast<std::size_t>(last) + 1;
}

void Tensor::setPacked(TensorFormat format, int n, int c, int h, int w) {
    size = {n, c, h, w};
    std::ptrdiff_t C = c, H = h, W = w;
    stride = format == Nhwc ? std::array{H * W * C, std::ptrdiff_t{1}, W * C, C} : std::array{C * H * W, H * W, W, std::ptrdiff_t{1}};
    isSet = true;
}

#define SOFTCUDA_DESCRIPTOR(type, name)                                   \
    SOFTCUDA_EXPORT int cudnnCreate##name##Descriptor(void** descriptor) { \
        SOFTCUDA_ENTER(cudnnCreate##name##Descriptor);                     \
        return create<type>(descriptor);                                   \
    }                                                                      \
    SOFTCUDA_EXPORT int cudnnDestroy##name##Descriptor(void* descriptor) { \
        SOFTCUDA_ENTER(cudnnDestroy##name##Descriptor);                    \
        return destroy<type>(descriptor);                                  \
    }

SOFTCUDA_DESCRIPTOR(Tensor, Tensor)
SOFTCUDA_DESCRIPTOR(Filter, Filter)
SOFTCUDA_DESCRIPTOR(Convolution, Convolution)
SOFTCUDA_DESCRIPTOR(Pooling, Pooling)
SOFTCUDA_DESCRIPTOR(ActivationDescriptor, Activation)

SOFTCUDA_EXPORT int cudnnSetTensor4dDescriptor(void* descriptor, int format, int type, int n, int c, int h, int w) {
    SOFTCUDA_ENTER(cudnnSetTensor4dDescriptor);
    Tensor* t = alive<Tensor>(descriptor);
    if (!t || std::min({n, c, h, w}) <= 0) return fail(BadParam, "cudnnSetTensor4dDescriptor: no descriptor, or a size that is not positive");
    if (type != Float || (format != Nchw && format != Nhwc)) return fail(NotSupported, "cudnnSetTensor4dDescriptor: float in NCHW or NHWC only");
    t->setPacked(static_cast<TensorFormat>(format), n, c, h, w);
    return Success;
}

SOFTCUDA_EXPORT int cudnnSetTensor4dDescriptorEx(void* descriptor, int type, int n, int c, int h, int w, int ns, int cs, int hs, int ws) {
    SOFTCUDA_ENTER(cudnnSetTensor4dDescriptorEx);
    Tensor* t = alive<Tensor>(descriptor);
    if (!t || std::min({n, c, h, w, ns, cs, hs, ws}) <= 0) return fail(BadParam, "cudnnSetTensor4dDescriptorEx: no descriptor, or a size that is not positive");
    if (type != Float) return fail(NotSupported, "cudnnSetTensor4dDescriptorEx: float only");
    t->size = {n, c, h, w};
    t->stride = {ns, cs, hs, ws};
    t->isSet = true;
    return Success;
}

SOFTCUDA_EXPORT int cudnnSetTensorNdDescriptor(void* descriptor, int type, int dimensions, const int* sizes, const int* strides) {
    SOFTCUDA_ENTER(cudnnSetTensorNdDescriptor);
    if (!sizes || !strides) return fail(NullPointer, "cudnnSetTensorNdDescriptor: sizes or strides are null");
    if (dimensions != 3 && dimensions != 4) return fail(NotSupported, "cudnnSetTensorNdDescriptor: three or four dimensions only");
    bool three = dimensions == 3;
    return cudnnSetTensor4dDescriptorEx(descriptor, type, sizes[0], sizes[1], sizes[2], three ? 1 : sizes[3], strides[0], strides[1], strides[2], three ? 1 : strides[3]);
}

/// Descriptors forget how many dimensions they were set with; those of one element at the end are told as three.
SOFTCUDA_EXPORT int cudnnGetTensorNdDescriptor(void* descriptor, int most, int* type, int* dimensions, int* sizes, int* strides) {
    SOFTCUDA_ENTER(cudnnGetTensorNdDescriptor);
    const Tensor* t = ready<Tensor>(descriptor);
    if (!t || !type || !dimensions || !sizes || !strides || most < 3) return fail(BadParam, "cudnnGetTensorNdDescriptor: an argument is null or not set");
    *type = Float;
    *dimensions = t->size[3] == 1 ? 3 : 4;
    for (int i = 0; i < std::min(most, *dimensions); ++i) {
        sizes[i] = t->size[static_cast<std::size_t>(i)];
        strides[i] = static_cast<int>(t->stride[static_cast<std::size_t>(i)]);
    }
    return Success;
}

SOFTCUDA_EXPORT int cudnnSetFilter4dDescriptor(void* descriptor, int type, int format, int k, int c, int h, int w) {
    SOFTCUDA_ENTER(cudnnSetFilter4dDescriptor);
    Filter* f = alive<Filter>(descriptor);
    if (!f || std::min({k, c, h, w}) <= 0) return fail(BadParam, "cudnnSetFilter4dDescriptor: no descriptor, or a size that is not positive");
    if (type != Float || (format != Nchw && format != Nhwc)) return fail(NotSupported, "cudnnSetFilter4dDescriptor: float in NCHW or NHWC only");
    f->format = static_cast<TensorFormat>(format);
    f->tensor.setPacked(f->format, k, c, h, w);
    f->isSet = true;
    return Success;
}

SOFTCUDA_EXPORT int cudnnSetConvolution2dDescriptor(void* descriptor, int padH, int padW, int strideH, int strideW, int dilationH, int dilationW,
                                                    int mode, int computeType) {
    SOFTCUDA_ENTER(cudnnSetConvolution2dDescriptor);
    Convolution* c = alive<Convolution>(descriptor);
    if (!c || padH < 0 || padW < 0 || std::min({strideH, strideW, dilationH, dilationW}) <= 0 || mode < 0 || mode > 1) {
        return fail(BadParam, "cudnnSetConvolution2dDescriptor: no descriptor, or a size out of range");
    }
    if (computeType != Float) return fail(NotSupported, "cudnnSetConvolution2dDescriptor: float only");
    *c = {Convolution::Mark, true, padH, padW, strideH, strideW, dilationH, dilationW, mode, 1, 0};
    return Success;
}

SOFTCUDA_EXPORT int cudnnSetConvolutionGroupCount(void* descriptor, int groups) {
    SOFTCUDA_ENTER(cudnnSetConvolutionGroupCount);
    Convolution* c = alive<Convolution>(descriptor);
    if (!c || groups <= 0) return fail(BadParam, "cudnnSetConvolutionGroupCount: no descriptor, or no group");
    c->groups = groups;
    return Success;
}

SOFTCUDA_EXPORT int cudnnSetConvolutionMathType(void* descriptor, int mathType) {
    SOFTCUDA_ENTER(cudnnSetConvolutionMathType);
    Convolution* c = alive<Convolution>(descriptor);
    if (!c || mathType < 0 || mathType > 3) return fail(BadParam, "cudnnSetConvolutionMathType: no descriptor, or no such type");
    c->mathType = mathType;
    return Success;
}

SOFTCUDA_EXPORT int cudnnSetPooling2dDescriptor(void* descriptor, int mode, int nanPropagation, int windowH, int windowW, int padH, int padW,
                                                int strideH, int strideW) {
    SOFTCUDA_ENTER(cudnnSetPooling2dDescriptor);
    (void)nanPropagation;
    Pooling* p = alive<Pooling>(descriptor);
    if (!p || mode < 0 || mode > 3 || std::min({windowH, windowW, strideH, strideW}) <= 0 || padH < 0 || padW < 0 || padH >= windowH || padW >= windowW) {
        return fail(BadParam, "cudnnSetPooling2dDescriptor: no descriptor, or a size out of range");
    }
    *p = {Pooling::Mark, true, mode, windowH, windowW, padH, padW, strideH, strideW};
    return Success;
}

SOFTCUDA_EXPORT int cudnnSetActivationDescriptor(void* descriptor, int mode, int nanPropagation, double coefficient) {
    SOFTCUDA_ENTER(cudnnSetActivationDescriptor);
    (void)nanPropagation;
    ActivationDescriptor* a = alive<ActivationDescriptor>(descriptor);
    if (!a || mode < Sigmoid || mode > Identity) return fail(BadParam, "cudnnSetActivationDescriptor: no descriptor, or no such function");
    *a = {ActivationDescriptor::Mark, true, static_cast<Activation>(mode), coefficient};
    return Success;
}

}  // namespace softcuda::dnn
