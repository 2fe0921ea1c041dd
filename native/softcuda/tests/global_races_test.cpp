// Races in global memory: within a warp, a block and between blocks, tickets with and without a fence, stale reads through the constant cache;
// and correct programs that come close.
#include "marked.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

void races(const char* what, const std::string& body, const char* words = "") { finds(FindingKind::GlobalRace, what, body, words); }

void withinBlocks() {
    races("two warps write one word", "st.global.u32 [%rd1], %thread; // here\n st.global.u32 [%rd2], 77; // here\n", "no barrier");
    races("a warp reads what another writes", "st.global.u32 [%rd1], %thread; // here\n ld.global.u32 %r9, [%rd2]; // here\n", "same block");
    races("a neighbour lane's word", "st.global.u32 [%rd1], %r2; // here\n ld.global.u32 %r9, [%rd3]; // here\n");
    races("lanes write one word at once", "shr.u32 %r4, %r2, 5; mul.wide.u32 %rd5, %r4, 4; add.s64 %rd5, %rd0, %rd5;\n st.global.u32 [%rd5], %thread; // here\n");
    races("a byte of a neighbour's word", R"(
        add.s64 %rd5, %rd2, 3; st.global.u32 [%rd1], 16909060; // here
        st.global.u8 [%rd5], 9; // here
        )");
    races("through a generic address", "st.u32 [%rd1], %thread; // here\n ld.u32 %r9, [%rd2]; // here\n");
    races("a plain store against an atomic", "red.global.add.u32 [%rd1], 1; // here\n st.global.u32 [%rd2], 77; // here\n");
    races("a plain load against an atomic", "red.global.add.u32 [%rd1], 1; // here\n ld.global.u32 %r9, [%rd2]; // here\n");
    fine("own words", "st.global.u32 [%rd1], %thread; ld.global.u32 %r9, [%rd1]; st.global.u32 [%rd1], %r9;");
    fine("a barrier between", "st.global.u32 [%rd1], %thread; bar.sync 0; ld.global.u32 %r9, [%rd2]; bar.sync 0; st.global.u32 [%rd2], %r9;");
    fine("bar.warp.sync between lanes", "st.global.u32 [%rd1], %thread; bar.warp.sync -1; ld.global.u32 %r9, [%rd3];");
    races("bar.warp.sync between warps", "st.global.u32 [%rd1], %thread; // here\n bar.warp.sync -1; ld.global.u32 %r9, [%rd2]; // here\n");
    fine("neighbouring bytes", "cvt.u64.u32 %rd5, %gid; add.s64 %rd5, %rd0, %rd5; st.global.u8 [%rd5], 5;");
    fine("all write the same", "st.global.u32 [%rd0], 7;");
    fine("all only read", "ld.global.u32 %r9, [%rd0]; ld.global.nc.u32 %r9, [%rd0];");
    fine("atomics among themselves", "red.global.add.u32 [%rd0], 1; atom.global.max.u32 %r9, [%rd0], %thread; ld.volatile.global.u32 %r9, [%rd0];");
    fine("a read, a barrier, a write", "ld.global.u32 %r9, [%rd2]; bar.sync 0; st.global.u32 [%rd1], 3;");
    races("a read, then a write by another warp", "ld.global.u32 %r9, [%rd2]; // here\n st.global.u32 [%rd1], 3; // here\n");
}

/// What isLastBlock does: parts are written, a ticket is taken, and the last block reads all parts.
std::string ticket(const char* fence, const char* wait = "bar.sync 0;", const char* mark = "") {
    return format(R"(
        @%%p2 st.global.u32 [%%rd1], 5; %s
        %s
        bar.sync 0;
        @!%%p2 bra TAKEN;
        atom.global.add.u32 %%r5, [%%rd4], 1;
        st.shared.u32 [%%r0], %%r5;
    TAKEN: %s
        ld.shared.u32 %%r5, [%%r0]; setp.ne.u32 %%p5, %%r5, 3; @%%p5 bra END;
        shl.b32 %%r6, %%thread, 6; setp.ge.u32 %%p6, %%thread, 4; @%%p6 bra END;
        mul.wide.u32 %%rd5, %%r6, 4; add.s64 %%rd5, %%rd0, %%rd5;
        ld.global.u32 %%r9, [%%rd5]; %s
    END: ret;)", mark, fence, wait, mark);
}

