#include "gemm.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "host_work.hpp"

namespace softcuda {

namespace {

// A register tile of 8 x 32: 16 accumulators of 16 floats, with room for two of B and a broadcast of A. Blocks of K keep a panel of
// B in the first-level cache; blocks of M and N keep packed A and B in the second.
constexpr std::size_t TileM = 8, TileN = 32, BlockK = 256, BlockM = 96, BlockN = 512;

typedef float Lanes __attribute__((vector_size(64), aligned(4)));
constexpr std::size_t LaneCount = 16;

struct Product {
    std::size_t m, n, k;
    float alpha;
    Strided<const float> a, b;
    float beta;
    Strided<float> c;
    Precision precision;
};

std::size_t ceilDivide(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

/// To the nearest number of TF32, ties away from zero, as cvt.rna.tf32.f32 does; infinities and NaNs stay.
void roundToTF32(float* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        auto bits = std::bit_cast<std::uint32_t>(values[i]);
        bool finite = (bits & 0x7f800000u) != 0x7f800000u;
        values[i] = std::bit_cast<float>(finite ? (bits + 0x1000u) & ~0x1fffu : bits);
    }
}

/// Panels of `width` columns of op(X) [k, width], k rows each, zero-padded.
void pack(const float* data, std::ptrdiff_t along, std::ptrdiff_t across, std::size_t k, std::size_t count, std::size_t width, float* to) {
    for (std::size_t first = 0; first < count; first += width) {
        std::size_t used = std::min(width, count - first);
        const float* from = data + static_cast<std::ptrdiff_t>(first) * across;
        for (std::size_t p = 0; p < k; ++p, to += width) {
            const float* row = from + static_cast<std::ptrdiff_t>(p) * along;
            if (across == 1) {
                std::memcpy(to, row, used * sizeof(float));
            } else {
                for (std::size_t j = 0; j < used; ++j) to[j] = row[static_cast<std::ptrdiff_t>(j) * across];
            }
            std::fill(to + used, to + width, 0.f);
        }
    }
}

void multiplyTile(std::size_t k, const float* a, const float* b, float* out) {
    Lanes sums[TileM][2] = {};
    for (std::size_t p = 0; p < k; ++p, a += TileM, b += TileN) {
        Lanes b0 = *reinterpret_cast<const Lanes*>(b), b1 = *reinterpret_cast<const Lanes*>(b + LaneCount);
        for (std::size_t i = 0; i < TileM; ++i) {
            sums[i][0] += a[i] * b0;
            sums[i][1] += a[i] * b1;
        }
    }
    std::memcpy(out, sums, sizeof sums);
}

void addTile(const Product& p, std::size_t row, std::size_t column, bool first, const float* tile) {
    std::size_t rows = std::min(TileM, p.m - row), columns = std::min(TileN, p.n - column);
    for (std::size_t i = 0; i < rows; ++i) {
        float* c = p.c.data + static_cast<std::ptrdiff_t>(row + i) * p.c.rows + static_cast<std::ptrdiff_t>(column) * p.c.columns;
        for (std::size_t j = 0; j < columns; ++j, c += p.c.columns) {
            float value = p.alpha * tile[i * TileN + j];
            *c = !first ? *c + value : p.beta == 0 ? value : p.beta * *c + value;
        }
    }
}

/// A block of rows, all columns.
void multiplyRows(const Product& p, std::size_t firstRow, std::size_t rows) {
    thread_local std::vector<float> packedA, packedB;
    packedA.resize(ceilDivide(BlockM, TileM) * TileM * BlockK);
    packedB.resize(BlockN * BlockK);
    float tile[TileM * TileN];
    for (std::size_t k0 = 0; k0 < p.k; k0 += BlockK) {
        std::size_t k = std::min(BlockK, p.k - k0);
        auto depth = static_cast<std::ptrdiff_t>(k0);
        pack(p.a.data + static_cast<std::ptrdiff_t>(firstRow) * p.a.rows + depth * p.a.columns, p.a.columns, p.a.rows, k, rows, TileM,
             packedA.data());
        if (p.precision == Precision::TF32) roundToTF32(packedA.data(), ceilDivide(rows, TileM) * TileM * k);
        for (std::size_t n0 = 0; n0 < p.n; n0 += BlockN) {
            std::size_t n = std::min(BlockN, p.n - n0);
            pack(p.b.data + depth * p.b.rows + static_cast<std::ptrdiff_t>(n0) * p.b.columns, p.b.rows, p.b.columns, k, n, TileN, packedB.data());
            if (p.precision == Precision::TF32) roundToTF32(packedB.data(), ceilDivide(n, TileN) * TileN * k);
            for (std::size_t j = 0; j < n; j += TileN) {
                for (std::size_t i = 0; i < rows; i += TileM) {
                    multiplyTile(k, packedA.data() + i * k, packedB.data() + j * k, tile);
                    addTile(p, firstRow + i, n0 + j, k0 == 0, tile);
                }
            }
        }
    }
}

}  // namespace

void gemm(std::size_t m, std::size_t n, std::size_t k, float alpha, Strided<const float> a, Strided<const float> b, float beta,
          Strided<float> c, bool parallel, Precision precision) {
    Product product{m, n, k, alpha, a, b, beta, c, precision};
    if (k == 0 || alpha == 0) {
        for (std::size_t i = 0; i < m; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                float& value = c.data[static_cast<std::ptrdiff_t>(i) * c.rows + static_cast<std::ptrdiff_t>(j) * c.columns];
                value = beta == 0 ? 0 : beta * value;
            }
        }
        return;
    }
    auto block = [](void* context, std::size_t index) {
        const auto& p = *static_cast<const Product*>(context);
        std::size_t first = index * BlockM;
        multiplyRows(p, first, std::min(BlockM, p.m - first));
    };
    std::size_t blocks = ceilDivide(m, BlockM);
    if (parallel && blocks > 1) {
        softcudaParallel(block, &product, blocks);
    } else {
        for (std::size_t i = 0; i < blocks; ++i) block(&product, i);
    }
}

}  // namespace softcuda
