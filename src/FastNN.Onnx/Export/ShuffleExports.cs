using FastNN.Ops;

namespace FastNN.Onnx.Export;

/// <summary>
/// Blocks of channels that become blocks of pixels, and the other way round: three nodes of the engine, a reshape, a permutation
/// and a reshape, that the file does with channels in front.
/// </summary>
internal sealed class ShuffleExports
{
    private readonly Dictionary<Node, Shuffle> _ends = [];
    private readonly HashSet<Node> _inner = [];

    private sealed record Shuffle(Value Image, int Block, Kind Kind);

    private enum Kind
    {
        /// <summary>Channels [block, block, C]: DepthToSpace's DCR.</summary>
        DepthFirst,

        /// <summary>Channels [C, block, block], as PyTorch has them: DepthToSpace's CRD.</summary>
        ColumnFirst,

        /// <summary>Pixels become channels [block, block, C]: SpaceToDepth.</summary>
        ToDepth,

        /// <summary>Pixels become channels [C, block, block], as PyTorch has them.</summary>
        ToColumns,
    }

    /// <param name="nodes">What is to be written.</param>
    /// <param name="readers">How many nodes and outputs read a value.</param>
    public ShuffleExports(IEnumerable<Node> nodes, Func<Value, int> readers)
    {
        foreach (Node node in nodes)
        {
            if (node.Op is ReshapeOp && node.Output.Shape.Rank == 4
                && node.Inputs[0].Producer is { Op: PermuteOp permute } moved
                && moved.Inputs[0].Producer is { Op: ReshapeOp } split
                && split.Inputs[0] is { Shape.Rank: 4, Type: DType.Float32 } image
                && readers(moved.Output) == 1 && readers(split.Output) == 1
                && Match(image.Shape, split.Output.Shape, permute.Order.ToArray(), node.Output.Shape) is var (block, kind))
            {
                _ends.Add(node, new Shuffle(image, block, kind));
                _inner.Add(moved);
                _inner.Add(split);
            }
        }
    }

    /// <summary>Whether a node is the beginning or the middle of one, which its end writes.</summary>
    public bool IsInner(Node node) => _inner.Contains(node);

    /// <summary>Writes the end of one; null where the node is none.</summary>
    public ExportCall? Write(GraphExporter exporter, Node node)
    {
        if (!_ends.TryGetValue(node, out Shuffle? shuffle))
        {
            return null;
        }

        ExportValue image = exporter.Of(shuffle.Image);
        var call = new ExportCall(exporter, node, [image]);
        if (shuffle.Kind == Kind.ToColumns)
        {
            // SpaceToDepth has the block before the channels only.
            Shape from = ExportValue.FirstShape(image.Shape), to = ExportValue.FirstShape(node.Output.Shape);
            int b = shuffle.Block;
            var split = new Shape(from[0], from[1], to[2], b, to[3], b);
            string moved = call.Emit.Transpose(exporter.Reshape(image.First, from, split), 0, 1, 3, 5, 2, 4);
            call.First(exporter.Reshape(moved, new Shape(from[0], from[1], b, b, to[2], to[3]), to));
        }
        else
        {
            string mode = shuffle.Kind == Kind.ColumnFirst ? "CRD" : "DCR";
            call.First(shuffle.Kind == Kind.ToDepth
                ? call.Emit.Add("SpaceToDepth", [image.First], ExportCall.Attribute("blocksize", shuffle.Block))
                : call.Emit.Add(
                    "DepthToSpace", [image.First], ExportCall.Attribute("blocksize", shuffle.Block),
                    ExportCall.Attribute("mode", mode)));
        }

        return call;
    }

    private static (int Block, Kind Kind)? Match(Shape image, Shape split, int[] order, Shape result)
    {
        if (split.Rank != 6 || split[0] != image[0] || result[0] != image[0])
        {
            return null;
        }

        (int row, int column, int channels, Kind kind) = order switch
        {
            [0, 1, 4, 2, 5, 3] => (4, 5, 3, Kind.ColumnFirst),
            [0, 1, 3, 2, 4, 5] when split[1] == image[1] && split[2] == image[2] => (3, 4, 5, Kind.DepthFirst),
            [0, 1, 3, 2, 4, 5] => (2, 4, 5, Kind.ToDepth),
            [0, 1, 3, 5, 2, 4] => (2, 4, 5, Kind.ToColumns),
            _ => (-1, -1, -1, default),
        };
        if (row < 0 || split[1..].IsSymbolic || split[row] != split[column])
        {
            return null;
        }

        // The reshapes have to cut and join where the operators do.
        int block = split[row];
        bool deepens = kind is Kind.ToDepth or Kind.ToColumns;
        bool fits = deepens
            ? split[1] == result[1] && split[3] == result[2] && (long)split[1] * block == image[1] && split[channels] == image[3]
            : split[1] == image[1] && split[2] == image[2] && (long)split[1] * block == result[1] && split[channels] == result[3];
        return fits ? (block, kind) : null;
    }
}
