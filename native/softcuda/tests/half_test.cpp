// Arithmetic of f16 and bf16, single and in pairs.
#include "values.hpp"

using namespace softcuda;
using namespace softcuda::test;

namespace {

struct Format {
    const char* name;
    double (*decode)(u64);
    u64 (*encode)(double, int);
    u64 infinity, mantissa;
    bool isNan(u64 x) const { return (x & 0x7fff) > infinity; }
    u64 flush(u64 x) const { return (x & infinity) ? x : x & 0x8000; }
};
const Format F16{"f16", half, toHalf, 0x7c00, 0x03ff}, Bf16{"bf16", bfloat, toBfloat, 0x7f80, 0x007f};

/// a * b + c without losing whether it was exact: the sum is made odd where it was not, so that rounding it again is right.
double oddFma(double a, double b, double c) {
    double p = a * b, s = p + c;  // p is exact: 22 bits at most
    if (!std::isfinite(s)) return s;
    double t = s - p, error = (p - (s - t)) + (c - t);
    if (error == 0 || (std::bit_cast<u64>(s) & 1)) return s;
    return std::bit_cast<double>(std::bit_cast<u64>(s) + ((error > 0) == (s > 0) ? 1 : -1));
}

using Scalar = std::function<u64(const u64*)>;

/// The scalar instruction and the one on pairs.
void both(const std::string& before, const Format& format, int operands, const Values& values, const Scalar& f, const Match& match) {
    std::string shape = "16 =", wide = "32 =";
    std::vector<Values> sources, packed;
    for (int i = 0; i < operands; ++i) {
        shape += " 16";
        wide += " 32";
        sources.push_back(values);
        packed.push_back(pairs(values, static_cast<u64>(5 + 2 * i)));
    }
    sweep(before + "." + format.name, shape, sources, f, match);
    auto split = [=](const u64* in, int part) {
        Values out;
        for (int i = 0; i < operands; ++i) out.push_back(in[i] >> (16 * part) & 0xffff);
        return out;
    };
    sweep(before + "." + format.name + "x2", wide, packed,
          [=](const u64* in) { return f(split(in, 0).data()) | f(split(in, 1).data()) << 16; },
          [=](const u64* in, u64 expected, u64 actual) {
              for (int part : {0, 1}) {
                  u64 e = expected >> (16 * part) & 0xffff, a = actual >> (16 * part) & 0xffff;
                  if (e != a && !(match && match(split(in, part).data(), e, a))) return false;
              }
              return true;
          });
}

void arithmetic(const Format& format, bool fmaOnly) {
    Values values = format.infinity == 0x7c00 ? halves() : bfloats();
    Values few(values.begin(), values.begin() + 20);
    auto make = [&](const char* name, int operands, double (*f)(const double*)) {
        for (int variant = 0; variant < 4; ++variant) {
            bool ftz = variant == 1, sat = variant == 2, relu = variant == 3;
            if (relu && std::string(name).substr(0, 3) != "fma") continue;
            if ((ftz || sat) && &format == &Bf16) continue;
            Match match = [=, &format](const u64*, u64 expected, u64 actual) {
                if (format.isNan(expected)) return format.isNan(actual);
                if ((sat || relu) && expected == 0) return actual == 0x8000;
                return ftz && (expected & 0x7fff) == format.mantissa + 1 && (actual & 0x7fff) == 0;
            };
            both(std::string(name) + (ftz ? ".ftz" : sat ? ".sat" : relu ? ".relu" : ""), format, operands, operands == 3 ? few : values,
                 [=, &format](const u64* in) {
                     double v[3] = {};
                     for (int i = 0; i < operands; ++i) v[i] = format.decode(ftz ? format.flush(in[i]) : in[i]);
                     u64 result = format.encode(f(v), FE_TONEAREST);
                     if (ftz) result = format.flush(result);
                     if (relu && !format.isNan(result) && result & 0x8000) result = 0;
                     if (sat) result = format.isNan(result) || result & 0x8000 ? 0 : result > 0x3c00 ? 0x3c00 : result;
                     return result;
                 },
                 match);
        }
    };
    if (!fmaOnly) {
        for (const char* rounding : {"", ".rn"}) {
            make((std::string("add") + rounding).c_str(), 2, [](const double* v) { return v[0] + v[1]; });
            make((std::string("sub") + rounding).c_str(), 2, [](const double* v) { return v[0] - v[1]; });
            make((std::string("mul") + rounding).c_str(), 2, [](const double* v) { return v[0] * v[1]; });
        }
    }
    make("fma.rn", 3, [](const double* v) { return oddFma(v[0], v[1], v[2]); });
}

void signs(const Format& format) {
    Values values = format.infinity == 0x7c00 ? halves() : bfloats();
    Match anyNan = [&](const u64*, u64 expected, u64 actual) { return format.isNan(expected) && format.isNan(actual); };
    both("neg", format, 1, values, [](const u64* in) { return in[0] ^ 0x8000; }, anyNan);
    both("abs", format, 1, values, [](const u64* in) { return in[0] & 0x7fff; }, anyNan);
    if (&format == &F16) {
        both("neg.ftz", format, 1, values, [&](const u64* in) { return format.flush(in[0]) ^ 0x8000; }, anyNan);
        both("abs.ftz", format, 1, values, [&](const u64* in) { return format.flush(in[0]) & 0x7fff; }, anyNan);
    }
    for (bool greatest : {false, true})
        for (bool letNan : {false, true})
            both(std::string(greatest ? "max" : "min") + (letNan ? ".NaN" : ""), format, 2, values,
                 [=, &format](const u64* in) {
                     u64 a = in[0], b = in[1];
                     if (format.isNan(a) && format.isNan(b)) return u64{0x7fff};
                     if (format.isNan(a) || format.isNan(b)) return letNan ? u64{0x7fff} : format.isNan(a) ? b : a;
                     auto key = [](u64 x) { return x & 0x8000 ? -static_cast<s64>(x & 0x7fff) - 1 : static_cast<s64>(x); };
                     return (key(a) < key(b)) != greatest ? a : b;
                 },
                 {});
}

}  // namespace

int main() {
    arithmetic(F16, false);
    arithmetic(Bf16, true);
    signs(F16);
    signs(Bf16);
    return finish("half");
}
