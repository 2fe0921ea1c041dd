// Reductions over any axes (Kernels/Reductions/Reduce.cs), whose terms are printed from src/FastNN/Functions: y = scale * fold, or its root, 4 bytes read per term; and the gradient dX (=|+=) slope, 8 bytes moved
// per element, 12 with x or where it adds, as many more for both. Folds go on in float for sixteen terms of a thread and in double from there on,
// in an order that depends on the shapes alone. By how outputs lie:
// - all: one output; blocks leave their parts in scratch memory and the last one joins them;
// - runs: terms are neighbors, a block per output (32 threads where it has few terms), any axes;
// - tiles: short rows, or short columns of several outer places, through shared memory, a thread per output;
// - strips: outputs are neighbors, a thread per column of every so many rows; parts of the rows are joined like those of all. Where rows begin
//   within sectors, a thread takes every eighth row, which all begin alike, and two of 185 columns, so that its warp begins with a sector.
#include "divisor.cuh"
#include "generated/reductions.cuh"
#include "rows.cuh"
#include "strides.cuh"

extern __shared__ __align__(16) float tile[];

struct FoldArguments {
    const float* x;
    const float* center;
    float* y;
    Scratch scratch;
    StridedAxes kept;     // runs: first, x's strides; without the innermost where outputs are neighbors
    StridedAxes reduced;  // likewise
    int64 terms;
    int outputs;
    int inner;            // tiles: of a row; strips: of a row of outputs
    int columns;          // tiles: rows per block; strips: threads across a block
    int parts;            // strips: blocks that share the rows
    float scale;
    int root;
    int width;            // strips: columns of a block, where rows begin within sectors, else 0; tiles: of columns, floats from one outer place to the next, else 0
    int unused;
};

// The most columns of a strip.
#define MOST_STRIP 1024

template <class F>
DEVICE void finishFold(const FoldArguments& a, int64 output, double folded, float center) {
    double result = a.scale * F::finish(folded, center);
    a.y[output] = a.root ? squareRoot((float)result) : (float)result;
}

template <class F>
DEVICE void finishFold(const FoldArguments& a, int64 output, double folded) {
    finishFold<F>(a, output, folded, F::HAS_CENTER ? a.center[output] : 0.0f);
}

// A thread's fold: float for sixteen terms, then double.
template <class F>
struct ThreadFold {
    double total;
    float some;
    int steps;

    DEVICE ThreadFold() : total(F::start()), some(F::start()), steps(0) {}

    DEVICE void step(float x, float center) {
        some = F::step(some, x, center);
        if (++steps == 16) {
            total = F::join(total, (double)some);
            some = F::start();
            steps = 0;
        }
    }

    DEVICE double result() const { return F::join(total, (double)some); }
};

// The fold over all threads of the block, in thread 0. The number of threads is a power of two.
template <class F>
DEVICE double foldBlock(double value) {
    __shared__ double threads[256];
    threads[threadIdx.x] = value;
    __syncthreads();
    for (uint32 half = blockDim.x >> 1; half > 0; half >>= 1) {
        if (threadIdx.x < half) threads[threadIdx.x] = F::join(threads[threadIdx.x], threads[threadIdx.x + half]);
        __syncthreads();
    }
    double result = threads[0];
    __syncthreads();
    return result;
}

template <class F>
DEVICE void foldAll(const FoldArguments& a) {
    float center = F::HAS_CENTER ? *a.center : 0.0f;
    ThreadFold<F> fold;
    bool aligned = aligned16(a.x);
    for (int64 first = (int64)blockIdx.x * PER_BLOCK; first < a.terms; first += (int64)gridDim.x * PER_BLOCK) {
        if (aligned && first + PER_BLOCK <= a.terms) {
            float4 v = loadFour(a.x + first + threadIdx.x * 4);
            fold.step(v.x, center);
            fold.step(v.y, center);
            fold.step(v.z, center);
            fold.step(v.w, center);
        } else {
            for (int64 i = first + threadIdx.x; i < a.terms && i < first + PER_BLOCK; i += THREADS) fold.step(a.x[i], center);
        }
    }
    double total = foldBlock<F>(fold.result());
    if (gridDim.x == 1) {
        if (threadIdx.x == 0) finishFold<F>(a, 0, total);
        return;
    }
    if (threadIdx.x == 0) a.scratch.parts[blockIdx.x] = total;
    if (!isLastBlock(a.scratch.ticket)) return;
    double folded = F::start();
    for (uint32 block = threadIdx.x; block < gridDim.x; block += THREADS) {
        folded = F::join(folded, *(const volatile double*)(a.scratch.parts + block));
    }
    folded = foldBlock<F>(folded);
    if (threadIdx.x == 0) finishFold<F>(a, 0, folded);
}

