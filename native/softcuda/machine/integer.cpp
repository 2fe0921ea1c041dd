// Integer arithmetic.
#include "decoder.hpp"
#include "lanes.hpp"

namespace softcuda {

namespace {

template <class T>
constexpr bool SignedInteger = std::is_signed_v<T>;
template <class T>
using Unsigned = std::make_unsigned_t<T>;

struct Add {
    template <class T>
    static T f(T a, T b) { return static_cast<T>(static_cast<u64>(a) + static_cast<u64>(b)); }
};
struct Subtract {
    template <class T>
    static T f(T a, T b) { return static_cast<T>(static_cast<u64>(a) - static_cast<u64>(b)); }
};
struct MultiplyLow {
    template <class T>
    static T f(T a, T b) { return static_cast<T>(static_cast<Unsigned<T>>(a) * static_cast<u64>(static_cast<Unsigned<T>>(b))); }
};
// 32 bits apart, so that the loop stays within 32-bit lanes.
template <>
u32 MultiplyLow::f<u32>(u32 a, u32 b) { return a * b; }
template <>
s32 MultiplyLow::f<s32>(s32 a, s32 b) { return static_cast<s32>(static_cast<u32>(a) * static_cast<u32>(b)); }

template <class T>
using Double = std::conditional_t<sizeof(T) == 8, std::conditional_t<SignedInteger<T>, __int128, unsigned __int128>,
                                  std::conditional_t<sizeof(T) == 4, std::conditional_t<SignedInteger<T>, s64, u64>, std::conditional_t<SignedInteger<T>, s32, u32>>>;

struct MultiplyHigh {
    template <class T>
    static T f(T a, T b) { return static_cast<T>((static_cast<Double<T>>(a) * static_cast<Double<T>>(b)) >> (sizeof(T) * 8)); }
};
struct MadLow {
    template <class T>
    static T f(T a, T b, T c) { return Add::f<T>(MultiplyLow::f<T>(a, b), c); }
};
struct MadHigh {
    template <class T>
    static T f(T a, T b, T c) { return Add::f<T>(MultiplyHigh::f<T>(a, b), c); }
};

template <class T, class D>
D multiplyWide(T a, T b) { return static_cast<D>(a) * static_cast<D>(b); }
template <class T, class D>
D madWide(T a, T b, D c) { return static_cast<D>(static_cast<u64>(static_cast<D>(a) * static_cast<D>(b)) + static_cast<u64>(c)); }

// PTX leaves division by zero open; GPUs answer with all bits set, and the dividend as the remainder.
struct Divide {
    template <class T>
    static T f(T a, T b) {
        if (b == 0) return static_cast<T>(~T{0});
        if (SignedInteger<T> && b == static_cast<T>(-1)) return Subtract::f<T>(0, a);
        return static_cast<T>(a / b);
    }
};
struct Remainder {
    template <class T>
    static T f(T a, T b) {
        if (b == 0) return a;
        if (SignedInteger<T> && b == static_cast<T>(-1)) return 0;
        return static_cast<T>(a % b);
    }
};
struct Absolute {
    template <class T>
    static T f(T a) { return a < 0 ? Subtract::f<T>(0, a) : a; }
};
struct Negate {
    template <class T>
    static T f(T a) { return Subtract::f<T>(0, a); }
};
struct Minimum {
    template <class T>
    static T f(T a, T b) { return a < b ? a : b; }
};
struct Maximum {
    template <class T>
    static T f(T a, T b) { return a > b ? a : b; }
};
struct AbsoluteDifference {
    template <class T>
    static T f(T a, T b, T c) { return Add::f<T>(c, a < b ? Subtract::f<T>(b, a) : Subtract::f<T>(a, b)); }
};

s32 saturate(s64 value) { return static_cast<s32>(value < INT32_MIN ? INT32_MIN : value > INT32_MAX ? INT32_MAX : value); }
s32 addSaturating(s32 a, s32 b) { return saturate(static_cast<s64>(a) + b); }
s32 subtractSaturating(s32 a, s32 b) { return saturate(static_cast<s64>(a) - b); }
s32 madHighSaturating(s32 a, s32 b, s32 c) { return saturate(static_cast<s64>(MultiplyHigh::f<s32>(a, b)) + c); }

template <class T>
s64 low24(T a) { return SignedInteger<T> ? static_cast<s64>(static_cast<s32>(static_cast<u32>(a) << 8) >> 8) : static_cast<s64>(static_cast<u32>(a) & 0xffffffu); }
template <class T, int Shift>
T multiply24(T a, T b) { return static_cast<T>((low24(a) * low24(b)) >> Shift); }
template <class T, int Shift>
T mad24(T a, T b, T c) { return Add::f<T>(multiply24<T, Shift>(a, b), c); }
s32 mad24HighSaturating(s32 a, s32 b, s32 c) { return saturate(static_cast<s64>(multiply24<s32, 16>(a, b)) + c); }

template <class A, class B>
s32 byteAt(A a, int index) { return static_cast<B>(static_cast<u32>(a) >> (8 * index)); }
template <class A, class B>
u32 dot4(u32 a, u32 b, u32 c) {
    for (int i = 0; i < 4; ++i) c += static_cast<u32>(byteAt<u32, A>(a, i) * byteAt<u32, B>(b, i));
    return c;
}
template <class A, class B, int Half>
u32 dot2(u32 a, u32 b, u32 c) {
    using A16 = std::conditional_t<SignedInteger<A>, s16, u16>;
    for (int i = 0; i < 2; ++i) c += static_cast<u32>(static_cast<A16>(a >> (16 * i)) * byteAt<u32, B>(b, i + 2 * Half));
    return c;
}

// Extended precision: the carry of add, the borrow of sub.
template <class T, bool Subtracts, bool CarryIn, bool CarryOut>
void carrying(Warp& warp, const Instr& instr, Mask mask) {
    Source<T> a(warp, instr.o[1]), b(warp, instr.o[2]);
    Mask in = CarryIn ? warp.carry : 0, out = 0;
    for (int lane = 0; lane < Lanes; ++lane) {
        T x = a[lane], y = b[lane], carry = in >> lane & 1;
        bool over = Subtracts ? x < y || static_cast<T>(x - y) < carry : static_cast<T>(x + y) < x || static_cast<T>(x + y + carry) < carry;
        out |= static_cast<Mask>(over) << lane;
    }
    writeLanes<T>(warp, instr.o[0], mask, [&](int lane) {
        T carry = in >> lane & 1;
        return static_cast<T>(Subtracts ? a[lane] - b[lane] - carry : a[lane] + b[lane] + carry);
    });
    if (CarryOut) warp.carry = (warp.carry & ~mask) | (out & mask);
}

template <class T, bool High, bool CarryIn, bool CarryOut>
void madCarrying(Warp& warp, const Instr& instr, Mask mask) {
    using U = Unsigned<T>;
    Source<T> a(warp, instr.o[1]), b(warp, instr.o[2]), c(warp, instr.o[3]);
    alignas(64) U result[Lanes];
    Mask out = 0;
    for (int lane = 0; lane < Lanes; ++lane) {
        U product = static_cast<U>(High ? MultiplyHigh::f<T>(a[lane], b[lane]) : MultiplyLow::f<T>(a[lane], b[lane]));
        U addend = static_cast<U>(c[lane]), carry = CarryIn ? warp.carry >> lane & 1 : 0;
        result[lane] = product + addend + carry;
        out |= static_cast<Mask>(static_cast<U>(product + addend) < product || result[lane] < carry) << lane;
    }
    writeLanes<U>(warp, instr.o[0], mask, [&](int lane) { return result[lane]; });
    if (CarryOut) warp.carry = (warp.carry & ~mask) | (out & mask);
}

template <bool Subtracts, bool CarryIn>
Handler pickCarrying(Type type, bool out) {
    if (bitsOf(type) == 32) return out ? carrying<u32, Subtracts, CarryIn, true> : carrying<u32, Subtracts, CarryIn, false>;
    if (bitsOf(type) == 64) return out ? carrying<u64, Subtracts, CarryIn, true> : carrying<u64, Subtracts, CarryIn, false>;
    return nullptr;
}

template <class T, bool CarryIn>
Handler pickMadCarrying(bool high, bool out) {
    if (high) return out ? madCarrying<T, true, CarryIn, true> : madCarrying<T, true, CarryIn, false>;
    return out ? madCarrying<T, false, CarryIn, true> : madCarrying<T, false, CarryIn, false>;
}

template <bool CarryIn>
Handler pickMadCarrying(Type type, bool high, bool out) {
    switch (type) {
        case Type::U32: return pickMadCarrying<u32, CarryIn>(high, out);
        case Type::S32: return pickMadCarrying<s32, CarryIn>(high, out);
        case Type::U64: return pickMadCarrying<u64, CarryIn>(high, out);
        case Type::S64: return pickMadCarrying<s64, CarryIn>(high, out);
        default: return nullptr;
    }
}

/// The operation's type, where it is an integer; the modifier is put back otherwise.
std::optional<Type> integerType(Decoder& d) {
    for (std::string_view modifier : d.source->modifiers)
        if (auto type = typeNamed(modifier)) return isFloat(*type) || isUntyped(*type) || *type == Type::Pred ? std::nullopt : type;
    return std::nullopt;
}

Type widened(Type type) {
    switch (type) {
        case Type::U16: return Type::U32;
        case Type::S16: return Type::S32;
        case Type::U32: return Type::U64;
        default: return Type::S64;
    }
}

void decodeAddition(Decoder& d, Type type, bool subtracts) {
    bool carryOut = d.take("cc"), saturates = d.take("sat");
    Handler handler;
    if (carryOut) handler = subtracts ? pickCarrying<true, false>(type, true) : pickCarrying<false, false>(type, true);
    else if (saturates) handler = type != Type::S32 ? nullptr : subtracts ? op<subtractSaturating> : op<addSaturating>;
    else handler = subtracts ? pickInteger<Subtract>(type) : pickInteger<Add>(type);
    d.simple(handler, {type, type, type});
}

void decodeMultiply(Decoder& d, Type type) {
    if (d.take("lo")) return d.simple(pickInteger<MultiplyLow>(type), {type, type, type});
    if (d.take("hi")) return d.simple(pickInteger<MultiplyHigh>(type), {type, type, type});
    if (!d.take("wide")) d.fail("'mul' of integers needs .lo, .hi or .wide");
    Handler handler = type == Type::U16   ? op<multiplyWide<u16, u32>>
                      : type == Type::S16 ? op<multiplyWide<s16, s32>>
                      : type == Type::U32 ? op<multiplyWide<u32, u64>>
                      : type == Type::S32 ? op<multiplyWide<s32, s64>>
                                          : nullptr;
    d.simple(handler, {widened(type), type, type});
}

void decodeMad(Decoder& d, Type type, bool carryIn) {
    bool carryOut = d.take("cc"), saturates = d.take("sat");
    if (d.take("wide")) {
        if (carryIn || carryOut || saturates) d.fail("'mad.wide' has no carry and no saturation");
        Handler handler = type == Type::U16   ? op<madWide<u16, u32>>
                          : type == Type::S16 ? op<madWide<s16, s32>>
                          : type == Type::U32 ? op<madWide<u32, u64>>
                          : type == Type::S32 ? op<madWide<s32, s64>>
                                              : nullptr;
        return d.simple(handler, {widened(type), type, type, widened(type)});
    }
    bool high = d.take("hi");
    if (!high && !d.take("lo")) d.fail("'mad' of integers needs .lo, .hi or .wide");
    Handler handler;
    if (carryIn || carryOut) handler = saturates ? nullptr : carryIn ? pickMadCarrying<true>(type, high, carryOut) : pickMadCarrying<false>(type, high, carryOut);
    else if (saturates) handler = high && type == Type::S32 ? op<madHighSaturating> : nullptr;
    else handler = high ? pickInteger<MadHigh>(type) : pickInteger<MadLow>(type);
    d.simple(handler, {type, type, type, type});
}

bool decode24(Decoder& d, Type type, bool adds) {
    bool high = d.take("hi"), saturates = adds && d.take("sat");
    if (!high && !d.take("lo")) d.fail("'" + std::string(d.source->opcode) + "' needs .lo or .hi");
    bool isSigned = type == Type::S32;
    if (!isSigned && type != Type::U32) d.fail("24-bit products are of .u32 or .s32");
    if (!adds) {
        Handler handler = high ? (isSigned ? op<multiply24<s32, 16>> : op<multiply24<u32, 16>>) : (isSigned ? op<multiply24<s32, 0>> : op<multiply24<u32, 0>>);
        d.simple(handler, {type, type, type});
    } else if (saturates) {
        d.simple(high && isSigned ? op<mad24HighSaturating> : nullptr, {type, type, type, type});
    } else {
        Handler handler = high ? (isSigned ? op<mad24<s32, 16>> : op<mad24<u32, 16>>) : (isSigned ? op<mad24<s32, 0>> : op<mad24<u32, 0>>);
        d.simple(handler, {type, type, type, type});
    }
    return true;
}

bool decodeDot(Decoder& d, bool four) {
    bool high = !four && d.take("hi");
    if (!four && !high && !d.take("lo")) d.fail("'dp2a' needs .lo or .hi");
    Type a = d.takeType(), b = d.takeType();
    for (Type type : {a, b})
        if (type != Type::U32 && type != Type::S32) d.fail("'" + std::string(d.source->opcode) + "' is of .u32 or .s32");
    int signs = (a == Type::S32 ? 2 : 0) + (b == Type::S32 ? 1 : 0);
    constexpr Handler Four[] = {op<dot4<u8, u8>>, op<dot4<u8, s8>>, op<dot4<s8, u8>>, op<dot4<s8, s8>>};
    constexpr Handler Low[] = {op<dot2<u8, u8, 0>>, op<dot2<u8, s8, 0>>, op<dot2<s8, u8, 0>>, op<dot2<s8, s8, 0>>};
    constexpr Handler High[] = {op<dot2<u8, u8, 1>>, op<dot2<u8, s8, 1>>, op<dot2<s8, u8, 1>>, op<dot2<s8, s8, 1>>};
    Type c = signs ? Type::S32 : Type::U32;
    d.simple((four ? Four : high ? High : Low)[signs], {c, a, b, c});
    return true;
}

}  // namespace

bool decodeInteger(Decoder& d, std::string_view opcode) {
    if (opcode == "dp4a" || opcode == "dp2a") return decodeDot(d, opcode == "dp4a");
    auto integer = integerType(d);
    if (!integer) return false;
    Type type = *integer;
    auto taken = [&] { d.takeType(); return true; };
    auto binary = [&](Handler handler) { d.simple(handler, {type, type, type}); return true; };
    if (opcode == "add") return taken(), decodeAddition(d, type, false), true;
    if (opcode == "sub") return taken(), decodeAddition(d, type, true), true;
    if (opcode == "addc") return taken(), binary(pickCarrying<false, true>(type, d.take("cc")));
    if (opcode == "subc") return taken(), binary(pickCarrying<true, true>(type, d.take("cc")));
    if (opcode == "mul") return taken(), decodeMultiply(d, type), true;
    if (opcode == "mad") return taken(), decodeMad(d, type, false), true;
    if (opcode == "madc") return taken(), decodeMad(d, type, true), true;
    if (opcode == "mul24") return taken(), decode24(d, type, false);
    if (opcode == "mad24") return taken(), decode24(d, type, true);
    if (opcode == "div") return taken(), binary(pickInteger<Divide>(type));
    if (opcode == "rem") return taken(), binary(pickInteger<Remainder>(type));
    if (opcode == "min") return taken(), binary(pickInteger<Minimum>(type));
    if (opcode == "max") return taken(), binary(pickInteger<Maximum>(type));
    if (opcode == "abs") return taken(), d.simple(isSigned(type) ? pickInteger<Absolute>(type) : nullptr, {type, type}), true;
    if (opcode == "neg") return taken(), d.simple(isSigned(type) ? pickInteger<Negate>(type) : nullptr, {type, type}), true;
    if (opcode == "sad") return taken(), d.simple(pickInteger<AbsoluteDifference>(type), {type, type, type, type}), true;
    return false;
}

}  // namespace softcuda
