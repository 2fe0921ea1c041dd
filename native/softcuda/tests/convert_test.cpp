// Conversions between all types: widening, narrowing, rounding, saturation, and what becomes of NaN.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

using Wide = __int128;

struct Integer {
    int width;
    bool isSigned;
    std::string name() const { return (isSigned ? "s" : "u") + std::to_string(width); }
    Wide low() const { return isSigned ? -(static_cast<Wide>(1) << (width - 1)) : 0; }
    Wide high() const { return (static_cast<Wide>(1) << (isSigned ? width - 1 : width)) - 1; }
    Wide read(u64 bits) const {
        u64 mask = width == 64 ? ~0ull : (1ull << width) - 1;
        bits &= mask;
        return isSigned && bits >> (width - 1) ? static_cast<Wide>(bits) - static_cast<Wide>(mask) - 1 : static_cast<Wide>(bits);
    }
    /// As it lies in a register that may be wider: extended by its sign or zeros.
    u64 write(Wide value) const { return static_cast<u64>(read(static_cast<u64>(value))); }
    std::string registerWidth() const { return std::to_string(std::max(width, 16)); }
};
const std::vector<Integer> Integers{{8, false}, {8, true}, {16, false}, {16, true}, {32, false}, {32, true}, {64, false}, {64, true}};

void betweenIntegers() {
    for (const Integer& to : Integers)
        for (const Integer& from : Integers) {
            std::string types = "." + to.name() + "." + from.name();
            // Where the source's register is wider, the bits above its type are ignored.
            Values values = integers(from.width, 6);
            if (from.width == 8)
                for (u64& v : values) v |= 0x3500;
            std::string shape = to.registerWidth() + " = " + from.registerWidth();
            sweep("cvt" + types, shape, {values}, [=](const u64* in) { return to.write(from.read(in[0])); });
            // Allowed only where it can do something.
            if (from.low() < to.low() || from.high() > to.high())
                sweep("cvt.sat" + types, shape, {values}, [=](const u64* in) {
                Wide value = from.read(in[0]);
                return to.write(value < to.low() ? to.low() : value > to.high() ? to.high() : value);
            });
            // Registers wider than the types, with other bits above the source's own: compilers extend signs within a register so.
            for (int outer : {32, 64}) {
                if (outer < to.width || outer < from.width) continue;
                Values high = values;
                for (u64& v : high) v |= (outer == 64 ? 0x5A5A5A5A5A5A5A5Aull : 0x5A5A5A5Aull) << (from.width % 64) & (outer == 64 ? ~0ull : 0xffffffffull);
                if (from.width == 64) high = values;
                std::string w = std::to_string(outer);
                sweep("cvt" + types, w + " = " + w, {high}, [=](const u64* in) { return to.write(from.read(in[0])); });
            }
        }
}

struct Source {
    const char* name;
    const char* width;
    double (*decode)(u64);
    Values values;
    int bits;
};

double round(double value, int mode) {
    Rounding scope(mode);
    volatile double v = value;
    volatile double result = std::nearbyint(v);
    return result;
}

Values fractions(u64 (*encode)(double)) {
    Values values;
    for (double base : {0.0, 1.0, 2.0, 100.0, 127.0, 128.0, 255.0, 256.0, 1000.0, 32767.0, 32768.0, 65535.0, 65536.0})
        for (double part : {-0.5, -0.25, 0.0, 0.25, 0.5, 0.75})
            for (double sign : {1.0, -1.0}) values.push_back(encode(sign * (base + part)));
    return values;
}

Values large(u64 (*encode)(double)) {
    Values values;
    for (int power : {31, 32, 33, 62, 63, 64, 65})
        for (double step : {-1.0, 0.0, 1.0})
            for (double sign : {1.0, -1.0})
                values.push_back(encode(sign * (std::ldexp(1, power) + step * std::ldexp(1, std::max(0, power - 23)))));
    for (double x : {2147483646.5, 2147483647.5, 4294967295.5, 9007199254740993.0, 4503599627370496.5}) values.push_back(encode(x)), values.push_back(encode(-x));
    return values;
}

Values join(std::initializer_list<Values> lists) {
    Values out;
    for (const Values& list : lists) out.insert(out.end(), list.begin(), list.end());
    return out;
}

