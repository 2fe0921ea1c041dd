// Barriers among warps, named and counted ones, and that the order of blocks and warps shows in no result and no counter.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

/// Each thread reads what a thread of another warp wrote before the barrier, many times over.
void exchange() {
    Bench bench(header() + kernel("rotate", "u64 out, u32 rounds", R"(
        .shared .align 4 .b8 cells[2048];
        mov.u32 %r0, cells; mad.lo.u32 %r1, %thread, 4, %r0; add.u32 %r2, %thread, 33; mov.u32 %r3, %ntid.x; rem.u32 %r2, %r2, %r3; mad.lo.u32 %r2, %r2, 4, %r0;
        mov.u32 %r5, %thread; mov.u32 %r6, 0;
    AGAIN: st.shared.u32 [%r1], %r5; bar.sync 0; ld.shared.u32 %r5, [%r2]; bar.sync 0;
        add.u32 %r6, %r6, 1; setp.lt.u32 %p0, %r6, %rounds; @%p0 bra AGAIN;
        mul.wide.u32 %rd0, %gid, 4; add.s64 %rd0, %out, %rd0; st.global.u32 [%rd0], %r5;)"));
    for (u32 threads : {32u, 64u, 96u, 100u, 512u})
        for (u64 seed : {0, 7, 8}) {
            bench.options.seed = seed;
            u64 out = bench.allocate(4ull * threads * 2);
            if (!bench.clean("rotate", {2}, {threads}, 0, out, u32{10})) return;
            std::vector<u32> got = bench.download<u32>(out, threads * 2);
            for (u32 i = 0; i < 2 * threads; ++i)
                expect(got[i] == (i % threads + 330) % threads, "%u threads, seed %d: thread %u got %u", threads, static_cast<int>(seed), i, got[i]);
            u64 warps = (threads + 31) / 32;
            expect(bench.counters.barriers == 2 * 10 * 2 * warps, "barriers that warps reached: %llu", static_cast<unsigned long long>(bench.counters.barriers));
        }
}

/// All forms of one barrier, each in a kernel that fails without it.
void forms() {
    for (const char* form : {"bar.sync 0;", "bar.sync 3;", "barrier.sync 0;", "barrier.sync.aligned 1;", "bar.sync 0, 128;", "bar.sync 15, 128;",
                             "mov.u32 %r20, 2; bar.sync %r20;", "mov.u32 %r20, 128; bar.sync 4, %r20;"}) {
        Bench bench(header() + kernel("mirror", "u64 out", std::string(R"(
            .shared .align 4 .b8 cells[512];
            mov.u32 %r0, cells; mad.lo.u32 %r1, %thread, 4, %r0; st.shared.u32 [%r1], %gid;
            )") + form + R"(
            sub.u32 %r2, 127, %thread; mad.lo.u32 %r2, %r2, 4, %r0; ld.shared.u32 %r3, [%r2]; mul.wide.u32 %rd0, %gid, 4; add.s64 %rd0, %out, %rd0; st.global.u32 [%rd0], %r3;)"));
        u64 out = bench.allocate(4 * 128);
        if (!bench.clean("mirror", {}, {128}, 0, out)) continue;
        std::vector<u32> got = bench.download<u32>(out, 128);
        for (u32 i = 0; i < 128; ++i) expect(got[i] == 127 - i, "%s: thread %u got %u", form, i, got[i]);
    }
}

/// Two halves of a block meet at barriers of their own, as often as each needs.
void named() {
    Bench bench(header() + kernel("halves", "u64 out", R"(
        .shared .align 4 .b8 cells[512];
        mov.u32 %r0, cells; mad.lo.u32 %r1, %thread, 4, %r0; mov.u32 %r5, %thread; mov.u32 %r6, 0; xor.b32 %r2, %thread, 32; mad.lo.u32 %r2, %r2, 4, %r0;
        setp.ge.u32 %p1, %thread, 64; @%p1 bra.uni UPPER;
    LOWER: st.shared.u32 [%r1], %r5; bar.sync 1, 64; ld.shared.u32 %r5, [%r2]; bar.sync 1, 64; add.u32 %r6, %r6, 1; setp.lt.u32 %p0, %r6, 3; @%p0 bra LOWER; bra.uni DONE;
    UPPER: st.shared.u32 [%r1], %r5; bar.sync 2, 64; ld.shared.u32 %r5, [%r2]; bar.sync 2, 64; add.u32 %r6, %r6, 1; setp.lt.u32 %p0, %r6, 8; @%p0 bra UPPER;
    DONE: mul.wide.u32 %rd0, %gid, 4; add.s64 %rd0, %out, %rd0; st.global.u32 [%rd0], %r5;)"));
    u64 out = bench.allocate(4 * 128);
    for (u64 seed : {0, 1, 2}) {
        bench.options.seed = seed;
        if (!bench.clean("halves", {}, {128}, 0, out)) return;
        std::vector<u32> got = bench.download<u32>(out, 128);
        for (u32 i = 0; i < 128; ++i) expect(got[i] == (i < 64 ? i ^ 32 : i), "named barriers: thread %u got %u", i, got[i]);
    }
    // A producer arrives without waiting, a consumer waits for it.
    Bench arrival(header() + kernel("produce", "u64 out", R"(
        .shared .align 4 .b8 cells[128];
        mov.u32 %r0, cells; mad.lo.u32 %r1, %lane, 4, %r0; setp.ge.u32 %p0, %thread, 32; @%p0 bra.uni CONSUME;
        st.shared.u32 [%r1], %lane; bar.arrive 1, 64; bra.uni DONE;
    CONSUME: bar.sync 1, 64; ld.shared.u32 %r2, [%r1]; mul.wide.u32 %rd0, %lane, 4; add.s64 %rd0, %out, %rd0; st.global.u32 [%rd0], %r2;
    DONE: )"));
    for (u64 seed : {0, 1, 2, 3}) {
        arrival.options.seed = seed;
        u64 to = arrival.allocate(128);
        if (!arrival.clean("produce", {}, {64}, 0, to)) return;
        std::vector<u32> got = arrival.download<u32>(to, 32);
        for (u32 i = 0; i < 32; ++i) expect(got[i] == i, "after an arrival: lane %u got %u", i, got[i]);
    }
}

/// A barrier that also reduces a predicate over the block.
void reducing() {
    Bench bench(header() + kernel("agree", "u64 out, u32 which", R"(
        setp.lt.u32 %p0, %thread, %which; bar.red.popc.u32 %r0, 0, %p0; bar.red.and.pred %p1, 0, %p0; bar.red.or.pred %p2, 0, !%p0;
        selp.u32 %r1, 1, 0, %p1; selp.u32 %r2, 2, 0, %p2; or.b32 %r1, %r1, %r2; mul.wide.u32 %rd0, %gid, 8; add.s64 %rd0, %out, %rd0; st.global.v2.u32 [%rd0], {%r0, %r1};)"));
    u64 out = bench.allocate(8 * 128);
    for (u32 which : {0u, 1u, 40u, 127u, 128u}) {
        if (!bench.clean("agree", {}, {128}, 0, out, which)) return;
        std::vector<u32> got = bench.download<u32>(out, 256);
        u32 flags = (which == 128 ? 1u : 0u) | (which < 128 ? 2u : 0u);
        for (u32 i = 0; i < 128; ++i) expect(got[2 * i] == which && got[2 * i + 1] == flags, "bar.red with %u: thread %u got %u %u", which, i, got[2 * i], got[2 * i + 1]);
    }
}

bool same(const Counters& a, const Counters& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/// A kernel with barriers, divergence, atomics and all spaces: whatever the order, the same sums and the same counts.
void orders() {
    Bench bench(header() + kernel("mixture", "u64 in, u64 out, u64 total", R"(
        .shared .align 4 .b8 cells[1024]; .local .align 4 .b8 mine[16];
        mov.u32 %r0, cells; mad.lo.u32 %r1, %thread, 4, %r0; mul.wide.u32 %rd0, %gid, 4; add.s64 %rd1, %in, %rd0; ld.global.u32 %r2, [%rd1]; st.shared.u32 [%r1], %r2;
        bar.sync 0; mov.u32 %r3, 128;
    AGAIN: setp.ge.u32 %p0, %thread, %r3; @%p0 bra SKIP; mad.lo.u32 %r4, %r3, 4, %r1; ld.shared.u32 %r5, [%r4]; ld.shared.u32 %r6, [%r1]; add.u32 %r6, %r6, %r5; st.shared.u32 [%r1], %r6;
    SKIP: bar.sync 0; shr.u32 %r3, %r3, 1; setp.ne.u32 %p1, %r3, 0; @%p1 bra AGAIN;
        st.local.u32 [mine+8], %r2; ld.shared.u32 %r7, [cells]; ld.local.u32 %r8, [mine+8]; mad.lo.u32 %r7, %r8, 3, %r7; add.s64 %rd2, %out, %rd0; st.global.u32 [%rd2], %r7;
        cvt.u64.u32 %rd3, %r2; red.global.add.u64 [%total], %rd3;)"));
    u32 blocks = 24, threads = blocks * 256;
    std::vector<u32> values(threads), first;
    std::mt19937 random(13);
    u64 sum = 0;
    for (u32& v : values) sum += v = random() >> 8;
    u64 in = bench.upload(values), out = bench.allocate(4ull * threads);
    Counters counters;
    for (int workers : {1, 2, 5})
        for (u64 seed : {0ull, 1ull, 2ull, 12345ull, ~0ull}) {
            bench.options.workers = workers;
            bench.options.seed = seed;
            u64 total = bench.upload(std::vector<u64>(1));
            if (!bench.clean("mixture", {blocks}, {256}, 0, in, out, total)) return;
            std::vector<u32> got = bench.download<u32>(out, threads);
            if (first.empty()) {
                first = got;
                counters = bench.counters;
                for (u32 b = 0; b < blocks; ++b) {
                    u32 blockSum = 0;
                    for (u32 t = 0; t < 256; ++t) blockSum += values[b * 256 + t];
                    for (u32 t = 0; t < 256; ++t)
                        expect(got[b * 256 + t] == blockSum + 3 * values[b * 256 + t], "block %u, thread %u: %u", b, t, got[b * 256 + t]);
                }
            }
            expect(got == first, "the same results with %d workers and seed %llx", workers, static_cast<unsigned long long>(seed));
            expect(bench.download<u64>(total, 1)[0] == sum, "the same total");
            expect(same(counters, bench.counters), "the same counters with %d workers and seed %llx", workers, static_cast<unsigned long long>(seed));
        }
    // The seed does decide the order: with an order-dependent kernel some seed shows another result.
    Bench order(header() + kernel("last", "u64 cell", "setp.eq.u32 %p0, %thread, 0; mov.u32 %r0, %ctaid.x; @%p0 st.global.u32 [%cell], %r0;"));
    u64 cell = order.allocate(4);
    bool differs = false;
    u32 before = 0;
    for (u64 seed = 0; seed < 8; ++seed) {
        order.options.seed = seed;
        if (order.launch("last", {64}, {32}, 0, cell) != Outcome::Ok) return;
        u32 last = order.download<u32>(cell, 1)[0];
        differs |= seed && last != before;
        before = last;
    }
    expect(differs, "blocks run in an order that the seed decides");
    // The same seed gives the same order.
    order.options.seed = 5;
    order.launch("last", {64}, {32}, 0, cell);
    before = order.download<u32>(cell, 1)[0];
    order.launch("last", {64}, {32}, 0, cell);
    expect(order.download<u32>(cell, 1)[0] == before, "a seed gives one order");
}

}  // namespace

int main() {
    exchange();
    forms();
    named();
    reducing();
    orders();
    return finish("barrier");
}
