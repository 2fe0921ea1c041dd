using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>The guard of a training step.</summary>
internal sealed unsafe partial class CudaUpdates
{
    public void GuardNorm(Tensor gradients, Tensor? loss, Tensor results, Tensor scalars) => Launch(
        "guard", "guard_norm", SumGrid(gradients.Count),
        new GuardNormArguments(
            gradients.Address, AddressOf(loss), results.Address, scalars.Address, Sums, gradients.Count,
            (int)(scalars.Count / UpdateScalars.Row)));

    public void GuardLargest(Tensor gradients, Tensor results) => Launch(
        "guard", "guard_largest", SumGrid(gradients.Count),
        new GuardLargestArguments(gradients.Address, results.Address, Sums, gradients.Count));

    public void GuardScale(Tensor gradients, Tensor options, Tensor results) => Launch(
        "guard", "guard_scale", ElementGrid(gradients.Count),
        new GuardScaleArguments(gradients.Address, options.Address, results.Address, gradients.Count));

    /// <summary>
    /// Many small buffers, such as running statistics, in one launch. One that reads or writes what another of the same launch
    /// writes waits for the next.
    /// </summary>
    public void GuardCopy(ReadOnlySpan<(Tensor From, Tensor To)> copies, Tensor results)
    {
        var arguments = new GuardCopyArguments { Results = results.Address };
        foreach ((Tensor from, Tensor to) in copies)
        {
            if (arguments.Count == MaxCopies || arguments.Meets(from, to))
            {
                Launch("guard", "guard_copy", new Grid(arguments.Blocks, ElementThreads), arguments);
                (arguments.Count, arguments.Blocks) = (0, 0);
            }

            arguments.Copies[arguments.Count++] = new GuardedCopy(from.Address, to.Address, from.Count, arguments.Blocks, 0);
            arguments.Blocks += ElementGrid(from.Count).X;
        }

        Launch("guard", "guard_copy", new Grid(arguments.Blocks, ElementThreads), arguments);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GuardNormArguments(
        nint Gradients, nint Loss, nint Results, nint Scalars, ScratchAddresses Scratch, long Count, int Groups);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GuardLargestArguments(nint Gradients, nint Results, ScratchAddresses Scratch, long Count);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GuardScaleArguments(nint Gradients, nint Options, nint Results, long Count);

    private const int MaxCopies = 64;

    /// <summary>One buffer, whose elements are copied by the blocks from the first on.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GuardedCopy(nint X, nint Y, long Count, int FirstBlock, int Unused);

    [InlineArray(MaxCopies)]
    private struct GuardedCopies
    {
        private GuardedCopy _first;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct GuardCopyArguments
    {
        public nint Results;
        public int Count;
        public int Blocks;
        public GuardedCopies Copies;

        /// <summary>Whether a copy would have to wait for one that is there already.</summary>
        public readonly bool Meets(Tensor from, Tensor to)
        {
            foreach (GuardedCopy copy in ((ReadOnlySpan<GuardedCopy>)Copies)[..Count])
            {
                if (Overlap(copy.Y, copy.Count, from) || Overlap(copy.Y, copy.Count, to) || Overlap(copy.X, copy.Count, to))
                {
                    return true;
                }
            }

            return false;
        }

        private static bool Overlap(nint address, long count, Tensor other) =>
            address < other.Address + (nint)other.Bytes && other.Address < address + (nint)(count * sizeof(float));
    }
}
