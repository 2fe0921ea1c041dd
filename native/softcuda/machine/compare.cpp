// Comparisons and selections: setp, set, selp, slct.
#include "decoder.hpp"
#include "floating.hpp"

namespace softcuda {

namespace {

using Comparator = Mask (*)(Warp&, const Instr&);

enum class Relation { Eq, Ne, Lt, Le, Gt, Ge, Equ, Neu, Ltu, Leu, Gtu, Geu, Num, Nan };

template <Relation R, class T>
bool holds(T a, T b) {
    switch (R) {
        case Relation::Eq: return a == b;
        case Relation::Ne: return a < b || a > b;
        case Relation::Lt: return a < b;
        case Relation::Le: return a <= b;
        case Relation::Gt: return a > b;
        case Relation::Ge: return a >= b;
        case Relation::Equ: return !(a < b || a > b);
        case Relation::Neu: return !(a == b);
        case Relation::Ltu: return !(a >= b);
        case Relation::Leu: return !(a > b);
        case Relation::Gtu: return !(a <= b);
        case Relation::Geu: return !(a < b);
        case Relation::Num: return a == a && b == b;
        case Relation::Nan: return a != a || b != b;
    }
}

/// What a type is compared as.
template <class T>
struct Compared {
    static T value(T x) { return x; }
};
struct FlushedFloat {};
template <>
struct Compared<FlushedFloat> {
    static float value(float x) { return flush(x); }
};
template <>
struct Compared<Half> {
    static float value(Half x) { return toFloat(x); }
};
template <>
struct Compared<Bfloat> {
    static float value(Bfloat x) { return toFloat(x); }
};

template <Relation R, class T>
Mask compare(Warp& warp, const Instr& instr) {
    using Register = std::conditional_t<std::is_same_v<T, FlushedFloat>, float, T>;
    Source<Register> a(warp, instr.o[1]), b(warp, instr.o[2]);
    alignas(64) s32 flags[Lanes];
    for (int lane = 0; lane < Lanes; ++lane) flags[lane] = holds<R>(Compared<T>::value(a[lane]), Compared<T>::value(b[lane])) ? -1 : 0;
    return gather(flags);
}

template <class T>
Comparator pickOrdered(std::string_view name) {
    if (name == "eq") return compare<Relation::Eq, T>;
    if (name == "ne") return compare<Relation::Ne, T>;
    if (name == "lt") return compare<Relation::Lt, T>;
    if (name == "le") return compare<Relation::Le, T>;
    if (name == "gt") return compare<Relation::Gt, T>;
    if (name == "ge") return compare<Relation::Ge, T>;
    return nullptr;
}
template <class T>
Comparator pickFloatRelation(std::string_view name) {
    if (Comparator ordered = pickOrdered<T>(name)) return ordered;
    if (name == "equ") return compare<Relation::Equ, T>;
    if (name == "neu") return compare<Relation::Neu, T>;
    if (name == "ltu") return compare<Relation::Ltu, T>;
    if (name == "leu") return compare<Relation::Leu, T>;
    if (name == "gtu") return compare<Relation::Gtu, T>;
    if (name == "geu") return compare<Relation::Geu, T>;
    if (name == "num") return compare<Relation::Num, T>;
    if (name == "nan") return compare<Relation::Nan, T>;
    return nullptr;
}
template <class T>
Comparator pickBitsRelation(std::string_view name) { return name == "eq" || name == "ne" ? pickOrdered<T>(name) : nullptr; }
/// lo, ls, hi and hs compare unsigned values.
template <class T>
Comparator pickUnsigned(std::string_view name) {
    return pickOrdered<T>(name == "lo" ? "lt" : name == "ls" ? "le" : name == "hi" ? "gt" : name == "hs" ? "ge" : name);
}

Comparator pickComparator(std::string_view relation, Type type, bool flushes) {
    switch (type) {
        case Type::B16: return pickBitsRelation<u16>(relation);
        case Type::B32: return pickBitsRelation<u32>(relation);
        case Type::B64: return pickBitsRelation<u64>(relation);
        case Type::U16: return pickUnsigned<u16>(relation);
        case Type::U32: return pickUnsigned<u32>(relation);
        case Type::U64: return pickUnsigned<u64>(relation);
        case Type::S16: return pickOrdered<s16>(relation);
        case Type::S32: return pickOrdered<s32>(relation);
        case Type::S64: return pickOrdered<s64>(relation);
        case Type::F16: return pickFloatRelation<Half>(relation);
        case Type::BF16: return pickFloatRelation<Bfloat>(relation);
        case Type::F32: return flushes ? pickFloatRelation<FlushedFloat>(relation) : pickFloatRelation<float>(relation);
        case Type::F64: return pickFloatRelation<double>(relation);
        default: return nullptr;
    }
}

// instr.flags: the boolean operation, and whether its operand is negated.
enum class Combine : u8 { None, And, Or, Xor };
constexpr u16 NegatedOperand = 4;
constexpr u16 FloatResult = 8;

Mask combine(Warp& warp, const Instr& instr, Mask value) {
    auto how = static_cast<Combine>(instr.flags & 3);
    if (how == Combine::None) return value;
    Mask other = *row<Mask>(warp, instr.o[3]);
    if (instr.flags & NegatedOperand) other = ~other;
    return how == Combine::And ? value & other : how == Combine::Or ? value | other : value ^ other;
}

Comparator comparatorOf(const Instr& instr) { return reinterpret_cast<Comparator>(instr.immediate); }

void setp(Warp& warp, const Instr& instr, Mask mask) { setPredicate(warp, instr.o[0], comparatorOf(instr)(warp, instr), mask); }
void setpCombined(Warp& warp, const Instr& instr, Mask mask) {
    Mask value = comparatorOf(instr)(warp, instr);
    Mask first = combine(warp, instr, value), second = combine(warp, instr, ~value);
    setPredicate(warp, instr.o[0], first, mask);
    if (instr.count == 2) setPredicate(warp, instr.o[4], second, mask);
}
void set(Warp& warp, const Instr& instr, Mask mask) {
    Mask value = combine(warp, instr, comparatorOf(instr)(warp, instr));
    u32 yes = instr.flags & FloatResult ? std::bit_cast<u32>(1.0f) : ~0u;
    writeLanes<u32>(warp, instr.o[0], mask, [&](int lane) { return value >> lane & 1 ? yes : 0; });
}

/// setp of f16x2: one predicate for each half.
template <Relation R>
void setpPair(Warp& warp, const Instr& instr, Mask mask) {
    Source<u32> a(warp, instr.o[1]), b(warp, instr.o[2]);
    Mask low = 0, high = 0;
    for (int lane = 0; lane < Lanes; ++lane) {
        auto half = [](u32 x, int index) { return toFloat(Half{static_cast<u16>(x >> (16 * index))}); };
        low |= static_cast<Mask>(holds<R>(half(a[lane], 0), half(b[lane], 0))) << lane;
        high |= static_cast<Mask>(holds<R>(half(a[lane], 1), half(b[lane], 1))) << lane;
    }
    Mask first = combine(warp, instr, low), second = combine(warp, instr, high);
    setPredicate(warp, instr.o[0], first, mask);
    setPredicate(warp, instr.o[4], second, mask);
}

Handler pickPair(std::string_view relation) {
    constexpr std::pair<std::string_view, Handler> All[] = {
        {"eq", setpPair<Relation::Eq>},   {"ne", setpPair<Relation::Ne>},   {"lt", setpPair<Relation::Lt>},   {"le", setpPair<Relation::Le>},
        {"gt", setpPair<Relation::Gt>},   {"ge", setpPair<Relation::Ge>},   {"equ", setpPair<Relation::Equ>}, {"neu", setpPair<Relation::Neu>},
        {"ltu", setpPair<Relation::Ltu>}, {"leu", setpPair<Relation::Leu>}, {"gtu", setpPair<Relation::Gtu>}, {"geu", setpPair<Relation::Geu>},
        {"num", setpPair<Relation::Num>}, {"nan", setpPair<Relation::Nan>}};
    for (auto [name, handler] : All)
        if (name == relation) return handler;
    return nullptr;
}

struct Select {
    template <class T>
    static T f(T a, T b, bool c) { return c ? a : b; }
};
template <class C>
struct SelectBySign {
    template <class T>
    static T f(T a, T b, C c) { return c >= 0 ? a : b; }
};
struct SelectByFlushed {
    template <class T>
    static T f(T a, T b, float c) { return flush(c) >= 0 ? a : b; }
};

template <class O>
Handler pickSize(Type type) {
    switch (bitsOf(type)) {
        case 16: return op<&O::template f<u16>>;
        case 32: return op<&O::template f<u32>>;
        case 64: return op<&O::template f<u64>>;
        default: return nullptr;
    }
}

std::string_view takeRelation(Decoder& d) {
    constexpr std::string_view Names[] = {"eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};
    for (std::string_view name : Names)
        if (d.take(name)) return name;
    d.fail("'" + std::string(d.source->opcode) + "' lacks a comparison");
}

bool decodeSet(Decoder& d, bool predicate) {
    std::string_view relation = takeRelation(d);
    Combine how = d.take("and") ? Combine::And : d.take("or") ? Combine::Or : d.take("xor") ? Combine::Xor : Combine::None;
    bool flushes = d.take("ftz");
    Type result = predicate ? Type::Pred : d.takeType();
    Type type = d.takeType();
    d.expectOperands(how == Combine::None ? 3 : 4);
    d.use(1, d.operand(1), type);
    d.use(2, d.operand(2), type);
    d.out.flags = static_cast<u16>(how);
    if (how != Combine::None) {
        d.usePredicate(3, d.operand(3));
        if (d.operand(3).negated) d.out.flags |= NegatedOperand;
    }
    if (predicate && type == Type::F16x2) {
        if (d.operand(0).second.empty()) d.fail("'setp' of f16x2 has two destinations");
        d.definePredicate(0, d.operand(0).name);
        d.definePredicate(4, d.operand(0).second);
        d.out.run = pickPair(relation);
        return true;
    }
    if (flushes && type != Type::F32 && type != Type::F16) d.fail(".ftz is for f32");
    Comparator comparator = pickComparator(relation, type, flushes);
    if (!comparator) d.fail("'" + std::string(d.source->opcode) + "." + std::string(relation) + "' does not exist for ." + nameOf(type));
    d.out.immediate = reinterpret_cast<std::int64_t>(comparator);
    if (predicate) {
        const Operand& destination = d.operand(0);
        if ((destination.kind != OperandKind::Name && destination.kind != OperandKind::Sink) || destination.negated) d.fail("'setp' writes predicates");
        d.definePredicate(0, destination.name);
        d.out.run = how == Combine::None && destination.second.empty() ? setp : setpCombined;
        if (!destination.second.empty()) {
            d.out.count = 2;
            d.definePredicate(4, destination.second);
        }
    } else {
        if (result != Type::U32 && result != Type::S32 && result != Type::F32) d.fail("'set' gives .u32, .s32 or .f32");
        d.define(0, d.operand(0), result);
        if (result == Type::F32) d.out.flags |= FloatResult;
        d.out.run = set;
    }
    return true;
}

}  // namespace

bool decodeCompare(Decoder& d, std::string_view opcode) {
    if (opcode == "setp") return decodeSet(d, true);
    if (opcode == "set") return decodeSet(d, false);
    if (opcode == "selp") {
        Type type = d.takeType();
        d.expectOperands(4);
        if (d.operand(3).negated) d.fail("the predicate of 'selp' cannot be negated");
        d.simple(pickSize<Select>(type), {type, type, type, Type::Pred});
        return true;
    }
    if (opcode == "slct") {
        bool flushes = d.take("ftz");
        Type type = d.takeType(), by = d.takeType();
        Handler handler = by == Type::S32   ? (flushes ? nullptr : pickSize<SelectBySign<s32>>(type))
                          : by == Type::F32 ? (flushes ? pickSize<SelectByFlushed>(type) : pickSize<SelectBySign<float>>(type))
                                            : nullptr;
        d.simple(handler, {type, type, type, by});
        return true;
    }
    return false;
}

}  // namespace softcuda
