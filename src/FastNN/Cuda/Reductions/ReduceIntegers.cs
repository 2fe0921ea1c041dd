using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Folds of integers: a thread or a warp to an output, many blocks to a single one.</summary>
internal sealed unsafe partial class CudaReductions
{
    private const int MaxIntegerBlocks = 1024;

    private static readonly string[] IntegerColumns = Names("columns");
    private static readonly string[] IntegerRows = Names("rows");
    private static readonly string[] IntegerWhole = Names("whole");

    public void FoldIntegers(IntegerFold fold, Tensor x, Tensor y, IntegerReduceGeometry geometry)
    {
        if (geometry.Outputs == 0)
        {
            return;
        }

        var arguments = new IntegersArguments(
            x.Address, y.Address, Sums, geometry.Kept, geometry.Reduced, geometry.Outputs, geometry.Terms, x.Type.Size(),
            y.Type.Size());
        (string kernel, int blocks) = geometry switch
        {
            { Outputs: 1 } => (
                IntegerWhole[(int)fold], Math.Clamp(Blocks(geometry.Terms, 4 * ElementThreads), 1, MaxIntegerBlocks)),
            { IsColumns: true } => (IntegerColumns[(int)fold], Blocks(geometry.Outputs, ElementThreads)),
            _ => (IntegerRows[(int)fold], Blocks(geometry.Outputs, WarpsPerBlock)),
        };
        Launch("reduceintegers", kernel, new Grid(blocks, ElementThreads), arguments);
    }

    private static string[] Names(string pattern) =>
        Array.ConvertAll(
            Enum.GetNames<IntegerFold>(), name => $"integers_{pattern}_{name.ToLowerInvariant()}");

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct IntegersArguments(
        nint x, nint y, ScratchAddresses scratch, in StridedAxes kept, in StridedAxes reduced, int outputs, int terms, int bytesX,
        int bytesY)
    {
        public readonly nint X = x, Y = y;
        public readonly ScratchAddresses Scratch = scratch;
        public readonly StridedAxes Kept = kept, Reduced = reduced;
        public readonly int Outputs = outputs, Terms = terms, BytesX = bytesX, BytesY = bytesY;
    }
}
