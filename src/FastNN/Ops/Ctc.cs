using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// Connectionist temporal classification (Graves et al., 2006) in log space. Inputs: log-probabilities [T, N, C], targets Int32
/// [N, S], lengths of inputs and of targets Int32 [N].
/// </summary>
internal sealed record CtcOp(CtcOptions Options) : Operator
{
    public override string Name => "CtcLoss";

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => true;

    public override bool IsDifferentiable(int input) => input == 0;

    public override IndexRange? IndexRange(int input, ReadOnlySpan<TensorType> inputs) => input switch
    {
        1 => new IndexRange(Name, inputs[0].Shape[2]),
        2 => new IndexRange(Name, inputs[0].Shape[0] + 1L),
        3 => new IndexRange(Name, inputs[1].Shape[1] + 1L),
        _ => null,
    };

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        Reductions.Require(Name, Options.Reduction);
        RequireInputs(inputs, 4, 4);
        RequireType(inputs, 0, DType.Float32);
        for (int i = 1; i < inputs.Length; i++)
        {
            RequireType(inputs, i, DType.Int32);
        }

        (Shape x, Shape targets) = (inputs[0].Shape, inputs[1].Shape);
        if (x.Rank != 3 || x.Count == 0)
        {
            throw new ShapeException($"{Name}: expected log-probabilities [steps, batch, classes], got {x}.");
        }

        int batch = x[1];
        if (targets.Rank != 2 || targets[0] != batch || targets[1] == 0)
        {
            throw new ShapeException(
                $"{Name}: expected targets [batch, longest], padded, for a batch of {batch}, got {targets}.");
        }

        for (int i = 2; i < inputs.Length; i++)
        {
            if (inputs[i].Shape != new Shape(batch))
            {
                string what = i == 2 ? "inputs" : "targets";
                throw new ShapeException($"{Name}: expected the lengths of {batch} {what}, [{batch}], got {inputs[i].Shape}.");
            }
        }

        if ((uint)Options.Blank >= (uint)x[2])
        {
            throw new ShapeException($"{Name}: expected a blank from 0 to {x[2] - 1}, got {Options.Blank}.");
        }

        if ((decimal)x[0] * batch * ((2L * targets[1]) + 3) > int.MaxValue)
        {
            throw new ShapeException(
                $"{Name}: expected at most {int.MaxValue} scores of all steps, got {x[0]} steps of {batch} examples with up to {targets[1]} labels; split the batch.");
        }

        return [new TensorType(Options.Reduction == Reduction.None ? new Shape(batch) : default)];
    }

    public override TensorType[] SavedTensors(NodeTypes types, bool training)
    {
        (int steps, int batch, int width) = SizesOf(types);
        return [
            new TensorType(new Shape(batch, training ? steps : 2, width)), new TensorType(new Shape(batch)),
            new TensorType(new Shape(batch, 2, width))];
    }

    public override TensorType[] BackwardScratch(NodeTypes types, ReadOnlySpan<bool> wanted)
    {
        (_, int batch, int width) = SizesOf(types);
        return [new TensorType(new Shape(batch, 3, width)), types.Inputs[1]];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Losses.CtcForward(Options, InputsOf(tensors), ScoresOf(tensors), tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) => kernels.Losses.CtcBackward(
        Options, InputsOf(tensors), ScoresOf(tensors), tensors.OutputGradient!, tensors.InputGradients[0]!,
        tensors.Accumulate[0], tensors.BackwardScratch[0], tensors.BackwardScratch[1]);

    private static CtcInputs InputsOf(NodeTensors tensors) =>
        new(tensors.Inputs[0], tensors.Inputs[1], tensors.Inputs[2], tensors.Inputs[3]);

    private static CtcScores ScoresOf(NodeTensors tensors) =>
        new(tensors.SavedTensors[0], tensors.SavedTensors[1], tensors.SavedTensors[2]);

    private static (int Steps, int Batch, int Width) SizesOf(NodeTypes types) =>
        (types.Inputs[0].Shape[0], types.Inputs[0].Shape[1], (2 * types.Inputs[1].Shape[1]) + 3);
}
