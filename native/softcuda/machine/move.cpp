// mov, cvta and isspacep.
#include <chrono>

#include "decoder.hpp"
#include "lanes.hpp"

namespace softcuda {

namespace {

template <class T>
T same(T a) { return a; }

/// mov d, {a, b, ...}: the first element becomes the lowest bits.
template <class D, int Elements>
void pack(Warp& warp, const Instr& instr, Mask mask) {
    constexpr int Bits = static_cast<int>(sizeof(D)) * 8 / Elements;
    constexpr D Low = static_cast<D>((u64{1} << Bits) - 1);
    const u32* parts[Elements];
    for (int n = 0; n < Elements; ++n) parts[n] = row<const u32>(warp, instr.o[static_cast<std::size_t>(n) + 1]);
    writeLanes<D>(warp, instr.o[0], mask, [&](int lane) {
        D value = 0;
        for (int n = 0; n < Elements; ++n) value |= (static_cast<D>(parts[n][lane]) & Low) << (n * Bits);
        return value;
    });
}

template <class S, int Elements>
void unpack(Warp& warp, const Instr& instr, Mask mask) {
    constexpr int Bits = static_cast<int>(sizeof(S)) * 8 / Elements;
    constexpr S Low = static_cast<S>((u64{1} << Bits) - 1);
    alignas(64) S values[Lanes];
    std::memcpy(values, row<const S>(warp, instr.o[MostOperands - 1]), sizeof values);
    for (int n = 0; n < Elements; ++n)
        writeLanes<u32>(warp, instr.o[static_cast<std::size_t>(n)], mask, [&](int lane) { return static_cast<u32>(values[lane] >> (n * Bits) & Low); });
}

void movePredicate(Warp& warp, const Instr& instr, Mask mask) { setPredicate(warp, instr.o[0], *row<Mask>(warp, instr.o[1]), mask); }

/// Clocks advance with the instructions of finished slices, and at every look.
u64 readClock(Warp& warp) { return warp.block->counters.warpInstructions + ++warp.block->clockReads; }
void clock32(Warp& warp, const Instr& instr, Mask mask) {
    u32 now = static_cast<u32>(readClock(warp));
    writeLanes<u32>(warp, instr.o[0], mask, [&](int) { return now; });
}
void clock64(Warp& warp, const Instr& instr, Mask mask) {
    u64 now = readClock(warp);
    writeLanes<u64>(warp, instr.o[0], mask, [&](int) { return now; });
}
void globalTimer(Warp& warp, const Instr& instr, Mask mask) {
    u64 now = static_cast<u64>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
    writeLanes<u64>(warp, instr.o[0], mask, [&](int) { return now; });
}

void shiftWindow(Warp& warp, const Instr& instr, Mask mask) {
    Source<u64> a(warp, instr.o[1]);
    writeLanes<u64>(warp, instr.o[0], mask, [&](int lane) { return a[lane] + static_cast<u64>(instr.immediate); });
}

template <Space S>
bool isInSpace(u64 address) {
    bool shared = address - SharedWindow < WindowBytes, local = address - LocalWindow < WindowBytes, parameter = address - ParamWindow < WindowBytes;
    return S == Space::Shared ? shared : S == Space::Local ? local : S == Space::Param ? parameter : !shared && !local && !parameter;
}

u64 windowOf(Space space) { return space == Space::Shared ? SharedWindow : space == Space::Local ? LocalWindow : space == Space::Param ? ParamWindow : 0; }

Type elementType(Decoder& d, Type type, std::size_t elements) {
    int bits = bitsOf(type) / static_cast<int>(elements);
    if ((elements != 2 && elements != 4) || (bits != 8 && bits != 16 && bits != 32)) d.fail("a vector of a wrong size");
    return bits == 8 ? Type::B8 : bits == 16 ? Type::B16 : Type::B32;
}

bool decodeVectorMove(Decoder& d, Type type) {
    bool packs = d.operand(1).kind == OperandKind::Vector;
    const auto& elements = d.operand(packs ? 1 : 0).elements;
    if (!isUntyped(type)) d.fail("'mov' of vectors is of .b32 or .b64");
    Type element = elementType(d, type, elements.size());
    bool wide = type == Type::B64, two = elements.size() == 2;
    if (packs) {
        d.define(0, d.operand(0), type);
        for (std::size_t n = 0; n < elements.size(); ++n) d.use(n + 1, elements[n], element, element == Type::B8);
        d.out.run = wide ? (two ? pack<u64, 2> : pack<u64, 4>) : (two ? pack<u32, 2> : pack<u32, 4>);
    } else {
        d.use(MostOperands - 1, d.operand(1), type);
        for (std::size_t n = 0; n < elements.size(); ++n) d.define(n, elements[n], element, element == Type::B8);
        d.out.run = wide ? (two ? unpack<u64, 2> : unpack<u64, 4>) : (two ? unpack<u32, 2> : unpack<u32, 4>);
    }
    return true;
}

bool decodeMov(Decoder& d) {
    Type type = d.takeType();
    d.expectOperands(2);
    const Operand& from = d.operand(1);
    if (from.kind == OperandKind::Vector || d.operand(0).kind == OperandKind::Vector) return decodeVectorMove(d, type);
    if (type == Type::Pred) {
        d.definePredicate(0, d.operand(0).name);
        d.usePredicate(1, from);
        if (from.negated) d.fail("'mov.pred' cannot negate");
        d.out.run = movePredicate;
        return true;
    }
    int bits = bitsOf(type);
    if (bits < 16 || type == Type::F16x2 || type == Type::BF16x2) d.fail("'mov' is of 16 to 64 bits");
    if (from.kind == OperandKind::Name && from.second.empty()) {
        auto special = d.specialNamed(from);
        if (special == Special::Clock || special == Special::Clock64 || special == Special::GlobalTimer) {
            if ((bits == 64) != (special != Special::Clock)) d.fail("the size of '" + std::string(from.name) + "' does not fit ." + nameOf(type));
            d.define(0, d.operand(0), type);
            d.out.run = special == Special::Clock ? clock32 : special == Special::Clock64 ? clock64 : globalTimer;
            return true;
        }
        if (!special && from.component.empty() && !d.findRegister(from.name) && from.name != "WARP_SZ") {
            auto symbol = d.findVariable(from.name);
            if (!symbol) d.fail(d.builder.syntax.functionIndex.contains(from.name) ? "addresses of functions are not supported" : "'" + std::string(from.name) + "' is not declared");
            if (bits < 32 || isFloat(type)) d.fail("an address needs 32 or 64 bits");
            if (bits == 32 && symbol->space != Space::Shared && symbol->space != Space::Local && symbol->space != Space::Param) d.fail("the address of '" + std::string(from.name) + "' has 64 bits");
            d.define(0, d.operand(0), type);
            d.useConstant(1, symbol->address + static_cast<u64>(from.offset), bits == 64);
            d.out.run = bits == 64 ? op<same<u64>> : op<same<u32>>;
            return true;
        }
    }
    d.simple(bits == 64 ? op<same<u64>> : op<same<u32>>, {type, type});
    return true;
}

bool decodeCvta(Decoder& d) {
    bool to = d.take("to");
    auto space = d.takeSpace();
    Type type = d.takeType();
    if (!space) d.fail("'cvta' lacks a space");
    if (type != Type::U64) d.fail("'cvta' is of .u64 in modules with .address_size 64");
    d.expectOperands(2);
    d.define(0, d.operand(0), type);
    const Operand& from = d.operand(1);
    u64 shift = to ? 0 - windowOf(*space) : windowOf(*space);
    if (!to && from.kind == OperandKind::Name && !d.findRegister(from.name)) {
        auto symbol = d.findVariable(from.name);
        if (!symbol) d.fail("'" + std::string(from.name) + "' is not declared");
        if (symbol->space != *space) d.fail("'" + std::string(from.name) + "' lies in ." + nameOf(symbol->space));
        d.useConstant(1, symbol->address + static_cast<u64>(from.offset), true);
    } else {
        d.use(1, from, type);
    }
    d.out.immediate = static_cast<std::int64_t>(shift);
    d.out.run = shift ? shiftWindow : op<same<u64>>;
    return true;
}

}  // namespace

bool decodeMove(Decoder& d, std::string_view opcode) {
    if (opcode == "mov") return decodeMov(d);
    if (opcode == "cvta") return decodeCvta(d);
    if (opcode == "isspacep") {
        auto space = d.takeSpace();
        if (!space) d.fail("'isspacep' lacks a space");
        if (space == Space::Const) d.fail("'isspacep.const' is not supported: constant variables have global addresses");
        Handler handler = space == Space::Shared ? op<isInSpace<Space::Shared>> : space == Space::Local ? op<isInSpace<Space::Local>>
                          : space == Space::Param ? op<isInSpace<Space::Param>> : op<isInSpace<Space::Global>>;
        d.simple(handler, {Type::Pred, Type::U64});
        return true;
    }
    return false;
}

}  // namespace softcuda
