// Tensor-core products and the loads that feed them, against plain loops. Small integers, so that no order of summation shows.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

/// Where a fragment's element lies: its row and column.
struct At {
    u32 row, column;
};
using Layout = At (*)(u32 lane, u32 element);

/// D = A * B + C of one warp. Elements are packed from the low bits up, `perRegister` of them in each 32-bit (or 64-bit) register.
struct Product {
    const char* text;
    u32 m, n, k;
    u32 aElements, bElements, cElements;
    Layout a, b, c;
    u64 (*encode)(double);  // of A and B
    u32 inputBits;
    u64 (*encodeSum)(double);  // of C and D
    u32 sumBits;
};

At rowsOfSums(u32 lane, u32 element) { return {lane / 4 + 8 * (element / 2), lane % 4 * 2 + element % 2}; }

u64 toTf32(double x) { return bits(static_cast<float>(x)); }
u64 toSingle(double x) { return bits(static_cast<float>(x)); }
u64 toDouble(double x) { return bits(x); }
u64 halfOf(double x) { return toHalf(x); }
u64 bfloatOf(double x) { return toBfloat(x); }

/// Packs a fragment's elements into registers.
void pack(Row& row, const std::vector<u64>& elements, u32 bits) {
    u32 perRegister = bits >= 32 ? 1 : 32 / bits;
    for (std::size_t i = 0; i < elements.size(); i += perRegister) {
        u64 value = 0;
        for (u32 k = 0; k < perRegister; ++k) value |= elements[i + k] << (k * bits);
        row.push_back(value);
    }
}

std::string list(u32& next, u32 registers) {
    std::string text = "{";
    for (u32 i = 0; i < registers; ++i) text += (i ? ", $" : "$") + std::to_string(next++);
    return text + "}";
}

void product(const Product& it) {
    std::mt19937 random(14);
    std::vector<Row> rows;
    for (int warp = 0; warp < 6; ++warp) {
        std::vector<double> a(it.m * it.k), b(it.k * it.n), c(it.m * it.n), d;
        // The first warps have one element each that is not zero, which shows every place by itself.
        for (double& v : a) v = warp < 2 ? 0 : static_cast<int>(random() % 9) - 4;
        for (double& v : b) v = warp < 2 ? 1 : static_cast<int>(random() % 9) - 4;
        for (double& v : c) v = warp < 2 ? 0 : static_cast<int>(random() % 33) - 16;
        if (warp == 0) a[0] = 1;
        if (warp == 1) a[it.m * it.k - 2] = 3;
        d = c;
        for (u32 i = 0; i < it.m; ++i)
            for (u32 j = 0; j < it.n; ++j)
                for (u32 k = 0; k < it.k; ++k) d[i * it.n + j] += a[i * it.k + k] * b[k * it.n + j];
        for (u32 lane = 0; lane < 32; ++lane) {
            std::vector<u64> fa, fb, fc, fd;
            for (u32 e = 0; e < it.aElements; ++e) fa.push_back(it.encode(a[it.a(lane, e).row * it.k + it.a(lane, e).column]));
            for (u32 e = 0; e < it.bElements; ++e) fb.push_back(it.encode(b[it.b(lane, e).row * it.n + it.b(lane, e).column]));
            for (u32 e = 0; e < it.cElements; ++e) {
                At at = it.c(lane, e);
                fc.push_back(it.encodeSum(c[at.row * it.n + at.column]));
                fd.push_back(it.encodeSum(d[at.row * it.n + at.column]));
            }
            Row row;
            pack(row, fd, it.sumBits);
            pack(row, fa, it.inputBits);
            pack(row, fb, it.inputBits);
            pack(row, fc, it.sumBits);
            rows.push_back(row);
        }
    }
    auto registers = [](u32 elements, u32 bits) { return bits >= 32 ? elements : elements * bits / 32; };
    u32 sums = registers(it.cElements, it.sumBits), next = 0;
    std::string text = std::string(it.text) + " " + list(next, sums);
    for (u32 count : {registers(it.aElements, it.inputBits), registers(it.bElements, it.inputBits), sums}) text += ", " + list(next, count);
    text += ";";
    std::string shape;
    auto add = [&](u32 count, u32 bits) {
        for (u32 i = 0; i < count; ++i) shape += bits == 64 ? "64 " : "32 ";
    };
    add(sums, it.sumBits);
    shape += "= ";
    add(registers(it.aElements, it.inputBits), it.inputBits);
    add(registers(it.bElements, it.inputBits), it.inputBits);
    add(sums, it.sumBits);
    warpTable(text, shape, rows);
}

