// Recurrent sequences, time first: one launch per step. A block owns 32 sequences and 16 units: it takes h's product with the columns of all
// gates of these units, by 32 terms at a time through shared memory, and computes the gates where the sums are. Backward a block owns 32
// sequences and 32 units: it takes the product of the gates' gradients of the step behind with the weight's rows, adds what else arrives at
// h, and turns the gates into their gradients in place. The products of inputs, and the weights' gradients, are products over all steps and
// no business of these kernels. Flops per step: 2 B H G H each way; bytes: the weight for every 32 sequences, the gates once.
// Where cuDNN computes, its weights and the order of steps are what is left to kernels: recurrence_pack, recurrence_unpack, recurrence_turn.
// Behind a sequence's end y is 0, states stay, and the gates' gradients are 0.
#include "generated/activations.cuh"
#include "rows.cuh"

#define THREADS 256
#define ROWS 32
#define UNITS 16
#define BACK_UNITS 32
#define DEPTH 32
#define PAD (DEPTH + 1)

struct RecurrenceForwardArguments {
    float* gates;          // of this step, [B, G H]: projected inputs, then gates
    float* kept;           // of this step, [B, H], or null: cells of an LSTM, products of a GRU
    float* y;              // of this step, [B, H]
    float* cell;           // LSTM: c, in place
    const float* state;    // h before, [B, H], or null for zeros
    float* next;           // h behind, [B, H]; not state
    const float* weight;   // [H, G H]
    const float* inputBias;
    const float* stateBias;
    const int* lengths;
    int batch;
    int hidden;
    int time;
    int unused;
};

struct RecurrenceBackwardArguments {
    float* gates;          // of this step: gates, then their gradients
    float* kept;           // of this step
    const float* behind;   // the gates' gradients of the step behind, or null
    const float* keptBehind;
    const float* before;   // cells (LSTM) or y (GRU) of the step before; not read at a first step
    const float* first;    // c or h before the first step, [B, H], or null for zeros
    const float* dY;       // of this step, or null
    const float* stateIn;  // what arrives at h from behind without the product, or null
    const float* cellIn;   // likewise at c
    float* dState;
    float* dCell;
    const float* weight;
    const int* lengths;
    int batch;
    int hidden;
    int time;
    int isFirst;           // the first step that is computed
    int isReverse;
    int onlyState;         // no step: the gradient of the first state
    int accumulate;        // of that
    int unused;
};

struct RecurrenceBiasArguments {
    const float* gates;    // [rows, G H]
    const float* kept;     // GRU: [rows, H], for the new gate of the states' bias
    float* dInput;         // or null
    float* dState;         // or null
    int64 rows;
    int width;
    int joined;            // columns whose sums are those of gates in both
    int accumulateInput;
    int accumulateState;
    int columns;           // of a block, up to BIAS_COLUMNS
    int unused;
};

struct RecurrenceFirstArguments {
    const float* rows;     // [T, B, columns]
    const int* lengths;
    float* y;              // [B, columns]
    int batch;
    int columns;
};

// Our weights [rows, G H] and cuDNN's: a matrix [H, rows] and a bias [H] for each gate, somewhere in its weight space. Gates of the
// inputs come first, those of the states behind them.
struct RecurrenceWeightsArguments {
    float* inputWeight;    // null where nothing is wanted, as the others
    float* hiddenWeight;
    float* inputBias;
    float* hiddenBias;
    float* space;
    int inputs;
    int hidden;
    int gates;
    int accumulateInputWeight;
    int accumulateHiddenWeight;
    int accumulateInputBias;
    int accumulateHiddenBias;
    int unused;
    int matrices[8];       // floats from the space's beginning
    int biases[8];
};

struct RecurrenceTurnArguments {
    const float* x;        // [T, row]
    float* y;
    int64 row;
    int steps;
    int blocks;            // of a step
    int isReverse;
    int accumulate;
};

struct RecurrenceAddArguments {
    const float* x;
    float* y;
    int64 count;
    int accumulate;
    int unused;
};

// h's products of two sequences and one unit, for G gates.
template <int G>
struct Products {
    float first[G], second[G];

