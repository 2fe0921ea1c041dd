using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>The guard of a training step: 4 bytes read per gradient for the norm, 8 moved where they are scaled.</summary>
internal sealed unsafe partial class CpuUpdates
{
    public void GuardNorm(Tensor gradients, Tensor? loss, Tensor results, Tensor scalars)
    {
        float norm = MathF.Sqrt((float)SumLoop.Run(Pool, gradients.Count, new Squares(Floats(gradients))));
        float value = loss is null ? 0 : *Floats(loss);
        float guard = float.IsFinite(norm) && float.IsFinite(value) ? 0 : float.NaN;
        float* result = Floats(results);
        (result[0], result[1], result[3]) = (value, norm, guard);
        for (nint i = UpdateScalars.Guard; i < (nint)scalars.Count; i += UpdateScalars.Row)
        {
            Floats(scalars)[i] = guard;
        }
    }

    public void GuardLargest(Tensor gradients, Tensor results) =>
        Floats(results)[2] = LargestMagnitude.Of(Pool, Floats(gradients), gradients.Count);

    public void GuardScale(Tensor gradients, Tensor options, Tensor results)
    {
        float* option = Floats(options);
        float factor = option[0], norm = Floats(results)[option[3] != 0 ? 2 : 1] * MathF.Abs(factor);
        ElementLoop.Run(
            Pool, gradients.Count,
            new ScaleAndCut(Floats(gradients), norm > option[1] ? factor * (option[1] / norm) : factor, option[2]));
    }

    public void GuardCopy(ReadOnlySpan<(Tensor From, Tensor To)> copies, Tensor results)
    {
        if (!float.IsFinite(Floats(results)[3]))
        {
            return;
        }

        foreach ((Tensor from, Tensor to) in copies)
        {
            Copy(from, to, accumulate: false);
        }
    }

    /// <summary>The largest of any order is one: blocks are cut for the threads alone.</summary>
    private readonly struct LargestMagnitude(float* x, long count, long block, float* parts) : IParallelBody
    {
        private const int MaxBlocks = 64;

        public static float Of(WorkerPool pool, float* x, long count)
        {
            long block = Math.Max(ElementLoop.Block, (count + MaxBlocks - 1) / MaxBlocks);
            int blocks = (int)((count + block - 1) / block);
            float* parts = stackalloc float[MaxBlocks];
            var job = new LargestMagnitude(x, count, block, parts);
            if (blocks > 0)
            {
                pool.Run(blocks, ref job);
            }

            float largest = 0;
            for (int i = 0; i < blocks; i++)
            {
                largest = Math.Max(largest, parts[i]);
            }

            return largest;
        }

        public void Invoke(int task, int worker)
        {
            long start = task * block;
            var action = new Range(x + start, (nint)Math.Min(block, count - start));
            Simd.Dispatch(ref action);
            parts[task] = action.Largest;
        }

        private struct Range(float* x, nint count) : ILanesAction
        {
            public float Largest { get; private set; }

            public void Invoke<TLanes>()
                where TLanes : struct, IVectorLanes<TLanes>
            {
                TLanes largest = TLanes.Broadcast(0);
                nint i = 0;
                for (; i <= count - TLanes.Count; i += TLanes.Count)
                {
                    largest = TLanes.Max(TLanes.Abs(TLanes.Load(x + i)), largest);
                }

                int rest = (int)(count - i);
                if (rest > 0)
                {
                    largest = TLanes.Max(TLanes.KeepFirst(TLanes.Abs(TLanes.Load(x + i, rest)), rest, 0), largest);
                }

                Largest = TLanes.Largest(largest);
            }
        }
    }

    private readonly struct Squares(float* x) : ITermBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes value = TLanes.Load(x + i, count);
            return value * value;
        }
    }

    private readonly struct ScaleAndCut(float* x, float factor, float largest) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes value = TLanes.Load(x + i, count) * TLanes.Broadcast(factor), most = TLanes.Broadcast(largest),
            least = TLanes.Broadcast(-largest);
            value = TLanes.IfGreater(value, most, most, value);
            TLanes.IfGreater(least, value, least, value).Store(x + i, count);
        }
    }
}
