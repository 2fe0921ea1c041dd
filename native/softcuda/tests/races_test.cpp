// Shared-memory races: what two threads do to one word between two barriers, in all orders; and correct programs that come close.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

/// %r0 is the address of the array, %r1 that of the thread's own word; every word is written before the body begins.
std::string program(const std::string& body) {
    return header() + kernel("race", "u64 out", R"(.shared .align 16 .b8 cells[2048];
        mov.u32 %r0, cells; mad.lo.u32 %r1, %thread, 4, %r0; st.shared.u32 [%r1], 0; st.shared.u32 [%r1+1024], 0; bar.sync 0;
        xor.b32 %r2, %thread, 32; mad.lo.u32 %r2, %r2, 4, %r0; xor.b32 %r3, %thread, 1; mad.lo.u32 %r3, %r3, 4, %r0; mov.u32 %r9, 0;
        setp.ge.u32 %p1, %thread, 32; setp.eq.u32 %p2, %thread, 0; setp.eq.u32 %p3, %thread, 32; setp.eq.u32 %p4, %thread, 33;
)" + body + R"(
        mul.wide.u32 %rd0, %gid, 4; add.s64 %rd0, %out, %rd0; st.global.u32 [%rd0], %r9;)");
}

/// Some finding of a race on one of the lines marked "// here", and none elsewhere.
void races(const char* what, const std::string& body, u32 threads = 64) {
    for (u64 seed : {0, 1, 2, 3}) {
        std::string text = program(body);
        Bench bench(text);
        bench.options.seed = seed;
        u64 out = bench.allocate(4 * 512);
        bench.launch("race", {2}, {threads}, 0, out);
        expect(bench.outcome == Outcome::Ok, "%s: ended with %s", what, nameOf(bench.outcome));
        expect(!bench.findings.empty(), "%s: not found with seed %d", what, static_cast<int>(seed));
        std::vector<std::string> lines{""};
        for (char c : text) {
            if (c == '\n') lines.emplace_back();
            else lines.back() += c;
        }
        for (const Finding& finding : bench.findings) {
            bool marked = finding.line > 0 && finding.line <= static_cast<int>(lines.size()) && lines[static_cast<std::size_t>(finding.line) - 1].find("// here") != std::string::npos;
            expect(finding.kind == FindingKind::SharedRace && marked && finding.kernel == "race", "%s: %s", what, describe(finding).c_str());
        }
    }
}

void fine(const char* what, const std::string& body, u32 threads = 64) {
    for (u64 seed : {0, 1, 2, 3}) {
        Bench bench(program(body));
        bench.options.seed = seed;
        u64 out = bench.allocate(4 * 512);
        if (!bench.clean("race", {2}, {threads}, 0, out)) {
            expect(false, "%s: a false alarm", what);
            return;
        }
    }
}

