// What these kernels need of CUDA, without an SDK.
#pragma once
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#include <__clang_cuda_builtin_vars.h>

using u32 = unsigned int;
using u64 = unsigned long long;

__device__ inline float shuffleDown(float value, int distance) { return __nvvm_shfl_sync_down_f32(0xffffffffu, value, distance, 31); }
__device__ inline float shuffleXor(float value, int distance) { return __nvvm_shfl_sync_bfly_f32(0xffffffffu, value, distance, 31); }
__device__ inline int shuffleUp(int value, int distance) { return __nvvm_shfl_sync_up_i32(0xffffffffu, value, distance, 0); }
__device__ inline int globalThread() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }
