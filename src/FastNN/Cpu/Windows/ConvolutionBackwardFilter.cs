using System.Runtime.CompilerServices;
using FastNN.Kernels;

namespace FastNN.Cpu;

internal static unsafe partial class Convolution<TLanes>
{
    /// <summary>
    /// dw [KH,KW,C/groups,OC] (=|+=) sum over pixels of x (outer product) dy, dbias [OC] (=|+=) sum over pixels of dy.
    /// Pixels are cut into chunks by shape; each chunk sums into a partial filter of its own, and the partials are added in
    /// order, so the bits do not depend on the number of threads.
    /// </summary>
    public static void BackwardFilter(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* dy, float* dw, float* dbias,
        bool accumulateWeight, bool accumulateBias, byte* workspace, bool allowWinograd = true)
    {
        if (IsProduct(geometry))
        {
            ProductBackwardFilter(pool, geometry, x, dy, dw, dbias, accumulateWeight, accumulateBias, (float*)workspace);
            return;
        }
        if (IsDepthwise(geometry))
        {
            DepthwiseBackwardFilter(pool, geometry, x, dy, dw, dbias, accumulateWeight, accumulateBias, (float*)workspace);
            return;
        }
        if (allowWinograd && Winograd<TLanes>.Pays(geometry, ConvolutionPass.BackwardFilter))
        {
            Winograd<TLanes>.BackwardFilter(pool, geometry, x, dy, dw, accumulateWeight, (float*)workspace);
            SumBias(pool, geometry, dy, dbias, accumulateBias, (float*)workspace);
            return;
        }
        FilterPlan plan = FilterPlan.For(geometry);
        bool direct = plan.WorkspaceBytes == 0;
        float* partials = direct ? dw : (float*)workspace;
        float* biasPartials = dbias == null ? null : direct ? dbias : (float*)workspace + (plan.Chunks * geometry.FilterCount);
        var body = new FilterBody(
            pool, geometry, plan, x, dy, partials, biasPartials, direct && accumulateWeight, direct && accumulateBias);
        pool.Run(plan.Chunks * plan.UnitTasks, ref body);
        if (!direct)
        {
            if (plan.Form == FilterForm.SwappedRows)
            {
                ConvolutionReduction<TLanes>.Run(pool, partials, plan.Chunks, geometry.FilterCount, partials, false);
                Unswap(geometry, partials, dw, accumulateWeight);
            }
            else
            {
                ConvolutionReduction<TLanes>.Run(pool, partials, plan.Chunks, geometry.FilterCount, dw, accumulateWeight);
            }
            if (dbias != null)
            {
                ConvolutionReduction<TLanes>.Run(pool, biasPartials, plan.Chunks, geometry.OC, dbias, accumulateBias);
            }
        }
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
                    switch (_plan.Form)
                    {
                        case FilterForm.AllTaps:
                            AllTaps(unit, chunk, row, stripEnd, row == rowFirst, segments);
                            break;
                        case FilterForm.SwappedRows:
                            SwappedRow(unit, chunk, row, stripEnd, row == rowFirst, segments);
                            break;
                        default:
                            KernelRowOrTap(unit, unitFirst, chunk, row, stripEnd, row == rowFirst, segments);
                            break;
                    }
                }
            }
        }

        /// <summary>One kernel row (or tap) of one panel of filters, over one strip of rows of dy.</summary>
        private void KernelRowOrTap(
            int unit, int unitFirst, int chunk, long rowFirst, long rowEnd, bool first, float** segments)
        {
            bool runs = _plan.Form == FilterForm.KernelRows;
            int columns = runs ? 1 : _g.KW;
            int kw = unit % columns;
            int kh = unit / columns % _g.KH;
            int panel = unit / (columns * _g.KH);
            int group = panel / _plan.Panels;
            int column = (panel % _plan.Panels) * PanelWidth;
            int cols = Math.Min(_g.GroupOC - column, PanelWidth);
            nint filter = ((nint)group * _g.GroupOC) + column;
            if (kh == 0 && kw == 0)
            {
                SumBias(chunk, rowFirst, rowEnd, filter, cols, first);
            }
            (int owFirst, int owEnd) = runs ? (0, _g.OW) : _g.Horizontal.ValidOutputs(kw);
            float** b = segments + _plan.RowsPerStrip;
            float* dy = _dy + (rowFirst * _g.OW * _g.OC) + filter;
            nint stride = _g.OC;
            if (_plan.PacksStrips)
            {
                float* packed = (float*)(segments + (2 * _plan.RowsPerStrip));
                if (unit == unitFirst || (kh == 0 && kw == 0))
                {
                    Pack<TLanes>.Straight(dy, _g.OC, cols, (int)(rowEnd - rowFirst) * _g.OW, packed, PanelWidth);
                }
                dy = packed;
                stride = PanelWidth;
            }
            int count = owFirst == owEnd ? 0
                : Segments(rowFirst, rowEnd, kh, kw, owFirst, group * _g.GroupC, dy, stride, segments, b);
            if (count == 0 && !first)
            {
                return;
            }
            nint tap = (((nint)kh * _g.KW) + kw) * _g.GroupC;
            float* target = _partials + (chunk * _g.FilterCount) + (tap * _g.OC) + filter;
            Epilogue epilogue = !first || _accumulateWeight ? Epilogue.Add : Epilogue.Store;
            int channels = runs ? _g.KW * _g.C : _g.GroupC;
            for (int m = 0; m < channels; m += Tile<TLanes>.MaxRows)
            {
                int rows = Math.Min(channels - m, Tile<TLanes>.MaxRows);
                Tile<TLanes>.Panel(
                    segments, (nint)_g.Horizontal.Stride * _g.C, b, stride, count, owEnd - owFirst,
                    target + ((nint)m * _g.OC), _g.OC, rows, cols, epilogue);
                Advance(segments, count, rows);
            }
        }

        /// <summary>
        /// Few filters: the lanes run over the channels of a kernel row and the tile's rows over the filters, which gives the
        /// partial filter as [KH, OC, KW*C].
        /// </summary>
        private void SwappedRow(int kh, int chunk, long rowFirst, long rowEnd, bool first, float** segments)
        {
            if (kh == 0)
            {
                for (int filter = 0; filter < _g.OC; filter += PanelWidth)
                {
                    SumBias(chunk, rowFirst, rowEnd, filter, Math.Min(PanelWidth, _g.OC - filter), first);
                }
            }
            float** b = segments + _plan.RowsPerStrip;
            int count = Segments(rowFirst, rowEnd, kh, 0, 0, 0, _dy + (rowFirst * _g.OW * _g.OC), _g.OC, segments, b);
            if (count == 0 && !first)
            {
                return;
            }
            int channels = _g.KW * _g.C;
            float* target = _partials + (chunk * _g.FilterCount) + ((nint)kh * _g.OC * channels);
            for (int m = 0; m < _g.OC; m += Tile<TLanes>.MaxRows)
            {
                int rows = Math.Min(_g.OC - m, Tile<TLanes>.MaxRows);
                for (int column = 0; column < channels; column += PanelWidth)
                {
                    int cols = Math.Min(channels - column, PanelWidth);
                    Tile<TLanes>.Panel(
                        b, _g.OC, segments, (nint)_g.Horizontal.Stride * _g.C, count, _g.OW,
                        target + ((nint)m * channels) + column, channels, rows, cols, first ? Epilogue.Store : Epilogue.Add);
                    Advance(segments, count, cols);
                }
                Advance(segments, count, -channels);
                Advance(b, count, rows);
            }
        }

        /// <summary>
        /// One input channel, stride 1: a tap is a pointer and a row of dy a run, so all taps share one pass over dy.
        /// </summary>
        private void AllTaps(int unit, int chunk, long rowFirst, long rowEnd, bool first, float** scratch)
        {
            int taps = _g.KH * _g.KW;
            int tapTiles = _plan.Units / _plan.Panels;
            int tap = (unit % tapTiles) * Tile<TLanes>.MaxRows;
            int filter = (unit / tapTiles) * PanelWidth;
            int cols = Math.Min(_g.OC - filter, PanelWidth);
            if (tap == 0)
            {
                SumBias(chunk, rowFirst, rowEnd, filter, cols, first);
            }
            int rows = Math.Min(taps - tap, Tile<TLanes>.MaxRows);
            for (int r = 0; r < Tile<TLanes>.MaxRows; r++)
            {
                int t = tap + Math.Min(r, rows - 1);
                scratch[r] = _x + ((nint)(t / _g.KW) * _g.Vertical.Dilation * _g.W)
                    + ((nint)(t % _g.KW) * _g.Horizontal.Dilation);
            }
            nint* offsets = (nint*)(scratch + 16);
            int runs = 0;
            for (long row = rowFirst; row < rowEnd; row++)
            {
                offsets[runs++] = (nint)((((row / _g.OH) * _g.H) + ((row % _g.OH) * _g.Vertical.Stride)) * _g.W);
            }
            Epilogue epilogue = !first || _accumulateWeight ? Epilogue.Add : Epilogue.Store;
            Tile<TLanes>.Rows(
                scratch, offsets, runs, _g.OW, _dy + (rowFirst * _g.OW * _g.OC) + filter, _g.OC,
                _partials + (chunk * _g.FilterCount) + ((nint)tap * _g.OC) + filter, _g.OC, rows, cols, epilogue);
        }

        private void SumBias(int chunk, long rowFirst, long rowEnd, nint filter, int cols, bool first)
        {
            if (_biasPartials != null)
            {
                SumRows(_dy + (rowFirst * _g.OW * _g.OC) + filter, (rowEnd - rowFirst) * _g.OW, cols, _g.OC,
                    _biasPartials + ((long)chunk * _g.OC) + filter, !first || _accumulateBias);
            }
        }

        private static void Advance(float** pointers, int count, nint step)
        {
            for (int s = 0; s < count; s++)
            {
                pointers[s] += step;
            }
        }

        private int Segments(
            long rowFirst, long rowEnd, int kh, int kw, int owFirst, nint channel, float* dy, nint stride, float** a, float** b)
        {
            int count = 0;
            nint left = _g.Horizontal.Start(owFirst) + ((nint)kw * _g.Horizontal.Dilation);
            long n = rowFirst / _g.OH;
            int oh = (int)(rowFirst - (n * _g.OH));
            long image = _g.Depth.ImageOf((int)n);
            for (long row = rowFirst; row < rowEnd; row++)
            {
                int ih = _g.Vertical.Start(oh) + (kh * _g.Vertical.Dilation);
                if ((uint)ih < (uint)_g.H && image >= 0)
                {
                    a[count] = _x + (((((image * _g.H) + ih) * _g.W) + left) * _g.C) + channel;
                    b[count] = dy + ((((nint)(row - rowFirst) * _g.OW) + owFirst) * stride);
                    count++;
                }
                if (++oh == _g.OH)
                {
                    oh = 0;
                    image = _g.Depth.ImageOf((int)++n);
                }
            }
            return count;
        }
    }

    /// <summary>dw [KH, KW*C, OC] (=|+=) partial [KH, OC, KW*C]; filters so few that a plain loop will do.</summary>
    private static void Unswap(in Conv2DGeometry g, float* partial, float* dw, bool accumulate)
    {
        int channels = g.KW * g.C;
        for (int kh = 0; kh < g.KH; kh++)
        {
            for (int m = 0; m < channels; m++)
            {
                for (int oc = 0; oc < g.OC; oc++)
                {
                    float value = partial[((nint)oc * channels) + m];
                    dw[oc] = accumulate ? dw[oc] + value : value;
                }
                dw += g.OC;
            }
            partial += (nint)g.OC * channels;
        }
    }

    /// <summary>target[c] (=|+=) sum over rows of source[row, c], cols at most two vectors.</summary>
    [MethodImpl(KernelCode.Loop)]
    private static void SumRows(float* source, long rows, int cols, nint stride, float* target, bool accumulate)
    {
        int lanes = TLanes.Count;
        for (int c = 0; c < cols; c += lanes)
        {
            TLanes mask = TLanes.Mask(Math.Min(lanes, cols - c));
            TLanes even = default(TLanes);
            TLanes odd = default(TLanes);
            float* p = source + c;
            long row = 0;
            for (; row + 1 < rows; row += 2)
            {
                even = even + TLanes.LoadMasked(p, mask);
                odd = odd + TLanes.LoadMasked(p + stride, mask);
                p += 2 * stride;
            }
            if (row < rows)
            {
                even = even + TLanes.LoadMasked(p, mask);
            }
            even = even + odd;
            TLanes.StoreMasked(accumulate ? (even + TLanes.LoadMasked(target + c, mask)) : even, target + c, mask);
        }
    }
}
