// Exactly specified arithmetic of f32 and f64: all rounding modes, flushing of denormals, saturation, NaN and signed zeros.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

template <class T>
T from(u64 bits) {
    if constexpr (sizeof(T) == 4) return f32(bits);
    else return f64(bits);
}

enum class Op { Add, Sub, Mul, Fma, Div, Rcp, Sqrt };

/// volatile, so that nothing moves out of the scope of the rounding mode.
template <class T>
T compute(Op op, T first, T second, T third, int mode) {
    Rounding scope(mode);
    volatile T a = first, b = second, c = third, result = 0;
    switch (op) {
        case Op::Add: result = a + b; break;
        case Op::Sub: result = a - b; break;
        case Op::Mul: result = a * b; break;
        case Op::Fma: result = std::fma(a, b, c); break;
        case Op::Div: result = a / b; break;
        case Op::Rcp: result = T(1) / a; break;
        case Op::Sqrt: result = std::sqrt(a); break;
    }
    return result;
}

constexpr u64 SmallestNormal = 0x00800000;

u64 reference32(Op op, const u64* in, int operands, int mode, bool ftz, bool sat) {
    float v[3] = {};
    for (int i = 0; i < operands; ++i) v[i] = f32(ftz ? flush32(in[i]) : in[i]);
    u64 result = bits(compute<float>(op, v[0], v[1], v[2], mode));
    if (ftz) result = flush32(result);
    if (sat) {
        if (nan32(result) || f32(result) <= 0) return 0;
        if (f32(result) > 1) return bits(1.0f);
    }
    return result;
}

struct Form {
    Op op;
    const char* name;
    int operands;
    bool modeNeeded, saturates;
};

void single() {
    for (const Form& form : {Form{Op::Add, "add", 2, false, true}, {Op::Sub, "sub", 2, false, true}, {Op::Mul, "mul", 2, false, true},
                             {Op::Fma, "fma", 3, true, true}, {Op::Div, "div", 2, true, false}, {Op::Rcp, "rcp", 1, true, false},
                             {Op::Sqrt, "sqrt", 1, true, false}}) {
        std::string shape = "32 =";
        std::vector<Values> sources;
        for (int i = 0; i < form.operands; ++i) {
            shape += " 32";
            sources.push_back(floats(form.operands == 3 ? 4 : form.operands == 1 ? 400 : 20));
        }
        for (bool ftz : {false, true})
            for (bool sat : {false, true}) {
                if (sat && !form.saturates) continue;
                Match match = [=](const u64*, u64 expected, u64 actual) {
                    if (nan32(expected)) return nan32(actual);
                    if (sat) return expected == 0 && actual == 0x80000000;  // the sign of a clamped zero is left open
                    // Whether a result that rounds up to the smallest normal number is still flushed is left open.
                    return ftz && (expected & 0x7fffffff) == SmallestNormal && (actual & 0x7fffffff) == 0;
                };
                std::string suffix = std::string(ftz ? ".ftz" : "") + (sat ? ".sat" : "") + ".f32";
                for (const RoundingName& rounding : Roundings)
                    sweep(std::string(form.name) + "." + rounding.name + suffix, shape, sources,
                          [=](const u64* in) { return reference32(form.op, in, form.operands, rounding.mode, ftz, sat); }, match);
                if (!form.modeNeeded)
                    sweep(form.name + suffix, shape, sources,
                          [=](const u64* in) { return reference32(form.op, in, form.operands, FE_TONEAREST, ftz, sat); }, match);
            }
    }
}

void twice() {
    for (const Form& form : {Form{Op::Add, "add", 2, false, false}, {Op::Sub, "sub", 2, false, false}, {Op::Mul, "mul", 2, false, false},
                             {Op::Fma, "fma", 3, true, false}, {Op::Div, "div", 2, true, false}, {Op::Rcp, "rcp", 1, true, false},
                             {Op::Sqrt, "sqrt", 1, true, false}}) {
        std::string shape = "64 =";
        std::vector<Values> sources;
        for (int i = 0; i < form.operands; ++i) {
            shape += " 64";
            sources.push_back(doubles(form.operands == 3 ? 4 : form.operands == 1 ? 200 : 20));
        }
        auto reference = [=](int mode) {
            return [=](const u64* in) {
                double v[3] = {};
                for (int i = 0; i < form.operands; ++i) v[i] = f64(in[i]);
                return bits(compute<double>(form.op, v[0], v[1], v[2], mode));
            };
        };
        for (const RoundingName& rounding : Roundings)
            sweep(std::string(form.name) + "." + rounding.name + ".f64", shape, sources, reference(rounding.mode), anyNan64());
        if (!form.modeNeeded) sweep(std::string(form.name) + ".f64", shape, sources, reference(FE_TONEAREST), anyNan64());
    }
    // mad is fma where a rounding mode is given.
    sweep("mad.rn.f32", "32 = 32 32 32", {floats(2), floats(2), floats(2)},
          [](const u64* in) { return bits(compute<float>(Op::Fma, f32(in[0]), f32(in[1]), f32(in[2]), FE_TONEAREST)); }, anyNan32());
    sweep("mad.rn.f64", "64 = 64 64 64", {doubles(2), doubles(2), doubles(2)},
          [](const u64* in) { return bits(compute<double>(Op::Fma, f64(in[0]), f64(in[1]), f64(in[2]), FE_TONEAREST)); }, anyNan64());
}

