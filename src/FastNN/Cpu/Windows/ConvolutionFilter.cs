namespace FastNN.Cpu;

/// <summary>
/// A filter as the indirect convolution reads it: for each group [K, Cols] with K = taps*Depth, either as it lies in the
/// weights or packed into panels of the tile's width, [group][panel][K][width]. Packed rows are consecutive, where rows of
/// a wide filter would fall on a few cache sets and a page each.
/// </summary>
internal readonly unsafe struct ConvolutionFilter(float* data, long k, int cols, int groups, int panelWidth, bool packed)
{
    private readonly float* _data = data;
    private readonly nint _k = (nint)k;
    private readonly int _cols = cols;
    private readonly int _groups = groups;
    private readonly bool _packed = packed;

    /// <summary>Panels per group.</summary>
    public readonly int Panels = (cols + panelWidth - 1) / panelWidth;

    public long Bytes => _k * _cols * _groups * sizeof(float);

    /// <summary>The first element of a panel, and the step from row to row.</summary>
    public float* Panel(int group, int column, int width, out nint stride)
    {
        if (_packed)
        {
            stride = width;
            return _data + (_k * (((nint)group * _cols) + column));
        }
        stride = (nint)_cols * _groups;
        return _data + ((nint)group * _cols) + column;
    }
}

/// <summary>Packs the taps that one indirect convolution uses, in its order, on all threads.</summary>
internal readonly unsafe struct ConvolutionPackBody<TLanes> : IParallelBody
    where TLanes : struct, IVectorLanes<TLanes>
{
    private const int ElementsPerTask = 16 << 10;

    private readonly float* _weights;
    private readonly float* _packed;
    private readonly ConvolutionAxis _vertical;
    private readonly ConvolutionAxis _horizontal;
    private readonly int _kernelColumns;
    private readonly int _groups;
    private readonly int _inDepth;
    private readonly int _outDepth;
    private readonly int _panelWidth;
    private readonly bool _transpose;
    private readonly int _unitsPerTask;

    /// <param name="weights">[KH, KW, inDepth, groups*outDepth].</param>
    /// <param name="packed">groups * taps * inDepth * outDepth floats.</param>
    /// <param name="transpose">Backward-data: rows are output channels, columns input channels.</param>
    public ConvolutionPackBody(
        float* weights, float* packed, in ConvolutionAxis vertical, in ConvolutionAxis horizontal, int kernelColumns,
        int groups, int inDepth, int outDepth, int panelWidth, bool transpose)
    {
        _weights = weights;
        _packed = packed;
        _vertical = vertical;
        _horizontal = horizontal;
        _kernelColumns = kernelColumns;
        _groups = groups;
        _inDepth = inDepth;
        _outDepth = outDepth;
        _panelWidth = panelWidth;
        _transpose = transpose;
        long unitElements = (long)inDepth * Math.Min(panelWidth, outDepth);
        _unitsPerTask = (int)Math.Clamp(ElementsPerTask / unitElements, 1, Units);
    }

    public int Tasks => (Units + _unitsPerTask - 1) / _unitsPerTask;

    private int Depth => _transpose ? _outDepth : _inDepth;

    private int Cols => _transpose ? _inDepth : _outDepth;

    private int Panels => (Cols + _panelWidth - 1) / _panelWidth;

    private int Taps => _vertical.Taps * _horizontal.Taps;

    private int Units => _groups * Panels * Taps;

    public void Invoke(int task, int worker)
    {
        int end = Math.Min(Units, (task + 1) * _unitsPerTask);
        for (int unit = task * _unitsPerTask; unit < end; unit++)
        {
            int tap = unit % Taps;
            int panel = unit / Taps;
            Pack(panel / Panels, panel % Panels, tap / _horizontal.Taps, tap % _horizontal.Taps);
        }
    }

    private void Pack(int group, int panel, int row, int column)
    {
        int kh = _vertical.FilterFirst + (row * _vertical.FilterStep);
        int kw = _horizontal.FilterFirst + (column * _horizontal.FilterStep);
        nint filters = (nint)_groups * _outDepth;
        float* source = _weights + ((((nint)kh * _kernelColumns) + kw) * _inDepth * filters) + ((nint)group * _outDepth);
        int first = panel * _panelWidth;
        int width = Math.Min(Cols - first, _panelWidth);
        nint k = (nint)Taps * Depth;
        float* target = _packed + (k * (((nint)group * Cols) + first))
            + ((((nint)row * _horizontal.Taps) + column) * Depth * width);
        if (_transpose)
        {
            Transpose(source + (first * filters), filters, target, width);
            return;
        }
        for (int d = 0; d < Depth; d++)
        {
            new ReadOnlySpan<float>(source + (d * filters) + first, width).CopyTo(
                new Span<float>(target + ((nint)d * width), width));
        }
    }

    /// <summary>target[d, c] = source[c, d]; eight rows of the target at a time share the lines that the columns touch.</summary>
    private void Transpose(float* source, nint stride, float* target, int width)
    {
        if (width % TLanes.Count == 0)
        {
            // Other widths would have whole vectors run over into the rows of the next tap.
            Pack<TLanes>.Transposed(source, stride, width, Depth, target, width);
            return;
        }
        for (int block = 0; block < Depth; block += 8)
        {
            int end = Math.Min(Depth, block + 8);
            for (int c = 0; c < width; c++)
            {
                for (int d = block; d < end; d++)
                {
                    target[((nint)d * width) + c] = source[(c * stride) + d];
                }
            }
        }
    }
}