void toIntegers() {
    auto e16 = [](double x) { return toHalf(x); };
    auto e32 = [](double x) { return bits(static_cast<float>(x)); };
    auto e64 = [](double x) { return bits(x); };
    const Source sources[] = {{"f16", "16", half, join({halves(200), fractions(e16)}), 16},
                              {"f32", "32", [](u64 b) { return static_cast<double>(f32(b)); }, join({floats(100), fractions(e32), large(e32)}), 32},
                              {"f64", "64", f64, join({doubles(100), fractions(e64), large(e64)}), 64}};
    const struct {
        const char* name;
        int mode;
    } modes[] = {{"rni", FE_TONEAREST}, {"rzi", FE_TOWARDZERO}, {"rmi", FE_DOWNWARD}, {"rpi", FE_UPWARD}};
    for (const Source& source : sources)
        for (const Integer& to : Integers)
            for (const auto& mode : modes)
                for (bool ftz : {false, true}) {
                    if (ftz && source.bits != 32) continue;
                    auto reference = [=](const u64* in) {
                        double value = source.decode(ftz ? flush32(in[0]) : in[0]);
                        // NaN is 0, but the highest bit where 64 bits are on either side.
                        if (std::isnan(value)) return source.bits == 64 || to.width == 64 ? to.write(static_cast<Wide>(1) << (to.width - 1)) : 0;
                        value = round(value, mode.mode);
                        if (value <= static_cast<double>(to.low())) return to.write(to.low());
                        if (value >= static_cast<double>(to.high())) return to.write(to.high());
                        return to.write(static_cast<Wide>(value));
                    };
                    std::string text = std::string("cvt.") + mode.name + (ftz ? ".ftz" : ""), types = "." + to.name() + "." + source.name;
                    std::string shape = to.registerWidth() + " = " + source.width;
                    sweep(text + types, shape, {source.values}, reference);
                    if (!ftz && mode.mode == FE_TOWARDZERO) sweep(text + ".sat" + types, shape, {source.values}, reference);
                }
}

/// An integer to a float of any format: through long double, whose 64 bits of mantissa hold every source exactly.
u64 fromInteger(Wide value, int exponent, int mantissa, int mode) {
    if (exponent == 8) {
        Rounding scope(mode);
        volatile long double exact = static_cast<long double>(value);
        volatile float result = static_cast<float>(exact);
        return bits(static_cast<float>(result));
    }
    if (exponent == 11) {
        Rounding scope(mode);
        volatile long double exact = static_cast<long double>(value);
        volatile double result = static_cast<double>(exact);
        return bits(static_cast<double>(result));
    }
    // Beyond 2^20 halves only know infinity and the greatest number.
    Wide bound = 1 << 20;
    return encodeFloat(static_cast<double>(value > bound ? bound : value < -bound ? -bound : value), exponent, mantissa, mode);
}

void fromIntegers() {
    for (const Integer& from : Integers)
        for (const RoundingName& rounding : Roundings) {
            Values values = integers(from.width, 40);
            for (int power = 10; power < from.width; ++power)
                for (u64 part : {1ull, 2ull, 3ull}) values.push_back((1ull << power) + ((1ull << power) >> 10) + part);
            std::string text = std::string("cvt.") + rounding.name, source = from.registerWidth();
            sweep(text + ".f16." + from.name(), "16 = " + source, {values}, [=](const u64* in) { return fromInteger(from.read(in[0]), 5, 10, rounding.mode); });
            sweep(text + ".f32." + from.name(), "32 = " + source, {values}, [=](const u64* in) { return fromInteger(from.read(in[0]), 8, 23, rounding.mode); });
            sweep(text + ".f64." + from.name(), "64 = " + source, {values}, [=](const u64* in) { return fromInteger(from.read(in[0]), 11, 52, rounding.mode); });
        }
    sweep("cvt.rn.sat.f32.s32", "32 = 32", {integers(32)}, [](const u64* in) { return static_cast<s32>(in[0]) > 0 ? 0x3f800000 : 0; });
}

u64 narrow32(u64 in, int mode) {
    Rounding scope(mode);
    volatile double value = f64(in);
    volatile float result = static_cast<float>(value);
    return bits(static_cast<float>(result));
}

