// What decides whether a step may change anything, and by how much. A norm reads 4 bytes per gradient; scaling moves 8, and is launched only where
// gradients are clipped or averaged; a guarded copy moves 8 bytes per element.
#include "functions.cuh"
#include "sums.cuh"

struct GuardNormArguments {
    const float* gradients;
    const float* loss;       // [], or null
    float* results;          // loss, norm, largest magnitude, the guard: 0, or NaN where loss or norm is not finite
    UpdateScalars* scalars;  // of each group; the last becomes the guard
    Scratch scratch;
    int64 count;
    int groups;
};

struct GuardLargestArguments {
    const float* gradients;
    float* results;  // as above
    Scratch scratch;
    int64 count;
};

struct GuardScaleArguments {
    float* gradients;
    const float* options;  // factor, largest norm, largest magnitude, whether the norm is the largest magnitude; infinite if none
    const float* results;  // as above
    int64 count;
};

struct GuardedCopy {
    const float* x;
    float* y;
    int64 count;
    int firstBlock;
    int unused;
};

struct GuardCopyArguments {
    const float* results;
    int count;
    int blocks;
    GuardedCopy copies[64];
};

struct Squares {
    const float* x;

    DEVICE float one(int64 i) const { return x[i] * x[i]; }

    DEVICE float four(int64 i) const {
        float4 v = loadFour(x + i);
        return (v.x * v.x + v.y * v.y) + (v.z * v.z + v.w * v.w);
    }
};

KERNEL void guard_norm(GuardNormArguments a) {
    double squares;
    if (!totalOf(blockTotal(a.count, aligned16(a.gradients), Squares{a.gradients}), a.scratch, squares)) return;
    float norm = squareRoot((float)squares), loss = a.loss ? *a.loss : 0.0f;
    float guard = isFinite(norm) && isFinite(loss) ? 0.0f : quietNaN();
    a.results[0] = loss;
    a.results[1] = norm;
    a.results[3] = guard;
    for (int i = 0; i < a.groups; i++) a.scalars[i].guard = guard;
}

// The maximum norm. A NaN may be passed over, since guard_norm forbids the update then.
KERNEL void guard_largest(GuardLargestArguments a) {
    float largest = 0;
    bool aligned = aligned16(a.gradients);
    for (int64 first = (int64)blockIdx.x * PER_BLOCK; first < a.count; first += (int64)gridDim.x * PER_BLOCK) {
        if (aligned && first + PER_BLOCK <= a.count) {
            float4 v = loadFour(a.gradients + first + threadIdx.x * 4);
            largest = larger(largest, larger(larger(absolute(v.x), absolute(v.y)), larger(absolute(v.z), absolute(v.w))));
        } else {
            for (int64 i = first + threadIdx.x; i < a.count && i < first + PER_BLOCK; i += THREADS) {
                largest = larger(largest, absolute(a.gradients[i]));
            }
        }
    }
    largest = blockLargest(largest);
    if (gridDim.x > 1) {
        if (threadIdx.x == 0) a.scratch.parts[blockIdx.x] = largest;
        if (!isLastBlock(a.scratch.ticket)) return;
        largest = 0;
        for (uint32 block = threadIdx.x; block < gridDim.x; block += blockDim.x) {
            largest = larger(largest, (float)*(const volatile double*)(a.scratch.parts + block));
        }
        largest = blockLargest(largest);
    }
    if (threadIdx.x == 0) a.results[2] = largest;
}

// g = f g, with the factor made smaller where the norm of f g would be above the largest, and cut at the largest magnitude.
KERNEL void guard_scale(GuardScaleArguments a) {
    // Read once by the block: beside four elements of a thread it would count.
    __shared__ float shared[2];
    if (threadIdx.x == 0) {
        float factor = a.options[0], largestNorm = a.options[1], norm = a.results[a.options[3] != 0.0f ? 2 : 1] * absolute(factor);
        shared[0] = norm > largestNorm ? factor * (largestNorm / norm) : factor;
        shared[1] = a.options[2];
    }
    __syncthreads();
    float factor = shared[0], largest = shared[1];
    mapElements(a.gradients, a.gradients, a.count, false, [=](float g) {
        g = g * factor;
        g = g > largest ? largest : g;
        return g < -largest ? -largest : g;
    });
}

// The blocks of the copies one after the other.
KERNEL void guard_copy(GuardCopyArguments a) {
    int which = 0;
    while (which + 1 < a.count && (int)blockIdx.x >= a.copies[which + 1].firstBlock) which++;
    const float* x = a.copies[which].x;
    float* y = a.copies[which].y;
    int64 count = a.copies[which].count, first = (int64)(blockIdx.x - a.copies[which].firstBlock) * PER_BLOCK;
    if (first + threadIdx.x >= count || !isFinite(a.results[3])) return;
    if (aligned16(x) && aligned16(y) && first + PER_BLOCK <= count) {
        float4 v = loadFour(x + first + threadIdx.x * 4);
        storeFour(y + first + threadIdx.x * 4, v.x, v.y, v.z, v.w);
        KEEP_APART();
        return;
    }
    for (int64 i = first + threadIdx.x; i < count && i < first + PER_BLOCK; i += THREADS) y[i] = x[i];
}
