using System.Runtime.InteropServices;
using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Functions of two numbers with broadcasting: which kernel, by how the operands lie along the joined axes.</summary>
internal sealed unsafe partial class CudaElements
{
    /// <summary>The longest row that a block takes into shared memory: 48 KiB with what is repeated behind it.</summary>
    private const int LongestSharedRow = 12_000;

    /// <summary>Elements of a block that has such a row or column; rows are read once per so many.</summary>
    private const int BroadcastElements = 8192, RowsPerRead = 16;

    public void BinaryForward(BinaryFunction function, Operand a, Operand b, Tensor y)
    {
        if (y.Count == 0)
        {
            return;
        }

        DType type = a.Type ?? b.Type ?? DType.Float32;
        var axes = new BroadcastAxes(y.Shape, a.Shape, b.Shape);
        if (type == DType.Float32)
        {
            Broadcast(function, a, b, y, axes, accumulate: false);
            return;
        }

        string kernel = type == DType.Bool ? function.TruthsKernel : function.IntegersKernel;
        var arguments = new IntegersArguments(
            AddressOf(a.Tensor), AddressOf(b.Tensor), y.Address, axes, Tensor.Index(y.Count), (int)a.Number, (int)b.Number);
        Launch("binary", kernel, new Grid(Blocks(y.Count, ElementThreads), ElementThreads), arguments);
    }

    public void BinaryBackward(
        BinaryFunction function, int operand, Operand a, Operand b, Tensor y, Tensor dY, Tensor dX, bool accumulate)
    {
        (OperandGradient gradient, Operand other) = (function.Info.Gradient(operand), operand == 0 ? b : a);
        bool repeated = dX.Count != dY.Count;
        switch (gradient.Form)
        {
            case GradientForm.Upstream or GradientForm.Negated when repeated:
                SumRepeated(dY, null, dX, gradient.Form == GradientForm.Negated ? -1 : 1, accumulate);
                break;
            case GradientForm.Upstream when accumulate || dX.Address != dY.Address:
                Copy(dY, dX, accumulate);
                break;
            case GradientForm.Upstream:
                break;
            case GradientForm.Negated:
                ActivationBackward(Activation.Of<Negate>(), dY, dY, dX, accumulate);
                break;
            case GradientForm.Product when repeated:
                SumRepeated(dY, other.Tensor, dX, 1, accumulate);
                break;
            case GradientForm.Product:
                Broadcast(
                    BinaryFunction.Of<Functions.Multiply>(), dY, other, dX, new BroadcastAxes(dY.Shape, dY.Shape, other.Shape),
                    accumulate);
                break;
            default:
                Differentiate(function, operand, a, b, y, dY, dX, accumulate);
                break;
        }
    }

    public void SumRepeated(Tensor dY, Tensor dX, bool accumulate)
    {
        if (dX.Count == dY.Count)
        {
            Copy(dY, dX, accumulate);
        }
        else
        {
            SumRepeated(dY, null, dX, 1, accumulate);
        }
    }

    private void Differentiate(
        BinaryFunction function, int operand, Operand a, Operand b, Tensor y, Tensor dY, Tensor dX, bool accumulate)
    {
        if (dY.Count == 0)
        {
            return;
        }

        Operands reads = function.Info.Gradient(operand).Reads;
        a = (reads & Operands.First) != 0 ? a : 0f;
        b = (reads & Operands.Second) != 0 ? b : 0f;
        var axes = new BroadcastAxes(dY.Shape, a.Shape, b.Shape);
        var arguments = new GradientArguments(
            new(a, axes.InnerA), new(b, axes.InnerB), new((reads & Operands.Output) != 0 ? y : 0f, 1), dY.Address, dX.Address,
            axes, dY.Count,
            axes.Rank <= 1 ? 1 : 0, accumulate ? 1 : 0);
        Launch("binary", function.GradientKernels[operand], ElementGrid(dY.Count), arguments);
    }

