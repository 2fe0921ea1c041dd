using System.Runtime.CompilerServices;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>
/// The operands of one indirect convolution, strides in floats:
/// target[n, i, j, g*Cols + c] (=|+=) f(sum over taps and depth of source[n, i', j', g*Depth + k] * filter[g, tap, k, c]).
/// </summary>
internal unsafe struct ConvolutionOperands
{
    public float* Source;
    public nint SourceSample;
    public nint SourceRow;
    public nint SourceColumn;

    public float* Target;
    public nint TargetSample;
    public nint TargetRow;
    public nint TargetColumn;

    public int Samples;

    /// <summary>
    /// Which image of the source (or of the target) a sample of the other is for; those without one are left out.
    /// </summary>
    public DepthTap Images;
    public bool TargetsImages;
    public int Groups;

    /// <summary>Channels of the source that one group reads.</summary>
    public int Depth;

    /// <summary>Channels of the target that one group writes.</summary>
    public int Cols;

    public ConvolutionFilter Filter;
    public ConvolutionAxis Vertical;
    public ConvolutionAxis Horizontal;
    public Epilogue Epilogue;
}

internal static unsafe partial class Convolution<TLanes>
{
    /// <summary>
    /// A GEMM whose rows of A are pixels reached through pointers, without an im2col copy. Outputs are sorted into classes by
    /// the taps that fall on the image (one class without padding, nine for a padded 3x3): a class multiplies its valid taps
    /// only, so nothing is padded, copied or multiplied by zero, and tiles of a class fill up across rows and samples.
    /// </summary>
    private readonly struct IndirectBody(ConvolutionOperands operands, ConvolutionSplit split) : IParallelBody
    {
        private readonly ConvolutionOperands _o = operands;
        private readonly ConvolutionSplit _split = split;

        public void Invoke(int task, int worker)
        {
            _split.Locate(task, out int samples, out int rows, out int panels);
            (int sampleFirst, int sampleEnd) = ConvolutionSplit.Range(samples, _split.SamplesPerTask, _o.Samples);
            (int rowFirst, int rowEnd) = ConvolutionSplit.Range(rows, _split.RowsPerTask, _o.Vertical.Count);
            (int panelFirst, int panelEnd) = ConvolutionSplit.Range(panels, _split.PanelsPerTask, _o.Filter.Panels * _o.Groups);
            var tile = new IndirectTile(_o, (nint*)_split.Scratch(worker), sampleFirst, sampleEnd);
            tile.Run(rowFirst, rowEnd, panelFirst, panelEnd);
        }
    }

    /// <summary>The outputs of one class, and the state of the tile that collects them.</summary>
    private struct IndirectTile
    {
        /// <summary>Offsets that fit into a worker's scratch memory behind the pixels, the targets and the block.</summary>
        private static readonly int MostOffsets =
            (WorkerPool.ScratchBytes - (32 * sizeof(nint)) - (Tile<TLanes>.MaxRows * Tile<TLanes>.MaxCols * sizeof(float)))
                / sizeof(nint);

        private readonly ConvolutionOperands _o;
        private readonly nint* _offsets;
        private readonly float** _pixels;
        private readonly float** _targets;
        private readonly float* _block;
        private readonly int _sampleFirst;
        private readonly int _sampleEnd;
        private int _rowFirst;
        private int _columnFirst;
        private int _khFirst;
        private int _khEnd;
        private int _kwFirst;
        private int _kwEnd;
        private int _runs;
        private int _runLength;
        private int _calls;
        private int _runsPerRow;
        private bool _byPieces;
        private int _group;
        private int _cols;
        private nint _targetOffset;
        private nint _filterStride;
        private float* _filter;
        private Epilogue _epilogue;

        public IndirectTile(in ConvolutionOperands operands, nint* scratch, int sampleFirst, int sampleEnd)
        {
            _o = operands;
            _pixels = (float**)scratch;
            _targets = _pixels + 16;
            _block = (float*)(_targets + 16);
            _offsets = (nint*)(_block + (Tile<TLanes>.MaxRows * Tile<TLanes>.MaxCols));
            _sampleFirst = sampleFirst;
            _sampleEnd = sampleEnd;
        }

        private int RowEnd { get; set; }

        private int ColumnEnd { get; set; }

        /// <summary>Along a row of the source the taps of one kernel row are one run of memory.</summary>
        private readonly bool RowsAreRuns => _o.Groups == 1 && _o.Horizontal.TapStep == 1;

        private readonly bool IsEmpty => _khFirst == _khEnd || _kwFirst == _kwEnd;

