using System.Runtime.CompilerServices;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>
/// A depthwise convolution of 3 x 3 taps without dilation, one stride on both axes: target[n, i, j, c] (=|+=) f(the sum over
/// kh, kw of source[n', i*S - PadTop + kh, j*S - PadLeft + kw, c] * filter[kh, kw, c] + bias[c]).
/// </summary>
internal unsafe struct DepthwiseOperands
{
    public float* Source;
    public int SourceRows;
    public int SourceColumns;

    public float* Target;
    public int Rows;
    public int Columns;

    public int Samples;
    public int Channels;

    /// <summary>Floats from pixel to pixel of the target, which may have more channels than are filtered here.</summary>
    public int TargetColumn;
    public int PadTop;
    public int PadLeft;

    /// <summary>As in <see cref="ConvolutionOperands"/>.</summary>
    public DepthTap Images;
    public bool TargetsImages;

    /// <summary>Tap (0, 0), and the steps from tap to tap: negative for a filter that is turned by half a circle.</summary>
    public float* Filter;
    public nint FilterRow;
    public nint FilterColumn;
    public Epilogue Epilogue;

    /// <summary>The output columns [first, end) whose three taps lie inside of the source.</summary>
    public readonly (int First, int End) Interior(int stride)
    {
        int first = Math.Max(0, (PadLeft + stride - 1) / stride);
        int room = SourceColumns + PadLeft - Depthwise3x3.Taps;
        return (first, room < 0 ? first : Math.Max(first, Math.Min(Columns, (room / stride) + 1)));
    }
}

/// <summary>What the passes of <see cref="Depthwise3x3{TLanes}"/> have in common, whatever the vectors.</summary>
internal static class Depthwise3x3
{
    public const int Taps = 3;

    /// <summary>Floats of the source that a block of columns reads: all channels come from the first-level cache.</summary>
    private const int BlockFloats = 5 << 10;

    /// <summary>A worker's scratch memory holds some columns of all channels.</summary>
    private const int MostChannels = 8 << 10;

    /// <summary>Source rows under so many output rows: with stride 1 neighbors share two of three, with stride 2 one.</summary>
    public static int SourceRows(int rows, int stride) => ((rows - 1) * stride) + Taps;

    /// <summary>Output rows of a band.</summary>
    public static int BandRows(int stride) => stride == 1 ? 4 : 2;

    public static int BlockColumns(int rows, int channels, int stride) =>
        Math.Max(4, BlockFloats / (rows * channels * stride));

    public static bool Takes(in Conv2DGeometry g) => g.KH == Taps && g.KW == Taps && g.C <= MostChannels
        && g.Vertical.Dilation == 1 && g.Horizontal.Dilation == 1 && g.Vertical.Stride == g.Horizontal.Stride
        && g.Vertical.Stride <= 2;
}

