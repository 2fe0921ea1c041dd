// Filling, 4 bytes written per element (1 for bytes), and y += x, 12 bytes moved. A plain copy is the driver's, not a kernel.
#include "elements.cuh"

struct FillArguments {
    void* x;
    int64 count;
    uint32 value;
};

struct AddArguments {
    const float* x;
    float* y;
    int64 count;
};

struct WordFill {
    uint32* x;
    uint32 value;

    DEVICE void one(int64 i) const { x[i] = value; }

    DEVICE void four(int64 i) const {
        float word = floatOf(value);
        storeFour((float*)x + i, word, word, word, word);
    }
};

// Floats and integers: any 32 bits.
KERNEL void memory_fill_words(FillArguments a) {
    forElements(a.count, aligned16(a.x), WordFill{(uint32*)a.x, a.value});
}

// Each thread fills four neighbouring bytes, as one word but in the last.
KERNEL void memory_fill_bytes(FillArguments a) {
    uint8* x = (uint8*)a.x;
    int64 i = ((int64)blockIdx.x * THREADS + threadIdx.x) * 4;
    if (((uint64)x & 3) == 0 && i + 4 <= a.count) {
        *(uint32*)(x + i) = a.value * 0x01010101u;
        return;
    }
    for (int64 end = i + 4; i < end && i < a.count; i++) x[i] = (uint8)a.value;
}

KERNEL void memory_add(AddArguments a) {
    mapElements(a.x, a.y, a.count, true, [](float x) { return x; });
}
