// libcublas.so.12 against loops in double: shapes, transposes, leading dimensions, scalars, statuses, capture.
#include <chrono>

#include "device_floats.hpp"

using namespace harness;

extern "C" {
int cublasCreate_v2(void** handle);
int cublasDestroy_v2(void* handle);
int cublasSetStream_v2(void* handle, void* stream);
int cublasSetPointerMode_v2(void* handle, int mode);
int cublasSetMathMode(void* handle, int mode);
int cublasSgemm_v2(void* handle, int transA, int transB, int m, int n, int k, const void* alpha, std::uint64_t a, int lda, std::uint64_t b,
                   int ldb, const void* beta, std::uint64_t c, int ldc);
int cublasSgemmStridedBatched(void* handle, int transA, int transB, int m, int n, int k, const void* alpha, std::uint64_t a, int lda,
                              long long strideA, std::uint64_t b, int ldb, long long strideB, const void* beta, std::uint64_t c, int ldc,
                              long long strideC, int batch);
int cublasSgemv_v2(void* handle, int transpose, int m, int n, const void* alpha, std::uint64_t a, int lda, std::uint64_t x, int incx,
                   const void* beta, std::uint64_t y, int incy);
int cublasSaxpy_v2(void* handle, int n, const void* alpha, std::uint64_t x, int incx, std::uint64_t y, int incy);
}

static void* handle = nullptr;

static void compareProduct(int m, int n, int k, bool transA, bool transB, float alpha, float beta, int extra, bool tf32 = false) {
    int lda = (transA ? k : m) + extra, ldb = (transB ? n : k) + extra, ldc = m + extra;
    auto a = numbers(static_cast<std::size_t>(lda) * static_cast<std::size_t>(transA ? m : k), 1);
    auto b = numbers(static_cast<std::size_t>(ldb) * static_cast<std::size_t>(transB ? k : n), 2);
    auto c = numbers(static_cast<std::size_t>(ldc) * static_cast<std::size_t>(n), 3);
    Floats da(a), db(b), dc(c);
    RESULT(cublasSgemm_v2(handle, transA, transB, m, n, k, &alpha, da.at(), lda, db.at(), ldb, &beta, dc.at(), ldc), 0);
    auto result = dc.values();
    if (tf32) {
        // Far enough from float32's that a test of them fails, and close to the product of what is left of the factors.
        a = asTF32(a);
        b = asTF32(b);
    }
    bool close = true;
    for (int j = 0; j < n; ++j) {
        for (int i = 0; i < ldc; ++i) {
            auto at = static_cast<std::size_t>(j) * static_cast<std::size_t>(ldc) + static_cast<std::size_t>(i);
            double sum = 0;
            for (int p = 0; i < m && p < k; ++p) {
                sum += static_cast<double>(a[static_cast<std::size_t>(transA ? i * lda + p : p * lda + i)]) *
                       b[static_cast<std::size_t>(transB ? p * ldb + j : j * ldb + p)];
            }
            close = close && isClose(result[at], i < m ? alpha * sum + static_cast<double>(beta) * c[at] : c[at]);
        }
    }
    CHECK(close);
}

TEST(products) {
    for (int transposes = 0; transposes < 4; ++transposes) {
        for (float beta : {0.f, 1.f, -0.5f}) {
            compareProduct(1, 1, 1, transposes & 1, transposes & 2, 1, beta, 0);
            compareProduct(7, 13, 5, transposes & 1, transposes & 2, 1.5f, beta, 3);
            compareProduct(101, 67, 300, transposes & 1, transposes & 2, -1, beta, 1);
        }
    }
    compareProduct(33, 1030, 259, false, true, 1, 0, 2);
}

TEST(factorsOfTF32) {
    for (int mode : {1, 3, 16 + 3}) {
        RESULT(cublasSetMathMode(handle, mode), 0);
        compareProduct(7, 13, 5, false, true, 1.5f, 1, 3, true);
        compareProduct(101, 67, 300, true, false, -1, 0, 1, true);
    }
    RESULT(cublasSetMathMode(handle, 0), 0);
    compareProduct(7, 13, 5, false, false, 1, 0, 0);
}

TEST(batchesAndUnreadOutputs) {
    float one = 1, zero = 0;
    auto a = numbers(3 * 6, 4), b = numbers(3 * 8, 5);
    Floats da(a), db(b), dc(3 * 12);
    RESULT(cublasSgemmStridedBatched(handle, 0, 0, 3, 4, 2, &one, da.at(), 3, 6, db.at(), 2, 8, &zero, dc.at(), 3, 12, 3), 0);
    auto c = dc.values();
    for (std::size_t s = 0; s < 3; ++s) {
        for (std::size_t j = 0; j < 4; ++j) {
            for (std::size_t i = 0; i < 3; ++i) {
                double sum = 0;
                for (std::size_t p = 0; p < 2; ++p) sum += static_cast<double>(a[s * 6 + p * 3 + i]) * b[s * 8 + j * 2 + p];
                CHECK(isClose(c[s * 12 + j * 3 + i], sum));
            }
        }
    }
    CHECK(findings().find("uninit") == std::string::npos);
}

