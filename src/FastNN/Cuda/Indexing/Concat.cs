using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Concatenation: strided copies of whole rows, of up to 32 inputs in one launch.</summary>
internal sealed unsafe partial class CudaIndexing
{
    /// <summary>Of a launch: kernels/concat.cu.</summary>
    private const int MaxRowCopies = 32;

    public void ConcatForward(ReadOnlySpan<Tensor> x, ReadOnlySpan<int> widths, Tensor y, int rows)
    {
        long total = WidthOf(widths);
        nint place = y.Address;
        var arguments = new ConcatArguments { Rows = rows };
        for (int i = 0; i < x.Length; place += (nint)widths[i++] * sizeof(float))
        {
            Add(ref arguments, new RowCopy(x[i].Address, place, widths[i], total, widths[i], 0, 0, 0));
        }

        CopyRows(ref arguments);
    }

    public void ConcatBackward(
        Tensor dY, ReadOnlySpan<Tensor?> dX, ReadOnlySpan<int> widths, int rows, ReadOnlySpan<bool> accumulate)
    {
        long total = WidthOf(widths);
        nint place = dY.Address + ((nint)total * sizeof(float));
        var arguments = new ConcatArguments { Rows = rows };
        for (int i = dX.Length - 1; i >= 0; i--)
        {
            place -= (nint)widths[i] * sizeof(float);
            if (dX[i] is not { } gradient)
            {
                continue;
            }

            // What adds to a gradient waits for what writes it.
            if (arguments.Writes(gradient))
            {
                CopyRows(ref arguments);
            }

            Add(ref arguments, new RowCopy(
                place, gradient.Address, total, widths[i], widths[i], 0, 0, accumulate[i] ? 1 : 0));
        }

        CopyRows(ref arguments);
    }

    private static long WidthOf(ReadOnlySpan<int> widths)
    {
        long total = 0;
        foreach (int width in widths)
        {
            total += width;
        }

        return total;
    }

    /// <summary>One copy more, behind a launch of those before it where there is no room.</summary>
    private void Add(ref ConcatArguments arguments, RowCopy copy)
    {
        long count = arguments.Rows * copy.Width;
        if (count == 0)
        {
            return;
        }

        if (arguments.Count == MaxRowCopies)
        {
            CopyRows(ref arguments);
        }

        bool fours = ((copy.From | copy.To) & 15) == 0 && ((copy.FromStride | copy.ToStride | (long)copy.Width) & 3) == 0;
        arguments.Copies[arguments.Count++] = copy with { FirstBlock = arguments.Blocks, Fours = fours ? 1 : 0 };
        arguments.Blocks = checked(arguments.Blocks + Blocks(fours ? count / 4 : count, ElementThreads));
    }

    private void CopyRows(ref ConcatArguments arguments)
    {
        if (arguments.Count > 0)
        {
            Launch("concat", "concat_rows", new Grid(arguments.Blocks, ElementThreads), arguments);
            (arguments.Count, arguments.Blocks) = (0, 0);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RowCopy(
        nint From, nint To, long FromStride, long ToStride, int Width, int FirstBlock, int Fours, int Accumulate);

    [InlineArray(MaxRowCopies)]
    private struct RowCopies
    {
        private RowCopy _first;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ConcatArguments
    {
        public long Rows;
        public int Count;
        public int Blocks;
        public RowCopies Copies;

        /// <summary>Whether a copy that is there already writes one of these elements.</summary>
        public readonly bool Writes(Tensor gradient)
        {
            foreach (RowCopy copy in ((ReadOnlySpan<RowCopy>)Copies)[..Count])
            {
                if (copy.To < gradient.Address + (nint)gradient.Bytes
                    && gradient.Address < copy.To + (nint)(Rows * copy.Width * sizeof(float)))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
