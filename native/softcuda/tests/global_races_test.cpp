// Races in global memory: within a warp, a block and between blocks, tickets with and without a fence, stale reads through the constant cache;
// and correct programs that come close. Copies by cp.async and shuffles that take what is not theirs.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

constexpr u32 Threads = 64, Blocks = 4;

/// %rd0 is the array, %rd1 the thread's own word of it, %rd2 that of the thread 32 further (of the other warp), %rd3 a neighbour lane's,
/// %rd4 the ticket, all zeros; every block has 64 words of the array.
std::string program(const std::string& body) {
    return header() + kernel("race", "u64 out, u64 ticket", R"(.shared .align 16 .b8 cells[1024];
        mov.u32 %r0, cells; mad.lo.u32 %r1, %thread, 4, %r0; mov.u32 %r9, 0; mov.u64 %rd4, %ticket;
        mov.u32 %r8, %ctaid.x; mov.u32 %r2, %gid; mul.wide.u32 %rd1, %r2, 4; add.s64 %rd1, %out, %rd1; mov.u64 %rd0, %out;
        xor.b32 %r3, %r2, 32; mul.wide.u32 %rd2, %r3, 4; add.s64 %rd2, %out, %rd2; xor.b32 %r3, %r2, 1; mul.wide.u32 %rd3, %r3, 4; add.s64 %rd3, %out, %rd3;
        setp.eq.u32 %p2, %thread, 0; setp.eq.u32 %p3, %thread, 32; setp.eq.u32 %p4, %r8, 0;
)" + body);
}

bool isMarked(const std::string& text, int line) {
    std::vector<std::string> lines{""};
    for (char c : text) {
        if (c == '\n') lines.emplace_back();
        else lines.back() += c;
    }
    return line > 0 && line <= static_cast<int>(lines.size()) && lines[static_cast<std::size_t>(line) - 1].find("// here") != std::string::npos;
}

void run(Bench& bench, u64 seed, bool races) {
    bench.options.seed = seed;
    bench.options.races = races;
    u64 out = bench.upload(std::vector<u32>(Threads * Blocks, 0)), ticket = bench.upload(std::vector<u32>(64, 0));
    bench.launch("race", {Blocks}, {Threads}, 0, out, ticket);
}

/// Findings of one kind on the lines marked "// here", whatever the order, and none with the check off.
void finds(FindingKind kind, const char* what, const std::string& body, const char* words = "") {
    std::string text = program(body);
    for (u64 seed : {0, 1, 2, 3}) {
        Bench bench(text);
        run(bench, seed, true);
        expect(bench.outcome == Outcome::Ok && !bench.findings.empty(), "%s: not found with seed %d", what, static_cast<int>(seed));
        for (const Finding& finding : bench.findings) {
            expect(finding.kind == kind && isMarked(text, finding.line) && finding.message.find(words) != std::string::npos, "%s: %s", what, describe(finding).c_str());
        }
    }
    if (kind != FindingKind::GlobalRace && kind != FindingKind::StaleRead) return;
    Bench bench(text);
    run(bench, 0, false);
    expect(bench.findings.empty(), "%s: found although it is switched off", what);
}

void races(const char* what, const std::string& body, const char* words = "") { finds(FindingKind::GlobalRace, what, body, words); }

void fine(const char* what, const std::string& body) {
    for (u64 seed : {0, 1, 2, 3}) {
        Bench bench(program(body));
        run(bench, seed, true);
        for (const Finding& finding : bench.findings) expect(false, "%s: a false alarm: %s", what, describe(finding).c_str());
    }
    count(1);
}

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

void copies() {
    auto copy = [](const char* wait, const char* mark, const char* from = "%r1") {
        return format("cp.async.ca.shared.global [%%r1], [%%rd1], 4;\n cp.async.commit_group; %s\n ld.shared.u32 %%r9, [%s]; %s\n", wait, from, mark);
    };
    finds(FindingKind::AsyncCopy, "a copy that nobody waits for", copy("bar.sync 0;", "// here"), "has not waited");
    finds(FindingKind::AsyncCopy, "a copy that may still be under way", copy("cp.async.wait_group 1;", "// here"));
    finds(FindingKind::AsyncCopy, "a store into a copy's place", "cp.async.ca.shared.global [%r1], [%rd1], 4;\n st.shared.u32 [%r1], 5; // here\n cp.async.wait_all;");
    finds(FindingKind::AsyncCopy, "a copy outside the group that is waited for", R"(
        cp.async.commit_group; cp.async.ca.shared.global [%r1], [%rd1], 4;
        cp.async.wait_group 0; ld.shared.u32 %r9, [%r1]; // here
        )");
    // Found as the one or the other, by which warp comes first.
    for (u64 seed : {0, 1, 2, 3}) {
        Bench bench(program(R"(
        xor.b32 %r3, %thread, 32; mad.lo.u32 %r4, %r3, 4, %r0; cp.async.ca.shared.global [%r1], [%rd1], 4;
        cp.async.commit_group; bar.sync 0; cp.async.wait_group 0; ld.shared.u32 %r9, [%r4];)"));
        run(bench, seed, true);
        bool found = !bench.findings.empty() && (bench.findings[0].kind == FindingKind::AsyncCopy || bench.findings[0].kind == FindingKind::SharedRace);
        expect(found, "a barrier before the wait instead of behind it: not found with seed %d", static_cast<int>(seed));
    }
    fine("waited for", copy("cp.async.wait_group 0;", ""));
    fine("all waited for", copy("cp.async.wait_all;", ""));
    fine("two stages", R"(
        cp.async.ca.shared.global [%r1], [%rd1], 4; cp.async.commit_group; cp.async.ca.shared.global [%r1+512], [%rd1], 4; cp.async.commit_group;
        cp.async.wait_group 1; bar.sync 0; xor.b32 %r3, %thread, 32; mad.lo.u32 %r4, %r3, 4, %r0; ld.shared.u32 %r9, [%r4];
        cp.async.wait_group 0; bar.sync 0; ld.shared.u32 %r9, [%r4+512];)");
}

void shuffles() {
    finds(FindingKind::InvalidInstruction, "a shuffle from lanes that branch elsewhere", R"(
        setp.ge.u32 %p7, %lane, 16; @%p7 bra END;
        shfl.sync.down.b32 %r9, %thread, 8, 31, 0xffff; // here
    END: ret;)", "does not take part");
    finds(FindingKind::InvalidInstruction, "an indexed shuffle from outside the mask", R"(
        setp.ge.u32 %p7, %lane, 4; @%p7 bra END;
        shfl.sync.idx.b32 %r9, %thread, 20, 31, 0xf; // here
    END: ret;)", "does not take part");
    fine("a shuffle that stays inside", "setp.ge.u32 %p7, %lane, 16; @%p7 bra END; shfl.sync.bfly.b32 %r9, %thread, 8, 31, 0xffff; END: ret;");
    fine("a shuffle clamped to its segment", "setp.ge.u32 %p7, %lane, 16; @%p7 bra END; shfl.sync.down.b32 %r9, %thread, 8, 4111, 0xffff; END: ret;");
}

}  // namespace

int main() {
    withinBlocks();
    betweenBlocks();
    staleReads();
    copies();
    shuffles();
    return finish("global races");
}
