// Sums and products of the terms up to each place along the middle axis of [outer, terms, inner], and the gradient of such products. Each is the
// recurrence s = factor s + summand, whose steps join associatively: (f, s) then (g, t) is (f g, g s + t). y (=|+=): 8 bytes moved per element, 12
// where it adds, 16 or 20 for the gradient.
//
// Where inner is 1, a warp takes a row, or a block a long one: lanes scan 32 neighbours by shuffles, four times, warps are joined through shared
// memory, and the state goes on from chunk to chunk. Few very long rows are cut into strips of fixed length, a block to each: one launch finds what
// each strip makes of a state, which reads x once more, the next joins those in front of it. Otherwise a thread takes a column and walks along it,
// and a sum carries what each addition lost to the next (Kahan). Where rows of columns
// begin within sectors, a block brings them through shared memory, 8 places at a time, in accesses that begin with a sector.
#include "rows.cuh"

#define ITEMS 4
#define PLACES 8

struct ScanArguments {
    const float* x;
    const float* y;   // of products, for their gradient
    const float* dY;  // likewise
    float* result;
    float2* strips;  // [rows, strips]: factor and summand of each
    int64 rows;      // outer, or outer times inner for columns
    int terms;
    int inner;
    int strip;  // terms per strip; columns: of a block, fewer than its threads where they go through shared memory
    int strips_per_row;
    int exclusive;
    int reverse;
    int accumulate;
    int unused;
};

struct Step {
    float factor;
    float summand;
};

// What a scan computes, from x and what belongs to the same place. kept: what a step leaves for the result of its place. Where YS is true the result
// needs y, of the next place unless the scan is exclusive, and at the last place nothing.
struct SumOfTerms {
    static constexpr float START = 0.0f;
    static constexpr bool MULTIPLIES = false, ADDS = true, DYS = false, YS = false;
    static DEVICE Step step(bool, float x, float, float&) { return {1.0f, x}; }
    static DEVICE float result(float state, float, float) { return state; }
    static DEVICE bool exclusive(const ScanArguments& a) { return a.exclusive != 0; }
};

struct ProductOfTerms {
    static constexpr float START = 1.0f;
    static constexpr bool MULTIPLIES = true, ADDS = false, DYS = false, YS = false;
    static DEVICE Step step(bool, float x, float, float&) { return {x, 0.0f}; }
    static DEVICE float result(float state, float, float) { return state; }
    static DEVICE bool exclusive(const ScanArguments& a) { return a.exclusive != 0; }
};

// From the last product back, with p the product in front of a term x: p times dY + (what the terms behind it make of theirs). The states are
// e = x (dY + e), or of exclusive products, which lack their own term, e = dY + x e; so each place reads its own elements only, but for p where that is
// the y of the next place.
struct SlopeOfProduct {
    static constexpr float START = 0.0f;
    static constexpr bool MULTIPLIES = true, ADDS = true, DYS = true, YS = true;
    static DEVICE Step step(bool exclusive, float x, float dY, float& kept) {
        kept = exclusive ? 0.0f : dY;
        return {x, exclusive ? dY : x * dY};
    }
    static DEVICE float result(float state, float kept, float y) { return (kept + state) * y; }
    static DEVICE bool exclusive(const ScanArguments&) { return true; }
};

// The step of the place at an element, and its result.
template <class F>
DEVICE Step stepAt(const ScanArguments& a, int64 at, float& kept) {
    return F::step(a.exclusive != 0, a.x[at], F::DYS ? a.dY[at] : 0.0f, kept);
}

template <class F>
DEVICE float resultAt(const ScanArguments& a, float state, float kept, int64 at, int64 stride, int place) {
    bool isLast = !a.exclusive && place == a.terms - 1;
    return F::result(state, kept, F::YS && !isLast ? a.y[a.exclusive ? at : at + stride] : 1.0f);
}

template <class F>
DEVICE Step join(Step first, Step second) {
    Step s;
    s.factor = F::MULTIPLIES ? first.factor * second.factor : 1.0f;
    s.summand = !F::ADDS ? 0.0f : F::MULTIPLIES ? multiplyAdd(second.factor, first.summand, second.summand) : first.summand + second.summand;
    return s;
}

template <class F>
DEVICE float apply(Step step, float state) {
    if (!F::ADDS) return step.factor * state;
    return F::MULTIPLIES ? multiplyAdd(step.factor, state, step.summand) : state + step.summand;
}

template <class F>
DEVICE Step fromLaneBelow(Step s, int delta) {
    Step other{1.0f, 0.0f};
    if (F::MULTIPLIES) other.factor = __shfl_up_sync(0xffffffffu, s.factor, delta);
    if (F::ADDS) other.summand = __shfl_up_sync(0xffffffffu, s.summand, delta);
    return other;
}

