// Functions of two numbers with NumPy's broadcasting other than the four of arithmetic, functions of integers and truths, and gradients that are no
// multiple of dY alone. Forward as broadcast.cuh says; what repeats along rows or columns only is read again here, since there are no kernels for
// those patterns. Gradients dX (=|+=) dY df/dx are in the result's shape: 8 bytes moved per element and 4 for each whole tensor that they read.
#include "broadcast.cuh"
#include "generated/binary.cuh"

struct GradientArguments {
    FlatOperand a;  // what the function does not read: a number
    FlatOperand b;
    FlatOperand y;
    const float* dY;
    float* dX;
    Axes axes;
    int64 count;
    int flat;  // whether both operands lie as the result does, or are numbers
    int accumulate;
};

struct IntegersArguments {
    const void* a;  // null: a number
    const void* b;
    void* y;
    Axes axes;
    int count;
    int numberA;
    int numberB;
    int unused;
};

template <class Gradient>
struct GradientMap {
    FlatOperand a;
    FlatOperand b;
    FlatOperand y;
    const float* dY;
    float* dX;
    bool accumulate;

    DEVICE void one(int64 i) const {
        float u = at(a.operand, a.number, i), v = at(b.operand, b.number, i), w = at(y.operand, y.number, i);
        put(dX + i, Gradient::value(u, v, w, dY[i]), accumulate);
    }

    DEVICE void four(int64 i) const {
        float4 u = fourAt(a.operand, a.number, i), v = fourAt(b.operand, b.number, i), w = fourAt(y.operand, y.number, i);
        float4 d = loadFour(dY + i);
        putFour(
            dX + i, Gradient::value(u.x, v.x, w.x, d.x), Gradient::value(u.y, v.y, w.y, d.y), Gradient::value(u.z, v.z, w.z, d.z),
            Gradient::value(u.w, v.w, w.w, d.w), accumulate);
    }
};

template <class F>
struct FirstGradient {
    static DEVICE float value(float a, float b, float y, float dY) { return F::firstGradient(a, b, y, dY); }
};

template <class F>
struct SecondGradient {
    static DEVICE float value(float a, float b, float y, float dY) { return F::secondGradient(a, b, y, dY); }
};

template <class Gradient>
DEVICE void gradient(const GradientArguments& a) {
    if (!hasElements(a.count)) return;
    if (a.flat) {
        GradientMap<Gradient> map{ready(a.a), ready(a.b), ready(a.y), a.dY, a.dX, a.accumulate != 0};
        bool aligned = aligned16(map.a.operand) && aligned16(map.b.operand) && aligned16(a.y.operand) && aligned16(a.dY) && aligned16(a.dX);
        forElements(a.count, aligned, map);
        return;
    }
    float numberA = kept(a.a.number), numberB = kept(a.b.number), numberY = kept(a.y.number);
    int64 first = (int64)blockIdx.x * PER_BLOCK;
    for (int64 i = first + threadIdx.x; i < a.count && i < first + PER_BLOCK; i += THREADS) {
        int64 left = 0, right = 0;
        locate(a.axes, (uint32)i, left, right);
        float x = at(a.a.operand, numberA, left), y = at(a.b.operand, numberB, right);
        put(a.dX + i, Gradient::value(x, y, at(a.y.operand, numberY, i), a.dY[i]), a.accumulate);
    }
}

// Functions compute with int; a truth is 0 or 1.
DEVICE int numberOf(const int* x) { return *x; }
DEVICE int numberOf(const uint8* x) { return *x != 0; }

template <class F, class In, class Out>
DEVICE void integers(const IntegersArguments& a) {
    uint32 i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= (uint32)a.count) return;
    int64 left = 0, right = 0;
    locate(a.axes, i, left, right);
    int x = kept(a.numberA), y = kept(a.numberB);
    if (a.a) x = numberOf((const In*)a.a + left);
    if (a.b) y = numberOf((const In*)a.b + right);
    ((Out*)a.y)[i] = (Out)F::value(x, y);
}

#define FLOATS(name, F)                                                       \
    KERNEL void binary_flat_##name(FlatArguments a) { flat<F>(a); }           \
    KERNEL void binary_axes_##name(AxesArguments a) { anyAxes<F>(a); }
#define FIRST_GRADIENT(name, F) \
    KERNEL void binary_gradient_a_##name(GradientArguments a) { gradient<FirstGradient<F>>(a); }
#define SECOND_GRADIENT(name, F) \
    KERNEL void binary_gradient_b_##name(GradientArguments a) { gradient<SecondGradient<F>>(a); }
#define INTEGERS(name, F, Out) \
    KERNEL void binary_integers_##name(IntegersArguments a) { integers<F, int, Out>(a); }
#define TRUTHS(name, F) \
    KERNEL void binary_truths_##name(IntegersArguments a) { integers<F, uint8, uint8>(a); }

BINARY_FUNCTIONS(FLOATS)
FIRST_GRADIENTS(FIRST_GRADIENT)
SECOND_GRADIENTS(SECOND_GRADIENT)
INTEGER_FUNCTIONS(INTEGERS)
TRUTH_FUNCTIONS(TRUTHS)
