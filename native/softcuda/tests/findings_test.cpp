// Each check with kernels that are wrong, which it must catch and place exactly, and with right ones, which it must leave alone.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

using Place = std::array<u32, 3>;

/// What a finding must say. Lines are named by a comment of the PTX, "// here" by default.
struct Expected {
    FindingKind kind;
    Outcome outcome;
    Place block{}, thread{};
    u64 address = 0;
    bool anyAddress = false;
    const char* mark = "// here";
};

/// Exactly one finding, of this kind and at this place.
void caught(const char* what, Bench& bench, std::string_view name, const Expected& expected) {
    if (!expect(bench.outcome == expected.outcome, "%s: outcome %s, expected %s", what, nameOf(bench.outcome), nameOf(expected.outcome))) {
        for (const Finding& finding : bench.findings) expect(false, "%s: %s", what, describe(finding).c_str());
        return;
    }
    if (!expect(!bench.findings.empty(), "%s: not found", what)) return;
    const Finding& finding = bench.findings[0];
    std::string text = describe(finding);
    expect(bench.findings.size() == 1, "%s: %zu findings, the first: %s", what, bench.findings.size(), text.c_str());
    expect(finding.kind == expected.kind, "%s: found %s, expected %s: %s", what, nameOf(finding.kind), nameOf(expected.kind), text.c_str());
    expect(finding.kernel == name, "%s: kernel %s", what, finding.kernel.c_str());
    int line = bench.lineOf(expected.mark);
    expect(finding.line == line, "%s: line %d, expected %d: %s", what, finding.line, line, text.c_str());
    expect(finding.block == expected.block, "%s: block (%u,%u,%u): %s", what, finding.block[0], finding.block[1], finding.block[2], text.c_str());
    expect(finding.thread == expected.thread, "%s: thread (%u,%u,%u): %s", what, finding.thread[0], finding.thread[1], finding.thread[2], text.c_str());
    expect(expected.anyAddress || finding.address == expected.address, "%s: address %llx, expected %llx: %s", what, static_cast<unsigned long long>(finding.address),
           static_cast<unsigned long long>(expected.address), text.c_str());
    expect(!finding.instruction.empty() && !finding.message.empty(), "%s: no instruction or message: %s", what, text.c_str());
    // What a person reads names all of it.
    expect(text.find(std::string(name)) != std::string::npos && text.find(std::to_string(line)) != std::string::npos, "%s: the text lacks the kernel or the line: %s", what,
           text.c_str());
}

std::string access(const char* instruction) {
    return header() + kernel("touch", "u64 base, u32 step", format("mul.wide.u32 %%rd0, %%gid, 4; mov.u32 %%r0, 1; mov.f32 %%f0, 0f3F800000;\n"
                                                                "mul.lo.u32 %%r1, %%gid, %%step; cvt.u64.u32 %%rd1, %%r1; add.s64 %%rd1, %%base, %%rd1;\n%s // here\n", instruction));
}

