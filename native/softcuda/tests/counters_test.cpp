// Counters of kernels whose requests, sectors, conflicts and operations are counted by hand.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

void equal(const std::string& what, const char* counter, u64 actual, u64 expected) {
    expect(actual == expected, "%s: %s is %llu, expected %llu", what.c_str(), counter, static_cast<unsigned long long>(actual), static_cast<unsigned long long>(expected));
}

/// One request a warp: thread i accesses base + offset + i * stride.
struct Pattern {
    const char* name;
    const char* load;
    const char* store;
    u32 bytes;  // of each lane
    u32 offset, stride;
    u64 sectors;    // of the request of one warp
    u64 footprint;  // of two warps, whose second goes on where the first one ends
};

void globalRequests() {
    const Pattern patterns[] = {
        {"words in a row", "ld.global.u32 %r2, [%rd1];", "st.global.u32 [%rd1], %r0;", 4, 0, 4, 4, 8},
        {"bytes in a row", "ld.global.u8 %r2, [%rd1];", "st.global.u8 [%rd1], %r0;", 1, 0, 1, 1, 2},
        {"halves in a row", "ld.global.u16 %r2, [%rd1];", "st.global.u16 [%rd1], %r0;", 2, 0, 2, 2, 4},
        {"double words in a row", "ld.global.u64 %rd2, [%rd1];", "st.global.u64 [%rd1], %rd0;", 8, 0, 8, 8, 16},
        {"pairs of words", "ld.global.v2.u32 {%r2, %r3}, [%rd1];", "st.global.v2.u32 [%rd1], {%r0, %r0};", 8, 0, 8, 8, 16},
        {"four words", "ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd1];", "st.global.v4.u32 [%rd1], {%r0, %r0, %r0, %r0};", 16, 0, 16, 16, 32},
        {"words, off by one", "ld.global.u32 %r2, [%rd1];", "st.global.u32 [%rd1], %r0;", 4, 4, 4, 5, 9},
        {"words, off by a sector", "ld.global.u32 %r2, [%rd1];", "st.global.u32 [%rd1], %r0;", 4, 32, 4, 4, 8},
        {"every other word", "ld.global.u32 %r2, [%rd1];", "st.global.u32 [%rd1], %r0;", 4, 0, 8, 8, 16},
        {"a word of each sector", "ld.global.u32 %r2, [%rd1];", "st.global.u32 [%rd1], %r0;", 4, 0, 32, 32, 64},
        {"a word of every other sector", "ld.global.u32 %r2, [%rd1];", "st.global.u32 [%rd1], %r0;", 4, 0, 64, 32, 64},
        {"a word of every third sector", "ld.global.u32 %r2, [%rd1];", "st.global.u32 [%rd1], %r0;", 4, 28, 96, 32, 64},
        {"a stride of three words", "ld.global.u32 %r2, [%rd1];", "st.global.u32 [%rd1], %r0;", 4, 0, 12, 12, 24},
        {"one word for all", "ld.global.u32 %r2, [%rd1];", "st.global.u32 [%rd1], %r0;", 4, 0, 0, 1, 1},
        {"generic addresses", "ld.u32 %r2, [%rd1];", "st.u32 [%rd1], %r0;", 4, 0, 4, 4, 8},
        {"through the read-only cache", "ld.global.nc.u32 %r2, [%rd1];", nullptr, 4, 0, 4, 4, 8},
    };
    for (const Pattern& pattern : patterns)
        for (bool store : {false, true}) {
            if (store && !pattern.store) continue;
            Bench bench(header() + kernel("touch", "u64 base", format("mov.u32 %%r0, 1; mov.u64 %%rd0, 2; mul.lo.u32 %%r1, %%gid, %u; cvt.u64.u32 %%rd1, %%r1; add.s64 %%rd1, %%base, %%rd1; add.s64 %%rd1, %%rd1, %u; %s",
                                                                  pattern.stride, pattern.offset, store ? pattern.store : pattern.load)));
            u64 base = bench.upload(std::vector<u8>(64 * std::max(pattern.stride, 4u) + 256));
            std::string name = std::string(pattern.name) + (store ? ", stored" : ", loaded");
            for (u32 warps : {1u, 2u}) {
                // Two warps of one block, and two blocks of one warp.
                for (bool blocks : {false, true}) {
                    if (!bench.clean("touch", {blocks ? warps : 1}, {blocks ? 32 : 32 * warps}, 0, base)) continue;
                    const Counters& c = bench.counters;
                    equal(name, "requests", store ? c.globalStores : c.globalLoads, warps);
                    equal(name, "requests of the other kind", store ? c.globalLoads : c.globalStores, 0);
                    equal(name, "bytes", store ? c.bytesStored : c.bytesLoaded, 32ull * warps * pattern.bytes);
                    equal(name, "bytes of the other kind", store ? c.bytesLoaded : c.bytesStored, 0);
                    equal(name, "sectors", store ? c.sectorsStored : c.sectorsLoaded, warps * pattern.sectors);
                    u64 footprint = store ? c.footprintStored : c.footprintLoaded;
                    if (warps == 2) equal(name, "footprint", footprint, pattern.footprint);
                    else equal(name, "footprint", footprint, pattern.sectors);
                    equal(name, "footprint of the other kind", store ? c.footprintLoaded : c.footprintStored, 0);
                    equal(name, "shared requests", c.sharedRequests, 0);
                    equal(name, "launches", c.launches, 1);
                    equal(name, "blocks", c.blocks, blocks ? warps : 1);
                    equal(name, "threads", c.threads, 32 * warps);
                }
            }
        }
    // Inactive lanes ask for nothing, and a request of no lane is none.
    Bench part(header() + kernel("part", "u64 base, u32 lanes", "setp.lt.u32 %p0, %lane, %lanes; mul.wide.u32 %rd0, %lane, 4; add.s64 %rd0, %base, %rd0; @%p0 ld.global.u32 %r0, [%rd0];"));
    u64 base = part.upload(std::vector<u32>(64));
    for (u32 lanes : {0u, 1u, 8u, 9u, 16u, 31u, 32u}) {
        if (!part.clean("part", {}, {32}, 0, base, lanes)) return;
        std::string name = format("%u lanes", lanes);
        equal(name, "requests", part.counters.globalLoads, lanes ? 1 : 0);
        equal(name, "bytes", part.counters.bytesLoaded, 4 * lanes);
        equal(name, "sectors", part.counters.sectorsLoaded, (lanes + 7) / 8);
    }
    // Reading the same twice moves twice, but touches once; the footprint can be left out.
    Bench again(header() + kernel("again", "u64 base", "mul.wide.u32 %rd0, %lane, 4; add.s64 %rd0, %base, %rd0; ld.global.u32 %r0, [%rd0]; ld.global.u32 %r1, [%rd0]; st.global.u32 [%rd0], %r1;"));
    base = again.upload(std::vector<u32>(32));
    if (!again.clean("again", {3}, {32}, 0, base)) return;
    equal("three blocks read twice", "sectors", again.counters.sectorsLoaded, 3 * 2 * 4);
    equal("three blocks read twice", "footprint", again.counters.footprintLoaded, 4);
    equal("three blocks read twice", "stored footprint", again.counters.footprintStored, 4);
    again.options.footprint = false;
    again.clean("again", {3}, {32}, 0, base);
    equal("no footprint", "footprint", again.counters.footprintLoaded, 0);
    // Counters add up over launches.
    Counters sum;
    std::vector<Finding> findings;
    const Kernel* kernelOf = findKernel(*again.module, "again");
    again.options.footprint = true;
    for (int i = 0; i < 3; ++i) run(*kernelOf, {2}, {32}, 0, &base, again.memory, again.options, sum, findings);
    equal("three launches", "launches", sum.launches, 3);
    equal("three launches", "blocks", sum.blocks, 6);
    equal("three launches", "sectors", sum.sectorsLoaded, 3 * 2 * 2 * 4);
    equal("three launches", "footprint", sum.footprintLoaded, 3 * 4);
}

