// Cross-entropy of x [rows, classes] as PyTorch computes it, against class indices [rows] or probabilities [rows, classes]. With q the
// target of a row, smoothed and weighted by class, and Q its sum, the loss of logits is sum(q (log sum exp(x) - x)) and its gradient
// Q softmax(x) - q; from probabilities or their logarithms it is -sum(q log p). saved holds the softmax of logits [rows, classes], and
// behind it the divisor of the mean. An index outside 0 to classes - 1 that is not to be ignored makes the loss NaN and the gradient 0.
//
// Forward is one launch, the reduction over rows included: 8 bytes moved and about 60 flops per logit, 4 more for probability targets;
// of other inputs against indices only one element per row is read. Backward dX (=|+=): 8 bytes moved per element (12 where it adds)
// and 4 for probability targets.
#include "math.cuh"
#include "rows.cuh"

struct CrossEntropyArguments {
    const float* x;
    const int* indices;    // or null
    const float* targets;  // or null
    const float* weights;  // of classes, or null
    float* saved;
    float* loss;
    const float* dLoss;
    float* dX;
    Scratch scratch;
    int64 rows;
    int classes;
    int perTile;    // rows
    int input;      // CrossEntropyInput
    int reduction;  // Reduction
    int ignore;
    int accumulate;
    float keep;    // 1 - smoothing: what a target keeps
    float spread;  // smoothing / classes: what every class gets
};

enum Input { LOGITS, LOG_PROBABILITIES, PROBABILITIES };
enum Reduction { MEAN, SUM, NONE };

#define ROW_ITEMS 8

extern __shared__ __align__(16) float tile[];

DEVICE float weightOf(const CrossEntropyArguments& a, int index) { return a.weights ? a.weights[index] : 1.0f; }

// What counts of a row's class index: it itself, -1 where the row is ignored, -2 where there is no such class.
DEVICE int targetOf(const CrossEntropyArguments& a, int64 row) {
    int index = a.indices[row];
    return index == a.ignore ? -1 : (uint32)index < (uint32)a.classes ? index : -2;
}

// q of a class from its target probability, 0 for the smoothing alone.
DEVICE float smooth(const CrossEntropyArguments& a, float target, float weight) {
    return (a.spread + target * a.keep) * weight;
}

// log p from an input that is no logit: the logarithm itself, or a probability clipped to [1e-7, 1 - 1e-7], outside which the slope is 0.
DEVICE float score(int input, float x) {
    return input == LOG_PROBABILITIES ? x : logarithm(smaller(1 - 1e-7f, larger(1e-7f, x)));
}
DEVICE float scoreSlope(int input, float x) {
    if (input == LOG_PROBABILITIES) return 1.0f;
    return x < 1e-7f || x > 1 - 1e-7f ? 0.0f : 1.0f / x;
}

// A row's loss and its share of the mean's divisor.
struct RowLoss {
    float loss, weight;
};

// Against an index, of logits: x - largest first, as their difference is small where both are large.
DEVICE RowLoss indexLoss(const CrossEntropyArguments& a, int target, float x, float largest, float logSum) {
    if (target < 0) return {target == -1 ? 0.0f : quietNaN(), 0.0f};
    float weight = weightOf(a, target);
    return {weight * (logSum - (x - largest)), weight};
}

// loss = the mean or sum over all rows; each thread brings its rows' sums.
DEVICE void finish(const CrossEntropyArguments& a, float lossSum, float weightSum) {
    if (a.reduction == NONE) return;
    double loss = blockSum(lossSum), weight = blockSum(weightSum);
    if (gridDim.x > 1) {
        if (threadIdx.x == 0) {
            a.scratch.parts[2 * blockIdx.x] = loss;
            a.scratch.parts[2 * blockIdx.x + 1] = weight;
        }
        if (!isLastBlock(a.scratch.ticket)) return;
        loss = sumOfParts(a.scratch.parts, 2);
        weight = sumOfParts(a.scratch.parts + 1, 2);
    }
    if (threadIdx.x == 0) {
        double divisor = a.reduction == SUM ? 1.0 : weight;
        a.saved[a.rows * a.classes] = (float)divisor;
        *a.loss = (float)(loss / divisor);
    }
}