void bounds() {
    const char* const kinds[] = {"ld.global.u32 %r2, [%rd1];",       "st.global.u32 [%rd1], %r0;",         "ld.u32 %r2, [%rd1];",
                                 "st.u32 [%rd1], %r0;",              "atom.global.add.u32 %r2, [%rd1], 1;", "red.global.add.f32 [%rd1], %f0;",
                                 "ld.global.nc.u32 %r2, [%rd1];",    "atom.add.u32 %r2, [%rd1], 1;",        "ld.volatile.global.u32 %r2, [%rd1];"};
    for (const char* kind : kinds) {
        // The last block's last thread is one too far: threads 0..63 of 64 words, and block 1 ends behind them.
        Bench bench(access(kind));
        u64 at = bench.upload(std::vector<u32>(40, 1));
        bench.clean("touch", {1}, {40}, 0, at, u32{4});
        bench.launch("touch", {1}, {41}, 0, at, u32{4});
        caught(kind, bench, "touch", {FindingKind::OutOfBounds, Outcome::IllegalAddress, {0, 0, 0}, {40, 0, 0}, at + 160});
        bench.launch("touch", {5}, {9}, 0, at, u32{4});
        caught(kind, bench, "touch", {FindingKind::OutOfBounds, Outcome::IllegalAddress, {4, 0, 0}, {4, 0, 0}, at + 160});
        // In front, in a gap between two allocations, far away, at null, and where memory was given back.
        bench.launch("touch", {1}, {1}, 0, at - 4, u32{4});
        caught("before", bench, "touch", {FindingKind::OutOfBounds, Outcome::IllegalAddress, {}, {}, at - 4});
        u64 second = bench.upload(std::vector<u32>(40, 1));
        u64 gap = std::min(at, second) + 160 + 64;
        bench.launch("touch", {1}, {1}, 0, gap, u32{4});
        caught("between", bench, "touch", {FindingKind::OutOfBounds, Outcome::IllegalAddress, {}, {}, gap});
        for (u64 wild : {u64{0}, u64{4}, u64{0x1000}, Memory::Base - 4, Memory::Base + bench.memory.capacity(), u64{0x7fffffff0000}, ~u64{0} - 3}) {
            bench.launch("touch", {1}, {1}, 0, wild, u32{4});
            caught("far away", bench, "touch", {FindingKind::OutOfBounds, Outcome::IllegalAddress, {}, {}, wild});
        }
        expect(bench.memory.release(second), "release");
        bench.launch("touch", {1}, {1}, 0, second, u32{4});
        caught("freed", bench, "touch", {FindingKind::OutOfBounds, Outcome::IllegalAddress, {}, {}, second});
        // Partly inside: the last two bytes lie behind the end. Misalignment is looked at first, so the size is odd here.
        u64 odd = bench.upload(std::vector<u8>(6, 1));
        bench.launch("touch", {1}, {2}, 0, odd, u32{4});
        caught("partly behind", bench, "touch", {FindingKind::OutOfBounds, Outcome::IllegalAddress, {}, {1, 0, 0}, odd + 4});
    }
    // A guard that keeps the wrong lanes out.
    Bench guarded(access("setp.lt.u32 %p0, %gid, 40; @%p0 ld.global.u32 %r2, [%rd1];"));
    u64 at = guarded.upload(std::vector<u32>(40, 1));
    guarded.clean("touch", {2}, {64}, 0, at, u32{4});
    // Vectors: the whole vector must lie inside.
    Bench vector(access("ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd1];"));
    at = vector.upload(std::vector<u32>(42, 1));
    vector.clean("touch", {1}, {10}, 0, at, u32{16});
    vector.launch("touch", {1}, {11}, 0, at, u32{16});
    caught("a vector half behind", vector, "touch", {FindingKind::OutOfBounds, Outcome::IllegalAddress, {}, {10, 0, 0}, 0, true});
    // Blocks and threads in three dimensions.
    Bench cube(header() + kernel("cube", "u64 base", R"(
        mov.u32 %r0, %tid.x; mov.u32 %r1, %tid.y; mov.u32 %r2, %tid.z; mov.u32 %r3, %ctaid.x; mov.u32 %r4, %ctaid.y; mov.u32 %r5, %ctaid.z;
        setp.eq.u32 %p0, %r0, 2; setp.eq.and.u32 %p0, %r1, 1, %p0; setp.eq.and.u32 %p0, %r2, 3, %p0; setp.eq.and.u32 %p0, %r3, 1, %p0; setp.eq.and.u32 %p0, %r4, 2, %p0;
        setp.eq.and.u32 %p0, %r5, 1, %p0; mov.u64 %rd0, 0;
        @%p0 ld.global.u32 %r0, [%rd0]; // here
        )"));
    cube.launch("cube", {2, 3, 2}, {4, 3, 4}, 0, u64{0});
    caught("three dimensions", cube, "cube", {FindingKind::OutOfBounds, Outcome::IllegalAddress, {1, 2, 1}, {2, 1, 3}, 0});
}

void otherSpaces() {
    auto test = [](const char* what, const char* body, u32 dynamic, bool wrong, FindingKind kind = FindingKind::OutOfBounds, Place thread = {}) {
        Bench bench(header() + ".extern .shared .align 16 .b8 dynamic[];\n" + kernel("space", "u32 index", std::string(body)));
        if (!wrong) {
            bench.clean("space", {}, {32}, dynamic, u32{15});
            return;
        }
        bench.launch("space", {}, {32}, dynamic, u32{16});
        Outcome outcome = kind == FindingKind::Misaligned ? Outcome::MisalignedAddress : Outcome::IllegalAddress;
        caught(what, bench, "space", {kind, outcome, {}, thread, 0, true});
    };
    const char* shared = R"(.shared .align 4 .b8 cells[64]; mov.u32 %r0, cells; mad.lo.u32 %r0, %index, 4, %r0; setp.eq.u32 %p0, %lane, 0;
        @%p0 st.shared.u32 [%r0], 1; // here
        )";
    test("static shared memory", shared, 0, false);
    test("behind static shared memory", shared, 0, true);
    const char* local = R"(.local .align 4 .b8 mine[64]; mov.u64 %rd0, mine; mul.wide.u32 %rd1, %index, 4; add.s64 %rd0, %rd0, %rd1;
        st.local.u32 [%rd0], 1; // here
        )";
    test("local memory", local, 0, false);
    test("behind local memory", local, 0, true);
    const char* dynamic = R"(mov.u32 %r0, dynamic; mad.lo.u32 %r0, %index, 4, %r0; setp.eq.u32 %p0, %lane, 3;
        @%p0 st.shared.u32 [%r0], 1; // here
        )";
    test("dynamic shared memory", dynamic, 64, false);
    test("behind dynamic shared memory", dynamic, 64, true, FindingKind::OutOfBounds, {3, 0, 0});
    const char* generic = R"(.shared .align 4 .b8 cells[64]; mov.u64 %rd0, cells; cvta.shared.u64 %rd0, %rd0; mul.wide.u32 %rd1, %index, 4; add.s64 %rd0, %rd0, %rd1; setp.eq.u32 %p0, %lane, 0;
        @%p0 st.u32 [%rd0], 1; // here
        )";
    test("shared memory, generically", generic, 0, false);
    test("behind shared memory, generically", generic, 0, true);
    const char* misaligned = R"(.shared .align 4 .b8 cells[256]; mov.u32 %r0, cells; mad.lo.u32 %r0, %index, 4, %r0; setp.eq.u32 %p0, %lane, 1;
        @%p0 st.shared.u32 [%r0+2], 1; // here
        )";
    test("misaligned shared memory", misaligned, 0, true, FindingKind::Misaligned, {1, 0, 0});
}

