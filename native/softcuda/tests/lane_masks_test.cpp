// Member masks of shuffles, votes, matches, reductions and bar.warp.sync: lanes outside of them, lanes that do not come, lanes that disagree.
#include "marked.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

/// Every instruction with a mask, which is %r7.
const char* const Instructions[] = {
    "shfl.sync.idx.b32 %r9, %thread, %lane, 31, %r7;", "vote.sync.ballot.b32 %r9, %p2, %r7;", "vote.sync.any.pred %p9, %p2, %r7;",
    "match.any.sync.b32 %r9, %thread, %r7;",           "match.all.sync.b32 %r9, 5, %r7;",     "redux.sync.add.s32 %r9, %thread, %r7;",
    "bar.warp.sync %r7;",
};

void members() {
    for (const char* text : Instructions) {
        auto wrong = [&](const char* what, const char* before, const char* guard, const char* words) {
            finds(FindingKind::LaneMask, format("%s %s", text, what).c_str(), format("setp.ge.u32 %%p7, %%lane, 16;\n%s\n%s %s // here\nEND: ret;", before, guard, text), words);
        };
        auto right = [&](const char* what, const std::string& body) { fine(format("%s %s", text, what).c_str(), "setp.ge.u32 %p7, %lane, 16; " + body); };
        wrong("by a lane outside", "@%p7 bra END; mov.u32 %r7, 0x7fff;", "", "lane 15 is not in its own member mask 0x00007fff");
        wrong("for all lanes in a branch", "@%p7 bra END; mov.u32 %r7, -1;", "", "the member mask 0xffffffff names lane 16, which has branched elsewhere");
        wrong("for all lanes under a guard", "mov.u32 %r7, -1;", "@%p7", "names lane 0, whose guard is false");
        wrong("with two masks", "selp.b32 %r7, -1, 0xffff, %p7;", "", "names lane 0, whose own is 0x0000ffff");
        wrong("in a loop that lanes leave", "mov.u32 %r7, -1; mov.u32 %r10, 0; and.b32 %r11, %lane, 3; setp.eq.u32 %p8, %r11, 0; @%p8 bra END;", "", "names lane 0");
        right("by all", format("mov.u32 %%r7, -1; %s", text));
        right("by a half", format("@%%p7 bra END; mov.u32 %%r7, 0xffff; %s END: ret;", text));
        right("by a half under a guard", format("mov.u32 %%r7, 0xffff0000; @%%p7 %s", text));
        right("by two halves, each with its own", format("selp.b32 %%r7, 0xffff0000, 0xffff, %%p7; %s", text));
        right("on both sides of a branch and behind it",
              format("@%%p7 bra HIGH; mov.u32 %%r7, 0xffff; %s bra.uni MEET; HIGH: mov.u32 %%r7, 0xffff0000; %s MEET: mov.u32 %%r7, -1; %s", text, text, text));
        right("in a branch within a branch", format("@%%p7 bra END; setp.gt.u32 %%p8, %%lane, 4; @%%p8 bra END; activemask.b32 %%r7; %s END: ret;", text));
        right("by those that a ballot found", format("and.b32 %%r10, %%lane, 5; setp.eq.u32 %%p8, %%r10, 1; vote.sync.ballot.b32 %%r7, %%p8, -1; @%%p8 %s", text));
        // PTX waits for those lanes of a mask that have not exited.
        right("once some have ended", format("mov.u32 %%r7, -1; @%%p7 exit; %s", text));
    }
    // A warp of 20 lanes.
    for (const char* text : Instructions) {
        Bench bench(program(format("mov.u32 %%r7, -1; %s mov.u32 %%r7, 0xfffff; %s", text, text)));
        u64 out = bench.upload(std::vector<u32>(64, 0));
        bench.clean("race", {1}, {20}, 0, out, out);
        // Off without checks.
        Bench off(program(format("setp.ge.u32 %%p7, %%lane, 16; mov.u32 %%r7, 3; @%%p7 %s", text)));
        off.options.checks = false;
        off.clean("race", {1}, {32}, 0, out, out);
    }
}

void shuffles() {
    finds(FindingKind::LaneMask, "a shuffle from lanes that branch elsewhere", R"(
        setp.ge.u32 %p7, %lane, 16; @%p7 bra END;
        shfl.sync.down.b32 %r9, %thread, 8, 31, 0xffff; // here
    END: ret;)", "takes the value");
    finds(FindingKind::LaneMask, "an indexed shuffle from outside the mask", R"(
        setp.ge.u32 %p7, %lane, 4; @%p7 bra END;
        shfl.sync.idx.b32 %r9, %thread, 20, 31, 0xf; // here
    END: ret;)", "takes the value");
    fine("a shuffle that stays inside", "setp.ge.u32 %p7, %lane, 16; @%p7 bra END; shfl.sync.bfly.b32 %r9, %thread, 8, 31, 0xffff; END: ret;");
    fine("a shuffle clamped to its segment", "setp.ge.u32 %p7, %lane, 16; @%p7 bra END; shfl.sync.down.b32 %r9, %thread, 8, 4111, 0xffff; END: ret;");
    finds(FindingKind::LaneMask, "a shuffle between two halves that have masks of their own", R"(
        setp.ge.u32 %p7, %lane, 16; selp.b32 %r7, 0xffff0000, 0xffff, %p7;
        shfl.sync.bfly.b32 %r9, %thread, 16, 31, %r7; // here
        )", "lane 0 takes the value of lane 16, which is not in its member mask");
    finds(FindingKind::LaneMask, "a shuffle from lanes that have ended", R"(
        setp.ge.u32 %p7, %lane, 16; @%p7 exit;
        shfl.sync.down.b32 %r9, %thread, 1, 31, -1; // here
        )", "lane 15 takes the value of lane 16, which has ended");
    fine("a shuffle within two halves that have masks of their own",
         "setp.ge.u32 %p7, %lane, 16; selp.b32 %r7, 0xffff0000, 0xffff, %p7; shfl.sync.bfly.b32 %r9, %thread, 8, 31, %r7;");
    // The sum of a half in a branch, as reductions over rows of 16 have it.
    Bench bench(header() + kernel("half", "u64 out", R"(
        setp.ge.u32 %p7, %lane, 16; mov.u32 %r1, 0; @%p7 bra MEET;
        mov.u32 %r1, %lane;
        shfl.sync.bfly.b32 %r2, %r1, 8, 31, 0xffff; add.u32 %r1, %r1, %r2; shfl.sync.bfly.b32 %r2, %r1, 4, 31, 0xffff; add.u32 %r1, %r1, %r2;
        shfl.sync.bfly.b32 %r2, %r1, 2, 31, 0xffff; add.u32 %r1, %r1, %r2; shfl.sync.bfly.b32 %r2, %r1, 1, 31, 0xffff; add.u32 %r1, %r1, %r2;
    MEET: shfl.sync.idx.b32 %r1, %r1, 0, 31, -1; mul.wide.u32 %rd0, %lane, 4; add.s64 %rd0, %out, %rd0; st.global.u32 [%rd0], %r1;)"));
    u64 out = bench.allocate(128);
    if (!bench.clean("half", {}, {32}, 0, out)) return;
    for (u32 sum : bench.download<u32>(out, 32)) expect(sum == 120, "the sum of a half is %u", sum);
}

}  // namespace

int main() {
    members();
    shuffles();
    return finish("lane masks");
}
