using System.Runtime.CompilerServices;
using FastNN.Kernels;

namespace FastNN.Cpu;

internal static unsafe partial class Pool2D
{
    /// <summary>Sums each window row by row: the blocked order keeps the rounding of a global pooling small.</summary>
    private readonly struct AverageForwardBody<TVec, TTap, TLanes>(
        Pool2DGeometry geometry, PoolArguments arguments, PoolRows split) : IParallelBody
        where TVec : struct
        where TTap : struct
        where TLanes : struct, IPoolLanes<TVec, TTap>
    {
        private readonly Pool2DGeometry _geometry = geometry;
        private readonly PoolArguments _arguments = arguments;
        private readonly PoolRows _split = split;

        public void Invoke(int task, int worker)
        {
            for (long row = _split.First(task); row < _split.End(task); row++)
            {
                Row(row);
            }
        }

        private void Row(long row)
        {
            WindowAxis horizontal = _geometry.Horizontal;
            nint c = _geometry.C;
            int oh = (int)(row % _geometry.OH);
            (int khFirst, int khEnd) = _geometry.Vertical.ValidTaps(oh);
            int top = _geometry.Vertical.Start(oh) + khFirst;
            float* x = _arguments.X + ((((row / _geometry.OH) * _geometry.H) + top) * _geometry.W * c);
            float* y = _arguments.Y + (row * _geometry.OW * c);
            for (int ow = 0; ow < _geometry.OW; ow++)
            {
                (int kwFirst, int kwEnd) = horizontal.ValidTaps(ow);
                float* corner = x + ((nint)(horizontal.Start(ow) + kwFirst) * c);
                Pixel(corner, khEnd - khFirst, kwEnd - kwFirst, Divisor(_geometry, oh, ow), y);
                y += c;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Pixel(float* x, int rows, int columns, float divisor, float* y)
        {
            nint c = _geometry.C;
            nint rowStep = _geometry.W * c;
            TVec divisors = TLanes.Broadcast(divisor);
            for (nint done = 0; done < c;)
            {
                nint i = Math.Min(done, c - TLanes.Count);
                TVec sum = default;
                float* line = x + i;
                for (int r = 0; r < rows; r++)
                {
                    TVec rowSum = TLanes.Load(line);
                    for (int s = 1; s < columns; s++)
                    {
                        rowSum = TLanes.Add(rowSum, TLanes.Load(line + (s * c)));
                    }
                    sum = TLanes.Add(sum, rowSum);
                    line += rowStep;
                }
                TLanes.Store(TLanes.Divide(sum, divisors), y + i);
                done = i + TLanes.Count;
            }
        }
    }

    private readonly struct AverageBackwardBody<TVec, TTap, TLanes>(
        Pool2DGeometry geometry, PoolArguments arguments, PoolRows split) : IParallelBody
        where TVec : struct
        where TTap : struct
        where TLanes : struct, IPoolLanes<TVec, TTap>
    {
        private readonly Pool2DGeometry _geometry = geometry;
        private readonly PoolArguments _arguments = arguments;
        private readonly PoolRows _split = split;

        public void Invoke(int task, int worker)
        {
            for (long row = _split.First(task); row < _split.End(task); row++)
            {
                Row(row);
            }
        }

        private void Row(long row)
        {
            int ih = (int)(row % _geometry.H);
            (int ohFirst, int ohEnd) = _geometry.Vertical.Windows(ih);
            float* dx = _arguments.DX + (row * _geometry.W * _geometry.C);
            float* dy = _arguments.DY + ((row / _geometry.H) * _geometry.OH * _geometry.OW * _geometry.C);
            int owFirst = 0;
            int owEnd = 0;
            for (int iw = 0; iw < _geometry.W; iw++)
            {
                AdvanceWindows(_geometry.Horizontal, iw, ref owFirst, ref owEnd);
                Pixel(dy, ohFirst, ohEnd, owFirst, owEnd, dx);
                dx += _geometry.C;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Pixel(float* dy, int ohFirst, int ohEnd, int owFirst, int owEnd, float* dx)
        {
            nint c = _geometry.C;
            for (nint done = 0; done < c;)
            {
                nint i = Math.Min(done, c - TLanes.Count);
                TVec sum = default;
                for (int oh = ohFirst; oh < ohEnd; oh++)
                {
                    float* line = dy + ((nint)oh * _geometry.OW * c) + i;
                    for (int ow = owFirst; ow < owEnd; ow++)
                    {
                        TVec share = TLanes.Divide(TLanes.Load(line + (ow * c)), TLanes.Broadcast(Divisor(_geometry, oh, ow)));
                        sum = TLanes.Add(sum, share);
                    }
                }
                StoreGradient<TVec, TTap, TLanes>(sum, dx + i, (int)(done - i), _arguments.Accumulate);
                done = i + TLanes.Count;
            }
        }
    }

    /// <summary>
    /// PyTorch's divisor: the override, else the window's positions on the input, or on the input and its padding; with
    /// ceilMode the part of a window beyond the trailing padding never counts.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Divisor(in Pool2DGeometry geometry, int oh, int ow) =>
        geometry.DivisorOverride > 0
            ? geometry.DivisorOverride
            : (float)Counted(geometry.Vertical, oh, geometry.CountIncludePad) * Counted(
                geometry.Horizontal, ow, geometry.CountIncludePad);

    private static int Counted(in WindowAxis axis, int output, bool countIncludePad)
    {
        int start = axis.Start(output);
        return countIncludePad
            ? Math.Min(start + axis.Taps, axis.Input + axis.PadAfter) - start
            : Math.Min(start + axis.Taps, axis.Input) - Math.Max(start, 0);
    }
}
