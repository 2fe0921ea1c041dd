// Integer arithmetic of 16, 32 and 64 bits, and chains of extended precision.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

using Wide = __int128;

/// The value of the low bits, with or without sign.
Wide value(u64 bits, int width, bool isSigned) {
    u64 mask = width == 64 ? ~0ull : (1ull << width) - 1;
    bits &= mask;
    if (isSigned && bits >> (width - 1)) return static_cast<Wide>(bits) - (static_cast<Wide>(mask) + 1);
    return static_cast<Wide>(bits);
}

Wide clamp(Wide x, Wide low, Wide high) { return x < low ? low : x > high ? high : x; }

void arithmetic(int width, bool isSigned) {
    std::string type = format(".%c%d", isSigned ? 's' : 'u', width), w = std::to_string(width);
    Values values = integers(width);
    auto at = [=](const u64* in, int i) { return value(in[i], width, isSigned); };
    std::string two = w + " = " + w + " " + w, three = two + " " + w, one = w + " = " + w;
    sweep("add" + type, two, {values, values}, [=](const u64* in) { return static_cast<u64>(at(in, 0) + at(in, 1)); });
    sweep("sub" + type, two, {values, values}, [=](const u64* in) { return static_cast<u64>(at(in, 0) - at(in, 1)); });
    sweep("mul.lo" + type, two, {values, values}, [=](const u64* in) { return static_cast<u64>(at(in, 0)) * static_cast<u64>(at(in, 1)); });
    // The full product of two unsigned 64-bit values does not fit a signed 128-bit integer; its bits do.
    auto product = [=](const u64* in) { return static_cast<unsigned __int128>(at(in, 0)) * static_cast<unsigned __int128>(at(in, 1)); };
    auto high = [=](const u64* in) { return static_cast<u64>(product(in) >> width); };
    sweep("mul.hi" + type, two, {values, values}, high);
    sweep("mad.lo" + type, three, {integers(width, 2), integers(width, 2), integers(width, 2)},
          [=](const u64* in) { return static_cast<u64>(product(in)) + in[2]; });
    sweep("mad.hi" + type, three, {integers(width, 2), integers(width, 2), integers(width, 2)}, [=](const u64* in) { return high(in) + in[2]; });
    if (width < 64) {
        std::string wide = std::to_string(2 * width);
        sweep("mul.wide" + type, wide + " = " + w + " " + w, {values, values}, [=](const u64* in) { return static_cast<u64>(product(in)); });
        sweep("mad.wide" + type, wide + " = " + w + " " + w + " " + wide, {integers(width, 2), integers(width, 2), integers(2 * width, 2)},
              [=](const u64* in) { return static_cast<u64>(product(in)) + in[2]; });
    }
    // Division by zero and the overflowing quotient are left open by the ISA.
    Values divisors;
    for (u64 v : values)
        if (v) divisors.push_back(v);
    u64 mask = width == 64 ? ~0ull : (1ull << width) - 1;
    Match overflow = [=](const u64* in, u64, u64) { return isSigned && in[1] == mask && in[0] == 1ull << (width - 1); };
    sweep("div" + type, two, {values, divisors}, [=](const u64* in) { return static_cast<u64>(at(in, 0) / at(in, 1)); }, overflow);
    sweep("rem" + type, two, {values, divisors}, [=](const u64* in) { return static_cast<u64>(at(in, 0) % at(in, 1)); }, overflow);
    Match anything = [](const u64*, u64, u64) { return true; };
    sweep("div" + type, two, {values, {0}}, [](const u64*) { return 0; }, anything);
    sweep("rem" + type, two, {values, {0}}, [](const u64*) { return 0; }, anything);
    sweep("min" + type, two, {values, values}, [=](const u64* in) { return static_cast<u64>(at(in, 0) < at(in, 1) ? at(in, 0) : at(in, 1)); });
    sweep("max" + type, two, {values, values}, [=](const u64* in) { return static_cast<u64>(at(in, 0) > at(in, 1) ? at(in, 0) : at(in, 1)); });
    sweep("sad" + type, three, {values, values, {0, 5, 1ull << (width - 1)}}, [=](const u64* in) {
        return static_cast<u64>(at(in, 2) + (at(in, 0) < at(in, 1) ? at(in, 1) - at(in, 0) : at(in, 0) - at(in, 1)));
    });
    if (isSigned) {
        sweep("abs" + type, one, {values}, [=](const u64* in) { return static_cast<u64>(at(in, 0) < 0 ? -at(in, 0) : at(in, 0)); });
        sweep("neg" + type, one, {values}, [=](const u64* in) { return static_cast<u64>(-at(in, 0)); });
    }
}

