// libcudnn.so.9 against loops in double: the passes of convolutions in both layouts, with groups, dilation and blending; statuses.
#include <memory>

#include "device_floats.hpp"

using namespace harness;

extern "C" {
int cudnnCreate(void** handle);
int cudnnDestroy(void* handle);
int cudnnCreateTensorDescriptor(void** descriptor);
int cudnnSetTensor4dDescriptor(void* descriptor, int format, int type, int n, int c, int h, int w);
int cudnnCreateFilterDescriptor(void** descriptor);
int cudnnSetFilter4dDescriptor(void* descriptor, int type, int format, int k, int c, int h, int w);
int cudnnCreateConvolutionDescriptor(void** descriptor);
int cudnnSetConvolution2dDescriptor(void* descriptor, int padH, int padW, int strideH, int strideW, int dilationH, int dilationW, int mode,
                                    int computeType);
int cudnnSetConvolutionMathType(void* descriptor, int mathType);
int cudnnSetConvolutionGroupCount(void* descriptor, int groups);
int cudnnCreatePoolingDescriptor(void** descriptor);
int cudnnSetPooling2dDescriptor(void* descriptor, int mode, int nan, int windowH, int windowW, int padH, int padW, int strideH, int strideW);
int cudnnGetConvolutionForwardWorkspaceSize(void* handle, void* x, void* w, void* convolution, void* y, int algorithm, std::size_t* bytes);
int cudnnGetConvolution2dForwardOutputDim(void* convolution, void* x, void* filter, int* n, int* c, int* h, int* w);
int cudnnConvolutionForward(void* handle, const void* alpha, void* xd, std::uint64_t x, void* wd, std::uint64_t w, void* convolution,
                            int algorithm, std::uint64_t workspace, std::size_t bytes, const void* beta, void* yd, std::uint64_t y);
int cudnnConvolutionBackwardData(void* handle, const void* alpha, void* wd, std::uint64_t w, void* yd, std::uint64_t y, void* convolution,
                                 int algorithm, std::uint64_t workspace, std::size_t bytes, const void* beta, void* xd, std::uint64_t x);
int cudnnConvolutionBackwardFilter(void* handle, const void* alpha, void* xd, std::uint64_t x, void* yd, std::uint64_t y, void* convolution,
                                   int algorithm, std::uint64_t workspace, std::size_t bytes, const void* beta, void* wd, std::uint64_t w);
int cudnnPoolingForward(void* handle, void* pooling, const void* alpha, void* xd, std::uint64_t x, const void* beta, void* yd, std::uint64_t y);
int cudnnPoolingBackward(void* handle, void* pooling, const void* alpha, void* yd, std::uint64_t y, void* dyd, std::uint64_t dy, void* xd,
                         std::uint64_t x, const void* beta, void* dxd, std::uint64_t dx);
}

static void* handle = nullptr;

struct Case {
    int n, c, h, w, k, kh, kw, padH, padW, strideH, strideW, dilationH, dilationW, groups, mode, format;
    float beta;
    int mathType = 3;  // CUDNN_FMA_MATH: float32
};

static std::size_t place(int format, int c, int h, int w, int in, int ic, int ih, int iw) {
    return static_cast<std::size_t>(format == 0 ? ((in * c + ic) * h + ih) * w + iw : ((in * h + ih) * w + iw) * c + ic);
}

