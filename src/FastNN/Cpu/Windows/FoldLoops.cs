using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>
/// images [N, H, W, C] and their windows, columns [N, OH, OW, KH, KW, C]. Unfolding copies, a kernel row of a window at a time
/// where its taps are neighbors: 4 bytes written per element of the columns, read from the cache. Folding adds: a task owns
/// rows of the images, each of which stays in the cache while the windows that meet it are added in their order.
/// </summary>
internal readonly unsafe struct FoldLoops<TLanes> : IParallelBody
    where TLanes : struct, IVectorLanes<TLanes>
{
    private const long ElementsPerTask = 16 << 10;

    private readonly Conv2DGeometry _g;
    private readonly float* _images;
    private readonly float* _columns;
    private readonly bool _accumulate;
    private readonly bool _unfolds;
    private readonly long _rowsPerTask;

    public FoldLoops(in Conv2DGeometry geometry, float* images, float* columns, bool accumulate, bool unfolds)
    {
        _g = geometry;
        _images = images;
        _columns = columns;
        _accumulate = accumulate;
        _unfolds = unfolds;
        long perRow = Math.Max(1, geometry.OutputCount / Rows);
        _rowsPerTask = Math.Clamp(ElementsPerTask / perRow, 1, Rows);
    }

    public int Tasks => checked((int)((Rows + _rowsPerTask - 1) / _rowsPerTask));

    private long Rows => (long)_g.N * (_unfolds ? _g.OH : _g.H);

    /// <summary>Elements of a kernel row.</summary>
    private int Run => _g.KW * _g.C;

    public void Invoke(int task, int worker)
    {
        long end = Math.Min(Rows, (task + 1) * _rowsPerTask);
        for (long row = task * _rowsPerTask; row < end; row++)
        {
            if (_unfolds)
            {
                UnfoldRow((int)(row / _g.OH), (int)(row % _g.OH));
            }
            else
            {
                FoldRow((int)(row / _g.H), (int)(row % _g.H));
            }
        }
    }

    private void UnfoldRow(int n, int oh)
    {
        float* target = _columns + ((((long)n * _g.OH) + oh) * _g.OW * _g.OC);
        for (int ow = 0; ow < _g.OW; ow++)
        {
            for (int kh = 0; kh < _g.KH; kh++, target += Run)
            {
                int ih = _g.Vertical.Start(oh) + (kh * _g.Vertical.Dilation);
                (int first, int end) = (uint)ih < (uint)_g.H ? _g.Horizontal.ValidTaps(ow) : (0, 0);
                if (!_accumulate)
                {
                    new Span<float>(target, first * _g.C).Clear();
                    new Span<float>(target + (end * _g.C), (_g.KW - end) * _g.C).Clear();
                }

                if (first < end)
                {
                    float* source = _images + ((((((long)n * _g.H) + ih) * _g.W) + _g.Horizontal.Start(ow)) * _g.C);
                    Move(source, target, first, end);
                }
            }
        }
    }

    private void FoldRow(int n, int ih)
    {
        float* image = _images + ((((long)n * _g.H) + ih) * _g.W * _g.C);
        if (!_accumulate)
        {
            new Span<float>(image, _g.W * _g.C).Clear();
        }

        (int ohFirst, int ohEnd) = _g.Vertical.Windows(ih);
        for (int oh = ohFirst; oh < ohEnd; oh++)
        {
            int kh = _g.Vertical.TapOf(ih, oh);
            float* source = _columns + ((((long)n * _g.OH) + oh) * _g.OW * _g.OC) + ((long)kh * Run);
            for (int ow = 0; ow < _g.OW && kh >= 0; ow++, source += _g.OC)
            {
                (int first, int end) = _g.Horizontal.ValidTaps(ow);
                float* target = image + ((long)_g.Horizontal.Start(ow) * _g.C);
                int spread = _g.Horizontal.Dilation;
                if (spread == 1)
                {
                    Add(source + (first * _g.C), target + (first * _g.C), (end - first) * _g.C);
                    continue;
                }

                for (int kw = first; kw < end; kw++)
                {
                    Add(source + (kw * _g.C), target + ((long)kw * spread * _g.C), _g.C);
                }
            }
        }
    }

    /// <summary>Taps of one kernel row from the image to the columns.</summary>
    private void Move(float* source, float* target, int first, int end)
    {
        int spread = _g.Horizontal.Dilation, step = spread == 1 ? end - first : 1, count = step * _g.C;
        for (int kw = first; kw < end; kw += step)
        {
            float* from = source + ((long)kw * spread * _g.C);
            float* to = target + (kw * _g.C);
            if (_accumulate)
            {
                Add(from, to, count);
            }
            else
            {
                new ReadOnlySpan<float>(from, count).CopyTo(new Span<float>(to, count));
            }
        }
    }

    private static void Add(float* source, float* target, int count)
    {
        int i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            TLanes.Store(TLanes.Load(target + i) + TLanes.Load(source + i), target + i);
        }

        if (i < count)
        {
            TLanes mask = TLanes.Mask(count - i);
            TLanes.StoreMasked(TLanes.LoadMasked(target + i, mask) + TLanes.LoadMasked(source + i, mask), target + i, mask);
        }
    }
}
