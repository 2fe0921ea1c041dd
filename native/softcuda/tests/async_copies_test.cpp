// cp.async: what it brings, when, and what may not be touched before; pipelines of two stages, right and wrong.
#include "marked.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

void waits() {
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

/// Eight tiles of 64 words through two buffers; each thread adds up what others brought.
std::string pipeline(const char* wait, const char* arrived, const char* done, const char* mark = "", const char* copyMark = "", int other = 256) {
    return header() + kernel("pipeline", "u64 in, u64 out", format(R"(
        .shared .align 16 .b8 cells[512];
        mov.u32 %%r0, cells; mad.lo.u32 %%r1, %%thread, 4, %%r0; xor.b32 %%r2, %%thread, 33; mad.lo.u32 %%r2, %%r2, 4, %%r0;
        mul.wide.u32 %%rd1, %%thread, 4; add.s64 %%rd2, %%out, %%rd1; add.s64 %%rd1, %%in, %%rd1;
        mov.u32 %%r3, 0; mov.u32 %%r4, 0; mov.u32 %%r5, 0;
        cp.async.ca.shared.global [%%r1], [%%rd1], 4; cp.async.commit_group;
    AGAIN: add.u32 %%r6, %%r3, 1; setp.lt.u32 %%p0, %%r6, 8; xor.b32 %%r7, %%r5, %d; add.u32 %%r8, %%r1, %%r7;
        @%%p0 add.s64 %%rd1, %%rd1, 256;
        @%%p0 cp.async.ca.shared.global [%%r8], [%%rd1], 4; %s
        cp.async.commit_group; %s %s
        add.u32 %%r9, %%r2, %%r5; ld.shared.u32 %%r10, [%%r9]; %s
        add.u32 %%r4, %%r4, %%r10; %s
        mov.u32 %%r5, %%r7; mov.u32 %%r3, %%r6; @%%p0 bra AGAIN;
        st.global.u32 [%%rd2], %%r4;)", other, copyMark, wait, arrived, mark, done));
}

void pipelines() {
    std::vector<u32> in(8 * Threads);
    for (u32 i = 0; i < in.size(); ++i) in[i] = i * i + 7;
    auto start = [&](Bench& bench, u64 seed) {
        bench.options.seed = seed;
        u64 input = bench.upload(in), out = bench.allocate(4 * Threads);
        bench.launch("pipeline", {1}, {Threads}, 0, input, out);
        return bench.download<u32>(out, Threads);
    };
    auto wrong = [&](const char* what, const std::string& text, std::initializer_list<FindingKind> kinds, const char* words) {
        for (u64 seed : {0, 1, 2, 3}) {
            Bench bench(text);
            start(bench, seed);
            if (!expect(!bench.findings.empty(), "%s: not found with seed %d", what, static_cast<int>(seed))) continue;
            const Finding& first = bench.findings[0];
            bool known = std::find(kinds.begin(), kinds.end(), first.kind) != kinds.end();
            expect(known && isMarked(text, first.line) && first.message.find(words) != std::string::npos, "%s: %s", what, describe(first).c_str());
            expect(describe(first).find("kernel pipeline") != std::string::npos && describe(first).find("address 0x") != std::string::npos, "%s", describe(first).c_str());
        }
    };
    for (u64 seed : {0, 1, 2, 3})
        for (bool checks : {true, false}) {
            Bench bench(pipeline("cp.async.wait_group 1;", "bar.sync 0;", "bar.sync 0;"));
            bench.options.checks = checks;
            std::vector<u32> got = start(bench, seed);
            for (const Finding& finding : bench.findings) expect(false, "a pipeline: a false alarm: %s", describe(finding).c_str());
            for (u32 thread = 0; thread < Threads; ++thread) {
                u32 sum = 0;
                for (u32 tile = 0; tile < 8; ++tile) sum += in[tile * Threads + (thread ^ 33)];
                expect(got[thread] == sum, "a pipeline: thread %u has %u, expected %u", thread, got[thread], sum);
            }
        }
    const char* barrier = "bar.sync 0;";
    wrong("a pipeline that waits for one group too few", pipeline("cp.async.wait_group 2;", barrier, barrier, "// here"), {FindingKind::AsyncCopy}, "has not waited");
    wrong("a pipeline without a barrier behind the wait", pipeline("cp.async.wait_group 1;", "", barrier, "// here"),
          {FindingKind::AsyncCopy, FindingKind::SharedRace, FindingKind::UninitialisedShared}, "reads");
    wrong("a pipeline that fills what is still read", pipeline("cp.async.wait_group 1;", barrier, "", "// here", "// here"),
          {FindingKind::AsyncCopy, FindingKind::SharedRace}, "");
    wrong("a pipeline of one buffer", pipeline("cp.async.wait_group 1;", barrier, barrier, "// here", "// here", 0), {FindingKind::AsyncCopy}, "writes 4 bytes");
}

/// Until the wait the destination holds what it held: with and without checks.
void deferred() {
    Bench bench(header() + kernel("late", "u64 in, u64 out", R"(
        .shared .align 16 .b8 cells[256];
        mov.u32 %r0, cells; mad.lo.u32 %r0, %thread, 4, %r0; mul.wide.u32 %rd0, %thread, 4; add.s64 %rd1, %in, %rd0; mad.wide.u32 %rd2, %thread, 12, %out;
        st.shared.u32 [%r0], 119;
        cp.async.ca.shared.global [%r0], [%rd1], 4; ld.shared.u32 %r1, [%r0];
        cp.async.commit_group; cp.async.commit_group; cp.async.wait_group 2; ld.shared.u32 %r2, [%r0];
        cp.async.wait_group 1; ld.shared.u32 %r3, [%r0];
        st.global.u32 [%rd2], %r1; st.global.u32 [%rd2+4], %r2; st.global.u32 [%rd2+8], %r3;)"));
    std::vector<u32> in(64);
    for (u32 i = 0; i < 64; ++i) in[i] = 1000 + i;
    u64 input = bench.upload(in), out = bench.allocate(64 * 12);
    for (bool checks : {true, false}) {
        bench.options.checks = checks;
        bench.launch("late", {1}, {64}, 0, input, out);
        expect(bench.findings.empty() != checks, "%zu findings", bench.findings.size());
        std::vector<u32> got = bench.download<u32>(out, 192);
        for (u32 i = 0; i < 64; ++i)
            expect(got[3 * i] == 119 && got[3 * i + 1] == 119 && got[3 * i + 2] == 1000 + i, "thread %u: %u, %u, %u", i, got[3 * i], got[3 * i + 1], got[3 * i + 2]);
    }
}

void sources() {
    finds(FindingKind::AsyncCopy, "a source that its thread overwrites", R"(
        cp.async.ca.shared.global [%r1], [%rd1], 4; // here
        st.global.u32 [%rd1], 5; cp.async.wait_all;)", "change before");
    fine("a source that is overwritten behind the wait", "cp.async.ca.shared.global [%r1], [%rd1], 4; cp.async.wait_all; st.global.u32 [%rd1], 5;");
    finds(FindingKind::InvalidInstruction, "more bytes than are copied", R"(mov.u32 %r4, 12;
        cp.async.ca.shared.global [%r1], [%rd1], 4, %r4; // here
        cp.async.wait_all;)", "reads 12 bytes to copy 4");
    finds(FindingKind::AsyncCopy, "an atomic on a copy's place", R"(cp.async.ca.shared.global [%r1], [%rd1], 4;
        atom.shared.add.u32 %r4, [%r1], 1; // here
        cp.async.wait_all;)", "updates 4 bytes");
    finds(FindingKind::AsyncCopy, "two copies to one place", R"(cp.async.ca.shared.global [%r1], [%rd1], 4;
        cp.async.ca.shared.global [%r1], [%rd1], 4; // here
        cp.async.wait_all;)", "writes 4 bytes");
    finds(FindingKind::AsyncCopy, "zeros that have not arrived", R"(mov.u32 %r4, 0; mov.u64 %rd5, 0;
        cp.async.ca.shared.global [%r1], [%rd5], 4, %r4;
        ld.shared.u32 %r9, [%r1]; // here
        cp.async.wait_all;)", "reads 4 bytes");
    finds(FindingKind::AsyncCopy, "one byte of what is copied", R"(mad.lo.u32 %r4, %thread, 16, %r0; mov.u64 %rd5, %out;
        cp.async.cg.shared.global [%r4], [%rd5], 16;
        st.shared.u8 [%r4+15], 1; // here
        cp.async.wait_all;)", "writes 1 byte of");
    // What is not read may lie anywhere.
    fine("zeros from nowhere", "mov.u32 %r4, 0; mov.u64 %rd5, 0; cp.async.ca.shared.global [%r1], [%rd5], 4, %r4; cp.async.wait_all; ld.shared.u32 %r9, [%r1];");
    fine("an ignored source", "setp.eq.u32 %p7, %r1, %r1; mov.u64 %rd5, 0; cp.async.ca.shared.global [%r1], [%rd5], 4, %p7; cp.async.wait_all; ld.shared.u32 %r9, [%r1];");
    auto tail = [](const char* bytes) {
        return header() + kernel("tail", "u64 in", format(R"(.shared .align 16 .b8 cells[16];
        mov.u32 %%r0, cells;
        cp.async.cg.shared.global [%%r0], [%%in], 16%s; // here
        cp.async.wait_all; ld.shared.u32 %%r1, [%%r0];)", bytes));
    };
    for (int bytes : {1, 3, 8, 13}) {
        Bench bench(tail(format(", %d", bytes).c_str()));
        u64 at = bench.upload(std::vector<u8>(static_cast<std::size_t>(bytes), 1));
        if (bench.clean("tail", {}, {1}, 0, at)) expect(bench.counters.bytesLoaded == static_cast<u64>(bytes), "%llu bytes read", static_cast<unsigned long long>(bench.counters.bytesLoaded));
        bench.launch("tail", {}, {1}, 0, at + 8);
        expect(!bench.findings.empty() && bench.findings[0].kind == FindingKind::Misaligned, "a source that is not a multiple of 16 bytes: not found");
    }
    Bench bench(tail(""));
    u64 at = bench.upload(std::vector<u8>(13, 1));
    bench.launch("tail", {}, {1}, 0, at);
    expect(bench.outcome == Outcome::IllegalAddress && bench.findings.size() == 1 && bench.findings[0].line == bench.lineOf("// here"), "a copy from behind the end");
}

}  // namespace

int main() {
    waits();
    pipelines();
    deferred();
    sources();
    return finish("asynchronous copies");
}