TEST(vectors) {
    auto a = numbers(5 * 3, 6), x = numbers(5, 7), y = numbers(5, 8);
    Floats da(a), dx(x), dy(y), scalars(std::vector<float>{2, 1});
    RESULT(cublasSetPointerMode_v2(handle, 1), 0);
    auto* alpha = reinterpret_cast<const void*>(scalars.at());
    auto* beta = reinterpret_cast<const void*>(scalars.at() + sizeof(float));
    RESULT(cublasSgemv_v2(handle, 0, 5, 3, alpha, da.at(), 5, dx.at(), 1, beta, dy.at(), 1), 0);
    RESULT(cublasSaxpy_v2(handle, 5, alpha, dx.at(), 1, dy.at(), 1), 0);
    RESULT(cublasSetPointerMode_v2(handle, 0), 0);
    auto result = dy.values();
    for (std::size_t i = 0; i < 5; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < 3; ++j) sum += static_cast<double>(a[j * 5 + i]) * x[j];
        CHECK(isClose(result[i], 2 * sum + static_cast<double>(y[i]) + 2 * static_cast<double>(x[i])));
    }
}

TEST(statuses) {
    float one = 1;
    RESULT(cublasSgemm_v2(nullptr, 0, 0, 1, 1, 1, &one, 0, 1, 0, 1, &one, 0, 1), 1);
    RESULT(cublasSgemm_v2(handle, 0, 0, 4, 1, 1, &one, 0, 3, 0, 1, &one, 0, 4), 7);
    RESULT(cublasSgemm_v2(handle, 0, 0, 4, 1, 2, &one, 0, 4, 0, 1, &one, 0, 4), 7);
    RESULT(cublasSgemm_v2(handle, 0, 0, 4, 1, 1, &one, 0, 4, 0, 1, &one, 0, 3), 7);
    RESULT(cublasSgemm_v2(handle, 3, 0, 1, 1, 1, &one, 0, 1, 0, 1, &one, 0, 1), 7);
    RESULT(cublasSgemm_v2(handle, 0, 0, -1, 1, 1, &one, 0, 1, 0, 1, &one, 0, 1), 7);
    RESULT(cublasSgemm_v2(handle, 0, 0, 0, 1, 1, &one, 0, 1, 0, 1, &one, 0, 1), 0);
}

TEST(capture) {
    float one = 1, zero = 0;
    CUstream stream{};
    CUgraph graph{};
    CUgraphExec exec{};
    Floats a(std::vector<float>{3}), b(std::vector<float>{4}), c(std::vector<float>{9});
    OK(cuStreamCreate(&stream, 1));
    RESULT(cublasSetStream_v2(handle, stream), 0);
    OK(cuStreamBeginCapture_v2(stream, 1));
    RESULT(cublasSgemm_v2(handle, 0, 0, 1, 1, 1, &one, a.at(), 1, b.at(), 1, &zero, c.at(), 1), 0);
    OK(cuStreamEndCapture(stream, &graph));
    EQUAL(c.values()[0], 9);
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    OK(cuGraphLaunch(exec, stream));
    OK(cuStreamSynchronize(stream));
    EQUAL(c.values()[0], 12);
    RESULT(cublasSetStream_v2(handle, nullptr), 0);

    void* second = nullptr;
    CUgraph broken{};
    OK(cuStreamBeginCapture_v2(stream, 1));
    RESULT(cublasCreate_v2(&second), 1);
    EQUAL(cuStreamEndCapture(stream, &broken), 901);
    RESULT(cublasCreate_v2(&second), 0);
    RESULT(cublasDestroy_v2(second), 0);
    OK(cuGraphExecDestroy(exec));
    OK(cuGraphDestroy(graph));
    OK(cuStreamDestroy_v2(stream));
}

int main() {
    start();
    RESULT(cublasCreate_v2(&handle), 0);
    runAll();
    std::size_t size = 768;
    float one = 1, zero = 0;
    Floats a(numbers(size * size, 1)), b(numbers(size * size, 2)), c(size * size);
    auto product = [&] {
        int n = static_cast<int>(size);
        cublasSgemm_v2(handle, 0, 0, n, n, n, &one, a.at(), n, b.at(), n, &zero, c.at(), n);
        cuCtxSynchronize();
    };
    product();
    auto begin = std::chrono::steady_clock::now();
    product();
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::printf("sgemm of %zu: %.1f GFLOP/s\n", size, 2e-9 * static_cast<double>(size * size * size) / seconds);
    RESULT(cublasDestroy_v2(handle), 0);
    return failures == 0 ? 0 : 1;
}
