// Comparisons of all types, their combination with predicates, and selections.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

using Test = std::function<bool(const u64*)>;

/// One comparison in all its forms: alone, with its complement, and combined with a third predicate.
void setp(const std::string& name, const std::string& type, const std::string& width, const Values& values, const Test& test) {
    std::string two = " " + width + " " + width;
    sweep("setp." + name + type, "p =" + two, {values, values}, [=](const u64* in) { return test(in); });
    std::vector<Row> rows;
    std::size_t step = values.size() > 24 ? 3 : 1;
    for (std::size_t i = 0; i < values.size(); i += step)
        for (std::size_t j = 0; j < values.size(); j += step) {
            u64 in[2] = {values[i], values[j]};
            rows.push_back({test(in), !test(in), in[0], in[1]});
        }
    // Halves have no complement.
    bool complement = width != "16" || type.find('f') == std::string::npos;
    if (complement) table("setp." + name + type + " $0|$1, $2, $3;", "p p =" + two, rows);
    for (int op = 0; op < 3; ++op)
        for (bool negated : {false, true}) {
            std::vector<Row> combined;
            for (const Row& row : rows) {
                bool flag = (combined.size() * 2654435761u >> 7) & 1, c = flag != negated, t = row[0];
                auto apply = [op](bool a, bool b) { return op == 0 ? (a && b) : op == 1 ? (a || b) : a != b; };
                if (complement) combined.push_back({apply(t, c), apply(!t, c), row[2], row[3], flag});
                else combined.push_back({apply(t, c), row[2], row[3], flag});
            }
            const char* const names[] = {"and", "or", "xor"};
            std::string text = "setp." + name + "." + names[op] + type, last = negated ? ", !" : ", ";
            if (complement) table(text + " $0|$1, $2, $3" + last + "$4;", "p p =" + two + " p", combined);
            else table(text + " $0, $1, $2" + last + "$3;", "p =" + two + " p", combined);
        }
}

void integersOf(int width) {
    Values values = integers(width, 2);
    std::string w = std::to_string(width);
    auto sign = [=](u64 x) { return static_cast<s64>(x << (64 - width)) >> (64 - width); };
    for (char kind : {'b', 'u', 's'}) {
        std::string type = std::string(".") + kind + w;
        setp("eq", type, w, values, [](const u64* in) { return in[0] == in[1]; });
        setp("ne", type, w, values, [](const u64* in) { return in[0] != in[1]; });
    }
    std::string u = ".u" + w, s = ".s" + w;
    setp("lt", u, w, values, [](const u64* in) { return in[0] < in[1]; });
    setp("le", u, w, values, [](const u64* in) { return in[0] <= in[1]; });
    setp("gt", u, w, values, [](const u64* in) { return in[0] > in[1]; });
    setp("ge", u, w, values, [](const u64* in) { return in[0] >= in[1]; });
    setp("lo", u, w, values, [](const u64* in) { return in[0] < in[1]; });
    setp("ls", u, w, values, [](const u64* in) { return in[0] <= in[1]; });
    setp("hi", u, w, values, [](const u64* in) { return in[0] > in[1]; });
    setp("hs", u, w, values, [](const u64* in) { return in[0] >= in[1]; });
    setp("lt", s, w, values, [=](const u64* in) { return sign(in[0]) < sign(in[1]); });
    setp("le", s, w, values, [=](const u64* in) { return sign(in[0]) <= sign(in[1]); });
    setp("gt", s, w, values, [=](const u64* in) { return sign(in[0]) > sign(in[1]); });
    setp("ge", s, w, values, [=](const u64* in) { return sign(in[0]) >= sign(in[1]); });
}

/// Ordered comparisons fail with NaN, those with a u succeed.
struct Relation {
    const char* name;
    bool less, equal, greater, unordered;
};
constexpr Relation Relations[] = {{"eq", false, true, false, false}, {"ne", true, false, true, false},   {"lt", true, false, false, false},
                                  {"le", true, true, false, false},  {"gt", false, false, true, false},  {"ge", false, true, true, false},
                                  {"equ", false, true, false, true}, {"neu", true, false, true, true},   {"ltu", true, false, false, true},
                                  {"leu", true, true, false, true},  {"gtu", false, false, true, true},  {"geu", false, true, true, true},
                                  {"num", true, true, true, false},  {"nan", false, false, false, true}};

bool holds(const Relation& relation, double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return relation.unordered;
    return a < b ? relation.less : a > b ? relation.greater : relation.equal;
}

