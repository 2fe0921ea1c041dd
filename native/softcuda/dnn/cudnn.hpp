// What the parts of libcudnn.so.9 share. Values as in NVIDIA's cudnn headers, version 9.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "host_work.hpp"

namespace softcuda::dnn {

enum Status : int {
    Success = 0, NotInitialized = 1001, BadParam = 2000, NullPointer = 2002, SizeInsufficient = 2006, ShapeMismatch = 2008,
    NotSupported = 3000, ExecutionFailed = 5000,
};

enum TensorFormat : int { Nchw = 0, Nhwc = 1 };
enum DataType : int { Float = 0 };
enum Activation : int { Sigmoid = 0, Relu = 1, Tanh = 2, ClippedRelu = 3, Elu = 4, Identity = 5 };

constexpr int Version = 90100;

/// Sizes and strides in the order n, c, h, w; of filters k, c, h, w.
struct Tensor {
    static constexpr std::uint32_t Mark = 0x7454;
    std::uint32_t mark = Mark;
    bool isSet = false;
    std::array<int, 4> size{};
    std::array<std::ptrdiff_t, 4> stride{};

    std::size_t count() const;
    /// Elements from the first to the last, gaps included.
    std::size_t extent() const;
    bool sameShape(const Tensor& other) const { return size == other.size; }
    void setPacked(TensorFormat format, int n, int c, int h, int w);
};

struct Filter {
    static constexpr std::uint32_t Mark = 0x7446;
    std::uint32_t mark = Mark;
    bool isSet = false;
    TensorFormat format = Nchw;
    Tensor tensor;
};

struct Convolution {
    static constexpr std::uint32_t Mark = 0x7443;
    std::uint32_t mark = Mark;
    bool isSet = false;
    int padH = 0, padW = 0, strideH = 1, strideW = 1, dilationH = 1, dilationW = 1;
    int mode = 1;  // 0 flips the filter, 1 does not
    int groups = 1;
    int mathType = 0;
};

struct Pooling {
    static constexpr std::uint32_t Mark = 0x7450;
    std::uint32_t mark = Mark;
    bool isSet = false;
    int mode = 0, windowH = 0, windowW = 0, padH = 0, padW = 0, strideH = 1, strideW = 1;
};

struct ActivationDescriptor {
    static constexpr std::uint32_t Mark = 0x7441;
    std::uint32_t mark = Mark;
    bool isSet = false;
    Activation mode = Identity;
    double coefficient = 0;
};

struct Handle {
    static constexpr std::uint32_t Mark = 0x7448;
    std::uint32_t mark = Mark;
    void* stream = nullptr;
};

/// What a pointer of the caller's is, if it is alive and set.
template <typename T>
T* alive(void* pointer) {
    auto* result = static_cast<T*>(pointer);
    return result && result->mark == T::Mark ? result : nullptr;
}
template <typename T>
const T* ready(void* pointer) {
    const T* result = alive<T>(pointer);
    return result && result->isSet ? result : nullptr;
}

/// Remembers why a call fails, for cudnnGetLastErrorString, and returns the status.
Status fail(Status status, const char* why);
Status enqueue(const Handle& handle, const char* name, void (*work)(const void*), const void* arguments, std::size_t bytes, double flops,
               double floatsRead, double floatsWritten);

/// The host's copy of a whole tensor, for use inside work; null, with a finding, where it is not there.
const float* read(const Tensor& tensor, std::uint64_t address);
float* write(const Tensor& tensor, std::uint64_t address, bool alsoRead);

/// Sizes of a convolution, or why they do not fit.
Status checkConvolution(const Convolution& convolution, const Tensor& x, const Tensor& filter, const Tensor& y);
Status outputSize(const Convolution& convolution, const Tensor& x, const Tensor& filter, std::array<int, 4>& size);

enum class Pass { Forward, BackwardData, BackwardFilter };
/// Scratch that an algorithm needs; false where it does not exist.
bool workspaceBytes(Pass pass, int algorithm, const Tensor& x, const Tensor& filter, const Tensor& y, std::size_t& bytes);

#define SOFTCUDA_ENTER(function)                                    \
    do {                                                            \
        softcudaCount(#function);                                   \
        if (int code = softcudaFailure(#function)) return code;     \
    } while (false)

#define SOFTCUDA_EXPORT extern "C" __attribute__((visibility("default")))

}  // namespace softcuda::dnn