void alignment() {
    const struct {
        const char* instruction;
        u32 bytes;
    } kinds[] = {{"ld.global.u16 %r2, [%rd1];", 2},  {"ld.global.u32 %r2, [%rd1];", 4},
                 {"ld.global.u64 %rd2, [%rd1];", 8}, {"ld.global.v2.u32 {%r2, %r3}, [%rd1];", 8},
                 {"ld.global.v4.f32 {%f2, %f3, %f4, %f5}, [%rd1];", 16}, {"st.global.v2.u64 [%rd1], {%rd0, %rd0};", 16},
                 {"st.global.u32 [%rd1], %r0;", 4},  {"atom.global.add.u32 %r2, [%rd1], 1;", 4},
                 {"st.u64 [%rd1], %rd0;", 8},        {"red.global.add.u64 [%rd1], %rd0;", 8}};
    for (const auto& kind : kinds) {
        Bench bench(access(kind.instruction));
        u64 at = bench.upload(std::vector<u8>(4096, 1));
        bench.clean("touch", {2}, {32}, 0, at, kind.bytes);
        for (u32 off = 1; off < kind.bytes; off *= 2) {
            bench.launch("touch", {1}, {32}, 0, at + off, kind.bytes);
            caught(kind.instruction, bench, "touch", {FindingKind::Misaligned, Outcome::MisalignedAddress, {}, {}, at + off});
        }
        // Only from lane 1 on.
        bench.launch("touch", {1}, {32}, 0, at, kind.bytes + 1);
        caught(kind.instruction, bench, "touch", {FindingKind::Misaligned, Outcome::MisalignedAddress, {}, {1, 0, 0}, at + kind.bytes + 1});
    }
}

