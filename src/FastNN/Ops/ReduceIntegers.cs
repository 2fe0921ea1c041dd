using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>One number for the integers or truths along some axes, exactly; without a gradient.</summary>
/// <param name="Fold">Which.</param>
/// <param name="Axes">Bit i: axis -1 - i is reduced, counted from the end.</param>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
internal sealed record ReduceIntegersOp(IntegerFold Fold, int Axes, bool KeepDims) : Operator
{
    public override string Name => Fold.ToString();

    public override bool IsDifferentiable(int input) => false;

    public override bool KeepsFeatures(int input) => (Axes & 1) == 0;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        TensorType x = inputs[0];
        if (x.Type is not (DType.Int32 or DType.Bool))
        {
            throw new ShapeException($"{Name}: expected input 0 of type Int32 or Bool, got {x}; cast it first.");
        }

        Shape y = ReduceOp.Without(Name, x.Shape, Axes, KeepDims);
        if (x.Shape.Count == 0 && y.Count > 0 && Fold is (IntegerFold.Min or IntegerFold.Max))
        {
            throw new ShapeException($"{Name}: expected at least one element along the axes reduced, got {x.Shape}.");
        }

        return
        [
            new TensorType(y, Fold switch
            {
                IntegerFold.Sum or IntegerFold.Prod => DType.Int64,
                IntegerFold.Any or IntegerFold.All => DType.Bool,
                _ => x.Type,
            }),
        ];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs) =>
        new IntegerReduceGeometry(inputs[0].Shape, ReduceOp.FromFront(inputs[0].Shape, Axes));

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Reductions.FoldIntegers(
            Fold, tensors.Inputs[0], tensors.Output, (IntegerReduceGeometry)tensors.Bound!);
}
