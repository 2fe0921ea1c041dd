// Approximate functions: within the error that the ISA documents, and exact where it tabulates results.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

constexpr u64 Zero = 0, MinusZero = 0x80000000, Infinity = 0x7f800000, MinusInfinity = 0xff800000, Nan = 0x7fffffff, One = 0x3f800000;

/// Within a relative and an absolute error of a double.
Match within(const std::function<double(double)>& f, double relative, double absolute, bool ftz) {
    return [=](const u64* in, u64, u64 actual) {
        double exact = f(f32(ftz ? flush32(in[0]) : in[0]));
        if (std::isnan(exact)) return nan32(actual);
        double value = f32(actual);
        if (std::isinf(exact) || std::fabs(exact) > 3.4028236e38) return std::isinf(value) && (value < 0) == (exact < 0);
        if (ftz && std::fabs(exact) < 1.1755e-38 && value == 0) return true;
        // Below the denormals' spacing nothing can be nearer than half of it.
        return std::fabs(value - exact) <= std::max({absolute, relative * std::fabs(exact), 1.5e-45});
    };
}

Values range(double low, double high, int steps) {
    Values values;
    for (int i = 0; i <= steps; ++i) values.push_back(bits(static_cast<float>(low + (high - low) * i / steps)));
    return values;
}

void check(const char* name, const std::function<double(double)>& f, const Values& values, double relative, double absolute, bool onlyFtz = false) {
    for (bool ftz : {false, true}) {
        if (onlyFtz && !ftz) continue;
        // Expected bits that no output has: the match decides.
        sweep(std::string(name) + (ftz ? ".ftz" : "") + ".f32", "32 = 32", {values}, [](const u64*) { return 0x7fc12345; },
              within(f, relative, absolute, ftz));
    }
}

void exactly(const std::string& text, std::vector<Row> rows) {
    table(text, "32 = 32", rows, anyNan32());
}

void roots() {
    Values values = floats(600);
    double ulp = std::ldexp(1, -23);
    check("rcp.approx", [](double x) { return 1 / x; }, values, ulp, 0);
    check("sqrt.approx", [](double x) { return std::sqrt(x); }, values, ulp, 0);
    check("rsqrt.approx", [](double x) { return 1 / std::sqrt(x); }, values, std::exp2(-22.9), 0);
    for (const char* ftz : {"", ".ftz"}) {
        std::string s = std::string(ftz) + ".f32";
        exactly("rcp.approx" + s, {{MinusInfinity, MinusZero}, {Infinity, Zero}, {Zero, Infinity}, {MinusZero, MinusInfinity}, {Nan, Nan}, {One, One}});
        exactly("sqrt.approx" + s, {{MinusZero, MinusZero}, {Zero, Zero}, {Infinity, Infinity}, {Nan, MinusInfinity}, {Nan, 0xbf800000}, {Nan, Nan}});
        exactly("rsqrt.approx" + s, {{MinusInfinity, MinusZero}, {Infinity, Zero}, {Zero, Infinity}, {Nan, MinusInfinity}, {Nan, 0xbf800000}, {Nan, Nan}});
    }
    exactly("rcp.approx.ftz.f32", {{Infinity, 1}, {MinusInfinity, 0x80000001}, {Zero, 0x7f000000}});
    exactly("rsqrt.approx.ftz.f32", {{Infinity, 1}, {MinusInfinity, 0x80000001}});
    exactly("sqrt.approx.ftz.f32", {{Zero, 1}, {MinusZero, 0x80000001}});
}

void quotients() {
    for (const char* kind : {"approx", "full"})
        for (bool ftz : {false, true}) {
            // Two units in the last place for divisors of 2^-126 to 2^126.
            Match match = [=](const u64* in, u64, u64 actual) {
                double a = f32(ftz ? flush32(in[0]) : in[0]), b = f32(ftz ? flush32(in[1]) : in[1]), exact = a / b, value = f32(actual);
                if (std::isnan(exact)) return nan32(actual);
                if (b != 0 && !std::isinf(b) && (std::fabs(b) < std::ldexp(1, -126) || std::fabs(b) > std::ldexp(1, 126))) return true;
                if (std::isinf(exact)) return std::isinf(value) && (value < 0) == (exact < 0);
                double most = std::ldexp(1, 128) * (1 - std::ldexp(1, -24));
                if (std::fabs(exact) >= most * (1 - std::ldexp(1, -22))) return std::isinf(value) || std::fabs(value) > most * (1 - std::ldexp(1, -21));
                if (ftz && std::fabs(exact) <= std::ldexp(1.001, -126) && value == 0) return true;
                int power = exact == 0 ? -126 : std::max(std::ilogb(exact), -126);
                return std::fabs(value - exact) <= 2 * std::ldexp(1, power - 23);
            };
            sweep(std::string("div.") + kind + (ftz ? ".ftz" : "") + ".f32", "32 = 32 32", {floats(30), floats(30)},
                  [](const u64*) { return 0x7fc12345; }, match);
        }
    table("div.approx.f32", "32 = 32 32", {{Zero, One, 0x7f000000}, {Nan, Infinity, 0x7f000000}, {Infinity, One, Zero}, {Nan, Zero, Zero}}, anyNan32());
}

