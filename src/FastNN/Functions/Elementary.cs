using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>
/// Elementary functions on any number of lanes, in float alone. The base library's vector exponential goes through double and
/// takes 0.34 ns per element on 16 lanes where this one takes 0.15; its logarithm is good enough for losses and is used as it is.
/// Bounds are against the exact value, measured over all exponents; infinities, NaN and denormal results are right.
/// </summary>
internal static class Elementary
{
    /// <summary>
    /// exp(x), at most 1.1 ulp (2 ulp without fused multiply-add). x = n ln 2 + r with |r| &lt;= ln 2 / 2, ln 2 in two parts
    /// (Cody and Waite), then the polynomial of Cephes' expf (Moshier) for (exp(r) - 1 - r) / r^2.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x)
        where T : struct, ILanes<T>
    {
        // Beyond these the result is infinite or zero all the same. NaN passes, being the second operand.
        x = T.Min(89f, T.Max(-104.5f, x));
        T n = T.Round(x * 1.44269504f);
        T r = T.MultiplyAdd(n, -0.693359375f, x);
        r = T.MultiplyAdd(n, 2.12194440e-4f, r);
        T p = T.MultiplyAdd(1.9875691500e-4f, r, 1.3981999507e-3f);
        p = T.MultiplyAdd(p, r, 8.3334519073e-3f);
        p = T.MultiplyAdd(p, r, 4.1665795894e-2f);
        p = T.MultiplyAdd(p, r, 1.6666665459e-1f);
        p = T.MultiplyAdd(p, r, 5.0000001201e-1f);
        p = T.MultiplyAdd(p, r * r, r) + 1f;
        return T.ScaleByPowerOfTwo(p, n);
    }

    /// <summary>1 / (1 + exp(-x)), at most 3 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sigmoid<T>(T x)
        where T : struct, ILanes<T> =>
        1f / (1f + Exp(-x));

    /// <summary>
    /// tanh(x), at most 2 ulp: Cephes' odd polynomial (Moshier, tanhf) up to 0.625, 1 - 2 / (exp(2 |x|) + 1) with x's sign
    /// beyond.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Tanh<T>(T x)
        where T : struct, ILanes<T>
    {
        T size = T.Abs(x);
        T large = 1f - (2f / (Exp(size + size) + 1f));
        large = T.IfGreater(0f, x, -large, large);
        T z = x * x;
        T p = T.MultiplyAdd(-5.70498872745e-3f, z, 2.06390887954e-2f);
        p = T.MultiplyAdd(p, z, -5.37397155531e-2f);
        p = T.MultiplyAdd(p, z, 1.33314422036e-1f);
        p = T.MultiplyAdd(p, z, -3.33332819422e-1f);
        T small = T.MultiplyAdd(p * z, x, x);
        return T.IfGreaterOrEqual(size, 0.625f, large, small);
    }

    /// <summary>
    /// The normal distribution function Phi(x), and the exponential exp(-x^2 / 2) on the way to it. Phi(-z) for z >= 0 is
    /// exp(-z^2 / 2) t P(t) with t = 1 / (1 + 0.3 z), the form of Hastings (Abramowitz and Stegun 26.2.17), here with a
    /// minimax polynomial of degree 9 (Chebyshev fit of Mills' ratio over z in [0, 15], relative error 2e-8). So the lower tail
    /// has small relative error, where 1 + erf(x) would cancel. At most 6 ulp; zero below -14.5.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T NormalDistribution<T>(T x, out T exponential)
        where T : struct, ILanes<T>
    {
        T z = T.Min(15f, T.Abs(x));

        // The square's rounding error would be multiplied by the exponential's argument, so it is put back to first order.
        T square = z * z;
        T rest = T.MultiplyAdd(z, z, -square);
        exponential = Exp(-0.5f * square);
        exponential = T.MultiplyAdd(exponential, -0.5f * rest, exponential);

        T t = 1f / T.MultiplyAdd(0.3f, z, 1f);
        T p = T.MultiplyAdd(-0.0209846693611f, t, 0.114402111863f);
        p = T.MultiplyAdd(p, t, -0.232835483053f);
        p = T.MultiplyAdd(p, t, 0.197921644074f);
        p = T.MultiplyAdd(p, t, -0.0844812825249f);
        p = T.MultiplyAdd(p, t, 0.0988308413108f);
        p = T.MultiplyAdd(p, t, 0.077485770647f);
        p = T.MultiplyAdd(p, t, 0.110423196615f);
        p = T.MultiplyAdd(p, t, 0.119550118278f);
        p = T.MultiplyAdd(p, t, 0.119687750228f);
        T tail = exponential * (p * t);
        return T.IfGreater(x, 0f, 1f - tail, tail);
    }

    /// <summary>
    /// log(1 + x) for x in [0, 1], at most 4 ulp: log(w) x / (w - 1) with w = 1 + x rounded makes up for that rounding
    /// (Goldberg 1991, theorem 4).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LogOnePlus<T>(T x)
        where T : struct, ILanes<T>
    {
        T w = 1f + x;
        T exact = w - 1f;

        // Where exact is 0, x itself is the answer; the division is then not looked at. NaN goes the way of the division.
        return T.IfGreaterOrEqual(0f, exact, x, T.Log(w) * (x / exact));
    }

