// Which algorithms there are for a convolution, in the order in which the heuristics would try them. All compute the same here; they
// differ in what they ask of the caller: workspace, and the acceptance that sums have no fixed order.
#include <algorithm>
#include <array>
#include <span>

#include "cudnn.hpp"

namespace softcuda::dnn {

namespace {

struct Performance {
    int algorithm;
    int status;
    float time;
    std::size_t memory;
    int determinism;
    int mathType;
    int reserved[3];
};
static_assert(sizeof(Performance) == 48);

/// What the caller has to bring for an algorithm.
enum class Scratch { None, Indices, Output };

struct Algorithm {
    int number;
    bool deterministic;
    Scratch scratch;
};

// Forward: IMPLICIT_PRECOMP_GEMM, IMPLICIT_GEMM. Backward: ALGO_0 adds atomically and is offered first, so that a caller who asks for
// determinism has to look.
constexpr std::array Forward{Algorithm{1, true, Scratch::Indices}, Algorithm{0, true, Scratch::None}};
constexpr std::array BackwardData{Algorithm{0, false, Scratch::None}, Algorithm{1, true, Scratch::Indices}};
constexpr std::array BackwardFilter{Algorithm{0, false, Scratch::None}, Algorithm{1, true, Scratch::Output}, Algorithm{3, false, Scratch::Output}};

std::span<const Algorithm> algorithms(Pass pass) {
    switch (pass) {
        case Pass::Forward: return Forward;
        case Pass::BackwardData: return BackwardData;
        default: return BackwardFilter;
    }
}

std::size_t scratchBytes(Scratch scratch, const Tensor& filter, const Tensor& y) {
    switch (scratch) {
        case Scratch::Indices: return static_cast<std::size_t>(y.size[2]) * static_cast<std::size_t>(y.size[3]) * sizeof(int);
        case Scratch::Output: return filter.count() * sizeof(float);
        default: return 0;
    }
}

int list(Pass pass, void* handle, void* xDescriptor, void* filterDescriptor, void* convolutionDescriptor, void* yDescriptor, int asked,
         int* returned, Performance* results) {
    if (!alive<Handle>(handle)) return NotInitialized;
    auto *x = ready<Tensor>(xDescriptor), *y = ready<Tensor>(yDescriptor);
    auto* filter = ready<Filter>(filterDescriptor);
    auto* convolution = ready<Convolution>(convolutionDescriptor);
    if (!x || !y || !filter || !convolution || !returned || !results || asked < 1) return fail(BadParam, "an argument is null or not set");
    if (Status status = checkConvolution(*convolution, *x, filter->tensor, *y)) return status;
    int count = 0;
    for (const Algorithm& a : algorithms(pass)) {
        if (count == asked) break;
        results[count] = {a.number, Success, -1, scratchBytes(a.scratch, filter->tensor, *y), a.deterministic, convolution->mathType, {}};
        ++count;
    }
    *returned = count;
    return Success;
}

int size(Pass pass, void* handle, void* xDescriptor, void* filterDescriptor, void* convolutionDescriptor, void* yDescriptor, int algorithm,
         std::size_t* bytes) {
    if (!alive<Handle>(handle)) return NotInitialized;
    auto *x = ready<Tensor>(xDescriptor), *y = ready<Tensor>(yDescriptor);
    auto* filter = ready<Filter>(filterDescriptor);
    auto* convolution = ready<Convolution>(convolutionDescriptor);
    if (!x || !y || !filter || !convolution || !bytes) return fail(BadParam, "an argument is null or not set");
    if (Status status = checkConvolution(*convolution, *x, filter->tensor, *y)) return status;
    return workspaceBytes(pass, algorithm, *x, filter->tensor, *y, *bytes) ? Success : fail(NotSupported, "there is no such algorithm for this convolution");
}

}  // namespace

bool workspaceBytes(Pass pass, int algorithm, const Tensor& x, const Tensor& filter, const Tensor& y, std::size_t& bytes) {
    (void)x;
    for (const Algorithm& a : algorithms(pass)) {
        if (a.number == algorithm) {
            bytes = scratchBytes(a.scratch, filter, y);
            return true;
        }
    }
    return false;
}

SOFTCUDA_EXPORT int cudnnGetConvolutionForwardAlgorithmMaxCount(void* handle, int* count) {
    SOFTCUDA_ENTER(cudnnGetConvolutionForwardAlgorithmMaxCount);
    if (!alive<Handle>(handle)) return NotInitialized;
    if (!count) return fail(NullPointer, "the count is null");
    *count = 8;
    return Success;
}

SOFTCUDA_EXPORT int cudnnGetConvolutionForwardAlgorithm_v7(void* handle, void* x, void* filter, void* convolution, void* y, int asked, int* returned,
                                                           void* results) {
    SOFTCUDA_ENTER(cudnnGetConvolutionForwardAlgorithm_v7);
    return list(Pass::Forward, handle, x, filter, convolution, y, asked, returned, static_cast<Performance*>(results));
}

SOFTCUDA_EXPORT int cudnnGetConvolutionBackwardDataAlgorithm_v7(void* handle, void* filter, void* dy, void* convolution, void* dx, int asked,
                                                                int* returned, void* results) {
    SOFTCUDA_ENTER(cudnnGetConvolutionBackwardDataAlgorithm_v7);
    return list(Pass::BackwardData, handle, dx, filter, convolution, dy, asked, returned, static_cast<Performance*>(results));
}

SOFTCUDA_EXPORT int cudnnGetConvolutionBackwardFilterAlgorithm_v7(void* handle, void* x, void* dy, void* convolution, void* dw, int asked,
                                                                  int* returned, void* results) {
    SOFTCUDA_ENTER(cudnnGetConvolutionBackwardFilterAlgorithm_v7);
    return list(Pass::BackwardFilter, handle, x, dw, convolution, dy, asked, returned, static_cast<Performance*>(results));
}

SOFTCUDA_EXPORT int cudnnGetConvolutionForwardWorkspaceSize(void* handle, void* x, void* filter, void* convolution, void* y, int algorithm,
                                                            std::size_t* bytes) {
    SOFTCUDA_ENTER(cudnnGetConvolutionForwardWorkspaceSize);
    return size(Pass::Forward, handle, x, filter, convolution, y, algorithm, bytes);
}

SOFTCUDA_EXPORT int cudnnGetConvolutionBackwardDataWorkspaceSize(void* handle, void* filter, void* dy, void* convolution, void* dx, int algorithm,
                                                                 std::size_t* bytes) {
    SOFTCUDA_ENTER(cudnnGetConvolutionBackwardDataWorkspaceSize);
    return size(Pass::BackwardData, handle, dx, filter, convolution, dy, algorithm, bytes);
}

SOFTCUDA_EXPORT int cudnnGetConvolutionBackwardFilterWorkspaceSize(void* handle, void* x, void* dy, void* convolution, void* dw, int algorithm,
                                                                   std::size_t* bytes) {
    SOFTCUDA_ENTER(cudnnGetConvolutionBackwardFilterWorkspaceSize);
    return size(Pass::BackwardFilter, handle, x, dw, convolution, dy, algorithm, bytes);
}

}  // namespace softcuda::dnn
