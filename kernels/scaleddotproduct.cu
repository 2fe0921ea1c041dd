// Scaled dot-product attention, y = softmax(scale query key^T + mask) value, and its gradients, without scores in memory (Dao et al.,
// 2022). A block of 128 threads has 32 queries and 64 columns of the values, and goes through the keys 64 at a time: scores by the tile of
// dense products, four rows by four columns of them to a thread, the running maximum and sum of a row in the 16 lanes that share it, the
// weights through shared memory as the left operand of the second product. 4 T^2 D flops forward; heads wider than 64 compute their
// scores once per 64 columns. Backward: dQuery by queries (6 T^2 D), which also leaves the products of dY with y, and dKey and dValue by
// keys (8 T^2 D), in the order of the heads and queries, so that nothing is added by atomics; one launch does both where there are few blocks.
// Every tile of 32 reads all keys or queries it may see, from the cache where they fit; a mask is read by elements.
#include "math.cuh"
#include "tiles.cuh"
#include "sums.cuh"

typedef Tile<32, 64, 4, 4, 1> Scores;
typedef ContiguousDepth<Scores, Scores::M, Scores::StrideA, MatrixRows> LeftPanel;
typedef ContiguousDepth<Scores, Scores::N, Scores::StrideB, MatrixRows> RightPanel;
typedef ContiguousRows<Scores, Scores::N, Scores::StrideB, MatrixRows> RowsPanel;

struct HeadLayout {
    int64 offset;
    int64 batch;
    int64 head;
    int64 row;

    DEVICE int64 at(int b, int h) const { return offset + b * batch + h * head; }
};

struct MaskLayout {
    int64 batch;
    int64 head;
    int64 query;
    int64 key;
};

#define MASK_ALLOWED 1
#define MASK_ADDED 2
#define UPPER_LEFT 1
#define LOWER_RIGHT 2

// Which tensors' rows lie on 16 bytes, and which gradients are added to.
#define QUERY 1
#define KEY 2
#define VALUE 4
#define OUTPUT 8
#define D_QUERY 16
#define D_KEY 32
#define D_VALUE 64

struct AttentionArguments {
    const float* query;
    const float* key;
    const float* value;
    const void* mask;
    const int* lengths;
    float* y;
    float* logSums;     // [batch, heads, queries]
    const float* dY;
    float* products;    // [batch, heads, queries]
    float* dQuery;
    float* dKey;
    float* dValue;
    HeadLayout queryRows;
    HeadLayout keyRows;
    HeadLayout valueRows;
    HeadLayout outputRows;
    MaskLayout maskPlaces;
    int heads;
    int group;          // heads that share a head of the keys
    int queries;
    int keys;
    int width;
    int valueWidth;
    int maskKind;
    int causal;
    int lengthStride;
    int vector;
    int accumulate;
    int tiles;          // of 32 queries or keys
    int chunks;         // of 64 columns
    int queryBlocks;    // in front of those of the keys, where one launch has both
    int keyTiles;       // then
    int keyChunks;
    float scale;
};

// What a block works on.
struct Work {
    int chunk;
    int first;
    int head;
    int batch;
    int keys;   // valid ones
    int shift;  // query i sees the keys up to i + shift

    DEVICE static Work of(const AttentionArguments& a, int heads, uint32 block, int tiles, int chunks) {
        Work w;
        uint32 rest = block / chunks;
        w.chunk = (block - rest * chunks) * Scores::N;
        uint32 index = rest / tiles;
        w.first = (rest - index * tiles) * Scores::M;
        w.batch = index / heads;
        w.head = index - w.batch * heads;
        w.keys = a.keys;
        if (a.lengths) {
            int length = a.lengths[w.batch * a.lengthStride];
            w.keys = length < 0 ? 0 : smaller(length, w.keys);
        }
        w.shift = a.causal == UPPER_LEFT ? 0 : a.causal == LOWER_RIGHT ? w.keys - a.queries : 0x3fffffff;
        return w;
    }

    DEVICE int visible(int query) const { return query + shift < keys ? query + shift + 1 : keys; }
};