    /// <summary>log(1 - x) alike, for x in [0, 1): as log(w) x / (1 - w) with w = 1 - x rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LogOneMinus<T>(T x)
        where T : struct, ILanes<T>
    {
        T w = 1f - x;
        T exact = 1f - w;
        return T.IfGreaterOrEqual(0f, exact, -x, T.Log(w) * (x / exact));
    }

    /// <summary>log(1 + x) for any x, as above; -infinity at -1, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LogOnePlusAny<T>(T x)
        where T : struct, ILanes<T>
    {
        T w = 1f + x;
        T exact = w - 1f;

        // Above 1e9 the quotient is 1, and of infinities it would be NaN.
        T quotient = T.IfGreater(x, 1e9f, 1f, x / exact);
        return T.IfGreaterOrEqual(0f, T.Abs(exact), x, T.Log(w) * quotient);
    }

    /// <summary>exp(x) - 1, at most 3 ulp: near 0 the polynomial of <see cref="Exp"/>, whose first term is x itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ExpMinusOne<T>(T x)
        where T : struct, ILanes<T>
    {
        T p = T.MultiplyAdd(1.9875691500e-4f, x, 1.3981999507e-3f);
        p = T.MultiplyAdd(p, x, 8.3334519073e-3f);
        p = T.MultiplyAdd(p, x, 4.1665795894e-2f);
        p = T.MultiplyAdd(p, x, 1.6666665459e-1f);
        p = T.MultiplyAdd(p, x, 5.0000001201e-1f);
        return T.IfGreater(T.Abs(x), 0.34f, Exp(x) - 1f, T.MultiplyAdd(p, x * x, x));
    }

    /// <summary>
    /// sin(x + quarters pi / 2), absolute error 1.2e-7 for |x| up to 8192, beyond which the reduction loses digits; NaN of
    /// infinities. x less the nearest multiple of pi / 2 in three parts (Cody and Waite), then the polynomials of Cephes' sinf
    /// and cosf (Moshier).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sine<T>(T x, float quarters)
        where T : struct, ILanes<T>
    {
        T n = T.Round(x * 0.636619772f);
        T r = T.MultiplyAdd(n, -1.5703125f, x);
        r = T.MultiplyAdd(n, -4.837512969970703125e-4f, r);
        r = T.MultiplyAdd(n, -7.54978995489188216e-8f, r);
        T z = r * r;
        T p = T.MultiplyAdd(-1.9515295891e-4f, z, 8.3321608736e-3f);
        p = T.MultiplyAdd(p, z, -1.6666654611e-1f);
        T sine = T.MultiplyAdd(p * z, r, r);
        p = T.MultiplyAdd(2.443315711809948e-5f, z, -1.388731625493765e-3f);
        p = T.MultiplyAdd(p, z, 4.166664568298827e-2f);
        T cosine = T.MultiplyAdd(p * z, z, T.MultiplyAdd(-0.5f, z, 1f));

        // The quadrant, -2 to 2: the outer two are one.
        T quadrant = n + quarters;
        quadrant = T.MultiplyAdd(-4f, T.Round(quadrant * 0.25f), quadrant);
        T size = T.Abs(quadrant);
        T odd = T.IfGreater(quadrant, 0f, cosine, -cosine);
        return T.IfGreater(0.5f, size, sine, T.IfGreater(size, 1.5f, -sine, odd));
    }

    /// <summary>
    /// The angle whose tangent is x, at most 3 ulp: an odd polynomial (Chebyshev fit, relative error 3e-9, of its slope 2e-7) up
    /// to tan(pi / 8), and pi / 4 + atan((x - 1) / (x + 1)) or pi / 2 - atan(1 / x) beyond, as Cephes' atanf (Moshier).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ArcTangent<T>(T x)
        where T : struct, ILanes<T>
    {
        T size = T.Abs(x);
        T r = T.IfGreater(size, 2.414213562f, -1f / size, T.IfGreater(size, 0.4142135624f, (size - 1f) / (size + 1f), size));
        T angle = T.IfGreater(size, 2.414213562f, 1.570796327f, T.IfGreater(size, 0.4142135624f, 0.7853981634f, 0f));
        T z = r * r;
        T p = T.MultiplyAdd(-0.0645171851f, z, 0.107436687f);
        p = T.MultiplyAdd(p, z, -0.142639503f);
        p = T.MultiplyAdd(p, z, 0.199995399f);
        p = T.MultiplyAdd(p, z, -0.333333313f);
        angle += T.MultiplyAdd(p * z, r, r);
        return T.IfGreater(0f, x, -angle, angle);
    }