    DEVICE void run(const RecurrenceForwardArguments& a, int row0, int unit0) {
        __shared__ float states[ROWS * PAD];
        __shared__ float weights[DEPTH * G * UNITS];
        int unit = threadIdx.x % UNITS, row = threadIdx.x / UNITS;
#pragma unroll
        for (int g = 0; g < G; g++) first[g] = second[g] = 0;
        if (!a.state) return;
        for (int depth = 0; depth < a.hidden; depth += DEPTH) {
            __syncthreads();
            for (int i = threadIdx.x; i < ROWS * DEPTH; i += THREADS) {
                int r = row0 + i / DEPTH, k = depth + i % DEPTH;
                bool inside = r < a.batch && k < a.hidden;
                states[i / DEPTH * PAD + i % DEPTH] = inside ? a.state[(int64)r * a.hidden + k] : 0.0f;
            }
            for (int i = threadIdx.x; i < DEPTH * G * UNITS; i += THREADS) {
                int k = depth + i / (G * UNITS), g = i / UNITS % G, u = unit0 + i % UNITS;
                bool inside = k < a.hidden && u < a.hidden;
                weights[i] = inside ? a.weight[((int64)k * G + g) * a.hidden + u] : 0.0f;
            }
            __syncthreads();
            float one[G], two[G];
#pragma unroll
            for (int g = 0; g < G; g++) one[g] = two[g] = 0;
            for (int k = 0; k < DEPTH; k++) {
                float h0 = states[row * PAD + k], h1 = states[(row + ROWS / 2) * PAD + k];
#pragma unroll
                for (int g = 0; g < G; g++) {
                    float w = weights[(k * G + g) * UNITS + unit];
                    one[g] = multiplyAdd(h0, w, one[g]);
                    two[g] = multiplyAdd(h1, w, two[g]);
                }
            }
#pragma unroll
            for (int g = 0; g < G; g++) {
                first[g] += one[g];
                second[g] += two[g];
            }
        }
    }
};

struct LstmCell {
    enum { Gates = 4 };
    static DEVICE void step(const RecurrenceForwardArguments& a, int row, int unit, const float* x, const float* h, bool active) {
        int64 at = (int64)row * a.hidden + unit;
        float* gates = a.gates + (int64)row * 4 * a.hidden + unit;
        Scalars none = {};
        float input = Sigmoid::value(x[0] + h[0], none), forget = Sigmoid::value(x[1] + h[1], none);
        float next = Tanh::value(x[2] + h[2], none), output = Sigmoid::value(x[3] + h[3], none);
        float before = a.cell[at], cell = multiplyAdd(forget, before, input * next);
        gates[0] = input;
        gates[a.hidden] = forget;
        gates[2 * (int64)a.hidden] = next;
        gates[3 * (int64)a.hidden] = output;
        if (a.kept) a.kept[at] = cell;
        a.cell[at] = active ? cell : before;
        float state = active ? output * Tanh::value(cell, none) : a.state ? a.state[at] : 0.0f;
        a.next[at] = state;
        a.y[at] = active ? state : 0.0f;
    }
};

struct GruCell {
    enum { Gates = 3 };
    static DEVICE void step(const RecurrenceForwardArguments& a, int row, int unit, const float* x, const float* h, bool active) {
        int64 at = (int64)row * a.hidden + unit;
        float* gates = a.gates + (int64)row * 3 * a.hidden + unit;
        Scalars none = {};
        float reset = Sigmoid::value(x[0] + h[0], none), update = Sigmoid::value(x[1] + h[1], none);
        float next = Tanh::value(multiplyAdd(reset, h[2], x[2]), none), before = a.state ? a.state[at] : 0.0f;
        gates[0] = reset;
        gates[a.hidden] = update;
        gates[2 * (int64)a.hidden] = next;
        if (a.kept) a.kept[at] = h[2];
        float state = active ? multiplyAdd(update, before - next, next) : before;
        a.next[at] = state;
        a.y[at] = active ? state : 0.0f;
    }
};

template <class Function>
struct SimpleCell {
    enum { Gates = 1 };
    static DEVICE void step(const RecurrenceForwardArguments& a, int row, int unit, const float* x, const float* h, bool active) {
        int64 at = (int64)row * a.hidden + unit;
        Scalars none = {};
        float state = Function::value(x[0] + h[0], none);
        a.gates[at] = state;
        a.next[at] = active ? state : a.state ? a.state[at] : 0.0f;
        a.y[at] = active ? state : 0.0f;
    }
};

