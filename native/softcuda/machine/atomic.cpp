// atom and red.
#include <algorithm>

#include "access.hpp"
#include "decoder.hpp"
#include "floating.hpp"

namespace softcuda {

namespace {

// Destination at o[0], the address at o[4], values at o[1] and o[2].
constexpr std::size_t AddressSlot = 4;
constexpr u16 NoResult = 1;

template <class T>
struct Bits {
    using Type = std::conditional_t<sizeof(T) == 8, u64, std::conditional_t<sizeof(T) == 4, u32, u16>>;
};

struct Add {
    template <class T>
    static T f(T old, T b, T) {
        if constexpr (std::is_floating_point_v<T>) return canonical(old + b);
        else return static_cast<T>(old + b);
    }
};
struct Minimum {
    template <class T>
    static T f(T old, T b, T) { return std::min(old, b); }
};
struct Maximum {
    template <class T>
    static T f(T old, T b, T) { return std::max(old, b); }
};
struct And {
    template <class T>
    static T f(T old, T b, T) { return old & b; }
};
struct Or {
    template <class T>
    static T f(T old, T b, T) { return old | b; }
};
struct Xor {
    template <class T>
    static T f(T old, T b, T) { return old ^ b; }
};
struct Exchange {
    template <class T>
    static T f(T, T b, T) { return b; }
};
struct CompareAndSwap {
    template <class T>
    static T f(T old, T b, T c) { return old == b ? c : old; }
};
struct Increment {
    template <class T>
    static T f(T old, T b, T) { return old >= b ? 0 : old + 1; }
};
struct Decrement {
    template <class T>
    static T f(T old, T b, T) { return old == 0 || old > b ? b : old - 1; }
};
template <class T>
T addNarrow(T a, T b) {
    if constexpr (std::is_same_v<T, Half>) return toHalf(toFloat(a) + toFloat(b));
    else return toBfloat(toFloat(a) + toFloat(b));
}
struct AddNarrow {
    template <class T>
    static T f(T old, T b, T) {
        if constexpr (sizeof(T) == 2) {
            return addNarrow(old, b);
        } else {
            using E = std::conditional_t<std::is_same_v<T, Half2>, Half, Bfloat>;
            u32 low = addNarrow(E{static_cast<u16>(old.bits)}, E{static_cast<u16>(b.bits)}).bits;
            u32 high = addNarrow(E{static_cast<u16>(old.bits >> 16)}, E{static_cast<u16>(b.bits >> 16)}).bits;
            return T{low | high << 16};
        }
    }
};

template <class T, class O>
void update(Warp& warp, const Instr& instr, Space space, Request& request) {
    using B = typename Bits<T>::Type;
    BlockState& block = *warp.block;
    ++block.counters.atomics;
    bool fine = space == Space::Global   ? openGlobal(warp, instr, request, Mode::Atomic)
                : space == Space::Shared ? openShared(warp, instr, request, Mode::Atomic)
                : space == Space::Local  ? openLocal(warp, instr, request, Mode::Atomic, true)
                                         : false;
    if (!fine) {
        if (!block.stop) block.report(FindingKind::OutOfBounds, warp, instr, request.first(), request.address[request.first()], "updates the kernel's parameters");
        return;
    }
    Source<T> b(warp, instr.o[1]), c(warp, instr.o[2]);
    using S = typename Stored<T>::Type;
    S* result = instr.flags & NoResult ? nullptr : row<S>(warp, instr.o[0]);
    for (Mask rest = request.lanes; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        T old;
        if (space == Space::Global) {
            // Blocks run at the same time.
            B* place = reinterpret_cast<B*>(block.memory->host(request.address[lane]));
            B seen = __atomic_load_n(place, __ATOMIC_RELAXED);
            for (;;) {
                old = std::bit_cast<T>(seen);
                B next = std::bit_cast<B>(O::template f<T>(old, b[lane], c[lane]));
                if (__atomic_compare_exchange_n(place, &seen, next, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) break;
            }
        } else if (space == Space::Shared) {
            u8* place = block.shared + request.address[lane];
            std::memcpy(&old, place, sizeof(T));
            T next = O::template f<T>(old, b[lane], c[lane]);
            std::memcpy(place, &next, sizeof(T));
        } else {
            u32 words[2] = {};
            constexpr u64 Pieces = sizeof(T) == 8 ? 2 : 1;
            constexpr std::size_t PieceBytes = sizeof(T) / Pieces;
            for (u64 i = 0; i < Pieces; ++i) std::memcpy(&words[i], localAt(warp, request.address[lane] + 4 * i, lane), PieceBytes);
            std::memcpy(&old, words, sizeof(T));
            T next = O::template f<T>(old, b[lane], c[lane]);
            std::memcpy(words, &next, sizeof(T));
            for (u64 i = 0; i < Pieces; ++i) std::memcpy(localAt(warp, request.address[lane] + 4 * i, lane), &words[i], PieceBytes);
        }
        if (result) result[lane] = Stored<T>::put(old);
    }
}

template <class T, class O>
void atomic(Warp& warp, const Instr& instr, Mask mask) {
    Request request;
    request.lanes = mask;
    request.size = sizeof(T);
    gatherAddresses(warp, instr.o[AddressSlot], instr, request);
    if (instr.space == Space::Generic) {
        bySpace(request, [&](Space space, Request& part) {
            if (!warp.block->stop) update<T, O>(warp, instr, space, part);
        });
        return;
    }
    classify(request);
    update<T, O>(warp, instr, instr.space, request);
}

Handler pickAdd(Type type) {
    switch (type) {
        case Type::U32: case Type::S32: return atomic<u32, Add>;
        case Type::U64: case Type::S64: return atomic<u64, Add>;
        case Type::F32: return atomic<float, Add>;
        case Type::F64: return atomic<double, Add>;
        case Type::F16: return atomic<Half, AddNarrow>;
        case Type::F16x2: return atomic<Half2, AddNarrow>;
        case Type::BF16: return atomic<Bfloat, AddNarrow>;
        case Type::BF16x2: return atomic<Bfloat2, AddNarrow>;
        default: return nullptr;
    }
}
template <class O>
Handler pickOrdered(Type type) {
    switch (type) {
        case Type::U32: return atomic<u32, O>;
        case Type::S32: return atomic<s32, O>;
        case Type::U64: return atomic<u64, O>;
        case Type::S64: return atomic<s64, O>;
        default: return nullptr;
    }
}
template <class O>
Handler pickWords(Type type) { return type == Type::B32 ? atomic<u32, O> : type == Type::B64 ? atomic<u64, O> : nullptr; }

}  // namespace

bool decodeAtomic(Decoder& d, std::string_view opcode) {
    if (opcode != "atom" && opcode != "red") return false;
    bool returns = opcode == "atom";
    if (d.take("release") || d.take("acq_rel")) d.out.flags |= FencingAccess;
    else d.take("relaxed") || d.take("acquire");
    d.take("cta") || d.take("cluster") || d.take("gpu") || d.take("sys");
    auto named = d.takeSpace();
    if (named && *named != Space::Global && *named != Space::Shared) d.fail("'" + std::string(opcode) + "' works on .global or .shared memory");
    // The operation is told before the type; .noftz belongs to additions of f16.
    Handler handler = nullptr;
    std::size_t values = 1;
    bool add = d.take("add"), flushFree = d.take("noftz");
    std::optional<Type> type;
    auto operation = [&](const char* name, auto pick) {
        if (type || !d.take(name)) return;
        type = d.takeType();
        handler = pick(*type);
    };
    if (add) {
        type = d.takeType();
        handler = pickAdd(*type);
        bool narrow = *type == Type::F16 || *type == Type::F16x2 || *type == Type::BF16 || *type == Type::BF16x2;
        if (narrow != flushFree) d.fail(narrow ? "additions of 16-bit floats need .noftz" : ".noftz is for 16-bit floats");
        if (isFloat(*type)) d.out.flops = *type == Type::F16x2 || *type == Type::BF16x2 ? 2 : 1;
    }
    operation("min", pickOrdered<Minimum>);
    operation("max", pickOrdered<Maximum>);
    operation("and", pickWords<And>);
    operation("or", pickWords<Or>);
    operation("xor", pickWords<Xor>);
    operation("inc", [](Type t) -> Handler { return t == Type::U32 ? atomic<u32, Increment> : nullptr; });
    operation("dec", [](Type t) -> Handler { return t == Type::U32 ? atomic<u32, Decrement> : nullptr; });
    if (returns) operation("exch", pickWords<Exchange>);
    if (returns && !type && d.take("cas")) {
        type = d.takeType();
        handler = *type == Type::B16 ? atomic<u16, CompareAndSwap> : pickWords<CompareAndSwap>(*type);
        values = 2;
    }
    if (!type) d.fail("'" + std::string(opcode) + "' lacks an operation");
    if (!handler) d.fail("this operation does not exist for ." + std::string(nameOf(*type)));
    d.expectOperands(values + (returns ? 2 : 1));
    std::size_t next = 0;
    if (returns) {
        if (d.operand(0).kind == OperandKind::Sink) d.out.flags |= NoResult;
        else d.define(0, d.operand(0), *type);
        next = 1;
    } else {
        d.out.flags |= NoResult;
    }
    auto space = d.address(AddressSlot, d.operand(next));
    if (named && space && *named != *space) d.fail("'" + std::string(d.operand(next).name) + "' lies in ." + nameOf(*space));
    d.out.space = named.value_or(space.value_or(Space::Generic));
    if (d.out.space == Space::Const || d.out.space == Space::Param) d.fail("constant memory cannot be written");
    for (std::size_t i = 0; i < values; ++i) d.use(i + 1, d.operand(next + 1 + i), *type);
    // Handlers read two values.
    if (values == 1) d.useConstant(2, 0, bitsOf(*type) == 64);
    d.out.bytes = static_cast<u8>(bitsOf(*type) / 8);
    d.out.run = handler;
    return true;
}

}  // namespace softcuda