    /// <summary>
    /// The angle, -pi to pi, of the point (x, y), at most 4 ulp; zeros with their signs and infinities as in C's atan2 (IEEE
    /// 754-2019, 9.2.1). The arc tangent of the smaller coordinate over the larger, then by quadrant; what pi loses as a float is
    /// put back.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ArcTangent<T>(T y, T x)
        where T : struct, ILanes<T>
    {
        T width = T.Abs(x), height = T.Abs(y);
        T large = T.IfGreater(width, height, width, height), small = T.IfGreater(width, height, height, width);
        T ratio = T.IfGreater(small, float.MaxValue, 1f, IfEqual(large, 0f, small, small / large));
        T angle = ArcTangent(ratio);
        angle = T.IfGreater(height, width, 1.57079637f - (angle + 4.37113883e-8f), angle);
        angle = IfNegative(x, 3.14159274f - (angle + 8.74227766e-8f), angle);
        return IfNegative(y, -angle, angle);
    }

    /// <summary>x has a minus sign, -0 included ? a : b; b for NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T IfNegative<T>(T x, T a, T b)
        where T : struct, ILanes<T> => T.IfGreater(0f, x, a, IfEqual(x, 0f, T.IfGreater(0f, 1f / x, a, b), b));

    /// <summary>
    /// The remainder of a / b with a's sign, exact for quotients up to 2^24: the sizes' quotient, rounded to an integer, may be
    /// one too large or too small, which shows in the remainder; NaN where a is infinite or b is 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Remainder<T>(T a, T b)
        where T : struct, ILanes<T>
    {
        T size = T.Abs(a), divisor = T.Abs(b);
        T rest = T.MultiplyAdd(-T.Round(size / divisor), divisor, size);
        rest = T.IfGreater(0f, rest, rest + divisor, rest);
        rest = T.IfGreaterOrEqual(rest, divisor, rest - divisor, rest);

        // Of an infinite divisor nothing is taken.
        rest = T.IfGreater(divisor, float.MaxValue, T.IfGreater(size, float.MaxValue, float.NaN, size), rest);
        return IfNegative(a, -rest, rest);
    }

    /// <summary>a == b ? x : y; y where a or b is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T IfEqual<T>(T a, T b, T x, T y)
        where T : struct, ILanes<T> => T.IfGreaterOrEqual(a, b, T.IfGreaterOrEqual(b, a, x, y), y);

    /// <summary>
    /// a^b, at most 4 ulp (more without fused multiply-add), as C's pow (IEEE 754-2019, 9.2.1) for zeros, infinities, NaN and
    /// bases below 0. The logarithm needs more digits than a float has, because the exponent multiplies its error: with a = 2^n m
    /// and q = (m - 1) / (m + 1) it is n ln 2 + 2 (q + q^3 / 3 + ...), of which n ln 2 and q are kept as unevaluated sums of two
    /// floats (Dekker, 1971).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Power<T>(T a, T b)
        where T : struct, ILanes<T>
    {
        T size = T.Abs(a);
        T n = T.Round(T.Log(size) * 1.44269504f);
        T m = T.ScaleByPowerOfTwo(size, -n);

        // m - 1 is exact; what m + 1 and the quotient lose goes into a second quotient.
        T above = m - 1f, below = m + 1f;
        T q = above / below;
        T rest = (T.MultiplyAdd(-q, below, above) - (q * (m - (below - 1f)))) / below;
        T z = q * q;
        T p = T.MultiplyAdd(0.181818182f, z, 0.222222222f);
        p = T.MultiplyAdd(p, z, 0.285714286f);
        p = T.MultiplyAdd(p, z, 0.4f);
        p = T.MultiplyAdd(p, z, 0.666666667f);

        // The first part of ln 2 is so short that its product with n is exact; the sum's error is put back (Knuth's two-sum).
        T powers = n * 0.693359375f, twice = q + q;
        T sum = powers + twice;
        T part = sum - powers;
        T low = (powers - (sum - part)) + (twice - part);
        low += T.MultiplyAdd(p * z, q, T.MultiplyAdd(n, -2.12194440e-4f, rest + rest));
        T high = sum + low;
        low -= high - sum;

        T exponent = b * high;
        T correction = T.MultiplyAdd(b, high, -exponent) + (b * low);
        T y = T.IfGreater(
            exponent, 100f, float.PositiveInfinity, T.IfGreater(-110f, exponent, 0f, Exp(exponent) * (1f + correction)));
        y = IfEqual(size, 1f, 1f, y);

        // A negative base has a real power where b is an integer, of its sign where b is odd.
        T half = b * 0.5f;
        T halfIsWhole = T.Round(half), whole = T.Round(b);
        y = T.IfGreater(0f, a, IfEqual(whole, b, IfEqual(halfIsWhole, half, y, -y), float.NaN), y);

        // Zeros and infinities, whose logarithm is none; -0 and -infinity keep their sign where b is odd.
        T limit = IfEqual(whole, b, IfEqual(halfIsWhole, half, size, a), size);
        limit = T.IfGreater(0f, b, 1f / limit, T.IfGreater(b, 0f, limit, b));
        y = T.IfGreater(size, 0f, T.IfGreaterOrEqual(float.MaxValue, size, y, limit), limit);
        return IfEqual(b, 0f, 1f, IfEqual(a, 1f, 1f, y));
    }
}
