// What lanes do together, shuffles, votes, matches and reductions, and the special registers.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

/// The ISA's pseudocode of shfl.sync: the lane read, and whether it lies within bounds.
u32 shuffleSource(const char* mode, u32 lane, u32 b, u32 c, bool& inside) {
    u32 bval = b & 31, cval = c & 31, mask = c >> 8 & 31;
    int most = static_cast<int>((lane & mask) | (cval & ~mask & 31)), least = static_cast<int>(lane & mask), j = 0;
    std::string name = mode;
    if (name == "up") j = static_cast<int>(lane) - static_cast<int>(bval), inside = j >= most;
    else if (name == "down") j = static_cast<int>(lane + bval), inside = j <= most;
    else if (name == "bfly") j = static_cast<int>(lane ^ bval), inside = j <= most;
    else j = least | static_cast<int>(bval & ~mask), inside = j <= most;
    return inside ? static_cast<u32>(j) : lane;
}

void shuffles() {
    std::mt19937 random(9);
    std::vector<u32> controls{0x1f, 0x0, 0x1c1f, 0x181f, 0x101f, 0x1e1f, 0x1c00, 0x1807, 0x0f0f, 0x8, 0x10};
    for (const char* mode : {"up", "down", "bfly", "idx"}) {
        std::vector<Row> rows;
        for (u32 control : controls)
            for (u32 b : {0u, 1u, 2u, 3u, 7u, 8u, 15u, 16u, 31u, 32u, 33u, 0xffffffffu}) {
                std::vector<u32> values(32);
                for (u32& v : values) v = random();
                for (u32 lane = 0; lane < 32; ++lane) {
                    bool inside;
                    u32 from = shuffleSource(mode, lane, b, control, inside);
                    rows.push_back({values[from], inside, values[lane], b, control});
                }
            }
        // And another b and c in every lane.
        for (int warp = 0; warp < 32; ++warp) {
            std::vector<u32> values(32);
            for (u32& v : values) v = random();
            for (u32 lane = 0; lane < 32; ++lane) {
                u32 b = random() & 0x3f, control = warp % 2 ? random() & 0x1f1f : controls[random() % controls.size()];
                bool inside;
                u32 from = shuffleSource(mode, lane, b, control, inside);
                rows.push_back({values[from], inside, values[lane], b, control});
            }
        }
        warpTable(std::string("shfl.sync.") + mode + ".b32 $0|$1, $2, $3, $4, 0xffffffff;", "32 p = 32 32 32", rows);
        std::vector<Row> without;
        for (Row row : rows) without.push_back({row[0], row[2], row[3], row[4]});
        warpTable(std::string("shfl.sync.") + mode + ".b32 $0, $1, $2, $3, -1;", "32 = 32 32 32", without);
    }
    // Even lanes alone: a source that is not among them gives no defined value, so only even ones are read.
    std::vector<Row> rows;
    for (u32 lane = 0; lane < 32; ++lane) {
        u32 from = (lane * 6 + 2) & 31;
        rows.push_back({lane % 2 ? 0x55u : from * 11, lane * 11, from, lane});
    }
    warpTable("{ .reg .pred %q; .reg .b32 %t; and.b32 %t, $3, 1; setp.ne.u32 %q, %t, 0; mov.u32 $0, 0x55; @%q bra DONE;"
              " shfl.sync.idx.b32 $0, $1, $2, 0x1f, 0x55555555; DONE: }",
              "32 = 32 32 32", rows);
}

void votes() {
    std::mt19937 random(10);
    std::vector<u32> patterns{0, 0xffffffff, 1, 0x80000000, 0x55555555, 0xffff0000, 0xfffffffe};
    for (int i = 0; i < 9; ++i) patterns.push_back(random());
    for (u32 members : {0xffffffffu, 0x0000ffffu, 0x80000001u, 0x00f0f0f0u})
        for (bool negated : {false, true}) {
            std::vector<Row> rows;
            for (u32 pattern : patterns)
                for (u32 lane = 0; lane < 32; ++lane) {
                    u32 holds = (negated ? ~pattern : pattern) & members;
                    if (members >> lane & 1) rows.push_back({holds == members, holds != 0, holds == 0 || holds == members, holds, pattern >> lane & 1, 1});
                    else rows.push_back({1, 1, 1, 0xA5A5A5A5, pattern >> lane & 1, 0});
                }
            std::string p = negated ? "!$4" : "$4", mask = format("0x%x", members);
            warpTable("{ .reg .pred %q; not.pred %q, $5; @%q bra DONE; vote.sync.all.pred $0, " + p + ", " + mask + "; vote.sync.any.pred $1, " + p + ", " + mask +
                          "; vote.sync.uni.pred $2, " + p + ", " + mask + "; vote.sync.ballot.b32 $3, " + p + ", " + mask + "; DONE: }",
                      "p p p 32 = p p", rows);
        }
}

