using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Convolutions: those that are matrix products as such, depthwise ones by our own kernels, others by cuDNN where it is there and
/// takes the geometry, else by our own implicit products (kernels/conv2d.cu). cuDNN's filters are the transpose of ours: where a
/// plan has several such convolutions one launch moves them all, and one all their gradients; else one before it or behind it.
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
            return (geometry.HasTransposedFilter ? 0 : FilterBytes(geometry)) + Cudnn.WorkspaceBytes(geometry, pass);
        }

        RequireTiles(geometry, pass);
        return pass == ConvolutionPass.BackwardFilter ? FilterParts(geometry).Bytes : 0;
    }

    public bool WantsTransposedFilter(in Conv2DGeometry geometry, ConvolutionPass pass) =>
        !geometry.IsMatrixProduct && geometry.FilterCount > 0 && UsesCudnn(geometry, pass);

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
            (nint filter, nint scratch) = CudnnFilter(geometry, weights, workspace);
            Cudnn.Forward(geometry, x.Address, filter, y.Address, accumulate ? 1 : 0, scratch);
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
            (nint filter, nint scratch) = CudnnFilter(geometry, weights, workspace);
            Cudnn.BackwardData(geometry, dY.Address, filter, dX.Address, accumulate ? 1 : 0, scratch);
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
        else if (geometry.HasTransposedFilter)
        {
            Cudnn.BackwardFilter(
                geometry, x.Address, dY.Address, dWeight.Address, accumulateWeight ? 1 : 0, AddressOf(workspace));
            if (dBias is not null)
            {
                SumOverRows(dY.Address, dY.Count, geometry.OC, dBias.Address, accumulateBias);
            }
        }
        else
        {
            nint filter = workspace!.Address;
            Cudnn.BackwardFilter(geometry, x.Address, dY.Address, filter, 0, filter + (nint)FilterBytes(geometry));
            FinishFilter(geometry, filter, dY, weights, dBias, accumulateWeight, accumulateBias);
        }
    }

    // A depthwise convolution is not a product, so cuDNN has nothing to gain, and our kernels need no transposed filter.
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

    /// <summary>The filter as cuDNN has it, and its scratch.</summary>
    private (nint Filter, nint Scratch) CudnnFilter(in Conv2DGeometry geometry, nint weight, Tensor? workspace)
    {
        if (geometry.HasTransposedFilter)
        {
            return (weight, AddressOf(workspace));
        }

        nint filter = workspace!.Address;
        var arguments = new TransposeFiltersArguments();
        arguments.Add(Transpose(weight, filter, (int)(geometry.FilterCount / geometry.OC), geometry.OC, accumulate: false));
        Launch("conv2d", "conv2d_transpose_filters", new Grid(arguments.Blocks, SmallThreads), arguments);
        return (filter, filter + (nint)FilterBytes(geometry));
    }

    public void TransposeFilters(
        ReadOnlySpan<Tensor?> from, ReadOnlySpan<Tensor?> to, bool back, ReadOnlySpan<bool> accumulate)
    {
        var arguments = new TransposeFiltersArguments();
        for (int i = 0; i < from.Length; i++)
        {
            if (from[i] is not { } x || to[i] is not { } y)
            {
                continue;
            }

            if (arguments.Count == MaxFilters)
            {
                Launch("conv2d", "conv2d_transpose_filters", new Grid(arguments.Blocks, SmallThreads), arguments);
                (arguments.Count, arguments.Blocks) = (0, 0);
            }

            int outputs = back ? x.Shape[0] : x.Shape[-1], taps = (int)(x.Count / outputs);
            (int rows, int columns) = back ? (outputs, taps) : (taps, outputs);
            arguments.Add(Transpose(x.Address, y.Address, rows, columns, accumulate.Length > 0 && accumulate[i]));
        }

        Launch("conv2d", "conv2d_transpose_filters", new Grid(arguments.Blocks, SmallThreads), arguments);
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

    private const int MaxFilters = 64;

    /// <summary>A filter, whose tiles are moved by the blocks from the first on.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FilterPlace(TransposeArguments Transpose, int First, int Unused);

    [InlineArray(MaxFilters)]
    private struct FilterPlaces
    {
        private FilterPlace _first;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TransposeFiltersArguments
    {
        public int Count;
        public int Blocks;
        public FilterPlaces Filters;

        public void Add(in TransposeArguments transpose)
        {
            Filters[Count++] = new FilterPlace(transpose, Blocks, 0);
            Blocks += transpose.Blocks;
        }
    }
}
