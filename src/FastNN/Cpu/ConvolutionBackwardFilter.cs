using System.Runtime.CompilerServices;
using FastNN.Kernels;

namespace FastNN.Cpu;

internal static unsafe partial class Convolution<TVec, TRung>
{
    /// <summary>
    /// dw [KH,KW,C/groups,OC] (=|+=) sum over pixels of x (outer product) dy, dbias [OC] (=|+=) sum over pixels of dy.
    /// Pixels are cut into chunks by shape; each chunk sums into a partial filter of its own, and the partials are added in
    /// order, so the bits do not depend on the number of threads.
    /// </summary>
    public static void BackwardFilter(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* dy, float* dw, float* dbias,
        bool accumulateWeight, bool accumulateBias, byte* workspace)
    {
        if (IsDepthwise(geometry))
        {
            DepthwiseBackwardFilter(pool, geometry, x, dy, dw, dbias, accumulateWeight, accumulateBias, (float*)workspace);
            return;
        }
        FilterPlan plan = FilterPlan.For(geometry);
        bool direct = plan.Chunks == 1;
        float* partials = direct ? dw : (float*)workspace;
        float* biasPartials = dbias == null ? null : direct ? dbias : (float*)workspace + (plan.Chunks * geometry.FilterCount);
        var body = new FilterBody(
            pool, geometry, plan, x, dy, partials, biasPartials, direct && accumulateWeight, direct && accumulateBias);
        pool.Run(plan.Chunks * plan.UnitTasks, ref body);
        if (!direct)
        {
            ConvolutionReduction<TVec, TRung>.Run(pool, partials, plan.Chunks, geometry.FilterCount, dw, accumulateWeight);
            if (dbias != null)
            {
                ConvolutionReduction<TVec, TRung>.Run(pool, biasPartials, plan.Chunks, geometry.OC, dbias, accumulateBias);
            }
        }
    }

    /// <summary>How the sum is cut, by shape alone.</summary>
    private readonly struct FilterPlan
    {
        private const int MaxChunks = 16;

        /// <summary>Each partial must be worth its part in the final sum: two additions of 4 bytes an element.</summary>
        private const int PixelsPerChunk = 512;
        private const int EnoughUnits = 16;

        /// <summary>Pixels summed in registers before the tile is added to memory; their part of dy stays in the first-level cache.</summary>
        private const int PixelsPerStrip = 256;

        /// <summary>The channels of a whole kernel row are neighbours in memory for every pixel, and all of them lie inside.</summary>
        public readonly bool RowsAreRuns;
        public readonly int Panels;
        public readonly int Units;
        public readonly int UnitsPerTask;
        public readonly int UnitTasks;
        public readonly int Chunks;
        public readonly long RowsPerChunk;
        public readonly int RowsPerStrip;
        public readonly long WorkspaceBytes;

        private FilterPlan(in Conv2DGeometry g)
        {
            RowsAreRuns = g.Groups == 1 && g.Horizontal.Dilation == 1 && g.Horizontal.IsInside;
            Panels = (g.GroupOC + PanelWidth - 1) / PanelWidth;
            Units = g.Groups * Panels * g.KH * (RowsAreRuns ? 1 : g.KW);
            long rows = (long)g.N * g.OH;
            long pixels = rows * g.OW;
            long wanted = Units >= EnoughUnits ? 1 : Math.Clamp(pixels / PixelsPerChunk, 1, MaxChunks);
            RowsPerChunk = (rows + wanted - 1) / wanted;
            Chunks = (int)((rows + RowsPerChunk - 1) / RowsPerChunk);
            UnitTasks = Math.Min(Units, 4 * EnoughUnits / Chunks);
            UnitsPerTask = (Units + UnitTasks - 1) / UnitTasks;
            UnitTasks = (Units + UnitsPerTask - 1) / UnitsPerTask;
            RowsPerStrip = Math.Max(1, PixelsPerStrip / g.OW);
            WorkspaceBytes = Chunks == 1 ? 0 : Chunks * (g.FilterCount + g.OC) * sizeof(float);
        }

        public static FilterPlan For(in Conv2DGeometry geometry) => new(geometry);
    }

