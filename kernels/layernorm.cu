// Normalization of rows [rows, length] (Kernels/Normalizations/LayerNorm.cs): forward y = (x - mean) scale weight + bias with the statistics of each row, 8 bytes
// per element; backward dX (=|+=) scale (dY weight - sum / n - normalized product / n), 12 or 16, and the sums over rows for the parameters: a block leaves
// a part of each, 8 bytes per column, and the last block adds them in their order. y may be x, and dX dY where it does not add.
// A row stays in registers: short ones (up to 1024 elements, backward 256) in one warp's, eight rows to a block at a time, longer ones in a block's. Those of
// more than 4096 elements are read again, three times forward and twice backward. A block takes 16 rows or more, so that weights are read for them once.
// Rows of up to 128 that begin within sectors would share too many of these: a block's come to shared memory as one run, and leave it as one.
// The residual kernels first add: sum = (x + a bias) + residual, whose rows may repeat, is normalized and kept; x may be rows of a table; backward the gradient that sum has from others
// is added to what normalizing gives it, and all of it goes to x, to the residual (=|+=) and, summed over rows, to the bias: 16 bytes per element each way,
// in place of three launches that move 40. A residual that repeats is read once for several repetitions: from registers, or, where rows
// begin within sectors, from shared memory, since each repetition may begin elsewhere within one.
#include "rows.cuh"

#define WARPS 8
#define ROWS 16
#define MOST_ROWS 64  // of a forward block
#define SHORT_ROWS 32
#define SHORT 128
#define LEAST_RESIDUAL 8  // rows of a residual of which a block of short rows may have some

// The rows of a block that adds first, as long as they are: all, or the residual's.
extern __shared__ __align__(16) float rowTile[];

struct LayerNormArguments {
    const float* x;
    const float* weight;  // or null
    const float* bias;    // or null
    float* mean;          // null: rows are not centered
    float* scale;
    float* y;
    const float* xBias;     // of the residual kernels alone; or null
    const void* indices;    // which rows of x, a table; or null
    const float* residual;  // [residualRows, length]
    float* sum;
    int rows;
    int length;
    int residualRows;
    int tableRows;
    int wide;               // indices of 64 bits
    float eps;
    int rowsPerBlock;       // with all repetitions up to MOST_ROWS
    int bandRows;           // which blocks count: rows, or residualRows where a block has several repetitions of these
    int repeats;            // such repetitions of a block
    int isStaged;           // of longer rows, which begin within sectors: shared memory has the residual's, one for each warp or the block
};

struct LayerNormBackwardArguments {
    const float* x;
    const float* weight;  // or null
    const float* mean;    // null: rows are not centered
    const float* scale;
    const float* dY;
    float* dX;            // or null
    float* parts;         // [blocks, kinds, pitch]: dY normalized, dY, what x gets; or null
    float* dWeight;       // or null
    float* dBias;         // or null
    uint32* tickets;
    const float* dSum;    // of the residual kernels alone; or null
    float* dResidual;     // or null
    float* dXBias;        // or null; its sums are a part's third
    int rows;
    int length;
    int rowsPerPart;
    int partsPerGroup;
    int accumulate;
    int accumulateWeight;
    int accumulateBias;
    int accumulateResidual;
    int accumulateXBias;
    int kinds;            // sums of a part: 2 or 3
};

// Who shares a row: a warp, or the block.
struct Warp {
    DEVICE static int lane() { return threadIdx.x & 31; }
    DEVICE static int lanes() { return 32; }
    DEVICE static int group() { return threadIdx.x >> 5; }
    DEVICE static int groups() { return blockDim.x >> 5; }
    DEVICE static float sum(float value) { return warpSum(value); }
    template <int ITEMS>
    using Columns = WholeRow<ITEMS>;
};

struct Block {
    DEVICE static int lane() { return threadIdx.x; }
    DEVICE static int lanes() { return blockDim.x; }
    DEVICE static int group() { return 0; }
    DEVICE static int groups() { return 1; }
    DEVICE static float sum(float value) { return (float)blockSum(value); }
    template <int ITEMS>
    using Columns = PartOfRow<ITEMS>;
};

// Elements first + k lanes of a row; lanes in front of the row do nothing.
template <class Lanes, int ITEMS>
struct SharedRow {
    int first;
    int length;

