using System.Runtime.CompilerServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Maxima of windows with their positions, in vectors over channels. A position travels as the bits of a float: it is selected
/// and compared, never computed on, and positions stay below the bits of infinity, up to where floats are ordered as their bits.
/// </summary>
internal sealed unsafe partial class CpuWindows
{
    public void WindowMaxForward(in WindowBands bands, Tensor x, Tensor table, Tensor y, Tensor indices) => RowLoop.Run(
        Pool, Tensor.Index((long)bands.N * bands.Depth.Output * bands.Vertical.Output), bands.Horizontal.Output * (long)bands.C,
        new MaxRows(bands, Floats(x), (int*)table.Address, Floats(y), (float*)indices.Address));

    public void WindowMaxBackward(in WindowBands bands, Tensor dY, Tensor table, Tensor indices, Tensor dX, bool accumulate) =>
        RowLoop.Run(
            Pool, Tensor.Index((long)bands.N * bands.Depth.Input * bands.Vertical.Input),
            bands.Horizontal.Input * (long)bands.C,
            new MaxGradientRows(bands, Floats(dY), (int*)table.Address, (float*)indices.Address, Floats(dX), accumulate));

    private readonly struct MaxRows(WindowBands bands, float* x, int* table, float* y, float* indices) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint row = start; row < end; row++)
            {
                var (volume, oh) = Math.DivRem(row, (nint)bands.Vertical.Output);
                var (n, od) = Math.DivRem(volume, (nint)bands.Depth.Output);
                float* input = x + (n * bands.Depth.Input * bands.Vertical.Input * bands.Horizontal.Input * bands.C);
                Band depth = new(table, bands.Depth.Forward, (int)od), vertical = new(table, bands.Vertical.Forward, (int)oh);
                nint output = row * bands.Horizontal.Output * bands.C;
                for (int ow = 0; ow < bands.Horizontal.Output; ow++, output += bands.C)
                {
                    var horizontal = new Band(table, bands.Horizontal.Forward, ow);
                    for (int c = 0; c < bands.C; c += TLanes.Count)
                    {
                        TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, bands.C - c));
                        Window(input + c, depth, vertical, horizontal, mask, out TLanes best, out TLanes winner);
                        TLanes.StoreMasked(best, y + output + c, mask);
                        TLanes.StoreMasked(winner, indices + output + c, mask);
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Window<TLanes>(
            float* volume, in Band depth, in Band vertical, in Band horizontal, TLanes mask, out TLanes best, out TLanes winner)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            best = TLanes.Broadcast(float.NegativeInfinity);
            winner = Bits<TLanes>(Position(bands, depth.First, vertical.First, horizontal.First));
            for (int kd = 0; kd < depth.Count; kd++)
            {
                for (int kh = 0; kh < vertical.Count; kh++)
                {
                    int first = Position(
                        bands, depth.First + (kd * bands.Depth.Step), vertical.First + (kh * bands.Vertical.Step),
                        horizontal.First);
                    for (int kw = 0; kw < horizontal.Count; kw++)
                    {
                        int position = first + (kw * bands.Horizontal.Step);
                        TLanes value = TLanes.LoadMasked(volume + ((nint)position * bands.C), mask);
                        TLanes place = Bits<TLanes>(position);
                        winner = TLanes.IfGreaterOrEqual(value, value, TLanes.IfGreater(value, best, place, winner), place);
                        best = TLanes.IfGreaterOrEqual(value, value, TLanes.IfGreater(value, best, value, best), value);
                    }
                }
            }
        }
    }

    private readonly struct MaxGradientRows(
        WindowBands bands, float* dY, int* table, float* indices, float* dX, bool accumulate) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint row = start; row < end; row++)
            {
                var (volume, ih) = Math.DivRem(row, (nint)bands.Vertical.Input);
                var (n, id) = Math.DivRem(volume, (nint)bands.Depth.Input);
                nint output = n * bands.Depth.Output * bands.Vertical.Output * bands.Horizontal.Output * bands.C;
                Band depth = new(table, bands.Depth.Backward, (int)id), vertical = new(table, bands.Vertical.Backward, (int)ih);
                float* gradient = dX + (row * bands.Horizontal.Input * bands.C);
                for (int iw = 0; iw < bands.Horizontal.Input; iw++, gradient += bands.C)
                {
                    var horizontal = new Band(table, bands.Horizontal.Backward, iw);
                    TLanes place = Bits<TLanes>(Position(bands, (int)id, (int)ih, iw));
                    for (int c = 0; c < bands.C; c += TLanes.Count)
                    {
                        TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, bands.C - c));
                        TLanes sum = Readers(output + c, depth, vertical, horizontal, place, mask);
                        if (accumulate)
                        {
                            sum += TLanes.LoadMasked(gradient + c, mask);
                        }

                        TLanes.StoreMasked(sum, gradient + c, mask);
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TLanes Readers<TLanes>(
            nint output, in Band depth, in Band vertical, in Band horizontal, TLanes place, TLanes mask)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes zero = TLanes.Broadcast(0), sum = zero;
            for (int kd = 0; kd < depth.Count; kd++)
            {
                for (int kh = 0; kh < vertical.Count; kh++)
                {
                    nint line = ((nint)(depth.First + kd) * bands.Vertical.Output) + vertical.First + kh;
                    nint at = output + (((line * bands.Horizontal.Output) + horizontal.First) * bands.C);
                    for (int kw = 0; kw < horizontal.Count; kw++, at += bands.C)
                    {
                        TLanes winner = TLanes.LoadMasked(indices + at, mask), share = TLanes.LoadMasked(dY + at, mask);
                        sum += TLanes.IfGreaterOrEqual(
                            winner, place, TLanes.IfGreaterOrEqual(place, winner, share, zero), zero);
                    }
                }
            }

            return sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Position(in WindowBands bands, int d, int h, int w) =>
        (((d * bands.Vertical.Input) + h) * bands.Horizontal.Input) + w;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Bits<TLanes>(int position)
        where TLanes : struct, IVectorLanes<TLanes> => TLanes.Broadcast(BitConverter.Int32BitsToSingle(position));
}