    private void Broadcast(BinaryFunction function, Operand a, Operand b, Tensor y, in BroadcastAxes axes, bool accumulate)
    {
        if (y.Count == 0)
        {
            return;
        }

        int add = accumulate ? 1 : 0;
        if (axes.Rank <= 1)
        {
            var flat = new FlatArguments(new(a, axes.InnerA), new(b, axes.InnerB), y.Address, y.Count, add, 0);
            Launch(function.Module, function.FlatKernel, ElementGrid(y.Count), flat);
            return;
        }

        // More than one axis is left only where both operands are tensors.
        (nint left, nint right, int inner) = (AddressOf(a.Tensor), AddressOf(b.Tensor), axes.Inner);
        bool wholeA = IsWhole(axes, axes.A[0], axes.InnerA),
        simple = function.Info.IsArithmetic && (wholeA || IsWhole(axes, axes.B[0], axes.InnerB));
        (long outerStride, long innerStride) = wholeA ? (axes.B[0], axes.InnerB) : (axes.A[0], axes.InnerA);
        var repeat = new RepeatArguments(
            wholeA ? left : right, wholeA ? right : left, y.Address, y.Count, inner, 0, wholeA ? 0 : 1, add);
        if (simple && (outerStride, innerStride) == (0, 1) && inner <= LongestSharedRow)
        {
            int perBlock = Math.Max(BroadcastElements, (RowsPerRead * inner) & ~(ElementThreads - 1));
            var grid = new Grid(Blocks(y.Count, perBlock), ElementThreads, Shared: (inner + 32) * sizeof(float));
            Launch(function.Module, function.RowKernel, grid, repeat with { PerBlock = perBlock });
        }
        else if (simple && (outerStride, innerStride) == (1, 0))
        {
            var grid = new Grid(
                Blocks(y.Count, BroadcastElements), ElementThreads, Shared: ((BroadcastElements / inner) + 2) * sizeof(float));
            Launch(function.Module, function.ColumnKernel, grid, repeat with { PerBlock = BroadcastElements });
        }
        else
        {
            var general = new AxesArguments(left, right, y.Address, axes, Tensor.Index(y.Count), add);
            Launch(function.Module, function.AxesKernel, new Grid(Blocks(y.Count, ElementThreads), ElementThreads), general);
        }
    }

    /// <summary>Whether an operand with these strides along two joined axes lies as the result does.</summary>
    private static bool IsWhole(in BroadcastAxes axes, long outer, long inner) =>
        axes.Rank == 2 && inner == 1 && outer == axes.Inner;

    /// <summary>The struct FlatOperand of kernels/broadcast.cuh.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct FlatOperand(Operand operand, long stride)
    {
        public readonly nint Address = AddressOf(operand.Tensor);
        public readonly float Number = operand.Number;
        public readonly int Runs = stride == 0 ? 0 : 1;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FlatArguments(FlatOperand A, FlatOperand B, nint Y, long Count, int Accumulate, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RepeatArguments(
        nint Whole, nint Repeated, nint Y, long Count, int Inner, int PerBlock, int RepeatedFirst, int Accumulate);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct AxesArguments(nint a, nint b, nint y, in BroadcastAxes axes, int count, int accumulate)
    {
        public readonly nint A = a, B = b, Y = y;
        public readonly BroadcastAxes Axes = axes;
        public readonly int Count = count, Accumulate = accumulate;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct IntegersArguments(nint a, nint b, nint y, in BroadcastAxes axes, int count, int numberA, int numberB)
    {
        public readonly nint A = a, B = b, Y = y;
        public readonly BroadcastAxes Axes = axes;
        public readonly int Count = count, NumberA = numberA, NumberB = numberB, Unused = 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct GradientArguments(
        FlatOperand a, FlatOperand b, FlatOperand y, nint dY, nint dX, in BroadcastAxes axes, long count, int flat,
        int accumulate)
    {
        public readonly FlatOperand A = a, B = b, Y = y;
        public readonly nint DY = dY, DX = dX;
        public readonly BroadcastAxes Axes = axes;
        public readonly long Count = count;
        public readonly int Flat = flat, Accumulate = accumulate;
    }
}
