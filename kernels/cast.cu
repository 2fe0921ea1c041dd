// y (=|+=) x in another type: the sizes of both moved per element. Floats become integers by truncation within the type's range, NaN as 0; integers
// wrap; everything but 0 is true; floats round to nearest, ties to even. A kernel per pair of types, named from_to; a block takes 1024 elements.
#include "elements.cuh"

struct CastArguments {
    const void* x;
    void* y;
    int64 count;
    int accumulate;
    int unused;
};

// Each storage type: how a number is read from it and written to it. Number is what it computes as.
struct F32 {
    typedef float Storage;
    typedef float Number;
    static DEVICE float read(float x) { return x; }
    static DEVICE float write(float x) { return x; }
    static DEVICE float write(double x) { return (float)x; }
    static DEVICE float write(int64 x) { return (float)x; }
};

struct F64 {
    typedef double Storage;
    typedef double Number;
    static DEVICE double read(double x) { return x; }
    static DEVICE double write(float x) { return x; }
    static DEVICE double write(double x) { return x; }
    static DEVICE double write(int64 x) { return (double)x; }
};

DEVICE uint16 halfOf(float x) {
    uint16 half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(x));
    return half;
}

struct F16 {
    typedef uint16 Storage;
    typedef float Number;
    static DEVICE float read(uint16 x) {
        float value;
        asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(x));
        return value;
    }
    static DEVICE uint16 write(float x) { return halfOf(x); }
    static DEVICE uint16 write(double x) {
        uint16 half;
        asm("cvt.rn.f16.f64 %0, %1;" : "=h"(half) : "d"(x));
        return half;
    }
    // Every integer that a half can hold is a float without rounding; larger ones are infinite in both.
    static DEVICE uint16 write(int64 x) { return halfOf((float)x); }
};

struct BF16 {
    typedef uint16 Storage;
    typedef float Number;
    static DEVICE float read(uint16 x) { return floatOf((uint32)x << 16); }
    static DEVICE uint16 write(float x) {
        uint32 bits = bitsOf(x);
        return x != x ? (uint16)(bits >> 16 | 0x40) : (uint16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
    static DEVICE uint16 write(double x) { return write((float)x); }
    static DEVICE uint16 write(int64 x) { return write((float)x); }
};

// Of integers of so many bits, least and most as doubles, which hold both but for the largest int64; comparing that way is exact all the same.
template <class T, int64 Least, int64 Most>
struct Integer {
    typedef T Storage;
    typedef int64 Number;
    static DEVICE int64 read(T x) { return x; }
    static DEVICE T write(double x) {
        if (x != x) return 0;
        if (x <= (double)Least) return (T)Least;
        return x >= (double)Most ? (T)Most : (T)(int64)x;
    }
    static DEVICE T write(float x) {
        if (x != x) return 0;
        if (x <= (float)Least) return (T)Least;
        return x >= (float)Most ? (T)Most : (T)(int64)x;
    }
    static DEVICE T write(int64 x) { return (T)x; }
};

typedef Integer<signed char, -128, 127> I8;
typedef Integer<uint8, 0, 255> U8;
typedef Integer<int, -2147483647 - 1, 2147483647> I32;
typedef Integer<int64, -9223372036854775807 - 1, 9223372036854775807> I64;

struct BOOL {
    typedef uint8 Storage;
    typedef int64 Number;
    static DEVICE int64 read(uint8 x) { return x; }
    static DEVICE uint8 write(float x) { return x != 0.0f; }
    static DEVICE uint8 write(double x) { return x != 0.0; }
    static DEVICE uint8 write(int64 x) { return x != 0; }
};

template <class From, class To>
DEVICE void castElements(const CastArguments& a) {
    const typename From::Storage* x = (const typename From::Storage*)a.x;
    typename To::Storage* y = (typename To::Storage*)a.y;
    int64 first = (int64)blockIdx.x * PER_BLOCK;
    for (int64 i = first + threadIdx.x; i < a.count && i < first + PER_BLOCK; i += THREADS) {
        typename From::Number value = From::read(x[i]);
        y[i] = To::write(value);
    }
}

// To floats only.
template <class From, class To>
DEVICE void addElements(const CastArguments& a) {
    const typename From::Storage* x = (const typename From::Storage*)a.x;
    typename To::Storage* y = (typename To::Storage*)a.y;
    int64 first = (int64)blockIdx.x * PER_BLOCK;
    for (int64 i = first + threadIdx.x; i < a.count && i < first + PER_BLOCK; i += THREADS) {
        y[i] = To::write((float)To::read(y[i]) + (float)From::read(x[i]));
    }
}

#define PAIR(from, to, From, To) \
    KERNEL void cast_##from##_##to(CastArguments a) { castElements<From, To>(a); }
#define FROM(from, From)             \
    PAIR(from, f32, From, F32)       \
    PAIR(from, f16, From, F16)       \
    PAIR(from, bf16, From, BF16)     \
    PAIR(from, f64, From, F64)       \
    PAIR(from, i8, From, I8)         \
    PAIR(from, u8, From, U8)         \
    PAIR(from, i32, From, I32)       \
    PAIR(from, i64, From, I64)       \
    PAIR(from, bool, From, BOOL)
#define ADD(from, to, From, To) \
    KERNEL void cast_add_##from##_##to(CastArguments a) { addElements<From, To>(a); }
#define ADD_FROM(from, From)        \
    ADD(from, f32, From, F32)       \
    ADD(from, f16, From, F16)       \
    ADD(from, bf16, From, BF16)     \
    ADD(from, f64, From, F64)

FROM(f32, F32)
FROM(f16, F16)
FROM(bf16, BF16)
FROM(f64, F64)
FROM(i8, I8)
FROM(u8, U8)
FROM(i32, I32)
FROM(i64, I64)
FROM(bool, BOOL)
ADD_FROM(f32, F32)
ADD_FROM(f16, F16)
ADD_FROM(bf16, BF16)
ADD_FROM(f64, F64)