void acrossWarps() {
    races("two warps write one word", R"(
        @%p2 st.shared.u32 [%r0], 1; // here
        @%p3 st.shared.u32 [%r0], 2; // here
        )");
    races("one warp writes what the other reads", R"(
        @%p2 st.shared.u32 [%r0], 1; // here
        @%p3 ld.shared.u32 %r9, [%r0]; // here
        )");
    races("one warp reads what the other writes", R"(
        @%p2 ld.shared.u32 %r9, [%r0]; // here
        @%p3 st.shared.u32 [%r0], 1; // here
        )");
    races("a neighbour's word without a barrier", R"(
        st.shared.u32 [%r1], %thread; // here
        ld.shared.u32 %r9, [%r2]; // here
        )");
    races("only some bytes overlap", R"(
        @%p2 st.shared.u8 [%r0+3], 1; // here
        @%p3 ld.shared.u32 %r9, [%r0]; // here
        )");
    races("a wide store over a neighbour", R"(
        @%p2 st.shared.v4.u32 [%r0], {%r9, %r9, %r9, %r9}; // here
        @%p3 st.shared.u32 [%r0+12], 1; // here
        )");
    races("through a generic address", R"(
        cvt.u64.u32 %rd1, %r0; cvta.shared.u64 %rd1, %rd1;
        @%p2 st.u32 [%rd1], 1; // here
        @%p3 ld.shared.u32 %r9, [%r0]; // here
        )");
    races("an atomic against a plain store", R"(
        @%p2 atom.shared.add.u32 %r9, [%r0], 1; // here
        @%p3 st.shared.u32 [%r0], 1; // here
        )");
    races("an atomic against a plain load", R"(
        @%p2 red.shared.add.u32 [%r0], 1; // here
        @%p3 ld.shared.u32 %r9, [%r0]; // here
        )");
    fine("both only read", "ld.shared.u32 %r9, [%r0];");
    fine("a barrier between", "st.shared.u32 [%r1], %thread; bar.sync 0; ld.shared.u32 %r9, [%r2];");
    fine("neighbouring bytes of one word", "@%p2 st.shared.u8 [%r0], 1; @%p3 st.shared.u8 [%r0+1], 1; @%p4 st.shared.u16 [%r0+2], 1;");
    fine("atomics among themselves", "atom.shared.add.u32 %r9, [%r0], 1; red.shared.max.u32 [%r0], %thread; atom.shared.cas.b32 %r9, [%r0], 0, 1;");
    fine("a thread reads back its own", "st.shared.u32 [%r1], %thread; ld.shared.u32 %r9, [%r1]; st.shared.u32 [%r1], %r9;");
    fine("atomics, a barrier, a load", "red.shared.add.u32 [%r0], 1; bar.sync 0; ld.shared.u32 %r9, [%r0];");
}

void withinWarps() {
    races("two lanes write one word at once", R"(
        and.b32 %r4, %thread, 16; mad.lo.u32 %r4, %r4, 4, %r0; setp.lt.u32 %p5, %thread, 32;
        @%p5 st.shared.u32 [%r4], %thread; // here
        )");
    races("a neighbour lane's word, without bar.warp.sync", R"(
        st.shared.u32 [%r1], %thread; // here
        ld.shared.u32 %r9, [%r3]; // here
        )", 32);
    races("read, then overwritten by a neighbour lane", R"(
        ld.shared.u32 %r9, [%r3]; // here
        st.shared.u32 [%r1], %thread; // here
        )", 32);
    fine("a neighbour lane's word behind bar.warp.sync", "st.shared.u32 [%r1], %thread; bar.warp.sync 0xffffffff; ld.shared.u32 %r9, [%r3];");
    fine("warp-synchronous steps", R"(
        st.shared.u32 [%r1], %thread; bar.warp.sync -1; ld.shared.u32 %r9, [%r3]; bar.warp.sync -1; st.shared.u32 [%r1], %r9; bar.warp.sync -1;
        ld.shared.u32 %r9, [%r3]; bar.warp.sync -1; st.shared.u32 [%r1], %r9;)");
    races("bar.warp.sync does not order other warps", R"(
        st.shared.u32 [%r1], %thread; // here
        bar.warp.sync -1;
        ld.shared.u32 %r9, [%r2]; // here
        )");
}

/// A block reduction over 256 threads; `barrier` stands within its loop.
std::string reduction(const char* barrier, const char* mark) {
    return format(R"(
        mov.u32 %%r4, 128;
        st.shared.u32 [%%r1], %%thread; bar.sync 0;
    AGAIN: setp.ge.u32 %%p5, %%thread, %%r4; @%%p5 bra SKIP; mad.lo.u32 %%r5, %%r4, 4, %%r1;
        ld.shared.u32 %%r6, [%%r5]; %s
        ld.shared.u32 %%r7, [%%r1]; add.u32 %%r6, %%r6, %%r7;
        st.shared.u32 [%%r1], %%r6; %s
    SKIP: %s
        shr.u32 %%r4, %%r4, 1; setp.ne.u32 %%p6, %%r4, 0; @%%p6 bra AGAIN;)", mark, mark, barrier);
}