    DEVICE SharedRow(const float* row, int length) : first(Lanes::lane() - shiftOf(row)), length(length) {}

    DEVICE int column(int k) const { return first + k * Lanes::lanes(); }

    DEVICE bool holds(int k) const { return column(k) >= 0 && column(k) < length; }
};

// What belongs to columns, read once by the block.
DEVICE void loadColumns(float* shared, const float* source, int length, float otherwise) {
    for (int i = threadIdx.x; i < length; i += blockDim.x) shared[i] = source ? source[i] : otherwise;
}

// Where a row of x begins; -1: the table has none of this number.
DEVICE int64 termOf(const LayerNormArguments& a, int row) {
    if (!a.indices) return (int64)row * a.length;
    int64 index = a.wide ? ((const int64*)a.indices)[row] : ((const int*)a.indices)[row];
    return index >= 0 && index < a.tableRows ? index * a.length : -1;
}

// The rows of a forward block: rowsPerBlock neighbors of those that it counts, all rows, or the residual's where these repeat. Then it has the same ones of
// several repetitions, so that the residual is read once for these.
template <bool RESIDUAL>
struct Band {
    int first, rows, all, repeat, repeats;

    DEVICE explicit Band(const LayerNormArguments& a) : all(a.bandRows) {
        int bands = (all - 1) / a.rowsPerBlock + 1, slice = blockIdx.x / bands;
        first = (blockIdx.x - slice * bands) * a.rowsPerBlock;
        rows = smaller(all - first, a.rowsPerBlock);
        repeat = slice * a.repeats;
        repeats = RESIDUAL ? smaller(a.rows / all - repeat, a.repeats) : 1;
    }

    DEVICE int row(int repetition, int i) const { return (RESIDUAL ? (repeat + repetition) * all : 0) + first + i; }
};

// Where a repetition's rows are in a tile: on 16 bytes.
DEVICE int tileOf(const LayerNormArguments& a, int repetition) { return repetition * ((a.rowsPerBlock * a.length + 3) & ~3); }

// The rows of a table that the indices name, a warp each.
DEVICE void loadTerms(const LayerNormArguments& a, const Band<true>& band, float* tile) {
    __shared__ int64 origins[MOST_ROWS];
    int count = band.rows * band.repeats;
    if ((int)threadIdx.x < count) origins[threadIdx.x] = termOf(a, band.row(threadIdx.x / band.rows, threadIdx.x % band.rows));
    __syncthreads();
    for (int i = Warp::group(); i < count; i += Warp::groups()) {
        int64 from = origins[i];
        float* to = tile + tileOf(a, i / band.rows) + i % band.rows * a.length;
        SharedRow<Warp, SHORT / 32 + 1> row(from >= 0 ? a.x + from : nullptr, a.length);
#pragma unroll
        for (int k = 0; k < SHORT / 32 + 1; k++) {
            if (row.holds(k)) to[row.column(k)] = from >= 0 ? a.x[from + row.column(k)] : quietNaN();
        }
    }
}

// tile = sum = (x + a bias) + residual, of rows that are one run for each repetition. Where a residual repeats, its rows come to shared memory: those of the
// band, or all of fewer than eight, with the first again behind them, so that a warp's places follow one another.
DEVICE void addResidual(const LayerNormArguments& a, const Band<true>& band, float* tile, float* residual, const float* xBias) {
    bool isShort = a.residualRows < LEAST_RESIDUAL, isStaged = isShort || a.repeats > 1;
    if (a.indices) {
        loadTerms(a, band, tile);
    } else {
        for (int k = 0; k < band.repeats; k++) loadTile(tile + tileOf(a, k), a.x + (int64)band.row(k, 0) * a.length, band.rows * a.length);
    }
    int count = band.rows * a.length, period = a.residualRows * a.length, start = isShort ? band.first % a.residualRows * a.length : 0;
    if (isShort) {
        for (int i = threadIdx.x; i < period + 32; i += blockDim.x) residual[i] = a.residual[i % period];
    } else if (isStaged) {
        loadTile(residual, a.residual + (int64)band.first * a.length, band.rows * a.length);
    }
    __syncthreads();
    if (a.xBias) {
        for (int i = Warp::group(); i < band.rows * band.repeats; i += Warp::groups()) {
            float* row = tile + tileOf(a, i / band.rows) + i % band.rows * a.length;
            for (int column = Warp::lane(); column < a.length; column += 32) row[column] += xBias[column];
        }
        __syncthreads();
    }
    for (int k = 0; k < band.repeats; k++) {
        int64 origin = (int64)band.row(k, 0) * a.length;
        float *sum = a.sum + origin, *values = tile + tileOf(a, k);
        for (int i = (int)threadIdx.x - shiftOf(sum); i < count; i += blockDim.x) {
            if (i < 0) continue;
            int lane = smaller(Warp::lane(), i), place = isShort ? (start + i - lane) % period + lane : i;
            float value = values[i] + (isStaged ? residual[place] : a.residual[origin + i]);
            values[i] = value;
            sum[i] = value;
        }
    }
    __syncthreads();
}

