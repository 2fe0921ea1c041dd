using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// One operator: its attributes, its type rule, what its backward pass needs kept, and both passes, written once for all
/// devices. An operator is immutable and knows neither a device nor a plan, so one instance may stand in any number of nodes;
/// what follows from the shapes of a node is made by <see cref="Bind"/> and kept with the node. What an operator declares here
/// is what the planner relies on: a buffer that is not declared as read may be gone.
/// </summary>
internal abstract record Operator
{
    /// <summary>The operator's name in errors and plans.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Whether the output has no memory of its own: input 0's elements under another shape, from <see cref="ViewOffset"/> on.
    /// </summary>
    public virtual bool IsView => false;

    /// <summary>Whether the same inputs always give the same outputs, so that two equal nodes may become one.</summary>
    public virtual bool IsDeterministic => true;

    /// <summary>
    /// Whether a pass works on the host even where the device is a GPU, so that a step with it cannot be captured.
    /// </summary>
    public virtual bool NeedsHost => false;

    /// <summary>Checks the inputs' shapes and types, and gives the outputs'.</summary>
    /// <exception cref="ShapeException">They do not fit; the message names the operator and what was given.</exception>
    public abstract TensorType[] Infer(ReadOnlySpan<TensorType> inputs);

    /// <summary>What both passes need and shapes alone decide, made once per plan; null where nothing is.</summary>
    public virtual object? Bind(TensorType[] inputs, TensorType[] outputs) => null;

    /// <summary>This operator with numbers in place of the symbols among its attributes.</summary>
    public virtual Operator Resolve(SymbolValues symbols) => this;

    /// <summary>Bytes from the beginning of input 0 to that of a view.</summary>
    public virtual long ViewOffset(NodeTypes types, int output) => 0;

    /// <summary>Whether the backward pass reads an input.</summary>
    /// <param name="input">Which.</param>
    /// <param name="wanted">Which inputs need gradients.</param>
    public virtual bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => false;

    /// <summary>Whether the backward pass reads an output.</summary>
    /// <param name="output">Which.</param>
    /// <param name="wanted">Which inputs need gradients.</param>
    public virtual bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => false;

    /// <summary>
    /// Whether the kernels of the forward pass bring the values of a constant input themselves, where they read them
    /// (<see cref="FrozenValues"/>): those that read nothing but a packed form need no copy of the values beside it.
    /// </summary>
    public virtual bool LoadsInput(int input) => false;

    /// <summary>
    /// Whether output 0 may take the place of an input, of equal size, once nothing else reads that.
    /// </summary>
    public virtual bool ForwardInPlace(NodeTypes types, int input) => false;

    /// <summary>Whether the gradient of an input may take the place of that of <see cref="InPlaceOutput"/>.</summary>
    public virtual bool BackwardInPlace(NodeTypes types, int input) => false;

    /// <summary>The output whose gradient may be overwritten.</summary>
    public virtual int InPlaceOutput => 0;

    /// <summary>
    /// Whether a gradient can flow to an input; not to class indices, targets and counters.
    /// </summary>
    public virtual bool IsDifferentiable(int input) => true;

    /// <summary>Which integers an input may hold, where the operator indexes with them; null for any other input.</summary>
    public virtual IndexRange? IndexRange(int input, ReadOnlySpan<TensorType> inputs) => null;

    /// <summary>
    /// Whether place i along the output's last axis belongs to place i along this input's, as in everything element-wise. A
    /// dense layer behind a flattened image asks it, since files order that layer's rows as PyTorch flattens, [C, H, W].
    /// </summary>
    public virtual bool KeepsFeatures(int input) => false;

    /// <summary>
    /// Whether example i of the outputs is computed of example i of the inputs that have examples (along axis 0), and of the
    /// whole of the others, so that a batch may be computed in slices. False where in doubt.
    /// </summary>
    /// <param name="hasExamples">Which inputs have examples.</param>
    /// <param name="inputs">Their types.</param>
    public virtual bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => false;

    /// <summary>Whether the output is the mean over the examples of what each of them gives.</summary>
    /// <param name="inputs">How many inputs there are.</param>
    public virtual bool AveragesExamples(int inputs) => false;

    /// <summary>
    /// What the places along an output's last axis are, where images were flattened into an input's; null where nothing is to
    /// be said.
    /// </summary>
    public virtual FeatureOrder? Features(ReadOnlySpan<TensorType> inputs, ReadOnlySpan<FeatureOrder?> orders, TensorType output)
    {
        for (int i = 0; i < inputs.Length; i++)
        {
            if (orders[i] is { } order && KeepsFeatures(i) && inputs[i].Shape.Rank > 0 && output.Shape.Rank > 0
                && inputs[i].Shape[-1] == output.Shape[-1])
            {
                return order;
            }
        }

        return null;
    }

    /// <summary>Bytes that Forward leaves for Backward in <see cref="NodeTensors.Saved"/>.</summary>
    /// <param name="planning">The device's answers to questions of size.</param>
    /// <param name="types">The node's types.</param>
    /// <param name="training">False when no backward pass follows; what Forward itself needs is still asked for.</param>
    public virtual long SavedBytes(IPlanning planning, NodeTypes types, bool training) => 0;

    /// <summary>Scratch for Forward.</summary>
    public virtual long ForwardWorkspaceBytes(IPlanning planning, NodeTypes types) => 0;

