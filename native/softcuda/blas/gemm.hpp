// The matrix product behind cuBLAS's and cuDNN's entry points.
#pragma once
#include <cstddef>

namespace softcuda {

/// A matrix in memory: element (i, j) at data[i * rows + j * columns].
template <typename T>
struct Strided {
    T* data;
    std::ptrdiff_t rows, columns;
};

/// What products see of their factors: all 23 bits of the fraction, or, as tensor cores do, 10 (TF32). Sums are float32 either way.
enum class Precision { Float32, TF32 };

/// C [m, n] = alpha A [m, k] B [k, n] + beta C, in float32; with beta 0 C is not read. Sums run over k in blocks of fixed size, so
/// the result does not depend on the number of workers. With `parallel`, the device's workers share the rows.
void gemm(std::size_t m, std::size_t n, std::size_t k, float alpha, Strided<const float> a, Strided<const float> b, float beta,
          Strided<float> c, bool parallel, Precision precision = Precision::Float32);

}  // namespace softcuda
