// What a CUDA toolkit's headers would supply, so that one source compiles with nvcc and with clang alone, and what all families
// share. Kernels take one parameter each, a struct by value whose C# twin stands beside the launch in src/FastNN/Cuda.
#pragma once

#if defined(__clang__) && !defined(__NVCC__)
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __align__(bytes) __attribute__((aligned(bytes)))
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
__device__ __forceinline__ float __shfl_up_sync(unsigned mask, float value, int delta) {
    return __nvvm_shfl_sync_up_f32(mask, value, delta, 0);
}
__device__ __forceinline__ float __shfl_sync(unsigned mask, float value, int lane) {
    return __nvvm_shfl_sync_idx_f32(mask, value, lane, 31);
}
__device__ __forceinline__ void __syncwarp(unsigned mask = 0xffffffff) { __nvvm_bar_warp_sync(mask); }
__device__ __forceinline__ void __threadfence() { __nvvm_membar_gl(); }
__device__ __forceinline__ unsigned atomicAdd(unsigned* address, unsigned value) {
    return __nvvm_atom_add_gen_i((int*)address, (int)value);
}
__device__ __forceinline__ float multiplyAdd(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
__device__ __forceinline__ float absolute(float x) { return __builtin_fabsf(x); }
__device__ __forceinline__ double absolute(double x) { return __builtin_fabs(x); }
__device__ __forceinline__ float squareRoot(float x) { return __builtin_sqrtf(x); }
__device__ __forceinline__ float nearestInteger(float x) { return __builtin_rintf(x); }
__device__ __forceinline__ unsigned bitsOf(float x) { return __builtin_bit_cast(unsigned, x); }
__device__ __forceinline__ float floatOf(unsigned bits) { return __builtin_bit_cast(float, bits); }
#else
__device__ __forceinline__ float multiplyAdd(float x, float y, float z) { return fmaf(x, y, z); }
__device__ __forceinline__ float absolute(float x) { return fabsf(x); }
__device__ __forceinline__ double absolute(double x) { return fabs(x); }
__device__ __forceinline__ float squareRoot(float x) { return sqrtf(x); }
__device__ __forceinline__ float nearestInteger(float x) { return rintf(x); }
__device__ __forceinline__ unsigned bitsOf(float x) { return __float_as_uint(x); }
__device__ __forceinline__ float floatOf(unsigned bits) { return __uint_as_float(bits); }
#endif

typedef unsigned char uint8;
typedef unsigned short uint16;
typedef unsigned int uint32;
typedef unsigned long long uint64;
typedef long long int64;

#define KERNEL extern "C" __global__
#define DEVICE __device__ __forceinline__

// The larger or smaller of two numbers; the second where either is NaN.
DEVICE float larger(float x, float y) { return x > y ? x : y; }
DEVICE float smaller(float x, float y) { return x < y ? x : y; }
DEVICE int larger(int x, int y) { return x > y ? x : y; }
DEVICE int smaller(int x, int y) { return x < y ? x : y; }

DEVICE float quietNaN() { return floatOf(0x7fc00000u); }
DEVICE float infinity() { return floatOf(0x7f800000u); }
DEVICE bool isFinite(float x) { return (bitsOf(x) & 0x7f800000u) != 0x7f800000u; }

DEVICE bool aligned16(const void* pointer) { return ((uint64)pointer & 15) == 0; }

DEVICE float4 loadFour(const float* source) { return *reinterpret_cast<const float4*>(source); }

DEVICE void storeFour(float* destination, float x, float y, float z, float w) {
    float4 four;
    four.x = x;
    four.y = y;
    four.z = z;
    four.w = w;
    *reinterpret_cast<float4*>(destination) = four;
}

// destination (=|+=) value.
DEVICE void put(float* destination, float value, bool accumulate) { *destination = accumulate ? *destination + value : value; }

DEVICE void putFour(float* destination, float x, float y, float z, float w, bool accumulate) {
    if (accumulate) {
        float4 before = loadFour(destination);
        x += before.x;
        y += before.y;
        z += before.z;
        w += before.w;
    }
    storeFour(destination, x, y, z, w);
}

// Ends a branch whose last store has a twin in the other branch: the compiler would move both behind the branches, and split the
// 16-byte accesses of one for it.
#define KEEP_APART() asm volatile("")
