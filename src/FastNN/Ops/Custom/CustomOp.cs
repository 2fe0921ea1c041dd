using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>A user's operator in a graph.</summary>
internal sealed record CustomOp(CustomOperator User) : Operator
{
    public override string Name => User.Name;

    public override bool KeepsFeatures(int input) => User.KeepsFeatures(input);

    // What a user's code does with the same inputs is not known.
    public override bool IsDeterministic => false;

    public override bool NeedsHost => User.CudaKernels is null;

    public override bool IsDifferentiable(int input) => User.IsDifferentiable(input);

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => User.BackwardReadsInput(input);

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => User.BackwardReadsOutput(output);

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        TensorType[] outputs = User.Infer(inputs);
        return outputs is { Length: > 0 }
            ? [.. outputs]
            : throw new ShapeException($"{Name}: expected Infer to give one type per output, at least one; it gave none.");
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        if (!kernels.TensorsAreOnHost && User.CudaKernels is { } cuda)
        {
            cuda.Forward(new CudaForwardPass(kernels, tensors, cuda.Ptx));
            return;
        }

        HostTensors host = HostTensors.Begin(kernels, kernels.TensorsAreOnHost ? [] : tensors.Inputs.Concat(tensors.Outputs));
        try
        {
            User.Forward(new ForwardPass(tensors, host));
        }
        finally
        {
            host.End(tensors.Outputs);
        }
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        for (int i = 0; i < tensors.InputGradients.Length; i++)
        {
            if (tensors.InputGradients[i] is { } gradient && !tensors.Accumulate[i])
            {
                // Where one value is several inputs, the last one clears and the others add.
                kernels.Memory.Fill(gradient, 0);
            }
        }

        if (!kernels.TensorsAreOnHost && User.CudaKernels is { } cuda)
        {
            cuda.Backward(new CudaBackwardPass(kernels, tensors, cuda.Ptx));
            return;
        }

        IEnumerable<Tensor?> all = kernels.TensorsAreOnHost
            ? []
            : tensors.Inputs.Where((_, i) => User.BackwardReadsInput(i)).Concat(
                tensors.Outputs.Where((_, i) => User.BackwardReadsOutput(i)))
                .Concat(tensors.OutputGradients).Concat(tensors.InputGradients);
        HostTensors host = HostTensors.Begin(kernels, all);
        try
        {
            User.Backward(new BackwardPass(tensors, host, User));
        }
        finally
        {
            host.End(tensors.InputGradients);
        }
    }
}