template <class F>
DEVICE void foldRuns(const FoldArguments& a) {
    int64 first, unused, more;
    locate(a.kept, blockIdx.x, first, unused, more);
    // Read once by the block.
    __shared__ float centers[1];
    if (F::HAS_CENTER) {
        if (threadIdx.x == 0) centers[0] = a.center[blockIdx.x];
        __syncthreads();
    }
    float center = F::HAS_CENTER ? centers[0] : 0.0f;
    const float* x = a.x + first;
    ThreadFold<F> fold;
    if (a.reduced.rank <= 1 && a.inner == 1) {
        for (int i = (int)threadIdx.x - shiftOf(x); i < (int)a.terms; i += blockDim.x) {
            if (i >= 0) fold.step(x[i], center);
        }
    } else {
        for (uint32 i = threadIdx.x; i < (uint32)a.terms; i += blockDim.x) {
            int64 at;
            locate(a.reduced, i, at, unused, more);
            fold.step(x[at], center);
        }
    }
    double total = foldBlock<F>(fold.result());
    if (threadIdx.x == 0) finishFold<F>(a, blockIdx.x, total, center);
}

// All columns of several outer places are one run. Between these in shared memory there is as much room as lets neighboring outputs lie in neighboring banks.
template <class F>
DEVICE void foldColumns(const FoldArguments& a) {
    int terms = (int)a.terms, slab = terms * a.inner, first = blockIdx.x * a.columns, slabs = smaller(a.outputs / a.inner - first, a.columns);
    const float* x = a.x + (int64)first * slab;
    for (int i = (int)threadIdx.x - shiftOf(x); i < slabs * slab; i += blockDim.x) {
        if (i >= 0) tile[i + i / slab * (a.width - slab)] = x[i];
    }
    __syncthreads();
    int64 origin = (int64)first * a.inner;
    for (int i = (int)threadIdx.x - (int)(origin & 7); i < slabs * a.inner; i += blockDim.x) {
        if (i < 0) continue;
        int place = i / a.inner;
        const float* column = tile + place * a.width + (i - place * a.inner);
        float center = F::HAS_CENTER ? a.center[origin + i] : 0.0f;
        ThreadFold<F> fold;
        for (int k = 0; k < terms; k++) fold.step(column[k * a.inner], center);
        finishFold<F>(a, origin + i, fold.result(), center);
    }
}

template <class F>
DEVICE void foldTiles(const FoldArguments& a) {
    if (a.width) {
        foldColumns<F>(a);
        return;
    }
    int64 first = (int64)blockIdx.x * a.columns;
    int rows = (int)(a.outputs - first < a.columns ? a.outputs - first : a.columns);
    loadTile(tile, a.x + first * a.inner, rows * a.inner);
    __syncthreads();
    if ((int)threadIdx.x >= rows) return;
    float center = F::HAS_CENTER ? a.center[first + threadIdx.x] : 0.0f;
    TileColumn row(tile + threadIdx.x * a.inner, 1, a.inner);
    ThreadFold<F> fold;
    for (int k = 0; k < a.inner; k++) fold.step(row[k], center);
    finishFold<F>(a, first + threadIdx.x, fold.result());
}

// The end of a strip: this part's fold of a column is the result, or one of several that the last block joins. Tickets: one for each chunk.
template <class F>
DEVICE void finishStrip(const FoldArguments& a, int64 output, double total, bool owner, int chunk, int part, int outer) {
    if (owner) {
        if (a.parts == 1) {
            finishFold<F>(a, output, total);
        } else {
            a.scratch.parts[(int64)part * a.outputs + output] = total;
        }
    }
    if (a.parts == 1 || !isLastOf(a.scratch.ticket + outer * (gridDim.x / a.parts) + chunk, a.parts)) return;
    if (owner) {
        total = F::start();
        for (int i = 0; i < a.parts; i++) total = F::join(total, *(const volatile double*)(a.scratch.parts + (int64)i * a.outputs + output));
        finishFold<F>(a, output, total);
    }
}