void floating() {
    for (const Relation& relation : Relations) {
        setp(relation.name, ".f32", "32", floats(2), [=](const u64* in) { return holds(relation, f32(in[0]), f32(in[1])); });
        setp(std::string(relation.name), ".ftz.f32", "32", floats(2),
             [=](const u64* in) { return holds(relation, f32(flush32(in[0])), f32(flush32(in[1]))); });
        setp(relation.name, ".f64", "64", doubles(2), [=](const u64* in) { return holds(relation, f64(in[0]), f64(in[1])); });
        setp(relation.name, ".f16", "16", halves(2), [=](const u64* in) { return holds(relation, half(in[0]), half(in[1])); });
    }
}

void halfPairs() {
    for (const Relation& relation : Relations) {
        std::vector<Row> rows;
        for (u64 a : pairs(halves(0)))
            for (u64 b : pairs(halves(0), 5))
                rows.push_back({holds(relation, half(a), half(b)), holds(relation, half(a >> 16), half(b >> 16)), a, b});
        table(std::string("setp.") + relation.name + ".f16x2 $0|$1, $2, $3;", "p p = 32 32", rows);
    }
}

/// set writes all ones or 1.0, in the width of its own type.
void sets() {
    for (const Relation& relation : Relations) {
        auto f = [=](const u64* in) { return holds(relation, f32(in[0]), f32(in[1])); };
        std::string name = std::string("set.") + relation.name;
        sweep(name + ".u32.f32", "32 = 32 32", {floats(2), floats(2)}, [=](const u64* in) { return f(in) ? 0xffffffff : 0; });
        sweep(name + ".s32.f32", "32 = 32 32", {floats(2), floats(2)}, [=](const u64* in) { return f(in) ? 0xffffffff : 0; });
        sweep(name + ".f32.f32", "32 = 32 32", {floats(2), floats(2)}, [=](const u64* in) { return f(in) ? 0x3f800000 : 0; });
        sweep(name + ".and.u32.f32", "32 = 32 32 p", {floats(2), floats(2), {0, 1}}, [=](const u64* in) { return f(in) && in[2] ? 0xffffffff : 0; });
    }
    sweep("set.lt.u32.s32", "32 = 32 32", {integers(32), integers(32)},
          [](const u64* in) { return static_cast<s32>(in[0]) < static_cast<s32>(in[1]) ? 0xffffffff : 0; });
    sweep("set.hi.f32.u32", "32 = 32 32", {integers(32), integers(32)}, [](const u64* in) { return in[0] > in[1] ? 0x3f800000 : 0; });
    sweep("set.eq.u32.u64", "32 = 64 64", {integers(64), integers(64)}, [](const u64* in) { return in[0] == in[1] ? 0xffffffff : 0; });
}

void selections() {
    Values flags{0, 1};
    for (int width : {16, 32, 64})
        for (char kind : {'b', 'u', 's', 'f'}) {
            if (kind == 'f' && width == 16) continue;
            std::string w = std::to_string(width), type = std::string(".") + kind + w;
            sweep("selp" + type, w + " = " + w + " " + w + " p", {integers(width), integers(width), flags},
                  [](const u64* in) { return in[2] ? in[0] : in[1]; });
            sweep("slct" + type + ".s32", w + " = " + w + " " + w + " 32", {integers(width, 0), integers(width, 0), integers(32)},
                  [](const u64* in) { return static_cast<s32>(in[2]) >= 0 ? in[0] : in[1]; });
            // NaN selects the second; -0 counts as at least zero.
            for (bool ftz : {false, true})
                sweep(std::string("slct") + (ftz ? ".ftz" : "") + type + ".f32", w + " = " + w + " " + w + " 32",
                      {integers(width, 0), integers(width, 0), floats(4)},
                      [=](const u64* in) { return f32(ftz ? flush32(in[2]) : in[2]) >= 0 ? in[0] : in[1]; });
        }
    sweep("selp.b32 $0, $1, 7, $2;", "32 = 32 p", {integers(32), flags}, [](const u64* in) { return in[1] ? in[0] : 7; });
    sweep("selp.f32 $0, 0f3F800000, 0fBF800000, $1;", "32 = p", {flags}, [](const u64* in) { return in[0] ? 0x3f800000 : 0xbf800000; });
    sweep("setp.gt.s32 $0, $1, -1;", "p = 32", {integers(32)}, [](const u64* in) { return static_cast<s32>(in[0]) > -1; });
    sweep("setp.lt.u64 $0, $1, -1;", "p = 64", {integers(64)}, [](const u64* in) { return in[0] < ~0ull; });
    sweep("setp.eq.s16 $0, $1, -1;", "p = 16", {integers(16)}, [](const u64* in) { return in[0] == 0xffff; });
}

}  // namespace

int main() {
    for (int width : {16, 32, 64}) integersOf(width);
    floating();
    halfPairs();
    sets();
    selections();
    return finish("compare");
}