u64 saturate32(u64 x) { return nan32(x) || f32(x) <= 0 ? 0 : f32(x) > 1 ? 0x3f800000 : x; }

void betweenFloats() {
    Match zeroSign = [](const u64*, u64 expected, u64 actual) { return expected == 0 && actual == 0x80000000; };
    Match nan = anyNan32(), wideNan = anyNan64();
    Values singles = floats(200), wide = doubles(200), small = halves(400);
    // Doubles at which f32 and f16 round, overflow and go denormal.
    for (u64 v : floats(60)) {
        double x = f32(v);
        for (double factor : {1.0, 1 + std::ldexp(1, -24), 1 + std::ldexp(1, -25), 1 - std::ldexp(1, -25)}) wide.push_back(bits(x * factor));
    }
    for (u64 v : small) {
        double x = half(v);
        for (double factor : {1.0, 1 + std::ldexp(1, -11), 1 + std::ldexp(1, -12), 1 - std::ldexp(1, -12)}) {
            wide.push_back(bits(x * factor));
            singles.push_back(bits(static_cast<float>(x * factor)));
        }
    }
    for (double x : {65519.0, 65520.0, 65521.0, 65504.0, 65535.0, 5.9604645e-8, 2.9802322e-8, 2.98023225e-8, 2.9e-8, 1e-9, 6.1e-5})
        for (double sign : {1.0, -1.0}) wide.push_back(bits(sign * x)), singles.push_back(bits(static_cast<float>(sign * x)));

    sweep("cvt.f64.f32", "64 = 32", {singles}, [](const u64* in) { return bits(static_cast<double>(f32(in[0]))); }, wideNan);
    sweep("cvt.ftz.f64.f32", "64 = 32", {singles}, [](const u64* in) { return bits(static_cast<double>(f32(flush32(in[0])))); }, wideNan);
    sweep("cvt.f32.f16", "32 = 16", {small}, [](const u64* in) { return bits(static_cast<float>(half(in[0]))); }, nan);
    sweep("cvt.ftz.f32.f16", "32 = 16", {small}, [](const u64* in) { return bits(static_cast<float>(half(in[0]))); }, nan);
    sweep("cvt.f64.f16", "64 = 16", {small}, [](const u64* in) { return bits(half(in[0])); }, wideNan);
    for (const RoundingName& rounding : Roundings) {
        std::string text = std::string("cvt.") + rounding.name;
        sweep(text + ".f32.f64", "32 = 64", {wide}, [=](const u64* in) { return narrow32(in[0], rounding.mode); }, nan);
        sweep(text + ".ftz.f32.f64", "32 = 64", {wide}, [=](const u64* in) { return flush32(narrow32(in[0], rounding.mode)); },
              [](const u64*, u64 expected, u64 actual) {
                  return nan32(expected) ? nan32(actual) : (expected & 0x7fffffff) == 0x00800000 && (actual & 0x7fffffff) == 0;
              });
        sweep(text + ".sat.f32.f64", "32 = 64", {wide}, [=](const u64* in) { return saturate32(narrow32(in[0], rounding.mode)); }, zeroSign);
        sweep(text + ".f16.f32", "16 = 32", {singles}, [=](const u64* in) { return toHalf(f32(in[0]), rounding.mode); });
        sweep(text + ".ftz.f16.f32", "16 = 32", {singles}, [=](const u64* in) { return toHalf(f32(flush32(in[0])), rounding.mode); });
        sweep(text + ".f16.f64", "16 = 64", {wide}, [=](const u64* in) { return toHalf(f64(in[0]), rounding.mode); });
    }
    // Rounding to an integer within a format.
    const struct {
        const char* name;
        int mode;
    } modes[] = {{"rni", FE_TONEAREST}, {"rzi", FE_TOWARDZERO}, {"rmi", FE_DOWNWARD}, {"rpi", FE_UPWARD}};
    for (u64 v : fractions([](double x) { return bits(static_cast<float>(x)); })) singles.push_back(v);
    for (u64 v : fractions([](double x) { return bits(x); })) wide.push_back(v);
    for (u64 v : fractions([](double x) { return toHalf(x); })) small.push_back(v);
    for (const auto& mode : modes) {
        std::string text = std::string("cvt.") + mode.name;
        sweep(text + ".f32.f32", "32 = 32", {singles}, [=](const u64* in) { return bits(static_cast<float>(round(f32(in[0]), mode.mode))); }, nan);
        sweep(text + ".ftz.f32.f32", "32 = 32", {singles},
              [=](const u64* in) { return bits(static_cast<float>(round(f32(flush32(in[0])), mode.mode))); }, nan);
        sweep(text + ".sat.f32.f32", "32 = 32", {singles},
              [=](const u64* in) { return saturate32(bits(static_cast<float>(round(f32(in[0]), mode.mode)))); }, zeroSign);
        sweep(text + ".f64.f64", "64 = 64", {wide}, [=](const u64* in) { return bits(round(f64(in[0]), mode.mode)); }, wideNan);
        sweep(text + ".f16.f16", "16 = 16", {small}, [=](const u64* in) { return toHalf(round(half(in[0]), mode.mode)); },
              [](const u64*, u64 expected, u64 actual) { return nan16(expected) && nan16(actual); });
    }
    sweep("cvt.sat.f32.f32", "32 = 32", {singles}, [](const u64* in) { return saturate32(in[0]); }, zeroSign);
    sweep("cvt.ftz.sat.f32.f32", "32 = 32", {singles}, [](const u64* in) { return saturate32(flush32(in[0])); }, zeroSign);
    sweep("cvt.sat.f32.f16", "32 = 16", {small}, [](const u64* in) { return saturate32(bits(static_cast<float>(half(in[0])))); }, zeroSign);
}

