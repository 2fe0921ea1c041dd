using FastNN.Onnx.Compile;
using FastNN.Ops;

namespace FastNN.Onnx.Export;

/// <summary>
/// Which inputs are images, sequences or volumes with channels: those that reach an operator of channels through operators that
/// leave the axes as they are.
/// </summary>
/// <param name="readers">The nodes that read a value, each with the place of its input.</param>
/// <param name="shuffles">Which nodes move blocks of channels into the plane, or back.</param>
internal sealed class ExportImages(ILookup<Value, (Node Node, int Input)> readers, ShuffleExports shuffles)
{
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

            foreach ((Node node, int place) in readers[value])
            {
                if (place == 0 && (HasChannels(node) || shuffles.IsInner(node)))
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