static void compareConvolution(const Case& t) {
    void *x, *f, *y, *d;
    cudnnCreateTensorDescriptor(&x), cudnnCreateTensorDescriptor(&y), cudnnCreateFilterDescriptor(&f), cudnnCreateConvolutionDescriptor(&d);
    int groupC = t.c / t.groups, groupK = t.k / t.groups, n, k, oh, ow;
    RESULT(cudnnSetTensor4dDescriptor(x, t.format, 0, t.n, t.c, t.h, t.w), 0);
    RESULT(cudnnSetFilter4dDescriptor(f, 0, t.format, t.k, groupC, t.kh, t.kw), 0);
    RESULT(cudnnSetConvolution2dDescriptor(d, t.padH, t.padW, t.strideH, t.strideW, t.dilationH, t.dilationW, t.mode, 0), 0);
    RESULT(cudnnSetConvolutionGroupCount(d, t.groups), 0);
    RESULT(cudnnSetConvolutionMathType(d, t.mathType), 0);
    RESULT(cudnnGetConvolution2dForwardOutputDim(d, x, f, &n, &k, &oh, &ow), 0);
    RESULT(cudnnSetTensor4dDescriptor(y, t.format, 0, n, k, oh, ow), 0);
    auto xs = numbers(static_cast<std::size_t>(t.n * t.c * t.h * t.w), 1);
    auto fs = numbers(static_cast<std::size_t>(t.k * groupC * t.kh * t.kw), 2);
    auto ys = numbers(static_cast<std::size_t>(n * k * oh * ow), 3);
    auto seen = [&](const std::vector<float>& values) { return t.mathType == 3 ? values : asTF32(values); };
    auto sx = seen(xs), sf = seen(fs), sy = seen(ys);
    std::vector<double> forward(ys.size()), data(xs.size()), filter(fs.size());
    for (int in = 0; in < n; ++in)
        for (int ik = 0; ik < k; ++ik)
            for (int r = 0; r < oh; ++r)
                for (int s = 0; s < ow; ++s)
                    for (int c = 0; c < groupC; ++c)
                        for (int i = 0; i < t.kh; ++i)
                            for (int j = 0; j < t.kw; ++j) {
                                int h = r * t.strideH - t.padH + i * t.dilationH, w = s * t.strideW - t.padW + j * t.dilationW;
                                if (h < 0 || h >= t.h || w < 0 || w >= t.w) continue;
                                std::size_t out = place(t.format, k, oh, ow, in, ik, r, s);
                                std::size_t from = place(t.format, t.c, t.h, t.w, in, ik / groupK * groupC + c, h, w);
                                std::size_t tap = place(t.format, groupC, t.kh, t.kw, ik, c, t.mode == 1 ? i : t.kh - 1 - i, t.mode == 1 ? j : t.kw - 1 - j);
                                forward[out] += static_cast<double>(sx[from]) * sf[tap];
                                data[from] += static_cast<double>(sy[out]) * sf[tap];
                                filter[tap] += static_cast<double>(sy[out]) * sx[from];
                            }
    auto agrees = [&](const std::vector<float>& result, const std::vector<double>& sums, const std::vector<float>& before) {
        for (std::size_t i = 0; i < result.size(); ++i) {
            if (!isClose(result[i], 0.5 * sums[i] + static_cast<double>(t.beta) * before[i])) return false;
        }
        return true;
    };
    // With beta 0 the destination is left unwritten: it must not be read.
    auto destination = [&](const std::vector<float>& before) {
        return t.beta == 0 ? std::make_unique<Floats>(before.size()) : std::make_unique<Floats>(before);
    };
    float alpha = 0.5f;
    Floats dx(xs), df(fs), dy(ys);
    auto y2 = destination(ys), x2 = destination(xs), f2 = destination(fs);
    RESULT(cudnnConvolutionForward(handle, &alpha, x, dx.at(), f, df.at(), d, 0, 0, 0, &t.beta, y, y2->at()), 0);
    RESULT(cudnnConvolutionBackwardData(handle, &alpha, f, df.at(), y, dy.at(), d, 0, 0, 0, &t.beta, x, x2->at()), 0);
    RESULT(cudnnConvolutionBackwardFilter(handle, &alpha, x, dx.at(), y, dy.at(), d, 0, 0, 0, &t.beta, f, f2->at()), 0);
    CHECK(agrees(y2->values(), forward, ys));
    CHECK(agrees(x2->values(), data, xs));
    CHECK(agrees(f2->values(), filter, fs));
}

TEST(convolutions) {
    for (int format : {0, 1}) {
        for (int mode : {0, 1}) {
            for (float beta : {0.f, 1.f}) {
                compareConvolution({1, 1, 3, 3, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, mode, format, beta});
                compareConvolution({2, 3, 9, 7, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1, mode, format, beta});
                compareConvolution({9, 4, 11, 8, 6, 3, 2, 2, 0, 2, 3, 2, 1, 2, mode, format, beta});
                compareConvolution({1, 6, 17, 19, 6, 5, 3, 2, 1, 1, 2, 1, 2, 6, mode, format, beta});
            }
        }
    }
}

TEST(convolutionsInTF32) {
    for (int mathType : {0, 1}) compareConvolution({2, 3, 9, 7, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, mathType});
}

