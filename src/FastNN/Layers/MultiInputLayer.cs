namespace FastNN;

/// <summary>A layer of several inputs or several outputs.</summary>
public abstract class MultiInputLayer : Layer
{
    /// <summary>How many values it gives; default 1.</summary>
    public virtual int OutputCount => 1;

    /// <summary>
    /// Makes the parameters, with <see cref="Layer.AddParameter"/>; called once, before the first
    /// <see cref="Forward(ReadOnlySpan{Value})"/>.
    /// </summary>
    /// <param name="inputs">The first inputs.</param>
    protected virtual void Build(ReadOnlySpan<Value> inputs)
    {
    }

    /// <summary>Records the layer's operators.</summary>
    /// <param name="inputs">Its inputs, batch axis first.</param>
    /// <returns>Its outputs, <see cref="OutputCount"/> of them.</returns>
    protected abstract IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs);

    /// <inheritdoc/>
    protected sealed override void Build(Value x) => Build([x]);

    /// <inheritdoc/>
    protected sealed override Value Forward(Value x) => Forward([x])[0];

    private protected sealed override void BuildFrom(ReadOnlySpan<Value> inputs) => Build(inputs);

    private protected sealed override IReadOnlyList<Value> ForwardFrom(ReadOnlySpan<Value> inputs)
    {
        IReadOnlyList<Value> outputs = Forward(inputs);
        return outputs.Count == OutputCount
            ? outputs
            : throw new InvalidOperationException(
                $"{GetType().Name}: expected {OutputCount} outputs from Forward, as OutputCount says, got {outputs.Count}.");
    }

    internal override void RequireInputs(int count)
    {
        if (count == 0)
        {
            throw new ArgumentException($"{GetType().Name}: expected at least one input, got none.");
        }
    }
}

/// <summary>The sum of its inputs, with NumPy's broadcasting (Keras' Add): residual connections.</summary>
public sealed class Add : MultiInputLayer
{
    /// <inheritdoc/>
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        Value sum = inputs[0];
        foreach (Value input in inputs[1..])
        {
            sum += input;
        }

        return [sum];
    }
}

/// <summary>The product of its inputs, element by element, with NumPy's broadcasting (Keras' Multiply): gates.</summary>
public sealed class Multiply : MultiInputLayer
{
    /// <inheritdoc/>
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        Value product = inputs[0];
        foreach (Value input in inputs[1..])
        {
            product *= input;
        }

        return [product];
    }
}

/// <summary>Joins its inputs along one axis (Keras' Concatenate).</summary>
/// <param name="axis">Negative axes count from the end; default the last.</param>
public sealed class Concatenate(int axis = -1) : MultiInputLayer
{
    /// <summary>The axis; negative axes count from the end.</summary>
    public int Axis => axis;

    /// <inheritdoc/>
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs) => [Operators.Concat(axis, inputs)];

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("axis", axis);
    }

    internal static Concatenate Create(LayerDescription description) =>
        new(description.Int32("axis")) { Name = description.Name };
}
