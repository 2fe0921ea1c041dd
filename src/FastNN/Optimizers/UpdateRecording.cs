namespace FastNN;

/// <summary>
/// What a <see cref="CustomOptimizer"/> records an update from. Values are those before the update; none of them changes while it
/// is computed.
/// </summary>
public sealed class UpdateRecording
{
    private readonly string _optimizer;
    private readonly Dictionary<string, Value> _states = [];
    private readonly Dictionary<string, Value> _newStates = [];
    private Value? _newParameter;

    internal UpdateRecording(string optimizer, Shape shape, IEnumerable<string> states, float weightDecay)
    {
        (_optimizer, WeightDecay) = (optimizer, weightDecay);
        Graph = new Graph(GraphMode.Training);
        Parameter = Place("parameter", shape);
        Gradient = Place("gradient", shape);
        LearningRate = Place("learning rate", default);
        Step = Place("step", default);
        foreach (string name in states)
        {
            _states.Add(name, Place(name, shape));
        }
    }

    /// <summary>What is recorded into, for constants.</summary>
    public Graph Graph { get; }

    /// <summary>The parameters.</summary>
    public Value Parameter { get; }

    /// <summary>Their gradients, after clipping.</summary>
    public Value Gradient { get; }

    /// <summary>The learning rate of this update and group, of shape [].</summary>
    public Value LearningRate { get; }

    /// <summary>
    /// The number of this update, counted from 1, of shape []. Bias corrections are exact as 1 - beta^t = -(t ln beta).Expm1().
    /// </summary>
    public Value Step { get; }

    /// <summary>The group's weight decay.</summary>
    public float WeightDecay { get; }

    internal IReadOnlyDictionary<string, Value> States => _states;

    /// <summary>What was remembered under a name.</summary>
    /// <param name="name">One of the optimizer's states.</param>
    /// <returns>A value of the parameters' shape; zero before the first update.</returns>
    /// <exception cref="ArgumentException">No state has this name.</exception>
    public Value State(string name) => _states.TryGetValue(name, out Value? value)
        ? value
        : throw new ArgumentException(
            $"{_optimizer}: there is no state '{name}'; there {(_states.Count == 0 ? "are none" : $"is {string.Join(", ", _states.Keys)}")}.", nameof(name));

    /// <summary>What the parameters become.</summary>
    /// <param name="value">Of their shape.</param>
    /// <exception cref="ShapeException">It is of another shape or type.</exception>
    public void SetParameter(Value value) => _newParameter = Checked(value, "parameters");

    /// <summary>What is remembered under a name from now on; states that are not set stay as they are.</summary>
    /// <param name="name">One of the optimizer's states.</param>
    /// <param name="value">Of the parameters' shape.</param>
    /// <exception cref="ArgumentException">No state has this name.</exception>
    /// <exception cref="ShapeException">It is of another shape or type.</exception>
    public void SetState(string name, Value value)
    {
        _ = State(name);
        _newStates[name] = Checked(value, $"state '{name}'");
    }

    /// <summary>Writes back what was set.</summary>
    internal void Finish()
    {
        Graph.WriteBack(Parameter, Computed(_newParameter
            ?? throw new InvalidOperationException(
                $"{_optimizer}: the update sets no parameter; call update.SetParameter in Record.")));
        foreach ((string name, Value value) in _newStates)
        {
            Graph.WriteBack(_states[name], Computed(value));
        }
    }

    private Value Place(string name, Shape shape) => Graph.Use(new Parameter(name, shape, Initializer.Zeros) { IsBuffer = true });

    private Value Checked(Value value, string what)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.TensorType == Parameter.TensorType
            ? value
            : throw new ShapeException(
                $"{_optimizer}: expected the new {what} to be {Parameter.TensorType}, got {value.TensorType}.");
    }

    // What is stored is copied place by place: a value that lies in a place of its own would see those copied before it.
    private static Value Computed(Value value) => value.Origin.Kind == ValueKind.Intermediate ? value : value * 1;
}
