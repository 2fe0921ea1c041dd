// Normalization of channels, the last axis of x [batches, rows, channels] (Kernels/Normalizations/BatchNorm.cs). Statistics read x once, 4 bytes per
// element; forward y = (x - mean) scale weight + bias, with a residual added and clipped at 0 where asked for, 8 bytes or 12; backward sums dY and dY
// normalized over the rows, 8 bytes, 16 where dY is first masked in its place by the sign of y, then dX (=|+=) scale (dY weight - sum - normalized product)
// 12 or 16. y may be x or the residual, and dX dY where it does not add. Where a block's rows fit into registers, statistics and y are one launch that reads
// x once. Groups of several channels, and parameters of several batches, take a launch
// of batchnormgroups.cu more.
// A block walks down a chunk of columns (64, or all of them where there are fewer), several rows at a time, four neighbors to a thread where rows allow it;
// what belongs to a column stays in registers. Blocks that share a chunk's rows leave parts in the workspace, and the last one joins them in their order.
// Where rows begin anywhere within sectors, a thread's rows are those of every eight that begin alike, so that its lanes can be moved back to the sector and
// still have the same columns in all of them; blocks of fewer than eight rows at a time share eight among them, or have the others in a second turn, where
// a block has all of few rows and a few channels more than eight rows at a time allow. Of few columns a step is as many rows as are whole sectors.
#include "batchnorm.cuh"
#include "rows.cuh"

#define ENTRIES 1024
#define BATCH 8
#define MOST_THREADS 1024

// BatchNorm.cs makes it. A period is a number of whole rows that a step covers, more than one only where a single chunk has them all.
struct Strips {
    int64 count;  // elements of a batch
    int n;        // channels
    int period;
    int width;    // positions of a chunk
    int columns;  // threads across a chunk
    int lanes;    // threads down it
    int chunks;
    int steps;    // periods of a batch
    int stepsPerPart;
    int parts;
    int sharing;  // blocks that share every eight rows, a part each; 0 where lanes are not moved
    int turns;    // of a thread, each with a lane of its own
    int unused;
};

template <int PER>
DEVICE void load(float* values, const float* source) {
    if (PER == 4) {
        float4 v = loadFour(source);
        values[0] = v.x;
        values[PER > 1 ? 1 : 0] = v.y;
        values[PER > 2 ? 2 : 0] = v.z;
        values[PER > 3 ? 3 : 0] = v.w;
    } else {
        values[0] = *source;
    }
}

template <int PER>
DEVICE void store(float* destination, const float* values, bool accumulate) {
    if (PER == 4) {
        putFour(destination, values[0], values[PER > 1 ? 1 : 0], values[PER > 2 ? 2 : 0], values[PER > 3 ? 3 : 0], accumulate);
    } else {
        put(destination, values[0], accumulate);
    }
}

template <int PER>
struct Strip {
    const Strips& s;
    const float* x;
    int batch, chunk, part, lane, position, first, end, stride;
    bool inside;

    DEVICE Strip(const Strips& s, const float* x) : s(s), x(x) {
        int rest = blockIdx.x / s.parts;
        part = blockIdx.x - rest * s.parts;
        batch = rest / s.chunks;
        chunk = rest - batch * s.chunks;
        end = endOf(part);
        stride = s.sharing ? 8 : s.lanes;
        take(0);
    }

    // The thread's lane and columns in this turn.
    DEVICE void take(int turn) {
        int all = s.lanes * s.columns / s.turns, thread = threadIdx.x, start = firstOf(part);
        if (PER == 1 && s.chunks == 1 && !s.sharing) {
            // Steps of a block follow one another, so that lanes are moved in a circle.
            thread -= shiftOf(x + batch * s.count + (int64)start * s.period);
            thread += thread < 0 ? all : 0;
        }
        lane = thread / s.columns;
        position = chunk * s.width + (thread - lane * s.columns) * PER;
        lane += turn * (s.lanes / s.turns);
        first = start + lane;
        if (s.sharing) position -= shiftOf(x + batch * s.count + (int64)first * s.period + firstChannel());
        inside = (int)threadIdx.x < all && position >= firstChannel() && position < firstChannel() + positions();
    }

    // The steps of a part: from its first on, those of its lanes.
    DEVICE int firstOf(int which) const {
        return s.sharing ? which / s.sharing * s.stepsPerPart + which % s.sharing * s.lanes : which * s.stepsPerPart;
    }
    DEVICE int endOf(int which) const {
        int last = (s.sharing ? which / s.sharing + 1 : which + 1) * s.stepsPerPart;
        return last < s.steps ? last : s.steps;
    }

