using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>The operands of a fold.</summary>
internal readonly unsafe struct FoldOperands(ReduceGeometry geometry, float* x, float* center, float* y, float scale, bool root)
{
    public readonly ReduceGeometry Geometry = geometry;
    public readonly float* X = x;
    public readonly float* Center = center;
    public readonly float* Y = y;
    public readonly float Scale = scale;
    public readonly bool Root = root;
}

/// <summary>
/// The one loop of reductions over axes. Where terms are neighbors, each output folds runs: four vectors over 2048 terms at a
/// time, those in double. Where outputs are, strips of 64 of them fold rows, pairwise above 32. Few outputs of many terms are cut
/// along the terms too, by shape alone, and the parts are joined in their order, so any number of threads gives the same bits.
/// </summary>
internal static unsafe class FoldLoop<TFold>
    where TFold : struct, IFold
{
    private const int Chunk = 2048, Columns = 64, Leaf = 32, MaxParts = 256, MaxStripParts = 1024;

    public static void Run(WorkerPool pool, in FoldOperands operands)
    {
        ReduceGeometry g = operands.Geometry;
        if (g.Outputs == 0)
        {
            return;
        }

        if (g.Terms == 0)
        {
            for (long i = 0; i < g.Outputs; i++)
            {
                Put(operands, (nint)i, TFold.Start);
            }
        }
        else if (g.IsInnerReduced)
        {
            FoldRuns(pool, operands);
        }
        else
        {
            FoldStrips(pool, operands);
        }
    }

    private static double Join(double a, double b) => TFold.Join(new DoubleLane(a), new DoubleLane(b)).Value;

    private static void Put(in FoldOperands operands, nint output, double folded)
    {
        float center = TFold.HasCenter ? operands.Center[output] : 0;
        double result = operands.Scale * TFold.Finish<DoubleLane>(new(folded), center).Value;
        operands.Y[output] = (float)(operands.Root ? Math.Sqrt(result) : result);
    }

    private static void FoldRuns(WorkerPool pool, in FoldOperands operands)
    {
        ReduceGeometry g = operands.Geometry;
        int outputs = (int)g.Outputs;

        // Whole chunks of a single run, or whole runs.
        int runs = (int)(g.Terms / g.Axes.Inner);
        int pieces = runs > 1 ? runs : (int)(((long)g.Axes.Inner + Chunk - 1) / Chunk);
        int parts = g.Outputs * g.Terms <= ElementLoop.Serial
            ? 1
            : Math.Clamp((int)(g.Terms / ElementLoop.Block), 1, Math.Max(1, Math.Min(pieces, MaxParts / outputs)));
        double* folded = stackalloc double[parts == 1 ? 0 : parts * outputs];
        RowLoop.Run(pool, outputs * parts, g.Terms / parts, new Runs(operands, folded, parts, runs, pieces));
        for (int output = 0; parts > 1 && output < outputs; output++)
        {
            double total = folded[output * parts];
            for (int part = 1; part < parts; part++)
            {
                total = Join(total, folded[(output * parts) + part]);
            }

            Put(operands, output, total);
        }
    }

    private static void FoldStrips(WorkerPool pool, in FoldOperands operands)
    {
        ReduceGeometry g = operands.Geometry;
        int outputs = (int)g.Outputs, rows = (int)g.Terms, inner = g.Axes.Inner;
        int parts = g.Outputs * g.Terms <= ElementLoop.Serial || outputs > MaxStripParts / 2 ? 1
            : Math.Clamp(Math.Min(MaxStripParts / outputs, rows / Leaf), 1, 16);
        float* folded = stackalloc float[parts == 1 ? 0 : parts * outputs];
        int chunks = (inner + Columns - 1) / Columns, strips = outputs / inner * chunks;
        RowLoop.Run(
            pool, strips * parts, (long)rows * Math.Min(inner, Columns) / parts, new Strips(operands, folded, parts, chunks));
        for (int output = 0; parts > 1 && output < outputs; output++)
        {
            double total = folded[output];
            for (int part = 1; part < parts; part++)
            {
                total = Join(total, folded[(part * outputs) + output]);
            }

            Put(operands, output, total);
        }
    }

    /// <summary>Tasks are numbered (output, part).</summary>
    private readonly struct Runs(FoldOperands operands, double* folded, int parts, int runs, int pieces) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            ReduceGeometry g = operands.Geometry;
            StridedAxes kept = g.OuterKept, reduced = g.OuterReduced;
            for (nint task = start; task < end; task++)
            {
                (nint output, nint part) = parts == 1 ? (task, 0) : Math.DivRem(task, parts);
                float* x = operands.X + kept.FirstOf(output);
                TLanes center = TLanes.Broadcast(TFold.HasCenter ? operands.Center[output] : 0);
                nint first = (nint)((long)pieces * part / parts), last = (nint)((long)pieces * (part + 1) / parts);
                double total = TFold.Start;
                if (runs == 1)
                {
                    total = Fold(x, first * Chunk, Math.Min(last * Chunk, g.Axes.Inner), center);
                }
                else
                {
                    for (nint run = first; run < last; run++)
                    {
                        total = Join(total, Fold(x + reduced.FirstOf(run), 0, g.Axes.Inner, center));
                    }
                }

                if (parts == 1)
                {
                    Put(operands, output, total);
                }
                else
                {
                    folded[task] = total;
                }
            }
        }

        private static double Fold<TLanes>(float* x, nint start, nint end, TLanes center)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            double total = TFold.Start;
            for (nint chunk = start; chunk < end; chunk += Chunk)
            {
                total = Join(total, FoldChunk(x + chunk, (int)Math.Min(Chunk, end - chunk), center));
            }

            return total;
        }

        // The four take turns, so that steps do not wait for each other and the term is inlined but twice.
        [MethodImpl(KernelCode.Loop)]
        private static float FoldChunk<TLanes>(float* x, int count, TLanes center)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes a = TLanes.Broadcast(TFold.Start), b = a, c = a, d = a;
            int i = 0;
            for (; i <= count - TLanes.Count; i += TLanes.Count)
            {
                TLanes next = TFold.Step(a, TLanes.Load(x + i), center);
                a = b;
                b = c;
                c = d;
                d = next;
            }

            if (i < count)
            {
                int rest = count - i;
                TLanes tail = TFold.Step(TLanes.Broadcast(TFold.Start), TLanes.Load(x + i, rest), center);
                a = TFold.Join(a, TLanes.KeepFirst(tail, rest, TFold.Start));
            }

            float* lanes = stackalloc float[16];
            TLanes.Store(TFold.Join(TFold.Join(a, b), TFold.Join(c, d)), lanes);
            for (int half = TLanes.Count / 2; half > 0; half /= 2)
            {
                for (int lane = 0; lane < half; lane++)
                {
                    TFold.Join(Lanes1.Load(lanes + lane), Lanes1.Load(lanes + lane + half)).Store(lanes + lane, 1);
                }
            }

            return lanes[0];
        }
    }

    /// <summary>Tasks are numbered (part of the rows, kept axes, chunk of columns).</summary>
    private readonly struct Strips(FoldOperands operands, float* folded, int parts, int chunks) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            ReduceGeometry g = operands.Geometry;
            StridedAxes kept = g.OuterKept, reduced = g.OuterReduced;
            nint inner = g.Axes.Inner, perPart = (nint)g.Outputs / inner * chunks;
            float* total = stackalloc float[Columns];
            for (nint task = start; task < end; task++)
            {
                (nint part, nint rest) = Math.DivRem(task, perPart);
                (nint outer, nint chunk) = Math.DivRem(rest, chunks);
                nint column = chunk * Columns, output = (outer * inner) + column;
                int width = (int)Math.Min(Columns, inner - column);
                Fold<TLanes>(
                    operands.X + kept.FirstOf(outer) + column, reduced, operands.Center + output, Row(part), Row(part + 1), width,
                    total);
                for (int i = 0; i < width; i++)
                {
                    if (parts == 1)
                    {
                        Put(operands, output + i, total[i]);
                    }
                    else
                    {
                        folded[(part * (nint)g.Outputs) + output + i] = total[i];
                    }
                }
            }
        }

        private nint Row(nint part) => (nint)(operands.Geometry.Terms * part / parts);

        /// <summary>total = the fold of rows start to end - 1, by halves.</summary>
        private static void Fold<TLanes>(
            float* x, in StridedAxes reduced, float* center, nint start, nint end, int width, float* total)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            if (end - start <= Leaf)
            {
                FoldLeaf<TLanes>(x, reduced, center, start, end, width, total);
                return;
            }

            nint middle = start + ((end - start) / 2);
            float* second = stackalloc float[Columns];
            Fold<TLanes>(x, reduced, center, start, middle, width, total);
            Fold<TLanes>(x, reduced, center, middle, end, width, second);
            for (int i = 0; i < width; i += TLanes.Count)
            {
                int count = Math.Min(TLanes.Count, width - i);
                TFold.Join(TLanes.Load(total + i, count), TLanes.Load(second + i, count)).Store(total + i, count);
            }
        }

        [MethodImpl(KernelCode.Loop)]
        private static void FoldLeaf<TLanes>(
            float* x, in StridedAxes reduced, float* center, nint start, nint end, int width, float* total)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            nint* rows = stackalloc nint[Leaf];
            for (nint row = start; row < end; row++)
            {
                rows[row - start] = reduced.FirstOf(row);
            }

            for (int column = 0; column < width; column += TLanes.Count)
            {
                int count = Math.Min(TLanes.Count, width - column);
                TLanes folded = TLanes.Broadcast(TFold.Start);
                TLanes middle = TFold.HasCenter ? TLanes.Load(center + column, count) : folded;
                for (nint row = 0; row < end - start; row++)
                {
                    folded = TFold.Step(folded, TLanes.Load(x + rows[row] + column, count), middle);
                }

                folded.Store(total + column, count);
            }
        }
    }
}
