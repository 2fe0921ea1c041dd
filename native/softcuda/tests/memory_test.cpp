// Loads and stores of all widths in all spaces, vectors, qualifiers, initialised variables, parameters, address conversion, cp.async.
#include <cstddef>

#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

struct Type {
    const char* name;
    int width;
    bool isSigned;
};
const Type Types[] = {{"b8", 8, false},   {"u8", 8, false},   {"s8", 8, true},    {"b16", 16, false}, {"u16", 16, false}, {"s16", 16, true}, {"b32", 32, false},
                      {"u32", 32, false}, {"s32", 32, true},  {"f32", 32, false}, {"b64", 64, false}, {"u64", 64, false}, {"s64", 64, true}, {"f64", 64, false}};

u64 extend(u64 value, const Type& type) {
    if (type.width == 64) return value;
    u64 mask = (1ull << type.width) - 1;
    return type.isSigned && value >> (type.width - 1) & 1 ? value | ~mask : value & mask;
}

/// Every load from the thread's own input, at every offset that its alignment allows, into every register that may hold it.
void loads() {
    Values values = integers(64, 20);
    for (const Type& type : Types)
        for (int width : {16, 32, 64}) {
            if (width < type.width || (type.name[0] == 'f' && width != type.width)) continue;
            int bytes = type.width / 8;
            for (int offset : {0, bytes, 8 - bytes}) {
                if (offset + bytes > 8) continue;
                for (const char* space : {".global", ""})
                    sweep(format("ld%s.%s $0, [%%rd0+%d];", space, type.name, offset), std::to_string(width) + " = 64", {values},
                          [=](const u64* in) { return extend(in[0] >> (8 * offset), type); });
            }
        }
    for (const char* qualifiers : {"ld.global.nc.u32", "ld.global.ca.u32", "ld.global.cg.u32", "ld.global.cs.u32", "ld.global.lu.u32", "ld.global.cv.u32",
                                   "ld.volatile.global.u32", "ld.weak.global.u32", "ld.relaxed.gpu.global.u32", "ld.acquire.gpu.global.u32",
                                   "ld.relaxed.sys.global.u32", "ld.acquire.cta.global.u32", "ldu.global.u32"})
        sweep(std::string(qualifiers) + " $0, [%rd0];", "32 = 64", {values}, [](const u64* in) { return in[0]; });
    // A negative offset.
    sweep("{ .reg .b64 %t; add.s64 %t, %rd0, 64; ld.global.u16 $0, [%t+-62]; }", "16 = 64", {values}, [](const u64* in) { return in[0] >> 16; });
}

/// Every store, over a word of known bytes, through each space and generically.
void stores() {
    constexpr u64 Background = 0x1122334455667788ull;
    Values values = integers(64, 20);
    struct Place {
        const char *name, *declare, *address;
    };
    const Place places[] = {
        {".global", "", "mov.b64 %a, %rd1;"},
        {"", "", "mov.b64 %a, %rd1;"},
        {".local", ".local .align 8 .b8 mine[16];", "mov.u64 %a, mine;"},
        {"", ".local .align 8 .b8 mine[16];", "mov.u64 %a, mine; cvta.local.u64 %a, %a;"},
        {".shared", ".shared .align 8 .b8 ours[512];", "mov.u64 %a, ours; mul.wide.u32 %b, %thread, 8; add.s64 %a, %a, %b;"},
        {"", ".shared .align 8 .b8 ours[512];", "mov.u64 %a, ours; cvta.shared.u64 %a, %a; mul.wide.u32 %b, %thread, 8; add.s64 %a, %a, %b;"},
    };
    for (const Place& place : places)
        for (const Type& type : Types) {
            int bytes = type.width / 8, offset = 8 - bytes;
            std::string width = std::to_string(std::max(type.width, 16));
            std::string text = format("{ .reg .b64 %%a, %%b; %s %s st%s.b64 [%%a], 0x%llx; st%s.%s [%%a+%d], $1; ld%s.b64 $0, [%%a]; }", place.declare,
                                      place.address, place.name, static_cast<unsigned long long>(Background), place.name, type.name, offset, place.name);
            sweep(text, "64 = " + width, {values}, [=](const u64* in) {
                u64 mask = type.width == 64 ? ~0ull : ((1ull << type.width) - 1) << (8 * offset);
                return (Background & ~mask) | (in[0] << (8 * offset) & mask);
            });
        }
    for (const char* qualifiers : {"st.global.wb.u32", "st.global.cg.u32", "st.global.cs.u32", "st.global.wt.u32", "st.volatile.global.u32", "st.weak.global.u32",
                                   "st.relaxed.gpu.global.u32", "st.release.gpu.global.u32", "st.release.sys.global.u32"})
        sweep(std::string(qualifiers) + " [%rd1], $1; ld.global.u32 $0, [%rd1];", "32 = 32", {integers(32)}, [](const u64* in) { return in[0]; });
}