template <class Cell>
DEVICE void forwardOne(const RecurrenceForwardArguments& a, int row, int unit, const float* products) {
    enum { G = Cell::Gates };
    if (row >= a.batch || unit >= a.hidden) return;
    float x[G], h[G];
#pragma unroll
    for (int g = 0; g < G; g++) {
        int64 column = (int64)g * a.hidden + unit;
        x[g] = a.gates[(int64)row * G * a.hidden + column] + (a.inputBias ? a.inputBias[column] : 0.0f);
        h[g] = products[g] + (a.stateBias ? a.stateBias[column] : 0.0f);
    }
    Cell::step(a, row, unit, x, h, !a.lengths || a.time < a.lengths[row]);
}

template <class Cell>
DEVICE void forward(const RecurrenceForwardArguments& a) {
    int row0 = blockIdx.y * ROWS, unit0 = blockIdx.x * UNITS;
    Products<Cell::Gates> products;
    products.run(a, row0, unit0);
    int row = row0 + threadIdx.x / UNITS, unit = unit0 + threadIdx.x % UNITS;
    forwardOne<Cell>(a, row, unit, products.first);
    forwardOne<Cell>(a, row + ROWS / 2, unit, products.second);
}

KERNEL __launch_bounds__(THREADS) void recurrence_forward_lstm(RecurrenceForwardArguments a) { forward<LstmCell>(a); }
KERNEL __launch_bounds__(THREADS) void recurrence_forward_gru(RecurrenceForwardArguments a) { forward<GruCell>(a); }
KERNEL __launch_bounds__(THREADS) void recurrence_forward_tanh(RecurrenceForwardArguments a) { forward<SimpleCell<Tanh>>(a); }
KERNEL __launch_bounds__(THREADS) void recurrence_forward_relu(RecurrenceForwardArguments a) { forward<SimpleCell<Relu>>(a); }

struct LstmGradient {
    enum { Gates = 4, Apart = 0 };
    static DEVICE void step(const RecurrenceBackwardArguments& a, int row, int unit, float dH, bool begins) {
        int64 at = (int64)row * a.hidden + unit, h = a.hidden;
        float* gates = a.gates + row * 4 * h + unit;
        float input = gates[0], forget = gates[h], next = gates[2 * h], output = gates[3 * h];
        float before = !begins ? a.before[at] : a.first ? a.first[at] : 0.0f;
        Scalars none = {};
        float tanh = Tanh::value(a.kept[at], none);
        float dC = multiplyAdd(dH * output, (1.0f - tanh) * (1.0f + tanh), a.cellIn ? a.cellIn[at] : 0.0f);
        gates[0] = dC * next * (input * (1.0f - input));
        gates[h] = dC * before * (forget * (1.0f - forget));
        gates[2 * h] = dC * input * ((1.0f - next) * (1.0f + next));
        gates[3 * h] = dH * tanh * (output * (1.0f - output));
        a.dCell[at] = dC * forget;
        a.dState[at] = 0;
    }
};

struct GruGradient {
    enum { Gates = 3, Apart = 1 };
    static DEVICE void step(const RecurrenceBackwardArguments& a, int row, int unit, float dH, bool begins) {
        int64 at = (int64)row * a.hidden + unit, h = a.hidden;
        float* gates = a.gates + row * 3 * h + unit;
        float reset = gates[0], update = gates[h], next = gates[2 * h];
        float before = !begins ? a.before[at] : a.first ? a.first[at] : 0.0f;
        float dNext = dH * (1.0f - update) * ((1.0f - next) * (1.0f + next));
        gates[0] = dNext * a.kept[at] * (reset * (1.0f - reset));
        gates[h] = dH * (before - next) * (update * (1.0f - update));
        gates[2 * h] = dNext;
        a.kept[at] = dNext * reset;
        a.dState[at] = dH * update;
    }
};

template <class Function>
struct SimpleGradient {
    enum { Gates = 1, Apart = 0 };
    static DEVICE void step(const RecurrenceBackwardArguments& a, int row, int unit, float dH, bool) {
        int64 at = (int64)row * a.hidden + unit;
        Scalars none = {};
        a.gates[at] = Function::gradient(a.gates[at], dH, none);
        a.dState[at] = 0;
    }
};

