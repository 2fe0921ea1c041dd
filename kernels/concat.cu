// Strided copies of rows: y [rows, total] from each input's first column on = x [rows, width], or the other way dX [rows, width] (=|+=) those columns of dY.
// One launch has up to 32 inputs, one after the other by blocks. 8 bytes moved per element, 12 where it adds; as 16-byte accesses where an input's widths,
// first column and addresses allow it. Where a row does not begin on a 32-byte sector, its first and last sectors are written in parts.
#include "common.cuh"

#define THREADS 256

// Of one input. Blocks from the first on have it.
struct RowCopy {
    const float* from;  // of the first row, at its first column
    float* to;
    int64 fromStride;
    int64 toStride;
    int width;
    int firstBlock;
    int fours;
    int accumulate;
};

struct ConcatArguments {
    int64 rows;
    int count;
    int blocks;
    RowCopy copies[32];
};

KERNEL void __launch_bounds__(THREADS) concat_rows(ConcatArguments a) {
    int which = 0;
    while (which + 1 < a.count && (int)blockIdx.x >= a.copies[which + 1].firstBlock) which++;
    const RowCopy& copy = a.copies[which];
    int perThread = copy.fours ? 4 : 1, width = copy.width / perThread;
    int64 i = (int64)((int)blockIdx.x - copy.firstBlock) * THREADS + threadIdx.x;
    if (i >= a.rows * width) return;
    int64 row = i / width, column = (i - row * width) * perThread;
    const float* from = copy.from + row * copy.fromStride + column;
    float* to = copy.to + row * copy.toStride + column;
    if (copy.fours) {
        float4 v = loadFour(from);
        putFour(to, v.x, v.y, v.z, v.w, copy.accumulate);
        KEEP_APART();
    } else {
        put(to, *from, copy.accumulate);
    }
}
