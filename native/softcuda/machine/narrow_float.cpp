// Arithmetic of f16, bf16 and pairs of them. Sums and products are formed in float, where rounding once more to 11 or 8 bits gives
// what a single rounding gives; fma needs rounding to odd in between.
#include <algorithm>

#include "decoder.hpp"
#include "floating.hpp"

namespace softcuda {

namespace {

template <class T>
T narrow(float x) {
    if constexpr (std::is_same_v<T, Half>) return toHalf(x);
    else return toBfloat(x);
}
template <class T>
T narrowOnce(double x) {
    if constexpr (std::is_same_v<T, Half>) return toHalf(x, Rounding::Nearest);
    else return toBfloat(x, Rounding::Nearest);
}
template <class T>
T flushNarrow(T x) {
    constexpr u16 Exponent = std::is_same_v<T, Half> ? 0x7c00 : 0x7f80;
    return x.bits & Exponent ? x : T{static_cast<u16>(x.bits & 0x8000)};
}

struct Add {
    template <class T>
    static T f(T a, T b) { return narrow<T>(toFloat(a) + toFloat(b)); }
};
struct Subtract {
    template <class T>
    static T f(T a, T b) { return narrow<T>(toFloat(a) - toFloat(b)); }
};
struct Multiply {
    template <class T>
    static T f(T a, T b) { return narrow<T>(toFloat(a) * toFloat(b)); }
};
struct Fma {
    template <class T>
    static T f(T a, T b, T c) {
        double product = static_cast<double>(toFloat(a)) * static_cast<double>(toFloat(b));
        return narrowOnce<T>(addToOdd(product, static_cast<double>(toFloat(c))));
    }
};
template <bool Less, bool Propagates, bool Xors>
struct Extreme {
    template <class T>
    static T f(T first, T second) {
        float a = toFloat(first), b = toFloat(second);
        bool negative = std::signbit(a) != std::signbit(b);
        if (Xors) a = std::fabs(a), b = std::fabs(b);
        if (a != a && b != b) return T{Nan16};
        if (a != a || b != b) {
            if (Propagates) return T{Nan16};
            T number = narrow<T>(a != a ? b : a);
            return Xors && negative ? T{static_cast<u16>(number.bits ^ 0x8000)} : number;
        }
        bool takeA = a == b ? std::signbit(a) == Less : Less == (a < b);
        T result = narrow<T>(takeA ? a : b);
        return Xors && negative ? T{static_cast<u16>(result.bits ^ 0x8000)} : result;
    }
};
struct Absolute {
    template <class T>
    static T f(T a) { return {static_cast<u16>(a.bits & 0x7fff)}; }
};
struct Negate {
    template <class T>
    static T f(T a) { return {static_cast<u16>(a.bits ^ 0x8000)}; }
};
struct Exp2 {
    template <class T>
    static T f(T a) { return narrow<T>(approximateExp2(toFloat(a))); }
};
struct Tanh {
    template <class T>
    static T f(T a) { return narrow<T>(approximateTanh(toFloat(a))); }
};

template <class T>
constexpr bool IsPair = std::is_same_v<T, Half2> || std::is_same_v<T, Bfloat2>;

template <class O, bool Flush, bool Saturate, bool Relu, class T, class... A>
T element(T a, A... rest) {
    T result = Flush ? flushNarrow(O::template f<T>(flushNarrow(a), flushNarrow(rest)...)) : O::template f<T>(a, rest...);
    if (Saturate) result = narrow<T>(saturate01(toFloat(result)));
    if (Relu) result = (result.bits & 0x7fff) > (std::is_same_v<T, Half> ? 0x7c00 : 0x7f80) ? T{Nan16} : result.bits & 0x8000 ? T{0} : result;
    return result;
}

template <class O, bool Flush, bool Saturate, bool Relu, class T, class... A>
T modified(T a, A... rest) {
    if constexpr (IsPair<T>) {
        using E = std::conditional_t<std::is_same_v<T, Half2>, Half, Bfloat>;
        auto half = [](T x, int index) { return E{static_cast<u16>(x.bits >> (16 * index))}; };
        u32 low = element<O, Flush, Saturate, Relu>(half(a, 0), half(rest, 0)...).bits;
        u32 high = element<O, Flush, Saturate, Relu>(half(a, 1), half(rest, 1)...).bits;
        return T{low | high << 16};
    } else {
        return element<O, Flush, Saturate, Relu>(a, rest...);
    }
}

struct Modifiers {
    bool flushes, saturates, relu;
};

template <class O, class T, class... A>
Handler pickModified(Modifiers m) {
    if (m.relu) return m.saturates ? nullptr : m.flushes ? op<modified<O, true, false, true, T, A...>> : op<modified<O, false, false, true, T, A...>>;
    if (m.saturates) return m.flushes ? op<modified<O, true, true, false, T, A...>> : op<modified<O, false, true, false, T, A...>>;
    return m.flushes ? op<modified<O, true, false, false, T, A...>> : op<modified<O, false, false, false, T, A...>>;
}
/// Without .sat and .relu.
template <class O, class T, class... A>
Handler pickPlain(bool flushes) { return flushes ? op<modified<O, true, false, false, T, A...>> : op<modified<O, false, false, false, T, A...>>; }

template <class O>
Handler pickUnary(Type type, bool flushes) {
    switch (type) {
        case Type::F16: return pickPlain<O, Half>(flushes);
        case Type::F16x2: return pickPlain<O, Half2>(flushes);
        case Type::BF16: return pickPlain<O, Bfloat>(flushes);
        default: return pickPlain<O, Bfloat2>(flushes);
    }
}
template <class O>
Handler pickBinary(Type type, Modifiers m) {
    switch (type) {
        case Type::F16: return pickModified<O, Half, Half>(m);
        case Type::F16x2: return pickModified<O, Half2, Half2>(m);
        case Type::BF16: return pickModified<O, Bfloat, Bfloat>(m);
        default: return pickModified<O, Bfloat2, Bfloat2>(m);
    }
}
Handler pickFma(Type type, Modifiers m) {
    switch (type) {
        case Type::F16: return pickModified<Fma, Half, Half, Half>(m);
        case Type::F16x2: return pickModified<Fma, Half2, Half2, Half2>(m);
        case Type::BF16: return pickModified<Fma, Bfloat, Bfloat, Bfloat>(m);
        default: return pickModified<Fma, Bfloat2, Bfloat2, Bfloat2>(m);
    }
}
template <class O>
Handler pickExtreme(Type type, bool flushes) {
    switch (type) {
        case Type::F16: return pickPlain<O, Half, Half>(flushes);
        case Type::F16x2: return pickPlain<O, Half2, Half2>(flushes);
        case Type::BF16: return pickPlain<O, Bfloat, Bfloat>(flushes);
        default: return pickPlain<O, Bfloat2, Bfloat2>(flushes);
    }
}

template <bool Less>
bool decodeExtreme(Decoder& d, Type type, bool flushes) {
    bool propagates = d.take("NaN"), xors = d.take("xorsign");
    if (xors && !d.take("abs")) d.fail(".xorsign needs .abs");
    Handler handler = xors ? (propagates ? pickExtreme<Extreme<Less, true, true>>(type, flushes) : pickExtreme<Extreme<Less, false, true>>(type, flushes))
                           : (propagates ? pickExtreme<Extreme<Less, true, false>>(type, flushes) : pickExtreme<Extreme<Less, false, false>>(type, flushes));
    d.simple(handler, {type, type, type});
    return true;
}

}  // namespace

bool decodeNarrowFloat(Decoder& d, std::string_view opcode) {
    std::optional<Type> named;
    for (std::string_view modifier : d.source->modifiers)
        if ((named = typeNamed(modifier))) break;
    if (named != Type::F16 && named != Type::F16x2 && named != Type::BF16 && named != Type::BF16x2) return false;
    Type type = *named;
    bool brain = type == Type::BF16 || type == Type::BF16x2, pair = type == Type::F16x2 || type == Type::BF16x2;
    constexpr std::string_view Known[] = {"add", "sub", "mul", "fma", "min", "max", "abs", "neg", "ex2", "tanh"};
    if (std::find(std::begin(Known), std::end(Known), opcode) == std::end(Known)) return false;
    d.takeType();
    bool flushes = d.take("ftz");
    if (brain && flushes && opcode != "ex2") d.fail("brain floats have no .ftz");
    if (opcode == "min") return decodeExtreme<true>(d, type, flushes);
    if (opcode == "max") return decodeExtreme<false>(d, type, flushes);
    if (opcode == "abs") return d.simple(pickUnary<Absolute>(type, flushes), {type, type}), true;
    if (opcode == "neg") return d.simple(pickUnary<Negate>(type, flushes), {type, type}), true;
    if (opcode == "ex2" || opcode == "tanh") {
        if (!d.take("approx")) d.fail("'" + std::string(opcode) + "' needs .approx");
        return d.simple(opcode == "ex2" ? pickUnary<Exp2>(type, flushes) : pickUnary<Tanh>(type, flushes), {type, type}), true;
    }
    Modifiers m{flushes, d.take("sat"), opcode == "fma" && d.take("relu")};
    if (brain && m.saturates) d.fail("brain floats have no .sat");
    bool rounds = d.take("rn");
    if (opcode == "fma") {
        if (!rounds) d.fail("'fma' needs .rn");
        d.simple(pickFma(type, m), {type, type, type, type});
    } else {
        d.simple(opcode == "add" ? pickBinary<Add>(type, m) : opcode == "sub" ? pickBinary<Subtract>(type, m) : pickBinary<Multiply>(type, m), {type, type, type});
    }
    d.out.flops = static_cast<u8>((opcode == "fma" ? 2 : 1) * (pair ? 2 : 1));
    return true;
}

}  // namespace softcuda
