using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>Beyond 105 the gate is 0 or 1, so the limits change nothing but infinities.</summary>
internal readonly struct SiLU : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "SiLU", "x / (1 + exp(-x)) (Elfwing et al., 2017), also known as swish", activation: true, torch: "silu",
        onnx: "Swish", samples: new(-9, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.Max(-105f, x) * Elementary.Sigmoid(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T>
    {
        T near = T.Min(105f, T.Max(-105f, x));
        T gate = Elementary.Sigmoid(near);
        return dY * (gate * T.MultiplyAdd(near, 1f - gate, 1f));
    }
}

/// <summary>tanh(log(1 + e)) is n / (n + 2) with n = e (e + 2), e = exp(x), where nothing cancels; from 20 on it is 1.</summary>
internal readonly struct Mish : IUnaryFunction
{
    public static FunctionInfo Info => new(
        "Mish", "x tanh(log(1 + exp(x))) (Misra, 2019)", activation: true, torch: "mish", onnx: "Mish", samples: new(-9, 9));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T e = Elementary.Exp(T.Min(20f, x));
        T n = e * (e + 2f);
        return T.Max(-105f, x) * (n / (n + 2f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T>
    {
        T near = T.Min(20f, T.Max(-105f, x));
        T e = Elementary.Exp(near);
        T n = e * (e + 2f), d = n + 2f;
        T spread = e * (1f + e) / (d * d);
        return dY * T.MultiplyAdd(4f * near, spread, n / d);
    }
}
