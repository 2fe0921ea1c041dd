using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <content>The maximum without its place, for inference.</content>
internal static unsafe partial class Pool2D
{
    /// <summary>As <see cref="MaxForward"/> on this thread, rows [first, end) of all images' rows of y.</summary>
    public static void MaximumOfRows(in Pool2DGeometry geometry, float* x, float* y, bool relu, long first, long end)
    {
        var action = new RowsAction(geometry, new PoolArguments(x, y, null, null, null, relu, false), first, end);
        Simd.Dispatch(geometry.C, ref action);
    }

    private readonly struct RowsAction(Pool2DGeometry geometry, PoolArguments arguments, long first, long end) : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes>
        {
            if (TLanes.Count == PoolLanes512.Count)
            {
                Rows<Vector512<float>, Vector512<int>, PoolLanes512>();
            }
            else if (TLanes.Count == PoolLanes256.Count)
            {
                Rows<Vector256<float>, Vector256<int>, PoolLanes256>();
            }
            else if (TLanes.Count == PoolLanes128.Count)
            {
                Rows<Vector128<float>, Vector128<int>, PoolLanes128>();
            }
            else
            {
                Rows<float, int, PoolLanes1>();
            }
        }

        private void Rows<TVec, TTap, TLanes>()
            where TVec : struct
            where TTap : struct
            where TLanes : struct, IPoolLanes<TVec, TTap> =>
            new MaximumBody<TVec, TTap, TLanes>(geometry, arguments, default).Rows(first, end);
    }

    /// <summary>
    /// y = max over the window, then ReLU if asked. The processor's own maximum keeps one of two operands where either is NaN, so
    /// the sum of the window, which NaN does not leave, tells whether to look closely.
    /// </summary>
    /// <typeparam name="TVec">Values.</typeparam>
    /// <typeparam name="TTap">Places of values.</typeparam>
    /// <typeparam name="TLanes">What is computed with them.</typeparam>
    private readonly struct MaximumBody<TVec, TTap, TLanes>(
        Pool2DGeometry geometry, PoolArguments arguments, PoolRows split) : IParallelBody
        where TVec : struct
        where TTap : struct
        where TLanes : struct, IPoolLanes<TVec, TTap>
    {
        private readonly Pool2DGeometry _geometry = geometry;
        private readonly PoolArguments _arguments = arguments;
        private readonly PoolRows _split = split;

        public void Invoke(int task, int worker) => Rows(_split.First(task), _split.End(task));

        public void Rows(long first, long end)
        {
            for (long row = first; row < end; row++)
            {
                Row(row);
            }
        }

        private void Row(long row)
        {
            WindowAxis vertical = _geometry.Vertical, horizontal = _geometry.Horizontal;
            nint c = _geometry.C;
            int oh = (int)(row % _geometry.OH);
            (int khFirst, int khEnd) = vertical.ValidTaps(oh);
            int top = vertical.Start(oh) + (khFirst * vertical.Dilation);
            float* x = _arguments.X + ((((row / _geometry.OH) * _geometry.H) + top) * _geometry.W * c);
            nint rowStep = (nint)vertical.Dilation * _geometry.W * c, columnStep = horizontal.Dilation * c;
            float* y = _arguments.Y + (row * _geometry.OW * c);

            // Windows [first, end) lie within the row.
            int first = Math.Min((horizontal.PadBefore + horizontal.Stride - 1) / horizontal.Stride, horizontal.Output);
            int last = horizontal.Input + horizontal.PadBefore - horizontal.Extent;
            int end = last < 0 ? first : Math.Clamp((last / horizontal.Stride) + 1, first, horizontal.Output);
            int rows = khEnd - khFirst;
            Clipped(x, y, rowStep, columnStep, rows, 0, first);
            float* corner = x + (horizontal.Start(first) * c), target = y + (first * c);
            nint step = horizontal.Stride * c;
            switch (rows, horizontal.Taps)
            {
                case (2, 2):
                    Whole<Two>(corner, target, end - first, step, _geometry.C, rowStep, columnStep, 2, 2, _arguments.Relu);
                    break;
                case (3, 3):
                    Whole<Three>(corner, target, end - first, step, _geometry.C, rowStep, columnStep, 3, 3, _arguments.Relu);
                    break;
                default:
                    Whole<Zero>(
                        corner, target, end - first, step, _geometry.C, rowStep, columnStep, rows, horizontal.Taps,
                        _arguments.Relu);
                    break;
            }

            Clipped(x, y, rowStep, columnStep, rows, end, horizontal.Output);
        }

        /// <summary>Pixels whose windows reach over the image's sides.</summary>
        private void Clipped(float* x, float* y, nint rowStep, nint columnStep, int rows, int first, int end)
        {
            WindowAxis horizontal = _geometry.Horizontal;
            for (int ow = first; ow < end; ow++)
            {
                (int kwFirst, int kwEnd) = horizontal.ValidTaps(ow);
                float* corner = x + ((horizontal.Start(ow) + (nint)(kwFirst * horizontal.Dilation)) * _geometry.C);
                Whole<Zero>(
                    corner, y + ((nint)ow * _geometry.C), 1, 0, _geometry.C, rowStep, columnStep, rows, kwEnd - kwFirst,
                    _arguments.Relu);
            }
        }

        /// <summary>Pixels side by side, of windows that have so many rows and columns.</summary>
        /// <typeparam name="TTaps">As many as both; 0 where they differ, or are others than 2 and 3.</typeparam>
        [MethodImpl(KernelCode.Loop)]
        private static void Whole<TTaps>(
            float* x, float* y, int pixels, nint step, int c, nint rowStep, nint columnStep, int rows, int columns, bool relu)
            where TTaps : struct, IConstant
        {
            nint last = c - TLanes.Count;
            TVec total = default;
            float* corner = x, target = y;
            for (int pixel = 0; pixel < pixels; pixel++, corner += step, target += c)
            {
                for (nint i = 0; ; i = Math.Min(i + TLanes.Count, last))
                {
                    float* line = corner + i;
                    TVec best = TLanes.Load(line), sum = best;
                    if (TTaps.Value > 0)
                    {
                        Take(line + columnStep, ref best, ref sum);
                        if (TTaps.Value > 2)
                        {
                            Take(line + (2 * columnStep), ref best, ref sum);
                        }

                        KnownRow<TTaps>(line + rowStep, columnStep, ref best, ref sum);
                        if (TTaps.Value > 2)
                        {
                            KnownRow<TTaps>(line + (2 * rowStep), columnStep, ref best, ref sum);
                        }
                    }
                    else
                    {
                        for (int r = 0; r < rows; r++, line += rowStep)
                        {
                            for (int s = 0; s < columns; s++)
                            {
                                Take(line + (s * columnStep), ref best, ref sum);
                            }
                        }
                    }

                    TLanes.Store(relu ? TLanes.Gate(best, best) : best, target + i);
                    total = TLanes.Add(total, sum);
                    if (i == last)
                    {
                        break;
                    }
                }
            }

            if (TLanes.HasNaN(total))
            {
                Exactly(x, y, pixels, step, c, rowStep, columnStep, rows, columns, relu);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void KnownRow<TTaps>(float* x, nint columnStep, ref TVec best, ref TVec sum)
            where TTaps : struct, IConstant
        {
            Take(x, ref best, ref sum);
            Take(x + columnStep, ref best, ref sum);
            if (TTaps.Value > 2)
            {
                Take(x + (2 * columnStep), ref best, ref sum);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Take(float* x, ref TVec best, ref TVec sum)
        {
            TVec value = TLanes.Load(x);
            best = TLanes.Larger(value, best);
            sum = TLanes.Add(sum, value);
        }

        /// <summary>The same where windows may have NaN, which wins.</summary>
        private static void Exactly(
            float* x, float* y, int pixels, nint step, int c, nint rowStep, nint columnStep, int rows, int columns, bool relu)
        {
            nint last = c - TLanes.Count;
            for (int pixel = 0; pixel < pixels; pixel++, x += step, y += c)
            {
                for (nint i = 0; ; i = Math.Min(i + TLanes.Count, last))
                {
                    float* line = x + i;
                    TVec best = TLanes.Load(line);
                    TTap tap = default;
                    for (int r = 0; r < rows; r++, line += rowStep)
                    {
                        for (int s = 0; s < columns; s++)
                        {
                            TLanes.Take(TLanes.Load(line + (s * columnStep)), default, ref best, ref tap);
                        }
                    }

                    TLanes.Store(relu ? TLanes.Gate(best, best) : best, y + i);
                    if (i == last)
                    {
                        break;
                    }
                }
            }
        }
    }
}
