using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>What normalizes each row of the trailing axes. Inputs: x and, if affine, weight and bias of their shape.</summary>
/// <param name="Trailing">How many axes.</param>
/// <param name="Eps">Added below the root.</param>
/// <param name="IsCentered">Whether the mean is subtracted.</param>
internal abstract record RowNormOp(int Trailing, float Eps, bool IsCentered) : Operator
{
    private int MostInputs => IsCentered ? 3 : 2;

    public override bool KeepsFeatures(int input) => true;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input == 0 || (input == 1 && wanted[0]);

    public override bool ForwardInPlace(NodeTypes types, int input) => input == 0;

    public override bool BackwardInPlace(NodeTypes types, int input) => input == 0;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, MostInputs);
        Shape x = inputs[0].Shape;
        if (Trailing < 1 || Trailing > x.Rank)
        {
            throw new ShapeException($"{Name}: expected 1 to {x.Rank} trailing axes of {x}, got {Trailing}.");
        }

        NormalizationChecks.RequireEps(Name, Eps);
        Shape own = x[^Trailing..];
        if (own.Count > int.MaxValue || x.Product(0, x.Rank - Trailing) > int.MaxValue)
        {
            throw new ShapeException($"{Name}: expected at most {int.MaxValue} rows and elements of a row, got {x} over {own}.");
        }

        for (int i = 1; i < inputs.Length; i++)
        {
            if (inputs[i].Shape != own)
            {
                throw new ShapeException(
                    $"{Name}: expected weight and bias of shape {own} for input {x}, got {inputs[i].Shape}.");
            }
        }

        return [inputs[0]];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        return new RowGeometry((int)x.Product(0, x.Rank - Trailing), (int)x[^Trailing..].Count);
    }

    public override TensorType[] SavedTensors(NodeTypes types, bool training)
    {
        TensorType statistics = new([.. types.Inputs[0].Shape[..^Trailing]]);
        return IsCentered ? [statistics, statistics] : [statistics];
    }

    public override long BackwardWorkspaceBytes(IPlanning planning, NodeTypes types, ReadOnlySpan<bool> wanted) =>
        wanted[1..].Contains(true) ? ((RowGeometry)types.Bound!).WorkspaceBytes : 0;

    public override void Forward(IKernels kernels, NodeTensors tensors) => kernels.Normalizations.LayerNormForward(
        Operands(tensors), tensors.Inputs.Length > 2 ? tensors.Inputs[2] : null, tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        bool weight = tensors.Inputs.Length > 1, bias = tensors.Inputs.Length > 2;
        var gradients = new NormalizationGradients(
            tensors.InputGradients[0], tensors.Accumulate[0], weight ? tensors.InputGradients[1] : null,
            weight && tensors.Accumulate[1], bias ? tensors.InputGradients[2] : null, bias && tensors.Accumulate[2]);

        // Only dX needs the weight; without it something else may be in its place.
        RowNormalization rows = Operands(tensors);
        rows = gradients.X is null ? rows with { Weight = null } : rows;
        kernels.Normalizations.LayerNormBackward(rows, tensors.OutputGradient!, gradients, tensors.BackwardWorkspace);
    }

    private RowNormalization Operands(NodeTensors tensors) => new(
        (RowGeometry)tensors.Bound!, Eps, tensors.Inputs[0], IsCentered ? tensors.SavedTensors[1] : null, tensors.SavedTensors[0],
        tensors.Inputs.Length > 1 ? tensors.Inputs[1] : null);
}

/// <summary>
/// Layer normalization (Ba et al., 2016): y = (x - mean) / sqrt(variance + eps) weight + bias, statistics over the trailing axes,
/// variance biased.
/// </summary>
internal sealed record LayerNormOp(int Trailing, float Eps) : RowNormOp(Trailing, Eps, IsCentered: true)
{
    public override string Name => "LayerNorm";
}

/// <summary>Zhang and Sennrich (2019): y = x / sqrt(mean(x^2) + eps) weight over the trailing axes.</summary>
internal sealed record RmsNormOp(int Trailing, float Eps) : RowNormOp(Trailing, Eps, IsCentered: false)
{
    public override string Name => "RMSNorm";
}

/// <summary>What normalizations ask of their attributes.</summary>
internal static class NormalizationChecks
{
    public static void RequireEps(string name, float eps)
    {
        if (!(eps >= 0) || float.IsInfinity(eps))
        {
            throw new ShapeException($"{name}: expected a finite eps of at least 0, got {eps}.");
        }
    }
}
