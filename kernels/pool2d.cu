// Pooling of NHWC images. A thread takes one channel of a pixel, or four neighbouring ones; windows that overlap meet in the cache.
// Maximum, forward: y = max x, or max(0, max x), and the winning tap ky KW + kx of each output in one byte, in two where a window has
// more than 256 taps; the first of equal taps wins, NaN wins over numbers. Backward: dX (=|+=) dY at the winner and 0 elsewhere.
// Average, forward: y = sum / divisor; backward: dX (=|+=) dY / divisor over the window.
// Every dX is written once. Where no input belongs to two windows, the thread of an output writes the cell from its window to the
// next, so that dY is read once too; otherwise the thread of an input gathers from the windows that span it.
// Bytes per input element with disjoint windows: forward 4 read + (4 + 1 written) / taps; backward 4 written + 5 (9 with ReLU) / taps
// read. A pixel of whole sectors (8 channels) needs no more than that; images of other channel counts pass through shared memory where
// windows tile them, a run of rows at a time, so that each sector is still moved once.
#include "channels.cuh"
#include "divisor.cuh"

#define POOL_THREADS 256

// Pool2D.cs makes these from Pool2DGeometry.
struct PoolAxis {
    int input;
    int output;
    int taps;
    int stride;
    int dilation;
    int padding;     // before
    int paddedEnd;   // input + padding after
    int unused;
    Divisor byInput;
    Divisor byOutput;
    Divisor byStride;
};

struct PoolShape {
    PoolAxis y;
    PoolAxis x;
    Divisor byC;
    int n;
    int c;
    int divisorOverride;
    int countIncludePad;
};

struct PoolArguments {
    const float* x;
    float* y;             // in the backward pass read, with ReLU
    unsigned char* winners;  // null: not asked for
    const float* dY;
    float* dX;
    PoolShape shape;
    int count;  // of elements of the tensor whose elements the threads take
    int relu;
    int accumulate;
    int wideWinners;
    int rowsPerBlock;  // of outputs, where rows pass through shared memory; of a cell, whose rows blockIdx.y shares out
    int unused;
};

template <int V>
DEVICE void storeWinners(void* winners, int element, bool wide, const int (&taps)[V]) {
    if (V == 4) {
        if (wide) {
            uint32* out = (uint32*)((unsigned short*)winners + element);
            out[0] = (uint32)taps[0] | (uint32)taps[1 % V] << 16;
            out[1] = (uint32)taps[2 % V] | (uint32)taps[3 % V] << 16;
        } else {
            *(uint32*)((unsigned char*)winners + element) =
                (uint32)taps[0] | (uint32)taps[1 % V] << 8 | (uint32)taps[2 % V] << 16 | (uint32)taps[3 % V] << 24;
        }
    } else if (wide) {
        ((unsigned short*)winners)[element] = (unsigned short)taps[0];
    } else {
        ((unsigned char*)winners)[element] = (unsigned char)taps[0];
    }
}

template <int V>
DEVICE void loadWinners(const void* winners, int element, bool wide, int (&taps)[V]) {
    if (V == 4) {
        uint32 low, high = 0;
        if (wide) {
            low = ((const uint32*)((const unsigned short*)winners + element))[0];
            high = ((const uint32*)((const unsigned short*)winners + element))[1];
            taps[0] = (int)(low & 0xffff);
            taps[1 % V] = (int)(low >> 16);
            taps[2 % V] = (int)(high & 0xffff);
            taps[3 % V] = (int)(high >> 16);
        } else {
            low = *(const uint32*)((const unsigned char*)winners + element);
            taps[0] = (int)(low & 0xff);
            taps[1 % V] = (int)(low >> 8 & 0xff);
            taps[2 % V] = (int)(low >> 16 & 0xff);
            taps[3 % V] = (int)(low >> 24);
        }
    } else {
        taps[0] = wide ? ((const unsigned short*)winners)[element] : ((const unsigned char*)winners)[element];
    }
}

// An output, or an input, by its coordinates.
struct PoolPixel {
    int channel, x, y, n;

