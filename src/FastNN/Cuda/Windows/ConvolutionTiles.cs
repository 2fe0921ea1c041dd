using System.Runtime.InteropServices;
using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary>
/// Convolutions as implicit matrix products by tiles: which tile, and how a filter's gradient is cut over the pixels.
/// </summary>
internal sealed unsafe partial class CudaWindows
{
    /// <summary>The tiles of kernels/tiles.cuh.</summary>
    private static readonly ConvolutionTile Wide = new(0, 128, 64), Narrow = new(1, 128, 32),
    Small = new(2, SmallTile, SmallTile);

    /// <summary>Fewer blocks than this leave most of a GPU idle, so tiles become small.</summary>
    private const int FewBlocks = 64;

    /// <summary>
    /// Blocks at which a filter's gradient aims, the fewest and the most pixels that one adds, and the most bytes of their parts.
    /// </summary>
    private const int FilterBlocks = 256, FewestPixels = 256, MostPixels = 8192;

    private const long MostPartBytes = 64L << 20;

    /// <summary>Refuses what a grid's second axis has no blocks for, while it is planned.</summary>
    private static void RequireTiles(in Conv2DGeometry geometry, ConvolutionPass pass)
    {
        if (geometry.IsDepthwise)
        {
            long taps = geometry.FilterCount / geometry.OC;
            if (pass == ConvolutionPass.BackwardFilter && taps >= MostGridY)
            {
                throw new ShapeException(
                    $"Conv2D: expected filters of fewer than {MostGridY} weights per channel on a CUDA device, got {taps}.");
            }

            return;
        }

        (int channels, ConvolutionTile tile) = pass switch
        {
            ConvolutionPass.Forward => (geometry.GroupOC, ForwardTile(geometry)),
            ConvolutionPass.BackwardData => (geometry.GroupC, BackwardDataTile(geometry)),
            _ => (geometry.GroupOC, FilterParts(geometry).Tile),
        };
        long tiles = (long)Blocks(channels, tile.Columns) * geometry.Groups;
        if (tiles > MostGridY)
        {
            throw new ShapeException(
                $"Conv2D: expected at most {MostGridY} tiles of {tile.Columns} channels on a CUDA device, got {tiles} of {geometry.Groups} groups of "
                + $"{channels}; use fewer groups.");
        }
    }

    private static ConvolutionTile ForwardTile(in Conv2DGeometry geometry) =>
        TileOf(Pixels(geometry), geometry.GroupOC, geometry.Groups);

    private static ConvolutionTile BackwardDataTile(in Conv2DGeometry geometry) =>
        TileOf(
            RowsOfPhase(geometry), geometry.GroupC,
            geometry.Groups * (double)PhasesOf(geometry.Vertical) * PhasesOf(geometry.Horizontal));

    /// <summary>
    /// Inputs of a phase are congruent modulo the stride; an axis shorter than its stride has as many phases as inputs.
    /// </summary>
    private static int PhasesOf(in WindowAxis axis) => Math.Min(axis.Stride, axis.Input);

    private static int RowsOfPhase(in Conv2DGeometry geometry) =>
        geometry.N * Blocks(geometry.H, geometry.Vertical.Stride) * Blocks(geometry.W, geometry.Horizontal.Stride);

    private void ForwardByTiles(
        in Conv2DGeometry geometry, nint x, nint weight, nint y, in EpilogueArguments epilogue, bool accumulate)
    {
        int pixels = Pixels(geometry);
        ConvolutionTile tile = ForwardTile(geometry);
        string kernel = tile.Index switch
        {
            0 => "conv2d_forward_wide",
            1 => "conv2d_forward_narrow",
            _ => "conv2d_forward_small",
        };
        int columns = Blocks(geometry.GroupOC, tile.Columns);
        int vector = Vectors(geometry.GroupC % 4 == 0 && IsAligned(x), geometry.GroupOC % 4 == 0 && IsAligned(weight, y));
        Launch(
            "conv2d", kernel, new Grid(Blocks(pixels, tile.Rows), SmallThreads, columns * geometry.Groups),
            new ConvolutionForwardArguments(
                x, weight, y, epilogue, new ConvolutionShape(geometry), columns, vector, accumulate ? 1 : 0, 0));
    }