// Rows of up to 96 classes: tiles of whole rows in shared memory, a thread per row. Shared: weights [classes], if any, then x and, if
// they are probabilities, the targets [perTile, classes].
KERNEL void crossentropy_forward_tiles(CrossEntropyArguments a) {
    int size = a.perTile * a.classes;
    float* weights = tile;
    float* logits = tile + (a.weights ? a.classes + 3 & ~3 : 0);
    float* probabilities = logits + (size + 3 & ~3);
    if (a.weights) {
        for (int i = threadIdx.x; i < a.classes; i += blockDim.x) weights[i] = a.weights[i];
    }

    float lossSum = 0, weightSum = 0;
    for (int64 first = (int64)blockIdx.x * a.perTile; first < a.rows; first += (int64)gridDim.x * a.perTile) {
        int rows = (int)(a.rows - first < a.perTile ? a.rows - first : a.perTile);
        __syncthreads();
        loadTile(logits, a.x + first * a.classes, rows * a.classes);
        if (a.targets) loadTile(probabilities, a.targets + first * a.classes, rows * a.classes);
        __syncthreads();
        if ((int)threadIdx.x < rows) {
            int64 row = first + threadIdx.x;
            TileColumn x(logits + threadIdx.x * a.classes, 1, a.classes), t(probabilities + threadIdx.x * a.classes, 1, a.classes);
            RowLoss of = {0, 1};
            float largest = -infinity(), sum = 0, logSum = 0;
            if (a.input == LOGITS) {
                for (int k = 0; k < a.classes; k++) largest = larger(x[k], largest);
                for (int k = 0; k < a.classes; k++) sum += exponential(x[k] - largest);
                logSum = logarithm(sum);
            }
            int target = 0;
            if (a.indices) {
                target = targetOf(a, row);
                of = indexLoss(a, target, target < 0 ? 0.0f : x.at[target], largest, logSum);
                of.loss *= a.spread == 0.0f ? 1.0f : a.keep;
            }
            if (target >= 0 && (a.targets || a.spread != 0.0f)) {
                float terms = 0;
                for (int k = 0; k < a.classes; k++) {
                    float q = smooth(a, a.targets ? t[k] : 0.0f, a.weights ? weights[x.index(k)] : 1.0f);
                    terms += q * (a.input == LOGITS ? logSum - (x[k] - largest) : -score(a.input, x[k]));
                }
                of.loss += terms;
            }
            if (a.reduction == NONE) a.loss[row] = of.loss;
            lossSum += of.loss;
            weightSum += of.weight;
            if (a.input == LOGITS) {
                float scale = 1.0f / sum;
                for (int k = 0; k < a.classes; k++) x[k] = exponential(x[k] - largest) * scale;
            }
        }
        if (a.input == LOGITS) {
            __syncthreads();
            storeTile(a.saved + first * a.classes, logits, rows * a.classes, false);
        }
    }
    finish(a, lossSum, weightSum);
}

