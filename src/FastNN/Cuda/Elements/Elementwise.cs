using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Operators of two operands with broadcasting: which kernel, by how the operands lie along the joined axes. Both operators are
/// commutative, so the repeated operand may always be the second.
/// </summary>
internal sealed unsafe partial class CudaElements
{
    /// <summary>The longest row that a block takes into shared memory: 48 KiB with what is repeated behind it.</summary>
    private const int LongestSharedRow = 12_000;

    /// <summary>Elements of a block that has such a row or column; rows are read once per so many.</summary>
    private const int BroadcastElements = 8192, RowsPerRead = 16;

    public void BinaryForward(BinaryOperator op, Tensor a, Tensor b, Tensor y) =>
        Broadcast(op, a, b, y, new BroadcastAxes(y.Shape, a.Shape, b.Shape), accumulate: false);

    public void BinaryBackward(BinaryOperator op, Tensor dY, Tensor other, Tensor dA, bool accumulate)
    {
        if (dA.Count != dY.Count)
        {
            SumRepeated(dY, op == BinaryOperator.Add ? null : other, dA, accumulate);
        }
        else if (op == BinaryOperator.Multiply)
        {
            Broadcast(op, dY, other, dA, new BroadcastAxes(dY.Shape, dY.Shape, other.Shape), accumulate);
        }
        else if (accumulate || dA.Address != dY.Address)
        {
            Copy(dY, dA, accumulate);
        }
    }

    private void Broadcast(BinaryOperator op, Tensor a, Tensor b, Tensor y, in BroadcastAxes axes, bool accumulate)
    {
        if (y.Count == 0)
        {
            return;
        }

        int multiply = op == BinaryOperator.Multiply ? 1 : 0, inner = axes.Inner;
        bool one = axes.Rank <= 1, two = axes.Rank == 2;
        bool wholeA = IsWhole(axes, axes.A[0], axes.InnerA), wholeB = IsWhole(axes, axes.B[0], axes.InnerB);
        (Tensor whole, Tensor repeated) = wholeA ? (a, b) : (b, a);
        (long outerStride, long innerStride) = wholeA ? (axes.B[0], axes.InnerB) : (axes.A[0], axes.InnerA);
        var arguments = new BinaryArguments(whole.Address, repeated.Address, y.Address, y.Count, inner, 0, multiply, accumulate ? 1 : 0);
        if (wholeA && wholeB)
        {
            Launch("elementwise", "elementwise_same", ElementGrid(y.Count), arguments);
        }
        else if (one)
        {
            Launch("elementwise", "elementwise_scalar", ElementGrid(y.Count), arguments);
        }
        else if (two && (wholeA || wholeB) && (outerStride, innerStride) == (0, 1) && inner <= LongestSharedRow)
        {
            int perBlock = Math.Max(BroadcastElements, (RowsPerRead * inner) & ~(ElementThreads - 1));
            var grid = new Grid(Blocks(y.Count, perBlock), ElementThreads, Shared: (inner + 32) * sizeof(float));
            Launch("elementwise", "elementwise_row", grid, arguments with { PerBlock = perBlock });
        }
        else if (two && (wholeA || wholeB) && (outerStride, innerStride) == (1, 0))
        {
            var grid = new Grid(Blocks(y.Count, BroadcastElements), ElementThreads, Shared: ((BroadcastElements / inner) + 2) * sizeof(float));
            Launch("elementwise", "elementwise_column", grid, arguments with { PerBlock = BroadcastElements });
        }
        else
        {
            var general = new BroadcastArguments(a.Address, b.Address, y.Address, axes, Tensor.Index(y.Count), multiply, accumulate ? 1 : 0);
            Launch("elementwise", "elementwise_broadcast", new Grid(Blocks(y.Count, ElementThreads), ElementThreads), general);
        }
    }

    /// <summary>Whether an operand with these strides along one or two joined axes lies as the result does.</summary>
    private static bool IsWhole(in BroadcastAxes axes, long outer, long inner) =>
        axes.Rank == 0 || (inner == 1 && (axes.Rank == 1 || (axes.Rank == 2 && outer == axes.Inner)));

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct BinaryArguments(nint A, nint B, nint Y, long Count, int Inner, int PerBlock, int Multiply, int Accumulate);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct BroadcastArguments(nint a, nint b, nint y, in BroadcastAxes axes, int count, int multiply, int accumulate)
    {
        public readonly nint A = a, B = b, Y = y;
        public readonly BroadcastAxes Axes = axes;
        public readonly int Count = count, Multiply = multiply, Accumulate = accumulate;
    }
}
