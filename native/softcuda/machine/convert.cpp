// cvt in all its combinations.
#include <cfenv>

#include "decoder.hpp"
#include "floating.hpp"

namespace softcuda {

namespace {

// instr.flags of conversions.
enum Flag : u16 { Saturate = 4, Flush = 8, Relu = 16 };  // the lower two bits: Rounding

Rounding roundingOf(const Instr& instr) { return static_cast<Rounding>(instr.flags & 3); }

// Integer to integer.
template <class D, class S, bool Saturates>
D toInteger(S value) {
    if constexpr (Saturates) {
        if (std::cmp_less(value, std::numeric_limits<D>::min())) return std::numeric_limits<D>::min();
        if (std::cmp_greater(value, std::numeric_limits<D>::max())) return std::numeric_limits<D>::max();
    }
    return static_cast<D>(value);
}

template <class D, class S>
Handler pickSaturation(bool saturates) { return saturates ? op<toInteger<D, S, true>> : op<toInteger<D, S, false>>; }

template <class F>
Handler byInteger(Type type, F pick) {
    switch (type) {
        case Type::U8: return pick.template operator()<u8>();
        case Type::U16: return pick.template operator()<u16>();
        case Type::U32: return pick.template operator()<u32>();
        case Type::U64: return pick.template operator()<u64>();
        case Type::S8: return pick.template operator()<s8>();
        case Type::S16: return pick.template operator()<s16>();
        case Type::S32: return pick.template operator()<s32>();
        case Type::S64: return pick.template operator()<s64>();
        default: return nullptr;
    }
}

// Float to integer. The value is rounded first, then clamped.
double roundWhole(double x, Rounding rounding) {
    switch (rounding) {
        case Rounding::Nearest: return std::nearbyint(x);
        case Rounding::Zero: return std::trunc(x);
        case Rounding::Down: return std::floor(x);
        case Rounding::Up: return std::ceil(x);
    }
    return x;
}

/// NaN becomes 0, or the highest bit alone where the source has 64 bits or the result has.
template <class D, class S>
D clampToInteger(double x) {
    if (x != x) return sizeof(D) == 8 || sizeof(S) == 8 ? static_cast<D>(u64{1} << (sizeof(D) * 8 - 1)) : 0;
    constexpr double Limit = sizeof(D) == 8 ? (std::is_signed_v<D> ? 0x1p63 : 0x1p64) : static_cast<double>(std::numeric_limits<D>::max()) + 1;
    if (x >= Limit) return std::numeric_limits<D>::max();
    if (x <= static_cast<double>(std::numeric_limits<D>::min())) return std::numeric_limits<D>::min();
    return static_cast<D>(x);
}

template <class S>
double asDouble(S value, bool flushes) {
    if constexpr (std::is_same_v<S, Half> || std::is_same_v<S, Bfloat>) return static_cast<double>(toFloat(value));
    else if constexpr (std::is_same_v<S, float>) return static_cast<double>(flushes ? flush(value) : value);
    else return static_cast<double>(value);
}

/// The common case without a switch in its loop.
template <class D, class S>
D truncated(S value) { return clampToInteger<D, S>(std::trunc(asDouble(value, false))); }

template <class D, class S>
void floatToInteger(Warp& warp, const Instr& instr, Mask mask) {
    Source<S> a(warp, instr.o[1]);
    bool flushes = instr.flags & Flush;
    Rounding rounding = roundingOf(instr);
    writeLanes<D>(warp, instr.o[0], mask, [&](int lane) { return clampToInteger<D, S>(roundWhole(asDouble(a[lane], flushes), rounding)); });
}

// Integer to float.
/// Exact up to 53 bits; beyond, the last bit is set where bits are lost, so that rounding once more is right.
template <class S>
double oddDouble(S value) {
    if constexpr (sizeof(S) < 8) return static_cast<double>(value);
    else {
        bool negative = value < 0;
        u64 magnitude = negative ? 0 - static_cast<u64>(value) : static_cast<u64>(value);
        if (magnitude >> 53) magnitude = (magnitude & ~0x7ffull) | ((magnitude & 0x7ff) != 0 ? 0x800 : 0);
        double result = static_cast<double>(magnitude);
        return negative ? -result : result;
    }
}

constexpr int FenvModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};

template <class T>
T saturated(T x, bool saturates) { return saturates ? saturate01(x) : x; }

template <class D>
void writeFloats(Warp& warp, const Instr& instr, Mask mask, const double* values) {
    bool saturates = instr.flags & Saturate;
    if constexpr (std::is_same_v<D, float>) {
        bool flushes = instr.flags & Flush;
        std::fesetround(FenvModes[instr.flags & 3]);
        writeLanes<float>(warp, instr.o[0], mask, [&](int lane) {
            float value = canonical(static_cast<float>(values[lane]));
            return saturated(flushes ? flush(value) : value, saturates);
        });
        std::fesetround(FE_TONEAREST);
    } else if constexpr (std::is_same_v<D, double>) {
        writeLanes<double>(warp, instr.o[0], mask, [&](int lane) { return saturated(canonical(values[lane]), saturates); });
    } else {
        Rounding rounding = roundingOf(instr);
        bool relu = instr.flags & Relu;
        writeLanes<D>(warp, instr.o[0], mask, [&](int lane) {
            double value = saturated(values[lane], saturates);
            if (relu && value < 0) value = 0;
            return D{static_cast<u16>(roundToFormat(value, std::is_same_v<D, Half> ? 5 : 8, std::is_same_v<D, Half> ? 10 : 7, rounding))};
        });
    }
}

template <class D, class S>
void integerToFloat(Warp& warp, const Instr& instr, Mask mask) {
    Source<S> a(warp, instr.o[1]);
    if constexpr (std::is_same_v<D, double>) {
        std::fesetround(FenvModes[instr.flags & 3]);
        writeLanes<double>(warp, instr.o[0], mask, [&](int lane) { return static_cast<double>(a[lane]); });
        std::fesetround(FE_TONEAREST);
    } else {
        alignas(64) double values[Lanes];
        for (int lane = 0; lane < Lanes; ++lane) values[lane] = oddDouble(a[lane]);
        writeFloats<D>(warp, instr, mask, values);
    }
}

// Float to float.
template <class D, class S>
void floatToFloat(Warp& warp, const Instr& instr, Mask mask) {
    Source<S> a(warp, instr.o[1]);
    bool flushes = instr.flags & Flush;
    alignas(64) double values[Lanes];
    for (int lane = 0; lane < Lanes; ++lane) values[lane] = asDouble(a[lane], flushes);
    writeFloats<D>(warp, instr, mask, values);
}

/// cvt.rni.f32.f32 and its kin: to a whole number of the same type.
template <class T>
void roundToWhole(Warp& warp, const Instr& instr, Mask mask) {
    Source<T> a(warp, instr.o[1]);
    bool flushes = instr.flags & Flush, saturates = instr.flags & Saturate;
    Rounding rounding = roundingOf(instr);
    writeLanes<T>(warp, instr.o[0], mask, [&](int lane) {
        double value = saturated(roundWhole(asDouble(a[lane], flushes), rounding), saturates);
        if constexpr (std::is_class_v<T>) return std::is_same_v<T, Half> ? T{toHalf(value).bits} : T{toBfloat(value).bits};
        else return canonical(static_cast<T>(value));
    });
}

// The conversions that networks use most, as plain loops.
float widenHalf(Half h) { return canonical(toFloat(h)); }
float widenBfloat(Bfloat b) { return canonical(toFloat(b)); }
Half narrowHalf(float x) { return toHalf(x); }
Bfloat narrowBfloat(float x) { return toBfloat(x); }
float fromS32(s32 x) { return static_cast<float>(x); }
float fromU32(u32 x) { return static_cast<float>(x); }
double widenFloat(float x) { return canonical(static_cast<double>(x)); }
float narrowDouble(double x) { return canonical(static_cast<float>(x)); }

Handler quick(Type to, Type from, u16 flags, bool whole) {
    if (whole && flags == static_cast<u16>(Rounding::Zero) && from == Type::F32) {
        if (to == Type::S32) return op<truncated<s32, float>>;
        if (to == Type::U32) return op<truncated<u32, float>>;
    }
    if (flags != 0 || whole) return nullptr;
    if (to == Type::F32 && from == Type::F16) return op<widenHalf>;
    if (to == Type::F32 && from == Type::BF16) return op<widenBfloat>;
    if (to == Type::F16 && from == Type::F32) return op<narrowHalf>;
    if (to == Type::BF16 && from == Type::F32) return op<narrowBfloat>;
    if (to == Type::F32 && from == Type::S32) return op<fromS32>;
    if (to == Type::F32 && from == Type::U32) return op<fromU32>;
    if (to == Type::F64 && from == Type::F32) return op<widenFloat>;
    if (to == Type::F32 && from == Type::F64) return op<narrowDouble>;
    return nullptr;
}

template <class F>
Handler byFloat(Type type, F pick) {
    switch (type) {
        case Type::F16: return pick.template operator()<Half>();
        case Type::BF16: return pick.template operator()<Bfloat>();
        case Type::F32: return pick.template operator()<float>();
        case Type::F64: return pick.template operator()<double>();
        default: return nullptr;
    }
}

/// cvt.rn.f16x2.f32 d, a, b: a becomes the upper half.
template <class T>
void packPair(Warp& warp, const Instr& instr, Mask mask) {
    Source<float> a(warp, instr.o[1]), b(warp, instr.o[2]);
    Rounding rounding = roundingOf(instr);
    bool relu = instr.flags & Relu;
    auto narrow = [&](float x) -> u32 {
        if (relu && x < 0) x = 0;
        if constexpr (std::is_same_v<T, Half>) return rounding == Rounding::Nearest ? toHalf(x).bits : toHalf(static_cast<double>(x), rounding).bits;
        else return rounding == Rounding::Nearest ? toBfloat(x).bits : toBfloat(static_cast<double>(x), rounding).bits;
    };
    writeLanes<u32>(warp, instr.o[0], mask, [&](int lane) { return narrow(a[lane]) << 16 | narrow(b[lane]); });
}

/// To ten bits of mantissa, ties away from zero.
u32 toTf32(float x) {
    u32 bits = std::bit_cast<u32>(x);
    if (x != x) return NanF32;
    if ((bits & 0x7f800000u) == 0x7f800000u) return bits;
    return (bits + 0x1000u) & ~0x1fffu;
}

bool decodePack(Decoder& d, Type to) {
    auto rounding = takeRounding(d);
    bool relu = d.take("relu");
    Type from = d.takeType();
    if (from != Type::F32 || !rounding || *rounding > Rounding::Zero) d.fail("this conversion does not exist");
    d.simple(to == Type::F16x2 ? packPair<Half> : packPair<Bfloat>, {to, from, from});
    d.out.flags = static_cast<u16>(static_cast<u16>(*rounding) | (relu ? Relu : 0));
    return true;
}

// A conversion whose registers have 64 bits and whose types have fewer: the handler works on narrow rows at o[0] and o[1].
constexpr std::size_t WideTo = 2, WideFrom = 3;
enum : u8 { ToWide = 1, FromWide = 2, ToSigned = 4 };  // in instr.count
void byNarrowRows(Warp& warp, const Instr& instr, Mask mask) {
    if (instr.count & FromWide) {
        Source<u64> wide(warp, instr.o[WideFrom]);
        writeLanes<u32>(warp, instr.o[1], AllLanes, [&](int lane) { return static_cast<u32>(wide[lane]); });
    }
    reinterpret_cast<Handler>(instr.immediate)(warp, instr, mask);
    if (instr.count & ToWide) {
        Source<u32> narrow(warp, instr.o[0]);
        bool extends = instr.count & ToSigned;
        writeLanes<u64>(warp, instr.o[WideTo], mask, [&](int lane) {
            return extends ? static_cast<u64>(static_cast<s64>(static_cast<s32>(narrow[lane]))) : static_cast<u64>(narrow[lane]);
        });
    }
}

bool isInteger(Type type) { return !isFloat(type) && !isUntyped(type) && type != Type::Pred; }

}  // namespace