    static DEVICE PoolPixel output(const PoolShape& shape, int element) {
        PoolPixel p;
        p.channel = element;
        p.x = split(p.channel, shape.byC);
        p.y = split(p.x, shape.x.byOutput);
        p.n = split(p.y, shape.y.byOutput);
        return p;
    }

    static DEVICE PoolPixel input(const PoolShape& shape, int element) {
        PoolPixel p;
        p.channel = element;
        p.x = split(p.channel, shape.byC);
        p.y = split(p.x, shape.x.byInput);
        p.n = split(p.y, shape.y.byInput);
        return p;
    }
};

// The number of positions that count in PyTorch's average: on the input, or on the input and its padding, but never beyond.
DEVICE int counted(const PoolAxis& axis, int output, bool countIncludePad) {
    int start = output * axis.stride - axis.padding, end = start + axis.taps;
    int last = countIncludePad ? axis.paddedEnd : axis.input;
    return (end < last ? end : last) - (countIncludePad || start > 0 ? start : 0);
}

DEVICE float divisorOf(const PoolShape& shape, int oh, int ow) {
    if (shape.divisorOverride > 0) return (float)shape.divisorOverride;
    return (float)counted(shape.y, oh, shape.countIncludePad) * (float)counted(shape.x, ow, shape.countIncludePad);
}

// The taps [first, end) on the input, of a window that starts there.
DEVICE void validTaps(const PoolAxis& axis, int start, int& first, int& end) {
    first = 0;
    end = axis.taps;
    if (start < 0) first = (axis.dilation - 1 - start) / axis.dilation;
    if (start + (axis.taps - 1) * axis.dilation >= axis.input) end = (axis.input - 1 - start) / axis.dilation + 1;
}

// The output's window of the image x.
template <int V, bool Maximum>
DEVICE void poolWindow(const PoolArguments& a, const PoolPixel& p, const float* x, int element) {
    const PoolShape& shape = a.shape;
    int top = p.y * shape.y.stride - shape.y.padding, left = p.x * shape.x.stride - shape.x.padding;
    int firstY, endY, firstX, endX;
    validTaps(shape.y, top, firstY, endY);
    validTaps(shape.x, left, firstX, endX);
    int rowStep = shape.x.input * shape.c * shape.y.dilation, columnStep = shape.c * shape.x.dilation;
    const float* line = x + ((top + firstY * shape.y.dilation) * shape.x.input + left + firstX * shape.x.dilation) * shape.c + p.channel;
    Channels<V> best;
    int winners[V];
#pragma unroll
    for (int v = 0; v < V; v++) {
        best.values[v] = Maximum ? -infinity() : 0.0f;
        winners[v] = firstY * shape.x.taps + firstX;
    }
    for (int ky = firstY; ky < endY; ky++, line += rowStep) {
        const float* at = line;
        Channels<V> row;
#pragma unroll
        for (int v = 0; v < V; v++) row.values[v] = 0.0f;
        for (int kx = firstX; kx < endX; kx++, at += columnStep) {
            Channels<V> c = loadChannels<V>(at);
#pragma unroll
            for (int v = 0; v < V; v++) {
                if (Maximum) {
                    bool wins = c.values[v] > best.values[v] || c.values[v] != c.values[v];
                    best.values[v] = wins ? c.values[v] : best.values[v];
                    winners[v] = wins ? ky * shape.x.taps + kx : winners[v];
                } else {
                    row.values[v] += c.values[v];
                }
            }
        }
        // Row by row: the blocked order keeps the rounding of a global pooling small.
        if (!Maximum) {
#pragma unroll
            for (int v = 0; v < V; v++) best.values[v] += row.values[v];
        }
    }
    if (Maximum) {
        if (a.winners) storeWinners<V>(a.winners, element, a.wideWinners, winners);
        if (a.relu) {
#pragma unroll
            for (int v = 0; v < V; v++) best.values[v] = best.values[v] < 0.0f ? 0.0f : best.values[v];
        }
    } else {
        float divisor = divisorOf(shape, p.y, p.x);
#pragma unroll
        for (int v = 0; v < V; v++) best.values[v] = best.values[v] / divisor;
    }
    putChannels<V>(a.y + element, best, false);
}

