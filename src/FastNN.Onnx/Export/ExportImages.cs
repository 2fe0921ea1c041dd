using FastNN.Onnx.Compile;
using FastNN.Ops;

namespace FastNN.Onnx.Export;

/// <summary>
/// Which inputs are images, sequences or volumes with channels: those that reach an operator of channels through operators that
/// leave the axes as they are.
/// </summary>
internal sealed class ExportImages
{
    private readonly ILookup<Value, (Node Node, int Input)> _readers;

    public ExportImages(Graph graph) =>
        _readers = graph.Nodes.SelectMany(node => node.Inputs.Select((value, input) => (value, (node, input))))
            .ToLookup(pair => pair.value, pair => pair.Item2);

    /// <summary>Whether the file has the input's channels in front.</summary>
    public bool Wants(Value input)
    {
        var seen = new HashSet<Value>();
        var open = new Stack<Value>([input]);
        while (open.TryPop(out Value? value))
        {
            if (value.Shape.Rank is < 3 or > 5 || value.Type != DType.Float32 || !seen.Add(value))
            {
                continue;
            }

            foreach ((Node node, int place) in _readers[value])
            {
                if (place == 0 && HasChannels(node))
                {
                    return true;
                }

                if (IsTransparent(node, value))
                {
                    Array.ForEach(node.Outputs, open.Push);
                }
            }
        }

        return false;
    }

    private static bool HasChannels(Node node) => node.Op is ConvolutionOp or ConvTransposeOp or MaxPool2DOp or AvgPool2DOp
        or WindowSumOp or WindowMaxOp or ColumnNormOp or GridSampleOp or UnfoldOp || IsFlattened(node) || IsTurned(node);

    /// <summary>Whether a node brings the channels of an image to the front.</summary>
    private static bool IsTurned(Node node) => node.Op is PermuteOp permute && node.Inputs[0].Shape.Rank is 4 or 5
        && permute.Order == new Shape(Traced.ToFirst(node.Inputs[0].Shape.Rank));

    /// <summary>Whether a node folds an image into columns.</summary>
    public static bool IsFlattened(Node node) =>
        node.Op is ViewOp && node.Inputs[0].Shape.Rank is 4 or 5 && node.Output.Shape.Rank == 2
            && node.Output.FlattenedImage is not null;

    private static bool IsTransparent(Node node, Value value) => node.Op switch
    {
        ActivationOp or BinaryOp or StopGradientOp or CastOp or PadOp or SliceOp or ConcatOp or SplitOp or FlipOp
            or RollOp => true,
        ReshapeOp => ViewExports.KeepsChannels(value.Shape, node.Output.Shape),
        _ => false,
    };
}