/// <summary>
/// Depthwise 3 x 3 convolutions: the lanes are channels, the nine taps stay in registers, and several output rows are made at a
/// time (four with stride 1, two with stride 2), so that a loaded source serves up to three of them. 0.5 (stride 1) and 0.83
/// loads a multiply-add, where two may be had per cycle for two multiply-adds.
/// </summary>
/// <remarks>
/// A band of rows is cut into blocks of columns such that all channels of a block are read from the first-level cache. Columns at
/// the border are computed on a copy of their window, padded by zeros; rows outside of the source are rows of zeros. 128
/// channels, 56 x 56, 8 images: 88 GFLOP/s on one Zen 5 core, 30 % of peak and 39 GB/s of operands. Without prefetching the next
/// block all three passes together take a quarter more time.
/// </remarks>
internal static unsafe partial class Depthwise3x3<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    private const int MostSourceRows = 6;

    /// <summary>Runs a convolution whose stride is 1 or 2.</summary>
    public static void Run(WorkerPool pool, in DepthwiseOperands operands, int stride)
    {
        if (stride == 1)
        {
            Run<One>(pool, operands);
        }
        else
        {
            Run<Two>(pool, operands);
        }
    }

    /// <summary>Output rows [first, end) of one image, by this thread.</summary>
    /// <param name="operands">Of that image alone.</param>
    /// <param name="stride">1 or 2.</param>
    /// <param name="first">Of a band.</param>
    /// <param name="end">Behind the last row.</param>
    /// <param name="scratch">Room for a few pixels of the source, and for a block of them.</param>
    public static void Rows(in DepthwiseOperands operands, int stride, int first, int end, float* scratch)
    {
        if (stride == 1)
        {
            new Bands<One>(operands, scratch).Run(0, first, end);
        }
        else
        {
            new Bands<Two>(operands, scratch).Run(0, first, end);
        }
    }

    private static void Run<TStride>(WorkerPool pool, in DepthwiseOperands operands)
        where TStride : struct, IConstant
    {
        var body = new Body<TStride>(pool, operands);
        pool.Run(body.Tasks, ref body);
    }

    /// <summary>Some bands of output rows.</summary>
    private readonly struct Body<TStride> : IParallelBody
        where TStride : struct, IConstant
    {
        private const int ElementsPerTask = 16 << 10;

        private readonly WorkerPool _pool;
        private readonly DepthwiseOperands _o;
        private readonly int _bandsPerSample;
        private readonly int _bandsPerTask;

        public Body(WorkerPool pool, in DepthwiseOperands operands)
        {
            _pool = pool;
            _o = operands;
            int rows = Depthwise3x3.BandRows(TStride.Value);
            _bandsPerSample = (operands.Rows + rows - 1) / rows;
            long bandElements = (long)rows * operands.Columns * operands.Channels;
            _bandsPerTask = (int)Math.Clamp(ElementsPerTask / bandElements, 1, 1 << 10);
        }

        public int Tasks => checked((int)((All + _bandsPerTask - 1) / _bandsPerTask));

        private long All => (long)_o.Samples * _bandsPerSample;

        public void Invoke(int task, int worker)
        {
            var bands = new Bands<TStride>(_o, (float*)_pool.Scratch(worker));
            int rows = Depthwise3x3.BandRows(TStride.Value);
            long end = Math.Min(All, (task + 1L) * _bandsPerTask);
            for (long band = (long)task * _bandsPerTask; band < end; band++)
            {
                int sample = (int)(band / _bandsPerSample), row = (int)(band - ((long)sample * _bandsPerSample)) * rows;
                bands.Run(sample, row, Math.Min(row + rows, _o.Rows));
            }
        }
    }

    /// <summary>Bands of output rows, made by one thread.</summary>
    private readonly struct Bands<TStride>
        where TStride : struct, IConstant
    {
        private readonly DepthwiseOperands _o;
        private readonly Window<TStride> _window;

        public Bands(in DepthwiseOperands operands, float* scratch)
        {
            _o = operands;
            int block = Depthwise3x3.BlockColumns(MostSourceRows, operands.Channels, TStride.Value);
            _window = new Window<TStride>(operands, scratch, block, Depthwise3x3.BandRows(TStride.Value));
        }

        /// <summary>Rows [first, end) of a sample.</summary>
        [MethodImpl(KernelCode.Loop)]
        public void Run(int sample, int first, int end)
        {
            int image = _o.Images.ImageOf(sample);
            for (int row = first; row < end && image >= 0; row += Depthwise3x3.BandRows(TStride.Value))
            {
                _window.SetRows(_o.TargetsImages ? sample : image, row);
                int rows = Math.Min(Depthwise3x3.BandRows(TStride.Value), end - row);
                float* target = _o.Target
                    + ((((nint)(_o.TargetsImages ? image : sample) * _o.Rows) + row) * _o.Columns * _o.TargetColumn);
                Band(target, rows);
            }
        }

        private void Band(float* target, int rows)
        {
            (int inside, int outside) = _o.Interior(TStride.Value);
            bool isLeaky = _o.Epilogue.Rectifier == Rectifier.Leaky;
            for (int column = 0; column < _o.Columns;)
            {
                int count = 1;
                float* y = target + ((nint)column * _o.TargetColumn);
                if (column < inside || column >= outside)
                {
                    (int first, int end) = _window.SetEdge(column);
                    Edge(_window.Pointers, y, rows, first, end);
                }
                else
                {
                    count = _window.SetColumns(column, inside, outside);
                    Columns(_window.Pointers, y, rows, count);
                }

                for (int r = 0; r < rows && (isLeaky || _o.Epilogue.NeedsFinish); r++)
                {
                    float* row = y + ((nint)r * _o.Columns * _o.TargetColumn);
                    if (isLeaky)
                    {
                        Tile<TLanes>.LeakyRows(row, _o.TargetColumn, count, _o.Channels, _o.Epilogue.Parameter);
                    }
                    else
                    {
                        _o.Epilogue.Finish(row, _o.TargetColumn, count, _o.Channels);
                    }
                }

                column += count;
            }
        }

        /// <summary>Some neighboring columns of a band, all channels.</summary>
        [MethodImpl(KernelCode.Loop)]
        private void Columns(float** source, float* y, int rows, int count)
        {
            int whole = _o.Channels / TLanes.Count * TLanes.Count;
            for (int c = 0; c < whole; c += TLanes.Count)
            {
                Lanes<Zero>(source, y, rows, count, c, default);
            }

            if (whole < _o.Channels)
            {
                Lanes<One>(source, y, rows, count, whole, TLanes.Mask(_o.Channels - whole));
            }
        }

        /// <summary>One column at the border; of its taps those in [first, end) lie inside.</summary>
        [MethodImpl(KernelCode.Loop)]
        private void Edge(float** source, float* y, int rows, int first, int end)
        {
            (TLanes floor, TLanes bound) = (TLanes.Broadcast(_o.Epilogue.Floor), TLanes.Broadcast(_o.Epilogue.Bound));
            for (int c = 0; c < _o.Channels; c += TLanes.Count)
            {
                TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, _o.Channels - c));
                TLanes bias = _o.Epilogue.Bias != null ? TLanes.LoadMasked(_o.Epilogue.Bias + c, mask) : default(TLanes);
                for (int r = 0; r < rows; r++)
                {
                    TLanes sum = bias;
                    float** x = source + (r * TStride.Value);
                    for (int tap = first; tap < end; tap++)
                    {
                        float* w = _o.Filter + (tap * _o.FilterColumn) + c;
                        nint at = ((nint)tap * _o.Channels) + c;
                        sum = TLanes.MultiplyAdd(TLanes.LoadMasked(x[0] + at, mask), TLanes.LoadMasked(w, mask), sum);
                        w += _o.FilterRow;
                        sum = TLanes.MultiplyAdd(TLanes.LoadMasked(x[1] + at, mask), TLanes.LoadMasked(w, mask), sum);
                        w += _o.FilterRow;
                        sum = TLanes.MultiplyAdd(TLanes.LoadMasked(x[2] + at, mask), TLanes.LoadMasked(w, mask), sum);
                    }

                    Store<One>(sum, y + ((nint)r * _o.Columns * _o.TargetColumn) + c, mask, floor, bound);
                }
            }
        }

        /// <summary>One vector of channels from <paramref name="c"/> on.</summary>
        [MethodImpl(KernelCode.Loop)]
        private void Lanes<TMask>(float** source, float* y, int rows, int count, int c, TLanes mask)
            where TMask : struct, IConstant
        {
            nint tap = _o.Channels, targetColumn = _o.TargetColumn, targetRow = _o.Columns * targetColumn;
            nint down = _o.FilterRow, right = _o.FilterColumn;
            float* w = _o.Filter + c;
            TLanes w00 = Load<TMask>(w, mask), w01 = Load<TMask>(w + right, mask), w02 = Load<TMask>(w + (2 * right), mask);
            w += down;
            TLanes w10 = Load<TMask>(w, mask), w11 = Load<TMask>(w + right, mask), w12 = Load<TMask>(w + (2 * right), mask);
            w += down;
            TLanes w20 = Load<TMask>(w, mask), w21 = Load<TMask>(w + right, mask), w22 = Load<TMask>(w + (2 * right), mask);
            TLanes bias = _o.Epilogue.Bias != null ? Load<TMask>(_o.Epilogue.Bias + c, mask) : default(TLanes);
            float* x0 = source[0], x1 = source[1], x2 = source[2], x3 = source[3], x4 = source[4], x5 = source[5];
            (TLanes floor, TLanes bound) = (TLanes.Broadcast(_o.Epilogue.Floor), TLanes.Broadcast(_o.Epilogue.Bound));
            nint at = c, ahead = (nint)count * TStride.Value * tap;
            y += c;
            for (; count > 0; count--)
            {
                // The block that follows, of the rows that no earlier band has read.
                if (TStride.Value == 1)
                {
                    TLanes.Prefetch(x2 + at + ahead);
                    TLanes.Prefetch(x3 + at + ahead);
                    TLanes.Prefetch(x4 + at + ahead);
                    TLanes.Prefetch(x5 + at + ahead);
                }
                else
                {
                    TLanes.Prefetch(x1 + at + ahead);
                    TLanes.Prefetch(x2 + at + ahead);
                    TLanes.Prefetch(x3 + at + ahead);
                    TLanes.Prefetch(x4 + at + ahead);
                    TLanes.Prefetch(x1 + at + ahead + tap);
                    TLanes.Prefetch(x2 + at + ahead + tap);
                    TLanes.Prefetch(x3 + at + ahead + tap);
                    TLanes.Prefetch(x4 + at + ahead + tap);
                }

                TLanes y0 = bias, y1 = bias, y2 = bias, y3 = bias;
                Taps<TMask>(x0, x1, x2, x3, x4, x5, at, mask, w00, w10, w20, ref y0, ref y1, ref y2, ref y3);
                Taps<TMask>(x0, x1, x2, x3, x4, x5, at + tap, mask, w01, w11, w21, ref y0, ref y1, ref y2, ref y3);
                Taps<TMask>(x0, x1, x2, x3, x4, x5, at + (2 * tap), mask, w02, w12, w22, ref y0, ref y1, ref y2, ref y3);
                Store<TMask>(y0, y, mask, floor, bound);
                if (rows > 1)
                {
                    Store<TMask>(y1, y + targetRow, mask, floor, bound);
                }

                if (TStride.Value == 1 && rows > 2)
                {
                    Store<TMask>(y2, y + (2 * targetRow), mask, floor, bound);
                }

                if (TStride.Value == 1 && rows > 3)
                {
                    Store<TMask>(y3, y + (3 * targetRow), mask, floor, bound);
                }

                at += TStride.Value * tap;
                y += targetColumn;
            }
        }

        /// <summary>One column of the source, which meets one column of the filter.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Taps<TMask>(
            float* x0, float* x1, float* x2, float* x3, float* x4, float* x5, nint at, TLanes mask, TLanes w0, TLanes w1,
            TLanes w2, ref TLanes y0, ref TLanes y1, ref TLanes y2, ref TLanes y3)
            where TMask : struct, IConstant
        {
            y0 = TLanes.MultiplyAdd(Load<TMask>(x0 + at, mask), w0, y0);
            TLanes x = Load<TMask>(x1 + at, mask);
            y0 = TLanes.MultiplyAdd(x, w1, y0);
            y1 = TStride.Value == 1 ? TLanes.MultiplyAdd(x, w0, y1) : y1;
            x = Load<TMask>(x2 + at, mask);
            y0 = TLanes.MultiplyAdd(x, w2, y0);
            y1 = TLanes.MultiplyAdd(x, TStride.Value == 1 ? w1 : w0, y1);
            y2 = TStride.Value == 1 ? TLanes.MultiplyAdd(x, w0, y2) : y2;
            x = Load<TMask>(x3 + at, mask);
            y1 = TLanes.MultiplyAdd(x, TStride.Value == 1 ? w2 : w1, y1);
            y2 = TStride.Value == 1 ? TLanes.MultiplyAdd(x, w1, y2) : y2;
            y3 = TStride.Value == 1 ? TLanes.MultiplyAdd(x, w0, y3) : y3;
            x = Load<TMask>(x4 + at, mask);
            if (TStride.Value == 1)
            {
                y2 = TLanes.MultiplyAdd(x, w2, y2);
                y3 = TLanes.MultiplyAdd(x, w1, y3);
                y3 = TLanes.MultiplyAdd(Load<TMask>(x5 + at, mask), w2, y3);
            }
            else
            {
                y1 = TLanes.MultiplyAdd(x, w2, y1);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Store<TMask>(TLanes sum, float* y, TLanes mask, TLanes floor, TLanes bound)
            where TMask : struct, IConstant
        {
            sum = _o.Epilogue.Accumulate ? sum + Load<TMask>(y, mask) : sum;
            sum = TLanes.AtMost(TLanes.AtLeast(sum, floor), bound);

            if (TMask.Value != 0)
            {
                TLanes.StoreMasked(sum, y, mask);
            }
            else
            {
                TLanes.Store(sum, y);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Load<TMask>(float* source, TLanes mask)
        where TMask : struct, IConstant => TMask.Value != 0 ? TLanes.LoadMasked(source, mask) : TLanes.Load(source);

    /// <summary>Where the source rows of a band of output rows are, for the columns at hand.</summary>
    private readonly struct Window<TStride>
        where TStride : struct, IConstant
    {
        private readonly DepthwiseOperands _o;
        private readonly float** _rows;
        private readonly float* _patch;
        private readonly int _sourceRows;
        private readonly int _block;

        /// <param name="operands">Of the source: its sizes and padding.</param>
        /// <param name="scratch">Of a worker.</param>
        /// <param name="block">Columns at a time.</param>
        /// <param name="bandRows">Output rows of a band.</param>
        public Window(in DepthwiseOperands operands, float* scratch, int block, int bandRows)
        {
            _o = operands;
            _block = block;
            _sourceRows = Depthwise3x3.SourceRows(bandRows, TStride.Value);
            _rows = (float**)scratch;
            Pointers = _rows + MostSourceRows;
            _patch = scratch + (2 * MostSourceRows * sizeof(float*) / sizeof(float)) + 8;
            Zeros = _patch + ((nint)MostSourceRows * Depthwise3x3.Taps * operands.Channels);
            nint zeros = ((((nint)block - 1) * TStride.Value) + Depthwise3x3.Taps) * operands.Channels;
            Unsafe.InitBlockUnaligned(Zeros, 0, checked((uint)(zeros * sizeof(float))));
            Pointers[MostSourceRows - 1] = Zeros;
        }

        /// <summary>The first tap of each source row.</summary>
        public float** Pointers { get; }

        /// <summary>A row of zeros as long as a block.</summary>
        public float* Zeros { get; }

        /// <summary>The band whose first output row is this; no image at all where it is negative.</summary>
        public void SetRows(int image, int row)
        {
            for (int r = 0; r < _sourceRows; r++)
            {
                int source = (row * TStride.Value) - _o.PadTop + r;
                _rows[r] = image >= 0 && (uint)source < (uint)_o.SourceRows
                    ? _o.Source + ((((nint)image * _o.SourceRows) + source) * _o.SourceColumns * _o.Channels)
                    : null;
            }
        }

        /// <summary>Points at the taps of one column at the border; returns which of them lie inside.</summary>
        public (int First, int End) SetEdge(int column)
        {
            int left = (column * TStride.Value) - _o.PadLeft;
            for (int r = 0; r < _sourceRows; r++)
            {
                Pointers[r] = _rows[r] == null ? Zeros : _rows[r] + ((nint)left * _o.Channels);
            }

            return (Math.Max(0, -left), Math.Clamp(_o.SourceColumns - left, 0, Depthwise3x3.Taps));
        }

        /// <summary>Points at the columns from this output on; returns how many there are.</summary>
        public int SetColumns(int column, int inside, int outside)
        {
            nint left = ((nint)column * TStride.Value) - _o.PadLeft;
            if (column < inside || column >= outside)
            {
                for (int r = 0; r < _sourceRows; r++)
                {
                    float* patch = _patch + ((nint)r * Depthwise3x3.Taps * _o.Channels);
                    Pointers[r] = _rows[r] == null ? Zeros : Patch(_rows[r], left, patch);
                }

                return 1;
            }

            for (int r = 0; r < _sourceRows; r++)
            {
                Pointers[r] = _rows[r] == null ? Zeros : _rows[r] + (left * _o.Channels);
            }

            return Math.Min(_block, outside - column);
        }

        private float* Patch(float* row, nint left, float* target)
        {
            for (int tap = 0; tap < Depthwise3x3.Taps; tap++)
            {
                var pixel = new Span<float>(target + ((nint)tap * _o.Channels), _o.Channels);
                if (left + tap >= 0 && left + tap < _o.SourceColumns)
                {
                    new ReadOnlySpan<float>(row + ((left + tap) * _o.Channels), _o.Channels).CopyTo(pixel);
                }
                else
                {
                    pixel.Clear();
                }
            }

            return target;
        }
    }
}