    private void BackwardDataByTiles(
        in Conv2DGeometry geometry, nint dY, nint weight, nint dX, in EpilogueArguments epilogue, bool accumulate)
    {
        int phasesY = PhasesOf(geometry.Vertical), phasesX = PhasesOf(geometry.Horizontal), rows = RowsOfPhase(geometry);
        ConvolutionTile tile = BackwardDataTile(geometry);
        string kernel = tile.Index switch
        {
            0 => "conv2d_backward_data_wide",
            1 => "conv2d_backward_data_narrow",
            _ => "conv2d_backward_data_small",
        };
        int columns = Blocks(geometry.GroupC, tile.Columns), rowTiles = Blocks(rows, tile.Rows);
        int vector = Vectors(geometry.GroupOC % 4 == 0 && IsAligned(dY, weight), geometry.GroupC % 4 == 0 && IsAligned(dX));
        Launch(
            "conv2d", kernel, new Grid(checked(rowTiles * phasesY * phasesX), SmallThreads, columns * geometry.Groups),
            new ConvolutionBackwardDataArguments(
                dY, weight, dX, epilogue, new ConvolutionShape(geometry), rowTiles, phasesX, columns, vector,
                accumulate ? 1 : 0, 0));
    }

    private void BackwardFilterByParts(
        in Conv2DGeometry geometry, nint x, nint dY, nint dWeight, nint dBias, bool accumulateWeight, bool accumulateBias,
        nint workspace)
    {
        PixelParts parts = FilterParts(geometry);
        var shape = new ConvolutionShape(geometry);
        int taps = (int)(geometry.FilterCount / geometry.OC), weights = (int)geometry.FilterCount;
        int rows = dBias == 0 ? taps : taps + 1;
        long stride = (long)rows * geometry.OC;
        nint partsBias = dBias == 0 ? 0 : workspace + (nint)((long)weights * sizeof(float));
        if (geometry.IsDepthwise)
        {
            Launch(
                "conv2d", "conv2d_depthwise_backward_filter", new Grid(Blocks(geometry.OC, 32), SmallThreads, rows, parts.Count),
                new DepthwiseFilterArguments(x, dY, workspace, stride, shape, parts.Pixels, 0));
        }
        else
        {
            string kernel = parts.Tile.Index switch
            {
                0 => "conv2d_backward_filter_wide",
                1 => "conv2d_backward_filter_narrow",
                _ => "conv2d_backward_filter_small",
            };
            int columns = Blocks(geometry.GroupOC, parts.Tile.Columns);
            var grid = new Grid(Blocks(rows, parts.Tile.Rows), SmallThreads, columns * geometry.Groups, parts.Count);
            int vector = Vectors(
                geometry.GroupC % 4 == 0 && IsAligned(x), geometry.GroupOC % 4 == 0 && IsAligned(dY, dWeight, dBias, workspace));
            if (parts.Bytes == 0)
            {
                Launch("conv2d", kernel, grid, new ConvolutionBackwardFilterArguments(
                    x, dY, dWeight, dBias, 0, shape, columns, vector, parts.Pixels, accumulateWeight ? 1 : 0,
                    accumulateBias ? 1 : 0, 0));
                return;
            }

            Launch("conv2d", kernel, grid, new ConvolutionBackwardFilterArguments(
                x, dY, workspace, partsBias, stride, shape, columns, vector, parts.Pixels, 0, 0, 0));
        }

        Launch(
            "conv2d", "conv2d_sum_parts", new Grid(Blocks(stride, 32), SmallThreads),
            new ConvolutionSumPartsArguments(
                workspace, dWeight, dBias, stride, weights, (int)stride, parts.Count, accumulateWeight ? 1 : 0,
                accumulateBias ? 1 : 0, 0));
    }

    private static ConvolutionTile TileOf(int rows, int columns, double others)
    {
        ConvolutionTile tile = columns <= Narrow.Columns ? Narrow : Wide;
        double blocks = (double)Blocks(rows, tile.Rows) * Blocks(columns, tile.Columns) * others;
        return blocks < FewBlocks || rows <= Wide.Rows / 2 ? Small : tile;
    }