void transcendental() {
    double pi = std::acos(-1.0);
    Values circle = range(-2 * pi, 2 * pi, 4000);
    check("sin.approx", [](double x) { return std::sin(x); }, circle, 0, std::exp2(-20.5));
    check("cos.approx", [](double x) { return std::cos(x); }, circle, 0, std::exp2(-20.5));
    Values far = range(-100 * pi, 100 * pi, 4000);
    check("sin.approx", [](double x) { return std::sin(x); }, far, 0, std::exp2(-14.7));
    check("cos.approx", [](double x) { return std::cos(x); }, far, 0, std::exp2(-14.7));
    exactly("sin.approx.f32", {{Zero, Zero}, {MinusZero, MinusZero}, {Nan, Infinity}, {Nan, MinusInfinity}, {Nan, Nan}});
    exactly("sin.approx.ftz.f32", {{Zero, Zero}, {MinusZero, MinusZero}, {Zero, 1}, {MinusZero, 0x80000001}, {Nan, Infinity}});
    exactly("cos.approx.f32", {{One, Zero}, {One, MinusZero}, {One, 1}, {Nan, Infinity}, {Nan, MinusInfinity}, {Nan, Nan}});
    auto lg2 = [](double x) { return std::log2(x); };
    check("lg2.approx", lg2, range(0.5, 2, 4000), 0, std::exp2(-22));
    Values positive;
    for (u64 v : floats(600))
        if (f32(v) > 0 && !(f32(v) > 0.5f && f32(v) < 2.0f)) positive.push_back(v);
    check("lg2.approx", lg2, positive, std::exp2(-22), 0);
    for (const char* s : {"lg2.approx.f32", "lg2.approx.ftz.f32"})
        exactly(s, {{Nan, MinusInfinity}, {MinusInfinity, Zero}, {MinusInfinity, MinusZero}, {Infinity, Infinity}, {Nan, Nan}, {Nan, 0xbf800000}, {Zero, One}});
    exactly("lg2.approx.ftz.f32", {{MinusInfinity, 1}, {MinusInfinity, 0x80000001}});
    exactly("lg2.approx.f32", {{bits(-149.0f), 1}});
    auto ex2 = [](double x) { return std::exp2(x); };
    check("ex2.approx", ex2, range(-160, 130, 8000), std::exp2(-22), 0);
    for (const char* s : {"ex2.approx.f32", "ex2.approx.ftz.f32"})
        exactly(s, {{Zero, MinusInfinity}, {One, Zero}, {One, MinusZero}, {One, 1}, {One, 0x80000001}, {Infinity, Infinity}, {Nan, Nan}, {0x40000000, One}});
    exactly("ex2.approx.f32", {{1, bits(-149.0f)}, {0x00400000, bits(-127.0f)}, {Infinity, bits(128.0f)}});
    exactly("ex2.approx.ftz.f32", {{Zero, bits(-127.0f)}, {0x00800000, bits(-126.0f)}});
    Match tanhMatch = within([](double x) { return std::tanh(x); }, std::exp2(-11), 0, false);
    Values values = range(-10, 10, 4000);
    for (u64 v : floats(300)) values.push_back(v);
    sweep("tanh.approx.f32", "32 = 32", {values}, [](const u64*) { return 0x7fc12345; }, tanhMatch);
    exactly("tanh.approx.f32", {{0xbf800000, MinusInfinity}, {One, Infinity}, {Zero, Zero}, {MinusZero, MinusZero}, {Nan, Nan}});
}

void narrow() {
    Values values = halves(400);
    auto match = [](const std::function<double(double)>& f, double relative, double absolute) {
        return Match([=](const u64* in, u64, u64 actual) {
            double exact = f(half(in[0])), value = half(actual);
            if (std::isnan(exact)) return nan16(actual);
            if (std::isinf(exact) || std::fabs(exact) >= 65520) return std::isinf(value);
            // Of the denormals only the spacing can be asked for.
            return std::fabs(value - exact) <= std::max({relative * std::fabs(exact), absolute, 6e-8});
        });
    };
    Match ex2 = match([](double x) { return std::exp2(x); }, std::exp2(-9.9), 0), tanh = match([](double x) { return std::tanh(x); }, 0, std::exp2(-10.987));
    auto never = [](const u64*) { return 0x7d55; };
    sweep("ex2.approx.f16", "16 = 16", {values}, never, ex2);
    sweep("tanh.approx.f16", "16 = 16", {values}, never, tanh);
    auto both = [](const Match& match) {
        return Match([=](const u64* in, u64, u64 actual) {
            u64 low = in[0] & 0xffff, high = in[0] >> 16;
            return match(&low, 0, actual & 0xffff) && match(&high, 0, actual >> 16);
        });
    };
    sweep("ex2.approx.f16x2", "32 = 32", {pairs(values)}, never, both(ex2));
    sweep("tanh.approx.f16x2", "32 = 32", {pairs(values)}, never, both(tanh));
}

}  // namespace

int main() {
    roots();
    quotients();
    transcendental();
    narrow();
    return finish("approximate");
}