    // Where the shared entries of a thread are: its columns of its lane.
    DEVICE int entry() const { return lane * s.columns * PER + position - firstChannel(); }

    // The thread's entries of those of the chunk's positions.
    DEVICE void own(float* values, const float* entries) const { load<PER>(values, entries + position - firstChannel()); }

    // The batch's element of this thread in a step; whether it is there.
    DEVICE int64 element(int step) const { return (int64)step * s.period + position; }
    DEVICE bool holds(int step) const { return step < end && element(step) < s.count; }

    // Rows of a part.
    DEVICE int rowsOf(int which) const {
        int first = firstOf(which), end = endOf(which);
        if (s.sharing) {
            // Of every eight rows the lanes', and as many of the last few as there are.
            int left = end - first, more = left > 0 ? left & 7 : 0;
            return left <= 0 ? 0 : (left >> 3) * s.lanes + (more < s.lanes ? more : s.lanes);
        }
        int64 rows = s.count / s.n, perStep = s.period / s.n, from = first * perStep, to = end * perStep;
        return (int)((to < rows ? to : rows) - from);
    }

    // Numbers of a part for each of two sums, which begin with a sector.
    DEVICE int pitch() const { return (s.n + 7) & ~7; }

    // Channels of the chunk: the thread with this number has one, in the shared entries every n positions of every lane.
    DEVICE int firstChannel() const { return chunk * s.width; }
    DEVICE int channels() const { return s.n - firstChannel() < s.width ? s.n - firstChannel() : s.width; }
    DEVICE int positions() const { return s.period - firstChannel() < s.width ? s.period - firstChannel() : s.width; }
};

template <int PER>
DEVICE void storeShared(float* entries, const Strip<PER>& strip, const float* values) {
    if (strip.inside) store<PER>(entries + strip.entry(), values, false);
}

// What belongs to the channels of a chunk's positions, read once by the block.
template <int PER>
DEVICE void loadChannels(float* entries, const Strip<PER>& strip, const float* source, float otherwise) {
    for (int channel = threadIdx.x; channel < strip.channels(); channel += blockDim.x) {
        float value = source ? source[strip.firstChannel() + channel] : otherwise;
        for (int i = channel; i < strip.positions(); i += strip.s.n) entries[i] = value;
    }
}

struct StatisticsArguments {
    const float* x;
    float* mean;            // [batches, n]
    float* scale;           // of groups of one channel, else the sums of squares about the mean
    float* parts;           // [batches, parts, 2, pitch]
    uint32* tickets;
    const float* running[2];  // mean and variance, or null
    float* updated[2];
    Strips strips;
    float eps;
    float momentum;
    int perGroup;
    int unused;
};

DEVICE float finishMoments(const StatisticsArguments& a, int batch, int channel, double mean, double squares) {
    int64 at = (int64)batch * a.strips.n + channel;
    double terms = (double)(a.strips.count / a.strips.n);
    a.mean[at] = (float)mean;
    if (a.perGroup > 1) {
        a.scale[at] = (float)squares;
        return 0;
    }
    float variance = (float)(squares / terms), scale = 1.0f / squareRoot(variance + a.eps);
    a.scale[at] = scale;
    if (a.running[0]) updateRunning(a.running, a.updated, channel, a.momentum, terms, mean, squares);
    return scale;
}

// With y's side of it, for the launch that has both.
struct WholeArguments {
    StatisticsArguments statistics;
    const float* weight;    // or null
    const float* bias;      // or null
    const float* residual;  // or null
    float* y;
    int relu;
    int unused;
};