// Rows of a tensor as the operand of a product: the depth runs along the rows, or, as columns, from row to row.
DEVICE MatrixRows rowsOf(const float* x, const HeadLayout& layout, int first, int rows, int width, bool vector) {
    return MatrixRows{{x, 1, 1}, first, rows, (int)layout.row, width, 1, vector, -1};
}

DEVICE MatrixRows columnsOf(const float* x, const HeadLayout& layout, int chunk, int width, int rows, bool vector) {
    return MatrixRows{{x, 1, 1}, chunk, width, 1, rows, (int)layout.row, vector, -1};
}

// The score of one query and key as the softmax sees it.
DEVICE float maskedScore(const AttentionArguments& a, const Work& work, int head, int query, int key, float score) {
    score *= a.scale;
    if (a.maskKind) {
        int64 place = work.batch * a.maskPlaces.batch + head * a.maskPlaces.head + query * a.maskPlaces.query + key * a.maskPlaces.key;
        if (a.maskKind == MASK_ADDED) {
            score += ((const float*)a.mask)[place];
        } else if (!((const uint8*)a.mask)[place]) {
            score = -infinity();
        }
    }
    return score;
}

// Over the 16 lanes that share four rows.
DEVICE float rowSum(float value) {
#pragma unroll
    for (int lanes = 8; lanes > 0; lanes >>= 1) value += __shfl_xor_sync(0xffffffff, value, lanes);
    return value;
}

DEVICE float rowLargest(float value) {
#pragma unroll
    for (int lanes = 8; lanes > 0; lanes >>= 1) value = larger(value, __shfl_xor_sync(0xffffffff, value, lanes));
    return value;
}

// By value: a choice of places would need the array in memory.
DEVICE float pick(float x0, float x1, float x2, float x3, int j) {
    float low = j & 1 ? x1 : x0, high = j & 1 ? x3 : x2;
    return j & 2 ? high : low;
}

DEVICE float pick(const float* row, int j) { return pick(row[0], row[1], row[2], row[3], j); }

// A thread's weights as a left operand: their columns are its depth. Neighboring threads write their columns in another order, as columns
// eight apart share their banks.
DEVICE void keepWeights(const Sums<Scores>& sums, float* weights) {
    int row = Sums<Scores>::row(threadIdx.x, 0), column = Sums<Scores>::column(threadIdx.x, 0);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        int j = (i + (threadIdx.x >> 1)) & 3;
        storeFour(
            weights + (column + j) * Scores::StrideA + row, pick(sums.values[0], j), pick(sums.values[1], j), pick(sums.values[2], j),
            pick(sums.values[3], j));
    }
}

// sums += the weights times 64 rows of a matrix from the first on. The panel is none that a product of scores begins with.
DEVICE void addRows(Sums<Scores>& sums, const float* weights, const MatrixRows& source, int first, float* panel) {
#pragma unroll 1
    for (int k = 0; k < Scores::N; k += Scores::Depth) {
        RowsPanel rows;
        rows.fetch(source, first + k);
        __syncthreads();
        rows.put(source, panel);
        __syncthreads();
        sums.add(weights + k * Scores::StrideA, panel, threadIdx.x);
    }
}

DEVICE void multiplyScores(const MatrixRows& left, const MatrixRows& right, int width, float* shared, Sums<Scores>& sums) {
    multiplyTile<Scores, false, LeftPanel, MatrixRows, RightPanel, MatrixRows>(left, right, 0, width, shared, sums);
}

