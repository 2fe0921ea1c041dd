// atom and red: every operator and type in every space, alone and with all lanes and blocks at one address.
#include <algorithm>

#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

struct Place {
    const char *name, *prepare;
};
const Place Places[] = {
    {".global", "mov.b64 %a, %rd1;"},
    {"", "mov.b64 %a, %rd1;"},
    {".shared", ".shared .align 8 .b8 ours[512]; mov.u64 %a, ours; mul.wide.u32 %b, %thread, 8; add.s64 %a, %a, %b;"},
    {"", ".shared .align 8 .b8 ours[512]; mov.u64 %a, ours; cvta.shared.u64 %a, %a; mul.wide.u32 %b, %thread, 8; add.s64 %a, %a, %b;"},
};

/// Old value and new value of `operation` at a word of the thread's own.
void alone(const std::string& operation, const std::string& type, int width, const Values& memory, const Values& operand, const Reference& reference,
           const Match& match = {}, bool reduction = true) {
    std::string w = std::to_string(width);
    for (const Place& place : Places) {
        std::vector<Row> rows, reduced;
        for (u64 m : memory)
            for (u64 v : operand) {
                u64 in[2] = {m, v}, out = reference(in);
                rows.push_back({m, out, m, v});
                reduced.push_back({out, m, v});
            }
        std::string before = std::string("{ .reg .b64 %a, %b; ") + place.prepare + " st" + place.name + ".b" + w + " [%a], ", after = " ld" + std::string(place.name) + ".b" + w;
        for (const char* semantics : {"", ".relaxed.gpu", ".acq_rel.sys"}) {
            if (*semantics && operation != "add") continue;
            Match both = match ? Match([&](const u64* in, u64 expected, u64 actual) { return match(in, expected, actual); }) : Match{};
            table(before + "$2; atom" + semantics + place.name + "." + operation + "." + type + " $0, [%a], $3;" + after + " $1, [%a]; }",
                  w + " " + w + " = " + w + " " + w, rows, both);
            // red has no .acq_rel.
            if (reduction && !std::strchr(semantics, 'q'))
                table(before + "$1; red" + semantics + place.name + "." + operation + "." + type + " [%a], $2;" + after + " $0, [%a]; }",
                      w + " = " + w + " " + w, reduced, both);
        }
    }
}

void operators() {
    for (int width : {32, 64}) {
        std::string w = std::to_string(width);
        Values values = integers(width, 2);
        auto sign = [=](u64 x) { return static_cast<s64>(x << (64 - width)) >> (64 - width); };
        alone("add", "u" + w, width, values, values, [](const u64* in) { return in[0] + in[1]; });
        alone("and", "b" + w, width, values, values, [](const u64* in) { return in[0] & in[1]; });
        alone("or", "b" + w, width, values, values, [](const u64* in) { return in[0] | in[1]; });
        alone("xor", "b" + w, width, values, values, [](const u64* in) { return in[0] ^ in[1]; });
        alone("exch", "b" + w, width, values, values, [](const u64* in) { return in[1]; }, {}, false);
        alone("min", "u" + w, width, values, values, [](const u64* in) { return std::min(in[0], in[1]); });
        alone("max", "u" + w, width, values, values, [](const u64* in) { return std::max(in[0], in[1]); });
        alone("min", "s" + w, width, values, values, [=](const u64* in) { return sign(in[0]) < sign(in[1]) ? in[0] : in[1]; });
        alone("max", "s" + w, width, values, values, [=](const u64* in) { return sign(in[0]) > sign(in[1]) ? in[0] : in[1]; });
        std::vector<Row> rows;
        for (u64 m : {0ull, 5ull, ~0ull})
            for (u64 c : {0ull, 5ull, ~0ull})
                for (u64 v : {7ull, 0ull, 1ull << (width - 1)}) rows.push_back({m, m == c ? v : m, m, c, v});
        for (const Place& place : Places)
            table(std::string("{ .reg .b64 %a, %b; ") + place.prepare + " st" + place.name + ".b" + w + " [%a], $2; atom" + place.name + ".cas.b" + w +
                      " $0, [%a], $3, $4; ld" + place.name + ".b" + w + " $1, [%a]; }",
                  w + " " + w + " = " + w + " " + w + " " + w, rows);
    }
    Values values = integers(32, 2);
    alone("add", "s32", 32, values, values, [](const u64* in) { return in[0] + in[1]; });
    alone("inc", "u32", 32, values, values, [](const u64* in) { return in[0] >= in[1] ? 0 : in[0] + 1; });
    alone("dec", "u32", 32, values, values, [](const u64* in) { return in[0] == 0 || in[0] > in[1] ? in[1] : in[0] - 1; });
    // Denormals are flushed in global memory and kept in shared memory: either is taken here.
    auto add32 = [](const u64* in) { return bits(f32(in[0]) + f32(in[1])); };
    Values singles;
    for (u64 v : floats(4))
        if (flush32(v) == v) singles.push_back(v);
    alone("add", "f32", 32, singles, singles, add32, [](const u64*, u64 expected, u64 actual) {
        return (nan32(expected) && nan32(actual)) || (flush32(expected) != expected && actual == flush32(expected));
    });
    alone("add", "f64", 64, doubles(2), doubles(2), [](const u64* in) { return bits(f64(in[0]) + f64(in[1])); }, anyNan64());
    auto addHalves = [](const u64* in) {
        return toHalf(half(in[0]) + half(in[1])) | toHalf(half(in[0] >> 16) + half(in[1] >> 16)) << 16;
    };
    Match halfNan = [](const u64*, u64 expected, u64 actual) {
        for (int part : {0, 16}) {
            u64 e = expected >> part & 0xffff, a = actual >> part & 0xffff;
            if (e != a && !(nan16(e) && nan16(a))) return false;
        }
        return true;
    };
    alone("add.noftz", "f16x2", 32, pairs(halves(0)), pairs(halves(0), 5), addHalves, halfNan);
}

