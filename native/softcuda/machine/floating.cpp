#include "floating.hpp"

#include <cfenv>

#include "decoder.hpp"

namespace softcuda {

u32 roundToFormat(double x, int exponentBits, int mantissaBits, Rounding rounding) {
    const u32 sign = std::signbit(x) ? 1u << (exponentBits + mantissaBits) : 0;
    const int bias = (1 << (exponentBits - 1)) - 1;
    const u32 infinity = ((1u << exponentBits) - 1) << mantissaBits;
    if (x != x) return Nan16;
    double magnitude = std::fabs(x);
    if (std::isinf(magnitude)) return sign | infinity;
    if (magnitude == 0) return sign;
    int exponent = std::max(std::ilogb(magnitude), 1 - bias);
    double scaled = std::ldexp(magnitude, mantissaBits - exponent);  // exact, below 2^(mantissaBits + 1)
    double whole = std::floor(scaled), rest = scaled - whole;
    bool up = false;
    switch (rounding) {
        case Rounding::Nearest: up = rest > 0.5 || (rest == 0.5 && std::fmod(whole, 2) != 0); break;
        case Rounding::Zero: break;
        case Rounding::Down: up = sign && rest > 0; break;
        case Rounding::Up: up = !sign && rest > 0; break;
    }
    u32 mantissa = static_cast<u32>(whole) + up;
    // The hidden bit adds one to the exponent field; so does a carry out of the mantissa.
    u32 bits = (static_cast<u32>(exponent + bias - 1) << mantissaBits) + mantissa;
    if (bits >= infinity) {
        bool toInfinity = rounding == Rounding::Nearest || (rounding == Rounding::Down && sign) || (rounding == Rounding::Up && !sign);
        bits = toInfinity ? infinity : infinity - 1;
    }
    return sign | bits;
}

double addToOdd(double a, double b) {
    double sum = a + b;
    if (!std::isfinite(sum)) return sum;
    double partOfB = sum - a, partOfA = sum - partOfB;
    double error = (a - partOfA) + (b - partOfB);
    u64 bits = std::bit_cast<u64>(sum);
    if (error == 0 || (bits & 1)) return sum;
    // Towards the error: away from zero where the signs agree.
    return std::bit_cast<double>((error > 0) == (sum > 0) ? bits + 1 : bits - 1);
}

namespace {

void runRounded(Warp& warp, const Instr& instr, Mask mask) {
    constexpr int Modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
    std::fesetround(Modes[instr.flags]);
    reinterpret_cast<Handler>(instr.immediate)(warp, instr, mask);
    std::fesetround(FE_TONEAREST);
}

}  // namespace

std::optional<Rounding> takeRounding(Decoder& d) {
    if (d.take("rn")) return Rounding::Nearest;
    if (d.take("rz")) return Rounding::Zero;
    if (d.take("rm")) return Rounding::Down;
    if (d.take("rp")) return Rounding::Up;
    return std::nullopt;
}

void applyRounding(Instr& instr, Rounding rounding) {
    if (rounding == Rounding::Nearest || !instr.run) return;
    instr.immediate = reinterpret_cast<std::int64_t>(instr.run);
    instr.flags = static_cast<u16>(rounding);
    instr.run = runRounded;
}

namespace {

constexpr double Log2E = 1.4426950408889634074, Ln2 = 0.69314718055994530942;

/// 2^x for |x| <= 1100.
inline double exp2Double(double x) {
    double whole = std::nearbyint(x), t = (x - whole) * Ln2;  // |t| <= 0.3466: the 12th power over 12! is 6e-15
    double p = 1.0 / 39916800;
    p = p * t + 1.0 / 3628800;
    p = p * t + 1.0 / 362880;
    p = p * t + 1.0 / 40320;
    p = p * t + 1.0 / 5040;
    p = p * t + 1.0 / 720;
    p = p * t + 1.0 / 120;
    p = p * t + 1.0 / 24;
    p = p * t + 1.0 / 6;
    p = p * t + 0.5;
    p = p * t + 1.0;
    p = p * t + 1.0;
    return p * std::bit_cast<double>(static_cast<u64>(static_cast<s64>(whole) + 1023) << 52);
}

inline double clampedExp2(double x) {
    x = x < -1000 ? -1000 : x;
    return exp2Double(x > 1000 ? 1000 : x);
}

/// log2 of a positive, finite, normal double.
inline double log2Double(double x) {
    u64 bits = std::bit_cast<u64>(x);
    // Mantissa in [sqrt(1/2), sqrt(2)), so that the logarithm of 1 is exactly 0.
    s64 exponent = static_cast<s64>(bits >> 52) - 1023;
    double m = std::bit_cast<double>((bits & 0xfffffffffffffull) | 0x3ff0000000000000ull);
    bool large = m > 1.4142135623730951;
    m = large ? m * 0.5 : m;
    double s = (m - 1) / (m + 1), z = s * s;
    double p = 1.0 / 19;
    p = p * z + 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    p = p * z + 1.0;
    return static_cast<double>(exponent + large) + 2 * Log2E * s * p;
}

}  // namespace

float approximateExp2(float x) {
    double wide = clampedExp2(static_cast<double>(x));
    return canonical(x != x ? x : static_cast<float>(wide));
}

float approximateLog2(float x) {
    double wide = static_cast<double>(x);
    double result = log2Double(x > 0 && x < std::numeric_limits<float>::infinity() ? wide : 1.0);
    float finite = static_cast<float>(result);
    return x > 0 ? (x < std::numeric_limits<float>::infinity() ? finite : x)
                 : canonical(x == 0 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN());
}

float approximateSin(float x) { return canonical(static_cast<float>(std::sin(static_cast<double>(x)))); }
float approximateCos(float x) { return canonical(static_cast<float>(std::cos(static_cast<double>(x)))); }

float approximateTanh(float x) {
    double wide = static_cast<double>(x), square = wide * wide;
    double e = clampedExp2(2 * Log2E * wide > 100 ? 100 : 2 * Log2E * wide);
    double large = (e - 1) / (e + 1);
    // Near zero the difference cancels: a series instead.
    double small = wide * (1 - square * (1.0 / 3 - square * (2.0 / 15 - square * (17.0 / 315))));
    float result = static_cast<float>(square < 4e-4 ? small : large);
    return canonical(x != x ? x : result);
}

}  // namespace softcuda
