using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>target[i] (=|+=) parts[0][i] + parts[1][i] + ..., always in this order. 4 bytes read per part and element.</summary>
internal static unsafe class ConvolutionReduction<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    private const int ElementsPerTask = 8 << 10;

    public static void Run(WorkerPool pool, float* parts, int count, long elements, float* target, bool accumulate)
    {
        var body = new Body(parts, count, elements, target, accumulate);
        pool.Run((int)((elements + ElementsPerTask - 1) / ElementsPerTask), ref body);
    }

    private readonly struct Body(float* parts, int count, long elements, float* target, bool accumulate) : IParallelBody
    {
        private readonly float* _parts = parts;
        private readonly int _count = count;
        private readonly long _elements = elements;
        private readonly float* _target = target;
        private readonly bool _accumulate = accumulate;

        [MethodImpl(KernelCode.Loop)]
        public void Invoke(int task, int worker)
        {
            long end = Math.Min(_elements, ((long)task + 1) * ElementsPerTask);
            for (long i = (long)task * ElementsPerTask; i < end; i += TLanes.Count)
            {
                if (i + TLanes.Count <= end)
                {
                    TLanes sum = TLanes.Load(_parts + i);
                    for (int part = 1; part < _count; part++)
                    {
                        sum = sum + TLanes.Load(_parts + (part * _elements) + i);
                    }
                    TLanes.Store(_accumulate ? (TLanes.Load(_target + i) + sum) : sum, _target + i);
                    continue;
                }
                TLanes mask = TLanes.Mask((int)(end - i));
                TLanes tail = TLanes.LoadMasked(_parts + i, mask);
                for (int part = 1; part < _count; part++)
                {
                    tail = tail + TLanes.LoadMasked(_parts + (part * _elements) + i, mask);
                }
                TLanes.StoreMasked(_accumulate ? (TLanes.LoadMasked(_target + i, mask) + tail) : tail, _target + i, mask);
            }
        }
    }
}
