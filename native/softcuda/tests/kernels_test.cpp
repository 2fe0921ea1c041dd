// Whole kernels in CUDA C++, compiled by clang, against plain C++. The only argument is the folder of their PTX.
#include <algorithm>
#include <fstream>
#include <numeric>
#include <sstream>

#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

std::string folder;

std::string read(const char* name) {
    std::ifstream file(folder + "/" + name + ".ptx");
    std::stringstream text;
    text << file.rdbuf();
    expect(!text.str().empty(), "no file %s/%s.ptx", folder.c_str(), name);
    return text.str();
}

std::vector<float> randomFloats(std::size_t n, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> values(n);
    for (float& v : values) v = static_cast<float>(random() % 20001) / 10000.0f - 1.0f;
    return values;
}

/// Within a relative error of the largest of the expected values.
void close(const char* what, const std::vector<float>& got, const std::vector<double>& expected, double relative) {
    double scale = 0, worst = 0;
    for (double e : expected) scale = std::max(scale, std::fabs(e));
    std::size_t at = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        double error = std::fabs(static_cast<double>(got[i]) - expected[i]);
        if (!(error <= worst)) worst = error, at = i;
    }
    count(expected.size());
    expect(worst <= relative * scale, "%s: element %zu is %.9g, expected %.9g", what, at, static_cast<double>(got[at]), expected[at]);
}