    /// <summary>How the pixels are shared among blocks, by the geometry alone.</summary>
    private static PixelParts FilterParts(in Conv2DGeometry geometry)
    {
        int pixels = Pixels(geometry), rows = (int)(geometry.FilterCount / geometry.OC) + 1;
        int mostParts = Blocks(pixels, FewestPixels);
        ConvolutionTile tile = TileOf(rows, geometry.GroupOC, (double)geometry.Groups * mostParts);
        double blocks = geometry.IsDepthwise
            ? (double)rows * Blocks(geometry.OC, 32)
            : (double)Blocks(rows, tile.Rows) * Blocks(geometry.GroupOC, tile.Columns) * geometry.Groups;
        long partBytes = (long)rows * geometry.OC * sizeof(float);
        int count = (int)Math.Min(mostParts, Math.Max(Math.Ceiling(FilterBlocks / blocks), Blocks(pixels, MostPixels)));
        count = (int)Math.Min(Math.Min(count, MostGridY), Math.Max(1, MostPartBytes / partBytes));

        // Whole panels of the deepest tile.
        int perPart = Blocks(Blocks(pixels, count), 64) * 64;
        count = Blocks(pixels, perPart);
        return new PixelParts(tile, perPart, count, count > 1 || geometry.IsDepthwise ? count * partBytes : 0);
    }

    private readonly record struct ConvolutionTile(int Index, int Rows, int Columns);

    private readonly record struct PixelParts(ConvolutionTile Tile, int Pixels, int Count, long Bytes);

    /// <summary>One axis of kernels/convolution.cuh.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ConvolutionAxis(WindowAxis axis)
    {
        private readonly int _input = axis.Input;
        private readonly int _output = axis.Output;
        private readonly int _taps = axis.Taps;
        private readonly int _stride = axis.Stride;
        private readonly int _dilation = axis.Dilation;
        private readonly int _padding = axis.PadBefore;
        private readonly int _tapStep = TapStep(axis);
        private readonly int _outputStep = (int)((long)TapStep(axis) * axis.Dilation / axis.Stride);
        private readonly Divisor _byOutput = new(axis.Output);
        private readonly Divisor _byStride = new(axis.Stride);

        // Taps as many apart are congruent modulo the stride.
        private static int TapStep(WindowAxis axis)
        {
            (int common, int rest) = (axis.Stride, axis.Dilation);
            while (rest != 0)
            {
                (common, rest) = (rest, common % rest);
            }

            return axis.Stride / common;
        }
    }

    /// <summary>The geometry for kernels/convolution.cuh.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ConvolutionShape(in Conv2DGeometry geometry)
    {
        private readonly ConvolutionAxis _y = new(geometry.Vertical);
        private readonly ConvolutionAxis _x = new(geometry.Horizontal);
        private readonly Divisor _byGroupC = new(geometry.GroupC);
        private readonly Divisor _byGroupOC = new(geometry.GroupOC);
        private readonly Divisor _byOC = new(geometry.OC);
        private readonly Divisor _byC = new(geometry.C);
        private readonly int _n = geometry.N;
        private readonly int _c = geometry.C;
        private readonly int _oc = geometry.OC;
        private readonly int _groupC = geometry.GroupC;
        private readonly int _groupOC = geometry.GroupOC;
        private readonly int _pixels = CudaWindows.Pixels(geometry);
        private readonly int _depthSamples = geometry.Depth.Samples;
        private readonly int _depthImages = geometry.Depth.Images;
        private readonly int _depthStart = geometry.Depth.Start;
        private readonly int _depthStep = geometry.Depth.Step;
        private readonly int _unused;
        private readonly Divisor _byDepthSamples = new(Math.Max(1, geometry.Depth.Samples));
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ConvolutionForwardArguments(
        nint X, nint Weight, nint Y, EpilogueArguments Epilogue, ConvolutionShape Shape, int Tiles, int Vector,
        int Accumulate, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ConvolutionBackwardDataArguments(
        nint DY, nint Weight, nint DX, EpilogueArguments Epilogue, ConvolutionShape Shape, int RowTiles, int Phases, int Tiles,
        int Vector, int Accumulate, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ConvolutionBackwardFilterArguments(
        nint X, nint DY, nint DWeight, nint DBias, long PartStride, ConvolutionShape Shape, int Tiles, int Vector,
        int PixelsPerPart,
        int AccumulateWeight, int AccumulateBias, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ConvolutionSumPartsArguments(
        nint Parts, nint DWeight, nint DBias, long PartStride, int Weights, int Count, int PartCount, int AccumulateWeight,
        int AccumulateBias,
        int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct DepthwiseFilterArguments(
        nint X, nint DY, nint Parts, long PartStride, ConvolutionShape Shape, int PixelsPerPart, int Unused);
}
