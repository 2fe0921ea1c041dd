using System.Runtime.CompilerServices;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>What softmax and cross-entropy share.</summary>
internal static unsafe class SoftmaxPieces
{
    /// <summary>The largest element; a NaN may be passed over, but then the sum of exponentials is NaN.</summary>
    [MethodImpl(KernelCode.Loop)]
    public static float Largest<TLanes>(float* x, int length)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes largest = TLanes.Broadcast(float.NegativeInfinity);
        nint i = 0;
        for (; i <= length - TLanes.Count; i += TLanes.Count)
        {
            largest = TLanes.Max(TLanes.Load(x + i, TLanes.Count), largest);
        }

        if (i < length)
        {
            int count = (int)(length - i);
            largest = TLanes.Max(TLanes.KeepFirst(TLanes.Load(x + i, count), count, float.NegativeInfinity), largest);
        }

        return TLanes.Largest(largest);
    }

    /// <summary>exp(x - max x) of a row of at most one vector, 0 behind it, and the sum of these.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes ShortExponentials<TLanes>(TLanes x, int count, out TLanes shifted, out float largest, out float sum)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes row = TLanes.KeepFirst(x, count, float.NegativeInfinity);
        largest = TLanes.Largest(row);
        shifted = x - TLanes.Broadcast(largest);
        TLanes exponentials = TLanes.KeepFirst(Elementary.Exp(shifted), count, 0);
        sum = TLanes.Sum(exponentials);
        return exponentials;
    }
}
