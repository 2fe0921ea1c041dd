using System.Runtime.CompilerServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Weighted windows, in vectors over channels; a row of outputs is the unit of work. Each output reads all its taps (4 of
/// bilinear interpolation, 16 of bicubic), which lie in the cache of the row before: bytes moved are x and y once.
/// </summary>
internal sealed unsafe partial class CpuWindows
{
    public void WindowSum(in WindowBands bands, Tensor x, Tensor table, Tensor y, bool accumulate)
    {
        long rows = (long)bands.N * bands.Depth.Output * bands.Vertical.Output;
        long taps = (long)bands.Depth.Forward.Taps * bands.Vertical.Forward.Taps * bands.Horizontal.Forward.Taps;
        RowLoop.Run(
            Pool, Tensor.Index(rows), bands.Horizontal.Output * (long)bands.C * Math.Max(1, taps / 4),
            new SumRows(bands, Floats(x), (int*)table.Address, Floats(y), accumulate));
    }

    /// <summary>A position's part of a table.</summary>
    private readonly struct Band
    {
        public readonly int First;
        public readonly int Count;
        private readonly float* _weights;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Band(int* table, BandTable place, int position)
        {
            int* row = table + place.Offset + ((nint)position * place.Stride);
            First = row[0];
            Count = row[1];
            _weights = (float*)(row + 2);
        }

        public float this[int tap]
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => _weights[tap];
        }
    }

    private readonly struct SumRows(WindowBands bands, float* x, int* table, float* y, bool accumulate) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint row = start; row < end; row++)
            {
                var (volume, oh) = Math.DivRem(row, (nint)bands.Vertical.Output);
                var (n, od) = Math.DivRem(volume, (nint)bands.Depth.Output);
                Row<TLanes>(
                    x + (n * bands.Depth.Input * bands.Vertical.Input * bands.Horizontal.Input * bands.C),
                    new Band(table, bands.Depth.Forward, (int)od), new Band(table, bands.Vertical.Forward, (int)oh),
                    y + (row * bands.Horizontal.Output * bands.C));
            }
        }

        private void Row<TLanes>(float* volume, Band depth, Band vertical, float* y)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (int ow = 0; ow < bands.Horizontal.Output; ow++, y += bands.C)
            {
                var horizontal = new Band(table, bands.Horizontal.Forward, ow);
                for (int c = 0; c < bands.C; c += TLanes.Count)
                {
                    TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, bands.C - c));
                    TLanes sum = Window(volume + c, depth, vertical, horizontal, mask);
                    if (accumulate)
                    {
                        sum += TLanes.LoadMasked(y + c, mask);
                    }

                    TLanes.StoreMasked(sum, y + c, mask);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TLanes Window<TLanes>(float* volume, in Band depth, in Band vertical, in Band horizontal, TLanes mask)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes sum = TLanes.Broadcast(0);
            for (int kd = 0; kd < depth.Count; kd++)
            {
                for (int kh = 0; kh < vertical.Count; kh++)
                {
                    nint line = ((nint)(depth.First + kd) * bands.Vertical.Input) + vertical.First + kh;
                    float* at = volume + (((line * bands.Horizontal.Input) + horizontal.First) * bands.C);
                    TLanes row = TLanes.Broadcast(0);
                    for (int kw = 0; kw < horizontal.Count; kw++, at += bands.C)
                    {
                        row = TLanes.MultiplyAdd(TLanes.LoadMasked(at, mask), TLanes.Broadcast(horizontal[kw]), row);
                    }

                    // Row by row: the blocked order keeps the rounding of large windows small.
                    sum = TLanes.MultiplyAdd(row, TLanes.Broadcast(depth[kd] * vertical[kh]), sum);
                }
            }

            return sum;
        }
    }
}