/// Bank conflicts: passes beyond those that the width needs. Lane i accesses word `first + i * stride`.
void banks() {
    const struct {
        const char* name;
        const char* load;
        const char* store;
        u32 stride;  // bytes
        u64 conflicts;
    } patterns[] = {
        {"words in a row", "ld.shared.u32 %r2, [%r1];", "st.shared.u32 [%r1], %r0;", 4, 0},
        {"every other word", "ld.shared.u32 %r2, [%r1];", "st.shared.u32 [%r1], %r0;", 8, 1},
        {"every third word", "ld.shared.u32 %r2, [%r1];", "st.shared.u32 [%r1], %r0;", 12, 0},
        {"every fourth word", "ld.shared.u32 %r2, [%r1];", "st.shared.u32 [%r1], %r0;", 16, 3},
        {"a stride of 32 words", "ld.shared.u32 %r2, [%r1];", "st.shared.u32 [%r1], %r0;", 128, 31},
        {"a stride of 33 words", "ld.shared.u32 %r2, [%r1];", "st.shared.u32 [%r1], %r0;", 132, 0},
        {"one word for all", "ld.shared.u32 %r2, [%r1];", nullptr, 0, 0},
        {"bytes in a row", "ld.shared.u8 %r2, [%r1];", "st.shared.u8 [%r1], %r0;", 1, 0},
        {"halves in a row", "ld.shared.u16 %r2, [%r1];", "st.shared.u16 [%r1], %r0;", 2, 0},
        {"double words in a row", "ld.shared.u64 %rd2, [%r1];", "st.shared.u64 [%r1], %rd0;", 8, 0},
        {"every other double word", "ld.shared.v2.u32 {%r2, %r3}, [%r1];", "st.shared.v2.u32 [%r1], {%r0, %r0};", 16, 2},
        {"a double word of every 32 words", "ld.shared.u64 %rd2, [%r1];", "st.shared.u64 [%r1], %rd0;", 128, 30},
        {"four words in a row", "ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [%r1];", "st.shared.v4.u32 [%r1], {%r0, %r0, %r0, %r0};", 16, 0},
        {"every other four words", "ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [%r1];", "st.shared.v4.u32 [%r1], {%r0, %r0, %r0, %r0};", 32, 4},
        {"four words for all", "ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [%r1];", nullptr, 0, 0},
    };
    for (const auto& pattern : patterns)
        for (bool store : {false, true}) {
            if (store && !pattern.store) continue;
            Bench bench(header() + kernel("touch", "u32 stride", std::string(R"(.shared .align 16 .b8 cells[4608];
                mov.u32 %r0, 0; mov.u64 %rd0, 0; mov.u32 %r10, cells; mad.lo.u32 %r11, %lane, 4, %r10; mov.u32 %r12, 0;
            FILL: st.shared.u32 [%r11], %r0; add.u32 %r11, %r11, 128; add.u32 %r12, %r12, 1; setp.lt.u32 %p0, %r12, 36; @%p0 bra FILL; bar.sync 0;
                mad.lo.u32 %r1, %lane, %stride, %r10; )") + (store ? pattern.store : pattern.load)));
            if (!bench.clean("touch", {}, {32}, 0, pattern.stride)) continue;
            std::string name = std::string(pattern.name) + (store ? ", stored" : ", loaded");
            equal(name, "shared requests", bench.counters.sharedRequests, 37);
            equal(name, "bank conflicts", bench.counters.bankConflicts, pattern.conflicts);
        }
}

void operations() {
    const struct {
        const char* text;
        u64 flops;  // of a lane
    } kinds[] = {{"add.f32 %f0, %f1, %f2;", 1},         {"sub.rn.f32 %f0, %f1, %f2;", 1},    {"mul.f32 %f0, %f1, %f2;", 1},
                 {"fma.rn.f32 %f0, %f1, %f2, %f3;", 2}, {"add.f64 %d0, %d1, %d2;", 1},       {"fma.rn.f64 %d0, %d1, %d2, %d3;", 2},
                 {"mul.ftz.f32 %f0, %f1, %f2;", 1},     {"add.f16 %h0, %h1, %h2;", 1},       {"fma.rn.f16 %h0, %h1, %h2, %h3;", 2},
                 {"add.f16x2 %r0, %r1, %r2;", 2},       {"fma.rn.f16x2 %r0, %r1, %r2, %r3;", 4}, {"add.s32 %r0, %r1, %r2;", 0},
                 {"mad.lo.s32 %r0, %r1, %r2, %r3;", 0}, {"mov.f32 %f0, %f1;", 0},            {"neg.f32 %f0, %f1;", 0}};
    for (const auto& kind : kinds) {
        Bench bench(header() + kernel("count", "u32 lanes", std::string(R"(
            mov.f32 %f1, 0f3F800000; mov.f32 %f2, %f1; mov.f32 %f3, %f1; mov.f64 %d1, 0d3FF0000000000000; mov.f64 %d2, %d1; mov.f64 %d3, %d1;
            mov.b16 %h1, 0x3c00; mov.b16 %h2, %h1; mov.b16 %h3, %h1; mov.b32 %r1, 0x3c003c00; mov.b32 %r2, %r1; mov.b32 %r3, %r1;
            setp.lt.u32 %p0, %lane, %lanes; @%p0 )") + kind.text));
        for (u32 lanes : {0u, 5u, 32u})
            if (bench.clean("count", {3}, {64}, 0, lanes)) equal(kind.text, "flops", bench.counters.flops, 6 * lanes * kind.flops);
    }
    // Atomics are counted by request, global and shared alike.
    Bench atomics(header() + kernel("atomics", "u64 cell", R"(.shared .align 4 .u32 own; st.shared.u32 [own], 0; bar.sync 0;
        atom.global.add.u32 %r0, [%cell], 1; red.global.add.u32 [%cell], 1; atom.shared.add.u32 %r0, [own], 1; setp.eq.u32 %p0, %lane, 3; @%p0 red.global.max.u32 [%cell], 9;)"));
    u64 cell = atomics.upload(std::vector<u32>(1));
    atomics.options.checks = false;  // all threads store the same word
    if (atomics.clean("atomics", {2}, {64}, 0, cell)) {
        equal("atomics", "atomics", atomics.counters.atomics, 4 * 4);
        equal("atomics", "barriers that warps reached", atomics.counters.barriers, 4);
    }
    // Instructions, the return included.
    Bench exact(header() + ".visible .entry exact()\n{ .reg .b32 %r<4>; .reg .pred %p<2>; mov.u32 %r0, %tid.x; add.u32 %r1, %r0, 1; setp.lt.u32 %p0, %r0, 8; @%p0 add.u32 %r1, %r1, 1; mul.lo.u32 %r2, %r1, %r1; ret; }\n");
    if (exact.clean("exact", {2}, {48}, 0)) {
        // Two warps a block, the second of 16 threads.
        equal("instructions", "issued", exact.counters.warpInstructions, 2 * 2 * 6);
        equal("instructions", "of lanes", exact.counters.threadInstructions, 2 * (48 * 5 + 8));
    }
}

/// Reports of a kernel that the driver's callers see.
void information() {
    Bench bench(header() + ".extern .shared .align 16 .b8 dynamic[];\n" +
                kernel("shown", "u64 a, u32 b", ".shared .align 8 .b8 cells[24]; .shared .align 4 .u32 more; .local .align 8 .b8 mine[40]; mov.u32 %r0, cells; mov.u32 %r1, more; mov.u32 %r2, dynamic; mov.u64 %rd0, mine;"
                                               " st.shared.u32 [%r0], 1; st.shared.u32 [%r1], 1; st.local.u32 [%rd0], 1;",
                       ".maxntid 256, 1, 1"));
    if (!expect(bench.loaded(), "refused: line %d: %s", bench.error.line, bench.error.message.c_str())) return;
    equal("a module", "kernels", kernels(*bench.module).size(), 1);
    const Kernel* shown = findKernel(*bench.module, "shown");
    if (!expect(shown != nullptr, "no kernel")) return;
    const KernelInfo& it = info(*shown);
    expect(it.name == "shown", "name %s", it.name.c_str());
    equal("shown", "static shared memory", it.staticShared, 28);
    equal("shown", "local memory", it.local, 40);
    equal("shown", "threads at most", it.maxThreads, 256);
    equal("shown", "bytes of parameters", it.parameterBytes, 12);
    expect(it.registers >= 16 && it.registers <= 255, "registers %u", it.registers);
    equal("a module", "PTX version", static_cast<u64>(ptxVersion(*bench.module)), 70);
    equal("a module", "target", static_cast<u64>(target(*bench.module)), 80);
    expect(findKernel(*bench.module, "hidden") == nullptr, "a kernel that is not there");
}

}  // namespace

int main() {
    globalRequests();
    banks();
    operations();
    information();
    return finish("counters");
}
