using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Attention by tiles of 32 queries or keys, see kernels/scaleddotproduct.cu: one launch forward, one or two backward; three
/// where the gradients of queries and keys are one tensor, whose order of writing is then that of the launches.
/// </summary>
internal sealed unsafe partial class CudaAttention
{
    private const int AttentionThreads = 128, TileRows = 32, TileColumns = 64;

    /// <summary>
    /// Blocks up to which backward is one launch: two for each of an A100's or H100's multiprocessors, twice over. More of them
    /// fill a GPU either way, and blocks for keys would make products again that they find in memory behind another launch.
    /// </summary>
    private const int MaxJointBlocks = 512;

    /// <summary>Bits of tensors in the launches' flags.</summary>
    private const int Query = 1, Key = 2, Value = 4, Output = 8, DQuery = 16, DKey = 32, DValue = 64;

    public void AttentionForward(AttentionGeometry geometry, in AttentionOperands operands, Tensor y, Tensor? logSums)
    {
        int tiles = Blocks(geometry.Queries, TileRows), chunks = Blocks(geometry.ValueWidth, TileColumns);
        Launch(
            "scaleddotproduct_forward", checked(geometry.Batch * geometry.Heads * tiles * chunks), tiles, chunks,
            Arguments(geometry, operands, y, null, logSums, null, default));
    }

    public void AttentionBackward(
        AttentionGeometry geometry, in AttentionOperands operands, Tensor y, Tensor dY, Tensor logSums, Tensor? products,
        in AttentionGradients gradients)
    {
        AttentionArguments arguments = Arguments(geometry, operands, y, dY, logSums, products, gradients);
        int heads = geometry.Batch * geometry.Heads, keyHeads = geometry.Batch * geometry.KeyHeads;
        nint dQuery = arguments.DQuery;
        bool isShared = dQuery != 0 && geometry.Query.Offset == geometry.Key.Offset
            && (dQuery == arguments.DKey || dQuery == arguments.DValue);
        bool hasKeys = arguments.DKey != 0 || arguments.DValue != 0;
        int queryChunks = isShared || dQuery == 0 ? 1 : Blocks(geometry.Width, TileColumns);
        int keyChunks = Blocks(Math.Max(geometry.Width, geometry.ValueWidth), TileColumns);
        int queryTiles = Blocks(geometry.Queries, TileRows), keyTiles = Blocks(geometry.Keys, TileRows);
        int queryBlocks = checked(heads * queryTiles * queryChunks), keyBlocks = checked(keyHeads * keyTiles * keyChunks);
        if (products is not null && dQuery != 0 && hasKeys && !isShared && queryBlocks + keyBlocks <= MaxJointBlocks)
        {
            Launch(
                "scaleddotproduct", "scaleddotproduct_backward", new Grid(queryBlocks + keyBlocks, AttentionThreads),
                arguments with
                {
                    Tiles = queryTiles,
                    Chunks = queryChunks,
                    QueryBlocks = queryBlocks,
                    KeyTiles = keyTiles,
                    KeyChunks = keyChunks,
                });
            return;
        }

        if (products is not null)
        {
            Launch(
                "scaleddotproduct_backward_query", queryBlocks, queryTiles, queryChunks,
                isShared ? arguments with { DQuery = 0 } : arguments);
        }

        if (hasKeys)
        {
            Launch("scaleddotproduct_backward_keys", keyBlocks, keyTiles, keyChunks, arguments);
        }

        if (isShared)
        {
            int chunks = Blocks(geometry.Width, TileColumns);
            Launch("scaleddotproduct_backward_query", checked(heads * queryTiles * chunks), queryTiles, chunks, arguments);
        }
    }

    private void Launch(string kernel, int blocks, int tiles, int chunks, AttentionArguments arguments) => Launch(
        "scaleddotproduct", kernel, new Grid(blocks, AttentionThreads), arguments with { Tiles = tiles, Chunks = chunks });

