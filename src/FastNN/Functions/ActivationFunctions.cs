// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.
using FastNN.Functions;

namespace FastNN;

public readonly partial struct Activation
{
    /// <summary>max(0, x); its derivative at 0 is 0, as in PyTorch.</summary>
    public static Activation ReLU => Of<Relu>();

    /// <summary>x for x > 0, else slope * x; slope is 0.01 where none is given.</summary>
    public static ParametricActivation LeakyReLU { get; } = With<LeakyRelu>();

    /// <summary>1 / (1 + exp(-x)).</summary>
    public static Activation Sigmoid => Of<Sigmoid>();

    /// <summary>The hyperbolic tangent.</summary>
    public static Activation Tanh => Of<Tanh>();

    /// <summary>x * Phi(x) with the exact Gaussian distribution function (Hendrycks and Gimpel, 2016).</summary>
    public static Activation Gelu => Of<Gelu>();

    /// <summary>GELU by its tanh approximation (Hendrycks and Gimpel, 2016).</summary>
    public static Activation GeluTanh => Of<GeluTanh>();

    /// <summary>x for x > 0, else alpha (exp(x) - 1) (Clevert et al., 2015); alpha is 1 where none is given.</summary>
    public static ParametricActivation Elu { get; } = With<Elu>();

    /// <summary>x for x > 0, else alpha (exp(x / alpha) - 1) (Barron, 2017); alpha is 1 where none is given.</summary>
    public static ParametricActivation Celu { get; } = With<Celu>();

    /// <summary>The ELU whose constants keep mean 0 and variance 1 (Klambauer et al., 2017).</summary>
    public static Activation Selu => Of<Selu>();

    /// <summary>log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold.</summary>
    /// <param name="beta">Steepness; default 1.</param>
    /// <param name="threshold">Where the function becomes x; default 20.</param>
    /// <returns>The function with these parameters.</returns>
    public static Activation Softplus(float beta = 1f, float threshold = 20f) => Of<Softplus>(beta, threshold);

    /// <summary>x / (1 + |x|).</summary>
    public static Activation Softsign => Of<Softsign>();

    /// <summary>log(1 / (1 + exp(-x))), computed without overflow.</summary>
    public static Activation LogSigmoid => Of<LogSigmoid>();

    /// <summary>x / (1 + exp(-x)) (Elfwing et al., 2017), also known as swish.</summary>
    public static Activation SiLU => Of<SiLU>();

    /// <summary>x tanh(log(1 + exp(x))) (Misra, 2019).</summary>
    public static Activation Mish => Of<Mish>();

    /// <summary>x between 0 and 6; its derivative at both ends is 0, as in PyTorch.</summary>
    public static Activation ReLU6 => Of<ReLU6>();

    /// <summary>x between two bounds; its derivative at both is 0, as in PyTorch.</summary>
    /// <param name="low">The lower bound; default -1.</param>
    /// <param name="high">The upper bound; default 1.</param>
    /// <returns>The function with these parameters.</returns>
    public static Activation HardTanh(float low = -1f, float high = 1f) => Of<HardTanh>(low, high);

    /// <summary>alpha x + beta between 0 and 1.</summary>
    /// <param name="alpha">The slope; default 0.16666667.</param>
    /// <param name="beta">The value at 0; default 0.5.</param>
    /// <returns>The function with these parameters.</returns>
    public static Activation HardSigmoid(float alpha = 0.16666667f, float beta = 0.5f) => Of<HardSigmoid>(alpha, beta);

    /// <summary>x times (x + 3) / 6, the factor between 0 and 1 (Howard et al., 2019).</summary>
    public static Activation HardSwish => Of<HardSwish>();

    /// <summary>x above a threshold, else a value of one's own.</summary>
    /// <param name="threshold">Above it x is kept; default 0.</param>
    /// <param name="value">What replaces the others; default 0.</param>
    /// <returns>The function with these parameters.</returns>
    public static Activation Threshold(float threshold = 0f, float value = 0f) => Of<Threshold>(threshold, value);

    /// <summary>x moved towards 0 by lambda, and 0 where |x| is at most that; lambda is 0.5 where none is given.</summary>
    public static ParametricActivation Softshrink { get; } = With<Softshrink>();

    /// <summary>x, and 0 where |x| is at most lambda; lambda is 0.5 where none is given.</summary>
    public static ParametricActivation Hardshrink { get; } = With<Hardshrink>();

    /// <summary>x - tanh(x).</summary>
    public static Activation Tanhshrink => Of<Tanhshrink>();
}
