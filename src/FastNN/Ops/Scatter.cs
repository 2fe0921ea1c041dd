using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// The table with some elements along one axis replaced by others, or with others added, as PyTorch's scatter and scatter_add.
/// Inputs: table, indices of Int32 or Int64, what belongs to each of them. Of several with one place the last counts.
/// </summary>
/// <param name="Axis">From the end: -1 is the last.</param>
/// <param name="Adds">Or replaces.</param>
internal sealed record ScatterOp(int Axis, bool Adds) : Operator
{
    public override string Name => Adds ? "ScatterAdd" : "Scatter";

    public override bool IsDifferentiable(int input) => input != 1;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input == 1 && (wanted[2] || !Adds);

    public override IndexRange? IndexRange(int input, ReadOnlySpan<TensorType> inputs) =>
        input == 1 ? new IndexRange(Name, inputs[0].Shape[Axis]) : null;

    public override bool KeepsFeatures(int input) => input != 1 && Axis != -1;

    public override bool ForwardInPlace(NodeTypes types, int input) => input == 0;

    public override bool BackwardInPlace(NodeTypes types, int input) => input == 0;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 3, 3);
        Indexing.RequireIndices(Name, inputs[1]);
        RequireType(inputs, 2, inputs[0].Type);
        if (Adds)
        {
            RequireType(inputs, 0, DType.Float32);
        }

        (Shape table, Shape indices, Shape source) = (inputs[0].Shape, inputs[1].Shape, inputs[2].Shape);
        Indexing.RequireFit(Name, "indices", indices, table, Axis);
        Indexing.RequireFit(Name, "indices", indices, source, axis: null);
        return [inputs[0]];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs) =>
        Indexing.Along(inputs[1].Shape, inputs[0].Shape, inputs[2].Shape, Axis);

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        (Tensor table, Tensor indices, Tensor source, Tensor y) =
            (tensors.Inputs[0], tensors.Inputs[1], tensors.Inputs[2], tensors.Output);
        if (table.Address != y.Address)
        {
            kernels.Memory.Copy(table, y, accumulate: false);
        }

        if (Adds)
        {
            kernels.Indexing.ScatterAdd(Name, indices, source, y, (IndexedAxes)tensors.Bound!);
        }
        else
        {
            kernels.Indexing.Scatter(Name, indices, source, 0, y, (IndexedAxes)tensors.Bound!);
        }
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var axes = (IndexedAxes)tensors.Bound!;
        (Tensor indices, Tensor dY, Tensor? dSource) = (tensors.Inputs[1], tensors.OutputGradient!, tensors.InputGradients[2]);

        // What no index has a gradient of is 0: a source may have more elements than there are indices.
        bool accumulates = tensors.Accumulate[2];
        if (dSource is not null && !accumulates && dSource.Count != indices.Count)
        {
            kernels.Memory.Fill(dSource, 0);
        }

        if (!Adds)
        {
            kernels.Indexing.Take(indices, dY, dSource, axes, accumulates);
        }
        else if (dSource is not null)
        {
            kernels.Indexing.Gather(Name, indices, dY, dSource, axes, accumulates);
        }

        if (tensors.InputGradients[0] is { } dTable && (dTable.Address != dY.Address))
        {
            kernels.Memory.Copy(dY, dTable, tensors.Accumulate[0]);
        }
    }
}

/// <summary>1 where the index says, 0 elsewhere, along a new last axis. Input: indices of Int32 or Int64.</summary>
/// <param name="Classes">The axis' extent.</param>
internal sealed record OneHotOp(int Classes) : Operator
{
    public override string Name => "OneHot";

    public override bool IsDifferentiable(int input) => false;

    public override IndexRange? IndexRange(int input, ReadOnlySpan<TensorType> inputs) => new IndexRange(Name, Classes);

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        Indexing.RequireIndices(Name, inputs[0]);
        return Classes > 0
            ? [new TensorType([.. inputs[0].Shape, Classes])]
            : throw new ShapeException($"{Name}: expected at least one class for indices {inputs[0].Shape}, got {Classes}.");
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs) => IndexedAxes.Of(
        [(Tensor.Index(inputs[0].Shape.Count), 1, Classes, 1), (1, 1, 1, 1)], 1, Classes);

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        kernels.Memory.Fill(tensors.Output, 0);
        kernels.Indexing.Scatter(
            Name, tensors.Inputs[0], null, BitConverter.SingleToUInt32Bits(1), tensors.Output, (IndexedAxes)tensors.Bound!);
    }
}