KERNEL void __launch_bounds__(128, 2) scaleddotproduct_forward(AttentionArguments a) {
    __shared__ __attribute__((aligned(16))) float shared[Scores::Floats];
    __shared__ __attribute__((aligned(16))) float weights[Scores::N * Scores::StrideA];
    Work work = Work::of(a, a.heads, blockIdx.x, a.tiles, a.chunks);
    int firstRow = work.first + Sums<Scores>::row(threadIdx.x, 0), column = Sums<Scores>::column(threadIdx.x, 0);
    MatrixRows query = rowsOf(
        a.query + a.queryRows.at(work.batch, work.head), a.queryRows, work.first, a.queries, a.width, a.vector & QUERY);
    const float* key = a.key + a.keyRows.at(work.batch, work.head / a.group);
    MatrixRows value = columnsOf(
        a.value + a.valueRows.at(work.batch, work.head / a.group), a.valueRows, work.chunk, a.valueWidth, work.keys, a.vector & VALUE);
    Sums<Scores> output;
    output.clear();
    float largest[4], total[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        largest[i] = -infinity();
        total[i] = 0;
    }
    int seen = work.visible(smaller(work.first + Scores::M, a.queries) - 1);
    for (int first = 0; first < seen; first += Scores::N) {
        Sums<Scores> scores;
        multiplyScores(query, rowsOf(key, a.keyRows, first, work.keys, a.width, a.vector & KEY), a.width, shared, scores);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            int row = firstRow + i, visible = row < a.queries ? work.visible(row) : 0;
            float most = largest[i];
#pragma unroll
            for (int j = 0; j < 4; j++) {
                int at = first + column + j;
                scores.values[i][j] = at < visible ? maskedScore(a, work, work.head, row, at, scores.values[i][j]) : -infinity();
                most = larger(scores.values[i][j], most);
            }
            most = rowLargest(most);
            // Where everything is forbidden so far, nothing may be subtracted from -infinity.
            float shift = most == -infinity() ? 0.0f : most, factor = largest[i] == -infinity() ? 1.0f : exponential(largest[i] - shift);
            float sum = 0;
#pragma unroll
            for (int j = 0; j < 4; j++) {
                scores.values[i][j] = exponential(scores.values[i][j] - shift);
                sum += scores.values[i][j];
                output.values[i][j] *= factor;
            }
            total[i] = total[i] * factor + rowSum(sum);
            largest[i] = most;
        }
        keepWeights(scores, weights);
        addRows(output, weights, value, first, shared + Scores::Buffer);
    }
    float* y = a.y + a.outputRows.at(work.batch, work.head);
    float* logSums = a.logSums + ((int64)work.batch * a.heads + work.head) * a.queries;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        int row = firstRow + i;
        if (row >= a.queries) break;
        float factor = total[i] == 0 ? 0.0f : 1.0f / total[i];
#pragma unroll
        for (int j = 0; j < 4; j++) output.values[i][j] *= factor;
        putSums(y + row * a.outputRows.row, output.values[i], work.chunk + column, a.valueWidth, a.vector & OUTPUT, false);
        if (a.logSums && work.chunk == 0 && column == 0) logSums[row] = total[i] == 0 ? infinity() : largest[i] + logarithm(total[i]);
    }
}

// A weight once more, from the logarithm of its row's sum.
DEVICE float weightAgain(const AttentionArguments& a, const Work& work, int head, int query, int key, float score, float logSum) {
    return exponential(maskedScore(a, work, head, query, key, score) - logSum);
}

// The products of dY with y of so many queries from the first on: a warp for every fourth.
DEVICE void multiplyOutputs(const AttentionArguments& a, const float* y, const float* dY, int first, int count, float* products) {
#pragma unroll 1
    for (int r = threadIdx.x >> 5; r < count && first + r < a.queries; r += 4) {
        int64 row = (first + r) * a.outputRows.row;
        float sum = 0;
#pragma unroll 1
        for (int i = threadIdx.x & 31; i < a.valueWidth; i += 32) sum += y[row + i] * dY[row + i];
        sum = warpSum(sum);
        if ((threadIdx.x & 31) == 0) products[r] = sum;
    }
}

#define SHARED_MEMORY                                                                  \
    __shared__ __attribute__((aligned(16))) float shared[Scores::Floats];              \
    __shared__ __attribute__((aligned(16))) float weights[Scores::N * Scores::StrideA]; \
    __shared__ float products[Scores::N]

