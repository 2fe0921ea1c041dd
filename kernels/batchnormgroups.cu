// Groups of several channels and parameters of several batches, of batchnorm.cu's numbers for each channel of a batch (Kernels/Normalizations/BatchNorm.cs).
// moments: mean and scale (=) those of a channel's group, from the channels' means and sums of squares about them, 16 bytes per channel of a batch.
// sums: the last two sums (=) those of dY weight over a channel's group, from the first two, and dWeight and dBias (=|+=) the sums of these over the
// batches, 16 bytes; 8 where groups have one channel. A block has whole groups and up to 16 batches in shared memory, so that neither is read twice; where there
// are more batches, it leaves a part of the parameters' sums, and the last block adds them in their order.
// Groups of more than 1024 channels have kernels of their own, of any length: moments by one pass over the channels, a block to a group; sums of eight
// batches to a block, so that weights are read for these once, and the parameters in the launch for groups of one channel.
#include "rows.cuh"

#define THREADS_OF_BLOCK 256
#define BAND 1024
#define BATCHES 16
#define LONG_BATCHES 8

// Channels of a thread, whose lanes are moved back to a sector.
#define CHANNELS (BAND / THREADS_OF_BLOCK + 1)

DEVICE void loadBand(float* band, const float* source, int count) {
    for (int i = (int)threadIdx.x - shiftOf(source); i < count; i += blockDim.x) {
        if (i >= 0) band[i] = source[i];
    }
}

DEVICE void storeBand(float* destination, const float* band, int count) {
    for (int i = (int)threadIdx.x - shiftOf(destination); i < count; i += blockDim.x) {
        if (i >= 0) destination[i] = band[i];
    }
}

DEVICE void fillBand(float* destination, float value, int count) {
    for (int i = (int)threadIdx.x - shiftOf(destination); i < count; i += blockDim.x) {
        if (i >= 0) destination[i] = value;
    }
}

// The lanes that have a group: as few as it has channels, in powers of two, so that a warp has several small groups at a time.
struct GroupLanes {
    int lane, lanes, end;  // elements lane + k lanes below end

    DEVICE float sum(float value) const {
        for (int other = lanes >> 1; other > 0; other >>= 1) value += __shfl_xor_sync(0xffffffff, value, other);
        return value;
    }
};

// body(lanes, the group's first channel) for all groups of so many channels. Lanes without a group go along without terms.
template <class Body>
DEVICE void eachGroup(int channels, int perGroup, const Body& body) {
    GroupLanes lanes{0, 32, 0};
    while (lanes.lanes >= 2 * perGroup) lanes.lanes >>= 1;
    int lane = threadIdx.x & 31, atOnce = 32 / lanes.lanes, groups = channels / perGroup;
    lanes.lane = lane & (lanes.lanes - 1);
    for (int first = (threadIdx.x >> 5) * atOnce; first < groups; first += THREADS_OF_BLOCK / 32 * atOnce) {
        int group = first + lane / lanes.lanes;
        lanes.end = group < groups ? perGroup : 0;
        body(lanes, group < groups ? group * perGroup : 0);
    }
}

struct GroupMomentsArguments {
    float* mean;   // [batches, n]
    float* scale;
    int64 count;   // batches * n
    int64 rows;
    int perGroup;
    int band;      // channels of a block: whole groups
    float eps;
    int unused;
};

DEVICE void joinMoments(const GroupLanes& lanes, float* mean, float* scale, const GroupMomentsArguments& a) {
    // Read by the lane that writes it below.
    float origin = lanes.sum(lanes.lane == 0 && lanes.end > 0 ? mean[0] : 0.0f), shift = 0, squares = 0;
    for (int i = lanes.lane; i < lanes.end; i += lanes.lanes) shift += mean[i] - origin;
    float middle = origin + lanes.sum(shift) / a.perGroup;
    for (int i = lanes.lane; i < lanes.end; i += lanes.lanes) {
        float difference = mean[i] - middle;
        squares += multiplyAdd(difference * difference, (float)a.rows, scale[i]);
    }
    float factor = 1.0f / squareRoot(lanes.sum(squares) / ((float)a.rows * a.perGroup) + a.eps);
    for (int i = lanes.lane; i < lanes.end; i += lanes.lanes) {
        mean[i] = middle;
        scale[i] = factor;
    }
}

