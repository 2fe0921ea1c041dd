// Logic, shifts, bit fields, permutations and counts of bits.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

u64 maskOf(int width) { return width == 64 ? ~0ull : (1ull << width) - 1; }

void logic() {
    for (int width : {16, 32, 64}) {
        std::string type = ".b" + std::to_string(width), w = std::to_string(width), two = w + " = " + w + " " + w;
        Values values = integers(width);
        sweep("and" + type, two, {values, values}, [](const u64* in) { return in[0] & in[1]; });
        sweep("or" + type, two, {values, values}, [](const u64* in) { return in[0] | in[1]; });
        sweep("xor" + type, two, {values, values}, [](const u64* in) { return in[0] ^ in[1]; });
        sweep("not" + type, w + " = " + w, {values}, [](const u64* in) { return ~in[0]; });
        sweep("cnot" + type, w + " = " + w, {values}, [](const u64* in) { return in[0] == 0; });
        sweep("mov" + type, w + " = " + w, {values}, [](const u64* in) { return in[0]; });
    }
    Values flags{0, 1};
    sweep("and.pred", "p = p p", {flags, flags}, [](const u64* in) { return in[0] & in[1]; });
    sweep("or.pred", "p = p p", {flags, flags}, [](const u64* in) { return in[0] | in[1]; });
    sweep("xor.pred", "p = p p", {flags, flags}, [](const u64* in) { return in[0] ^ in[1]; });
    sweep("not.pred", "p = p", {flags}, [](const u64* in) { return in[0] ^ 1; });
    sweep("mov.pred", "p = p", {flags}, [](const u64* in) { return in[0]; });
    for (u32 lut : {0x00u, 0xFFu, 0xF0u, 0xCCu, 0xAAu, 0x80u, 0xFEu, 0x96u, 0xE8u, 0x1Bu, 0xCAu, 0x6Au})
        sweep("lop3.b32 $0, $1, $2, $3, " + std::to_string(lut) + ";", "32 = 32 32 32", {integers(32, 2), integers(32, 2), integers(32, 2)},
              [=](const u64* in) {
                  u64 out = 0;
                  for (int i = 0; i < 32; ++i) out |= static_cast<u64>(lut >> ((in[0] >> i & 1) * 4 + (in[1] >> i & 1) * 2 + (in[2] >> i & 1)) & 1) << i;
                  return out;
              });
}

void shifts() {
    // Amounts are 32-bit and clamped to the width.
    Values amounts{0, 1, 5, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 0x80000000, 0xffffffff};
    for (int width : {16, 32, 64}) {
        std::string w = std::to_string(width), shape = w + " = " + w + " 32";
        Values values = integers(width);
        u64 most = static_cast<u64>(width);
        sweep("shl.b" + w, shape, {values, amounts}, [=](const u64* in) { return in[1] >= most ? 0 : in[0] << in[1]; });
        for (const char* type : {"shr.u", "shr.b"})
            sweep(type + w, shape, {values, amounts}, [=](const u64* in) { return in[1] >= most ? 0 : in[0] >> in[1]; });
        sweep("shr.s" + w, shape, {values, amounts}, [=](const u64* in) {
            s64 value = static_cast<s64>(in[0] << (64 - width)) >> (64 - width);
            return static_cast<u64>(value >> std::min<u64>(in[1], 63));
        });
    }
    Values values = integers(32);
    auto funnel = [](const u64* in, bool left, bool wrap) {
        u64 n = wrap ? in[2] & 31 : std::min<u64>(in[2], 32), both = in[1] << 32 | in[0];
        if (left) return n == 32 ? in[0] : both << n >> 32;
        return n == 32 ? in[1] : both >> n & 0xffffffff;
    };
    for (bool left : {true, false})
        for (bool wrap : {true, false})
            sweep(format("shf.%c.%s.b32", left ? 'l' : 'r', wrap ? "wrap" : "clamp"), "32 = 32 32 32", {integers(32, 2), integers(32, 2), amounts},
                  [=](const u64* in) { return funnel(in, left, wrap); });
}

