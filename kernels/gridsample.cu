// Grid sampling: x [N, H, W, C] and grid [N, OH, OW, 2] of places (x, y) in [-1, 1] give y [N, OH, OW, C]: between the four pixels around
// each place, or the nearest. Forward: a thread takes one channel of a place. Gradient of the grid: a warp takes a place, its lanes the
// channels, added by the warp's tree. Gradient of the image, without atomics: a block takes 256 elements of one row of one image, picks
// out the places that read the row, 256 at a time and in their order, and each thread adds those that read its element.
// Bytes per output element 4 written, 16 read, which neighboring places find in the cache, as they do the grid. The image's gradient
// reads the whole grid of its image once for each 256 elements, and dY for each row that a place reads.
#include "divisor.cuh"

#define SAMPLE_THREADS 256
#define WHOLE_WARP 0xffffffffu

#define PADDING_ZEROS 0
#define PADDING_REFLECTION 2

struct GridSampleArguments {
    const float* x;     // dY where the image's gradient is computed
    const float* grid;
    const float* dY;    // where the grid's gradient is computed
    float* y;           // dX, dGrid
    Divisor byC;
    Divisor byPlaces;
    Divisor byH;
    int h;
    int w;
    int c;
    int places;  // of one image
    int count;
    int isNearest;
    int padding;
    int alignCorners;
    int accumulate;
    int unused;
};

// See GridPosition in src/FastNN/Kernels/Windows/GridSampleGeometry.cs.
struct GridPosition {
    int first;
    float rest;
    float slope;

    DEVICE GridPosition(float grid, int size, const GridSampleArguments& a) {
        slope = a.alignCorners ? (float)(size - 1) / 2.0f : (float)size / 2.0f;
        float at = a.alignCorners ? (grid + 1.0f) * slope : ((grid + 1.0f) * (float)size - 1.0f) / 2.0f;
        if (a.padding == PADDING_REFLECTION) at = reflect(at, size, a.alignCorners);
        if (a.padding != PADDING_ZEROS) {
            slope = at > 0.0f && at < (float)(size - 1) ? slope : 0.0f;
            at = at > 0.0f ? smaller(at, (float)(size - 1)) : 0.0f;
        }
        // NaN and what no integer holds are outside.
        at = at > -1e9f && at < 1e9f ? at : -100.0f;
        float floor = a.isNearest ? nearestInteger(at) : down(at);
        first = (int)floor;
        rest = a.isNearest ? 0.0f : at - floor;
        slope = a.isNearest ? 0.0f : slope;
    }

    static DEVICE float down(float x) {
        float near = nearestInteger(x);
        return near > x ? near - 1.0f : near;
    }

    DEVICE float reflect(float at, int size, bool alignCorners) {
        float low = alignCorners ? 0.0f : -0.5f, span = (float)(alignCorners ? size - 1 : size);
        if (span == 0.0f) {
            slope = 0.0f;
            return 0.0f;
        }
        float distance = absolute(at - low), flips = down(distance / span), extra = distance - flips * span;
        bool odd = flips - 2.0f * down(flips / 2.0f) != 0.0f;
        slope = (at < low) != odd ? -slope : slope;
        return (odd ? span - extra : extra) + low;
    }

    DEVICE float weight(int second) const { return second ? rest : 1.0f - rest; }
};

struct Corners {
    GridPosition x;
    GridPosition y;

    DEVICE Corners(const GridSampleArguments& a, int place) : x(a.grid[2 * (int64)place], a.w, a), y(a.grid[2 * (int64)place + 1], a.h, a) {}

    // A channel of the pixel; 0 outside the image, and beside the nearest.
    DEVICE float pixel(const GridSampleArguments& a, const float* channel, int row, int column) const {
        int h = y.first + row, w = x.first + column;
        bool inside = h >= 0 && h < a.h && w >= 0 && w < a.w && (!a.isNearest || row + column == 0);
        return inside ? channel[((int64)h * a.w + w) * a.c] : 0.0f;
    }

    DEVICE bool reads(const GridSampleArguments& a, int row, int column) const {
        int h = y.first + row, w = x.first + column;
        return h >= 0 && h < a.h && w >= 0 && w < a.w && (!a.isNearest || row + column == 0);
    }
};