// The channels' moments joined, as all have equally many terms.
KERNEL void __launch_bounds__(THREADS_OF_BLOCK) batchnormgroups_moments(GroupMomentsArguments a) {
    __shared__ float means[BAND], scales[BAND];
    int64 start = (int64)blockIdx.x * a.band;
    int count = a.count - start < a.band ? (int)(a.count - start) : a.band;
    float *mean = a.mean + start, *scale = a.scale + start;
    loadBand(means, mean, count);
    loadBand(scales, scale, count);
    __syncthreads();
    eachGroup(count, a.perGroup, [&](const GroupLanes& lanes, int i) { joinMoments(lanes, means + i, scales + i, a); });
    __syncthreads();
    storeBand(mean, means, count);
    storeBand(scale, scales, count);
}

// Groups of more than BAND channels, a block each. About the first mean, one of the values, the squares are at most perGroup + 1 times those about the
// middle, so that the difference of two sums in double loses nothing that floats have.
KERNEL void __launch_bounds__(THREADS_OF_BLOCK) batchnormgroups_moments_long(GroupMomentsArguments a) {
    __shared__ float firstMean;
    float *mean = a.mean + (int64)blockIdx.x * a.perGroup, *scale = a.scale + (int64)blockIdx.x * a.perGroup;
    if (threadIdx.x == 0) firstMean = mean[0];
    __syncthreads();
    double origin = firstMean, shift = 0, squares = 0;
    for (int i = (int)threadIdx.x - shiftOf(mean); i < a.perGroup; i += THREADS_OF_BLOCK) {
        if (i < 0) continue;
        double difference = mean[i] - origin;
        shift += difference;
        squares += difference * difference * (double)a.rows + scale[i];
    }
    shift = blockSumOfDoubles(shift) / a.perGroup;
    squares = blockSumOfDoubles(squares) / ((double)a.rows * a.perGroup) - shift * shift;
    fillBand(mean, (float)(origin + shift), a.perGroup);
    fillBand(scale, 1.0f / squareRoot((float)squares + a.eps), a.perGroup);
}

struct GroupSumsArguments {
    float* sums;          // [4, batches, n]
    const float* weight;  // or null
    float* dWeight;       // or null
    float* dBias;         // or null
    float* parts;         // [slices, 2, pitch]
    uint32* tickets;
    int64 rows;
    int batches;
    int n;
    int perGroup;         // 1: groups are done
    int width;            // channels of a block: whole groups, up to BAND
    int slices;           // of up to BATCHES batches
    int accumulateWeight;
    int accumulateBias;
    int unused;
};

// So many batches' numbers of the channels first to first + width; all channels of batches lie side by side.
template <class Move>
DEVICE void eachRun(int count, int first, int width, int n, const Move& move) {
    if (width == n) {
        move(0, 0, count * n);
        return;
    }
#pragma unroll 4
    for (int i = 0; i < count; i++) move(i * width, (int64)i * n + first, width);
}

// A group's sums of dY weight, from the sums and weights of its channels to all of their places.
DEVICE void joinSums(const GroupLanes& lanes, float* sums, float* products, const float* weights, const GroupSumsArguments& a) {
    float sum = 0, product = 0, inverse = 1.0f / ((float)a.rows * a.perGroup);
    for (int i = lanes.lane; i < lanes.end; i += lanes.lanes) {
        sum = multiplyAdd(sums[i], weights[i], sum);
        product = multiplyAdd(products[i], weights[i], product);
    }
    sum = lanes.sum(sum) * inverse;
    product = lanes.sum(product) * inverse;
    for (int i = lanes.lane; i < lanes.end; i += lanes.lanes) {
        sums[i] = sum;
        products[i] = product;
    }
}