// Leaves the products in memory, for the launch for the keys, unless that makes its own (KEEP).
template <bool KEEP>
DEVICE void backwardQuery(const AttentionArguments& a, const Work& work, float* shared, float* weights, float* products) {
    int64 output = a.outputRows.at(work.batch, work.head), statistics = ((int64)work.batch * a.heads + work.head) * a.queries;
    const float *y = a.y + output, *dY = a.dY + output;
    multiplyOutputs(a, y, dY, work.first, Scores::M, products);
    if (KEEP && work.chunk == 0) {
        // Those of a warp are its own.
        int r = (threadIdx.x >> 5) + 4 * (threadIdx.x & 31);
        __syncwarp();
        if (r < Scores::M && work.first + r < a.queries) a.products[statistics + work.first + r] = products[r];
    }
    if (!a.dQuery) return;

    int ownRow = Sums<Scores>::row(threadIdx.x, 0), firstRow = work.first + ownRow, column = Sums<Scores>::column(threadIdx.x, 0);
    MatrixRows query = rowsOf(
        a.query + a.queryRows.at(work.batch, work.head), a.queryRows, work.first, a.queries, a.width, a.vector & QUERY);
    MatrixRows given = rowsOf(dY, a.outputRows, work.first, a.queries, a.valueWidth, a.vector & OUTPUT);
    const float* key = a.key + a.keyRows.at(work.batch, work.head / a.group);
    const float* value = a.value + a.valueRows.at(work.batch, work.head / a.group);
    MatrixRows keyColumns = columnsOf(key, a.keyRows, work.chunk, a.width, work.keys, a.vector & KEY);
    Sums<Scores> gradient;
    gradient.clear();
    float logSums[4];
#pragma unroll
    for (int i = 0; i < 4; i++) logSums[i] = firstRow + i < a.queries ? a.logSums[statistics + firstRow + i] : infinity();
    int seen = work.visible(smaller(work.first + Scores::M, a.queries) - 1);
    for (int first = 0; first < seen; first += Scores::N) {
        Sums<Scores> scores, slopes;
        multiplyScores(query, rowsOf(key, a.keyRows, first, work.keys, a.width, a.vector & KEY), a.width, shared, scores);
        __syncthreads();
        multiplyScores(
            given, rowsOf(value, a.valueRows, first, work.keys, a.valueWidth, a.vector & VALUE), a.valueWidth, shared, slopes);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            int row = firstRow + i, visible = row < a.queries ? work.visible(row) : 0;
            float product = row < a.queries ? products[ownRow + i] : 0.0f;
#pragma unroll
            for (int j = 0; j < 4; j++) {
                int at = first + column + j;
                float weight = at < visible ? weightAgain(a, work, work.head, row, at, scores.values[i][j], logSums[i]) : 0.0f;
                slopes.values[i][j] = weight * (slopes.values[i][j] - product) * a.scale;
            }
        }
        keepWeights(slopes, weights);
        addRows(gradient, weights, keyColumns, first, shared + Scores::Buffer);
    }
    float* dQuery = a.dQuery + a.queryRows.at(work.batch, work.head);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        int row = firstRow + i;
        if (row >= a.queries) break;
        putSums(
            dQuery + row * a.queryRows.row, gradient.values[i], work.chunk + column, a.width, a.vector & D_QUERY, a.accumulate & D_QUERY);
    }
}

