// Arithmetic of f32 and f64.
#include "decoder.hpp"
#include "floating.hpp"

namespace softcuda {

namespace {

struct Add {
    template <class T>
    static T f(T a, T b) { return canonical(a + b); }
};
struct Subtract {
    template <class T>
    static T f(T a, T b) { return canonical(a - b); }
};
struct Multiply {
    template <class T>
    static T f(T a, T b) { return canonical(a * b); }
};
struct Fma {
    template <class T>
    static T f(T a, T b, T c) { return canonical(std::fma(a, b, c)); }
};
struct Divide {
    template <class T>
    static T f(T a, T b) { return canonical(a / b); }
};
/// div.approx: divisors beyond 2^126 have no normal reciprocal.
struct DivideApproximately {
    template <class T>
    static T f(T a, T b) {
        bool huge = std::fabs(b) > T(0x1p126) && std::fabs(b) <= std::numeric_limits<T>::max();
        T signedZero = std::copysign(T(0), std::signbit(a) != std::signbit(b) ? T(-1) : T(1));
        return huge ? canonical(std::fabs(a) <= std::numeric_limits<T>::max() ? signedZero : std::numeric_limits<T>::quiet_NaN()) : canonical(a / b);
    }
};
struct SquareRoot {
    template <class T>
    static T f(T a) { return canonical(std::sqrt(a)); }
};
struct Reciprocal {
    template <class T>
    static T f(T a) { return canonical(1 / a); }
};
struct ReciprocalRoot {
    template <class T>
    static T f(T a) { return canonical(static_cast<T>(1 / std::sqrt(static_cast<double>(a)))); }
};
// A NaN loses against a number; -0 is less than +0.
struct Minimum {
    template <class T>
    static T f(T a, T b) {
        T least = a < b || (a == b && std::signbit(a)) ? a : b;
        return canonical(a != a ? b : b != b ? a : least);
    }
};
struct Maximum {
    template <class T>
    static T f(T a, T b) {
        T most = a > b || (a == b && !std::signbit(a)) ? a : b;
        return canonical(a != a ? b : b != b ? a : most);
    }
};
template <class O>
struct Propagating {
    template <class T>
    static T f(T a, T b) { return a != a || b != b ? canonical(std::numeric_limits<T>::quiet_NaN()) : O::template f<T>(a, b); }
};
/// The sign is the product of both signs, the magnitude the lesser or greater one.
template <class O>
struct XorSign {
    template <class T>
    static T f(T a, T b) {
        T value = O::template f<T>(std::fabs(a), std::fabs(b));
        return value != value ? value : std::copysign(value, std::signbit(a) != std::signbit(b) ? T(-1) : T(1));
    }
};
struct Absolute {
    template <class T>
    static T f(T a) { return std::fabs(a); }
};
struct Negate {
    template <class T>
    static T f(T a) { return -a; }
};
struct Exp2 {
    template <class T>
    static T f(T a) { return approximateExp2(a); }
};
struct Log2 {
    template <class T>
    static T f(T a) { return approximateLog2(a); }
};
struct Sine {
    template <class T>
    static T f(T a) { return approximateSin(a); }
};
struct Cosine {
    template <class T>
    static T f(T a) { return approximateCos(a); }
};
struct Tanh {
    template <class T>
    static T f(T a) { return approximateTanh(a); }
};

template <class T>
T copySign(T sign, T value) { return std::copysign(value, sign); }

template <class O, bool Flush, bool Saturate, class... A>
float modified(A... a) {
    float result = Flush ? flush(O::template f<float>(flush(a)...)) : O::template f<float>(a...);
    return Saturate ? saturate01(result) : result;
}
template <class O, bool Saturate, class... A>
double modifiedWide(A... a) { return O::template f<double>(a...); }

/// The handler of O on float, with .ftz and .sat.
template <class O, class... A>
Handler pickFloat(bool flushes, bool saturates) {
    if (flushes) return saturates ? op<modified<O, true, true, A...>> : op<modified<O, true, false, A...>>;
    return saturates ? op<modified<O, false, true, A...>> : op<modified<O, false, false, A...>>;
}
template <class O, class... A>
Handler pickUnsaturated(bool flushes) { return flushes ? op<modified<O, true, false, A...>> : op<modified<O, false, false, A...>>; }

struct Modifiers {
    bool flushes, saturates;
    std::optional<Rounding> rounding;
};

Modifiers takeModifiers(Decoder& d, Type type) {
    Modifiers m{d.take("ftz"), d.take("sat"), takeRounding(d)};
    if (type == Type::F64 && (m.flushes || m.saturates)) d.fail("f64 has neither .ftz nor .sat");
    return m;
}

template <class O>
bool binary(Decoder& d, Type type, int flops) {
    Modifiers m = takeModifiers(d, type);
    d.simple(type == Type::F64 ? op<&O::template f<double>> : pickFloat<O, float, float>(m.flushes, m.saturates), {type, type, type});
    d.out.flops = static_cast<u8>(flops);
    applyRounding(d.out, m.rounding.value_or(Rounding::Nearest));
    return true;
}

bool decodeFma(Decoder& d, Type type, bool needsRounding) {
    Modifiers m = takeModifiers(d, type);
    if (needsRounding && !m.rounding) d.fail("'fma' needs a rounding");
    d.simple(type == Type::F64 ? op<&Fma::f<double>> : pickFloat<Fma, float, float, float>(m.flushes, m.saturates), {type, type, type, type});
    d.out.flops = 2;
    applyRounding(d.out, m.rounding.value_or(Rounding::Nearest));
    return true;
}

/// div, sqrt and rcp: .approx or a rounding; div also .full.
template <class O, class... A>
bool exactOrApproximate(Decoder& d, Type type, std::initializer_list<Type> types, bool full) {
    Modifiers m = takeModifiers(d, type);
    bool approximate = d.take("approx") || (full && d.take("full"));
    if (approximate == m.rounding.has_value()) d.fail("'" + std::string(d.source->opcode) + "' needs either .approx or a rounding");
    if (m.saturates) d.fail("'" + std::string(d.source->opcode) + "' has no .sat");
    Handler handler;
    if (type == Type::F64) handler = approximate ? nullptr : op<&modifiedWide<O, false, std::conditional_t<true, double, A>...>>;
    else handler = pickUnsaturated<O, A...>(m.flushes);
    d.simple(handler, types);
    applyRounding(d.out, m.rounding.value_or(Rounding::Nearest));
    return true;
}

template <class O>
bool approximateOnly(Decoder& d, Type type) {
    bool flushes = d.take("ftz");
    if (!d.take("approx")) d.fail("'" + std::string(d.source->opcode) + "' needs .approx");
    d.simple(type == Type::F32 ? pickUnsaturated<O, float>(flushes) : nullptr, {type, type});
    return true;
}

// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64 look at the upper half and give zeros in the lower half.
template <class O>
double upperHalf(double a) {
    double value = O::template f<double>(std::bit_cast<double>(std::bit_cast<u64>(a) & 0xffffffff00000000ull));
    return std::bit_cast<double>(std::bit_cast<u64>(value) & 0xffffffff00000000ull);
}

template <class O>
bool extreme(Decoder& d, Type type) {
    bool flushes = d.take("ftz"), propagates = d.take("NaN"), xors = d.take("xorsign");
    if (xors && !d.take("abs")) d.fail(".xorsign needs .abs");
    if (type == Type::F64) {
        d.simple(flushes || propagates || xors ? nullptr : op<&O::template f<double>>, {type, type, type});
        return true;
    }
    Handler handler = xors ? (propagates ? pickUnsaturated<XorSign<Propagating<O>>, float, float>(flushes) : pickUnsaturated<XorSign<O>, float, float>(flushes))
                           : (propagates ? pickUnsaturated<Propagating<O>, float, float>(flushes) : pickUnsaturated<O, float, float>(flushes));
    if (d.operands() == 4) {  // three inputs
        d.fail("'" + std::string(d.source->opcode) + "' of three inputs is not supported");
    }
    d.simple(handler, {type, type, type});
    return true;
}

enum class Class { Finite, Infinite, Number, Nan, Normal, Subnormal };
template <Class Wanted, class T>
bool isOfClass(T x) {
    switch (Wanted) {
        case Class::Finite: return std::fabs(x) <= std::numeric_limits<T>::max();
        case Class::Infinite: return std::fabs(x) > std::numeric_limits<T>::max();
        case Class::Number: return x == x;
        case Class::Nan: return x != x;
        case Class::Normal: return std::fabs(x) >= std::numeric_limits<T>::min() && std::fabs(x) <= std::numeric_limits<T>::max();
        case Class::Subnormal: return x != 0 && std::fabs(x) < std::numeric_limits<T>::min();
    }
}

bool decodeTest(Decoder& d) {
    Type type = d.takeType();
    bool wide = type == Type::F64;
    if (!wide && type != Type::F32) d.fail("'testp' is of .f32 or .f64");
    Handler handler = nullptr;
    auto pick = [&]<Class Wanted>(const char* name) {
        if (d.take(name)) handler = wide ? op<isOfClass<Wanted, double>> : op<isOfClass<Wanted, float>>;
    };
    pick.operator()<Class::Finite>("finite");
    pick.operator()<Class::Infinite>("infinite");
    pick.operator()<Class::Number>("number");
    pick.operator()<Class::Nan>("notanumber");
    pick.operator()<Class::Normal>("normal");
    pick.operator()<Class::Subnormal>("subnormal");
    d.simple(handler, {Type::Pred, type});
    return true;
}

}  // namespace

bool decodeFloat(Decoder& d, std::string_view opcode) {
    if (opcode == "testp") return decodeTest(d);
    std::optional<Type> named;
    for (std::string_view modifier : d.source->modifiers)
        if ((named = typeNamed(modifier))) break;
    if (named != Type::F32 && named != Type::F64) return false;
    Type type = *named;
    auto taken = [&] { d.takeType(); return true; };
    if (opcode == "add") return taken(), binary<Add>(d, type, 1);
    if (opcode == "sub") return taken(), binary<Subtract>(d, type, 1);
    if (opcode == "mul") return taken(), binary<Multiply>(d, type, 1);
    if (opcode == "fma") return taken(), decodeFma(d, type, true);
    if (opcode == "mad") return taken(), decodeFma(d, type, false);
    if (opcode == "div" && type == Type::F32 && d.hasModifier("approx"))
        return taken(), exactOrApproximate<DivideApproximately, float, float>(d, type, {type, type, type}, false);
    if (opcode == "div") return taken(), exactOrApproximate<Divide, float, float>(d, type, {type, type, type}, type == Type::F32);
    if (opcode == "sqrt") return taken(), exactOrApproximate<SquareRoot, float>(d, type, {type, type}, false);
    if (opcode == "rcp") {
        taken();
        if (type == Type::F64 && d.hasModifier("approx")) {
            if (!d.take("approx") || !d.take("ftz")) d.fail("'rcp.approx' of f64 needs .ftz");
            return d.simple(op<upperHalf<Reciprocal>>, {type, type}), true;
        }
        return exactOrApproximate<Reciprocal, float>(d, type, {type, type}, false);
    }
    if (opcode == "rsqrt") {
        taken();
        if (type == Type::F32) return approximateOnly<ReciprocalRoot>(d, type);
        bool flushes = d.take("ftz");
        if (!d.take("approx")) d.fail("'rsqrt' needs .approx");
        return d.simple(flushes ? op<upperHalf<ReciprocalRoot>> : op<&ReciprocalRoot::f<double>>, {type, type}), true;
    }
    if (opcode == "ex2") return taken(), approximateOnly<Exp2>(d, type);
    if (opcode == "lg2") return taken(), approximateOnly<Log2>(d, type);
    if (opcode == "sin") return taken(), approximateOnly<Sine>(d, type);
    if (opcode == "cos") return taken(), approximateOnly<Cosine>(d, type);
    if (opcode == "tanh") {
        taken();
        if (!d.take("approx")) d.fail("'tanh' needs .approx");
        return d.simple(type == Type::F32 ? pickUnsaturated<Tanh, float>(false) : nullptr, {type, type}), true;
    }
    if (opcode == "min") return taken(), extreme<Minimum>(d, type);
    if (opcode == "max") return taken(), extreme<Maximum>(d, type);
    if (opcode == "abs" || opcode == "neg") {
        taken();
        bool flushes = d.take("ftz"), negates = opcode == "neg";
        if (type == Type::F64) return d.simple(flushes ? nullptr : negates ? op<&Negate::f<double>> : op<&Absolute::f<double>>, {type, type}), true;
        return d.simple(negates ? pickUnsaturated<Negate, float>(flushes) : pickUnsaturated<Absolute, float>(flushes), {type, type}), true;
    }
    if (opcode == "copysign") return taken(), d.simple(type == Type::F64 ? op<copySign<double>> : op<copySign<float>>, {type, type, type}), true;
    return false;
}

}  // namespace softcuda
