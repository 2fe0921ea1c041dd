// What a large product leaves behind it, z = x + bias [n] and y = f(z) over [rows, n]: 12 bytes per element; backward dX = dY f'(z) and dBias (=|+=) its column
// sums: 12 bytes per element. z may be x, dX may be dY. For functions whose gradient reads their argument and that stand behind dense layers; others are in
// dense_bias_activation. Flops as in activations.cu.
#include "columns.cuh"
#include "generated/activations.cuh"

struct BiasActivationForwardArguments {
    const float* x;
    const float* bias;
    float* z;
    float* y;
    ColumnWalk walk;
    Scalars scalars;
};

struct BiasActivationBackwardArguments {
    ColumnSumArguments sums;  // of z: x there
    const float* dY;
    float* dX;
    Scalars scalars;
};

template <class F>
DEVICE void forward(const BiasActivationForwardArguments& a) {
    int parts = partsOf(a.walk), block = blockIdx.x / parts, part = blockIdx.x % parts;
    Columns columns(a.walk, a.bias, part);
    walkColumns(a.walk, block, part, [&](int64 element, int, int count) {
        float4 v = loadSome(a.x + element, count);
        float z[4] = {v.x + columns.values[0], v.y + columns.values[1], v.z + columns.values[2], v.w + columns.values[3]}, y[4];
#pragma unroll
        for (int j = 0; j < 4; j++) y[j] = j < a.walk.perThread ? F::value(z[j], a.scalars) : 0.0f;
        storeSome(a.z + element, float4{z[0], z[1], z[2], z[3]}, count);
        storeSome(a.y + element, float4{y[0], y[1], y[2], y[3]}, count);
    });
}

template <class F>
DEVICE void backward(const BiasActivationBackwardArguments& a) {
    int parts = partsOf(a.sums.walk);
    sumColumns(a.sums, blockIdx.x / parts, blockIdx.x % parts, [&](int64 element, int count) {
        float4 z = loadSome(a.sums.x + element, count), dY = loadSome(a.dY + element, count);
        float4 dX{F::gradient(z.x, dY.x, a.scalars), 0, 0, 0};
        if (a.sums.walk.perThread == 4) {
            dX.y = F::gradient(z.y, dY.y, a.scalars);
            dX.z = F::gradient(z.z, dY.z, a.scalars);
            dX.w = F::gradient(z.w, dY.w, a.scalars);
        }
        storeSome(a.dX + element, dX, count);
        return dX;
    });
}

#define KERNELS(name, F)                                                                                                           \
    KERNEL void __launch_bounds__(256) biasactivation_forward_##name(BiasActivationForwardArguments a) { forward<F>(a); }          \
    KERNEL void __launch_bounds__(256) biasactivation_backward_##name(BiasActivationBackwardArguments a) { backward<F>(a); }

KERNELS(gelu, Gelu)
KERNELS(gelutanh, GeluTanh)
KERNELS(silu, SiLU)