KERNEL void gridsample_forward(GridSampleArguments a) {
    int element = blockIdx.x * SAMPLE_THREADS + threadIdx.x;
    if (element >= a.count) return;
    int channel = element, place = split(channel, a.byC), n = divide(place, a.byPlaces);
    Corners corners(a, place);
    const float* image = a.x + (int64)n * a.h * a.w * a.c + channel;
    float sum = 0.0f;
#pragma unroll
    for (int row = 0; row < 2; row++) {
#pragma unroll
        for (int column = 0; column < 2; column++) {
            if (corners.reads(a, row, column)) {
                sum = multiplyAdd(
                    corners.pixel(a, image, row, column), corners.y.weight(row) * corners.x.weight(column), sum);
            }
        }
    }
    a.y[element] = sum;
}

KERNEL void gridsample_backward_grid(GridSampleArguments a) {
    int place = blockIdx.x * (SAMPLE_THREADS / 32) + (threadIdx.x >> 5), lane = threadIdx.x & 31;
    if (place >= a.count) return;
    Corners corners(a, place);
    const float* image = a.x + (int64)divide(place, a.byPlaces) * a.h * a.w * a.c;
    float alongX = 0.0f, alongY = 0.0f;
    for (int c = lane; c < a.c; c += 32) {
        const float* channel = image + c;
        float nw = corners.pixel(a, channel, 0, 0), ne = corners.pixel(a, channel, 0, 1);
        float sw = corners.pixel(a, channel, 1, 0), se = corners.pixel(a, channel, 1, 1);
        float share = a.dY[(int64)place * a.c + c];
        alongX += share * ((ne - nw) * corners.y.weight(0) + (se - sw) * corners.y.weight(1));
        alongY += share * ((sw - nw) * corners.x.weight(0) + (se - ne) * corners.x.weight(1));
    }
#pragma unroll
    for (int step = 16; step > 0; step >>= 1) {
        alongX += __shfl_xor_sync(WHOLE_WARP, alongX, step);
        alongY += __shfl_xor_sync(WHOLE_WARP, alongY, step);
    }
    if (lane == 0) {
        put(a.y + 2 * (int64)place, a.isNearest ? 0.0f : alongX * corners.x.slope, a.accumulate);
        put(a.y + 2 * (int64)place + 1, a.isNearest ? 0.0f : alongY * corners.y.slope, a.accumulate);
    }
}

// Places that read the block's row, in their order.
struct RowReaders {
    int place[SAMPLE_THREADS];
    int column[SAMPLE_THREADS];
    float rest[SAMPLE_THREADS];
    float weight[SAMPLE_THREADS];  // of the row
    int before[SAMPLE_THREADS + 1];
};

__shared__ RowReaders readers;

// blockIdx.x counts rows of all images, blockIdx.y pieces of a row.
KERNEL void gridsample_backward_input(GridSampleArguments a) {
    int thread = threadIdx.x;
    int h = blockIdx.x, n = split(h, a.byH);
    int element = blockIdx.y * SAMPLE_THREADS + thread, channel = element, w = split(channel, a.byC);
    bool inside = element < a.w * a.c;
    float sum = 0.0f;
    for (int base = 0; base < a.places; base += SAMPLE_THREADS) {
        int place = n * a.places + base + thread, column = 0, reads = 0;
        float rest = 0.0f, weight = 0.0f;
        if (base + thread < a.places) {
            Corners corners(a, place);
            int row = h - corners.y.first;
            reads = row == 0 || (row == 1 && !a.isNearest);
            weight = corners.y.weight(row);
            column = corners.x.first;
            rest = corners.x.rest;
        }
        // How many readers come before each thread's: sums over 1, 2, 4, ... threads.
        readers.before[thread + 1] = reads;
        if (thread == 0) readers.before[0] = 0;
        __syncthreads();
        for (int step = 1; step < SAMPLE_THREADS; step <<= 1) {
            int other = thread + 1 > step ? readers.before[thread + 1 - step] : 0;
            __syncthreads();
            readers.before[thread + 1] += other;
            __syncthreads();
        }
        if (reads) {
            int at = readers.before[thread];
            readers.place[at] = place;
            readers.column[at] = column;
            readers.rest[at] = rest;
            readers.weight[at] = weight;
        }
        int found = readers.before[SAMPLE_THREADS];
        __syncthreads();
        for (int i = 0; inside && i < found; i++) {
            int second = w - readers.column[i];
            if (second == 0 || (second == 1 && !a.isNearest)) {
                float share = second ? readers.rest[i] : 1.0f - readers.rest[i];
                sum = multiplyAdd(a.x[(int64)readers.place[i] * a.c + channel], readers.weight[i] * share, sum);
            }
        }
        __syncthreads();
    }
    if (inside) put(a.y + ((int64)blockIdx.x * a.w * a.c + element), sum, a.accumulate);
}