// A row of the residual, by those who share rows, for all repetitions of a band.
template <class Lanes, int ITEMS, class Band>
DEVICE void stageResidual(const LayerNormArguments& a, const Band& band, int i, float* residual) {
    if (i >= band.rows) return;
    const float* from = a.residual + (int64)band.row(0, i) % a.residualRows * a.length;
    float* to = residual + i % Lanes::groups() * a.length;
    SharedRow<Lanes, ITEMS> row(from, a.length);
#pragma unroll
    for (int k = 0; k < ITEMS; k++) {
        if (row.holds(k)) to[row.column(k)] = from[row.column(k)];
    }
}

template <class Lanes, int ITEMS, bool RESIDUAL, bool SHARED>
DEVICE void forwardRows(const LayerNormArguments& a, float* weight, float* bias, float* xBias, float* tile, float* residual) {
    __shared__ float means[MOST_ROWS], scales[MOST_ROWS];
    Band<RESIDUAL> band(a);
    if (RESIDUAL) loadColumns(xBias, a.xBias, a.length, 0);
    loadColumns(weight, a.weight, a.length, 1);
    loadColumns(bias, a.bias, a.length, 0);
    if (SHARED && !RESIDUAL) loadTile(tile, a.x + (int64)band.first * a.length, band.rows * a.length);
    __syncthreads();
    if constexpr (SHARED && RESIDUAL) addResidual(a, band, tile, residual, xBias);
    float inverse = 1.0f / a.length;
    bool isStaged = RESIDUAL && !SHARED && a.isStaged;
    if (isStaged) {
        stageResidual<Lanes, ITEMS>(a, band, Lanes::group(), residual);
        __syncthreads();
    }
    // Warps take neighbors, or, where a block has fewer, several repetitions of one.
    int across = RESIDUAL ? smaller(a.rowsPerBlock, Lanes::groups()) : Lanes::groups(), down = Lanes::groups() / across;
    for (int i = Lanes::group() % across; i < band.rows; i += across) {
        float added[ITEMS];
        if (RESIDUAL && !SHARED && !isStaged) {
            SharedRow<Lanes, ITEMS> row(a.sum + (int64)band.row(0, i) * a.length, a.length);
            const float* from = a.residual + (int64)(band.row(0, i) % a.residualRows) * a.length;
#pragma unroll
            for (int k = 0; k < ITEMS; k++) added[k] = row.holds(k) ? from[row.column(k)] : 0.0f;
        }
        for (int repetition = Lanes::group() / across; repetition < band.repeats; repetition += down) {
            int at = band.row(repetition, i);
            int64 origin = (int64)at * a.length, from = RESIDUAL && !SHARED ? termOf(a, at) : origin;
            float* shared = tile + (RESIDUAL ? tileOf(a, repetition) : 0) + i * a.length;
            const float* source = SHARED ? shared : a.x + from;
            float* y = SHARED ? shared : a.y + origin;
            SharedRow<Lanes, ITEMS> row(SHARED ? nullptr : (RESIDUAL ? a.sum : a.x) + origin, a.length);
            float x[ITEMS], sum = 0, squares = 0, mean = 0;
            if (isStaged) {
                const float* staged = residual + i % Lanes::groups() * a.length + row.first;
#pragma unroll
                for (int k = 0; k < ITEMS; k++) added[k] = row.holds(k) ? staged[k * Lanes::lanes()] : 0.0f;
            }
#pragma unroll
            for (int k = 0; k < ITEMS; k++) {
                x[k] = row.holds(k) && (!RESIDUAL || from >= 0) ? source[row.column(k)] : 0.0f;
                if (RESIDUAL && !SHARED && row.holds(k)) {
                    if (from < 0) x[k] = quietNaN();
                    x[k] = (x[k] + xBias[row.column(k)]) + added[k];
                    a.sum[origin + row.column(k)] = x[k];
                }
                sum += x[k];
            }
            if (a.mean) mean = Lanes::sum(sum) * inverse;
#pragma unroll
            for (int k = 0; k < ITEMS; k++) {
                x[k] -= mean;
                squares += row.holds(k) ? x[k] * x[k] : 0.0f;
            }
            float scale = 1.0f / squareRoot(multiplyAdd(Lanes::sum(squares), inverse, a.eps));
#pragma unroll
            for (int k = 0; k < ITEMS; k++) {
                int column = row.column(k);
                if (row.holds(k)) y[column] = multiplyAdd(x[k] * scale, weight[column], bias[column]);
            }
            if (Lanes::lane() == 0) {
                means[repetition * a.rowsPerBlock + i] = mean;
                scales[repetition * a.rowsPerBlock + i] = scale;
            }
        }
        // A block has its rows one by one, of which all threads have read the last when these have summed it up; warps have theirs all at once.
        if (isStaged && Lanes::groups() == 1 && i + 1 < band.rows) {
            stageResidual<Lanes, ITEMS>(a, band, i + 1, residual);
            __syncthreads();
        }
    }
    __syncthreads();
    for (int k = 0; SHARED && k < band.repeats; k++) {
        storeTile(a.y + (int64)band.row(k, 0) * a.length, tile + (RESIDUAL ? tileOf(a, k) : 0), band.rows * a.length, false);
    }
    int repetition = (int)threadIdx.x / a.rowsPerBlock, i = (int)threadIdx.x - repetition * a.rowsPerBlock;
    if (repetition < band.repeats && i < band.rows) {
        a.scale[band.row(repetition, i)] = scales[threadIdx.x];
        if (a.mean) a.mean[band.row(repetition, i)] = means[threadIdx.x];
    }
}