template <class F>
DEVICE Step ofLastLane(Step s) {
    Step other{1.0f, 0.0f};
    if (F::MULTIPLIES) other.factor = __shfl_sync(0xffffffffu, s.factor, 31);
    if (F::ADDS) other.summand = __shfl_sync(0xffffffffu, s.summand, 31);
    return other;
}

// The terms of a row that one block of WARPS warps walks along, from place first up to last; returns the state behind them, in every thread. Where
// Y is false nothing is stored, and total is what the terms make of any state.
template <class F, int WARPS, bool Y>
DEVICE float walk(const ScanArguments& a, int64 row, int first, int last, float state, Step& total, Step* shared) {
    constexpr int CHUNK = 32 * ITEMS * WARPS;
    int lane = threadIdx.x & 31, warp = WARPS == 1 ? 0 : threadIdx.x >> 5;
    int64 stride = a.reverse ? -1 : 1, start = row * a.terms + (a.reverse ? a.terms - 1 : 0);
    total = {1.0f, 0.0f};
    // Chunks begin where the first lane's sector does, so that no warp touches a sector more.
    const float* origin = a.result ? a.result : a.x;
    int64 address = (int64)((uint64)(origin + start + stride * first) >> 2) & 7;
    int shift = (int)(a.reverse ? 7 - address : address);
    for (int chunk = first - shift; chunk < last; chunk += CHUNK) {
        Step states[ITEMS];
        float kept[ITEMS];
        Step before{1.0f, 0.0f};
#pragma unroll
        for (int k = 0; k < ITEMS; k++) {
            int place = chunk + (warp * ITEMS + k) * 32 + lane;
            Step own{1.0f, 0.0f};
            kept[k] = 0;
            if (place >= first && place < last) own = stepAt<F>(a, start + stride * place, kept[k]);
#pragma unroll
            for (int delta = 1; delta < 32; delta <<= 1) {
                Step below = fromLaneBelow<F>(own, delta);
                if (lane >= delta) own = join<F>(below, own);
            }
            Step given = own;
            if (F::exclusive(a)) {
                given = fromLaneBelow<F>(own, 1);
                if (lane == 0) given = {1.0f, 0.0f};
            }
            states[k] = join<F>(before, given);
            before = join<F>(before, ofLastLane<F>(own));
        }
        float begin = state;
        Step chunkTotal = before;
        if (WARPS > 1) {
            if (lane == 0) shared[warp] = before;
            __syncthreads();
            chunkTotal = {1.0f, 0.0f};
#pragma unroll
            for (int w = 0; w < WARPS; w++) {
                if (w == warp) begin = apply<F>(chunkTotal, state);
                chunkTotal = join<F>(chunkTotal, shared[w]);
            }
            __syncthreads();
        }
        state = apply<F>(chunkTotal, state);
        if (!Y) {
            total = join<F>(total, chunkTotal);
            continue;
        }
#pragma unroll
        for (int k = 0; k < ITEMS; k++) {
            int place = chunk + (warp * ITEMS + k) * 32 + lane;
            if (place >= first && place < last) {
                int64 at = start + stride * place;
                put(a.result + at, resultAt<F>(a, apply<F>(states[k], begin), kept[k], at, stride, place), a.accumulate);
            }
        }
    }
    return state;
}

template <class F>
DEVICE void shortRows(const ScanArguments& a) {
    int64 row = (int64)blockIdx.x * (THREADS / 32) + (threadIdx.x >> 5);
    if (row >= a.rows) return;
    Step total;
    walk<F, 1, true>(a, row, 0, a.terms, F::START, total, nullptr);
}

template <class F>
DEVICE void longRows(const ScanArguments& a) {
    __shared__ Step shared[THREADS / 32];
    int64 row = blockIdx.x / (uint32)a.strips_per_row;
    int strip = blockIdx.x - (int)row * a.strips_per_row, first = strip * a.strip;
    int last = smaller(first + a.strip, a.terms);
    float state = F::START;
    for (int i = 0; i < strip; i++) {
        float2 s = a.strips[row * a.strips_per_row + i];
        state = apply<F>(Step{s.x, s.y}, state);
    }
    Step total;
    walk<F, THREADS / 32, true>(a, row, first, last, state, total, shared);
}

template <class F>
DEVICE void strips(const ScanArguments& a) {
    __shared__ Step shared[THREADS / 32];
    int64 row = blockIdx.x / (uint32)a.strips_per_row;
    int strip = blockIdx.x - (int)row * a.strips_per_row, first = strip * a.strip;
    Step total;
    walk<F, THREADS / 32, false>(a, row, first, smaller(first + a.strip, a.terms), F::START, total, shared);
    if (threadIdx.x == 0) {
        float2 s;
        s.x = total.factor;
        s.y = total.summand;
        a.strips[blockIdx.x] = s;
    }
}

