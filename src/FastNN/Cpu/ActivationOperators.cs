using System.Runtime.CompilerServices;
using FastNN.Functions;

namespace FastNN.Cpu;

internal readonly struct Relu : IUnaryOperator
{
    /// <summary>max(0, x); NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> => TLanes.IfGreater(TLanes.Broadcast(0f), x, TLanes.Broadcast(0f), x);
}

/// <summary>From x or y; dY passes where y is NaN, as in PyTorch.</summary>
internal readonly struct ReluGradient : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes y, TLanes dY)
        where TLanes : struct, ILanes<TLanes> => TLanes.IfGreaterOrEqual(TLanes.Broadcast(0f), y, TLanes.Broadcast(0f), dY);
}

internal readonly struct LeakyRelu(float slope) : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> => TLanes.IfGreater(x, TLanes.Broadcast(0f), x, x * TLanes.Broadcast(slope));
}

/// <summary>From x, or from y where the slope is positive, as both have the same sign then.</summary>
internal readonly struct LeakyReluGradient(float slope) : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes y, TLanes dY)
        where TLanes : struct, ILanes<TLanes> => TLanes.IfGreater(y, TLanes.Broadcast(0f), dY, dY * TLanes.Broadcast(slope));
}

internal readonly struct Sigmoid : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> => Elementary.Sigmoid(x);
}

/// <summary>dY y (1 - y).</summary>
internal readonly struct SigmoidGradient : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes y, TLanes dY)
        where TLanes : struct, ILanes<TLanes> => dY * (y * (TLanes.Broadcast(1f) - y));
}

internal readonly struct Tanh : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> => Elementary.Tanh(x);
}

/// <summary>dY (1 - y^2), written so that nothing cancels near |y| = 1.</summary>
internal readonly struct TanhGradient : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes y, TLanes dY)
        where TLanes : struct, ILanes<TLanes> => dY * ((TLanes.Broadcast(1f) - y) * (TLanes.Broadcast(1f) + y));
}

/// <summary>x Phi(x); 0 for large negative x, also for -infinity, where the product would be NaN.</summary>
internal readonly struct Gelu : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> =>
        TLanes.Max(TLanes.Broadcast(-15f), x) * Elementary.NormalDistribution(x, out _);
}

/// <summary>dY (Phi(x) + x phi(x)), phi the normal density.</summary>
internal readonly struct GeluGradient : IBinaryOperator
{
    private const float InverseSqrtTwoPi = 0.398942280401f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x, TLanes dY)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes distribution = Elementary.NormalDistribution(x, out TLanes exponential);
        TLanes near = TLanes.Min(TLanes.Broadcast(15f), TLanes.Max(TLanes.Broadcast(-15f), x));
        return dY * TLanes.MultiplyAdd(near * TLanes.Broadcast(InverseSqrtTwoPi), exponential, distribution);
    }
}

/// <summary>
/// x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3), computed as x sigmoid(2u): the same, with one exponential and
/// without cancellation for negative x.
/// </summary>
internal readonly struct GeluTanh : IUnaryOperator
{
    // 2 sqrt(2 / pi), and that times 0.044715.
    private const float Linear = 1.59576912161f, Cubic = 0.0713548162726f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes near = TLanes.Max(TLanes.Broadcast(-15f), x);
        return near * Elementary.Sigmoid(GateArgument(near));
    }

    /// <summary>2u.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes GateArgument<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> =>
        x * TLanes.MultiplyAdd(x * x, TLanes.Broadcast(Cubic), TLanes.Broadcast(Linear));

    /// <summary>d(2u)/dx.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes GateSlope<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> =>
        TLanes.MultiplyAdd(x * x, TLanes.Broadcast(3 * Cubic), TLanes.Broadcast(Linear));
}

/// <summary>dY (s + x s (1 - s) d(2u)/dx) with s = sigmoid(2u).</summary>
internal readonly struct GeluTanhGradient : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x, TLanes dY)
        where TLanes : struct, ILanes<TLanes>
    {
        // At 15 the gate is 0 or 1 to the last bit, so the limit changes nothing but infinities.
        TLanes near = TLanes.Min(TLanes.Broadcast(15f), TLanes.Max(TLanes.Broadcast(-15f), x));
        TLanes argument = GeluTanh.GateArgument(near), zero = TLanes.Broadcast(0f), one = TLanes.Broadcast(1f);

        // s and 1 - s each from the exponential that does not overflow, so that their product does not cancel.
        TLanes exponential = Elementary.Exp(-TLanes.Abs(argument));
        TLanes larger = one / (one + exponential), smaller = exponential * larger;
        TLanes gate = TLanes.IfGreater(argument, zero, larger, smaller);
        return dY * TLanes.MultiplyAdd(larger * smaller, near * GeluTanh.GateSlope(near), gate);
    }
}
