// Programs of which the wrong lines are marked "// here": what is found must be found there, whatever the order of the warps.
#pragma once
#include "values.hpp"

namespace softcuda::test {

constexpr u32 Threads = 64, Blocks = 4;

/// %rd0 is the array, %rd1 the thread's own word of it, %rd2 that of the thread 32 further (of the other warp), %rd3 a neighbour lane's,
/// %rd4 the ticket, all zeros; every block has 64 words of the array.
inline std::string program(const std::string& body) {
    return header() + kernel("race", "u64 out, u64 ticket", R"(.shared .align 16 .b8 cells[1024];
        mov.u32 %r0, cells; mad.lo.u32 %r1, %thread, 4, %r0; mov.u32 %r9, 0; mov.u64 %rd4, %ticket;
        mov.u32 %r8, %ctaid.x; mov.u32 %r2, %gid; mul.wide.u32 %rd1, %r2, 4; add.s64 %rd1, %out, %rd1; mov.u64 %rd0, %out;
        xor.b32 %r3, %r2, 32; mul.wide.u32 %rd2, %r3, 4; add.s64 %rd2, %out, %rd2; xor.b32 %r3, %r2, 1; mul.wide.u32 %rd3, %r3, 4; add.s64 %rd3, %out, %rd3;
        setp.eq.u32 %p2, %thread, 0; setp.eq.u32 %p3, %thread, 32; setp.eq.u32 %p4, %r8, 0;
)" + body);
}

inline bool isMarked(const std::string& text, int line) {
    std::vector<std::string> lines{""};
    for (char c : text) {
        if (c == '\n') lines.emplace_back();
        else lines.back() += c;
    }
    return line > 0 && line <= static_cast<int>(lines.size()) && lines[static_cast<std::size_t>(line) - 1].find("// here") != std::string::npos;
}

inline void run(Bench& bench, u64 seed, bool races) {
    bench.options.seed = seed;
    bench.options.races = races;
    u64 out = bench.upload(std::vector<u32>(Threads * Blocks, 0)), ticket = bench.upload(std::vector<u32>(64, 0));
    bench.launch("race", {Blocks}, {Threads}, 0, out, ticket);
}

/// Findings of one kind on the lines marked "// here", whatever the order, and none with the check off.
inline void finds(FindingKind kind, const char* what, const std::string& body, const char* words = "") {
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

inline void fine(const char* what, const std::string& body) {
    for (u64 seed : {0, 1, 2, 3}) {
        Bench bench(program(body));
        run(bench, seed, true);
        for (const Finding& finding : bench.findings) expect(false, "%s: a false alarm: %s", what, describe(finding).c_str());
    }
    count(1);
}

}  // namespace softcuda::test