void vectors() {
    std::vector<Row> rows;
    std::mt19937_64 random(8);
    auto fill = [&](int outputs, int bits, bool isSigned) {
        rows.clear();
        for (int i = 0; i < 100; ++i) {
            u64 in[2] = {random(), random()};
            Row row;
            for (int k = 0; k < outputs; ++k) row.push_back(extend(in[k * bits / 64] >> (k * bits % 64), {"", bits, isSigned}));
            row.push_back(in[0]);
            row.push_back(in[1]);
            rows.push_back(row);
        }
    };
    auto load = [&](const char* type, int lanes, int bits, bool isSigned, const char* width) {
        fill(lanes, bits, isSigned);
        std::string list, shape;
        for (int i = 0; i < lanes; ++i) list += (i ? ", $" : "$") + std::to_string(i), shape += std::string(width) + " ";
        for (const char* head : {"ld.global", "ld.global.nc", "ld", "ld.volatile.global"})
            table(std::string(head) + ".v" + std::to_string(lanes) + "." + type + " {" + list + "}, [%rd0];", shape + "= 64 64", rows);
    };
    load("u8", 2, 8, false, "16");
    load("s8", 4, 8, true, "32");
    load("u16", 2, 16, false, "16");
    load("s16", 4, 16, true, "32");
    load("b16", 4, 16, false, "16");
    load("f32", 2, 32, false, "32");
    load("f32", 4, 32, false, "32");
    load("b32", 4, 32, false, "32");
    load("u64", 2, 64, false, "64");
    load("f64", 2, 64, false, "64");
    // Stores: elements in order of addresses. The first output's row has 16 bytes where there are two outputs.
    rows.clear();
    for (int i = 0; i < 100; ++i) {
        u64 a = random() & 0xffffffff, b = random() & 0xffffffff, c = random() & 0xffffffff, d = random() & 0xffffffff;
        rows.push_back({b << 32 | a, d << 32 | c, a, b, c, d});
    }
    table("st.global.v4.b32 [%rd1], {$2, $3, $4, $5}; ld.global.v2.b64 {$0, $1}, [%rd1];", "64 64 = 32 32 32 32", rows);
    table("st.global.v2.b32 [%rd1], {$2, $3}; st.v2.f32 [%rd1+8], {$4, $5}; ld.global.v2.b64 {$0, $1}, [%rd1];", "64 64 = 32 32 32 32", rows);
    table("{ .shared .align 16 .b8 ours[1024]; .reg .b32 %a; mov.u32 %a, ours; mad.lo.u32 %a, %thread, 16, %a;"
          " st.shared.v4.b32 [%a], {$2, $3, $4, $5}; ld.shared.v2.b64 {$0, $1}, [%a]; }", "64 64 = 32 32 32 32", rows);
    table("{ .local .align 16 .b8 mine[16]; st.local.v4.b32 [mine], {$2, $3, $4, $5}; ld.local.v2.b64 {$0, $1}, [mine]; }", "64 64 = 32 32 32 32", rows);
    for (Row& row : rows) row[0] = (row[2] & 255) | (row[3] & 255) << 8 | (row[4] & 255) << 16 | (row[5] & 255) << 24, row[1] = (row[2] & 0xffff) | (row[3] & 0xffff) << 16;
    table("st.global.v4.u8 [%rd1], {$2, $3, $4, $5}; st.global.v2.u16 [%rd1+8], {$2, $3}; ld.global.u32 $0, [%rd1]; ld.global.u32 $1, [%rd1+8];",
          "32 32 = 32 32 32 32", rows);
    // A vector may skip elements.
    std::vector<Row> second;
    for (u64 v : integers(64)) second.push_back({v >> 32, v});
    table("ld.global.v2.b32 {_, $0}, [%rd0];", "32 = 64", second);
}

