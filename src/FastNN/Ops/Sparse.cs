using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// y [M, N] = S x [K, N] with a sparse S. Inputs: its values [blocks] or [blocks, 4], x, and where the blocks lie: row starts,
/// columns, column starts, blocks by columns, their rows, all of Int32 and right, as <see cref="SparseMatrix"/> gives them.
/// </summary>
/// <param name="Rows">M.</param>
/// <param name="Columns">K.</param>
/// <param name="Block">Rows of a block.</param>
/// <param name="Stored">Blocks.</param>
internal sealed record SparseOp(int Rows, int Columns, int Block, int Stored) : Operator
{
    public override string Name => "SparseMatMul";

    public override bool IsDifferentiable(int input) => input < 2;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input switch
    {
        0 => wanted[1],
        1 => wanted[0],
        3 => wanted[0],
        4 => wanted[1],
        _ => input > 4,
    };

    public override bool KeepsFeatures(int input) => input == 1;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 7, 7);
        RequireType(inputs, 0, DType.Float32);
        RequireType(inputs, 1, DType.Float32);
        Shape values = Block == 1 ? new Shape(Stored) : new Shape(Stored, Block), x = inputs[1].Shape;
        if (inputs[0].Shape != values || x.Rank != 2 || x[0] != Columns)
        {
            throw new ShapeException(
                $"{Name}: expected values {values} of the sparse [{Rows}, {Columns}] and a dense [{Columns}, N], got {inputs[0].Shape} and {x}.");
        }

        return [new TensorType(new Shape(Rows, x[1]))];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs) =>
        new SparseGeometry(Rows, Columns, inputs[1].Shape[1], Block, Stored);

    public override void Forward(IKernels kernels, NodeTensors tensors) => kernels.Products.SparseForward(
        tensors.Inputs[0], Pattern(tensors), tensors.Inputs[1], tensors.Output, (SparseGeometry)tensors.Bound!);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var geometry = (SparseGeometry)tensors.Bound!;
        Tensor dY = tensors.OutputGradient!;
        if (tensors.InputGradients[1] is { } dX)
        {
            kernels.Products.SparseBackwardData(tensors.Inputs[0], Pattern(tensors), dY, dX, geometry, tensors.Accumulate[1]);
        }

        if (tensors.InputGradients[0] is { } dValues)
        {
            kernels.Products.SparseBackwardValues(
                Pattern(tensors), tensors.Inputs[1], dY, dValues, geometry, tensors.Accumulate[0]);
        }
    }

    private static SparsePattern Pattern(NodeTensors tensors) =>
        new(tensors.Inputs[2], tensors.Inputs[3], tensors.Inputs[4], tensors.Inputs[5], tensors.Inputs[6]);
}