    private readonly struct FilterBody(
        WorkerPool pool, Conv2DGeometry geometry, FilterPlan plan, float* x, float* dy, float* partials, float* biasPartials,
        bool accumulateWeight, bool accumulateBias) : IParallelBody
    {
        private readonly WorkerPool _pool = pool;
        private readonly Conv2DGeometry _g = geometry;
        private readonly FilterPlan _plan = plan;
        private readonly float* _x = x;
        private readonly float* _dy = dy;
        private readonly float* _partials = partials;
        private readonly float* _biasPartials = biasPartials;
        private readonly bool _accumulateWeight = accumulateWeight;
        private readonly bool _accumulateBias = accumulateBias;

        public void Invoke(int task, int worker)
        {
            int chunk = task / _plan.UnitTasks;
            int unitFirst = (task % _plan.UnitTasks) * _plan.UnitsPerTask;
            int unitEnd = Math.Min(_plan.Units, unitFirst + _plan.UnitsPerTask);
            long rowFirst = chunk * _plan.RowsPerChunk;
            long rowEnd = Math.Min((long)_g.N * _g.OH, rowFirst + _plan.RowsPerChunk);
            float** segments = (float**)_pool.Scratch(worker);
            for (long row = rowFirst; row < rowEnd; row += _plan.RowsPerStrip)
            {
                long stripEnd = Math.Min(rowEnd, row + _plan.RowsPerStrip);
                for (int unit = unitFirst; unit < unitEnd; unit++)
                {
                    Unit(unit, chunk, row, stripEnd, row == rowFirst, segments);
                }
            }
        }

        /// <summary>One kernel row (or tap) of one panel of filters, over one strip of rows of dy.</summary>
        private void Unit(int unit, int chunk, long rowFirst, long rowEnd, bool first, float** segments)
        {
            int columns = _plan.RowsAreRuns ? 1 : _g.KW;
            int kw = unit % columns;
            int kh = unit / columns % _g.KH;
            int panel = unit / (columns * _g.KH);
            int group = panel / _plan.Panels;
            int column = (panel % _plan.Panels) * PanelWidth;
            int cols = Math.Min(_g.GroupOC - column, PanelWidth);
            nint filter = ((nint)group * _g.GroupOC) + column;
            if (kh == 0 && kw == 0 && _biasPartials != null)
            {
                SumRows(_dy + (rowFirst * _g.OW * _g.OC) + filter, (rowEnd - rowFirst) * _g.OW, cols, _g.OC,
                    _biasPartials + ((long)chunk * _g.OC) + filter, !first || _accumulateBias);
            }
            (int owFirst, int owEnd) = _plan.RowsAreRuns ? (0, _g.OW) : _g.Horizontal.ValidOutputs(kw);
            float** b = segments + _plan.RowsPerStrip;
            int count = owFirst == owEnd ? 0
                : Segments(rowFirst, rowEnd, kh, kw, owFirst, group * _g.GroupC, filter, segments, b);
            if (count == 0 && !first)
            {
                return;
            }
            nint tap = (((nint)kh * _g.KW) + kw) * _g.GroupC;
            float* target = _partials + (chunk * _g.FilterCount) + (tap * _g.OC) + filter;
            Epilogue epilogue = !first || _accumulateWeight ? Epilogue.Add : Epilogue.Store;
            int channels = _plan.RowsAreRuns ? _g.KW * _g.C : _g.GroupC;
            for (int m = 0; m < channels; m += Tile<TVec, TRung>.MaxRows)
            {
                int rows = Math.Min(channels - m, Tile<TVec, TRung>.MaxRows);
                Tile<TVec, TRung>.Panel(
                    segments, (nint)_g.Horizontal.Stride * _g.C, b, _g.OC, count, owEnd - owFirst,
                    target + ((nint)m * _g.OC), _g.OC, rows, cols, epilogue);
                for (int s = 0; s < count; s++)
                {
                    segments[s] += rows;
                }
            }
        }

        private int Segments(
            long rowFirst, long rowEnd, int kh, int kw, int owFirst, nint channel, nint filter, float** a, float** b)
        {
            int count = 0;
            nint left = _g.Horizontal.Start(owFirst) + ((nint)kw * _g.Horizontal.Dilation);
            long n = rowFirst / _g.OH;
            int oh = (int)(rowFirst - (n * _g.OH));
            for (long row = rowFirst; row < rowEnd; row++)
            {
                int ih = _g.Vertical.Start(oh) + (kh * _g.Vertical.Dilation);
                if ((uint)ih < (uint)_g.H)
                {
                    a[count] = _x + (((((n * _g.H) + ih) * _g.W) + left) * _g.C) + channel;
                    b[count] = _dy + (((row * _g.OW) + owFirst) * _g.OC) + filter;
                    count++;
                }
                if (++oh == _g.OH)
                {
                    oh = 0;
                    n++;
                }
            }
            return count;
        }
    }

    /// <summary>target[c] (=|+=) sum over rows of source[row, c], cols at most two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumRows(float* source, long rows, int cols, nint stride, float* target, bool accumulate)
    {
        int lanes = TRung.Lanes;
        for (int c = 0; c < cols; c += lanes)
        {
            TVec mask = TRung.Mask(Math.Min(lanes, cols - c));
            TVec even = TRung.Zero;
            TVec odd = TRung.Zero;
            float* p = source + c;
            long row = 0;
            for (; row + 1 < rows; row += 2)
            {
                even = TRung.Add(even, TRung.LoadMasked(p, mask));
                odd = TRung.Add(odd, TRung.LoadMasked(p + stride, mask));
                p += 2 * stride;
            }
            if (row < rows)
            {
                even = TRung.Add(even, TRung.LoadMasked(p, mask));
            }
            even = TRung.Add(even, odd);
            TRung.StoreMasked(accumulate ? TRung.Add(even, TRung.LoadMasked(target + c, mask)) : even, target + c, mask);
        }
    }
}
