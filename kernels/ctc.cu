// Connectionist temporal classification by the forward-backward algorithm of Graves et al. (2006) in log space, a block per example. With
// the labels and the blanks around them as states, alpha[t, s] is the logarithm of the probability of all ways to state s at step t,
// beta[t, s] that of all ways from there to the end, and the gradient of x[t, k] is -exp(alpha + beta - log p) summed over the states of
// class k. A length or a target that is out of range makes the loss NaN and the gradient 0.
//
// x [T, N, C], targets [N, S], lengths [N]; loss [] or [N], dX (=|+=) [T, N, C]. Steps follow each other, so the time is T times that of a
// barrier and of three exponentials and a logarithm (four backward) per state and thread, and not that of memory: forward reads 2 S + 1
// numbers of a step's C and writes as many scores, backward reads those again and writes dX once, and again where labels are.
#include "math.cuh"
#include "sums.cuh"

struct CtcArguments {
    const float* x;
    const int* targets;
    const int* inputLengths;
    const int* targetLengths;
    float* alpha;       // [N, kept, width], the first two of a row unused
    float* likelihood;  // [N]
    float* loss;
    const float* dLoss;
    float* dX;
    float* rows;  // [N, 3, width]: beta of two steps, and the states' shares of the gradient
    int* links;   // [N, S]
    Scratch scratch;
    int steps;
    int batch;
    int classes;
    int longest;
    int kept;
    int blank;
    int reduction;
    int zeroInfinity;
    int accumulate;
    int unused;
};

enum Reduction { MEAN, SUM, NONE };

// A link of labels of one class: whether it is their first, and 1 + the place of the next, or 0.
#define FIRST (1 << 30)

DEVICE float addLogs(float a, float b, float c) {
    float most = larger(larger(larger(-1e30f, a), b), c);
    return most + logarithm(exponential(a - most) + exponential(b - most) + exponential(c - most));
}

// One block's example.
struct Example {
    int steps, length, states, width, blank;
    const int* labels;
    float* alpha;

    DEVICE Example(const CtcArguments& a, int n) {
        steps = a.inputLengths[n];
        length = a.targetLengths[n];
        states = 2 * length + 1;
        width = 2 * a.longest + 3;
        blank = a.blank;
        labels = a.targets + (int64)n * a.longest;
        alpha = a.alpha + (int64)n * a.kept * width;
    }

    // In every thread.
    DEVICE bool isValid(const CtcArguments& a) const {
        if ((uint32)steps > (uint32)a.steps || (uint32)length > (uint32)a.longest) return false;
        float bad = 0;
        for (int i = threadIdx.x; i < length; i += blockDim.x) {
            if ((uint32)labels[i] >= (uint32)a.classes || labels[i] == a.blank) bad = 1;
        }
        return blockSum(bad) == 0;
    }

    DEVICE int classOf(int state) const { return (state & 1) == 0 ? blank : labels[state >> 1]; }

    // Whether a state can be reached from the one two before it.
    DEVICE bool skips(int state) const {
        return (state & 1) == 1 && state >= 3 && state < states && labels[state >> 1] != labels[(state >> 1) - 1];
    }

    DEVICE float* scores(const CtcArguments& a, int step) const { return alpha + (int64)(step % a.kept) * width + 2; }
};

DEVICE const float* stepOf(const CtcArguments& a, int step, int n) {
    return a.x + ((int64)step * a.batch + n) * a.classes;
}

DEVICE float lossOf(const CtcArguments& a, float likelihood) {
    return a.zeroInfinity && likelihood == -infinity() ? 0.0f : -likelihood;
}