void toNarrow() {
    Values singles = floats(300);
    auto relu = [](u64 x, u64 infinity) { return (x & 0x7fff) > infinity ? u64{0x7fff} : x & 0x8000 ? 0 : x; };
    Match zeroSign = [](const u64*, u64 expected, u64 actual) { return expected == 0 && actual == 0x8000; };
    for (const RoundingName& rounding : {Roundings[0], Roundings[1]}) {
        std::string text = std::string("cvt.") + rounding.name;
        int mode = rounding.mode;
        sweep(text + ".bf16.f32", "16 = 32", {singles}, [=](const u64* in) { return toBfloat(f32(in[0]), mode); });
        sweep(text + ".relu.bf16.f32", "16 = 32", {singles}, [=](const u64* in) { return relu(toBfloat(f32(in[0]), mode), 0x7f80); }, zeroSign);
        sweep(text + ".relu.f16.f32", "16 = 32", {singles}, [=](const u64* in) { return relu(toHalf(f32(in[0]), mode), 0x7c00); }, zeroSign);
        Values few = floats(10);
        // The first operand becomes the upper half.
        sweep(text + ".f16x2.f32", "32 = 32 32", {few, few}, [=](const u64* in) { return toHalf(f32(in[0]), mode) << 16 | toHalf(f32(in[1]), mode); });
        sweep(text + ".bf16x2.f32", "32 = 32 32", {few, few}, [=](const u64* in) { return toBfloat(f32(in[0]), mode) << 16 | toBfloat(f32(in[1]), mode); });
    }
    // To nearest, ties away from zero, 10 bits of mantissa; the rest of the register is open, but zero in practice.
    Values tf;
    for (u64 v : singles)
        if (!nan32(v)) tf.push_back(v);
    sweep("cvt.rna.tf32.f32", "32 = 32", {tf}, [](const u64* in) {
        u64 magnitude = in[0] & 0x7fffffff;
        if (magnitude < 0x7f800000) magnitude += 0x1000;
        return (in[0] & 0x80000000) | (magnitude & ~0x1fffull);
    });
    for (u64 nan : {0x7fc00000u, 0xffc00000u, 0x7f800001u})
        sweep("cvt.rna.tf32.f32", "32 = 32", {{nan}}, [](const u64*) { return 0x7fffffff; },
              [](const u64*, u64, u64 actual) { return nan32(actual); });
}

}  // namespace

int main() {
    betweenIntegers();
    toIntegers();
    fromIntegers();
    betweenFloats();
    toNarrow();
    return finish("convert");
}