// Rows are keys, columns are queries. The products are those that the launch for the queries left, or made once more (OWN).
template <bool OWN>
DEVICE void backwardKeys(const AttentionArguments& a, const Work& work, float* shared, float* weights, float* products) {
    int firstRow = work.first + Sums<Scores>::row(threadIdx.x, 0), column = Sums<Scores>::column(threadIdx.x, 0);
    MatrixRows key = rowsOf(a.key + a.keyRows.at(work.batch, work.head), a.keyRows, work.first, work.keys, a.width, a.vector & KEY);
    MatrixRows value = rowsOf(
        a.value + a.valueRows.at(work.batch, work.head), a.valueRows, work.first, work.keys, a.valueWidth, a.vector & VALUE);
    Sums<Scores> dKey, dValue;
    dKey.clear();
    dValue.clear();
    for (int head = work.head * a.group; head < (work.head + 1) * a.group; head++) {
        const float* query = a.query + a.queryRows.at(work.batch, head);
        const float* dY = a.dY + a.outputRows.at(work.batch, head);
        int64 statistics = ((int64)work.batch * a.heads + head) * a.queries;
        // Queries in front of this one do not see the first key.
        int start = work.first < work.shift ? 0 : (work.first - work.shift) / Scores::N * Scores::N;
        for (int first = start; first < a.queries && work.first < work.keys; first += Scores::N) {
            if (OWN && a.dKey) multiplyOutputs(a, a.y + a.outputRows.at(work.batch, head), dY, first, Scores::N, products);
            Sums<Scores> scores;
            multiplyScores(key, rowsOf(query, a.queryRows, first, a.queries, a.width, a.vector & QUERY), a.width, shared, scores);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                int at = first + column + j, visible = at < a.queries ? work.visible(at) : 0;
                float logSum = at < a.queries ? a.logSums[statistics + at] : 0.0f;
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    int row = firstRow + i;
                    scores.values[i][j] = row < visible ? weightAgain(a, work, head, at, row, scores.values[i][j], logSum) : 0.0f;
                }
            }
            if (a.dValue) {
                keepWeights(scores, weights);
                addRows(
                    dValue, weights, columnsOf(dY, a.outputRows, work.chunk, a.valueWidth, a.queries, a.vector & OUTPUT), first,
                    shared + Scores::Buffer);
            }
            // Also in front of what the next product of scores overwrites.
            __syncthreads();
            if (!a.dKey) continue;
            Sums<Scores> slopes;
            multiplyScores(
                value, rowsOf(dY, a.outputRows, first, a.queries, a.valueWidth, a.vector & OUTPUT), a.valueWidth, shared, slopes);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                int at = first + column + j;
                float product = at >= a.queries ? 0.0f : OWN ? products[column + j] : a.products[statistics + at];
#pragma unroll
                for (int i = 0; i < 4; i++) slopes.values[i][j] = scores.values[i][j] * (slopes.values[i][j] - product) * a.scale;
            }
            keepWeights(slopes, weights);
            addRows(
                dKey, weights, columnsOf(query, a.queryRows, work.chunk, a.width, a.queries, a.vector & QUERY), first,
                shared + Scores::Buffer);
        }
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        int row = firstRow + i;
        if (row >= a.keys) break;
        // Where both are one tensor, the value's is written first.
        if (a.dValue) {
            putSums(
                a.dValue + a.valueRows.at(work.batch, work.head) + row * a.valueRows.row, dValue.values[i], work.chunk + column,
                a.valueWidth, a.vector & D_VALUE, a.accumulate & D_VALUE);
        }
        if (a.dKey) {
            putSums(
                a.dKey + a.keyRows.at(work.batch, work.head) + row * a.keyRows.row, dKey.values[i], work.chunk + column, a.width,
                a.vector & D_KEY, a.accumulate & D_KEY);
        }
    }
}

KERNEL void __launch_bounds__(128, 2) scaleddotproduct_backward_query(AttentionArguments a) {
    SHARED_MEMORY;
    backwardQuery<true>(a, Work::of(a, a.heads, blockIdx.x, a.tiles, a.chunks), shared, weights, products);
}

KERNEL void __launch_bounds__(128, 2) scaleddotproduct_backward_keys(AttentionArguments a) {
    SHARED_MEMORY;
    backwardKeys<false>(a, Work::of(a, a.heads / a.group, blockIdx.x, a.tiles, a.chunks), shared, weights, products);
}

// Both, for so few blocks that neither launch alone would fill a GPU. Those of the keys make the products themselves, T D flops for each tile.
KERNEL void __launch_bounds__(128, 2) scaleddotproduct_backward(AttentionArguments a) {
    SHARED_MEMORY;
    // Here it takes no registers, of which there are none to spare.
    __shared__ Work work;
    bool isQuery = (int)blockIdx.x < a.queryBlocks;
    if (threadIdx.x == 0) {
        work = isQuery ? Work::of(a, a.heads, blockIdx.x, a.tiles, a.chunks)
                       : Work::of(a, a.heads / a.group, blockIdx.x - a.queryBlocks, a.keyTiles, a.keyChunks);
    }
    __syncthreads();
    if (isQuery) {
        backwardQuery<false>(a, work, shared, weights, products);
    } else {
        backwardKeys<true>(a, work, shared, weights, products);
    }
}