template <int V, bool Maximum>
DEVICE void poolForward(const PoolArguments& a) {
    int element = (blockIdx.x * POOL_THREADS + threadIdx.x) * V;
    if (element >= a.count) return;
    PoolPixel p = PoolPixel::output(a.shape, element);
    poolWindow<V, Maximum>(a, p, a.x + (int64)p.n * a.shape.y.input * a.shape.x.input * a.shape.c, element);
}

// dY of an output as it reaches its window: divided, or where y > 0 with ReLU.
template <int V, bool Maximum>
DEVICE Channels<V> upstream(const PoolArguments& a, int element, int oh, int ow) {
    Channels<V> dY = loadChannels<V>(a.dY + element);
    if (Maximum) {
        if (a.relu) {
            Channels<V> y = loadChannels<V>(a.y + element);
#pragma unroll
            for (int v = 0; v < V; v++) dY.values[v] = y.values[v] <= 0.0f ? 0.0f : dY.values[v];
        }
    } else {
        float divisor = divisorOf(a.shape, oh, ow);
#pragma unroll
        for (int v = 0; v < V; v++) dY.values[v] = dY.values[v] / divisor;
    }
    return dY;
}

// Disjoint windows: from one window to the next, from the first input to the last.
DEVICE void cellOf(const PoolAxis& axis, int output, int& first, int& end) {
    first = output == 0 ? 0 : output * axis.stride - axis.padding;
    end = output == axis.output - 1 ? axis.input : (output + 1) * axis.stride - axis.padding;
}

// The cell of an output in the image dX.
template <int V, bool Maximum>
DEVICE void poolCell(const PoolArguments& a, const PoolPixel& p, float* dX, int element) {
    const PoolShape& shape = a.shape;
    int firstY, endY, firstX, endX;
    cellOf(shape.y, p.y, firstY, endY);
    cellOf(shape.x, p.x, firstX, endX);
    firstY += blockIdx.y * a.rowsPerBlock;
    endY = firstY + a.rowsPerBlock < endY ? firstY + a.rowsPerBlock : endY;
    if (firstY >= endY) return;
    int top = p.y * shape.y.stride - shape.y.padding, left = p.x * shape.x.stride - shape.x.padding;
    Channels<V> dY = upstream<V, Maximum>(a, element, p.y, p.x);
    int winners[V];
    if (Maximum) loadWinners<V>(a.winners, element, a.wideWinners, winners);
    float* line = dX + (firstY * shape.x.input + firstX) * shape.c + p.channel;
    for (int y = firstY; y < endY; y++, line += shape.x.input * shape.c) {
        float* at = line;
        for (int x = firstX; x < endX; x++, at += shape.c) {
            bool inside = y - top < shape.y.taps && x - left < shape.x.taps;
            int tap = (y - top) * shape.x.taps + x - left;
            Channels<V> share;
#pragma unroll
            for (int v = 0; v < V; v++) share.values[v] = inside && (!Maximum || winners[v] == tap) ? dY.values[v] : 0.0f;
            putChannels<V>(at, share, a.accumulate);
        }
    }
}

template <int V, bool Maximum>
DEVICE void poolBackwardDisjoint(const PoolArguments& a) {
    int element = (blockIdx.x * POOL_THREADS + threadIdx.x) * V;
    if (element >= a.count) return;
    PoolPixel p = PoolPixel::output(a.shape, element);
    poolCell<V, Maximum>(a, p, a.dX + (int64)p.n * a.shape.y.input * a.shape.x.input * a.shape.c, element);
}

// The outputs [first, end) whose window spans an input, dilation aside.
DEVICE void windowsOf(const PoolAxis& axis, int input, int& first, int& end) {
    int shifted = input + axis.padding, extent = (axis.taps - 1) * axis.dilation + 1;
    first = shifted < extent ? 0 : divide(shifted - extent, axis.byStride) + 1;
    end = divide(shifted, axis.byStride) + 1;
    end = end < axis.output ? end : axis.output;
}

