// Strided copies: to (=) from, or to (+=) from for floats, at places that both reach by strides (Kernels/Rearrange.cs): permutations, slices, splits
// and their gradients. Twice the element's bytes moved per element, three times where it adds. An element is as wide as both sides allow: runs of
// floats go as 16 bytes. Three ways:
// - elements: a thread each, neighbors along the destination's innermost axis;
// - tiles: where the source runs along another axis than the destination, 1024 elements at a time go through shared memory, whose lines are padded so
//   that neither direction has bank conflicts; tiles are long and narrow where one of the two axes is short, as channels of images are;
// - repetitions: floats that the source has once are read once for up to 16 places along each of two axes that repeat, and for four along a row of one number.
// Rows that do not begin on a 32-byte sector share sectors with their neighbors, which both blocks move.
#include "strides.cuh"

#define THREADS 256
#define TILE 1024
#define REPEATS 16

struct RearrangeArguments {
    const void* from;
    void* to;
    StridedAxes axes;  // first: from, second: to
    int count;
    int unused;
};

struct RearrangeTilesArguments {
    const void* from;
    void* to;
    StridedAxes planes;  // the other axes
    int64 fromRow;       // from one place along the destination's inner axis to the next
    int64 toRow;         // from one place along the source's to the next
    int across;          // the source's inner extent
    int along;           // the destination's
    int tilesAcross;
    int tilesAlong;
    int acrossBits;      // a tile's extents are powers of two
    int unused;
};

template <class T>
struct Assign {
    static DEVICE void store(T* to, T value) { *to = value; }
};

// Field by field, which becomes one access of 16 bytes; a copy of the struct becomes two.
template <>
struct Assign<float4> {
    static DEVICE void store(float4* to, float4 v) { storeFour(&to->x, v.x, v.y, v.z, v.w); }
};

struct Add {
    static DEVICE void store(float* to, float value) { *to += value; }
    static DEVICE void store(float4* to, float4 v) { putFour(&to->x, v.x, v.y, v.z, v.w, true); }
};

template <class T, class Store>
DEVICE void moveElements(const RearrangeArguments& a) {
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    int64 from, to, unused;
    locate(a.axes, i, from, to, unused);
    Store::store((T*)a.to + to, ((const T*)a.from)[from]);
}

template <class T, class Store>
DEVICE void moveTiles(const RearrangeTilesArguments& a) {
    __shared__ T tile[TILE + 32];
    int plane = blockIdx.x / (a.tilesAcross * a.tilesAlong), rest = blockIdx.x - plane * a.tilesAcross * a.tilesAlong;
    int tileAlong = rest / a.tilesAcross, tileAcross = rest - tileAlong * a.tilesAcross;
    int64 from, to, unused;
    locate(a.planes, plane, from, to, unused);
    int acrossBits = a.acrossBits, alongBits = 10 - acrossBits;
    int across0 = tileAcross << acrossBits, along0 = tileAlong << alongBits;
    // A line of shared memory for each place along the shorter side; 32 / that side words between lines keep a warp's accesses apart.
    bool narrow = acrossBits <= 5;
    int shortBits = narrow ? acrossBits : alongBits;
    int line = (TILE >> shortBits) + (32 >> shortBits);
    const T* source = (const T*)a.from + from;
    for (int i = threadIdx.x; i < TILE; i += THREADS) {
        int x = i & ((1 << acrossBits) - 1), y = i >> acrossBits;
        if (across0 + x < a.across && along0 + y < a.along) {
            tile[narrow ? x * line + y : y * line + x] = source[(int64)(along0 + y) * a.fromRow + across0 + x];
        }
    }
    __syncthreads();
    T* target = (T*)a.to + to;
    for (int i = threadIdx.x; i < TILE; i += THREADS) {
        int y = i & ((1 << alongBits) - 1), x = i >> alongBits;
        if (across0 + x < a.across && along0 + y < a.along) {
            Store::store(target + (int64)(across0 + x) * a.toRow + along0 + y, tile[narrow ? x * line + y : y * line + x]);
        }
    }
}

struct RepeatArguments {
    const float* from;
    float* to;
    StridedAxes axes;  // without the axes along which a thread repeats
    int64 stride;      // along that, of the destination
    int64 moreStride;  // along another such axis, of at most REPEATS places
    int count;
    int repeats;
    int moreRepeats;
    int unused;
};

struct Scalars {
    static DEVICE float load(const float* from, int64 at) { return from[at]; }
    static DEVICE void store(float* to, int64 at, float v) { to[at] = v; }
};

struct Quads {
    static DEVICE float4 load(const float* from, int64 at) { return loadFour(from + 4 * at); }
    static DEVICE void store(float* to, int64 at, float4 v) { storeFour(to + 4 * at, v.x, v.y, v.z, v.w); }
};

struct NumberQuads {
    static DEVICE float load(const float* from, int64 at) { return from[at]; }
    static DEVICE void store(float* to, int64 at, float v) { storeFour(to + 4 * at, v, v, v, v); }
};

template <class Access>
DEVICE void repeatElements(const RepeatArguments& a) {
    uint32 thread = blockIdx.x * THREADS + threadIdx.x, slice = thread / (uint32)a.count;
    int first = (int)slice * REPEATS;
    if (first >= a.repeats) return;
    int64 from, to, unused;
    locate(a.axes, thread - slice * (uint32)a.count, from, to, unused);
    auto value = Access::load(a.from, from);
    int last = a.repeats - first < REPEATS ? a.repeats : first + REPEATS;
    for (int i = first; i < last; i++) {
        for (int j = 0; j < a.moreRepeats; j++) Access::store(a.to, to + i * a.stride + j * a.moreStride, value);
    }
}

KERNEL void rearrange_repeat_4(RepeatArguments a) { repeatElements<Scalars>(a); }
KERNEL void rearrange_repeat_16(RepeatArguments a) { repeatElements<Quads>(a); }
KERNEL void rearrange_repeat_number_16(RepeatArguments a) { repeatElements<NumberQuads>(a); }

KERNEL void rearrange_1(RearrangeArguments a) { moveElements<uint8, Assign<uint8>>(a); }
KERNEL void rearrange_2(RearrangeArguments a) { moveElements<uint16, Assign<uint16>>(a); }
KERNEL void rearrange_4(RearrangeArguments a) { moveElements<uint32, Assign<uint32>>(a); }
KERNEL void rearrange_8(RearrangeArguments a) { moveElements<uint64, Assign<uint64>>(a); }
KERNEL void rearrange_16(RearrangeArguments a) { moveElements<float4, Assign<float4>>(a); }
KERNEL void rearrange_add_4(RearrangeArguments a) { moveElements<float, Add>(a); }
KERNEL void rearrange_add_16(RearrangeArguments a) { moveElements<float4, Add>(a); }

KERNEL void rearrange_tiles_1(RearrangeTilesArguments a) { moveTiles<uint8, Assign<uint8>>(a); }
KERNEL void rearrange_tiles_2(RearrangeTilesArguments a) { moveTiles<uint16, Assign<uint16>>(a); }
KERNEL void rearrange_tiles_4(RearrangeTilesArguments a) { moveTiles<uint32, Assign<uint32>>(a); }
KERNEL void rearrange_tiles_8(RearrangeTilesArguments a) { moveTiles<uint64, Assign<uint64>>(a); }
KERNEL void rearrange_tiles_add_4(RearrangeTilesArguments a) { moveTiles<float, Add>(a); }