// Where rows begin within sectors. Shared: DOWN folds for each of a row's places, of which up to 7 in front are no columns.
template <class F>
DEVICE void foldShifted(const FoldArguments& a) {
    double* folds = reinterpret_cast<double*>(tile);
    ShiftedStrip strip(a.inner, a.width, (int)a.terms, a.parts);
    int outer = blockIdx.y, columns = strip.columns;
    int64 origin, unused, more, stride = a.reduced.first[0], output = (int64)outer * a.inner + strip.column0;
    locate(a.kept, outer, origin, unused, more);
    const float* x = a.x + origin + strip.column0;
    int column = strip.place - shiftOf(x + (strip.first + strip.lane) * stride);
    // Read once by the block.
    __shared__ float centers[F::HAS_CENTER ? SPANS * ACROSS : 1];
    if (F::HAS_CENTER) {
        if ((int)threadIdx.x < columns) centers[threadIdx.x] = a.center[output + threadIdx.x];
        __syncthreads();
    }
    ThreadFold<F> fold[SPANS];
    float center[SPANS];
#pragma unroll
    for (int k = 0; k < SPANS; k++) {
        int at = column + k * ACROSS;
        center[k] = F::HAS_CENTER && at >= 0 && at < columns ? centers[at] : 0.0f;
    }
    for (int row = strip.first + strip.lane; row < strip.end; row += DOWN) {
#pragma unroll
        for (int k = 0; k < SPANS; k++) {
            int at = column + k * ACROSS;
            if (at >= 0 && at < columns) fold[k].step(x[row * stride + at], center[k]);
        }
    }
#pragma unroll
    for (int k = 0; k < SPANS; k++) folds[(strip.lane * SPANS + k) * ACROSS + strip.place] = fold[k].result();
    __syncthreads();
    bool owner = (int)threadIdx.x < columns;
    double total = F::start();
    for (int i = 0; owner && i < DOWN && strip.first + i < strip.end; i++) {
        total = F::join(total, folds[i * SPANS * ACROSS + threadIdx.x + shiftOf(x + (strip.first + i) * stride)]);
    }
    finishStrip<F>(a, output + threadIdx.x, total, owner, strip.chunk, strip.part, outer);
}

// Blocks are numbered (chunk of columns, part) along x and by the outer kept axes along y. Shared: a fold per thread. Where a block has all columns, its
// rows are one run: threads are moved back to its first sector, and those then in front of it take the last places, one pass later than all others.
template <class F>
DEVICE void foldStrips(const FoldArguments& a) {
    if (a.width) {
        foldShifted<F>(a);
        return;
    }
    double* folds = reinterpret_cast<double*>(tile);
    int chunk = blockIdx.x / a.parts, part = blockIdx.x - chunk * a.parts, outer = blockIdx.y;
    int64 origin, unused, more;
    locate(a.kept, outer, origin, unused, more);
    int threads = blockDim.x, shift = a.columns == a.inner ? shiftOf(a.x + origin) : 0, own = (int)threadIdx.x - shift;
    bool isLate = own < 0;
    own += isLate ? threads : 0;
    int lanes = threads / a.columns, lane = own / a.columns, place = own - lane * a.columns;
    int column0 = chunk * a.columns, column = column0 + place;
    int rows = (int)a.terms, passes = (rows + lanes - 1) / lanes, perPart = (passes + a.parts - 1) / a.parts;
    int first = part * perPart * lanes, end = first + perPart * lanes;
    end = end < rows ? end : rows;
    int64 output = (int64)outer * a.inner + column;
    bool inside = column < a.inner;
    float center = 0;
    if (F::HAS_CENTER) {
        // Read once by the block. Behind the last are the first 32 again, for lanes whose row ends.
        __shared__ float centers[F::HAS_CENTER ? MOST_STRIP + 32 : 1];
        bool isLong = a.columns > 32;
        for (int i = threadIdx.x; i < a.columns && column0 + i < a.inner; i += threads) {
            float value = a.center[(int64)outer * a.inner + column0 + i];
            centers[i] = value;
            if (isLong && i < 32) centers[a.columns + i] = value;
        }
        __syncthreads();
        center = inside ? centers[place + (isLong && place < (int)(threadIdx.x & 31) ? a.columns : 0)] : 0.0f;
    }
    ThreadFold<F> fold;
    for (int row = first + lane - (isLate ? lanes : 0); inside && row < end; row += lanes) {
        if (row < first) continue;
        int64 at;
        locate(a.reduced, row, at, unused, more);
        fold.step(a.x[origin + at + column], center);
    }
    folds[threadIdx.x] = fold.result();
    __syncthreads();
    bool owner = lane == 0 && inside;
    double total = F::start();
    int i = 0, at = place + shift;
    for (; owner && i < lanes && at < threads; i++, at += a.columns) total = F::join(total, folds[at]);
    // Those of threads that were late: apart, since they lie in the same banks as others.
    for (; owner && i < lanes; i++, at += a.columns) total = F::join(total, folds[at - threads]);
    finishStrip<F>(a, output, total, owner, chunk, part, outer);
}