KERNEL void __launch_bounds__(THREADS_OF_BLOCK, 2) batchnormgroups_sums(GroupSumsArguments a) {
    __shared__ float sums[BAND], products[BAND], weights[BAND];
    int range = blockIdx.x / a.slices, slice = blockIdx.x - range * a.slices, first = range * a.width;
    int width = smaller(a.n - first, a.width), start = slice * BATCHES, end = smaller(a.batches, start + BATCHES);
    int atOnce = BAND / width, place = (int)threadIdx.x - (first & 7);
    int64 all = (int64)a.batches * a.n;
    double sum[CHANNELS], product[CHANNELS];
#pragma unroll
    for (int k = 0; k < CHANNELS; k++) sum[k] = product[k] = 0;
    if (a.perGroup > 1 && a.weight) loadBand(weights, a.weight + first, width);
    if (a.perGroup > 1 && !a.weight) {
        for (int i = threadIdx.x; i < width; i += THREADS_OF_BLOCK) weights[i] = 1;
    }
    for (int batch = start; batch < end; batch += atOnce) {
        int count = smaller(end - batch, atOnce);
        float* from = a.sums + (int64)batch * a.n;
        eachRun(count, first, width, a.n, [&](int i, int64 at, int length) {
            loadBand(sums + i, from + at, length);
            loadBand(products + i, from + all + at, length);
        });
        __syncthreads();
#pragma unroll
        for (int k = 0; k < CHANNELS; k++) {
            int channel = place + k * THREADS_OF_BLOCK;
            for (int i = 0; channel >= 0 && channel < width && i < count; i++) {
                sum[k] += sums[i * width + channel];
                product[k] += products[i * width + channel];
            }
        }
        __syncthreads();
        if (a.perGroup == 1) continue;
        eachGroup(count * width, a.perGroup, [&](const GroupLanes& lanes, int i) {
            joinSums(lanes, sums + i, products + i, weights + i % width, a);
        });
        __syncthreads();
        eachRun(count, first, width, a.n, [&](int i, int64 at, int length) {
            storeBand(from + 2 * all + at, sums + i, length);
            storeBand(from + 3 * all + at, products + i, length);
        });
        __syncthreads();
    }
    if (!a.dWeight && !a.dBias) return;
    int pitch = (a.n + 7) & ~7;
    if (a.slices > 1) {
        float* part = a.parts + (int64)slice * 2 * pitch + first;
#pragma unroll
        for (int k = 0; k < CHANNELS; k++) {
            int channel = place + k * THREADS_OF_BLOCK;
            if (channel < 0 || channel >= width) continue;
            part[channel] = (float)sum[k];
            part[pitch + channel] = (float)product[k];
        }
        if (!isLastOf(a.tickets + range, a.slices)) return;
    }
#pragma unroll
    for (int k = 0; k < CHANNELS; k++) {
        int channel = place + k * THREADS_OF_BLOCK;
        if (channel < 0 || channel >= width) continue;
        if (a.slices > 1) {
            const volatile float* parts = a.parts + first + channel;
            sum[k] = product[k] = 0;
            for (int i = 0; i < a.slices; i++) {
                sum[k] += parts[(int64)i * 2 * pitch];
                product[k] += parts[((int64)i * 2 + 1) * pitch];
            }
        }
        if (a.dBias) put(a.dBias + first + channel, (float)sum[k], a.accumulateBias);
        if (a.dWeight) put(a.dWeight + first + channel, (float)product[k], a.accumulateWeight);
    }
}

// Adds the terms of a thread, each times its weight.
DEVICE void addWeighted(float& sum, const float* terms, const float* weights, int count) {
    for (int i = (int)threadIdx.x - shiftOf(terms); i < count; i += blockDim.x) {
        if (i >= 0) sum = multiplyAdd(terms[i], weights[i], sum);
    }
}

// Groups of more than BAND channels, of eight batches to a block; parameters take the launch above.
KERNEL void __launch_bounds__(THREADS_OF_BLOCK, 2) batchnormgroups_sums_long(GroupSumsArguments a) {
    __shared__ float weights[BAND];
    int groups = a.n / a.perGroup, slice = blockIdx.x / groups, start = slice * LONG_BATCHES;
    int count = smaller(a.batches - start, LONG_BATCHES), first = (int)(blockIdx.x - slice * groups) * a.perGroup;
    int64 all = (int64)a.batches * a.n;
    float *from = a.sums + (int64)start * a.n + first, inverse = 1.0f / ((float)a.rows * a.perGroup);
    float sum[LONG_BATCHES], product[LONG_BATCHES];
#pragma unroll
    for (int k = 0; k < LONG_BATCHES; k++) sum[k] = product[k] = 0;
    for (int band = 0; band < a.perGroup; band += BAND) {
        int width = smaller(a.perGroup - band, BAND);
        __syncthreads();
        if (a.weight) {
            loadBand(weights, a.weight + first + band, width);
        } else {
            for (int i = threadIdx.x; i < width; i += THREADS_OF_BLOCK) weights[i] = 1;
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < LONG_BATCHES; k++) {
            if (k >= count) continue;
            const float* terms = from + (int64)k * a.n + band;
            addWeighted(sum[k], terms, weights, width);
            addWeighted(product[k], terms + all, weights, width);
        }
    }
#pragma unroll
    for (int k = 0; k < LONG_BATCHES; k++) {
        if (k >= count) continue;
        float* to = from + 2 * all + (int64)k * a.n;
        fillBand(to, (float)blockSum(sum[k]) * inverse, a.perGroup);
        fillBand(to + all, (float)blockSum(product[k]) * inverse, a.perGroup);
    }
}
