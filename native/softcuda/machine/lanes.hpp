// Arithmetic on rows of 32 lanes: a scalar function becomes a handler whose loop the compiler turns into vectors.
#pragma once
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>
#if defined(__AVX512F__) && defined(__AVX512DQ__)
#include <immintrin.h>
#endif

#include "warp.hpp"

namespace softcuda {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

/// Sixteen-bit floats and pairs of them, as bits.
struct Half {
    u16 bits;
};
struct Bfloat {
    u16 bits;
};
struct Half2 {
    u32 bits;
};
struct Bfloat2 {
    u32 bits;
};

/// How a value lies in a row: everything below 64 bits fills 32.
template <class T>
struct Stored {
    using Type = std::conditional_t<sizeof(T) == 8, T, std::conditional_t<std::is_same_v<T, float>, float, u32>>;
    static T get(Type value) {
        if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bfloat>) return T{static_cast<u16>(value)};
        else if constexpr (std::is_same_v<T, Half2> || std::is_same_v<T, Bfloat2>) return T{value};
        else return static_cast<T>(value);
    }
    static Type put(T value) {
        if constexpr (std::is_class_v<T>) return value.bits;
        else if constexpr (sizeof(T) < 4) return static_cast<u32>(static_cast<s32>(value));  // extended by its sign: the register may be wider
        else return static_cast<Type>(value);
    }
};

template <class T>
struct Source {
    const typename Stored<T>::Type* values;
    Source(Warp& warp, u32 operand) : values(row<const typename Stored<T>::Type>(warp, operand)) {}
    T operator[](int lane) const { return Stored<T>::get(values[lane]); }
};
template <>
struct Source<bool> {
    Mask mask;
    Source(Warp& warp, u32 operand) : mask(*row<Mask>(warp, operand)) {}
    bool operator[](int lane) const { return mask >> lane & 1; }
};

/// One bit of each lane whose flag is -1; the others are 0.
inline Mask gather(const s32* flags) {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
    return static_cast<Mask>(_mm512_movepi32_mask(_mm512_loadu_si512(flags))) |
           static_cast<Mask>(_mm512_movepi32_mask(_mm512_loadu_si512(flags + 16))) << 16;
#else
    Mask mask = 0;
    for (int lane = 0; lane < Lanes; ++lane) mask |= static_cast<Mask>(flags[lane] & 1) << lane;
    return mask;
#endif
}

template <class T>
inline void blend(T* to, const T* from, Mask mask) {
    for (int lane = 0; lane < Lanes; ++lane) to[lane] = mask >> lane & 1 ? from[lane] : to[lane];
}

inline void setPredicate(Warp& warp, u32 operand, Mask value, Mask mask) {
    Mask* predicate = row<Mask>(warp, operand);
    *predicate = (*predicate & ~mask) | (value & mask);
}

/// Writes lanes of a row from a function of the lane.
template <class T, class F>
inline void writeLanes(Warp& warp, u32 operand, Mask mask, F value) {
    using S = typename Stored<T>::Type;
    S* to = row<S>(warp, operand);
    if (mask == AllLanes) {
#pragma GCC ivdep
        for (int lane = 0; lane < Lanes; ++lane) to[lane] = Stored<T>::put(value(lane));
    } else {
        alignas(64) S result[Lanes];
        for (int lane = 0; lane < Lanes; ++lane) result[lane] = Stored<T>::put(value(lane));
        blend(to, result, mask);
    }
}

template <auto F, class = decltype(+F)>
struct Apply;
template <auto F, class R, class... A>
struct Apply<F, R (*)(A...)> {
    static void run(Warp& warp, const Instr& instr, Mask mask) { run(warp, instr, mask, std::index_sequence_for<A...>{}); }

private:
    template <std::size_t... N>
    static void run(Warp& warp, const Instr& instr, Mask mask, std::index_sequence<N...>) {
        std::tuple<Source<A>...> sources{Source<A>(warp, instr.o[N + 1])...};
        if constexpr (std::is_same_v<R, bool>) {
            alignas(64) s32 flags[Lanes];
            for (int lane = 0; lane < Lanes; ++lane) flags[lane] = F(std::get<N>(sources)[lane]...) ? -1 : 0;
            setPredicate(warp, instr.o[0], gather(flags), mask);
        } else {
            writeLanes<R>(warp, instr.o[0], mask, [&](int lane) { return F(std::get<N>(sources)[lane]...); });
        }
    }
};

/// The handler of d = F(a, b, ...), with d at o[0] and the sources behind it.
template <auto F>
constexpr Handler op = &Apply<F>::run;

/// Picks O::f<T> by an integer type; O names the function for signed and unsigned types of 16 to 64 bits.
template <class O>
Handler pickInteger(Type type) {
    switch (type) {
        case Type::U16: return op<&O::template f<u16>>;
        case Type::S16: return op<&O::template f<s16>>;
        case Type::U32: return op<&O::template f<u32>>;
        case Type::S32: return op<&O::template f<s32>>;
        case Type::U64: return op<&O::template f<u64>>;
        case Type::S64: return op<&O::template f<s64>>;
        default: return nullptr;
    }
}

/// The same for untyped bits.
template <class O>
Handler pickBits(Type type) {
    switch (type) {
        case Type::B16: return op<&O::template f<u16>>;
        case Type::B32: return op<&O::template f<u32>>;
        case Type::B64: return op<&O::template f<u64>>;
        default: return nullptr;
    }
}

}  // namespace softcuda
