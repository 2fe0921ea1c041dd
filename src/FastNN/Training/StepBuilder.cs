namespace FastNN;

/// <summary>
/// Records a training step: named inputs, any graph of layers and operators on them, named outputs and one or more losses. It is
/// recorded once, with symbols for extents that change from step to step: <c>step.Input("x", [Dim.Batch, 28, 28, 1])</c>.
/// </summary>
public sealed class StepBuilder
{
    private readonly List<(string Name, Value Value)> _inputs = [];
    private readonly List<(string Name, Value Value)> _outputs = [];
    private readonly List<(string Name, Value Value, float Weight)> _losses = [];
    private readonly List<(string Name, Metric Metric, Value Value)> _metrics = [];
    private readonly List<Value> _gradients = [];

    internal StepBuilder(GraphMode mode, ulong seed) => Graph = new Graph(mode, seed);

    /// <summary>What is recorded into.</summary>
    public Graph Graph { get; }

    internal IReadOnlyList<(string Name, Value Value)> Inputs => _inputs;

    internal IReadOnlyList<(string Name, Value Value)> Outputs => _outputs;

    internal IReadOnlyList<(string Name, Value Value, float Weight)> Losses => _losses;

    internal IReadOnlyList<(string Name, Metric Metric, Value Value)> Metrics => _metrics;

    internal IReadOnlyList<Value> WantedGradients => _gradients;

    /// <summary>Adds an input.</summary>
    /// <param name="name">What it is written by.</param>
    /// <param name="shape">Its shape, batch axis included; extents may be symbols.</param>
    /// <param name="type">Float32 (default) for features and targets, Int32 for class indices.</param>
    /// <param name="wantsGradient">Whether the gradient that arrives at it is computed, to be read after a step; default
    /// false.</param>
    /// <returns>The input.</returns>
    /// <exception cref="ArgumentException">There is an input of this name.</exception>
    public Value Input(string name, Shape shape, DType type = DType.Float32, bool wantsGradient = false)
    {
        Value value = Graph.Input(shape, type, name);
        _inputs.Add((name, value));
        if (wantsGradient)
        {
            _gradients.Add(value);
        }

        return value;
    }

    /// <summary>Adds an output, to be read after a step.</summary>
    /// <param name="name">What it is read by.</param>
    /// <param name="value">Its value.</param>
    /// <exception cref="ArgumentException">There is an output of this name.</exception>
    public void Output(string name, Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (_outputs.Exists(output => output.Name == name))
        {
            throw new ArgumentException(
                $"StepBuilder: there is an output '{name}' already; give each its own name.", nameof(name));
        }

        _outputs.Add((name, value));
    }

    /// <summary>
    /// Adds a loss. The step makes the weighted sum of all losses, and of the penalties of what it trains, small.
    /// </summary>
    /// <param name="name">What it is read by.</param>
    /// <param name="value">Its value, one number.</param>
    /// <param name="weight">Its weight in the sum; default 1.</param>
    /// <exception cref="ArgumentException">There is a loss of this name, or the weight is not finite.</exception>
    /// <exception cref="ShapeException">The loss is not one number.</exception>
    public void Loss(string name, Value value, float weight = 1)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Shape.Rank != 0)
        {
            throw new ShapeException(
                $"{name}: training needs one number, the loss has shape {value.Shape}; choose the reduction Mean or Sum.");
        }

        if (!float.IsFinite(weight) || _losses.Exists(loss => loss.Name == name))
        {
            throw new ArgumentException(
                $"StepBuilder: expected a loss with a name of its own and a finite weight, got '{name}' with weight {weight}.");
        }

        _losses.Add((name, value, weight));
    }

    /// <summary>Adds a metric, whose sums every step adds to on the device, to be read after any number of steps.</summary>
    /// <param name="name">What it is read by.</param>
    /// <param name="metric">The metric.</param>
    /// <param name="output">The output that it judges.</param>
    /// <param name="target">Its targets.</param>
    /// <param name="loss">Says what outputs mean: classes, a threshold, a class to ignore. Default: the last axis holds classes
    /// where targets are Int32.</param>
    /// <exception cref="ArgumentException">There is a metric of this name.</exception>
    /// <exception cref="ShapeException">The metric does not fit, or does not record columns of Float32.</exception>
    public void Metric(string name, Metric metric, Value output, Value target, Loss? loss = null)
    {
        ArgumentNullException.ThrowIfNull(metric);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(target);
        if (_metrics.Exists(other => other.Name == name))
        {
            throw new ArgumentException(
                $"StepBuilder: there is a metric '{name}' already; give each its own name.", nameof(name));
        }

        var inputs = new MetricInputs(output, target)
        {
            ClassCount = loss is not null ? loss.ClassCount(output.Shape) : target.Type == DType.Int32 ? output.Shape[-1] : null,
            Threshold = loss?.Threshold ?? 0.5f,
            IgnoredClass = loss?.IgnoredClass,
        };
        Value value = metric.Record(inputs)
            ?? throw new InvalidOperationException($"{metric.Name}: expected Record to return a value, got null.");
        if (value.Type != DType.Float32 || (value.Shape.Rank > 1 && (Dim.IsSymbol(value.Shape[-1]) || value.Shape[-1] == 0)))
        {
            throw new ShapeException(
                $"{metric.Name}: expected Record to give Float32 rows with a number of columns as the last extent, got {value.TensorType}.");
        }

        _metrics.Add((name, metric, value));
    }

    /// <summary>The sum of all losses, and of the penalties of those parameters that belong to the step.</summary>
    internal Value Root(Func<Parameter, bool> belongs)
    {
        if (_losses.Count == 0)
        {
            throw new InvalidOperationException("TrainingStep: the step has no loss; add one with step.Loss.");
        }

        Value root = Weighted(_losses[0]);
        foreach ((string Name, Value Value, float Weight) loss in _losses[1..])
        {
            root += Weighted(loss);
        }

        foreach ((Value parameter, Value penalty) in Graph.Penalties)
        {
            if (parameter.Parameter is not { } penalized || belongs(penalized))
            {
                root += penalty;
            }
        }

        return root;
    }

    private Value Weighted((string Name, Value Value, float Weight) loss) =>
        loss.Weight == 1 ? loss.Value : loss.Value * Graph.Constant(loss.Weight);
}