/// bfe, as the ISA's pseudocode has it: bit by bit, then the sign or zeros.
u64 extract(u64 a, u64 b, u64 c, int width, bool isSigned) {
    int msb = width - 1, pos = static_cast<int>(b & 0xff), len = static_cast<int>(c & 0xff);
    bool sign = isSigned && len && (a >> std::min(pos + len - 1, msb) & 1);
    u64 d = 0;
    for (int i = 0; i <= msb; ++i) {
        bool bit = i < len && pos + i <= msb ? (a >> (pos + i) & 1) != 0 : sign;
        d |= static_cast<u64>(bit) << i;
    }
    return d;
}

u64 insert(u64 a, u64 b, u64 c, u64 d, int width) {
    int pos = static_cast<int>(c & 0xff), len = static_cast<int>(d & 0xff);
    u64 f = b;
    for (int i = 0; i < len && pos + i < width; ++i) f = (f & ~(1ull << (pos + i))) | (a >> i & 1) << (pos + i);
    return f;
}

void fields() {
    Values places{0, 1, 4, 8, 16, 31, 32, 33, 40, 63, 64, 100, 255, 256, 0x104};
    for (int width : {32, 64}) {
        std::string w = std::to_string(width);
        for (bool isSigned : {false, true})
            sweep(format("bfe.%c%d", isSigned ? 's' : 'u', width), w + " = " + w + " 32 32", {integers(width, 4), places, places},
                  [=](const u64* in) { return extract(in[0], in[1], in[2], width, isSigned); });
        sweep("bfi.b" + w, w + " = " + w + " " + w + " 32 32", {integers(width, 1), {0, maskOf(width), 0x123456789abcdef0ull & maskOf(width)}, places, places},
              [=](const u64* in) { return insert(in[0], in[1], in[2], in[3], width); });
    }
}

void counts() {
    for (int width : {32, 64}) {
        std::string w = std::to_string(width), shape = "32 = " + w;
        Values values = integers(width, 32);
        for (int i = 0; i < width; ++i) values.push_back(1ull << i);
        sweep("popc.b" + w, shape, {values}, [](const u64* in) { return static_cast<u64>(std::popcount(in[0])); });
        sweep("clz.b" + w, shape, {values}, [=](const u64* in) { return static_cast<u64>(std::countl_zero(in[0]) - (64 - width)); });
        sweep("brev.b" + w, w + " = " + w, {values}, [=](const u64* in) {
            u64 out = 0;
            for (int i = 0; i < width; ++i) out |= (in[0] >> i & 1) << (width - 1 - i);
            return out;
        });
        for (bool isSigned : {false, true})
            for (bool shift : {false, true})
                sweep(format("bfind%s.%c%d", shift ? ".shiftamt" : "", isSigned ? 's' : 'u', width), shape, {values}, [=](const u64* in) {
                    u64 a = isSigned && in[0] >> (width - 1) & 1 ? ~in[0] & maskOf(width) : in[0];
                    if (!a) return ~u64{0};
                    int top = 63 - std::countl_zero(a);
                    return static_cast<u64>(shift ? width - 1 - top : top);
                });
    }
}

