// y (=|+=) x scale where the element's uniform number is at least the rate, else 0, whatever x is; forward and backward alike, x and y
// may be one tensor. A thread draws one block of Philox4x32-10 (Salmon et al. 2011), four words for four neighbouring elements, with the
// counter (element / 4, step, stream) and the seed as key. 8 bytes moved per element, 12 where it adds, and about 25 integer operations.
#include "elements.cuh"

struct DropoutArguments {
    const float* x;
    float* y;
    const uint32* step;  // low and high half
    int64 count;
    uint64 seed;
    uint32 stream;
    float rate;
    float scale;
    int accumulate;
};

struct Philox {
    uint32 c0, c1, c2, c3;

    DEVICE void rounds(uint32 k0, uint32 k1) {
#pragma unroll
        for (int round = 0; round < 10; round++) {
            uint64 p0 = (uint64)0xD2511F53u * c0, p1 = (uint64)0xCD9E8D57u * c2;
            c0 = (uint32)(p1 >> 32) ^ c1 ^ k0;
            c1 = (uint32)p1;
            c2 = (uint32)(p0 >> 32) ^ c3 ^ k1;
            c3 = (uint32)p0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
    }
};

// The upper 24 bits as a float in [0, 1) decide.
DEVICE float drop(float x, uint32 word, float rate, float scale) {
    return (float)(word >> 8) * (1.0f / 16777216.0f) >= rate ? x * scale : 0.0f;
}

KERNEL void dropout_apply(DropoutArguments a) {
    int64 block = (int64)blockIdx.x * THREADS + threadIdx.x, i = block * 4;
    if (i >= a.count) return;
    uint32 low, high;
    if (((uint64)a.step & 7) == 0) {
        uint64 both = *(const uint64*)a.step;
        low = (uint32)both;
        high = (uint32)(both >> 32);
    } else {
        low = a.step[0];
        high = a.step[1];
    }
    Philox words = {(uint32)block, low, high, a.stream};
    words.rounds((uint32)a.seed, (uint32)(a.seed >> 32));
    if (i + 4 <= a.count && aligned16(a.x) && aligned16(a.y)) {
        float4 x = loadFour(a.x + i);
        putFour(a.y + i, drop(x.x, words.c0, a.rate, a.scale), drop(x.y, words.c1, a.rate, a.scale),
                drop(x.z, words.c2, a.rate, a.scale), drop(x.w, words.c3, a.rate, a.scale), a.accumulate);
        return;
    }
    for (int64 end = i + 4; i < end && i < a.count; i++) {
        put(a.y + i, drop(a.x[i], words.c0, a.rate, a.scale), a.accumulate);
        words = {words.c1, words.c2, words.c3, 0};
    }
}