#define FOLD(name, F)                                                                                      \
    KERNEL void __launch_bounds__(256) reduce_##name##_all(FoldArguments a) { foldAll<F>(a); }             \
    KERNEL void __launch_bounds__(256) reduce_##name##_runs(FoldArguments a) { foldRuns<F>(a); }           \
    KERNEL void __launch_bounds__(256) reduce_##name##_tiles(FoldArguments a) { foldTiles<F>(a); }         \
    KERNEL void __launch_bounds__(1024) reduce_##name##_strips(FoldArguments a) { foldStrips<F>(a); }

FOLD_FUNCTIONS(FOLD)

struct SpreadArguments {
    const float* x;
    const float* y;
    const float* saved;
    const float* more;
    const float* dY;
    float* dX;
    StridedAxes axes;  // first: x's strides, second: the output's; strips: the outer kept axes and the rows'
    StridedAxes rows;
    Divisor byInner;
    Divisor byRows;
    int64 count;
    int inner;
    int rowCount;
    float scale;
    int accumulate;
    int width;   // strips: columns of a block; runs: 0
    int isRows;  // elements: output i has the elements from i inner on
    int outer;   // runs: outer places
    int places;  // runs: of these a block's, all rows of each; or rows of one
    int band;    // runs: such rows, or all
    int pitch;   // runs: from one place's operands to the next one's
};

template <class S>
DEVICE OutputOperands operandsOf(const SpreadArguments& a, int64 output) {
    return OutputOperands{
        S::Y ? a.y[output] : 0.0f, S::SAVED ? a.saved[output] : 0.0f, S::MORE ? a.more[output] : 0.0f, a.dY[output], a.scale,
    };
}

// What a block's elements need of their outputs, read once. A block of elements has 1024, of 2 or more to an output.
#define STAGED (PER_BLOCK / 2 + 2)

struct StagedOperands {
    float y[STAGED], saved[STAGED], more[STAGED], dY[STAGED];

    template <class S>
    DEVICE void load(const SpreadArguments& a, int64 first, int count) {
        for (int i = (int)threadIdx.x - shiftOf(a.dY + first); i < count; i += THREADS) {
            if (i >= 0) set<S>(i, operandsOf<S>(a, first + i));
        }
        __syncthreads();
    }

    template <class S>
    DEVICE void set(int i, const OutputOperands& o) {
        if (S::Y) y[i] = o.y;
        if (S::SAVED) saved[i] = o.saved;
        if (S::MORE) more[i] = o.more;
        dY[i] = o.dY;
    }

    template <class S>
    DEVICE OutputOperands of(int i, float scale) const {
        return OutputOperands{S::Y ? y[i] : 0.0f, S::SAVED ? saved[i] : 0.0f, S::MORE ? more[i] : 0.0f, dY[i], scale};
    }
};

// The operands of this block's elements, by the element; where outputs are rows, through shared memory.
template <class S>
struct BlockOperands {
    const SpreadArguments& a;
    const StagedOperands& staged;
    int64 first;

    DEVICE BlockOperands(const SpreadArguments& a, StagedOperands& shared) : a(a), staged(shared), first(0) {
        if (!a.isRows) return;
        int64 begin = (int64)blockIdx.x * PER_BLOCK, end = begin + PER_BLOCK < a.count ? begin + PER_BLOCK : a.count;
        first = begin / a.inner;
        shared.load<S>(a, first, (int)((end - 1) / a.inner - first) + 1);
    }

    DEVICE OutputOperands of(uint32 i) const {
        if (a.isRows) return staged.of<S>((int)(i / (uint32)a.inner - (uint32)first), a.scale);
        int64 unused, output, more;
        locate(a.axes, i, unused, output, more);
        return operandsOf<S>(a, output);
    }
};

