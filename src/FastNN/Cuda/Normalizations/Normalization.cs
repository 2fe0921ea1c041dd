using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Normalizations along any axes: a thread per element.</summary>
internal sealed unsafe partial class CudaNormalizations
{
    public void NormalizationScale(Tensor variance, float eps, Tensor scale) => Launch(
        "normalization", "normalization_scale", ElementGrid(scale.Count),
        new NormalizationScaleArguments(variance.Address, scale.Address, scale.Count, eps, 0));

    public void RunningStatistics(Tensor running, Tensor batch, float momentum, float factor, Tensor updated) => Launch(
        "normalization", "normalization_running", ElementGrid(updated.Count),
        new RunningArguments(running.Address, batch.Address, updated.Address, updated.Count, momentum, factor));

    public void NormalizationForward(in NormalizationOperands operands, Tensor? bias, Tensor y) =>
        Normalize("normalization_forward", operands, Arguments(operands, y) with { Bias = AddressOf(bias) });

    public void NormalizationProducts(in NormalizationOperands operands, Tensor dY, Tensor products, Tensor? weighted) =>
        Normalize(
            "normalization_products", operands,
            Arguments(operands, products) with { DY = dY.Address, Weighted = AddressOf(weighted) });

    public void NormalizationBackward(
        in NormalizationOperands operands, Tensor dY, Tensor? sum, Tensor? product, float inverseCount, Tensor dX,
        bool accumulate) => Normalize(
        "normalization_backward", operands, Arguments(operands, dX) with
        {
            DY = dY.Address,
            Sum = AddressOf(sum),
            Product = AddressOf(product),
            InverseCount = inverseCount,
            Accumulate = accumulate ? 1 : 0,
        });

    private static NormalizationArguments Arguments(in NormalizationOperands operands, Tensor y) => new(
        operands.X.Address, operands.Mean.Address, operands.Scale.Address, AddressOf(operands.Weight), 0, 0, 0, 0, y.Address, 0,
        operands.Axes,
        Tensor.Index(operands.X.Count), 0, 0, 0);

    private void Normalize(string kernel, in NormalizationOperands operands, in NormalizationArguments arguments) =>
        Launch("normalization", kernel, new Grid(Blocks(operands.X.Count, ElementThreads), ElementThreads), arguments);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct NormalizationScaleArguments(nint Variance, nint Scale, long Count, float Eps, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RunningArguments(
        nint Running, nint Batch, nint Updated, long Count, float Momentum, float Factor);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct NormalizationArguments(
        nint X, nint Mean, nint Scale, nint Weight, nint Bias, nint DY, nint Sum, nint Product, nint Y, nint Weighted,
        StridedAxes Axes, int Count,
        float InverseCount, int Accumulate, int Unused);
}