// Eight rows at a time by two passes in registers, then joined (Chan et al., 1983): nothing cancels.
// With y's side (WHOLE) these are all rows, which stay in registers.
template <int PER, bool WHOLE, int TURNS>
DEVICE void statistics(const StatisticsArguments& a, const WholeArguments& whole) {
    __shared__ __align__(16) float means[TURNS * ENTRIES], squares[TURNS * ENTRIES], counts[TURNS * MOST_THREADS];
    const Strips& s = a.strips;
    Strip<PER> strip(s, a.x);
    const float* x = a.x + strip.batch * s.count;
    float v[TURNS][BATCH][PER];
#pragma unroll
    for (int turn = 0; turn < TURNS; turn++) {
        if (turn > 0) strip.take(turn);
        float mean[PER], square[PER];
        int terms = 0;
#pragma unroll
        for (int j = 0; j < PER; j++) mean[j] = square[j] = 0;
        for (int step = strip.first; strip.inside && strip.holds(step); step += BATCH * strip.stride) {
            int here = 0;
#pragma unroll
            for (int k = 0; k < BATCH; k++) {
                if (strip.holds(step + k * strip.stride)) {
                    load<PER>(v[turn][k], x + strip.element(step + k * strip.stride));
                    here++;
                } else {
#pragma unroll
                    for (int j = 0; j < PER; j++) v[turn][k][j] = 0;
                }
            }
            float inverse = 1.0f / here, share = here / (float)(terms + here);
#pragma unroll
            for (int j = 0; j < PER; j++) {
                float sum = 0, about = 0;
#pragma unroll
                for (int k = 0; k < BATCH; k++) sum += v[turn][k][j];
                float middle = sum * inverse;
#pragma unroll
                for (int k = 0; k < BATCH; k++) about += k < here ? (v[turn][k][j] - middle) * (v[turn][k][j] - middle) : 0.0f;
                float difference = middle - mean[j];
                mean[j] = multiplyAdd(difference, share, mean[j]);
                square[j] += multiplyAdd(difference * difference, share * terms, about);
            }
            terms += here;
            if (WHOLE) break;
        }
        storeShared<PER>(means, strip, mean);
        storeShared<PER>(squares, strip, square);
        if (strip.inside) counts[strip.entry() / PER] = (float)terms;
    }
    __syncthreads();
    int column = threadIdx.x, channel = strip.firstChannel() + column, width = s.columns * PER;
    bool owner = column < strip.channels();
    float joined = 0, factor = 0;
    if (owner) {
        double origin = means[column], shift = 0, all = 0, total = 0;
        for (int lane = 0; lane < s.lanes; lane++) {
            for (int i = column; i < strip.positions(); i += s.n) {
                double count = counts[(lane * width + i) / PER];
                shift += count * (means[lane * width + i] - origin);
                all += count;
            }
        }
        // A part of the last few rows may have none.
        double middle = all > 0 ? origin + shift / all : 0;
        for (int lane = 0; lane < s.lanes; lane++) {
            for (int i = column; i < strip.positions(); i += s.n) {
                double difference = means[lane * width + i] - middle;
                total += squares[lane * width + i] + counts[(lane * width + i) / PER] * difference * difference;
            }
        }
        if (s.parts == 1) {
            joined = (float)middle;
            factor = finishMoments(a, strip.batch, channel, middle, total);
        } else {
            float* part = a.parts + ((int64)strip.batch * s.parts + strip.part) * 2 * strip.pitch() + channel;
            part[0] = (float)middle;
            part[strip.pitch()] = (float)total;
        }
    }
    if (WHOLE) {
        __shared__ __align__(16) float weights[ENTRIES], biases[ENTRIES];
        loadChannels(weights, strip, whole.weight, 1);
        loadChannels(biases, strip, whole.bias, 0);
        __syncthreads();
        for (int i = column; owner && i < strip.positions(); i += s.n) {
            means[i] = joined;
            squares[i] = factor;
        }
        __syncthreads();
#pragma unroll
        for (int turn = 0; turn < TURNS; turn++) {
            if (TURNS > 1) strip.take(turn);
            if (!strip.inside) continue;
            float mean[PER], scale[PER], weight[PER], bias[PER];
            strip.own(mean, means);
            strip.own(scale, squares);
            strip.own(weight, weights);
            strip.own(bias, biases);
            int64 origin = strip.batch * s.count;
#pragma unroll
            for (int k = 0; k < BATCH; k++) {
                if (!strip.holds(strip.first + k * strip.stride)) continue;
                int64 at = origin + strip.element(strip.first + k * strip.stride);
                float residual[PER];
                if (whole.residual) load<PER>(residual, whole.residual + at);
#pragma unroll
                for (int j = 0; j < PER; j++) {
                    v[turn][k][j] = finished(
                        v[turn][k][j], mean[j], scale[j], weight[j], bias[j], whole.residual ? residual : nullptr, j, whole.relu);
                }
                store<PER>(whole.y + at, v[turn][k], false);
            }
        }
        return;
    }
    if (s.parts == 1 || !isLastOf(a.tickets + strip.batch * s.chunks + strip.chunk, s.parts)) return;
    if (!owner) return;
    int pitch = strip.pitch();
    const volatile float* parts = a.parts + (int64)strip.batch * s.parts * 2 * pitch + channel;
    double origin = parts[0], shift = 0, total = 0;
    for (int i = 0; i < s.parts; i++) shift += strip.rowsOf(i) * (parts[(int64)i * 2 * pitch] - origin);
    double middle = origin + shift / (double)(s.count / s.n);
    for (int i = 0; i < s.parts; i++) {
        double difference = parts[(int64)i * 2 * pitch] - middle;
        total += parts[((int64)i * 2 + 1) * pitch] + strip.rowsOf(i) * difference * difference;
    }
    finishMoments(a, strip.batch, channel, middle, total);
}