void products() {
    Layout a16 = [](u32 lane, u32 e) { return At{lane / 4 + 8 * (e / 2 % 2), lane % 4 * 2 + e % 2 + 8 * (e / 4)}; };
    Layout b16 = [](u32 lane, u32 e) { return At{lane % 4 * 2 + e % 2 + 8 * (e / 2), lane / 4}; };
    Layout a32 = [](u32 lane, u32 e) { return At{lane / 4 + 8 * (e % 2), lane % 4 + 4 * (e / 2)}; };
    Layout b32 = [](u32 lane, u32 e) { return At{lane % 4 + 4 * e, lane / 4}; };
    const Product list[] = {
        {"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 16, 8, 16, 8, 4, 4, a16, b16, rowsOfSums, halfOf, 16, toSingle, 32},
        {"mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32", 16, 8, 8, 4, 2, 4, a16, b16, rowsOfSums, halfOf, 16, toSingle, 32},
        {"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 16, 8, 16, 8, 4, 4, a16, b16, rowsOfSums, bfloatOf, 16, toSingle, 32},
        {"mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32", 16, 8, 8, 4, 2, 4, a16, b16, rowsOfSums, bfloatOf, 16, toSingle, 32},
        {"mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16", 16, 8, 16, 8, 4, 4, a16, b16, rowsOfSums, halfOf, 16, halfOf, 16},
        {"mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16", 16, 8, 8, 4, 2, 4, a16, b16, rowsOfSums, halfOf, 16, halfOf, 16},
        {"mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32", 16, 8, 4, 2, 1, 4, a32, b32, rowsOfSums, toTf32, 32, toSingle, 32},
        {"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", 16, 8, 8, 4, 2, 4, a32, b32, rowsOfSums, toTf32, 32, toSingle, 32},
        {"mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64", 8, 8, 4, 1, 1, 2, [](u32 lane, u32) { return At{lane / 4, lane % 4}; },
         [](u32 lane, u32) { return At{lane % 4, lane / 4}; }, rowsOfSums, toDouble, 64, toDouble, 64},
    };
    for (const Product& it : list) product(it);
    // Two floating-point operations for each product.
    Bench bench(header() + kernel("count", "u64 out", "mov.b32 %r0, 0; mov.f32 %f0, 0f00000000; mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f1, %f2, %f3, %f4}, {%r0, %r0, %r0, %r0}, {%r0, %r0}, {%f0, %f0, %f0, %f0};"));
    if (bench.clean("count", {}, {64}, 0, u64{0}))
        expect(bench.counters.flops == 2ull * 2 * 16 * 8 * 16, "operations of two products: %llu", static_cast<unsigned long long>(bench.counters.flops));
}

/// Matrix i's row r is named by lane 8 i + r; each lane receives two neighbours of row lane / 4, or of column lane / 4.
void matrixLoads() {
    for (u32 count : {1u, 2u, 4u})
        for (bool transposed : {false, true}) {
            std::vector<Row> rows;
            for (u32 lane = 0; lane < 32; ++lane) {
                Row row;
                for (u32 matrix = 0; matrix < count; ++matrix) {
                    u64 value = 0;
                    for (u32 e = 0; e < 2; ++e) {
                        u32 r = transposed ? lane % 4 * 2 + e : lane / 4, c = transposed ? lane / 4 : lane % 4 * 2 + e;
                        // What the kernel stored there: 8 * place of the row in memory + column, rows being reversed.
                        u32 place = 31 - (8 * matrix + r);
                        value |= static_cast<u64>(place * 8 + c) << (16 * e);
                    }
                    row.push_back(value);
                }
                rows.push_back(row);
            }
            u32 next = 0;
            std::string outputs = list(next, count), shape;
            for (u32 i = 0; i < count; ++i) shape += "32 ";
            // Each lane fills the row of its own number: halves 8 l .. 8 l + 7; then lane l names row 31 - l.
            warpTable(R"({ .shared .align 16 .b8 tile[1024]; .reg .b32 %base, %mine, %v, %w, %x, %y, %warp; mov.u32 %base, tile; shr.u32 %warp, %thread, 5; mad.lo.u32 %base, %warp, 512, %base;
                mad.lo.u32 %mine, %lane, 16, %base; mul.lo.u32 %v, %lane, 0x00080008; add.u32 %v, %v, 0x00010000; add.u32 %w, %v, 0x00020002; add.u32 %x, %w, 0x00020002; add.u32 %y, %x, 0x00020002;
                st.shared.v4.b32 [%mine], {%v, %w, %x, %y}; bar.sync 0; sub.u32 %mine, 31, %lane; mad.lo.u32 %mine, %mine, 16, %base;
                ldmatrix.sync.aligned.m8n8.x)" + std::to_string(count) + (transposed ? ".trans" : "") + ".shared.b16 " + outputs + ", [%mine]; }",
                      shape + "=", rows);
        }
}

}  // namespace

int main() {
    products();
    matrixLoads();
    return finish("matrix");
}