void saturating() {
    Values values = integers(32);
    constexpr Wide Low = std::numeric_limits<s32>::min(), High = std::numeric_limits<s32>::max();
    auto at = [](const u64* in, int i) { return value(in[i], 32, true); };
    sweep("add.sat.s32", "32 = 32 32", {values, values}, [=](const u64* in) { return static_cast<u64>(clamp(at(in, 0) + at(in, 1), Low, High)); });
    sweep("sub.sat.s32", "32 = 32 32", {values, values}, [=](const u64* in) { return static_cast<u64>(clamp(at(in, 0) - at(in, 1), Low, High)); });
    sweep("mad.hi.sat.s32", "32 = 32 32 32", {integers(32, 2), integers(32, 2), integers(32, 2)}, [=](const u64* in) {
        return static_cast<u64>(clamp((at(in, 0) * at(in, 1) >> 32) + at(in, 2), Low, High));
    });
}

void narrowMultiplication() {
    Values values = integers(32, 12);
    auto narrow = [](u64 bits, bool isSigned) { return value(bits, 24, isSigned); };
    for (bool isSigned : {false, true}) {
        std::string type = isSigned ? ".s32" : ".u32";
        sweep("mul24.lo" + type, "32 = 32 32", {values, values},
              [=](const u64* in) { return static_cast<u64>(narrow(in[0], isSigned) * narrow(in[1], isSigned)); });
        sweep("mad24.lo" + type, "32 = 32 32 32", {integers(32, 2), integers(32, 2), integers(32, 2)},
              [=](const u64* in) { return static_cast<u64>(narrow(in[0], isSigned) * narrow(in[1], isSigned)) + in[2]; });
        sweep("mul24.hi" + type, "32 = 32 32", {values, values},
              [=](const u64* in) { return static_cast<u64>(narrow(in[0], isSigned) * narrow(in[1], isSigned) >> 16); });
    }
}