KERNEL void ctc_forward(CtcArguments a) {
    int n = blockIdx.x;
    Example e(a, n);
    float likelihood = quietNaN();
    if (e.isValid(a)) {
        for (int step = 0; step < e.steps; step++) {
            const float* x = stepOf(a, step, n);
            float* to = e.scores(a, step);
            const float* from = e.scores(a, step - 1 < 0 ? 0 : step - 1);
            for (int s = threadIdx.x; s < e.states; s += blockDim.x) {
                float own = step == 0 ? (s < 2 ? 0.0f : -infinity())
                                      : addLogs(from[s], s > 0 ? from[s - 1] : -infinity(), e.skips(s) ? from[s - 2] : -infinity());
                to[s] = own + x[e.classOf(s)];
            }
            __syncthreads();
        }
        if (e.steps == 0) {
            likelihood = e.length == 0 ? 0.0f : -infinity();
        } else if (threadIdx.x == 0) {
            const float* last = e.scores(a, e.steps - 1);
            likelihood = addLogs(last[e.states - 1], e.length == 0 ? -infinity() : last[e.states - 2], -infinity());
        }
    }
    if (threadIdx.x == 0) {
        a.likelihood[n] = likelihood;
        if (a.reduction == NONE) a.loss[n] = lossOf(a, likelihood);
    }
    if (a.reduction == NONE || !isLastBlock(a.scratch.ticket)) return;
    float sum = 0;
    for (int i = threadIdx.x; i < a.batch; i += blockDim.x) {
        float loss = lossOf(a, *(const volatile float*)(a.likelihood + i));
        int length = a.targetLengths[i];
        sum += a.reduction == MEAN && length > 1 ? loss / (float)length : loss;
    }
    double total = blockSum(sum);
    if (threadIdx.x == 0) *a.loss = (float)(a.reduction == MEAN ? total / a.batch : total);
}

KERNEL void ctc_backward(CtcArguments a) {
    int n = blockIdx.x;
    Example e(a, n);
    float likelihood = a.likelihood[n];
    if (!a.accumulate) {
        for (int step = 0; step < a.steps; step++) {
            float* row = a.dX + ((int64)step * a.batch + n) * a.classes;
            for (int k = threadIdx.x; k < a.classes; k += blockDim.x) row[k] = 0.0f;
        }
    }
    if (!e.isValid(a) || (a.zeroInfinity && likelihood == -infinity())) return;

    int* links = a.links + (int64)n * a.longest;
    for (int i = threadIdx.x; i < e.length; i += blockDim.x) {
        int next = i + 1, before = i - 1;
        while (next < e.length && e.labels[next] != e.labels[i]) next++;
        while (before >= 0 && e.labels[before] != e.labels[i]) before--;
        links[i] = (next < e.length ? next + 1 : 0) | (before < 0 ? FIRST : 0);
    }

    float scale = -(a.reduction == NONE ? a.dLoss[n] : *a.dLoss);
    if (a.reduction == MEAN) scale = scale / (float)a.batch / (float)(e.length > 1 ? e.length : 1);
    float* beta = a.rows + (int64)n * 3 * e.width;
    float* behind = beta + e.width;
    float* shares = behind + e.width;
    for (int step = e.steps - 1; step >= 0; step--) {
        float* exchange = beta;
        beta = behind;
        behind = exchange;
        const float* x = stepOf(a, step + 1 < a.steps ? step + 1 : step, n);
        const float* alpha = e.scores(a, step);
        for (int s = threadIdx.x; s < e.states; s += blockDim.x) {
            float score;
            if (step == e.steps - 1) {
                score = s >= e.states - 2 ? 0.0f : -infinity();
            } else {
                float stay = behind[s] + x[e.classOf(s)];
                float on = s + 1 < e.states ? behind[s + 1] + x[e.classOf(s + 1)] : -infinity();
                float twoOn = e.skips(s + 2) ? behind[s + 2] + x[e.classOf(s + 2)] : -infinity();
                score = addLogs(stay, on, twoOn);
            }
            beta[s] = score;
            shares[s] = exponential(alpha[s] + score - likelihood) * scale;
        }
        __syncthreads();

        float* row = a.dX + ((int64)step * a.batch + n) * a.classes;
        float ofBlank = 0;
        for (int s = 2 * threadIdx.x; s < e.states; s += 2 * blockDim.x) ofBlank += shares[s];
        for (int i = threadIdx.x; i < e.length; i += blockDim.x) {
            if (!(links[i] & FIRST)) continue;
            float sum = 0;
            for (int at = i + 1; at != 0; at = links[at - 1] & ~FIRST) sum += shares[2 * at - 1];
            row[e.labels[i]] += sum;
        }
        double blank = blockSum(ofBlank);
        if (threadIdx.x == 0) row[a.blank] += (float)blank;
        __syncthreads();
    }
}