// Longer rows: a block per row, held in registers where they suffice (ROW_ITEMS per thread), else read three times.
template <bool HELD>
DEVICE void forwardRows(const CrossEntropyArguments& a) {
    float lossSum = 0, weightSum = 0;
    for (int64 row = blockIdx.x; row < a.rows; row += gridDim.x) {
        const float *x = a.x + row * a.classes, *t = a.targets ? a.targets + row * a.classes : nullptr;
        RegisterRow<HELD ? ROW_ITEMS : 1> held;
        if constexpr (HELD) held.load(x, a.classes, -infinity());
        auto each = [&](auto&& body) {
            if constexpr (HELD) {
#pragma unroll
                for (int k = 0; k < ROW_ITEMS; k++) {
                    if (held.holds(k)) body(held.column(k), held.values[k]);
                }
            } else {
                for (int i = (int)threadIdx.x - shiftOf(x); i < a.classes; i += blockDim.x) {
                    if (i >= 0) body(i, x[i]);
                }
            }
        };
        float largest = -infinity(), sum = 0, logSum = 0;
        if (a.input == LOGITS) {
            each([&](int, float value) { largest = larger(value, largest); });
            largest = blockLargest(largest);
            each([&](int, float value) { sum += exponential(value - largest); });
            sum = (float)blockSum(sum);
            logSum = logarithm(sum);
        }
        RowLoss of = {0, 1};
        int target = 0;
        if (a.indices) {
            target = targetOf(a, row);
            of = indexLoss(a, target, target < 0 ? 0.0f : x[target], largest, logSum);
            of.loss *= a.spread == 0.0f ? 1.0f : a.keep;
        }
        if (target >= 0 && (t || a.spread != 0.0f)) {
            float terms = 0;
            each([&](int column, float value) {
                float q = smooth(a, t ? t[column] : 0.0f, weightOf(a, column));
                terms += q * (a.input == LOGITS ? logSum - (value - largest) : -score(a.input, value));
            });
            of.loss += (float)blockSum(terms);
        }
        if (a.input == LOGITS) {
            float scale = 1.0f / sum;
            float* softmax = a.saved + row * a.classes;
            each([&](int column, float value) { softmax[column] = exponential(value - largest) * scale; });
        }
        if (threadIdx.x == 0) {
            if (a.reduction == NONE) a.loss[row] = of.loss;
            lossSum += of.loss;
            weightSum += of.weight;
        }
    }
    finish(a, lossSum, weightSum);
}

KERNEL void __launch_bounds__(256) crossentropy_forward_rows(CrossEntropyArguments a) { forwardRows<true>(a); }
KERNEL void __launch_bounds__(256) crossentropy_forward_long(CrossEntropyArguments a) { forwardRows<false>(a); }

// Probabilities or their logarithms against indices: one element of each row.
KERNEL void crossentropy_forward_gather(CrossEntropyArguments a) {
    float lossSum = 0, weightSum = 0;
    for (int64 row = (int64)blockIdx.x * blockDim.x + threadIdx.x; row < a.rows; row += (int64)gridDim.x * blockDim.x) {
        int target = targetOf(a, row);
        RowLoss of = indexLoss(a, target, target < 0 ? 0.0f : score(a.input, a.x[row * a.classes + target]), 0, 0);
        if (a.reduction == NONE) a.loss[row] = of.loss;
        lossSum += of.loss;
        weightSum += of.weight;
    }
    finish(a, lossSum, weightSum);
}

// The given gradient of a row's loss.
DEVICE float givenOf(const CrossEntropyArguments& a, int64 row) {
    if (a.reduction == NONE) return a.dLoss[row];
    return a.reduction == MEAN ? *a.dLoss / a.saved[a.rows * a.classes] : *a.dLoss;
}

// dX (=|+=) value(row in the tile, class, softmax) for the elements of a tile, four at a time where rows and addresses allow it. What
// other inputs than logits have in the softmax's place is not read.
template <class F>
DEVICE void storeGradient(const CrossEntropyArguments& a, int64 first, int rows, F value) {
    int64 origin = first * a.classes;
    int count = rows * a.classes;
    bool logits = a.input == LOGITS;
    const float* softmax = a.saved + origin;
    float* dX = a.dX + origin;
    if (aligned16(softmax) && aligned16(dX)) {
        for (int i = threadIdx.x * 4; i < count; i += blockDim.x * 4) {
            int row = i / a.classes, column = i - row * a.classes;
            float s[4] = {}, out[4];
            if (logits && i + 4 <= count) {
                float4 four = loadFour(softmax + i);
                s[0] = four.x;
                s[1] = four.y;
                s[2] = four.z;
                s[3] = four.w;
            }
#pragma unroll
            for (int k = 0; k < 4; k++) {
                if (i + k < count) {
                    if (logits && i + 4 > count) s[k] = softmax[i + k];
                    out[k] = value(row, column, s[k]);
                    if (i + 4 > count) put(dX + i + k, out[k], a.accumulate);
                }
                if (++column == a.classes) {
                    column = 0;
                    row++;
                }
            }
            if (i + 4 <= count) putFour(dX + i, out[0], out[1], out[2], out[3], a.accumulate);
        }
        return;
    }
    for (int i = (int)threadIdx.x - shiftOf(dX); i < count; i += blockDim.x) {
        if (i < 0) continue;
        int row = i / a.classes;
        put(dX + i, value(row, i - row * a.classes, logits ? softmax[i] : 0.0f), a.accumulate);
    }
}

