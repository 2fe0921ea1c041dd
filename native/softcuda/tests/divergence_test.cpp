// Lanes that part and meet again: results, and by exact counts of issued instructions that they meet where they must.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

/// A kernel of one warp: %r0 is the lane, and what ends in %r9 is compared. `issued` counts the instructions of `body` alone, and
/// `laneInstructions` the lanes of each whose guard holds; 0 where that is not looked at.
struct Pattern {
    const char* name;
    std::string body;
    u32 (*expected)(u32 lane);
    u64 issued, laneInstructions, branches, divergent;
};

void patterns() {
    const Pattern list[] = {
        {"straight", "add.u32 %r9, %r0, 1;", [](u32 l) { return l + 1; }, 1, 32, 0, 0},
        // Both sides run once each, and the instruction behind them once for all.
        {"if-else",
         "setp.lt.u32 %p0, %r0, 10; @%p0 bra LOW; add.u32 %r9, %r0, 100; bra.uni DONE; LOW: add.u32 %r9, %r0, 200; DONE: add.u32 %r9, %r9, 1;",
         [](u32 l) { return l + (l < 10 ? 201 : 101); }, 6, 32 + 10 + 22 * 2 + 10 + 32, 2, 1},
        {"a uniform if", "setp.lt.u32 %p0, %r0, 32; @%p0 bra SKIP; add.u32 %r9, %r0, 100; SKIP: add.u32 %r9, %r0, 1;", [](u32 l) { return l + 1; }, 3, 96, 1, 0},
        {"nested ifs",
         "mov.u32 %r9, 0; and.b32 %r1, %r0, 1; setp.eq.u32 %p0, %r1, 0; and.b32 %r2, %r0, 2; setp.eq.u32 %p1, %r2, 0;"
         " @%p0 bra EVEN; add.u32 %r9, %r9, 1; @%p1 bra ODD1; add.u32 %r9, %r9, 2; ODD1: add.u32 %r9, %r9, 4; bra.uni DONE;"
         " EVEN: add.u32 %r9, %r9, 8; @%p1 bra EVEN1; add.u32 %r9, %r9, 16; EVEN1: add.u32 %r9, %r9, 32; DONE: add.u32 %r9, %r9, 64;",
         [](u32 l) { return l & 1 ? (l & 2 ? 71u : 69u) : (l & 2 ? 120u : 104u); },
         6 + 5 + 4 + 1, 5 * 32 + 16 + (16 + 8 + 8 + 16 + 16) + (16 + 8 + 8 + 16) + 32, 4, 3},
        // Trip counts of 1 to 32: the loop is issued as often as its longest lane needs, and all leave together.
        {"a loop", "mov.u32 %r9, 0; mov.u32 %r1, 0; AGAIN: add.u32 %r9, %r9, %r1; add.u32 %r1, %r1, 1; setp.le.u32 %p0, %r1, %r0; @%p0 bra AGAIN; add.u32 %r9, %r9, 1000;",
         [](u32 l) { return l * (l + 1) / 2 + 1000; }, 2 + 4 * 32 + 1, 2 * 32 + 3 * 528 + 496 + 32, 32, 31},
        {"a loop with a break",
         "mov.u32 %r9, 0; AGAIN: add.u32 %r9, %r9, 1; setp.ge.u32 %p0, %r9, %r0; @%p0 bra OUT; setp.lt.u32 %p1, %r9, 5; @%p1 bra AGAIN; OUT: add.u32 %r9, %r9, 1000;",
         [](u32 l) { return std::min(std::max(l, 1u), 5u) + 1000; }, 1 + 5 * 5 + 1, 0, 10, 5},
        {"a loop with continue",
         "mov.u32 %r9, 0; mov.u32 %r1, 0; AGAIN: add.u32 %r1, %r1, 1; and.b32 %r2, %r1, %r0; setp.eq.u32 %p0, %r2, 0; @%p0 bra NEXT; add.u32 %r9, %r9, %r1;"
         " NEXT: setp.lt.u32 %p1, %r1, 4; @%p1 bra AGAIN; add.u32 %r9, %r9, 100;",
         [](u32 l) { u32 sum = 100; for (u32 i = 1; i <= 4; ++i) if (i & l) sum += i; return sum; },
         2 + 4 * 7 + 1, 0, 8, 4},
        {"nested loops",
         "mov.u32 %r9, 0; and.b32 %r3, %r0, 3; mov.u32 %r1, 0; OUTER: mov.u32 %r2, 0; INNER: add.u32 %r9, %r9, 1; add.u32 %r2, %r2, 1;"
         " setp.le.u32 %p0, %r2, %r3; @%p0 bra INNER; add.u32 %r1, %r1, 1; setp.lt.u32 %p1, %r1, 3; @%p1 bra OUTER; add.u32 %r9, %r9, 100;",
         [](u32 l) { return 100 + 3 * ((l & 3) + 1); }, 3 + 3 * (1 + 4 * 4 + 3) + 1, 0, 15, 9},
        {"predication without branches", "setp.lt.u32 %p0, %r0, 7; mov.u32 %r9, 1; @%p0 mov.u32 %r9, 2; @!%p0 add.u32 %r9, %r9, 3;",
         [](u32 l) { return l < 7 ? 2u : 4u; }, 4, 32 * 3, 0, 0},
        {"a guard that no lane meets", "setp.gt.u32 %p0, %r0, 99; mov.u32 %r9, 1; @%p0 mov.u32 %r9, 2;", [](u32) { return 1u; }, 3, 64, 0, 0},
        // Four targets, each run once.
        {"a switch",
         "and.b32 %r1, %r0, 3; TABLE: .branchtargets ZERO, ONE, TWO, THREE; brx.idx %r1, TABLE; ZERO: mov.u32 %r9, 10; bra DONE; ONE: mov.u32 %r9, 20; bra DONE;"
         " TWO: mov.u32 %r9, 30; bra DONE; THREE: mov.u32 %r9, 40; DONE: add.u32 %r9, %r9, %r0;",
         [](u32 l) { return 10 * ((l & 3) + 1) + l; }, 2 + 7 + 1, 64 + 24 + 24 + 8 + 32, 4, 1},
        // A branch straight out of both arms of an if, whose meeting point lies behind the outer one.
        {"a shortcut",
         "setp.lt.u32 %p0, %r0, 16; setp.lt.u32 %p1, %r0, 8; mov.u32 %r9, 0; @!%p0 bra RIGHT; @%p1 bra FAR; add.u32 %r9, %r9, 1; bra JOIN;"
         " RIGHT: add.u32 %r9, %r9, 2; JOIN: add.u32 %r9, %r9, 4; FAR: add.u32 %r9, %r9, 8;",
         [](u32 l) { return l < 8 ? 8u : l < 16 ? 13u : 14u; }, 0, 0, 3, 2},
    };
    for (const Pattern& pattern : list) {
        auto text = [&](const std::string& body) {
            return header() + kernel("pattern", "u64 out", "mov.u32 %r0, %lane; mul.wide.u32 %rd0, %gid, 4; add.s64 %rd0, %out, %rd0;\n" + body +
                                                               "\nst.global.u32 [%rd0], %r9;");
        };
        Bench bench(text(pattern.body)), empty(text("mov.u32 %r9, 0;"));
        u64 out = bench.allocate(128), other = empty.allocate(128);
        if (!bench.clean("pattern", {}, {32}, 0, out) || !empty.clean("pattern", {}, {32}, 0, other)) {
            expect(false, "in the pattern %s", pattern.name);
            continue;
        }
        std::vector<u32> got = bench.download<u32>(out, 32);
        for (u32 lane = 0; lane < 32; ++lane)
            expect(got[lane] == pattern.expected(lane), "%s: lane %u gives %u, expected %u", pattern.name, lane, got[lane], pattern.expected(lane));
        u64 issued = bench.counters.warpInstructions - empty.counters.warpInstructions + 1;
        u64 inLanes = bench.counters.threadInstructions - empty.counters.threadInstructions + 32;
        auto equal = [&](const char* what, u64 actual, u64 expected) {
            expect(actual == expected, "%s: %s is %llu, expected %llu", pattern.name, what, static_cast<unsigned long long>(actual), static_cast<unsigned long long>(expected));
        };
        if (pattern.issued) equal("instructions issued", issued, pattern.issued);
        if (pattern.laneInstructions) equal("instructions of lanes", inLanes, pattern.laneInstructions);
        equal("branches", bench.counters.branches, pattern.branches);
        equal("divergent branches", bench.counters.divergentBranches, pattern.divergent);
    }
}