template <class Cell>
DEVICE void backwardOne(const RecurrenceBackwardArguments& a, int row, int unit, float product) {
    enum { G = Cell::Gates };
    if (row >= a.batch || unit >= a.hidden) return;
    int64 at = (int64)row * a.hidden + unit;
    float carried = product + (a.stateIn ? a.stateIn[at] : 0.0f);
    if (a.onlyState) {
        put(a.dState + at, carried, a.accumulate);
        return;
    }
    int length = a.lengths ? a.lengths[row] : a.time + 1;
    if (a.time < length) {
        Cell::step(a, row, unit, carried + (a.dY ? a.dY[at] : 0.0f), a.isFirst || (a.lengths && a.isReverse && a.time == length - 1));
        return;
    }
    float* gates = a.gates + (int64)row * G * a.hidden + unit;
#pragma unroll
    for (int g = 0; g < G; g++) gates[(int64)g * a.hidden] = 0;
    if (Cell::Apart) a.kept[at] = 0;
    a.dState[at] = carried;
    if (a.dCell) a.dCell[at] = a.cellIn ? a.cellIn[at] : 0.0f;
}

template <class Cell>
DEVICE void backward(const RecurrenceBackwardArguments& a) {
    enum { G = Cell::Gates };
    __shared__ float gradients[ROWS * PAD];
    __shared__ float weights[BACK_UNITS * PAD];
    int row0 = blockIdx.y * ROWS, unit0 = blockIdx.x * BACK_UNITS;
    int unit = threadIdx.x % 16, row = threadIdx.x / 16, width = G * a.hidden, joined = width - Cell::Apart * a.hidden;
    float sums[4] = {0, 0, 0, 0};
    for (int depth = 0; a.behind && depth < width; depth += DEPTH) {
        __syncthreads();
        for (int i = threadIdx.x; i < ROWS * DEPTH; i += THREADS) {
            int r = row0 + i / DEPTH, k = depth + i % DEPTH;
            float value = 0;
            if (r < a.batch && k < width) {
                value = Cell::Apart && k >= joined ? a.keptBehind[(int64)r * a.hidden + k - joined] : a.behind[(int64)r * width + k];
            }
            gradients[i / DEPTH * PAD + i % DEPTH] = value;
        }
        for (int i = threadIdx.x; i < BACK_UNITS * DEPTH; i += THREADS) {
            int u = unit0 + i / DEPTH, k = depth + i % DEPTH;
            weights[i / DEPTH * PAD + i % DEPTH] = u < a.hidden && k < width ? a.weight[(int64)u * width + k] : 0.0f;
        }
        __syncthreads();
        float parts[4] = {0, 0, 0, 0};
        for (int k = 0; k < DEPTH; k++) {
            float d0 = gradients[row * PAD + k], d1 = gradients[(row + 16) * PAD + k];
            float w0 = weights[unit * PAD + k], w1 = weights[(unit + 16) * PAD + k];
            parts[0] = multiplyAdd(d0, w0, parts[0]);
            parts[1] = multiplyAdd(d0, w1, parts[1]);
            parts[2] = multiplyAdd(d1, w0, parts[2]);
            parts[3] = multiplyAdd(d1, w1, parts[3]);
        }
#pragma unroll
        for (int i = 0; i < 4; i++) sums[i] += parts[i];
    }
    backwardOne<Cell>(a, row0 + row, unit0 + unit, sums[0]);
    backwardOne<Cell>(a, row0 + row, unit0 + unit + 16, sums[1]);
    backwardOne<Cell>(a, row0 + row + 16, unit0 + unit, sums[2]);
    backwardOne<Cell>(a, row0 + row + 16, unit0 + unit + 16, sums[3]);
}

KERNEL __launch_bounds__(THREADS) void recurrence_backward_lstm(RecurrenceBackwardArguments a) { backward<LstmGradient>(a); }
KERNEL __launch_bounds__(THREADS) void recurrence_backward_gru(RecurrenceBackwardArguments a) { backward<GruGradient>(a); }
KERNEL __launch_bounds__(THREADS) void recurrence_backward_tanh(RecurrenceBackwardArguments a) { backward<SimpleGradient<Tanh>>(a); }
KERNEL __launch_bounds__(THREADS) void recurrence_backward_relu(RecurrenceBackwardArguments a) { backward<SimpleGradient<Relu>>(a); }