/// 128-bit sums, differences and products from pieces, which is what the carry is for.
void carryChains() {
    auto chain = [](const char* body, const std::function<unsigned __int128(unsigned __int128, unsigned __int128)>& f) {
        std::vector<Row> rows;
        Values values = integers(64, 4);
        std::mt19937_64 random(5);
        for (u64 a : values)
            for (u64 b : values) {
                u64 high = random() % 3 ? ~0ull : random(), other = random() % 3 ? 0 : random();
                unsigned __int128 x = static_cast<unsigned __int128>(high) << 64 | a, y = static_cast<unsigned __int128>(other) << 64 | b;
                unsigned __int128 z = f(x, y);
                rows.push_back({static_cast<u64>(z) & 0xffffffff, static_cast<u64>(z) >> 32, static_cast<u64>(z >> 64) & 0xffffffff,
                                static_cast<u64>(z >> 96), a & 0xffffffff, a >> 32, high & 0xffffffff, high >> 32, b & 0xffffffff, b >> 32,
                                other & 0xffffffff, other >> 32});
            }
        table(body, "32 32 32 32 = 32 32 32 32 32 32 32 32", rows);
    };
    chain("add.cc.u32 $0, $4, $8; addc.cc.u32 $1, $5, $9; addc.cc.u32 $2, $6, $10; addc.u32 $3, $7, $11;",
          [](auto x, auto y) { return x + y; });
    chain("sub.cc.u32 $0, $4, $8; subc.cc.u32 $1, $5, $9; subc.cc.u32 $2, $6, $10; subc.u32 $3, $7, $11;",
          [](auto x, auto y) { return x - y; });
    // The carry out itself: 0 + 0 + carry, and 0 - 0 - borrow.
    Values values = integers(32);
    auto carry = [](const u64* in) { return (in[0] + in[1]) >> 32; };
    sweep("{ .reg .b32 %t; add.cc.u32 %t, $1, $2; addc.u32 $0, 0, 0; }", "32 = 32 32", {values, values}, carry);
    sweep("{ .reg .b32 %t; add.cc.s32 %t, $1, $2; addc.s32 $0, 0, 0; }", "32 = 32 32", {values, values}, carry);
    sweep("{ .reg .b32 %t; sub.cc.u32 %t, $1, $2; subc.u32 $0, 0, 0; }", "32 = 32 32", {values, values},
          [](const u64* in) { return in[0] < in[1] ? ~0ull : u64{0}; });
    // 64 x 64 -> 128 bits by 32-bit multiply-adds with carry, as compilers write it.
    std::vector<Row> rows;
    for (u64 a : integers(64, 6))
        for (u64 b : integers(64, 6)) {
            unsigned __int128 z = static_cast<unsigned __int128>(a) * b;
            rows.push_back({static_cast<u64>(z) & 0xffffffff, static_cast<u64>(z) >> 32, static_cast<u64>(z >> 64) & 0xffffffff,
                            static_cast<u64>(z >> 96), a & 0xffffffff, a >> 32, b & 0xffffffff, b >> 32});
        }
    table("mul.lo.u32 $0, $4, $6; mul.hi.u32 $1, $4, $6; mad.lo.cc.u32 $1, $4, $7, $1; madc.hi.u32 $2, $4, $7, 0;"
          " mad.lo.cc.u32 $1, $5, $6, $1; madc.hi.cc.u32 $2, $5, $6, $2; addc.u32 $3, 0, 0;"
          " mad.lo.cc.u32 $2, $5, $7, $2; madc.hi.u32 $3, $5, $7, $3;",
          "32 32 32 32 = 32 32 32 32", rows);
    Values wide = integers(64);
    sweep("{ .reg .b64 %t; add.cc.u64 %t, $1, $2; addc.u64 $0, 0, 0; }", "64 = 64 64", {wide, wide},
          [](const u64* in) { return in[0] + in[1] < in[0] ? 1 : u64{0}; });
}

void immediates() {
    sweep("add.s32 $0, $1, -5;", "32 = 32", {integers(32)}, [](const u64* in) { return in[0] - 5; });
    sweep("add.s64 $0, $1, -5;", "64 = 64", {integers(64)}, [](const u64* in) { return in[0] - 5; });
    sweep("sub.s16 $0, 0x10, $1;", "16 = 16", {integers(16)}, [](const u64* in) { return 16 - in[0]; });
    sweep("mul.lo.u32 $0, $1, 0xFFFFFFFFU;", "32 = 32", {integers(32)}, [](const u64* in) { return 0 - in[0]; });
    sweep("and.b64 $0, $1, 0xFFFFFFFF00000000;", "64 = 64", {integers(64)}, [](const u64* in) { return in[0] & 0xFFFFFFFF00000000; });
    sweep("xor.b32 $0, $1, 0b101;", "32 = 32", {integers(32)}, [](const u64* in) { return in[0] ^ 5; });
    sweep("xor.b32 $0, $1, 017;", "32 = 32", {integers(32)}, [](const u64* in) { return in[0] ^ 15; });
    sweep("mul.wide.s32 $0, $1, -4;", "64 = 32", {integers(32)}, [](const u64* in) { return static_cast<u64>(static_cast<s64>(static_cast<s32>(in[0])) * -4); });
}

}  // namespace

int main() {
    for (int width : {16, 32, 64})
        for (bool isSigned : {false, true}) arithmetic(width, isSigned);
    saturating();
    narrowMultiplication();
    carryChains();
    immediates();
    return finish("integer");
}