KERNEL void __launch_bounds__(256) batchnorm_statistics_fours(StatisticsArguments a) { statistics<4, false, 1>(a, WholeArguments{}); }
KERNEL void __launch_bounds__(MOST_THREADS, 1) batchnorm_statistics_ones(StatisticsArguments a) { statistics<1, false, 1>(a, WholeArguments{}); }
KERNEL void __launch_bounds__(256) batchnorm_whole_fours(WholeArguments a) { statistics<4, true, 1>(a.statistics, a); }
KERNEL void __launch_bounds__(MOST_THREADS) batchnorm_whole_ones(WholeArguments a) { statistics<1, true, 1>(a.statistics, a); }
KERNEL void __launch_bounds__(MOST_THREADS, 1) batchnorm_statistics_turns(StatisticsArguments a) { statistics<1, false, 2>(a, WholeArguments{}); }
KERNEL void __launch_bounds__(MOST_THREADS, 1) batchnorm_whole_turns(WholeArguments a) { statistics<1, true, 2>(a.statistics, a); }

struct ColumnArguments {
    const float* x;
    const float* mean;    // [batches, n]
    const float* scale;   // the variance where statistics are given
    const float* weight;  // or null
    const float* bias;    // or null
    const float* residual;  // or null
    const float* dY;
    const float* sums;    // [4, batches, n] or null; those of backward are the last two
    float* y;             // dX in backward
    Strips strips;
    int64 all;            // batches * n
    float eps;
    int given;
    int accumulate;
    int relu;
};

DEVICE float scaleOf(float scale, bool given, float eps) { return given ? 1.0f / squareRoot(scale + eps) : scale; }

template <int PER, int TURNS>
DEVICE void forwardColumns(const ColumnArguments& a) {
    const Strips& s = a.strips;
    Strip<PER> strip(s, a.x);
    __shared__ __align__(16) float means[ENTRIES], scales[ENTRIES], weights[ENTRIES], biases[ENTRIES];
    int64 batch = (int64)strip.batch * s.n;
    loadChannels(means, strip, a.mean + batch, 0);
    loadChannels(scales, strip, a.scale + batch, 0);
    loadChannels(weights, strip, a.weight, 1);
    loadChannels(biases, strip, a.bias, 0);
    __syncthreads();
#pragma unroll
    for (int turn = 0; turn < TURNS; turn++) {
        if (turn > 0) strip.take(turn);
        if (!strip.inside || !strip.holds(strip.first)) continue;
        float mean[PER], scale[PER], weight[PER], bias[PER];
        strip.own(mean, means);
        strip.own(scale, scales);
        strip.own(weight, weights);
        strip.own(bias, biases);
#pragma unroll
        for (int j = 0; j < PER; j++) scale[j] = scaleOf(scale[j], a.given, a.eps);
        int64 origin = strip.batch * s.count;
        for (int step = strip.first; strip.holds(step); step += 4 * strip.stride) {
            float v[4][PER], residual[4][PER];
#pragma unroll
            for (int k = 0; k < 4; k++) {
                if (!strip.holds(step + k * strip.stride)) continue;
                int64 at = origin + strip.element(step + k * strip.stride);
                load<PER>(v[k], a.x + at);
                if (a.residual) load<PER>(residual[k], a.residual + at);
            }
#pragma unroll
            for (int k = 0; k < 4; k++) {
                if (!strip.holds(step + k * strip.stride)) continue;
#pragma unroll
                for (int j = 0; j < PER; j++) {
                    v[k][j] = finished(v[k][j], mean[j], scale[j], weight[j], bias[j], a.residual ? residual[k] : nullptr, j, a.relu);
                }
                store<PER>(a.y + origin + strip.element(step + k * strip.stride), v[k], false);
            }
        }
    }
}

