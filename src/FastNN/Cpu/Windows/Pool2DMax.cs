using System.Runtime.CompilerServices;
using FastNN.Kernels;

namespace FastNN.Cpu;

internal static unsafe partial class Pool2D
{
    private readonly struct MaxForwardBody<TVec, TTap, TLanes, TWinner>(
        Pool2DGeometry geometry, PoolArguments arguments, PoolRows split) : IParallelBody
        where TVec : struct
        where TTap : struct
        where TLanes : struct, IPoolLanes<TVec, TTap>
        where TWinner : unmanaged
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
            int top = _geometry.Vertical.Start(oh) + (khFirst * _geometry.Vertical.Dilation);
            float* x = _arguments.X + ((((row / _geometry.OH) * _geometry.H) + top) * _geometry.W * c);
            nint rowStep = (nint)_geometry.Vertical.Dilation * _geometry.W * c;
            nint columnStep = horizontal.Dilation * c;
            float* y = _arguments.Y + (row * _geometry.OW * c);
            TWinner* winners = (TWinner*)_arguments.Winners + (_arguments.Winners == null ? 0 : row * _geometry.OW * c);
            for (int ow = 0; ow < _geometry.OW; ow++)
            {
                (int kwFirst, int kwEnd) = horizontal.ValidTaps(ow);
                float* corner = x + ((horizontal.Start(ow) + (nint)(kwFirst * horizontal.Dilation)) * c);
                int tap = (khFirst * horizontal.Taps) + kwFirst;
                Pixel(corner, rowStep, columnStep, khEnd - khFirst, kwEnd - kwFirst, tap, y, winners);
                y += c;
                winners += _arguments.Winners == null ? 0 : c;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Pixel(
            float* x, nint rowStep, nint columnStep, int rows, int columns, int firstTap, float* y, TWinner* winners)
        {
            int c = _geometry.C;
            int taps = _geometry.Horizontal.Taps;
            for (int done = 0; done < c;)
            {
                int i = Math.Min(done, c - TLanes.Count);
                TVec best = TLanes.Load(x + i);
                TTap bestTap = TLanes.BroadcastTap(firstTap);
                float* line = x + i;
                for (int r = 0; r < rows; r++)
                {
                    for (int s = 0; s < columns; s++)
                    {
                        TLanes.Take(
                            TLanes.Load(line + (s * columnStep)), TLanes.BroadcastTap(firstTap + (r * taps) + s), ref best,
                            ref bestTap);
                    }
                    line += rowStep;
                }
                TLanes.Store(_arguments.Relu ? TLanes.Gate(best, best) : best, y + i);
                if (winners != null)
                {
                    StoreWinners<TVec, TTap, TLanes, TWinner>(bestTap, winners + i);
                }
                done = i + TLanes.Count;
            }
        }
    }

    private readonly struct MaxBackwardBody<TVec, TTap, TLanes, TWinner>(
        Pool2DGeometry geometry, PoolArguments arguments, PoolRows split) : IParallelBody
        where TVec : struct
        where TTap : struct
        where TLanes : struct, IPoolLanes<TVec, TTap>
        where TWinner : unmanaged
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
            int ih = (int)(row % _geometry.H);
            long n = row / _geometry.H;
            (int ohFirst, int ohEnd) = _geometry.Vertical.Windows(ih);
            float* dx = _arguments.DX + (row * _geometry.W * _geometry.C);
            int owFirst = 0;
            int owEnd = 0;
            for (int iw = 0; iw < _geometry.W; iw++)
            {
                AdvanceWindows(horizontal, iw, ref owFirst, ref owEnd);
                Pixel(n, ih, iw, ohFirst, ohEnd, owFirst, owEnd, dx);
                dx += _geometry.C;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Pixel(long n, int ih, int iw, int ohFirst, int ohEnd, int owFirst, int owEnd, float* dx)
        {
            nint c = _geometry.C;
            for (nint done = 0; done < c;)
            {
                nint i = Math.Min(done, c - TLanes.Count);
                TVec sum = default;
                for (int oh = ohFirst; oh < ohEnd; oh++)
                {
                    int kh = _geometry.Vertical.TapOf(ih, oh);
                    if (kh < 0)
                    {
                        continue;
                    }
                    nint line = (nint)((n * _geometry.OH) + oh) * _geometry.OW;
                    for (int ow = owFirst; ow < owEnd; ow++)
                    {
                        int kw = _geometry.Horizontal.TapOf(iw, ow);
                        if (kw >= 0)
                        {
                            nint at = ((line + ow) * c) + i;
                            sum = TLanes.Add(sum, Share(at, TLanes.BroadcastTap((kh * _geometry.Horizontal.Taps) + kw)));
                        }
                    }
                }
                StoreGradient<TVec, TTap, TLanes>(sum, dx + i, (int)(done - i), _arguments.Accumulate);
                done = i + TLanes.Count;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TVec Share(nint at, TTap tap)
        {
            TVec dy = TLanes.Load(_arguments.DY + at);
            if (_arguments.Relu)
            {
                dy = TLanes.Gate(TLanes.Load(_arguments.Y + at), dy);
            }
            TWinner* winners = (TWinner*)_arguments.Winners + at;
            return TLanes.Where(LoadWinners<TVec, TTap, TLanes, TWinner>(winners), tap, dy);
        }
    }

    /// <summary>The windows over input column iw follow from those over iw - 1 without a division.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AdvanceWindows(in WindowAxis axis, int input, ref int first, ref int end)
    {
        while (end < axis.Output && axis.Start(end) <= input)
        {
            end++;
        }
        while (first < end && axis.Start(first) + axis.Extent <= input)
        {
            first++;
        }
    }

    /// <summary>dx (=|+=) sum; the first <paramref name="repeated"/> lanes were stored with the vector before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreGradient<TVec, TTap, TLanes>(TVec sum, float* dx, int repeated, bool accumulate)
        where TVec : struct
        where TTap : struct
        where TLanes : struct, IPoolLanes<TVec, TTap>
    {
        if (accumulate)
        {
            sum = TLanes.Add(TLanes.Load(dx), repeated == 0 ? sum : TLanes.KeepFrom(repeated, sum));
        }
        TLanes.Store(sum, dx);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TTap LoadWinners<TVec, TTap, TLanes, TWinner>(TWinner* winners)
        where TVec : struct
        where TTap : struct
        where TLanes : struct, IPoolLanes<TVec, TTap>
        where TWinner : unmanaged =>
        sizeof(TWinner) == 1 ? TLanes.LoadTaps((byte*)winners) : TLanes.LoadTaps((ushort*)winners);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreWinners<TVec, TTap, TLanes, TWinner>(TTap taps, TWinner* winners)
        where TVec : struct
        where TTap : struct
        where TLanes : struct, IPoolLanes<TVec, TTap>
        where TWinner : unmanaged
    {
        if (sizeof(TWinner) == 1)
        {
            TLanes.StoreTaps(taps, (byte*)winners);
        }
        else
        {
            TLanes.StoreTaps(taps, (ushort*)winners);
        }
    }
}