/// Overlapping loads of one register: the address register may also be the destination.
void aliases() {
    sweep("{ .reg .b64 %t; mov.b64 %t, %rd0; ld.global.b64 %t, [%t]; mov.b64 $0, %t; }", "64 = 64", {integers(64)}, [](const u64* in) { return in[0]; });
    sweep("mov.b64 $0, %rd0; ld.global.u8 $0, [$0];", "64 = 64", {integers(64)}, [](const u64* in) { return in[0] & 255; });
    sweep("mov.b32 $0, 3; add.s32 $0, $0, $0; mul.lo.s32 $0, $0, $0;", "32 = 32", {{0}}, [](const u64*) { return 36; });
}

void variables() {
    std::string text = header() +
        ".const .align 4 .b32 table[4] = {1, -2, 0x30, 4};\n"
        ".const .align 4 .f32 fractions[3] = {1.5, 0f40490FDB, -0.25};\n"
        ".global .align 8 .b64 numbers[3] = {5, -6};\n"
        ".global .align 1 .b8 bytes[5] = {1, 2, 3, 255};\n"
        ".visible .global .align 4 .u32 counter = 17;\n"
        ".global .align 8 .u64 pointer = counter;\n"
        ".global .align 8 .u64 generic_pointer[2] = {generic(bytes), numbers+8};\n"
        ".visible .global .align 16 .b8 room[64];\n"
        ".global .align 2 .b16 matrix[2][3] = {{1, 2, 3}, {4, 5, 6}};\n" +
        kernel("read", "u64 out", R"(
            ld.const.u32 %r0, [table+4]; st.global.u32 [%out], %r0;
            mov.u64 %rd0, table; ld.const.u32 %r0, [%rd0+8]; st.global.u32 [%out+4], %r0;
            cvta.const.u64 %rd0, %rd0; ld.u32 %r0, [%rd0+12]; st.global.u32 [%out+8], %r0;
            ld.const.f32 %f0, [fractions+4]; st.global.f32 [%out+12], %f0;
            ld.global.u64 %rd0, [numbers+8]; st.global.u64 [%out+16], %rd0;
            ld.global.u64 %rd0, [numbers+16]; st.global.u64 [%out+24], %rd0;
            ld.global.u8 %r0, [bytes+3]; st.global.u32 [%out+32], %r0;
            ld.global.u8 %r0, [bytes+4]; st.global.u32 [%out+36], %r0;
            ld.global.u64 %rd0, [pointer]; ld.global.u32 %r0, [%rd0]; st.global.u32 [%out+40], %r0;
            ld.global.u64 %rd0, [generic_pointer]; ld.u8 %r0, [%rd0+1]; st.global.u32 [%out+44], %r0;
            ld.global.u64 %rd0, [generic_pointer+8]; ld.global.s64 %rd0, [%rd0]; st.global.u64 [%out+48], %rd0;
            atom.global.add.u32 %r0, [counter], 5; ld.global.u32 %r1, [counter]; st.global.v2.u32 [%out+56], {%r0, %r1};
            ld.global.u16 %r0, [matrix+8]; st.global.u32 [%out+64], %r0;
            ld.const.v2.u32 {%r0, %r1}, [table]; st.global.v2.u32 [%out+72], {%r0, %r1};)");
    Bench bench(text);
    u64 out = bench.allocate(80);
    if (!bench.clean("read", {}, {}, 0, out)) return;
    auto at = [&](u64 offset) { return bench.download<s32>(out + offset, 1)[0]; };
    auto wide = [&](u64 offset) { return bench.download<s64>(out + offset, 1)[0]; };
    expect(at(0) == -2 && at(4) == 0x30 && at(8) == 4, "constants: %d %d %d", at(0), at(4), at(8));
    expect(at(12) == 0x40490FDB, "a float constant: %x", at(12));
    expect(wide(16) == -6 && wide(24) == 0, "an initialised array, its rest zero: %lld %lld", static_cast<long long>(wide(16)), static_cast<long long>(wide(24)));
    expect(at(32) == 255 && at(36) == 0, "bytes: %d %d", at(32), at(36));
    expect(at(40) == 17 && at(44) == 2 && wide(48) == -6, "addresses as initial values: %d %d", at(40), at(44));
    expect(at(56) == 17 && at(60) == 22, "an atomic on a variable: %d %d", at(56), at(60));
    expect(at(64) == 5, "a matrix: %d", at(64));
    expect(at(72) == 1 && at(76) == -2, "a vector of constants: %d %d", at(72), at(76));
    u64 address = 0, bytes = 0;
    expect(findGlobal(*bench.module, "room", address, bytes) && bytes == 64 && address % 16 == 0, "the variable room: %llu bytes", static_cast<unsigned long long>(bytes));
    expect(findGlobal(*bench.module, "counter", address, bytes) && bytes == 4, "the variable counter");
    expect(bench.download<u32>(address, 1)[0] == 22, "its value as the host sees it");
    expect(!findGlobal(*bench.module, "nothing", address, bytes), "a variable that is not there");
}

