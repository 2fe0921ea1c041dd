// y [outer, inner] = the first place along the middle axis of x [outer, terms, inner] where x equals extreme [outer, inner], or is NaN where that is. Where
// inner is 1, a warp takes an output: its lanes, which begin with a sector, look at every 32nd term and the least of their places wins. Otherwise a thread takes an output and
// neighbors read neighbors. 4 bytes read per term at most, 12 per output.
#include "rows.cuh"

struct FirstEqualArguments {
    const float* x;
    const float* extreme;
    int64* y;
    int64 outputs;
    int terms;
    int inner;
};

DEVICE bool matches(float value, float extreme) { return value == extreme || (value != value && extreme != extreme); }

// The first of the terms that matches, or their number.
DEVICE int firstOf(const float* x, float extreme, int terms, int64 stride) {
    for (int64 term = 0; term < terms; term++) {
        if (matches(x[term * stride], extreme)) return (int)term;
    }
    return terms;
}

KERNEL void __launch_bounds__(256) first_equal_rows(FirstEqualArguments a) {
    __shared__ float extremes[8];
    __shared__ int places[8];
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    int64 start = (int64)blockIdx.x * 8;
    bool isOutput = threadIdx.x < 8 && start + threadIdx.x < a.outputs;
    if (isOutput) extremes[threadIdx.x] = a.extreme[start + threadIdx.x];
    __syncthreads();
    const float* row = a.x + (start + warp) * a.terms;
    float extreme = extremes[warp];
    int found = a.terms;
    // All lanes go on as long as one does: those of fewer terms would part from the others, and their accesses with them.
    for (int first = -shiftOf(row); start + warp < a.outputs && first < a.terms; first += 32) {
        int term = first + lane;
        if (found == a.terms && term >= 0 && term < a.terms && matches(row[term], extreme)) found = term;
    }
    for (int lanes = 16; lanes > 0; lanes >>= 1) {
        int other = (int)bitsOf(__shfl_xor_sync(0xffffffffu, floatOf((uint32)found), lanes));
        found = other < found ? other : found;
    }
    if (lane == 0) places[warp] = found;
    __syncthreads();
    if (isOutput) a.y[start + threadIdx.x] = places[threadIdx.x];
}

KERNEL void __launch_bounds__(256) first_equal_columns(FirstEqualArguments a) {
    int64 output = (int64)blockIdx.x * 256 + threadIdx.x;
    if (output >= a.outputs) return;
    int64 outer = output / a.inner, column = output - outer * a.inner;
    a.y[output] = firstOf(a.x + outer * a.terms * a.inner + column, a.extreme[output], a.terms, a.inner);
}