// The tap by which the output meets the input; -1 where dilation steps over it.
DEVICE int tapOf(const PoolAxis& axis, int input, int output) {
    int distance = input + axis.padding - output * axis.stride;
    if (axis.dilation == 1) return distance;
    int tap = distance / axis.dilation;
    return tap * axis.dilation == distance ? tap : -1;
}

template <int V, bool Maximum>
DEVICE void poolBackward(const PoolArguments& a) {
    const PoolShape& shape = a.shape;
    int element = (blockIdx.x * POOL_THREADS + threadIdx.x) * V;
    if (element >= a.count) return;
    PoolPixel p = PoolPixel::input(shape, element);
    int firstY, endY, firstX, endX;
    windowsOf(shape.y, p.y, firstY, endY);
    windowsOf(shape.x, p.x, firstX, endX);
    Channels<V> sum;
#pragma unroll
    for (int v = 0; v < V; v++) sum.values[v] = 0.0f;
    for (int oh = firstY; oh < endY; oh++) {
        int ky = tapOf(shape.y, p.y, oh);
        if (ky < 0) continue;
        for (int ow = firstX; ow < endX; ow++) {
            int kx = tapOf(shape.x, p.x, ow);
            if (kx < 0) continue;
            int output = ((p.n * shape.y.output + oh) * shape.x.output + ow) * shape.c + p.channel;
            Channels<V> dY = upstream<V, Maximum>(a, output, oh, ow);
            int winners[V];
            if (Maximum) loadWinners<V>(a.winners, output, a.wideWinners, winners);
#pragma unroll
            for (int v = 0; v < V; v++) sum.values[v] += !Maximum || winners[v] == ky * shape.x.taps + kx ? dY.values[v] : 0.0f;
        }
    }
    putChannels<V>(a.dX + element, sum, a.accumulate);
}

// Where windows tile the image (stride = taps, no padding): the block's rows of outputs [first, end) of image n pass through shared
// memory as planes, one for each tap, in each of which the elements stand in the outputs' order. Lanes that take neighbouring outputs
// then use neighbouring banks. Between an image's row and the planes a warp goes one column of taps at a time, for the same reason.
// blockIdx.x counts blocks of rows, blockIdx.y images; a warp takes a row of inputs.
extern __shared__ float planes[];

struct RowRun {
    int n, first, end;
    int outputs;     // of the block
    int base;        // the first of them
    int plane;       // elements between planes
    int line;        // elements of an image's row
    int warp, lane;

    DEVICE RowRun(const PoolArguments& a) {
        n = blockIdx.y;
        first = blockIdx.x * a.rowsPerBlock;
        end = first + a.rowsPerBlock < a.shape.y.output ? first + a.rowsPerBlock : a.shape.y.output;
        int row = a.shape.x.output * a.shape.c;
        outputs = (end - first) * row;
        base = (n * a.shape.y.output + first) * row;
        plane = a.rowsPerBlock * row;
        line = a.shape.x.input * a.shape.c;
        warp = threadIdx.x >> 5;
        lane = threadIdx.x & 31;
    }

    // The place of element i of the block's input row in the planes, and its column of taps.
    DEVICE int place(const PoolShape& shape, int row, int i, int& kx) const {
        int channel = i, y = row;
        kx = split(channel, shape.byC);
        int x = split(kx, shape.x.byStride);
        int oh = split(y, shape.y.byStride);
        return (y * shape.x.taps + kx) * plane + (oh * shape.x.output + x) * shape.c + channel;
    }
};

