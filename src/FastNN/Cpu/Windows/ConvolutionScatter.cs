using System.Runtime.CompilerServices;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <content>
/// Backward-data for images of few channels. The indirect form would fill C of a vector's lanes and, in small images, fall
/// apart into border classes. Here the lanes run over all taps and channels: each pixel of dy gives KH*KW*C products-with-sum
/// [OC] x [OC, KH*KW*C], and each kernel row of them, KW*C neighbors, is added to a row of dx.
/// A task owns a band of rows of dx, so that the order of the additions is that of the shape.
/// </content>
internal static unsafe partial class Convolution<TLanes>
{
    private const int ScatterBlockBytes = 32 << 10;
    private const int ScatterMaxColumns = 16 << 10;

    private static bool IsScattered(in Conv2DGeometry g) =>
        g.Groups == 1 && g.C < TLanes.Count && g.Horizontal.Dilation == 1
        && (long)g.KH * g.KW * g.C is > 1 and <= ScatterMaxColumns && (g.KH > 1 || g.KW > 1);

    private static void BackwardDataScattered(
        WorkerPool pool, in Conv2DGeometry geometry, float* dy, float* w, float* dx, in Epilogue epilogue, float* workspace)
    {
        var transpose = new TransposeBody(w, workspace, geometry.KH * geometry.KW * geometry.C, geometry.OC);
        pool.Run(transpose.Tasks, ref transpose);
        var body = new ScatterBody(pool, geometry, dy, workspace, dx, epilogue);
        pool.Run(body.Tasks, ref body);
    }

    /// <summary>target [columns, rows] = source [rows, columns], in stripes of source columns.</summary>
    private readonly struct TransposeBody(float* source, float* target, int rows, int columns) : IParallelBody
    {
        private const int Stripe = 16;

        private readonly float* _source = source;
        private readonly float* _target = target;
        private readonly int _rows = rows;
        private readonly int _columns = columns;

        public int Tasks => _rows * _columns < 8 << 10 ? 1 : (_columns + Stripe - 1) / Stripe;

        public void Invoke(int task, int worker)
        {
            int first = Tasks == 1 ? 0 : task * Stripe;
            int end = Tasks == 1 ? _columns : Math.Min(_columns, first + Stripe);
            for (int r = 0; r < _rows; r++)
            {
                for (int c = first; c < end; c++)
                {
                    _target[((nint)c * _rows) + r] = _source[((nint)r * _columns) + c];
                }
            }
        }
    }