void parameters() {
    std::string text = header() + R"(.visible .entry one(.param .align 8 .b8 one_param_0[40])
{ .reg .b64 %rd<9>; .reg .b32 %r<9>; .reg .b16 %h<4>; .reg .f32 %f<4>;
    ld.param.u64 %rd1, [one_param_0];
    ld.param.u32 %r1, [one_param_0+8]; ld.param.f32 %f1, [one_param_0+12]; ld.param.u16 %h1, [one_param_0+16]; ld.param.s8 %r2, [one_param_0+18];
    ld.param.v2.u32 {%r3, %r4}, [one_param_0+24]; mov.b64 %rd2, one_param_0; ld.param.u64 %rd3, [%rd2+32];
    st.global.u32 [%rd1], %r1; st.global.f32 [%rd1+4], %f1; st.global.u16 [%rd1+8], %h1; st.global.u32 [%rd1+12], %r2;
    st.global.v2.u32 [%rd1+16], {%r3, %r4}; st.global.u64 [%rd1+24], %rd3; ret; }
.visible .entry many(.param .u64 many_a, .param .u8 many_b, .param .u16 many_c, .param .f64 many_d, .param .align 16 .b8 many_e[20], .param .u32 many_f)
{ .reg .b64 %rd<9>; .reg .b32 %r<9>; .reg .f64 %d<4>;
    ld.param.u64 %rd1, [many_a]; ld.param.u8 %r1, [many_b]; ld.param.u16 %r2, [many_c]; ld.param.f64 %d1, [many_d]; ld.param.u32 %r3, [many_e+16]; ld.param.u32 %r4, [many_f];
    st.global.u32 [%rd1], %r1; st.global.u32 [%rd1+4], %r2; st.global.f64 [%rd1+8], %d1; st.global.u32 [%rd1+16], %r3; st.global.u32 [%rd1+20], %r4; ret; }
)";
    Bench bench(text);
    if (!expect(bench.loaded(), "refused: line %d %s: %s", bench.error.line, bench.error.text.c_str(), bench.error.message.c_str())) return;
    struct One {
        u64 out;
        u32 a;
        float b;
        u16 c;
        s8 d;
        u8 pad[5];
        u32 e, f;
        u64 g;
    } one{bench.allocate(32), 0xdeadbeef, 2.5f, 0xfedc, -3, {}, 11, 12, 0x1234567890abcdef};
    static_assert(sizeof(One) == 40);
    if (bench.clean("one", {}, {}, 0, one)) {
        std::vector<u32> out = bench.download<u32>(one.out, 8);
        const u32 expected[] = {0xdeadbeef, 0x40200000, 0xfedc, 0xfffffffd, 11, 12, 0x90abcdef, 0x12345678};
        for (std::size_t i = 0; i < 8; ++i)
            if (i != 2) expect(out[i] == expected[i], "parameter word %zu: %x, expected %x", i, out[i], expected[i]);
        expect((out[2] & 0xffff) == 0xfedc, "a 16-bit parameter: %x", out[2]);
    }
    const KernelInfo& many = info(*findKernel(*bench.module, "many"));
    const u32 offsets[] = {0, 8, 10, 16, 32, 52}, sizes[] = {8, 1, 2, 8, 20, 4}, alignments[] = {8, 1, 2, 8, 16, 4};
    if (expect(many.parameters.size() == 6, "%zu parameters", many.parameters.size()))
        for (std::size_t i = 0; i < 6; ++i)
            expect(many.parameters[i].offset == offsets[i] && many.parameters[i].size == sizes[i] && many.parameters[i].alignment == alignments[i],
                   "parameter %zu lies at %u with %u bytes, aligned to %u", i, many.parameters[i].offset, many.parameters[i].size, many.parameters[i].alignment);
    expect(many.parameterBytes == 56, "%u bytes of parameters", many.parameterBytes);
    struct Many {
        u64 out;
        u8 b;
        u8 pad;
        u16 c;
        u32 pad2;
        double d;
        u64 pad3;
        u32 e[5];
        u32 f;
    } arguments{one.out, 200, 0, 60000, 0, 0.5, 0, {1, 2, 3, 4, 99}, 77};
    static_assert(offsetof(Many, e) == 32 && offsetof(Many, f) == 52);
    if (bench.clean("many", {}, {}, 0, arguments)) {
        std::vector<u32> out = bench.download<u32>(one.out, 6);
        expect(out[0] == 200 && out[1] == 60000 && out[3] == 0x3fe00000 && out[4] == 99 && out[5] == 77, "several parameters: %u %u %x %u %u", out[0], out[1], out[3],
               out[4], out[5]);
    }
}

