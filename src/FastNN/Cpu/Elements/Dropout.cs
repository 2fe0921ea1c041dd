using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Dropout: 8 bytes moved per element, but the time goes into the random numbers. They are drawn 1024 at a time into a
/// buffer that stays in the first-level cache, and again in backward, so that no mask is stored. 0.37 ns per element on one
/// core with AVX-512.
/// </summary>
internal sealed unsafe partial class CpuElements
{
    public void DropoutForward(in DropoutOptions options, Tensor step, Tensor x, Tensor y) => Drop<Assign>(options, step, x, y);

    public void DropoutBackward(in DropoutOptions options, Tensor step, Tensor dY, Tensor dX, bool accumulate)
    {
        if (accumulate)
        {
            Drop<Accumulate>(options, step, dY, dX);
        }
        else
        {
            Drop<Assign>(options, step, dY, dX);
        }
    }

    private void Drop<TStore>(in DropoutOptions options, Tensor step, Tensor x, Tensor y)
        where TStore : struct, IStore
    {
        int rows = Tensor.Index((x.Count + DropRows<TStore>.Length - 1) / DropRows<TStore>.Length);
        uint* count = (uint*)step.Address;
        RowLoop.Run(
            Pool, rows, DropRows<TStore>.Length,
            new DropRows<TStore>(options, count[0], count[1], Floats(x), Floats(y), x.Count));
    }

    private readonly struct DropRows<TStore>(DropoutOptions options, uint stepLow, uint stepHigh, float* x, float* y, long count)
        : IRowBody
        where TStore : struct, IStore
    {
        public const int Length = 1024;

        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            float* uniform = stackalloc float[Length];
            var f = new DropUnder(options.Rate, 1 / (1 - options.Rate));
            for (nint row = start; row < end; row++)
            {
                nint i = row * Length;
                int length = (int)Math.Min(Length, count - i);
                PhiloxBlocks.Fill(uniform, (length + 3) / 4, (uint)(i / 4), stepLow, stepHigh, options.Stream, options.Seed);
                ElementLoop.Range<TLanes, BinaryMap<DropUnder, TStore>>(new(x + i, uniform, y + i, f), 0, length);
            }
        }
    }

    /// <summary>x scaled where the uniform number is at least the rate, else 0, whatever x is.</summary>
    private readonly struct DropUnder(float rate, float scale) : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(TLanes x, TLanes uniform)
            where TLanes : struct, ILanes<TLanes> =>
            TLanes.IfGreaterOrEqual(uniform, TLanes.Broadcast(rate), x * TLanes.Broadcast(scale), TLanes.Broadcast(0f));
    }
}