#define BIAS_COLUMNS 128
#define BIAS_WARPS 32

// The sums of the columns first to end of x [rows, width], in shared memory. Each warp's rows begin alike within a sector, so its lanes are moved back to
// it once, and a block has up to seven columns less than they could take.
DEVICE void sumOfColumns(const float* x, int64 rows, int width, int first, int end, float (*parts)[BIAS_COLUMNS], float* sums) {
    int warp = threadIdx.x >> 5, place = (int)(threadIdx.x & 31) - shiftOf(x + (int64)warp * width + first), columns = end - first;
    double sum[BIAS_COLUMNS / 32];
#pragma unroll
    for (int k = 0; k < BIAS_COLUMNS / 32; k++) sum[k] = 0;
    for (int64 row = warp; row < rows; row += BIAS_WARPS) {
        const float* from = x + row * width + first + place;
#pragma unroll
        for (int k = 0; k < BIAS_COLUMNS / 32; k++) {
            if (place + 32 * k >= 0 && place + 32 * k < columns) sum[k] += from[32 * k];
        }
    }
#pragma unroll
    for (int k = 0; k < BIAS_COLUMNS / 32; k++) {
        if (place + 32 * k >= 0 && place + 32 * k < columns) parts[warp][place + 32 * k] = (float)sum[k];
    }
    __syncthreads();
    int column = threadIdx.x;
    if (column < columns) {
        float total = 0;
        for (int i = 0; i < BIAS_WARPS; i++) total += parts[i][column];
        sums[column] = total;
    }
    __syncthreads();
}

// The biases' gradients: column sums of gates [rows, width]; the states' bias takes those of kept from joined on.
KERNEL void __launch_bounds__(32 * BIAS_WARPS) recurrence_bias(RecurrenceBiasArguments a) {
    __shared__ float parts[BIAS_WARPS][BIAS_COLUMNS], totals[BIAS_COLUMNS], others[BIAS_COLUMNS];
    int first = blockIdx.x * a.columns, end = smaller(a.width, first + a.columns), apart = larger(first, a.joined);
    sumOfColumns(a.gates, a.rows, a.width, first, end, parts, totals);
    if (end > apart) sumOfColumns(a.kept, a.rows, a.width - a.joined, apart - a.joined, end - a.joined, parts, others);
    int column = first + threadIdx.x;
    if (column >= end) return;
    float total = totals[threadIdx.x];
    // Where both biases are one vector, its later place writes and the other adds.
    if (a.dState) put(a.dState + column, column >= apart ? others[column - apart] : total, a.accumulateState);
    if (a.dInput) put(a.dInput + column, total, a.accumulateInput);
}

// The rows of each sequence's last step; zeros where it has none.
KERNEL void recurrence_ends(RecurrenceFirstArguments a) {
    int64 i = (int64)blockIdx.x * THREADS + threadIdx.x;
    if (i >= (int64)a.batch * a.columns) return;
    int64 row = i / a.columns, step = a.lengths[row] - 1;
    a.y[i] = step < 0 ? 0.0f : a.rows[(step * a.batch + row) * a.columns + i % a.columns];
}

// y (=|+=) x: the gradient of a first cell.
KERNEL void recurrence_add(RecurrenceAddArguments a) {
    int64 i = (int64)blockIdx.x * THREADS + threadIdx.x;
    if (i < a.count) put(a.y + i, a.x[i], a.accumulate);
}

// 32 rows and 32 units of a gate: from ours to cuDNN's.
DEVICE void packTile(const float* weight, int rows, int hidden, int gates, int gate, int row0, int unit0, float* matrix, float* tile) {
    int lane = threadIdx.x & 31;
    for (int i = threadIdx.x >> 5; i < 32; i += THREADS / 32) {
        int row = row0 + i, unit = unit0 + lane;
        if (row < rows && unit < hidden) tile[i * PAD + lane] = weight[((int64)row * gates + gate) * hidden + unit];
    }
    __syncthreads();
    for (int i = threadIdx.x >> 5; i < 32; i += THREADS / 32) {
        int row = row0 + lane, unit = unit0 + i;
        if (row < rows && unit < hidden) matrix[(int64)unit * rows + row] = tile[lane * PAD + i];
    }
    __syncthreads();
}

