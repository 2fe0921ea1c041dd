using FastNN.Kernels;
using FastNN.Tensors;

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

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) =>
        !hasExamples[1..].Contains(true) && Trailing < inputs[0].Shape.Rank;

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

/// <summary>What a <see cref="ResidualNormOp"/> makes of its first input before the residual is added.</summary>
internal enum AddedTerm
{
    /// <summary>Nothing: it is of the sum's shape.</summary>
    Plain,

    /// <summary>The second input is a bias of its rows.</summary>
    Biased,

    /// <summary>It is a table, of which the second input names rows.</summary>
    LookedUp,
}

/// <summary>
/// An addition and the normalization of its rows: sum = term + residual, whose rows may repeat, and y of the sum; both are
/// outputs. Inputs: x, and its bias or indices where the term has them, weight, bias where rows are centered, and the residual.
/// Recorded by the compiler alone, for devices where the addition would be a pass of its own.
/// </summary>
/// <param name="Eps">Added below the root.</param>
/// <param name="IsCentered">Whether the mean is subtracted.</param>
/// <param name="Term">What is added.</param>
/// <param name="Padding">A row of a table that gets no gradient, or -1.</param>
internal sealed record ResidualNormOp(float Eps, bool IsCentered, AddedTerm Term, int Padding = -1) : Operator
{
    public override string Name => IsCentered ? "ResidualLayerNorm" : "ResidualRMSNorm";

    private bool IsBiased => Term == AddedTerm.Biased;

    private bool IsLookedUp => Term == AddedTerm.LookedUp;

    private int Weight => Term == AddedTerm.Plain ? 1 : 2;

    private int Bias => Weight + 1;

    private int Residual => Weight + (IsCentered ? 2 : 1);

    public override bool KeepsFeatures(int input) => !(IsLookedUp && input == 1);

    public override bool IsDifferentiable(int input) => !(IsLookedUp && input == 1);

    public override IndexRange? IndexRange(int input, ReadOnlySpan<TensorType> inputs) =>
        IsLookedUp && input == 1 ? new IndexRange("Embedding", inputs[0].Shape[0]) : null;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) =>
        input == Weight || (IsLookedUp && input == 1);

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => output == 0;

    public override bool ForwardInPlace(NodeTypes types, int input) => (input == 0 && !IsLookedUp) || input == Residual;

    public override bool BackwardInPlace(NodeTypes types, int input) => (input == 0 && !IsLookedUp) || input == Residual;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, Residual + 1, Residual + 1);
        for (int i = 0; i < inputs.Length; i++)
        {
            if (IsDifferentiable(i))
            {
                RequireType(inputs, i, DType.Float32);
            }
        }

        Shape residual = inputs[Residual].Shape;
        TensorType sum = IsLookedUp ? new TensorType([.. inputs[1].Shape, inputs[0].Shape[^1]]) : inputs[0];
        return sum.Shape.Rank > 0 && residual.Count > 0 && sum.Shape.Count % residual.Count == 0 && residual[-1] == sum.Shape[-1]
            ? [sum, sum]
            : throw new ShapeException($"{Name}: expected a residual whose rows repeat in {sum.Shape}, got {residual}.");
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape sum = outputs[0].Shape;
        return new RowGeometry((int)sum.Product(0, sum.Rank - 1), sum[-1]);
    }

    public override TensorType[] SavedTensors(NodeTypes types, bool training)
    {
        TensorType statistics = new([.. types.Outputs[0].Shape[..^1]]);
        return IsCentered ? [statistics, statistics] : [statistics];
    }

    // A table, a bias and a residual whose rows repeat get sums of the term's gradient.
    public override TensorType[] BackwardScratch(NodeTypes types, ReadOnlySpan<bool> wanted)
    {
        bool repeats = wanted[Residual] && Repeats(types.Outputs[0].Shape, types.Inputs[Residual].Shape);
        return IsLookedUp ? wanted[0] || repeats ? [types.Outputs[0]] : []
            : !wanted[0] && (repeats || (IsBiased && wanted[1])) ? [types.Outputs[0]] : [];
    }

    public override long BackwardWorkspaceBytes(IPlanning planning, NodeTypes types, ReadOnlySpan<bool> wanted) =>
        wanted[1..Residual].Contains(true) ? ((RowGeometry)types.Bound!).ResidualWorkspaceBytes : 0;

    public override void Forward(IKernels kernels, NodeTensors tensors) => kernels.Normalizations.ResidualNormForward(
        Rows(tensors),
        new AddedRows(
            tensors.Inputs[0], IsBiased ? tensors.Inputs[1] : null, tensors.Inputs[Residual],
            IsLookedUp ? tensors.Inputs[1] : null),
        IsCentered ? tensors.Inputs[Bias] : null, tensors.Outputs[1]);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        (Tensor?[] gradients, bool[] accumulate) = (tensors.InputGradients, tensors.Accumulate);
        bool repeats = Repeats(tensors.Outputs[0].Shape, tensors.Inputs[Residual].Shape);
        Tensor? dTerm = tensors.BackwardScratch is [var scratch] ? scratch : IsLookedUp ? null : gradients[0];
        kernels.Normalizations.ResidualNormBackward(
            Rows(tensors), tensors.OutputGradients[1], tensors.OutputGradients[0],
            new NormalizationGradients(
                dTerm, false, gradients[Weight], accumulate[Weight], IsCentered ? gradients[Bias] : null,
                IsCentered && accumulate[Bias]),
            new AddedGradients(
                repeats ? null : gradients[Residual], accumulate[Residual], IsBiased ? gradients[1] : null,
                IsBiased && accumulate[1]),
            tensors.BackwardWorkspace);
        Tensor? dRepeated = repeats ? gradients[Residual] : null, dTable = IsLookedUp ? gradients[0] : null;
        if (dRepeated is not null && dTable is not null && kernels.Indexing.EmbeddingBackwardAtOnce(
            tensors.Inputs[1], dTerm!, Padding, dTable, accumulate[0], dRepeated, accumulate[Residual]))
        {
            return;
        }

        if (dRepeated is not null)
        {
            kernels.Elements.SumRepeated(dTerm!, dRepeated, accumulate[Residual]);
        }

        if (dTable is not null)
        {
            kernels.Indexing.EmbeddingBackward(tensors.Inputs[1], dTerm!, Padding, dTable, accumulate[0]);
        }
    }

    private static bool Repeats(Shape sum, Shape residual) => sum.Count != residual.Count;

    private RowNormalization Rows(NodeTensors tensors) => new(
        (RowGeometry)tensors.Bound!, Eps, tensors.Outputs[0], IsCentered ? tensors.SavedTensors[1] : null,
        tensors.SavedTensors[0], tensors.Inputs[Weight]);
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