#define FORWARD(name, Lanes, ITEMS, THREADS)                                               \
    KERNEL void __launch_bounds__(THREADS) layernorm_forward_##name(LayerNormArguments a) { \
        __shared__ float weight[name], bias[name];                                         \
        forwardRows<Lanes, ITEMS, false, false>(a, weight, bias, nullptr, nullptr, nullptr); \
    }

#define RESIDUAL_FORWARD(name, Lanes, ITEMS, THREADS)                                                \
    KERNEL void __launch_bounds__(THREADS) layernorm_residual_forward_##name(LayerNormArguments a) { \
        __shared__ float weight[name], bias[name], xBias[name];                                      \
        forwardRows<Lanes, ITEMS, true, false>(a, weight, bias, xBias, nullptr, rowTile);            \
    }

FORWARD(128, Warp, 4, 256)
FORWARD(256, Warp, 8, 256)
FORWARD(512, Warp, 16, 256)
FORWARD(1024, Warp, 32, 256)
FORWARD(2048, Block, 8, 256)
FORWARD(4096, Block, 8, 512)
RESIDUAL_FORWARD(128, Warp, 4, 256)
RESIDUAL_FORWARD(256, Warp, 8, 256)
RESIDUAL_FORWARD(512, Warp, 16, 256)
RESIDUAL_FORWARD(1024, Block, 4, 256)
RESIDUAL_FORWARD(2048, Block, 8, 256)

KERNEL void __launch_bounds__(256) layernorm_forward_short(LayerNormArguments a) {
    __shared__ float weight[SHORT], bias[SHORT];
    __shared__ __align__(16) float tile[SHORT_ROWS * SHORT];
    forwardRows<Warp, SHORT / 32, false, true>(a, weight, bias, nullptr, tile, nullptr);
}

KERNEL void __launch_bounds__(256) layernorm_residual_forward_short(LayerNormArguments a) {
    __shared__ float weight[SHORT], bias[SHORT], xBias[SHORT];
    __shared__ __align__(16) float residual[LEAST_RESIDUAL * SHORT];
    forwardRows<Warp, SHORT / 32, true, true>(a, weight, bias, xBias, rowTile, residual);
}