/// Generic addresses tell the spaces apart, and conversion there and back is the identity.
void generic() {
    for (const char* declare : {".shared .align 8 .b8 it[8];", ".local .align 8 .b8 it[8];"}) {
        std::string space = std::string(declare).substr(1, std::string(declare).find(' ') - 1);
        sweep(format("{ .reg .b64 %%a, %%b; %s mov.u64 %%a, it; cvta.%s.u64 %%b, %%a; cvta.to.%s.u64 %%b, %%b; setp.eq.u64 $0, %%a, %%b; }", declare, space.c_str(),
                     space.c_str()),
              "p = 32", {{0}}, [](const u64*) { return 1; });
        for (const char* asked : {"shared", "local", "global"})
            sweep(format("{ .reg .b64 %%a; %s mov.u64 %%a, it; cvta.%s.u64 %%a, %%a; isspacep.%s $0, %%a; }", declare, space.c_str(), asked), "p = 32", {{0}},
                  [=](const u64*) { return space == asked; });
    }
    sweep("isspacep.global $0, %rd0;", "p = 64", {{0}}, [](const u64*) { return 1; });
    sweep("isspacep.shared $0, %rd0;", "p = 64", {{0}}, [](const u64*) { return 0; });
    sweep("{ .reg .b64 %a; cvta.to.global.u64 %a, %rd0; ld.global.b64 $0, [%a]; }", "64 = 64", {integers(64)}, [](const u64* in) { return in[0]; });
}

