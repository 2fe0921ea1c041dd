// What clang makes of the rest of the language: types of all widths, calls, tables, switches, stacks, doubles and halves.
#include "device.cuh"

struct WidthArgs {
    const signed char* bytes;
    const short* shorts;
    const unsigned short* unsignedShorts;
    long long* out;
    int n;
};
extern "C" __global__ void widths(const WidthArgs args) {
    int i = globalThread();
    if (i >= args.n) return;
    long long x = args.bytes[i], y = args.shorts[i], z = args.unsignedShorts[i];
    long long narrow = static_cast<signed char>(y * 3 + z), wide = static_cast<short>(x * z);
    u64 mixed = static_cast<u64>(x * 1000003ll) ^ static_cast<u64>(y) >> 3 ^ static_cast<u64>(z) << 40;
    long long quotient = (y * z * 7919 + x) / (x == 0 ? 13 : x), rest = (y * z * 7919 + x) % (z + 1);
    int bits = __builtin_popcountll(mixed) + __builtin_clz(static_cast<u32>(z) | 1) + __builtin_ctzll(mixed | 1ull << 63);
    args.out[i] = narrow + wide * 5 + static_cast<long long>(mixed % 1000007u) + quotient - rest + bits;
}

__constant__ int Weights[8] = {3, -1, 4, 1, -5, 9, 2, -6};
__device__ int Calls = 0;

__attribute__((noinline)) __device__ int collatz(long long x) {
    int steps = 0;
    for (; x != 1; ++steps) x = x % 2 ? 3 * x + 1 : x / 2;
    return steps;
}
struct Pair {
    int a;
    float b;
    long long c;
};
__attribute__((noinline)) __device__ Pair swapped(Pair p, int by) { return {static_cast<int>(p.c) + by, p.b * 2, p.a - by}; }

struct VarietyArgs {
    const int* x;
    int* y;
    int n;
};
extern "C" __global__ void variety(const VarietyArgs args) {
    int i = globalThread();
    if (i >= args.n) return;
    int x = args.x[i], result = 0;
    switch (x & 7) {
        case 0: result = x * 3; break;
        case 1: result = x ^ 0x55; break;
        case 2: result = x - 1000; break;
        case 3: result = x << 3; break;
        case 4: result = x % 17; break;
        case 5: return;
        case 6: result = collatz((x & 1023) + 1); break;
        default: result = -x;
    }
    int stack[16];
    for (int k = 0; k < 16; ++k) stack[k] = k * result;
    result += stack[(x >> 3) & 15] + Weights[(x >> 5) & 7];
    Pair p = swapped({result, 1.5f, x}, i);
    if (p.b == 3.0f) result += p.a - static_cast<int>(p.c);
    __atomic_fetch_add(&Calls, 1, __ATOMIC_RELAXED);
    args.y[i] = result;
}

struct RealArgs {
    const double* x;
    double* y;
    float* z;
    int n;
};
extern "C" __global__ void reals(const RealArgs args) {
    int i = globalThread();
    if (i >= args.n) return;
    double x = args.x[i], root = x > 1 ? x : 1;
    for (int k = 0; k < 20; ++k) root = 0.5 * (root + x / root);
    args.y[i] = root + __builtin_fma(x, 3.0, -1.0) + static_cast<double>(static_cast<int>(x)) - static_cast<double>(static_cast<long long>(-x));
    _Float16 h = static_cast<_Float16>(x);
    h = h * static_cast<_Float16>(2.0f) + static_cast<_Float16>(0.5f);
    args.z[i] = static_cast<float>(h) + __builtin_fabsf(static_cast<float>(-x)) + (x < 50 ? __builtin_copysignf(1.0f, static_cast<float>(x - 25)) : 0.0f);
}

extern __shared__ float dynamicTile[];
struct ShiftArgs {
    float* x;
    int n, by;
};
/// A rotation within each block, through shared memory of the launch's size.
extern "C" __global__ void rotate(const ShiftArgs args) {
    int i = globalThread();
    dynamicTile[threadIdx.x] = i < args.n ? args.x[i] : -1.0f;
    __syncthreads();
    float value = dynamicTile[(threadIdx.x + static_cast<u32>(args.by)) % blockDim.x];
    if (i < args.n) args.x[i] = value;
}
