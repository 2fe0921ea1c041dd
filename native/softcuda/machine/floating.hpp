// Float conversions and rounding that several families share.
#pragma once
#include "lanes.hpp"

namespace softcuda {

// What GPUs answer for any NaN result.
constexpr u32 NanF32 = 0x7fffffffu;
constexpr u64 NanF64 = 0xfff8000000000000ull;
constexpr u16 Nan16 = 0x7fff;

inline float canonical(float x) { return x != x ? std::bit_cast<float>(NanF32) : x; }
inline double canonical(double x) { return x != x ? std::bit_cast<double>(NanF64) : x; }

/// Denormals to zeros of the same sign.
inline float flush(float x) { return std::fabs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0f, x) : x; }
/// To [0, 1], NaN to 0.
template <class T>
T saturate01(T x) { return x >= 1 ? T(1) : x > 0 ? x : T(0); }

inline float toFloat(Half h) {
    u32 sign = static_cast<u32>(h.bits & 0x8000) << 16, magnitude = h.bits & 0x7fff;
    // Multiplying scales the exponent and normalises denormals; infinities and NaNs are put right afterwards.
    float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
    u32 bits = magnitude >= 0x7c00 ? (magnitude << 13) | 0x7f800000u : std::bit_cast<u32>(scaled);
    return std::bit_cast<float>(bits | sign);
}
inline float toFloat(Bfloat b) { return std::bit_cast<float>(static_cast<u32>(b.bits) << 16); }

/// To the nearest, ties to even.
inline Half toHalf(float x) {
    u32 bits = std::bit_cast<u32>(x), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffffu;
    // Normal results: round away 13 bits. Denormal ones: an addition aligns and rounds.
    u32 normal = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1)) >> 13;
    u32 denormal = std::bit_cast<u32>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
    u32 result = magnitude < 0x38800000u ? denormal : magnitude >= 0x47800000u ? 0x7c00u : normal;
    result = magnitude > 0x7f800000u ? Nan16 : result | sign;
    return {static_cast<u16>(result)};
}
inline Bfloat toBfloat(float x) {
    u32 bits = std::bit_cast<u32>(x);
    u32 rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
    return {static_cast<u16>((bits & 0x7fffffffu) > 0x7f800000u ? Nan16 : rounded)};
}

enum class Rounding : u8 { Nearest, Zero, Down, Up };

/// Rounds a double to a format with `precision` bits and the exponents of `bias`, given as its bits. Exact in every mode.
u32 roundToFormat(double x, int exponentBits, int mantissaBits, Rounding rounding);
inline Half toHalf(double x, Rounding rounding = Rounding::Nearest) { return {static_cast<u16>(roundToFormat(x, 5, 10, rounding))}; }
inline Bfloat toBfloat(double x, Rounding rounding = Rounding::Nearest) { return {static_cast<u16>(roundToFormat(x, 8, 7, rounding))}; }

/// a + b with the last bit set where the sum is inexact: rounding it again is as good as rounding once.
double addToOdd(double a, double b);

/// Wraps the decoder's handler so that it runs with another rounding direction. Takes .rn, .rz, .rm or .rp.
class Decoder;
std::optional<Rounding> takeRounding(Decoder& d);
void applyRounding(Instr& instr, Rounding rounding);

// Approximate functions, as correctly rounded as double arithmetic makes them.
float approximateExp2(float x);
float approximateLog2(float x);
float approximateSin(float x);
float approximateCos(float x);
float approximateTanh(float x);

}  // namespace softcuda
