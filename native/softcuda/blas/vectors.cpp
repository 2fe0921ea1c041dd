// Products of a matrix and a vector, and sums of vectors.
#include <algorithm>

#include "cublas.hpp"

namespace softcuda::blas {

namespace {

struct Vector {
    std::uint64_t address;
    int stride;

    /// As BLAS has it: with a negative stride the vector runs backwards from its end.
    template <typename T>
    T* first(T* host, int count) const {
        return stride >= 0 ? host : host - static_cast<std::ptrdiff_t>(count - 1) * stride;
    }
    const float* read(int count) const {
        auto* host = static_cast<const float*>(softcudaReadRows(address, static_cast<std::size_t>(count), sizeof(float), step()));
        return host ? first(host, count) : nullptr;
    }
    float* write(int count, bool reads) const {
        auto* host = static_cast<float*>(softcudaWriteRows(address, static_cast<std::size_t>(count), sizeof(float), step(), reads));
        return host ? first(host, count) : nullptr;
    }

private:
    std::size_t step() const { return static_cast<std::size_t>(stride < 0 ? -stride : stride) * sizeof(float); }
};

struct GemvArguments {
    int transpose, m, n;
    Scalar alpha, beta;
    std::uint64_t a;
    int lda;
    Vector x, y;
};

struct AxpyArguments {
    int n;
    Scalar alpha;
    Vector x, y;
};

void runGemv(const void* arguments) {
    const auto& g = *static_cast<const GemvArguments*>(arguments);
    float alpha, beta;
    if (!g.alpha.read(alpha) || !g.beta.read(beta)) return;
    int rows = g.transpose ? g.n : g.m, columns = g.transpose ? g.m : g.n;
    auto* a = static_cast<const float*>(softcudaReadRows(g.a, static_cast<std::size_t>(g.n), static_cast<std::size_t>(g.m) * sizeof(float),
                                                         static_cast<std::size_t>(g.lda) * sizeof(float)));
    const float* x = g.x.read(columns);
    float* y = g.y.write(rows, beta != 0);
    if (!a || !x || !y) return;
    for (int i = 0; i < rows; ++i) {
        double sum = 0;
        for (int j = 0; j < columns; ++j) {
            std::ptrdiff_t at = g.transpose ? static_cast<std::ptrdiff_t>(i) * g.lda + j : static_cast<std::ptrdiff_t>(j) * g.lda + i;
            sum += static_cast<double>(a[at]) * x[static_cast<std::ptrdiff_t>(j) * g.x.stride];
        }
        float& out = y[static_cast<std::ptrdiff_t>(i) * g.y.stride];
        out = static_cast<float>(alpha * sum) + (beta == 0 ? 0 : beta * out);
    }
}

void runAxpy(const void* arguments) {
    const auto& g = *static_cast<const AxpyArguments*>(arguments);
    float alpha;
    const float* x = g.x.read(g.n);
    float* y = g.y.write(g.n, true);
    if (!g.alpha.read(alpha) || !x || !y) return;
    for (int i = 0; i < g.n; ++i) y[static_cast<std::ptrdiff_t>(i) * g.y.stride] += alpha * x[static_cast<std::ptrdiff_t>(i) * g.x.stride];
}

void runScale(const void* arguments) {
    const auto& g = *static_cast<const AxpyArguments*>(arguments);
    float alpha;
    if (!g.alpha.read(alpha)) return;
    float* x = g.x.write(g.n, true);
    if (!x) return;
    for (int i = 0; i < g.n; ++i) x[static_cast<std::ptrdiff_t>(i) * g.x.stride] *= alpha;
}

}  // namespace

SOFTCUDA_EXPORT int cublasSgemv_v2(void* handle, int transpose, int m, int n, const void* alpha, std::uint64_t a, int lda, std::uint64_t x,
                                   int incx, const void* beta, std::uint64_t y, int incy) {
    SOFTCUDA_ENTER(cublasSgemv_v2);
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    if (transpose < 0 || transpose > 2 || m < 0 || n < 0 || lda < std::max(1, m) || incx == 0 || incy == 0 || !alpha || !beta) return InvalidValue;
    if (m == 0 || n == 0) return Success;
    GemvArguments g{transpose != 0, m, n, scalar(*h, alpha), scalar(*h, beta), a, lda, {x, incx}, {y, incy}};
    double bytes = sizeof(float) * static_cast<double>(m) * n;
    int rows = transpose ? n : m, columns = transpose ? m : n;
    return enqueue(*h, "cublasSgemv_v2", runGemv, &g, sizeof g, 2.0 * m * n, bytes + sizeof(float) * static_cast<double>(columns),
                   sizeof(float) * static_cast<double>(rows));
}

SOFTCUDA_EXPORT int cublasSaxpy_v2(void* handle, int n, const void* alpha, std::uint64_t x, int incx, std::uint64_t y, int incy) {
    SOFTCUDA_ENTER(cublasSaxpy_v2);
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    if (!alpha || incy == 0) return InvalidValue;
    if (n <= 0) return Success;
    AxpyArguments g{n, scalar(*h, alpha), {x, incx}, {y, incy}};
    double bytes = sizeof(float) * static_cast<double>(n);
    return enqueue(*h, "cublasSaxpy_v2", runAxpy, &g, sizeof g, 2.0 * n, 2 * bytes, bytes);
}

SOFTCUDA_EXPORT int cublasSscal_v2(void* handle, int n, const void* alpha, std::uint64_t x, int incx) {
    SOFTCUDA_ENTER(cublasSscal_v2);
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    if (!alpha) return InvalidValue;
    if (n <= 0 || incx <= 0) return Success;
    AxpyArguments g{n, scalar(*h, alpha), {x, incx}, {0, 1}};
    double bytes = sizeof(float) * static_cast<double>(n);
    return enqueue(*h, "cublasSscal_v2", runScale, &g, sizeof g, n, bytes, bytes);
}

}  // namespace softcuda::blas