/// Lanes that end early do not hold up the others, neither in a warp nor at a barrier.
void exits() {
    Bench bench(header() + kernel("leave", "u64 out", R"(
        mul.wide.u32 %rd0, %gid, 4; add.s64 %rd0, %out, %rd0; st.global.u32 [%rd0], %gid;
        and.b32 %r0, %lane, 3; setp.eq.u32 %p0, %r0, 1; @%p0 exit; setp.eq.u32 %p1, %r0, 2; @%p1 ret;
        bar.sync 0;
        activemask.b32 %r1; st.global.u32 [%rd0], %r1;)") +
        kernel("loop_out", "u64 out", R"(
        mov.u32 %r0, 0; mul.wide.u32 %rd0, %gid, 4; add.s64 %rd0, %out, %rd0;
    AGAIN: st.global.u32 [%rd0], %r0; setp.eq.u32 %p0, %r0, %lane; @%p0 exit; add.u32 %r0, %r0, 1; bra.uni AGAIN;)") +
        kernel("whole_warps", "u64 out", R"(
        mul.wide.u32 %rd0, %gid, 4; add.s64 %rd0, %out, %rd0; setp.ge.u32 %p0, %thread, 64; st.global.u32 [%rd0], %gid; @%p0 exit; bar.sync 0; st.global.u32 [%rd0], %lane;)"));
    u64 out = bench.allocate(4 * 128);
    if (bench.clean("leave", {}, {128}, 0, out)) {
        std::vector<u32> got = bench.download<u32>(out, 128);
        for (u32 i = 0; i < 128; ++i) {
            u32 expected = i % 4 == 1 || i % 4 == 2 ? i : 0x99999999;
            expect(got[i] == expected, "early exit, thread %u: %x, expected %x", i, got[i], expected);
        }
    }
    if (bench.clean("loop_out", {}, {128}, 0, out)) {
        std::vector<u32> got = bench.download<u32>(out, 128);
        for (u32 i = 0; i < 128; ++i) expect(got[i] == i % 32, "an exit within a loop, thread %u: %u", i, got[i]);
    }
    if (bench.clean("whole_warps", {}, {128}, 0, out)) {
        std::vector<u32> got = bench.download<u32>(out, 128);
        for (u32 i = 0; i < 128; ++i) expect(got[i] == (i < 64 ? i % 32 : i), "warps that ended before a barrier, thread %u: %u", i, got[i]);
    }
}

/// Device functions: results, arrays by value, calls by some lanes only, calls within calls, recursion.
void calls() {
    std::string text = header() + R"(
.func (.param .b32 result) twice(.param .b32 x)
{ .reg .b32 %r<3>; ld.param.u32 %r1, [x]; shl.b32 %r2, %r1, 1; st.param.b32 [result], %r2; ret; }
.func (.param .b32 result) early(.param .b32 x)
{ .reg .pred %p<3>; .reg .b32 %r<2>; ld.param.u32 %r1, [x]; setp.gt.u32 %p1, %r1, 10; st.param.b32 [result], 1; @%p1 ret; st.param.b32 [result], 2; ret; }
.visible .func (.param .align 8 .b8 result[8]) pair(.param .align 8 .b8 x[8], .param .b64 y)
{ .reg .b32 %r<9>; .reg .b64 %rd<3>; .local .align 4 .b8 scratch[8]; ld.param.u32 %r1, [x]; ld.param.u32 %r2, [x+4]; ld.param.u64 %rd1, [y]; cvt.u32.u64 %r3, %rd1;
  st.local.u32 [scratch+4], %r1; add.u32 %r4, %r2, %r3; ld.local.u32 %r5, [scratch+4]; st.param.b32 [result+0], %r4; st.param.b32 [result+4], %r5; ret; }
.func (.param .b32 result) outer(.param .b32 x)
{ .reg .b32 %r<5>; ld.param.u32 %r1, [x];
  { .param .b32 a; .param .b32 b; st.param.b32 [a], %r1; call.uni (b), twice, (a); ld.param.b32 %r2, [b]; }
  { .param .b32 a; .param .b32 b; st.param.b32 [a], %r2; call.uni (b), twice, (a); ld.param.b32 %r3, [b]; }
  add.u32 %r4, %r3, 1; st.param.b32 [result], %r4; ret; }
.func store(.param .b64 address, .param .b32 x)
{ .reg .b64 %rd<2>; .reg .b32 %r<2>; ld.param.u64 %rd1, [address]; ld.param.u32 %r1, [x]; st.u32 [%rd1], %r1; ret; }
)" + kernel("callers", "u64 out", R"(
        mov.u32 %r0, %gid; mul.wide.u32 %rd0, %gid, 32; add.s64 %rd0, %out, %rd0;
        { .param .b32 a; .param .b32 b; st.param.b32 [a], %r0; call.uni (b), twice, (a); ld.param.b32 %r1, [b]; }
        { .param .b32 a; .param .b32 b; st.param.b32 [a], %r0; call.uni (b), outer, (a); ld.param.b32 %r2, [b]; }
        { .param .b32 a; .param .b32 b; st.param.b32 [a], %r0; call (b), early, (a); ld.param.b32 %r3, [b]; }
        { .param .align 8 .b8 a[8]; .param .b64 c; .param .align 8 .b8 b[8]; st.param.v2.b32 [a], {%r0, %r1}; mov.u64 %rd1, 1000; st.param.b64 [c], %rd1;
          call.uni (b), pair, (a, c); ld.param.b32 %r4, [b]; ld.param.b32 %r5, [b+4]; }
        mov.u32 %r6, 0; setp.ge.u32 %p0, %lane, 20; @%p0 bra SKIP;
        { .param .b32 a; .param .b32 b; st.param.b32 [a], %r0; call.uni (b), outer, (a); ld.param.b32 %r6, [b]; }
    SKIP: st.global.v4.u32 [%rd0], {%r1, %r2, %r3, %r4}; st.global.v2.u32 [%rd0+16], {%r5, %r6};
        add.s64 %rd2, %rd0, 24; { .param .b64 a; .param .b32 b; st.param.b64 [a], %rd2; st.param.b32 [b], %r0; call.uni store, (a, b); }
        activemask.b32 %r7; st.global.u32 [%rd0+28], %r7;)");
    Bench bench(text);
    u64 out = bench.allocate(32 * 64);
    if (!bench.clean("callers", {2}, {32}, 0, out)) return;
    std::vector<u32> got = bench.download<u32>(out, 8 * 64);
    for (u32 i = 0; i < 64; ++i) {
        const u32 expected[] = {2 * i, 4 * i + 1, i > 10 ? 1u : 2u, 2 * i + 1000, i, i % 32 < 20 ? 4 * i + 1 : 0, i, 0xffffffff};
        for (u32 k = 0; k < 8; ++k) expect(got[8 * i + k] == expected[k], "call %u of thread %u gives %u, expected %u", k, i, got[8 * i + k], expected[k]);
    }
}

/// A divergent warp shuffles again among all its lanes once they have met.
void meetings() {
    std::vector<Row> rows;
    for (u32 lane = 0; lane < 32; ++lane) rows.push_back({0xffffffff, (lane ^ 1) % 3, lane, lane % 3});
    warpTable("{ .reg .pred %q; setp.eq.u32 %q, $3, 0; @%q bra ZERO; setp.eq.u32 %q, $3, 1; @%q bra ONE; mov.u32 $1, 2; bra MEET; ONE: mov.u32 $1, 1; bra MEET;"
              " ZERO: mov.u32 $1, 0; MEET: shfl.sync.bfly.b32 $1, $1, 1, 0x1f, 0xffffffff; activemask.b32 $0; }",
              "32 32 = 32 32", rows);
}

}  // namespace

int main() {
    patterns();
    exits();
    calls();
    meetings();
    return finish("divergence");
}
