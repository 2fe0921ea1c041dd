// Counting, random numbers, scans and sorting: integers, atomics, and control flow that depends on data.
#include "device.cuh"

struct HistogramArgs {
    const unsigned char* x;
    u32* bins;
    int n;
};
extern "C" __global__ void histogram(const HistogramArgs args) {
    __shared__ u32 bins[256];
    for (u32 i = threadIdx.x; i < 256; i += blockDim.x) bins[i] = 0;
    __syncthreads();
    for (int i = globalThread(); i < args.n; i += static_cast<int>(gridDim.x * blockDim.x)) __atomic_fetch_add(&bins[args.x[i]], 1u, __ATOMIC_RELAXED);
    __syncthreads();
    for (u32 i = threadIdx.x; i < 256; i += blockDim.x)
        if (bins[i]) __atomic_fetch_add(&args.bins[i], bins[i], __ATOMIC_RELAXED);
}

struct PhiloxArgs {
    u32* out;  // four for each thread
    u32 counter[4];
    u32 key[2];
    int n;
};
/// Philox4x32-10 (Salmon et al., 2011); thread i adds i to the counter's lowest word.
extern "C" __global__ void philox(const PhiloxArgs args) {
    int i = globalThread();
    if (i >= args.n) return;
    u32 c0 = args.counter[0] + static_cast<u32>(i), c1 = args.counter[1], c2 = args.counter[2], c3 = args.counter[3], k0 = args.key[0], k1 = args.key[1];
    for (int round = 0; round < 10; ++round) {
        u64 p0 = 0xD2511F53ull * c0, p1 = 0xCD9E8D57ull * c2;
        c0 = static_cast<u32>(p1 >> 32) ^ c1 ^ k0;
        c1 = static_cast<u32>(p1);
        c2 = static_cast<u32>(p0 >> 32) ^ c3 ^ k1;
        c3 = static_cast<u32>(p0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    u32* out = args.out + 4 * i;
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

struct ScanArgs {
    const int* x;
    int *y, *totals;
    int n;
};
/// Inclusive sums within blocks of 256; each block's total aside.
extern "C" __global__ void scan_blocks(const ScanArgs args) {
    __shared__ int totals[8];
    int i = globalThread(), lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
    int sum = i < args.n ? args.x[i] : 0;
    for (int distance = 1; distance < 32; distance *= 2) {
        int other = shuffleUp(sum, distance);
        if (lane >= distance) sum += other;
    }
    if (lane == 31) totals[warp] = sum;
    __syncthreads();
    for (int w = 0; w < warp; ++w) sum += totals[w];
    if (i < args.n) args.y[i] = sum;
    if (threadIdx.x == 255) args.totals[blockIdx.x] = sum;
}
extern "C" __global__ void scan_add(const ScanArgs args) {
    int i = globalThread(), before = 0;
    for (u32 b = 0; b < blockIdx.x; ++b) before += args.totals[b];
    if (i < args.n) args.y[i] += before;
}

struct SortArgs {
    int* x;
};
/// Sorts 1024 numbers of each block by bitonic merging.
extern "C" __global__ void bitonic_sort(const SortArgs args) {
    __shared__ int x[1024];
    for (u32 i = threadIdx.x; i < 1024; i += blockDim.x) x[i] = args.x[blockIdx.x * 1024 + i];
    __syncthreads();
    for (u32 size = 2; size <= 1024; size *= 2)
        for (u32 step = size / 2; step > 0; step /= 2) {
            for (u32 i = threadIdx.x; i < 1024; i += blockDim.x) {
                u32 other = i ^ step;
                if (other > i && (x[i] > x[other]) == ((i & size) == 0)) {
                    int t = x[i];
                    x[i] = x[other];
                    x[other] = t;
                }
            }
            __syncthreads();
        }
    for (u32 i = threadIdx.x; i < 1024; i += blockDim.x) args.x[blockIdx.x * 1024 + i] = x[i];
}

struct EscapeArgs {
    int* steps;
    int width, height, most;
};
extern "C" __global__ void escape(const EscapeArgs args) {
    int i = globalThread();
    if (i >= args.width * args.height) return;
    float cx = -2.0f + 3.0f * static_cast<float>(i % args.width) / static_cast<float>(args.width);
    float cy = -1.0f + 2.0f * static_cast<float>(i / args.width) / static_cast<float>(args.height);
    float x = 0, y = 0;
    int step = 0;
    while (step < args.most) {
        float xx = x * x, yy = y * y;
        if (xx + yy > 4.0f) break;
        y = 2.0f * x * y + cy;
        x = xx - yy + cx;
        ++step;
    }
    args.steps[i] = step;
}
