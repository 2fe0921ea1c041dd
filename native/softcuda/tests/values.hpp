// Edge values of every type, and scalar references of the formats that C++ lacks.
#pragma once
#include <bit>
#include <cfenv>
#include <cmath>
#include <limits>
#include <random>

#include "harness.hpp"

namespace softcuda::test {

inline Values integers(int bits, int random = 8) {
    u64 mask = bits == 64 ? ~0ull : (1ull << bits) - 1, top = 1ull << (bits - 1);
    Values values{0, 1, 2, 3, 7, 10, 31, 32, 33, mask, mask - 1, mask - 6, top, top + 1, top - 1, top - 2, 0x5555555555555555ull & mask,
                  0xAAAAAAAAAAAAAAAAull & mask};
    std::mt19937_64 generator(static_cast<u64>(bits));
    for (int i = 0; i < random; ++i) values.push_back(generator() & mask);
    return values;
}

inline Values floats(int random = 12) {
    Values values{0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00400000, 0x00800000, 0x80800000, 0x00800001,
                  0x3f800000, 0xbf800000, 0x3f800001, 0x3f7fffff, 0x3f000000, 0xbf000000, 0x40000000, 0x40400000, 0xc0400000, 0x3fc00000,
                  0x34000000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0x4b000000, 0xcb000001,
                  0x4f000000, 0x5f000000, 0x1f800000, 0x20000000, 0x00ffffff};
    std::mt19937_64 generator(1);
    for (int i = 0; i < random; ++i) {
        values.push_back(generator() & 0xffffffff);
        values.push_back(0x3f000000 | (generator() & 0x81ffffff));  // near one, where rounding shows
    }
    return values;
}

inline Values doubles(int random = 12) {
    Values values{0, 1ull << 63, 1, (1ull << 63) | 1, 0x000fffffffffffff, 0x0010000000000000, 0x8010000000000000, 0x3ff0000000000000,
                  0xbff0000000000000, 0x3ff0000000000001, 0x3fefffffffffffff, 0x3fe0000000000000, 0x4000000000000000, 0x4008000000000000,
                  0xc008000000000000, 0x3ff8000000000000, 0x7fefffffffffffff, 0xffefffffffffffff, 0x7ff0000000000000, 0xfff0000000000000,
                  0x7ff8000000000000, 0x7ff0000000000001, 0x4330000000000000, 0x41e0000000000000, 0x43e0000000000000};
    std::mt19937_64 generator(2);
    for (int i = 0; i < random; ++i) {
        values.push_back(generator());
        values.push_back(0x3fe0000000000000 | (generator() & 0x803fffffffffffff));
    }
    return values;
}

inline Values halves(int random = 16) {
    Values values{0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x8400, 0x3c00, 0xbc00, 0x3c01, 0x3bff, 0x3800, 0x4000,
                  0x4200, 0xc200, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0xfe00, 0x7c01, 0x6400, 0xe401, 0x1400};
    std::mt19937_64 generator(3);
    for (int i = 0; i < random; ++i) values.push_back(generator() & 0xffff);
    return values;
}

inline Values bfloats(int random = 16) {
    Values values{0x0000, 0x8000, 0x0001, 0x8001, 0x007f, 0x0080, 0x8080, 0x3f80, 0xbf80, 0x3f81, 0x3f7f, 0x3f00, 0x4000,
                  0x4040, 0xc040, 0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x7fc0, 0xffc0, 0x7f81, 0x4b00, 0xcb01, 0x3400};
    std::mt19937_64 generator(4);
    for (int i = 0; i < random; ++i) values.push_back(generator() & 0xffff);
    return values;
}

/// Two halves in one word, each from its own place in the list.
inline Values pairs(const Values& values, u64 step = 7) {
    Values out;
    for (std::size_t i = 0; i < values.size(); ++i) out.push_back(values[i] | values[(i * step + 3) % values.size()] << 16);
    return out;
}

inline float f32(u64 bits) { return std::bit_cast<float>(static_cast<u32>(bits)); }
inline double f64(u64 bits) { return std::bit_cast<double>(bits); }
inline u64 bits(float value) { return std::bit_cast<u32>(value); }
inline u64 bits(double value) { return std::bit_cast<u64>(value); }
inline bool nan32(u64 bits) { return (bits & 0x7fffffff) > 0x7f800000; }
inline bool nan64(u64 bits) { return (bits & ~(1ull << 63)) > 0x7ff0000000000000; }
inline bool nan16(u64 bits) { return (bits & 0x7fff) > 0x7c00; }
inline bool nanBf16(u64 bits) { return (bits & 0x7fff) > 0x7f80; }
/// Denormals become zeros of their sign.
inline u64 flush32(u64 bits) { return bits & 0x7f800000 ? bits : bits & 0x80000000; }

/// Where the ISA leaves the payload open, any NaN will do.
inline Match anyNan32() {
    return [](const u64*, u64 expected, u64 actual) { return nan32(expected) && nan32(actual); };
}
inline Match anyNan64() {
    return [](const u64*, u64 expected, u64 actual) { return nan64(expected) && nan64(actual); };
}

/// Sets the rounding mode of this thread for a scope.
class Rounding {
public:
    explicit Rounding(int mode) : before_(std::fegetround()) { std::fesetround(mode); }
    ~Rounding() { std::fesetround(before_); }

private:
    int before_;
};

struct RoundingName {
    const char* name;
    int mode;
};
constexpr RoundingName Roundings[] = {{"rn", FE_TONEAREST}, {"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}};

/// A binary format with `mantissa` fraction bits and `exponent` bits, as an exact double.
inline double decodeFloat(u64 value, int exponent, int mantissa) {
    u64 fraction = value & ((1ull << mantissa) - 1), power = value >> mantissa & ((1ull << exponent) - 1);
    double sign = value >> (exponent + mantissa) & 1 ? -1.0 : 1.0;
    int bias = (1 << (exponent - 1)) - 1;
    if (power == (1ull << exponent) - 1) return fraction ? std::numeric_limits<double>::quiet_NaN() : sign * HUGE_VAL;
    if (power == 0) return sign * std::ldexp(static_cast<double>(fraction), 1 - bias - mantissa);
    return sign * std::ldexp(static_cast<double>(fraction | 1ull << mantissa), static_cast<int>(power) - bias - mantissa);
}

/// Rounds an exact double to such a format; NaN becomes all ones below the sign. `mode` as fesetround takes it.
inline u64 encodeFloat(double value, int exponent, int mantissa, int mode = FE_TONEAREST) {
    u64 sign = std::signbit(value) ? 1ull << (exponent + mantissa) : 0, infinity = ((1ull << exponent) - 1) << mantissa;
    if (std::isnan(value)) return infinity | ((1ull << mantissa) - 1);
    double magnitude = std::fabs(value);
    int bias = (1 << (exponent - 1)) - 1;
    if (std::isinf(value)) return sign | infinity;
    bool up = mode == FE_UPWARD ? !sign : mode == FE_DOWNWARD ? sign != 0 : false;
    // In units of the last place of the result's binade, which is never below that of the denormals.
    int power = magnitude == 0 ? 1 - bias : std::max(std::ilogb(magnitude), 1 - bias);
    double scaled = std::ldexp(magnitude, mantissa - power);
    double whole = std::floor(scaled), rest = scaled - whole;
    if (mode == FE_TONEAREST) whole += rest > 0.5 || (rest == 0.5 && std::fmod(whole, 2.0) != 0);
    else if (up) whole += rest > 0;
    u64 units = static_cast<u64>(whole);
    // Adding the fraction to the exponent field carries into it by itself.
    u64 result = units < (1ull << mantissa) ? units : units + (static_cast<u64>(power + bias - 1) << mantissa);
    if (result >= infinity) result = mode == FE_TONEAREST || up ? infinity : infinity - 1;
    return sign | result;
}
inline double half(u64 bits) { return decodeFloat(bits & 0xffff, 5, 10); }
inline double bfloat(u64 bits) { return decodeFloat(bits & 0xffff, 8, 7); }
inline u64 toHalf(double value, int mode = FE_TONEAREST) { return encodeFloat(value, 5, 10, mode); }
inline u64 toBfloat(double value, int mode = FE_TONEAREST) { return encodeFloat(value, 8, 7, mode); }

}  // namespace softcuda::test
