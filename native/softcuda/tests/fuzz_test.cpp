// Damaged modules: cut off anywhere, bytes changed, lines moved. They may be refused or taken, but nothing else may happen.
#include <chrono>

#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

const std::string& sample() {
    static const std::string text = header() +
        ".extern .shared .align 16 .b8 dynamic[];\n.const .align 4 .f32 table[4] = {1.5, 0f40490FDB, -2.0, 3.0};\n.global .align 8 .u64 pointer = table;\n"
        ".func (.param .b32 result) twice(.param .b32 x)\n{ .reg .b32 %r<3>; ld.param.u32 %r1, [x]; shl.b32 %r2, %r1, 1; st.param.b32 [result], %r2; ret; }\n" +
        kernel("first", "u64 in, u64 out, u32 n", R"(
        .shared .align 4 .b8 cells[256]; .local .align 4 .b8 mine[8];
        setp.ge.u32 %p0, %gid, %n; @%p0 bra DONE;
        mul.wide.u32 %rd0, %gid, 4; add.s64 %rd1, %in, %rd0; ld.global.nc.v2.f32 {%f0, %f1}, [%rd1+-8]; fma.rn.ftz.f32 %f2, %f0, %f1, 0f3F800000;
        { .param .b32 a; .param .b32 b; st.param.b32 [a], %r0; call.uni (b), twice, (a); ld.param.b32 %r1, [b]; }
        and.b32 %r2, %lane, 1; TABLE: .branchtargets ZERO, ONE; brx.idx %r2, TABLE;
        ZERO: cvt.rzi.s32.f32 %r3, %f2; bra.uni DONE;
        ONE: shfl.sync.bfly.b32 %r4|%p1, %r3, 16, 0x1f, 0xffffffff; vote.sync.ballot.b32 %r5, !%p1, -1;
        atom.global.cas.b32 %r6, [%rd1], %r4, %r5; mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f4, %f5, %f6, %f7}, {%r0, %r1, %r2, %r3}, {%r4, %r5}, {%f4, %f5, %f6, %f7};
        DONE: bar.sync 0; mov.u32 %r7, dynamic; st.shared.v4.b32 [%r7+16], {%r0, %r1, %r2, %r3}; st.local.u32 [mine+4], 7; selp.b32 %r8, -1, 0xFF, %p0;)",
               ".maxntid 64, 1, 1");
    return text;
}

/// Whatever comes of it, the memory is as it was once the module is gone. The text lies exactly at the end of its own storage, so
/// that reading on behind it would be seen by a sanitizer.
bool survives(const std::string& text) {
    Memory memory(1 << 20);
    LoadError error;
    {
        std::vector<char> exact(text.begin(), text.end());
        std::shared_ptr<Module> module = load({exact.data(), exact.size()}, memory, error);
        if (!module && !expect(!error.message.empty() && error.line >= 0, "a refusal without a reason")) return false;
        if (module)
            for (const Kernel* kernel : kernels(*module)) count(!info(*kernel).name.empty());
    }
    return expect(memory.liveBlocks() == 0, "memory is left after a damaged module:\n%s", text.c_str());
}

}  // namespace

int main() {
    const std::string& text = sample();
    Bench bench(text);
    expect(bench.loaded(), "the sample is refused: line %d (%s): %s", bench.error.line, bench.error.text.c_str(), bench.error.message.c_str());
    std::mt19937 random(15);
    auto start = std::chrono::steady_clock::now();
    auto inTime = [&] { return std::chrono::steady_clock::now() - start < std::chrono::seconds(4); };
    for (std::size_t length = 0; length < text.size() && inTime(); length += 1 + random() % 7) survives(text.substr(0, length));
    const std::string interesting = "{}[]()<>.,;:%@!|+-_\"/*\n\0 0189afxXFdDuU$=#\x80\xff";
    for (int round = 0; round < 1500 && inTime(); ++round) {
        std::string damaged = text;
        for (u32 i = 0, changes = 1 + random() % 4; i < changes; ++i) {
            std::size_t at = random() % damaged.size();
            switch (random() % 5) {
                case 0: damaged[at] = static_cast<char>(random()); break;
                case 1: damaged[at] = interesting[random() % interesting.size()]; break;
                case 2: damaged.erase(at, 1 + random() % 12); break;
                case 3: damaged.insert(at, damaged.substr(random() % damaged.size(), random() % 40)); break;
                default: damaged.insert(at, 1, interesting[random() % interesting.size()]); break;
            }
            if (damaged.empty()) damaged = " ";
        }
        survives(damaged);
    }
    // Long and deep.
    survives(header() + std::string(200000, '{'));
    survives(header() + ".visible .entry k()\n" + std::string(50000, '{'));
    survives(header() + ".visible .entry k() { .reg .b32 %r<4000000000>; ret; }");
    survives(header() + ".visible .entry k() { .reg .b32 %r<1000000>; mov.u32 %r999999, 1; ret; }");
    survives(header() + ".global .b8 a[18446744073709551615];");
    survives(header() + ".visible .entry k() { .shared .b8 a[4294967296]; .local .b8 b[4294967295]; ret; }");
    survives(header() + ".visible .entry k(.param .align 8 .b8 a[4294967295]) { ret; }");
    survives(header() + ".visible .entry k() { .reg .b32 %r<2>; mov.u32 %r0, " + std::string(10000, '9') + "; ret; }");
    survives(header() + ".func a() { call.uni a, (); ret; } .visible .entry k() { call.uni a, (); ret; }");
    survives(header() + ".visible .entry k() { @%p0; ret; }");
    survives(std::string(1000, '\0'));
    return finish("fuzz");
}