// The way back, of gradients.
DEVICE void unpackTile(float* weight, int rows, int hidden, int gates, int gate, int row0, int unit0, const float* matrix, float* tile,
                       int accumulate) {
    int lane = threadIdx.x & 31;
    for (int i = threadIdx.x >> 5; i < 32; i += THREADS / 32) {
        int row = row0 + lane, unit = unit0 + i;
        if (row < rows && unit < hidden) tile[lane * PAD + i] = matrix[(int64)unit * rows + row];
    }
    __syncthreads();
    for (int i = threadIdx.x >> 5; i < 32; i += THREADS / 32) {
        int row = row0 + i, unit = unit0 + lane;
        if (row < rows && unit < hidden) put(weight + ((int64)row * gates + gate) * hidden + unit, tile[i * PAD + lane], accumulate);
    }
    __syncthreads();
}

// A block has 32 units of one gate, and 32 rows of both weights; the last row of blocks has the biases.
KERNEL __launch_bounds__(THREADS) void recurrence_pack(RecurrenceWeightsArguments a) {
    __shared__ float tile[32 * PAD];
    int tiles = (a.hidden + 31) / 32, gate = blockIdx.x / tiles, unit0 = blockIdx.x % tiles * 32, row0 = blockIdx.y * 32;
    if (blockIdx.y < gridDim.y - 1) {
        if (row0 < a.inputs) packTile(a.inputWeight, a.inputs, a.hidden, a.gates, gate, row0, unit0, a.space + a.matrices[gate], tile);
        if (row0 < a.hidden) {
            packTile(a.hiddenWeight, a.hidden, a.hidden, a.gates, gate, row0, unit0, a.space + a.matrices[a.gates + gate], tile);
        }
        return;
    }
    int unit = unit0 + threadIdx.x;
    if (threadIdx.x >= 32 || unit >= a.hidden || !a.inputBias) return;
    a.space[a.biases[gate] + unit] = a.inputBias[gate * a.hidden + unit];
    a.space[a.biases[a.gates + gate] + unit] = a.hiddenBias[gate * a.hidden + unit];
}

// Where both weights, or both biases, are one tensor, its later place writes and the other adds, in the same threads.
KERNEL __launch_bounds__(THREADS) void recurrence_unpack(RecurrenceWeightsArguments a) {
    __shared__ float tile[32 * PAD];
    int tiles = (a.hidden + 31) / 32, gate = blockIdx.x / tiles, unit0 = blockIdx.x % tiles * 32, row0 = blockIdx.y * 32;
    if (blockIdx.y < gridDim.y - 1) {
        if (a.hiddenWeight && row0 < a.hidden) {
            unpackTile(a.hiddenWeight, a.hidden, a.hidden, a.gates, gate, row0, unit0, a.space + a.matrices[a.gates + gate], tile,
                       a.accumulateHiddenWeight);
        }
        if (a.inputWeight && row0 < a.inputs) {
            unpackTile(a.inputWeight, a.inputs, a.hidden, a.gates, gate, row0, unit0, a.space + a.matrices[gate], tile,
                       a.accumulateInputWeight);
        }
        return;
    }
    int unit = unit0 + threadIdx.x;
    if (threadIdx.x >= 32 || unit >= a.hidden) return;
    if (a.hiddenBias) put(a.hiddenBias + gate * a.hidden + unit, a.space[a.biases[a.gates + gate] + unit], a.accumulateHiddenBias);
    if (a.inputBias) put(a.inputBias + gate * a.hidden + unit, a.space[a.biases[gate] + unit], a.accumulateInputBias);
}

// Steps in the same order or in the other: y[s] (=|+=) x[s or T - 1 - s].
KERNEL __launch_bounds__(THREADS) void recurrence_turn(RecurrenceTurnArguments a) {
    int step = blockIdx.x / a.blocks;
    int64 i = (int64)(blockIdx.x % a.blocks) * THREADS + threadIdx.x;
    if (i >= a.row) return;
    put(a.y + step * a.row + i, a.x[(a.isReverse ? a.steps - 1 - step : step) * a.row + i], a.accumulate);
}