template <bool Maximum>
DEVICE void poolForwardRows(const PoolArguments& a) {
    const PoolShape& shape = a.shape;
    RowRun run(a);
    int rows = (run.end - run.first) * shape.y.taps, covered = shape.x.output * shape.x.taps * shape.c;
    for (int row = run.warp; row < rows; row += POOL_THREADS / 32) {
        const float* x = a.x + ((int64)run.n * shape.y.input + run.first * shape.y.taps + row) * run.line;
        for (int i = run.lane; i < covered; i += 32) {
            float value = x[i];
            int column, place = run.place(shape, row, i, column);
            for (int kx = 0; kx < shape.x.taps; kx++) {
                if (kx == column) planes[place] = value;
            }
        }
    }
    __syncthreads();

    int taps = shape.y.taps * shape.x.taps;
    float divisor = shape.divisorOverride > 0 ? (float)shape.divisorOverride : (float)taps;
    for (int i = threadIdx.x; i < run.outputs; i += POOL_THREADS) {
        float best = Maximum ? -infinity() : 0.0f;
        int winner = 0;
        for (int tap = 0; tap < taps; tap++) {
            float value = planes[tap * run.plane + i];
            bool wins = value > best || value != value;
            winner = wins ? tap : winner;
            best = !Maximum ? best + value : wins ? value : best;
        }
        if (Maximum) {
            int winners[1] = {winner};
            if (a.winners) storeWinners<1>(a.winners, run.base + i, a.wideWinners, winners);
            if (a.relu) best = best < 0.0f ? 0.0f : best;
        } else {
            best = best / divisor;
        }
        a.y[run.base + i] = best;
    }
}

template <bool Maximum>
DEVICE void poolBackwardRows(const PoolArguments& a) {
    const PoolShape& shape = a.shape;
    RowRun run(a);
    int taps = shape.y.taps * shape.x.taps;
    float divisor = shape.divisorOverride > 0 ? (float)shape.divisorOverride : (float)taps;
    for (int i = threadIdx.x; i < run.outputs; i += POOL_THREADS) {
        float dY = a.dY[run.base + i];
        int winners[1] = {0};
        if (Maximum) {
            if (a.relu) dY = a.y[run.base + i] <= 0.0f ? 0.0f : dY;
            loadWinners<1>(a.winners, run.base + i, a.wideWinners, winners);
        } else {
            dY = dY / divisor;
        }
        for (int tap = 0; tap < taps; tap++) planes[tap * run.plane + i] = !Maximum || winners[0] == tap ? dY : 0.0f;
    }
    __syncthreads();

    // The last block also has the rows behind the last window.
    int filled = (run.end - run.first) * shape.y.taps, covered = shape.x.output * shape.x.taps * shape.c;
    int rows = run.end == shape.y.output ? shape.y.input - run.first * shape.y.taps : filled;
    for (int row = run.warp; row < rows; row += POOL_THREADS / 32) {
        float* dX = a.dX + ((int64)run.n * shape.y.input + run.first * shape.y.taps + row) * run.line;
        for (int i = run.lane; i < run.line; i += 32) {
            int column, place = run.place(shape, row, i, column);
            bool inside = row < filled && i < covered;
            float value = 0.0f;
            for (int kx = 0; kx < shape.x.taps; kx++) {
                if (inside && kx == column) value = planes[place];
            }
            put(dX + i, value, a.accumulate);
        }
    }
}

#define POOL(kind, maximum)                                                                                              \
    KERNEL void __launch_bounds__(256) pool2d_##kind##_forward(PoolArguments a) { poolForward<1, maximum>(a); }          \
    KERNEL void __launch_bounds__(256) pool2d_##kind##_forward_fours(PoolArguments a) { poolForward<4, maximum>(a); }    \
    KERNEL void __launch_bounds__(256) pool2d_##kind##_forward_rows(PoolArguments a) { poolForwardRows<maximum>(a); }    \
    KERNEL void __launch_bounds__(256) pool2d_##kind##_backward(PoolArguments a) { poolBackward<1, maximum>(a); }        \
    KERNEL void __launch_bounds__(256) pool2d_##kind##_backward_fours(PoolArguments a) { poolBackward<4, maximum>(a); }  \
    KERNEL void __launch_bounds__(256) pool2d_##kind##_backward_cells(PoolArguments a) {                                 \
        poolBackwardDisjoint<1, maximum>(a);                                                                             \
    }                                                                                                                    \
    KERNEL void __launch_bounds__(256) pool2d_##kind##_backward_cells_fours(PoolArguments a) {                           \
        poolBackwardDisjoint<4, maximum>(a);                                                                             \
    }                                                                                                                    \
    KERNEL void __launch_bounds__(256) pool2d_##kind##_backward_rows(PoolArguments a) { poolBackwardRows<maximum>(a); }

POOL(max, true)
POOL(average, false)
