// What a CUDA toolkit's headers would supply, so that one source compiles with nvcc and with clang alone, and what all families
// share. Kernels take one parameter each, a struct by value whose C# twin stands beside the launch in src/FastNN/Cuda.
#pragma once

#if defined(__clang__) && !defined(__NVCC__)
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#include <__clang_cuda_builtin_vars.h>

struct __attribute__((aligned(8))) float2 {
    float x, y;
};
struct __attribute__((aligned(16))) float4 {
    float x, y, z, w;
};
struct __attribute__((aligned(16))) uint4 {
    unsigned x, y, z, w;
};

__device__ __forceinline__ float __shfl_down_sync(unsigned mask, float value, int delta) {
    return __nvvm_shfl_sync_down_f32(mask, value, delta, 31);
}
__device__ __forceinline__ float __shfl_xor_sync(unsigned mask, float value, int lanes) {
    return __nvvm_shfl_sync_bfly_f32(mask, value, lanes, 31);
}
#endif

typedef unsigned char uint8;
typedef unsigned short uint16;
typedef unsigned int uint32;
typedef unsigned long long uint64;

#define KERNEL extern "C" __global__