        /// <summary>These rows of the samples' outputs, and these panels of their channels.</summary>
        public void Run(int rowFirst, int rowEnd, int panelFirst, int panelEnd)
        {
            for (int row = rowFirst; row < rowEnd; row = RowEnd)
            {
                SetRows(row, _o.Vertical.ClassEnd(row, rowEnd), _o.Vertical.ValidTaps(row));
                for (int column = 0; column < _o.Horizontal.Count; column = ColumnEnd)
                {
                    SetColumns(column, _o.Horizontal.ClassEnd(column, _o.Horizontal.Count), _o.Horizontal.ValidTaps(column));
                    if (IsEmpty && _o.Epilogue.OnlyAdds)
                    {
                        continue;
                    }
                    SetRuns(RowsAreRuns);
                    for (int panel = panelFirst; panel < panelEnd; panel++)
                    {
                        SetPanel(panel);
                        RunClass();
                    }
                }
            }
        }

        private void SetRows(int first, int end, (int First, int End) taps)
        {
            _rowFirst = first;
            RowEnd = end;
            (_khFirst, _khEnd) = taps;
        }

        private void SetColumns(int first, int end, (int First, int End) taps)
        {
            _columnFirst = first;
            ColumnEnd = end;
            (_kwFirst, _kwEnd) = taps;
        }

        /// <summary>
        /// Where the class's taps lie, relative to an output's first tap. The filter's rows are consecutive over all taps, so a
        /// class that leaves out columns of the kernel takes one call for each kernel row.
        /// </summary>
        private void SetRuns(bool rowsAreRuns)
        {
            int rows = _khEnd - _khFirst;
            int columns = _kwEnd - _kwFirst;
            _runs = 0;
            _runsPerRow = rowsAreRuns ? 1 : columns;
            _runLength = rowsAreRuns ? columns * _o.Depth : _o.Depth;
            _calls = columns == _o.Horizontal.Taps || rows == 1 ? 1 : rows;
            _byPieces = !IsEmpty && (long)rows * _runsPerRow > MostOffsets;
            if (IsEmpty)
            {
                _calls = 1;
            }
            else if (!_byPieces)
            {
                _runs = FillOffsets(_khFirst, _khEnd, 0, _runsPerRow);
            }
        }

        /// <summary>Where these runs of these kernel rows lie; returns how many there are.</summary>
        private readonly int FillOffsets(int khFirst, int khEnd, int runFirst, int runEnd)
        {
            int filled = 0;
            for (int kh = khFirst; kh < khEnd; kh++)
            {
                nint row = (nint)kh * _o.Vertical.TapStep * _o.SourceRow;
                for (int run = runFirst; run < runEnd; run++)
                {
                    _offsets[filled++] = row + ((nint)(_kwFirst + run) * _o.Horizontal.TapStep * _o.SourceColumn);
                }
            }
            return filled;
        }

        private void SetPanel(int panel)
        {
            _group = panel / _o.Filter.Panels;
            panel -= _group * _o.Filter.Panels;
            int column = panel * Tile<TLanes>.MaxCols;
            _cols = Math.Min(_o.Cols - column, Tile<TLanes>.MaxCols);
            _targetOffset = ((nint)_group * _o.Cols) + column;
            _epilogue = _o.Epilogue.At(_targetOffset);
            _filter = _o.Filter.Panel(_group, column, _cols, out _filterStride);
            _filter += (((nint)_khFirst * _o.Horizontal.Taps) + _kwFirst) * _o.Depth * _filterStride;
        }

        private readonly void RunClass()
        {
            nint step = (nint)_o.Horizontal.Step * _o.SourceColumn;
            nint targetStep = (nint)_o.Horizontal.TargetStep * _o.TargetColumn;
            int filled = 0;
            bool uniform = true, isSpaced = _calls == 1 && !_byPieces && Tile<TLanes>.HasSpacing(step);
            for (int n = _sampleFirst; n < _sampleEnd; n++)
            {
                int image = _o.Images.ImageOf(n);
                for (int i = _rowFirst; i < RowEnd && image >= 0; i++)
                {
                    float* source = SourceOf(_o.TargetsImages ? n : image, i);
                    float* target = TargetOf(_o.TargetsImages ? image : n, i);
                    for (int left = ColumnEnd - _columnFirst; left > 0;)
                    {
                        if (isSpaced && filled == 0 && left >= Tile<TLanes>.MaxRows)
                        {
                            Tile<TLanes>.Spaced(
                                source, step, _offsets, _runs, _runLength, _filter, _filterStride, target, targetStep, _cols,
                                _epilogue);
                            source += Tile<TLanes>.MaxRows * step;
                            target += Tile<TLanes>.MaxRows * targetStep;
                            left -= Tile<TLanes>.MaxRows;
                            continue;
                        }

                        int take = Math.Min(left, Tile<TLanes>.MaxRows - filled);
                        uniform = filled == 0 || (uniform && target == _targets[0] + (filled * targetStep));
                        for (int q = 0; q < take; q++)
                        {
                            _pixels[filled + q] = source;
                            _targets[filled + q] = target;
                            source += step;
                            target += targetStep;
                        }
                        filled += take;
                        left -= take;
                        if (filled == Tile<TLanes>.MaxRows)
                        {
                            Flush(filled, uniform, targetStep);
                            filled = 0;
                        }
                    }
                }
            }
            if (filled > 0)
            {
                for (int q = filled; q < Tile<TLanes>.MaxRows; q++)
                {
                    _pixels[q] = _pixels[0];
                }
                Flush(filled, uniform, targetStep);
            }
        }