KERNEL void __launch_bounds__(256) batchnorm_forward_fours(ColumnArguments a) { forwardColumns<4, 1>(a); }
KERNEL void __launch_bounds__(MOST_THREADS) batchnorm_forward_ones(ColumnArguments a) { forwardColumns<1, 1>(a); }
KERNEL void __launch_bounds__(MOST_THREADS) batchnorm_forward_turns(ColumnArguments a) { forwardColumns<1, 2>(a); }

template <int PER, int TURNS>
DEVICE void backwardColumns(const ColumnArguments& a) {
    const Strips& s = a.strips;
    Strip<PER> strip(s, a.x);
    __shared__ __align__(16) float means[ENTRIES], scales[ENTRIES], weights[ENTRIES], sums[ENTRIES], products[ENTRIES];
    int64 batch = (int64)strip.batch * s.n;
    loadChannels(means, strip, a.sums ? a.mean + batch : nullptr, 0);
    loadChannels(scales, strip, a.scale + batch, 0);
    loadChannels(weights, strip, a.weight, 1);
    loadChannels(sums, strip, a.sums ? a.sums + 2 * a.all + batch : nullptr, 0);
    loadChannels(products, strip, a.sums ? a.sums + 3 * a.all + batch : nullptr, 0);
    __syncthreads();
#pragma unroll
    for (int turn = 0; turn < TURNS; turn++) {
        if (turn > 0) strip.take(turn);
        if (!strip.inside || !strip.holds(strip.first)) continue;
        float mean[PER], scale[PER], weight[PER], sum[PER], product[PER];
        strip.own(mean, means);
        strip.own(scale, scales);
        strip.own(weight, weights);
        strip.own(sum, sums);
        strip.own(product, products);
#pragma unroll
        for (int j = 0; j < PER; j++) scale[j] = scaleOf(scale[j], a.given, a.eps);
        int64 origin = strip.batch * s.count;
        for (int step = strip.first; strip.holds(step); step += 4 * strip.stride) {
            float v[4][PER], x[4][PER];
#pragma unroll
            for (int k = 0; k < 4; k++) {
                if (!strip.holds(step + k * strip.stride)) continue;
                int64 at = origin + strip.element(step + k * strip.stride);
                load<PER>(v[k], a.dY + at);
                if (a.sums) load<PER>(x[k], a.x + at);
            }
#pragma unroll
            for (int k = 0; k < 4; k++) {
                if (!strip.holds(step + k * strip.stride)) continue;
#pragma unroll
                for (int j = 0; j < PER; j++) {
                    float normalized = a.sums ? (x[k][j] - mean[j]) * scale[j] : 0.0f;
                    v[k][j] = scale[j] * (v[k][j] * weight[j] - multiplyAdd(normalized, product[j], sum[j]));
                }
                store<PER>(a.y + origin + strip.element(step + k * strip.stride), v[k], a.accumulate);
            }
        }
    }
}

KERNEL void __launch_bounds__(256) batchnorm_backward_fours(ColumnArguments a) { backwardColumns<4, 1>(a); }
KERNEL void __launch_bounds__(MOST_THREADS) batchnorm_backward_ones(ColumnArguments a) { backwardColumns<1, 1>(a); }
KERNEL void __launch_bounds__(MOST_THREADS) batchnorm_backward_turns(ColumnArguments a) { backwardColumns<1, 2>(a); }

struct SumsArguments {
    const float* x;
    const float* mean;
    const float* scale;
    const float* weight;  // or null
    const float* y;       // masks dY, or null
    float* dY;
    float* sums;          // [4, batches, n]
    float* parts;         // [batches, parts, 2, pitch]
    uint32* tickets;
    float* dWeight;       // or null; of one batch
    float* dBias;
    Strips strips;
    int64 all;
    float eps;
    int given;
    int perGroup;
    int accumulateWeight;
    int accumulateBias;
    int unused;
};

DEVICE void finishSums(const SumsArguments& a, int batch, int channel, double sum, double product) {
    int64 at = (int64)batch * a.strips.n + channel;
    product *= scaleOf(a.scale[at], a.given, a.eps);
    a.sums[at] = (float)sum;
    a.sums[a.all + at] = (float)product;
    if (!a.given && a.perGroup == 1) {
        double factor = (a.weight ? a.weight[channel] : 1.0f) / (double)(a.strips.count / a.strips.n);
        a.sums[2 * a.all + at] = (float)(sum * factor);
        a.sums[3 * a.all + at] = (float)(product * factor);
    }
    if (a.dBias) put(a.dBias + channel, (float)sum, a.accumulateBias);
    if (a.dWeight) put(a.dWeight + channel, (float)product, a.accumulateWeight);
}

