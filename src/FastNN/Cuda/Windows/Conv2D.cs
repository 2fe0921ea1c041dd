using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Convolutions: those that are matrix products as such, depthwise ones by our own kernels, others by cuDNN where it is there and
/// takes the geometry, else by our own implicit products (kernels/conv2d.cu). cuDNN's filters are the transpose of ours, so one
/// launch before it, or behind it for the filter's gradient, moves them.
/// </summary>
internal sealed unsafe partial class CudaWindows
{
    /// <summary>Where a library's workspace begins behind a filter.</summary>
    private const long WorkspaceAlignment = 256;

    public long Conv2DWorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass)
    {
        if (geometry.IsMatrixProduct)
        {
            return 0;
        }

        if (UsesCudnn(geometry, pass))
        {
            return FilterBytes(geometry) + Cudnn.WorkspaceBytes(geometry, pass);
        }

        RequireTiles(geometry, pass);
        return pass == ConvolutionPass.BackwardFilter ? FilterParts(geometry).Bytes : 0;
    }

    public void Conv2DForward(
        in Conv2DGeometry geometry, Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation, Tensor? workspace,
        bool accumulate)
    {
        nint weights = FilterOf(geometry, weight);
        var epilogue = new EpilogueArguments(AddressOf(bias), activation.Id, activation.Scalars.First);
        if (geometry.IsMatrixProduct && !accumulate)
        {
            Multiply(Pixels(geometry), geometry.C, geometry.OC, x.Address, weights, y.Address, epilogue);
        }
        else if (geometry.IsDepthwise)
        {
            bool fours = IsOneToOneInFours(geometry) && IsAligned(x.Address, weights, y.Address);
            var arguments = new DepthwiseArguments(
                x.Address, weights, y.Address, epilogue, new ConvolutionShape(geometry), Tensor.Index(y.Count),
                accumulate ? 1 : 0);
            Launch(
                "conv2d", fours ? "conv2d_depthwise_forward_fours" : "conv2d_depthwise_forward", DepthwiseGrid(y.Count, fours),
                arguments);
        }
        else if (!geometry.IsMatrixProduct && UsesCudnn(geometry, ConvolutionPass.Forward))
        {
            nint filter = workspace!.Address;
            TransposeFilter(geometry, weights, filter);
            Cudnn.Forward(geometry, x.Address, filter, y.Address, accumulate ? 1 : 0, filter + (nint)FilterBytes(geometry));
            if (!epilogue.IsIdentity)
            {
                FinishColumns(y.Address, y.Count, geometry.OC, epilogue);
            }
        }
        else
        {
            ForwardByTiles(geometry, x.Address, weights, y.Address, epilogue, accumulate);
        }
    }

    public void Conv2DBackwardData(
        in Conv2DGeometry geometry, Tensor dY, Tensor weight, Tensor dX, bool accumulate, Tensor? workspace, Tensor? bias,
        Activation activation)
    {
        nint weights = FilterOf(geometry, weight);
        var epilogue = new EpilogueArguments(AddressOf(bias), activation.Id, activation.Scalars.First);
        if (geometry.IsMatrixProduct)
        {
            MultiplyBackwardData(Pixels(geometry), geometry.C, geometry.OC, dY.Address, weights, dX.Address, accumulate);
            FinishData(geometry, dX, epilogue);
        }
        else if (geometry.IsDepthwise)
        {
            bool fours = IsOneToOneInFours(geometry) && IsAligned(dY.Address, weights, dX.Address);
            long count = (long)geometry.N * geometry.H * geometry.W * geometry.C;
            var arguments = new DepthwiseArguments(
                dY.Address, weights, dX.Address, epilogue, new ConvolutionShape(geometry), Tensor.Index(count),
                accumulate ? 1 : 0);
            Launch(
                "conv2d", fours ? "conv2d_depthwise_backward_data_fours" : "conv2d_depthwise_backward_data",
                DepthwiseGrid(count, fours), arguments);
        }
        else if (UsesCudnn(geometry, ConvolutionPass.BackwardData))
        {
            nint filter = workspace!.Address;
            TransposeFilter(geometry, weights, filter);
            Cudnn.BackwardData(
                geometry, dY.Address, filter, dX.Address, accumulate ? 1 : 0, filter + (nint)FilterBytes(geometry));
            FinishData(geometry, dX, epilogue);
        }
        else
        {
            BackwardDataByTiles(geometry, dY.Address, weights, dX.Address, epilogue, accumulate);
        }
    }

    public void Conv2DBackwardFilter(
        in Conv2DGeometry geometry, Tensor x, Tensor dY, Tensor dWeight, Tensor? dBias, bool accumulateWeight,
        bool accumulateBias, Tensor? workspace)
    {
        nint weights = FilterOf(geometry, dWeight);
        if (geometry.IsMatrixProduct)
        {
            MultiplyBackwardWeight(
                Pixels(geometry), geometry.C, geometry.OC, x.Address, dY.Address, weights, AddressOf(dBias),
                accumulateWeight, accumulateBias);
        }
        else if (!UsesCudnn(geometry, ConvolutionPass.BackwardFilter))
        {
            BackwardFilterByParts(
                geometry, x.Address, dY.Address, weights, AddressOf(dBias), accumulateWeight, accumulateBias,
                workspace?.Address ?? 0);
        }
        else
        {
            nint filter = workspace!.Address;
            Cudnn.BackwardFilter(geometry, x.Address, dY.Address, filter, filter + (nint)FilterBytes(geometry));
            FinishFilter(geometry, filter, dY, weights, dBias, accumulateWeight, accumulateBias);
        }
    }

    // A depthwise convolution is no product, so what cuDNN is good for is not asked for, and ours needs no transposed filter.
    private bool UsesCudnn(in Conv2DGeometry geometry, ConvolutionPass pass) =>
        !geometry.IsDepthwise && Cudnn.Available && Cudnn.Supports(geometry, pass);

    private static nint FilterOf(in Conv2DGeometry geometry, Tensor weight) =>
        weight.Address + (nint)(geometry.FilterOffset * sizeof(float));

    private void FinishData(in Conv2DGeometry geometry, Tensor dX, in EpilogueArguments epilogue)
    {
        if (!epilogue.IsIdentity)
        {
            FinishColumns(dX.Address, dX.Count, geometry.C, epilogue);
        }
    }

    private void TransposeFilter(in Conv2DGeometry geometry, nint weight, nint filter)
    {
        TransposeArguments arguments = Transpose(
            weight, filter, (int)(geometry.FilterCount / geometry.OC), geometry.OC, accumulate: false);
        Launch("conv2d", "conv2d_transpose_filter", new Grid(arguments.Blocks, SmallThreads), arguments);
    }

    private void FinishFilter(
        in Conv2DGeometry geometry, nint filter, Tensor dY, nint dWeight, Tensor? dBias, bool accumulateWeight,
        bool accumulateBias)
    {
        TransposeArguments transpose = Transpose(
            filter, dWeight, geometry.OC, (int)(geometry.FilterCount / geometry.OC), accumulateWeight);
        ColumnSumArguments bias = dBias is null
            ? default
            : SumOfColumns(dY.Address, dY.Count, geometry.OC, dBias.Address, accumulateBias);
        int biasBlocks = dBias is null ? 0 : bias.Blocks * bias.Walk.Parts;
        Launch(
            "conv2d", "conv2d_finish_filter", new Grid(transpose.Blocks + biasBlocks, SmallThreads),
            new FinishFilterArguments(transpose, bias, transpose.Blocks, 0));
    }

    private static TransposeArguments Transpose(nint x, nint y, int rows, int columns, bool accumulate) =>
        new(x, y, rows, columns, Blocks(columns, SmallTile), accumulate ? 1 : 0);

    private static int Pixels(in Conv2DGeometry geometry) => checked((int)(geometry.OutputCount / geometry.OC));

    private static long FilterBytes(in Conv2DGeometry geometry) =>
        (geometry.FilterCount * sizeof(float) + WorkspaceAlignment - 1) / WorkspaceAlignment * WorkspaceAlignment;

    private static bool IsOneToOneInFours(in Conv2DGeometry geometry) => geometry.OC == geometry.C && geometry.C % 4 == 0;

    private static Grid DepthwiseGrid(long count, bool fours) =>
        new(Blocks(count, fours ? 4 * SmallThreads : SmallThreads), SmallThreads);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct DepthwiseArguments(
        nint X, nint Weight, nint Y, EpilogueArguments Epilogue, ConvolutionShape Shape, int Count, int Accumulate);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TransposeArguments(nint X, nint Y, int Rows, int Columns, int Tiles, int Accumulate)
    {
        public int Blocks => CudaWindows.Blocks(Rows, SmallTile) * Tiles;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FinishFilterArguments(
        TransposeArguments Transpose, ColumnSumArguments Bias, int TransposeBlocks, int Unused);
}
