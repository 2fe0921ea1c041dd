using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace FastNN.Cpu;

/// <summary>
/// Work that is generic over the width; <see cref="Simd"/> runs it at the widest that this processor runs well.
/// </summary>
internal interface ILanesAction
{
    void Invoke<TLanes>()
        where TLanes : struct, IVectorLanes<TLanes>;
}

/// <summary>
/// The choice of the rung, for all kernels in one place: element-wise loops, sums, products, convolutions, poolings and random
/// numbers. The JIT knows the answers, so one branch of each of these remains.
/// </summary>
internal static class Simd
{
    /// <summary>Floats of the widest vector that this processor runs well: 16, 8, 4 or 1.</summary>
    public static int Widest =>
        Lanes512.IsSupported ? Lanes512.Count
        : Lanes256.IsSupported ? Lanes256.Count
        : Lanes128.IsSupported ? Lanes128.Count
        : Lanes1.Count;

    /// <summary>Its name, for people.</summary>
    public static string Name =>
        Lanes512.IsSupported ? "AVX-512"
        : Lanes256.IsSupported ? (Fma.IsSupported ? "AVX2+FMA" : "AVX2")
        : AdvSimd.IsSupported ? "NEON"
        : Lanes128.IsSupported ? "SSE"
        : "scalar";

    /// <summary>Runs the action at that width.</summary>
    public static void Dispatch<TAction>(ref TAction action)
        where TAction : struct, ILanesAction => Dispatch(Lanes512.Count, ref action);

    /// <summary>
    /// Runs the action at the widest that has at most so many lanes: rows shorter than a vector go to a narrower one.
    /// </summary>
    // Inlined where the number is a constant, so that native programs have no code for widths that none of their calls can take.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Dispatch<TAction>(int most, ref TAction action)
        where TAction : struct, ILanesAction
    {
        if (Lanes512.IsSupported && most >= Lanes512.Count)
        {
            action.Invoke<Lanes512>();
        }
        else if (Lanes256.IsSupported && most >= Lanes256.Count)
        {
            action.Invoke<Lanes256>();
        }
        else if (Lanes128.IsSupported && most >= Lanes128.Count)
        {
            action.Invoke<Lanes128>();
        }
        else
        {
            action.Invoke<Lanes1>();
        }
    }
}