#define MOST_ROWS 256

// Against indices: of up to 256 rows per block their class, its share Q and the given gradient in shared memory.
KERNEL void __launch_bounds__(256) crossentropy_backward_indices(CrossEntropyArguments a) {
    __shared__ int target[MOST_ROWS];
    __shared__ float share[MOST_ROWS], given[MOST_ROWS];
    int64 first = (int64)blockIdx.x * a.perTile;
    int rows = (int)(a.rows - first < a.perTile ? a.rows - first : a.perTile);
    float smoothing = 0;
    if (a.spread != 0.0f) {
        for (int i = threadIdx.x; i < a.classes; i += blockDim.x) smoothing += smooth(a, 0, weightOf(a, i));
        smoothing = (float)blockSum(smoothing);
    }
    for (int i = threadIdx.x; i < rows; i += blockDim.x) {
        int index = targetOf(a, first + i);
        float weight = index < 0 ? 0.0f : weightOf(a, index), scale = givenOf(a, first + i);
        target[i] = index;
        share[i] = a.keep * weight;
        if (a.input != LOGITS && index >= 0) share[i] = weight * scoreSlope(a.input, a.x[(first + i) * a.classes + index]);
        given[i] = scale;
    }
    __syncthreads();
    storeGradient(a, first, rows, [&](int row, int column, float softmax) {
        if (target[row] < 0) return 0.0f;
        float own = column == target[row] ? share[row] : 0.0f;
        if (a.input != LOGITS) return -given[row] * own;
        if (a.spread == 0.0f) return given[row] * (softmax * share[row] - own);
        float slope = softmax * (share[row] + smoothing) - smooth(a, 0, weightOf(a, column));
        return given[row] * (slope - own);
    });
}

// Against probabilities: perTile rows of them in shared memory if that is not 0, a warp per row for their sum Q; else the one row of
// this block is read twice.
KERNEL void __launch_bounds__(256) crossentropy_backward_probabilities(CrossEntropyArguments a) {
    __shared__ float total[MOST_ROWS], given[MOST_ROWS];
    int perTile = a.perTile ? a.perTile : 1;
    int64 first = (int64)blockIdx.x * perTile;
    int rows = (int)(a.rows - first < perTile ? a.rows - first : perTile);
    const float* targets = a.targets + first * a.classes;
    if (a.perTile) {
        loadTile(tile, targets, rows * a.classes);
        targets = tile;
        __syncthreads();
    }
    if (a.perTile) {
        int lane = threadIdx.x & 31;
        for (int row = threadIdx.x >> 5; row < rows; row += blockDim.x >> 5) {
            float sum = 0;
            for (int i = lane; i < a.classes; i += 32) sum += smooth(a, targets[row * a.classes + i], weightOf(a, i));
            sum = warpSum(sum);
            if (lane == 0) total[row] = sum;
        }
    } else {
        float sum = 0;
        for (int i = threadIdx.x; i < a.classes; i += blockDim.x) sum += smooth(a, targets[i], weightOf(a, i));
        sum = (float)blockSum(sum);
        if (threadIdx.x == 0) total[0] = sum;
    }
    for (int i = threadIdx.x; i < rows; i += blockDim.x) given[i] = givenOf(a, first + i);
    __syncthreads();
    storeGradient(a, first, rows, [&](int row, int column, float softmax) {
        int i = row * a.classes + column;
        float q = smooth(a, targets[i], weightOf(a, column));
        if (a.input == LOGITS) return given[row] * (softmax * total[row] - q);
        return -given[row] * q * scoreSlope(a.input, a.x[first * a.classes + i]);
    });
}