void betweenBlocks() {
    races("two blocks write one word", "@%p2 st.global.u32 [%rd0], %gid; // here\n", "nothing orders the two blocks");
    races("a block reads what another writes", R"(
        @%p4 st.global.u32 [%rd1], 5; // here
        mul.wide.u32 %rd5, %thread, 4; add.s64 %rd5, %rd0, %rd5; @!%p4 ld.global.u32 %r9, [%rd5]; // here
        )");
    races("an atomic against another block's plain store", R"(
        @%p4 st.global.u32 [%rd4], 5; // here
        @!%p4 red.global.add.u32 [%rd4], 1; // here
        )");
    fine("each block its own", "st.global.u32 [%rd1], 5; bar.sync 0; ld.global.u32 %r9, [%rd2];");
    fine("a ticket behind each thread's fence", ticket("membar.gl;"));
    fine("a ticket behind a fence of the system", ticket("fence.acq_rel.sys;"));
    races("a ticket without a fence", ticket("", "bar.sync 0;", "// here\n"), "no fence (__threadfence)");
    races("a ticket behind a fence of the block", ticket("membar.cta;", "bar.sync 0;", "// here\n"), "no fence (__threadfence)");
    // The thread that takes the ticket fences for those that it met at the barrier.
    fine("a ticket behind the taker's fence", R"(
        st.global.u32 [%rd1], 5; bar.sync 0;
        @!%p2 bra TAKEN; membar.gl; atom.global.add.u32 %r5, [%rd4], 1; st.shared.u32 [%r0], %r5;
    TAKEN: bar.sync 0; ld.shared.u32 %r5, [%r0]; setp.ne.u32 %p5, %r5, 3; @%p5 bra END;
        mul.wide.u32 %rd5, %thread, 16; add.s64 %rd5, %rd0, %rd5; ld.global.u32 %r9, [%rd5];
    END: ret;)");
    fine("a releasing ticket", R"(
        st.global.u32 [%rd1], 5; bar.sync 0;
        @!%p2 bra TAKEN; atom.acq_rel.gpu.global.add.u32 %r5, [%rd4], 1; st.shared.u32 [%r0], %r5;
    TAKEN: bar.sync 0; ld.shared.u32 %r5, [%r0]; setp.ne.u32 %p5, %r5, 3; @%p5 bra END;
        mul.wide.u32 %rd5, %thread, 16; add.s64 %rd5, %rd0, %rd5; ld.global.u32 %r9, [%rd5];
    END: ret;)");
    // Only the first warp's writes are behind a fence.
    races("a fence by the other half of the writers", R"(
        st.global.u32 [%rd1], 5; // here
        setp.lt.u32 %p7, %thread, 32; @%p7 membar.gl; bar.sync 0;
        @!%p2 bra TAKEN; atom.global.add.u32 %r5, [%rd4], 1; st.shared.u32 [%r0], %r5;
    TAKEN: bar.sync 0; ld.shared.u32 %r5, [%r0]; setp.ne.u32 %p5, %r5, 3; @%p5 bra END;
        mul.wide.u32 %rd5, %thread, 16; add.s64 %rd5, %rd0, %rd5; ld.global.u32 %r9, [%rd5]; // here
    END: ret;)");
}

void staleReads() {
    finds(FindingKind::StaleRead, "the constant cache after a write", "st.global.u32 [%rd1], 5;\n ld.global.nc.u32 %r9, [%rd1]; // here\n", "ld.global.nc");
    finds(FindingKind::StaleRead, "the constant cache behind a barrier", "st.global.u32 [%rd1], 5; bar.sync 0;\n ld.global.nc.u32 %r9, [%rd2]; // here\n");
    fine("the constant cache before a write", "ld.global.nc.u32 %r9, [%rd1]; bar.sync 0; st.global.u32 [%rd1], 5;");
}

}  // namespace

int main() {
    withinBlocks();
    betweenBlocks();
    staleReads();
    return finish("global races");
}
