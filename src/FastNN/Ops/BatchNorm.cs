using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// What normalizes channels, the last axis, over other axes: batch, instance and group normalization; then, where passes have put
/// them there, adds a residual of x's shape, the last input, and clips at 0.
/// </summary>
/// <param name="Eps">Added to the variance.</param>
internal abstract record ColumnNormOp(float Eps) : Operator
{
    /// <summary>Whether the input behind the bias is added to what was normalized.</summary>
    public bool HasResidual { get; init; }

    /// <summary>Whether the result is clipped at 0, last of all.</summary>
    public bool HasReLU { get; init; }

    /// <summary>The input that is added, behind weight and bias.</summary>
    public int Residual => FirstParameter + 2;

    /// <summary>Which input is the weight; the bias comes behind it.</summary>
    protected abstract int FirstParameter { get; }

    /// <summary>Whether inputs 1 and 2, mean and variance, are the statistics.</summary>
    protected abstract bool IsGiven { get; }

    public override bool KeepsFeatures(int input) => input == 0 || input == Residual;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) =>
        input == 0 || (input == FirstParameter && wanted[0]) || (input < FirstParameter && IsGiven);

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => HasReLU && output == 0;

    public override bool IsDifferentiable(int input) => input == 0 || input >= FirstParameter;

    public override bool ForwardInPlace(NodeTypes types, int input) => input == 0 || input == Residual;

    // The residual's gradient is dY once ReLU has masked it.
    public override bool BackwardInPlace(NodeTypes types, int input) => input == 0 || input == Residual;

    public override TensorType[] SavedTensors(NodeTypes types, bool training)
    {
        var geometry = (ColumnGeometry)types.Bound!;
        TensorType statistics = new(new Shape(geometry.Batches, geometry.Channels));
        return IsGiven ? [] : [statistics, statistics];
    }

    public override long ForwardWorkspaceBytes(IPlanning planning, NodeTypes types) =>
        ((ColumnGeometry)types.Bound!).WorkspaceBytes;

    public override long BackwardWorkspaceBytes(IPlanning planning, NodeTypes types, ReadOnlySpan<bool> wanted) =>
        ((ColumnGeometry)types.Bound!).WorkspaceBytes;

    public override TensorType[] BackwardScratch(NodeTypes types, ReadOnlySpan<bool> wanted)
    {
        var geometry = (ColumnGeometry)types.Bound!;
        return [new(new Shape(4, geometry.Batches, geometry.Channels))];
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        Tensor dY = tensors.OutputGradient!, sums = tensors.BackwardScratch[0];
        NormalizationGradients gradients = Gradients(tensors);

        // Only dX needs the weight; without it something else may be in its place.
        ColumnNormalization columns = Operands(tensors, tensors.BackwardWorkspace!);
        columns = gradients.X is null ? columns with { Weight = null } : columns;
        Tensor? y = HasReLU ? tensors.Output : null, dResidual = HasResidual ? tensors.InputGradients[Residual] : null;
        bool copies = dResidual is not null && dResidual.Address != dY.Address;
        if (!IsGiven && !copies
            && kernels.Normalizations.BatchNormBackwardAtOnce(columns, y, dY, dResidual is not null, gradients))
        {
            return;
        }

        if (!IsGiven || gradients.Weight is not null || gradients.Bias is not null)
        {
            kernels.Normalizations.BatchNormSums(columns, y, dY, sums, gradients);
        }
        else if (y is not null)
        {
            kernels.Elements.ActivationBackward(Activation.ReLU, y, dY, dY, accumulate: false);
        }

        if (copies)
        {
            kernels.Memory.Copy(dY, dResidual!, tensors.Accumulate[Residual]);
        }

        if (gradients.X is { } dX)
        {
            kernels.Normalizations.BatchNormBackward(columns, dY, IsGiven ? null : sums, dX, gradients.AccumulateX);
        }
    }

    /// <summary>The tensors of one pass.</summary>
    protected ColumnNormalization Operands(NodeTensors tensors, Tensor workspace) => new(
        (ColumnGeometry)tensors.Bound!, Eps, tensors.Inputs[0], IsGiven ? tensors.Inputs[1] : tensors.SavedTensors[0],
        IsGiven ? tensors.Inputs[2] : tensors.SavedTensors[1], Input(tensors, FirstParameter), IsGiven, workspace);

    /// <summary>y from statistics that are given, or are made first.</summary>
    protected void Apply(IKernels kernels, NodeTensors tensors, RunningStatistics? running)
    {
        ColumnNormalization columns = Operands(tensors, tensors.ForwardWorkspace!);
        Tensor? bias = Input(tensors, FirstParameter + 1), residual = HasResidual ? tensors.Inputs[Residual] : null;
        if (IsGiven)
        {
            kernels.Normalizations.BatchNormForward(columns, bias, residual, HasReLU, tensors.Output);
        }
        else
        {
            kernels.Normalizations.BatchNormTrain(columns, running, bias, residual, HasReLU, tensors.Output);
        }
    }

    /// <summary>Fails unless the inputs from one on are a number per channel, and a residual is like x.</summary>
    protected void RequireChannels(ReadOnlySpan<TensorType> inputs)
    {
        NormalizationChecks.RequireEps(Name, Eps);
        Shape x = inputs[0].Shape;
        var channels = new Shape(x[-1]);
        if (HasResidual && (inputs.Length <= Residual || inputs[Residual].Shape != x))
        {
            throw new ShapeException($"{Name}: expected weight, bias and a residual of shape {x}.");
        }

        for (int i = 1; i < Math.Min(inputs.Length, Residual); i++)
        {
            if (inputs[i].Shape != channels)
            {
                throw new ShapeException(
                    $"{Name}: expected statistics and parameters of shape {channels} for input {x}, got {inputs[i].Shape}.");
            }
        }

        if (x.Product(0, x.Rank - 1) > int.MaxValue)
        {
            throw new ShapeException($"{Name}: expected at most {int.MaxValue} places in front of the channels, got {x}.");
        }
    }

    private NormalizationGradients Gradients(NodeTensors tensors)
    {
        int weight = FirstParameter, bias = weight + 1, inputs = tensors.Inputs.Length;
        return new NormalizationGradients(
            tensors.InputGradients[0], tensors.Accumulate[0], inputs > weight ? tensors.InputGradients[weight] : null,
            inputs > weight && tensors.Accumulate[weight], inputs > bias ? tensors.InputGradients[bias] : null,
            inputs > bias && tensors.Accumulate[bias]);
    }

    private static Tensor? Input(NodeTensors tensors, int input) =>
        tensors.Inputs.Length > input ? tensors.Inputs[input] : null;
}

