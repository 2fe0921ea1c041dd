using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Normalization of rows, in one launch each way, with what is added in front of it.</summary>
internal sealed unsafe partial class CudaNormalizations
{
    private const int LongestResidualRow = 2048;

    /// <summary>
    /// Rows that begin within sectors go through shared memory up to this length: SHORT of kernels/layernorm.cu.
    /// </summary>
    private const int LongestShortRow = 128;

    /// <summary>Of so many rows in a row one at least begins with a sector, and every so many begin alike.</summary>
    private const int RowsAlike = 8;

    private const int WarpThreads = 32;

    /// <summary>Repetitions of a residual of which a block has the same rows, where these are many.</summary>
    private const int MaxRepeats = 8;

    public void LayerNormForward(in RowNormalization rows, Tensor? bias, Tensor y)
    {
        RowGeometry geometry = rows.Geometry;
        if (rows.X.Count == 0)
        {
            return;
        }

        RowKernel kernel = ForwardKernel(geometry.Length, ShiftOf(rows));
        Launch(
            "layernorm", kernel.Name, new Grid(Blocks(geometry.Rows, kernel.RowsPerBlock), kernel.Threads),
            new LayerNormArguments(
                rows.X.Address, AddressOf(rows.Weight), AddressOf(bias), AddressOf(rows.Mean), rows.Scale.Address, y.Address, 0,
                0, 0, 0, geometry.Rows, geometry.Length, 0, 0, 0, rows.Eps, kernel.RowsPerBlock, geometry.Rows, 1, 0));
    }

    /// <summary>Whether a row fits into the registers of the kernels that add first.</summary>
    public static bool AddsFirst(int length) => length is > 0 and <= LongestResidualRow - MostShift;

    public void ResidualNormForward(in RowNormalization rows, in AddedRows added, Tensor? bias, Tensor y)
    {
        (RowGeometry geometry, Tensor x) = (rows.Geometry, added.Product);
        if (rows.X.Count == 0)
        {
            return;
        }

        RowKernel kernel = ResidualForwardKernel(geometry.Length, ShiftOf(rows));
        int residualRows = Tensor.Index(added.Residual.Count / geometry.Length), repetitions = geometry.Rows / residualRows;
        (int perBlock, int repeats) = RepeatedRows(kernel, geometry.Length, residualRows, repetitions);
        int bandRows = repeats > 1 ? residualRows : geometry.Rows;
        int blocks = Blocks(bandRows, perBlock) * (repeats > 1 ? Blocks(repetitions, repeats) : 1);
        bool isShort = IsShort(geometry.Length), isStaged = !isShort && repeats > 1 && geometry.Length % 8 != 0;
        int floats = isShort ? repeats * Blocks(perBlock * geometry.Length, 4) * 4
            : isStaged ? geometry.Length * (kernel.IsOfWarps ? kernel.Threads / WarpThreads : 1) : 0;
        Launch(
            "layernorm", kernel.Name, new Grid(blocks, kernel.Threads, Shared: floats * sizeof(float)),
            new LayerNormArguments(
                x.Address, AddressOf(rows.Weight), AddressOf(bias), AddressOf(rows.Mean), rows.Scale.Address, y.Address,
                AddressOf(added.ProductBias), AddressOf(added.Indices), added.Residual.Address, rows.X.Address, geometry.Rows,
                geometry.Length, residualRows, Tensor.Index(x.Count / geometry.Length),
                added.Indices?.Type == DType.Int64 ? 1 : 0, rows.Eps, perBlock, bandRows, repeats,
                isStaged ? 1 : 0));
    }

