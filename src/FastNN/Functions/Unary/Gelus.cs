using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>
/// 0 for large negative x, also for -infinity, where the product would be NaN. The slope is Phi(x) + x phi(x), phi the normal
/// density.
/// </summary>
internal readonly struct Gelu : IUnaryFunction
{
    private const float InverseSqrtTwoPi = 0.398942280401f;

    public static FunctionInfo Info => new(
        "Gelu", "x * Phi(x) with the exact Gaussian distribution function (Hendrycks and Gimpel, 2016)",
        activation: true, epilogue: true, torch: "gelu", onnx: "Gelu", samples: new(-9, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Max(-15f, x) * Elementary.NormalDistribution(x, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T>
    {
        T distribution = Elementary.NormalDistribution(x, out T exponential);
        T near = T.Min(15f, T.Max(-15f, x));
        return dY * T.MultiplyAdd(near * InverseSqrtTwoPi, exponential, distribution);
    }
}

/// <summary>
/// x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3), computed as x g with the gate g = sigmoid(2u): the same, with one
/// exponential and without cancellation for negative x. The slope is g + x g (1 - g) d(2u)/dx.
/// </summary>
internal readonly struct GeluTanh : IUnaryFunction
{
    // 2 sqrt(2 / pi), and that times 0.044715.
    private const float Linear = 1.59576912161f, Cubic = 0.0713548162726f;

    public static FunctionInfo Info => new(
        "GeluTanh", "GELU by its tanh approximation (Hendrycks and Gimpel, 2016)",
        activation: true, epilogue: true, onnx: "Gelu", samples: new(-9, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T near = T.Max(-15f, x);
        return near * Elementary.Sigmoid(Argument(near));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T>
    {
        // At 15 the gate is 0 or 1 to the last bit, so the limit changes nothing but infinities.
        T near = T.Min(15f, T.Max(-15f, x));
        T argument = Argument(near);

        // g and 1 - g each from the exponential that does not overflow, so that their product does not cancel.
        T exponential = Elementary.Exp(-T.Abs(argument));
        T larger = 1f / (1f + exponential), smaller = exponential * larger;
        T gate = T.IfGreater(argument, 0f, larger, smaller);
        return dY * T.MultiplyAdd(larger * smaller, near * ArgumentSlope(near), gate);
    }

    /// <summary>2u.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Argument<T>(T x)
        where T : struct, ILanes<T> => x * T.MultiplyAdd(x * x, Cubic, Linear);

    /// <summary>d(2u)/dx.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T ArgumentSlope<T>(T x)
        where T : struct, ILanes<T> => T.MultiplyAdd(x * x, 3 * Cubic, Linear);
}

internal readonly struct Erf : IUnaryFunction
{
    public static FunctionInfo Info => new("Erf", "The error function of x", torch: "erf", onnx: "Erf", samples: new(-3, 3));

    // 2 Phi(x sqrt 2) - 1 cancels near 0, where the Taylor series takes over; its terms are 2 / sqrt(pi) (-1)^k / (k! (2 k + 1)).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T size = T.Abs(x);
        T far = 1f - (2f * Elementary.NormalDistribution(-1.41421356f * size, out _));
        far = T.IfGreater(0f, x, -far, far);
        T z = x * x;
        T p = T.MultiplyAdd(-8.54832702e-4f, z, 5.22397762e-3f);
        p = T.MultiplyAdd(p, z, -2.68661706e-2f);
        p = T.MultiplyAdd(p, z, 1.12837917e-1f);
        p = T.MultiplyAdd(p, z, -3.76126389e-1f);
        return T.IfGreater(size, 0.5f, far, x * T.MultiplyAdd(p, z, 1.12837917f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * (1.12837917f * Elementary.Exp(-(x * x)));
}
