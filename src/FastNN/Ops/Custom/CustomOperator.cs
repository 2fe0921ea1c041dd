namespace FastNN;

/// <summary>
/// An operator written outside the library. It takes part in planning, differentiation, training and inference as the built-in
/// ones do. The passes work on spans; on a GPU without kernels of the operator's own the tensors are copied to the host for them,
/// which is correct and slow, and keeps the step from being captured.
/// </summary>
/// <remarks>An instance may stand in many graphs and be used by many threads at once, so it must not change once it is
/// used.</remarks>
public abstract class CustomOperator
{
    /// <summary>The operator's name in errors and plans.</summary>
    public abstract string Name { get; }

    /// <summary>Kernels for GPUs; null (default) runs both passes on the host.</summary>
    public virtual CustomCudaKernels? CudaKernels => null;

    /// <summary>
    /// Checks the inputs' shapes and types and gives the outputs'. Called while a graph is recorded, before any memory exists.
    /// </summary>
    /// <param name="inputs">The inputs.</param>
    /// <returns>One type per output, at least one.</returns>
    /// <exception cref="ShapeException">The inputs do not fit; the message names the operator, what was expected and what was
    /// given.</exception>
    public abstract TensorType[] Infer(ReadOnlySpan<TensorType> inputs);

    /// <summary>Whether a gradient can flow to an input; default for all of type Float32.</summary>
    /// <param name="input">The place of the input.</param>
    public virtual bool IsDifferentiable(int input) => true;

    /// <summary>
    /// Whether <see cref="Backward"/> reads an input; the less it reads, the less memory training takes. Default true.
    /// </summary>
    /// <param name="input">The place of the input.</param>
    public virtual bool BackwardReadsInput(int input) => true;

    /// <summary>Whether <see cref="Backward"/> reads an output; default true.</summary>
    /// <param name="output">The place of the output.</param>
    public virtual bool BackwardReadsOutput(int output) => true;

    /// <summary>
    /// Whether place i along the outputs' last axis belongs to place i along this input's, as in everything element-wise. Layers
    /// behind a flattened image ask it, so that files order their parameters as PyTorch does. Default false.
    /// </summary>
    /// <param name="input">The place of the input.</param>
    public virtual bool KeepsFeatures(int input) => false;

    /// <summary>Computes every element of every output.</summary>
    /// <param name="pass">The tensors.</param>
    public abstract void Forward(ForwardPass pass);

    /// <summary>Adds (+=) to the gradient of every input that has one.</summary>
    /// <param name="pass">The tensors.</param>
    /// <exception cref="NotSupportedException">The operator has no backward pass (the default).</exception>
    public virtual void Backward(BackwardPass pass) =>
        throw new NotSupportedException(
            $"{Name} has no backward pass: override Backward, or return false from IsDifferentiable.");
}

/// <summary>Kernels that a <see cref="CustomOperator"/> brings for NVIDIA GPUs, as PTX.</summary>
public abstract class CustomCudaKernels
{
    /// <summary>The module's text, as a compiler writes it. The same text is loaded once per device.</summary>
    public abstract string Ptx { get; }

    /// <summary>
    /// Launches what computes the outputs. Launches alone: a step may be captured, and is then repeated without this method.
    /// </summary>
    /// <param name="pass">The tensors' addresses, and the way to launch.</param>
    public abstract void Forward(CudaForwardPass pass);

    /// <summary>Launches what adds (+=) to the gradients of the inputs that have one.</summary>
    /// <param name="pass">The tensors' addresses, and the way to launch.</param>
    public abstract void Backward(CudaBackwardPass pass);
}