/// Local arrays belong to their thread, however they are indexed.
void local() {
    Bench bench(header() + kernel("fill", "u64 out", R"(
        .local .align 4 .b8 mine[64];
        mov.u32 %r0, 0; mov.u64 %rd0, mine;
    AGAIN: mul.wide.u32 %rd1, %r0, 4; add.s64 %rd1, %rd0, %rd1; mad.lo.u32 %r1, %gid, 100, %r0; st.local.u32 [%rd1], %r1;
        add.u32 %r0, %r0, 1; setp.lt.u32 %p0, %r0, 16; @%p0 bra AGAIN;
        and.b32 %r2, %gid, 15; mul.wide.u32 %rd1, %r2, 4; add.s64 %rd1, %rd0, %rd1; ld.local.u32 %r3, [%rd1];
        mul.wide.u32 %rd2, %gid, 4; add.s64 %rd2, %out, %rd2; st.global.u32 [%rd2], %r3;)"));
    u64 out = bench.allocate(4 * 256);
    if (!bench.clean("fill", {4}, {64}, 0, out)) return;
    std::vector<u32> got = bench.download<u32>(out, 256);
    for (u32 i = 0; i < 256; ++i) expect(got[i] == i * 100 + (i & 15), "local memory of thread %u: %u", i, got[i]);
    expect(info(*findKernel(*bench.module, "fill")).local == 64, "bytes of local memory: %u", info(*findKernel(*bench.module, "fill")).local);
    expect(bench.counters.localBytes == 256 * (16 + 1) * 4, "bytes moved to and from local memory: %llu", static_cast<unsigned long long>(bench.counters.localBytes));
}

void asynchronousCopies() {
    auto body = [](const char* copy) {
        return format(R"(
        .shared .align 16 .b8 tile[1024];
        mov.u32 %%r0, tile; mad.lo.u32 %%r0, %%thread, 16, %%r0; mul.wide.u32 %%rd0, %%gid, 16; add.s64 %%rd1, %%in, %%rd0; add.s64 %%rd2, %%out, %%rd0;
        mov.u32 %%r1, 0x77777777; st.shared.v4.u32 [%%r0], {%%r1, %%r1, %%r1, %%r1};
        bar.sync 0;
        %s
        cp.async.commit_group; cp.async.wait_group 0; bar.sync 0;
        xor.b32 %%r2, %%thread, 33; mov.u32 %%r3, tile; mad.lo.u32 %%r3, %%r2, 16, %%r3; sub.u32 %%r4, %%gid, %%thread; add.u32 %%r4, %%r4, %%r2;
        mul.wide.u32 %%rd0, %%r4, 16; add.s64 %%rd2, %%out, %%rd0;
        ld.shared.v4.u32 {%%r4, %%r5, %%r6, %%r7}, [%%r3]; st.global.v4.u32 [%%rd2], {%%r4, %%r5, %%r6, %%r7};)", copy);
    };
    const struct {
        const char* text;
        int bytes, copied;
    } copies[] = {{"cp.async.ca.shared.global [%r0], [%rd1], 4;", 4, 4},
                  {"cp.async.ca.shared.global [%r0], [%rd1], 8;", 8, 8},
                  {"cp.async.ca.shared.global [%r0], [%rd1], 16;", 16, 16},
                  {"cp.async.cg.shared.global [%r0], [%rd1], 16;", 16, 16},
                  {"cp.async.cg.shared.global [%r0], [%rd1], 16, 5;", 16, 5},
                  {"mov.u32 %r9, 0; cp.async.ca.shared.global [%r0], [%rd1], 8, %r9;", 8, 0},
                  {"setp.eq.u32 %p9, %r1, %r1; cp.async.ca.shared.global [%r0], [%rd1], 8, %p9;", 8, 0},
                  {"setp.ne.u32 %p9, %r1, %r1; cp.async.cg.shared.global.L2::128B [%r0], [%rd1], 16, %p9;", 16, 16},
                  {"cp.async.ca.shared.global [%r0+8], [%rd1+8], 4; cp.async.ca.shared.global [%r0+0], [%rd1], 8; cp.async.ca.shared.global [%r0+12], [%rd1+12], 4;", 16, 16}};
    for (const auto& copy : copies) {
        Bench bench(header() + kernel("copy", "u64 in, u64 out", body(copy.text)));
        std::vector<u8> in(128 * 16);
        for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<u8>(i * 7 + 3);
        u64 input = bench.upload(in), out = bench.allocate(in.size());
        if (!bench.clean("copy", {2}, {64}, 0, input, out)) continue;
        std::vector<u8> got = bench.download<u8>(out, in.size());
        for (std::size_t i = 0; i < in.size(); ++i) {
            int place = static_cast<int>(i % 16);
            u8 expected = place < copy.copied ? in[i] : place < copy.bytes ? 0 : 0x77;
            if (!expect(got[i] == expected, "%s: byte %zu is %u, expected %u", copy.text, i, got[i], expected)) break;
        }
    }
}

void hints() {
    // Of no effect, but compilers write them.
    sweep("prefetch.global.L2 [%rd0]; prefetch.global.L1 [%rd0]; mov.b32 $0, $1;", "32 = 32", {integers(32)}, [](const u64* in) { return in[0]; });
    sweep("membar.gl; membar.cta; membar.sys; fence.acq_rel.gpu; fence.sc.cta; mov.b32 $0, $1;", "32 = 32", {integers(32)}, [](const u64* in) { return in[0]; });
}

}  // namespace

int main() {
    loads();
    stores();
    vectors();
    aliases();
    variables();
    parameters();
    generic();
    local();
    asynchronousCopies();
    hints();
    return finish("memory");
}