template <int PER, int TURNS>
DEVICE void gradientSums(const SumsArguments& a) {
    __shared__ __align__(16) float sums[TURNS * ENTRIES], products[TURNS * ENTRIES];
    const Strips& s = a.strips;
    Strip<PER> strip(s, a.x);
    loadChannels(sums, strip, a.mean + (int64)strip.batch * s.n, 0);
    __syncthreads();
    float means[TURNS][PER];
#pragma unroll
    for (int turn = 0; turn < TURNS; turn++) {
#pragma unroll
        for (int j = 0; j < PER; j++) means[turn][j] = 0;
        if (TURNS > 1) strip.take(turn);
        if (strip.inside) strip.own(means[turn], sums);
    }
    __syncthreads();
    int64 origin = strip.batch * s.count;
#pragma unroll
    for (int turn = 0; turn < TURNS; turn++) {
        if (TURNS > 1) strip.take(turn);
        float sum[PER], product[PER];
#pragma unroll
        for (int j = 0; j < PER; j++) sum[j] = product[j] = 0;
        for (int step = strip.first; strip.inside && strip.holds(step); step += 4 * strip.stride) {
            float dY[4][PER], x[4][PER];
#pragma unroll
            for (int k = 0; k < 4; k++) {
                if (strip.holds(step + k * strip.stride)) {
                    int64 at = origin + strip.element(step + k * strip.stride);
                    load<PER>(dY[k], a.dY + at);
                    load<PER>(x[k], a.x + at);
                    if (!a.y) continue;
                    float y[PER];
                    load<PER>(y, a.y + at);
#pragma unroll
                    for (int j = 0; j < PER; j++) dY[k][j] = 0.0f >= y[j] ? 0.0f : dY[k][j];
                    store<PER>(a.dY + at, dY[k], false);
                } else {
#pragma unroll
                    for (int j = 0; j < PER; j++) dY[k][j] = x[k][j] = 0;
                }
            }
#pragma unroll
            for (int k = 0; k < 4; k++) {
#pragma unroll
                for (int j = 0; j < PER; j++) {
                    sum[j] += dY[k][j];
                    product[j] = multiplyAdd(dY[k][j], x[k][j] - means[turn][j], product[j]);
                }
            }
        }
        storeShared<PER>(sums, strip, sum);
        storeShared<PER>(products, strip, product);
    }
    __syncthreads();
    int column = threadIdx.x, channel = strip.firstChannel() + column, width = s.columns * PER;
    bool owner = column < strip.channels();
    double total = 0, totalProduct = 0;
    if (owner) {
        for (int lane = 0; lane < s.lanes; lane++) {
            for (int i = column; i < strip.positions(); i += s.n) {
                total += sums[lane * width + i];
                totalProduct += products[lane * width + i];
            }
        }
        if (s.parts == 1) {
            finishSums(a, strip.batch, channel, total, totalProduct);
        } else {
            float* part = a.parts + ((int64)strip.batch * s.parts + strip.part) * 2 * strip.pitch() + channel;
            part[0] = (float)total;
            part[strip.pitch()] = (float)totalProduct;
        }
    }
    if (s.parts == 1 || !isLastOf(a.tickets + strip.batch * s.chunks + strip.chunk, s.parts)) return;
    if (!owner) return;
    int pitch = strip.pitch();
    const volatile float* parts = a.parts + (int64)strip.batch * s.parts * 2 * pitch + channel;
    total = totalProduct = 0;
    for (int i = 0; i < s.parts; i++, parts += 2 * pitch) {
        total += parts[0];
        totalProduct += parts[pitch];
    }
    finishSums(a, strip.batch, channel, total, totalProduct);
}

KERNEL void __launch_bounds__(256, 2) batchnorm_sums_fours(SumsArguments a) { gradientSums<4, 1>(a); }
KERNEL void __launch_bounds__(MOST_THREADS, 1) batchnorm_sums_ones(SumsArguments a) { gradientSums<1, 1>(a); }
KERNEL void __launch_bounds__(MOST_THREADS, 1) batchnorm_sums_turns(SumsArguments a) { gradientSums<1, 2>(a); }