    public void LayerNormBackward(
        in RowNormalization rows, Tensor dY, in NormalizationGradients gradients, Tensor? workspace)
    {
        RowGeometry geometry = rows.Geometry;
        nint parts = gradients.Weight is null && gradients.Bias is null ? 0 : AddressOf(workspace);
        if (rows.X.Count == 0)
        {
            Empty(gradients.Weight, gradients.AccumulateWeight);
            Empty(gradients.Bias, gradients.AccumulateBias);
            return;
        }

        RowKernel kernel = BackwardKernel(geometry.Length, ShiftOf(rows));
        Launch(
            "layernorm", kernel.Name, new Grid(geometry.Parts, kernel.Threads),
            new LayerNormBackwardArguments(
                rows.X.Address, AddressOf(rows.Weight), AddressOf(rows.Mean), rows.Scale.Address, dY.Address,
                AddressOf(gradients.X), parts, AddressOf(gradients.Weight), AddressOf(gradients.Bias), Scratch, 0, 0, 0,
                geometry.Rows, geometry.Length, geometry.RowsPerPart, PartsPerGroup(geometry.Parts),
                gradients.AccumulateX ? 1 : 0, gradients.AccumulateWeight ? 1 : 0, gradients.AccumulateBias ? 1 : 0, 0, 0,
                Kinds: 2));
    }

    public void ResidualNormBackward(
        in RowNormalization rows, Tensor? dY, Tensor? dSum, in NormalizationGradients gradients, in AddedGradients added,
        Tensor? workspace)
    {
        RowGeometry geometry = rows.Geometry;
        if (rows.X.Count == 0)
        {
            Empty(gradients.Weight, gradients.AccumulateWeight);
            Empty(gradients.Bias, gradients.AccumulateBias);
            Empty(added.ProductBias, added.AccumulateProductBias);
            return;
        }

        bool sums = gradients.Weight is not null || gradients.Bias is not null || added.ProductBias is not null;
        RowKernel kernel = ResidualBackwardKernel(geometry.Length, ShiftOf(rows));
        Launch(
            "layernorm", kernel.Name, new Grid(geometry.Parts, kernel.Threads),
            new LayerNormBackwardArguments(
                rows.X.Address, AddressOf(rows.Weight), AddressOf(rows.Mean), rows.Scale.Address, AddressOf(dY),
                AddressOf(gradients.X), sums ? AddressOf(workspace) : 0, AddressOf(gradients.Weight), AddressOf(gradients.Bias),
                Scratch, AddressOf(dSum), AddressOf(added.Residual), AddressOf(added.ProductBias), geometry.Rows, geometry.Length,
                geometry.RowsPerPart, PartsPerGroup(geometry.Parts), 0, gradients.AccumulateWeight ? 1 : 0,
                gradients.AccumulateBias ? 1 : 0, added.AccumulateResidual ? 1 : 0, added.AccumulateProductBias ? 1 : 0,
                Kinds: 3));
    }

    /// <summary>The elements by which rows are shifted at most, to begin with a sector.</summary>
    private static int ShiftOf(in RowNormalization rows) =>
        rows.Geometry.Length % 8 != 0 || (rows.X.Address & 31) != 0 ? MostShift : 0;

    /// <summary>Parts that one block adds: few are one group, more are as many groups as each has parts.</summary>
    private static int PartsPerGroup(int parts) => parts <= 16 ? 16 : (int)Math.Ceiling(Math.Sqrt(parts));

    /// <summary>
    /// The kernels whose registers hold a row of so many elements and what it is shifted by. Weights that a block reads cost
    /// little beside 16 rows, unless these are short and begin within sectors.
    /// </summary>
    private static RowKernel ForwardKernel(int length, int shift) => (length + shift) switch
    {
        _ when IsShort(length) => new("layernorm_forward_short", 256, 32),
        <= 128 => new("layernorm_forward_128", 256, shift > 0 ? 32 : 16),
        <= 256 => new("layernorm_forward_256", 256, shift > 0 ? 32 : 16),
        <= 512 => new("layernorm_forward_512", 256),
        <= 1024 => new("layernorm_forward_1024", 256),
        <= 2048 => new("layernorm_forward_2048", 256),
        <= 4096 => new("layernorm_forward_4096", 512),
        _ => new("layernorm_forward_long", 1024, RowsPerBlock: 1),
    };

