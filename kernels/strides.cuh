// How up to three tensors lie along the same axes (Kernels/StridedAxes.cs).
#pragma once
#include "common.cuh"

struct StridedAxes {
    int extents[8];
    int64 first[8];
    int64 second[8];
    int64 third[8];
    int rank;
};

// Where element i, counted over all axes, lies in each tensor. Unrolled, because parameters indexed at run time would be copied to local
// memory.
DEVICE void locate(const StridedAxes& axes, uint32 i, int64& first, int64& second, int64& third) {
    first = 0;
    second = 0;
    third = 0;
#pragma unroll
    for (int axis = 7; axis >= 0; axis--) {
        if (axis >= axes.rank) continue;
        uint32 extent = axes.extents[axis], rest = axis == 0 ? 0 : i / extent, place = i - rest * extent;
        first += place * axes.first[axis];
        second += place * axes.second[axis];
        third += place * axes.third[axis];
        i = rest;
    }
}