void signs() {
    Values singles = floats(), doublesOf = doubles();
    sweep("neg.f32", "32 = 32", {singles}, [](const u64* in) { return in[0] ^ 0x80000000; }, anyNan32());
    sweep("abs.f32", "32 = 32", {singles}, [](const u64* in) { return in[0] & 0x7fffffff; }, anyNan32());
    sweep("neg.ftz.f32", "32 = 32", {singles}, [](const u64* in) { return flush32(in[0] ^ 0x80000000); }, anyNan32());
    sweep("abs.ftz.f32", "32 = 32", {singles}, [](const u64* in) { return flush32(in[0] & 0x7fffffff); }, anyNan32());
    sweep("neg.f64", "64 = 64", {doublesOf}, [](const u64* in) { return in[0] ^ 1ull << 63; }, anyNan64());
    sweep("abs.f64", "64 = 64", {doublesOf}, [](const u64* in) { return in[0] & ~(1ull << 63); }, anyNan64());
    sweep("copysign.f32", "32 = 32 32", {singles, singles}, [](const u64* in) { return (in[0] & 0x80000000) | (in[1] & 0x7fffffff); });
    sweep("copysign.f64", "64 = 64 64", {doublesOf, doublesOf}, [](const u64* in) { return (in[0] & 1ull << 63) | (in[1] & ~(1ull << 63)); });
    // Floating-point literals are exact bits.
    sweep("add.f32 $0, $1, 0f40490FDB;", "32 = 32", {singles}, [](const u64* in) { return bits(f32(in[0]) + f32(0x40490FDB)); }, anyNan32());
    sweep("mov.f64 $0, 0d3FF8000000000000;", "64 = 64", {{0}}, [](const u64*) { return 0x3FF8000000000000ull; });
    sweep("mov.f32 $0, 0fFF800000;", "32 = 32", {{0}}, [](const u64*) { return 0xFF800000ull; });
    sweep("mov.f64 $0, 1.5;", "64 = 64", {{0}}, [](const u64*) { return bits(1.5); });
    sweep("mov.f32 $0, -2.5e-3;", "32 = 32", {{0}}, [](const u64*) { return bits(-2.5e-3f); });
}

/// Either operand where the other is NaN; -0 below +0; .NaN lets NaN through, as the canonical one.
u64 extremum32(u64 a, u64 b, bool greatest, bool ftz, bool letNan) {
    constexpr u64 Canonical = 0x7fffffff;
    if (ftz) a = flush32(a), b = flush32(b);
    if (nan32(a) && nan32(b)) return Canonical;
    if (nan32(a) || nan32(b)) return letNan ? Canonical : nan32(a) ? b : a;
    // Ordered as sign and magnitude, which puts -0 before +0.
    auto key = [](u64 x) { return x & 0x80000000 ? -static_cast<s64>(x & 0x7fffffff) - 1 : static_cast<s64>(x); };
    return (key(a) < key(b)) != greatest ? a : b;
}

u64 extremum64(u64 a, u64 b, bool greatest) {
    if (nan64(a) || nan64(b)) return nan64(a) ? b : a;
    auto key = [](u64 x) { return x >> 63 ? -static_cast<s64>(x & ~(1ull << 63)) - 1 : static_cast<s64>(x); };
    return (key(a) < key(b)) != greatest ? a : b;
}

void extrema() {
    Values singles = floats(), wide = doubles();
    for (bool greatest : {false, true}) {
        std::string name = greatest ? "max" : "min";
        for (bool ftz : {false, true})
            for (bool letNan : {false, true})
                sweep(name + (ftz ? ".ftz" : "") + (letNan ? ".NaN" : "") + ".f32", "32 = 32 32", {singles, singles},
                      [=](const u64* in) { return extremum32(in[0], in[1], greatest, ftz, letNan); });
        sweep(name + ".f64", "64 = 64 64", {wide, wide}, [=](const u64* in) { return extremum64(in[0], in[1], greatest); }, anyNan64());
    }
}

void classes() {
    Values singles = floats(), wide = doubles();
    auto is = [](int kind, bool wanted) { return [=](auto value) -> u64 {
        int actual = std::fpclassify(value);
        bool holds = kind < 0 ? actual != FP_NAN && actual != FP_INFINITE : actual == kind;
        return holds == wanted;
    }; };
    auto test = [&](const char* name, int kind, bool wanted) {
        auto f = is(kind, wanted);
        sweep(std::string("testp.") + name + ".f32", "p = 32", {singles}, [=](const u64* in) { return f(f32(in[0])); });
        sweep(std::string("testp.") + name + ".f64", "p = 64", {wide}, [=](const u64* in) { return f(f64(in[0])); });
    };
    test("finite", -1, true);
    test("infinite", FP_INFINITE, true);
    test("number", FP_NAN, false);
    test("notanumber", FP_NAN, true);
    test("normal", FP_NORMAL, true);
    test("subnormal", FP_SUBNORMAL, true);
}

}  // namespace

int main() {
    single();
    twice();
    signs();
    extrema();
    classes();
    return finish("float");
}
