// Bits: logic, shifts, fields, permutations.
#include "decoder.hpp"
#include "lanes.hpp"

namespace softcuda {

namespace {

struct And {
    template <class T>
    static T f(T a, T b) { return a & b; }
};
struct Or {
    template <class T>
    static T f(T a, T b) { return a | b; }
};
struct Xor {
    template <class T>
    static T f(T a, T b) { return a ^ b; }
};
struct Not {
    template <class T>
    static T f(T a) { return static_cast<T>(~a); }
};
struct LogicalNot {
    template <class T>
    static T f(T a) { return a == 0; }
};
// Shift amounts beyond the width shift everything out.
struct ShiftLeft {
    template <class T>
    static T f(T a, u32 b) { return b >= sizeof(T) * 8 ? 0 : static_cast<T>(a << b); }
};
struct ShiftRight {
    template <class T>
    static T f(T a, u32 b) {
        constexpr u32 Bits = sizeof(T) * 8;
        if constexpr (std::is_signed_v<T>) return static_cast<T>(a >> (b >= Bits ? Bits - 1 : b));
        else return b >= Bits ? 0 : static_cast<T>(a >> b);
    }
};

template <bool Left, bool Wraps>
u32 funnel(u32 low, u32 high, u32 amount) {
    u64 value = static_cast<u64>(high) << 32 | low;
    u32 by = Wraps ? amount & 31 : amount > 32 ? 32 : amount;
    return Left ? static_cast<u32>(value << by >> 32) : static_cast<u32>(value >> by);
}

template <class T>
u32 countOnes(T a) { return static_cast<u32>(std::popcount(a)); }
template <class T>
u32 leadingZeros(T a) { return static_cast<u32>(std::countl_zero(a)); }
template <class T, bool Amount>
u32 findBit(T a) {
    using U = std::make_unsigned_t<T>;
    U value = static_cast<U>(a);
    if (std::is_signed_v<T> && a < 0) value = static_cast<U>(~value);
    if (value == 0) return 0xffffffffu;
    u32 zeros = static_cast<u32>(std::countl_zero(value));
    return Amount ? zeros : static_cast<u32>(sizeof(T) * 8) - 1 - zeros;
}
template <class T>
T reverse(T a) {
    T result = 0;
    for (unsigned i = 0; i < sizeof(T) * 8; ++i) result |= (a >> i & 1) << (sizeof(T) * 8 - 1 - i);
    return result;
}

/// Bits beyond the field, or beyond the value, are copies of the sign bit or zero.
struct ExtractField {
    template <class T>
    static T f(T a, u32 position, u32 length) {
        constexpr u32 Bits = sizeof(T) * 8;
        position &= 0xff;
        length &= 0xff;
        using U = std::make_unsigned_t<T>;
        bool sign = std::is_signed_v<T> && length > 0 && (static_cast<U>(a) >> std::min(position + length - 1, Bits - 1) & 1);
        U value = position >= Bits ? 0 : static_cast<U>(static_cast<U>(a) >> position);
        u32 kept = position >= Bits ? 0 : std::min(length, Bits - position);
        U mask = kept >= Bits ? ~U{0} : static_cast<U>((U{1} << kept) - 1);
        return static_cast<T>((value & mask) | (sign ? ~mask : 0));
    }
};
struct InsertField {
    template <class T>
    static T f(T a, T b, u32 position, u32 length) {
        constexpr u32 Bits = sizeof(T) * 8;
        position &= 0xff;
        length &= 0xff;
        if (position >= Bits || length == 0) return b;
        T mask = static_cast<T>((length >= Bits ? ~T{0} : (T{1} << length) - 1) << position);
        return (b & ~mask) | (a << position & mask);
    }
};

enum class Permute { Index, F4e, B4e, Rc8, Ecl, Ecr, Rc16 };
template <Permute Mode>
u32 permute(u32 a, u32 b, u32 c) {
    u64 bytes = static_cast<u64>(b) << 32 | a;
    u32 result = 0, start = c & 3;
    for (u32 i = 0; i < 4; ++i) {
        u32 from = i;
        bool sign = false;
        if (Mode == Permute::Index) {
            from = c >> (4 * i) & 7;
            sign = c >> (4 * i) & 8;
        } else if (Mode == Permute::F4e) {
            from = start + i;
        } else if (Mode == Permute::B4e) {
            from = (start - i) & 7;
        } else if (Mode == Permute::Rc8) {
            from = start;
        } else if (Mode == Permute::Ecl) {
            from = std::max(start, i);
        } else if (Mode == Permute::Ecr) {
            from = std::min(start, i);
        } else {
            from = (start & 1) * 2 + (i & 1);
        }
        u32 byte = static_cast<u32>(bytes >> (8 * from)) & 0xff;
        if (sign) byte = byte & 0x80 ? 0xff : 0;
        result |= byte << (8 * i);
    }
    return result;
}

u32 lookUp3(u32 a, u32 b, u32 c, u32 table) {
    u32 result = 0;
    for (u32 i = 0; i < 8; ++i) {
        u32 term = (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
        result |= table >> i & 1 ? term : 0;
    }
    return result;
}

template <bool Wraps>
u32 bitMask(u32 position, u32 length) {
    if (Wraps) position &= 31, length &= 31;
    if (position >= 32 || length == 0) return 0;
    u32 ones = length >= 32 ? ~0u : (1u << length) - 1;
    return ones << position;
}
template <bool Signed, bool Wraps>
u32 extend(u32 a, u32 length) {
    if (Wraps) length &= 31;
    if (length >= 32) return a;
    if (length == 0) return 0;
    u32 mask = (1u << length) - 1;
    bool sign = Signed && (a >> (length - 1) & 1);
    return (a & mask) | (sign ? ~mask : 0);
}

enum class PredicateOp { And, Or, Xor, Not };
template <PredicateOp Operation>
void onPredicates(Warp& warp, const Instr& instr, Mask mask) {
    Mask a = *row<Mask>(warp, instr.o[1]), b = Operation == PredicateOp::Not ? 0 : *row<Mask>(warp, instr.o[2]);
    Mask value = Operation == PredicateOp::And ? a & b : Operation == PredicateOp::Or ? a | b : Operation == PredicateOp::Xor ? a ^ b : ~a;
    setPredicate(warp, instr.o[0], value, mask);
}

template <class O, PredicateOp Operation>
bool decodeBinary(Decoder& d) {
    Type type = d.takeType();
    d.simple(type == Type::Pred ? onPredicates<Operation> : pickBits<O>(type), {type, type, type});
    return true;
}

template <class O>
Handler pickShift(Type type) {
    Handler handler = pickInteger<O>(type);
    return handler ? handler : pickBits<O>(type);
}

bool decodePermute(Decoder& d) {
    Handler handler = d.take("f4e")    ? op<permute<Permute::F4e>>
                      : d.take("b4e")  ? op<permute<Permute::B4e>>
                      : d.take("rc8")  ? op<permute<Permute::Rc8>>
                      : d.take("ecl")  ? op<permute<Permute::Ecl>>
                      : d.take("ecr")  ? op<permute<Permute::Ecr>>
                      : d.take("rc16") ? op<permute<Permute::Rc16>>
                                       : op<permute<Permute::Index>>;
    Type type = d.takeType();
    d.simple(type == Type::B32 ? handler : nullptr, {type, type, type, Type::B32});
    return true;
}

bool decodeCounts(Decoder& d, std::string_view opcode) {
    if (opcode == "bfind") {
        bool amount = d.take("shiftamt");
        Type type = d.takeType();
        Handler handler = nullptr;
        if (type == Type::U32) handler = amount ? op<findBit<u32, true>> : op<findBit<u32, false>>;
        if (type == Type::S32) handler = amount ? op<findBit<s32, true>> : op<findBit<s32, false>>;
        if (type == Type::U64) handler = amount ? op<findBit<u64, true>> : op<findBit<u64, false>>;
        if (type == Type::S64) handler = amount ? op<findBit<s64, true>> : op<findBit<s64, false>>;
        d.simple(handler, {Type::U32, type});
        return true;
    }
    Type type = d.takeType();
    bool wide = type == Type::B64;
    if (!wide && type != Type::B32) d.fail("'" + std::string(opcode) + "' is of .b32 or .b64");
    if (opcode == "popc") d.simple(wide ? op<countOnes<u64>> : op<countOnes<u32>>, {Type::U32, type});
    else if (opcode == "clz") d.simple(wide ? op<leadingZeros<u64>> : op<leadingZeros<u32>>, {Type::U32, type});
    else d.simple(wide ? op<reverse<u64>> : op<reverse<u32>>, {type, type});
    return true;
}

bool decodeFields(Decoder& d, std::string_view opcode) {
    if (opcode == "bfe") {
        Type type = d.takeType();
        if (bitsOf(type) < 32) d.fail("'bfe' is of 32 or 64 bits");
        d.simple(pickInteger<ExtractField>(type), {type, type, Type::U32, Type::U32});
    } else if (opcode == "bfi") {
        Type type = d.takeType();
        if (bitsOf(type) < 32) d.fail("'bfi' is of 32 or 64 bits");
        d.simple(pickBits<InsertField>(type), {type, type, type, Type::U32, Type::U32});
    } else {
        bool wraps = d.take("wrap");
        if (!wraps && !d.take("clamp")) d.fail("'" + std::string(opcode) + "' needs .clamp or .wrap");
        Type type = d.takeType();
        if (opcode == "bmsk") {
            d.simple(type == Type::B32 ? (wraps ? op<bitMask<true>> : op<bitMask<false>>) : nullptr, {type, Type::U32, Type::U32});
        } else {
            Handler handler = type == Type::S32   ? (wraps ? op<extend<true, true>> : op<extend<true, false>>)
                              : type == Type::U32 ? (wraps ? op<extend<false, true>> : op<extend<false, false>>)
                                                  : nullptr;
            d.simple(handler, {type, type, Type::U32});
        }
    }
    return true;
}

}  // namespace

bool decodeLogic(Decoder& d, std::string_view opcode) {
    if (opcode == "and") return decodeBinary<And, PredicateOp::And>(d);
    if (opcode == "or") return decodeBinary<Or, PredicateOp::Or>(d);
    if (opcode == "xor") return decodeBinary<Xor, PredicateOp::Xor>(d);
    if (opcode == "not") {
        Type type = d.takeType();
        d.simple(type == Type::Pred ? onPredicates<PredicateOp::Not> : pickBits<Not>(type), {type, type});
        return true;
    }
    if (opcode == "cnot") {
        Type type = d.takeType();
        d.simple(pickBits<LogicalNot>(type), {type, type});
        return true;
    }
    if (opcode == "shl" || opcode == "shr") {
        Type type = d.takeType();
        d.simple(opcode == "shl" ? pickBits<ShiftLeft>(type) : pickShift<ShiftRight>(type), {type, type, Type::U32});
        return true;
    }
    if (opcode == "shf") {
        bool left = d.take("l"), wraps = d.take("wrap");
        if (!left && !d.take("r")) d.fail("'shf' needs .l or .r");
        if (!wraps && !d.take("clamp")) d.fail("'shf' needs .clamp or .wrap");
        Type type = d.takeType();
        Handler handler = left ? (wraps ? op<funnel<true, true>> : op<funnel<true, false>>) : (wraps ? op<funnel<false, true>> : op<funnel<false, false>>);
        d.simple(type == Type::B32 ? handler : nullptr, {type, type, type, Type::U32});
        return true;
    }
    if (opcode == "lop3") {
        Type type = d.takeType();
        d.expectOperands(5);
        if (d.operand(4).kind != OperandKind::Integer || d.operand(4).bits > 255) d.fail("the table of 'lop3' is a number of 0 to 255");
        d.simple(type == Type::B32 ? op<lookUp3> : nullptr, {type, type, type, type, Type::B32});
        return true;
    }
    if (opcode == "prmt") return decodePermute(d);
    if (opcode == "popc" || opcode == "clz" || opcode == "brev" || opcode == "bfind") return decodeCounts(d, opcode);
    if (opcode == "bfe" || opcode == "bfi" || opcode == "bmsk" || opcode == "szext") return decodeFields(d, opcode);
    return false;
}

}  // namespace softcuda