/// Two tiles in turn: one is filled while the other is read, one barrier for each step.
std::string doubleBuffer(const char* barrier, const char* mark, const char* offset) {
    return format(R"(
        mov.u32 %%r4, 0; mov.u32 %%r5, 0;
    STEP: add.u32 %%r6, %%r1, %%r5;
        st.shared.u32 [%%r6], %%r4; %s
        %s
        add.u32 %%r7, %%r2, %%r5;
        ld.shared.u32 %%r9, [%%r7]; %s
        xor.b32 %%r5, %%r5, %s; add.u32 %%r4, %%r4, 1; setp.lt.u32 %%p5, %%r4, 6; @%%p5 bra STEP;)", mark, barrier, mark, offset);
}

void programs() {
    fine("a reduction with all its barriers", reduction("bar.sync 0;", ""), 256);
    races("a reduction without its barrier", reduction("", "// here"), 256);
    fine("two tiles in turn", doubleBuffer("bar.sync 0;", "", "1024"));
    races("one tile where two are needed", doubleBuffer("bar.sync 0;", "// here", "0"));
    races("two tiles without a barrier", doubleBuffer("", "// here", "1024"));
    // A transposed tile, as matrix kernels have it.
    fine("a transposed tile", R"(
        and.b32 %r4, %thread, 15; shr.u32 %r5, %thread, 4; mad.lo.u32 %r6, %r4, 17, %r5; mad.lo.u32 %r6, %r6, 4, %r0; mad.lo.u32 %r7, %r5, 17, %r4; mad.lo.u32 %r7, %r7, 4, %r0;
        st.shared.u32 [%r7], %thread; bar.sync 0; ld.shared.u32 %r9, [%r6];)", 256);
    // Copied by cp.async, waited for, and then read by others.
    auto copy = [](const char* wait, const char* mark) {
        return format(R"(
        mul.wide.u32 %%rd1, %%gid, 4; add.s64 %%rd1, %%out, %%rd1; st.global.u32 [%%rd1], %%thread;
        cp.async.ca.shared.global [%%r1], [%%rd1], 4; %s
        cp.async.commit_group; %s
        ld.shared.u32 %%r9, [%%r2]; %s)", mark, wait, mark);
    };
    fine("an asynchronous copy, waited for", copy("cp.async.wait_all; bar.sync 0;", ""));
    races("an asynchronous copy, no barrier", copy("cp.async.wait_all;", "// here\n"));
    // Off without checks.
    Bench bench(program("@%p2 st.shared.u32 [%r0], 1;\n@%p3 st.shared.u32 [%r0], 2;"));
    bench.options.checks = false;
    u64 out = bench.allocate(4 * 512);
    bench.clean("race", {2}, {64}, 0, out);
}

/// A finding names the thread, the address and both parties.
void places() {
    Bench bench(program("@%p2 st.shared.u32 [%r0+64], 1; // first\n@%p4 st.shared.u32 [%r0+64], 2; // second\n"));
    u64 out = bench.allocate(4 * 512);
    bench.launch("race", {1}, {64}, 0, out);
    if (!expect(bench.findings.size() == 1, "%zu findings", bench.findings.size())) return;
    const Finding& finding = bench.findings[0];
    bool first = finding.line == bench.lineOf("// first"), second = finding.line == bench.lineOf("// second");
    expect((first && finding.thread[0] == 0) || (second && finding.thread[0] == 33), "the later of the two: %s", describe(finding).c_str());
    expect(finding.address % 1024 == 64, "the address: %s", describe(finding).c_str());
    expect(finding.message.find(first ? "33" : "0") != std::string::npos, "the message names the other thread: %s", describe(finding).c_str());
}

}  // namespace

int main() {
    acrossWarps();
    withinWarps();
    programs();
    places();
    return finish("races");
}