// One step along a column.
template <class F>
struct Column {
    float state = F::START, lost = 0;

    // The state in front of the step, or behind it.
    DEVICE float step(Step s, bool exclusive) {
        float before = state;
        if (F::MULTIPLIES) {
            state = apply<F>(s, state);
        } else {
            // What the addition loses is taken off the next summand; of infinities it would be NaN.
            float summand = s.summand - lost, next = state + summand;
            lost = (next - state) - summand;
            lost = isFinite(lost) ? lost : 0.0f;
            state = next;
        }
        return exclusive ? before : state;
    }
};

// So many rows of a block's columns through shared memory: body(tile element, element) by all threads, from the sector on in which a row begins.
// rows: the address that the first row begins at, the distance to the next.
template <class Body>
DEVICE void walkTile(const float* row, int64 stride, int places, int columns, const Body& body) {
    for (int place = 0; place < places; place++) {
        const float* from = row + place * stride;
        int column = (int)threadIdx.x - shiftOf(from);
        if (column >= 0 && column < columns) body(place * THREADS + column, place * stride + column);
    }
}

// Blocks are numbered (outer, chunk of columns).
template <class F>
DEVICE void tiles(const ScanArguments& a) {
    __shared__ float xs[PLACES * THREADS], dYs[F::DYS ? PLACES * THREADS : 1], ys[F::YS ? PLACES * THREADS : 1];
    int chunks = (a.inner - 1) / a.strip + 1, column0 = blockIdx.x % chunks * a.strip, columns = smaller(a.inner - column0, a.strip);
    int64 outer = blockIdx.x / (uint32)chunks, stride = a.reverse ? -a.inner : a.inner;
    int64 start = outer * a.terms * a.inner + column0 + (a.reverse ? (int64)(a.terms - 1) * a.inner : 0);
    int64 ahead = a.exclusive ? 0 : stride;
    bool inside = (int)threadIdx.x < columns;
    Column<F> column;
    for (int first = 0; first < a.terms; first += PLACES) {
        int places = smaller(a.terms - first, PLACES), known = a.exclusive ? places : smaller(a.terms - 1 - first, PLACES);
        int64 origin = start + first * stride;
        walkTile(a.x + origin, stride, places, columns, [&](int i, int64 at) { xs[i] = a.x[origin + at]; });
        if (F::DYS) walkTile(a.dY + origin, stride, places, columns, [&](int i, int64 at) { dYs[i] = a.dY[origin + at]; });
        if (F::YS) walkTile(a.y + origin + ahead, stride, known, columns, [&](int i, int64 at) { ys[i] = a.y[origin + ahead + at]; });
        __syncthreads();
        for (int place = 0; inside && place < places; place++) {
            int i = place * THREADS + threadIdx.x;
            float kept = 0;
            Step s = F::step(a.exclusive != 0, xs[i], F::DYS ? dYs[i] : 0.0f, kept);
            float state = column.step(s, F::exclusive(a));
            xs[i] = F::result(state, kept, F::YS && place < known ? ys[i] : 1.0f);
        }
        __syncthreads();
        walkTile(a.result + origin, stride, places, columns, [&](int i, int64 at) { put(a.result + origin + at, xs[i], a.accumulate); });
        __syncthreads();
    }
}

template <class F>
DEVICE void columns(const ScanArguments& a) {
    if (a.strip < THREADS) {
        tiles<F>(a);
        return;
    }
    int64 which = (int64)blockIdx.x * THREADS + threadIdx.x;
    if (which >= a.rows) return;
    int64 outer = which / a.inner, stride = a.reverse ? -a.inner : a.inner;
    int64 at = outer * a.terms * a.inner + (which - outer * a.inner) + (a.reverse ? (int64)(a.terms - 1) * a.inner : 0);
    Column<F> column;
    for (int place = 0; place < a.terms; place++, at += stride) {
        float kept = 0;
        Step s = stepAt<F>(a, at, kept);
        put(a.result + at, resultAt<F>(a, column.step(s, F::exclusive(a)), kept, at, stride, place), a.accumulate);
    }
}

#define SCANS(name, F)                                                                          \
    KERNEL void __launch_bounds__(256) scan_rows_##name(ScanArguments a) { shortRows<F>(a); }   \
    KERNEL void __launch_bounds__(256) scan_long_##name(ScanArguments a) { longRows<F>(a); }    \
    KERNEL void __launch_bounds__(256) scan_strips_##name(ScanArguments a) { strips<F>(a); }    \
    KERNEL void __launch_bounds__(256) scan_columns_##name(ScanArguments a) { columns<F>(a); }

SCANS(sum, SumOfTerms)
SCANS(product, ProductOfTerms)
SCANS(slope, SlopeOfProduct)
