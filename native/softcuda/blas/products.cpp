// Matrix products: float32, and 16-bit operands with float32 sums.
#include <algorithm>
#include <bit>
#include <vector>

#include "cublas.hpp"
#include "gemm.hpp"

namespace softcuda::blas {

namespace {

struct Operand {
    std::uint64_t address;
    int type, ld;
    long long stride;
};

struct GemmArguments {
    int transA, transB, m, n, k, batch;
    Scalar alpha, beta;
    Operand a, b, c;
    Precision precision = Precision::Float32;
};

std::size_t size(int type) { return type == R32F ? 4 : 2; }

float widen(std::uint16_t bits, int type) {
    if (type == R16BF) return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
    return static_cast<float>(std::bit_cast<_Float16>(bits));
}

std::uint16_t narrow(float value, int type) {
    if (type == R16F) return std::bit_cast<std::uint16_t>(static_cast<_Float16>(value));
    auto bits = std::bit_cast<std::uint32_t>(value);
    if (value != value) return 0x7fff;
    return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// A column-major matrix of 16-bit numbers as floats.
std::vector<float> widened(const void* data, int type, std::size_t rows, std::size_t columns, std::size_t ld) {
    auto* from = static_cast<const std::uint16_t*>(data);
    std::vector<float> result(rows * columns);
    for (std::size_t j = 0; j < columns; ++j) {
        for (std::size_t i = 0; i < rows; ++i) result[j * rows + i] = widen(from[j * ld + i], type);
    }
    return result;
}

/// One column-major operand, ready to be multiplied.
struct Source {
    std::vector<float> copy;
    Strided<const float> matrix{};

    bool open(const Operand& operand, std::uint64_t address, bool transpose, std::size_t rows, std::size_t columns) {
        if (transpose) std::swap(rows, columns);  // as it is stored
        const void* host = softcudaReadRows(address, columns, rows * size(operand.type), static_cast<std::size_t>(operand.ld) * size(operand.type));
        if (!host) return false;
        std::ptrdiff_t ld = operand.ld;
        auto* floats = static_cast<const float*>(host);
        if (operand.type != R32F) {
            copy = widened(host, operand.type, rows, columns, static_cast<std::size_t>(ld));
            floats = copy.data();
            ld = static_cast<std::ptrdiff_t>(rows);
        }
        matrix = transpose ? Strided<const float>{floats, ld, 1} : Strided<const float>{floats, 1, ld};
        return true;
    }
};

void multiply(const GemmArguments& g, float alpha, float beta, int index) {
    auto at = [index](const Operand& o) { return o.address + static_cast<std::uint64_t>(index * o.stride * static_cast<long long>(size(o.type))); };
    auto m = static_cast<std::size_t>(g.m), n = static_cast<std::size_t>(g.n), k = static_cast<std::size_t>(g.k);
    Source a, b;
    bool reads = k > 0 && alpha != 0;
    if (reads && (!a.open(g.a, at(g.a), g.transA != 0, m, k) || !b.open(g.b, at(g.b), g.transB != 0, k, n))) return;
    std::size_t bytes = size(g.c.type);
    void* c = softcudaWriteRows(at(g.c), n, m * bytes, static_cast<std::size_t>(g.c.ld) * bytes, beta != 0);
    if (!c) return;
    if (g.c.type == R32F) {
        gemm(m, n, reads ? k : 0, alpha, a.matrix, b.matrix, beta, {static_cast<float*>(c), 1, g.c.ld}, true, g.precision);
        return;
    }
    auto* narrowC = static_cast<std::uint16_t*>(c);
    std::vector<float> wide = beta != 0 ? widened(c, g.c.type, m, n, static_cast<std::size_t>(g.c.ld)) : std::vector<float>(m * n);
    gemm(m, n, reads ? k : 0, alpha, a.matrix, b.matrix, beta, {wide.data(), 1, g.m}, true);
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t i = 0; i < m; ++i) narrowC[j * static_cast<std::size_t>(g.c.ld) + i] = narrow(wide[j * m + i], g.c.type);
    }
}

void runGemm(const void* arguments) {
    const auto& g = *static_cast<const GemmArguments*>(arguments);
    float alpha, beta;
    if (!g.alpha.read(alpha) || !g.beta.read(beta)) return;
    for (int i = 0; i < g.batch; ++i) multiply(g, alpha, beta, i);
}

bool isFloat(int type) { return type == R32F || type == R16F || type == R16BF; }

int submit(const char* name, void* handle, const void* alpha, const void* beta, GemmArguments g) {
    Handle* h = toHandle(handle);
    if (!h) return NotInitialized;
    auto transposes = [](int op) { return op == 1 || op == 2; };
    if (g.transA < 0 || g.transA > 2 || g.transB < 0 || g.transB > 2 || g.m < 0 || g.n < 0 || g.k < 0 || g.batch < 0 || !alpha || !beta) return InvalidValue;
    g.transA = transposes(g.transA);
    g.transB = transposes(g.transB);
    if (g.a.ld < std::max(1, g.transA ? g.k : g.m) || g.b.ld < std::max(1, g.transB ? g.n : g.k) || g.c.ld < std::max(1, g.m)) return InvalidValue;
    if (!isFloat(g.a.type) || g.a.type != g.b.type || !(g.c.type == R32F || g.c.type == g.a.type)) return NotSupported;
    if (g.m == 0 || g.n == 0 || g.batch == 0) return Success;
    g.alpha = scalar(*h, alpha);
    g.beta = scalar(*h, beta);
    // CUBLAS_TF32_TENSOR_OP_MATH and the older CUBLAS_TENSOR_OP_MATH allow it; 16-bit factors have no more bits than it keeps.
    if (int mode = h->mathMode & ~16; g.a.type == R32F && (mode == 1 || mode == 3)) g.precision = Precision::TF32;
    double m = g.m, n = g.n, k = g.k, batch = g.batch;
    double read = batch * (m * k + k * n) * static_cast<double>(size(g.a.type));
    bool readsC = h->pointerMode == 1 || g.beta.value != 0;
    double written = batch * m * n * static_cast<double>(size(g.c.type));
    return enqueue(*h, name, runGemm, &g, sizeof g, 2 * batch * m * n * k, read + (readsC ? written : 0), written);
}

}  // namespace