void permutations() {
    // Bit 3 of a selector repeats the sign of the byte chosen by its low three bits.
    Values selectors{0x3210, 0x7654, 0x0123, 0x5140, 0x0000, 0x7777, 0x8888, 0xba98, 0xfedc, 0x4444, 0x9f30, 0xffff0123};
    Values values{0x03020100, 0x07060504, 0x80ff7f01, 0xdeadbeef, 0, 0xffffffff};
    sweep("prmt.b32", "32 = 32 32 32", {values, values, selectors}, [](const u64* in) {
        u64 both = in[1] << 32 | in[0], out = 0;
        for (int i = 0; i < 4; ++i) {
            u64 selector = in[2] >> (4 * i) & 15, byte = both >> (8 * (selector & 7)) & 255;
            if (selector & 8) byte = byte & 0x80 ? 255 : 0;
            out |= byte << (8 * i);
        }
        return out;
    });
    auto mode = [&](const char* name, const std::array<std::array<int, 4>, 4>& bytes) {
        sweep(std::string("prmt.b32.") + name, "32 = 32 32 32", {values, values, {0, 1, 2, 3, 7}}, [=](const u64* in) {
            u64 both = in[1] << 32 | in[0], out = 0;
            for (std::size_t i = 0; i < 4; ++i) out |= (both >> (8 * bytes[in[2] & 3][i]) & 255) << (8 * i);
            return out;
        });
    };
    // Bytes of the result from the lowest up, for selectors 0 to 3.
    mode("f4e", {{{0, 1, 2, 3}, {1, 2, 3, 4}, {2, 3, 4, 5}, {3, 4, 5, 6}}});
    mode("b4e", {{{0, 7, 6, 5}, {1, 0, 7, 6}, {2, 1, 0, 7}, {3, 2, 1, 0}}});
    mode("rc8", {{{0, 0, 0, 0}, {1, 1, 1, 1}, {2, 2, 2, 2}, {3, 3, 3, 3}}});
    mode("ecl", {{{0, 1, 2, 3}, {1, 1, 2, 3}, {2, 2, 2, 3}, {3, 3, 3, 3}}});
    mode("ecr", {{{0, 0, 0, 0}, {0, 1, 1, 1}, {0, 1, 2, 2}, {0, 1, 2, 3}}});
    mode("rc16", {{{0, 1, 0, 1}, {2, 3, 2, 3}, {0, 1, 0, 1}, {2, 3, 2, 3}}});
}

void packing() {
    Values values = integers(32);
    sweep("mov.b64 $0, {$1, $2};", "64 = 32 32", {values, values}, [](const u64* in) { return in[1] << 32 | in[0]; });
    sweep("mov.b32 $0, {$1, $2};", "32 = 16 16", {integers(16), integers(16)}, [](const u64* in) { return in[1] << 16 | in[0]; });
    sweep("mov.b64 $0, {$1, $2, $3, $4};", "64 = 16 16 16 16", {{1, 0xffff}, {2, 0x8000}, {3, 0}, {4, 0x1234}},
          [](const u64* in) { return in[3] << 48 | in[2] << 32 | in[1] << 16 | in[0]; });
    std::vector<Row> rows;
    for (u64 v : integers(64)) rows.push_back({v & 0xffffffff, v >> 32, v});
    table("mov.b64 {$0, $1}, $2;", "32 32 = 64", rows);
    rows.clear();
    for (u64 v : integers(32)) rows.push_back({v & 0xffff, v >> 16, v});
    table("mov.b32 {$0, $1}, $2;", "16 16 = 32", rows);
    rows.clear();
    for (u64 v : integers(64)) rows.push_back({v >> 32, v});
    table("{ .reg .b32 %t; mov.b64 {%t, $0}, $1; }", "32 = 64", rows);
}

/// Functions that PTX has for packed bytes: dot products with accumulation.
void dots() {
    Values values = integers(32, 6);
    for (bool a : {false, true})
        for (bool b : {false, true})
            sweep(format("dp4a.%s.%s", a ? "s32" : "u32", b ? "s32" : "u32"), "32 = 32 32 32", {values, values, {0, 7, 0x7fffffff}}, [=](const u64* in) {
                s64 sum = static_cast<s64>(in[2]);
                for (int i = 0; i < 4; ++i) {
                    u64 x = in[0] >> (8 * i) & 255, y = in[1] >> (8 * i) & 255;
                    sum += (a ? static_cast<s8>(x) : static_cast<int>(x)) * (b ? static_cast<s8>(y) : static_cast<int>(y));
                }
                return static_cast<u64>(sum);
            });
}

}  // namespace

int main() {
    logic();
    shifts();
    fields();
    counts();
    permutations();
    packing();
    dots();
    return finish("bits");
}