void matches() {
    std::mt19937_64 random(11);
    for (int width : {32, 64}) {
        std::vector<Row> any, all;
        for (int warp = 0; warp < 16; ++warp) {
            u64 values[32];
            u64 spread = warp == 0 ? 1 : warp < 4 ? 2 : warp < 10 ? 5 : 64, high = width == 64 ? 0x100000000ull : 1;
            for (u64& v : values) v = random() % spread * high;
            for (u64 own : values) {
                u64 same = 0;
                for (int lane = 0; lane < 32; ++lane) same |= static_cast<u64>(values[lane] == own) << lane;
                any.push_back({same, own});
                bool whole = same == 0xffffffff;
                all.push_back({whole ? same : 0, whole, own});
            }
        }
        std::string w = std::to_string(width);
        warpTable("match.any.sync.b" + w + " $0, $1, 0xffffffff;", "32 = " + w, any);
        warpTable("match.all.sync.b" + w + " $0|$1, $2, 0xffffffff;", "32 p = " + w, all);
    }
    std::vector<Row> active;
    for (u32 lane = 0; lane < 32; ++lane) active.push_back({lane < 7 ? 0x7fu : 0xffffff80u, 0xffffffff, lane < 7});
    warpTable("{ activemask.b32 $1; @$2 bra LOW; activemask.b32 $0; bra DONE; LOW: activemask.b32 $0; DONE: }", "32 32 = p", active);
}

void reductions() {
    std::mt19937 random(12);
    auto check = [&](const char* name, u32 (*f)(u32, u32)) {
        for (u32 members : {0xffffffffu, 0x00ff00ffu, 0x80000000u}) {
            std::vector<Row> rows;
            for (int warp = 0; warp < 8; ++warp) {
                u32 values[32], result = 0;
                bool first = true;
                for (u32 lane = 0; lane < 32; ++lane) {
                    values[lane] = warp == 0 ? lane : warp == 1 ? 0x80000000u + lane : random();
                    if (!(members >> lane & 1)) continue;
                    result = first ? values[lane] : f(result, values[lane]);
                    first = false;
                }
                for (u32 lane = 0; lane < 32; ++lane) rows.push_back({members >> lane & 1 ? result : 0xA5A5A5A5u, values[lane], members >> lane & 1});
            }
            warpTable(format("{ .reg .pred %%q; not.pred %%q, $2; @%%q bra DONE; redux.sync.%s $0, $1, 0x%x; DONE: }", name, members), "32 = 32 p", rows);
        }
    };
    check("add.u32", [](u32 a, u32 b) { return a + b; });
    check("add.s32", [](u32 a, u32 b) { return a + b; });
    check("min.u32", [](u32 a, u32 b) { return std::min(a, b); });
    check("max.u32", [](u32 a, u32 b) { return std::max(a, b); });
    check("min.s32", [](u32 a, u32 b) { return static_cast<u32>(std::min(static_cast<s32>(a), static_cast<s32>(b))); });
    check("max.s32", [](u32 a, u32 b) { return static_cast<u32>(std::max(static_cast<s32>(a), static_cast<s32>(b))); });
    check("and.b32", [](u32 a, u32 b) { return a & b; });
    check("or.b32", [](u32 a, u32 b) { return a | b; });
    check("xor.b32", [](u32 a, u32 b) { return a ^ b; });
}