    private static AttentionArguments Arguments(
        AttentionGeometry geometry, in AttentionOperands operands, Tensor y, Tensor? dY, Tensor? logSums, Tensor? products,
        in AttentionGradients gradients)
    {
        (int width, int valueWidth) = (geometry.Width, geometry.ValueWidth);
        bool output = LiesWell(geometry.Output, y, valueWidth) && (dY is null || LiesWell(geometry.Output, dY, valueWidth));
        int vector = (LiesWell(geometry.Query, operands.Query, width) ? Query : 0)
            | (LiesWell(geometry.Key, operands.Key, width) ? Key : 0)
            | (LiesWell(geometry.Value, operands.Value, valueWidth) ? Value : 0)
            | (output ? Output : 0)
            | (LiesWell(geometry.Query, gradients.Query, width) ? DQuery : 0)
            | (LiesWell(geometry.Key, gradients.Key, width) ? DKey : 0)
            | (LiesWell(geometry.Value, gradients.Value, valueWidth) ? DValue : 0);
        int accumulate = (gradients.AccumulateQuery ? DQuery : 0) | (gradients.AccumulateKey ? DKey : 0)
            | (gradients.AccumulateValue ? DValue : 0);
        return new AttentionArguments
        {
            QueryAddress = operands.Query.Address,
            KeyAddress = operands.Key.Address,
            ValueAddress = operands.Value.Address,
            Mask = AddressOf(operands.Mask),
            Lengths = AddressOf(operands.Lengths),
            Y = y.Address,
            LogSums = AddressOf(logSums),
            DY = AddressOf(dY),
            Products = AddressOf(products),
            DQuery = AddressOf(gradients.Query),
            DKey = AddressOf(gradients.Key),
            DValue = AddressOf(gradients.Value),
            QueryRows = geometry.Query,
            KeyRows = geometry.Key,
            ValueRows = geometry.Value,
            OutputRows = geometry.Output,
            MaskPlaces = geometry.Mask,
            Heads = geometry.Heads,
            Group = geometry.Group,
            Queries = geometry.Queries,
            Keys = geometry.Keys,
            Width = width,
            ValueWidth = valueWidth,
            MaskKind = (int)geometry.MaskKind,
            Causal = (int)geometry.Causal,
            LengthStride = operands.Lengths?.Count > 1 ? 1 : 0,
            Vector = vector,
            Accumulate = accumulate,
            Scale = geometry.Scale,
        };
    }

    /// <summary>Whether every row begins and ends on 16 bytes.</summary>
    private static bool LiesWell(in HeadLayout layout, Tensor? tensor, int width) => tensor is not null
        && (layout.Offset | layout.Batch | layout.Head | layout.Row | (uint)width) % 4 == 0 && IsAligned(tensor.Address);

    /// <summary>The struct of kernels/scaleddotproduct.cu.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct AttentionArguments
    {
        public nint QueryAddress { get; init; }

        public nint KeyAddress { get; init; }

        public nint ValueAddress { get; init; }

        public nint Mask { get; init; }

        public nint Lengths { get; init; }

        public nint Y { get; init; }

        public nint LogSums { get; init; }

        public nint DY { get; init; }

        public nint Products { get; init; }

        public nint DQuery { get; init; }

        public nint DKey { get; init; }

        public nint DValue { get; init; }

        public HeadLayout QueryRows { get; init; }

        public HeadLayout KeyRows { get; init; }

        public HeadLayout ValueRows { get; init; }

        public HeadLayout OutputRows { get; init; }

        public MaskLayout MaskPlaces { get; init; }

        public int Heads { get; init; }

        public int Group { get; init; }

        public int Queries { get; init; }

        public int Keys { get; init; }

        public int Width { get; init; }

        public int ValueWidth { get; init; }

        public int MaskKind { get; init; }

        public int Causal { get; init; }

        public int LengthStride { get; init; }

        public int Vector { get; init; }

        public int Accumulate { get; init; }

        public int Tiles { get; init; }

        public int Chunks { get; init; }

        public int QueryBlocks { get; init; }

        public int KeyTiles { get; init; }

        public int KeyChunks { get; init; }

        public float Scale { get; init; }
    }
}
