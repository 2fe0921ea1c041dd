using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>A: weight decay, B: -learning rate.</summary>
internal readonly struct PlainSgd : IUpdateFunction
{
    public static UpdateInfo Info => new("Sgd", "p -= rate (g + decay p)");

    public static int States => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T p, T g, ref T first, ref T second, ref T third, in UpdateScalars s)
        where T : struct, ILanes<T> => T.MultiplyAdd(T.MultiplyAdd(p, s.A, g), s.B, p);
}

/// <summary>
/// A: weight decay, B: -learning rate, C: what is kept of the velocity, D: what is taken of the gradient, E: momentum. At the
/// first step the velocity is the gradient itself: nothing of the old one, and no dampening.
/// </summary>
internal readonly struct MomentumSgd<TNesterov> : IUpdateFunction
    where TNesterov : struct, IFlag
{
    public static UpdateInfo Info => TNesterov.Value
        ? new("SgdNesterov", "g += decay p; v = momentum v + g; p -= rate (g + momentum v)", new StateInfo("velocity"))
        : new("SgdMomentum", "g += decay p; v = momentum v + (1 - dampening) g; p -= rate v", new StateInfo("velocity"));

    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step<T>(T p, T g, ref T velocity, ref T second, ref T third, in UpdateScalars s)
        where T : struct, ILanes<T>
    {
        g = T.MultiplyAdd(p, s.A, g);
        velocity = T.MultiplyAdd(g, s.D, velocity * s.C);
        return T.MultiplyAdd(TNesterov.Value ? T.MultiplyAdd(velocity, s.E, g) : velocity, s.B, p);
    }
}