KERNEL void __launch_bounds__(1024) layernorm_forward_long(LayerNormArguments a) {
    int64 origin = (int64)blockIdx.x * a.length;
    const float* x = a.x + origin;
    int first = (int)threadIdx.x - shiftOf(x);
    first += first < 0 ? (int)blockDim.x : 0;
    float inverse = 1.0f / a.length, sum = 0, squares = 0, mean = 0;
    if (a.mean) {
        for (int i = first; i < a.length; i += blockDim.x) sum += x[i];
        mean = (float)(blockSum(sum) * inverse);
    }
    for (int i = first; i < a.length; i += blockDim.x) squares += (x[i] - mean) * (x[i] - mean);
    float scale = 1.0f / squareRoot(multiplyAdd((float)blockSum(squares), inverse, a.eps));
    for (int i = first; i < a.length; i += blockDim.x) {
        a.y[origin + i] = multiplyAdd((x[i] - mean) * scale, a.weight ? a.weight[i] : 1.0f, a.bias ? a.bias[i] : 0.0f);
    }
    if (threadIdx.x == 0) {
        a.scale[blockIdx.x] = scale;
        if (a.mean) a.mean[blockIdx.x] = mean;
    }
}

// Columns of a part's sums, which begin with a sector each.
DEVICE int pitchOf(const LayerNormBackwardArguments& a) { return (a.length + 7) & ~7; }

// A sum over all rows where it belongs.
DEVICE void putSum(const LayerNormBackwardArguments& a, int kind, int column, float sum) {
    float* gradient = kind == 0 ? a.dWeight : kind == 1 ? a.dBias : a.dXBias;
    int accumulate = kind == 0 ? a.accumulateWeight : kind == 1 ? a.accumulateBias : a.accumulateXBias;
    if (gradient) put(gradient + column, sum, accumulate);
}

// A sum over the block's rows: in its part, or, where there is one block, where it belongs.
DEVICE void leaveSum(const LayerNormBackwardArguments& a, int kind, int column, float sum) {
    if (gridDim.x == 1) {
        putSum(a, kind, column, sum);
    } else {
        a.parts[((int64)blockIdx.x * a.kinds + kind) * pitchOf(a) + column] = sum;
    }
}

// Adds so many parts, which are so many parts apart, and puts the sums in the first one's place or where they belong.
DEVICE void sumParts(const LayerNormBackwardArguments& a, int first, int count, int apart, bool isLast) {
    int pitch = pitchOf(a), columns = a.kinds * pitch;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        int kind = i / pitch, column = i - kind * pitch;
        if (column >= a.length) continue;
        volatile float* from = a.parts + (int64)first * columns + i;
        double sum = 0;
#pragma unroll 4
        for (int part = 0; part < count; part++) sum += from[(int64)part * apart * columns];
        if (isLast) {
            putSum(a, kind, column, (float)sum);
        } else {
            *from = (float)sum;
        }
    }
}

// The last block of a group of neighbors adds their parts in order, and the last of these the groups': none adds more than the square root of all.
DEVICE void joinParts(const LayerNormBackwardArguments& a) {
    int group = blockIdx.x / a.partsPerGroup, first = group * a.partsPerGroup, groups = (gridDim.x - 1) / a.partsPerGroup + 1;
    int members = (int)gridDim.x - first < a.partsPerGroup ? (int)gridDim.x - first : a.partsPerGroup;
    if (!isLastOf(a.tickets + 1 + group, members)) return;
    sumParts(a, first, members, 1, groups == 1);
    if (groups > 1 && isLastOf(a.tickets, groups)) sumParts(a, 0, groups, a.partsPerGroup, true);
}

