using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// An operator whose output is its input's elements, in their order, under another shape; neither pass moves a byte.
/// </summary>
internal abstract record ViewOp : Operator
{
    public sealed override bool IsView => true;

    // Of [N, H, W, C] to [N, H W C]: an image is flattened; of [N, D, H, W, C], a volume, whose planes go on as rows.
    public sealed override FeatureOrder? Features(
        ReadOnlySpan<TensorType> inputs, ReadOnlySpan<FeatureOrder?> orders, TensorType output) =>
        inputs[0].Shape is { Rank: 4 or 5 } x && output.Shape.Rank == 2 && x[0] == output.Shape[0]
            && x[1..] is { IsSymbolic: false } image
            ? FeatureOrder.Of(image.Rank == 3 ? image : new Shape(image[0] * image[1], image[2], image[3]))
            : base.Features(inputs, orders, output);

    // Elements keep their order, so an axis of examples in front of both shapes cuts them alike.
    public sealed override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => true;

    public sealed override void Forward(IKernels kernels, NodeTensors tensors)
    {
    }

    /// <summary>Moves nothing unless the input's gradient already lies elsewhere, written there by another consumer.</summary>
    public sealed override void Backward(IKernels kernels, NodeTensors tensors)
    {
        Tensor dX = tensors.InputGradients[0]!;
        if (dX.Address != tensors.OutputGradient!.Address)
        {
            kernels.Memory.Copy(tensors.OutputGradient, dX, tensors.Accumulate[0]);
        }
    }
}

/// <summary>The same elements under another shape.</summary>
internal sealed record ReshapeOp(Shape Shape) : ViewOp
{
    public override string Name => "Reshape";

    // Where the last axis keeps its extent.
    public override bool KeepsFeatures(int input) => true;

    public override Operator Resolve(SymbolValues symbols) => new ReshapeOp(symbols.Resolve(Shape));

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        return x.Count == Shape.Count
            ? [inputs[0] with { Shape = Shape }]
            : throw new ShapeException(
                $"{Name}: expected as many elements as {x} has, {x.Count}, got {Shape} with {Shape.Count}.");
    }
}

/// <summary>The same elements, through which no gradient flows.</summary>
internal sealed record StopGradientOp : Operator
{
    public override string Name => "StopGradient";

    public override bool IsView => true;

    public override bool KeepsFeatures(int input) => true;

    public override bool IsDifferentiable(int input) => false;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        return [inputs[0]];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
    }
}

/// <summary>All axes but the first folded into one: [N, ...] becomes [N, product of the others].</summary>
internal sealed record FlattenOp : ViewOp
{
    public override string Name => "Flatten";

    public override bool KeepsFeatures(int input) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        if (x.Rank == 0)
        {
            throw new ShapeException($"{Name}: expected an input with a batch axis, got a scalar.");
        }

        long features = x.Product(1, x.Rank);
        return features <= int.MaxValue
            ? [inputs[0] with { Shape = new Shape(x[0], (int)features) }]
            : throw new ShapeException($"{Name}: {x} has {features} elements per example, more than {int.MaxValue}.");
    }
}

/// <summary>Neighboring axes folded into one, whatever symbols they are.</summary>
/// <param name="Start">The first of them.</param>
/// <param name="End">The last.</param>
internal sealed record FoldOp(int Start, int End) : ViewOp
{
    public override string Name => "Flatten";

    // Where the last axis keeps its extent.
    public override bool KeepsFeatures(int input) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        long folded = x.Product(Start, End + 1);
        return folded <= int.MaxValue
            ? [inputs[0] with { Shape = new Shape([.. x[..Start], (int)folded, .. x[(End + 1)..]]) }]
            : throw new ShapeException(
                $"{Name}: axes {Start} to {End} of {x} have {folded} elements together, more than {int.MaxValue}.");
    }
}
