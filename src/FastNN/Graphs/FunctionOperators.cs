// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.
using FastNN.Functions;

namespace FastNN;

public static partial class Operators
{
    /// <summary>max(0, x); its derivative at 0 is 0, as in PyTorch.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value ReLU(this Value x) => x.Apply<Relu>();

    /// <summary>x for x > 0, else slope * x.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="slope">Of the line for negative x; default 0.01.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value LeakyReLU(this Value x, float slope = 0.01f) => x.Apply<LeakyRelu>(slope);

    /// <summary>1 / (1 + exp(-x)).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Sigmoid(this Value x) => x.Apply<Sigmoid>();

    /// <summary>The hyperbolic tangent.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Tanh(this Value x) => x.Apply<Tanh>();

    /// <summary>x * Phi(x) with the exact Gaussian distribution function (Hendrycks and Gimpel, 2016).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Gelu(this Value x) => x.Apply<Gelu>();

    /// <summary>GELU by its tanh approximation (Hendrycks and Gimpel, 2016).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value GeluTanh(this Value x) => x.Apply<GeluTanh>();

    /// <summary>e to the power of x.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Exp(this Value x) => x.Apply<Exp>();

    /// <summary>The natural logarithm of x.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Log(this Value x) => x.Apply<Log>();

    /// <summary>exp(x) - 1, exact near 0.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Expm1(this Value x) => x.Apply<Expm1>();

    /// <summary>log(1 + x), exact near 0.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Log1p(this Value x) => x.Apply<Log1p>();

    /// <summary>The square root of x.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Sqrt(this Value x) => x.Apply<Sqrt>();

    /// <summary>1 / sqrt(x).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Rsqrt(this Value x) => x.Apply<Rsqrt>();

    /// <summary>x * x.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Square(this Value x) => x.Apply<Square>();

    /// <summary>1 / x.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Reciprocal(this Value x) => x.Apply<Reciprocal>();

    /// <summary>The absolute value of x; its derivative at 0 is 0, as in PyTorch.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Abs(this Value x) => x.Apply<Abs>();

    /// <summary>-x.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Negate(this Value x) => x.Apply<Negate>();

    /// <summary>1 for x > 0, -1 for x &lt; 0, else x; its derivative is 0 everywhere.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Sign(this Value x) => x.Apply<Sign>();

    /// <summary>The sine of x, for |x| up to 8192.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Sin(this Value x) => x.Apply<Sin>();

    /// <summary>The cosine of x, for |x| up to 8192.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Cos(this Value x) => x.Apply<Cos>();

    /// <summary>x for x > 0, else alpha (exp(x) - 1) (Clevert et al., 2015).</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="alpha">The limit for large negative x is -alpha; default 1.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Elu(this Value x, float alpha = 1f) => x.Apply<Elu>(alpha);

    /// <summary>x for x > 0, else alpha (exp(x / alpha) - 1) (Barron, 2017).</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="alpha">The limit for large negative x is -alpha; default 1.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Celu(this Value x, float alpha = 1f) => x.Apply<Celu>(alpha);

    /// <summary>The ELU whose constants keep mean 0 and variance 1 (Klambauer et al., 2017).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Selu(this Value x) => x.Apply<Selu>();

    /// <summary>log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="beta">Steepness; default 1.</param>
    /// <param name="threshold">Where the function becomes x; default 20.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Softplus(this Value x, float beta = 1f, float threshold = 20f) => x.Apply<Softplus>(beta, threshold);

    /// <summary>x / (1 + |x|).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Softsign(this Value x) => x.Apply<Softsign>();

    /// <summary>log(1 / (1 + exp(-x))), computed without overflow.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value LogSigmoid(this Value x) => x.Apply<LogSigmoid>();

    /// <summary>x / (1 + exp(-x)) (Elfwing et al., 2017), also known as swish.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value SiLU(this Value x) => x.Apply<SiLU>();

    /// <summary>x tanh(log(1 + exp(x))) (Misra, 2019).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Mish(this Value x) => x.Apply<Mish>();