TEST(workspaceIsNeeded) {
    void *x, *f, *y, *d;
    cudnnCreateTensorDescriptor(&x), cudnnCreateTensorDescriptor(&y), cudnnCreateFilterDescriptor(&f), cudnnCreateConvolutionDescriptor(&d);
    float one = 1, zero = 0;
    RESULT(cudnnConvolutionForward(handle, &one, x, 16, f, 16, d, 0, 0, 0, &zero, y, 16), 2000);
    cudnnSetTensor4dDescriptor(x, 0, 0, 1, 2, 5, 5), cudnnSetFilter4dDescriptor(f, 0, 0, 3, 2, 3, 3);
    cudnnSetConvolution2dDescriptor(d, 0, 0, 1, 1, 1, 1, 1, 0), cudnnSetTensor4dDescriptor(y, 0, 0, 1, 3, 3, 3);
    std::size_t bytes = 0;
    RESULT(cudnnGetConvolutionForwardWorkspaceSize(handle, x, f, d, y, 1, &bytes), 0);
    CHECK(bytes > 0);
    Floats dx(numbers(50, 1)), df(numbers(54, 2)), dy(27), scratch(bytes / sizeof(float));
    RESULT(cudnnConvolutionForward(nullptr, &one, x, dx.at(), f, df.at(), d, 0, 0, 0, &zero, y, dy.at()), 1001);
    CHECK(cudnnConvolutionForward(handle, &one, x, dx.at(), f, df.at(), d, 1, 0, 0, &zero, y, dy.at()) / 1000 == 2);
    CHECK(cudnnConvolutionForward(handle, &one, x, dx.at(), f, df.at(), d, 1, scratch.at(), bytes - 1, &zero, y, dy.at()) / 1000 == 2);
    RESULT(cudnnConvolutionForward(handle, &one, x, dx.at(), f, df.at(), d, 1, scratch.at(), bytes, &zero, y, dy.at()), 0);
    RESULT(cudnnConvolutionForward(handle, &one, x, dx.at(), f, df.at(), d, 4, scratch.at(), bytes, &zero, y, dy.at()), 3000);
    cudnnSetTensor4dDescriptor(y, 0, 0, 1, 3, 4, 3);
    CHECK(cudnnConvolutionForward(handle, &one, x, dx.at(), f, df.at(), d, 0, 0, 0, &zero, y, dy.at()) / 1000 == 2);
    OK(cuCtxSynchronize());
}

TEST(pooling) {
    void *x, *y, *p;
    float one = 1, zero = 0;
    cudnnCreateTensorDescriptor(&x), cudnnCreateTensorDescriptor(&y), cudnnCreatePoolingDescriptor(&p);
    cudnnSetTensor4dDescriptor(x, 0, 0, 1, 1, 2, 4), cudnnSetTensor4dDescriptor(y, 0, 0, 1, 1, 1, 2);
    Floats dx(std::vector<float>{1, 5, 2, 2, 5, 3, 2, 0}), dy(std::vector<float>{10, 20}), out(2), gradient(8);
    // Of equal maxima the first takes the gradient.
    RESULT(cudnnSetPooling2dDescriptor(p, 3, 0, 2, 2, 0, 0, 2, 2), 0);
    RESULT(cudnnPoolingForward(handle, p, &one, x, dx.at(), &zero, y, out.at()), 0);
    CHECK((out.values() == std::vector<float>{5, 2}));
    RESULT(cudnnPoolingBackward(handle, p, &one, y, out.at(), y, dy.at(), x, dx.at(), &zero, x, gradient.at()), 0);
    CHECK((gradient.values() == std::vector<float>{0, 10, 20, 0, 0, 0, 0, 0}));
    // A 3 x 3 window around each corner: padding counts, or does not.
    cudnnSetTensor4dDescriptor(y, 0, 0, 1, 1, 1, 2);
    for (int mode : {1, 2}) {
        RESULT(cudnnSetPooling2dDescriptor(p, mode, 0, 3, 3, 1, 1, 2, 2), 0);
        RESULT(cudnnPoolingForward(handle, p, &one, x, dx.at(), &zero, y, out.at()), 0);
        CHECK(isClose(out.values()[0], 14.0 / (mode == 1 ? 9 : 4)));
        CHECK(isClose(out.values()[1], 14.0 / (mode == 1 ? 9 : 6)));
    }
}

TEST(noHandleIsMadeInACapture) {
    CUstream stream{};
    CUgraph graph{};
    void* second = nullptr;
    OK(cuStreamCreate(&stream, 1));
    OK(cuStreamBeginCapture_v2(stream, 1));
    RESULT(cudnnCreate(&second), 1001);
    EQUAL(cuStreamEndCapture(stream, &graph), 901);
    RESULT(cudnnCreate(&second), 0);
    RESULT(cudnnDestroy(second), 0);
    OK(cuStreamDestroy_v2(stream));
}

int main() {
    start();
    RESULT(cudnnCreate(&handle), 0);
    runAll();
    RESULT(cudnnDestroy(handle), 0);
    std::printf("%s\n", findings().c_str());
    return failures == 0 ? 0 : 1;
}
