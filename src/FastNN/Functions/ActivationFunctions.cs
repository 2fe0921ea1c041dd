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
}