// The block's rows, 16 statistics at a time.
template <class Lanes, int ITEMS, bool RESIDUAL, bool SHARED>
DEVICE void backwardRows(const LayerNormBackwardArguments& a, float* shared, float* xTile, float* dYTile, float* dSumTile) {
    __shared__ float means[ROWS], scales[ROWS];
    int64 start = (int64)blockIdx.x * a.rowsPerPart;
    int count = a.rows - start < a.rowsPerPart ? (int)(a.rows - start) : a.rowsPerPart;
    typename Lanes::template Columns<ITEMS> row(a.length, SHARED ? nullptr : a.x + (start + Lanes::group()) * a.length);
    float inverse = 1.0f / a.length;
    float products[ITEMS], sums[ITEMS], all[ITEMS];
#pragma unroll
    for (int k = 0; k < ITEMS; k++) products[k] = sums[k] = all[k] = 0;
    loadColumns(shared, a.weight, a.length, 1);
    for (int band = 0; band < count; band += ROWS) {
        int end = count - band < ROWS ? count - band : ROWS;
        int64 run = (start + band) * a.length;
        __syncthreads();
        if (SHARED) {
            loadTile(xTile, a.x + run, end * a.length);
            if (!RESIDUAL || a.dY) loadTile(dYTile, a.dY + run, end * a.length);
            if (RESIDUAL && a.dSum) loadTile(dSumTile, a.dSum + run, end * a.length);
        }
        if ((int)threadIdx.x < end) {
            scales[threadIdx.x] = a.scale[start + band + threadIdx.x];
            means[threadIdx.x] = a.mean ? a.mean[start + band + threadIdx.x] : 0.0f;
        }
        __syncthreads();
        for (int i = Lanes::group(); i < end; i += Lanes::groups()) {
            int64 origin = (start + band + i) * a.length;
            float mean = means[i], scale = scales[i], sum = 0, product = 0;
            float normalized[ITEMS], given[ITEMS];
            row.load(normalized, SHARED ? xTile + i * a.length : a.x + origin);
            if (!RESIDUAL || a.dY) {
                row.load(given, SHARED ? dYTile + i * a.length : a.dY + origin);
            } else {
#pragma unroll
                for (int k = 0; k < ITEMS; k++) given[k] = 0;
            }
#pragma unroll
            for (int k = 0; k < ITEMS; k++) {
                normalized[k] = row.holds(k) ? (normalized[k] - mean) * scale : 0.0f;
                products[k] = multiplyAdd(given[k], normalized[k], products[k]);
                sums[k] += given[k];
                given[k] = row.holds(k) ? given[k] * shared[row.column(k)] : 0.0f;
                sum += given[k];
                product = multiplyAdd(given[k], normalized[k], product);
            }
            if (!RESIDUAL && !a.dX) continue;
            product = Lanes::sum(product) * inverse;
            sum = a.mean ? Lanes::sum(sum) * inverse : 0.0f;
#pragma unroll
            for (int k = 0; k < ITEMS; k++) given[k] = scale * (given[k] - multiplyAdd(normalized[k], product, sum));
            if (!RESIDUAL) {
                row.store(SHARED ? dYTile + i * a.length : a.dX + origin, given, !SHARED && a.accumulate);
                continue;
            }
            if (a.dSum) {
                row.load(normalized, SHARED ? dSumTile + i * a.length : a.dSum + origin);
#pragma unroll
                for (int k = 0; k < ITEMS; k++) given[k] += normalized[k];
            }
#pragma unroll
            for (int k = 0; k < ITEMS; k++) all[k] += row.holds(k) ? given[k] : 0.0f;
            if (SHARED) {
                row.store(dYTile + i * a.length, given, false);
                continue;
            }
            if (a.dX) row.store(a.dX + origin, given, false);
            if (a.dResidual) row.store(a.dResidual + origin, given, a.accumulateResidual);
        }
        if (SHARED) {
            __syncthreads();
            if (a.dX) storeTile(a.dX + run, dYTile, end * a.length, !RESIDUAL && a.accumulate);
            if (RESIDUAL && a.dResidual) storeTile(a.dResidual + run, dYTile, end * a.length, a.accumulateResidual);
        }
    }
    if (!a.parts) return;
    if (Lanes::groups() == 1) {
#pragma unroll
        for (int k = 0; k < ITEMS; k++) {
            if (!row.holds(k)) continue;
            leaveSum(a, 0, row.column(k), products[k]);
            leaveSum(a, 1, row.column(k), sums[k]);
            if (RESIDUAL) leaveSum(a, 2, row.column(k), all[k]);
        }
    } else {
        // The warps in their order, first the products, then the sums.
        for (int kind = 0; kind < (RESIDUAL ? 3 : 2); kind++) {
            for (int warp = 0; warp < Lanes::groups(); warp++) {
                __syncthreads();
                if (Lanes::group() == warp) {
#pragma unroll
                    for (int k = 0; k < ITEMS; k++) {
                        float value = kind == 0 ? products[k] : kind == 1 ? sums[k] : all[k];
                        if (row.holds(k)) shared[row.column(k)] = warp == 0 ? value : shared[row.column(k)] + value;
                    }
                }
            }
            __syncthreads();
            for (int column = threadIdx.x; column < a.length; column += blockDim.x) leaveSum(a, kind, column, shared[column]);
        }
    }
    if (gridDim.x > 1) joinParts(a);
}