void specialRegisters() {
    Bench bench(header() + kernel("where", "u64 out", R"(
        mov.u32 %r0, %tid.x; mov.u32 %r1, %tid.y; mov.u32 %r2, %tid.z; mov.u32 %r3, %ntid.x; mov.u32 %r4, %ntid.y; mov.u32 %r5, %ntid.z;
        mov.u32 %r6, %ctaid.x; mov.u32 %r7, %ctaid.y; mov.u32 %r8, %ctaid.z; mov.u32 %r9, %nctaid.x; mov.u32 %r10, %nctaid.y; mov.u32 %r11, %nctaid.z;
        mad.lo.u32 %r12, %r2, %r4, %r1; mad.lo.u32 %r12, %r12, %r3, %r0;
        mad.lo.u32 %r13, %r8, %r10, %r7; mad.lo.u32 %r13, %r13, %r9, %r6;
        mul.lo.u32 %r14, %r3, %r4; mul.lo.u32 %r14, %r14, %r5; mad.lo.u32 %r14, %r13, %r14, %r12;
        mul.wide.u32 %rd0, %r14, 64; add.s64 %rd0, %out, %rd0;
        st.global.v4.u32 [%rd0], {%r0, %r1, %r2, %r3}; st.global.v4.u32 [%rd0+16], {%r4, %r5, %r6, %r7};
        mov.u32 %r20, %laneid; mov.u32 %r21, %lanemask_eq; mov.u32 %r22, %lanemask_le; mov.u32 %r23, %lanemask_lt;
        mov.u32 %r24, %lanemask_ge; mov.u32 %r25, %lanemask_gt; mov.u32 %r26, %dynamic_smem_size; mov.u32 %r27, %total_smem_size;
        st.global.v4.u32 [%rd0+32], {%r20, %r21, %r22, %r23}; st.global.v4.u32 [%rd0+48], {%r24, %r25, %r26, %r27};)"));
    Dim3 grid{3, 2, 2}, block{5, 4, 3};
    u32 threads = 60, blocks = 12;
    u64 out = bench.allocate(64ull * threads * blocks);
    if (!bench.clean("where", grid, block, 96, out)) return;
    std::vector<u32> got = bench.download<u32>(out, 16ull * threads * blocks);
    for (u32 b = 0; b < blocks; ++b)
        for (u32 t = 0; t < threads; ++t) {
            const u32* it = got.data() + 16 * (b * threads + t);
            u32 lane = t % 32, bit = 1u << lane;
            // A partial warp of 28 lanes: the masks are by position, whatever lanes exist.
            const u32 expected[16] = {t % 5, t / 5 % 4, t / 20, 5, 4, 3, b % 3, b / 3 % 2, lane, bit, (bit - 1) | bit, bit - 1, ~(bit - 1), ~((bit - 1) | bit), 96, 96};
            for (int i = 0; i < 16; ++i)
                expect(it[i] == expected[i], "special register %d of thread %u of block %u: %x, expected %x", i, t, b, it[i], expected[i]);
        }
    // Clocks go on, and every warp of a block has its own number.
    Bench clocks(header() + kernel("clocks", "u64 out", R"(
        mov.u64 %rd0, %clock64; mov.u32 %r0, %clock; mov.u64 %rd1, %clock64; sub.u64 %rd2, %rd1, %rd0;
        mov.u64 %rd3, %globaltimer; mov.u32 %r1, %warpid; mov.u32 %r2, %nwarpid; mov.u32 %r3, %smid; mov.u32 %r4, %nsmid; mov.u64 %rd5, %gridid;
        setp.lt.u32 %p0, %r3, %r4; selp.u32 %r5, 1, 0, %p0;
        mul.wide.u32 %rd4, %gid, 16; add.s64 %rd4, %out, %rd4; st.global.u64 [%rd4], %rd2; st.global.v2.u32 [%rd4+8], {%r1, %r5};)"));
    u64 times = clocks.allocate(16 * 128);
    if (!clocks.clean("clocks", {}, {128}, 0, times)) return;
    std::vector<u32> measured = clocks.download<u32>(times, 4 * 128);
    for (u32 t = 0; t < 128; ++t) {
        expect(measured[4 * t] > 0 && measured[4 * t + 1] == 0, "a clock that goes forward: %u", measured[4 * t]);
        expect(measured[4 * t + 2] == t / 32 && measured[4 * t + 3] == 1, "the warp of thread %u: %u", t, measured[4 * t + 2]);
    }
}

}  // namespace

int main() {
    shuffles();
    votes();
    matches();
    reductions();
    specialRegisters();
    return finish("warp");
}
