using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>A: weight decay, B: -learning rate, C: alpha, D: 1 - alpha, E: epsilon, F: momentum.</summary>
internal readonly struct RmsPropUpdate<TCentered, TMomentum> : IUpdateFunction
    where TCentered : struct, IFlag
    where TMomentum : struct, IFlag
{
    public static UpdateInfo Info => new(
        "RmsProp" + (TCentered.Value ? "Centered" : "") + (TMomentum.Value ? "Momentum" : ""),
        "g += decay p; v = alpha v + (1 - alpha) g^2; "
            + (TCentered.Value ? "m += (1 - alpha) (g - m); d = g / (sqrt(v - m^2) + epsilon)" : "d = g / (sqrt(v) + epsilon)")
            + (TMomentum.Value ? "; b = momentum b + d; p -= rate b" : "; p -= rate d"),
        [
            new("variance", IsNeverNegative: true), .. TCentered.Value ? [new StateInfo("mean")] : Array.Empty<StateInfo>(),
            .. TMomentum.Value ? [new StateInfo("velocity")] : Array.Empty<StateInfo>(),
        ]);

    public static int States => 1 + (TCentered.Value ? 1 : 0) + (TMomentum.Value ? 1 : 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T p, T g, ref T variance, ref T second, ref T third, in UpdateScalars s)
        where T : struct, ILanes<T>
    {
        g = T.MultiplyAdd(p, s.A, g);
        variance = T.MultiplyAdd(g * s.D, g, variance * s.C);
        T spread = variance;
        if (TCentered.Value)
        {
            second = Updates.Mean(second, g, s.D);

            // Rounding may make the difference negative where all gradients are alike; NaN stays NaN.
            spread = T.Max(0f, T.MultiplyAdd(-second, second, variance));
        }

        T direction = g / (T.Sqrt(spread) + s.E);
        if (TMomentum.Value && TCentered.Value)
        {
            direction = third = T.MultiplyAdd(third, s.F, direction);
        }
        else if (TMomentum.Value)
        {
            direction = second = T.MultiplyAdd(second, s.F, direction);
        }

        return T.MultiplyAdd(direction, s.B, p);
    }
}

/// <summary>A: weight decay, B: -learning rate, with its decay, C: epsilon.</summary>
internal readonly struct AdagradUpdate : IUpdateFunction
{
    public static UpdateInfo Info => new(
        "Adagrad", "g += decay p; v += g^2; p -= rate g / (sqrt(v) + epsilon)", new StateInfo("sum", IsNeverNegative: true));

    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T p, T g, ref T sum, ref T second, ref T third, in UpdateScalars s)
        where T : struct, ILanes<T>
    {
        g = T.MultiplyAdd(p, s.A, g);
        sum = T.MultiplyAdd(g, g, sum);
        return T.MultiplyAdd(g / (T.Sqrt(sum) + s.C), s.B, p);
    }
}

/// <summary>A: weight decay, B: -learning rate, C: rho, D: 1 - rho, E: epsilon.</summary>
internal readonly struct AdadeltaUpdate : IUpdateFunction
{
    public static UpdateInfo Info => new(
        "Adadelta",
        "g += decay p; v = rho v + (1 - rho) g^2; d = g sqrt(u + epsilon) / sqrt(v + epsilon); u = rho u + (1 - rho) d^2; p -= rate d",
        new("variance", IsNeverNegative: true), new("change", IsNeverNegative: true));

    public static int States => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T p, T g, ref T variance, ref T change, ref T third, in UpdateScalars s)
        where T : struct, ILanes<T>
    {
        g = T.MultiplyAdd(p, s.A, g);
        variance = T.MultiplyAdd(g * s.D, g, variance * s.C);
        T direction = T.Sqrt(change + s.E) / T.Sqrt(variance + s.E) * g;
        change = T.MultiplyAdd(direction * s.D, direction, change * s.C);
        return T.MultiplyAdd(direction, s.B, p);
    }
}