bool decodeConvert(Decoder& d, std::string_view opcode) {
    if (opcode != "cvt") return false;
    // The first type is the destination's.
    Type to = d.takeType();
    if (to == Type::F16x2 || to == Type::BF16x2) return decodePack(d, to);
    if (to == Type::TF32) {
        if (!d.take("rna") || d.takeType() != Type::F32) d.fail("this conversion does not exist");
        d.simple(op<toTf32>, {Type::B32, Type::F32});
        return true;
    }
    Type from = d.takeType();
    bool flushes = d.take("ftz"), saturates = d.take("sat"), relu = d.take("relu");
    bool whole = true;
    Rounding toWhole = Rounding::Nearest;
    if (d.take("rzi")) toWhole = Rounding::Zero;
    else if (d.take("rmi")) toWhole = Rounding::Down;
    else if (d.take("rpi")) toWhole = Rounding::Up;
    else whole = d.take("rni");
    std::optional<Rounding> rounding = takeRounding(d);
    if ((!isInteger(to) && !isFloat(to)) || (!isInteger(from) && !isFloat(from)) || from == Type::F16x2 || from == Type::BF16x2 || from == Type::TF32)
        d.fail("this conversion does not exist");
    if (whole && rounding) d.fail("'cvt' has two roundings");
    if (flushes && to != Type::F32 && from != Type::F32) d.fail("'cvt.ftz' needs .f32");
    if (relu && !((to == Type::F16 || to == Type::BF16) && from == Type::F32 && rounding)) d.fail("'cvt.relu' does not exist for these types");
    d.expectOperands(2);
    d.define(0, d.operand(0), to, true);
    d.use(1, d.operand(1), from, true);
    u16 flags = static_cast<u16>((saturates ? Saturate : 0) | (flushes ? Flush : 0) | (relu ? Relu : 0));
    Handler handler = nullptr;
    if (isInteger(to) && isInteger(from)) {
        if (whole || rounding || flushes) d.fail("an integer conversion has no rounding");
        handler = byInteger(to, [&]<class D>() { return byInteger(from, [&]<class S>() { return pickSaturation<D, S>(saturates); }); });
    } else if (isInteger(to)) {
        if (!whole) d.fail("a conversion to an integer needs .rni, .rzi, .rmi or .rpi");
        // Saturation is what happens anyway.
        d.out.flags = static_cast<u16>((flags & Flush) | static_cast<u16>(toWhole));
        handler = quick(to, from, d.out.flags, true);
        if (!handler) handler = byInteger(to, [&]<class D>() { return byFloat(from, [&]<class S>() -> Handler { return floatToInteger<D, S>; }); });
    } else if (isInteger(from)) {
        if (!rounding) d.fail("a conversion from an integer needs .rn, .rz, .rm or .rp");
        d.out.flags = static_cast<u16>(flags | static_cast<u16>(*rounding));
        handler = quick(to, from, d.out.flags, false);
        if (!handler) handler = byFloat(to, [&]<class D>() { return byInteger(from, [&]<class S>() -> Handler { return integerToFloat<D, S>; }); });
    } else {
        int toBits = to == Type::BF16 ? 8 : to == Type::F16 ? 11 : bitsOf(to), fromBits = from == Type::BF16 ? 8 : from == Type::F16 ? 11 : bitsOf(from);
        bool narrows = toBits < fromBits || (to != from && bitsOf(to) == bitsOf(from));
        if (narrows && !rounding) d.fail("a narrowing conversion needs .rn, .rz, .rm or .rp");
        if (!narrows && rounding && to == from) d.fail("a conversion within one type rounds to whole numbers only");
        if (whole && to != from) d.fail("a conversion between floats has no whole rounding");
        d.out.flags = static_cast<u16>(flags | static_cast<u16>(whole ? toWhole : rounding.value_or(Rounding::Nearest)));
        if (whole) handler = byFloat(to, [&]<class D>() -> Handler { return roundToWhole<D>; });
        else if (!(handler = quick(to, from, d.out.flags, false)))
            handler = byFloat(to, [&]<class D>() { return byFloat(from, [&]<class S>() -> Handler { return floatToFloat<D, S>; }); });
    }
    d.out.run = handler;
    // Registers wider than their type: by way of narrow rows.
    auto inWideRow = [&](std::size_t index, Type type) {
        if (d.operand(index).kind != OperandKind::Name || bitsOf(type) == 64) return false;
        if (auto special = d.specialNamed(d.operand(index))) return false;
        auto declared = d.findRegister(d.operand(index).name);
        return declared && bitsOf(*declared) == 64;
    };
    bool wideTo = inWideRow(0, to), wideFrom = inWideRow(1, from);
    if (handler && (wideTo || wideFrom)) {
        if (wideTo) {
            d.define(WideTo, d.operand(0), to, true);
            d.setScratch(0, RegisterClass::Word);
        }
        if (wideFrom) {
            d.use(WideFrom, d.operand(1), from, true);
            d.setScratch(1, RegisterClass::Word);
        }
        d.out.immediate = reinterpret_cast<std::int64_t>(handler);
        d.out.count = static_cast<u8>((wideTo ? ToWide : 0) | (wideFrom ? FromWide : 0) | (isSigned(to) ? ToSigned : 0));
        d.out.run = byNarrowRows;
    }
    return true;
}

}  // namespace softcuda
