using System.Runtime.CompilerServices;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <content>
/// Depthwise convolution, one filter per channel: w [KH,KW,1,C]. 3 x 3 taps of stride 1 or 2 go to
/// <see cref="Depthwise3x3{TLanes}"/>; for others the loops run over the channels, a vector at a time, taps innermost.
/// </content>
internal static unsafe partial class Convolution<TLanes>
{
    private const int DepthwiseMaxChunks = 16;

    private static bool IsDepthwise(in Conv2DGeometry geometry) => geometry.IsDepthwise && geometry.OC == geometry.C;

    private static long DepthwiseWorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass) =>
        pass == ConvolutionPass.BackwardFilter
            ? DepthwiseChunks(geometry, out _) * (geometry.FilterCount + geometry.OC) * sizeof(float)
            : 0;

    private static void DepthwiseForward(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* w, float* y, in Epilogue epilogue)
    {
        if (Depthwise3x3.Takes(geometry))
        {
            Depthwise3x3<TLanes>.Run(pool, DepthwiseForwardOperands(geometry, x, w, y, epilogue), geometry.Vertical.Stride);
            return;
        }

        var body = new DepthwiseForwardBody(geometry, x, w, y, epilogue);
        pool.Run(DepthwiseTasks((long)geometry.N * geometry.OH, (long)geometry.OW * geometry.C, out body.RowsPerTask), ref body);
    }

    private static void DepthwiseBackwardData(
        WorkerPool pool, in Conv2DGeometry geometry, float* dy, float* w, float* dx, in Epilogue epilogue)
    {
        if (Depthwise3x3.Takes(geometry) && geometry.Vertical.Stride == 1)
        {
            Depthwise3x3<TLanes>.Run(pool, DepthwiseDataOperands(geometry, dy, w, dx, epilogue), 1);
            return;
        }

        var body = new DepthwiseDataBody(geometry, dy, w, dx, epilogue);
        pool.Run(DepthwiseTasks((long)geometry.N * geometry.H, (long)geometry.W * geometry.C, out body.RowsPerTask), ref body);
    }

    private static void DepthwiseBackwardFilter(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* dy, float* dw, float* dbias,
        bool accumulateWeight, bool accumulateBias, float* workspace)
    {
        int chunks = DepthwiseChunks(geometry, out long rowsPerChunk);
        float* biasPartials = dbias == null ? null : workspace + (chunks * geometry.FilterCount);
        if (Depthwise3x3.Takes(geometry))
        {
            Depthwise3x3<TLanes>.BackwardFilter(pool, geometry, x, dy, workspace, biasPartials);
        }
        else
        {
            var body = new DepthwiseFilterBody(geometry, x, dy, workspace, biasPartials, rowsPerChunk);
            pool.Run(chunks, ref body);
        }

        ConvolutionReduction<TLanes>.Run(pool, workspace, chunks, geometry.FilterCount, dw, accumulateWeight);
        if (dbias != null)
        {
            ConvolutionReduction<TLanes>.Run(pool, biasPartials, chunks, geometry.OC, dbias, accumulateBias);
        }
    }

    private static DepthwiseOperands DepthwiseForwardOperands(
        in Conv2DGeometry g, float* x, float* w, float* y, in Epilogue epilogue) => new()
        {
            Source = x,
            SourceRows = g.H,
            SourceColumns = g.W,
            Target = y,
            Rows = g.OH,
            Columns = g.OW,
            Samples = g.N,
            Channels = g.C,
            TargetColumn = g.C,
            PadTop = g.Vertical.PadBefore,
            PadLeft = g.Horizontal.PadBefore,
            Images = g.Depth,
            Filter = w,
            FilterRow = (nint)g.KW * g.C,
            FilterColumn = g.C,
            Epilogue = epilogue,
        };

    /// <summary>With stride 1 dx is dy convolved with the filter turned by half a circle.</summary>
    private static DepthwiseOperands DepthwiseDataOperands(
        in Conv2DGeometry g, float* dy, float* w, float* dx, in Epilogue epilogue) => new()
        {
            Source = dy,
            SourceRows = g.OH,
            SourceColumns = g.OW,
            Target = dx,
            Rows = g.H,
            Columns = g.W,
            Samples = g.N,
            Channels = g.C,
            TargetColumn = g.C,
            PadTop = g.KH - 1 - g.Vertical.PadBefore,
            PadLeft = g.KW - 1 - g.Horizontal.PadBefore,
            Images = g.Depth,
            TargetsImages = true,
            Filter = w + ((((nint)g.KH * g.KW) - 1) * g.C),
            FilterRow = -(nint)g.KW * g.C,
            FilterColumn = -(nint)g.C,
            Epilogue = epilogue,
        };

    private static int DepthwiseTasks(long rows, long rowElements, out long rowsPerTask)
    {
        rowsPerTask = Math.Max(Math.Max(1, (16 << 10) / rowElements), (rows + (1 << 20) - 1) >> 20);
        return (int)((rows + rowsPerTask - 1) / rowsPerTask);
    }

    private static int DepthwiseChunks(in Conv2DGeometry geometry, out long rowsPerChunk)
    {
        if (Depthwise3x3.Takes(geometry))
        {
            return Depthwise3x3<TLanes>.Chunks(geometry, out rowsPerChunk);
        }

        long rows = (long)geometry.N * geometry.OH;
        long wanted = Math.Clamp(rows * geometry.OW / 256, 1, DepthwiseMaxChunks);
        rowsPerChunk = (rows + wanted - 1) / wanted;
        return (int)((rows + rowsPerChunk - 1) / rowsPerChunk);
    }

    private struct DepthwiseForwardBody(Conv2DGeometry geometry, float* x, float* w, float* y, Epilogue epilogue) : IParallelBody
    {
        public long RowsPerTask;

        private readonly Conv2DGeometry _g = geometry;
        private readonly float* _x = x;
        private readonly float* _w = w;
        private readonly float* _y = y;
        private readonly Epilogue _epilogue = epilogue;

        public readonly void Invoke(int task, int worker)
        {
            long end = Math.Min((long)_g.N * _g.OH, (task + 1) * RowsPerTask);
            for (long row = task * RowsPerTask; row < end; row++)
            {
                int oh = (int)(row % _g.OH);
                int image = _g.Depth.ImageOf((int)(row / _g.OH));
                if (image < 0)
                {
                    continue;
                }
                (int khFirst, int khEnd) = _g.Vertical.ValidTaps(oh);
                long top = ((long)image * _g.H) + _g.Vertical.Start(oh) + (khFirst * _g.Vertical.Dilation);
                (int inside, int outside) = DepthwiseBlock.Interior(_g.Horizontal);
                for (int ow = 0; ow < _g.OW; ow++)
                {
                    if (ow >= inside && ow + DepthwiseBlock.Pixels <= outside)
                    {
                        float* first = _x + (((top * _g.W) + _g.Horizontal.Start(ow)) * _g.C);
                        float* filter = _w + ((long)khFirst * _g.KW * _g.C);
                        Block(first, filter, khEnd - khFirst, _y + (((row * _g.OW) + ow) * _g.C));
                        ow += DepthwiseBlock.Pixels - 1;
                        continue;
                    }
                    (int kwFirst, int kwEnd) = _g.Horizontal.ValidTaps(ow);
                    long left = _g.Horizontal.Start(ow) + ((long)kwFirst * _g.Horizontal.Dilation);
                    float* x = _x + (((top * _g.W) + left) * _g.C);
                    float* w = _w + (((long)khFirst * _g.KW) + kwFirst) * _g.C;
                    Pixel(x, w, khEnd - khFirst, kwEnd - kwFirst, _y + (((row * _g.OW) + ow) * _g.C));
                }
                if (_epilogue.NeedsFinish)
                {
                    _epilogue.Finish(_y + (row * _g.OW * _g.C), _g.C, _g.OW, _g.C);
                }
            }
        }

        private readonly void Block(float* x, float* w, int rows, float* y)
        {
            var block = new DepthwiseBlock
            {
                SourceRow = (nint)_g.Vertical.Dilation * _g.W * _g.C,
                SourceColumn = (nint)_g.Horizontal.Dilation * _g.C,
                SourcePixel = (nint)_g.Horizontal.Stride * _g.C,
                FilterRow = (nint)_g.KW * _g.C,
                FilterColumn = _g.C,
                Rows = rows,
                Columns = _g.KW,
                Channels = _g.C,
            };
            Pixels(block, x, w, y, _epilogue);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void Pixel(float* x, float* w, int rows, int columns, float* y)
        {
            nint xRow = (nint)_g.Vertical.Dilation * _g.W * _g.C;
            nint xColumn = (nint)_g.Horizontal.Dilation * _g.C;
            nint wRow = (nint)_g.KW * _g.C;
            for (int c = 0; c < _g.C; c += TLanes.Count)
            {
                TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, _g.C - c));
                TLanes sum = _epilogue.Bias != null ? TLanes.LoadMasked(_epilogue.Bias + c, mask) : default(TLanes);
                for (int kh = 0; kh < rows; kh++)
                {
                    float* xs = x + (kh * xRow) + c;
                    float* ws = w + (kh * wRow) + c;
                    for (int kw = 0; kw < columns; kw++)
                    {
                        sum = TLanes.MultiplyAdd(
                            TLanes.LoadMasked(xs + (kw * xColumn), mask), TLanes.LoadMasked(ws + ((nint)kw * _g.C), mask), sum);
                    }
                }
                DepthwiseStore(_epilogue, sum, y + c, mask);
            }
        }
    }

    /// <summary>y (=|+=) sum, which has the bias, then a rectifier.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DepthwiseStore(in Epilogue epilogue, TLanes sum, float* y, TLanes mask)
    {
        if (epilogue.Accumulate)
        {
            sum = sum + TLanes.LoadMasked(y, mask);
        }
        if (epilogue.Rectifier != Rectifier.None)
        {
            sum = Tile<TLanes>.Rectify(sum, epilogue.Rectifier, TLanes.Broadcast(epilogue.Parameter));
        }
        TLanes.StoreMasked(sum, y, mask);
    }

    /// <summary>A gather: each dx looks at the outputs that it went into, and is written once.</summary>
    private struct DepthwiseDataBody(Conv2DGeometry geometry, float* dy, float* w, float* dx, Epilogue epilogue) : IParallelBody
    {
        public long RowsPerTask;

        private readonly Conv2DGeometry _g = geometry;
        private readonly float* _dy = dy;
        private readonly float* _w = w;
        private readonly float* _dx = dx;
        private readonly Epilogue _epilogue = epilogue;

        public readonly void Invoke(int task, int worker)
        {
            long end = Math.Min((long)_g.N * _g.H, (task + 1) * RowsPerTask);
            for (long row = task * RowsPerTask; row < end; row++)
            {
                int ih = (int)(row % _g.H);
                int image = _g.Depth.ImageOf((int)(row / _g.H));
                if (image < 0)
                {
                    continue;
                }
                float* dx = _dx + ((((nint)image * _g.H) + ih) * _g.W * _g.C);
                (int ohFirst, int ohEnd) = _g.Vertical.Windows(ih);
                float* dy = _dy + ((row / _g.H) * _g.OH * _g.OW * _g.C);
                (int inside, int outside) = DepthwiseBlock.GradientInterior(_g);
                for (int iw = 0; iw < _g.W; iw++)
                {
                    if (iw >= inside && iw + DepthwiseBlock.Pixels <= outside)
                    {
                        Block(dy, ih, iw, ohFirst, ohEnd, dx + ((nint)iw * _g.C));
                        iw += DepthwiseBlock.Pixels - 1;
                        continue;
                    }
                    (int owFirst, int owEnd) = _g.Horizontal.Windows(iw);
                    Pixel(dy, ih, iw, ohFirst, ohEnd, owFirst, owEnd, dx + ((nint)iw * _g.C));
                }
                if (_epilogue.NeedsFinish)
                {
                    _epilogue.Finish(dx, _g.C, _g.W, _g.C);
                }
            }
        }

        /// <summary>
        /// Stride 1: a convolution of dy with the filter walked backwards, so that outputs come in their order.
        /// </summary>
        private readonly void Block(float* dy, int ih, int iw, int ohFirst, int ohEnd, float* dx)
        {
            // With dilation some of the outputs that span the row meet it between taps.
            int spread = _g.Vertical.Dilation;
            while (ohFirst < ohEnd && _g.Vertical.TapOf(ih, ohFirst) < 0)
            {
                ohFirst++;
            }
            int rows = (ohEnd - ohFirst + spread - 1) / spread;
            int kh = rows > 0 ? _g.Vertical.TapOf(ih, ohFirst) : 0;
            int owFirst = iw + _g.Horizontal.PadBefore - ((_g.KW - 1) * _g.Horizontal.Dilation);
            var block = new DepthwiseBlock
            {
                SourceRow = (nint)spread * _g.OW * _g.C,
                SourceColumn = (nint)_g.Horizontal.Dilation * _g.C,
                SourcePixel = _g.C,
                FilterRow = -(nint)_g.KW * _g.C,
                FilterColumn = -(nint)_g.C,
                Rows = rows,
                Columns = _g.KW,
                Channels = _g.C,
            };
            float* source = dy + ((((nint)ohFirst * _g.OW) + owFirst) * _g.C);
            Pixels(block, source, _w + (((((nint)kh + 1) * _g.KW) - 1) * _g.C), dx, _epilogue);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void Pixel(float* dy, int ih, int iw, int ohFirst, int ohEnd, int owFirst, int owEnd, float* dx)
        {
            for (int c = 0; c < _g.C; c += TLanes.Count)
            {
                TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, _g.C - c));
                TLanes sum = _epilogue.Bias != null ? TLanes.LoadMasked(_epilogue.Bias + c, mask) : default(TLanes);
                for (int oh = ohFirst; oh < ohEnd; oh++)
                {
                    int kh = _g.Vertical.TapOf(ih, oh);
                    for (int ow = owFirst; ow < owEnd && kh >= 0; ow++)
                    {
                        int kw = _g.Horizontal.TapOf(iw, ow);
                        if (kw >= 0)
                        {
                            TLanes gradient = TLanes.LoadMasked(dy + ((((nint)oh * _g.OW) + ow) * _g.C) + c, mask);
                            TLanes weight = TLanes.LoadMasked(_w + ((((nint)kh * _g.KW) + kw) * _g.C) + c, mask);
                            sum = TLanes.MultiplyAdd(gradient, weight, sum);
                        }
                    }
                }
                DepthwiseStore(_epilogue, sum, dx + c, mask);
            }
        }
    }

    /// <summary>Sums of one chunk of rows into a partial filter and bias; a row of pixels is summed in registers.</summary>
    private readonly partial struct DepthwiseFilterBody(
        Conv2DGeometry geometry, float* x, float* dy, float* partials, float* biasPartials, long rowsPerChunk) : IParallelBody
    {
        private readonly Conv2DGeometry _g = geometry;
        private readonly float* _x = x;
        private readonly float* _dy = dy;
        private readonly float* _partials = partials;
        private readonly float* _biasPartials = biasPartials;
        private readonly long _rowsPerChunk = rowsPerChunk;

        public void Invoke(int task, int worker)
        {
            float* dw = _partials + (task * _g.FilterCount);
            new Span<float>(dw, checked((int)_g.FilterCount)).Clear();
            float* dbias = _biasPartials == null ? null : _biasPartials + ((long)task * _g.C);
            long first = task * _rowsPerChunk;
            long end = Math.Min((long)_g.N * _g.OH, first + _rowsPerChunk);
            for (long row = first; row < end; row++)
            {
                int oh = (int)(row % _g.OH);
                float* dy = _dy + (row * _g.OW * _g.C);
                for (int c = 0; c < _g.C && dbias != null; c += PanelWidth)
                {
                    SumRows(dy + c, _g.OW, Math.Min(PanelWidth, _g.C - c), _g.C, dbias + c, row > first);
                }
                int image = _g.Depth.ImageOf((int)(row / _g.OH));
                (int khFirst, int khEnd) = image < 0 ? (0, 0) : _g.Vertical.ValidTaps(oh);
                for (int kh = khFirst; kh < khEnd; kh++)
                {
                    long ih = ((long)image * _g.H) + _g.Vertical.Start(oh) + ((long)kh * _g.Vertical.Dilation);
                    Row(_x + (ih * _g.W * _g.C), dy, dw + ((long)kh * _g.KW * _g.C));
                }
            }
        }

        private void Row(float* x, float* dy, float* dw)
        {
            if (_g.KW == 3)
            {
                RowOfThree(x, dy, dw);
                return;
            }

            for (int kw = 0; kw < _g.KW; kw++)
            {
                (int owFirst, int owEnd) = _g.Horizontal.ValidOutputs(kw);
                nint step = (nint)_g.Horizontal.Stride * _g.C;
                nint start = (_g.Horizontal.Start(owFirst) + ((nint)kw * _g.Horizontal.Dilation)) * _g.C;
                for (int c = 0; c < _g.C; c += TLanes.Count)
                {
                    TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, _g.C - c));
                    TLanes sum = TLanes.LoadMasked(dw + ((nint)kw * _g.C) + c, mask);
                    float* xs = x + start + c;
                    float* dys = dy + ((nint)owFirst * _g.C) + c;
                    for (int ow = owFirst; ow < owEnd; ow++)
                    {
                        sum = TLanes.MultiplyAdd(TLanes.LoadMasked(xs, mask), TLanes.LoadMasked(dys, mask), sum);
                        xs += step;
                        dys += _g.C;
                    }
                    TLanes.StoreMasked(sum, dw + ((nint)kw * _g.C) + c, mask);
                }
            }
        }
    }
}