#define BACKWARD(name, Lanes, ITEMS, THREADS)                                                          \
    KERNEL void __launch_bounds__(THREADS, 512 / THREADS) layernorm_backward_##name(LayerNormBackwardArguments a) { \
        __shared__ float shared[name];                                                                 \
        backwardRows<Lanes, ITEMS, false, false>(a, shared, nullptr, nullptr, nullptr);                \
    }

#define RESIDUAL_BACKWARD(name, Lanes, ITEMS, THREADS)                                                              \
    KERNEL void __launch_bounds__(THREADS, 512 / THREADS) layernorm_residual_backward_##name(LayerNormBackwardArguments a) { \
        __shared__ float shared[name];                                                                              \
        backwardRows<Lanes, ITEMS, true, false>(a, shared, nullptr, nullptr, nullptr);                              \
    }

BACKWARD(128, Warp, 4, 256)
BACKWARD(256, Warp, 8, 256)
BACKWARD(512, Block, 8, 64)
BACKWARD(1024, Block, 8, 128)
BACKWARD(2048, Block, 8, 256)
BACKWARD(4096, Block, 8, 512)
RESIDUAL_BACKWARD(128, Warp, 4, 256)
RESIDUAL_BACKWARD(256, Warp, 8, 256)
RESIDUAL_BACKWARD(512, Block, 8, 64)
RESIDUAL_BACKWARD(1024, Block, 8, 128)
RESIDUAL_BACKWARD(2048, Block, 8, 256)

KERNEL void __launch_bounds__(256, 2) layernorm_backward_short(LayerNormBackwardArguments a) {
    __shared__ float shared[SHORT];
    __shared__ __align__(16) float xTile[ROWS * SHORT], dYTile[ROWS * SHORT];
    backwardRows<Warp, SHORT / 32, false, true>(a, shared, xTile, dYTile, nullptr);
}

KERNEL void __launch_bounds__(256, 2) layernorm_residual_backward_short(LayerNormBackwardArguments a) {
    __shared__ float shared[SHORT];
    __shared__ __align__(16) float xTile[ROWS * SHORT], dYTile[ROWS * SHORT], dSumTile[ROWS * SHORT];
    backwardRows<Warp, SHORT / 32, true, true>(a, shared, xTile, dYTile, dSumTile);
}

// Rows longer than registers hold, one block per part; the part itself takes the sums.
KERNEL void __launch_bounds__(1024) layernorm_backward_long(LayerNormBackwardArguments a) {
    int64 start = (int64)blockIdx.x * a.rowsPerPart;
    int count = a.rows - start < a.rowsPerPart ? (int)(a.rows - start) : a.rowsPerPart;
    float inverse = 1.0f / a.length;
    int pitch = pitchOf(a);
    float* part = a.parts + (int64)blockIdx.x * 2 * pitch;
    for (int row = 0; row < count; row++) {
        int64 origin = (start + row) * a.length;
        float mean = a.mean ? a.mean[start + row] : 0.0f, scale = a.scale[start + row], sum = 0, product = 0;
        for (int i = threadIdx.x; i < a.length; i += blockDim.x) {
            float dY = a.dY[origin + i], normalized = (a.x[origin + i] - mean) * scale;
            if (a.parts) {
                put(part + i, dY * normalized, row > 0);
                put(part + pitch + i, dY, row > 0);
            }
            float given = dY * (a.weight ? a.weight[i] : 1.0f);
            sum += given;
            product = multiplyAdd(given, normalized, product);
        }
        if (!a.dX) continue;
        product = (float)(blockSum(product) * inverse);
        sum = a.mean ? (float)(blockSum(sum) * inverse) : 0.0f;
        for (int i = threadIdx.x; i < a.length; i += blockDim.x) {
            float given = a.dY[origin + i] * (a.weight ? a.weight[i] : 1.0f), normalized = (a.x[origin + i] - mean) * scale;
            put(a.dX + origin + i, scale * (given - multiplyAdd(normalized, product, sum)), a.accumulate);
        }
    }
    if (a.parts) joinParts(a);
}