void uninitialised() {
    // Global memory that no one wrote, or only in part.
    Bench bench(access("ld.global.u32 %r2, [%rd1];"));
    u64 at = bench.allocate(256);
    bench.launch("touch", {1}, {32}, 0, at, u32{4});
    caught("global memory never written", bench, "touch", {FindingKind::UninitialisedRead, Outcome::Ok, {}, {}, at});
    bench.memory.markWritten(at, 40);
    bench.launch("touch", {1}, {32}, 0, at, u32{4});
    caught("global memory written in part", bench, "touch", {FindingKind::UninitialisedRead, Outcome::Ok, {}, {10, 0, 0}, at + 40});
    bench.clean("touch", {1}, {10}, 0, at, u32{4});
    // Off without checks.
    bench.options.checks = false;
    bench.clean("touch", {1}, {32}, 0, at, u32{4});
    bench.options.checks = true;
    // One byte of a word.
    u64 bytes = bench.allocate(8);
    bench.memory.markWritten(bytes, 3);
    bench.launch("touch", {1}, {1}, 0, bytes, u32{4});
    caught("three of four bytes written", bench, "touch", {FindingKind::UninitialisedRead, Outcome::Ok, {}, {}, 0, true});
    // An atomic reads too.
    Bench atomic(access("red.global.add.u32 [%rd1], 1;"));
    u64 cell = atomic.allocate(4);
    atomic.launch("touch", {1}, {1}, 0, cell, u32{4});
    caught("an atomic on what was never written", atomic, "touch", {FindingKind::UninitialisedRead, Outcome::Ok, {}, {}, cell});
    // A store makes it initialised, within the launch and after it.
    Bench stores(access("st.global.u32 [%rd1], %r0; ld.global.u32 %r2, [%rd1];"));
    u64 fresh = stores.allocate(256);
    stores.clean("touch", {2}, {32}, 0, fresh, u32{4});
    expect(stores.memory.valid(fresh, 256, true), "what a kernel stored counts as written");
    // Sub-word stores initialise their own bytes only.
    Bench narrow(header() + kernel("narrow", "u64 base", R"(
        st.global.u8 [%base], 1; st.global.u8 [%base+1], 2; ld.global.u16 %r0, [%base];
        ld.global.u32 %r1, [%base]; // here
        )"));
    u64 word = narrow.allocate(4);
    narrow.launch("narrow", {}, {1}, 0, word);
    caught("two of four bytes stored", narrow, "narrow", {FindingKind::UninitialisedRead, Outcome::Ok, {}, {}, 0, true});

    auto inBlock = [](const char* what, const char* body, FindingKind kind, bool wrong, Place thread = {}, u32 dynamic = 0) {
        Bench bench(header() + ".extern .shared .align 16 .b8 dynamic[];\n" + kernel("within", "u64 out", body));
        u64 out = bench.allocate(1024);
        if (!wrong) {
            bench.clean("within", {2}, {64}, dynamic, out);
            return;
        }
        bench.launch("within", {1}, {64}, dynamic, out);
        caught(what, bench, "within", {kind, Outcome::Ok, {}, thread, 0, true});
    };
    inBlock("shared memory never written", R"(.shared .align 4 .b8 cells[256]; mov.u32 %r0, cells; mad.lo.u32 %r0, %thread, 4, %r0;
        ld.shared.u32 %r1, [%r0]; // here
        )", FindingKind::UninitialisedShared, true);
    inBlock("shared memory, one word forgotten", R"(.shared .align 4 .b8 cells[256]; mov.u32 %r0, cells; mad.lo.u32 %r0, %thread, 4, %r0; setp.ne.u32 %p0, %thread, 41;
        @%p0 st.shared.u32 [%r0], 1; bar.sync 0;
        ld.shared.u32 %r1, [%r0]; // here
        )", FindingKind::UninitialisedShared, true, {41, 0, 0});
    inBlock("shared memory written", R"(.shared .align 4 .b8 cells[256]; mov.u32 %r0, cells; mad.lo.u32 %r0, %thread, 4, %r0;
        st.shared.u32 [%r0], 1; bar.sync 0; ld.shared.u32 %r1, [%r0];)", FindingKind::UninitialisedShared, false);
    inBlock("dynamic shared memory never written", R"(mov.u32 %r0, dynamic; mad.lo.u32 %r0, %thread, 4, %r0;
        ld.shared.u32 %r1, [%r0]; // here
        )", FindingKind::UninitialisedShared, true, {}, 256);
    inBlock("a shared atomic on what was never written", R"(.shared .align 4 .u32 cell;
        atom.shared.add.u32 %r1, [cell], 1; // here
        )", FindingKind::UninitialisedShared, true);
    inBlock("local memory never written", R"(.local .align 4 .b8 mine[16];
        ld.local.u32 %r1, [mine+4]; // here
        )", FindingKind::UninitialisedRead, true);
    inBlock("local memory written by other lanes", R"(.local .align 4 .b8 mine[16]; setp.ne.u32 %p0, %lane, 5; @%p0 st.local.u32 [mine+4], 1;
        setp.ge.u32 %p1, %thread, 32; @%p1 st.local.u32 [mine+4], 1;
        ld.local.u32 %r1, [mine+4]; // here
        )", FindingKind::UninitialisedRead, true, {5, 0, 0});
    inBlock("local memory written", ".local .align 4 .b8 mine[16]; st.local.u32 [mine+4], 1; ld.local.u32 %r1, [mine+4];", FindingKind::UninitialisedRead, false);
}

void barriers() {
    auto test = [](const char* what, const char* body, u32 threads, bool wrong, Place thread = {}) {
        Bench bench(header() + kernel("meet", "u64 out", body));
        u64 out = bench.allocate(4);
        if (!wrong) {
            bench.clean("meet", {2}, {threads}, 0, out);
            return;
        }
        bench.launch("meet", {1}, {threads}, 0, out);
        bool caughtIt = false;
        for (const Finding& finding : bench.findings) {
            if (finding.kind != FindingKind::DivergentBarrier) continue;
            caughtIt = true;
            int line = bench.lineOf("// here");
            expect(finding.line == line && finding.kernel == "meet" && finding.thread[1] == thread[1], "%s: line %d, expected %d: %s", what, finding.line, line, describe(finding).c_str());
        }
        expect(caughtIt, "%s: not found", what);
        expect(bench.outcome != Outcome::Ok, "%s: the launch went on", what);
    };
    test("half of a warp at a barrier", R"(setp.ge.u32 %p0, %lane, 16; @%p0 bra SKIP;
        bar.sync 0; // here
    SKIP: st.global.u32 [%out], 1;)", 32, true);
    test("a guarded barrier", R"(setp.lt.u32 %p0, %lane, 16;
        @%p0 bar.sync 0; // here
        )", 64, true);
    test("a whole warp that never comes", R"(setp.ge.u32 %p0, %thread, 32; @%p0 bra.uni SKIP;
        bar.sync 0; // here
        bra.uni DONE;
    SKIP: bar.sync 1;
    DONE: )", 64, true);
    test("a barrier in a loop of lane-dependent length", R"(mov.u32 %r0, 0;
    AGAIN: bar.sync 0; // here
        add.u32 %r0, %r0, 1; setp.le.u32 %p0, %r0, %lane; @%p0 bra AGAIN;)", 64, true);
    test("a barrier after lanes met again", R"(setp.ge.u32 %p0, %lane, 16; @%p0 bra SKIP; mov.u32 %r0, 1; SKIP: bar.sync 0;)", 64, false);
    test("a barrier that a uniform branch guards", "mov.u32 %r0, %ctaid.x; setp.ne.u32 %p0, %r0, 0; @%p0 bra SKIP; bar.sync 0; SKIP: mov.u32 %r0, 1;", 64, false);
    test("a barrier after some lanes ended", "setp.ge.u32 %p0, %lane, 16; @%p0 exit; bar.sync 0;", 64, false);
    test("a count that never comes together", R"(
        bar.sync 1, 96; // here
        )", 64, true);
}

void ends() {
    Bench trap(header() + kernel("stop", "u64 out", R"(setp.eq.u32 %p0, %gid, 70;
        @%p0 trap; // here
        )"));
    u64 out = trap.allocate(4);
    trap.launch("stop", {2}, {64}, 0, out);
    caught("trap", trap, "stop", {FindingKind::Trap, Outcome::Trap, {1, 0, 0}, {6, 0, 0}, 0, true});
    trap.clean("stop", {1}, {64}, 0, out);
    // A fault ends the launch: what stands behind it does not run.
    Bench fault(header() + kernel("fault", "u64 out", "mov.u64 %rd0, 0; ld.global.u32 %r0, [%rd0]; st.global.u32 [%out], 7;"));
    u64 cell = fault.upload(std::vector<u32>{1});
    fault.launch("fault", {}, {1}, 0, cell);
    expect(fault.outcome == Outcome::IllegalAddress && fault.download<u32>(cell, 1)[0] == 1, "nothing runs after a fault");
    // The machine still works after it.
    Bench after(header() + kernel("fine", "u64 out", "st.global.u32 [%out], 7;") + kernel("bad", "u64 out", "mov.u64 %rd0, 0; st.global.u32 [%rd0], 7;"));
    cell = after.upload(std::vector<u32>{1});
    after.launch("bad", {4}, {32}, 0, cell);
    expect(after.outcome == Outcome::IllegalAddress, "a fault");
    after.clean("fine", {}, {1}, 0, cell);
    // As many findings as asked for, no more.
    Bench many(header() + kernel("many", "u64 base", [] {
        std::string body;
        for (int i = 0; i < 40; ++i) body += format("ld.global.u32 %%r0, [%%base+%d];\n", 4 * i);
        return body;
    }()));
    u64 room = many.allocate(256);
    many.options.mostFindings = 5;
    many.launch("many", {4}, {64}, 0, room);
    expect(many.outcome == Outcome::Ok && many.findings.size() == 5, "%zu findings of at most 5", many.findings.size());
    for (std::size_t i = 0; i < many.findings.size(); ++i)
        expect(many.findings[i].address == room + 4 * i && many.findings[i].thread[0] % 32 == 0, "finding %zu: %s", i, describe(many.findings[i]).c_str());
    // A seed gives the same findings, whatever the number of workers.
    for (u64 seed : {0, 1, 2, 3}) {
        std::string before;
        for (int workers : {1, 2, 3, 8}) {
            many.options.seed = seed;
            many.options.workers = workers;
            many.launch("many", {16}, {64}, 0, room);
            std::string all;
            for (const Finding& finding : many.findings) all += describe(finding) + "\n";
            if (before.empty()) before = all;
            expect(all == before, "findings depend on the workers:\n%s", all.c_str());
        }
    }
    // A loop without end is ended.
    Bench endless(header() + kernel("endless", "u64 out", "AGAIN: bra.uni AGAIN;"));
    endless.options.budget = 100000;
    endless.launch("endless", {}, {32}, 0, u64{0});
    expect(endless.outcome == Outcome::Timeout, "a loop without end: %s", nameOf(endless.outcome));
}

}  // namespace

int main() {
    bounds();
    otherSpaces();
    alignment();
    uninitialised();
    barriers();
    ends();
    return finish("findings");
}