/// <summary>
/// Batch normalization (Ioffe and Szegedy, 2015) of the last axis. Inputs: x, running mean, running variance and, if affine,
/// weight and bias. Outputs: y and, in training, the running statistics after this step, of which the variance takes the unbiased
/// one, as in PyTorch.
/// </summary>
/// <param name="IsTraining">Take the batch's statistics, else the running ones.</param>
/// <param name="Momentum">Of the batch in the running statistics.</param>
/// <param name="Eps">Added to the variance.</param>
internal sealed record BatchNormOp(bool IsTraining, float Momentum, float Eps) : ColumnNormOp(Eps)
{
    public override string Name => "BatchNorm";

    protected override int FirstParameter => 3;

    protected override bool IsGiven => !IsTraining;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 3, HasResidual ? 6 : 5);
        Shape x = inputs[0].Shape;
        if (x.Rank < 2)
        {
            throw new ShapeException($"{Name}: expected an input [..., C] with a batch axis, got {x}.");
        }

        RequireChannels(inputs);
        TensorType channels = new(new Shape(x[-1]));
        return IsTraining ? [inputs[0], channels, channels] : [inputs[0]];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        var geometry = new ColumnGeometry(1, (int)x.Product(0, x.Rank - 1), x[-1], 1);
        return !IsTraining || geometry.Terms > 1
            ? geometry
            : throw new ShapeException(
                $"{Name}: expected more than one value per channel when training, got input {x}; use a larger batch.");
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) => Apply(
        kernels, tensors, IsTraining
            ? new RunningStatistics(tensors.Inputs[1], tensors.Inputs[2], Momentum, tensors.Outputs[1], tensors.Outputs[2])
            : null);
}

/// <summary>
/// Group normalization (Wu and He, 2018): each example's channels in groups, statistics over a group and all places; a group per
/// channel makes it instance normalization (Ulyanov et al., 2016). Inputs: x and, if affine, weight and bias [C].
/// </summary>
/// <param name="Groups">How many; 0 for one per channel.</param>
/// <param name="Eps">Added to the variance.</param>
internal sealed record GroupNormOp(int Groups, float Eps) : ColumnNormOp(Eps)
{
    public override string Name => Groups == 0 ? "InstanceNorm" : "GroupNorm";

    // Groups of neighbors are others where places have another order.
    public override bool KeepsFeatures(int input) => (input == 0 && Groups <= 1) || input == Residual;

    protected override int FirstParameter => 1;

    protected override bool IsGiven => false;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, HasResidual ? 4 : 3);
        Shape x = inputs[0].Shape;
        int least = Groups == 0 ? 3 : 2;
        if (x.Rank < least)
        {
            throw new ShapeException(
                $"{Name}: expected an input [N, {(Groups == 0 ? "L" : "...")}, C] of at least {least} axes, got {x}.");
        }

        if (Groups < 0 || (Groups > 0 && x[-1] % Groups != 0))
        {
            throw new ShapeException(
                $"{Name}: expected a number of channels divisible by the number of groups, got {x[-1]} channels of input {x} and "
                + $"{Groups} groups.");
        }

        RequireChannels(inputs);
        return [inputs[0]];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        var geometry = new ColumnGeometry(
            x[0], (int)x.Product(1, x.Rank - 1), x[-1], Groups == 0 ? 1 : Math.Max(1, x[-1] / Groups));
        if (Groups == 0 ? geometry.Rows <= 1 : geometry.Batches * geometry.Terms == 1 || geometry.Terms == 0)
        {
            throw new ShapeException(
                Groups == 0
                    ? $"{Name}: expected more than one place per channel, got input {x}."
                    : $"{Name}: expected more than one value per group, got input {x} and {Groups} groups.");
        }

        return geometry;
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) => Apply(kernels, tensors, null);
}