    /// <summary>Scratch for Backward, given which inputs need gradients.</summary>
    public virtual long BackwardWorkspaceBytes(IPlanning planning, NodeTypes types, ReadOnlySpan<bool> wanted) => 0;

    /// <summary>Tensors that Forward leaves for Backward; without a backward pass they are Forward's scratch.</summary>
    public virtual TensorType[] SavedTensors(NodeTypes types, bool training) => [];

    /// <summary>Scratch for Backward in tensors, given which inputs need gradients.</summary>
    public virtual TensorType[] BackwardScratch(NodeTypes types, ReadOnlySpan<bool> wanted) => [];

    /// <summary>Writes the outputs (=).</summary>
    public abstract void Forward(IKernels kernels, NodeTensors tensors);

    /// <summary>
    /// Writes (=) or accumulates (+=) the gradient of every input that has one, as <see cref="NodeTensors.Accumulate"/> says.
    /// Later inputs come first: where one value is several inputs, its last one writes and those before it add.
    /// It is the last reader of the outputs' gradients and may destroy them; the gradient of an output that nothing
    /// differentiable reads is null.
    /// </summary>
    public virtual void Backward(IKernels kernels, NodeTensors tensors) =>
        throw new NotSupportedException($"{Name} has no backward pass.");

    /// <summary>Fails unless the number of inputs is right.</summary>
    protected void RequireInputs(ReadOnlySpan<TensorType> inputs, int least, int most)
    {
        if (inputs.Length < least || inputs.Length > most)
        {
            string expected = least == most ? $"{least}" : most == int.MaxValue ? $"at least {least}" : $"{least} to {most}";
            throw new ShapeException($"{Name}: expected {expected} inputs, got {inputs.Length}.");
        }
    }

    /// <summary>Fails unless an input has a type that the kernels compute with.</summary>
    protected void RequireType(ReadOnlySpan<TensorType> inputs, int input, DType type)
    {
        if (inputs[input].Type != type)
        {
            throw new ShapeException($"{Name}: expected input {input} of type {type}, got {inputs[input]}; cast it first.");
        }
    }

    /// <summary>Fails unless the number of inputs is right and all of them are Float32.</summary>
    protected void RequireFloats(ReadOnlySpan<TensorType> inputs, int least, int most)
    {
        RequireInputs(inputs, least, most);
        for (int i = 0; i < inputs.Length; i++)
        {
            RequireType(inputs, i, DType.Float32);
        }
    }
}

/// <summary>The types of a node's tensors, and what its operator made of them.</summary>
/// <param name="Inputs">In the order of the operator.</param>
/// <param name="Outputs">In the order of the operator.</param>
/// <param name="Bound">What <see cref="Operator.Bind"/> gave.</param>
internal sealed record NodeTypes(TensorType[] Inputs, TensorType[] Outputs, object? Bound)
{
    /// <exception cref="ShapeException">The operator does not take these inputs, or an output has too many elements.</exception>
    public static NodeTypes Of(Operator op, TensorType[] inputs)
    {
        TensorType[] outputs = op.Infer(inputs);
        foreach (TensorType output in outputs)
        {
            output.Shape.RequireAtMost(int.MaxValue, $"{op.Name}: an output");
        }

        return new NodeTypes(inputs, outputs, op.Bind(inputs, outputs));
    }
}

/// <summary>The tensors of one node, bound once to their places in the arena.</summary>
internal sealed class NodeTensors
{
    public required Tensor[] Inputs { get; init; }

    public required Tensor[] Outputs { get; init; }

    /// <summary>What <see cref="Operator.Bind"/> gave.</summary>
    public object? Bound { get; init; }

    /// <summary>What Forward leaves for Backward, or null.</summary>
    public Tensor? Saved { get; init; }

    /// <summary>Scratch of the pass that runs, or null.</summary>
    public Tensor? ForwardWorkspace { get; init; }

    public Tensor? BackwardWorkspace { get; init; }

    /// <summary>What <see cref="Operator.SavedTensors"/> asked for.</summary>
    public Tensor[] SavedTensors { get; init; } = [];

    /// <summary>What <see cref="Operator.BackwardScratch"/> asked for.</summary>
    public Tensor[] BackwardScratch { get; init; } = [];

    /// <summary>The outputs' gradients, null where none arrives; empty where there is no backward pass.</summary>
    public Tensor?[] OutputGradients { get; init; } = [];

    /// <summary>The inputs' gradients, null where none is needed.</summary>
    public Tensor?[] InputGradients { get; init; } = [];

    /// <summary>Whether each input gradient is added to (+=) because another consumer wrote it before.</summary>
    public bool[] Accumulate { get; init; } = [];

    /// <summary>The output of an operator that has one.</summary>
    public Tensor Output => Outputs[0];

    /// <summary>The same tensors with other gradients added to.</summary>
    public NodeTensors WithAccumulate(bool[] accumulate) => new()
    {
        Inputs = Inputs,
        Outputs = Outputs,
        Bound = Bound,
        Saved = Saved,
        SavedTensors = SavedTensors,
        ForwardWorkspace = ForwardWorkspace,
        BackwardWorkspace = BackwardWorkspace,
        BackwardScratch = BackwardScratch,
        OutputGradients = OutputGradients,
        InputGradients = InputGradients,
        Accumulate = accumulate,
    };

    /// <summary>The gradient of the output of an operator that has one; such a node has no backward pass without it.</summary>
    public Tensor? OutputGradient => OutputGradients[0];
}