/// One address for all: each old value is seen once, and nothing is lost, whatever the order.
void together() {
    std::string text = header() + kernel("tickets", "u64 counter, u64 out", R"(
        atom.global.add.u32 %r0, [%counter], 1; mul.wide.u32 %rd0, %gid, 4; add.s64 %rd0, %out, %rd0; st.global.u32 [%rd0], %r0;)") +
        kernel("swap", "u64 cell, u64 out", R"(
        add.u32 %r1, %gid, 1; atom.global.exch.b32 %r0, [%cell], %r1; mul.wide.u32 %rd0, %gid, 4; add.s64 %rd0, %out, %rd0; st.global.u32 [%rd0], %r0;)") +
        kernel("sums", "u64 cell", R"(
        red.global.add.u64 [%cell], 3; red.global.max.u32 [%cell+8], %gid; red.global.xor.b32 [%cell+12], %gid; mov.f32 %f0, 0f3F000000; red.global.add.f32 [%cell+16], %f0;)") +
        // A compare-and-swap loop, as compilers write what the hardware lacks: a product here.
        kernel("product", "u64 cell", R"(
        ld.global.u32 %r0, [%cell];
    AGAIN: mul.lo.u32 %r1, %r0, 3; atom.global.cas.b32 %r2, [%cell], %r0, %r1; setp.ne.u32 %p0, %r2, %r0; mov.u32 %r0, %r2; @%p0 bra AGAIN;)") +
        kernel("shared_tickets", "u64 out", R"(
        .shared .align 4 .u32 cell; setp.ne.u32 %p0, %thread, 0; @%p0 bra SKIP; st.shared.u32 [cell], 100;
    SKIP: bar.sync 0; atom.shared.add.u32 %r0, [cell], 2; mul.wide.u32 %rd0, %gid, 4; add.s64 %rd0, %out, %rd0; st.global.u32 [%rd0], %r0;)");
    Bench bench(text);
    u32 threads = 1024;
    for (int workers : {1, 4})
        for (u64 seed : {0, 1, 2}) {
            bench.options.workers = workers;
            bench.options.seed = seed;
            u64 cell = bench.upload(std::vector<u32>(8)), out = bench.allocate(4 * threads);
            if (!bench.clean("tickets", {8}, {128}, 0, cell, out)) return;
            std::vector<u32> seen = bench.download<u32>(out, threads);
            std::sort(seen.begin(), seen.end());
            bool all = true;
            for (u32 i = 0; i < threads; ++i) all &= seen[i] == i;
            expect(all, "every ticket once, with %d workers and seed %d", workers, static_cast<int>(seed));
            expect(bench.download<u32>(cell, 1)[0] == threads, "tickets drawn");
            cell = bench.upload(std::vector<u32>(8));
            if (!bench.clean("swap", {8}, {128}, 0, cell, out)) return;
            seen = bench.download<u32>(out, threads);
            seen.push_back(bench.download<u32>(cell, 1)[0]);
            std::sort(seen.begin(), seen.end());
            all = true;
            for (u32 i = 0; i <= threads; ++i) all &= seen[i] == i;
            expect(all, "every value swapped once");
            cell = bench.upload(std::vector<u32>(8));
            if (!bench.clean("sums", {8}, {128}, 0, cell)) return;
            std::vector<u32> sums = bench.download<u32>(cell, 5);
            expect(sums[0] == 3 * threads && sums[1] == 0 && sums[2] == threads - 1 && sums[3] == 0 && f32(sums[4]) == 512.0f, "sums: %u %u %u %u %g", sums[0], sums[1],
                   sums[2], sums[3], static_cast<double>(f32(sums[4])));
            cell = bench.upload(std::vector<u32>(8, 1));
            if (!bench.clean("product", {4}, {64}, 0, cell)) return;
            u32 expected = 1;
            for (int i = 0; i < 256; ++i) expected *= 3;
            expect(bench.download<u32>(cell, 1)[0] == expected, "a product by compare and swap: %u", bench.download<u32>(cell, 1)[0]);
            if (!bench.clean("shared_tickets", {8}, {128}, 0, out)) return;
            seen = bench.download<u32>(out, threads);
            all = true;
            for (u32 block = 0; block < 8; ++block) {
                std::sort(seen.begin() + block * 128, seen.begin() + (block + 1) * 128);
                for (u32 i = 0; i < 128; ++i) all &= seen[block * 128 + i] == 100 + 2 * i;
            }
            expect(all, "tickets of shared memory");
        }
}

}  // namespace

int main() {
    operators();
    together();
    return finish("atomic");
}