template <class T>
void same(const char* what, const std::vector<T>& got, const std::vector<T>& expected) {
    count(expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        if (!expect(got[i] == expected[i], "%s: element %zu of %zu is %lld, expected %lld", what, i, expected.size(), static_cast<long long>(got[i]), static_cast<long long>(expected[i]))) return;
}

u32 blocksOf(int n, int threads) { return static_cast<u32>((n + threads - 1) / threads); }

struct AddArgs {
    u64 a, b, c;
    int n;
};

void sums(Bench& bench) {
    for (int n : {1, 31, 32, 33, 1000, 4099}) {
        std::vector<float> a = randomFloats(static_cast<std::size_t>(n), 1), b = randomFloats(static_cast<std::size_t>(n), 2), c(a.size());
        AddArgs args{bench.upload(a), bench.upload(b), bench.allocate(a.size() * 4), n};
        for (const char* name : {"vector_add", "vector_add4"}) {
            u32 threads = name[10] ? 64 : 128;
            if (!bench.clean(name, {name[10] ? blocksOf(n, 4 * 64) : 5}, {threads}, 0, args)) continue;
            std::vector<float> got = bench.download<float>(args.c, a.size());
            for (std::size_t i = 0; i < a.size(); ++i) expect(got[i] == a[i] + b[i], "%s: element %zu", name, i);
            // Each datum once: nothing is moved that need not be, but that the tail of vector_add4 asks element by element.
            u64 tail = name[10] ? static_cast<u64>(n % 4) : 0;
            u64 sectors = (static_cast<u64>(n) - tail + 7) / 8 + tail;
            expect(bench.counters.sectorsLoaded == 2 * sectors && bench.counters.sectorsStored == sectors, "%s of %d: %llu and %llu sectors", name, n,
                   static_cast<unsigned long long>(bench.counters.sectorsLoaded), static_cast<unsigned long long>(bench.counters.sectorsStored));
            expect(bench.counters.flops == static_cast<u64>(n), "%s: %llu operations", name, static_cast<unsigned long long>(bench.counters.flops));
        }
    }
    struct Args {
        u64 x, sums;
        int n;
    };
    for (int n : {1, 255, 5000}) {
        std::vector<float> x = randomFloats(static_cast<std::size_t>(n), 3);
        Args args{bench.upload(x), bench.allocate(4 * 4), n};
        if (!bench.clean("block_sum", {4}, {256}, 0, args)) return;
        std::vector<float> got = bench.download<float>(args.sums, 4);
        double total = std::accumulate(x.begin(), x.end(), 0.0), sum = std::accumulate(got.begin(), got.end(), 0.0);
        expect(std::fabs(total - sum) < 1e-3, "the sum of %d numbers is %g, expected %g", n, sum, total);
    }
}

void products(Bench& bench) {
    struct Args {
        u64 a, b, c;
        int m, n, k;
        float alpha;
    };
    const int sizes[][3] = {{1, 1, 1}, {16, 16, 16}, {17, 33, 13}, {40, 7, 129}};
    for (const auto& [m, n, k] : sizes) {
        std::vector<float> a = randomFloats(static_cast<std::size_t>(m * k), 4), b = randomFloats(static_cast<std::size_t>(k * n), 5);
        Args args{bench.upload(a), bench.upload(b), bench.allocate(static_cast<u64>(m * n) * 4), m, n, k, 0.5f};
        if (!bench.clean("gemm", {blocksOf(n, 16), blocksOf(m, 16)}, {16, 16}, 0, args)) return;
        std::vector<double> expected(static_cast<std::size_t>(m * n));
        for (int i = 0; i < m; ++i)
            for (int j = 0; j < n; ++j)
                for (int l = 0; l < k; ++l)
                    expected[static_cast<std::size_t>(i * n + j)] += 0.5 * a[static_cast<std::size_t>(i * k + l)] * static_cast<double>(b[static_cast<std::size_t>(l * n + j)]);
        close("gemm", bench.download<float>(args.c, expected.size()), expected, 1e-5);
    }
}

struct MatrixArgs {
    u64 x, y;
    int rows, columns;
};

void matrices(Bench& bench) {
    for (int rows : {1, 5, 64, 70})
        for (int columns : {1, 32, 33, 100}) {
            std::size_t size = static_cast<std::size_t>(rows * columns);
            std::vector<float> x = randomFloats(size, 6);
            for (float& v : x) v *= 20;
            MatrixArgs args{bench.upload(x), bench.allocate(size * 4), rows, columns};
            if (!bench.clean("softmax", {blocksOf(rows * 32, 128)}, {128}, 0, args)) return;
            std::vector<double> expected(size);
            for (int r = 0; r < rows; ++r) {
                auto row = x.begin() + r * columns;
                double most = *std::max_element(row, row + columns), sum = 0;
                for (int c = 0; c < columns; ++c) sum += std::exp(row[c] - most);
                for (int c = 0; c < columns; ++c) expected[static_cast<std::size_t>(r * columns + c)] = std::exp(row[c] - most) / sum;
            }
            close("softmax", bench.download<float>(args.y, size), expected, 1e-5);
            if (!bench.clean("transpose", {blocksOf(columns, 32), blocksOf(rows, 32)}, {32, 8}, 0, args)) return;
            std::vector<float> got = bench.download<float>(args.y, size);
            for (int r = 0; r < rows; ++r)
                for (int c = 0; c < columns; ++c)
                    expect(got[static_cast<std::size_t>(c * rows + r)] == x[static_cast<std::size_t>(r * columns + c)], "transpose: row %d, column %d", r, c);
            expect(bench.counters.bankConflicts == 0, "transpose: %llu bank conflicts", static_cast<unsigned long long>(bench.counters.bankConflicts));
        }
}

void counting(Bench& bench) {
    struct Args {
        u64 x, bins;
        int n;
    };
    std::mt19937 random(7);
    std::vector<u8> x(10001);
    std::vector<u32> expected(256);
    for (u8& v : x) ++expected[v = static_cast<u8>(random() % 3 ? random() % 16 : random())];
    Args args{bench.upload(x), bench.upload(std::vector<u32>(256)), static_cast<int>(x.size())};
    if (bench.clean("histogram", {7}, {96}, 0, args)) same("histogram", bench.download<u32>(args.bins, 256), expected);
}

void randomNumbers(Bench& bench) {
    struct Args {
        u64 out;
        u32 counter[4], key[2];
        int n;
    };
    // Known answers that come with the algorithm.
    const u32 known[][10] = {{0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
                             {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
                             {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    for (const auto& it : known) {
        Args args{bench.allocate(16 * 100), {it[0], it[1], it[2], it[3]}, {it[4], it[5]}, 100};
        if (!bench.clean("philox", {2}, {64}, 0, args)) return;
        std::vector<u32> got = bench.download<u32>(args.out, 4);
        for (std::size_t i = 0; i < 4; ++i) expect(got[i] == it[6 + i], "philox: word %zu is %08x, expected %08x", i, got[i], it[6 + i]);
    }
}

void scans(Bench& bench) {
    struct Args {
        u64 x, y, totals;
        int n;
    };
    for (int n : {1, 32, 256, 257, 3000}) {
        std::mt19937 random(8);
        std::vector<s32> x(static_cast<std::size_t>(n)), expected(x.size());
        for (s32& v : x) v = static_cast<s32>(random() % 2001) - 1000;
        std::partial_sum(x.begin(), x.end(), expected.begin());
        u32 blocks = blocksOf(n, 256);
        Args args{bench.upload(x), bench.allocate(x.size() * 4), bench.allocate(blocks * 4), n};
        if (!bench.clean("scan_blocks", {blocks}, {256}, 0, args) || !bench.clean("scan_add", {blocks}, {256}, 0, args)) return;
        same("scan", bench.download<s32>(args.y, x.size()), expected);
    }
    std::mt19937 random(9);
    std::vector<s32> x(3 * 1024), expected;
    for (s32& v : x) v = static_cast<s32>(random());
    expected = x;
    for (int b = 0; b < 3; ++b) std::sort(expected.begin() + b * 1024, expected.begin() + (b + 1) * 1024);
    for (u32 threads : {32u, 512u, 1024u}) {
        u64 data = bench.upload(x);
        if (bench.clean("bitonic_sort", {3}, {threads}, 0, data)) same("bitonic sort", bench.download<s32>(data, x.size()), expected);
    }
}

void escapes(Bench& bench) {
    struct Args {
        u64 steps;
        int width, height, most;
    } args{bench.allocate(4 * 70 * 40), 70, 40, 200};
    if (!bench.clean("escape", {blocksOf(70 * 40, 128)}, {128}, 0, args)) return;
    std::vector<s32> expected;
    for (int i = 0; i < 70 * 40; ++i) {
        float cx = -2.0f + 3.0f * static_cast<float>(i % 70) / 70.0f, cy = -1.0f + 2.0f * static_cast<float>(i / 70) / 40.0f, x = 0, y = 0;
        int step = 0;
        for (; step < 200; ++step) {
            float xx = x * x, yy = y * y;
            if (xx + yy > 4.0f) break;
            y = 2.0f * x * y + cy;
            x = xx - yy + cx;
        }
        expected.push_back(step);
    }
    same("escape", bench.download<s32>(args.steps, expected.size()), expected);
    // Issued once for each iteration of the slowest lane of each warp: at most all steps of all warps.
    expect(bench.counters.divergentBranches > 0, "no divergence");
}

void widths(Bench& bench) {
    struct Args {
        u64 bytes, shorts, unsignedShorts, out;
        int n;
    };
    std::mt19937_64 random(10);
    std::size_t n = 3000;
    std::vector<s8> a(n);
    std::vector<s16> b(n);
    std::vector<u16> c(n);
    std::vector<s64> expected;
    for (std::size_t i = 0; i < n; ++i) {
        a[i] = static_cast<s8>(i < 256 ? i : random());
        b[i] = static_cast<s16>(i < 9 ? 32767 + i : random());
        c[i] = static_cast<u16>(i < 9 ? 65530 + i : random());
        s64 x = a[i], y = b[i], z = c[i], narrow = static_cast<s8>(y * 3 + z), wide = static_cast<s16>(x * z);
        u64 mixed = static_cast<u64>(x * 1000003) ^ static_cast<u64>(y) >> 3 ^ static_cast<u64>(z) << 40;
        s64 quotient = (y * z * 7919 + x) / (x == 0 ? 13 : x), rest = (y * z * 7919 + x) % (z + 1);
        expected.push_back(narrow + wide * 5 + static_cast<s64>(mixed % 1000007) + quotient - rest + std::popcount(mixed) +
                           std::countl_zero(static_cast<u32>(z) | 1) + std::countr_zero(mixed | 1ull << 63));
    }
    Args args{bench.upload(a), bench.upload(b), bench.upload(c), bench.allocate(8 * n), static_cast<int>(n)};
    if (bench.clean("widths", {blocksOf(3000, 64)}, {64}, 0, args)) same("widths", bench.download<s64>(args.out, n), expected);
}

void varieties(Bench& bench) {
    struct Args {
        u64 x, y;
        int n;
    };
    static constexpr s32 Weights[8] = {3, -1, 4, 1, -5, 9, 2, -6};
    std::mt19937 random(11);
    std::vector<s32> x(1000), expected;
    s32 calls = 0;
    for (s32& v : x) v = static_cast<s32>(random());
    for (std::size_t i = 0; i < x.size(); ++i) {
        u32 v = static_cast<u32>(x[i]), result = 0;
        switch (v & 7) {
            case 0: result = v * 3; break;
            case 1: result = v ^ 0x55; break;
            case 2: result = v - 1000; break;
            case 3: result = v << 3; break;
            case 4: result = static_cast<u32>(x[i] % 17); break;
            case 5: expected.push_back(7); continue;
            case 6:
                for (s64 c = (x[i] & 1023) + 1; c != 1; ++result) c = c % 2 ? 3 * c + 1 : c / 2;
                break;
            default: result = 0 - v;
        }
        u32 before = result;
        result += (v >> 3 & 15) * before + static_cast<u32>(Weights[v >> 5 & 7]);
        // The pair's members change places: the last becomes the first, and the first less the thread's number the last.
        u32 first = result;
        result += v + static_cast<u32>(i) - (first - static_cast<u32>(i));
        expected.push_back(static_cast<s32>(result));
        ++calls;
    }
    Args args{bench.upload(x), bench.upload(std::vector<s32>(x.size(), 7)), static_cast<int>(x.size())};
    if (!bench.clean("variety", {blocksOf(1000, 96)}, {96}, 0, args)) return;
    same("variety", bench.download<s32>(args.y, x.size()), expected);
    u64 address = 0, bytes = 0;
    expect(findGlobal(*bench.module, "Calls", address, bytes) && bytes == 4 && bench.download<s32>(address, 1)[0] == calls, "a device variable counts the calls");
}

void reals(Bench& bench) {
    struct Args {
        u64 x, y, z;
        int n;
    };
    std::mt19937_64 random(12);
    std::vector<double> x(500), y;
    std::vector<float> z;
    for (double& v : x) v = static_cast<double>(random() >> 11) * 0x1p-53 * 100;
    for (double v : x) {
        double root = v > 1 ? v : 1;
        for (int k = 0; k < 20; ++k) root = 0.5 * (root + v / root);
        y.push_back(root + std::fma(v, 3.0, -1.0) + static_cast<double>(static_cast<int>(v)) - static_cast<double>(static_cast<s64>(-v)));
        double h = half(toHalf(half(toHalf(half(toHalf(v)) * 2)) + 0.5));
        z.push_back(static_cast<float>(h) + std::fabs(static_cast<float>(-v)) + (v < 50 ? std::copysign(1.0f, static_cast<float>(v - 25)) : 0.0f));
    }
    Args args{bench.upload(x), bench.allocate(8 * x.size()), bench.allocate(4 * x.size()), static_cast<int>(x.size())};
    if (!bench.clean("reals", {blocksOf(500, 64)}, {64}, 0, args)) return;
    std::vector<double> gotY = bench.download<double>(args.y, x.size());
    std::vector<float> gotZ = bench.download<float>(args.z, x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        expect(gotY[i] == y[i], "doubles: %.17g gives %.17g, expected %.17g", x[i], gotY[i], y[i]);
        expect(gotZ[i] == z[i], "floats: %.17g gives %.9g, expected %.9g", x[i], static_cast<double>(gotZ[i]), static_cast<double>(z[i]));
    }
}

void rotations(Bench& bench) {
    struct Args {
        u64 x;
        int n, by;
    };
    std::vector<float> x = randomFloats(200, 13);
    Args args{bench.upload(x), 200, 40};
    if (!bench.clean("rotate", {2}, {128}, 128 * 4, args)) return;
    std::vector<float> got = bench.download<float>(args.x, 200);
    for (std::size_t i = 0; i < 200; ++i) {
        std::size_t from = i / 128 * 128 + (i % 128 + 40) % 128;
        expect(got[i] == (from < 200 ? x[from] : -1.0f), "rotate: element %zu", i);
    }
    // With less shared memory than it uses, the kernel is caught.
    bench.launch("rotate", {2}, {128}, 100 * 4, args);
    expect(bench.outcome == Outcome::IllegalAddress && bench.findings.size() == 1 && bench.findings[0].kind == FindingKind::OutOfBounds, "too little shared memory: %s",
           nameOf(bench.outcome));
}

}  // namespace

int main(int, char** arguments) {
    folder = arguments[1] ? arguments[1] : ".";
    for (u64 seed : {0, 1})
        for (int workers : {1, 3}) {
            Bench dense(read("dense")), integers(read("integers")), variety(read("variety"));
            for (Bench* bench : {&dense, &integers, &variety}) {
                if (!expect(bench->loaded(), "refused: line %d (%s): %s", bench->error.line, bench->error.text.c_str(), bench->error.message.c_str())) return finish("kernels");
                bench->options.seed = seed;
                bench->options.workers = workers;
            }
            sums(dense);
            products(dense);
            matrices(dense);
            counting(integers);
            randomNumbers(integers);
            scans(integers);
            escapes(integers);
            widths(variety);
            varieties(variety);
            reals(variety);
            rotations(variety);
        }
    return finish("kernels");
}
