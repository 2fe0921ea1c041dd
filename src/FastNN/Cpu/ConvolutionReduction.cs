using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>target[i] (=|+=) parts[0][i] + parts[1][i] + ..., always in this order. 4 bytes read per part and element.</summary>
internal static unsafe class ConvolutionReduction<TVec, TRung>
    where TVec : struct
    where TRung : struct, IRung<TVec>
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

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Invoke(int task, int worker)
        {
            long end = Math.Min(_elements, ((long)task + 1) * ElementsPerTask);
            for (long i = (long)task * ElementsPerTask; i < end; i += TRung.Lanes)
            {
                if (i + TRung.Lanes <= end)
                {
                    TVec sum = TRung.Load(_parts + i);
                    for (int part = 1; part < _count; part++)
                    {
                        sum = TRung.Add(sum, TRung.Load(_parts + (part * _elements) + i));
                    }
                    TRung.Store(_accumulate ? TRung.Add(TRung.Load(_target + i), sum) : sum, _target + i);
                    continue;
                }
                TVec mask = TRung.Mask((int)(end - i));
                TVec tail = TRung.LoadMasked(_parts + i, mask);
                for (int part = 1; part < _count; part++)
                {
                    tail = TRung.Add(tail, TRung.LoadMasked(_parts + (part * _elements) + i, mask));
                }
                TRung.StoreMasked(_accumulate ? TRung.Add(TRung.LoadMasked(_target + i, mask), tail) : tail, _target + i, mask);
            }
        }
    }
}
