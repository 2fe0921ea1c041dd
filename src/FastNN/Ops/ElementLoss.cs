using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// A loss of single elements, reduced or not. Inputs: x, targets of its shape, then a weight per element and a weight of the
/// positive class per column, where there are such.
/// </summary>
/// <param name="Function">Which loss.</param>
/// <param name="Scalars">Its parameters.</param>
/// <param name="Reduction">What becomes of the elements' losses.</param>
/// <param name="PerExample">The mean divides their sum by the number of examples (the first axis), not of elements.</param>
/// <param name="HasWeight">Whether there is a weight per element.</param>
internal sealed record ElementLossOp(
    LossFunction Function, Scalars Scalars, Reduction Reduction, bool PerExample = false, bool HasWeight = false) : Operator
{
    public override string Name => Function.Info.Name;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => true;

    public override bool IsDifferentiable(int input) => input == 0 || (input == 1 && Function.Info.IsSymmetric);

    public override bool AveragesExamples(int inputs) => Reduction == Reduction.Mean;

    // Where nothing is reduced.
    public override bool KeepsFeatures(int input) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        Reductions.Require(Name, Reduction);
        int count = 2 + (HasWeight ? 1 : 0) + (Function.TakesPositiveWeight ? 1 : 0);
        RequireFloats(inputs, count, count);
        Shape x = inputs[0].Shape;
        if (inputs[0] != inputs[1])
        {
            throw new ShapeException($"{Name}: expected targets of the predictions' type {inputs[0]}, got {inputs[1]}.");
        }

        if (HasWeight && inputs[2] != inputs[0])
        {
            throw new ShapeException($"{Name}: expected weights of the predictions' type {inputs[0]}, got {inputs[2]}.");
        }

        if (Function.TakesPositiveWeight && (x.Rank == 0 || inputs[^1].Shape != new Shape(x[-1])))
        {
            throw new ShapeException(
                $"{Name}: expected a positive weight for each column of {x}, got positive weights {inputs[^1].Shape}.");
        }

        if (PerExample && x.Rank == 0)
        {
            throw new ShapeException($"{Name}: expected predictions with an axis of examples to take the mean over, got {x}.");
        }

        return [new TensorType(Reduction == Reduction.None ? x : default)];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) => kernels.Losses.ElementLossForward(
        Function, Scalars, Divisor(tensors.Inputs[0]), tensors.Inputs[0], tensors.Inputs[1], Weight(tensors),
        PositiveWeight(tensors), tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        // A symmetric loss has one slope for both: that by the target is found where the two change places.
        for (int input = 1; input >= 0; input--)
        {
            if (tensors.InputGradients[input] is { } gradient)
            {
                kernels.Losses.ElementLossBackward(
                    Function, Scalars, Divisor(gradient), tensors.Inputs[input], tensors.Inputs[1 - input], Weight(tensors),
                    PositiveWeight(tensors),
                    tensors.OutputGradient!, gradient, tensors.Accumulate[input]);
            }
        }
    }

    private long? Divisor(Tensor x) => Reduction switch
    {
        Reduction.None => null,
        Reduction.Mean => PerExample ? x.Shape[0] : x.Count,
        _ => 1,
    };

    private Tensor? Weight(NodeTensors tensors) => HasWeight ? tensors.Inputs[2] : null;

    private Tensor? PositiveWeight(NodeTensors tensors) => Function.TakesPositiveWeight ? tensors.Inputs[^1] : null;
}
