using System.Runtime.CompilerServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Scans: each is the recurrence s = m s + c over a row's terms. Where rows lie side by side, vectors take one column to a lane;
/// sums carry what each addition lost to the next (Kahan), so that long ones stay exact to a float. Where a row's terms are
/// neighbors, four strips run side by side in double, since one alone would wait for each addition; few long rows are cut into
/// strips of fixed length, whose ends are found first. 8 bytes moved per element, 12 where rows are cut or it adds; 16 for the
/// gradient of a product.
/// </summary>
internal sealed unsafe partial class CpuReductions
{
    public void Scan(ScanFunction function, Tensor x, Tensor y, in ScanGeometry geometry, bool accumulate)
    {
        if (function == ScanFunction.Sum)
        {
            Run(new SumTerms(Floats(x), geometry), Floats(y), geometry, accumulate);
        }
        else
        {
            Run(new ProductTerms(Floats(x), geometry), Floats(y), geometry, accumulate);
        }
    }

    public void ScanProductBackward(Tensor x, Tensor y, Tensor dY, Tensor dX, in ScanGeometry geometry, bool accumulate) =>
        Run(
            new ProductSlopes(Floats(x), Floats(y), Floats(dY), geometry), Floats(dX), geometry.Reversed, accumulate);

    private void Run<TTerms>(TTerms terms, float* y, in ScanGeometry geometry, bool accumulate)
        where TTerms : struct, IScanTerms
    {
        if (accumulate)
        {
            ScanLoop<TTerms, Accumulate>.Run(Pool, terms, y, geometry);
        }
        else
        {
            ScanLoop<TTerms, Assign>.Run(Pool, terms, y, geometry);
        }
    }

    /// <summary>s = s + x.</summary>
    private readonly struct SumTerms(float* x, ScanGeometry geometry) : IScanTerms
    {
        public static float Start => 0;

        public static bool Adds => true;

        public bool IsExclusive => geometry.Exclusive;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Factor<TLanes>(nint at, nint place, int count)
            where TLanes : struct, IVectorLanes<TLanes> => TLanes.Broadcast(1);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Summand<TLanes>(nint at, nint place, int count)
            where TLanes : struct, IVectorLanes<TLanes> => TLanes.Load(x + at, count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Result<TLanes>(TLanes state, nint at, nint place, int count)
            where TLanes : struct, IVectorLanes<TLanes> => state;
    }

    /// <summary>s = x s.</summary>
    private readonly struct ProductTerms(float* x, ScanGeometry geometry) : IScanTerms
    {
        public static float Start => 1;

        public static bool Adds => false;

        public bool IsExclusive => geometry.Exclusive;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Factor<TLanes>(nint at, nint place, int count)
            where TLanes : struct, IVectorLanes<TLanes> => TLanes.Load(x + at, count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Summand<TLanes>(nint at, nint place, int count)
            where TLanes : struct, IVectorLanes<TLanes> => TLanes.Broadcast(0);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Result<TLanes>(TLanes state, nint at, nint place, int count)
            where TLanes : struct, IVectorLanes<TLanes> => state;
    }

    /// <summary>
    /// From the last product back: s = (the term that the place before had) s + dY, where an exclusive product has the dY of that
    /// place, too; times the product in front of the term, which is y itself or the y of the next place.
    /// </summary>
    private readonly struct ProductSlopes(float* x, float* y, float* dY, ScanGeometry products) : IScanTerms
    {
        // In memory, from a place to the one that this scan, which is the products' reversed, had before it.
        private readonly nint _before = (nint)products.Inner * (products.Reverse ? -1 : 1);

        public static float Start => 0;

        public static bool Adds => false;

        // The shift is in the summand.
        public bool IsExclusive => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Factor<TLanes>(nint at, nint place, int count)
            where TLanes : struct, IVectorLanes<TLanes> =>
                place == 0 ? TLanes.Broadcast(0) : TLanes.Load(x + at + _before, count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Summand<TLanes>(nint at, nint place, int count)
            where TLanes : struct, IVectorLanes<TLanes> => !products.Exclusive ? TLanes.Load(dY + at, count)
            : place == 0 ? TLanes.Broadcast(0)
            : TLanes.Load(dY + at + _before, count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Result<TLanes>(TLanes state, nint at, nint place, int count)
            where TLanes : struct, IVectorLanes<TLanes> => products.Exclusive ? state * TLanes.Load(y + at, count)
            : place == products.Terms - 1 ? state
            : state * TLanes.Load(y + at - _before, count);
    }
}