        /// <summary>
        /// The address of tap (0, 0), which for a class at the border may lie outside; only valid taps are read.
        /// </summary>
        private readonly float* SourceOf(int n, int i) =>
            _o.Source + (n * _o.SourceSample) + ((nint)_group * _o.Depth)
            + (((nint)_o.Vertical.Start + ((nint)i * _o.Vertical.Step)) * _o.SourceRow)
            + (((nint)_o.Horizontal.Start + ((nint)_columnFirst * _o.Horizontal.Step)) * _o.SourceColumn);

        private readonly float* TargetOf(int n, int i) =>
            _o.Target + (n * _o.TargetSample) + _targetOffset
            + ((_o.Vertical.TargetFirst + ((nint)i * _o.Vertical.TargetStep)) * _o.TargetRow)
            + ((_o.Horizontal.TargetFirst + ((nint)_columnFirst * _o.Horizontal.TargetStep)) * _o.TargetColumn);

        private readonly void Flush(int rows, bool uniform, nint targetStep)
        {
            if (uniform)
            {
                Multiply(_targets[0], targetStep, rows);
                return;
            }
            // A tile whose outputs are no arithmetic progression is computed aside: a few per cent of a short product, less of
            // a long one, and only where a class does not span its rows.
            nint bytes = _cols * sizeof(float);
            for (int r = 0; r < rows && _epilogue.Accumulate; r++)
            {
                Unsafe.CopyBlockUnaligned(_block + (r * _cols), _targets[r], (uint)bytes);
            }
            Multiply(_block, _cols, rows);
            for (int r = 0; r < rows; r++)
            {
                Unsafe.CopyBlockUnaligned(_targets[r], _block + (r * _cols), (uint)bytes);
            }
        }

        private readonly void Multiply(float* target, nint targetStep, int rows)
        {
            if (_byPieces)
            {
                MultiplyByPieces(target, targetStep, rows);
                return;
            }
            if (_calls == 1)
            {
                Tile<TLanes>.Rows(
                    _pixels, _offsets, _runs, _runLength, _filter, _filterStride, target, targetStep, rows, _cols, _epilogue);
                return;
            }
            int runs = _runs / _calls;
            nint kernelRow = (nint)_o.Horizontal.Taps * _o.Depth * _filterStride;
            for (int call = 0; call < _calls; call++)
            {
                Tile<TLanes>.Rows(
                    _pixels, _offsets + (call * runs), runs, _runLength, _filter + (call * kernelRow), _filterStride,
                    target, targetStep, rows, _cols, _epilogue.ForBlock(call == 0, call == _calls - 1));
            }
        }

        /// <summary>
        /// A filter with more runs than there is room for: some at a time, whose offsets are found again for every tile. Whole
        /// rows of the kernel where the class has all of its columns, since then the filter's rows are consecutive across them.
        /// </summary>
        private readonly void MultiplyByPieces(float* target, nint targetStep, int rows)
        {
            int rowsAtOnce = _kwEnd - _kwFirst == _o.Horizontal.Taps ? Math.Max(1, MostOffsets / _runsPerRow) : 1;
            int runsAtOnce = Math.Min(_runsPerRow, MostOffsets);
            for (int kh = _khFirst; kh < _khEnd; kh += rowsAtOnce)
            {
                int khEnd = Math.Min(_khEnd, kh + rowsAtOnce);
                for (int run = 0; run < _runsPerRow; run += runsAtOnce)
                {
                    int runEnd = Math.Min(_runsPerRow, run + runsAtOnce);
                    int runs = FillOffsets(kh, khEnd, run, runEnd);
                    float* filter = _filter + ((((nint)(kh - _khFirst) * _o.Horizontal.Taps) + run) * _o.Depth * _filterStride);
                    bool isFirst = kh == _khFirst && run == 0, isLast = khEnd == _khEnd && runEnd == _runsPerRow;
                    Tile<TLanes>.Rows(
                        _pixels, _offsets, runs, _runLength, filter, _filterStride, target, targetStep, rows, _cols,
                        _epilogue.ForBlock(isFirst, isLast));
                }
            }
        }
    }
}
