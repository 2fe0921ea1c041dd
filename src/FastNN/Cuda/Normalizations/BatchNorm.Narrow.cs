using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Batch normalization of few rows, see kernels/batchnormnarrow.cu: a block has all rows of eight channels, and each way is one
/// launch, which reads everything once.
/// </summary>
internal sealed unsafe partial class CudaNormalizations
{
    private const int NarrowChannels = 8, RowsOfThread = 8, MaxNarrowThreads = 512;

    public bool BatchNormBackwardAtOnce(
        in ColumnNormalization columns, Tensor? y, Tensor dY, bool keepsMasked, in NormalizationGradients gradients)
    {
        nint dX = AddressOf(gradients.X), dWeight = AddressOf(gradients.Weight), dBias = AddressOf(gradients.Bias);
        if (columns.IsGiven || !IsNarrow(columns, [AddressOf(y), dY.Address, dX, dWeight, dBias]))
        {
            return false;
        }

        Launch("batchnormnarrow", "batchnormnarrow_backward", NarrowGrid(columns.Geometry), Narrow(columns) with
        {
            Y = AddressOf(y),
            DY = dY.Address,
            DX = dX,
            DWeight = dWeight,
            DBias = dBias,
            KeepMasked = keepsMasked ? 1 : 0,
            Accumulate = gradients.AccumulateX ? 1 : 0,
            AccumulateWeight = gradients.AccumulateWeight ? 1 : 0,
            AccumulateBias = gradients.AccumulateBias ? 1 : 0,
        });
        return true;
    }

    private void BatchNormNarrow(
        in ColumnNormalization columns, RunningStatistics? running, Tensor? bias, Tensor? residual, bool relu, Tensor y) =>
            Launch(
        "batchnormnarrow", "batchnormnarrow_forward", NarrowGrid(columns.Geometry), Narrow(columns) with
        {
            Bias = AddressOf(bias),
            Residual = AddressOf(residual),
            Y = y.Address,
            RunningMean = AddressOf(running?.Mean),
            RunningVariance = AddressOf(running?.Variance),
            UpdatedMean = AddressOf(running?.UpdatedMean),
            UpdatedVariance = AddressOf(running?.UpdatedVariance),
            Momentum = running?.Momentum ?? 0,
            Relu = relu ? 1 : 0,
        });

    /// <summary>Whether blocks have whole sectors of all rows, and everything lies on 16 bytes.</summary>
    private static bool IsNarrow(in ColumnNormalization columns, ReadOnlySpan<nint> others)
    {
        ColumnGeometry geometry = columns.Geometry;
        return geometry.Batches == 1 && geometry.PerGroup == 1 && geometry.Channels % NarrowChannels == 0
            && geometry.Rows is > 0 and <= MaxNarrowThreads / 2 * RowsOfThread && IsAligned(others)
            && IsAligned(columns.X.Address, columns.Mean.Address, columns.Scale.Address, AddressOf(columns.Weight));
    }

    /// <summary>Two threads share the channels of a row. A block of fewer threads would have fewer warps than channels to
    /// sum.</summary>
    private static Grid NarrowGrid(ColumnGeometry geometry) => new(
        geometry.Channels / NarrowChannels,
        geometry.Rows <= MaxNarrowThreads * RowsOfThread / 4 ? MaxNarrowThreads / 2 : MaxNarrowThreads);

    private static NarrowArguments Narrow(in ColumnNormalization columns) => new()
    {
        X = columns.X.Address,
        Mean = columns.Mean.Address,
        Scale = columns.Scale.Address,
        Weight = AddressOf(columns.Weight),
        Rows = columns.Geometry.Rows,
        N = columns.Geometry.Channels,
        Eps = columns.Eps,
    };

    /// <summary>The struct of kernels/batchnormnarrow.cu.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct NarrowArguments
    {
        public nint X { get; init; }

        public nint Mean { get; init; }

        public nint Scale { get; init; }

        public nint Weight { get; init; }

        public nint Bias { get; init; }

        public nint Residual { get; init; }

        public nint Y { get; init; }

        public nint RunningMean { get; init; }

        public nint RunningVariance { get; init; }

        public nint UpdatedMean { get; init; }

        public nint UpdatedVariance { get; init; }

        public nint DY { get; init; }

        public nint DX { get; init; }

        public nint DWeight { get; init; }

        public nint DBias { get; init; }

        public int Rows { get; init; }

        public int N { get; init; }

        public float Eps { get; init; }

        public float Momentum { get; init; }

        public int Relu { get; init; }

        public int KeepMasked { get; init; }

        public int Accumulate { get; init; }

        public int AccumulateWeight { get; init; }

        public int AccumulateBias { get; init; }

        public int Unused { get; init; }
    }
}