    /// <summary>The same of backward, where only lanes of the shortest rows are shifted.</summary>
    private static RowKernel BackwardKernel(int length, int shift) => length switch
    {
        _ when IsShort(length) => new("layernorm_backward_short", 256),
        _ when length + shift <= 128 => new("layernorm_backward_128", 256),
        _ when length + shift <= 256 => new("layernorm_backward_256", 256),
        <= 512 => new("layernorm_backward_512", 64),
        <= 1024 => new("layernorm_backward_1024", 128),
        <= 2048 => new("layernorm_backward_2048", 256),
        <= 4096 => new("layernorm_backward_4096", 512),
        _ => new("layernorm_backward_long", 1024),
    };

    /// <summary>The same of those that add first.</summary>
    private static RowKernel ResidualForwardKernel(int length, int shift) => (length + shift) switch
    {
        _ when IsShort(length) => new("layernorm_residual_forward_short", 256, 32, IsOfWarps: true),
        <= 128 => new("layernorm_residual_forward_128", 256, shift > 0 ? 32 : 16, IsOfWarps: true),
        <= 256 => new("layernorm_residual_forward_256", 256, shift > 0 ? 32 : 16, IsOfWarps: true),
        <= 512 => new("layernorm_residual_forward_512", 256, IsOfWarps: true),
        <= 1024 => new("layernorm_residual_forward_1024", 256),
        _ => new("layernorm_residual_forward_2048", 256),
    };

    /// <summary>
    /// Neighboring rows of a block, and in how many repetitions of the residual: in four to eight or more, so that it
    /// costs little to read it again for others. Of short rows, which come to shared memory, a block has all of a few that
    /// repeat.
    /// </summary>
    private static (int Rows, int Repeats) RepeatedRows(RowKernel kernel, int length, int residualRows, int repetitions)
    {
        bool isShort = IsShort(length);
        if (repetitions == 1 || (isShort && residualRows < RowsAlike))
        {
            return (kernel.RowsPerBlock, 1);
        }

        // Two halves of eight keep more processors busy. Rows that begin within sectors leave less to read again.
        bool isStaged = !isShort && length % 8 != 0;
        int most = repetitions == MaxRepeats && !isStaged ? MaxRepeats / 2 : MaxRepeats;
        int rows = kernel.IsOfWarps ? RowsAlike : RowsAlike / 2;
        if (isStaged && kernel.IsOfWarps && repetitions > most)
        {
            (rows, most) = (rows / 2, most * 2);
        }

        while (rows > residualRows)
        {
            (rows, most) = (rows / 2, most * 2);
        }

        return (rows, Blocks(repetitions, Blocks(repetitions, most)));
    }

    /// <summary>Whether rows go through shared memory.</summary>
    private static bool IsShort(int length) => length % 8 != 0 && length <= LongestShortRow;

    /// <inheritdoc cref="ResidualForwardKernel"/>
    private static RowKernel ResidualBackwardKernel(int length, int shift) => length switch
    {
        _ when IsShort(length) => new("layernorm_residual_backward_short", 256),
        _ when length + shift <= 128 => new("layernorm_residual_backward_128", 256),
        _ when length + shift <= 256 => new("layernorm_residual_backward_256", 256),
        <= 512 => new("layernorm_residual_backward_512", 64),
        <= 1024 => new("layernorm_residual_backward_1024", 128),
        _ => new("layernorm_residual_backward_2048", 256),
    };

    private readonly record struct RowKernel(string Name, int Threads, int RowsPerBlock = 16, bool IsOfWarps = false);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct LayerNormArguments(
        nint X, nint Weight, nint Bias, nint Mean, nint Scale, nint Y, nint XBias, nint Indices, nint Residual, nint Sum,
        int Rows, int Length, int ResidualRows, int TableRows, int Wide, float Eps, int RowsPerBlock, int BandRows, int Repeats,
        int IsStaged);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct LayerNormBackwardArguments(
        nint X, nint Weight, nint Mean, nint Scale, nint DY, nint DX, nint Parts, nint DWeight, nint DBias, nint Tickets,
        nint DSum, nint DResidual, nint DXBias, int Rows, int Length, int RowsPerPart, int PartsPerGroup, int Accumulate,
        int AccumulateWeight, int AccumulateBias, int AccumulateResidual, int AccumulateXBias, int Kinds);
}
