using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// One operator of a graph: its shape rule, what its backward pass needs kept, and both passes, written once for all devices. An
/// instance belongs to one node. <see cref="InferShape"/> is called once, when the node is recorded, and may keep what it
/// derives. What an operator declares here is what the planner relies on: a buffer that is not declared as read may be gone.
/// </summary>
internal abstract class Operator
{
    /// <summary>The operator's name in errors and plans.</summary>
    public abstract string Name { get; }

    /// <summary>Checks the inputs' shapes and gives the output's.</summary>
    /// <exception cref="ShapeException">They do not fit; the message names the operator and the shapes.</exception>
    public abstract Shape InferShape(ReadOnlySpan<Shape> inputs);

    /// <summary>The output is input 0 under another shape: no memory of its own, no kernel.</summary>
    public virtual bool IsView => false;

    /// <summary>Whether the backward pass reads input <paramref name="index"/>.</summary>
    public virtual bool BackwardReadsInput(int index) => false;

    /// <summary>Whether the backward pass reads the output.</summary>
    public virtual bool BackwardReadsOutput => false;

    /// <summary>
    /// Whether the output may take the place of input <paramref name="index"/>, of equal size, once nothing else reads that.
    /// </summary>
    public virtual bool ForwardInPlace(int index) => false;

    /// <summary>Whether the gradient of input <paramref name="index"/> may take the place of the output's gradient.</summary>
    public virtual bool BackwardInPlace(int index) => false;

    /// <summary>
    /// Whether a gradient can flow to input <paramref name="index"/>; not to class indices, targets and counters.
    /// </summary>
    public virtual bool IsDifferentiable(int index) => true;

    /// <summary>Bytes that Forward leaves for Backward in <see cref="NodeTensors.Saved"/>.</summary>
    /// <param name="training">False when no backward pass follows; what Forward itself needs is still asked for.</param>
    public virtual long SavedBytes(IKernels kernels, bool training) => 0;

    /// <summary>Scratch for Forward.</summary>
    public virtual long ForwardWorkspaceBytes(IKernels kernels) => 0;

    /// <summary>Scratch for Backward, given which inputs need gradients.</summary>
    public virtual long BackwardWorkspaceBytes(IKernels kernels, ReadOnlySpan<bool> needed) => 0;

    /// <summary>Writes the output (=).</summary>
    public abstract void Forward(IKernels kernels, NodeTensors tensors);

    /// <summary>
    /// Writes (=) or accumulates (+=) the gradient of every input that has one, as <see cref="NodeTensors.Accumulate"/> says.
    /// Later inputs come first: where one value is several inputs, its last one writes and those before it add.
    /// It is the last reader of the output's gradient and may destroy it.
    /// </summary>
    public virtual void Backward(IKernels kernels, NodeTensors tensors) =>
        throw new NotSupportedException($"{Name} has no backward pass.");

    /// <summary>Fails unless the number of inputs is right.</summary>
    protected void RequireInputs(ReadOnlySpan<Shape> inputs, int least, int most)
    {
        if (inputs.Length < least || inputs.Length > most)
        {
            throw new ShapeException($"{Name}: {inputs.Length} inputs given, {least} to {most} expected.");
        }
    }
}

/// <summary>The tensors of one node, bound once to their places in the arena.</summary>
internal sealed class NodeTensors
{
    public required Tensor[] Inputs { get; init; }

    public required Tensor Output { get; init; }

    /// <summary>What Forward leaves for Backward, or null.</summary>
    public Tensor? Saved { get; init; }

    /// <summary>Scratch of the pass that runs, or null.</summary>
    public Tensor? ForwardWorkspace { get; init; }

    public Tensor? BackwardWorkspace { get; init; }

    /// <summary>The output's gradient; bound where there is a backward pass.</summary>
    public Tensor? OutputGradient { get; init; }

    /// <summary>The inputs' gradients, null where none is needed.</summary>
    public Tensor?[] InputGradients { get; init; } = [];

    /// <summary>Whether each input gradient is added to (+=) because another consumer wrote it before.</summary>
    public bool[] Accumulate { get; init; } = [];
}
