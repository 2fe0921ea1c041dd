// A strided copy of rows: y [rows, total] from column offset on = x [rows, width], or the other way dX [rows, width] (=|+=) those
// columns of dY. 8 bytes moved per element, 12 where it adds; as 16-byte accesses where widths, offset and addresses allow it.
// Where a row does not begin on a 32-byte sector, its first and last sectors are written in parts.
#include "common.cuh"

struct ConcatArguments {
    const float* from;  // of the first row, at its first column
    float* to;
    int64 fromStride;
    int64 toStride;
    int64 rows;
    int width;
    int accumulate;
};

template <int PER_THREAD>
DEVICE void copyRows(const ConcatArguments& a) {
    int width = a.width / PER_THREAD;
    int64 i = (int64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= a.rows * width) return;
    int64 row = i / width, column = (i - row * width) * PER_THREAD;
    const float* from = a.from + row * a.fromStride + column;
    float* to = a.to + row * a.toStride + column;
    if (PER_THREAD == 4) {
        float4 v = loadFour(from);
        putFour(to, v.x, v.y, v.z, v.w, a.accumulate);
    } else {
        put(to, *from, a.accumulate);
    }
}

KERNEL void concat_rows(ConcatArguments a) { copyRows<1>(a); }
KERNEL void concat_rows_by_four(ConcatArguments a) { copyRows<4>(a); }