    /// <summary>x between 0 and 6; its derivative at both ends is 0, as in PyTorch.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value ReLU6(this Value x) => x.Apply<ReLU6>();

    /// <summary>x between two bounds; its derivative at both is 0, as in PyTorch.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="low">The lower bound; default -1.</param>
    /// <param name="high">The upper bound; default 1.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value HardTanh(this Value x, float low = -1f, float high = 1f) => x.Apply<HardTanh>(low, high);

    /// <summary>alpha x + beta between 0 and 1.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="alpha">The slope; default 0.16666667.</param>
    /// <param name="beta">The value at 0; default 0.5.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value HardSigmoid(this Value x, float alpha = 0.16666667f, float beta = 0.5f) => x.Apply<HardSigmoid>(alpha, beta);

    /// <summary>x times (x + 3) / 6, the factor between 0 and 1 (Howard et al., 2019).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value HardSwish(this Value x) => x.Apply<HardSwish>();

    /// <summary>x between two bounds, either of which may be infinite; its derivative at both is 1, as in PyTorch.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="low">The lower bound; default -infinity.</param>
    /// <param name="high">The upper bound, which wins where the lower is above it; default infinity.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Clamp(this Value x, float low = float.NegativeInfinity, float high = float.PositiveInfinity) => x.Apply<Clamp>(low, high);

    /// <summary>The nearest integer, ties to even; its derivative is 0 everywhere.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Round(this Value x) => x.Apply<Round>();

    /// <summary>The largest integer that is at most x; its derivative is 0 everywhere.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Floor(this Value x) => x.Apply<Floor>();

    /// <summary>The least integer that is at least x; its derivative is 0 everywhere.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Ceiling(this Value x) => x.Apply<Ceiling>();

    /// <summary>The logarithm of x to the base 2.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Log2(this Value x) => x.Apply<Log2>();

    /// <summary>The logarithm of x to the base 10.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Log10(this Value x) => x.Apply<Log10>();

    /// <summary>The hyperbolic sine of x.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Sinh(this Value x) => x.Apply<Sinh>();

    /// <summary>The hyperbolic cosine of x.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Cosh(this Value x) => x.Apply<Cosh>();

    /// <summary>The tangent of x in radians.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Tan(this Value x) => x.Apply<Tan>();

    /// <summary>The angle in radians, -pi / 2 to pi / 2, whose tangent is x.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Atan(this Value x) => x.Apply<Atan>();

    /// <summary>The error function of x.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Erf(this Value x) => x.Apply<Erf>();

    /// <summary>x above a threshold, else a value of one's own.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="threshold">Above it x is kept; default 0.</param>
    /// <param name="value">What replaces the others; default 0.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Threshold(this Value x, float threshold = 0f, float value = 0f) => x.Apply<Threshold>(threshold, value);

    /// <summary>The angle in radians, -pi / 2 to pi / 2, whose sine is x; NaN where |x| is above 1.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Asin(this Value x) => x.Apply<Asin>();

    /// <summary>The angle in radians, 0 to pi, whose cosine is x; NaN where |x| is above 1.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Acos(this Value x) => x.Apply<Acos>();

    /// <summary>The number whose hyperbolic sine is x.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Asinh(this Value x) => x.Apply<Asinh>();

    /// <summary>The number of at least 0 whose hyperbolic cosine is x; NaN below 1.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Acosh(this Value x) => x.Apply<Acosh>();

    /// <summary>The number whose hyperbolic tangent is x; infinite at -1 and 1, NaN beyond.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Atanh(this Value x) => x.Apply<Atanh>();

    /// <summary>x moved towards 0 by lambda, and 0 where |x| is at most that.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="lambda">The distance; default 0.5.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Softshrink(this Value x, float lambda = 0.5f) => x.Apply<Softshrink>(lambda);

    /// <summary>x, and 0 where |x| is at most lambda.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="lambda">The bound; default 0.5.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Hardshrink(this Value x, float lambda = 0.5f) => x.Apply<Hardshrink>(lambda);

    /// <summary>x - tanh(x).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Tanhshrink(this Value x) => x.Apply<Tanhshrink>();
}