// Four neighbors of one output to a thread.
template <class S>
DEVICE void spreadFours(const SpreadArguments& a) {
    __shared__ StagedOperands staged;
    BlockOperands<S> operands(a, staged);
    int64 i = (int64)blockIdx.x * PER_BLOCK + threadIdx.x * 4;
    if (i >= a.count) return;
    OutputOperands o = operands.of((uint32)i);
    float4 x = {};
    if (S::X) x = loadFour(a.x + i);
    putFour(a.dX + i, S::of(x.x, o), S::of(x.y, o), S::of(x.z, o), S::of(x.w, o), a.accumulate);
}

template <class S>
DEVICE void spreadElements(const SpreadArguments& a) {
    __shared__ StagedOperands staged;
    BlockOperands<S> operands(a, staged);
    int64 end = (int64)(blockIdx.x + 1) * PER_BLOCK;
    for (int64 i = end - PER_BLOCK + threadIdx.x; i < a.count && i < end; i += THREADS) {
        put(a.dX + i, S::of(S::X ? a.x[i] : 0.0f, operands.of((uint32)i)), a.accumulate);
    }
}

// Inner columns of neighboring rows are one run, which a block walks by elements, the first on a sector. Where rows are longer than a warp, the first 32
// operands of a place are again behind its last, for lanes whose row ends, and pitch is such that the next place's follow in neighboring banks.
template <class S>
DEVICE void spreadRuns(const SpreadArguments& a, StagedOperands& staged) {
    int bands = (a.rowCount - 1) / a.band + 1, group = blockIdx.x / bands, row0 = (blockIdx.x - group * bands) * a.band;
    int place0 = group * a.places, places = smaller(a.outer - place0, a.places);
    int count = places * smaller(a.rowCount - row0, a.band) * a.inner;
    int64 output = (int64)place0 * a.inner, origin = output * a.rowCount + (int64)row0 * a.inner;
    for (int i = (int)threadIdx.x - shiftOf(a.dY + output); i < places * a.inner; i += THREADS) {
        if (i < 0) continue;
        int column = i, at = split(column, a.byInner) * a.pitch + column;
        OutputOperands o = operandsOf<S>(a, output + i);
        staged.set<S>(at, o);
        if (a.pitch > a.inner && column < 32) staged.set<S>(at + a.inner, o);
    }
    __syncthreads();
    int lane = threadIdx.x & 31;
    for (int i = (int)threadIdx.x - shiftOf(a.dX + origin); i < count; i += THREADS) {
        if (i < 0) continue;
        int column = i, row = split(column, a.byInner), place = divide(row, a.byRows);
        // Another row than the first lane's, of the same place.
        bool isBehind = a.pitch > a.inner && column < lane && row != place * a.rowCount;
        int at = place * a.pitch + column + (isBehind ? a.inner : 0);
        put(a.dX + origin + i, S::of(S::X ? a.x[origin + i] : 0.0f, staged.of<S>(at, a.scale)), a.accumulate);
    }
}

#define BAND 64

// A block takes its columns of so many rows, so that an output's operands are read once for them; its lanes begin with each row's sector.
template <class S>
DEVICE void spreadStrips(const SpreadArguments& a) {
    __shared__ StagedOperands staged;
    if (!a.width) {
        spreadRuns<S>(a, staged);
        return;
    }
    int blocks = (a.inner + a.width - 1) / a.width, band = blockIdx.x / blocks, outer = blockIdx.y;
    int column0 = (blockIdx.x - band * blocks) * a.width, columns = smaller(a.inner - column0, a.width);
    int64 origin, output, more, unused;
    locate(a.axes, outer, origin, output, more);
    staged.load<S>(a, (int64)outer * a.inner + column0, columns);
    for (int row = band * BAND; row < a.rowCount && row < band * BAND + BAND; row++) {
        int64 at;
        locate(a.rows, row, at, more, unused);
        at += origin + column0;
        int column = (int)threadIdx.x - shiftOf(a.dX + at);
        if (column < 0 || column >= columns) continue;
        put(a.dX + at + column, S::of(S::X ? a.x[at + column] : 0.0f, staged.of<S>(column, a.scale)), a.accumulate);
    }
}

#define SPREAD(name, S)                                                                                        \
    KERNEL void __launch_bounds__(256) reduce_##name##_fours(SpreadArguments a) { spreadFours<S>(a); }         \
    KERNEL void __launch_bounds__(256) reduce_##name##_elements(SpreadArguments a) { spreadElements<S>(a); }   \
    KERNEL void __launch_bounds__(256) reduce_##name##_spread(SpreadArguments a) { spreadStrips<S>(a); }

SLOPE_FUNCTIONS(SPREAD)