SOFTCUDA_EXPORT int cublasSgemm_v2(void* handle, int transA, int transB, int m, int n, int k, const void* alpha, std::uint64_t a, int lda,
                                   std::uint64_t b, int ldb, const void* beta, std::uint64_t c, int ldc) {
    SOFTCUDA_ENTER(cublasSgemm_v2);
    return submit("cublasSgemm_v2", handle, alpha, beta,
                  {transA, transB, m, n, k, 1, {}, {}, {a, R32F, lda, 0}, {b, R32F, ldb, 0}, {c, R32F, ldc, 0}});
}

SOFTCUDA_EXPORT int cublasSgemmStridedBatched(void* handle, int transA, int transB, int m, int n, int k, const void* alpha, std::uint64_t a,
                                              int lda, long long strideA, std::uint64_t b, int ldb, long long strideB, const void* beta,
                                              std::uint64_t c, int ldc, long long strideC, int batch) {
    SOFTCUDA_ENTER(cublasSgemmStridedBatched);
    return submit("cublasSgemmStridedBatched", handle, alpha, beta,
                  {transA, transB, m, n, k, batch, {}, {}, {a, R32F, lda, strideA}, {b, R32F, ldb, strideB}, {c, R32F, ldc, strideC}});
}

SOFTCUDA_EXPORT int cublasGemmEx(void* handle, int transA, int transB, int m, int n, int k, const void* alpha, std::uint64_t a, int typeA,
                                 int lda, std::uint64_t b, int typeB, int ldb, const void* beta, std::uint64_t c, int typeC, int ldc,
                                 int computeType, int algorithm) {
    SOFTCUDA_ENTER(cublasGemmEx);
    (void)algorithm;
    // 68 and 69 are float32 sums, plain and pedantic; others are not simulated.
    if (computeType != 68 && computeType != 69) return NotSupported;
    return submit("cublasGemmEx", handle, alpha, beta,
                  {transA, transB, m, n, k, 1, {}, {}, {a, typeA, lda, 0}, {b, typeB, ldb, 0}, {c, typeC, ldc, 0}});
}

SOFTCUDA_EXPORT int cublasGemmStridedBatchedEx(void* handle, int transA, int transB, int m, int n, int k, const void* alpha, std::uint64_t a,
                                               int typeA, int lda, long long strideA, std::uint64_t b, int typeB, int ldb, long long strideB,
                                               const void* beta, std::uint64_t c, int typeC, int ldc, long long strideC, int batch,
                                               int computeType, int algorithm) {
    SOFTCUDA_ENTER(cublasGemmStridedBatchedEx);
    (void)algorithm;
    if (computeType != 68 && computeType != 69) return NotSupported;
    return submit("cublasGemmStridedBatchedEx", handle, alpha, beta,
                  {transA, transB, m, n, k, batch, {}, {}, {a, typeA, lda, strideA}, {b, typeB, ldb, strideB}, {c, typeC, ldc, strideC}});
}

}  // namespace softcuda::blas