    private readonly struct ScatterBody : IParallelBody
    {
        private const double WantedFlops = 4e5;
        private const int EnoughTasks = 16;

        private readonly WorkerPool _pool;
        private readonly Conv2DGeometry _g;
        private readonly float* _dy;
        private readonly float* _filter;
        private readonly float* _dx;
        private readonly Epilogue _epilogue;
        private readonly int _columns;
        private readonly int _samplesPerTask;
        private readonly int _rowsPerBand;
        private readonly int _bands;
        private readonly int _pixelsPerBlock;

        /// <param name="filter">[OC, KH*KW*C].</param>
        public ScatterBody(WorkerPool pool, in Conv2DGeometry geometry, float* dy, float* filter, float* dx, in Epilogue epilogue)
        {
            _pool = pool;
            _g = geometry;
            _dy = dy;
            _filter = filter;
            _dx = dx;
            _epilogue = epilogue;
            _columns = geometry.KH * geometry.KW * geometry.C;
            _samplesPerTask = (int)Math.Clamp(geometry.N * WantedFlops / geometry.Flops, 1, geometry.N);
            int sampleTasks = (geometry.N + _samplesPerTask - 1) / _samplesPerTask;
            // Bands of a sample compute the pixels of dy at their border twice.
            int bands = Math.Clamp(EnoughTasks / sampleTasks, 1, Math.Max(1, geometry.H / (4 * geometry.Vertical.Extent)));
            _rowsPerBand = (geometry.H + bands - 1) / bands;
            _bands = (geometry.H + _rowsPerBand - 1) / _rowsPerBand;
            int rows = Tile<TLanes>.MaxRows;
            _pixelsPerBlock = Math.Max(1, Math.Min(96, ScatterBlockBytes / sizeof(float) / _columns) / rows) * rows;
        }

        public int Tasks => (_g.N + _samplesPerTask - 1) / _samplesPerTask * _bands;

        public void Invoke(int task, int worker)
        {
            int first = task / _bands * _samplesPerTask;
            int end = Math.Min(_g.N, first + _samplesPerTask);
            int top = (task % _bands) * _rowsPerBand;
            int bottom = Math.Min(_g.H, top + _rowsPerBand);
            for (int n = first; n < end; n++)
            {
                int image = _g.Depth.ImageOf(n);
                if (image >= 0)
                {
                    Band(n, image, top, bottom, (float**)_pool.Scratch(worker));
                }
            }
        }

        private void Band(int n, int image, int top, int bottom, float** scratch)
        {
            nint row = (nint)_g.W * _g.C;
            float* dx = _dx + (image * _g.H * row);
            if (!_epilogue.Accumulate)
            {
                for (int h = top; h < bottom; h++)
                {
                    new Span<float>(dx + (h * row), (int)row).Clear();
                }
            }
            (int ohFirst, _) = _g.Vertical.Windows(top);
            (_, int ohEnd) = _g.Vertical.Windows(bottom - 1);
            float* block = (float*)(scratch + 16);
            int last = ohEnd * _g.OW;
            for (int pixel = ohFirst * _g.OW; pixel < last; pixel += _pixelsPerBlock)
            {
                int count = Math.Min(_pixelsPerBlock, last - pixel);
                Multiply(_dy + ((((nint)n * _g.OH * _g.OW) + pixel) * _g.OC), count, block, scratch);
                for (int p = 0; p < count; p++)
                {
                    Add(block + ((nint)p * _columns), (pixel + p) / _g.OW, (pixel + p) % _g.OW, top, bottom, dx);
                }
            }
            if (_epilogue.Bias != null || _epilogue.Rectifier != Rectifier.None || _epilogue.NeedsFinish)
            {
                // The sums are in place, and so is what they were added to.
                float* sums = dx + (top * row);
                _epilogue.WithoutAdding().Apply(sums, _g.C, sums, _g.C, (bottom - top) * _g.W, _g.C);
            }
        }

        private void Multiply(float* dy, int count, float* block, float** pixels)
        {
            nint offset = 0;
            for (int column = 0; column < _columns; column += PanelWidth)
            {
                int cols = Math.Min(PanelWidth, _columns - column);
                for (int p = 0; p < count; p += Tile<TLanes>.MaxRows)
                {
                    int rows = Math.Min(count - p, Tile<TLanes>.MaxRows);
                    for (int r = 0; r < Tile<TLanes>.MaxRows; r++)
                    {
                        pixels[r] = dy + ((nint)(p + Math.Min(r, rows - 1)) * _g.OC);
                    }
                    Tile<TLanes>.Rows(
                        pixels, &offset, 1, _g.OC, _filter + column, _columns, block + ((nint)p * _columns) + column, _columns,
                        rows, cols, Epilogue.Store);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Add(float* products, int oh, int ow, int top, int bottom, float* dx)
        {
            (int first, int end) = _g.Horizontal.ValidTaps(ow);
            int ih = _g.Vertical.Start(oh);
            nint left = (_g.Horizontal.Start(ow) + first) * (nint)_g.C;
            int length = (end - first) * _g.C;
            for (int kh = 0; kh < _g.KH; kh++, ih += _g.Vertical.Dilation)
            {
                if (ih >= top && ih < bottom)
                {
                    AddRun(products + (((kh * _g.KW) + first) * _g.C), dx + ((nint)ih * _g.W * _g.C) + left, length);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void AddRun(float* source, float* target, int length)
        {
            int i = 0;
            for (; i <= length - TLanes.Count; i += TLanes.Count)
            {
                TLanes.Store(TLanes.Load(target + i) + TLanes.Load(source + i), target + i);
            }
            if (i < length)
            {
                TLanes mask = TLanes.Mask(length - i);
                TLanes.StoreMasked(TLanes.LoadMasked(target + i, mask) + TLanes.LoadMasked(source + i, mask), target + i, mask);
            }
        }
    }
}
