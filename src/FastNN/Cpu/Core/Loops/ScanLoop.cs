using System.Runtime.CompilerServices;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>The recurrence s = factor s + summand of a scan, and what its states give.</summary>
internal interface IScanTerms
{
    /// <summary>The state in front of the first term.</summary>
    static abstract float Start { get; }

    /// <summary>Whether all factors are 1.</summary>
    static abstract bool Adds { get; }

    /// <summary>Whether a place gives the state in front of its own term.</summary>
    bool IsExclusive { get; }

    /// <param name="at">Where the elements lie.</param>
    /// <param name="place">Their place along the axis, from where the scan begins.</param>
    /// <param name="count">How many lie side by side.</param>
    TLanes Factor<TLanes>(nint at, nint place, int count)
        where TLanes : struct, IVectorLanes<TLanes>;

    /// <inheritdoc cref="Factor"/>
    TLanes Summand<TLanes>(nint at, nint place, int count)
        where TLanes : struct, IVectorLanes<TLanes>;

    /// <inheritdoc cref="Factor"/>
    TLanes Result<TLanes>(TLanes state, nint at, nint place, int count)
        where TLanes : struct, IVectorLanes<TLanes>;
}

/// <summary>The loops of scans, over columns that lie side by side and along rows.</summary>
internal static unsafe class ScanLoop<TTerms, TStore>
    where TTerms : struct, IScanTerms
    where TStore : struct, IStore
{
    /// <summary>Columns per task: a cache line of each term four times over.</summary>
    private const int Columns = 64;

    /// <summary>Strips of a row that run side by side; with fewer rows than this a long row is cut into strips.</summary>
    private const int Strips = 4;

    /// <summary>Terms per strip, and strips of a row at most.</summary>
    private const int StripTerms = 4096, MaxStrips = 64;

    public static void Run(WorkerPool pool, TTerms terms, float* y, in ScanGeometry geometry)
    {
        if (geometry.Outer == 0 || geometry.Terms == 0 || geometry.Inner == 0)
        {
            return;
        }

        if (geometry.Inner > 1)
        {
            int blocks = (geometry.Inner + Columns - 1) / Columns;
            RowLoop.Run(
                pool, geometry.Outer * blocks, (long)geometry.Terms * Math.Min(Columns, geometry.Inner),
                new ColumnBody(terms, y, geometry, blocks));
        }
        else if (geometry.Outer >= Strips || geometry.Terms <= StripTerms)
        {
            int groups = (geometry.Outer + Strips - 1) / Strips;
            RowLoop.Run(pool, groups, (long)Strips * geometry.Terms, new RowGroups(terms, y, geometry));
        }
        else
        {
            RunLong(pool, terms, y, geometry);
        }
    }

    /// <summary>Few long rows: the strips' factors and summands, the states in front of the strips, then the strips.</summary>
    private static void RunLong(WorkerPool pool, TTerms terms, float* y, in ScanGeometry geometry)
    {
        int length = Math.Max(StripTerms, (geometry.Terms + MaxStrips - 1) / MaxStrips);
        int strips = (geometry.Terms + length - 1) / length;
        double* factors = stackalloc double[MaxStrips * Strips], states = stackalloc double[MaxStrips * Strips];
        var body = new StripBody(terms, y, geometry, length, strips, factors, states, Ends: true);
        RowLoop.Run(pool, geometry.Outer * strips, length, body);
        for (int row = 0; row < geometry.Outer; row++)
        {
            double state = TTerms.Start;
            for (int i = row * strips; i < (row + 1) * strips; i++)
            {
                (states[i], state) = (state, (factors[i] * state) + states[i]);
            }
        }

        RowLoop.Run(pool, geometry.Outer * strips, length, body with { Ends = false });
    }

    private static float One(Lanes1 lane)
    {
        float value;
        lane.Store(&value, 1);
        return value;
    }

    /// <summary>One place of a row: steps the state and stores the result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(in TTerms terms, float* y, nint at, nint place, ref double state)
    {
        double next = TTerms.Adds
            ? state + One(terms.Summand<Lanes1>(at, place, 1))
            : (One(terms.Factor<Lanes1>(at, place, 1)) * state) + One(terms.Summand<Lanes1>(at, place, 1));
        Lanes1 given = (float)(terms.IsExclusive ? state : next);
        TStore.Store(y + at, terms.Result(given, at, place, 1), 1);
        state = next;
    }

    private readonly struct ColumnBody(TTerms terms, float* y, ScanGeometry geometry, int blocks) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint block = start; block < end; block++)
            {
                nint outer = block / blocks, first = (block - (outer * blocks)) * Columns;
                nint last = Math.Min(first + Columns, geometry.Inner);
                for (nint column = first; column < last; column += TLanes.Count)
                {
                    Scan<TLanes>(
                        (outer * geometry.Terms * geometry.Inner) + column, (int)Math.Min(TLanes.Count, last - column));
                }
            }
        }

        private void Scan<TLanes>(nint from, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            nint step = geometry.Inner;
            nint at = from;
            if (geometry.Reverse)
            {
                at += (geometry.Terms - 1) * step;
                step = -step;
            }

            TLanes zero = TLanes.Broadcast(0), most = TLanes.Broadcast(float.MaxValue), lost = zero;
            TLanes state = TLanes.Broadcast(TTerms.Start);
            for (nint place = 0; place < geometry.Terms; place++, at += step)
            {
                TLanes next;
                if (TTerms.Adds)
                {
                    // What the addition loses is taken off the next summand; of infinities it would be NaN.
                    TLanes summand = terms.Summand<TLanes>(at, place, count) - lost;
                    next = state + summand;
                    lost = (next - state) - summand;
                    lost = TLanes.IfGreaterOrEqual(most, TLanes.Abs(lost), lost, zero);
                }
                else
                {
                    next = TLanes.MultiplyAdd(
                        terms.Factor<TLanes>(at, place, count), state, terms.Summand<TLanes>(at, place, count));
                }

                TStore.Store(y + at, terms.Result(terms.IsExclusive ? state : next, at, place, count), count);
                state = next;
            }
        }
    }

    /// <summary>Whole rows, four at a time.</summary>
    private readonly struct RowGroups(TTerms terms, float* y, ScanGeometry geometry) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint group = start; group < end; group++)
            {
                nint row = group * Strips;
                if (row + Strips <= geometry.Outer)
                {
                    Four(row);
                }
                else
                {
                    for (; row < geometry.Outer; row++)
                    {
                        Alone(row);
                    }
                }
            }
        }

        private void Four(nint row)
        {
            nint length = geometry.Terms, step = geometry.Reverse ? -1 : 1;
            nint at = (row * length) + (geometry.Reverse ? length - 1 : 0);
            double a = TTerms.Start, b = a, c = a, d = a;
            for (nint place = 0; place < length; place++, at += step)
            {
                Step(terms, y, at, place, ref a);
                Step(terms, y, at + length, place, ref b);
                Step(terms, y, at + (2 * length), place, ref c);
                Step(terms, y, at + (3 * length), place, ref d);
            }
        }

        private void Alone(nint row)
        {
            nint length = geometry.Terms, step = geometry.Reverse ? -1 : 1;
            nint at = (row * length) + (geometry.Reverse ? length - 1 : 0);
            double state = TTerms.Start;
            for (nint place = 0; place < length; place++, at += step)
            {
                Step(terms, y, at, place, ref state);
            }
        }
    }

    /// <summary>Strips of rows: what each makes of the state in front of it, or, where that is known, the results.</summary>
    /// <param name="Ends">Whether it is the former.</param>
    private readonly record struct StripBody(
        TTerms Terms, nint Y, ScanGeometry Geometry, int Length, int Count, nint Factors, nint States, bool Ends) : IRowBody
    {
        public StripBody(
            TTerms terms, float* y, ScanGeometry geometry, int length, int count, double* factors, double* states, bool Ends)
            : this(terms, (nint)y, geometry, length, count, (nint)factors, (nint)states, Ends)
        {
        }

        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint strip = start; strip < end; strip++)
            {
                nint row = strip / Count, place = (strip - (row * Count)) * Length;
                nint last = Math.Min(place + Length, Geometry.Terms), step = Geometry.Reverse ? -1 : 1;
                nint at = (row * Geometry.Terms) + (Geometry.Reverse ? Geometry.Terms - 1 - place : place);
                if (Ends)
                {
                    double factor = 1, summand = 0;
                    for (; place < last; place++, at += step)
                    {
                        double next = One(Terms.Factor<Lanes1>(at, place, 1));
                        factor *= next;
                        summand = (next * summand) + One(Terms.Summand<Lanes1>(at, place, 1));
                    }

                    (((double*)Factors)[strip], ((double*)States)[strip]) = (factor, summand);
                }
                else
                {
                    double state = ((double*)States)[strip];
                    for (; place < last; place++, at += step)
                    {
                        Step(Terms, (float*)Y, at, place, ref state);
                    }
                }
            }
        }
    }
}
