using System.Runtime.Intrinsics;

namespace FastNN.Cpu;

/// <summary>The choice of the width, made by the JIT: one branch of these remains.</summary>
internal static class Lanes
{
    /// <summary>The widest that this processor runs well: 16, 8, 4 or 1 floats.</summary>
    public static int Widest =>
        Vector512.IsHardwareAccelerated ? Lanes512.Count
        : Vector256.IsHardwareAccelerated ? Lanes256.Count
        : Vector128.IsHardwareAccelerated ? Lanes128.Count
        : Lanes1.Count;

    /// <summary>Runs the action at that width.</summary>
    public static void Dispatch<TAction>(ref TAction action)
        where TAction : struct, ILanesAction
    {
        if (Vector512.IsHardwareAccelerated)
        {
            action.Invoke<Lanes512>();
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            action.Invoke<Lanes256>();
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            action.Invoke<Lanes128>();
        }
        else
        {
            action.Invoke<Lanes1>();
        }
    }
}
